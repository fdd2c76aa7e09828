//! A small enterprise: two teams, two pools, one middleware, a package each.

use async_trait::async_trait;
use padis_domain::app::{AppRef, EnvVar, HealthRule};
use padis_domain::caller::Caller;
use padis_domain::delivery::Finding;
use padis_domain::pool::PoolSpec;
use padis_domain::portal::{Answer, Portal};
use padis_domain::ports::{Image, PageSeen, Pages};
use padis_domain::quantity::{Amount, Size};
use padis_domain::view::{Contained, NewApp};
use padis_domain::words::{PlatformRole, Stage, TeamRole, Zone};
use padis_drivers::fake::{FakeCluster, FakeRegistry, FakeTransfer, FakeWorkbench};
use padis_server::archives::Spool;
use padis_server::auth::Session;
use padis_server::changes::Changes;
use padis_server::images::{Place, Registries, Rules, whole};
use padis_server::inside::{Inside, Os};
use padis_server::osv::Known;
use padis_server::portal::{Accounts, Outside, PadisPortal, PortalSettings};
use padis_server::reconcile::live::Live;
use padis_server::reconcile::stream::Stream;
use padis_server::seal::Sealer;
use padis_server::store::{Store, inside, now_ms};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Whatever belongs to team zebra carries this word, in whatever case.
pub const MARK: &str = "zebra";
/// The package of team zebra.
pub const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// The package of team lion.
pub const LION_SHA: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
/// The middleware.
pub const STACK: &str = "nginx:1.22.1";

/// The host on which workbenches run.
pub const HOST: &str = "bench-host";

/// A workbench of a member of team zebra, which has not been opened yet.
pub const BENCH: &str = "zebra-bench";
/// A recipe of the same person, with a build.
pub const RECIPE: &str = "zebra-recipe";
/// A file that a member of team zebra has brought in.
pub const ARCHIVE: &str = "zebra-archive";

/// Accounts without the slow hash.
struct PlainAccounts(Store);

#[async_trait]
impl Accounts for PlainAccounts {
    async fn hash(&self, password: &str) -> Answer<String> {
        Ok(format!("hash of {} characters, {:x}", password.len(), password.bytes().map(u64::from).sum::<u64>()))
    }
    async fn is_password(&self, account: &str, password: &str) -> Answer<bool> {
        let found: Option<String> = sqlx::query_scalar("SELECT password_hash FROM account WHERE name = $1")
            .bind(account)
            .fetch_one(self.0.read())
            .await
            .expect("the account");
        Ok(found == Some(self.hash(password).await?))
    }
    async fn sessions(&self, account: Option<&str>) -> Answer<Vec<Session>> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, account FROM session WHERE revoked_at IS NULL AND ($1 = '' OR account = $1) ORDER BY id",
        )
        .bind(account.unwrap_or_default())
        .fetch_all(self.0.read())
        .await
        .expect("sessions");
        let one = |(id, account)| Session {
            id,
            account,
            address: "127.0.0.1".into(),
            agent: "test".into(),
            began_at: 1,
            seen_at: 2,
        };
        Ok(rows.into_iter().map(one).collect())
    }
    async fn revoke(&self, id: &str, account: Option<&str>) -> Answer<bool> {
        let n = sqlx::query(
            "UPDATE session SET revoked_at = 1 WHERE id = $1 AND revoked_at IS NULL AND ($2 = '' OR account = $2)",
        )
        .bind(id)
        .bind(account.unwrap_or_default())
        .execute(self.0.write())
        .await
        .expect("revoke");
        Ok(n.rows_affected() > 0)
    }
    async fn revoke_account(&self, account: &str, keep: Option<&str>) -> Answer<()> {
        sqlx::query("UPDATE session SET revoked_at = 1 WHERE account = $1 AND id <> $2")
            .bind(account)
            .bind(keep.unwrap_or_default())
            .execute(self.0.write())
            .await
            .expect("revoke");
        Ok(())
    }
    fn forget_all(&self) {}
}

/// Notes which pages were asked: address, port, `Host`, path.
#[derive(Default)]
pub struct NotedPages(Mutex<Vec<(u32, u16, String, String)>>);

