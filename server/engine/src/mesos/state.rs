//! `/state` and what is cut out of it, as the master writes it in version 0.
//!
//! Scalars are floats, ports a text, attributes bare values, as a real master writes
//! them; integers would break clients that were written against one.

use super::facts::{AGENT_CAN, AgentFacts, Amounts, FRAMEWORK_CAN, MASTER_CAN, Shown, Us, seconds};
use super::{API_VERSION, Shared, flags};
use crate::world::World;
use axum::Json;
use axum::extract::RawQuery;
use axum::response::{IntoResponse, Response};
use padis_protocol::mesos::{LeaderInfo, MasterState, MesosLabel, MesosStatus, MesosTask, Resources, Slave, Slaves};
use padis_protocol::task::TaskState;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The states that summaries count, in Mesos' order.
const COUNTED: [&str; 10] = [
    "TASK_STAGING",
    "TASK_STARTING",
    "TASK_RUNNING",
    "TASK_KILLING",
    "TASK_FINISHED",
    "TASK_KILLED",
    "TASK_FAILED",
    "TASK_LOST",
    "TASK_ERROR",
    "TASK_UNREACHABLE",
];

pub(super) fn none() -> Resources {
    Amounts::default().v0()
}

/// Mesos tells numbers as numbers.
pub(super) fn attribute(text: &str) -> Value {
    text.parse::<f64>().ok().filter(|n| n.is_finite()).map_or_else(|| json!(text), |n| json!(n))
}

pub(super) fn attributes(agent: &AgentFacts) -> BTreeMap<String, Value> {
    agent.attributes.iter().map(|(k, v)| (k.clone(), attribute(v))).collect()
}

pub(super) fn slave(us: &Us, agent: &AgentFacts) -> Slave {
    let mut slave = Slave {
        id: agent.id.clone(),
        hostname: agent.name.clone(),
        port: us.port,
        pid: us.agent_pid(agent.index),
        attributes: attributes(agent),
        registered_time: seconds(us.started_ms),
        resources: agent.total.v0(),
        used_resources: agent.used.v0(),
        offered_resources: none(),
        reserved_resources: BTreeMap::new(),
        unreserved_resources: agent.total.v0(),
        active: agent.active(),
        version: API_VERSION.to_owned(),
        capabilities: AGENT_CAN.map(str::to_owned).to_vec(),
        extra: BTreeMap::new(),
    };
    slave.set_deactivated(Some(&agent.deactivated()));
    if let Some((info, since)) = agent.drain() {
        slave.set_drain_info(Some(&info));
        slave.set_estimated_drain_start_time_s(Some(&since));
    }
    slave
}

/// As `/slaves` has it: with the resources in full.
fn slave_in_full(us: &Us, agent: &AgentFacts) -> Slave {
    let mut slave = slave(us, agent);
    slave.set_reserved_resources_full(Some(&BTreeMap::new()));
    slave.set_unreserved_resources_full(Some(&agent.total.unreserved()));
    slave.set_used_resources_full(Some(&agent.used.used(&us.role)));
    slave.set_offered_resources_full(Some(&padis_protocol::mesos::v1::Resources::default()));
    slave
}

pub(super) fn task(us: &Us, shown: &Shown) -> MesosTask {
    let status = |s: padis_protocol::mesos::v1::TaskStatus| {
        let mut status = MesosStatus {
            state: s.state.name().to_owned(),
            timestamp: s.timestamp.unwrap_or(0.0),
            extra: BTreeMap::new(),
        };
        status.set_container_status(s.container_status.as_ref());
        status.set_healthy(s.healthy.as_ref());
        status
    };
    let labels = shown.spec.as_ref().and_then(|s| s.labels.clone()).unwrap_or_default();
    let mut task = MesosTask {
        id: shown.task.id.clone(),
        name: shown.name(),
        framework_id: us.framework.clone(),
        executor_id: String::new(),
        slave_id: shown.agent_id.clone(),
        state: shown.task.state.name().to_owned(),
        resources: Amounts::of_task(&shown.task).v0(),
        role: Some(us.role.clone()),
        statuses: shown.statuses(us).into_iter().map(status).collect(),
        labels: labels.into_iter().map(|(key, value)| MesosLabel { key, value }).collect(),
        extra: BTreeMap::new(),
    };
    if let Some(spec) = &shown.spec {
        let more = crate::runtime::shown(&shown.task, spec);
        task.set_container(more.container.as_ref());
        task.set_discovery(more.discovery.as_ref());
        task.set_health_check(more.health_check.as_ref());
        task.set_user(Some(spec.user.as_ref().unwrap_or(&us.user)));
    }
    task
}

