//! An agent's own state, `/slave(N)/state`, in version 0.
//!
//! Here the executors' shares count, which the master does not tell: a task of 32 MiB
//! holds 64 on its agent. A finished executor has given its task's share back and
//! shows its own alone.

use super::facts::{AGENT_CAN, AgentFacts, Amounts, Shown, Us, seconds};
use super::state::{attributes, none, task};
use super::{API_VERSION, Shared, answer, flags};
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use padis_protocol::mesos::{AgentFramework, AgentState, Executor};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Live and ended tasks of an agent, taken out of the state at one moment.
pub(super) fn tasks(mesos: &super::Mesos, agent: &AgentFacts) -> (Vec<Shown>, Vec<Shown>) {
    mesos.core.look(|w| {
        let live = w.hosts.tasks(agent.index).filter_map(|id| w.tasks.get(id)).map(|t| Shown::of(w, t));
        let ended = w.finished.values().filter(|t| t.agent == agent.name).map(|t| Shown::of(w, t));
        (live.collect(), ended.collect())
    })
}

fn executor(mesos: &super::Mesos, us: &Us, shown: &Shown) -> Executor {
    let own = task(us, shown);
    let ended = shown.task.state.is_terminal();
    let resources = if ended { Amounts::executor() } else { Amounts::of_task(&shown.task).and_executor() };
    let mut extra = BTreeMap::from([(String::from("role"), json!(us.role))]);
    if !own.labels.is_empty() {
        extra.insert(String::from("labels"), json!(own.labels));
    }
    Executor {
        id: shown.task.id.clone(),
        name: shown.executor_name(),
        source: shown.task.id.clone(),
        container: shown.container_id().to_owned(),
        directory: mesos.core.sandboxes.of(&shown.task.id).display().to_string(),
        resources: resources.v0(),
        tasks: if ended { Vec::new() } else { vec![own.clone()] },
        queued_tasks: Vec::new(),
        completed_tasks: if ended { vec![own] } else { Vec::new() },
        extra,
    }
}

/// `/slave(N)/state`
pub(super) async fn state(mesos: Shared, Path(process): Path<String>) -> Response {
    let Some(agent) = AgentFacts::named(&mesos.core, &process) else { return answer::not_found() };
    let us = Us::of(&mesos.core);
    let (live, ended) = tasks(&mesos, &agent);
    let mut allocated = Amounts::default();
    for shown in &live {
        allocated.join(&Amounts::of_task(&shown.task).and_executor());
    }
    let about = json!({
        "user": us.user, "failover_timeout": us.failover_timeout_s, "checkpoint": true, "hostname": us.hostname,
        "principal": us.principal, "roles": [us.role],
    });
    let framework = AgentFramework {
        id: us.framework.clone(),
        name: us.framework_name.clone(),
        executors: live.iter().map(|t| executor(&mesos, &us, t)).collect(),
        completed_executors: ended.iter().map(|t| executor(&mesos, &us, t)).collect(),
        extra: about.as_object().map(|m| m.clone().into_iter().collect()).unwrap_or_default(),
    };
    // A framework without live executors has completed, as far as an agent goes.
    let (frameworks, completed) = match (live.is_empty(), ended.is_empty()) {
        (false, _) => (vec![framework], Vec::new()),
        (true, false) => (Vec::new(), vec![framework]),
        (true, true) => (Vec::new(), Vec::new()),
    };
    let mut extra: BTreeMap<String, Value> = super::built().collect();
    let more = json!({
        "start_time": seconds(us.started_ms), "capabilities": AGENT_CAN, "reserved_resources": {},
        "unreserved_resources": agent.total.v0(), "reserved_resources_full": {},
        "unreserved_resources_full": agent.total.unreserved(), "reserved_resources_allocated": {},
        "unreserved_resources_allocated": if live.is_empty() { none() } else { allocated.v0() },
        "resource_providers": [], "master_hostname": us.hostname, "flags": flags::agent(&mesos.core, &agent),
    });
    extra.extend(more.as_object().cloned().unwrap_or_default());
    // Told while it drains; the agent forgets it when it is empty.
    if let Some((info, since)) =
        agent.drain().filter(|(info, _)| info.state == padis_protocol::mesos::v1::DrainState::Draining)
    {
        extra.insert(String::from("drain_config"), json!(info.config));
        extra.insert(String::from("estimated_drain_start_time_seconds"), json!(since.floor()));
    }
    Json(AgentState {
        version: API_VERSION.to_owned(),
        id: agent.id.clone(),
        pid: us.agent_pid(agent.index),
        hostname: agent.name.clone(),
        attributes: attributes(&agent),
        resources: agent.total.v0(),
        frameworks,
        completed_frameworks: completed,
        extra,
    })
    .into_response()
}
