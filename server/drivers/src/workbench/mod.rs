//! The Workbench port on Docker Engine: one container for each workbench, changed by hand
//! through a terminal, and made an image of with `docker commit` and `docker push`.
//!
//! What one could get wrong:
//!
//! * What the container is started with (our entry point, root as the user, no health check)
//!   is merged into the image by Docker's commit wherever the image that is wanted says
//!   nothing. So everything that we override is overridden in a way that a commit does not
//!   take over (`put`), and the commit says everything else itself (`config`).
//! * Labels of a container end in the image too: a workbench has none of its own, and is known
//!   by its name. The engine and the container network know theirs by labels, and so leave
//!   these alone.
//! * A process that was started through the API does not end when the connection does
//!   (`terminal`).
//! * A commit that was cut off leaves an image behind: the next call begins by taking it away.

mod build;
mod changes;
pub(crate) mod commit;
pub(crate) mod config;
mod exec;
mod layers;
pub(crate) mod leave_out;
mod push;
mod put;
pub(crate) mod recipe;
mod terminal;
mod wire;

use crate::docker_at::DockerAt;
use crate::docker_engine::{Engine, status};
use crate::http::Auth;
use async_trait::async_trait;
use bollard::auth::DockerCredentials;
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary};
use bollard::query_parameters::RemoveContainerOptionsBuilder;
use futures::future::try_join_all;
use padis_domain::ports::{
    BenchChanges, BenchCommit, BenchSeen, BenchSpec, BuildStep, CommitStep, ImageBuild, PortError, PortResult,
    Registry, Terminal, Workbench,
};
use padis_domain::problem::System;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use wire::Wire;

/// How a workbench's container is called: this and its id.
pub const NAME_PREFIX: &str = "padis-bench-";
/// Making, starting and removing a container on a busy host.
const CALL: Duration = Duration::from_secs(60);
/// The longest id; a host name inside the container is made of it.
const LONGEST_ID: usize = 56;

/// Where workbenches run and where their images come from and go to.
#[derive(Debug, Clone)]
pub struct WorkbenchConfig {
    /// Docker Engines by host name. Several hosts may share one.
    pub hosts: BTreeMap<String, DockerAt>,
    /// How engines call our own registry in image references, `127.0.0.1:5000`.
    pub registry: String,
    /// Who an engine is to it; a password, or nothing.
    pub auth: Auth,
}

/// One Docker Engine, however many hosts it is.
struct Place {
    engine: Engine,
    wire: Wire,
    hosts: Vec<String>,
}

/// Docker Engines on which workbenches run.
pub struct DockerWorkbench {
    places: Vec<Arc<Place>>,
    registry_name: String,
    auth: Auth,
    registry: Arc<dyn Registry>,
}

fn refused(reason: impl Into<String>) -> PortError {
    PortError::refused(System::Docker, reason)
}

fn transient(what: impl Into<String>) -> PortError {
    PortError::Transient { system: System::Docker, what: what.into(), cause: None }
}

/// The container's name; an id that Docker would not take is refused.
pub(crate) fn name_of(id: &str) -> PortResult<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(fits) {
        return Err(refused(format!("{id:?} is no name of a workbench: letters, digits and hyphens are needed")));
    }
    Ok(format!("{NAME_PREFIX}{id}"))
}

fn state(found: &ContainerInspectResponse) -> ContainerStateStatusEnum {
    found.state.as_ref().and_then(|s| s.status).unwrap_or(ContainerStateStatusEnum::EMPTY)
}

impl Place {
    /// The container of a workbench that has to be there.
    async fn bench(&self, id: &str) -> PortResult<(String, ContainerInspectResponse)> {
        let name = name_of(id)?;
        match self.engine.container(&name).await? {
            Some(found) => Ok((name, found)),
            None => Err(refused(format!("there is no workbench {id} on {}", self.engine.endpoint()))),
        }
    }

    async fn seen(&self, container: &ContainerSummary) -> PortResult<Option<BenchSeen>> {
        let name = container.names.as_ref().and_then(|n| n.first()).map_or("", |n| n.trim_start_matches('/'));
        let Some(id) = name.strip_prefix(NAME_PREFIX) else { return Ok(None) };
        // An engine that is several hosts does not say which of them was meant: the container does.
        let told = match self.hosts.as_slice() {
            [only] => Some(only.clone()),
            _ => self.engine.container(name).await?.as_ref().and_then(put::host_of),
        };
        let Some(host) = told.filter(|h| self.hosts.contains(h)).or_else(|| self.hosts.first().cloned()) else {
            return Ok(None);
        };
        let running = container.state.as_ref().is_some_and(|s| s.to_string() == "running");
        Ok(Some(BenchSeen { id: id.to_owned(), host, running }))
    }

