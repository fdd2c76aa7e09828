//! Workbenches: who may start one and see it, what a version may be called, who ends it,
//! and what a terminal leaves behind.

use crate::support::each_database;
use crate::world::{HOST, MARK, World, auditor, caller, lead, member, operator, stranger};
use futures::StreamExt;
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::benches::Benches;
use padis_domain::caller::Caller;
use padis_domain::ports::{BenchSpec, Host, Terminal, Workbench};
use padis_domain::problem::ValueFault;
use padis_domain::view::{BenchState, CommitState, ListQuery, NewBench, NewCommit};
use padis_domain::words::PlatformRole;
use padis_server::store::benches;
use std::collections::BTreeMap;

/// Team zebra's image of the world's registry, and a pool in which zebra has a quota.
const WEB: &str = "teams/zebra/web";

fn engineer() -> Caller {
    caller("emma", &[], Some(PlatformRole::Engineer))
}

fn new(pool: &str) -> NewBench {
    NewBench { repository: WEB.into(), tag: "1".into(), pool: pool.into() }
}

/// The world's pools have a host each, and the host a Docker Engine.
pub async fn world(store: padis_server::store::Store) -> World {
    let w = World::new(store).await;
    let host = Host {
        id: "agent-bench".into(),
        name: HOST.into(),
        attributes: [("rack".to_owned(), "striped".to_owned())].into(),
        active: true,
        cpu_milli: 4000,
        cpu_used_milli: 0,
        mem_mib: 4096,
        mem_used_mib: 0,
        tasks: 0,
    };
    // It carries what the other pool wants, too, but has no engine.
    let common = Host {
        id: "agent-common".into(),
        name: "elsewhere".into(),
        attributes: [("rack".to_owned(), "common".to_owned())].into(),
        ..host.clone()
    };
    w.live.set_hosts(vec![host, common], BTreeMap::new(), 1);
    w
}

async fn started(w: &World, c: &Caller) -> String {
    let once = w.once(c).await;
    w.portal.start_bench(c, &new("striped"), &once).await.expect("started")
}

/// Does what the reconciler does with workbenches.
async fn carry(w: &World, id: &str) -> BenchSpec {
    let (spec, _) = benches::find(&w.store, id).await.expect("an answer").expect("a workbench");
    w.bench.put(&spec).await.expect("it runs");
    benches::opened(&w.store, id, "").await.expect("noted");
    spec
}

