//! Pods: containers that share an agent, a network and volumes.
//!
//! A pod looks like an app at first sight and is spelled otherwise throughout:
//! `environment` for `env`, objects for constraints, `scaling.instances` for
//! `instances`, and endpoints that belong to containers. Nothing is converted here.

mod container;
mod status;

pub use container::*;
pub use status::*;

use crate::app::{EnvVar, ExecutorResources, Secret, UnreachableStrategy, UpgradeStrategy};
use crate::container::{LinuxInfo, Network, PersistentVolume};
use std::collections::BTreeMap;

message! {
    /// A pod's definition.
    #[serde(rename_all = "camelCase")]
    Pod {
        /// Path.
        id: String,
        /// Labels.
        labels: Option<BTreeMap<String, String>>,
        /// Timestamp of this definition; given by Marathon.
        version: Option<String>,
        /// User of the processes.
        user: Option<String>,
        /// Environment of all containers.
        environment: Option<BTreeMap<String, EnvVar>>,
        /// The containers, one at least.
        containers: Option<Vec<PodContainer>>,
        /// Secrets by name.
        secrets: Option<BTreeMap<String, Secret>>,
        /// Volumes that containers mount by name.
        volumes: Option<Vec<PodVolume>>,
        /// Networks.
        networks: Option<Vec<Network>>,
        /// How many.
        scaling: Option<Scaling>,
        /// Where and how.
        scheduling: Option<Scheduling>,
        /// What the executor gets on top.
        executor_resources: Option<ExecutorResources>,
        /// Mesos role.
        role: Option<String>,
        /// Linux specials of all containers.
        linux_info: Option<LinuxInfo>,
        /// Whether the containers share a control group (as before Mesos 1.10).
        legacy_shared_cgroups: Option<bool>,
    }

    /// How many instances.
    #[serde(rename_all = "camelCase")]
    Scaling {
        /// `fixed`.
        kind: String,
        /// Instances; default 1.
        instances: Option<u32>,
    }

    /// Where and how instances run.
    #[serde(rename_all = "camelCase")]
    Scheduling {
        /// How it backs off.
        backoff: Option<Backoff>,
        /// How an upgrade replaces instances.
        upgrade: Option<UpgradeStrategy>,
        /// Where.
        placement: Option<Placement>,
        /// `YOUNGEST_FIRST` or `OLDEST_FIRST`.
        kill_selection: Option<String>,
        /// What becomes of instances whose agent is silent.
        unreachable_strategy: Option<UnreachableStrategy>,
    }

    /// How it backs off after failures.
    #[serde(rename_all = "camelCase")]
    Backoff {
        /// Seconds; default 1.
        backoff: Option<f64>,
        /// Factor per further failure; default 1.15.
        backoff_factor: Option<f64>,
        /// Seconds at most; default 300.
        max_launch_delay: Option<f64>,
    }

    /// Where instances run.
    #[serde(rename_all = "camelCase")]
    Placement {
        /// Constraints.
        constraints: Option<Vec<Constraint>>,
        /// Accepted Mesos roles.
        accepted_resource_roles: Option<Vec<String>>,
    }

    /// A constraint, as pods spell it.
    #[serde(rename_all = "camelCase")]
    Constraint {
        /// `hostname` or an attribute.
        field_name: String,
        /// `UNIQUE`, `CLUSTER`, `GROUP_BY`, `LIKE`, `UNLIKE`, `MAX_PER` or `IS`.
        operator: String,
        /// Value, for operators that take one.
        value: Option<String>,
    }

    /// A volume of a pod: from the host, persistent, a secret, or else ephemeral.
    PodVolume {
        /// Name that containers mount it by.
        name: String,
        /// Path on the host, or below the sandbox if it is relative.
        host: Option<String>,
        /// A volume that survives the pod on the same agent.
        persistent: Option<PersistentVolume>,
        /// Name of a secret.
        secret: Option<String>,
    }
}

impl Pod {
    /// Wanted instances, default 1.
    pub fn instances_or_default(&self) -> u32 {
        self.scaling.as_ref().and_then(|s| s.instances).unwrap_or(1)
    }
}
