//! Taking a host out of service and putting it back.
//!
//! The host is closed, then our own instances leave as after any other order (out of the
//! balancer, their requests finished, then ended), and Marathon starts the same
//! elsewhere. Only then the cluster ends what else is there: told at once, it would end
//! an instance in the middle of a request. One could get it wrong by asking once: a host that registers anew or that somebody
//! else puts back would silently work again, so each sweep looks.

use super::worker::RunError;
use super::{Reconciler, now};
use crate::store::hosts;
use crate::store::work::Outcome;
use padis_domain::ports::{Duty, PortError};
use padis_domain::view::HostOut;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at a host that is being emptied, in ms.
const LOOK_MS: i64 = 1_000;
/// Before the cluster's own word for what was just asked, in ms.
const SOON_MS: i64 = 200;
/// Between two attempts at a host that is not heard, in ms.
const SILENT_MS: i64 = 10_000;
/// How much longer than a drain and a kill our own instances may take, in ms.
const MARGIN_MS: i64 = 30_000;

/// Work of kind `host:AGENT`.
pub(super) async fn reconcile(r: &Arc<Reconciler>, agent: &str) -> Result<Outcome, RunError> {
    let Some(want) = hosts::find(&r.store, agent).await? else { return Ok(Outcome::Forget) };
    let duty = r.ports.cluster.duties().await?.get(agent).copied();
    let outcome = match (want.out, duty) {
        // The cluster does not know it (any more): if it comes back, a sweep finds it.
        (true, None) => Outcome::Done,
        (true, Some(Duty::Working | Duty::Silent)) => {
            // Closed first, so that what leaves does not come back to the same host.
            match r.ports.cluster.close(agent).await {
                Ok(true) => {}
                Ok(false) => {
                    ask_to_leave(r, agent, &want).await?;
                    drain(r, agent).await?;
                }
                // The master does not know it before it is heard again; then it is taken out.
                Err(PortError::Refused { .. }) if duty == Some(Duty::Silent) => return Ok(Outcome::Again(SILENT_MS)),
                Err(e) => return Err(e.into()),
            }
            tracing::info!(mesos.agent = agent, by = %want.by, "a host is taken out of service");
            Outcome::Again(SOON_MS)
        }
        (true, Some(Duty::Draining)) => {
            ask_to_leave(r, agent, &want).await?;
            let patience = r.set.drain_ms + i64::from(r.set.kill_grace_s) * 1000 + MARGIN_MS;
            // Ours leave by themselves; what is others' is ended by the cluster, and so is
            // what of ours has not gone in time.
            if hosts::left(&r.store, agent, &want).await? == 0 || now() - want.since > patience {
                drain(r, agent).await?;
            }
            Outcome::Again(LOOK_MS)
        }
        (true, Some(Duty::Drained)) => {
            ask_to_leave(r, agent, &want).await?;
            Outcome::Done
        }
        (false, duty) => {
            if matches!(duty, Some(Duty::Draining | Duty::Drained)) {
                r.ports.cluster.undrain(agent).await?;
                tracing::info!(mesos.agent = agent, by = %want.by, "a host is put back into service");
            }
            hosts::forget(&r.store, agent).await?;
            Outcome::Forget
        }
    };
    look(r).await?;
    Ok(outcome)
}

/// Our instances that were there leave as after any other order.
async fn ask_to_leave(r: &Arc<Reconciler>, agent: &str, want: &HostOut) -> Result<(), RunError> {
    for app in hosts::leave(&r.store, agent, want).await? {
        r.nudge(app.work_key());
    }
    Ok(())
}

async fn drain(r: &Arc<Reconciler>, agent: &str) -> Result<(), RunError> {
    Ok(r.ports.cluster.drain(agent, Duration::from_secs(u64::from(r.set.kill_grace_s))).await?)
}

/// What the pages show of hosts, now: the next collection may be seconds away.
pub(super) async fn look(r: &Arc<Reconciler>) -> Result<(), PortError> {
    r.note_survey(r.ports.cluster.survey().await?);
    Ok(())
}
