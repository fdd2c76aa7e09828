//! The reconciler: observe → plan → apply → settle.
//!
//! It is level-triggered. A wake-up carries no data; everything is read anew, the
//! pure [`padis_domain::plan::plan`] decides, dull code applies, and what is not
//! finished is looked at again. One could get it wrong by acting on an event, by
//! remembering between two looks what should be done, or by treating an unknown
//! outcome as a failure.

mod answer;
mod apply;
mod archives;
pub mod ask;
mod benches;
mod blind;
mod collect;
mod collections;
mod copies;
mod digest;
mod events;
mod hosts;
mod image;
mod inside;
pub mod live;
mod observe;
mod pace;
mod pools;
pub mod probe;
mod recipes;
mod rules;
mod snapshot;
mod story;
pub mod stream;
mod tidy;
mod worker;

use crate::archives::Spool;
use crate::changes::Changes;
use crate::images::Registries;
use crate::seal::Sealer;
use crate::store::Store;
use crate::store::work::Worker;
use digest::Digest;
use live::Live;
use padis_domain::app::AppRef;
use padis_domain::ports::{Balancer, Cluster, Dns, Duty, Host, Network, Registry, Scheduler, Survey, Workbench};
use padis_domain::words::UnixMs;
use probe::Prober;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use stream::Stream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What stands behind the portal.
#[derive(Clone)]
pub struct Ports {
    /// Marathon v2.
    pub scheduler: Arc<dyn Scheduler>,
    /// Mesos.
    pub cluster: Arc<dyn Cluster>,
    /// Container network.
    pub network: Arc<dyn Network>,
    /// Names.
    pub dns: Arc<dyn Dns>,
    /// Balancer.
    pub balancer: Arc<dyn Balancer>,
    /// Images.
    pub registry: Arc<dyn Registry>,
    /// All registries, and copies between them.
    pub registries: Arc<Registries>,
    /// Workbenches.
    pub workbench: Arc<dyn Workbench>,
}

/// Asks the name service what a name resolves to, as a stranger would.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync {
    /// The first IPv4 address of `name`; `None` if it does not resolve.
    async fn resolve(&self, name: &str) -> Option<std::net::Ipv4Addr>;
}

/// Settings.
#[derive(Clone)]
pub struct Settings {
    /// Workers.
    pub workers: usize,
    /// How long a worker may hold a row before another takes over.
    pub lease_ms: i64,
    /// Between two sweeps over everything.
    pub sweep: Duration,
    /// Applications that a sweep has looked at although nothing about them differs, those
    /// first that were not looked at for longest; with no more than so many all are.
    pub round: usize,
    /// Between two looks at hosts, balancer, registry.
    pub collect: Duration,
    /// Between two looks at what containers have written.
    pub written: Duration,
    /// The longest drain.
    pub drain_ms: i64,
    /// Seconds between SIGTERM and SIGKILL.
    pub kill_grace_s: u32,
    /// Where files lie that are brought in.
    pub archives: Spool,
    /// The folder of recipes.
    pub recipes: PathBuf,
    /// Folder for files that are needed for a moment.
    pub scratch: PathBuf,
    /// Folder of packages.
    pub packages: PathBuf,
    /// Folder of logs.
    pub logs: PathBuf,
    /// Opens what is sealed in the database.
    pub sealer: Arc<Sealer>,
    /// The address that names resolve to.
    pub names_to: String,
    /// The balancer's port for the first answer and for URLs.
    pub balancer_port: u16,
    /// Name of this process in leases, `host:pid:start`.
    pub lease: String,
    /// How to resolve.
    pub resolve: Arc<dyn Resolve>,
    /// Where each system stands, for the operator: system word → address without credentials.
    pub places: HashMap<&'static str, String>,
}

/// Why a task ended, as the event stream said; for the journal only.
#[derive(Debug, Clone)]
struct Cause {
    state: String,
    message: String,
}

/// What a task uses now: thousandths of a core, MiB.
#[derive(Debug, Clone, Copy)]
struct Use {
    cpu_milli: u32,
    mem_mib: u32,
}

/// Applications of which an event showed something new, until the pages are told.
#[derive(Debug, Default)]
struct Fresh {
    apps: Mutex<BTreeSet<AppRef>>,
    told: Notify,
}

/// The reconciler.
pub struct Reconciler {
    store: Store,
    ports: Ports,
    set: Settings,
    live: Arc<Live>,
    stream: Arc<Stream>,
    changes: Changes,
    prober: Prober,
    wake: Arc<Notify>,
    /// Work keys to nudge, collected until the next write.
    nudges: Arc<Mutex<BTreeSet<String>>>,
    nudged: Arc<Notify>,
    /// The same for those of which nothing was heard: a round is made.
    rounds: Mutex<BTreeSet<String>>,
    fresh: Fresh,
    /// Applications that a look left finished: what it had found outside, and when.
    settled: Mutex<HashMap<AppRef, (Digest, Instant)>>,
    /// Task → cause of its end; bounded.
    causes: Mutex<HashMap<String, Cause>>,
    /// Task → when it was first seen to be asked to go, on the steady clock; bounded.
    leaving: Mutex<HashMap<String, i64>>,
    started: Instant,
    /// Task → use.
    uses: RwLock<HashMap<String, Use>>,
    /// Names as last listed or put: name → addresses. `None`: not listed yet.
    names: RwLock<Option<HashMap<String, Vec<String>>>>,
    /// Pools whose network and zone were made by this process.
    pools_made: Mutex<BTreeSet<String>>,
    http: reqwest::Client,
}

