//! Workbenches as work: made, started again, taken away, and made versions of, with
//! everything that can go wrong between.

use crate::support::each_database;
use crate::world::{World, until};
use padis_domain::ports::{BenchSpec, Image, Registry};
use padis_domain::view::{BenchState, CommitRow, CommitState};
use padis_drivers::fake::{FakeTransfer, Fault, When};
use padis_server::images::{Place, Registries, Rules};
use padis_server::store::benches::{self, Wanted};
use padis_server::store::work;
use std::sync::Arc;
use std::time::Duration;

/// Our own registry with a middleware in it.
pub fn shelf(w: &World) -> String {
    let digest = format!("sha256:{:064}", 1);
    let image = Image { digest: digest.clone(), platforms: vec!["linux/amd64".into()], ..Image::default() };
    w.reg.put_image("stacks/nginx", "1", image);
    w.bench.set_image(&digest, [("/etc/nginx.conf", &b"gzip off;"[..]), ("/opt/old", &b"old"[..])]);
    let place = Place {
        name: "padis".into(),
        place: "padis.example".into(),
        stage: None,
        takes: true,
        rules: Rules::default(),
        token: None,
        client: w.reg.clone(),
    };
    let transfer = Arc::new(FakeTransfer::new([("padis".to_owned(), w.reg.clone())].into()));
    w.set_registries(Arc::new(Registries::new(vec![place], transfer, Duration::from_secs(600))));
    digest
}

async fn ask(w: &World, id: &str, digest: &str) {
    let spec = BenchSpec {
        id: id.into(),
        host: "h1".into(),
        repository: "stacks/nginx".into(),
        digest: digest.into(),
        cpu_milli: 500,
        mem_mib: 256,
    };
    let mut tx = w.store.begin().await.expect("a transaction");
    benches::ask(&mut tx, &spec, "1", "any", ("otto", "Otto")).await.expect("asked");
    work::touch(&mut tx, &benches::key(id)).await.expect("touched");
    tx.commit().await.expect("committed");
    w.wake();
}

async fn state(w: &World, id: &str) -> (BenchState, String) {
    let (_, row) = benches::find(&w.store, id).await.expect("read").expect("it is recorded");
    (row.state, row.why)
}

async fn opened(w: &World, id: &str) {
    until("it is open", async || state(w, id).await == (BenchState::Open, String::new())).await;
}

async fn keep(w: &World, id: &str, bench: &str, tag: &str) {
    let wanted = Wanted {
        id: id.into(),
        bench: bench.into(),
        repository: "stacks/nginx".into(),
        tag: tag.into(),
        description: "With gzip".into(),
        leave_out: true,
        labels: [("io.padis.commit".to_owned(), id.to_owned()), ("io.padis.stack.port".to_owned(), "8081".to_owned())]
            .into(),
        left_out: Vec::new(),
        account: "otto".into(),
        name: "Otto".into(),
    };
    let mut tx = w.store.begin().await.expect("a transaction");
    assert!(benches::ask_commit(&mut tx, &wanted).await.expect("asked"));
    work::touch(&mut tx, &benches::commit_key(id)).await.expect("touched");
    tx.commit().await.expect("committed");
    w.wake();
}

async fn version(w: &World, bench: &str, id: &str) -> CommitRow {
    let all = benches::commits(&w.store, Some(bench), None).await.expect("versions");
    all.into_iter().find(|c| c.id == id).expect("it is recorded")
}

