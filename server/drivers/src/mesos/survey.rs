//! The cluster as operators see it: who leads, agents with all that they have, roles,
//! frameworks.
//!
//! Two answers of the master, however many agents there are: `/state` and `/roles`
//! (before Mesos 1.9 also who is announced to leave). Who needs the hosts alone reads the
//! far smaller summary. What one could get wrong: `/state` also tells every task with its
//! whole history, a kilobyte and more each, and 100,000 of them kept as JSON values are a
//! gigabyte; only the two words that are counted are read.
//! `/roles` sums what a role's children have into it, so what is reserved is summed
//! from the agents instead, which is the same in every version. And an agent that the
//! master's registry knows but that has not come back has an id and a name, no more.

use super::{MesosClient, attribute, duty, milli};
use padis_domain::ports::{
    AgentSeen, Amounts, Duty, FrameworkSeen, Holdings, LeaderSeen, PortResult, Quota, RoleSeen, Survey,
};
use padis_domain::words::UnixMs;
use padis_protocol::mesos::v1::DomainInfo;
use padis_protocol::mesos::{Resources, Slave, count, ranges, scalar};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// What is read of `/master/state`.
#[derive(Deserialize)]
pub(super) struct State {
    #[serde(default)]
    version: String,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    pid: String,
    leader: Option<String>,
    cluster: Option<String>,
    #[serde(default)]
    elected_time: f64,
    #[serde(default)]
    unreachable_slaves: f64,
    #[serde(default)]
    slaves: Vec<Slave>,
    #[serde(default)]
    recovered_slaves: Vec<Value>,
    #[serde(default)]
    frameworks: Vec<Framework>,
}

#[derive(Deserialize)]
struct Framework {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    principal: String,
    role: Option<String>,
    roles: Option<Vec<String>>,
    #[serde(default)]
    active: bool,
    connected: Option<bool>,
    #[serde(default)]
    registered_time: f64,
    used_resources: Option<Resources>,
    #[serde(default)]
    tasks: Vec<Task>,
    #[serde(default)]
    unreachable_tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    #[serde(default)]
    slave_id: String,
    #[serde(default)]
    state: String,
}

/// What is read of `/master/roles`.
#[derive(Default, Deserialize)]
struct Roles {
    #[serde(default)]
    roles: Vec<Role>,
}

#[derive(Deserialize)]
struct Role {
    name: String,
    weight: Option<f64>,
    /// Since Mesos 1.9, as the next one.
    quota: Option<RoleQuota>,
    allocated: Option<Resources>,
    #[serde(default)]
    frameworks: Vec<String>,
}

#[derive(Deserialize)]
struct RoleQuota {
    #[serde(default)]
    guarantee: Resources,
    #[serde(default)]
    limit: Resources,
}

impl State {
    /// Running tasks by agent.
    fn tasks(&self) -> HashMap<&str, u32> {
        let mut tasks: HashMap<&str, u32> = HashMap::new();
        let live = self.frameworks.iter().flat_map(|f| &f.tasks);
        for task in live.filter(|t| matches!(t.state.as_str(), "TASK_RUNNING" | "TASK_KILLING")) {
            *tasks.entry(&task.slave_id).or_default() += 1;
        }
        tasks
    }

    /// The agents, also those that have not come back.
    pub fn agents(&self, duties: &BTreeMap<String, Duty>) -> Vec<AgentSeen> {
        let tasks = self.tasks();
        let running = |slave: &Slave| tasks.get(slave.id.as_str()).copied().unwrap_or_default();
        let here = self.slaves.iter().map(|s| agent(s, duties.get(&s.id).copied(), running(s)));
        here.chain(self.recovered_slaves.iter().filter_map(away)).collect()
    }
}

