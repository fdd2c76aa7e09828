//! Deployments: changes on their way.
//!
//! Steps come in three dialects: `{"actions":[{"action":…}]}` (REST),
//! `{"action":…,"app":…}` (old event documents) and actions whose name is in
//! `type` (events). All three are kept as they came.

use crate::Extra;
use crate::group::Group;
use crate::readiness::ReadinessCheckResult;
use serde::{Deserialize, Serialize};

/// One action.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Action {
    /// `StartApplication`, `StopApplication`, `ScaleApplication`, `RestartApplication`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The same in the dialect of events.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The app's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The pod's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// Unknown members, `readinessCheckResults` among them.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One step: actions that happen side by side.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Step {
    /// The actions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<Action>>,
    /// Unknown members; the old dialect's `action` and `app`.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A plan as events show it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The deployment's id.
    #[serde(default)]
    pub id: String,
    /// Its steps.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Its version.
    #[serde(default)]
    pub version: String,
    /// Unknown members: `original` and `target` groups among them.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One entry of `GET /v2/deployments`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Id.
    pub id: String,
    /// Version.
    #[serde(default)]
    pub version: String,
    /// Apps that it locks.
    #[serde(default)]
    pub affected_apps: Vec<String>,
    /// Pods that it locks.
    #[serde(default)]
    pub affected_pods: Vec<String>,
    /// Steps.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Actions of the present step.
    #[serde(default)]
    pub current_actions: Vec<Action>,
    /// Number of the present step, from 1.
    #[serde(default)]
    pub current_step: u32,
    /// Number of steps.
    #[serde(default)]
    pub total_steps: u32,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a change answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentResult {
    /// The deployment that was started.
    pub deployment_id: String,
    /// Its version, which is the app's new version.
    pub version: String,
}

members! {
    Action {
        /// How far the readiness checks are (in `currentActions`).
        readiness_check_results / set_readiness_check_results: Vec<ReadinessCheckResult> = "readinessCheckResults",
    }
}

members! {
    Plan {
        /// The root group before.
        original / set_original: Group = "original",
        /// The root group after.
        target / set_target: Group = "target",
    }
}

impl Action {
    /// Its name, in either dialect.
    pub fn name(&self) -> Option<&str> {
        self.action.as_deref().or(self.kind.as_deref())
    }
}

message! {
    /// What a dry run answers (`PUT /v2/groups?dryRun=true`).
    DeploymentSteps {
        /// The steps.
        steps: Option<Vec<Step>>,
    }
}
