//! Events and the frames of the event stream.
//!
//! A consumer must survive whatever comes: an event type that is not known, or a
//! known one that does not look as described, is [`Event::Other`] and keeps
//! everything. How events are framed on the wire is in `frame.rs`.

mod frame;

pub use frame::*;

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
    /// A consumer of the old kind (callbacks, before 1.0) subscribed.
    Subscribe = "subscribe_event" {
        /// Address of the caller.
        #[serde(default)]
        client_ip: String,
        /// Where events are posted.
        #[serde(default)]
        callback_url: String,
    }
    /// A consumer of the old kind went.
    Unsubscribe = "unsubscribe_event" {
        /// Address of the caller.
        #[serde(default)]
        client_ip: String,
        /// Where events were posted.
        #[serde(default)]
        callback_url: String,
    }
    /// An executor sent a message to Marathon.
    FrameworkMessage = "framework_message_event" {
        /// The agent's id.
        #[serde(default)]
        slave_id: String,
        /// Executor.
        #[serde(default)]
        executor_id: String,
        /// Base64.
        #[serde(default)]
        message: String,
    }
    /// A pod was created.
    PodCreated = "pod_created_event" {
        /// Address of the caller.
        #[serde(default)]
        client_ip: String,
        /// Path of the request.
        uri: String,
    }
    /// A pod was changed.
    PodUpdated = "pod_updated_event" {
        /// Address of the caller.
        #[serde(default)]
        client_ip: String,
        /// Path of the request.
        uri: String,
    }
    /// A pod was deleted.
    PodDeleted = "pod_deleted_event" {
        /// Address of the caller.
        #[serde(default)]
        client_ip: String,
        /// Path of the request.
        uri: String,
    }
    /// An instance that Marathon did not know ended (or was killed for it).
    UnknownInstanceTerminated = "unknown_instance_terminated_event" {
        /// Instance.
        instance_id: String,
        /// Path of the app or pod.
        run_spec_id: String,
        /// `Killed`.
        #[serde(default)]
        condition: String,
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
