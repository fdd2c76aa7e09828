//! The cluster as those see it who run it: who leads, agents with all that they have,
//! roles, frameworks.
//!
//! One could get it wrong by writing 0 where the cluster said nothing. A master
//! before Mesos 1.9 tells no quota, an agent that has not come back since a fail-over
//! tells nothing at all; such fields are `None`, and the page says so.

use super::{Duty, Host};
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An amount of each resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amounts {
    /// Thousandths of a core.
    pub cpu_milli: u64,
    /// MiB of memory.
    pub mem_mib: u64,
    /// MiB of disk.
    pub disk_mib: u64,
    /// Thousandths of a graphics processor.
    pub gpu_milli: u64,
    /// How many ports.
    pub ports: u64,
}

impl Amounts {
    /// Both together; saturates.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            cpu_milli: self.cpu_milli.saturating_add(other.cpu_milli),
            mem_mib: self.mem_mib.saturating_add(other.mem_mib),
            disk_mib: self.disk_mib.saturating_add(other.disk_mib),
            gpu_milli: self.gpu_milli.saturating_add(other.gpu_milli),
            ports: self.ports.saturating_add(other.ports),
        }
    }
}

/// What an agent has, and who holds how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holdings {
    /// All.
    pub total: Amounts,
    /// What tasks hold.
    pub used: Amounts,
    /// What no role has to itself; `None`: the master does not tell.
    pub unreserved: Option<Amounts>,
    /// What a role has to itself, by role.
    pub reserved: BTreeMap<String, Amounts>,
    /// Its ports, both ends included.
    pub ports: Vec<(u64, u64)>,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSeen {
    /// Id.
    pub id: String,
    /// Host name.
    pub name: String,
    /// `127.0.0.1:5051`, empty if it is not told.
    pub address: String,
    /// Its Mesos version, empty if it is not told.
    pub version: String,
    /// Region and zone, of an agent that has them.
    pub domain: Option<(String, String)>,
    /// Attributes by name, values as constraints compare them.
    pub attributes: BTreeMap<String, String>,
    /// Whether it works; `None`: it is not known whether somebody has taken it out.
    pub duty: Option<Duty>,
    /// Whether it was only closed: it gets nothing new, and nobody empties it.
    pub closed: bool,
    /// Whether the master hears it and offers what it has.
    pub active: bool,
    /// When it registered.
    pub registered: Option<UnixMs>,
    /// When it came back to a master that it had left, if it did.
    pub returned: Option<UnixMs>,
    /// Tasks running there.
    pub tasks: u32,
    /// What it has; `None`: it has not come back since the master leads.
    pub has: Option<Holdings>,
}

/// Quota of a role. What is not in a map is not limited.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quota {
    /// What it is sure to get: thousandths by Mesos' name of the resource.
    pub guarantee: BTreeMap<String, u64>,
    /// What it gets at most, likewise.
    pub limit: BTreeMap<String, u64>,
}

/// One role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleSeen {
    /// Name; `*` is everybody's.
    pub name: String,
    /// Its share beside other roles', 1 by default; `None`: the master does not tell.
    pub weight: Option<f64>,
    /// Quota, perhaps an empty one; `None`: the master does not tell.
    pub quota: Option<Quota>,
    /// What its tasks hold; `None`: the master does not tell.
    pub used: Option<Amounts>,
    /// What agents keep for it and for nobody else.
    pub reserved: Amounts,
    /// Ids of the frameworks in it.
    pub frameworks: Vec<String>,
}

/// One framework: a Marathon, for example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameworkSeen {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Who it says it is, empty if it does not.
    pub principal: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Whether it gets offers.
    pub active: bool,
    /// Whether it is connected; one that is not keeps its tasks for its fail-over time.
    pub connected: bool,
    /// When it registered.
    pub registered: Option<UnixMs>,
    /// Tasks that have not ended.
    pub tasks: u32,
    /// Tasks on agents that fell silent.
    pub unreachable: u32,
    /// What its tasks hold; `None`: the master does not tell.
    pub used: Option<Amounts>,
}

/// The master that leads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LeaderSeen {
    /// `127.0.0.1:5050`.
    pub address: String,
    /// Host name.
    pub host: String,
    /// Mesos version.
    pub version: String,
    /// Name of the cluster, empty if it has none.
    pub cluster: String,
    /// Since when it leads.
    pub since: Option<UnixMs>,
    /// Agents that it has given up because it did not hear them; they are in no list.
    pub unreachable: u64,
}

/// Everything, as of one look.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Survey {
    /// Who leads.
    pub leader: LeaderSeen,
    /// The agents.
    pub agents: Vec<AgentSeen>,
    /// The roles that somebody uses or has something to himself in.
    pub roles: Vec<RoleSeen>,
    /// Why the master tells only of what is reserved for roles, if it does.
    pub roles_untold: Option<String>,
    /// The frameworks that are not over.
    pub frameworks: Vec<FrameworkSeen>,
}

impl Survey {
    /// The agents as hosts; those that have not come back have nothing to show.
    pub fn hosts(&self) -> Vec<Host> {
        let host = |a: &AgentSeen| {
            let has = a.has.as_ref()?;
            Some(Host {
                id: a.id.clone(),
                name: a.name.clone(),
                attributes: a.attributes.clone(),
                active: a.active,
                cpu_milli: has.total.cpu_milli,
                cpu_used_milli: has.used.cpu_milli,
                mem_mib: has.total.mem_mib,
                mem_used_mib: has.used.mem_mib,
                tasks: a.tasks,
            })
        };
        self.agents.iter().filter_map(host).collect()
    }

    /// Whether each agent works, where that is known.
    pub fn duties(&self) -> BTreeMap<String, Duty> {
        self.agents.iter().filter_map(|a| Some((a.id.clone(), a.duty?))).collect()
    }
}
