//! What operators have ordered: agents out of service, machines under maintenance.
//!
//! Three things that one could take for one, because after each of them nothing new
//! goes to the agent: *deactivated* leaves what runs there alone; *draining* ends it,
//! all at once and whatever the apps' upgrade strategies say, and becomes *drained*
//! when nothing is left; a *maintenance window* only announces, until the machine is
//! set *down*. The apps bring their instances elsewhere as after any other end: the
//! scheduler knows nothing of the reason.
//!
//! Kept by the agents' names, not by their ids: an id is a place in the
//! configuration, and another agent may have it after a change there.

use super::World;
use crate::record::{DrainRecord, MaintenanceRecord, OutRecord, Record};
use padis_protocol::mesos::v1::{MachineId, Window};
use padis_protocol::timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Said of a task that a drain ended.
pub(crate) const DRAINING: &str = "Agent is draining";
/// Said of a task whose machine was set down.
const DOWN: &str = "Operator initiated 'Machine DOWN'";

/// The orders in force.
#[derive(Default)]
pub(crate) struct Operator {
    /// Agents out of service, by name.
    pub out: BTreeMap<String, OutRecord>,
    pub maintenance: MaintenanceRecord,
    /// The address by which operators name the machines: the one that the engine listens on.
    pub ip: String,
}

/// Why an agent can't be put back into service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotBack {
    /// It was never out, or nobody knows it.
    InService,
    Draining,
}

/// Same machine: the address to the letter, the name without regard to case.
pub(crate) fn same_machine(a: &MachineId, b: &MachineId) -> bool {
    let name = |m: &MachineId| m.hostname.as_deref().unwrap_or_default().to_ascii_lowercase();
    let ip = |m: &MachineId| m.ip.clone().unwrap_or_default();
    name(a) == name(b) && ip(a) == ip(b)
}

/// Whole seconds that hold so many nanoseconds; what is negative is none.
fn seconds(nanoseconds: i64) -> u32 {
    let ns = u64::try_from(nanoseconds).unwrap_or(0);
    u32::try_from(ns.div_ceil(1_000_000_000)).unwrap_or(u32::MAX)
}

impl World {
    /// Ends what runs on an agent and lets nothing new go there. Asked again, the new
    /// grace counts; one that is drained is drained again.
    pub fn drain(&mut self, index: usize, max_grace_ns: Option<i64>) {
        let Some(name) = self.hosts.agents.get(index).map(|a| a.config.name.clone()) else { return };
        let drain = DrainRecord { max_grace_ns, since_ms: timestamp::now_ms(), drained: false };
        self.put_out(OutRecord { agent: name.clone(), drain: Some(drain) });
        let tasks: Vec<String> = self.hosts.tasks(index).map(str::to_owned).collect();
        for id in tasks {
            if let (Some(ns), Some(task)) = (max_grace_ns, self.tasks.get_mut(&id)) {
                task.grace_s = task.grace_s.min(seconds(ns));
            }
            self.killing(&id, DRAINING);
        }
        self.left(&name);
    }

    /// Lets nothing new go to an agent. What drains or is drained stays so.
    pub fn deactivate(&mut self, index: usize) {
        let Some(name) = self.hosts.agents.get(index).map(|a| a.config.name.clone()) else { return };
        if !self.operator.out.contains_key(&name) {
            self.put_out(OutRecord { agent: name, drain: None });
        }
    }

    /// Takes an agent back into service.
    pub fn reactivate(&mut self, index: Option<usize>) -> Result<(), NotBack> {
        let name = index.and_then(|i| self.hosts.agents.get(i)).map(|a| a.config.name.clone()).unwrap_or_default();
        let out = self.operator.out.get(&name).ok_or(NotBack::InService)?;
        if out.drain.as_ref().is_some_and(|d| !d.drained) {
            return Err(NotBack::Draining);
        }
        self.operator.out.remove(&name);
        self.records.push(Record::OutGone(name));
        self.shut();
        self.room_freed = true;
        Ok(())
    }

    fn put_out(&mut self, out: OutRecord) {
        self.records.push(Record::Out(Box::new(out.clone())));
        self.operator.out.insert(out.agent.clone(), out);
        self.shut();
    }

    /// A task has left an agent, or was never there: is it drained?
    pub fn left(&mut self, agent: &str) {
        let Some(out) = self.operator.out.get(agent) else { return };
        let Some(drain) = out.drain.clone().filter(|d| !d.drained) else { return };
        if self.hosts.index(agent).is_some_and(|i| self.hosts.tasks(i).next().is_some()) {
            return;
        }
        tracing::info!(agent.name = agent, "engine: an agent is drained");
        self.put_out(OutRecord { agent: agent.to_owned(), drain: Some(DrainRecord { drained: true, ..drain }) });
    }

    /// After the log was read.
    pub fn restore_orders(&mut self) {
        self.shut();
        let names: Vec<String> = self.operator.out.keys().cloned().collect();
        for name in names {
            self.left(&name);
        }
    }

