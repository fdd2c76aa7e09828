//! `/containers` and `/monitor/statistics`: what the tasks use now.
//!
//! One reading of Docker takes tens of milliseconds; callers within the same
//! second share the readings, or a page that polls would keep Docker busy.

use super::facts::{AgentFacts, Shown, Us};
use super::{Mesos, Shared, answer};
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use padis_protocol::mesos::operator::agent::Container;
use padis_protocol::mesos::{ContainerInfo, Statistics, v1};
use padis_protocol::task::TaskState;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Readings are shared for so long.
const FRESH: Duration = Duration::from_secs(1);
/// Readings at the same time.
const AT_ONCE: usize = 8;

type Reading = Arc<Vec<(Shown, Option<Statistics>)>>;

/// The last readings.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Option<(Instant, Reading)>>);

async fn read(mesos: &Mesos) -> Reading {
    let mut last = mesos.cache.0.lock().await;
    if let Some((at, reading)) = last.as_ref()
        && at.elapsed() < FRESH
    {
        return Arc::clone(reading);
    }
    let running: Vec<Shown> = mesos
        .core
        .look(|w| w.tasks.values().filter(|t| t.state == TaskState::TaskRunning).map(|t| Shown::of(w, t)).collect());
    let readings = futures::stream::iter(running).map(|shown| async move {
        let statistics = match mesos.core.runtime.statistics(&mesos.core, &shown.task).await {
            Ok(statistics) => statistics,
            Err(error) => {
                tracing::debug!(task.id = %shown.task.id, %error, "engine: a container's statistics can't be read");
                None
            }
        };
        (shown, statistics.map(with_soft_limit))
    });
    let all: Vec<_> = readings.buffer_unordered(AT_ONCE).collect().await;
    let reading = Arc::new(all);
    *last = Some((Instant::now(), Arc::clone(&reading)));
    reading
}

/// What is asked for and what is granted is the same here.
fn with_soft_limit(mut statistics: Statistics) -> Statistics {
    statistics.extra.insert(String::from("mem_soft_limit_bytes"), json!(statistics.mem_limit_bytes));
    statistics
}

/// As the agent says of its container alone: not where its networks are.
fn status(us: &Us, shown: &Shown) -> v1::ContainerStatus {
    v1::ContainerStatus { network_infos: Vec::new(), ..shown.container_status(us) }
}

/// As `/monitor/statistics` has it.
fn monitored(us: &Us, shown: &Shown, statistics: Option<&Statistics>) -> ContainerInfo {
    ContainerInfo {
        container_id: None,
        executor_id: shown.task.id.clone(),
        executor_name: shown.executor_name(),
        framework_id: us.framework.clone(),
        source: shown.task.id.clone(),
        statistics: statistics.cloned(),
        ..ContainerInfo::default()
    }
}

/// As `/containers` has it.
fn contained(us: &Us, shown: &Shown, statistics: Option<&Statistics>) -> ContainerInfo {
    let mut info = monitored(us, shown, statistics);
    info.container_id = Some(shown.container_id().to_owned());
    info.extra.insert(String::from("status"), json!(status(us, shown)));
    info
}

type Form = fn(&Us, &Shown, Option<&Statistics>) -> ContainerInfo;

async fn of_all(mesos: &Mesos, form: Form) -> Response {
    let us = Us::of(&mesos.core);
    let reading = read(mesos).await;
    Json(reading.iter().map(|(shown, s)| form(&us, shown, s.as_ref())).collect::<Vec<_>>()).into_response()
}

async fn of_agent(mesos: &Mesos, process: &str, form: Form) -> Response {
    let Some(agent) = AgentFacts::named(&mesos.core, process) else { return answer::not_found() };
    let us = Us::of(&mesos.core);
    let reading = read(mesos).await;
    let mine = reading.iter().filter(|(shown, _)| shown.task.agent == agent.name);
    Json(mine.map(|(shown, s)| form(&us, shown, s.as_ref())).collect::<Vec<_>>()).into_response()
}

/// `/containers`: of all agents.
pub(super) async fn all_containers(mesos: Shared) -> Response {
    of_all(&mesos, contained).await
}

/// `/monitor/statistics`: of all agents.
pub(super) async fn all_statistics(mesos: Shared) -> Response {
    of_all(&mesos, monitored).await
}

/// `/slave(N)/containers`
pub(super) async fn agent_containers(mesos: Shared, Path(process): Path<String>) -> Response {
    of_agent(&mesos, &process, contained).await
}

/// `/slave(N)/monitor/statistics`
pub(super) async fn agent_statistics(mesos: Shared, Path(process): Path<String>) -> Response {
    of_agent(&mesos, &process, monitored).await
}

/// GET_CONTAINERS
pub(super) async fn containers(mesos: &Mesos, agent: &AgentFacts) -> Vec<Container> {
    let us = Us::of(&mesos.core);
    let reading = read(mesos).await;
    let mine = reading.iter().filter(|(shown, _)| shown.task.agent == agent.name);
    let one = |(shown, statistics): &(Shown, Option<Statistics>)| Container {
        framework_id: Some(us.framework.as_str().into()),
        executor_id: Some(shown.task.id.as_str().into()),
        executor_name: Some(shown.executor_name()),
        container_id: shown.container_status(&us).container_id,
        container_status: Some(status(&us, shown)),
        resource_statistics: statistics.clone(),
        ..Container::default()
    };
    mine.map(one).collect()
}