/// Copies of images at the same time: large as they are, they leave the network to others.
const COPIES: usize = 2;
/// Workbenches that are made, or become versions, at the same time.
const BENCHES: usize = 2;
/// The most causes that are kept for the journal, and the most tasks whose leaving is timed.
const MAX_CAUSES: usize = 10_000;

fn lock<T>(m: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reconciler {
    /// Builds it; nothing runs yet. `wake` is notified after every commit that touched work.
    pub fn new(
        store: Store,
        ports: Ports,
        set: Settings,
        live: Arc<Live>,
        stream: Arc<Stream>,
        changes: Changes,
        wake: Arc<Notify>,
    ) -> Result<Arc<Self>, reqwest::Error> {
        let nudges: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let nudged = Arc::new(Notify::new());
        let (n, d) = (Arc::clone(&nudges), Arc::clone(&nudged));
        let prober = Prober::new(Arc::new(move |key: &str| {
            lock(&n).insert(key.to_owned());
            d.notify_one();
        }))?;
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(5))
            .build()?;
        Ok(Arc::new(Self {
            store,
            ports,
            set,
            live,
            stream,
            changes,
            prober,
            wake,
            nudges,
            nudged,
            rounds: Mutex::default(),
            fresh: Fresh::default(),
            settled: Mutex::default(),
            causes: Mutex::default(),
            leaving: Mutex::default(),
            started: Instant::now(),
            uses: RwLock::default(),
            names: RwLock::default(),
            pools_made: Mutex::default(),
            http,
        }))
    }

    /// Runs until `stop`. What is under way is finished first.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut set = tokio::task::JoinSet::new();
        for n in 0..self.set.workers.max(1) {
            set.spawn(worker::work(Arc::clone(&self), Worker::new(&self.set.lease, n), stop.clone()));
        }
        for n in 0..COPIES {
            set.spawn(worker::work(Arc::clone(&self), Worker::long(&self.set.lease, n), stop.clone()));
        }
        for n in 0..BENCHES {
            set.spawn(worker::work(Arc::clone(&self), Worker::bench(&self.set.lease, n), stop.clone()));
        }
        set.spawn(events::write_nudges(Arc::clone(&self), stop.clone()));
        set.spawn(events::show(Arc::clone(&self), stop.clone()));
        set.spawn(events::follow(Arc::clone(&self), stop.clone()));
        set.spawn(snapshot::keep(Arc::clone(&self), stop.clone()));
        set.spawn(snapshot::figures(Arc::clone(&self), stop.clone()));
        set.spawn(collect::sweep(Arc::clone(&self), stop.clone()));
        set.spawn(collect::collect(Arc::clone(&self), stop.clone()));
        set.spawn(collect::written(Arc::clone(&self), stop.clone()));
        set.spawn(rules::keep(Arc::clone(&self), stop.clone()));
        while set.join_next().await.is_some() {}
    }

    /// Asks for a look soon; never blocks.
    fn nudge(&self, key: impl Into<String>) {
        lock(&self.nudges).insert(key.into());
        self.nudged.notify_one();
    }

    /// Asks for a look when nothing more urgent is to be done; never blocks.
    fn nudge_later(&self, key: impl Into<String>) {
        lock(&self.rounds).insert(key.into());
        self.nudged.notify_one();
    }

    fn note_cause(&self, task_id: &str, state: &str, message: &str) {
        let mut causes = lock(&self.causes);
        if causes.len() >= MAX_CAUSES {
            causes.clear();
        }
        causes.insert(task_id.to_owned(), Cause { state: state.to_owned(), message: message.to_owned() });
    }

    fn take_cause(&self, task_id: &str) -> Option<Cause> {
        lock(&self.causes).remove(task_id)
    }

    /// Milliseconds on a clock that only goes forward, at the wall's pace.
    fn steady_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// When this process first saw the task asked to go. Forgetting it makes a drain longer, never shorter.
    fn leaving_since(&self, task_id: &str) -> i64 {
        let mut leaving = lock(&self.leaving);
        if leaving.len() >= MAX_CAUSES && !leaving.contains_key(task_id) {
            leaving.clear();
        }
        *leaving.entry(task_id.to_owned()).or_insert_with(|| self.steady_ms())
    }

    fn use_of(&self, task_id: &str) -> Option<Use> {
        self.uses.read().unwrap_or_else(PoisonError::into_inner).get(task_id).copied()
    }

    /// Keeps what was seen of the hosts, and tells the pages if they are not as they were.
    fn note_hosts(&self, found: Vec<Host>, duties: BTreeMap<String, Duty>) {
        if self.live.set_hosts(found, duties, now()) {
            self.changes.publish("pools", None);
        }
    }

    /// Keeps what was seen of the whole cluster.
    fn note_survey(&self, survey: Survey) {
        let (hosts, duties) = (survey.hosts(), survey.duties());
        self.live.set_survey(survey, now());
        self.note_hosts(hosts, duties);
    }

    fn known_name(&self, name: &str) -> Option<Vec<String>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|m| m.get(name).cloned())
    }

    fn learn_name(&self, name: &str, addresses: Option<Vec<String>>) {
        let mut g = self.names.write().unwrap_or_else(PoisonError::into_inner);
        let m = g.get_or_insert_with(HashMap::new);
        match addresses {
            Some(a) => m.insert(name.to_owned(), a),
            None => m.remove(name),
        };
    }
}

/// The server's clock.
fn now() -> UnixMs {
    crate::store::now_ms()
}

/// An address of the balancer on this machine.
fn balancer_addr(ip: std::net::Ipv4Addr, port: u16) -> SocketAddr {
    SocketAddr::from((ip, port))
}
