//! Master's and agents' view of the state. Scalars are floats, ports a text, as
//! a real master writes them; integers would break clients that were written
//! against one.

use super::{API_VERSION, Shared};
use crate::record::TaskRecord;
use crate::world::{Agent, World};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use padis_protocol::mesos::{
    AgentFramework, AgentState, Executor, Framework, MasterState, MesosLabel, MesosStatus, MesosTask, Metrics,
    Resources, Slave, Slaves,
};
use padis_protocol::task::TaskState;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const FRAMEWORK: &str = "marathon";

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn resources(cpus: f64, mem: f64, ports: String) -> Resources {
    let mut map = Resources::from([
        (String::from("cpus"), json!(cpus)),
        (String::from("mem"), json!(mem)),
        (String::from("disk"), json!(0.0)),
        (String::from("gpus"), json!(0.0)),
    ]);
    if !ports.is_empty() {
        map.insert(String::from("ports"), json!(ports));
    }
    map
}

/// `[31000-31001, 31500-31500]`
fn ranges(mut ports: Vec<u16>) -> String {
    ports.sort_unstable();
    let mut out: Vec<(u16, u16)> = Vec::new();
    for port in ports {
        match out.last_mut() {
            Some((_, last)) if *last == port || last.checked_add(1) == Some(port) => *last = port,
            _ => out.push((port, port)),
        }
    }
    let parts: Vec<String> = out.iter().map(|(a, b)| format!("{a}-{b}")).collect();
    if parts.is_empty() { String::new() } else { format!("[{}]", parts.join(", ")) }
}

struct View<'a> {
    core: &'a crate::core::Core,
    world: &'a World,
}

