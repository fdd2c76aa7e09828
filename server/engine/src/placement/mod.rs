//! Where instances go, as a pure function of agents, what they hold, and the
//! app's constraints.
//!
//! The stages of the funnel and their names are Marathon's (`NoOfferMatchReason`):
//! an agent is refused for the first stage that it fails. Constraints are
//! Marathon's `Constraints.scala` in words: they look at the *live* instances of
//! the same app. One could get it wrong by letting an agent without the attribute
//! pass: only UNLIKE is satisfied by an absent attribute. Among the agents that
//! fit, the one with the fewest instances of the app wins, then the one with the
//! largest free share, so that the loss of one agent costs as little as possible.
//!
//! The agents are looked at once per app and turn, not once per instance: with
//! 10,000 agents the difference decides whether 100,000 instances take seconds or
//! hours. [`Placer`] keeps them in a heap; what a placement changes is asked again
//! when an agent comes to the top.

mod constraint;
mod share;

pub(crate) use constraint::{Rules, check};
pub(crate) use share::{Share, accepts};

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

/// An agent with what is free on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Room {
    pub name: Arc<str>,
    pub attributes: Arc<BTreeMap<String, String>>,
    pub cpus_total: f64,
    pub mem_total: f64,
    pub disk_total: f64,
    pub cpus_free: f64,
    pub mem_free: f64,
    pub disk_free: f64,
    pub gpus_free: u32,
    pub ports_free: usize,
    /// Roles of what is free; `*` is what is not reserved.
    pub roles: Arc<Vec<String>>,
    /// The pieces by role, in a Mesos cluster. Elsewhere none: all is `*`.
    pub shares: Vec<Share>,
    /// It can be had now; in a Mesos cluster only while it is on offer.
    pub offered: bool,
    pub up: bool,
    /// It is being emptied: nothing new goes there.
    pub draining: bool,
}

/// What one instance asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Need<'a> {
    pub cpus: f64,
    pub mem: f64,
    pub disk: f64,
    pub gpus: u32,
    pub ports: usize,
    /// Accepted roles; empty means all that the framework has.
    pub roles: &'a [String],
    pub constraints: &'a [Vec<String>],
}

/// Why an agent was refused; the order is the funnel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Refusal {
    UnfulfilledRole,
    UnfulfilledConstraint,
    AgentMaintenance,
    DrainingHost,
    InsufficientCpus,
    InsufficientMemory,
    InsufficientDisk,
    InsufficientGpus,
    InsufficientPorts,
}

impl Refusal {
    pub const FUNNEL: [Self; 9] = [
        Self::UnfulfilledRole,
        Self::UnfulfilledConstraint,
        Self::AgentMaintenance,
        Self::DrainingHost,
        Self::InsufficientCpus,
        Self::InsufficientMemory,
        Self::InsufficientDisk,
        Self::InsufficientGpus,
        Self::InsufficientPorts,
    ];
    pub fn name(self) -> &'static str {
        match self {
            Self::UnfulfilledRole => "UnfulfilledRole",
            Self::UnfulfilledConstraint => "UnfulfilledConstraint",
            Self::AgentMaintenance => "AgentMaintenance",
            Self::DrainingHost => "DrainingHost",
            Self::InsufficientCpus => "InsufficientCpus",
            Self::InsufficientMemory => "InsufficientMemory",
            Self::InsufficientDisk => "InsufficientDisk",
            Self::InsufficientGpus => "InsufficientGpus",
            Self::InsufficientPorts => "InsufficientPorts",
        }
    }
    /// Whether room that is freed could change it.
    pub fn is_about_room(self) -> bool {
        !matches!(self, Self::UnfulfilledRole | Self::InsufficientGpus)
    }
}

/// Sums of shares like 0.1 are not exact; this much is forgiven (Mesos counts in thousandths).
const SLACK: f64 = 0.0005;

/// One agent in the heap, the best on top: fewest instances in its group, fewest of the
/// app, largest share left.
#[derive(Debug, PartialEq)]
struct Rank {
    crowd: usize,
    count: usize,
    left: f64,
    index: usize,
}

impl Eq for Rank {}
impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let worse = |r: &Self| (r.crowd, r.count);
        (worse(other).cmp(&worse(self)))
            .then_with(|| self.left.total_cmp(&other.left))
            .then_with(|| other.index.cmp(&self.index))
    }
}

