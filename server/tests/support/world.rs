//! A world for the reconciler: its own database, fakes of every port with faults
//! on demand, and real HTTP pages on loopback addresses for the probe to ask.

use padis_domain::app::{AppRef, HealthRule, ReleaseSpec};
use padis_domain::delivery::Note;
use padis_domain::plan::fresh_steps;
use padis_domain::pool::PoolSpec;
use padis_domain::ports::{Dns, Scheduler};
use padis_domain::quantity::Size;
use padis_domain::stack::Contract;
use padis_domain::view::HostOut;
use padis_domain::words::{Stage, Zone};
use padis_drivers::fake::{
    FakeBalancer, FakeCluster, FakeDns, FakeNetwork, FakeRegistry, FakeScheduler, FakeWorkbench,
};
use padis_server::archives::Spool;
use padis_server::changes::Changes;
use padis_server::images::Registries;
use padis_server::reconcile::live::Live;
use padis_server::reconcile::stream::Stream;
use padis_server::reconcile::{Ports, Reconciler, Resolve, Settings};
use padis_server::seal::Sealer;
use padis_server::store::{Store, hosts, now_ms, work};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

/// What the page at an address answers; absent: `200 OK`.
pub type Pages = Arc<Mutex<HashMap<Ipv4Addr, (u16, String)>>>;

/// The world.
pub struct World {
    pub store: Store,
    pub sched: Arc<FakeScheduler>,
    pub net: Arc<FakeNetwork>,
    pub dns: Arc<FakeDns>,
    pub bal: Arc<FakeBalancer>,
    pub reg: Arc<FakeRegistry>,
    pub bench: Arc<FakeWorkbench>,
    pub cluster: Arc<FakeCluster>,
    pub pages: Pages,
    pub live: Arc<Live>,
    /// Of the process that was started last.
    pub stream: Mutex<Arc<Stream>>,
    registries: Mutex<Arc<Registries>>,
    /// Applications that each sweep has looked at in any case.
    pub round: Mutex<usize>,
    /// What stands between the reconciler and `sched`, if something does.
    pub before: Mutex<Option<Arc<dyn Scheduler>>>,
    wake: Arc<tokio::sync::Notify>,
    port: u16,
    pub pool: PoolSpec,
    pub folder: tempfile::TempDir,
    running: Mutex<Option<(CancellationToken, tokio::task::JoinHandle<()>)>>,
}

struct FakeResolve(Arc<FakeDns>);
#[async_trait::async_trait]
impl Resolve for FakeResolve {
    async fn resolve(&self, name: &str) -> Option<Ipv4Addr> {
        self.0.resolve(name).first().and_then(|a| a.parse().ok())
    }
}

/// Counted apart, so that pools repeat only after 200 worlds: two worlds with a pool of
/// one name would share where the last search for an address ended.
static WORLDS: AtomicU32 = AtomicU32::new(0);
static STARTS: AtomicU32 = AtomicU32::new(0);

/// Serves every loopback address on one port; each answers as `pages` says.
async fn serve(pages: Pages) -> u16 {
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        while let Ok((mut s, _)) = listener.accept().await {
            let pages = Arc::clone(&pages);
            tokio::spawn(async move {
                let mut buf = [0u8; 4096];
                let Ok(n) = s.read(&mut buf).await else { return };
                if n == 0 {
                    return;
                }
                let ip = match s.local_addr() {
                    Ok(std::net::SocketAddr::V4(a)) => *a.ip(),
                    _ => return,
                };
                let (status, body) =
                    pages.lock().expect("pages").get(&ip).cloned().unwrap_or_else(|| (200, "all is OK".to_owned()));
                let head =
                    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = s.write_all(format!("{head}{body}").as_bytes()).await;
            });
        }
    });
    port
}