fn commit(bench: &str, repository: &str, tag: &str) -> NewCommit {
    NewCommit {
        bench: bench.into(),
        repository: repository.into(),
        tag: tag.into(),
        description: "With gzip".into(),
        leave_out: true,
        contract: BTreeMap::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_start_one_and_who_sees_it() {
    each_database(|store| async move {
        let w = world(store).await;
        let p = &w.portal;
        // Those of another team do not hear that there is such an image, others may not.
        let once = w.once(&stranger()).await;
        assert_eq!(p.start_bench(&stranger(), &new("striped"), &once).await, Err(Problem::NotFound));
        let once = w.once(&auditor()).await;
        assert!(matches!(p.start_bench(&auditor(), &new("striped"), &once).await, Err(Problem::NotAllowed { .. })));
        // A pool without a host that has an engine, and none at all.
        let once = w.once(&member()).await;
        let unknown = Problem::field("pool", ValueFault::Unknown);
        assert_eq!(p.start_bench(&member(), &new("common"), &once).await, Err(unknown));
        assert_eq!(p.start_bench(&member(), &new(""), &once).await, Err(Problem::missing("pool")));
        let id = p.start_bench(&member(), &new("striped"), &once).await.expect("started");
        // The same form sent twice is one workbench.
        assert_eq!(p.start_bench(&member(), &new("striped"), &once).await, Ok(id.clone()));
        assert_eq!(w.number("SELECT COUNT(*) FROM bench").await, 1);
        assert_eq!(w.number("SELECT COUNT(*) FROM work WHERE key LIKE 'bench:%' AND wanted > done").await, 1);
        let row = p.bench(&member(), &id).await.expect("it is there").row;
        assert_eq!((row.state, row.host.as_str()), (BenchState::Starting, HOST));
        // It is his alone: not his lead's, not an engineer's; who oversees the platform looks.
        for c in [lead(), stranger(), engineer()] {
            assert_eq!(p.bench(&c, &id).await.err(), Some(Problem::NotFound), "{}", c.account);
            assert_eq!(p.end_bench(&c, &id).await, Err(Problem::NotFound), "{}", c.account);
            assert_eq!(p.benches(&c, &ListQuery::default()).await.expect("a list").total, 0, "{}", c.account);
        }
        assert!(!p.bench(&auditor(), &id).await.expect("an auditor looks").may);
        assert!(matches!(p.end_bench(&auditor(), &id).await, Err(Problem::NotAllowed { .. })));
        assert!(!p.bench(&operator(), &id).await.expect("an operator looks").may);
        let once = w.once(&operator()).await;
        let theirs = p.commit_bench(&operator(), &commit(&id, "stacks/x", "1"), &once).await;
        assert!(matches!(theirs, Err(Problem::NotAllowed { .. })), "{theirs:?}");
        // But he clears up.
        p.end_bench(&operator(), &id).await.expect("ended");
        assert_eq!(p.bench(&member(), &id).await.expect("it is there").row.state, BenchState::Ending);
        // Three at the same time, not four; the fourth when one has gone.
        benches::ended(&w.store, &id).await.expect("gone");
        for _ in 0..3 {
            started(&w, &member()).await;
        }
        let once = w.once(&member()).await;
        let enough = Problem::NotNow { reason: Reason::EnoughBenches };
        assert_eq!(p.start_bench(&member(), &new("striped"), &once).await, Err(enough));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_version_may_be_called_and_where_it_may_go() {
    each_database(|store| async move {
        let w = world(store).await;
        let (p, c) = (&w.portal, member());
        let id = started(&w, &c).await;
        let ask = async |new: NewCommit| {
            let once = w.once(&c).await;
            p.commit_bench(&c, &new, &once).await
        };
        // Not before it is open.
        let early = ask(commit(&id, WEB, "2")).await;
        assert_eq!(early, Err(Problem::NotNow { reason: Reason::BenchNotOpen }));
        let spec = carry(&w, &id).await;
        let bad = NewCommit { description: " ".into(), ..commit(&id, "No Name", "a b") };
        let Err(Problem::Fields { problems }) = ask(bad).await else { panic!("three fields are wrong") };
        assert_eq!(problems.len(), 3);
        // Not into another team's repository, not among the standards, not over what is there.
        for repository in ["teams/lion/web", "stacks/nginx"] {
            let said = ask(commit(&id, repository, "2")).await;
            assert_eq!(said, Err(Problem::field("repository", ValueFault::Unknown)), "{repository}");
        }
        let taken = Problem::NameTaken { field: "tag".into(), name: "1".into() };
        assert_eq!(ask(commit(&id, WEB, "1")).await, Err(taken));
        let half = NewCommit { contract: [("name".to_owned(), "x".to_owned())].into(), ..commit(&id, WEB, "2") };
        assert!(matches!(ask(half).await, Err(Problem::Field { field, .. }) if field == "contract_title_en"));
        let made = ask(commit(&id, WEB, "2")).await.expect("asked for");
        // One at a time, and it does not end meanwhile.
        let busy = Problem::NotNow { reason: Reason::BenchKeeping };
        assert_eq!(ask(commit(&id, WEB, "3")).await, Err(busy.clone()));
        assert_eq!(p.end_bench(&c, &id).await, Err(busy));
        // Nor does somebody else make the same one.
        let other = started(&w, &lead()).await;
        carry(&w, &other).await;
        let once = w.once(&lead()).await;
        let taken = Problem::NameTaken { field: "tag".into(), name: "2".into() };
        assert_eq!(p.commit_bench(&lead(), &commit(&other, WEB, "2"), &once).await, Err(taken));
        // What it will say of itself.
        let wanted = benches::find_commit(&w.store, &made).await.expect("read").expect("it is open");
        assert_eq!(wanted.labels["org.opencontainers.image.base.digest"], spec.digest);
        assert_eq!(wanted.labels["org.opencontainers.image.description"], "With gzip");
        assert_eq!(wanted.labels["io.padis.commit"], made);
        let mut tx = w.store.begin().await.expect("begin");
        assert!(benches::end_commit(&mut tx, &made, Ok("sha256:2")).await.expect("ended"));
        tx.commit().await.expect("commit");
        let view = p.bench(&c, &id).await.expect("it is there");
        assert_eq!((view.commits[0].state, view.row.versions), (CommitState::Done, 1));
        assert_eq!(view.below, [format!("teams/{MARK}/")]);
        p.end_bench(&c, &id).await.expect("ended");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_is_read_live_and_a_silent_host_is_said() {
    each_database(|store| async move {
        let w = world(store).await;
        let (p, c) = (&w.portal, member());
        let id = started(&w, &c).await;
        carry(&w, &id).await;
        assert!(w.bench.write(&id, "/etc/web.conf", b"gzip on;"));
        assert!(w.bench.write(&id, "/root/.bash_history", b"secret"));
        let view = p.bench(&c, &id).await.expect("it is there");
        let paths: Vec<&str> = view.changes.rows.iter().filter(|r| !r.folder).map(|r| r.path.as_str()).collect();
        assert_eq!(paths, ["/etc/web.conf", "/root/.bash_history"]);
        w.bench.faults().down(Some(padis_drivers::fake::Fault::Transient));
        let view = p.bench(&c, &id).await.expect("it is shown all the same");
        assert!(view.changes.rows.is_empty() && view.changes_why.is_some());
        w.bench.faults().down(None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_its_owners_and_what_it_shows_is_kept() {
    each_database(|store| async move {
        let w = world(store).await;
        let (p, c) = (&w.portal, member());
        let id = started(&w, &c).await;
        let early = p.bench_terminal(&c, &id, 80, 24).await.err();
        assert_eq!(early, Some(Problem::NotNow { reason: Reason::BenchNotOpen }));
        carry(&w, &id).await;
        assert_eq!(p.bench_terminal(&stranger(), &id, 80, 24).await.err(), Some(Problem::NotFound));
        for other in [operator(), auditor()] {
            let said = p.bench_terminal(&other, &id, 80, 24).await.err();
            assert!(matches!(said, Some(Problem::NotAllowed { .. })), "{}", other.account);
        }
        let Terminal { mut output, mut input } = p.bench_terminal(&c, &id, 9000, 24).await.expect("a terminal");
        // Sizes that no window has are made ones that one can have.
        assert_eq!(w.bench.terminals(&id), [(500, 24)]);
        let typed = "echo 好\r".as_bytes();
        // Cut inside a character, as a network may.
        input.write(&typed[..6]).await.expect("typed");
        input.write(&typed[6..]).await.expect("typed");
        input.resize(100, 30).await.expect("resized");
        let mut shown = Vec::new();
        while !String::from_utf8_lossy(&shown).contains('好') {
            shown.extend(output.next().await.expect("it goes on").expect("shown"));
        }
        drop((output, input));
        let text = || async { String::from_utf8(p.bench_record(&c, &id, 1).await.expect("a record")).expect("text") };
        let lines: Vec<serde_json::Value> =
            text().await.lines().map(|l| serde_json::from_str(l).expect("a line is JSON")).collect();
        assert_eq!((lines[0]["version"].clone(), lines[0]["width"].clone()), (2.into(), 500.into()));
        let kept: String = lines[1..].iter().filter(|l| l[1] == "o").filter_map(|l| l[2].as_str()).collect();
        assert!(kept.contains('好') && !kept.contains('\u{fffd}'), "{kept}");
        assert!(lines.iter().any(|l| l[1] == "r" && l[2] == "100x30"));
        // Its end is noted when it is gone; others' records are none of a stranger's business.
        let ended = "SELECT COUNT(*) FROM bench_record WHERE ended_at IS NOT NULL";
        for _ in 0..500 {
            if w.number(ended).await == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(w.number(ended).await, 1);
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'bench.terminal'").await, 1);
        assert_eq!(p.bench_record(&stranger(), &id, 1).await, Err(Problem::NotFound));
        assert_eq!(p.bench_record(&c, &id, 2).await, Err(Problem::NotFound));
        assert_eq!(p.bench_record(&auditor(), &id, 1).await.map(|b| b.is_empty()), Ok(false));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_is_offered() {
    each_database(|store| async move {
        let w = world(store).await;
        let offer = async |c: &Caller| w.portal.bench_offer(c, "padis", WEB, "1").await.map(|o| o.pools);
        assert_eq!(offer(&member()).await, Ok(vec!["striped".to_owned()]));
        assert_eq!(offer(&operator()).await, Ok(vec!["striped".to_owned()]));
        assert_eq!(offer(&auditor()).await, Ok(Vec::new()));
        assert_eq!(offer(&stranger()).await, Err(Problem::NotFound));
    })
    .await;
}
