//! The Network port on Docker Engine: one user-defined bridge per pool, and each
//! container connected to it with the address that we chose.
//!
//! Why after the start and not in the app's definition: Marathon has no field for
//! "this instance, this address", so the container starts in network `none` and
//! is moved. What one could get wrong:
//!
//! * A container in `none` can't be in another network at the same time; it must
//!   be taken out of `none` first (measured on Docker 20.10: both steps 0.11 s).
//! * Docker gives an address back when the container stops, at once; whether it
//!   may be used again is the database's decision (quarantine), not ours.
//! * "Address already in use" can mean ourselves, in a request that was repeated.
//!   So each `attach` looks first, and looks again before it refuses.
//! * Several engines: the network is made in each, and a container is attached on
//!   the engine that has it. Two engines in one network namespace can't share a
//!   subnet (two bridges would claim its gateway): give their agents pools of
//!   their own.

mod attach;

use crate::docker_at::DockerAt;
use crate::docker_engine::{Engine, message, status};
use async_trait::async_trait;
use bollard::models::{ContainerSummary, Ipam, IpamConfig, NetworkCreateRequest, NetworkInspect};
use futures::future::try_join_all;
use padis_domain::address::{dotted, parse_ip};
use padis_domain::ports::{Attachment, Network, PoolNet, PortError, PortResult};
use padis_domain::problem::System;
use std::collections::HashMap;

/// The container label by which a task's container is found.
pub const TASK_LABEL: &str = "MESOS_TASK_ID";
/// The network label that makes a network ours; its value is the pool's name.
pub const POOL_LABEL: &str = "io.padis.pool";

/// Docker Engines as one network of containers.
pub struct DockerNetwork {
    engines: Vec<Engine>,
}

fn refused(reason: impl Into<String>) -> PortError {
    PortError::refused(System::Network, reason)
}

fn transient(what: impl Into<String>) -> PortError {
    PortError::Transient { system: System::Network, what: what.into(), cause: None }
}

/// The name of a pool's network in Docker.
pub fn network_name(pool: &str) -> String {
    format!("padis-{pool}")
}

fn task_of(container: &ContainerSummary) -> Option<&str> {
    container.labels.as_ref()?.get(TASK_LABEL).map(String::as_str)
}

/// The container's address in a network. What was asked for stands there from the
/// start, what was given only once the endpoint is complete.
fn ip_in(container: &ContainerSummary, network: &str) -> Option<u32> {
    let endpoint = container.network_settings.as_ref()?.networks.as_ref()?.get(network)?;
    let asked = endpoint.ipam_config.as_ref().and_then(|c| c.ipv4_address.as_deref()).and_then(parse_ip);
    endpoint.ip_address.as_deref().and_then(parse_ip).or(asked)
}

impl DockerNetwork {
    /// Engines by endpoint: `unix:///var/run/docker.sock` or `tcp://127.0.0.1:2375`.
    /// No request is sent yet.
    pub fn new(endpoints: &[String]) -> PortResult<Self> {
        let engines = endpoints.iter().map(|e| Engine::new(&DockerAt::new(e))).collect::<PortResult<Vec<_>>>()?;
        if engines.is_empty() {
            return Err(refused("no Docker Engine is configured for the container network"));
        }
        Ok(Self { engines })
    }

