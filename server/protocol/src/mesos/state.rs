use crate::Extra;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Resources by name; scalars are numbers, ranges a text.
pub type Resources = BTreeMap<String, Value>;

/// The scalar of a resource; 0 if it is absent or no number.
pub fn scalar(resources: &Resources, name: &str) -> f64 {
    resources.get(name).and_then(Value::as_f64).unwrap_or(0.0)
}

/// Answer of `/master/state`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MasterState {
    /// Mesos version.
    #[serde(default)]
    pub version: String,
    /// The master's id.
    #[serde(default)]
    pub id: String,
    /// `master@127.0.0.1:5050`.
    #[serde(default)]
    pub pid: String,
    /// Host name.
    #[serde(default)]
    pub hostname: String,
    /// Pid of the leader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// Seconds since the epoch.
    #[serde(default)]
    pub start_time: f64,
    /// Seconds since the epoch.
    #[serde(default)]
    pub elected_time: f64,
    /// Agents that are heard.
    #[serde(default)]
    pub activated_slaves: f64,
    /// Agents that are not.
    #[serde(default)]
    pub deactivated_slaves: f64,
    /// Agents that went silent.
    #[serde(default)]
    pub unreachable_slaves: f64,
    /// The agents.
    #[serde(default)]
    pub slaves: Vec<Slave>,
    /// The frameworks.
    #[serde(default)]
    pub frameworks: Vec<Framework>,
    /// Frameworks that are gone.
    #[serde(default)]
    pub completed_frameworks: Vec<Framework>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Answer of `/master/slaves`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Slaves {
    /// The agents.
    #[serde(default)]
    pub slaves: Vec<Slave>,
    /// Agents that have not come back since a fail-over.
    #[serde(default)]
    pub recovered_slaves: Vec<Value>,
}

/// One agent, as the master sees it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Slave {
    /// Id.
    pub id: String,
    /// Host name.
    #[serde(default)]
    pub hostname: String,
    /// Port of its own API.
    #[serde(default)]
    pub port: u16,
    /// `slave(1)@127.0.0.1:5051`: the process name is the first part of its paths.
    #[serde(default)]
    pub pid: String,
    /// Attributes: texts and numbers.
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    /// Seconds since the epoch.
    #[serde(default)]
    pub registered_time: f64,
    /// All it has.
    #[serde(default)]
    pub resources: Resources,
    /// What is used.
    #[serde(default)]
    pub used_resources: Resources,
    /// What is on offer.
    #[serde(default)]
    pub offered_resources: Resources,
    /// Reserved, by role.
    #[serde(default)]
    pub reserved_resources: BTreeMap<String, Resources>,
    /// Not reserved.
    #[serde(default)]
    pub unreserved_resources: Resources,
    /// Whether the master hears it.
    #[serde(default)]
    pub active: bool,
    /// Mesos version.
    #[serde(default)]
    pub version: String,
    /// Capabilities.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One framework, as the master sees it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Framework {
    /// Id.
    pub id: String,
    /// Name, `marathon`.
    #[serde(default)]
    pub name: String,
    /// Whether it is active.
    #[serde(default)]
    pub active: bool,
    /// Live tasks.
    #[serde(default)]
    pub tasks: Vec<MesosTask>,
    /// Tasks on agents that went silent.
    #[serde(default)]
    pub unreachable_tasks: Vec<MesosTask>,
    /// Tasks that ended.
    #[serde(default)]
    pub completed_tasks: Vec<MesosTask>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One task, as master and agent see it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MesosTask {
    /// Id.
    pub id: String,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Framework.
    #[serde(default)]
    pub framework_id: String,
    /// Executor; empty means a command executor named like the task.
    #[serde(default)]
    pub executor_id: String,
    /// Agent.
    #[serde(default)]
    pub slave_id: String,
    /// `TASK_RUNNING`.
    #[serde(default)]
    pub state: String,
    /// What it holds.
    #[serde(default)]
    pub resources: Resources,
    /// Role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Its history.
    #[serde(default)]
    pub statuses: Vec<MesosStatus>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<MesosLabel>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One entry of a task's history.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MesosStatus {
    /// `TASK_RUNNING`.
    pub state: String,
    /// Seconds since the epoch.
    #[serde(default)]
    pub timestamp: f64,
    /// Unknown members: `container_status`, `healthy`.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A label of Mesos.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MesosLabel {
    /// Key.
    pub key: String,
    /// Value.
    #[serde(default)]
    pub value: String,
}

/// Answer of an agent's `/slave(1)/state`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AgentState {
    /// Mesos version.
    #[serde(default)]
    pub version: String,
    /// Id.
    pub id: String,
    /// `slave(1)@127.0.0.1:5051`.
    #[serde(default)]
    pub pid: String,
    /// Host name.
    #[serde(default)]
    pub hostname: String,
    /// Attributes.
    #[serde(default)]
    pub attributes: BTreeMap<String, Value>,
    /// All it has.
    #[serde(default)]
    pub resources: Resources,
    /// Frameworks with executors here.
    #[serde(default)]
    pub frameworks: Vec<AgentFramework>,
    /// Frameworks that are gone.
    #[serde(default)]
    pub completed_frameworks: Vec<AgentFramework>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One framework, as an agent sees it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AgentFramework {
    /// Id.
    pub id: String,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Live executors.
    #[serde(default)]
    pub executors: Vec<Executor>,
    /// Executors that ended.
    #[serde(default)]
    pub completed_executors: Vec<Executor>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One executor: its sandbox is `directory`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Executor {
    /// Id; the task's id for a command executor.
    pub id: String,
    /// Name.
    #[serde(default)]
    pub name: String,
    /// Source; the task's id for a command executor.
    #[serde(default)]
    pub source: String,
    /// Container.
    #[serde(default)]
    pub container: String,
    /// Sandbox, usable in `/files/browse`.
    #[serde(default)]
    pub directory: String,
    /// What it holds.
    #[serde(default)]
    pub resources: Resources,
    /// Live tasks.
    #[serde(default)]
    pub tasks: Vec<MesosTask>,
    /// Waiting tasks.
    #[serde(default)]
    pub queued_tasks: Vec<MesosTask>,
    /// Tasks that ended.
    #[serde(default)]
    pub completed_tasks: Vec<MesosTask>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}
