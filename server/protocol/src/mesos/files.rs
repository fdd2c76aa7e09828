use crate::Extra;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Answer of `/metrics/snapshot`: values by name, `master/cpus_total`.
pub type Metrics = BTreeMap<String, f64>;

/// One entry of `/files/browse`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FileInfo {
    /// Group.
    #[serde(default)]
    pub gid: String,
    /// `-rw-r--r--`.
    #[serde(default)]
    pub mode: String,
    /// Seconds since the epoch.
    #[serde(default)]
    pub mtime: f64,
    /// Hard links.
    #[serde(default)]
    pub nlink: u64,
    /// Absolute path, usable in `/files/read`.
    pub path: String,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
    /// User.
    #[serde(default)]
    pub uid: String,
}

/// Answer of `/files/read`. Without data (`offset=-1`, or an offset at the end)
/// `offset` is the file's length.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileRead {
    /// The bytes as text; invalid UTF-8 is replaced.
    #[serde(default)]
    pub data: String,
    /// Offset of the first byte, or the file's length.
    pub offset: u64,
}

/// One entry of an agent's `/containers` or `/monitor/statistics`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ContainerInfo {
    /// Container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// Executor; for a task of a command executor it is the task's id.
    #[serde(default)]
    pub executor_id: String,
    /// Executor's name.
    #[serde(default)]
    pub executor_name: String,
    /// Framework.
    #[serde(default)]
    pub framework_id: String,
    /// Source; the task's id for a command executor.
    #[serde(default)]
    pub source: String,
    /// What it uses; absent when the container does not run any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a container uses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Statistics {
    /// Cores it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus_limit: Option<f64>,
    /// Cores it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus_soft_limit: Option<f64>,
    /// Seconds of CPU time in the kernel.
    #[serde(default)]
    pub cpus_system_time_secs: f64,
    /// Seconds of CPU time in user mode.
    #[serde(default)]
    pub cpus_user_time_secs: f64,
    /// Bytes it may use.
    #[serde(default)]
    pub mem_limit_bytes: u64,
    /// Bytes it uses.
    #[serde(default)]
    pub mem_rss_bytes: u64,
    /// Seconds since the epoch.
    #[serde(default)]
    pub timestamp: f64,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}
