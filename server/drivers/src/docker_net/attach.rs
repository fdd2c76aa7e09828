//! Moving one container into its pool's network, and out of it.

use super::{DockerNetwork, TASK_LABEL, ip_in, network_name, refused, task_of, transient};
use crate::docker_engine::{Engine, message, status};
use bollard::models::{
    ContainerSummary, EndpointIpamConfig, EndpointSettings, NetworkConnectRequest, NetworkDisconnectRequest,
};
use futures::future::try_join_all;
use padis_domain::address::{dotted, parse_ip};
use padis_domain::ports::{AddressTaken, PoolNet, PortError, PortResult};
use padis_domain::problem::System;

/// Docker's own network without any interface: who is in it can be in no other.
const NONE: &str = "none";

impl DockerNetwork {
    /// The task's container, on whichever engine it is; with `all`, also a stopped one.
    async fn find(&self, task_id: &str, all: bool) -> PortResult<Option<(&Engine, ContainerSummary)>> {
        let label = format!("{TASK_LABEL}={task_id}");
        let found = try_join_all(self.engines.iter().map(|e| e.containers("label", &label, all))).await?;
        Ok(self.engines.iter().zip(found).find_map(|(engine, mut found)| found.pop().map(|c| (engine, c))))
    }

    pub(super) async fn attach_container(&self, net: &PoolNet, task_id: &str, ip: u32) -> PortResult<()> {
        if !net.subnet.contains(ip) {
            return Err(refused(format!(
                "{} does not lie in {}, the subnet of pool {}",
                dotted(ip),
                net.subnet,
                net.pool
            )));
        }
        let name = network_name(&net.pool);
        let gone = || transient(format!("no running container of task {task_id} to give {} to", dotted(ip)));
        let (engine, container) = self.find(task_id, false).await?.ok_or_else(gone)?;
        let id = container.id.clone().unwrap_or_default();
        let has = ip_in(&container, &name);
        if has == Some(ip) {
            return Ok(());
        }
        if has.is_none() && in_network(&container, &name) {
            // The endpoint is being made by somebody else at this moment.
            return Err(transient(format!("the container of task {task_id} is being connected to {name}")));
        }
        // Look before letting go of the old address: a refusal must not leave it without any.
        if let Some(holder) = holder(engine, &name, ip, &id).await? {
            return Err(holder.refuse(ip));
        }
        for old in [NONE, name.as_str()] {
            if in_network(&container, old) {
                disconnect(engine, &id, old).await?;
            }
        }
        connect(engine, &name, &id, task_id, ip).await
    }

    pub(super) async fn detach_container(&self, pool: &str, task_id: &str) -> PortResult<()> {
        let name = network_name(pool);
        let Some((engine, container)) = self.find(task_id, true).await? else { return Ok(()) };
        if in_network(&container, &name) {
            disconnect(engine, container.id.as_deref().unwrap_or_default(), &name).await?;
        }
        Ok(())
    }
}

fn in_network(container: &ContainerSummary, network: &str) -> bool {
    let networks = container.network_settings.as_ref().and_then(|s| s.networks.as_ref());
    networks.is_some_and(|n| n.contains_key(network))
}

/// Who else has an address.
enum Holder {
    /// A task of ours.
    Task(String),
    /// A container that Padis did not start.
    Stranger(String),
    /// The network itself.
    Gateway,
}

impl Holder {
    fn refuse(self, ip: u32) -> PortError {
        match self {
            Self::Task(by) => refused(format!("{} is in use by {by}", dotted(ip))),
            Self::Stranger(by) => AddressTaken { by }.refuse(&dotted(ip)),
            Self::Gateway => refused(format!("{} is in use by the network's gateway", dotted(ip))),
        }
    }
}

/// Who else has `ip` in the network; `None` if nobody.
async fn holder(engine: &Engine, name: &str, ip: u32, except: &str) -> PortResult<Option<Holder>> {
    let inside = engine.containers("network", name, false).await?;
    if let Some(c) = inside.iter().find(|c| ip_in(c, name) == Some(ip) && c.id.as_deref() != Some(except)) {
        let container = c.names.as_ref().and_then(|n| n.first()).map_or("?", |n| n.trim_start_matches('/'));
        return Ok(Some(match task_of(c) {
            Some(task) => Holder::Task(format!("task {task} (container {container})")),
            None => Holder::Stranger(format!("container {container}, which Padis did not start")),
        }));
    }
    let network = engine.network(name).await?;
    let gateway = network.as_ref().and_then(|n| n.ipam.as_ref()?.config.as_ref()?.first()?.gateway.clone());
    Ok((gateway.as_deref().and_then(parse_ip) == Some(ip)).then_some(Holder::Gateway))
}

async fn connect(engine: &Engine, name: &str, id: &str, task_id: &str, ip: u32) -> PortResult<()> {
    let address = EndpointIpamConfig { ipv4_address: Some(dotted(ip)), ..EndpointIpamConfig::default() };
    let endpoint = EndpointSettings { ipam_config: Some(address), ..EndpointSettings::default() };
    let request = NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(endpoint) };
    let what = format!("connect the container of task {task_id} to {name} with {}", dotted(ip));
    let Err(error) = engine.docker().await?.connect_network(name, request).await else {
        tracing::debug!(task.id = task_id, network.name = name, address = %dotted(ip), "connected a container");
        return Ok(());
    };
    if message(&error).contains("ddress already in use") {
        // Between our look and Docker's: who has it now? Ourselves is possible, in a repeated request.
        return match holder(engine, name, ip, id).await? {
            Some(holder) => Err(holder.refuse(ip)),
            None => Err(PortError::transient(System::Network, what, error)),
        };
    }
    match status(&error) {
        // 404: container or network gone; 403, 409, 500: not running any more, being removed.
        Some(400) => Err(PortError::Refused {
            system: System::Network,
            reason: format!("Docker does not accept {} in {name}: {}", dotted(ip), message(&error)),
            cause: Some(error.into()),
        }),
        Some(_) => Err(PortError::transient(System::Network, what, error)),
        None => Err(engine.failed(&what, true, error)),
    }
}

async fn disconnect(engine: &Engine, id: &str, name: &str) -> PortResult<()> {
    let request = NetworkDisconnectRequest { container: id.to_owned(), force: Some(true) };
    match engine.docker().await?.disconnect_network(name, request).await {
        Ok(()) => Ok(()),
        // The container or the network is gone, or it was disconnected meanwhile.
        Err(error) if status(&error) == Some(404) || message(&error).contains("is not connected") => Ok(()),
        Err(error) => Err(engine.failed(&format!("disconnect container {id} from {name}"), true, error)),
    }
}
