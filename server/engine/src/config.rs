//! What the engine is told at start, and how a start can fail.
//!
//! Everything has a default that works on one machine with Docker. One could get
//! it wrong by listening beyond loopback without credentials: who reaches the API
//! then owns the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// One agent: a share of a machine's resources under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentConfig {
    /// Its host name in the API (`hostname` in constraints).
    pub name: String,
    /// Its attributes, as constraints see them.
    pub attributes: BTreeMap<String, String>,
    /// Cores that may be handed out.
    pub cpus: f64,
    /// MiB of memory that may be handed out.
    pub mem_mib: u64,
    /// MiB of disk that may be handed out; absent: what the data folder's file system
    /// has, by Mesos' rule, shared equally by the agents that name none. It is counted
    /// when tasks are placed and not enforced: Docker's `overlay2` knows no limit.
    pub disk_mib: Option<u64>,
    /// Another Docker socket than the engine's, `unix:///…`.
    pub docker: Option<String>,
}

/// What runs the tasks.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum RuntimeConfig {
    /// The Docker Engine.
    #[default]
    Docker,
    /// A Mesos cluster, as one of its frameworks.
    Mesos(MesosConfig),
    /// Nothing: times, events and faults of a cluster without a container.
    Simulated {
        /// Agents, if the configuration names none.
        agents: u32,
        /// Mean time of a launch and of a stop.
        latency: Duration,
        /// Share of the launches that fail, 0 to 1.
        failure_rate: f64,
    },
}

/// A user and a password; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// How the engine is a framework of a Mesos cluster.
#[derive(Clone, PartialEq)]
pub struct MesosConfig {
    /// The masters, `http://host:port`, of which standbys name the leader; or one
    /// `zk://[user:password@]host:port[,host:port…]/path`, and ZooKeeper names it.
    pub masters: Vec<String>,
    /// Role; `*` has no reservations of its own.
    pub role: String,
    /// Name, for people.
    pub framework_name: String,
    /// User of tasks that name none.
    pub user: String,
    /// For a master with authentication.
    pub principal: Option<String>,
    /// The principal's secret.
    pub secret: Option<String>,
    /// PEM file of the authorities that may sign the masters' certificates; else those
    /// that the machine trusts. With it, masters that ZooKeeper names are asked by TLS.
    pub ca: Option<PathBuf>,
    /// How long Mesos keeps the tasks while the engine is away (Marathon: a week).
    pub failover_timeout: Duration,
}

impl std::fmt::Debug for MesosConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("MesosConfig");
        let known = self.masters.iter().filter(|m| !m.contains('@')).collect::<Vec<_>>();
        shown.field("masters", &known).field("role", &self.role).field("principal", &self.principal);
        shown.finish_non_exhaustive()
    }
}

impl MesosConfig {
    /// The ZooKeeper that knows the masters, if that is how they are found.
    pub(crate) fn ensemble(&self) -> Option<crate::runtime::Ensemble> {
        self.masters.first().and_then(|m| crate::runtime::Ensemble::parse(m))
    }

    /// With the defaults of Marathon.
    pub fn at(masters: Vec<String>) -> Self {
        Self {
            masters,
            role: String::from("*"),
            framework_name: String::from("marathon"),
            user: String::from("root"),
            principal: None,
            secret: None,
            ca: None,
            failover_timeout: Duration::from_secs(604_800),
        }
    }
}

/// Settings of the engine.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineConfig {
    /// Where the Marathon v2 API listens; port 0 takes a free one.
    pub marathon_listen: SocketAddr,
    /// Where the Mesos operator API listens; port 0 takes a free one.
    pub mesos_listen: SocketAddr,
    /// User and password that both APIs ask for (HTTP basic, Marathon's
    /// `--http_credentials`); none: whoever reaches them may do everything.
    pub credentials: Option<Credentials>,
    /// Folder of the engine's own: state, identity, sandboxes. Made if absent.
    pub data: PathBuf,
    /// The Docker Engine's socket, `unix:///var/run/docker.sock`.
    pub docker: String,
    /// What runs the tasks.
    pub runtime: RuntimeConfig,
    /// The agents; empty means one agent with all cores and 80 % of the memory.
    pub agents: Vec<AgentConfig>,
    /// Name of this machine: leader, and the host that health checks and `HOST` use.
    pub hostname: String,
    /// Image for apps that name none (a bare `cmd`). Without it such apps are refused,
    /// because the engine never runs a command on the host itself.
    pub default_image: Option<String>,
    /// Host ports to hand out (Mesos' own default).
    pub ports: RangeInclusive<u16>,
    /// Finished tasks, and their sandboxes, kept for each app.
    pub keep_finished: usize,
    /// A task that does not run after so long is given up (Marathon's
    /// `--task_launch_timeout`); fetching and pulling its image are part of it.
    pub launch_timeout: Duration,
    /// Bytes that one task may fetch, unpacked ones included.
    pub fetch_bytes: u64,
    /// Bytes of the files that tasks fetch with `cache` (Mesos' `--fetcher_cache_size`).
    pub fetch_cache_bytes: u64,
}

