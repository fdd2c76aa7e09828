//! Where an instance goes, as a pure function of agents, what they hold, and the
//! app's constraints.
//!
//! The stages of the funnel and their names are Marathon's (`NoOfferMatchReason`):
//! an agent is refused for the first stage that it fails. Constraints are
//! Marathon's `Constraints.scala` in words: they look at the *live* instances of
//! the same app. One could get it wrong by letting an agent without the attribute
//! pass: only UNLIKE is satisfied by an absent attribute. Among the agents that
//! fit, the one with the fewest instances of the app wins, then the one with the
//! largest free share, so that the loss of one agent costs as little as possible.

use regex::Regex;
use std::collections::BTreeMap;

/// An agent with what is free on it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Room {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub cpus_total: f64,
    pub mem_total: f64,
    pub cpus_free: f64,
    pub mem_free: f64,
    pub ports_free: usize,
    pub up: bool,
}

/// What one instance asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Need<'a> {
    pub cpus: f64,
    pub mem: f64,
    pub disk: f64,
    pub gpus: u32,
    pub ports: usize,
    pub constraints: &'a [Vec<String>],
}

/// Why an agent was refused; the order is the funnel's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Refusal {
    UnfulfilledConstraint,
    AgentMaintenance,
    InsufficientCpus,
    InsufficientMemory,
    InsufficientDisk,
    InsufficientGpus,
    InsufficientPorts,
}

impl Refusal {
    pub const FUNNEL: [Self; 7] = [
        Self::UnfulfilledConstraint,
        Self::AgentMaintenance,
        Self::InsufficientCpus,
        Self::InsufficientMemory,
        Self::InsufficientDisk,
        Self::InsufficientGpus,
        Self::InsufficientPorts,
    ];
    pub fn name(self) -> &'static str {
        match self {
            Self::UnfulfilledConstraint => "UnfulfilledConstraint",
            Self::AgentMaintenance => "AgentMaintenance",
            Self::InsufficientCpus => "InsufficientCpus",
            Self::InsufficientMemory => "InsufficientMemory",
            Self::InsufficientDisk => "InsufficientDisk",
            Self::InsufficientGpus => "InsufficientGpus",
            Self::InsufficientPorts => "InsufficientPorts",
        }
    }
}

/// Sums of shares like 0.1 are not exact; this much is forgiven (Mesos counts in thousandths).
const SLACK: f64 = 0.0005;

/// Chooses an agent. `beside` are the agents (by name) that hold the app's live
/// instances, one entry for each instance. The refusals are per agent, in order.
pub(crate) fn choose(rooms: &[Room], need: &Need<'_>, beside: &[&str]) -> Result<usize, Vec<(usize, Refusal)>> {
    let mut refused = Vec::new();
    let mut best: Option<(usize, (usize, usize), f64)> = None;
    for (index, room) in rooms.iter().enumerate() {
        if let Err(refusal) = fits(rooms, room, need, beside) {
            refused.push((index, refusal));
            continue;
        }
        let count = beside.iter().filter(|name| **name == room.name).count();
        let count = (crowd(rooms, room, need.constraints, beside), count);
        let left = ((room.cpus_free - need.cpus) / room.cpus_total).min((room.mem_free - need.mem) / room.mem_total);
        if best.is_none_or(|(_, c, l)| count < c || (count == c && left > l)) {
            best = Some((index, count, left));
        }
    }
    best.map(|(index, _, _)| index).ok_or(refused)
}

/// Instances that already share a value with this agent which GROUP_BY shall spread.
/// Marathon takes the first offer that fits; here all agents are known, so the
/// emptiest group is preferred.
fn crowd(rooms: &[Room], room: &Room, constraints: &[Vec<String>], beside: &[&str]) -> usize {
    let fields = constraints.iter().filter(|c| c.get(1).is_some_and(|o| o == "GROUP_BY")).filter_map(|c| c.first());
    let shared = |field: &String| {
        let mine = value_of(room, field);
        let others = beside.iter().filter_map(|name| rooms.iter().find(|r| r.name == *name));
        others.filter(|r| value_of(r, field) == mine).count()
    };
    fields.map(shared).sum()
}