impl World {
    /// A fresh world on `store`.
    pub async fn new(store: Store) -> Self {
        // As main does first thing; a second time is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let pages = Pages::default();
        let port = serve(Arc::clone(&pages)).await;
        let sched = Arc::new(FakeScheduler::new());
        let net = Arc::new(FakeNetwork::on(&sched));
        let reg = Arc::new(FakeRegistry::new());
        let n = WORLDS.fetch_add(1, Ordering::Relaxed) % 200 + 20;
        let pool = PoolSpec {
            // Of its own: where the last search for an address ended is remembered by name.
            name: format!("sf-dev-{n}"),
            stage: Stage::Dev,
            zone: Zone::Sf,
            hosts: BTreeMap::new(),
            subnet: format!("127.{n}.0.0/24").parse().expect("a subnet"),
            gateway: format!("127.{n}.0.1"),
            vlan: None,
            domain: "dev.test".into(),
            ttl_s: 5,
            quarantine_s: 0,
        };
        let w = Self {
            store,
            sched,
            net,
            dns: Arc::new(FakeDns::new()),
            bal: Arc::new(FakeBalancer::new()),
            bench: Arc::new(FakeWorkbench::new(reg.clone(), ["h1"])),
            reg,
            cluster: Arc::new(FakeCluster::new()),
            pages,
            live: Arc::new(Live::default()),
            stream: Mutex::default(),
            registries: Mutex::default(),
            round: Mutex::new(200),
            before: Mutex::default(),
            wake: Arc::new(tokio::sync::Notify::new()),
            port,
            pool,
            folder: tempfile::tempdir().expect("a folder"),
            running: Mutex::new(None),
        };
        std::fs::create_dir_all(w.packages().join("ab").join(format!("{}.tree", sha()))).expect("a package");
        w.sql("INSERT INTO team (slug, title, created_at) VALUES ('motor', 'Motor', 0)").await;
        let p = &w.pool;
        sqlx::query("INSERT INTO pool (name, stage, zone, hosts, subnet, base, prefix, gateway, vlan, domain, ttl_s, quarantine_s, revision, changed_at, changed_by) VALUES ($1, 'dev', 'SF', '{}', $2, $3, 24, $4, NULL, $5, 5, 0, 1, 0, '')")
            .bind(&p.name).bind(p.subnet.to_string()).bind(i64::from(p.subnet.base())).bind(&p.gateway).bind(&p.domain)
            .execute(w.store.write()).await.expect("a pool");
        w
    }

    /// What reconcilers of this world open secrets with.
    pub fn sealer(&self) -> Sealer {
        Sealer::load(&self.folder.path().join("secrets.key")).expect("a key")
    }

    /// Where files lie that are brought in.
    pub fn spool(&self) -> Spool {
        let folder = self.folder.path().join("archives");
        Spool { folder, most_bytes: 1 << 30, keep_free: 0, holder: "here".into() }
    }

    fn packages(&self) -> PathBuf {
        self.folder.path().join("packages")
    }

