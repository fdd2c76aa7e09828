//! The built-in authoritative name server.
//!
//! Why our own: an application must resolve the moment it is healthy, on a machine
//! with nothing to set up. A change is served when [`Dns::put`] returns, because the
//! answer is computed from the very map that was changed: there is no zone file,
//! no transfer and no reload in between. The state lives in memory only; after a
//! restart the reconciler compares [`Dns::list`] with what it wants and puts the
//! difference.
//!
//! What one could get wrong: answering for names that are not ours (see
//! `handler.rs`), and NXDOMAIN where NODATA is meant (see `names.rs`).

mod config;
mod handler;
mod names;

pub use config::DnsConfig;

use async_trait::async_trait;
use handler::Handler;
use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RecordType};
use hickory_server::Server;
use names::{Names, Unacceptable};
use padis_domain::address::Subnet;
use padis_domain::ports::{Dns, NameRecord, PortError, PortResult};
use padis_domain::problem::System;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// A TCP client that says nothing for this long is disconnected (RFC 7766 suggests seconds).
const TCP_IDLE: Duration = Duration::from_secs(10);
/// How long [`DnsServer::stop`] waits for answers under way.
const STOP_WITHIN: Duration = Duration::from_secs(2);
/// How long a question to ourselves may take.
const PING_WITHIN: Duration = Duration::from_secs(1);

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
pub enum DnsStartError {
    /// A setting is not acceptable.
    #[error("the name server's settings: {0}")]
    Setting(String),
    /// The address is in use or not ours.
    #[error("the name server cannot listen on {listen} ({protocol})")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// `UDP` or `TCP`.
        protocol: &'static str,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

/// The running server. Dropping it stops it; [`DnsServer::stop`] waits for the end.
pub struct DnsServer {
    names: Arc<RwLock<Names>>,
    address: SocketAddr,
    server: Mutex<Server<Handler>>,
    shutdown: CancellationToken,
}

fn refused(why: Unacceptable) -> PortError {
    PortError::refused(System::Dns, why.to_string())
}

/// One port for both protocols. With port 0 the kernel's choice for TCP may be
/// taken for UDP, so a few are tried.
async fn bind(listen: SocketAddr) -> Result<(TcpListener, UdpSocket, SocketAddr), DnsStartError> {
    let failed = |protocol| move |cause| DnsStartError::Listen { listen, protocol, cause };
    let mut tries = if listen.port() == 0 { 20 } else { 1 };
    loop {
        let tcp = TcpListener::bind(listen).await.map_err(failed("TCP"))?;
        let address = tcp.local_addr().map_err(failed("TCP"))?;
        tries -= 1;
        match UdpSocket::bind(address).await {
            Ok(udp) => return Ok((tcp, udp, address)),
            Err(cause) if tries == 0 => return Err(failed("UDP")(cause)),
            Err(_) => {}
        }
    }
}

impl DnsServer {
    /// Binds and serves. An address in use is an error here, never later.
    pub async fn start(config: DnsConfig) -> Result<Self, DnsStartError> {
        let setting = |why: Unacceptable| DnsStartError::Setting(why.to_string());
        let mut names = Names::new(config.authority().map_err(setting)?);
        for zone in &config.zones {
            names.ensure_zone(zone).map_err(setting)?;
        }
        for subnet in &config.reverse {
            names.ensure_reverse(*subnet);
        }
        let (tcp, udp, address) = bind(config.listen).await?;
        let names = Arc::new(RwLock::new(names));
        let mut server = Server::new(Handler(names.clone()));
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE, 32);
        let shutdown = server.shutdown_token().clone();
        tracing::info!(dns.listen = %address, dns.zones = ?config.zones, "the name server answers");
        Ok(Self { names, address, server: Mutex::new(server), shutdown })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Also serves this forward zone from now on.
    pub fn add_zone(&self, zone: &str) -> PortResult<()> {
        self.write(|names| names.ensure_zone(zone)).map_err(refused)
    }

    /// Also serves the reverse zones of this subnet from now on. Addresses that were
    /// put before point back at once.
    pub fn add_reverse(&self, subnet: Subnet) {
        self.write(|names| names.ensure_reverse(subnet));
    }

    /// Every zone that is served, forward and reverse.
    pub fn zones(&self) -> Vec<String> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).zones()
    }

    /// Takes no more questions, finishes the answers under way, frees the port.
    pub async fn stop(&self) {
        self.shutdown.cancel();
        let mut server = self.server.lock().await;
        match tokio::time::timeout(STOP_WITHIN, server.shutdown_gracefully()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the name server ended with an error"),
            Err(_) => tracing::warn!("the name server did not end in time"),
        }
    }

    fn write<T>(&self, change: impl FnOnce(&mut Names) -> T) -> T {
        change(&mut self.names.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks ourselves over UDP, as a resolver would.
    async fn ask_self(&self) -> std::io::Result<()> {
        let mut to = self.address;
        if to.ip().is_unspecified() {
            to.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let mut question = Message::new(std::process::id() as u16, MessageType::Query, OpCode::Query);
        question.add_query(Query::query(Name::root(), RecordType::SOA));
        let question = question.to_vec().map_err(std::io::Error::other)?;
        let socket =
            UdpSocket::bind(SocketAddr::new(if to.is_ipv4() { [0; 4].into() } else { [0u16; 8].into() }, 0)).await?;
        socket.connect(to).await?;
        socket.send(&question).await?;
        let mut answer = [0; 512];
        loop {
            let n = socket.recv(&mut answer).await?;
            if n >= 12 && answer[..2] == question[..2] {
                return Ok(());
            }
        }
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

#[async_trait]
impl Dns for DnsServer {
    async fn list(&self) -> PortResult<Vec<NameRecord>> {
        Ok(self.names.read().unwrap_or_else(PoisonError::into_inner).list())
    }

    async fn put(&self, record: &NameRecord) -> PortResult<()> {
        self.write(|names| names.put(record)).map_err(refused)
    }

    async fn delete(&self, name: &str) -> PortResult<()> {
        self.write(|names| names.delete(name));
        Ok(())
    }

    async fn ensure_zone(&self, domain: &str, subnet: Subnet) -> PortResult<()> {
        self.add_zone(domain)?;
        self.add_reverse(subnet);
        Ok(())
    }

    async fn ping(&self) -> PortResult<()> {
        let what = || format!("a question to the name server at {}", self.address);
        match tokio::time::timeout(PING_WITHIN, self.ask_self()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(PortError::transient(System::Dns, what(), error)),
            Err(elapsed) => Err(PortError::transient(System::Dns, what(), elapsed)),
        }
    }
}