impl NotedPages {
    /// What was asked so far.
    pub fn asked(&self) -> Vec<(u32, u16, String, String)> {
        self.0.lock().expect("the notes").clone()
    }
}

#[async_trait]
impl Pages for NotedPages {
    async fn ask(&self, ip: u32, port: u16, host: &str, rule: &HealthRule) -> PageSeen {
        self.0.lock().expect("the notes").push((ip, port, host.into(), rule.path.clone()));
        let finding = Finding::Well { status: 200, ms: 3 };
        PageSeen { finding, status: Some(200), ms: 3, location: None, body: "what came back".into(), more: false }
    }
}

/// The enterprise.
pub struct World {
    pub store: Store,
    pub live: Arc<Live>,
    pub portal: Arc<PadisPortal>,
    pub wake: Arc<Notify>,
    pub pages: Arc<NotedPages>,
    pub cluster: Arc<FakeCluster>,
    pub bench: Arc<FakeWorkbench>,
    pub logs: tempfile::TempDir,
}

/// Somebody.
pub fn caller(account: &str, teams: &[(&str, TeamRole)], platform: Option<PlatformRole>) -> Caller {
    Caller {
        account: account.into(),
        name: format!("{}{} the tester", account[..1].to_uppercase(), &account[1..]),
        teams: teams.iter().map(|(t, r)| ((*t).to_owned(), *r)).collect(),
        platform,
        session: format!("session-{account}"),
    }
}
/// Lead of team zebra.
pub fn lead() -> Caller {
    caller("zelda-zebra", &[(MARK, TeamRole::Lead)], None)
}
/// Member of team zebra.
pub fn member() -> Caller {
    caller("zoe-zebra", &[(MARK, TeamRole::Member)], None)
}
/// Of team lion.
pub fn stranger() -> Caller {
    caller("leo", &[("lion", TeamRole::Lead)], None)
}
/// Operator.
pub fn operator() -> Caller {
    caller("otto", &[], Some(PlatformRole::Operator))
}
/// Auditor.
pub fn auditor() -> Caller {
    caller("anna", &[], Some(PlatformRole::Auditor))
}

/// A pool without hosts' labels.
pub fn pool(name: &str, subnet: &str, gateway: &str) -> PoolSpec {
    PoolSpec {
        name: name.into(),
        stage: Stage::Dev,
        zone: Zone::Sf,
        hosts: [("rack".to_owned(), name.to_owned())].into(),
        subnet: subnet.parse().expect("a subnet"),
        gateway: gateway.into(),
        vlan: None,
        domain: format!("{name}.example"),
        ttl_s: 5,
        quarantine_s: 60,
    }
}

/// Plenty.
pub fn plenty() -> Amount {
    Amount { cpu_milli: 100_000, mem_mib: 100_000, instances: 100, addresses: 100 }
}

/// An application as the form has it.
pub fn new_app(team: &str, name: &str) -> NewApp {
    NewApp {
        team: team.into(),
        name: name.into(),
        title: format!("Title of {name}"),
        stack: STACK.into(),
        package: if team == MARK { SHA.into() } else { LION_SHA.into() },
        pool: "common".into(),
        instances: 2,
        size: Size { cpu_milli: 250, mem_mib: 256 },
        health: HealthRule::fresh("/"),
        env: [("GREETING".to_owned(), EnvVar { secret: false, value: "hello".into() })].into(),
    }
}

const CONTRACT: &str = r#"{"name":"nginx","title_en":"Web site","title_zh":"网站","version":"1.22.1","kinds":["zip","tar.gz"],
 "form":"tree","package_path":"/srv","port":8080,"log_path":"/logs","health_path":"/","uid":1000,"min_mem_mib":64,"start_s":1}"#;
const FACTS: &str = r#"{"kind":"zip","files":1,"unpacked_bytes":1,"version":null,"class_major":null,"built_with":[],
 "health_path":null,"site_root":"","main_class":null,"javax":false}"#;

/// What stands around a portal.
type Around<'a> = (&'a Arc<NotedPages>, &'a Arc<FakeCluster>, Arc<Registries>, Arc<Known>, Arc<FakeWorkbench>);