impl Default for EngineConfig {
    fn default() -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            marathon_listen: SocketAddr::new(loopback, 8080),
            mesos_listen: SocketAddr::new(loopback, 5050),
            credentials: None,
            data: PathBuf::from("engine"),
            docker: String::from("unix:///var/run/docker.sock"),
            runtime: RuntimeConfig::default(),
            agents: Vec::new(),
            hostname: String::from("localhost"),
            default_image: None,
            ports: 31_000..=32_000,
            keep_finished: 10,
            launch_timeout: Duration::from_secs(300),
            fetch_bytes: 4 << 30,
            fetch_cache_bytes: 2 << 30,
        }
    }
}

/// Why the engine did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The configuration contradicts itself.
    #[error("the engine's configuration is not usable: {0}")]
    Config(String),
    /// Another process works on the same data folder.
    #[error("another engine already works on {0}")]
    Locked(PathBuf),
    /// The data folder can't be used.
    #[error("the engine's data at {path} can't be used")]
    Data {
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The state is not what this engine wrote.
    #[error("line {line} of {path} is not a record of the engine's state")]
    Corrupt {
        /// File.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A client (for Mesos masters, for files to fetch) can't be made.
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    /// An address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Checks what must hold and fills in the one default agent.
pub(crate) fn agents(config: &EngineConfig) -> Result<Vec<AgentConfig>, EngineError> {
    if let RuntimeConfig::Mesos(mesos) = &config.runtime {
        if mesos.masters.is_empty() {
            return Err(EngineError::Config(String::from("the Mesos runtime needs at least one master")));
        }
        if let Some(zk) = mesos.masters.iter().find(|m| m.starts_with("zk://"))
            && (mesos.masters.len() > 1 || mesos.ensemble().is_none())
        {
            // Without what may be a password.
            let shown = zk.rsplit_once('@').map_or(zk.as_str(), |(_, rest)| rest);
            let text = format!("{shown}: masters are one zk://HOST:PORT[,HOST:PORT…]/PATH, or addresses");
            return Err(EngineError::Config(text));
        }
        if mesos.secret.is_some() && mesos.principal.is_none() {
            return Err(EngineError::Config(String::from("a secret for the Mesos masters is set and no principal")));
        }
        // The cluster has agents of its own.
        return Ok(Vec::new());
    }
    let mut agents = config.agents.clone();
    if let (true, RuntimeConfig::Simulated { agents: count, failure_rate, .. }) = (agents.is_empty(), &config.runtime) {
        if *count == 0 || !(0.0..=1.0).contains(failure_rate) {
            let text = "the simulated runtime needs at least one agent and a failure rate from 0 to 1";
            return Err(EngineError::Config(text.to_owned()));
        }
        agents = (0..*count).map(simulated_agent).collect();
    }
    if agents.is_empty() {
        agents.push(AgentConfig {
            name: config.hostname.clone(),
            attributes: BTreeMap::new(),
            cpus: std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64),
            mem_mib: machine_mem_mib().unwrap_or(1024) * 8 / 10,
            disk_mib: None,
            docker: None,
        });
    }
    let without = agents.iter().filter(|a| a.disk_mib.is_none()).count() as u64;
    if let Some(disk_mib) = machine_disk_mib(&config.data).unwrap_or(0).checked_div(without) {
        for agent in &mut agents {
            agent.disk_mib = agent.disk_mib.or(Some(disk_mib));
        }
    }
    let mut names = BTreeSet::new();
    for agent in &agents {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if agent.name.is_empty() || !agent.name.chars().all(plain) {
            return Err(EngineError::Config(format!("agent name {:?} is not a host name", agent.name)));
        }
        if !names.insert(agent.name.as_str()) {
            return Err(EngineError::Config(format!("agent name {:?} occurs twice", agent.name)));
        }
        if !(agent.cpus.is_finite() && agent.cpus > 0.0 && agent.mem_mib > 0) {
            return Err(EngineError::Config(format!("agent {} has no cores or no memory", agent.name)));
        }
        let socket = agent.docker.as_deref().unwrap_or(&config.docker);
        if !socket.starts_with("unix:///") {
            return Err(EngineError::Config(format!("{socket:?} is not a Docker socket (unix:///…)")));
        }
    }
    if config.ports.is_empty() {
        return Err(EngineError::Config(String::from("the range of host ports is empty")));
    }
    Ok(agents)
}

/// A host of a usual size; 40 to a rack, four zones.
fn simulated_agent(index: u32) -> AgentConfig {
    let attributes = [("rack", format!("r{:03}", index / 40)), ("zone", format!("z{}", index % 4))];
    AgentConfig {
        name: format!("sim-{index:05}"),
        attributes: attributes.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        cpus: 32.0,
        mem_mib: 131_072,
        disk_mib: Some(1_048_576),
        docker: None,
    }
}

/// What Mesos offers of a file system if nobody says otherwise (its `--resources`): all
/// but 5 GB, or half of a small one. The folder may not exist yet, one above it does.
fn machine_disk_mib(folder: &std::path::Path) -> Option<u64> {
    let there = folder.ancestors().find(|f| f.exists())?;
    let seen = rustix::fs::statvfs(there).ok()?;
    let mib = seen.f_blocks.saturating_mul(seen.f_frsize) >> 20;
    Some(if mib >= 10 * 1024 { mib - 5 * 1024 } else { mib / 2 })
}

fn machine_mem_mib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemTotal:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