    /// Runs a statement.
    pub async fn sql(&self, sql: &str) {
        sqlx::query(sql).execute(self.store.write()).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// The registries of the reconcilers that are started from now on.
    pub fn set_registries(&self, registries: Arc<Registries>) {
        *self.registries.lock().expect("lock") = registries;
    }

    /// Something was touched.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Starts a reconciler: a fresh process on the same world.
    pub fn start(&self) {
        self.start_with(Duration::from_millis(300));
    }

    /// Starts a reconciler with this time between sweeps.
    pub fn start_with(&self, sweep: Duration) {
        let ports = Ports {
            scheduler: self.before.lock().expect("lock").clone().unwrap_or_else(|| self.sched.clone()),
            cluster: self.cluster.clone(),
            network: self.net.clone(),
            dns: self.dns.clone(),
            balancer: self.bal.clone(),
            registry: self.reg.clone(),
            registries: self.registries.lock().expect("lock").clone(),
            workbench: self.bench.clone(),
        };
        let set = Settings {
            workers: 2,
            lease_ms: 1_000,
            sweep,
            round: *self.round.lock().expect("lock"),
            collect: Duration::from_millis(200),
            written: Duration::from_millis(200),
            drain_ms: 1_000,
            kill_grace_s: 1,
            archives: self.spool(),
            recipes: self.folder.path().join("recipes"),
            scratch: self.folder.path().join("scratch"),
            packages: self.packages(),
            logs: self.folder.path().join("logs"),
            sealer: Arc::new(self.sealer()),
            names_to: "127.0.0.1".into(),
            balancer_port: self.port,
            lease: format!("test-{}", STARTS.fetch_add(1, Ordering::Relaxed)),
            resolve: Arc::new(FakeResolve(self.dns.clone())),
            places: HashMap::new(),
        };
        let stream = Arc::new(Stream::new());
        *self.stream.lock().expect("lock") = Arc::clone(&stream);
        let (store, live, wake) = (self.store.clone(), self.live.clone(), self.wake.clone());
        let r = Reconciler::new(store, ports, set, live, stream, Changes::new(), wake).expect("a reconciler");
        let stop = CancellationToken::new();
        let task = tokio::spawn(r.run(stop.clone()));
        *self.running.lock().expect("lock") = Some((stop, task));
    }

    /// The process dies here and now, in the middle of whatever it does.
    pub async fn kill(&self) {
        let running = self.running.lock().expect("lock").take();
        if let Some((_, task)) = running {
            task.abort();
            let _ = task.await;
        }
    }

    /// Stops it in order.
    pub async fn stop(&self) {
        let running = self.running.lock().expect("lock").take();
        if let Some((stop, task)) = running {
            stop.cancel();
            task.await.expect("the reconciler ends in order");
        }
    }

    /// Records a release as the portal does.
    pub async fn release(&self, app: &AppRef, number: u32, instances: u32) {
        let id = app.to_string();
        let spec = ReleaseSpec {
            stack: "nginx".into(),
            image: "127.0.0.1:5000/stacks/nginx@sha256:00".into(),
            package: sha(),
            size: Size { cpu_milli: 100, mem_mib: 64 },
            health: HealthRule {
                expect: "OK".into(),
                interval_ms: 50,
                timeout_ms: 500,
                failures: 3,
                grace_s: 60,
                ..HealthRule::fresh("/")
            },
            env: BTreeMap::new(),
        };
        let contract = Contract { port: self.port, ..self.reg.add_stack("nginx").contract };
        let by = Note::By { name: "Lin".into() };
        let steps = fresh_steps(now_ms(), [by.clone(), by.clone(), by], number > 1);
        let mut tx = self.store.begin().await.expect("begin");
        sqlx::query("INSERT INTO app (id, team, name, title, pool, host_name, wanted, instances, release, cpu_milli, mem_mib, state, well, revision, created_at, changed_at, changed_by) VALUES ($1, $2, $3, $3, $7, $4, 'online', $5, $6, 100, 64, 'delivering', 0, 1, 0, 0, '') ON CONFLICT (id) DO UPDATE SET release = excluded.release, instances = excluded.instances, wanted = 'online'")
            .bind(&id).bind(&app.team).bind(&app.app).bind(self.pool.host_name(&app.app)).bind(i64::from(instances)).bind(i64::from(number)).bind(&self.pool.name)
            .execute(&mut *tx).await.expect("app");
        sqlx::query("INSERT INTO release (app_id, number, spec, contract, stack_key, package, package_kind, package_name, cause, changes, state, at, by_name) VALUES ($1, $2, $3, $4, 'nginx:1.0', $5, 'zip', 'site.zip', 'create', '[]', 'live', 0, '')")
            .bind(&id).bind(i64::from(number)).bind(serde_json::to_string(&spec).expect("json")).bind(serde_json::to_string(&contract).expect("json")).bind(&spec.package)
            .execute(&mut *tx).await.expect("release");
        sqlx::query("INSERT INTO delivery (app_id, release, team, app, title, by_name, state, step, steps, began_at) VALUES ($1, $2, $3, $4, $4, '', 'running', 'submitted', $5, $6)")
            .bind(&id).bind(i64::from(number)).bind(&app.team).bind(&app.app).bind(serde_json::to_string(&steps).expect("json")).bind(now_ms())
            .execute(&mut *tx).await.expect("delivery");
        work::touch(&mut tx, &app.work_key()).await.expect("touch");
        tx.commit().await.expect("commit");
        self.wake.notify_waiters();
    }

    /// Changes the intent as the portal does.
    pub async fn intend(&self, app: &AppRef, set: &str) {
        let mut tx = self.store.begin().await.expect("begin");
        sqlx::query(&format!("UPDATE app SET {set} WHERE id = $1"))
            .bind(app.to_string())
            .execute(&mut *tx)
            .await
            .expect("intent");
        work::touch(&mut tx, &app.work_key()).await.expect("touch");
        tx.commit().await.expect("commit");
        self.wake.notify_waiters();
    }

    /// Records that a host is wanted out of service, or back.
    pub async fn host(&self, agent_id: &str, out: bool) {
        let want = HostOut { out, reason: "memory".into(), since: now_ms(), by: "Olga".into() };
        let mut tx = self.store.begin().await.expect("begin");
        hosts::put(&mut tx, agent_id, agent_id, &want).await.expect("intent");
        work::touch(&mut tx, &hosts::key(agent_id)).await.expect("touch");
        tx.commit().await.expect("commit");
        self.wake.notify_waiters();
    }

    /// Tasks of a release.
    pub fn tasks(&self, app: &AppRef, release: u32) -> Vec<String> {
        self.sched.tasks(&app.marathon_id(release)).into_iter().map(|t| t.id).collect()
    }

    /// A number from the database.
    pub async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.store.read()).await.unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// A word from the database, empty if there is no row.
    pub async fn word(&self, sql: &str) -> String {
        sqlx::query_scalar::<_, String>(sql)
            .fetch_optional(self.store.read())
            .await
            .unwrap_or_else(|e| panic!("{sql}: {e}"))
            .unwrap_or_default()
    }

