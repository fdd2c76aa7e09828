//! The composition root: settings in, a running portal out.
//!
//! Only here does anybody know what stands behind a port. The order is: what
//! must be there (data folder, database, our own address) first, and an error
//! there is an error at once; then everything else in the background. One could
//! get the end wrong: requests, then workers, then children, then the database.

mod behind;
mod bootstrap;
mod late;
mod machine;
mod resolve;
mod tend;

pub use crate::auth::Administrator;
pub use behind::{BehindError, engine_config};
pub use late::chain;

use crate::auth::{self, Auth};
use crate::changes::Changes;
use crate::config::Config;
use crate::http::{self, Web};
use crate::images;
use crate::inside;
use crate::osv::Known;
use crate::packages::Packages;
use crate::portal::{Accounts, Outside, PadisPortal, PortalSettings};
use crate::reconcile::Reconciler;
use crate::reconcile::ask::Asker;
use crate::reconcile::live::Live;
use crate::reconcile::stream::Stream;
use crate::seal::Sealer;
use crate::store::{Store, StoreError};
use behind::Behind;
use padis_domain::portal::Portal;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Between two looks whether the vulnerability feed has changed.
const FEED: Duration = Duration::from_secs(10);
/// Workers and starts under way have this long when the portal stops.
const FAREWELL: Duration = Duration::from_secs(15);

