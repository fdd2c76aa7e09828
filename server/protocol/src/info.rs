//! About the server itself: `/v2/info`, `/v2/leader`, `/v2/plugins`, `/logging`.
//!
//! The settings are flags of Marathon's command line and change with each version;
//! they are maps, with typed access to those that the RAML names.

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

members! {
    Info {
        /// Where this server's pages are, if the reverse proxy says so.
        webui_url / set_webui_url: String = "webui_url",
    }
}

impl Info {
    /// Its settings, typed; `None` if one of them has another shape.
    pub fn config(&self) -> Option<MarathonConfig> {
        typed(&self.marathon_config)
    }
    /// Its ZooKeeper, typed.
    pub fn zookeeper(&self) -> Option<ZooKeeperConfig> {
        typed(&self.zookeeper_config)
    }
    /// Its ports, typed.
    pub fn http(&self) -> Option<HttpConfig> {
        typed(&self.http_config)
    }
}

fn typed<T: serde::de::DeserializeOwned>(map: &Extra) -> Option<T> {
    serde_json::from_value(serde_json::Value::Object(map.clone().into_iter().collect())).ok()
}

message! {
    /// Settings that a client may want; the rest is in `extra`. Times are milliseconds
    /// unless a name says otherwise.
    MarathonConfig {
        /// Address of the Mesos master, `zk://…` or `host:port`.
        master: Option<String>,
        /// Name of the framework.
        framework_name: Option<String>,
        /// Seconds that Mesos waits for a lost Marathon before it kills the tasks.
        failover_timeout: Option<u64>,
        /// Whether tasks survive a restart of their agent's daemon.
        checkpoint: Option<bool>,
        /// Optional features that are on: `secrets`, `gpu_resources`, …
        features: Option<Vec<String>>,
        /// Default executor.
        executor: Option<String>,
        /// Whether there may be several servers.
        ha: Option<bool>,
        /// Host name that Marathon gives for itself.
        hostname: Option<String>,
        /// First service port.
        local_port_min: Option<u32>,
        /// Last service port.
        local_port_max: Option<u32>,
        /// Default network of `container` mode.
        default_network_name: Option<String>,
        /// Name of the network of `container/bridge` mode.
        mesos_bridge_name: Option<String>,
        /// Address of the Mesos pages.
        mesos_leader_ui_url: Option<String>,
        /// Mesos role.
        mesos_role: Option<String>,
        /// User of tasks.
        mesos_user: Option<String>,
        /// Until a task must have been confirmed.
        task_launch_confirm_timeout: Option<u64>,
        /// Until a task must run.
        task_launch_timeout: Option<u64>,
        /// Between two full comparisons with Mesos.
        reconciliation_interval: Option<u64>,
        /// Address of Marathon's own pages.
        webui_url: Option<String>,
    }

    /// The ZooKeeper behind it. Times are milliseconds.
    ZooKeeperConfig {
        /// `zk://host:port/path`.
        zk: Option<String>,
        /// Until an operation must be done.
        zk_timeout: Option<u64>,
        /// Until a session is given up.
        zk_session_timeout: Option<u64>,
        /// Until a connection must be open.
        zk_connection_timeout: Option<u64>,
        /// Versions that are kept of each app.
        zk_max_versions: Option<u32>,
        /// Bytes of a node, at most.
        zk_max_node_size: Option<u64>,
        /// Whether nodes are compressed.
        zk_compression: Option<bool>,
        /// Bytes from which nodes are compressed.
        zk_compression_threshold: Option<u64>,
    }

    /// The ports it listens on.
    HttpConfig {
        /// HTTP.
        http_port: Option<u16>,
        /// HTTPS.
        https_port: Option<u16>,
    }

    /// `GET /v2/plugins`.
    PluginList {
        /// The plugins.
        plugins: Option<Vec<Plugin>>,
    }

    /// A plugin.
    Plugin {
        /// Id, a part of its paths.
        id: String,
        /// Class that implements it.
        implementation: String,
        /// Interface that it implements.
        plugin: String,
        /// Whatever it says about itself.
        info: Option<serde_json::Value>,
        /// Tags.
        tags: Option<Vec<String>>,
    }

    /// `POST /logging`.
    #[serde(rename_all = "camelCase")]
    LoggerChange {
        /// `trace`, `debug`, `info`, `warn` or `error`.
        level: String,
        /// Full name of the logger.
        logger: String,
        /// Seconds; absent means for good.
        duration_seconds: Option<u32>,
    }
}
