//! The smaller parts of an app's definition.
//!
//! Two of them are unions of a word and an object in the RAML: a resource limit
//! (`"unlimited"` or a number) and the unreachable strategy (`"disabled"` or two
//! times). Both keep what is neither, so that a strange value is refused by the
//! validation with its path and not by the parser with a byte offset.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A value of the environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
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

/// What becomes of instances whose agent is silent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum UnreachableStrategy {
    /// They are waited for, for ever: `"disabled"`.
    Disabled(Disabled),
    /// They are replaced and given up after a time.
    Enabled(UnreachableTimes),
    /// Anything else, kept.
    Other(Value),
}

impl UnreachableStrategy {
    /// `"disabled"`.
    pub const DISABLED: Self = Self::Disabled(Disabled::Disabled);

    /// Reads it; whatever it is, it is kept.
    pub fn of(value: &Value) -> Self {
        Self::deserialize(value).unwrap_or_else(|_| Self::Other(value.clone()))
    }

    /// Seconds until a replacement starts and until the instance is given up;
    /// `None` if it never is (or the strategy is not understood).
    pub fn times(&self) -> Option<(u64, u64)> {
        match self {
            Self::Enabled(t) => Some((t.inactive_after_seconds.unwrap_or(0), t.expunge_after_seconds.unwrap_or(0))),
            _ => None,
        }
    }
}

impl Default for UnreachableStrategy {
    fn default() -> Self {
        Self::Enabled(UnreachableTimes::default())
    }
}

/// The word `disabled`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disabled {
    /// `disabled`.
    Disabled,
}

/// What an instance may use beyond what it asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ResourceLimit {
    /// Cores, or MiB.
    Number(f64),
    /// `"unlimited"`: whatever the agent has to spare.
    Unlimited(Unlimited),
    /// Anything else, kept.
    Other(Value),
}

/// The word `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unlimited {
    /// `unlimited`.
    Unlimited,
}

message! {
    /// The two times of an unreachable strategy.
    #[serde(rename_all = "camelCase")]
    UnreachableTimes {
        /// Seconds after which a replacement starts; default 0.
        inactive_after_seconds: Option<u64>,
        /// Seconds after which the instance is given up (and killed if it comes back); default 0, not less than the other.
        expunge_after_seconds: Option<u64>,
    }

    /// Limits; an absent one is what was asked for.
    ResourceLimits {
        /// Cores.
        cpus: Option<ResourceLimit>,
        /// MiB of memory.
        mem: Option<ResourceLimit>,
    }

    /// What the executor gets on top.
    ExecutorResources {
        /// Cores; default 0.1.
        cpus: Option<f64>,
        /// MiB of memory; default 32.
        mem: Option<f64>,
        /// MiB of disk; default 10.
        disk: Option<f64>,
    }

    /// A file that Mesos fetches into the sandbox.
    #[serde(rename_all = "camelCase")]
    Artifact {
        /// Where from.
        uri: String,
        /// Whether an archive is unpacked; default true.
        extract: Option<bool>,
        /// Whether it is made executable; default false.
        executable: Option<bool>,
        /// Whether the agent keeps a copy for the next one; default false.
        cache: Option<bool>,
        /// Path below the sandbox; Mesos calls it `output_file`.
        dest_path: Option<String>,
    }

    /// Where a secret comes from.
    Secret {
        /// In the notation of the secret store.
        source: String,
    }

    /// Deprecated: what became of instances with persistent volumes.
    #[serde(rename_all = "camelCase")]
    Residency {
        /// Seconds; default 3600.
        relaunch_escalation_timeout_seconds: Option<u64>,
        /// `WAIT_FOREVER` (default) or `RELAUNCH_AFTER_TIMEOUT`.
        task_lost_behavior: Option<String>,
    }

    /// Deprecated: an address for each instance.
    #[serde(rename_all = "camelCase")]
    IpAddress {
        /// Ports for service discovery.
        discovery: Option<IpDiscovery>,
        /// Without effect.
        groups: Option<Vec<String>>,
        /// Labels.
        labels: Option<BTreeMap<String, String>>,
        /// The network to join.
        network_name: Option<String>,
    }

    /// Deprecated: ports for service discovery.
    IpDiscovery {
        /// The ports.
        ports: Option<Vec<IpDiscoveryPort>>,
    }

    /// Deprecated: one port for service discovery.
    IpDiscoveryPort {
        /// Number; default 0.
        number: Option<u16>,
        /// Name.
        name: Option<String>,
        /// `tcp` (default), `udp` or `udp,tcp`.
        protocol: Option<String>,
        /// Labels.
        labels: Option<BTreeMap<String, String>>,
    }
}
