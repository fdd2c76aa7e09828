//! The event stream: connect, watch for silence, translate, connect again.
//!
//! An event says "look again", so losing one costs time, never truth, provided
//! that a loss is noticed: [`SchedEvent::Attached`] comes with every connection
//! because whatever happened before it is unknown. One could get it wrong by
//! trusting an open connection: a Marathon that hangs, or a firewall that forgot
//! us, keeps it open for hours. So no byte for three heartbeats means gone.
//!
//! Memory is bounded: nothing is buffered ahead of the consumer (its slowness
//! reaches Marathon as TCP back-pressure), and an event that never ends is cut.

use crate::http::Endpoints;
use futures::StreamExt;
use futures::stream::{BoxStream, unfold};
use padis_domain::ports::SchedEvent;
use padis_protocol::Extra;
use padis_protocol::deployment::{Plan, Step};
use padis_protocol::event::{Event, Frame, FrameReader};
use rand::Rng;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// First wait before a new connection; it doubles up to [`LAST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest wait before a new connection.
const LAST_WAIT: Duration = Duration::from_secs(10);
/// For the answer's headers.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes that one event may have. Deployment events of large groups reach some MiB.
const MAX_EVENT: usize = 32 * 1024 * 1024;
/// The light format leaves the whole group out of deployment events (Marathon 1.5 and later).
const PATH: &str = "/v2/events?plan-format=light";

struct Stream {
    http: Arc<Endpoints>,
    silence: Duration,
    ready: VecDeque<SchedEvent>,
    open: Option<Open>,
    failures: u32,
}

struct Open {
    answer: reqwest::Response,
    frames: FrameReader,
    /// Bytes since the last complete frame.
    unfinished: usize,
}

/// An endless stream of events; it connects when it is first polled.
pub(super) fn stream(http: Arc<Endpoints>, silence: Duration) -> BoxStream<'static, SchedEvent> {
    let state = Stream { http, silence, ready: VecDeque::new(), open: None, failures: 0 };
    unfold(state, |mut s| async move {
        let event = s.next().await;
        Some((event, s))
    })
    .boxed()
}

/// The wait before attempt `failures` + 1, with jitter of up to a half, so that
/// the portals of one cluster do not come back in step.
fn wait(failures: u32) -> Duration {
    let full = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LAST_WAIT);
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

impl Stream {
    async fn next(&mut self) -> SchedEvent {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            match self.open.take() {
                None => match self.connect().await {
                    Ok(open) => {
                        self.open = Some(open);
                        tracing::info!("attached to the scheduler's event stream");
                        return SchedEvent::Attached;
                    }
                    Err(why) => return self.detached(why),
                },
                Some(open) => match self.read(open).await {
                    Ok(open) => self.open = Some(open),
                    Err(why) => return self.detached(why),
                },
            }
        }
    }

    fn detached(&mut self, why: String) -> SchedEvent {
        self.failures = self.failures.saturating_add(1);
        self.http.turn();
        tracing::warn!(stream.failures = self.failures, "the scheduler's event stream is gone: {why}");
        SchedEvent::Detached { why }
    }

    async fn connect(&self) -> Result<Open, String> {
        if self.failures > 0 {
            tokio::time::sleep(wait(self.failures)).await;
        }
        let url = self.http.url(0, PATH).map_err(|e| e.chain())?;
        let call = self.http.client().get(url).header(reqwest::header::ACCEPT, "text/event-stream");
        let answer = tokio::time::timeout(CONNECT, self.http.auth().apply(call).send()).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", CONNECT.as_secs()))?;
        let answer = answer.map_err(|e| format!("no connection: {}", chain(&e.without_url())))?;
        if !answer.status().is_success() {
            return Err(format!("it answers HTTP {}", answer.status()));
        }
        Ok(Open { answer, frames: FrameReader::default(), unfinished: 0 })
    }

    async fn read(&mut self, mut open: Open) -> Result<Open, String> {
        let piece = tokio::time::timeout(self.silence, open.answer.chunk()).await;
        let piece = piece.map_err(|_| format!("not a byte within {} s", self.silence.as_secs_f64()))?;
        let piece = piece.map_err(|e| format!("it broke: {}", chain(&e.without_url())))?;
        let piece = piece.ok_or_else(|| "it was closed by the other side".to_owned())?;
        self.failures = 0;
        self.ready.push_back(SchedEvent::Alive);
        let frames = open.frames.push(&piece);
        open.unfinished = if frames.is_empty() { open.unfinished + piece.len() } else { 0 };
        if open.unfinished > MAX_EVENT {
            return Err(format!("an event exceeds {MAX_EVENT} bytes"));
        }
        for frame in frames {
            if let Frame::Event(kind, event) = frame {
                self.ready.extend(translate(&kind, *event));
            }
        }
        Ok(open)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        out.push_str(": ");
        out.push_str(&e.to_string());
        next = e.source();
    }
    out
}

