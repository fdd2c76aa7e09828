//! Following one Docker Engine: its events, and a listing as safety net.
//!
//! A container's death is known from the event stream within milliseconds. What
//! the stream did not tell (it broke, Docker was restarted, the engine was not
//! running) the listing tells. The stream is asked for from a moment before the
//! listing, so that nothing falls in between. One could get it wrong by declaring
//! tasks lost because Docker is silent: silence changes nothing here, only an
//! answer does. Containers without a record are removed, but only those that
//! carry this engine's own identity.

use super::{CALL, CallError, LABEL_ENGINE, LABEL_TASK, Node, call};
use crate::core::Core;
use bollard::errors::Error as DockerError;
use bollard::models::{ContainerSummary, EventMessage};
use bollard::query_parameters::{EventsOptionsBuilder, ListContainersOptionsBuilder};
use futures::StreamExt;
use padis_protocol::task::TaskState;
use padis_protocol::timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The safety net's interval.
const LISTING: Duration = Duration::from_secs(10);
/// Pauses between attempts to reach Docker.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Follows a node until the engine stops.
pub(crate) async fn follow(core: Arc<Core>, index: usize) {
    let Some(node) = core.runtime.node(index) else { return };
    let mut pause = FIRST_PAUSE;
    let mut since = timestamp::now_ms();
    let mut told = false;
    loop {
        let began = Instant::now();
        let ended = tokio::select! {
            () = core.cancel.cancelled() => return,
            ended = session(&core, &node, index, &mut since) => ended,
        };
        core.node_is(index, false);
        if began.elapsed() > LAST_PAUSE {
            (pause, told) = (FIRST_PAUSE, false);
        }
        if !std::mem::replace(&mut told, true) {
            tracing::warn!(docker = %node.socket, error = %ended, "engine: Docker does not answer; tasks are taken to run on");
        }
        tokio::select! {
            () = core.cancel.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

async fn session(core: &Arc<Core>, node: &Arc<Node>, index: usize, since: &mut i64) -> CallError {
    match attempt(core, node, index, since).await {
        Ok(()) => CallError::Docker(DockerError::DockerStreamError { error: String::from("the event stream ended") }),
        Err(error) => error,
    }
}

async fn attempt(core: &Arc<Core>, node: &Arc<Node>, index: usize, since: &mut i64) -> Result<(), CallError> {
    let docker = node.client()?;
    call(CALL, docker.ping()).await?;
    let filters = HashMap::from([
        ("type", vec![String::from("container")]),
        ("label", vec![format!("{LABEL_ENGINE}={}", core.id)]),
    ]);
    let from = format!("{}.{:03}", since.div_euclid(1000), since.rem_euclid(1000));
    let options = EventsOptionsBuilder::new().since(&from).filters(&filters).build();
    let mut events = docker.events(Some(options));
    let mut listing = tokio::time::interval(LISTING);
    listing.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut up = false;
    loop {
        tokio::select! {
            event = events.next() => match event {
                None => return Ok(()),
                Some(event) => take(core, &event?, since),
            },
            _ = listing.tick() => {
                // The stream is polled on while the listing is on its way.
                let mut list = std::pin::pin!(reconcile(core, node, index));
                let done = loop {
                    tokio::select! {
                        done = &mut list => break done,
                        event = events.next() => match event {
                            None => return Ok(()),
                            Some(event) => take(core, &event?, since),
                        },
                    }
                };
                done?;
                if !std::mem::replace(&mut up, true) {
                    tracing::info!(docker = %node.socket, "engine: Docker answers");
                    core.node_is(index, true);
                }
            }
        }
    }
}

/// Takes up one event.
fn take(core: &Arc<Core>, event: &EventMessage, since: &mut i64) {
    if let Some(nanos) = event.time_nano {
        *since = (*since).max(nanos / 1_000_000);
    }
    let attributes = event.actor.as_ref().and_then(|a| a.attributes.as_ref());
    let Some(id) = attributes.and_then(|a| a.get(LABEL_TASK)) else { return };
    match event.action.as_deref().unwrap_or_default() {
        "die" => {
            let code = attributes.and_then(|a| a.get("exitCode")).and_then(|c| c.parse().ok()).unwrap_or(-1);
            core.died(id, code);
        }
        "oom" => drop(core.change(|w| w.live.get_mut(id).map(|l| l.oom = true))),
        "destroy" => {
            let (core, id) = (Arc::clone(core), id.clone());
            core.tracker.clone().spawn(async move { core.verify(&id).await });
        }
        _ => {}
    }
}

/// Compares what is with what is known.
async fn reconcile(core: &Arc<Core>, node: &Arc<Node>, index: usize) -> Result<(), CallError> {
    let docker = node.client()?;
    let filters = HashMap::from([("label", vec![format!("{LABEL_ENGINE}={}", core.id)])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let containers = call(CALL, docker.list_containers(Some(options))).await?;
    let mut present = HashSet::new();
    for container in &containers {
        if let Some(id) = container.labels.as_ref().and_then(|l| l.get(LABEL_TASK)) {
            present.insert(id.clone());
            found(core, node, id, container).await;
        }
    }
    let missing: Vec<(String, TaskState)> = core.look(|w| {
        let mine = |t: &&crate::record::TaskRecord| w.agent(&t.agent).is_none_or(|a| a.node == index);
        let idle = |t: &&crate::record::TaskRecord| w.live.get(&t.id).is_some_and(|l| !l.launching && !l.stopping);
        let gone = w.tasks.values().filter(|t| !present.contains(&t.id)).filter(mine).filter(idle);
        gone.map(|t| (t.id.clone(), t.state.clone())).collect()
    });
    for (id, state) in missing {
        match state {
            TaskState::TaskStaging | TaskState::TaskStarting => relaunch(core, &id),
            _ => core.verify(&id).await,
        }
    }
    Ok(())
}

fn relaunch(core: &Arc<Core>, id: &str) {
    let (fresh, _) = core.change(|w| w.live.get_mut(id).is_some_and(|l| !std::mem::replace(&mut l.launching, true)));
    if fresh {
        core.tracker.spawn(Arc::clone(core).launch(id.to_owned()));
    }
}

/// Takes up one container of the listing.
async fn found(core: &Arc<Core>, node: &Arc<Node>, id: &str, container: &ContainerSummary) {
    let status = container.state.map(|s| s.to_string()).unwrap_or_default();
    let running = matches!(status.as_str(), "running" | "paused" | "restarting");
    let name = container.id.clone().unwrap_or_default();
    let live = core.look(|w| w.tasks.get(id).map(|t| (t.state.clone(), w.live.get(id).is_some_and(|l| l.launching))));
    match live {
        Some((_, true)) => {}
        Some((TaskState::TaskKilling, _)) => {
            core.attend(id);
            core.tracker.spawn(Arc::clone(core).kill(id.to_owned()));
        }
        Some(_) if running => {
            let networks = container.network_settings.clone().and_then(|n| n.networks);
            core.change(|w| {
                w.addressed(id, networks.map(super::addresses).unwrap_or_default());
                w.running(id, Instant::now());
            });
            core.attend(id);
        }
        Some((TaskState::TaskStaging | TaskState::TaskStarting, _)) if status == "created" => relaunch(core, id),
        Some(_) => core.verify(id).await,
        None if core.look(|w| w.finished.contains_key(id)) && !running => core.attend(id),
        None => {
            tracing::warn!(task.id = %id, container = %name, "engine: a container of ours that nobody wants is removed");
            node.remove(&name).await;
        }
    }
}
