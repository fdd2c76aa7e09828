//! One container of a pod.

use crate::app::{Artifact, EnvVar, ResourceLimits};
use crate::check::{Check, MesosCommand};
use crate::container::{LinuxInfo, PullConfig};
use std::collections::BTreeMap;

message! {
    /// One container of a pod.
    #[serde(rename_all = "camelCase")]
    PodContainer {
        /// Name, unique in the pod.
        name: String,
        /// What runs; absent means what the image says.
        exec: Option<Exec>,
        /// What it asks for.
        resources: Option<PodResources>,
        /// What it may use beyond that.
        resource_limits: Option<ResourceLimits>,
        /// Its ports.
        endpoints: Option<Vec<Endpoint>>,
        /// Linux specials.
        linux_info: Option<LinuxInfo>,
        /// Its image; absent means the agent's own file system.
        image: Option<Image>,
        /// Environment, over the pod's.
        environment: Option<BTreeMap<String, EnvVar>>,
        /// User, over the pod's.
        user: Option<String>,
        /// Health check.
        health_check: Option<Check>,
        /// Check that kills nothing.
        check: Option<Check>,
        /// Volumes that it mounts.
        volume_mounts: Option<Vec<VolumeMount>>,
        /// Files to fetch before the start.
        artifacts: Option<Vec<Artifact>>,
        /// Labels.
        labels: Option<BTreeMap<String, String>>,
        /// How it ends.
        lifecycle: Option<Lifecycle>,
        /// Whether a terminal is allocated.
        tty: Option<bool>,
    }

    /// What runs.
    #[serde(rename_all = "camelCase")]
    Exec {
        /// The command.
        command: MesosCommand,
        /// Whether `argv[0]` replaces the image's entry point.
        override_entrypoint: Option<bool>,
    }

    /// What a container asks for or has.
    PodResources {
        /// Cores; default 1.
        cpus: Option<f64>,
        /// MiB of memory; default 128.
        mem: Option<f64>,
        /// MiB of disk; default 0.
        disk: Option<f64>,
        /// GPUs; default 0.
        gpus: Option<u32>,
    }

    /// A port of a container.
    #[serde(rename_all = "camelCase")]
    Endpoint {
        /// Name, unique in the pod.
        name: String,
        /// Port in the container; 0 takes the host port's number.
        container_port: Option<u16>,
        /// Port on the host; 0 is a free one, absent is none.
        host_port: Option<u16>,
        /// `tcp`, `udp`.
        protocol: Option<Vec<String>>,
        /// Labels.
        labels: Option<BTreeMap<String, String>>,
        /// Networks that it belongs to.
        network_names: Option<Vec<String>>,
    }

    /// An image.
    #[serde(rename_all = "camelCase")]
    Image {
        /// `DOCKER`.
        kind: String,
        /// Reference.
        id: String,
        /// Where the registry's password is.
        pull_config: Option<PullConfig>,
        /// Pull even if it is present.
        force_pull: Option<bool>,
        /// Labels.
        labels: Option<BTreeMap<String, String>>,
    }

    /// A volume in a container.
    #[serde(rename_all = "camelCase")]
    VolumeMount {
        /// Name of the pod's volume.
        name: String,
        /// Path in the container.
        mount_path: String,
        /// Default false.
        read_only: Option<bool>,
    }

    /// How a container ends.
    #[serde(rename_all = "camelCase")]
    Lifecycle {
        /// Seconds between SIGTERM and SIGKILL.
        kill_grace_period_seconds: Option<f64>,
    }
}
