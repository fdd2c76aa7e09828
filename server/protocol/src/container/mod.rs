//! The container part of an app: image, volumes, networks, ports.
//!
//! Ports and networks exist in an old place (`container.docker.network`,
//! `container.docker.portMappings`) and in a new one (`networks`,
//! `container.portMappings`). Both are kept as they came; who needs one answer
//! asks [`crate::app::App::network_list`] and [`crate::app::App::mappings`].

mod volume;

pub use volume::*;

use crate::Extra;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The container of an app.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// `DOCKER` or `MESOS`; absent means DOCKER.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The Docker part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub docker: Option<Docker>,
    /// Volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<Volume>>,
    /// Linux specials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linux_info: Option<LinuxInfo>,
    /// Port mappings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_mappings: Option<Vec<PortMapping>>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// `container.docker`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Docker {
    /// Image reference, by tag or digest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// Pull even if the image is present.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force_pull_image: Option<bool>,
    /// `--privileged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privileged: Option<bool>,
    /// Options of `docker run`, without the dashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Vec<Parameter>>,
    /// Where the registry's password is (Mesos containerizer only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_config: Option<PullConfig>,
    /// Deprecated form of `pull_config`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<Credential>,
    /// Deprecated: `BRIDGE`, `HOST`, `NONE` or `USER`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Deprecated place of the port mappings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_mappings: Option<Vec<PortMapping>>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One option of `docker run`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Parameter {
    /// Name without dashes, `tmpfs`.
    pub key: String,
    /// Value.
    #[serde(default)]
    pub value: String,
}

/// One port mapping.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortMapping {
    /// Port in the container; 0 takes the host port's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port: Option<u16>,
    /// Port on the host; 0 is a free one, absent is none outside bridge mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_port: Option<u16>,
    /// Port for outside balancers; 0 gets a unique one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_port: Option<u16>,
    /// `tcp`, `udp` or `udp,tcp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Networks that this mapping belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_names: Option<Vec<String>>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One port of a host-networked app.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PortDefinition {
    /// Service port; the host port too if `requirePorts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// `tcp`, `udp` or `udp,tcp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One network of an app.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Network {
    /// Absent means `container`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<NetworkMode>,
    /// Name of a container network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How an app is networked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum NetworkMode {
    /// A named network, an address of its own.
    #[default]
    #[serde(rename = "container")]
    Container,
    /// Docker's default bridge with port mappings.
    #[serde(rename = "container/bridge")]
    Bridge,
    /// The agent's own network.
    #[serde(rename = "host")]
    Host,
}

message! {
    /// The name of a secret that holds a Docker `config.json`.
    PullConfig {
        /// Name in `secrets`.
        secret: String,
    }

    /// Deprecated: who pulls.
    Credential {
        /// Name.
        principal: String,
        /// Password.
        secret: Option<String>,
    }

    /// Linux specials of a container.
    #[serde(rename_all = "camelCase")]
    LinuxInfo {
        /// System call filter.
        seccomp: Option<Seccomp>,
        /// Shared memory.
        ipc_info: Option<IpcInfo>,
    }

    /// System call filter.
    #[serde(rename_all = "camelCase")]
    Seccomp {
        /// Name of a profile on the agent.
        profile_name: Option<String>,
        /// True: no filter.
        unconfined: Option<bool>,
    }

    /// Shared memory.
    #[serde(rename_all = "camelCase")]
    IpcInfo {
        /// `PRIVATE` or `SHARE_PARENT`.
        mode: String,
        /// MiB.
        shm_size: Option<u32>,
    }
}
