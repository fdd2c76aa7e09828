//! Pools: hosts chosen by label, with stage, zone, subnet and domain.

use crate::address::Subnet;
use crate::app::AppRef;
use crate::words::{Stage, Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an operator says about a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolSpec {
    /// Name, e.g. `sf-prod`.
    pub name: String,
    /// Stage.
    pub stage: Stage,
    /// Zone.
    pub zone: Zone,
    /// Mesos attributes that a host must have, all of them; empty chooses every host.
    pub hosts: BTreeMap<String, String>,
    /// Subnet of its instances.
    pub subnet: Subnet,
    /// The gateway's address (dotted), inside the subnet; never given out.
    pub gateway: String,
    /// VLAN tag 1 to 4094, if the network has one.
    pub vlan: Option<u16>,
    /// The domain below which its applications are named, e.g. `prod.padis.localhost`.
    pub domain: String,
    /// Seconds that a resolver may keep an answer.
    pub ttl_s: u32,
    /// Seconds that an address rests after use.
    pub quarantine_s: u32,
}

impl PoolSpec {
    /// The full name under which an application of this pool is reached.
    pub fn host_name(&self, app: &str) -> String {
        format!("{app}.{}", self.domain)
    }
    /// The name of one instance, which its address points back to: `r3-0.shop.claims.inst.dev.example`.
    /// The slot alone would not do: while one release takes over from another, both hold it.
    pub fn instance_name(&self, app: &AppRef, release: u32, slot: u32) -> String {
        format!("r{release}-{slot}.{}.{}.inst.{}", app.app, app.team, self.domain)
    }
    /// The first address that instances may get (the gateway is skipped separately).
    pub fn gateway_ip(&self) -> Option<u32> {
        crate::address::parse_ip(&self.gateway)
    }
    /// The Marathon constraints that keep an app on the pool's hosts: `[attribute, "CLUSTER", value]`.
    pub fn constraints(&self) -> Vec<[String; 3]> {
        self.hosts.iter().map(|(k, v)| [k.clone(), "CLUSTER".to_owned(), v.clone()]).collect()
    }
}
