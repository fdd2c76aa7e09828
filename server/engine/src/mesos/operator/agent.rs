//! What operators ask of an agent.

use super::shapes;
use super::{Asked, LEVEL, METRICS, PATH, READ, Side, files, named_values, told};
use crate::mesos::facts::{AgentFacts, Shown, Us};
use crate::mesos::{Mesos, Shared, answer, flags, metrics, statistics};
use axum::extract::{Path, Request};
use axum::response::Response;
use serde_json::{Value, json};

/// Calls that need content are refused without it, those that are refused anyway too.
pub(super) const SIDE: Side = Side {
    name: "agent",
    prefix: "",
    bare: &[
        "UNKNOWN",
        "GET_HEALTH",
        "GET_FLAGS",
        "GET_VERSION",
        "GET_LOGGING_LEVEL",
        "GET_STATE",
        "GET_CONTAINERS",
        "GET_FRAMEWORKS",
        "GET_EXECUTORS",
        "GET_OPERATIONS",
        "GET_TASKS",
        "GET_AGENT",
        "GET_RESOURCE_PROVIDERS",
        "PRUNE_IMAGES",
    ],
    with: &[
        ("GET_METRICS", METRICS),
        ("SET_LOGGING_LEVEL", LEVEL),
        ("LIST_FILES", PATH),
        ("READ_FILE", READ),
        ("LAUNCH_CONTAINER", &[]),
        ("WAIT_CONTAINER", &[]),
        ("KILL_CONTAINER", &[]),
        ("REMOVE_CONTAINER", &[]),
        ("LAUNCH_NESTED_CONTAINER", &[]),
        ("WAIT_NESTED_CONTAINER", &[]),
        ("KILL_NESTED_CONTAINER", &[]),
        ("REMOVE_NESTED_CONTAINER", &[]),
        ("LAUNCH_NESTED_CONTAINER_SESSION", &[]),
        ("ATTACH_CONTAINER_INPUT", &[]),
        ("ATTACH_CONTAINER_OUTPUT", &[]),
        ("ADD_RESOURCE_PROVIDER_CONFIG", &[]),
        ("UPDATE_RESOURCE_PROVIDER_CONFIG", &[]),
        ("REMOVE_RESOURCE_PROVIDER_CONFIG", &[]),
        ("MARK_RESOURCE_PROVIDER_GONE", &[]),
    ],
};

/// `/slave(N)/api/v1`
pub(in crate::mesos) async fn call(mesos: Shared, Path(process): Path<String>, request: Request) -> Response {
    let Some(agent) = AgentFacts::named(&mesos.core, &process) else { return answer::not_found() };
    match SIDE.read(request).await {
        Ok(asked) => carry_out(&mesos, &agent, &asked).await,
        Err(no) => no,
    }
}

async fn carry_out(mesos: &Mesos, agent: &AgentFacts, asked: &Asked) -> Response {
    match asked.kind.as_str() {
        "UNKNOWN" => answer::not_implemented(),
        "LIST_FILES" | "READ_FILE" => files(mesos, asked).await,
        "GET_CONTAINERS" => {
            let containers = statistics::containers(mesos, agent).await;
            let content = if containers.is_empty() { json!({}) } else { json!({"containers": containers}) };
            told(&asked.kind, &content)
        }
        kind => match read(mesos, agent, kind) {
            Some(content) => told(kind, &content),
            None => answer::forbidden(),
        },
    }
}

fn read(mesos: &Mesos, agent: &AgentFacts, kind: &str) -> Option<Value> {
    let us = Us::of(&mesos.core);
    let lists = || Lists::take(mesos, &us, agent);
    Some(match kind {
        "GET_HEALTH" => json!({"healthy": true}),
        "GET_FLAGS" => {
            let flags = flags::agent(&mesos.core, agent).into_iter().map(|(name, value)| (name, json!(value)));
            json!({"flags": named_values(flags)})
        }
        "GET_VERSION" => shapes::version(),
        "GET_METRICS" => {
            let metrics = metrics::collect(mesos).into_iter().map(|(name, value)| (name, json!(value)));
            json!({"metrics": named_values(metrics)})
        }
        "GET_LOGGING_LEVEL" => json!({"level": 0}),
        "GET_STATE" => lists().state(),
        "GET_TASKS" => lists().tasks(),
        "GET_EXECUTORS" => lists().executors(),
        "GET_FRAMEWORKS" => lists().frameworks(),
        "GET_AGENT" => json!({"agent_info": shapes::agent_info(&us, agent)}),
        "GET_OPERATIONS" | "GET_RESOURCE_PROVIDERS" => json!({}),
        _ => return None,
    })
}

struct Lists<'a> {
    us: &'a Us,
    live: Vec<Shown>,
    ended: Vec<Shown>,
}

impl<'a> Lists<'a> {
    fn take(mesos: &Mesos, us: &'a Us, agent: &AgentFacts) -> Self {
        let (live, ended) = crate::mesos::agent::tasks(mesos, agent);
        Self { us, live, ended }
    }

    fn tasks(&self) -> Value {
        let all = |list: &[Shown]| list.iter().map(|t| shapes::task(self.us, t)).collect::<Vec<_>>();
        json!({
            "pending_tasks": [], "queued_tasks": [], "launched_tasks": all(&self.live), "terminated_tasks": [],
            "completed_tasks": all(&self.ended),
        })
    }

    fn executors(&self) -> Value {
        let all = |list: &[Shown]| list.iter().map(|t| shapes::executor(self.us, t)).collect::<Vec<_>>();
        json!({"executors": all(&self.live), "completed_executors": all(&self.ended)})
    }

    /// A framework without live executors has completed, as far as an agent goes.
    fn frameworks(&self) -> Value {
        let framework = json!({"framework_info": shapes::framework_info(self.us)});
        let (here, gone) = match (self.live.is_empty(), self.ended.is_empty()) {
            (false, _) => (vec![framework], Vec::new()),
            (true, false) => (Vec::new(), vec![framework]),
            (true, true) => (Vec::new(), Vec::new()),
        };
        json!({"frameworks": here, "completed_frameworks": gone})
    }

    fn state(&self) -> Value {
        json!({"get_tasks": self.tasks(), "get_executors": self.executors(), "get_frameworks": self.frameworks()})
    }
}
