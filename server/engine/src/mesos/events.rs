//! What a subscribed operator is told: the whole state first, then every change to it.
//!
//! Taken from the records that go to the log, under the same lock, so that nothing is
//! between the state that a subscriber got and the first change that it is told. One
//! could get it wrong by telling each record: a task is recorded again for other
//! reasons than a new state, so what was told of each is remembered, as long as
//! somebody listens. Who reads too slowly is disconnected and subscribes anew. An agent
//! that is drained or deactivated makes no event, in Mesos neither.

use super::facts::{AgentFacts, Shown, Us};
use super::operator::shapes::{Lists, agent, task};
use super::state::Picture;
use crate::core::Core;
use crate::record::{Record, TaskRecord};
use crate::world::World;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use padis_protocol::mesos::v1::TaskStatus;
use padis_protocol::recordio::record;
use padis_protocol::task::TaskState;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Mesos' own.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that a subscriber may be behind.
const BEHIND: usize = 10_000;

/// Those who listen.
#[derive(Default)]
pub(crate) struct Operators(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    listeners: Vec<Sender<Bytes>>,
    /// How many states of each task were told.
    told: HashMap<String, usize>,
}

fn event(kind: &str, content: &Value) -> Bytes {
    Bytes::from(record(super::operator::typed(kind, content).as_bytes()))
}

fn updated(us: &Us, status: &TaskStatus, state: &TaskState) -> Bytes {
    let framework = json!({"value": us.framework});
    event("TASK_UPDATED", &json!({"framework_id": framework, "status": status, "state": state}))
}

fn heartbeat() -> Bytes {
    Bytes::from(record(br#"{"type":"HEARTBEAT"}"#))
}

impl Operators {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many listen.
    pub fn count(&self) -> usize {
        let mut inner = self.lock();
        inner.listeners.retain(|l| !l.is_closed());
        inner.listeners.len()
    }

    /// A new listener, to be called under the state's lock.
    fn listen(&self, world: &World) -> Receiver<Bytes> {
        let (out, inbox) = channel(BEHIND);
        let mut inner = self.lock();
        if inner.listeners.is_empty() {
            let all = world.tasks.values().chain(world.finished.values());
            inner.told = all.map(|t| (t.id.clone(), t.history.len())).collect();
        }
        inner.listeners.push(out);
        inbox
    }

    /// Tells what has changed; called under the state's lock, never waits.
    pub fn publish(&self, core: &Core, world: &World, records: &[Record], agents: &[(usize, bool)], health: &[String]) {
        let mut inner = self.lock();
        if inner.listeners.is_empty() || (records.is_empty() && agents.is_empty() && health.is_empty()) {
            return;
        }
        let us = Us::of(core);
        let mut events = Vec::new();
        // First: a kill for it is a consequence.
        for record in health.iter().filter_map(|id| world.tasks.get(id)) {
            let told = Shown::of(world, record).health(&us);
            events.extend(told.map(|status| updated(&us, &status, &TaskState::TaskRunning)));
        }
        for record in records {
            match record {
                Record::Task(task) => inner.task(&us, world, task, &mut events),
                Record::TaskGone(id) => drop(inner.told.remove(id)),
                _ => {}
            }
        }
        let all = if agents.is_empty() { Vec::new() } else { AgentFacts::every(core, world) };
        for (index, came) in agents {
            let Some(found) = all.iter().find(|a| a.index == *index) else { continue };
            events.push(match came {
                true => event("AGENT_ADDED", &json!({"agent": agent(&us, found)})),
                false => event("AGENT_REMOVED", &json!({"agent_id": {"value": found.id}})),
            });
        }
        inner.send(&events);
    }

    /// Ends all subscriptions.
    pub fn close(&self) {
        self.lock().listeners.clear();
    }
}

impl Inner {
    fn task(&mut self, us: &Us, world: &World, record: &TaskRecord, events: &mut Vec<Bytes>) {
        let known = self.told.insert(record.id.clone(), record.history.len());
        let shown = Shown::of(world, record);
        let known = known.unwrap_or_else(|| {
            events.push(event("TASK_ADDED", &json!({"task": task(us, &first(&shown))})));
            1
        });
        let news = record.history.len().saturating_sub(known);
        let statuses = shown.statuses(us);
        for status in statuses.iter().skip(statuses.len().saturating_sub(news)) {
            events.push(updated(us, status, &shown.task.state));
        }
    }

    fn send(&mut self, events: &[Bytes]) {
        self.listeners.retain(|listener| {
            events.iter().all(|event| match listener.try_send(event.clone()) {
                Ok(()) => true,
                Err(TrySendError::Closed(_)) => false,
                Err(TrySendError::Full(_)) => {
                    tracing::warn!(behind = BEHIND, "engine: an operator's subscription is too slow and is ended");
                    false
                }
            })
        });
        if self.listeners.is_empty() {
            self.told = HashMap::new();
        }
    }
}

/// The task as it was when it came.
fn first(shown: &Shown) -> Shown {
    let mut first = shown.clone();
    first.task.history.truncate(1);
    if let Some((state, _)) = first.task.history.first() {
        first.task.state = state.clone();
    }
    first
}

/// SUBSCRIBE
pub(super) fn subscribe(mesos: &super::Mesos) -> Response {
    let core = &mesos.core;
    let us = Us::of(core);
    let ((agents, live, ended), inbox) = core.look(|w| (Picture::parts(core, w), core.operators.listen(w)));
    let state = Lists { us: &us, agents: &agents, live: &live, ended: &ended }.state();
    let begin = json!({"get_state": state, "heartbeat_interval_seconds": HEARTBEAT.as_secs_f64()});
    let begin = [event("SUBSCRIBED", &begin).as_ref(), heartbeat().as_ref()].concat();
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + HEARTBEAT, HEARTBEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let cancel = core.cancel.clone();
    let rest = futures::stream::unfold((inbox, beat, cancel), |(mut inbox, mut beat, cancel)| async move {
        let next = tokio::select! {
            () = cancel.cancelled() => return None,
            event = inbox.recv() => event?,
            _ = beat.tick() => heartbeat(),
        };
        Some((next, (inbox, beat, cancel)))
    });
    let first = futures::stream::once(std::future::ready(Bytes::from(begin)));
    let stream = futures::StreamExt::map(futures::StreamExt::chain(first, rest), Ok::<_, std::convert::Infallible>);
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream)).into_response()
}