    /// Everything that the application holds in the outside world, for comparing.
    pub async fn outside(&self, app: &AppRef) -> Outside {
        use padis_domain::ports::{Balancer, MemberState, Network};
        let service = self.bal.get(&format!("{}.{}", app.team, app.app)).await.ok().flatten();
        let apps = self.sched.list(&app.marathon_prefix()).await.unwrap_or_default();
        let attached = self.net.list(&self.pool.name).await.unwrap_or_default();
        let mine: BTreeSet<String> = apps.iter().flat_map(|a| a.tasks.iter().map(|t| t.id.clone())).collect();
        Outside {
            apps: apps.iter().map(|a| a.id.clone()).collect(),
            tasks: mine.len(),
            attached: attached.iter().filter(|a| mine.contains(&a.task_id)).map(|a| a.ip).collect(),
            ready: service.iter().flat_map(|s| &s.members).filter(|m| m.member.state == MemberState::Ready).count(),
            members: service.iter().flat_map(|s| &s.members).count(),
            services: usize::from(service.is_some()),
            names: self
                .dns
                .list()
                .await
                .unwrap_or_default()
                .iter()
                .filter(|n| n.name == self.pool.host_name(&app.app))
                .count(),
            pointers: self.pointers(app).await,
            addresses_held: self
                .count(&format!(
                    "SELECT COUNT(*) FROM claim WHERE app_id = '{app}' AND kind = 'address' AND state = 'held'"
                ))
                .await,
            members_held: self
                .count(&format!(
                    "SELECT COUNT(*) FROM claim WHERE app_id = '{app}' AND kind = 'member' AND state = 'held'"
                ))
                .await,
        }
    }