async fn kept(w: &World, bench: &str, id: &str, wanted: CommitState) -> CommitRow {
    until(&format!("{id} is {wanted:?}"), async || version(w, bench, id).await.state == wanted).await;
    version(w, bench, id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_made_kept_running_and_taken_away() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = shelf(&w);
        // Its host does not answer at first.
        w.bench.faults().fail_next("put", When::Before, Fault::Transient);
        w.start();
        ask(&w, "b1", &digest).await;
        opened(&w, "b1").await;
        assert!(w.bench.write("b1", "/etc/nginx.conf", b"gzip on;"));
        // Its host is started anew: it runs again, with what was changed.
        w.bench.stop("b1");
        until("it runs again", async || padis_domain::ports::Workbench::list(&*w.bench).await.expect("all")[0].running)
            .await;
        assert_eq!(w.bench.read("b1", "/etc/nginx.conf").as_deref(), Some(&b"gzip on;"[..]));
        let mut tx = w.store.begin().await.expect("a transaction");
        assert!(benches::end(&mut tx, "b1").await.expect("ended"));
        work::touch(&mut tx, &benches::key("b1")).await.expect("touched");
        tx.commit().await.expect("committed");
        until("it is gone", async || state(&w, "b1").await.0 == BenchState::Ended).await;
        assert!(padis_domain::ports::Workbench::list(&*w.bench).await.expect("all").is_empty());
        until("nothing is left of the work", async || {
            w.count("SELECT COUNT(*) FROM work WHERE key LIKE 'bench:%'").await == 0
        })
        .await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_can_not_be_says_why() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = shelf(&w);
        w.bench.set_no_shell(&digest);
        w.start();
        ask(&w, "b1", &digest).await;
        until("it says why", async || state(&w, "b1").await.1.contains("shell")).await;
        assert_eq!(state(&w, "b1").await.0, BenchState::Starting);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_has_what_was_changed_and_nothing_doubtful() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = shelf(&w);
        w.start();
        ask(&w, "b1", &digest).await;
        opened(&w, "b1").await;
        for (path, bytes) in [("/etc/nginx.conf", "gzip on;"), ("/root/.bash_history", "secret"), ("/tmp/x", "x")] {
            assert!(w.bench.write("b1", path, bytes.as_bytes()));
        }
        assert!(w.bench.remove("b1", "/opt/old"));
        keep(&w, "c1", "b1", "2").await;
        let row = kept(&w, "b1", "c1", CommitState::Done).await;
        assert_eq!(w.reg.digest("stacks/nginx", "2").await.expect("an answer").as_deref(), Some(row.digest.as_str()));
        assert_eq!(w.bench.read_image(&row.digest, "/etc/nginx.conf").as_deref(), Some(&b"gzip on;"[..]));
        for gone in ["/root/.bash_history", "/tmp/x", "/opt/old"] {
            assert_eq!(w.bench.read_image(&row.digest, gone), None, "{gone}");
        }
        assert_eq!(row.left_out, ["/root/.bash_history", "/tmp/x"]);
        let paths: Vec<&str> = row.changes.rows.iter().filter(|c| !c.folder).map(|c| c.path.as_str()).collect();
        assert_eq!(paths, ["/etc/nginx.conf", "/opt/old"]);
        let image = w.reg.image("stacks/nginx", &row.digest).await.expect("an answer").expect("an image");
        assert_eq!(image.labels["io.padis.commit"], "c1");
        assert!(image.ports.iter().any(|p| p.starts_with("8081")), "{:?}", image.ports);
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'bench.committed'").await, 1);
        // Found by what it became, too.
        let found = benches::commits(&w.store, None, Some(&row.digest)).await.expect("versions");
        assert_eq!((found.len(), found[0].base.1.as_str()), (1, digest.as_str()));
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_cut_off_anywhere_is_made_once_and_whole() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = shelf(&w);
        ask(&w, "b1", &digest).await;
        let steps =
            [("changes", When::Before), ("commit", When::Before), ("push", When::Before), ("push", When::After)];
        for (n, (verb, when)) in steps.into_iter().enumerate() {
            for fault in [Fault::Transient, Fault::Unknown, Fault::Hang] {
                let id = format!("c{n}-{fault:?}").to_lowercase();
                w.start();
                opened(&w, "b1").await;
                assert!(w.bench.write("b1", "/root/.bash_history", b"secret"));
                assert!(w.bench.write("b1", "/opt/new", id.as_bytes()));
                let before = w.bench.faults().count(verb);
                w.bench.faults().fail_next(verb, when, fault);
                keep(&w, &id, "b1", &id).await;
                if fault == Fault::Hang {
                    until("the step is reached", async || w.bench.faults().count(verb) > before).await;
                    w.kill().await;
                    w.bench.faults().clear();
                    w.start();
                }
                let row = kept(&w, "b1", &id, CommitState::Done).await;
                assert_eq!(w.bench.read_image(&row.digest, "/opt/new").as_deref(), Some(id.as_bytes()), "{id}");
                assert_eq!(w.bench.read_image(&row.digest, "/root/.bash_history"), None, "{id}");
                // What a run that was cut off had left out already is not forgotten.
                assert_eq!(row.left_out, ["/root/.bash_history"], "{id}");
                w.stop().await;
            }
        }
    })
    .await;
}

/// A list that is kept has an end; what is left out is found to the last path.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_doubtful_is_left_out_however_much_was_changed() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = shelf(&w);
        w.start();
        ask(&w, "b1", &digest).await;
        opened(&w, "b1").await;
        for n in 0..2_500 {
            assert!(w.bench.write("b1", &format!("/opt/many/{n:05}"), b"x"));
        }
        assert!(w.bench.write("b1", "/zz/.bash_history", b"secret"));
        keep(&w, "c1", "b1", "2").await;
        let row = kept(&w, "b1", "c1", CommitState::Done).await;
        assert_eq!(row.left_out, ["/zz/.bash_history"]);
        assert_eq!(w.bench.read_image(&row.digest, "/zz/.bash_history"), None);
        assert!(w.bench.read_image(&row.digest, "/opt/many/02499").is_some());
        assert_eq!(row.changes.rows.len() as u64, 2_000);
        assert!(row.changes.more >= 500, "{}", row.changes.more);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_somebody_else_has_taken_is_not_replaced() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = shelf(&w);
        w.start();
        ask(&w, "b1", &digest).await;
        opened(&w, "b1").await;
        keep(&w, "c1", "b1", "1").await;
        let row = kept(&w, "b1", "c1", CommitState::Failed).await;
        assert!(!row.why.is_empty() && row.digest.is_empty());
        assert_eq!(w.reg.digest("stacks/nginx", "1").await.expect("an answer"), Some(digest));
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'bench.commit-failed'").await, 1);
        w.stop().await;
    })
    .await;
}
