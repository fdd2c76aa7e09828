//! The subscription: finding the leader, keeping the stream, coming back.
//!
//! A standby answers 307 with the leader's address, or 503 when there is none; the
//! known masters are asked in turn, or ZooKeeper is believed. A stream that is silent for several heartbeats
//! is dead, whatever TCP says. One could get it wrong after an ERROR: "Framework
//! has been removed" is final for the id (its tasks are gone with it), everything
//! else is not; and after another engine took over, fighting for the stream would
//! make both useless.

use super::{CallFailed, Mesos, account, events};
use crate::config::MesosConfig;
use crate::core::Core;
use crate::record::Record;
use crate::runtime::Runtime;
use padis_protocol::mesos::scheduler::{Call, CallBody, Event, EventBody, Subscribe};
use padis_protocol::mesos::v1::{Capability, FrameworkInfo};
use padis_protocol::recordio::{RecordError, RecordReader};
use reqwest::header::LOCATION;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Heartbeats that may be missing.
const SILENT_BEATS: f64 = 5.0;
/// The heartbeat if the master names none (its own default).
const BEAT: f64 = 15.0;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LAST_PAUSE: Duration = Duration::from_secs(10);
/// Pause after another engine has taken the framework over.
const TAKEN_OVER: Duration = Duration::from_secs(60);
/// The most bytes of one event: offers of thousands of agents come in one.
const MAX_EVENT: usize = 64 << 20;

/// A subscription.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// `http://host:port`
    pub master: String,
    pub stream: String,
    pub framework: String,
}

#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Call(#[from] CallFailed),
    #[error("no master leads")]
    NoLeader,
    #[error("another master leads")]
    Another,
    #[error("the stream ended")]
    Closed,
    #[error("the stream was silent for {0:?}")]
    Silent(Duration),
    #[error("the stream is not RecordIO")]
    Garbled(#[from] RecordError),
    #[error("the master ended the session: {0}")]
    Told(String),
    #[error("the framework can't be recorded")]
    NotDurable,
}

