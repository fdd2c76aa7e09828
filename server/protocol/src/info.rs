//! `GET /v2/info` and `GET /v2/leader`.

use crate::Extra;
use serde::{Deserialize, Serialize};

/// `GET /v2/info`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Info {
    /// `marathon`.
    pub name: String,
    /// Version of the server.
    pub version: String,
    /// Build.
    #[serde(default)]
    pub buildref: String,
    /// Whether this server leads.
    #[serde(default)]
    pub elected: bool,
    /// `host:port` of the leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// Mesos framework.
    #[serde(rename = "frameworkId", skip_serializing_if = "Option::is_none")]
    pub framework_id: Option<String>,
    /// Its settings.
    #[serde(default)]
    pub marathon_config: Extra,
    /// Its ZooKeeper.
    #[serde(default)]
    pub zookeeper_config: Extra,
    /// Its ports.
    #[serde(default)]
    pub http_config: Extra,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// `GET /v2/leader`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Leader {
    /// `host:port`.
    pub leader: String,
}
