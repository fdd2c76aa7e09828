//! What both versions of the API tell, before it is written down: taken out of the
//! state under its lock, turned into answers without it.
//!
//! One could get it wrong by building answers under the lock: with 100,000 tasks one
//! look at `/state` would then stop the scheduler for a second.

use crate::core::Core;
use crate::record::{OutRecord, TaskRecord};
use crate::runtime::on_agent;
use crate::world::{Agent, DRAINING, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use padis_protocol::app::App;
use padis_protocol::mesos::v1::{
    AllocationInfo, ContainerId, ContainerStatus, IpAddress, IpProtocol, NetworkInfo, Resource, TaskReason, TaskSource,
    TaskStatus,
};
use padis_protocol::mesos::{Resources, format_ranges, v1};
use padis_protocol::task::TaskState;
use serde_json::json;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Name of the framework.
const FRAMEWORK: &str = "marathon";
/// What a command executor takes for itself: cores and MiB.
const EXECUTOR: (f64, f64) = (0.1, 32.0);

pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Amounts of resources.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Amounts {
    pub cpus: f64,
    pub mem: f64,
    pub ports: Vec<(u64, u64)>,
}

impl Amounts {
    pub fn of_task(task: &TaskRecord) -> Self {
        let mut sum = Self::default();
        sum.add(task);
        sum
    }

    pub fn add(&mut self, task: &TaskRecord) {
        self.cpus += task.cpus;
        self.mem += task.mem;
        self.ports.extend(task.ports.iter().map(|p| (u64::from(*p), u64::from(*p))));
    }

    pub fn join(&mut self, other: &Self) {
        self.cpus += other.cpus;
        self.mem += other.mem;
        self.ports.extend(&other.ports);
    }

    /// With what its executor takes.
    pub fn and_executor(mut self) -> Self {
        self.cpus += EXECUTOR.0;
        self.mem += EXECUTOR.1;
        self
    }

    pub fn executor() -> Self {
        Self::default().and_executor()
    }

    /// Mesos counts in thousandths; sums of shares like 0.1 are not exact.
    fn scalars(&self) -> [(&'static str, f64); 2] {
        [("cpus", (self.cpus * 1000.0).round() / 1000.0), ("mem", (self.mem * 1000.0).round() / 1000.0)]
    }

    pub fn count_of_ports(&self) -> f64 {
        self.ports.iter().map(|(first, last)| (last - first + 1) as f64).sum()
    }

    /// As version 0 writes them: always four numbers, ports as a text if there are any.
    pub fn v0(&self) -> Resources {
        let mut map: Resources =
            self.scalars().into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        // A share of a disk can't be held on overlay2, so none is promised.
        map.insert(String::from("disk"), json!(0.0));
        map.insert(String::from("gpus"), json!(0.0));
        if !self.ports.is_empty() {
            map.insert(String::from("ports"), json!(format_ranges(self.ports.iter().copied())));
        }
        map
    }

    /// As `/roles` sums them: what there is none of is not there; ports are counted.
    pub fn counted(&self) -> Resources {
        let ports = ("ports", self.count_of_ports());
        let all = self.scalars().into_iter().chain([ports]).filter(|(_, value)| *value > 0.0);
        all.map(|(name, value)| (name.to_owned(), json!(value))).collect()
    }

    /// As version 1 writes them.
    pub fn v1(&self) -> Vec<Resource> {
        let scalars = self.scalars().into_iter().filter(|(_, value)| *value > 0.0);
        let mut list: Vec<Resource> = scalars.map(|(name, value)| Resource::scalar(name, value)).collect();
        if !self.ports.is_empty() {
            let mut sorted = self.ports.clone();
            sorted.sort_unstable();
            let mut joined: Vec<(u64, u64)> = Vec::new();
            for (first, last) in sorted {
                match joined.last_mut() {
                    Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
                    _ => joined.push((first, last)),
                }
            }
            list.push(Resource::ranges("ports", joined));
        }
        list
    }

    /// Given to a role.
    pub fn allocated(&self, role: &str) -> v1::Resources {
        self.v1().into_iter().map(|r| r.allocated_to(role)).collect()
    }

    /// Of an agent, as readers of the time before reservations want them: with a role.
    pub fn unreserved(&self) -> v1::Resources {
        self.v1().into_iter().map(|r| Resource { role: Some(String::from("*")), ..r }).collect()
    }

    /// Of an agent, given to a role.
    pub fn used(&self, role: &str) -> v1::Resources {
        let allocation_info = Some(AllocationInfo { role: Some(role.to_owned()), ..AllocationInfo::default() });
        self.unreserved().0.into_iter().map(|r| Resource { allocation_info: allocation_info.clone(), ..r }).collect()
    }
}

/// Who we are.
#[derive(Debug, Clone)]
pub(super) struct Us {
    pub master: String,
    pub framework: String,
    pub framework_name: String,
    pub role: String,
    pub user: String,
    pub principal: String,
    pub failover_timeout_s: f64,
    pub ip: String,
    pub port: u16,
    pub hostname: String,
    pub webui: String,
    pub started_ms: i64,
}

impl Us {
    pub fn of(core: &Core) -> Self {
        let mesos = match &core.config.runtime {
            crate::config::RuntimeConfig::Mesos(mesos) => mesos.clone(),
            _ => crate::config::MesosConfig::at(Vec::new()),
        };
        Self {
            master: core.id.clone(),
            framework: format!("{}-0000", core.id),
            framework_name: FRAMEWORK.to_owned(),
            role: mesos.role,
            user: mesos.user,
            principal: mesos.principal.unwrap_or_else(|| FRAMEWORK.to_owned()),
            failover_timeout_s: mesos.failover_timeout.as_secs_f64(),
            ip: core.config.mesos_listen.ip().to_string(),
            port: core.config.mesos_listen.port(),
            hostname: core.config.hostname.clone(),
            webui: format!("http://{}", core.config.marathon_listen),
            started_ms: core.started_ms,
        }
    }

    /// `slave(1)@127.0.0.1:5050`, from an index that begins with 0.
    pub fn agent_pid(&self, index: usize) -> String {
        format!("slave({})@{}:{}", index + 1, self.host(), self.port)
    }

    /// The address as a part of URLs.
    pub fn host(&self) -> String {
        if self.ip.contains(':') { format!("[{}]", self.ip) } else { self.ip.clone() }
    }
}

/// A task with what is known beyond its record.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub task: TaskRecord,
    pub agent_id: String,
    pub spec: Option<Arc<App>>,
    /// What the health check on the agent says and since when, if there is one and it has
    /// said something.
    healthy: Option<(bool, i64)>,
}

impl Shown {
    pub fn of(world: &World, task: &TaskRecord) -> Self {
        let live = world.live.get(&task.id);
        let spec = live.map(|l| Arc::clone(&l.spec)).or_else(|| {
            world.apps.get(&task.app_id).and_then(|a| a.at(&task.version)).map(|app| Arc::new(app.clone()))
        });
        let checks = spec.as_ref().and_then(|s| s.health_checks.as_deref()).unwrap_or_default();
        let check = checks.iter().position(on_agent);
        let healthy = check.and_then(|i| live.and_then(|l| l.health.get(i))).and_then(|h| h.alive.zip(h.since));
        let agent_id = task.agent_id.clone().or_else(|| world.agent(&task.agent).map(|a| a.id.clone()));
        Self { task: task.clone(), agent_id: agent_id.unwrap_or_default(), spec, healthy }
    }

    pub fn container_id(&self) -> &str {
        self.task.container.trim_start_matches("mesos-")
    }

    /// `web.shop` of `/shop/web`, as Marathon names tasks.
    pub fn name(&self) -> String {
        self.task.app_id.trim_matches('/').split('/').rev().collect::<Vec<_>>().join(".")
    }

    pub fn command(&self) -> (Option<&str>, &[String]) {
        let spec = self.spec.as_deref();
        let cmd = spec.and_then(|s| s.cmd.as_deref()).filter(|c| !c.is_empty());
        (cmd, spec.and_then(|s| s.args.as_deref()).unwrap_or_default())
    }

    /// As an agent names the executor of a command: with its beginning.
    pub fn executor_name(&self) -> String {
        let short = |text: &str| match text.char_indices().nth(15) {
            Some(_) => format!("{}...", text.chars().take(12).collect::<String>()),
            None => text.to_owned(),
        };
        let command = match self.command() {
            (Some(cmd), _) if cmd.chars().count() > 15 => format!("sh -c '{}'", short(cmd)),
            (Some(cmd), _) => format!("sh -c '{cmd}'"),
            (None, []) => String::from("NO EXECUTABLE"),
            (None, args) => format!("[{}]", short(&args.join(", "))),
        };
        format!("Command Executor (Task: {}) (Command: {command})", self.task.id)
    }

    pub fn container_status(&self, us: &Us) -> ContainerStatus {
        let own: Vec<&str> = self.task.addresses.iter().map(String::as_str).collect();
        let addresses = if own.is_empty() { vec![us.ip.as_str()] } else { own };
        let address = |ip: &str| IpAddress {
            protocol: Some(if ip.contains(':') { IpProtocol::V6 } else { IpProtocol::V4 }),
            ip_address: Some(ip.to_owned()),
            ..IpAddress::default()
        };
        let network =
            NetworkInfo { ip_addresses: addresses.into_iter().map(address).collect(), ..NetworkInfo::default() };
        ContainerStatus {
            container_id: Some(ContainerId { value: self.container_id().to_owned(), ..ContainerId::default() }),
            network_infos: vec![network],
            ..ContainerStatus::default()
        }
    }

    /// Its history without the staging, which the master does not tell.
    pub fn statuses(&self, us: &Us) -> Vec<TaskStatus> {
        let told = self.task.history.iter().filter(|(state, _)| *state != TaskState::TaskStaging);
        let mut list: Vec<TaskStatus> = told.map(|(state, at)| self.status(us, state, *at)).collect();
        if let Some(last) = list.last_mut() {
            if last.state == TaskState::TaskRunning
                && let Some(health) = self.health(us)
            {
                *last = health;
            }
            if last.state.is_terminal() && !self.task.message.is_empty() {
                last.message = Some(self.task.message.clone());
            }
        }
        list
    }

    /// The update that told its health last.
    pub fn health(&self, us: &Us) -> Option<TaskStatus> {
        let (healthy, since_ms) = self.healthy?;
        let status = self.status(us, &TaskState::TaskRunning, since_ms);
        let reason = Some(TaskReason::TaskHealthCheckStatusUpdated);
        Some(TaskStatus { healthy: Some(healthy), reason, ..status })
    }

    fn status(&self, us: &Us, state: &TaskState, at_ms: i64) -> TaskStatus {
        let drained = self.task.message == DRAINING && matches!(state, TaskState::TaskKilling | TaskState::TaskKilled);
        TaskStatus {
            task_id: self.task.id.as_str().into(),
            state: state.clone(),
            source: Some(if *state == TaskState::TaskUnreachable { TaskSource::Master } else { TaskSource::Executor }),
            reason: drained.then_some(TaskReason::AgentDraining),
            agent_id: Some(self.agent_id.as_str().into()),
            executor_id: Some(self.task.id.as_str().into()),
            timestamp: Some(seconds(at_ms)),
            uuid: Some(uuid(&self.task.id, state, at_ms)),
            container_status: Some(self.container_status(us)),
            ..TaskStatus::default()
        }
    }
}

/// The identity of an update: the same whenever it is told.
fn uuid(task: &str, state: &TaskState, at_ms: i64) -> String {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (task, state.name(), at_ms, salt).hash(&mut hasher);
        hasher.finish().to_be_bytes()
    };
    STANDARD.encode([half(0), half(1)].concat())
}