/// Seconds since the epoch, where 0 is nothing.
fn moment(seconds: f64) -> Option<UnixMs> {
    (seconds > 0.0).then_some((seconds * 1000.0).round() as UnixMs)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Version 0 writes ports as ranges, except in `/roles`, where it counts them.
fn amounts(resources: &Resources) -> Amounts {
    let counted = scalar(resources, "ports") as u64;
    Amounts {
        cpu_milli: milli(scalar(resources, "cpus")),
        mem_mib: scalar(resources, "mem") as u64,
        disk_mib: scalar(resources, "disk") as u64,
        gpu_milli: milli(scalar(resources, "gpus")),
        ports: counted.max(count(&ranges(resources, "ports"))),
    }
}

/// Thousandths by the resource's name.
fn caps(resources: &Resources) -> BTreeMap<String, u64> {
    resources.iter().filter_map(|(name, v)| Some((name.clone(), milli(v.as_f64()?)))).collect()
}

fn domain(slave: &Slave) -> Option<(String, String)> {
    let told = slave.extra.get("domain")?;
    let info: DomainInfo = serde_json::from_value(told.clone()).ok()?;
    info.fault_domain.map(|d| (d.region.name, d.zone.name))
}

fn agent(slave: &Slave, duty: Option<Duty>, tasks: u32) -> AgentSeen {
    let extra = |name: &str| slave.extra.get(name);
    let returned = extra("reregistered_time").and_then(Value::as_f64).and_then(moment);
    let unreserved = (!slave.unreserved_resources.is_empty()).then(|| amounts(&slave.unreserved_resources));
    AgentSeen {
        id: slave.id.clone(),
        name: slave.hostname.clone(),
        address: slave.pid.split_once('@').map_or_else(String::new, |(_, address)| address.to_owned()),
        version: slave.version.clone(),
        domain: domain(slave),
        attributes: slave.attributes.iter().map(|(k, v)| (k.clone(), attribute::text(v))).collect(),
        duty,
        closed: duty::deactivated(slave) && extra("drain_info").is_none(),
        active: slave.active,
        registered: moment(slave.registered_time),
        returned,
        tasks,
        has: Some(Holdings {
            total: amounts(&slave.resources),
            used: amounts(&slave.used_resources),
            unreserved,
            reserved: slave.reserved_resources.iter().map(|(role, r)| (role.clone(), amounts(r))).collect(),
            ports: ranges(&slave.resources, "ports"),
        }),
    }
}

/// One that has not come back since the master leads.
fn away(known: &Value) -> Option<AgentSeen> {
    let id = known["id"].as_str()?.to_owned();
    Some(AgentSeen {
        name: known["hostname"].as_str().map_or_else(|| id.clone(), str::to_owned),
        id,
        address: String::new(),
        version: String::new(),
        domain: None,
        attributes: BTreeMap::new(),
        duty: Some(Duty::Silent),
        closed: false,
        active: false,
        registered: None,
        returned: None,
        tasks: 0,
        has: None,
    })
}

fn framework(f: &Framework) -> FrameworkSeen {
    FrameworkSeen {
        id: f.id.clone(),
        name: f.name.clone(),
        principal: f.principal.clone(),
        // A framework without the capability MULTI_ROLE has one.
        roles: f.roles.clone().unwrap_or_else(|| f.role.clone().into_iter().collect()),
        active: f.active,
        connected: f.connected.unwrap_or(f.active),
        registered: moment(f.registered_time),
        tasks: number(f.tasks.len()),
        unreachable: number(f.unreachable_tasks.len()),
        used: f.used_resources.as_ref().map(amounts),
    }
}

/// What the master tells of roles, and what agents keep for roles that it does not name.
fn roles(told: Roles, agents: &[AgentSeen]) -> Vec<RoleSeen> {
    let mut reserved: BTreeMap<String, Amounts> = BTreeMap::new();
    for (role, more) in agents.iter().filter_map(|a| a.has.as_ref()).flat_map(|h| &h.reserved) {
        let sum = reserved.entry(role.clone()).or_default();
        *sum = sum.plus(*more);
    }
    let told = told.roles.into_iter().map(|r| RoleSeen {
        reserved: reserved.remove(&r.name).unwrap_or_default(),
        name: r.name,
        weight: r.weight,
        quota: r.quota.map(|q| Quota { guarantee: caps(&q.guarantee), limit: caps(&q.limit) }),
        used: r.allocated.as_ref().map(amounts),
        frameworks: r.frameworks,
    });
    let mut all: Vec<RoleSeen> = told.collect();
    all.extend(reserved.into_iter().map(|(name, reserved)| RoleSeen {
        name,
        weight: None,
        quota: None,
        used: None,
        reserved,
        frameworks: Vec::new(),
    }));
    all
}

impl MesosClient {
    pub(super) async fn state(&self) -> PortResult<State> {
        let state: State = self.master("read the cluster's state", "/master/state").await?;
        self.agents.learn(&state.slaves);
        Ok(state)
    }

    pub(super) async fn look(&self) -> PortResult<Survey> {
        let (state, told) = tokio::join!(self.state(), self.master::<Roles>("list the roles", "/master/roles"));
        let state = state?;
        // A master may show an account its agents and not its roles.
        let (told, roles_untold) = match told {
            Ok(told) => (told, None),
            Err(error) => (Roles::default(), Some(error.chain())),
        };
        // The master of before 1.9 may not tell who is announced to leave; then nothing is claimed.
        let duties = self.duties_of(&state.slaves, &state.recovered_slaves).await.unwrap_or_default();
        let agents = state.agents(&duties);
        let address = |pid: &str| pid.split_once('@').map_or(pid, |(_, address)| address).to_owned();
        Ok(Survey {
            leader: LeaderSeen {
                address: address(state.leader.as_deref().unwrap_or(&state.pid)),
                host: state.hostname,
                version: state.version,
                cluster: state.cluster.unwrap_or_default(),
                since: moment(state.elected_time),
                unreachable: state.unreachable_slaves as u64,
            },
            roles: roles(told, &agents),
            roles_untold,
            frameworks: state.frameworks.iter().map(framework).collect(),
            agents,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_role_that_only_agents_name_is_told_too_and_what_is_not_told_is_not_zero() {
        let slave = |id: &str, reserved: Value| -> Slave {
            serde_json::from_value(json!({"id": id, "reserved_resources": reserved})).unwrap()
        };
        let agents = [
            agent(&slave("a", json!({"db": {"cpus": 1.5, "mem": 64.0, "ports": "[1-3, 7-7]"}})), None, 0),
            agent(&slave("b", json!({"db": {"cpus": 0.5}, "web": {"gpus": 1.0}})), None, 0),
        ];
        assert_eq!(agents[0].has.as_ref().unwrap().unreserved, None);
        // As a master before 1.9 writes them.
        let told: Roles = serde_json::from_value(
            json!({"roles": [{"name": "db", "weight": 2.0, "resources": {"cpus": 1.0}, "frameworks": ["f"]}]}),
        )
        .unwrap();
        let found = roles(told, &agents);
        let db = Amounts { cpu_milli: 2000, mem_mib: 64, ports: 4, ..Amounts::default() };
        assert_eq!((found[0].name.as_str(), found[0].weight, found[0].reserved), ("db", Some(2.0), db));
        assert_eq!((&found[0].quota, found[0].used), (&None, None));
        assert_eq!((found[1].name.as_str(), found[1].weight, found[1].reserved.gpu_milli), ("web", None, 1000));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn an_agent_that_has_not_come_back_has_nothing_to_show() {
        let seen = away(&json!({"id": "S1", "hostname": "h1"})).unwrap();
        assert_eq!((seen.name.as_str(), seen.duty, seen.has), ("h1", Some(Duty::Silent), None));
        assert!(away(&json!({"hostname": "h1"})).is_none());
    }

    #[test]
    fn a_host_is_read_as_mesos_writes_it() {
        let task = |state: &str| json!({"slave_id": "S1", "state": state, "statuses": [{"state": state}]});
        let tasks = ["TASK_RUNNING", "TASK_STAGING", "TASK_KILLING"].map(task);
        let state: State = serde_json::from_value(json!({
            "slaves": [{
                "id": "S1", "hostname": "h1", "active": true, "pid": "slave(1)@127.0.0.1:5051",
                "attributes": {"pool": "alpha", "rack": 7.0},
                "resources": {"cpus": 4.0, "mem": 1536.0, "ports": "[33000-33999]"},
                "used_resources": {"cpus": 0.35, "mem": 96.0}
            }],
            "recovered_slaves": [{"id": "S0", "hostname": "h0"}],
            "frameworks": [{"id": "F", "tasks": tasks}],
        }))
        .unwrap();
        let hosts = Survey { agents: state.agents(&BTreeMap::new()), ..Survey::default() }.hosts();
        assert_eq!(hosts.len(), 1);
        let host = &hosts[0];
        assert_eq!((host.cpu_milli, host.cpu_used_milli, host.mem_mib, host.mem_used_mib), (4000, 350, 1536, 96));
        assert_eq!((host.tasks, host.active), (2, true));
        assert_eq!(host.attributes, BTreeMap::from([("pool".into(), "alpha".into()), ("rack".into(), "7".into())]));
    }

    #[test]
    fn region_and_zone_are_read() {
        let slave: Slave = serde_json::from_value(json!({"id": "S1",
            "domain": {"fault_domain": {"region": {"name": "north"}, "zone": {"name": "n1"}}}}))
        .unwrap();
        assert_eq!(agent(&slave, None, 0).domain, Some(("north".to_owned(), "n1".to_owned())));
    }
}
