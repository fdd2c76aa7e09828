//! An app: what Marathon keeps n instances of.
//!
//! One type serves as definition, as patch and as answer, since Marathon's own
//! PUT is a patch unless `partialUpdate=false`. One could get it wrong by filling
//! in defaults while reading; the accessors (`instances_or_default`, …) give
//! them instead, with the RAML's numbers.

mod info;
mod parts;

pub use info::*;
pub use parts::*;

use crate::Extra;
use crate::check::Check;
use crate::container::{Container, Network, NetworkMode, PortDefinition, PortMapping};
use crate::health::HealthCheck;
use crate::readiness::ReadinessCheck;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// An app definition or a part of one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// Path, `/team/app/r1`; empty means absent (in a patch by path).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Shell command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd: Option<String>,
    /// Command as a list, instead of `cmd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
    /// User of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, EnvVar>>,
    /// Wanted instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<u32>,
    /// Cores per instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// MiB of memory per instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mem: Option<f64>,
    /// MiB of disk per instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<f64>,
    /// GPUs per instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u32>,
    /// Mesos executor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<String>,
    /// `[field, operator]` or `[field, operator, value]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Vec<Vec<String>>>,
    /// The container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// Networks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub networks: Option<Vec<Network>>,
    /// Ports of a host-networked app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_definitions: Option<Vec<PortDefinition>>,
    /// Deprecated form of `port_definitions`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<u16>>,
    /// Whether the defined ports are host ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_ports: Option<bool>,
    /// First back-off, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_seconds: Option<f64>,
    /// Factor per further failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_factor: Option<f64>,
    /// Longest back-off, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_launch_delay_seconds: Option<f64>,
    /// Health checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_checks: Option<Vec<HealthCheck>>,
    /// How an upgrade replaces instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upgrade_strategy: Option<UpgradeStrategy>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Apps that must run first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Vec<String>>,
    /// Accepted Mesos roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_resource_roles: Option<Vec<String>>,
    /// Seconds between SIGTERM and SIGKILL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_kill_grace_period_seconds: Option<u32>,
    /// `YOUNGEST_FIRST` or `OLDEST_FIRST`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_selection: Option<String>,
    /// `"disabled"` or an object with two times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable_strategy: Option<Value>,
    /// Files that Mesos fetches into the sandbox before the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Vec<Artifact>>,
    /// Deprecated form of `fetch`: addresses only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uris: Option<Vec<String>>,
    /// Checks that decide when a deployment goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_checks: Option<Vec<ReadinessCheck>>,
    /// A check that kills nothing; its result stands on the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// Secrets by the name that `env` and volumes use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<BTreeMap<String, Secret>>,
    /// Deprecated and without effect since Marathon 1.6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub residency: Option<Residency>,
    /// What an instance may use beyond what it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_limits: Option<ResourceLimits>,
    /// What the executor gets on top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor_resources: Option<ExecutorResources>,
    /// Mesos role of the instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Deprecated form of `networks`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<IpAddress>,
    /// Whether a terminal is allocated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tty: Option<bool>,
    /// Timestamp of this definition; given by Marathon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it was changed and scaled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_info: Option<VersionInfo>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

impl App {
    /// Wanted instances, default 1.
    pub fn instances_or_default(&self) -> u32 {
        self.instances.unwrap_or(1)
    }
    /// Cores, default 1.
    pub fn cpus_or_default(&self) -> f64 {
        self.cpus.unwrap_or(1.0)
    }
    /// MiB of memory, default 128.
    pub fn mem_or_default(&self) -> f64 {
        self.mem.unwrap_or(128.0)
    }
    /// MiB of disk, default 0.
    pub fn disk_or_default(&self) -> f64 {
        self.disk.unwrap_or(0.0)
    }
    /// GPUs, default 0.
    pub fn gpus_or_default(&self) -> u32 {
        self.gpus.unwrap_or(0)
    }
    /// First back-off in seconds, default 1.
    pub fn backoff_s(&self) -> f64 {
        self.backoff_seconds.unwrap_or(1.0)
    }
    /// Factor per further failure, default 1.15.
    pub fn backoff_factor_or_default(&self) -> f64 {
        self.backoff_factor.unwrap_or(1.15)
    }
    /// Longest back-off in seconds, default 300.
    pub fn max_launch_delay_s(&self) -> f64 {
        self.max_launch_delay_seconds.unwrap_or(300.0)
    }
    /// What becomes of instances whose agent is silent; absent means at once
    /// replaced and given up (0 and 0 seconds, the RAML's defaults).
    pub fn unreachable(&self) -> UnreachableStrategy {
        match &self.unreachable_strategy {
            Some(value) => UnreachableStrategy::of(value),
            None => UnreachableStrategy::default(),
        }
    }
    /// Writes the unreachable strategy.
    pub fn set_unreachable(&mut self, strategy: &UnreachableStrategy) {
        self.unreachable_strategy = serde_json::to_value(strategy).ok();
    }
    /// The files to fetch, from wherever they were written.
    pub fn artifacts(&self) -> Vec<Artifact> {
        let old = self.uris.iter().flatten().map(|uri| Artifact { uri: uri.clone(), ..Artifact::default() });
        self.fetch.iter().flatten().cloned().chain(old).collect()
    }
    /// A member by its name on the wire, known or not; `None` if it is absent.
    /// For rules that speak of members by name, as "is not supported here" does.
    pub fn member(&self, name: &str) -> Option<Value> {
        self.extra.get(name).cloned().or_else(|| serde_json::to_value(self).ok()?.get(name).cloned())
    }
    /// The Docker part of the container.
    pub fn docker(&self) -> Option<&crate::container::Docker> {
        self.container.as_ref().and_then(|c| c.docker.as_ref())
    }
    /// The port mappings, from wherever they were written.
    pub fn mappings(&self) -> &[PortMapping] {
        let container = self.container.as_ref();
        container
            .and_then(|c| c.port_mappings.as_deref())
            .or_else(|| self.docker().and_then(|d| d.port_mappings.as_deref()))
            .unwrap_or_default()
    }
    /// The networks, the deprecated `container.docker.network` included; an app
    /// that names none is on the host's (as Marathon's migration does).
    pub fn network_list(&self) -> Vec<Network> {
        if let Some(list) = self.networks.as_ref().filter(|l| !l.is_empty()) {
            return list.clone();
        }
        let named = |name: &str| Network {
            mode: Some(NetworkMode::Container),
            name: Some(name.to_owned()),
            ..Network::default()
        };
        let bare = |mode| Network { mode: Some(mode), ..Network::default() };
        match self.docker().and_then(|d| d.network.as_deref()) {
            Some("BRIDGE") => vec![bare(NetworkMode::Bridge)],
            Some("NONE") => vec![named("none")],
            Some("USER") => {
                let name = self.ip_address.as_ref().and_then(|a| a.network_name.as_deref());
                vec![named(name.unwrap_or("bridge"))]
            }
            _ => vec![bare(NetworkMode::Host)],
        }
    }
}