/// Keeps a subscription until the engine stops.
pub(super) async fn follow(core: Arc<Core>) {
    let Runtime::Mesos(mesos) = &core.runtime else { return };
    let mut pause = FIRST_PAUSE;
    let mut next = 0;
    let mut found = mesos.found.subscribe();
    loop {
        let began = Instant::now();
        found.borrow_and_update();
        let ended = tokio::select! {
            () = core.cancel.cancelled() => return,
            ended = session(&core, mesos, &mut next) => ended,
            // The sender is as old as the engine, so this is never an error.
            _ = found.changed() => Ended::Another,
        };
        let words = crate::fetch::chain(&ended);
        mesos.set_link(None, Some(words.clone()));
        core.change(|w| {
            // Offers are void with the subscription.
            drop(w.take_all_offers());
        });
        if began.elapsed() > LAST_PAUSE {
            pause = FIRST_PAUSE;
        }
        tracing::warn!(error = words, "engine: the subscription to the Mesos master ended; tasks run on");
        let mut wait = pause;
        if let Ended::Told(text) = &ended {
            if text.contains("removed") || text.contains("completed") {
                tracing::error!("engine: Mesos has ended this framework with all its tasks; it begins anew");
                let _ = core.change(|w| {
                    w.framework = None;
                    w.records.push(Record::Framework(String::new()));
                });
            } else if text.contains("failed over") {
                tracing::error!("engine: another engine has taken this framework over");
                wait = TAKEN_OVER;
            }
        }
        tokio::select! {
            () = core.cancel.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
            _ = found.changed() => {}
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// What the framework says it can.
pub(crate) const FRAMEWORK_CAN: [&str; 5] =
    ["PARTITION_AWARE", "MULTI_ROLE", "RESERVATION_REFINEMENT", "REGION_AWARE", "TASK_KILLING_STATE"];

fn framework(core: &Core, config: &MesosConfig, id: Option<String>) -> FrameworkInfo {
    FrameworkInfo {
        user: config.user.clone(),
        name: config.framework_name.clone(),
        id: id.map(Into::into),
        failover_timeout: Some(config.failover_timeout.as_secs_f64()),
        checkpoint: Some(true),
        roles: vec![config.role.clone()],
        hostname: Some(core.config.hostname.clone()),
        principal: config.principal.clone(),
        webui_url: Some(format!("http://{}", core.config.marathon_listen)),
        capabilities: FRAMEWORK_CAN.into_iter().map(Capability::new).collect(),
        ..FrameworkInfo::default()
    }
}

/// One subscription from beginning to end.
async fn session(core: &Arc<Core>, mesos: &Mesos, next: &mut usize) -> Ended {
    match subscribe(core, mesos, next).await {
        Ok((master, answer)) => match stream(core, mesos, master, answer).await {
            Ok(()) => Ended::Closed,
            Err(ended) => ended,
        },
        Err(ended) => ended,
    }
}

/// Finds the leader and subscribes there.
async fn subscribe(core: &Core, mesos: &Mesos, next: &mut usize) -> Result<(String, reqwest::Response), Ended> {
    let masters = &mesos.config.masters;
    let known = match mesos.config.ensemble() {
        Some(_) => mesos.found.borrow().clone(),
        None => masters.get(*next % masters.len().max(1)).cloned(),
    };
    let mut master = known.ok_or(Ended::NoLeader)?.trim_end_matches('/').to_owned();
    // The next attempt asks the next master.
    *next += 1;
    let id = core.look(|w| w.framework.clone());
    let info = framework(core, &mesos.config, id.clone());
    let body = CallBody::Subscribe(Box::new(Subscribe { framework_info: info, ..Subscribe::default() }));
    let call = match id {
        Some(id) => Call::of(id.as_str(), body),
        None => body.into(),
    };
    let call = serde_json::to_vec(&call).map_err(CallFailed::from)?;
    for _ in 0..5 {
        let request = mesos.client.post(format!("{master}/api/v1/scheduler"));
        let request = request.header("Content-Type", "application/json").header("Accept", "application/json");
        let send = account::authenticated(request, &mesos.config).body(call.clone()).send();
        let answer = tokio::time::timeout(super::CALL, send).await.map_err(|_| Ended::Silent(super::CALL))?;
        let answer = answer.map_err(account::failed)?;
        match answer.status().as_u16() {
            200 => return Ok((master, answer)),
            307 => {
                let place = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
                master = account::leader(&master, place).ok_or(Ended::NoLeader)?;
            }
            503 => return Err(Ended::NoLeader),
            status => {
                let text = answer.text().await.unwrap_or_default();
                return Err(account::refused(&mesos.config, status, &text).into());
            }
        }
    }
    Err(Ended::NoLeader)
}

async fn stream(core: &Arc<Core>, mesos: &Mesos, master: String, mut answer: reqwest::Response) -> Result<(), Ended> {
    let stream = answer.headers().get("Mesos-Stream-Id").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let mut reader = RecordReader::with_limit(MAX_EVENT);
    let mut patience = Duration::from_secs_f64(BEAT * SILENT_BEATS);
    loop {
        let piece = tokio::time::timeout(patience, answer.chunk()).await.map_err(|_| Ended::Silent(patience))?;
        let Some(piece) = piece.map_err(account::failed)? else { return Ok(()) };
        let mut records = Vec::new();
        let pushed = reader.push(&piece, &mut records);
        for record in records {
            let event: Event = match serde_json::from_slice(&record) {
                Ok(event) => event,
                Err(error) => {
                    tracing::warn!(%error, "engine: an event of the Mesos master can't be read and is left out");
                    continue;
                }
            };
            match event.body {
                EventBody::Subscribed(s) => {
                    let beat = s.heartbeat_interval_seconds.filter(|b| *b > 0.0).unwrap_or(BEAT);
                    patience = Duration::from_secs_f64(beat * SILENT_BEATS);
                    let framework = s.framework_id.value;
                    let (_, seq) = core.change(|w| {
                        if w.framework.as_deref() != Some(framework.as_str()) {
                            w.framework = Some(framework.clone());
                            w.records.push(Record::Framework(framework.clone()));
                        }
                    });
                    // The id must not be lost: without it all tasks would be strangers.
                    core.durable(seq).await.map_err(|_| Ended::NotDurable)?;
                    tracing::info!(%master, framework.id = %framework, "engine: subscribed to the Mesos master");
                    let link = Link { master: master.clone(), stream: stream.clone(), framework };
                    mesos.set_link(Some(link), None);
                    events::subscribed(core, mesos).await;
                }
                EventBody::Error(error) => return Err(Ended::Told(error.message)),
                other => events::take(core, mesos, other).await,
            }
        }
        pushed?;
    }
}
