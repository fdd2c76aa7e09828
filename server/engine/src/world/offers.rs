//! What a Mesos master has on offer to us at this moment.
//!
//! Offers are not hoarded: after each turn what was not used is declined. So this
//! holds little, and only between an event and the turn that follows it. One could
//! get it wrong by adding a finished task's share back: it comes as a new offer, and
//! counting it twice would launch on resources that are not there.

use super::{Agent, World};
use crate::config::AgentConfig;
use crate::placement::{Share, accepts};
use crate::record::{AgentRecord, Record};
use padis_protocol::mesos::v1::{Attribute, Offer, Range, Resources};
use padis_protocol::timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Offers by agent (index), and what the master calls the agents.
#[derive(Default)]
pub(crate) struct Offers {
    held: BTreeMap<usize, Vec<Offer>>,
    /// Ports of the held offers that a task of this turn was given.
    used_ports: BTreeMap<usize, BTreeSet<u16>>,
    by_id: BTreeMap<String, usize>,
    /// Address of each agent.
    pub ips: BTreeMap<usize, String>,
}

impl Offers {
    pub fn has_port(&self, index: usize, port: u16, roles: &[String]) -> bool {
        !self.used_ports.get(&index).is_some_and(|u| u.contains(&port))
            && self.port_ranges(index, roles).iter().any(|(first, last)| (*first..=*last).contains(&port))
    }

    /// The ports on offer that an app with these roles may use.
    pub fn port_ranges(&self, index: usize, roles: &[String]) -> Vec<(u16, u16)> {
        let resources = self.held.get(&index).into_iter().flatten().flat_map(|o| &o.resources.0);
        let ports = resources.filter(|r| r.name == "ports" && accepts(roles, r.reserved_for()));
        ports.filter_map(|r| r.ranges.as_ref()).flat_map(|r| &r.range).map(range).collect()
    }

    pub fn use_ports(&mut self, index: usize, ports: &[u16]) {
        self.used_ports.entry(index).or_default().extend(ports);
    }

    /// The agent that the master calls so.
    pub fn index(&self, agent_id: &str) -> Option<usize> {
        self.by_id.get(agent_id).copied()
    }
}

fn range(range: &Range) -> (u16, u16) {
    let small = |n: u64| u16::try_from(n).unwrap_or(u16::MAX);
    (small(range.begin), small(range.end))
}

/// What a list has for each role that it has something for.
fn shares(plain: &Resources) -> Vec<Share> {
    let mut out: Vec<Share> = Vec::new();
    for role in plain.0.iter().map(|r| r.reserved_for()) {
        if out.iter().any(|s| s.role == role) {
            continue;
        }
        let theirs = plain.of_role(role);
        let ports: Vec<(u16, u16)> = theirs.ranges("ports").map(range).collect();
        out.push(Share {
            role: role.to_owned(),
            cpus: theirs.scalar("cpus"),
            mem: theirs.scalar("mem"),
            disk: theirs.scalar("disk"),
            gpus: theirs.scalar("gpus") as u32,
            ports_free: ports.iter().map(|(first, last)| usize::from(last.saturating_sub(*first)) + 1).sum(),
            ports,
        });
    }
    out
}

/// An attribute as constraints see it: texts as they are, numbers without a needless fraction.
fn attribute(a: &Attribute) -> (String, String) {
    let value = match (&a.text, &a.scalar, &a.set, &a.ranges) {
        (Some(text), ..) => text.value.clone(),
        (_, Some(scalar), ..) => scalar.value.to_string(),
        (_, _, Some(set), _) => format!("{{{}}}", set.item.join(",")),
        (.., Some(ranges)) => {
            let parts: Vec<String> = ranges.range.iter().map(|r| format!("{}-{}", r.begin, r.end)).collect();
            format!("[{}]", parts.join(","))
        }
        _ => String::new(),
    };
    (a.name.clone(), value)
}

impl World {
    /// Takes up an agent that the log or an offer tells of; its index.
    pub fn know_agent(&mut self, record: &AgentRecord) -> usize {
        let offers = self.hosts.offers.get_or_insert_default();
        let known = offers.by_id.get(&record.id).copied();
        let index = known.unwrap_or_else(|| {
            let config = AgentConfig {
                name: record.name.clone(),
                attributes: record.attributes.clone(),
                cpus: 0.0,
                mem_mib: 0,
                disk_mib: None,
                docker: None,
            };
            let node = self.hosts.agents.len();
            self.hosts.add(Agent { config, node, id: record.id.clone() })
        });
        if let Some(agent) = self.hosts.agents.get_mut(index) {
            agent.config.attributes.clone_from(&record.attributes);
        }
        if let Some(room) = self.hosts.rooms.get_mut(index) {
            room.attributes = Arc::new(record.attributes.clone());
        }
        let offers = self.hosts.offers.get_or_insert_default();
        offers.by_id.insert(record.id.clone(), index);
        if let Some(ip) = &record.ip {
            offers.ips.insert(index, ip.clone());
        }
        index
    }