/// Whether one agent takes one instance.
pub(crate) fn fits(rooms: &[Room], room: &Room, need: &Need<'_>, beside: &[&str]) -> Result<(), Refusal> {
    if !need.constraints.iter().all(|c| holds(rooms, room, c, beside)) {
        return Err(Refusal::UnfulfilledConstraint);
    }
    if !room.up {
        return Err(Refusal::AgentMaintenance);
    }
    if need.cpus > room.cpus_free + SLACK {
        return Err(Refusal::InsufficientCpus);
    }
    if need.mem > room.mem_free + SLACK {
        return Err(Refusal::InsufficientMemory);
    }
    // Neither disk nor GPUs are on offer: a disk share can't be held on overlay2.
    if need.gpus > 0 {
        return Err(Refusal::InsufficientGpus);
    }
    if need.ports > room.ports_free {
        return Err(Refusal::InsufficientPorts);
    }
    Ok(())
}

fn value_of<'a>(room: &'a Room, field: &str) -> Option<&'a str> {
    match field {
        "hostname" | "@hostname" => Some(&room.name),
        _ => room.attributes.get(field).map(String::as_str),
    }
}

/// One constraint, `[field, operator]` or `[field, operator, value]`.
fn holds(rooms: &[Room], room: &Room, constraint: &[String], beside: &[&str]) -> bool {
    let (Some(field), Some(operator)) = (constraint.first(), constraint.get(1)) else { return false };
    let wanted = constraint.get(2).map_or("", String::as_str);
    let Some(mine) = value_of(room, field) else { return operator == "UNLIKE" };
    let others = || beside.iter().map(|name| rooms.iter().find(|r| r.name == *name).and_then(|r| value_of(r, field)));
    let same = || others().filter(|v| *v == Some(mine)).count();
    match operator.as_str() {
        "UNIQUE" => same() == 0,
        "CLUSTER" => (wanted.is_empty() || wanted == mine) && same() == beside.len(),
        "IS" => wanted == mine,
        "LIKE" => matches(wanted, mine),
        "UNLIKE" => !matches(wanted, mine),
        "MAX_PER" => wanted.parse::<usize>().is_ok_and(|max| same() < max),
        "GROUP_BY" => {
            let minimum = wanted.parse::<usize>().unwrap_or(0);
            let mut groups: BTreeMap<Option<&str>, usize> = BTreeMap::new();
            for value in others() {
                *groups.entry(value).or_default() += 1;
            }
            match groups.get(&Some(mine)) {
                None => true,
                Some(count) => groups.len() >= minimum && groups.values().min() == Some(count),
            }
        }
        _ => false,
    }
}

/// The whole value must match, as Java's `String.matches` has it.
fn matches(pattern: &str, value: &str) -> bool {
    !pattern.is_empty() && Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(value))
}

/// Whether a constraint is one at all; the error is Marathon's wording.
pub(crate) fn check(constraint: &[String]) -> Result<(), String> {
    let wanted = constraint.get(2).map_or("", String::as_str);
    match constraint.get(1).map_or("", String::as_str) {
        "UNIQUE" if wanted.is_empty() => Ok(()),
        "UNIQUE" => Err(String::from("Value specified but not used")),
        "CLUSTER" => Ok(()),
        "GROUP_BY" if wanted.is_empty() || wanted == "inf" || wanted.parse::<u32>().is_ok() => Ok(()),
        "GROUP_BY" => Err(String::from("Value was specified but is not a number")),
        "MAX_PER" if wanted.parse::<u32>().is_ok() => Ok(()),
        "MAX_PER" => Err(String::from("Value was not specified or is not a number")),
        "LIKE" | "UNLIKE" if wanted.is_empty() => Err(String::from("A regular expression value must be provided")),
        "LIKE" | "UNLIKE" => match Regex::new(wanted) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("'{wanted}' is not a valid regular expression: {error}")),
        },
        "IS" if wanted.is_empty() => Err(String::from("A value must be provided")),
        "IS" => Ok(()),
        _ => Err(String::from("Operator must be one of UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE, IS")),
    }
}

#[cfg(test)]
mod tests;