    /// Addresses that point back to an instance of the application.
    async fn pointers(&self, app: &AppRef) -> BTreeSet<u32> {
        let names = self.dns.list().await.unwrap_or_default();
        let below = format!(".{}.{}.inst.{}", app.app, app.team, self.pool.domain);
        let mine = names.iter().filter(|n| n.ptr && n.name.ends_with(&below));
        mine.flat_map(|n| &n.addresses).filter_map(|a| padis_domain::address::parse_ip(a)).collect()
    }

    /// Waits until the application is online with exactly what it should hold.
    pub async fn until_online(&self, app: &AppRef, release: u32, n: usize) {
        let want = Outside {
            apps: vec![app.marathon_id(release)],
            tasks: n,
            attached: BTreeSet::new(),
            ready: n,
            members: n,
            services: 1,
            names: 1,
            pointers: BTreeSet::new(),
            addresses_held: i64::try_from(n).expect("small"),
            members_held: i64::try_from(n).expect("small"),
        };
        let state = format!("SELECT state FROM app WHERE id = '{app}'");
        let mut last = (Outside::default(), String::new());
        let come = until_or(async || {
            last = (self.outside(app).await, self.word(&state).await);
            last.0.attached.len() == n
                && last.0.pointers == last.0.attached
                && Outside { attached: BTreeSet::new(), pointers: BTreeSet::new(), ..last.0.clone() } == want
                && last.1 == "online"
        })
        .await;
        if come.is_err() {
            let work = self.word(&format!("SELECT outcome FROM work WHERE key = '{}'", app.work_key())).await;
            panic!("wanted {want:?} and online, found {last:?}; the last run: {work:?}");
        }
    }

    /// Waits until the outside is so; says what it is and what the last run said, if it does not come about.
    pub async fn until_outside(&self, app: &AppRef, what: &str, cond: impl Fn(&Outside) -> bool) {
        let mut last = Outside::default();
        let come = until_or(async || {
            last = self.outside(app).await;
            cond(&last)
        })
        .await;
        if come.is_err() {
            let row = "SELECT 'wanted ' || CAST(wanted AS TEXT) || ', done ' || CAST(done AS TEXT) || ', due ' || CAST(due_at AS TEXT) \
                       || ', parked ' || CAST(parked AS TEXT) || ', lease ' || COALESCE(lease, 'none') || ': ' || outcome FROM work WHERE key";
            let work = self.word(&format!("{row} = '{}'", app.work_key())).await;
            panic!("did not come about: {what}; found {last:?}; the last run, at {}: {work}", now_ms());
        }
    }

    /// Waits until nothing is held and the row is gone.
    pub async fn until_gone(&self, app: &AppRef) {
        let mut last = Outside::default();
        until_or(async || {
            last = self.outside(app).await;
            last == Outside::default() && self.count(&format!("SELECT COUNT(*) FROM app WHERE id = '{app}'")).await == 0
        })
        .await
        .unwrap_or_else(|()| panic!("still there: {last:?}"));
    }
}

/// What is held outside.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Outside {
    pub apps: Vec<String>,
    pub tasks: usize,
    pub attached: BTreeSet<u32>,
    pub ready: usize,
    pub members: usize,
    pub services: usize,
    pub names: usize,
    /// Addresses that point back to an instance.
    pub pointers: BTreeSet<u32>,
    pub addresses_held: i64,
    pub members_held: i64,
}

async fn until_or(mut cond: impl AsyncFnMut() -> bool) -> Result<(), ()> {
    let end = Instant::now() + Duration::from_secs(30);
    while !cond().await {
        if Instant::now() > end {
            return Err(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Waits for a condition.
pub async fn until(what: &str, cond: impl AsyncFnMut() -> bool) {
    until_or(cond).await.unwrap_or_else(|()| panic!("did not come about: {what}"));
}

/// The package that every application of this world uses.
pub fn sha() -> String {
    format!("ab{}", "0".repeat(62))
}

/// The application that most tests use.
pub fn claims() -> AppRef {
    AppRef { team: "motor".into(), app: "claims".into() }
}
