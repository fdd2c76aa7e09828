//! Constraints: `[field, operator]` or `[field, operator, value]`.
//!
//! What an agent's own attribute decides (IS, LIKE, UNLIKE) is one comparison;
//! what depends on the instances that are there already is counted once and kept
//! by value, so that the question costs the same beside one instance and beside a
//! thousand. An operator that is not known is satisfied by nobody.

use super::Room;
use regex::Regex;
use std::collections::HashMap;

/// An app's constraints with the instances counted so far.
pub(crate) struct Rules<'a>(Vec<Rule<'a>>);

struct Rule<'a> {
    field: &'a str,
    kind: Kind<'a>,
    /// Instances of the app by the value that their agent has.
    seen: HashMap<Option<String>, usize>,
    all: usize,
}

enum Kind<'a> {
    Is(&'a str),
    /// `None`: the expression is none.
    Like(Option<Regex>),
    Unlike(Option<Regex>),
    Cluster(&'a str),
    Unique,
    MaxPer(Option<usize>),
    GroupBy(usize),
    Unknown,
}

fn value_of<'r>(room: &'r Room, field: &str) -> Option<&'r str> {
    match field {
        "hostname" | "@hostname" => Some(&room.name),
        _ => room.attributes.get(field).map(String::as_str),
    }
}

/// The whole value must match, as Java's `String.matches` has it.
fn whole(pattern: &str) -> Option<Regex> {
    if pattern.is_empty() { None } else { Regex::new(&format!("^(?:{pattern})$")).ok() }
}

impl<'a> Rules<'a> {
    /// From a definition, with nothing counted yet.
    pub fn new(constraints: &'a [Vec<String>]) -> Self {
        let rule = |constraint: &'a Vec<String>| {
            let part = |i: usize| constraint.get(i).map_or("", String::as_str);
            let wanted = part(2);
            let kind = match part(1) {
                "IS" => Kind::Is(wanted),
                "LIKE" => Kind::Like(whole(wanted)),
                "UNLIKE" => Kind::Unlike(whole(wanted)),
                "CLUSTER" => Kind::Cluster(wanted),
                "UNIQUE" => Kind::Unique,
                "MAX_PER" => Kind::MaxPer(wanted.parse().ok()),
                "GROUP_BY" => Kind::GroupBy(wanted.parse().unwrap_or(0)),
                _ => Kind::Unknown,
            };
            Rule { field: part(0), kind, seen: HashMap::new(), all: 0 }
        };
        Self(constraints.iter().map(rule).collect())
    }

    /// One more instance stands on this agent.
    pub fn add(&mut self, room: &Room) {
        for rule in &mut self.0 {
            rule.all += 1;
            if rule.counts() {
                *rule.seen.entry(value_of(room, rule.field).map(str::to_owned)).or_default() += 1;
            }
        }
    }

    /// Whether all are satisfied by one more instance on this agent.
    pub fn hold(&self, room: &Room) -> bool {
        self.0.iter().all(|rule| rule.holds(room))
    }

    /// Whether a placement can make an agent fit that did not fit before.
    pub fn opens(&self) -> bool {
        self.0.iter().any(|rule| matches!(rule.kind, Kind::GroupBy(_)))
    }

    /// Instances that already share a value with this agent which GROUP_BY shall spread.
    /// Marathon takes the first offer that fits; here all agents are known, so the
    /// emptiest group is preferred.
    pub fn crowd(&self, room: &Room) -> usize {
        let spread = self.0.iter().filter(|rule| matches!(rule.kind, Kind::GroupBy(_)));
        spread.map(|rule| rule.same(value_of(room, rule.field))).sum()
    }
}

impl Rule<'_> {
    fn counts(&self) -> bool {
        matches!(self.kind, Kind::Cluster(_) | Kind::Unique | Kind::MaxPer(_) | Kind::GroupBy(_))
    }

    fn same(&self, value: Option<&str>) -> usize {
        if self.seen.is_empty() { 0 } else { self.seen.get(&value.map(str::to_owned)).copied().unwrap_or(0) }
    }

    fn holds(&self, room: &Room) -> bool {
        let Some(mine) = value_of(room, self.field) else { return matches!(self.kind, Kind::Unlike(_)) };
        match &self.kind {
            Kind::Is(wanted) => *wanted == mine,
            Kind::Like(regex) => regex.as_ref().is_some_and(|r| r.is_match(mine)),
            Kind::Unlike(regex) => !regex.as_ref().is_some_and(|r| r.is_match(mine)),
            Kind::Cluster(wanted) => (wanted.is_empty() || *wanted == mine) && self.same(Some(mine)) == self.all,
            Kind::Unique => self.same(Some(mine)) == 0,
            Kind::MaxPer(most) => most.is_some_and(|most| self.same(Some(mine)) < most),
            Kind::GroupBy(minimum) => match self.same(Some(mine)) {
                0 => true,
                count => self.seen.len() >= *minimum && self.seen.values().min() == Some(&count),
            },
            Kind::Unknown => false,
        }
    }
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