    async fn list(&self) -> PortResult<Vec<BenchSeen>> {
        let found = self.engine.containers("name", &format!("^/{NAME_PREFIX}"), true).await?;
        let mut out = Vec::new();
        for container in &found {
            out.extend(self.seen(container).await?);
        }
        Ok(out)
    }

    /// Takes the container away with the volumes that are its own; absent is fine.
    async fn remove(&self, name: &str) -> PortResult<()> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        match self.engine.patient(CALL).await?.remove_container(name, Some(options)).await {
            Ok(()) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) => Err(self.engine.failed(&format!("remove container {name}"), true, error)),
        }
    }
}

impl DockerWorkbench {
    /// Nothing is contacted yet. `registry` is our own registry as the portal sees it, which is
    /// asked what is there. An endpoint that is none, and files for TLS that can't be used, are
    /// `Refused`.
    pub fn new(config: &WorkbenchConfig, registry: Arc<dyn Registry>) -> PortResult<Self> {
        let mut hosts: BTreeMap<&DockerAt, Vec<String>> = BTreeMap::new();
        for (host, at) in &config.hosts {
            hosts.entry(at).or_default().push(host.clone());
        }
        let place = |(at, hosts): (&DockerAt, Vec<String>)| {
            let engine = Engine::new(at)?;
            Ok(Arc::new(Place { wire: Wire::new(engine.way())?, engine, hosts }))
        };
        let places = hosts.into_iter().map(place).collect::<PortResult<_>>()?;
        let (registry_name, auth) = (config.registry.clone(), config.auth.clone());
        Ok(Self { places, registry_name, auth, registry })
    }

    fn place(&self, host: &str) -> PortResult<&Arc<Place>> {
        let found = self.places.iter().find(|p| p.hosts.iter().any(|h| h == host));
        found.ok_or_else(|| refused(format!("no Docker Engine is configured for host {host}")))
    }

    fn reference(&self, repository: &str, digest: &str) -> String {
        format!("{}/{repository}@{digest}", self.registry_name)
    }

    fn credentials(&self) -> Option<DockerCredentials> {
        let Auth::Basic { user, password } = &self.auth else { return None };
        Some(DockerCredentials {
            username: Some(user.clone()),
            password: Some(password.clone()),
            serveraddress: Some(self.registry_name.clone()),
            ..DockerCredentials::default()
        })
    }
}

#[async_trait]
impl Workbench for DockerWorkbench {
    fn serves(&self, host: &str) -> bool {
        self.place(host).is_ok()
    }
    async fn put(&self, spec: &BenchSpec) -> PortResult<()> {
        self.put_bench(spec).await
    }
    async fn list(&self) -> PortResult<Vec<BenchSeen>> {
        let mut all = try_join_all(self.places.iter().map(|p| p.list())).await?.concat();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }
    async fn delete(&self, host: &str, id: &str) -> PortResult<()> {
        self.place(host)?.remove(&name_of(id)?).await
    }
    async fn changes(&self, host: &str, id: &str, most: usize) -> PortResult<BenchChanges> {
        changes::of(self.place(host)?, id, most).await
    }
    async fn written(&self) -> PortResult<BTreeMap<String, u64>> {
        self.written_on_all().await
    }
    async fn terminal(&self, host: &str, id: &str, columns: u16, rows: u16) -> PortResult<Terminal> {
        terminal::open(self.place(host)?, id, columns, rows).await
    }
    async fn commit(&self, wanted: &BenchCommit, tell: &(dyn Fn(CommitStep) + Send + Sync)) -> PortResult<String> {
        self.commit_bench(wanted, tell).await
    }
    async fn build(&self, wanted: &ImageBuild, tell: &(dyn Fn(BuildStep) + Send + Sync)) -> PortResult<String> {
        self.build_image(wanted, tell).await
    }
    async fn clear_build(&self, host: &str, id: &str) -> PortResult<()> {
        let place = self.place(host)?;
        recipe::check_id(id)?;
        place.clear_containers(id).await?;
        place.clear_images(id).await;
        Ok(())
    }
}
