//! The Docker Engine: one [`Node`] for each socket.
//!
//! Docker stops and comes back, and its socket may not even exist: the client is
//! therefore made for each call (it keeps no connections anyway), and every call
//! has a deadline. The one distinction that matters to callers is between "it did
//! not answer", which says nothing about the container, and "it refused", which
//! does. Never touched: the networks of a container. The portal attaches an
//! address after the start, and an engine that put things back would fight it.

pub(crate) mod logs;
pub(crate) mod spec;
pub(crate) mod stats;
pub(crate) mod watch;

use crate::config::EngineConfig;
use crate::health::probe::Outcome;
use crate::record::TaskRecord;
use bollard::errors::Error as DockerError;
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use bollard::models::EndpointSettings;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, CreateImageOptionsBuilder, InspectContainerOptions, RemoveContainerOptionsBuilder,
    StartContainerOptions, StopContainerOptionsBuilder,
};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures::StreamExt;
use padis_protocol::app::App;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::timeout;

/// Deadline of a plain call.
pub(crate) const CALL: Duration = Duration::from_secs(30);
/// Deadline of a pull without any progress being reported.
const PULL_SILENCE: Duration = Duration::from_secs(120);

/// Label with the engine's identity; only what carries ours is ever touched.
pub(crate) const LABEL_ENGINE: &str = "io.padis.engine";
/// Label with the app's path.
pub(crate) const LABEL_APP: &str = "io.padis.engine.app";
/// Label with the agent's name.
pub(crate) const LABEL_AGENT: &str = "io.padis.engine.agent";
/// Label with the task id, by which the portal's network driver finds the container.
pub(crate) const LABEL_TASK: &str = "MESOS_TASK_ID";

/// Why a container does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LaunchError {
    /// Docker did not answer.
    #[error("Docker did not answer")]
    Unreachable(#[source] CallError),
    /// Docker answered, and it will not run like this.
    #[error("{0}")]
    Refused(String),
}

/// A call that gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error(transparent)]
    Docker(#[from] DockerError),
}

impl CallError {
    /// The HTTP status that Docker answered with.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Docker(DockerError::DockerResponseServerError { status_code, .. }) => Some(*status_code),
            _ => None,
        }
    }
}

/// What a container is like.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub running: bool,
    pub created: bool,
    pub exit_code: i64,
    pub oom: bool,
}

/// One Docker Engine.
pub(crate) struct Node {
    pub socket: String,
    pulls: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

async fn call<T>(limit: Duration, what: impl Future<Output = Result<T, DockerError>>) -> Result<T, CallError> {
    match timeout(limit, what).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(CallError::Timeout(limit)),
    }
}

impl Node {
    pub fn new(socket: String) -> Self {
        Self { socket, pulls: Mutex::new(HashMap::new()) }
    }

    /// A client; fails if there is no socket.
    pub fn client(&self) -> Result<Docker, DockerError> {
        Docker::connect_with_unix(&self.socket, 600, API_DEFAULT_VERSION)
    }

    /// Creates and starts a task's container. Repeating it is harmless: the name
    /// is the task's own, so a second attempt meets the first one's container.
    pub async fn launch(
        &self,
        config: &EngineConfig,
        engine: &str,
        task: &TaskRecord,
        app: &App,
        sandbox: Option<&Path>,
    ) -> Result<(), LaunchError> {
        let body = spec::container(config, engine, task, app, sandbox).map_err(LaunchError::Refused)?;
        let image = body.image.clone().unwrap_or_default();
        let docker = self.client().map_err(|e| LaunchError::Unreachable(e.into()))?;
        if app.docker().and_then(|d| d.force_pull_image) == Some(true) {
            self.pull(&docker, &image).await?;
        }
        let mut pulled = false;
        loop {
            let options = CreateContainerOptionsBuilder::new().name(&task.container).build();
            match call(CALL, docker.create_container(Some(options), body.clone())).await {
                Ok(_) => break,
                Err(error) => match error.status() {
                    Some(404) if !pulled => {
                        self.pull(&docker, &image).await?;
                        pulled = true;
                    }
                    // It exists: an earlier attempt, before a restart.
                    Some(409) if matches!(self.inspect(&task.container).await, Ok(Some(_))) => break,
                    _ => return Err(verdict(error)),
                },
            }
        }
        match call(CALL, docker.start_container(&task.container, None::<StartContainerOptions>)).await {
            Ok(()) => Ok(()),
            Err(error) if error.status() == Some(304) => Ok(()),
            Err(error) => Err(verdict(error)),
        }
    }

    /// Pulls an image; several tasks that want the same one share one pull.
    async fn pull(&self, docker: &Docker, image: &str) -> Result<(), LaunchError> {
        let gate = {
            let mut pulls = self.pulls.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(pulls.entry(image.to_owned()).or_default())
        };
        let result = {
            let _only = gate.lock().await;
            tracing::info!(image, "engine: pulling an image");
            self.pull_now(docker, image).await
        };
        let mut pulls = self.pulls.lock().unwrap_or_else(PoisonError::into_inner);
        if pulls.get(image).is_some_and(|g| Arc::strong_count(g) <= 2) {
            pulls.remove(image);
        }
        result
    }

