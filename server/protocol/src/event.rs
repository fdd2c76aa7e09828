//! Events and the frames of the event stream.
//!
//! A consumer must survive whatever comes: an event type that is not known, or a
//! known one that does not look as described, is [`Event::Other`] and keeps
//! everything. A frame is `event: TYPE`, one line `data: JSON`, an empty line;
//! blank lines alone are heartbeats. There is no `id:`, nothing is replayed.

use crate::Extra;
use crate::app::App;
use crate::deployment::{Plan, Step};
use crate::health::HealthCheck;
use serde::{Deserialize, Serialize};

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $name:literal { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {
        /// One event; the tag is `eventType`.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "eventType")]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $name)] $variant($variant),)*
            /// Anything else.
            #[serde(untagged)]
            Other(Extra),
        }
        impl Event {
            /// The event type on the wire.
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Other(map) => map.get("eventType").and_then(serde_json::Value::as_str).unwrap_or(""),
                }
            }
        }
        $($(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $variant {
            $($(#[$fdoc])* pub $field: $type,)*
            /// When.
            #[serde(default)]
            pub timestamp: String,
            /// Unknown members.
            #[serde(flatten)]
            pub extra: Extra,
        }
        impl From<$variant> for Event {
            fn from(event: $variant) -> Self {
                Self::$variant(event)
            }
        })*
    };
}

events! {
    /// A consumer attached.
    EventStreamAttached = "event_stream_attached" {
        /// Address of the consumer.
        #[serde(skip_serializing_if = "Option::is_none")]
        remote_address: Option<String>,
    }
    /// A consumer went.
    EventStreamDetached = "event_stream_detached" {
        /// Address of the consumer.
        #[serde(skip_serializing_if = "Option::is_none")]
        remote_address: Option<String>,
    }
    /// A task changed its state.
    StatusUpdate = "status_update_event" {
        /// The agent's id.
        #[serde(default)]
        slave_id: String,
        /// Task.
        task_id: String,
        /// Mesos state, `TASK_RUNNING`.
        task_status: String,
        /// What happened; `exit code 1`.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// The app's path.
        app_id: String,
        /// Host name of the agent.
        #[serde(default)]
        host: String,
        /// Addresses.
        #[serde(skip_serializing_if = "Option::is_none")]
        ip_addresses: Option<Vec<crate::task::IpAddr>>,
        /// Host ports.
        #[serde(default)]
        ports: Vec<u16>,
        /// Version of the app definition.
        #[serde(default)]
        version: String,
    }
    /// Somebody asked for a change over the API.
    ApiPost = "api_post_event" {
        /// Address of the caller.
        #[serde(default)]
        client_ip: String,
        /// Path of the request.
        #[serde(default)]
        uri: String,
        /// The app as asked for.
        #[serde(default)]
        app_definition: Box<App>,
    }
    /// An app and its last task are gone.
    AppTerminated = "app_terminated_event" {
        /// The app's path.
        app_id: String,
    }
    /// A health check was added.
    AddHealthCheck = "add_health_check_event" {
        /// The app's path.
        app_id: String,
        /// The check.
        health_check: HealthCheck,
        /// Version of the app definition.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    }
    /// A health check was removed.
    RemoveHealthCheck = "remove_health_check_event" {
        /// The app's path.
        app_id: String,
        /// The check.
        #[serde(skip_serializing_if = "Option::is_none")]
        health_check: Option<HealthCheck>,
    }
    /// A check failed.
    FailedHealthCheck = "failed_health_check_event" {
        /// The app's path.
        app_id: String,
        /// Task.
        #[serde(skip_serializing_if = "Option::is_none")]
        task_id: Option<String>,
        /// Instance.
        #[serde(skip_serializing_if = "Option::is_none")]
        instance_id: Option<String>,
        /// The check.
        #[serde(default)]
        health_check: HealthCheck,
    }
    /// A task became healthy or unhealthy.
    HealthStatusChanged = "health_status_changed_event" {
        /// The app's path.
        app_id: String,
        /// Task.
        #[serde(skip_serializing_if = "Option::is_none")]
        task_id: Option<String>,
        /// Instance.
        #[serde(skip_serializing_if = "Option::is_none")]
        instance_id: Option<String>,
        /// Version of the app definition.
        #[serde(default)]
        version: String,
        /// Whether it is healthy now.
        alive: bool,
    }
    /// A task is killed because it is unhealthy.
    UnhealthyTaskKill = "unhealthy_task_kill_event" {
        /// The app's path.
        app_id: String,
        /// Task.
        task_id: String,
        /// Instance.
        #[serde(skip_serializing_if = "Option::is_none")]
        instance_id: Option<String>,
        /// Version of the app definition.
        #[serde(default)]
        version: String,
        /// Why the check failed.
        #[serde(default)]
        reason: String,
        /// Host name of the agent.
        #[serde(default)]
        host: String,
        /// The agent's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        slave_id: Option<String>,
    }
    /// The same about an instance.
    UnhealthyInstanceKill = "unhealthy_instance_kill_event" {
        /// The app's path.
        app_id: String,
        /// Task.
        task_id: String,
        /// Instance.
        #[serde(skip_serializing_if = "Option::is_none")]
        instance_id: Option<String>,
        /// Version of the app definition.
        #[serde(default)]
        version: String,
        /// Why the check failed.
        #[serde(default)]
        reason: String,
        /// Host name of the agent.
        #[serde(default)]
        host: String,
        /// The agent's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        slave_id: Option<String>,
    }
    /// An instance changed its condition.
    InstanceChanged = "instance_changed_event" {
        /// Instance.
        instance_id: String,
        /// `Running`.
        condition: String,
        /// The app's path.
        run_spec_id: String,
        /// The agent's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        agent_id: Option<String>,
        /// Host name of the agent.
        #[serde(skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        /// Version of the app definition.
        #[serde(default)]
        run_spec_version: String,
    }
    /// An instance became healthy or unhealthy.
    InstanceHealthChanged = "instance_health_changed_event" {
        /// Instance.
        instance_id: String,
        /// Version of the app definition.
        #[serde(default)]
        run_spec_version: String,
        /// Whether it is healthy; absent means unknown.
        #[serde(skip_serializing_if = "Option::is_none")]
        healthy: Option<bool>,
        /// The app's path.
        run_spec_id: String,
    }
    /// A deployment entered a step.
    DeploymentInfo = "deployment_info" {
        /// The plan.
        plan: Plan,
        /// The step.
        #[serde(default)]
        current_step: Step,
    }
    /// A deployment is done.
    DeploymentSuccess = "deployment_success" {
        /// The deployment's id.
        id: String,
        /// The plan; absent in old versions.
        #[serde(skip_serializing_if = "Option::is_none")]
        plan: Option<Plan>,
    }
    /// A deployment was given up.
    DeploymentFailed = "deployment_failed" {
        /// The deployment's id.
        id: String,
        /// The plan; absent in old versions.
        #[serde(skip_serializing_if = "Option::is_none")]
        plan: Option<Plan>,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }
    /// A step is done.
    DeploymentStepSuccess = "deployment_step_success" {
        /// The plan.
        plan: Plan,
        /// The step.
        #[serde(default)]
        current_step: Step,
    }
    /// A step failed.
    DeploymentStepFailure = "deployment_step_failure" {
        /// The plan.
        plan: Plan,
        /// The step.
        #[serde(default)]
        current_step: Step,
    }
    /// A group was changed.
    GroupChangeSuccess = "group_change_success" {
        /// Path.
        group_id: String,
        /// Version.
        #[serde(default)]
        version: String,
    }
    /// A group was not changed.
    GroupChangeFailed = "group_change_failed" {
        /// Path.
        group_id: String,
        /// Version.
        #[serde(default)]
        version: String,
        /// Why.
        #[serde(default)]
        reason: String,
    }
}

/// One frame of the stream, or a heartbeat.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// An event with its type as the `event:` line gave it.
    Event(String, Box<Event>),
    /// Data that is no JSON object: the stream lives, its content is lost.
    Garbled(String),
    /// A blank line or a comment: the stream lives.
    Heartbeat,
}

/// Writes a frame.
pub fn frame(event: &Event) -> Result<String, serde_json::Error> {
    Ok(format!("event: {}\r\ndata: {}\r\n\r\n", event.kind(), serde_json::to_string(event)?))
}

/// Cuts a byte stream into frames, whatever the pieces it arrives in.
#[derive(Debug, Default)]
pub struct FrameReader {
    line: Vec<u8>,
    kind: String,
    data: String,
    has_data: bool,
}

/// The longest line that is kept; a longer one is [`Frame::Garbled`]. Deployment
/// events of very large clusters carry whole groups, thus the room.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

impl FrameReader {
    /// Takes the next piece and gives the frames that it completed.
    pub fn push(&mut self, piece: &[u8]) -> Vec<Frame> {
        let mut out = Vec::new();
        for &byte in piece {
            if byte != b'\n' {
                if self.line.len() < MAX_LINE_BYTES {
                    self.line.push(byte);
                }
                continue;
            }
            let bytes = std::mem::take(&mut self.line);
            let text = String::from_utf8_lossy(&bytes);
            self.end_of_line(text.trim_end_matches('\r'), &mut out);
        }
        out
    }

    fn end_of_line(&mut self, line: &str, out: &mut Vec<Frame>) {
        if line.is_empty() {
            let kind = std::mem::take(&mut self.kind);
            let data = std::mem::take(&mut self.data);
            out.push(match std::mem::take(&mut self.has_data) {
                false => Frame::Heartbeat,
                true => match serde_json::from_str::<Event>(&data) {
                    Ok(event) if kind.is_empty() => Frame::Event(event.kind().to_owned(), Box::new(event)),
                    Ok(event) => Frame::Event(kind, Box::new(event)),
                    Err(_) => Frame::Garbled(data),
                },
            });
        } else if line.starts_with(':') {
            out.push(Frame::Heartbeat);
        } else {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut self.kind),
                "data" => {
                    if self.has_data {
                        self.data.push('\n');
                    }
                    self.has_data = true;
                    self.data.push_str(value);
                }
                _ => {}
            }
        }
    }
}