fn portal(store: &Store, live: &Arc<Live>, wake: &Arc<Notify>, outside: Around<'_>, logs: &Path) -> Arc<PadisPortal> {
    let settings = PortalSettings {
        balancer_port: 8000,
        balancer_address: "127.0.0.1".into(),
        balancer_listen: "127.0.0.1:8000".into(),
        max_package_bytes: 1 << 20,
        logs: logs.to_owned(),
        packages: logs.to_owned(),
        writable_bytes: 10_000,
        benches: logs.join("benches"),
        recipes: logs.join("recipes"),
        sealer: Arc::new(Sealer::load(&logs.join("secrets.key")).expect("a key")),
        archives: Spool { folder: logs.join("archives"), most_bytes: 1 << 26, keep_free: 0, holder: "here".into() },
        public_url: "http://127.0.0.1:3000".into(),
    };
    let accounts = Arc::new(PlainAccounts(store.clone()));
    let (live, wake) = (live.clone(), wake.clone());
    let outside = Outside {
        pages: outside.0.clone(),
        cluster: outside.1.clone(),
        stream: Arc::new(Stream::new()),
        registries: outside.2,
        known: outside.3,
        workbench: outside.4,
    };
    Arc::new(PadisPortal::new(store.clone(), live, Changes::new(), settings, wake, accounts, outside))
}

/// A registry with an image of team zebra, looked at once.
async fn shelf(store: &Store) -> (Arc<Registries>, Arc<FakeRegistry>) {
    let registry = Arc::new(FakeRegistry::new());
    let labels = [("about".to_owned(), MARK.to_owned())].into();
    let digest = format!("sha256:{:064}", 9);
    let image = Image { digest: digest.clone(), platforms: vec!["linux/amd64".into()], labels, ..Image::default() };
    registry.put_image("teams/zebra/web", "1", image);
    let place = Place {
        name: "padis".into(),
        place: "127.0.0.1:5000".into(),
        stage: None,
        takes: true,
        rules: Rules::default(),
        token: None,
        client: registry.clone(),
    };
    let transfer = Arc::new(FakeTransfer::new([("padis".to_owned(), registry.clone())].into()));
    let all = Registries::new(vec![place], transfer, Duration::from_secs(600));
    whole(store, &all.all()[0]).await.expect("a look");
    read(store, &digest, "padis", "teams/zebra/web", &[contained("zebra-stripes", "1.0")]).await;
    (Arc::new(all), registry)
}

/// A package of Debian's, built from a source of the same name.
pub fn contained(name: &str, version: &str) -> Contained {
    let (name, version) = (name.to_owned(), version.to_owned());
    let (source, source_version) = (name.clone(), version.clone());
    let purl = format!("pkg:deb/debian/{name}@{version}");
    Contained { name, version, source, source_version, purl, ..Contained::default() }
}

/// An image of Debian 12 that was read, with these packages and one file.
pub async fn read(store: &Store, digest: &str, registry: &str, repository: &str, packages: &[Contained]) {
    let mut tx = store.begin().await.expect("a transaction");
    inside::ask(&mut tx, digest, registry, repository).await.expect("asked");
    tx.commit().await.expect("committed");
    let found = Inside {
        os: Os::parse("ID=debian\nVERSION_ID=12\nPRETTY_NAME=Debian\n"),
        packages: packages.to_vec(),
        files: vec![("etc/nginx/nginx.conf".into(), 7, 0), ("usr/sbin/nginx".into(), 9, 0)],
        notes: Vec::new(),
    };
    inside::put(store, digest, &found).await.expect("written");
    // The work that was asked for is done.
    sqlx::query("DELETE FROM work WHERE key = $1")
        .bind(inside::key(digest))
        .execute(store.write())
        .await
        .expect("no work");
}

impl World {
    pub async fn new(store: Store) -> Self {
        let logs = tempfile::tempdir().expect("a log folder");
        let (live, wake, pages) = (Arc::new(Live::default()), Arc::new(Notify::new()), Arc::default());
        let cluster = Arc::new(FakeCluster::new());
        let (registries, registry) = shelf(&store).await;
        let bench = Arc::new(FakeWorkbench::new(registry, [HOST]));
        let outside = (&pages, &cluster, registries, Arc::default(), bench.clone());
        let portal = portal(&store, &live, &wake, outside, logs.path());
        let w = Self { store, live, portal, wake, pages, cluster, bench, logs };
        w.seed().await;
        w
    }

