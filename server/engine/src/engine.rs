//! Starting and stopping the engine.
//!
//! Stopping stops the engine, not the applications: their containers run on and
//! are found again by their labels at the next start. One could get it wrong by
//! serving before the state is read; the listeners are opened first (so that a
//! port in use is an error at once) but answer only afterwards.

use crate::config::{self, AgentConfig, EngineConfig, EngineError, RuntimeConfig};
use crate::core::Core;
use crate::docker::Node;
use crate::runtime::{Mesos, Runtime, Simulated};
use crate::store::Store;
use crate::world::{Agent, World};
use axum::Router;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use uuid::Uuid;

/// Time for running requests to end when the engine stops.
const GRACE: Duration = Duration::from_secs(5);

/// The engine.
#[derive(Debug)]
pub struct Engine;

/// A running engine. Dropping it stops nothing; call [`EngineHandle::stop`].
pub struct EngineHandle {
    core: Arc<Core>,
    marathon: SocketAddr,
    mesos: SocketAddr,
}

impl std::fmt::Debug for EngineHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineHandle").field("marathon", &self.marathon).field("mesos", &self.mesos).finish()
    }
}

impl Engine {
    /// Reads the state, opens the listeners and begins to work. Docker may be
    /// stopped; the engine answers and waits for it.
    pub async fn start(config: EngineConfig) -> Result<EngineHandle, EngineError> {
        let mut config = config;
        if let Ok(absolute) = std::path::absolute(&config.data) {
            config.data = absolute;
        }
        let agent_configs = config::agents(&config)?;
        let (store, records) = Store::open(&config.data)?;
        let id = identity(&config.data)?;
        let marathon = listen(config.marathon_listen).await?;
        let mesos = listen(config.mesos_listen).await?;
        let (marathon_address, mesos_address) =
            (bound(&marathon, &config.marathon_listen)?, bound(&mesos, &config.mesos_listen)?);
        (config.marathon_listen, config.mesos_listen) = (marathon_address, mesos_address);

        let (runtime, agents) = runtime(&config, agent_configs, &id)?;
        let mut world = World::new(agents, &config.ports, config.keep_finished);
        world.launch_timeout = config.launch_timeout;
        if let Runtime::Mesos(mesos) = &runtime {
            world.role.clone_from(&mesos.config.role);
            world.hosts.offers = Some(crate::world::Offers::default());
        }
        world.operator.ip = config.mesos_listen.ip().to_string();
        world.restore(records);
        let core = Arc::new(Core::new(config, id, runtime, world, store).map_err(EngineError::Client)?);
        Runtime::begin(&core);
        core.tracker.spawn(Arc::clone(&core).run());
        serve(&core, marathon, crate::http::router(Arc::clone(&core)));
        serve(&core, mesos, crate::mesos::router(Arc::clone(&core)));
        core.change(|_| ());
        tracing::info!(
            marathon.listen = %marathon_address, mesos.listen = %mesos_address, engine.id = %core.id,
            "engine: started"
        );
        Ok(EngineHandle { core, marathon: marathon_address, mesos: mesos_address })
    }
}

impl EngineHandle {
    /// Where the Marathon API listens.
    pub fn marathon(&self) -> SocketAddr {
        self.marathon
    }
    /// Where the Mesos operator API listens.
    pub fn mesos(&self) -> SocketAddr {
        self.mesos
    }
    /// The identity that the containers carry in the label `io.padis.engine`.
    pub fn id(&self) -> &str {
        &self.core.id
    }
    /// Stops the engine; containers run on.
    pub async fn stop(self) {
        self.core.cancel.cancel();
        self.core.hub.close();
        self.core.operators.close();
        self.core.tracker.close();
        let ended = tokio::time::timeout(GRACE, self.core.tracker.wait()).await.is_ok();
        if !ended {
            tracing::warn!("engine: some work did not end in time; it is taken up at the next start");
        }
        if let Err(error) = self.core.flush().await {
            tracing::error!(%error, "engine: stopped without having written everything");
        } else if ended {
            self.core.release();
        }
        tracing::info!("engine: stopped; applications run on");
    }
}

/// Runs the engine until the future completes.
pub async fn run(config: EngineConfig, shutdown: impl Future<Output = ()>) -> Result<(), EngineError> {
    let handle = Engine::start(config).await?;
    shutdown.await;
    handle.stop().await;
    Ok(())
}

/// The runtime that the configuration asks for, and its agents.
fn runtime(config: &EngineConfig, agents: Vec<AgentConfig>, id: &str) -> Result<(Runtime, Vec<Agent>), EngineError> {
    let of = |(index, agent): (usize, AgentConfig), node| Agent { config: agent, node, id: format!("{id}-S{index}") };
    match &config.runtime {
        RuntimeConfig::Mesos(mesos) => {
            let mesos = Mesos::new(mesos.clone())?;
            Ok((Runtime::Mesos(Box::new(mesos)), Vec::new()))
        }
        RuntimeConfig::Simulated { latency, failure_rate, .. } => {
            let simulated = Simulated { latency: *latency, failure_rate: *failure_rate };
            let agents = agents.into_iter().enumerate().map(|(i, a)| of((i, a), i)).collect();
            Ok((Runtime::Simulated(simulated), agents))
        }
        RuntimeConfig::Docker => {
            let mut sockets: Vec<String> = Vec::new();
            let mut made = Vec::new();
            for (index, agent) in agents.into_iter().enumerate() {
                let socket = agent.docker.clone().unwrap_or_else(|| config.docker.clone());
                let node = sockets.iter().position(|s| *s == socket).unwrap_or_else(|| {
                    sockets.push(socket);
                    sockets.len() - 1
                });
                made.push(of((index, agent), node));
            }
            Ok((Runtime::Docker(sockets.into_iter().map(|s| Arc::new(Node::new(s))).collect()), made))
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, EngineError> {
    TcpListener::bind(address).await.map_err(|source| EngineError::Listen { address, source })
}

fn bound(listener: &TcpListener, wanted: &SocketAddr) -> Result<SocketAddr, EngineError> {
    listener.local_addr().map_err(|source| EngineError::Listen { address: *wanted, source })
}

fn serve(core: &Arc<Core>, listener: TcpListener, router: Router) {
    let cancel = core.cancel.clone();
    core.tracker.spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service).with_graceful_shutdown(cancel.cancelled_owned()).await;
        if let Err(error) = served {
            tracing::error!(%error, "engine: a listener failed");
        }
    });
}

/// The identity of a data folder, made once. Containers of another identity are
/// another engine's and are left alone.
fn identity(data: &Path) -> Result<String, EngineError> {
    let path = data.join("engine-id");
    let failed = |source| EngineError::Data { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(text) if Uuid::parse_str(text.trim()).is_ok() => return Ok(text.trim().to_owned()),
        Ok(text) => return Err(EngineError::Config(format!("{} holds {text:?}, not an identity", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let id = Uuid::new_v4().to_string();
    let fresh = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        use std::io::Write;
        let mut file = std::fs::File::create(&fresh)?;
        file.write_all(id.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        std::fs::File::open(data)?.sync_all()
    };
    write().map_err(failed)?;
    Ok(id)
}
