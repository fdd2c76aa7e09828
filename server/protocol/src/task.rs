//! Tasks: the running instances.
//!
//! A state that this crate does not know must not make a whole list unreadable;
//! it is kept as [`TaskState::Other`].

use crate::Extra;
use crate::health::HealthResult;
use serde::{Deserialize, Serialize};

/// Mesos' task states.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskState {
    /// Accepted, not yet on its agent.
    TaskStaging,
    /// On its agent, not yet running.
    TaskStarting,
    /// Running.
    TaskRunning,
    /// Asked to stop.
    TaskKilling,
    /// Ended by itself, exit code 0.
    TaskFinished,
    /// Ended by itself, another exit code, or its launch failed.
    TaskFailed,
    /// Ended on demand.
    TaskKilled,
    /// Its description is not acceptable.
    TaskError,
    /// Lost (frameworks without partition awareness).
    TaskLost,
    /// Never launched.
    TaskDropped,
    /// Its agent can't be reached.
    TaskUnreachable,
    /// Its agent is gone.
    TaskGone,
    /// Unknown to the master.
    TaskUnknown,
    /// Anything newer.
    #[serde(untagged)]
    Other(String),
}

impl TaskState {
    /// The name on the wire, `TASK_RUNNING`.
    pub fn name(&self) -> &str {
        match self {
            Self::TaskStaging => "TASK_STAGING",
            Self::TaskStarting => "TASK_STARTING",
            Self::TaskRunning => "TASK_RUNNING",
            Self::TaskKilling => "TASK_KILLING",
            Self::TaskFinished => "TASK_FINISHED",
            Self::TaskFailed => "TASK_FAILED",
            Self::TaskKilled => "TASK_KILLED",
            Self::TaskError => "TASK_ERROR",
            Self::TaskLost => "TASK_LOST",
            Self::TaskDropped => "TASK_DROPPED",
            Self::TaskUnreachable => "TASK_UNREACHABLE",
            Self::TaskGone => "TASK_GONE",
            Self::TaskUnknown => "TASK_UNKNOWN",
            Self::Other(name) => name,
        }
    }

    /// Marathon's name of the condition, `Running`.
    pub fn condition(&self) -> String {
        let bare = self.name().strip_prefix("TASK_").unwrap_or(self.name()).to_ascii_lowercase();
        let mut letters = bare.chars();
        letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
    }

    /// Whether the task will never run again.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::TaskFinished
                | Self::TaskFailed
                | Self::TaskKilled
                | Self::TaskError
                | Self::TaskLost
                | Self::TaskDropped
                | Self::TaskGone
        )
    }
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Task id.
    pub id: String,
    /// The app's path.
    #[serde(default)]
    pub app_id: String,
    /// Host name of the agent.
    #[serde(default)]
    pub host: String,
    /// The agent's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slave_id: Option<String>,
    /// State; absent in Marathon before 1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<TaskState>,
    /// Host ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<u16>>,
    /// Service ports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_ports: Option<Vec<u16>>,
    /// Addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_addresses: Option<Vec<IpAddr>>,
    /// When it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staged_at: Option<String>,
    /// When it started to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Version of the app definition it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Results of the health checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_results: Option<Vec<HealthResult>>,
    /// Mesos role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An address of a task.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IpAddr {
    /// The address.
    pub ip_address: String,
    /// `IPv4` or `IPv6`.
    pub protocol: String,
}

/// Answer of `GET /v2/tasks`, `GET /v2/apps/{id}/tasks` and of kills.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TaskList {
    /// The tasks.
    #[serde(default)]
    pub tasks: Vec<Task>,
}

/// Answer of the kill of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskSingle {
    /// The task.
    pub task: Task,
}

/// Body of `POST /v2/tasks/delete`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeleteTasks {
    /// Task ids.
    pub ids: Vec<String>,
}

/// The last failure of an app's tasks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskFailure {
    /// The app's path.
    pub app_id: String,
    /// Host name of the agent.
    pub host: String,
    /// What happened.
    pub message: String,
    /// Mesos state.
    pub state: String,
    /// Task.
    pub task_id: String,
    /// When.
    pub timestamp: String,
    /// Version of the app definition.
    pub version: String,
    /// The agent's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slave_id: Option<String>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}
