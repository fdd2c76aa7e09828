//! Volumes of an app: from the host, persistent, external or a secret.
//!
//! The RAML has four types; on the wire they are told by the member they have
//! (`hostPath`, `persistent`, `external`, `secret`), so one struct has them all.
//! A persistent volume's size is MiB, an external one's is GiB: mixing them up is
//! the way to get it wrong.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

message! {
    /// One volume.
    #[serde(rename_all = "camelCase")]
    Volume {
        /// Path in the container.
        container_path: String,
        /// Path on the host, for a host volume.
        host_path: Option<String>,
        /// `RO` or `RW`; absent means RW.
        mode: Option<String>,
        /// A volume that survives its task on the same agent.
        persistent: Option<PersistentVolume>,
        /// A volume of a storage provider.
        external: Option<ExternalVolume>,
        /// Name of a secret, for a volume that holds it.
        secret: Option<String>,
    }

    /// A volume that survives its task on the same agent.
    #[serde(rename_all = "camelCase")]
    PersistentVolume {
        /// `root` (default), `path` or `mount`.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// MiB.
        size: Option<u64>,
        /// MiB that a mount disk may have at most.
        max_size: Option<u64>,
        /// Storage profile that the disk must have.
        profile_name: Option<String>,
        /// `[field, operator, value]`; the field can only be `path`.
        constraints: Option<Vec<Vec<String>>>,
    }

    /// A volume of a storage provider.
    ExternalVolume {
        /// Name at the provider.
        name: Option<String>,
        /// `dvdi` or `csi`.
        provider: Option<String>,
        /// GiB (`dvdi` only).
        size: Option<u64>,
        /// Of the provider: texts for `dvdi`, an object for `csi` (see [`ExternalVolume::csi`]).
        options: Option<BTreeMap<String, serde_json::Value>>,
        /// Whether the name may be used by several apps; default false.
        shared: Option<bool>,
    }

    /// Options of a volume behind a CSI plugin.
    #[serde(rename_all = "camelCase")]
    CsiOptions {
        /// Name of the plugin.
        plugin_name: String,
        /// How it is published.
        capability: CsiCapability,
        /// Secrets for staging, by name.
        node_stage_secret: Option<BTreeMap<String, String>>,
        /// Secrets for publishing, by name.
        node_publish_secret: Option<BTreeMap<String, String>>,
        /// Properties of the volume.
        volume_context: Option<BTreeMap<String, String>>,
    }

    /// How a CSI volume is published.
    #[serde(rename_all = "camelCase")]
    CsiCapability {
        /// `SINGLE_NODE_WRITER`, …
        access_mode: String,
        /// `block` or `mount`.
        access_type: String,
        /// File system of a `mount`.
        fs_type: Option<String>,
        /// Mount options of a `mount`.
        mount_flags: Option<Vec<String>>,
    }
}

/// What kind of volume it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeKind {
    /// A path on the agent.
    Host,
    /// Survives its task on the same agent.
    Persistent,
    /// Of a storage provider.
    External,
    /// Holds a secret.
    Secret,
}

impl Volume {
    /// Its kind, by the member it has; `None` if it has none or several.
    pub fn kind(&self) -> Option<VolumeKind> {
        let kinds = [
            self.host_path.as_ref().map(|_| VolumeKind::Host),
            self.persistent.as_ref().map(|_| VolumeKind::Persistent),
            self.external.as_ref().map(|_| VolumeKind::External),
            self.secret.as_ref().map(|_| VolumeKind::Secret),
        ];
        let mut found = kinds.into_iter().flatten();
        found.next().filter(|_| found.next().is_none())
    }
}

impl ExternalVolume {
    /// The options of a CSI volume; `None` if they are none.
    pub fn csi(&self) -> Option<CsiOptions> {
        let options = self.options.clone()?.into_iter().collect();
        serde_json::from_value(serde_json::Value::Object(options)).ok()
    }
}
