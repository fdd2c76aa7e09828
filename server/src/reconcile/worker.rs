//! The workers: take a due row, look, plan, apply, settle.

use super::{Reconciler, now};
use crate::store::work::{self, Outcome, Taken, Worker};
use futures::FutureExt;
use padis_domain::app::AppRef;
use padis_domain::ports::PortError;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The longest that a worker sleeps without looking for due rows: another
/// replica's touch does not wake this process.
const IDLE: Duration = Duration::from_millis(500);
/// The most look-plan-apply rounds in one lease; more are left to the next.
const ROUNDS: usize = 20;
/// The first back-off in ms; doubles up to the largest, with jitter.
const BACKOFF_MS: i64 = 250;
const BACKOFF_MAX_MS: i64 = 30_000;
/// A look that took so long and failed is told at once, not after some more of its kind.
const SAY_AT_ONCE: Duration = Duration::from_secs(2);

/// A failure of one run.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl RunError {
    /// The whole chain in one line.
    pub(super) fn chain(&self) -> String {
        match self {
            Self::Port(e) => e.chain(),
            Self::Store(e) => {
                let mut out = e.to_string();
                let mut next = std::error::Error::source(e);
                while let Some(c) = next {
                    out.push_str(": ");
                    out.push_str(&c.to_string());
                    next = c.source();
                }
                out
            }
        }
    }
}

/// One worker.
pub(super) async fn work(r: Arc<Reconciler>, me: Worker, stop: CancellationToken) {
    while !stop.is_cancelled() {
        // One worker is woken for what was touched: never one that would not take it.
        let woken = if me.is_long() { r.ports.registries.asked.notified() } else { r.wake.notified() };
        match work::take(&r.store, &me, r.set.lease_ms).await {
            Ok(Some(taken)) => {
                let began = Instant::now();
                let outcome =
                    if me.is_long() { renewing(&r, &me, &taken).await } else { within_lease(&r, &taken).await };
                match work::settle(&r.store, &me, &taken, &outcome).await {
                    Ok(true) => {}
                    Ok(false) if outcome == Outcome::Forget => {}
                    Ok(false) => tracing::warn!(work.key = %taken.key, "the lease had passed to another worker"),
                    Err(e) => {
                        tracing::error!(work.key = %taken.key, cause = %RunError::from(e).chain(), "settling work failed")
                    }
                }
                if let Some(app) = app_of(&taken.key) {
                    match outcome {
                        Outcome::Forget => {
                            super::lock(&r.settled).remove(&app);
                            r.stream.forget(&app);
                        }
                        _ => r.stream.settled(&app, began.elapsed(), now()),
                    }
                }
                if !matches!(outcome, Outcome::Done | Outcome::Again(_)) {
                    r.changes.publish("work", None);
                }
            }
            Ok(None) => {
                let due = work::next_due(&r.store, &me).await.ok().flatten();
                let pause =
                    due.map_or(IDLE, |d| Duration::from_millis(u64::try_from((d - now()).clamp(1, 500)).unwrap_or(1)));
                tokio::select! {
                    () = woken => {}
                    () = tokio::time::sleep(pause) => {}
                    () = stop.cancelled() => {}
                }
            }
            Err(e) => {
                tracing::error!(cause = %RunError::from(e).chain(), "taking work failed");
                tokio::select! { () = tokio::time::sleep(IDLE) => {}, () = stop.cancelled() => {} }
            }
        }
    }
}

/// One row, for no longer than the lease by the steady clock: whoever takes the row
/// over then does not meet us at it. A step that is dropped midway is found by looking.
async fn within_lease(r: &Arc<Reconciler>, taken: &Taken) -> Outcome {
    let limit = Duration::from_millis(u64::try_from(r.set.lease_ms).unwrap_or(1));
    // A bug that panics costs this run, not the worker: its rows would wait for ever.
    let run = AssertUnwindSafe(one(r, taken)).catch_unwind();
    match tokio::time::timeout(limit, run).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => {
            tracing::error!(work.key = %taken.key, attempts = taken.attempts, "a run panicked: trying again");
            Outcome::Retry { after_ms: BACKOFF_MAX_MS, why: "a bug: the run panicked; see the log".into() }
        }
        Err(_) => {
            let why = format!("given up after {} ms: a system neither answered nor failed", limit.as_millis());
            tracing::error!(work.key = %taken.key, cause = %why, "trying again");
            Outcome::Retry { after_ms: BACKOFF_MS, why }
        }
    }
}

/// One row that takes as long as it takes: its lease is prolonged beside it. When that has
/// not succeeded for a whole lease (by the steady clock), or the row has passed to somebody
/// else, it is dropped where it is. Beside, not in turns: a run that is not polled may hold
/// the very connection that prolonging waits for.
async fn renewing(r: &Arc<Reconciler>, me: &Worker, taken: &Taken) -> Outcome {
    let run = AssertUnwindSafe(one(r, taken)).catch_unwind();
    tokio::select! {
        done = run => done.unwrap_or_else(|_| {
            tracing::error!(work.key = %taken.key, "a run panicked: trying again");
            Outcome::Retry { after_ms: BACKOFF_MAX_MS, why: "a bug: the run panicked; see the log".into() }
        }),
        lost = prolonged(r, me, taken) => lost,
    }
}

