//! The agents and what is free on them, kept up to date with every task that
//! comes and goes.
//!
//! Adding up all tasks whenever something is placed would make 100,000 instances
//! a matter of hours. One could get it wrong by changing the numbers in several
//! places: `occupy` and `vacate` are the only two, and tests hold them against the sum.
//!
//! In a Mesos cluster nobody here knows what an agent has; what is free there is
//! what is on offer at this moment ([`super::offers`]). An agent without an offer is
//! not looked at, and an offer that was used is gone whole.

use super::offers::Offers;
use crate::config::AgentConfig;
use crate::placement::Room;
use crate::record::TaskRecord;
use rand::Rng;
use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
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
    /// In a Mesos cluster: what is on offer.
    pub offers: Option<Offers>,
    by_name: HashMap<String, usize>,
    /// Ports in use on each machine.
    ports: Vec<BTreeSet<u16>>,
    /// Tasks on each agent.
    tasks: Vec<BTreeSet<String>>,
    /// Agents whose machine is under maintenance.
    closed: BTreeSet<usize>,
    some_shut: bool,
    range: RangeInclusive<u16>,
}

impl Hosts {
    /// No machine answers yet, nothing is used.
    pub fn new(agents: Vec<Agent>, range: RangeInclusive<u16>) -> Self {
        let mut hosts = Self {
            agents: Vec::new(),
            rooms: Vec::new(),
            up: Vec::new(),
            offers: None,
            by_name: HashMap::new(),
            ports: Vec::new(),
            tasks: Vec::new(),
            closed: BTreeSet::new(),
            some_shut: false,
            range,
        };
        for agent in agents {
            hosts.add(agent);
        }
        hosts
    }