/// Why the portal does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error("the data folder {path} can't be used (PADIS_DATA names another)")]
    Data {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Another process has the data folder.
    #[error("another padis already works on {0}")]
    Locked(PathBuf),
    /// The database.
    #[error("the database can't be opened")]
    Store(#[from] StoreError),
    /// The key of secrets.
    #[error(transparent)]
    Key(#[from] crate::seal::KeyError),
    /// The portal's address.
    #[error("can't listen on {address} (PADIS_LISTEN names another)")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Hashing passwords.
    #[error("passwords can't be hashed")]
    Hash(#[from] auth::HashError),
    /// The first administrator.
    #[error("the first administrator can't be made")]
    Administrator(#[source] padis_domain::Problem),
    /// What stands behind.
    #[error(transparent)]
    Behind(#[from] BehindError),
    /// The HTTP client of the probes.
    #[error("no HTTP client for probes")]
    Client(#[from] reqwest::Error),
}

/// A running portal.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether the first administrator was made just now.
    pub administrator: Administrator,
    store: Store,
    behind: Behind,
    tasks: TaskTracker,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
    _lock: File,
}

/// Takes the data folder for this process: the lock goes with it, however it ends.
fn lock(config: &Config) -> Result<File, StartError> {
    let failed = |cause| StartError::Data { path: config.data.clone(), cause };
    std::fs::create_dir_all(&config.data).map_err(failed)?;
    let file = File::create(config.below("padis.lock")).map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StartError::Locked(config.data.clone())),
        Err(e) => Err(failed(e.into())),
    }
}

/// Makes an embedded database's file readable for us alone: it holds the secret
/// variables of applications. SQLite gives its other files the same mode.
fn private_database(c: &Config) -> std::io::Result<()> {
    let Some(path) = c.database.reveal().strip_prefix("sqlite:") else { return Ok(()) };
    let path = path.strip_prefix("//").unwrap_or(path).split('?').next().unwrap_or_default();
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

/// Starts the portal. Errors are of what must be there; everything else is tried again.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let held = lock(&config)?;
    let listen = config.listen;
    let failed = |cause| StartError::Listen { address: listen, cause };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    private_database(&config).map_err(|cause| StartError::Data { path: config.data.clone(), cause })?;
    // What a killed process was unpacking; one that is not there is none.
    if let Err(e) = std::fs::remove_dir_all(config.below("scratch"))
        && e.kind() != std::io::ErrorKind::NotFound
    {
        return Err(StartError::Data { path: config.data.clone(), cause: e });
    }
    let store = Store::open(config.database.reveal()).await?;
    // What a killed process had taken would otherwise wait until its lease runs out.
    crate::store::work::drop_leases(&store, &behind::lease_prefix(&config)).await?;
    let sealer = Arc::new(Sealer::load(&config.secrets_key)?);
    match sealer.seal_all(&store).await? {
        0 => {}
        n => tracing::info!(releases = n, "secrets from before there was a key are sealed now"),
    }
    let spool = behind::spool(&config);
    let held_files = crate::store::archives::kept_by(&store, &spool.holder).await?;
    // A file that was on its way in when the process was killed is of no use.
    if spool.clear(&held_files).map_err(|cause| StartError::Data { path: spool.folder.clone(), cause })? > 0 {
        tracing::info!("files that a killed process was taking in were cleared");
    }
    let behind = Behind::new(&config)?;
    let changes = Changes::new();
    let settings = auth::Settings::from(&config);
    let auth = Arc::new(Auth::new(store.clone(), behind.directory.clone(), settings, changes.clone()).await?);
    let administrator =
        auth.first_administrator(config.admin_password.as_ref()).await.map_err(StartError::Administrator)?;
    bootstrap::bootstrap(&store, &config).await?;
    crate::store::images::fill_releases(&store).await?;
    let packages = Packages::new(store.clone(), &config.data, config.upload.clone(), changes.clone())
        .map_err(|cause| StartError::Data { path: config.data.clone(), cause })?;
    let packages = Arc::new(packages);
    let live: Arc<Live> = Arc::default();
    let wake = Arc::new(Notify::new());
    let stream = Arc::new(Stream::new());
    let reconciler = Reconciler::new(
        store.clone(),
        behind.ports.clone(),
        behind::reconcile_settings(&config, sealer.clone()),
        live.clone(),
        stream.clone(),
        changes.clone(),
        wake.clone(),
    )?;
    let accounts: Arc<dyn Accounts> = auth.clone();
    let known = Arc::new(Known::new(config.vulnerabilities.clone()));
    let portal = PadisPortal::new(
        store.clone(),
        live.clone(),
        changes.clone(),
        portal_settings(&config, address, sealer.clone()),
        wake,
        accounts,
        Outside {
            pages: Arc::new(Asker::new()?),
            cluster: behind.ports.cluster.clone(),
            stream,
            registries: behind.ports.registries.clone(),
            known: known.clone(),
            workbench: behind.ports.workbench.clone(),
        },
    );
    let portal: Arc<dyn Portal> = Arc::new(portal);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    behind.start(&config, reached(address), &tasks, &stop);
    tasks.spawn(reconciler.run(stop.clone()));
    let registries = behind.ports.registries.clone();
    tasks.spawn(images::keep(registries.clone(), store.clone(), changes.clone(), stop.clone()));
    tasks.spawn(known.keep(FEED, changes.clone(), stop.clone()));
    tasks.spawn(inside::keep(registries, store.clone(), changes.clone(), stop.clone()));
    let tended = tend::Tended {
        store: store.clone(),
        auth: auth.clone(),
        packages: packages.clone(),
        live,
        changes: changes.clone(),
    };
    tasks.spawn(tend::tend(tended, config.clone(), stop.clone()));
    let web = Web::new(&config, auth, portal, packages, behind.ports.registries.clone(), changes, stop.clone());
    let serving = tokio::spawn(http::serve(listener, http::router(web), stop.clone()));
    Ok(Running { address, administrator, store, behind, tasks, stop, serving, _lock: held })
}

/// Where a process of this machine reaches a listener.
fn reached(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn portal_settings(c: &Config, address: SocketAddr, sealer: Arc<Sealer>) -> PortalSettings {
    let public_url = c.public_url.as_ref().map_or_else(|| format!("http://{address}"), ToString::to_string);
    PortalSettings {
        balancer_port: c.balancer.listen.port(),
        balancer_address: c.balancer.address.to_string(),
        balancer_listen: c.balancer.listen.to_string(),
        max_package_bytes: c.upload.max_bytes,
        logs: c.below("logs"),
        packages: c.below("packages"),
        writable_bytes: c.writable_bytes,
        benches: c.below("benches"),
        recipes: c.below("recipes"),
        sealer,
        archives: behind::spool(c),
        public_url: public_url.trim_end_matches('/').to_owned(),
    }
}

impl Running {
    /// Ends in order: requests, workers, children (by process id), database.
    /// Containers run on and are found again.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(e) = self.serving.await {
            tracing::error!(cause = %e, "the listener ended early");
        }
        self.tasks.close();
        if tokio::time::timeout(FAREWELL, self.tasks.wait()).await.is_err() {
            tracing::warn!("some work did not end in time; it is taken up at the next start");
        }
        self.behind.stop().await;
        self.store.close().await;
        tracing::info!("stopped; applications run on");
    }
}

#[cfg(test)]
mod tests;