/// An agent.
#[derive(Debug, Clone)]
pub(super) struct AgentFacts {
    pub index: usize,
    pub id: String,
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub total: Amounts,
    pub used: Amounts,
    /// Its machine answers.
    pub up: bool,
    pub out: Option<OutRecord>,
}

impl AgentFacts {
    fn of(core: &Core, world: &World, index: usize, agent: &Agent) -> Self {
        let mut used = Amounts::default();
        for task in world.hosts.tasks(index).filter_map(|id| world.tasks.get(id)) {
            used.add(task);
        }
        let ports = (u64::from(*core.config.ports.start()), u64::from(*core.config.ports.end()));
        Self {
            index,
            id: agent.id.clone(),
            name: agent.config.name.clone(),
            attributes: agent.config.attributes.clone(),
            total: Amounts { cpus: agent.config.cpus, mem: agent.config.mem_mib as f64, ports: vec![ports] },
            used,
            up: world.hosts.answers(agent),
            out: world.operator.out.get(&agent.config.name).cloned(),
        }
    }

    /// All, also those on machines that are down.
    pub fn every(core: &Core, world: &World) -> Vec<Self> {
        world.hosts.agents.iter().enumerate().map(|(index, agent)| Self::of(core, world, index, agent)).collect()
    }

    /// All that operators see: those on machines that are down have gone.
    pub fn all(core: &Core, world: &World) -> Vec<Self> {
        let agents = world.hosts.agents.iter().enumerate().filter(|(i, _)| !world.is_down(*i));
        agents.map(|(index, agent)| Self::of(core, world, index, agent)).collect()
    }

