//! What the master tells: offers, updates, and what has to be asked again.
//!
//! Updates come twice, late and out of order, and with a fail-over all of them come
//! again. Every one is held against what is recorded, and nothing leads out of a
//! terminal state. An update is acknowledged after it is on disk, and only if it
//! carries a uuid. One could get it wrong with "unreachable": the task may well run
//! on, so it is replaced (as its strategy says) but never forgotten silently; when
//! it comes back and has been replaced, it is killed.

use super::Mesos;
use crate::core::Core;
use crate::runtime::Runtime;
use crate::transitions::End;
use padis_protocol::mesos::scheduler::{
    Acknowledge, AnswerInverseOffers, CallBody, EventBody, Kill, Reconcile, ReconcileTask,
};
use padis_protocol::mesos::v1::{TaskReason, TaskStatus};
use padis_protocol::task::TaskState;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// All tasks are asked about so often (Marathon's `--reconciliation_interval`).
const RECONCILE: Duration = Duration::from_secs(600);
/// A kill that had no effect is repeated so often (Marathon's `--kill_retry_timeout`).
const KILL_AGAIN: Duration = Duration::from_secs(10);

/// A session has begun: ask about everything that is known, then about all the master knows.
pub(super) async fn subscribed(core: &Arc<Core>, mesos: &Mesos) {
    reconcile(core, mesos).await;
    // A new subscription wants offers until it says otherwise.
    *mesos.told.lock().await = super::Told::default();
    mesos.settle_offers(core).await;
    // What waits is looked at with the offers that come; what was to be killed is killed.
    let killing = core.look(|w| ids(w, |s| *s == TaskState::TaskKilling));
    for id in killing {
        core.tracker.spawn(Arc::clone(core).kill(id));
    }
}

fn ids(w: &crate::world::World, is: fn(&TaskState) -> bool) -> Vec<String> {
    w.tasks.values().filter(|t| is(&t.state)).map(|t| t.id.clone()).collect()
}

async fn reconcile(core: &Core, mesos: &Mesos) {
    let tasks: Vec<ReconcileTask> = core.look(|w| {
        // What is on its way out of here right now is not known there yet.
        let sent = |id: &str| w.live.get(id).is_none_or(|l| !l.launching);
        let known = w.tasks.values().filter(|t| sent(&t.id));
        known
            .map(|t| ReconcileTask {
                task_id: t.id.as_str().into(),
                agent_id: t.agent_id.as_deref().map(Into::into),
                ..ReconcileTask::default()
            })
            .collect()
    });
    if !tasks.is_empty() {
        mesos
            .say("reconcile", CallBody::Reconcile(Box::new(Reconcile { tasks: Some(tasks), ..Reconcile::default() })))
            .await;
    }
    mesos
        .say("reconcile", CallBody::Reconcile(Box::new(Reconcile { tasks: Some(Vec::new()), ..Reconcile::default() })))
        .await;
}

/// The periodic questions, and kills that had no effect.
pub(super) async fn reconcile_now_and_then(core: Arc<Core>) {
    let Runtime::Mesos(mesos) = &core.runtime else { return };
    let mut last = Instant::now();
    loop {
        tokio::select! {
            () = core.cancel.cancelled() => return,
            () = tokio::time::sleep(KILL_AGAIN) => {}
        }
        if mesos.leader().is_none() {
            continue;
        }
        for id in core.look(|w| ids(w, |s| *s == TaskState::TaskKilling)) {
            core.tracker.spawn(Arc::clone(&core).kill(id));
        }
        if last.elapsed() >= RECONCILE {
            last = Instant::now();
            reconcile(&core, mesos).await;
        }
    }
}

/// Takes up one event.
pub(super) async fn take(core: &Arc<Core>, mesos: &Mesos, event: EventBody) {
    match event {
        EventBody::Offers(offers) => {
            core.change(|w| {
                for offer in offers.offers {
                    w.offered(offer);
                }
            });
        }
        EventBody::Rescind(rescind) => drop(core.change(|w| w.rescinded(&rescind.offer_id.value))),
        EventBody::Update(update) => take_update(core, mesos, update.status).await,
        EventBody::InverseOffers(inverse) => {
            // Maintenance is fine with us: what ends there is started elsewhere.
            let inverse_offer_ids = inverse.inverse_offers.into_iter().map(|o| o.id).collect();
            let answer = AnswerInverseOffers { inverse_offer_ids, ..AnswerInverseOffers::default() };
            mesos.say("accept inverse offers", CallBody::AcceptInverseOffers(Box::new(answer))).await;
        }
        _ => {}
    }
}