    /// The machine that an agent is on, as operators name it.
    pub fn machine(&self, index: usize) -> MachineId {
        let hostname = self.hosts.agents.get(index).map(|a| a.config.name.clone());
        MachineId { hostname, ip: Some(self.operator.ip.clone()), ..MachineId::default() }
    }

    /// Whether an agent's machine was set down.
    pub fn is_down(&self, index: usize) -> bool {
        if self.operator.maintenance.down.is_empty() {
            return false;
        }
        let machine = self.machine(index);
        self.operator.maintenance.down.iter().any(|m| same_machine(m, &machine))
    }

    /// The agents on machines.
    fn on(&self, machines: &[MachineId]) -> Vec<usize> {
        let all = (0..self.hosts.agents.len()).filter(|i| machines.iter().any(|m| same_machine(m, &self.machine(*i))));
        all.collect()
    }

    /// Replaces the schedule of maintenance.
    pub fn put_windows(&mut self, windows: Vec<Window>) {
        self.operator.maintenance.windows = windows;
        self.note_maintenance();
    }

    /// Sets machines down: what runs there ends and their agents go.
    pub fn set_down(&mut self, machines: &[MachineId]) {
        self.operator.maintenance.down.extend(machines.iter().cloned());
        self.note_maintenance();
        for index in self.on(machines) {
            self.agents_told.push((index, false));
            for id in self.hosts.tasks(index).map(str::to_owned).collect::<Vec<_>>() {
                self.killing(&id, DOWN);
            }
        }
    }

    /// Sets machines up again; with that their maintenance is over.
    pub fn set_up(&mut self, machines: &[MachineId]) {
        self.agents_told.extend(self.on(machines).into_iter().map(|index| (index, true)));
        let other = |m: &MachineId| !machines.iter().any(|up| same_machine(up, m));
        let maintenance = &mut self.operator.maintenance;
        maintenance.down.retain(other);
        for window in &mut maintenance.windows {
            window.machine_ids.retain(other);
        }
        maintenance.windows.retain(|w| !w.machine_ids.is_empty());
        self.note_maintenance();
    }

    fn note_maintenance(&mut self) {
        self.records.push(Record::Maintenance(Box::new(self.operator.maintenance.clone())));
        self.shut();
        self.room_freed = true;
    }

    /// Takes the orders over to the rooms. The answer is when a window begins or ends next.
    pub fn shut(&mut self) -> Option<Instant> {
        if self.hosts.offers.is_some() {
            return None; // the master's operators give the orders there
        }
        let MaintenanceRecord { windows, down } = &self.operator.maintenance;
        if windows.is_empty() && down.is_empty() && self.operator.out.is_empty() && !self.hosts.some_shut() {
            return None;
        }
        let now = timestamp::now_ms();
        let mut next: Option<i64> = None;
        let mut away = Vec::new();
        for window in windows {
            let start = window.unavailability.start.as_ms();
            let length = window.unavailability.duration.as_ref().map(|d| d.as_nanoseconds() / 1_000_000);
            let end = length.map(|ms| start.saturating_add(ms));
            if start <= now && end.is_none_or(|end| now < end) {
                away.extend(window.machine_ids.iter().cloned());
            }
            next = [Some(start), end, next].into_iter().flatten().filter(|at| *at > now).min();
        }
        let none = away.is_empty() && down.is_empty();
        let closed: BTreeSet<usize> = if none {
            BTreeSet::new()
        } else {
            let away = |i: usize| {
                let machine = self.machine(i);
                away.iter().chain(down).any(|m| same_machine(m, &machine))
            };
            (0..self.hosts.agents.len()).filter(|i| away(*i)).collect()
        };
        let out: BTreeSet<usize> = self.operator.out.keys().filter_map(|name| self.hosts.index(name)).collect();
        if self.hosts.shut(closed, out) {
            self.room_freed = true;
        }
        let wait = next.map(|at| Duration::from_millis(u64::try_from(at - now).unwrap_or(0)));
        // A window of next year needs no timer of its own.
        wait.map(|wait| Instant::now() + wait.min(Duration::from_secs(3600)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grace_is_told_in_whole_seconds_and_never_cut() {
        assert_eq!(seconds(0), 0);
        assert_eq!(seconds(1), 1);
        assert_eq!(seconds(3_000_000_000), 3);
        assert_eq!(seconds(-1), 0);
    }

    #[test]
    fn a_machine_is_known_by_name_and_address() {
        let machine =
            |h: &str, ip: &str| MachineId { hostname: Some(h.into()), ip: Some(ip.into()), ..MachineId::default() };
        assert!(same_machine(&machine("One", "127.0.0.1"), &machine("one", "127.0.0.1")));
        assert!(!same_machine(&machine("one", "127.0.0.1"), &machine("one", "127.0.0.2")));
        assert!(!same_machine(
            &MachineId { hostname: Some("one".into()), ..MachineId::default() },
            &machine("one", "127.0.0.1")
        ));
    }
}