/// Places the instances of one app, one after the other.
pub(crate) struct Placer<'a> {
    need: Need<'a>,
    rules: Rules<'a>,
    heap: BinaryHeap<Rank>,
    /// Instances of the app on each agent that has any.
    counts: BTreeMap<usize, usize>,
    /// Agents on whose machine a port that the app names is taken.
    full: BTreeSet<usize>,
}

impl<'a> Placer<'a> {
    /// `beside` are the agents (by index) that hold the app's live instances, one
    /// entry for each instance.
    /// On the agents in `full` a port that the app names is taken.
    pub fn new(rooms: &[Room], need: Need<'a>, beside: &[usize], full: BTreeSet<usize>) -> Self {
        let mut rules = Rules::new(need.constraints);
        let mut counts = BTreeMap::new();
        for index in beside {
            *counts.entry(*index).or_default() += 1;
            if let Some(room) = rooms.get(*index) {
                rules.add(room);
            }
        }
        let mut placer = Self { need, rules, heap: BinaryHeap::new(), counts, full };
        placer.fill(rooms);
        placer
    }

    fn fill(&mut self, rooms: &[Room]) {
        let offered = (0..rooms.len()).filter(|i| rooms.get(*i).is_some_and(|r| r.offered));
        let ranks: Vec<Rank> = offered.filter_map(|i| self.rank(rooms, i)).collect();
        self.heap = ranks.into();
    }

    fn rank(&self, rooms: &[Room], index: usize) -> Option<Rank> {
        let room = rooms.get(index)?;
        self.fits(index, room).ok()?;
        let left =
            ((room.cpus_free - self.need.cpus) / room.cpus_total).min((room.mem_free - self.need.mem) / room.mem_total);
        let count = self.counts.get(&index).copied().unwrap_or(0);
        Some(Rank { crowd: self.rules.crowd(room), count, left, index })
    }

    /// The best agent for one more instance.
    pub fn next(&mut self, rooms: &[Room]) -> Option<usize> {
        while let Some(top) = self.heap.pop() {
            match self.rank(rooms, top.index) {
                Some(now) if now == top => return Some(top.index),
                // It has changed since: back to where it belongs now.
                Some(now) => self.heap.push(now),
                None => {}
            }
        }
        None
    }

    /// An instance was put on an agent, and `rooms` say so already.
    pub fn placed(&mut self, rooms: &[Room], index: usize) {
        *self.counts.entry(index).or_default() += 1;
        let Some(room) = rooms.get(index) else { return };
        self.rules.add(room);
        if self.rules.opens() {
            // A group that was full may be open again: only looking at all can tell.
            self.fill(rooms);
        } else if let Some(rank) = self.rank(rooms, index) {
            self.heap.push(rank);
        }
    }

    /// On these agents, too, a port that the app names is taken now.
    pub fn fill_up(&mut self, agents: impl Iterator<Item = usize>) {
        self.full.extend(agents);
    }

    /// Why each agent is refused at present, by index.
    pub fn refusals(&self, rooms: &[Room]) -> Vec<(usize, Refusal)> {
        rooms
            .iter()
            .enumerate()
            .filter(|(_, r)| r.offered)
            .filter_map(|(i, r)| self.fits(i, r).err().map(|why| (i, why)))
            .collect()
    }

    /// Whether one agent takes one instance.
    pub fn fits(&self, index: usize, room: &Room) -> Result<(), Refusal> {
        let need = &self.need;
        let free = room.free(need.roles).ok_or(Refusal::UnfulfilledRole)?;
        if !self.rules.hold(room) {
            return Err(Refusal::UnfulfilledConstraint);
        }
        if !room.up {
            return Err(Refusal::AgentMaintenance);
        }
        if room.draining {
            return Err(Refusal::DrainingHost);
        }
        if need.cpus > free.cpus + SLACK {
            return Err(Refusal::InsufficientCpus);
        }
        if need.mem > free.mem + SLACK {
            return Err(Refusal::InsufficientMemory);
        }
        if need.disk > free.disk + SLACK {
            return Err(Refusal::InsufficientDisk);
        }
        if need.gpus > free.gpus {
            return Err(Refusal::InsufficientGpus);
        }
        if need.ports > free.ports || self.full.contains(&index) {
            return Err(Refusal::InsufficientPorts);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
