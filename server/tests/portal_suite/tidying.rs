//! One version that is deleted by hand, and space that is freed: who may, what is refused and
//! why, and that the same form twice is done once.

use crate::support::each_database;
use crate::world::{MARK, World, auditor, caller, lead, member, new_app, operator, stranger};
use async_trait::async_trait;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Portal as _;
use padis_domain::ports::{Collected, Collector, Image, PortResult, TellCollect};
use padis_domain::problem::ValueFault;
use padis_domain::tidying::Tidying;
use padis_domain::view::{CopyState, Fate, Retention, Stays, VersionToDelete};
use padis_domain::words::PlatformRole;
use padis_drivers::fake::{FakeRegistry, FakeTransfer};
use padis_server::images::{Files, Place, Registries, Rules, whole};
use padis_server::portal::PadisPortal;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const WEB: &str = "teams/zebra/web";

fn engineer() -> Caller {
    caller("erik", &[], Some(PlatformRole::Engineer))
}

fn digest(n: u32) -> String {
    format!("sha256:{n:064}")
}

/// Files that nobody touches here: the reconciler does.
struct Untouched;
#[async_trait]
impl Collector for Untouched {
    async fn collect(&self, _: TellCollect) -> PortResult<Collected> {
        panic!("no request touches a registry's files")
    }
    async fn put_back(&self) -> PortResult<u64> {
        panic!("no request touches a registry's files")
    }
}

struct Shelf {
    portal: Arc<PadisPortal>,
    registry: Arc<FakeRegistry>,
    registries: Arc<Registries>,
}

impl Shelf {
    /// Of two registries, of which only one takes images and has its files here.
    async fn new(w: &World) -> Self {
        let registry = Arc::new(FakeRegistry::new());
        let place = |name: &str, takes| Place {
            name: name.into(),
            place: format!("{name}.example"),
            stage: None,
            takes,
            rules: Rules::default(),
            token: None,
            client: registry.clone(),
        };
        for (n, repository, tag) in
            [(1, "tools/t", "1"), (1, "tools/t", "also-1"), (2, "tools/t", "2"), (3, WEB, "3"), (4, "tools/t", "4")]
        {
            let image =
                Image { digest: digest(n), platforms: vec!["linux/amd64".into()], bytes: 7, ..Image::default() };
            registry.put_image(repository, tag, image);
        }
        let transfer = Arc::new(FakeTransfer::new([("own".to_owned(), registry.clone())].into()));
        let files = Files { collector: Arc::new(Untouched), young: Duration::from_secs(7_200) };
        let all = Registries::new(vec![place("own", true), place("far", false)], transfer, Duration::from_secs(600));
        let registries = Arc::new(all.collecting(BTreeMap::from([("own".to_owned(), files)])));
        let s = Self { portal: w.portal_with(registries.clone()), registry, registries };
        s.look(w).await;
        s
    }
    async fn look(&self, w: &World) {
        for place in self.registries.all() {
            whole(&w.store, place).await.expect("a look");
        }
    }
    async fn fate(&self, c: &Caller, repository: &str, tag: &str) -> Result<Fate, Problem> {
        self.portal.version_fate(c, "own", repository, tag).await
    }
}

