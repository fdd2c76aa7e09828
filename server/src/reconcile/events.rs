//! The message centre: Marathon's event stream, and everything else that says
//! "look again".
//!
//! An event carries nothing that is acted upon; it only names an application.
//! (The cause of a task's end is kept for the journal, where a missing one is
//! said to be unknown.) One could get it wrong by trusting that the stream told
//! everything: after each gap everything is looked at.

use super::{Reconciler, lock, now, snapshot};
use crate::store::{apps, work};
use futures::StreamExt;
use padis_domain::app::AppRef;
use padis_domain::ports::{SchedEvent, SchedTold};
use padis_domain::view::StreamEnd;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Nudges that come within so many ms are written together.
const GATHER: Duration = Duration::from_millis(2);

/// Writes gathered nudges to the work table.
pub(super) async fn write_nudges(r: Arc<Reconciler>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = r.nudged.notified() => {}
            () = stop.cancelled() => return,
        }
        tokio::time::sleep(GATHER).await;
        let keys: Vec<String> = std::mem::take(&mut *lock(&r.nudges)).into_iter().collect();
        if keys.is_empty() {
            continue;
        }
        match work::nudge(&r.store, &keys).await {
            Ok(()) => r.wake.notify_waiters(),
            Err(e) => {
                tracing::error!(cause = %e, "nudges could not be written; they are tried again");
                lock(&r.nudges).extend(keys);
                tokio::time::sleep(Duration::from_millis(200)).await;
                r.nudged.notify_one();
            }
        }
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

/// One event: a look at each application that it names.
fn take(r: &Reconciler, told: SchedTold) {
    r.stream.event(&told.kind, told.at, now());
    if let (Some(task), Some(state)) = (told.task_id.as_deref(), told.state.as_deref())
        && is_end(state)
    {
        r.note_cause(task, state, &told.message);
    }
    for (app, _) in told.apps.iter().filter_map(|id| AppRef::from_marathon_id(id)) {
        r.nudge(app.work_key());
    }
}

fn is_end(state: &str) -> bool {
    matches!(
        state,
        "TASK_FINISHED" | "TASK_FAILED" | "TASK_KILLED" | "TASK_LOST" | "TASK_ERROR" | "TASK_GONE" | "TASK_DROPPED"
    )
}

/// Asks for a look at every application.
pub(super) async fn nudge_all(r: &Arc<Reconciler>) {
    match apps::all(&r.store).await {
        Ok(all) => all.into_iter().for_each(|a| r.nudge(a.work_key())),
        Err(e) => tracing::error!(cause = %e, "applications could not be listed"),
    }
}
