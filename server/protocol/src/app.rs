//! An app: what Marathon keeps n instances of.
//!
//! One type serves as definition, as patch and as answer, since Marathon's own
//! PUT is a patch unless `partialUpdate=false`. One could get it wrong by filling
//! in defaults while reading; the accessors (`instances_or_default`, …) give
//! them instead, with the RAML's numbers.

use crate::Extra;
use crate::container::{Container, Network, NetworkMode, PortDefinition, PortMapping};
use crate::error::Identifiable;
use crate::health::HealthCheck;
use crate::task::{Task, TaskFailure};
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
            Some("USER") => vec![named(
                self.extra
                    .get("ipAddress")
                    .and_then(|v| v.get("networkName"))
                    .and_then(Value::as_str)
                    .unwrap_or("bridge"),
            )],
            _ => vec![bare(NetworkMode::Host)],
        }
    }
}

/// A value of the environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EnvVar {
    /// Plain text.
    Text(String),
    /// `{"secret": "name"}`, a reference into `secrets`.
    Secret {
        /// Name of the secret.
        secret: String,
    },
    /// Anything else, kept.
    Other(Value),
}

impl From<String> for EnvVar {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<&str> for EnvVar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// How an upgrade replaces instances. Both numbers are shares of the instances, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeStrategy {
    /// Instances more than wanted, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_over_capacity: Option<f64>,
    /// Healthy instances, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_health_capacity: Option<f64>,
}

/// When an app was changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    /// Last change of the number of instances, or restart.
    #[serde(default)]
    pub last_scaling_at: String,
    /// Last change of anything else.
    #[serde(default)]
    pub last_config_change_at: String,
}

/// An app with its present state.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppInfo {
    /// The definition.
    #[serde(flatten)]
    pub app: App,
    /// Tasks on their way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_staged: Option<u32>,
    /// Running tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_running: Option<u32>,
    /// Running tasks whose health checks all succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_healthy: Option<u32>,
    /// Running tasks with a failing health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_unhealthy: Option<u32>,
    /// Deployments that lock the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployments: Option<Vec<Identifiable>>,
    /// Its tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<Task>>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_task_failure: Option<TaskFailure>,
}

/// Answer of `GET /v2/apps`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AppList {
    /// The apps.
    #[serde(default)]
    pub apps: Vec<AppInfo>,
}

/// Answer of `GET /v2/apps/{id}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AppSingle {
    /// The app.
    pub app: AppInfo,
}

/// Answer of `GET /v2/apps/{id}/versions`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VersionList {
    /// Timestamps, newest first.
    pub versions: Vec<String>,
}
