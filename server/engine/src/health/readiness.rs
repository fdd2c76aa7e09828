//! Readiness checks: whether a new instance may take traffic, as far as a deployment
//! is concerned.
//!
//! Marathon's rules: they are made of the instances that a deployment starts, from
//! their start until the first success, and the deployment's step waits for them. They
//! kill nothing, and with the deployment they end, whatever they said. One could get
//! it wrong by asking instances that are started later in place of dead ones: nothing
//! waits for those. The last answer is kept if the definition says so; who gives none
//! has answered 504, in Marathon's words.

use super::probe;
use crate::core::Core;
use crate::record::DeploymentRecord;
use crate::runtime::Runtime;
use crate::world::World;
use padis_protocol::app::App;
use padis_protocol::container::NetworkMode;
use padis_protocol::health::HealthCheck;
use padis_protocol::readiness::{ReadinessCheck, ReadinessCheckResult, ReadinessResponse};
use padis_protocol::task::TaskState;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of an answer that are kept.
const BODY: usize = 64 * 1024;

/// The state of one check on one task.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Readiness {
    pub ready: bool,
    /// There was an answer, or an attempt.
    asked: bool,
    last: Option<ReadinessResponse>,
}

impl World {
    /// The checks of an instance that is started now.
    pub fn asks_readiness(&self, spec: &App) -> Vec<Readiness> {
        let count = spec.readiness_checks.as_ref().map_or(0, Vec::len);
        let waited_for = self.progress.holder(&spec.id).is_some() && !self.progress.waits(&spec.id);
        vec![Readiness::default(); if waited_for { count } else { 0 }]
    }

    /// After a restart: what deployments still wait for is asked again.
    pub fn ask_readiness_again(&mut self) {
        for (id, live) in &mut self.live {
            let Some(task) = self.tasks.get(id) else { continue };
            let held = self.progress.holder(&task.app_id).is_some() && !self.progress.waits(&task.app_id);
            let current = self.apps.get(&task.app_id).is_some_and(|a| task.version >= a.generation);
            if held && current {
                live.readiness = vec![Readiness::default(); live.spec.readiness_checks.as_ref().map_or(0, Vec::len)];
            }
        }
    }

    /// With the deployment its checks end.
    pub fn end_readiness(&mut self, deployment: &DeploymentRecord) {
        for id in deployment.apps().filter_map(|app| self.by_app.get(app)).flatten() {
            if let Some(live) = self.live.get_mut(id) {
                live.readiness.clear();
            }
        }
    }

    /// The results of an app's instances, while a deployment waits for them.
    pub fn readiness_of(&self, app_id: &str) -> Vec<ReadinessCheckResult> {
        let mut out = Vec::new();
        for task in self.tasks_of(app_id) {
            let Some(live) = self.live.get(&task.id) else { continue };
            let checks = live.spec.readiness_checks.iter().flatten();
            out.extend(checks.zip(&live.readiness).filter(|(_, state)| state.asked).map(|(check, state)| {
                ReadinessCheckResult {
                    name: check.name.clone().unwrap_or_else(|| String::from("readinessCheck")),
                    task_id: task.id.clone(),
                    ready: state.ready,
                    last_response: state.last.clone(),
                    ..ReadinessCheckResult::default()
                }
            }));
        }
        out
    }

    fn readiness_told(&mut self, task_id: &str, index: usize, check: &ReadinessCheck, answer: ReadinessResponse) {
        let Some(state) = self.live.get_mut(task_id).and_then(|l| l.readiness.get_mut(index)) else { return };
        state.asked = true;
        state.ready = u16::try_from(answer.status).is_ok_and(|status| means_ready(check, status));
        state.last = Some(answer).filter(|_| check.preserve_last_response == Some(true));
        if let Some(task) = self.tasks.get(task_id).filter(|_| state.ready) {
            self.dirty.insert(task.app_id.clone());
        }
    }
}

