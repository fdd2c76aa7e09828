//! `/containers` and `/monitor/statistics`: what the tasks use now.
//!
//! One reading of Docker takes tens of milliseconds; callers within the same
//! second share the readings, or a page that polls would keep Docker busy.

use super::state::index_of;
use super::{Mesos, Shared};
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use padis_protocol::mesos::ContainerInfo;
use padis_protocol::task::TaskState;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Readings are shared for so long.
const FRESH: Duration = Duration::from_secs(1);
/// Readings at the same time.
const AT_ONCE: usize = 8;

type Reading = Arc<Vec<(String, ContainerInfo)>>;

/// The last readings, by agent name.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Option<(Instant, Reading)>>);

async fn read(mesos: &Mesos) -> Reading {
    let mut last = mesos.cache.0.lock().await;
    if let Some((at, reading)) = last.as_ref()
        && at.elapsed() < FRESH
    {
        return Arc::clone(reading);
    }
    let running: Vec<_> =
        mesos.core.look(|w| w.tasks.values().filter(|t| t.state == TaskState::TaskRunning).cloned().collect());
    let framework_id = format!("{}-0000", mesos.core.id);
    let readings = futures::stream::iter(running).map(|task| {
        let framework_id = framework_id.clone();
        async move {
            let statistics = match mesos.core.runtime.statistics(&mesos.core, &task).await {
                Ok(statistics) => statistics,
                Err(error) => {
                    tracing::debug!(task.id = %task.id, %error, "engine: a container's statistics can't be read");
                    None
                }
            };
            let info = ContainerInfo {
                container_id: Some(task.container.trim_start_matches("mesos-").to_owned()),
                executor_id: task.id.clone(),
                executor_name: format!("Command Executor (Task: {})", task.id),
                framework_id,
                source: task.id.clone(),
                statistics,
                ..ContainerInfo::default()
            };
            (task.agent, info)
        }
    });
    let all: Vec<_> = readings.buffer_unordered(AT_ONCE).collect().await;
    let reading = Arc::new(all);
    *last = Some((Instant::now(), Arc::clone(&reading)));
    reading
}

/// Of all agents.
pub(super) async fn all(mesos: Shared) -> Response {
    let reading = read(&mesos).await;
    Json(reading.iter().map(|(_, info)| info).collect::<Vec<_>>()).into_response()
}

/// Of one agent.
pub(super) async fn of_agent(mesos: Shared, Path(agent): Path<String>) -> Response {
    let name = index_of(&agent).and_then(|i| mesos.core.look(|w| w.hosts.agents.get(i).map(|a| a.config.name.clone())));
    let Some(name) = name else { return StatusCode::NOT_FOUND.into_response() };
    let reading = read(&mesos).await;
    Json(reading.iter().filter(|(n, _)| *n == name).map(|(_, info)| info).collect::<Vec<_>>()).into_response()
}
