//! An app with its present state, and the lists that the API answers with.

use crate::app::App;
use crate::error::Identifiable;
use crate::readiness::ReadinessCheckResult;
use crate::task::{Task, TaskFailure, TaskStatsByVersion};
use serde::{Deserialize, Serialize};

/// An app with its present state.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppInfo {
    /// The definition.
    #[serde(flatten)]
    pub app: App,
    /// Tasks on their way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_staged: Option<u32>,
    /// Running tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_running: Option<u32>,
    /// Running tasks whose health checks all succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_healthy: Option<u32>,
    /// Running tasks with a failing health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_unhealthy: Option<u32>,
    /// Deployments that lock the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployments: Option<Vec<Identifiable>>,
    /// Its tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<Task>>,
    /// Results of the readiness checks, if embedded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_check_results: Option<Vec<ReadinessCheckResult>>,
    /// Counts and life times, if embedded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_stats: Option<TaskStatsByVersion>,
    /// The same under the name that the RAML has; Marathon writes the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks_stats: Option<TaskStatsByVersion>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_task_failure: Option<TaskFailure>,
}

/// Answer of `GET /v2/apps`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AppList {
    /// The apps.
    #[serde(default)]
    pub apps: Vec<AppInfo>,
}

/// Answer of `GET /v2/apps/{id}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AppSingle {
    /// The app.
    pub app: AppInfo,
}

/// Answer of `GET /v2/apps/{id}/versions`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VersionList {
    /// Timestamps, newest first.
    pub versions: Vec<String>,
}