/// Whether a status is one of the check's, or 200 if it names none.
fn means_ready(check: &ReadinessCheck, status: u16) -> bool {
    match check.http_status_codes_for_ready.as_deref() {
        None | Some([]) => status == 200,
        Some(codes) => codes.contains(&status),
    }
}

/// The place of the check's port among the task's ports.
fn port_index(app: &App, check: &ReadinessCheck) -> Option<u32> {
    let wanted = check.port_name.as_deref().unwrap_or("http-api");
    let host = app.network_list().iter().all(|n| n.mode.unwrap_or_default() == NetworkMode::Host);
    let index = match host {
        true => app.port_definitions.iter().flatten().position(|d| d.name.as_deref() == Some(wanted)),
        false => app.mappings().iter().position(|m| m.name.as_deref() == Some(wanted)),
    };
    index.and_then(|i| u32::try_from(i).ok())
}

/// Makes one check of one task again and again, until it succeeds or nobody waits any more.
pub(super) async fn watch(core: Arc<Core>, task_id: String, index: usize) {
    let spec = core.look(|w| w.live.get(&task_id).map(|l| Arc::clone(&l.spec)));
    let Some(spec) = spec else { return };
    let Some(check) = spec.readiness_checks.as_ref().and_then(|c| c.get(index)) else { return };
    let seconds = |value: Option<u32>, default: u32| Duration::from_secs(u64::from(value.unwrap_or(default).max(1)));
    let (interval, timeout) = (seconds(check.interval_seconds, 30), seconds(check.timeout_seconds, 10));
    let mut timer = tokio::time::interval(interval);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = core.cancel.cancelled() => return,
            _ = timer.tick() => {}
        }
        let task = core.look(|w| {
            let open = w.live.get(&task_id)?.readiness.get(index).is_some_and(|r| !r.ready);
            w.tasks.get(&task_id).filter(|t| open && t.state == TaskState::TaskRunning).cloned()
        });
        let Some(task) = task else { return };
        let answer = if matches!(core.runtime, Runtime::Simulated(_)) {
            let status = u32::from(check.http_status_codes_for_ready.iter().flatten().next().copied().unwrap_or(200));
            ReadinessResponse { status, ..ReadinessResponse::default() }
        } else {
            let place = HealthCheck { port_index: port_index(&spec, check), ..HealthCheck::default() };
            match probe::target(&core, &task, &spec, &place).await {
                Ok(place) => {
                    let https = check.protocol.as_deref() == Some("HTTPS");
                    ask(&core, check, &probe::url(https, place, check.path.as_deref()), timeout).await
                }
                Err(probe::Outcome::Sick(why)) => nobody(&task.agent, &why),
                Err(_) => continue,
            }
        };
        core.change(|w| w.readiness_told(&task_id, index, check, answer));
    }
}

/// What Marathon makes of an answer that did not come.
fn nobody(url: &str, why: &str) -> ReadinessResponse {
    ReadinessResponse {
        status: 504,
        content_type: String::from("text/plain"),
        body: format!("Marathon could not query {url}: {why}"),
        ..ReadinessResponse::default()
    }
}

async fn ask(core: &Core, check: &ReadinessCheck, url: &str, timeout: Duration) -> ReadinessResponse {
    let asked = async {
        let mut answer = core.prober.get(url).send().await?;
        let status = u32::from(answer.status().as_u16());
        let kind = answer.headers().get("Content-Type").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let content_type = kind.split(';').next().unwrap_or_default().trim().to_owned();
        let mut body = Vec::new();
        while check.preserve_last_response == Some(true) && body.len() < BODY {
            let Some(piece) = answer.chunk().await? else { break };
            body.extend_from_slice(&piece);
        }
        body.truncate(BODY);
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok::<_, reqwest::Error>(ReadinessResponse { status, content_type, body, ..ReadinessResponse::default() })
    };
    match tokio::time::timeout(timeout, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => nobody(url, &crate::fetch::chain(&error.without_url())),
        Err(_) => nobody(url, &format!("no answer within {} s", timeout.as_secs())),
    }
}