    /// A workbench of the member's, with what a terminal in it showed.
    pub async fn bench_of_member(&self) {
        let m = member();
        self.sql(&format!(
            "INSERT INTO bench (id, repository, tag, digest, pool, host, cpu_milli, mem_mib, state, why, by_account, by_name, \
             asked_at) VALUES ('{BENCH}', 'teams/zebra/web', '1', 'sha256:9', 'striped', '{HOST}', 1, 1, 'starting', '', \
             '{}', '{}', 1)",
            m.account, m.name
        ))
        .await;
        let folder = self.logs.path().join("benches").join(BENCH);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("1.cast"), MARK).expect("a record");
    }

    /// A recipe of the member's, with a build and what that said.
    pub async fn recipe_of_member(&self) {
        let m = member();
        let typed = format!(
            "{{\"base_repository\":\"teams/zebra/web\",\"base_tag\":\"1\",\"pool\":\"striped\",\"packages\":\"{MARK}\",\
            \"env\":\"\",\"start\":\"\",\"repository\":\"teams/zebra/web\",\"tag\":\"8\",\"description\":\"{MARK}\",\"contract\":{{}}}}"
        );
        self.sql(&format!(
            "INSERT INTO recipe (id, base_repository, base_tag, repository, tag, recipe, files, by_account, by_name, \
             changed_at) VALUES ('{RECIPE}', 'teams/zebra/web', '1', 'teams/zebra/web', '8', '{typed}', '[]', '{}', '{}', 1)",
            m.account, m.name
        ))
        .await;
        self.sql(&format!(
            "INSERT INTO build (id, recipe, number, asked, files, base_digest, host, holder, labels, repository, tag, \
             state, digest, step, steps, pushed, pushed_of, why, by_account, by_name, asked_at) VALUES \
             ('{RECIPE}-1', '{RECIPE}', 1, '{typed}', '[]', 'sha256:9', '{HOST}', 'here', '{{}}', 'teams/zebra/web', '8', \
             'running', '', 0, 0, 0, 0, '', '{}', '{}', 1)",
            m.account, m.name
        ))
        .await;
        let folder = self.logs.path().join("recipes").join(RECIPE);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("build-1.log"), MARK).expect("an output");
    }

    /// A file that the member has brought in.
    pub async fn archive_of_member(&self) {
        let m = member();
        self.sql(&format!(
            "INSERT INTO image_archive (id, registry, repository, tag, team, holder, file_name, bytes, named, platforms, \
             runs_here, digest, state, dealt_with, deal_with, fault, why, by_account, by_name, asked_at) VALUES \
             ('{ARCHIVE}', 'padis', 'teams/zebra/web', '7', '{MARK}', 'here', '{MARK}.tar', 1, '', '[]', 1, '', 'waiting', \
             0, 1, '', '', '{}', '{}', 1)",
            m.account, m.name
        ))
        .await;
    }

    /// Another process's portal on the same database.
    pub fn fresh_portal(&self) -> Arc<PadisPortal> {
        self.portal_with(Arc::default())
    }

    /// The same that knows these registries.
    pub fn portal_with(&self, registries: Arc<Registries>) -> Arc<PadisPortal> {
        self.portal_knowing(registries, Arc::default())
    }

    /// The same that knows these vulnerabilities, too.
    pub fn portal_knowing(&self, registries: Arc<Registries>, known: Arc<Known>) -> Arc<PadisPortal> {
        let outside = (&self.pages, &self.cluster, registries, known, self.bench.clone());
        portal(&self.store, &self.live, &self.wake, outside, self.logs.path())
    }

    /// Runs a statement of the test's own.
    pub async fn sql(&self, text: &str) {
        sqlx::query(text).execute(self.store.write()).await.unwrap_or_else(|e| panic!("{text}: {e}"));
    }

    /// The number that a statement of the test's own gives.
    pub async fn number(&self, text: &str) -> i64 {
        sqlx::query_scalar(text).fetch_one(self.store.read()).await.unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    async fn seed(&self) {
        let now = now_ms();
        for (slug, title) in [(MARK, "Zebra insurance"), ("lion", "Lion insurance")] {
            self.sql(&format!("INSERT INTO team (slug, title, created_at) VALUES ('{slug}', '{title}', 1)")).await;
        }
        for c in [lead(), member(), stranger(), operator(), auditor()] {
            let platform = c.platform.map_or("NULL".to_owned(), |p| format!("'{p}'"));
            let (a, n) = (&c.account, &c.name);
            self.sql(&format!(
                "INSERT INTO account (name, display, mail, built_in, enabled, password_hash, platform, created_at) \
                 VALUES ('{a}', '{n}', '', 1, 1, 'hash of 10 characters, 1', {platform}, 1)"
            ))
            .await;
            for (t, r) in &c.teams {
                self.sql(&format!(
                    "INSERT INTO membership (account, team, role, from_directory) VALUES ('{a}', '{t}', '{r}', 0)"
                ))
                .await;
            }
            self.sql(&format!(
                "INSERT INTO session (id, token_hash, account, address, agent, began_at, seen_at, expires_at) \
                 VALUES ('session-{a}', 'h-{a}', '{a}', '', '', 1, {now}, {})",
                now + 1_000_000
            ))
            .await;
        }
        self.sql(&format!(
            "INSERT INTO stack (key, repository, tag, digest, image, bytes, created, contract, seen_at) \
             VALUES ('{STACK}', 'stacks/nginx', '1.22.1', 'sha256:1', 'r/stacks/nginx@sha256:1', 5, '', '{CONTRACT}', 1)"
        ))
        .await;
        for (sha, team) in [(SHA, MARK), (LION_SHA, "lion")] {
            self.package(sha, team, "zip").await;
        }
        let op = operator();
        for (name, subnet, gateway) in
            [("common", "10.210.16.0/24", "10.210.16.1"), ("striped", "10.210.32.0/20", "10.210.32.1")]
        {
            let once = self.portal.once(&op).await.expect("a token");
            self.portal.put_pool(&op, &pool(name, subnet, gateway), 0, &once).await.expect("a pool");
        }
        for (p, t) in [("common", MARK), ("common", "lion"), ("striped", MARK)] {
            self.portal.put_quota(&op, p, t, &plenty()).await.expect("a quota");
        }
    }

    /// A package of this kind.
    pub async fn package(&self, sha: &str, team: &str, kind: &str) {
        let facts = FACTS.replace("\"zip\"", &format!("\"{kind}\""));
        self.sql(&format!(
            "INSERT INTO package (sha256, team, file_name, bytes, kind, facts, by_account, by_name, at) \
             VALUES ('{sha}', '{team}', '{team}-{kind}.{kind}', 5, '{kind}', '{facts}', '{team}', '{team} uploader', 1)"
        ))
        .await;
    }

    /// A token for a form of theirs.
    pub async fn once(&self, c: &Caller) -> String {
        self.portal.once(c).await.expect("a token")
    }

    /// Goes online as the team's own.
    pub async fn create(&self, c: &Caller, new: &NewApp) -> AppRef {
        let once = self.once(c).await;
        self.portal.create_app(c, new, &once).await.unwrap_or_else(|p| panic!("{}: {p:?}", new.name))
    }

    /// What the reconciler would do: the application as wanted.
    pub async fn settled(&self, app: &AppRef) {
        let (t, a, now) = (&app.team, &app.app, now_ms());
        self.sql(&format!("UPDATE app SET state = CASE WHEN wanted = 'online' THEN 'online' ELSE 'stopped' END, well = instances WHERE team = '{t}' AND name = '{a}'")).await;
        self.sql(&format!(
            "UPDATE delivery SET state = 'online', answered_at = {now}, ended_at = {now} WHERE team = '{t}' AND app = '{a}' AND state = 'running'"
        ))
        .await;
    }

    /// The present revision.
    pub async fn revision(&self, app: &AppRef) -> i64 {
        self.portal.app(&operator(), app).await.expect("the application").revision
    }
}