/// Tasks that are made into messages one by one while they are written: all messages of
/// 100,000 tasks at once would be a gigabyte of memory for each caller.
struct Each<'a>(&'a Us, Vec<&'a Shown>);

impl Serialize for Each<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.1.iter().map(|shown| task(self.0, shown)))
    }
}

/// A message and its large members.
struct With<T>(Value, Vec<(&'static str, T)>);

impl<T: Serialize> Serialize for With<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.as_object().into_iter().flatten() {
            if self.1.iter().all(|(large, _)| large != name) {
                map.serialize_entry(name, value)?;
            }
        }
        for (name, value) in &self.1 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Everything, taken out of the state at one moment.
pub(super) struct Picture {
    pub us: Us,
    pub agents: Vec<AgentFacts>,
    pub live: Vec<Shown>,
    pub ended: Vec<Shown>,
}

impl Picture {
    pub fn take(mesos: &super::Mesos) -> Self {
        let us = Us::of(&mesos.core);
        let (agents, live, ended) = mesos.core.look(|w| Self::parts(&mesos.core, w));
        Self { us, agents, live, ended }
    }

    /// Under a lock that the caller holds already.
    pub fn parts(core: &crate::core::Core, world: &crate::world::World) -> (Vec<AgentFacts>, Vec<Shown>, Vec<Shown>) {
        let shown = |t: &crate::record::TaskRecord| Shown::of(world, t);
        (
            AgentFacts::all(core, world),
            world.tasks.values().map(shown).collect(),
            world.finished.values().map(shown).collect(),
        )
    }

    fn used(&self) -> Amounts {
        let mut sum = Amounts::default();
        for agent in &self.agents {
            sum.join(&agent.used);
        }
        sum
    }

    fn framework(&self) -> With<Each<'_>> {
        let us = &self.us;
        let used = self.used().v0();
        let away = |t: &&Shown| t.task.state == TaskState::TaskUnreachable;
        let about = json!({
            "id": us.framework, "name": us.framework_name, "active": true,
            "used_resources": used, "offered_resources": none(), "resources": used, "capabilities": FRAMEWORK_CAN,
            "hostname": us.hostname, "webui_url": us.webui, "connected": true, "recovered": false, "user": us.user,
            "failover_timeout": us.failover_timeout_s, "checkpoint": true, "registered_time": seconds(us.started_ms),
            "unregistered_time": 0.0, "principal": us.principal, "roles": [us.role], "offers": [], "executors": [],
            "offer_constraints": {},
        });
        let lists = [
            ("tasks", Each(us, self.live.iter().filter(|t| !away(t)).collect())),
            ("unreachable_tasks", Each(us, self.live.iter().filter(away).collect())),
            ("completed_tasks", Each(us, self.ended.iter().collect())),
        ];
        With(about, lists.into())
    }
}

/// `/master/state`
pub(super) async fn master(mesos: Shared) -> Response {
    let picture = Picture::take(&mesos);
    let us = &picture.us;
    let active = picture.agents.iter().filter(|a| a.active()).count();
    let pid = format!("master@{}:{}", us.host(), us.port);
    let mut state = MasterState {
        version: API_VERSION.to_owned(),
        id: us.master.clone(),
        leader: Some(pid.clone()),
        pid: pid.clone(),
        hostname: us.hostname.clone(),
        start_time: seconds(us.started_ms),
        elected_time: seconds(us.started_ms),
        activated_slaves: active as f64,
        deactivated_slaves: (picture.agents.len() - active) as f64,
        unreachable_slaves: 0.0,
        slaves: picture.agents.iter().map(|a| slave(us, a)).collect(),
        frameworks: Vec::new(),
        completed_frameworks: Vec::new(),
        extra: BTreeMap::new(),
    };
    state.extra.extend(super::built());
    let leader =
        LeaderInfo { id: us.master.clone(), pid, port: us.port, hostname: us.hostname.clone(), ..Default::default() };
    state.set_leader_info(Some(&leader));
    state.set_cluster(Some(&String::from(super::CLUSTER)));
    state.set_flags(Some(&flags::master(&mesos.core)));
    state.set_capabilities(Some(&MASTER_CAN.map(str::to_owned).to_vec()));
    state.set_orphan_tasks(Some(&Vec::new()));
    state.set_recovered_slaves(Some(&Vec::new()));
    state.extra.insert(String::from("unregistered_frameworks"), json!([]));
    match serde_json::to_value(&state) {
        Ok(state) => Json(With(state, vec![("frameworks", [picture.framework()])])).into_response(),
        Err(error) => super::answer::text(axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// A parameter of a query, decoded.
pub(super) fn given(query: Option<&str>, name: &str) -> Option<String> {
    let pairs = reqwest::Url::parse(&format!("http://query/?{}", query?)).ok()?;
    pairs.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The same; empty is as good as absent.
pub(super) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    given(query, name).filter(|value| !value.is_empty())
}

/// `/master/slaves`
pub(super) async fn slaves(mesos: Shared, RawQuery(query): RawQuery) -> Response {
    let us = Us::of(&mesos.core);
    let one = parameter(query.as_deref(), "slave_id");
    let agents = mesos.core.look(|w| AgentFacts::all(&mesos.core, w));
    let wanted = agents.iter().filter(|a| one.as_ref().is_none_or(|id| *id == a.id));
    Json(Slaves { slaves: wanted.map(|a| slave_in_full(&us, a)).collect(), recovered_slaves: Vec::new() })
        .into_response()
}

/// `/master/frameworks`
pub(super) async fn frameworks(mesos: Shared, RawQuery(query): RawQuery) -> Response {
    let picture = Picture::take(&mesos);
    let one = parameter(query.as_deref(), "framework_id");
    let wanted = one.is_none_or(|id| id == picture.us.framework);
    let frameworks: Vec<With<Each<'_>>> = wanted.then(|| picture.framework()).into_iter().collect();
    let rest = json!({"completed_frameworks": [], "unregistered_frameworks": []});
    Json(With(rest, vec![("frameworks", frameworks)])).into_response()
}

/// `/master/tasks`: a page of 100, newest first, unless it is asked otherwise. A number
/// that is none counts as not given.
pub(super) async fn tasks(mesos: Shared, RawQuery(query): RawQuery) -> Response {
    let us = Us::of(&mesos.core);
    let asked = |name: &str| parameter(query.as_deref(), name);
    let number = |name: &str, otherwise: usize| asked(name).and_then(|n| n.parse().ok()).unwrap_or(otherwise);
    let (limit, offset) = (number("limit", 100), number("offset", 0));
    let oldest_first = asked("order").is_some_and(|order| order == "asc");
    let one = asked("task_id");
    let ours = asked("framework_id").is_none_or(|id| id == us.framework);
    let mut all: Vec<Shown> = mesos.core.look(|w| {
        let tasks = w.tasks.values().chain(w.finished.values()).filter(|_| ours);
        tasks.filter(|t| one.as_ref().is_none_or(|id| *id == t.id)).map(|t| Shown::of(w, t)).collect()
    });
    // What has no status yet is the newest of all.
    let first = |t: &Shown| t.task.history.get(1).map_or(i64::MAX, |(_, at)| *at);
    all.sort_by(|a, b| (first(a), &a.task.id).cmp(&(first(b), &b.task.id)));
    if !oldest_first {
        all.reverse();
    }
    let page: Vec<MesosTask> = all.iter().skip(offset).take(limit).map(|t| task(&us, t)).collect();
    Json(json!({"tasks": page})).into_response()
}

/// `/master/roles`
pub(super) async fn roles(mesos: Shared) -> Response {
    let us = Us::of(&mesos.core);
    let mut used = Amounts::default();
    mesos.core.look(|w| w.tasks.values().for_each(|t| used.add(t)));
    let used = used.counted();
    let quota = json!({"role": us.role, "guarantee": {}, "limit": {}, "consumed": used});
    let role = json!({
        "name": us.role, "weight": 1.0, "quota": quota, "resources": used, "allocated": used, "offered": {},
        "reserved": {}, "frameworks": [us.framework],
    });
    Json(json!({"roles": [role]})).into_response()
}

/// How many tasks are in each state, in the order of [`COUNTED`].
type Counts = [u64; COUNTED.len()];

fn counted(counts: &Counts) -> impl Iterator<Item = (String, Value)> {
    COUNTED.iter().zip(counts).map(|(state, n)| ((*state).to_owned(), json!(n)))
}

/// The tasks of each agent, counted where they are: a copy of 100,000 would be made for
/// nothing, and this is what is asked for all the time.
fn tally(world: &World) -> BTreeMap<String, Counts> {
    let mut all: BTreeMap<&str, Counts> = BTreeMap::new();
    for task in world.tasks.values().chain(world.finished.values()) {
        let agent = task.agent_id.as_deref().or_else(|| world.agent(&task.agent).map(|a| a.id.as_str()));
        let counts = all.entry(agent.unwrap_or_default()).or_default();
        if let Some(n) = COUNTED.iter().position(|s| *s == task.state.name()) {
            counts[n] += 1;
        }
    }
    all.into_iter().map(|(agent, counts)| (agent.to_owned(), counts)).collect()
}

/// `/master/state-summary`
pub(super) async fn summary(mesos: Shared) -> Response {
    let us = Us::of(&mesos.core);
    let (agents, by_agent) = mesos.core.look(|w| (AgentFacts::all(&mesos.core, w), tally(w)));
    let (mut used, mut all) = (Amounts::default(), Counts::default());
    agents.iter().for_each(|a| used.join(&a.used));
    for counts in by_agent.values() {
        all.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
    }
    let known: Vec<&str> = agents.iter().map(|a| a.id.as_str()).filter(|id| by_agent.contains_key(*id)).collect();
    let slaves = agents.iter().map(|agent| {
        let (mut slave, mine) = (slave(&us, agent), by_agent.get(&agent.id));
        slave.extra.extend(counted(mine.unwrap_or(&Counts::default())));
        let frameworks = if mine.is_none() { json!([]) } else { json!([us.framework]) };
        slave.extra.insert(String::from("framework_ids"), frameworks);
        slave
    });
    let slaves: Vec<Slave> = slaves.collect();
    let mut framework = json!({
        "id": us.framework, "name": us.framework_name, "used_resources": used.v0(),
        "offered_resources": none(), "capabilities": FRAMEWORK_CAN, "hostname": us.hostname, "webui_url": us.webui,
        "active": true, "connected": true, "recovered": false, "slave_ids": known,
    });
    if let Some(framework) = framework.as_object_mut() {
        framework.extend(counted(&all));
    }
    Json(json!({"hostname": us.hostname, "cluster": super::CLUSTER, "slaves": slaves, "frameworks": [framework]}))
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_numbers_where_they_look_so() {
        assert_eq!(attribute("7"), json!(7.0));
        assert_eq!(attribute("r7"), json!("r7"));
        assert_eq!(attribute("inf"), json!("inf"));
    }

    #[test]
    fn a_parameter_is_decoded() {
        assert_eq!(parameter(Some("a=1&slave_id=x%2Fy"), "slave_id").as_deref(), Some("x/y"));
        assert_eq!(parameter(Some("slave_id="), "slave_id"), None);
        assert_eq!(parameter(None, "slave_id"), None);
    }
}
