//! The message centre: Marathon's event stream, and everything else that says
//! "look again".
//!
//! An event carries nothing that is acted upon; it only names an application.
//! (The cause of a task's end is kept for the journal, where a missing one is
//! said to be unknown.) One could get it wrong by trusting that the stream told
//! everything: after each gap everything is looked at.

use super::live::{Came, Heard};
use super::pace::{self, Pace};
use super::{Reconciler, lock, now, snapshot};
use crate::store::{apps, work};
use futures::StreamExt;
use padis_domain::app::AppRef;
use padis_domain::ports::{SchedEvent, SchedTold, TaskState};
use padis_domain::view::StreamEnd;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Nudges that come within so many ms are written together.
const GATHER: Duration = Duration::from_millis(2);
/// Nudges that are written in one transaction: others wait for the database meanwhile.
const BATCH: usize = 256;
/// What events changed on pages is told at this pace: a page fetches everything anew.
const SHOW: Duration = Duration::from_millis(100);

/// Writes gathered nudges to the work table, each application's at its pace.
pub(super) async fn write_nudges(r: Arc<Reconciler>, stop: CancellationToken) {
    let mut pace = Pace::default();
    loop {
        let late = pace.waits();
        tokio::select! {
            () = r.nudged.notified() => {}
            () = tokio::time::sleep(pace::TICK), if late => {}
            () = stop.cancelled() => return,
        }
        tokio::time::sleep(GATHER).await;
        let fresh = std::mem::take(&mut *lock(&r.nudges));
        let rounds: Vec<String> = std::mem::take(&mut *lock(&r.rounds)).into_iter().collect();
        let now = Instant::now();
        let mut keys = pace.late(now);
        keys.extend(pace.ready(fresh, now));
        write(&r, &keys, true).await;
        // A round comes rarely enough to need no pace.
        write(&r, &rounds, false).await;
    }
}

async fn write(r: &Reconciler, keys: &[String], urgent: bool) {
    for keys in keys.chunks(BATCH) {
        match work::nudge(&r.store, keys, urgent).await {
            Ok(()) => r.wake.notify_waiters(),
            Err(e) => {
                tracing::error!(cause = %e, "nudges could not be written; they are tried again");
                lock(if urgent { &*r.nudges } else { &r.rounds }).extend(keys.iter().cloned());
                tokio::time::sleep(Duration::from_millis(200)).await;
                r.nudged.notify_one();
            }
        }
    }
}

/// Tells the pages what events changed on them.
pub(super) async fn show(r: Arc<Reconciler>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = r.fresh.told.notified() => {}
            () = stop.cancelled() => return,
        }
        let apps = std::mem::take(&mut *lock(&r.fresh.apps));
        let teams: BTreeSet<&str> = apps.iter().map(|a| a.team.as_str()).collect();
        apps.iter().for_each(|a| r.changes.publish(a.work_key(), Some(&a.team)));
        teams.into_iter().for_each(|t| r.changes.publish("apps", Some(t)));
        tokio::select! { () = tokio::time::sleep(SHOW) => {}, () = stop.cancelled() => return }
    }
}

/// Follows Marathon's event stream.
pub(super) async fn follow(r: Arc<Reconciler>, stop: CancellationToken) {
    snapshot::restore(&r).await;
    let mut stream = r.ports.scheduler.events();
    loop {
        let event = tokio::select! {
            e = stream.next() => e,
            () = stop.cancelled() => return,
        };
        match event {
            Some(SchedEvent::Attached { to }) => {
                r.stream.attached(&to, now());
                r.stream.look_at_all();
                r.changes.publish("stream", None);
            }
            Some(SchedEvent::Alive) => r.stream.heard(now()),
            Some(SchedEvent::Told(told)) => take(&r, told),
            Some(SchedEvent::Detached { cause, why }) => {
                tracing::warn!(cause = %why, "Marathon's event stream broke; the sweep goes on without it");
                r.stream.detached(cause, &why, now());
                r.changes.publish("stream", None);
            }
            None => {
                // The port promises not to end; if it does, begin anew.
                tracing::error!("Marathon's event stream ended; following anew");
                r.stream.detached(StreamEnd::Broken, "the driver ended it", now());
                tokio::time::sleep(Duration::from_secs(1)).await;
                stream = r.ports.scheduler.events();
            }
        }
    }
}

/// One event: a look at each application that it names, unless it tells what is known.
///
/// What is known was found by a look, or was told by an event that led to one: another
/// look would find nothing new by this event.
fn take(r: &Reconciler, told: SchedTold) {
    r.stream.event(&told.kind, told.at, now());
    let state = told.state.as_deref().and_then(task_state);
    if let (Some(task), Some(word), Some(None)) = (told.task_id.as_deref(), told.state.as_deref(), state) {
        r.note_cause(task, word, &told.message);
    }
    for (app, release) in told.apps.iter().filter_map(|id| AppRef::from_marathon_id(id)) {
        if let (Some(task_id), Some(state)) = (&told.task_id, state) {
            let heard = Heard { release, task_id: task_id.clone(), host: told.host.clone(), state };
            match r.live.hear(&app, heard) {
                Came::Known => continue,
                Came::Unseen => {}
                Came::New => {
                    lock(&r.fresh.apps).insert(app.clone());
                    r.fresh.told.notify_one();
                }
            }
        }
        r.nudge(app.work_key());
    }
}

/// A task's state by its Mesos name; `Some(None)`: it has ended. `None`: not a name that
/// is known, which says nothing but that something changed.
fn task_state(word: &str) -> Option<Option<TaskState>> {
    match word {
        "TASK_STAGING" | "TASK_STARTING" => Some(Some(TaskState::Staging)),
        "TASK_RUNNING" => Some(Some(TaskState::Running)),
        "TASK_KILLING" => Some(Some(TaskState::Killing)),
        "TASK_UNREACHABLE" => Some(Some(TaskState::Unreachable)),
        "TASK_FINISHED" | "TASK_FAILED" | "TASK_KILLED" | "TASK_LOST" | "TASK_ERROR" | "TASK_GONE" | "TASK_DROPPED" => {
            Some(None)
        }
        _ => None,
    }
}

/// Asks for a look at every application.
pub(super) async fn nudge_all(r: &Arc<Reconciler>) {
    match apps::all(&r.store).await {
        Ok(all) => all.into_iter().for_each(|a| r.nudge_later(a.work_key())),
        Err(e) => tracing::error!(cause = %e, "applications could not be listed"),
    }
}