async fn take_update(core: &Arc<Core>, mesos: &Mesos, status: TaskStatus) {
    let id = status.task_id.value.clone();
    let (orphan, seq) = core.change(|w| !apply(w, &status));
    if let (Some(uuid), Some(agent_id)) = (status.uuid.clone(), status.agent_id.clone()) {
        let body = Acknowledge { agent_id, task_id: status.task_id.clone(), uuid, ..Acknowledge::default() };
        let core = Arc::clone(core);
        core.tracker.clone().spawn(async move {
            // Not on disk yet: it comes again, and will be written then.
            if let (Runtime::Mesos(mesos), Ok(())) = (&core.runtime, core.durable(seq).await) {
                mesos.say("acknowledge", CallBody::Acknowledge(Box::new(body))).await;
            }
        });
    }
    if orphan {
        tracing::warn!(task.id = %id, state = status.state.name(), "engine: a task that nobody wants runs and is killed");
        let body = Kill { task_id: status.task_id, agent_id: status.agent_id, ..Kill::default() };
        mesos.say("kill", CallBody::Kill(Box::new(body))).await;
    } else if status.state == TaskState::TaskRunning {
        core.attend(&id);
    }
}

/// An empty text is nothing.
fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|t| !t.is_empty())
}

/// Holds an update against the state. False: it runs, and nobody wants it.
fn apply(w: &mut crate::world::World, status: &TaskStatus) -> bool {
    let id = status.task_id.value.as_str();
    let now = Instant::now();
    let Some(task) = w.tasks.get_mut(id) else {
        return status.state.is_terminal()
            || matches!(status.state, TaskState::TaskUnreachable | TaskState::TaskUnknown);
    };
    if let Some(agent) = &status.agent_id {
        task.agent_id = Some(agent.value.clone());
    }
    // Where its executor says nothing of the network (before it runs, and at its end) an
    // agent writes its own address instead.
    let addresses: Vec<String> = status.ip_addresses().map(str::to_owned).collect();
    if status.state == TaskState::TaskRunning && !addresses.is_empty() {
        task.addresses = addresses;
    }
    let message = status.message.clone().unwrap_or_default();
    let reason = status.reason.as_ref().map(|r| r.name().to_owned()).unwrap_or_default();
    match &status.state {
        TaskState::TaskStaging => {}
        TaskState::TaskStarting => w.starting(id),
        TaskState::TaskRunning => {
            w.running(id, now);
            if let Some(healthy) = status.healthy {
                w.told_healthy(id, healthy, now);
            }
            if let (Some(told), Some(live)) = (&status.check_status, w.live.get_mut(id)) {
                live.check = Some(Box::new(super::check::result(told)));
            }
        }
        TaskState::TaskKilling => {}
        TaskState::TaskUnreachable => {
            let message = if message.is_empty() { String::from("the agent can't be reached") } else { message };
            w.unreachable(id, message, now);
        }
        TaskState::TaskDropped | TaskState::TaskUnknown => {
            // Launched on an offer that was gone, or never received: nobody's fault. Whatever else
            // an agent drops it for (it can't do what is asked) it would do at once again.
            let blameless = match &status.reason {
                None | Some(TaskReason::InvalidOffers | TaskReason::Reconciliation) => true,
                Some(TaskReason::MasterDisconnected | TaskReason::ResourcesUnknown) => true,
                Some(_) => reason.starts_with("REASON_AGENT_") || reason.starts_with("REASON_SLAVE_"),
            };
            let text = format!("{message} ({reason})");
            let end = End { state: TaskState::TaskDropped, message: text, blameless, reason: said(&reason) };
            w.ended(id, end, now);
        }
        state if state.is_terminal() => {
            let blameless =
                matches!(state, TaskState::TaskGone | TaskState::TaskLost) || reason.starts_with("REASON_AGENT_");
            let reason = said(&reason);
            w.ended(id, End { state: state.clone(), message, blameless, reason }, now);
        }
        other => tracing::warn!(task.id = %id, state = other.name(), "engine: a task state that is not known"),
    }
    true
}
