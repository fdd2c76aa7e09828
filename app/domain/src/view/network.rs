//! Pools, addresses, names, balancer.

use crate::address::{AddressState, Subnet};
use crate::app::AppRef;
use crate::pool::PoolSpec;
use crate::ports::ServiceSeen;
use crate::ports::{Duty, Host};
use crate::quantity::Amount;
use crate::words::{Stage, UnixMs, Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A quota with its use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaView {
    /// The quota.
    pub quota: Amount,
    /// Used by running instances.
    pub used: Amount,
    /// Promised to applications, not running yet.
    pub held: Amount,
}

/// A pool in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolRow {
    /// The pool.
    pub spec: PoolSpec,
    /// Capacity of its hosts; addresses: the subnet's usable ones.
    pub total: Amount,
    /// Used.
    pub used: Amount,
    /// Promised.
    pub held: Amount,
    /// Hosts heard.
    pub hosts: u32,
    /// Applications that the caller may see.
    pub apps: u32,
    /// The caller's teams' quotas here (an inspector: all teams).
    pub quotas: BTreeMap<String, QuotaView>,
}

/// A pool's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolView {
    /// The row.
    pub row: PoolRow,
    /// Revision for `seen`.
    pub revision: i64,
    /// Hosts that carry its labels.
    pub hosts: Vec<HostRow>,
    /// Team titles for the quotas, and number of applications.
    pub teams: Vec<(String, String, u32)>,
    /// The other pools that the caller may know of, and what this one shares with each.
    pub neighbours: Vec<Neighbour>,
    /// When the hosts were last observed.
    pub observed_at: Option<UnixMs>,
    /// May the caller change it?
    pub may_change: bool,
}

/// A host of a pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostRow {
    /// The host as it was last seen.
    pub host: Host,
    /// Whether it works; `None`: the cluster did not say.
    pub duty: Option<Duty>,
    /// That an operator took it out of service, or is putting it back.
    pub out: Option<HostOut>,
}

/// What an operator wants of a host that is not simply in service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostOut {
    /// `true`: out of service. `false`: it is being put back.
    pub out: bool,
    /// Why, as the operator wrote it.
    pub reason: String,
    /// Since.
    pub since: UnixMs,
    /// The operator's name.
    pub by: String,
}

/// Another pool beside the one that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its name.
    pub pool: String,
    /// Its stage.
    pub stage: Stage,
    /// Its zone.
    pub zone: Zone,
    /// Names of the hosts that carry the labels of both.
    pub hosts: Vec<String>,
    /// Its subnet.
    pub subnet: Subnet,
    /// Whether the two subnets have an address in common.
    pub overlaps: bool,
    /// Its VLAN.
    pub vlan: Option<u16>,
}

/// One cell of the map that is not free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressCell {
    /// Numeric address.
    pub ip: u32,
    /// State.
    pub state: AddressState,
    /// The owner, if the caller may see it.
    pub app: Option<AppRef>,
    /// Slot.
    pub slot: Option<u32>,
    /// Release.
    pub release: Option<u32>,
    /// Reason of a reservation.
    pub reason: String,
    /// Since.
    pub since: UnixMs,
    /// Free again at, for a quarantined one.
    pub until: Option<UnixMs>,
}

/// A subnet as a map; every usable address that is not in `cells` is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressMap {
    /// The pool.
    pub spec: PoolSpec,
    /// What is not free, by address.
    pub cells: Vec<AddressCell>,
    /// May the caller reserve?
    pub may_change: bool,
    /// Pools to switch to.
    pub pools: Vec<String>,
    /// Now.
    pub now: UnixMs,
}

/// A name in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRow {
    /// Name.
    pub name: String,
    /// What it resolves to.
    pub addresses: Vec<String>,
    /// Seconds.
    pub ttl_s: u32,
    /// Application.
    pub app: AppRef,
    /// Pool.
    pub pool: String,
    /// Since.
    pub since: UnixMs,
}

/// The balancer's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancerView {
    /// Whether it answers.
    pub up: bool,
    /// Where it listens.
    pub listen: String,
    /// Last observed at.
    pub observed_at: Option<UnixMs>,
    /// Services that the caller may see.
    pub services: Vec<(AppRef, ServiceSeen)>,
}