/// Prolongs a lease for as long as it can; how the run ends when it can't any more.
async fn prolonged(r: &Arc<Reconciler>, me: &Worker, taken: &Taken) -> Outcome {
    let lease = Duration::from_millis(u64::try_from(r.set.lease_ms).unwrap_or(1));
    let mut held = Instant::now();
    loop {
        tokio::time::sleep(lease / 4).await;
        match work::renew(&r.store, me, taken, r.set.lease_ms).await {
            Ok(true) => held = Instant::now(),
            Ok(false) => return Outcome::Again(0),
            Err(e) => {
                let cause = RunError::from(e).chain();
                tracing::warn!(work.key = %taken.key, cause = %cause, "the lease could not be prolonged");
                if held.elapsed() >= lease {
                    return Outcome::Retry { after_ms: BACKOFF_MS, why: cause };
                }
            }
        }
    }
}

/// The application of a key `app:team/name`.
fn app_of(key: &str) -> Option<AppRef> {
    let (team, app) = key.strip_prefix("app:")?.split_once('/')?;
    Some(AppRef { team: team.into(), app: app.into() })
}

/// One row.
async fn one(r: &Arc<Reconciler>, taken: &Taken) -> Outcome {
    let result = if taken.key.starts_with("app:") {
        match app_of(&taken.key) {
            Some(app) => app_rounds(r, &app, taken).await,
            None => Ok(Outcome::Park { why: "the key is not of the form app:team/name".into() }),
        }
    } else if let Some(pool) = taken.key.strip_prefix("pool:") {
        super::pools::reconcile(r, pool).await
    } else if let Some(agent) = taken.key.strip_prefix("host:") {
        super::hosts::reconcile(r, agent).await
    } else if let Some(id) = taken.key.strip_prefix("bench:") {
        super::benches::bench(r, id).await
    } else if let Some(id) = taken.key.strip_prefix("commit:") {
        super::benches::commit(r, id).await
    } else if let Some(id) = taken.key.strip_prefix(work::BUILD) {
        super::recipes::reconcile(r, id).await
    } else if let Some(id) = taken.key.strip_prefix("tidy:") {
        super::tidy::reconcile(r, id).await
    } else if let Some(id) = taken.key.strip_prefix(work::COPY) {
        super::copies::reconcile(r, id).await
    } else if let Some(id) = taken.key.strip_prefix(work::ARCHIVE) {
        super::archives::reconcile(r, id).await
    } else if let Some(id) = taken.key.strip_prefix(work::COLLECT) {
        super::collections::reconcile(r, id).await
    } else if let Some(digest) = taken.key.strip_prefix(work::INSIDE) {
        super::inside::reconcile(r, digest).await
    } else {
        Ok(Outcome::Park { why: "nothing knows this kind of work".into() })
    };
    match result {
        Ok(o) => o,
        Err(e) => failed(taken, &e),
    }
}

/// The three kinds of failure. Unknown needs nothing of its own: the next run looks anew.
fn failed(taken: &Taken, e: &RunError) -> Outcome {
    let why = e.chain();
    match e {
        RunError::Port(PortError::Refused { .. }) if taken.attempts >= 2 => {
            tracing::warn!(work.key = %taken.key, cause = %why, "refused: parked");
            Outcome::Park { why }
        }
        RunError::Port(PortError::Unknown { .. }) => {
            tracing::warn!(work.key = %taken.key, cause = %why, "outcome unknown: looking again");
            Outcome::Retry { after_ms: BACKOFF_MS, why }
        }
        _ => {
            let doubled = BACKOFF_MS.saturating_mul(1 << taken.attempts.min(10)).min(BACKOFF_MAX_MS);
            let after_ms = doubled / 2 + rand::random_range(0..=doubled / 2);
            tracing::warn!(work.key = %taken.key, attempts = taken.attempts, cause = %why, "failed: trying again in {after_ms} ms");
            Outcome::Retry { after_ms, why }
        }
    }
}

/// Looks, plans and applies until there is nothing left to do at once.
async fn app_rounds(r: &Arc<Reconciler>, app: &AppRef, taken: &Taken) -> Result<Outcome, RunError> {
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let mut seen = match super::observe::observe(r, app).await {
            Ok(Some(seen)) => seen,
            Ok(None) => return Ok(Outcome::Forget),
            Err(RunError::Port(e)) => {
                if taken.attempts >= super::story::SAY_AFTER || began.elapsed() >= SAY_AT_ONCE {
                    super::blind::tell(r, app, &e).await?;
                }
                return Err(e.into());
            }
            Err(e) => return Err(e),
        };
        let plan = padis_domain::plan::plan(&seen.look);
        let applied = super::apply::apply(r, &seen, &plan).await;
        if plan.steps.contains(&padis_domain::plan::Step::Forget) && applied.is_ok() {
            super::story::gone(r, &seen).await?;
            return Ok(Outcome::Forget);
        }
        if let Ok(trouble) = &applied {
            seen.trouble = trouble.clone().or(seen.trouble);
        }
        let told = super::story::tell(r, &mut seen, &plan, applied.as_ref().err(), taken.attempts).await;
        applied?;
        let waiting = told?;
        match plan.again_ms.into_iter().chain(waiting).min() {
            None if plan.steps.is_empty() => {
                super::lock(&r.settled).insert(app.clone(), (seen.digest, Instant::now()));
                return Ok(Outcome::Done);
            }
            Some(ms) if ms > 0 && plan.steps.is_empty() => return Ok(Outcome::Again(ms)),
            // Something was changed: look at once at what came of it.
            _ => {}
        }
        if plan.steps.is_empty() {
            return Ok(Outcome::Again(50));
        }
    }
    Ok(Outcome::Again(50))
}
