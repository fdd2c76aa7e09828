//! A pool's network and zone.
//!
//! One could get it wrong by making them only when an operator saves the pool:
//! after a restart of Docker they may be gone, so each process makes sure once,
//! and again whenever attaching fails.

use super::worker::RunError;
use super::{Reconciler, lock};
use crate::store::apps;
use crate::store::work::Outcome;
use padis_domain::pool::PoolSpec;
use padis_domain::ports::{PoolNet, PortError};
use padis_domain::problem::System;
use std::sync::Arc;

/// The pool's network, for the Network port.
fn net(p: &PoolSpec) -> Result<PoolNet, RunError> {
    let gateway = p.gateway_ip().ok_or_else(|| {
        PortError::refused(System::Network, format!("the gateway of pool {} is not an address", p.name))
    })?;
    Ok(PoolNet { pool: p.name.clone(), subnet: p.subnet, gateway, vlan: p.vlan })
}

/// Makes sure, once a process.
pub(super) async fn ensure(r: &Arc<Reconciler>, p: &PoolSpec, net: &PoolNet) -> Result<(), RunError> {
    if lock(&r.pools_made).contains(&p.name) {
        return Ok(());
    }
    make(r, p, net).await
}

async fn make(r: &Arc<Reconciler>, p: &PoolSpec, net: &PoolNet) -> Result<(), RunError> {
    r.ports.network.ensure(net).await?;
    r.ports.dns.ensure_zone(&p.domain, p.subnet).await?;
    lock(&r.pools_made).insert(p.name.clone());
    Ok(())
}

/// Work of kind `pool:NAME`.
pub(super) async fn reconcile(r: &Arc<Reconciler>, name: &str) -> Result<Outcome, RunError> {
    lock(&r.pools_made).remove(name);
    match apps::pool(&r.store, name).await? {
        Some(p) => {
            make(r, &p, &net(&p)?).await?;
            Ok(Outcome::Done)
        }
        None => {
            r.ports.network.remove(name).await?;
            Ok(Outcome::Forget)
        }
    }
}
