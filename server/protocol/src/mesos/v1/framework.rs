//! Frameworks and masters.
//!
//! A framework that names no `PARTITION_AWARE` is told TASK_LOST for everything
//! uncertain; one without `MULTI_ROLE` must write `role` instead of `roles`. A
//! `failover_timeout` of 0 (the default) kills all tasks as soon as it is away.

use super::{Address, Capability, DomainInfo, FrameworkId, Labels};

message! {
    /// A framework.
    FrameworkInfo {
        /// User of tasks that name none; empty means the caller's.
        user: String,
        /// Name, for people.
        name: String,
        /// Id; absent at the first subscription.
        id: Option<FrameworkId>,
        /// Seconds that Mesos waits for it to come back before it kills its tasks; default 0.
        failover_timeout: Option<f64>,
        /// Whether tasks survive a restart of their agent's daemon; default false.
        checkpoint: Option<bool>,
        /// Deprecated: its only role.
        role: Option<String>,
        /// Its roles.
        roles: Vec<String>,
        /// Host name.
        hostname: Option<String>,
        /// Principal; must be the authenticated one.
        principal: Option<String>,
        /// Address of its pages.
        webui_url: Option<String>,
        /// What it understands: `PARTITION_AWARE`, `MULTI_ROLE`, `TASK_KILLING_STATE`, …
        capabilities: Vec<Capability>,
        /// Labels.
        labels: Option<Labels>,
        /// What a role must be offered at least.
        offer_filters: Option<serde_json::Value>,
    }

    /// A master.
    MasterInfo {
        /// Id.
        id: String,
        /// IPv4 address as a number, in network byte order read as little-endian.
        ip: u32,
        /// Port.
        port: Option<u16>,
        /// `master@127.0.0.1:5050`.
        pid: Option<String>,
        /// Host name.
        hostname: Option<String>,
        /// Mesos version.
        version: Option<String>,
        /// Where it is.
        address: Option<Address>,
        /// Region and zone.
        domain: Option<DomainInfo>,
        /// What it understands.
        capabilities: Vec<Capability>,
    }
}

impl FrameworkInfo {
    /// Whether it has a capability.
    pub fn can(&self, name: &str) -> bool {
        self.capabilities.iter().any(|c| c.kind.as_deref() == Some(name))
    }
}
