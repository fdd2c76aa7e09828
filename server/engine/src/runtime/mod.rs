//! What runs the tasks: the Docker Engine of this machine, a Mesos cluster, or
//! nothing at all in the simulated runtime.
//!
//! The engine's rules (what runs where, when it is replaced, what callers see) are
//! above this and the same for all; a runtime starts, stops and looks, and reports
//! through [`Core`]. One could get it wrong by letting a runtime decide anything.

mod mesos;
mod simulated;

pub(crate) use mesos::{DRIVER, Ensemble, FRAMEWORK_CAN, Mesos, by_mesos, check, on_agent, shown};
pub(crate) use simulated::Simulated;

use crate::core::Core;
use crate::docker::{CallError, LaunchError, Node, Seen, watch};
use crate::record::TaskRecord;
use padis_protocol::app::App;
use padis_protocol::health::HealthCheck;
use padis_protocol::mesos::Statistics;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Fetches what an app names, if it names anything; the folder that it is in then.
async fn fetched(core: &Core, task: &TaskRecord, spec: &App) -> Result<Option<PathBuf>, LaunchError> {
    if spec.artifacts().is_empty() {
        return Ok(None);
    }
    let folder = core.sandboxes.inside(&task.id);
    match core.fetcher.fetch(spec, &folder, user(spec)).await {
        Ok(()) => Ok(Some(folder)),
        Err(why) => {
            let text = format!("Failed to fetch all URIs for container '{}': {why}", task.container);
            Err(LaunchError::Refused(text))
        }
    }
}

/// The user that the container runs as, as far as the definition says.
fn user(spec: &App) -> Option<&str> {
    let parameters = spec.docker().and_then(|d| d.parameters.as_deref()).unwrap_or_default();
    let named = parameters.iter().rev().find(|p| p.key == "user").map(|p| p.value.as_str());
    named.or(spec.user.as_deref())
}

/// Said of a task whose agent is not in the configuration any more.
const NO_AGENT: &str = "the agent is not configured any more";

pub(crate) enum Runtime {
    /// One node for each Docker socket.
    Docker(Vec<Arc<Node>>),
    Mesos(Box<Mesos>),
    Simulated(Simulated),
}

impl Runtime {
    /// Begins to follow what happens.
    pub fn begin(core: &Arc<Core>) {
        match &core.runtime {
            Self::Docker(nodes) => {
                for index in 0..nodes.len() {
                    core.tracker.spawn(watch::follow(Arc::clone(core), index));
                }
            }
            Self::Mesos(_) => Mesos::begin(core),
            Self::Simulated(simulated) => simulated.begin(core),
        }
    }

    /// Sends what a turn has decided to launch; to be called after each turn.
    pub fn launch_all(core: &Arc<Core>, launch: Vec<String>) {
        if matches!(core.runtime, Self::Mesos(_)) {
            return mesos::after_turn(core, launch);
        }
        for id in launch {
            core.tracker.spawn(Arc::clone(core).launch(id));
        }
    }

    /// Whether a health check is made where the task runs, and told from there.
    pub fn checks_itself(&self, check: &HealthCheck) -> bool {
        matches!(self, Self::Mesos(_)) && mesos::on_agent(check)
    }

    /// A Docker node by its index.
    pub fn node(&self, index: usize) -> Option<Arc<Node>> {
        match self {
            Self::Docker(nodes) => nodes.get(index).cloned(),
            _ => None,
        }
    }

    /// Starts a staged task. Repeating it is harmless.
    pub async fn launch(&self, core: &Arc<Core>, task: &TaskRecord, spec: &App) -> Result<(), LaunchError> {
        match self {
            Self::Docker(_) => match core.node_of(task) {
                Some(node) => {
                    let folder = fetched(core, task, spec).await?;
                    node.launch(&core.config, &core.id, task, spec, folder.as_deref()).await
                }
                None => Err(LaunchError::Refused(NO_AGENT.to_owned())),
            },
            // They leave with `launch_all`.
            Self::Mesos(_) => Ok(()),
            Self::Simulated(simulated) => simulated.launch(core, task).await,
        }
    }

    /// Stops a task: SIGTERM, and SIGKILL after its grace. One that is gone already is a success.
    pub async fn stop(&self, core: &Core, task: &TaskRecord) -> Result<(), CallError> {
        match self {
            Self::Docker(_) => match core.node_of(task) {
                Some(node) => node.stop(&task.container, task.grace_s).await,
                None => Ok(()),
            },
            Self::Mesos(mesos) => {
                mesos::stop(mesos, task).await;
                Ok(())
            }
            Self::Simulated(simulated) => {
                simulated.pause().await;
                Ok(())
            }
        }
    }

    /// What a task's container is like now; `None` if there is none.
    pub async fn inspect(&self, core: &Core, task: &TaskRecord) -> Result<Option<Seen>, CallError> {
        match self {
            Self::Docker(_) => match core.node_of(task) {
                Some(node) => node.inspect(&task.container).await,
                None => Ok(None),
            },
            // Only an update tells that a task has ended.
            Self::Mesos(_) => Ok(Some(Seen { running: true, created: false, exit_code: 0, oom: false })),
            Self::Simulated(simulated) => Ok(simulated.inspect(task)),
        }
    }

    /// The addresses of its own that a task has now. Not known is none: the next listing tells.
    pub async fn addresses(&self, core: &Core, task: &TaskRecord) -> Vec<IpAddr> {
        match core.node_of(task) {
            Some(node) => node.addresses(&task.container).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// Takes away what is left of a task.
    pub async fn remove(&self, core: &Core, task: &TaskRecord) {
        if let Some(node) = core.node_of(task) {
            node.remove(&task.container).await;
        }
    }

    /// What a task uses now.
    pub async fn statistics(&self, core: &Core, task: &TaskRecord) -> Result<Option<Statistics>, CallError> {
        match core.node_of(task) {
            Some(node) => node.statistics(&task.container, task.cpus, task.mem).await,
            None => Ok(None),
        }
    }

    /// Whether a task's output has to be copied into its sandbox from here.
    pub fn has_output(&self) -> bool {
        matches!(self, Self::Docker(_))
    }

    /// What a Marathon would not know, for `/padis/runtime`.
    pub fn about(&self, core: &Core) -> Value {
        match self {
            Self::Docker(nodes) => {
                let up = core.look(|w| w.hosts.up.clone());
                let docker = nodes.iter().zip(up).map(|(node, up)| json!({"socket": node.socket, "answers": up}));
                json!({"runtime": "docker", "docker": docker.collect::<Vec<_>>()})
            }
            Self::Mesos(mesos) => json!({"runtime": "mesos", "master": mesos.leader(), "trouble": mesos.trouble()}),
            Self::Simulated(_) => json!({"runtime": "simulated"}),
        }
    }
}
