//! The messages of version 1: tasks, agents, the framework, executors.
//!
//! Some lists are written even when they are empty and others never; that is Mesos'
//! doing, and clients were written against it. The lists are put together here by hand
//! for that reason, their elements are the protocol's own types.

use crate::mesos::API_VERSION;
use crate::mesos::facts::{AGENT_CAN, AgentFacts, Amounts, FRAMEWORK_CAN, Shown, Us, seconds};
use crate::mesos::state::attribute;
use padis_protocol::mesos::operator::Agent;
use padis_protocol::mesos::v1::{
    AgentInfo, Attribute, Capability, CommandInfo, DurationInfo, ExecutorInfo, FrameworkInfo, Ranges, Scalar, Task,
    Text, TimeInfo, ValueType,
};
use padis_protocol::mesos::{parse_ranges, v1};
use padis_protocol::task::TaskState;
use serde_json::{Value, json};

/// What an agent waits beyond a task's grace before it ends the executor, in seconds.
const PATIENCE_S: i64 = 2;

fn attributes(agent: &AgentFacts) -> Vec<Attribute> {
    let typed = |(name, text): (&String, &String)| {
        let base = Attribute { name: name.clone(), ..Attribute::default() };
        match (attribute(text), parse_ranges(text)) {
            (Value::Number(n), _) => {
                let value = n.as_f64().unwrap_or_default();
                Attribute { kind: ValueType::Scalar, scalar: Some(Scalar { value, ..Scalar::default() }), ..base }
            }
            (_, Some(ranges)) => {
                let range = |(begin, end)| v1::Range { begin, end, ..v1::Range::default() };
                let ranges = Ranges { range: ranges.into_iter().map(range).collect(), ..Ranges::default() };
                Attribute { kind: ValueType::Ranges, ranges: Some(ranges), ..base }
            }
            _ => {
                Attribute { kind: ValueType::Text, text: Some(Text { value: text.clone(), ..Text::default() }), ..base }
            }
        }
    };
    agent.attributes.iter().map(typed).collect()
}

/// As the agent describes itself.
pub(super) fn agent_info(us: &Us, agent: &AgentFacts) -> AgentInfo {
    AgentInfo {
        hostname: agent.name.clone(),
        port: Some(us.port),
        resources: agent.total.v1().into_iter().collect(),
        attributes: attributes(agent),
        id: Some(agent.id.as_str().into()),
        ..AgentInfo::default()
    }
}

/// As the master knows it.
pub(in crate::mesos) fn agent(us: &Us, agent: &AgentFacts) -> Agent {
    let mut info = agent_info(us, agent);
    info.extra.insert(String::from("checkpoint"), json!(true));
    let drain = agent.drain();
    Agent {
        agent_info: info,
        active: agent.active(),
        deactivated: Some(agent.deactivated()),
        version: API_VERSION.to_owned(),
        pid: Some(us.agent_pid(agent.index)),
        registered_time: Some(TimeInfo::from_ms(us.started_ms)),
        total_resources: agent.total.unreserved(),
        allocated_resources: agent.used.used(&us.role),
        capabilities: AGENT_CAN.map(Capability::new).to_vec(),
        estimated_drain_start_time: drain.as_ref().map(|(_, since)| TimeInfo::from_ms((since * 1000.0) as i64)),
        drain_info: drain.map(|(info, _)| info),
        ..Agent::default()
    }
}

/// The framework as it describes itself.
pub(super) fn framework_info(us: &Us) -> FrameworkInfo {
    FrameworkInfo {
        user: us.user.clone(),
        name: us.framework_name.clone(),
        id: Some(us.framework.as_str().into()),
        failover_timeout: Some(us.failover_timeout_s),
        checkpoint: Some(true),
        roles: vec![us.role.clone()],
        hostname: Some(us.hostname.clone()),
        principal: Some(us.principal.clone()),
        webui_url: Some(us.webui.clone()),
        capabilities: FRAMEWORK_CAN.map(Capability::new).to_vec(),
        ..FrameworkInfo::default()
    }
}

/// A task.
pub(in crate::mesos) fn task(us: &Us, shown: &Shown) -> Task {
    let more = shown.spec.as_ref().map(|spec| crate::runtime::shown(&shown.task, spec)).unwrap_or_default();
    let statuses = shown.statuses(us);
    let last = statuses.last().cloned();
    Task {
        name: shown.name(),
        task_id: shown.task.id.as_str().into(),
        framework_id: us.framework.as_str().into(),
        agent_id: shown.agent_id.as_str().into(),
        state: shown.task.state.clone(),
        resources: Amounts::of_task(&shown.task).allocated(&us.role),
        status_update_state: last.as_ref().map(|s| s.state.clone()),
        status_update_uuid: last.and_then(|s| s.uuid),
        statuses,
        user: shown.spec.as_ref().map(|spec| spec.user.as_ref().unwrap_or(&us.user).clone()),
        ..more
    }
}