fn which(repository: &str, n: u32, tags: &[&str]) -> VersionToDelete {
    VersionToDelete {
        registry: "own".into(),
        repository: repository.into(),
        tag: tags[0].into(),
        digest: digest(n),
        tags: tags.iter().map(|t| (*t).to_owned()).collect(),
        confirm: tags[0].into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_deleted_by_who_may_and_never_what_is_needed() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelf::new(&w).await;
        let p = &s.portal;
        // What goes with it is said, and of what is looked at only nothing goes.
        let fate = s.fate(&engineer(), "tools/t", "1").await.expect("a fate");
        assert_eq!((fate.tags, fate.stays, fate.may, fate.takes), (vec!["1".into(), "also-1".into()], vec![], true, true));
        let far = p.version_fate(&engineer(), "far", "tools/t", "1").await.expect("a fate");
        assert!(far.may && !far.takes);
        assert!(!s.fate(&lead(), "tools/t", "1").await.expect("a fate").may);
        assert_eq!(s.fate(&stranger(), WEB, "3").await, Err(Problem::NotFound));
        assert!(s.fate(&member(), WEB, "3").await.expect("a fate").may);
        assert!(!s.fate(&auditor(), WEB, "3").await.expect("a fate").may);

        let delete = async |c: &Caller, v: &VersionToDelete| p.delete_version(c, v, &w.once(c).await).await;
        let one = which("tools/t", 1, &["1", "also-1"]);
        assert!(matches!(delete(&lead(), &one).await, Err(Problem::NotAllowed { .. })));
        assert_eq!(delete(&stranger(), &which(WEB, 3, &["3"])).await, Err(Problem::NotFound));
        assert_eq!(delete(&engineer(), &which(WEB, 3, &["3"])).await, Err(Problem::NotFound));
        assert!(matches!(delete(&auditor(), &which(WEB, 3, &["3"])).await, Err(Problem::NotAllowed { .. })));
        let typed = VersionToDelete { confirm: "2".into(), ..one.clone() };
        assert_eq!(delete(&engineer(), &typed).await, Err(Problem::field("confirm", ValueFault::NotConfirmed)));
        // Not what was shown: another digest, or a tag that came since.
        assert_eq!(delete(&engineer(), &which("tools/t", 2, &["1", "also-1"])).await, Err(Problem::NotReady));
        assert_eq!(delete(&engineer(), &which("tools/t", 1, &["1"])).await, Err(Problem::NotReady));
        let elsewhere = VersionToDelete { registry: "far".into(), ..one.clone() };
        assert_eq!(delete(&engineer(), &elsewhere).await, Err(Problem::NotFound));

        // Run, or gone back to; standard; on its way; waits for a yes.
        w.create(&lead(), &new_app(MARK, "web")).await;
        for (sql, why) in [
            (format!("UPDATE release SET digest = '{}'", digest(1)), Stays::Used),
            (format!("UPDATE stack SET digest = '{}'", digest(1)), Stays::Standard),
            (
                format!(
                    "INSERT INTO bench (id, repository, tag, digest, pool, host, cpu_milli, mem_mib, state, why, \
                     by_account, by_name, asked_at) VALUES ('b', 'tools/t', '1', '{}', 'p', 'h', 1, 1, 'starting', '', 'a', 'A', 1)",
                    digest(1)
                ),
                Stays::OnItsWay,
            ),
        ] {
            w.sql(&sql).await;
            assert_eq!(s.fate(&engineer(), "tools/t", "1").await.expect("a fate").stays, [why]);
            assert_eq!(delete(&engineer(), &one).await, Err(Problem::NotReady), "{why:?}");
            w.sql("UPDATE release SET digest = ''").await;
            w.sql("UPDATE stack SET digest = ''").await;
        }
        w.sql("DELETE FROM bench WHERE id = 'b'").await;
        assert_eq!(w.number("SELECT COUNT(*) FROM retention_run").await, 0);

        // By an engineer, and by a member what is the team's; the same form twice is done once.
        let once = w.once(&engineer()).await;
        for _ in 0..2 {
            assert!(p.delete_version(&engineer(), &one, &once).await.expect("recorded"), "others are left");
        }
        assert!(!delete(&member(), &which(WEB, 3, &["3"])).await.expect("recorded"), "none is left");
        assert_eq!(w.number("SELECT COUNT(*) FROM retention_run").await, 2);
        assert_eq!(w.number("SELECT COUNT(*) FROM retention_item WHERE state = 'waiting'").await, 2);
        assert_eq!(w.number("SELECT COUNT(*) FROM work WHERE key LIKE 'tidy:%' AND wanted > done").await, 2);
        assert!(s.registry.faults().calls().iter().all(|c| c.verb != "delete"), "no request deletes anything");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn space_is_freed_by_operators_where_files_are_reached() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelf::new(&w).await;
        let p = &s.portal;
        assert!(matches!(p.collections(&lead()).await, Err(Problem::NotAllowed { .. })));
        for (c, may) in [(operator(), true), (auditor(), false), (engineer(), false)] {
            let v = p.collections(&c).await.expect("all registries");
            let rows: Vec<_> = v.rows.iter().map(|r| (r.registry.name.as_str(), r.reached, r.young_s)).collect();
            assert_eq!((rows, v.may), (vec![("own", true, 7_200), ("far", false, 0)], may));
        }
        for c in [lead(), auditor(), engineer()] {
            assert!(matches!(p.collect(&c, "own", &w.once(&c).await).await, Err(Problem::NotAllowed { .. })));
        }
        let op = operator();
        assert_eq!(p.collect(&op, "far", &w.once(&op).await).await, Err(Problem::NotReady));
        assert_eq!(p.collect(&op, "none", &w.once(&op).await).await, Err(Problem::NotFound));
        // Twice the same form, and once more by another: one goes on.
        let once = w.once(&op).await;
        for token in [once.clone(), once, w.once(&op).await] {
            p.collect(&op, "own", &token).await.expect("recorded");
        }
        let runs = p.collections(&auditor()).await.expect("a list").rows.remove(0).runs;
        assert_eq!(
            runs.iter().map(|r| (r.state, r.by.as_str())).collect::<Vec<_>>(),
            [(CopyState::Waiting, op.name.as_str())]
        );
        assert_eq!(w.number("SELECT COUNT(*) FROM work WHERE key LIKE 'collect:%' AND wanted > done").await, 1);
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'registry.collect'").await, 1);
        // Stopped, once; then another may begin.
        assert!(matches!(p.cancel_collection(&engineer(), &runs[0].id).await, Err(Problem::NotAllowed { .. })));
        assert_eq!(p.cancel_collection(&op, "none").await, Err(Problem::NotFound));
        for _ in 0..2 {
            p.cancel_collection(&op, &runs[0].id).await.expect("stopped");
        }
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'registry.collect-stop'").await, 1);
        p.collect(&op, "own", &w.once(&op).await).await.expect("recorded");
        let runs = p.collections(&op).await.expect("a list").rows.remove(0).runs;
        assert_eq!(runs.iter().map(|r| r.state).collect::<Vec<_>>(), [CopyState::Waiting, CopyState::Cancelled]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_kept_by_who_may_and_the_same_twice_is_one() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelf::new(&w).await;
        let p = &s.portal;
        let rule = Retention { newest: 3, days: 7 };
        let keep = async |c: &Caller, registry: &str, name: &str| p.keep_rule(c, registry, name, rule).await;
        assert!(matches!(keep(&lead(), "own", "tools/t").await, Err(Problem::NotAllowed { .. })));
        assert!(matches!(keep(&auditor(), "own", WEB).await, Err(Problem::NotAllowed { .. })));
        for c in [stranger(), engineer()] {
            assert_eq!(keep(&c, "own", WEB).await, Err(Problem::NotFound));
            assert_eq!(p.end_rule(&c, "own", WEB).await, Err(Problem::NotFound));
        }
        assert!(matches!(p.end_rule(&lead(), "own", "tools/t").await, Err(Problem::NotAllowed { .. })));
        assert_eq!(keep(&engineer(), "far", "tools/t").await, Err(Problem::NotFound), "it takes nothing");
        assert_eq!(keep(&engineer(), "own", "tools/none").await, Err(Problem::NotFound));
        let wide = p.keep_rule(&engineer(), "own", "tools/t", Retention { newest: 10_001, days: 0 }).await;
        assert!(matches!(wide, Err(Problem::Field { .. })));
        assert_eq!(w.number("SELECT COUNT(*) FROM retention_rule").await, 0);

        let kept = async || p.retention(&engineer(), "own", "tools/t", None).await.expect("a view").kept;
        let said = async || w.number("SELECT COUNT(*) FROM journal WHERE what = 'image.keep-rule'").await;
        for _ in 0..2 {
            keep(&engineer(), "own", "tools/t").await.expect("kept");
        }
        let now = kept().await.expect("a rule");
        assert_eq!((now.rule, now.by, now.looked_at, said().await), (rule, engineer().name, None, 1));
        // Another one, by somebody else.
        let other = Retention { newest: 4, days: 7 };
        p.keep_rule(&operator(), "own", "tools/t", other).await.expect("kept");
        let now = kept().await.expect("a rule");
        assert_eq!((now.rule, now.by, said().await), (other, operator().name, 2));
        let said =
            sqlx::query_scalar::<_, String>("SELECT changes FROM journal WHERE what = 'image.keep-rule' ORDER BY seq");
        let said = said.fetch_all(w.store.read()).await.expect("the journal").pop().expect("a row");
        assert!(said.contains("newest 3, days 7") && said.contains("newest 4, days 7"), "{said}");
        // A team's own by its members.
        keep(&member(), "own", WEB).await.expect("kept");
        for _ in 0..2 {
            p.end_rule(&engineer(), "own", "tools/t").await.expect("ended");
        }
        assert_eq!(kept().await, None);
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'image.end-rule'").await, 1);
        assert_eq!(w.number("SELECT COUNT(*) FROM retention_rule").await, 1);
        assert_eq!(w.number("SELECT COUNT(*) FROM retention_run").await, 0, "no request takes anything away");
    })
    .await;
}
