//! Tasks: the running instances.
//!
//! A state that this crate does not know must not make a whole list unreadable;
//! it is kept as [`TaskState::Other`].

use crate::Extra;
use crate::check::CheckStatus;
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
    /// An operator has said that its agent never comes back.
    TaskGoneByOperator,
    /// Unknown to the master.
    TaskUnknown,
    /// Anything newer.
    #[serde(untagged)]
    Other(String),
}

impl Default for TaskState {
    /// None: `Other("")`.
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl crate::wire::Member for TaskState {
    fn absent(&self) -> bool {
        self.name().is_empty()
    }
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
            Self::TaskGoneByOperator => "TASK_GONE_BY_OPERATOR",
            Self::TaskUnknown => "TASK_UNKNOWN",
            Self::Other(name) => name,
        }
    }

    /// Marathon's name of the condition, `Running`.
    pub fn condition(&self) -> String {
        if *self == Self::TaskGoneByOperator {
            return String::from("Gone");
        }
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
                | Self::TaskGoneByOperator
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

members! {
    Task {
        /// The last result of the app's check.
        check_result / set_check_result: CheckStatus = "checkResult",
        /// Its persistent volumes.
        local_volumes / set_local_volumes: Vec<LocalVolume> = "localVolumes",
        /// Region of the agent.
        region / set_region: String = "region",
        /// Fault zone of the agent.
        zone / set_zone: String = "zone",
    }
}

message! {
    /// A persistent volume of a task or a pod instance.
    #[serde(rename_all = "camelCase")]
    LocalVolume {
        /// Path of the app or pod.
        run_spec_id: String,
        /// Path in the container.
        container_path: String,
        /// Makes it unique.
        uuid: String,
        /// `app#container-path#uuid`, Mesos' persistence id.
        persistence_id: String,
    }

    /// Counts and life times of an app's tasks, by version.
    #[serde(rename_all = "camelCase")]
    TaskStatsByVersion {
        /// Tasks started after the last scaling or restart.
        started_after_last_scaling: Option<Stats>,
        /// Tasks of the present configuration.
        with_latest_config: Option<Stats>,
        /// Tasks of older configurations.
        with_outdated_config: Option<Stats>,
        /// All of them.
        total_summary: Option<Stats>,
    }

    /// One more level, as Marathon has it.
    Stats {
        /// The numbers.
        stats: TaskStats,
    }

    /// The numbers.
    #[serde(rename_all = "camelCase")]
    TaskStats {
        /// Counts.
        counts: TaskCounts,
        /// Absent while no task has started.
        life_time: Option<TaskLifeTime>,
    }

    /// Counts of tasks.
    TaskCounts {
        /// On their way.
        staged: u32,
        /// Running.
        running: u32,
        /// Running, and all checks succeed.
        healthy: u32,
        /// Running, and a check fails.
        unhealthy: u32,
    }

    /// Life times of tasks.
    #[serde(rename_all = "camelCase")]
    TaskLifeTime {
        /// Mean, in seconds.
        average_seconds: f64,
        /// Median, in seconds.
        median_seconds: f64,
    }
}