/// The executor of a task, as its agent knows it.
pub(super) fn executor(us: &Us, shown: &Shown) -> Value {
    let program = String::from("mesos-docker-executor");
    let more = shown.spec.as_ref().map(|spec| crate::runtime::shown(&shown.task, spec)).unwrap_or_default();
    let info = ExecutorInfo {
        executor_id: shown.task.id.as_str().into(),
        framework_id: Some(us.framework.as_str().into()),
        command: Some(CommandInfo {
            shell: Some(false),
            arguments: vec![program.clone(), format!("--container={}", shown.task.container)],
            value: Some(program),
            ..CommandInfo::default()
        }),
        resources: Amounts::executor().allocated(&us.role),
        name: Some(shown.executor_name()),
        source: Some(shown.task.id.clone()),
        shutdown_grace_period: Some(DurationInfo::from_ms((i64::from(shown.task.grace_s) + PATIENCE_S) * 1000)),
        labels: more.labels,
        discovery: more.discovery,
        ..ExecutorInfo::default()
    };
    json!({"executor_info": info})
}

/// What a master has, at one moment.
pub(in crate::mesos) struct Lists<'a> {
    pub us: &'a Us,
    pub agents: &'a [AgentFacts],
    pub live: &'a [Shown],
    pub ended: &'a [Shown],
}

impl Lists<'_> {
    pub fn tasks(&self) -> Value {
        let all = |list: Vec<&Shown>| list.into_iter().map(|t| task(self.us, t)).collect::<Vec<_>>();
        let (away, here) = self.live.iter().partition(|t| t.task.state == TaskState::TaskUnreachable);
        json!({
            "tasks": all(here), "unreachable_tasks": all(away), "completed_tasks": all(self.ended.iter().collect()),
        })
    }

    pub fn frameworks(&self) -> Value {
        let us = self.us;
        let mut used = Amounts::default();
        for agent in self.agents {
            used.join(&agent.used);
        }
        let since = TimeInfo::from_ms(us.started_ms);
        let mut framework = json!({
            "framework_info": framework_info(us), "active": true, "connected": true, "recovered": false,
            "registered_time": since, "reregistered_time": since, "offer_constraints": {},
        });
        let allocated = used.used(&us.role);
        if !allocated.0.is_empty() {
            framework["allocated_resources"] = json!(allocated);
        }
        json!({"frameworks": [framework], "completed_frameworks": []})
    }

    pub fn agents(&self) -> Value {
        let agents: Vec<Agent> = self.agents.iter().map(|a| agent(self.us, a)).collect();
        json!({"agents": agents, "recovered_agents": []})
    }

    /// Command executors are no executors to a master.
    pub fn executors() -> Value {
        json!({"executors": []})
    }

    pub fn state(&self) -> Value {
        json!({
            "get_tasks": self.tasks(), "get_executors": Self::executors(), "get_frameworks": self.frameworks(),
            "get_agents": self.agents(),
        })
    }
}

/// The version.
pub(super) fn version() -> Value {
    let mut info: serde_json::Map<String, Value> = crate::mesos::built().collect();
    info.insert(String::from("version"), json!(API_VERSION));
    json!({"version_info": info})
}

/// The master itself.
pub(super) fn master(us: &Us) -> Value {
    // The address as a number whose first octet is the lowest.
    let octets = us.ip.parse::<std::net::Ipv4Addr>().map(|ip| u32::from_le_bytes(ip.octets())).unwrap_or(0);
    // A capability that version 1 has no name for is written without one.
    let can = json!([{"type": "AGENT_UPDATE"}, {"type": "AGENT_DRAINING"}, {}]);
    let info = json!({
        "id": us.master, "ip": octets, "port": us.port, "pid": format!("master@{}:{}", us.host(), us.port),
        "hostname": us.hostname, "version": API_VERSION,
        "address": {"hostname": us.hostname, "ip": us.ip, "port": us.port}, "capabilities": can,
    });
    let since = seconds(us.started_ms);
    json!({"master_info": info, "start_time": since, "elected_time": since})
}
