//! One Docker Engine: connection, version, and its errors in the port's terms. What the
//! container network and the workbenches share.
//!
//! One could get it wrong by calling a request that was sent and not answered a failure: it
//! is `Unknown`, unless it changes nothing or nobody can have heard it.

use crate::docker_at::{DockerAt, Way};
use crate::docker_tls::{Secure, Unreached};
use crate::http::{distrust, tls_error};
use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum, NetworkInspect};
use bollard::query_parameters::{InspectContainerOptions, InspectNetworkOptions, ListContainersOptionsBuilder};
use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Seconds that one request may take. `network connect` takes 0.1 s; a loaded machine may need ten times that.
const DEADLINE_S: u64 = 15;
/// A look takes milliseconds; an engine that needs longer than this does not answer.
const LOOK: Duration = Duration::from_secs(5);

/// An engine by its endpoint.
pub(crate) struct Engine {
    way: Way,
    /// The client after it has agreed on the API's version: an old engine refuses a newer one.
    agreed: OnceCell<Docker>,
}

/// What Docker answered instead of success.
pub(crate) fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// Docker's own words.
pub(crate) fn message(error: &Error) -> &str {
    match error {
        Error::DockerResponseServerError { message, .. } => message,
        _ => "",
    }
}

/// Whether the request can't have reached the engine: no socket, nobody behind it.
fn never_sent(error: &Error) -> bool {
    match error {
        Error::SocketNotFoundError(_) => true,
        Error::HyperLegacyError { err } => err.is_connect(),
        Error::IOError { err } => err.get_ref().is_some_and(|e| e.is::<Unreached>()),
        _ => false,
    }
}

impl Engine {
    /// Contacts nobody: Docker may be started after us.
    pub(crate) fn new(at: &DockerAt) -> PortResult<Self> {
        Ok(Self { way: at.way()?, agreed: OnceCell::new() })
    }

    /// For another client of the same engine.
    pub(crate) fn way(&self) -> &Way {
        &self.way
    }

    /// Where it is reached.
    pub(crate) fn endpoint(&self) -> &str {
        &self.way.url
    }

    async fn agree(&self) -> Result<Docker, Error> {
        let url = self.endpoint();
        let docker = match &self.way.tls {
            Some(tls) => {
                let secure = Secure::new(url, tls.clone())?;
                let send = move |request: BollardRequest| secure.clone().send(request);
                Docker::connect_with_custom_transport(send, Some(url), DEADLINE_S, API_DEFAULT_VERSION)?
            }
            None if url.starts_with("unix://") => Docker::connect_with_unix(url, DEADLINE_S, API_DEFAULT_VERSION)?,
            None => Docker::connect_with_http(url, DEADLINE_S, API_DEFAULT_VERSION)?,
        };
        docker.negotiate_version().await
    }

    /// The client, once the engine has answered.
    pub(crate) async fn docker(&self) -> PortResult<&Docker> {
        let agreed = self.agreed.get_or_try_init(|| self.agree()).await;
        agreed.map_err(|e| self.failed("ask for the API's version", false, e))
    }

    /// The same client, for a request that may take that long until it is answered.
    pub(crate) async fn patient(&self, deadline: Duration) -> PortResult<Docker> {
        Ok(self.docker().await?.clone().with_timeout(deadline))
    }

    /// A failure that no caller has a better word for.
    pub(crate) fn failed(&self, what: &str, writes: bool, error: Error) -> PortError {
        let what = format!("{what} on the Docker Engine at {}", self.endpoint());
        if let Some(why) = distrust(&error) {
            // One of the two does not know the other: nobody has read the request.
            let ours = matches!(tls_error(&error), Some(rustls::Error::AlertReceived(_)));
            let none = "it wants a certificate, and Padis shows it none (set cert and key)".to_owned();
            let why = if ours && !self.way.shows { none } else { why };
            return PortError::transient(System::Docker, format!("{what}: {why}"), error);
        }
        if writes && status(&error).is_none() && !never_sent(&error) {
            PortError::unknown(System::Docker, what, error)
        } else {
            PortError::transient(System::Docker, what, error)
        }
    }

    /// Running (or paused) containers that match one filter; with `all`, stopped ones too.
    pub(crate) async fn containers(&self, filter: &str, value: &str, all: bool) -> PortResult<Vec<ContainerSummary>> {
        let filters = HashMap::from([(filter, vec![value])]);
        let options = ListContainersOptionsBuilder::new().all(all).filters(&filters).build();
        let list = async {
            let found = self.docker().await?.list_containers(Some(options)).await;
            found.map_err(|e| self.failed("list containers", false, e))
        };
        let mut found = self.soon("list containers", list).await?;
        let alive = |c: &ContainerSummary| {
            matches!(c.state, Some(ContainerSummaryStateEnum::RUNNING | ContainerSummaryStateEnum::PAUSED))
        };
        found.retain(|c| all || alive(c));
        Ok(found)
    }

    /// The container, `None` if there is none of that name.
    pub(crate) async fn container(&self, name: &str) -> PortResult<Option<ContainerInspectResponse>> {
        let look = async {
            match self.docker().await?.inspect_container(name, None::<InspectContainerOptions>).await {
                Ok(container) => Ok(Some(container)),
                Err(error) if status(&error) == Some(404) => Ok(None),
                Err(error) => Err(self.failed(&format!("inspect container {name}"), false, error)),
            }
        };
        self.soon("inspect a container", look).await
    }

    /// The network, `None` if there is none of that name.
    pub(crate) async fn network(&self, name: &str) -> PortResult<Option<NetworkInspect>> {
        let look = async {
            match self.docker().await?.inspect_network(name, None::<InspectNetworkOptions>).await {
                Ok(network) => Ok(Some(network)),
                Err(error) if status(&error) == Some(404) => Ok(None),
                Err(error) => Err(self.failed(&format!("inspect network {name}"), false, error)),
            }
        };
        self.soon("inspect a network", look).await
    }

    /// A look within its time.
    async fn soon<T>(&self, what: &str, look: impl Future<Output = PortResult<T>>) -> PortResult<T> {
        tokio::time::timeout(LOOK, look).await.unwrap_or_else(|elapsed| {
            let what = format!("{what} on the Docker Engine at {}", self.endpoint());
            Err(PortError::transient(System::Docker, what, elapsed))
        })
    }
}