    /// One more agent; its index.
    pub fn add(&mut self, agent: Agent) -> usize {
        let nodes = self.up.len().max(agent.node + 1);
        self.up.resize(nodes, false);
        self.ports.resize(nodes, BTreeSet::new());
        self.by_name.insert(agent.config.name.clone(), self.agents.len());
        let (cpus, mem) = (agent.config.cpus, agent.config.mem_mib as f64);
        let disk = agent.config.disk_mib.unwrap_or(0) as f64;
        self.rooms.push(Room {
            name: agent.config.name.as_str().into(),
            attributes: Arc::new(agent.config.attributes.clone()),
            cpus_total: cpus,
            mem_total: mem,
            cpus_free: cpus,
            mem_free: mem,
            disk_total: disk,
            disk_free: disk,
            gpus_free: 0,
            ports_free: self.range.len(),
            roles: Arc::new(vec![String::from("*")]),
            shares: Vec::new(),
            offered: self.offers.is_none(),
            up: self.up.get(agent.node).copied().unwrap_or(false),
            draining: false,
        });
        self.tasks.push(BTreeSet::new());
        self.agents.push(agent);
        self.agents.len() - 1
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

    /// Whether a port can't be had on an agent by who accepts these roles.
    pub fn is_taken(&self, index: usize, port: u16, roles: &[String]) -> bool {
        if let Some(offers) = &self.offers {
            return !offers.has_port(index, port, roles);
        }
        let node = self.agents.get(index).map(|a| a.node);
        node.and_then(|n| self.ports.get(n)).is_some_and(|used| used.contains(&port))
    }

    /// Host ports for a task: those asked for, any for 0; `None` if there are too few
    /// (agents of one machine share its ports). From a random one upwards: a port that
    /// a stranger holds is then not tried again and again.
    pub fn give_ports(&self, index: usize, asked: &[u16], roles: &[String]) -> Option<Vec<u16>> {
        let mut given: Vec<u16> = asked.iter().copied().filter(|p| *p != 0).collect();
        let mut answer = Vec::with_capacity(asked.len());
        for &port in asked {
            if port != 0 {
                answer.push(port);
                continue;
            }
            let ranges: Vec<(u16, u16)> = match &self.offers {
                Some(offers) => offers.port_ranges(index, roles),
                None => vec![(*self.range.start(), *self.range.end())],
            };
            let free = |p: &u16| !given.contains(p) && !self.is_taken(index, *p, roles);
            let pick = |(first, last): (u16, u16)| {
                let start = rand::rng().random_range(first..=last);
                (start..=last).chain(first..start).find(free)
            };
            let port = ranges.into_iter().filter(|(first, last)| first <= last).find_map(pick)?;
            given.push(port);
            answer.push(port);
        }
        Some(answer)
    }

    /// A task takes its share.
    pub fn occupy(&mut self, task: &TaskRecord) {
        let Some(index) = self.index(&task.agent) else { return };
        if !self.tasks.get_mut(index).is_some_and(|tasks| tasks.insert(task.id.clone())) {
            return;
        }
        let Some(room) = self.rooms.get_mut(index) else { return };
        room.cpus_free -= task.cpus;
        room.mem_free -= task.mem;
        room.disk_free -= task.disk;
        room.ports_free = room.ports_free.saturating_sub(task.ports.len());
        let node = self.agents.get(index).map_or(0, |a| a.node);
        match (&mut self.offers, self.ports.get_mut(node)) {
            (Some(offers), _) => offers.use_ports(index, &task.ports),
            (None, Some(ports)) => ports.extend(&task.ports),
            (None, None) => {}
        }
    }

    /// A task gives its share back. What was an offer comes back as another offer.
    pub fn vacate(&mut self, task: &TaskRecord) {
        let Some(index) = self.index(&task.agent) else { return };
        let Some(tasks) = self.tasks.get_mut(index) else { return };
        if !tasks.remove(&task.id) || self.offers.is_some() {
            return;
        }
        let empty = tasks.is_empty();
        let Some(room) = self.rooms.get_mut(index) else { return };
        room.cpus_free += task.cpus;
        room.mem_free += task.mem;
        room.disk_free += task.disk;
        if empty {
            // Sums of shares like 0.1 drift; an empty agent has exactly what it has.
            (room.cpus_free, room.mem_free) = (room.cpus_total, room.mem_total);
            room.disk_free = room.disk_total;
        }
        room.ports_free += task.ports.len();
        let node = self.agents.get(index).map_or(0, |a| a.node);
        if let Some(ports) = self.ports.get_mut(node) {
            for port in &task.ports {
                ports.remove(port);
            }
        }
    }

    /// A machine answers, or does not.
    pub fn node_is(&mut self, node: usize, up: bool) {
        if let Some(state) = self.up.get_mut(node) {
            *state = up;
        }
        for (index, (agent, room)) in self.agents.iter().zip(&mut self.rooms).enumerate() {
            if agent.node == node {
                room.up = up && !self.closed.contains(&index);
            }
        }
    }

    /// All machines answer.
    pub fn all_up(&mut self) {
        self.up.fill(true);
        for (index, room) in self.rooms.iter_mut().enumerate() {
            room.up = !self.closed.contains(&index);
        }
    }

    /// Agents that are under maintenance, and agents out of service. True if one may be used again.
    pub fn shut(&mut self, closed: BTreeSet<usize>, out: BTreeSet<usize>) -> bool {
        let mut opened = false;
        for (index, (agent, room)) in self.agents.iter().zip(&mut self.rooms).enumerate() {
            let up = self.up.get(agent.node).copied().unwrap_or(false) && !closed.contains(&index);
            let draining = out.contains(&index);
            opened |= up && !draining && (!room.up || room.draining);
            (room.up, room.draining) = (up, draining);
        }
        self.some_shut = !(closed.is_empty() && out.is_empty());
        self.closed = closed;
        opened
    }

    /// Whether some agent is under maintenance or out of service.
    pub fn some_shut(&self) -> bool {
        self.some_shut
    }

    /// Whether an agent's machine answers.
    pub fn answers(&self, agent: &Agent) -> bool {
        self.up.get(agent.node).copied().unwrap_or(false)
    }

    /// The most that is free on any agent: cores and MiB of memory, of different agents perhaps.
    pub fn roomiest(&self) -> (f64, f64) {
        let up = self.rooms.iter().filter(|r| r.up && r.offered && !r.draining);
        up.fold((0.0, 0.0), |(cpus, mem), r| (r.cpus_free.max(cpus), r.mem_free.max(mem)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn ports_of_one_machine_are_given_once_and_never_too_few() {
        let agent = |name: &str| {
            let config = AgentConfig {
                name: name.to_owned(),
                attributes: BTreeMap::new(),
                cpus: 1.0,
                mem_mib: 64,
                disk_mib: Some(64),
                docker: None,
            };
            Agent { config, node: 0, id: name.to_owned() }
        };
        let mut hosts = Hosts::new(vec![agent("a"), agent("b")], 31_000..=31_002);
        let mut given = hosts.give_ports(0, &[0, 31_001], &[]).unwrap();
        assert_eq!(given[1], 31_001);
        hosts.ports[0].extend(&given);
        let last = hosts.give_ports(1, &[0], &[]).unwrap();
        given.extend(&last);
        given.sort_unstable();
        assert_eq!(given, [31_000, 31_001, 31_002]);
        assert_eq!(hosts.give_ports(1, &[0, 0], &[]), None, "one is left on the machine, two are asked for");
    }
}
