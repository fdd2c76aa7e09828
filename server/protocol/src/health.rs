//! Health checks of an app and their results on a task.
//!
//! Defaults are functions, not fields: an absent member must stay absent in a
//! patch. They are the RAML's (`types/healthCheck.raml`).

use crate::Extra;
use serde::{Deserialize, Serialize};

/// How a health check asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum HealthProtocol {
    /// Probed by Marathon; a status of 200 to 399 is a success.
    #[default]
    #[serde(rename = "HTTP")]
    Http,
    /// As HTTP, over TLS.
    #[serde(rename = "HTTPS")]
    Https,
    /// A connection that opens is a success.
    #[serde(rename = "TCP")]
    Tcp,
    /// A command inside the task's container; exit code 0 is a success.
    #[serde(rename = "COMMAND")]
    Command,
    /// As HTTP, probed on the agent.
    #[serde(rename = "MESOS_HTTP")]
    MesosHttp,
    /// As HTTPS, probed on the agent.
    #[serde(rename = "MESOS_HTTPS")]
    MesosHttps,
    /// As TCP, probed on the agent.
    #[serde(rename = "MESOS_TCP")]
    MesosTcp,
}

/// One health check of an app.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// How it asks; absent means HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<HealthProtocol>,
    /// HTTP path; absent means `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Index into the task's ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_index: Option<u32>,
    /// A port by number, instead of by index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The command of a COMMAND check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandCheck>,
    /// Failures are ignored for so long after the start, or until the first success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace_period_seconds: Option<u32>,
    /// Seconds between two checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// Seconds after which a check has failed whatever the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// Failures in a row after which the task is killed; 0 never kills.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_consecutive_failures: Option<u32>,
    /// Seconds before the first check (Mesos checks).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_seconds: Option<u32>,
    /// Whether a status of 100 to 199 is neither success nor failure.
    #[serde(rename = "ignoreHttp1xx", skip_serializing_if = "Option::is_none")]
    pub ignore_http1xx: Option<bool>,
    /// `IPv4` or `IPv6`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_protocol: Option<String>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

impl HealthCheck {
    /// Seconds of grace, default 300.
    pub fn grace_s(&self) -> u32 {
        self.grace_period_seconds.unwrap_or(300)
    }
    /// Seconds between checks, default 60.
    pub fn interval_s(&self) -> u32 {
        self.interval_seconds.unwrap_or(60)
    }
    /// Seconds of time-out, default 20.
    pub fn timeout_s(&self) -> u32 {
        self.timeout_seconds.unwrap_or(20)
    }
    /// Seconds before the first check, default 15. Marathon's own checks (HTTP, HTTPS, TCP) have
    /// none, whatever is written.
    pub fn delay_s(&self) -> u32 {
        self.delay_seconds.unwrap_or(15)
    }
    /// Failures in a row that kill, default 3.
    pub fn max_failures(&self) -> u32 {
        self.max_consecutive_failures.unwrap_or(3)
    }
}

/// `{"value": "curl …"}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CommandCheck {
    /// Run by the container's shell.
    #[serde(default)]
    pub value: String,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The state of one health check on one task.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthResult {
    /// Whether the last check succeeded.
    pub alive: bool,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// First success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_success: Option<String>,
    /// Last success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<String>,
    /// Last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
    /// Why the last failure was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure_cause: Option<String>,
    /// The instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}