    async fn ensure_on(engine: &Engine, net: &PoolNet) -> PortResult<()> {
        let name = network_name(&net.pool);
        if let Some(found) = engine.network(&name).await? {
            return same(&found, net);
        }
        let config = IpamConfig {
            subnet: Some(net.subnet.to_string()),
            gateway: Some(dotted(net.gateway)),
            ..IpamConfig::default()
        };
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam { config: Some(vec![config]), ..Ipam::default() }),
            labels: Some(HashMap::from([(POOL_LABEL.to_owned(), net.pool.clone())])),
            ..NetworkCreateRequest::default()
        };
        match engine.docker().await?.create_network(request).await {
            Ok(_) => {
                tracing::info!(pool.id = %net.pool, pool.subnet = %net.subnet, "made the pool's network in Docker");
                Ok(())
            }
            // Somebody else was faster: what counts is what is there now.
            Err(error) if status(&error) == Some(409) => match engine.network(&name).await? {
                Some(found) => same(&found, net),
                None => Err(engine.failed(&format!("create network {name}"), true, error)),
            },
            Err(error) if matches!(status(&error), Some(400 | 403)) => Err(PortError::Refused {
                system: System::Network,
                reason: format!(
                    "the network of pool {} ({}) cannot be made on this host: {}",
                    net.pool,
                    net.subnet,
                    message(&error)
                ),
                cause: Some(error.into()),
            }),
            Err(error) => Err(engine.failed(&format!("create network {name}"), true, error)),
        }
    }

    async fn remove_on(engine: &Engine, pool: &str) -> PortResult<()> {
        let name = network_name(pool);
        match engine.docker().await?.remove_network(&name).await {
            Ok(()) => Ok(()),
            Err(error) if status(&error) == Some(404) => Ok(()),
            Err(error) if matches!(status(&error), Some(403 | 409)) => Err(PortError::Refused {
                system: System::Network,
                reason: format!("the network of pool {pool} is still in use by a container"),
                cause: Some(error.into()),
            }),
            Err(error) => Err(engine.failed(&format!("remove network {name}"), true, error)),
        }
    }

    async fn list_on(engine: &Engine, pool: &str) -> PortResult<Vec<Attachment>> {
        let name = network_name(pool);
        let found = engine.containers("network", &name, false).await?;
        let attachment = |c: &ContainerSummary| {
            Some(Attachment { task_id: task_of(c)?.to_owned(), pool: pool.to_owned(), ip: ip_in(c, &name)? })
        };
        Ok(found.iter().filter_map(attachment).collect())
    }
}

/// Whether the network that was found is the one that is wanted.
fn same(found: &NetworkInspect, net: &PoolNet) -> PortResult<()> {
    let name = network_name(&net.pool);
    if found.labels.as_ref().and_then(|l| l.get(POOL_LABEL)) != Some(&net.pool) {
        return Err(refused(format!("a Docker network named {name} exists that Padis did not make")));
    }
    let configs = found.ipam.as_ref().and_then(|i| i.config.as_deref()).unwrap_or_default();
    let subnets: Vec<&str> = configs.iter().filter_map(|c| c.subnet.as_deref()).collect();
    if !subnets.contains(&net.subnet.to_string().as_str()) {
        let reason =
            format!("the network of pool {} exists with subnet {}, not {}", net.pool, subnets.join(", "), net.subnet);
        return Err(refused(reason));
    }
    let gateway = configs.iter().find_map(|c| c.gateway.as_deref()).unwrap_or_default();
    if parse_ip(gateway) != Some(net.gateway) {
        let reason =
            format!("the network of pool {} exists with gateway {gateway}, not {}", net.pool, dotted(net.gateway));
        return Err(refused(reason));
    }
    Ok(())
}

#[async_trait]
impl Network for DockerNetwork {
    async fn ensure(&self, net: &PoolNet) -> PortResult<()> {
        try_join_all(self.engines.iter().map(|e| Self::ensure_on(e, net))).await.map(drop)
    }
    async fn remove(&self, pool: &str) -> PortResult<()> {
        try_join_all(self.engines.iter().map(|e| Self::remove_on(e, pool))).await.map(drop)
    }
    async fn list(&self, pool: &str) -> PortResult<Vec<Attachment>> {
        Ok(try_join_all(self.engines.iter().map(|e| Self::list_on(e, pool))).await?.concat())
    }
    async fn attach(&self, net: &PoolNet, task_id: &str, ip: u32) -> PortResult<()> {
        self.attach_container(net, task_id, ip).await
    }
    async fn detach(&self, pool: &str, task_id: &str) -> PortResult<()> {
        self.detach_container(pool, task_id).await
    }
}
