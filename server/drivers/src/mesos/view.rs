//! The cluster as operators see it: agents with all that they have, frameworks, roles.
//!
//! What one could get wrong: version 0 writes an attribute without its type. The
//! agent's own parser tells them apart by their form, so the form tells them here
//! too: a number is a SCALAR, `[1-5]` a RANGES, all else TEXT. A scalar must be
//! written as Marathon writes it for constraints (`7`, not `7.0`), or a pool that
//! is chosen by it would never match. (From 1,000 on Marathon groups digits by its
//! own locale, which nobody here can know: such numbers can't choose hosts.)

use super::{MesosClient, duty, milli};
use padis_domain::ports::{Duty, PortResult};
use padis_protocol::mesos::{Framework, MasterState, Resources, Slave, scalar};
use serde_json::Value;
use std::collections::BTreeMap;

/// An attribute of an agent.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// `pool:alpha`.
    Text(String),
    /// `rack:7`; three decimals count.
    Scalar(f64),
    /// `vlans:[10-19,30-39]`, both ends included.
    Ranges(Vec<(u64, u64)>),
}

impl Attribute {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Number(n) => Self::Scalar(n.as_f64().unwrap_or_default()),
            Value::String(s) => ranges(s).map_or_else(|| Self::Text(s.clone()), Self::Ranges),
            other => Self::Text(other.to_string()),
        }
    }

    /// As constraints compare it.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Scalar(n) => {
                let digits = format!("{n:.3}");
                digits.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            Self::Ranges(ranges) => {
                let ranges: Vec<_> = ranges.iter().map(|(from, to)| format!("{from}-{to}")).collect();
                format!("[{}]", ranges.join(","))
            }
        }
    }
}

/// `[31000-31499, 31502-31999]`; `None` if it is something else.
fn ranges(text: &str) -> Option<Vec<(u64, u64)>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let range = |part: &str| {
        let (from, to) = part.trim().split_once('-')?;
        Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
    };
    inner.split(',').filter(|part| !part.trim().is_empty()).map(range).collect()
}

/// An amount of each resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Thousandths of a core.
    pub cpu_milli: u64,
    /// MiB of memory.
    pub mem_mib: u64,
    /// MiB of disk.
    pub disk_mib: u64,
    /// Ports, both ends included.
    pub ports: Vec<(u64, u64)>,
}

impl Amounts {
    fn of(resources: &Resources) -> Self {
        Self {
            cpu_milli: milli(scalar(resources, "cpus")),
            mem_mib: scalar(resources, "mem") as u64,
            disk_mib: scalar(resources, "disk") as u64,
            ports: resources.get("ports").and_then(Value::as_str).and_then(ranges).unwrap_or_default(),
        }
    }
}

/// One agent.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentView {
    /// Id.
    pub id: String,
    /// Host name.
    pub name: String,
    /// `127.0.0.1:5051`.
    pub address: String,
    /// Mesos version.
    pub version: String,
    /// Whether it works.
    pub duty: Duty,
    /// Whether the master offers what it has: not of silent and of emptied ones.
    pub active: bool,
    /// Whether an operator took it out of service.
    pub deactivated: bool,
    /// Attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// All it has.
    pub total: Amounts,
    /// What tasks hold.
    pub used: Amounts,
    /// What is on offer to frameworks.
    pub offered: Amounts,
    /// What no role has to itself.
    pub unreserved: Amounts,
    /// What a role has to itself, by role.
    pub reserved: BTreeMap<String, Amounts>,
}

impl AgentView {
    fn of(slave: &Slave) -> Self {
        Self {
            id: slave.id.clone(),
            name: slave.hostname.clone(),
            address: slave.pid.split_once('@').map_or_else(String::new, |(_, address)| address.to_owned()),
            version: slave.version.clone(),
            duty: duty::of(slave),
            active: slave.active,
            deactivated: duty::deactivated(slave),
            attributes: slave.attributes.iter().map(|(k, v)| (k.clone(), Attribute::of(v))).collect(),
            total: Amounts::of(&slave.resources),
            used: Amounts::of(&slave.used_resources),
            offered: Amounts::of(&slave.offered_resources),
            unreserved: Amounts::of(&slave.unreserved_resources),
            reserved: slave.reserved_resources.iter().map(|(role, r)| (role.clone(), Amounts::of(r))).collect(),
        }
    }
}

/// One framework: a Marathon, for example.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameworkView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Whether it gets offers.
    pub active: bool,
    /// Whether it is connected; one that is not keeps its tasks for its fail-over time.
    pub connected: bool,
    /// Who it says it is.
    pub principal: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// What its tasks hold.
    pub used: Amounts,
    /// Live tasks, ids.
    pub tasks: Vec<String>,
}

impl FrameworkView {
    fn of(framework: &Framework) -> Self {
        let extra = |name: &str| framework.extra.get(name);
        let word = |name: &str| extra(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let roles = match extra("roles").and_then(Value::as_array) {
            Some(roles) => roles.iter().filter_map(|r| r.as_str().map(str::to_owned)).collect(),
            // A framework without the capability MULTI_ROLE has one.
            None => vec![word("role")],
        };
        let used: Resources =
            extra("used_resources").and_then(|r| serde_json::from_value(r.clone()).ok()).unwrap_or_default();
        Self {
            id: framework.id.clone(),
            name: framework.name.clone(),
            active: framework.active,
            connected: extra("connected").and_then(Value::as_bool).unwrap_or(framework.active),
            principal: word("principal"),
            roles,
            used: Amounts::of(&used),
            tasks: framework.tasks.iter().map(|t| t.id.clone()).collect(),
        }
    }
}

/// One role, as `/master/roles` tells it.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub struct RoleView {
    /// Name.
    pub name: String,
    /// Its share beside other roles, 1 by default.
    pub weight: f64,
    /// Ids of the frameworks in it.
    #[serde(default)]
    pub frameworks: Vec<String>,
}

impl MesosClient {
    /// The agents that the master has heard since it leads.
    pub async fn agent_views(&self) -> PortResult<Vec<AgentView>> {
        let slaves: padis_protocol::mesos::Slaves = self.master("list the agents", "/master/slaves").await?;
        self.agents.learn(&slaves.slaves);
        Ok(slaves.slaves.iter().map(AgentView::of).collect())
    }

    /// The frameworks that are not over.
    pub async fn framework_views(&self) -> PortResult<Vec<FrameworkView>> {
        let state: MasterState = self.master("read the cluster's state", "/master/state").await?;
        Ok(state.frameworks.iter().map(FrameworkView::of).collect())
    }

    /// The roles that somebody uses.
    pub async fn role_views(&self) -> PortResult<Vec<RoleView>> {
        #[derive(serde::Deserialize)]
        struct Roles {
            roles: Vec<RoleView>,
        }
        let roles: Roles = self.master("list the roles", "/master/roles").await?;
        Ok(roles.roles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_attribute_is_told_by_its_form_and_written_as_marathon_does() {
        for (json, attribute, text) in [
            (json!("alpha"), Attribute::Text("alpha".into()), "alpha"),
            (json!(7.0), Attribute::Scalar(7.0), "7"),
            (json!(0.25), Attribute::Scalar(0.25), "0.25"),
            (json!(1000), Attribute::Scalar(1000.0), "1000"),
            (json!("[1-5, 7-9]"), Attribute::Ranges(vec![(1, 5), (7, 9)]), "[1-5,7-9]"),
            (json!("[a-b]"), Attribute::Text("[a-b]".into()), "[a-b]"),
        ] {
            assert_eq!((Attribute::of(&json), attribute.text().as_str()), (attribute, text));
        }
    }
}