    /// The agent that has this process name, `slave(2)`.
    pub fn named(core: &Core, process: &str) -> Option<Self> {
        let index = index_of(process)?;
        core.look(|w| w.hosts.agents.get(index).map(|agent| Self::of(core, w, index, agent)))
    }

    /// Whether its resources are offered.
    pub fn active(&self) -> bool {
        self.up && self.out.is_none()
    }

    pub fn deactivated(&self) -> bool {
        self.out.is_some()
    }

    /// How far its draining is, and since when in seconds.
    pub fn drain(&self) -> Option<(v1::DrainInfo, f64)> {
        let drain = self.out.as_ref()?.drain.as_ref()?;
        let state = if drain.drained { v1::DrainState::Drained } else { v1::DrainState::Draining };
        let grace = |ns: i64| v1::DurationInfo { nanoseconds: Some(ns), ..v1::DurationInfo::default() };
        let config = v1::DrainConfig {
            max_grace_period: drain.max_grace_ns.map(grace),
            mark_gone: Some(false),
            ..v1::DrainConfig::default()
        };
        Some((v1::DrainInfo { state, config: Some(config), ..v1::DrainInfo::default() }, seconds(drain.since_ms)))
    }
}

/// `slave(2)` is the agent with the index 1.
pub(super) fn index_of(process: &str) -> Option<usize> {
    process.strip_prefix("slave(")?.strip_suffix(')')?.parse::<usize>().ok()?.checked_sub(1)
}

/// What a master says it can.
pub(super) const MASTER_CAN: [&str; 3] = ["AGENT_UPDATE", "AGENT_DRAINING", "QUOTA_V2"];
/// What an agent says it can.
pub(super) const AGENT_CAN: [&str; 8] = [
    "MULTI_ROLE",
    "HIERARCHICAL_ROLE",
    "RESERVATION_REFINEMENT",
    "RESOURCE_PROVIDER",
    "RESIZE_VOLUME",
    "AGENT_OPERATION_FEEDBACK",
    "AGENT_DRAINING",
    "TASK_RESOURCE_LIMITS",
];
/// What our framework says it can.
pub(super) use crate::runtime::FRAMEWORK_CAN;
