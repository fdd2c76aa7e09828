//! One probe: connect, ask, run.
//!
//! The address: host networking and mapped ports are probed on loopback, a
//! container with an address of its own at that address, read anew each time
//! because somebody else may attach it long after the start. One could get it
//! wrong by blaming the task when Docker does not answer: that is
//! [`Outcome::Unknown`]. HTTP is spoken by hand: a status line is all that is
//! needed, and a status of 200 to 399 is a success whatever the body says. HTTPS is
//! the same over TLS; whose certificate it is plays no part (as in Marathon), because
//! what is asked for is whether the task lives.

use crate::core::Core;
use crate::record::TaskRecord;
use crate::runtime::Runtime;
use padis_protocol::app::App;
use padis_protocol::container::NetworkMode;
use padis_protocol::health::{HealthCheck, HealthProtocol};
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) enum Outcome {
    Healthy,
    Sick(String),
    /// Docker could not be asked.
    Unknown,
}

pub(crate) async fn probe(core: &Core, task: &TaskRecord, app: &App, check: &HealthCheck) -> Outcome {
    if matches!(core.runtime, Runtime::Simulated(_)) {
        return Outcome::Healthy;
    }
    let protocol = check.protocol.unwrap_or_default();
    if protocol == HealthProtocol::Command {
        let command = check.command.as_ref().map_or("", |c| c.value.as_str());
        return match core.node_of(task) {
            Some(node) => node.exec(&task.container, command).await,
            None => Outcome::Unknown,
        };
    }
    let target = match target(core, task, app, check).await {
        Ok(target) => target,
        Err(outcome) => return outcome,
    };
    let answered = match protocol {
        HealthProtocol::Https | HealthProtocol::MesosHttps => {
            let answer = core.prober.get(url(true, target, check.path.as_deref())).send().await;
            answer.map(|a| a.status().as_u16()).map_err(|e| crate::fetch::chain(&e.without_url()))
        }
        _ => match TcpStream::connect(target).await {
            Ok(_) if matches!(protocol, HealthProtocol::Tcp | HealthProtocol::MesosTcp) => return Outcome::Healthy,
            Ok(mut stream) => {
                status(&mut stream, target, &path(check.path.as_deref())).await.map_err(|e| e.to_string())
            }
            Err(error) => Err(format!("{}:{}: {error}", target.0, target.1)),
        },
    };
    match answered {
        Ok(200..=399) => Outcome::Healthy,
        Ok(100..=199) if check.ignore_http1xx == Some(true) => Outcome::Unknown,
        Ok(code) => Outcome::Sick(format!("HTTP status {code}")),
        Err(error) => Outcome::Sick(error),
    }
}

/// Beginning with a slash.
fn path(path: Option<&str>) -> String {
    let path = path.unwrap_or("/");
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// The address to ask at.
pub(super) fn url(https: bool, place: (IpAddr, u16), at: Option<&str>) -> String {
    let scheme = if https { "https" } else { "http" };
    format!("{scheme}://{}{}", std::net::SocketAddr::from(place), path(at))
}

/// A client for what is spoken over TLS, and for readiness checks: nothing is followed,
/// nothing kept open, no certificate looked at.
pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
    // An error only says that the program has installed one already.
    let _already = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .user_agent("padis-engine")
        .build()
}

/// Where a task is asked.
pub(super) async fn target(
    core: &Core,
    task: &TaskRecord,
    app: &App,
    check: &HealthCheck,
) -> Result<(IpAddr, u16), Outcome> {
    let sick = |why: &str| Outcome::Sick(why.to_owned());
    let index = check.port_index.unwrap_or(0) as usize;
    let networks = app.network_list();
    let mode = networks.first().and_then(|n| n.mode).unwrap_or_default();
    let loopback = match &core.runtime {
        Runtime::Mesos(_) => match core.look(|w| agent_ip(w, task)) {
            Some(ip) => ip,
            None => return Err(sick("the agent's address is not known")),
        },
        _ => IpAddr::from([127, 0, 0, 1]),
    };
    if mode == NetworkMode::Host {
        let port = check.port.or_else(|| task.ports.get(index).copied());
        return port.map(|p| (loopback, p)).ok_or_else(|| sick("the health check names no port"));
    }
    if mode == NetworkMode::Bridge
        && check.port.is_none()
        && let Some(port) = task.ports.get(index)
    {
        return Ok((loopback, *port));
    }
    let mapped = app.mappings().get(index).and_then(|m| m.container_port);
    let port = check.port.or(mapped).filter(|p| *p != 0).ok_or_else(|| sick("the health check names no port"))?;
    if matches!(core.runtime, Runtime::Mesos(_)) {
        let own = task.addresses.first().and_then(|a| a.parse().ok());
        return own.map(|ip| (ip, port)).ok_or_else(|| sick("the container has no address yet"));
    }
    let Some(node) = core.node_of(task) else { return Err(Outcome::Unknown) };
    match node.addresses(&task.container).await {
        Ok(all) => all.first().map(|ip| (*ip, port)).ok_or_else(|| sick("the container has no address yet")),
        Err(_) => Err(Outcome::Unknown),
    }
}

fn agent_ip(w: &crate::world::World, task: &TaskRecord) -> Option<IpAddr> {
    let index = w.hosts.index(&task.agent)?;
    w.hosts.offers.as_ref()?.ips.get(&index)?.parse().ok()
}

async fn status(stream: &mut TcpStream, target: (IpAddr, u16), path: &str) -> std::io::Result<u16> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: padis-engine\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        target.0, target.1
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    let mut piece = [0_u8; 512];
    while !head.contains(&b'\n') && head.len() < 4096 {
        let count = stream.read(&mut piece).await?;
        if count == 0 {
            break;
        }
        head.extend_from_slice(&piece[..count]);
    }
    let line = String::from_utf8_lossy(&head);
    let code = line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    code.ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidData, "the answer is not HTTP"))
}