    async fn pull_now(&self, docker: &Docker, image: &str) -> Result<(), LaunchError> {
        // Without tag and digest Docker would pull every tag there is.
        let bare = !image.contains('@') && !image.rsplit('/').next().unwrap_or(image).contains(':');
        let reference = if bare { format!("{image}:latest") } else { image.to_owned() };
        let options = CreateImageOptionsBuilder::new().from_image(&reference).build();
        let mut progress = docker.create_image(Some(options), None, None);
        loop {
            match timeout(PULL_SILENCE, progress.next()).await {
                Ok(None) => return Ok(()),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return Err(verdict(error.into())),
                Err(_) => return Err(LaunchError::Refused(format!("pulling {image} made no progress"))),
            }
        }
    }

    /// SIGTERM, then SIGKILL after the grace. A container that is gone already is a success.
    pub async fn stop(&self, container: &str, grace_s: u32) -> Result<(), CallError> {
        let docker = self.client()?;
        let grace = i32::try_from(grace_s).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(grace).build();
        let limit = CALL + Duration::from_secs(u64::from(grace_s));
        match call(limit, docker.stop_container(container, Some(options))).await {
            Err(error) if matches!(error.status(), Some(304 | 404)) => Ok(()),
            other => other,
        }
    }

    /// Removes a container with its anonymous volumes; absent is fine.
    pub async fn remove(&self, container: &str) -> bool {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let result = match self.client() {
            Ok(docker) => call(CALL, docker.remove_container(container, Some(options))).await,
            Err(error) => Err(error.into()),
        };
        match result {
            Ok(()) => true,
            Err(error) if matches!(error.status(), Some(404 | 409)) => error.status() == Some(404),
            Err(error) => {
                tracing::warn!(container, %error, "engine: a container can't be removed; it is tried again");
                false
            }
        }
    }

    /// What a container is like now; `None` if there is none.
    pub async fn inspect(&self, container: &str) -> Result<Option<Seen>, CallError> {
        let docker = self.client()?;
        match call(CALL, docker.inspect_container(container, None::<InspectContainerOptions>)).await {
            Ok(found) => {
                let state = found.state.unwrap_or_default();
                let status = state.status.map(|s| s.to_string()).unwrap_or_default();
                Ok(Some(Seen {
                    running: state.running == Some(true) || status == "paused" || status == "restarting",
                    created: status == "created",
                    exit_code: state.exit_code.unwrap_or(-1),
                    oom: state.oom_killed == Some(true),
                }))
            }
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The container's addresses of its own; none on the host's network.
    pub async fn addresses(&self, container: &str) -> Result<Vec<IpAddr>, CallError> {
        let docker = self.client()?;
        let found = match call(CALL, docker.inspect_container(container, None::<InspectContainerOptions>)).await {
            Err(error) if error.status() == Some(404) => return Ok(Vec::new()),
            other => other?,
        };
        Ok(addresses(found.network_settings.and_then(|n| n.networks).unwrap_or_default()))
    }

    /// Runs a shell command in the container; exit code 0 is healthy.
    pub async fn exec(&self, container: &str, command: &str) -> Outcome {
        match self.exec_code(container, command).await {
            Ok(Some(0)) => Outcome::Healthy,
            Ok(Some(code)) => Outcome::Sick(format!("Command exited with status {code}")),
            Ok(None) => Outcome::Unknown,
            Err(error) if error.status().is_some() => Outcome::Sick(error.to_string()),
            Err(_) => Outcome::Unknown,
        }
    }

    async fn exec_code(&self, container: &str, command: &str) -> Result<Option<i64>, CallError> {
        let docker = self.client()?;
        let options = CreateExecOptions {
            cmd: Some(vec!["/bin/sh", "-c", command]),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..CreateExecOptions::default()
        };
        let made = call(CALL, docker.create_exec(container, options)).await?;
        let started = call(CALL, docker.start_exec(&made.id, None::<StartExecOptions>)).await?;
        if let StartExecResults::Attached { mut output, .. } = started {
            // The stream ends with the command. The caller has the deadline.
            while output.next().await.is_some() {}
        }
        Ok(call(CALL, docker.inspect_exec(&made.id)).await?.exit_code)
    }
}

/// The addresses on a container's networks, in the order of their names.
pub(crate) fn addresses(networks: HashMap<String, EndpointSettings>) -> Vec<IpAddr> {
    let networks: BTreeMap<String, EndpointSettings> = networks.into_iter().collect();
    let texts = networks.values().flat_map(|n| [n.ip_address.as_deref(), n.global_ipv6_address.as_deref()]);
    texts.flatten().filter_map(|text| text.parse().ok()).collect()
}

/// Whether an error of Docker is its refusal or its absence.
fn verdict(error: CallError) -> LaunchError {
    match error {
        CallError::Docker(DockerError::DockerResponseServerError { message, status_code }) => {
            tracing::debug!(status_code, "engine: Docker refused");
            LaunchError::Refused(message)
        }
        CallError::Docker(DockerError::DockerStreamError { error }) => LaunchError::Refused(error),
        other => LaunchError::Unreachable(other),
    }
}
