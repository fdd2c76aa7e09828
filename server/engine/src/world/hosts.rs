//! The agents and what is free on them, kept up to date with every task that
//! comes and goes.
//!
//! Adding up all tasks whenever something is placed would make 100,000 instances
//! a matter of hours. One could get it wrong by changing the numbers in several
//! places: `occupy` and `vacate` are the only two, and a property test holds them
//! against the sum.

use crate::config::AgentConfig;
use crate::placement::Room;
use crate::record::TaskRecord;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// One agent.
pub(crate) struct Agent {
    pub config: AgentConfig,
    /// The machine that it is on: agents of one machine share its ports.
    pub node: usize,
    /// `<engine>-S0`, as Mesos names agents.
    pub id: String,
}

/// All agents.
pub(crate) struct Hosts {
    pub agents: Vec<Agent>,
    /// What is free on each, in the same order.
    pub rooms: Vec<Room>,
    /// Whether each machine answers.
    pub up: Vec<bool>,
    by_name: HashMap<String, usize>,
    /// Ports in use on each machine.
    ports: Vec<BTreeSet<u16>>,
    /// Tasks on each agent.
    tasks: Vec<BTreeSet<String>>,
    port_count: usize,
}

impl Hosts {
    /// No machine answers yet, nothing is used.
    pub fn new(agents: Vec<Agent>, port_count: usize) -> Self {
        let mut hosts = Self {
            agents: Vec::new(),
            rooms: Vec::new(),
            up: Vec::new(),
            by_name: HashMap::new(),
            ports: Vec::new(),
            tasks: Vec::new(),
            port_count,
        };
        for agent in agents {
            hosts.add(agent);
        }
        hosts
    }

    fn add(&mut self, agent: Agent) {
        let nodes = self.up.len().max(agent.node + 1);
        self.up.resize(nodes, false);
        self.ports.resize(nodes, BTreeSet::new());
        self.by_name.insert(agent.config.name.clone(), self.agents.len());
        let (cpus, mem) = (agent.config.cpus, agent.config.mem_mib as f64);
        self.rooms.push(Room {
            name: agent.config.name.as_str().into(),
            attributes: Arc::new(agent.config.attributes.clone()),
            cpus_total: cpus,
            mem_total: mem,
            disk_total: 0.0,
            cpus_free: cpus,
            mem_free: mem,
            disk_free: f64::MAX,
            ports_free: self.port_count,
            role: "*".into(),
            up: self.up.get(agent.node).copied().unwrap_or(false),
            draining: false,
        });
        self.tasks.push(BTreeSet::new());
        self.agents.push(agent);
    }

    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.agents.get(self.index(name)?)
    }

    pub fn index(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The tasks on an agent, by id.
    pub fn tasks(&self, index: usize) -> impl Iterator<Item = &str> {
        self.tasks.get(index).into_iter().flatten().map(String::as_str)
    }

    /// Ports in use on an agent's machine.
    pub fn ports(&self, index: usize) -> Option<&BTreeSet<u16>> {
        self.ports.get(self.agents.get(index)?.node)
    }

    /// A task takes its share.
    pub fn occupy(&mut self, task: &TaskRecord) {
        self.share(task, true);
    }

    /// A task gives its share back.
    pub fn vacate(&mut self, task: &TaskRecord) {
        self.share(task, false);
    }

    fn share(&mut self, task: &TaskRecord, take: bool) {
        let Some(index) = self.index(&task.agent) else { return };
        let (Some(room), Some(tasks)) = (self.rooms.get_mut(index), self.tasks.get_mut(index)) else { return };
        let fresh = if take { tasks.insert(task.id.clone()) } else { tasks.remove(&task.id) };
        if !fresh {
            return;
        }
        let sign = if take { 1.0 } else { -1.0 };
        room.cpus_free -= sign * task.cpus;
        room.mem_free -= sign * task.mem;
        if tasks.is_empty() {
            // Sums of shares like 0.1 drift; an empty agent has exactly what it has.
            (room.cpus_free, room.mem_free) = (room.cpus_total, room.mem_total);
        }
        room.ports_free =
            if take { room.ports_free.saturating_sub(task.ports.len()) } else { room.ports_free + task.ports.len() };
        let node = self.agents.get(index).map_or(0, |a| a.node);
        if let Some(ports) = self.ports.get_mut(node) {
            for port in &task.ports {
                if take { ports.insert(*port) } else { ports.remove(port) };
            }
        }
    }

    /// A machine answers, or does not.
    pub fn node_is(&mut self, node: usize, up: bool) {
        if let Some(state) = self.up.get_mut(node) {
            *state = up;
        }
        for (agent, room) in self.agents.iter().zip(&mut self.rooms) {
            if agent.node == node {
                room.up = up;
            }
        }
    }

    /// All machines answer.
    pub fn all_up(&mut self) {
        self.up.fill(true);
        for room in &mut self.rooms {
            room.up = true;
        }
    }

    /// The most that is free on any agent: cores and MiB of memory, of different agents perhaps.
    pub fn roomiest(&self) -> (f64, f64) {
        let up = self.rooms.iter().filter(|r| r.up && !r.draining);
        up.fold((0.0, 0.0), |(cpus, mem), r| (r.cpus_free.max(cpus), r.mem_free.max(mem)))
    }
}
