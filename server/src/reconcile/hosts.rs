//! Taking a host out of service and putting it back.
//!
//! The cluster empties the host: it gives it nothing new, ends what is there, and
//! Marathon starts the same elsewhere, whose instances then enter the balancer like
//! any others. Here it is made sure that the cluster knows what is wanted, and that our
//! own instances leave as after any other order: out of the balancer, then ended. One
//! could get it wrong by asking once: a host that registers anew or that somebody
//! else puts back would silently work again, so each sweep looks.

use super::Reconciler;
use super::worker::RunError;
use crate::store::hosts;
use crate::store::work::Outcome;
use padis_domain::ports::{Duty, PortError};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks at a host that is being emptied, in ms.
const LOOK_MS: i64 = 1_000;

/// Work of kind `host:AGENT`.
pub(super) async fn reconcile(r: &Arc<Reconciler>, agent: &str) -> Result<Outcome, RunError> {
    let Some(want) = hosts::find(&r.store, agent).await? else { return Ok(Outcome::Forget) };
    let duty = r.ports.cluster.duties().await?.get(agent).copied();
    if want.out && duty != Some(Duty::Drained) {
        // Noted first: what the cluster then ends has not died. A cluster that can only
        // announce it (Mesos before 1.9) leaves the ending to this.
        for app in hosts::leave(&r.store, agent, &want).await? {
            r.nudge(app.work_key());
        }
    }
    let outcome = match (want.out, duty) {
        // The cluster does not know it (any more): if it comes back, a sweep finds it.
        (true, None) | (true, Some(Duty::Drained)) => Outcome::Done,
        (true, Some(Duty::Draining)) => Outcome::Again(LOOK_MS),
        (true, Some(Duty::Working | Duty::Silent)) => {
            r.ports.cluster.drain(agent, Duration::from_secs(u64::from(r.set.kill_grace_s))).await?;
            tracing::info!(mesos.agent = agent, by = %want.by, "a host is taken out of service");
            Outcome::Again(LOOK_MS)
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

/// What the pages show of hosts, now: the next collection may be seconds away.
pub(super) async fn look(r: &Arc<Reconciler>) -> Result<(), PortError> {
    let (found, duties) = (r.ports.cluster.hosts().await?, r.ports.cluster.duties().await?);
    r.note_hosts(found, duties);
    Ok(())
}