/// What an event says about which apps.
fn translate(kind: &str, event: Event) -> Vec<SchedEvent> {
    let one = |id: String, task_id: Option<String>, state: Option<String>, message: String| {
        vec![SchedEvent::App { id, task_id, state, message, kind: kind.to_owned() }]
    };
    let all = |ids: BTreeSet<String>, message: String| {
        let app =
            |id| SchedEvent::App { id, task_id: None, state: None, message: message.clone(), kind: kind.to_owned() };
        ids.into_iter().map(app).collect()
    };
    match event {
        Event::StatusUpdate(e) => one(e.app_id, Some(e.task_id), Some(e.task_status), e.message.unwrap_or_default()),
        Event::ApiPost(e) if !e.app_definition.id.is_empty() => one(e.app_definition.id, None, None, e.uri),
        Event::AppTerminated(e) => one(e.app_id, None, None, String::new()),
        Event::AddHealthCheck(e) => one(e.app_id, None, None, String::new()),
        Event::RemoveHealthCheck(e) => one(e.app_id, None, None, String::new()),
        Event::FailedHealthCheck(e) => one(e.app_id, e.task_id, None, String::new()),
        Event::HealthStatusChanged(e) => {
            one(e.app_id, e.task_id, None, if e.alive { "healthy" } else { "unhealthy" }.to_owned())
        }
        Event::UnhealthyTaskKill(e) => one(e.app_id, Some(e.task_id), None, e.reason),
        Event::UnhealthyInstanceKill(e) => one(e.app_id, Some(e.task_id), None, e.reason),
        Event::InstanceChanged(e) => one(e.run_spec_id, None, None, e.condition),
        Event::InstanceHealthChanged(e) => one(e.run_spec_id, None, None, String::new()),
        Event::UnknownInstanceTerminated(e) => one(e.run_spec_id, None, None, e.condition),
        Event::DeploymentInfo(e) => all(apps(Some(&e.plan), Some(&e.current_step)), String::new()),
        Event::DeploymentStepSuccess(e) => all(apps(Some(&e.plan), Some(&e.current_step)), String::new()),
        Event::DeploymentStepFailure(e) => all(apps(Some(&e.plan), Some(&e.current_step)), String::new()),
        Event::DeploymentSuccess(e) => all(apps(e.plan.as_ref(), None), String::new()),
        Event::DeploymentFailed(e) => all(apps(e.plan.as_ref(), None), e.reason.unwrap_or_default()),
        Event::Other(members) => {
            let text = |key: &str| Some(members.get(key)?.as_str()?.to_owned());
            text("appId")
                .or_else(|| text("runSpecId"))
                .map_or_else(Vec::new, |id| one(id, text("taskId"), None, String::new()))
        }
        _ => Vec::new(),
    }
}

/// The apps that a plan touches, in any of its three dialects.
fn apps(plan: Option<&Plan>, step: Option<&Step>) -> BTreeSet<String> {
    let named = |extra: &Extra| extra.get("app").and_then(serde_json::Value::as_str).map(str::to_owned);
    let mut out = BTreeSet::new();
    for step in plan.iter().flat_map(|p| &p.steps).chain(step) {
        out.extend(named(&step.extra));
        out.extend(step.actions.iter().flatten().filter_map(|a| a.app.clone().or_else(|| named(&a.extra))));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: serde_json::Value) -> Vec<SchedEvent> {
        let event: Event = serde_json::from_value(json).unwrap();
        let kind = event.kind().to_owned();
        translate(&kind, event)
    }

    #[test]
    fn a_task_that_ended_says_which_and_why() {
        let events = of(serde_json::json!({
            "eventType": "status_update_event", "taskId": "t.1", "taskStatus": "TASK_FAILED", "appId": "/a/b/r1",
            "message": "exit code 1", "slaveId": "S0", "host": "h", "ports": [], "version": "v", "timestamp": "t"
        }));
        let expected = SchedEvent::App {
            id: "/a/b/r1".into(),
            task_id: Some("t.1".into()),
            state: Some("TASK_FAILED".into()),
            message: "exit code 1".into(),
            kind: "status_update_event".into(),
        };
        assert_eq!(events, [expected]);
    }

    #[test]
    fn a_deployment_wakes_each_of_its_apps_once() {
        let events = of(serde_json::json!({
            "eventType": "deployment_info", "timestamp": "t",
            "plan": {"id": "d", "version": "v", "steps": [
                {"actions": [{"action": "StartApplication", "app": "/a"}, {"type": "ScaleApplication", "app": "/b"}]},
                {"action": "ScaleApplication", "app": "/a"}]},
            "currentStep": {"actions": [{"action": "StartApplication", "app": "/a"}]}
        }));
        let ids: Vec<_> =
            events.iter().map(|e| if let SchedEvent::App { id, .. } = e { id.as_str() } else { "" }).collect();
        assert_eq!(ids, ["/a", "/b"]);
    }

    #[test]
    fn an_unknown_event_that_names_an_app_wakes_it_and_others_nobody() {
        assert_eq!(of(serde_json::json!({"eventType": "new_one", "appId": "/a"})).len(), 1);
        assert_eq!(of(serde_json::json!({"eventType": "subscribe_event", "clientIp": "1.2.3.4"})), []);
    }

    #[test]
    fn waits_grow_with_jitter_and_stay_below_the_limit() {
        for failures in 1..40 {
            let full = FIRST_WAIT.saturating_mul(1 << (failures - 1).min(10)).min(LAST_WAIT);
            let wait = wait(failures);
            assert!(wait >= full / 2 && wait <= full, "{failures}: {wait:?}");
        }
    }
}
