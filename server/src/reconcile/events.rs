//! The message centre: Marathon's event stream, and everything else that says
//! "look again".
//!
//! An event carries nothing that is acted upon; it only names an application.
//! (The cause of a task's end is kept for the journal, where a missing one is
//! said to be unknown.) One could get it wrong by trusting that the stream told
//! everything: after each gap everything is looked at.

use super::{Reconciler, lock, now};
use crate::store::{apps, journal, work};
use futures::StreamExt;
use padis_domain::app::AppRef;
use padis_domain::ports::SchedEvent;
use padis_domain::view::Event;
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
    let mut stream = r.ports.scheduler.events();
    let mut gap_since = None;
    loop {
        let event = tokio::select! {
            e = stream.next() => e,
            () = stop.cancelled() => return,
        };
        match event {
            Some(SchedEvent::Attached) => {
                if let Some(from) = gap_since.take() {
                    tell_gap(&r, from).await;
                }
                nudge_all(&r).await;
            }
            Some(SchedEvent::Alive) => {}
            Some(SchedEvent::App { id, task_id, state, message, .. }) => {
                if let (Some(task), Some(state)) = (task_id.as_deref(), state.as_deref())
                    && is_end(state)
                {
                    r.note_cause(task, state, &message);
                }
                if let Some((app, _)) = AppRef::from_marathon_id(&id) {
                    r.nudge(app.work_key());
                }
            }
            Some(SchedEvent::Detached { why }) => {
                tracing::warn!(cause = %why, "Marathon's event stream broke; the sweep goes on without it");
                gap_since.get_or_insert_with(now);
            }
            None => {
                // The port promises not to end; if it does, begin anew.
                tracing::error!("Marathon's event stream ended; following anew");
                gap_since.get_or_insert_with(now);
                tokio::time::sleep(Duration::from_secs(1)).await;
                stream = r.ports.scheduler.events();
            }
        }
    }
}

fn is_end(state: &str) -> bool {
    matches!(
        state,
        "TASK_FINISHED" | "TASK_FAILED" | "TASK_KILLED" | "TASK_LOST" | "TASK_ERROR" | "TASK_GONE" | "TASK_DROPPED"
    )
}

async fn tell_gap(r: &Arc<Reconciler>, from: i64) {
    let event = Event::Gap { from, to: now() };
    let entry = journal::Entry {
        who: "padis".into(),
        what: "stream.gap".into(),
        subject: "marathon".into(),
        event: Some(event),
        ..journal::Entry::default()
    };
    if let Err(e) = journal::note(&r.store, &entry).await {
        tracing::error!(cause = %e, "a gap of the event stream could not be noted");
    }
}

/// Asks for a look at every application.
pub(super) async fn nudge_all(r: &Arc<Reconciler>) {
    match apps::all(&r.store).await {
        Ok(all) => all.into_iter().for_each(|a| r.nudge(a.work_key())),
        Err(e) => tracing::error!(cause = %e, "applications could not be listed"),
    }
}