impl View<'_> {
    fn framework_id(&self) -> String {
        format!("{}-0000", self.core.id)
    }

    fn pid(&self, index: usize) -> String {
        format!("slave({})@{}", index + 1, self.core.config.mesos_listen)
    }

    fn all_ports(&self) -> String {
        format!("[{}-{}]", self.core.config.ports.start(), self.core.config.ports.end())
    }

    fn total(&self, agent: &Agent) -> Resources {
        resources(agent.config.cpus, agent.config.mem_mib as f64, self.all_ports())
    }

    fn used<'t>(&self, tasks: impl Iterator<Item = &'t TaskRecord>) -> Resources {
        let (mut cpus, mut mem, mut ports) = (0.0, 0.0, Vec::new());
        for task in tasks {
            cpus += task.cpus;
            mem += task.mem;
            ports.extend(task.ports.iter().copied());
        }
        resources((cpus * 1000.0_f64).round() / 1000.0, mem, ranges(ports))
    }

    fn slave(&self, index: usize, agent: &Agent) -> Slave {
        let mine = self.world.hosts.tasks(index).filter_map(|id| self.world.tasks.get(id));
        let active = self.world.hosts.up.get(agent.node).copied().unwrap_or(false);
        Slave {
            id: agent.id.clone(),
            hostname: agent.config.name.clone(),
            port: self.core.config.mesos_listen.port(),
            pid: self.pid(index),
            attributes: agent.config.attributes.iter().map(|(k, v)| (k.clone(), attribute(v))).collect(),
            registered_time: seconds(self.core.started_ms),
            resources: self.total(agent),
            used_resources: self.used(mine),
            offered_resources: resources(0.0, 0.0, String::new()),
            reserved_resources: BTreeMap::new(),
            unreserved_resources: self.total(agent),
            active,
            version: API_VERSION.to_owned(),
            capabilities: Vec::new(),
            extra: BTreeMap::from([(String::from("deactivated"), json!(false))]),
        }
    }

    fn slaves(&self) -> Vec<Slave> {
        self.world.hosts.agents.iter().enumerate().map(|(i, a)| self.slave(i, a)).collect()
    }

    fn task(&self, task: &TaskRecord) -> MesosTask {
        let status = |(state, at): &(TaskState, i64)| MesosStatus {
            state: state.name().to_owned(),
            timestamp: seconds(*at),
            extra: BTreeMap::from([(
                String::from("container_status"),
                json!({"container_id": {"value": container_id(task)}}),
            )]),
        };
        let labels = self.world.live.get(&task.id).and_then(|l| l.spec.labels.clone()).unwrap_or_default();
        MesosTask {
            id: task.id.clone(),
            name: task.app_id.trim_matches('/').split('/').rev().collect::<Vec<_>>().join("."),
            framework_id: self.framework_id(),
            executor_id: String::new(),
            slave_id: self.world.agent(&task.agent).map(|a| a.id.clone()).unwrap_or_default(),
            state: task.state.name().to_owned(),
            resources: resources(task.cpus, task.mem, ranges(task.ports.clone())),
            role: Some(String::from("*")),
            statuses: task.history.iter().map(status).collect(),
            labels: labels.into_iter().map(|(key, value)| MesosLabel { key, value }).collect(),
            extra: BTreeMap::new(),
        }
    }

    fn framework(&self) -> Framework {
        let extra = json!({
            "hostname": self.core.config.hostname, "connected": true, "checkpoint": true, "roles": ["*"], "user": "root",
            "webui_url": format!("http://{}", self.core.config.marathon_listen), "offers": [], "executors": [],
            "registered_time": seconds(self.core.started_ms), "used_resources": self.used(self.world.tasks.values()),
        });
        Framework {
            id: self.framework_id(),
            name: FRAMEWORK.to_owned(),
            active: true,
            tasks: self.world.tasks.values().map(|t| self.task(t)).collect(),
            unreachable_tasks: Vec::new(),
            completed_tasks: self.world.finished.values().map(|t| self.task(t)).collect(),
            extra: extra.as_object().map(|m| m.clone().into_iter().collect()).unwrap_or_default(),
        }
    }

    fn executor(&self, task: &TaskRecord) -> Executor {
        let own = self.task(task);
        let ended = task.state.is_terminal();
        Executor {
            id: task.id.clone(),
            name: format!("Command Executor (Task: {})", task.id),
            source: task.id.clone(),
            container: container_id(task),
            directory: self.core.sandboxes.of(&task.id).display().to_string(),
            resources: own.resources.clone(),
            tasks: if ended { Vec::new() } else { vec![own.clone()] },
            queued_tasks: Vec::new(),
            completed_tasks: if ended { vec![own] } else { Vec::new() },
            extra: BTreeMap::new(),
        }
    }

    fn agent(&self, index: usize, agent: &Agent) -> AgentState {
        let mine = |t: &&TaskRecord| t.agent == agent.config.name;
        let running = self.world.hosts.tasks(index).filter_map(|id| self.world.tasks.get(id));
        let slave = self.slave(index, agent);
        AgentState {
            version: API_VERSION.to_owned(),
            id: agent.id.clone(),
            pid: slave.pid,
            hostname: slave.hostname,
            attributes: slave.attributes,
            resources: slave.resources,
            frameworks: vec![AgentFramework {
                id: self.framework_id(),
                name: FRAMEWORK.to_owned(),
                executors: running.map(|t| self.executor(t)).collect(),
                completed_executors: self.world.finished.values().filter(mine).map(|t| self.executor(t)).collect(),
                extra: BTreeMap::new(),
            }],
            completed_frameworks: Vec::new(),
            extra: BTreeMap::from([
                (String::from("start_time"), json!(seconds(self.core.started_ms))),
                (String::from("master_hostname"), json!(self.core.config.hostname)),
            ]),
        }
    }
}

/// Mesos tells numbers as numbers.
fn attribute(text: &str) -> Value {
    text.parse::<f64>().ok().filter(|n| n.is_finite()).map_or_else(|| json!(text), |n| json!(n))
}

fn container_id(task: &TaskRecord) -> String {
    task.container.trim_start_matches("mesos-").to_owned()
}

