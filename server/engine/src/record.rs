//! What the engine remembers over a restart, one record for each thing.
//!
//! A record is the whole thing, never a change to it: reading the log is "last
//! one wins", and a record written twice does no harm. Only wall-clock times are
//! in here; whatever measures an interval lives in memory on the monotonic clock.

use padis_protocol::app::App;
use padis_protocol::mesos::v1::{MachineId, Window};
use padis_protocol::task::{TaskFailure, TaskState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Record {
    App(Box<AppRecord>),
    AppGone(String),
    Task(Box<TaskRecord>),
    TaskGone(String),
    Deployment(Box<DeploymentRecord>),
    DeploymentGone(String),
    /// A deployment is at this step now.
    Step(String, usize),
    Group(Box<GroupRecord>),
    GroupGone(String),
    /// An app that is no more, for the versions of its groups.
    Grave(Box<GraveRecord>),
    /// Its id and when it ended.
    GraveGone(String, String),
    /// An agent of a Mesos cluster, as it was seen last.
    Agent(Box<AgentRecord>),
    /// The id under which a Mesos master knows this framework; empty: none any more.
    Framework(String),
    /// An agent that an operator took out of service.
    Out(Box<OutRecord>),
    /// An agent, by its name, is in service again.
    OutGone(String),
    /// What operators have ordered about machines.
    Maintenance(Box<MaintenanceRecord>),
}

/// An agent out of service: nothing new goes there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OutRecord {
    /// Name of the agent.
    pub agent: String,
    /// What runs there is ended too.
    pub drain: Option<DrainRecord>,
}

/// How an agent is drained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DrainRecord {
    /// The longest grace, in nanoseconds; tasks with less keep theirs.
    pub max_grace_ns: Option<i64>,
    pub since_ms: i64,
    /// Nothing is left.
    pub drained: bool,
}

/// Maintenance: what is announced and what is in force.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct MaintenanceRecord {
    pub windows: Vec<Window>,
    pub down: Vec<MachineId>,
}

/// An agent of a Mesos cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AgentRecord {
    /// The master's id of it.
    pub id: String,
    /// What tasks name it by: its host name, unless two share one.
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// Where its tasks can be reached.
    pub ip: Option<String>,
}

/// An app that is no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GraveRecord {
    pub id: String,
    /// The version at which it was deleted.
    pub until: String,
    /// Its definitions, oldest first.
    pub definitions: Vec<App>,
}

/// A group, as far as it is more than the apps below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupRecord {
    pub id: String,
    /// Apps or groups that all apps below it depend on.
    pub dependencies: Vec<String>,
    /// When it was last changed.
    pub version: String,
    /// Its versions, oldest first, the present one last.
    pub versions: Vec<String>,
}

/// An app: what is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AppRecord {
    /// The definition in force, complete.
    pub app: App,
    /// The version from which on a task is up to date: the last change that was
    /// more than scaling, or the last restart.
    pub generation: String,
    /// Earlier definitions, oldest first.
    pub versions: Vec<App>,
    pub last_failure: Option<TaskFailure>,
    /// Deleted, but its tasks still end. Invisible to the API.
    pub deleting: bool,
}

impl AppRecord {
    pub fn id(&self) -> &str {
        &self.app.id
    }
    pub fn version(&self) -> &str {
        self.app.version.as_deref().unwrap_or_default()
    }
    /// The instances that shall run.
    pub fn wanted(&self) -> u32 {
        if self.deleting { 0 } else { self.app.instances_or_default() }
    }
    /// The definition in force at a version of the whole, which may be between its own.
    pub fn as_of(&self, version: &str) -> Option<&App> {
        let own = |a: &&App| a.version.as_deref().is_some_and(|v| v <= version);
        std::iter::once(&self.app).chain(self.versions.iter().rev()).find(own)
    }
    /// The definition of a version, if it is still known.
    pub fn at(&self, version: &str) -> Option<&App> {
        std::iter::once(&self.app).chain(self.versions.iter().rev()).find(|a| a.version.as_deref() == Some(version))
    }
}

/// A task: a container that shall be, is, or was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskRecord {
    pub id: String,
    pub instance: String,
    pub app_id: String,
    pub version: String,
    /// Name of the agent.
    pub agent: String,
    /// Id of the agent, in a Mesos cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Addresses of its own, if it has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Name of the container, `mesos-<uuid>`; known before the container is.
    pub container: String,
    pub ports: Vec<u16>,
    pub state: TaskState,
    pub staged_ms: i64,
    pub started_ms: Option<i64>,
    pub ended_ms: Option<i64>,
    pub message: String,
    /// Seconds from SIGTERM to SIGKILL.
    pub grace_s: u32,
    pub cpus: f64,
    pub mem: f64,
    #[serde(default)]
    pub disk: f64,
    /// Its agent was silent for so long that another one runs in its place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inactive: bool,
    /// Mesos' name for why it ended, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// States and when they were entered.
    pub history: Vec<(TaskState, i64)>,
    /// The container is removed (after its output was copied).
    pub removed: bool,
}

/// A deployment: a change on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeploymentRecord {
    pub id: String,
    pub version: String,
    /// One list of `(action, app)` for each step.
    pub steps: Vec<Vec<(String, String)>>,
    /// Number of the step on its way, from 0.
    pub step: usize,
    /// The apps before the change, for the way back.
    pub before: Vec<(String, Option<App>)>,
}

impl DeploymentRecord {
    pub fn apps(&self) -> impl Iterator<Item = &str> {
        self.before.iter().map(|(id, _)| id.as_str())
    }
}