    /// The agents of a Mesos cluster, for the log.
    pub fn agent_records(&self) -> Vec<AgentRecord> {
        let Some(offers) = &self.hosts.offers else { return Vec::new() };
        let one = |(index, agent): (usize, &Agent)| AgentRecord {
            id: agent.id.clone(),
            name: agent.config.name.clone(),
            attributes: agent.config.attributes.clone(),
            ip: offers.ips.get(&index).cloned(),
        };
        self.hosts.agents.iter().enumerate().map(one).collect()
    }

    /// Takes up an offer.
    pub fn offered(&mut self, offer: Offer) {
        let id = offer.agent_id.value.clone();
        let address = offer.url.as_ref().map(|u| &u.address);
        let ip = address.and_then(|a| a.ip.clone().or_else(|| a.hostname.clone()));
        let attributes: BTreeMap<String, String> = offer.attributes.iter().map(attribute).collect();
        let known = self.hosts.offers.as_ref().and_then(|o| o.index(&id));
        let changed = known.and_then(|i| self.hosts.agents.get(i)).is_none_or(|a| a.config.attributes != attributes);
        let index = match known.filter(|_| !changed) {
            Some(index) => index,
            None => {
                // A host name that another agent has had: an agent that began anew, or a second one on the host.
                let taken = known.is_none()
                    && self.hosts.index(&offer.hostname).is_some_and(|i| self.hosts.tasks(i).next().is_some());
                let port = address.map_or(0, |a| a.port);
                let name = match known.and_then(|i| self.hosts.agents.get(i)) {
                    Some(agent) => agent.config.name.clone(),
                    None if taken => format!("{}:{port}", offer.hostname),
                    None => offer.hostname.clone(),
                };
                let record = AgentRecord { id, name, attributes, ip };
                self.records.push(Record::Agent(Box::new(record.clone())));
                self.know_agent(&record)
            }
        };
        let soon = offer.unavailability.as_ref().is_some_and(|u| u.start.as_ms() <= timestamp::now_ms());
        let Some(room) = self.hosts.rooms.get_mut(index) else { return };
        let plain = offer.resources.plain();
        let of = |name: &str| plain.scalar(name);
        if !room.offered {
            (room.cpus_free, room.mem_free, room.disk_free, room.gpus_free, room.ports_free) = (0.0, 0.0, 0.0, 0, 0);
            room.roles = Arc::new(Vec::new());
            room.shares.clear();
        }
        room.cpus_free += of("cpus");
        room.mem_free += of("mem");
        room.disk_free += of("disk");
        room.gpus_free += of("gpus") as u32;
        let ports: u64 = plain.ranges("ports").map(|r| r.end.saturating_sub(r.begin) + 1).sum();
        room.ports_free += usize::try_from(ports).unwrap_or(usize::MAX);
        // A share "of the whole" is only for choosing among agents; what is on offer serves for that.
        (room.cpus_total, room.mem_total) = (room.cpus_free.max(0.001), room.mem_free.max(0.001));
        let roles = Arc::make_mut(&mut room.roles);
        for share in shares(&plain) {
            if !roles.contains(&share.role) {
                roles.push(share.role.clone());
            }
            room.shares.push(share);
        }
        (room.offered, room.up, room.draining) = (true, !soon, false);
        self.hosts.offers.get_or_insert_default().held.entry(index).or_default().push(offer);
        self.room_freed = true;
    }

    /// Takes the offers of one agent away to use them.
    pub fn take_offers(&mut self, index: usize) -> Vec<Offer> {
        if let Some(room) = self.hosts.rooms.get_mut(index) {
            room.offered = false;
        }
        let Some(offers) = self.hosts.offers.as_mut() else { return Vec::new() };
        offers.used_ports.remove(&index);
        offers.held.remove(&index).unwrap_or_default()
    }

    /// Takes all offers away to decline them.
    pub fn take_all_offers(&mut self) -> Vec<Offer> {
        let held: Vec<usize> = self.hosts.offers.iter().flat_map(|o| o.held.keys().copied()).collect();
        held.into_iter().flat_map(|index| self.take_offers(index)).collect()
    }

    /// An offer is no longer good; the others of its agent are declined with the rest.
    pub fn rescinded(&mut self, offer_id: &str) {
        let Some(offers) = self.hosts.offers.as_ref() else { return };
        let found = offers.held.iter().find(|(_, held)| held.iter().any(|o| o.id.value == offer_id)).map(|(i, _)| *i);
        let Some(index) = found else { return };
        let rest: Vec<Offer> = self.take_offers(index).into_iter().filter(|o| o.id.value != offer_id).collect();
        for offer in rest {
            self.offered(offer);
        }
    }
}