fn view<T>(mesos: &Shared, show: impl FnOnce(&View<'_>) -> T) -> T {
    mesos.core.look(|world| show(&View { core: &mesos.core, world }))
}

/// `/master/state`
pub(super) async fn master(mesos: Shared) -> Response {
    let state = view(&mesos, |v| {
        let slaves = v.slaves();
        let active = slaves.iter().filter(|s| s.active).count();
        let config = &v.core.config;
        let pid = format!("master@{}", config.mesos_listen);
        let leader =
            json!({"id": v.core.id, "pid": pid, "hostname": config.hostname, "port": config.mesos_listen.port()});
        MasterState {
            version: API_VERSION.to_owned(),
            id: v.core.id.clone(),
            leader: Some(pid.clone()),
            pid,
            hostname: config.hostname.clone(),
            start_time: seconds(v.core.started_ms),
            elected_time: seconds(v.core.started_ms),
            activated_slaves: active as f64,
            deactivated_slaves: 0.0,
            unreachable_slaves: (slaves.len() - active) as f64,
            slaves,
            frameworks: vec![v.framework()],
            completed_frameworks: Vec::new(),
            extra: BTreeMap::from([
                (String::from("leader_info"), leader),
                (String::from("cluster"), json!("padis")),
                (String::from("orphan_tasks"), json!([])),
                (String::from("unregistered_frameworks"), json!([])),
                (String::from("recovered_slaves"), json!([])),
            ]),
        }
    });
    Json(state).into_response()
}

/// `/master/slaves`
pub(super) async fn slaves(mesos: Shared) -> Response {
    Json(Slaves { slaves: view(&mesos, |v| v.slaves()), recovered_slaves: Vec::new() }).into_response()
}

/// `/master/frameworks`
pub(super) async fn frameworks(mesos: Shared) -> Response {
    let framework = view(&mesos, |v| v.framework());
    Json(json!({"frameworks": [framework], "completed_frameworks": [], "unregistered_frameworks": []})).into_response()
}

/// `/master/tasks`
pub(super) async fn tasks(mesos: Shared) -> Response {
    let tasks: Vec<MesosTask> =
        view(&mesos, |v| v.world.tasks.values().chain(v.world.finished.values()).map(|t| v.task(t)).collect());
    Json(json!({"tasks": tasks})).into_response()
}

/// `/slave(N)/state`
pub(super) async fn agent(mesos: Shared, Path(agent): Path<String>) -> Response {
    let state = view(&mesos, |v| {
        let index = index_of(&agent)?;
        v.world.hosts.agents.get(index).map(|a| v.agent(index, a))
    });
    state.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |state| Json(state).into_response())
}

/// `slave(2)` is the agent with the index 1.
pub(super) fn index_of(agent: &str) -> Option<usize> {
    agent.strip_prefix("slave(")?.strip_suffix(')')?.parse::<usize>().ok()?.checked_sub(1)
}

/// `/metrics/snapshot`
pub(super) async fn metrics(mesos: Shared) -> Response {
    let uptime = (padis_protocol::timestamp::now_ms() - mesos.core.started_ms).max(0);
    let metrics = view(&mesos, |v| {
        let world = v.world;
        let count = |state: TaskState| world.tasks.values().filter(|t| t.state == state).count() as f64;
        let done = |state: TaskState| world.finished.values().filter(|t| t.state == state).count() as f64;
        let cpus: f64 = world.hosts.agents.iter().map(|a| a.config.cpus).sum();
        let mem: f64 = world.hosts.agents.iter().map(|a| a.config.mem_mib as f64).sum();
        let cpus_used: f64 = world.tasks.values().map(|t| t.cpus).sum();
        let mem_used: f64 = world.tasks.values().map(|t| t.mem).sum();
        let active = world.hosts.agents.iter().filter(|a| world.hosts.up.get(a.node) == Some(&true)).count();
        let values = [
            ("master/elected", 1.0),
            ("master/uptime_secs", seconds(uptime)),
            ("master/cpus_total", cpus),
            ("master/cpus_used", cpus_used),
            ("master/cpus_percent", cpus_used / cpus),
            ("master/mem_total", mem),
            ("master/mem_used", mem_used),
            ("master/mem_percent", mem_used / mem),
            ("master/slaves_active", active as f64),
            ("master/slaves_connected", active as f64),
            ("master/slaves_disconnected", (world.hosts.agents.len() - active) as f64),
            ("master/slaves_inactive", 0.0),
            ("master/frameworks_active", 1.0),
            ("master/frameworks_connected", 1.0),
            ("master/tasks_staging", count(TaskState::TaskStaging)),
            ("master/tasks_starting", count(TaskState::TaskStarting)),
            ("master/tasks_running", count(TaskState::TaskRunning)),
            ("master/tasks_killing", count(TaskState::TaskKilling)),
            ("master/tasks_failed", done(TaskState::TaskFailed)),
            ("master/tasks_finished", done(TaskState::TaskFinished)),
            ("master/tasks_killed", done(TaskState::TaskKilled)),
        ];
        values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Metrics>()
    });
    Json(metrics).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_as_ranges() {
        assert_eq!(ranges(vec![31_002, 31_000, 31_001, 31_500]), "[31000-31002, 31500-31500]");
        assert_eq!(ranges(Vec::new()), "");
    }

    #[test]
    fn agents_have_process_names() {
        assert_eq!(index_of("slave(1)"), Some(0));
        assert_eq!(index_of("slave(0)"), None);
        assert_eq!(index_of("master"), None);
    }
}
