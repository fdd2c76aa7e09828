//! Versions that nothing needs are taken away: whatever goes wrong, and what is needed by then.

use super::world::{World, until};
use crate::support::each_database;
use padis_domain::ports::{Image, Registry};
use padis_domain::view::Retention;
use padis_drivers::fake::{FakeRegistry, FakeTransfer, Fault, When};
use padis_server::images::{Place, Registries, Rules, whole};
use padis_server::store::{retention, work};
use std::sync::Arc;
use std::time::Duration;

fn digest(n: u32) -> String {
    format!("sha256:{n:064}")
}

fn place(client: &Arc<FakeRegistry>) -> Place {
    Place {
        name: "one".into(),
        place: "one".into(),
        stage: None,
        takes: true,
        rules: Rules::default(),
        token: None,
        client: client.clone(),
    }
}

/// A registry with so many versions, all old.
async fn shelf(w: &World, versions: u32) -> Arc<FakeRegistry> {
    let client = Arc::new(FakeRegistry::new());
    for n in 1..=versions {
        let image = Image { digest: digest(n), platforms: vec!["linux/amd64".into()], ..Image::default() };
        client.put_image("a/b", &n.to_string(), image);
    }
    let place = place(&client);
    whole(&w.store, &place).await.expect("a look");
    w.sql("UPDATE image_tag SET since = 1").await;
    let transfer = Arc::new(FakeTransfer::new([("one".to_owned(), client.clone())].into()));
    w.set_registries(Arc::new(Registries::new(vec![place], transfer, Duration::from_secs(600))));
    client
}

async fn ask(w: &World, id: &str, digests: impl IntoIterator<Item = u32>) {
    let run = retention::Run {
        registry: "one".into(),
        repository: "a/b".into(),
        rule: Retention { newest: 0, days: 1 },
        account: "otto".into(),
        left: Vec::new(),
        by_hand: Vec::new(),
    };
    let items: Vec<(String, u64)> = digests.into_iter().map(|n| (digest(n), 10)).collect();
    let mut tx = w.store.begin().await.expect("begin");
    retention::ask(&mut tx, id, &run, "Otto", &items).await.expect("asked");
    work::touch(&mut tx, &retention::key(id)).await.expect("touched");
    tx.commit().await.expect("committed");
    w.wake();
}

async fn ended(w: &World) {
    until("it has ended", async || w.count("SELECT COUNT(*) FROM retention_run WHERE ended_at IS NULL").await == 0)
        .await;
    until("its work is forgotten", async || w.count("SELECT COUNT(*) FROM work WHERE key LIKE 'tidy:%'").await == 0)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_needs_goes_and_what_is_run_by_then_stays() {
    each_database(async |store| {
        let w = World::new(store).await;
        let shelf = shelf(&w, 30).await;
        // Between the list and the deed somebody began to run one, and pushed a tag for another.
        w.release(&super::world::claims(), 1, 1).await;
        w.sql(&format!("UPDATE release SET digest = '{}'", digest(7))).await;
        // More than one run takes, with a registry that fails twice.
        for _ in 0..2 {
            shelf.faults().fail_next("delete", When::Before, Fault::Transient);
        }
        ask(&w, "t", 1..=25).await;
        w.start();
        ended(&w).await;
        let mut left: Vec<u32> = shelf.tags("a/b").await.expect("tags").iter().filter_map(|t| t.parse().ok()).collect();
        left.sort_unstable();
        assert_eq!(left, [7, 26, 27, 28, 29, 30]);
        let run = retention::last(&w.store, "one", "a/b", 1).await.expect("read").remove(0);
        assert_eq!((run.gone, run.gone_bytes, run.kept, run.left, run.why.as_str()), (24, 240, 1, 0, ""));
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'image.delete'").await, 24);
        assert_eq!(shelf.faults().left(), 0);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_delete_is_said_and_a_killed_process_goes_on() {
    each_database(async |store| {
        let w = World::new(store).await;
        let shelf = shelf(&w, 5).await;
        shelf.set_deletes(false);
        ask(&w, "t", 1..=5).await;
        w.start();
        until("it is said", async || !w.word("SELECT why FROM retention_run").await.is_empty()).await;
        until("it waits for people", async || w.count("SELECT COUNT(*) FROM work WHERE parked = 1").await == 1).await;
        assert_eq!(shelf.tags("a/b").await.expect("tags").len(), 5);
        // Somebody turns it on and tries again; the process dies in the middle.
        shelf.set_deletes(true);
        shelf.faults().fail_nth("delete", 3, When::Before, Fault::Hang);
        let mut tx = w.store.begin().await.expect("begin");
        assert!(work::retry(&mut tx, "tidy:t").await.expect("again"));
        tx.commit().await.expect("committed");
        w.wake();
        until("two are gone", async || w.count("SELECT COUNT(*) FROM retention_item WHERE state = 'gone'").await == 2)
            .await;
        w.kill().await;
        w.start();
        ended(&w).await;
        assert_eq!(shelf.tags("a/b").await.expect("tags"), Vec::<String>::new());
        w.stop().await;
    })
    .await;
}

async fn keep(w: &World, newest: u32) {
    let mut tx = w.store.begin().await.expect("begin");
    let rule = Retention { newest, days: 1 };
    assert!(retention::keep_rule(&mut tx, ("one", "a/b"), rule, ("otto", "Otto")).await.expect("kept"));
    tx.commit().await.expect("committed");
}

async fn looked(w: &World) {
    until("it has looked", async || w.count("SELECT COUNT(*) FROM retention_rule WHERE looked_at IS NULL").await == 0)
        .await;
}

/// The next day: the process begins anew, with a rule that is due.
async fn tomorrow(w: &World) {
    w.kill().await;
    w.sql("UPDATE retention_rule SET due_at = 1, looked_at = NULL").await;
    w.start();
    looked(w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_kept_day_by_day_and_what_is_run_stays() {
    each_database(async |store| {
        let w = World::new(store).await;
        let shelf = shelf(&w, 6).await;
        w.release(&super::world::claims(), 1, 1).await;
        w.sql(&format!("UPDATE release SET digest = '{}'", digest(6))).await;
        keep(&w, 2).await;
        w.start();
        looked(&w).await;
        ended(&w).await;
        let tags = async || {
            let mut left: Vec<u32> =
                shelf.tags("a/b").await.expect("tags").iter().filter_map(|t| t.parse().ok()).collect();
            left.sort_unstable();
            left
        };
        assert_eq!(tags().await, [1, 2, 6]);
        let run = retention::last(&w.store, "one", "a/b", 9).await.expect("read").remove(0);
        assert_eq!((run.by.as_str(), run.gone, run.left), ("", 3, 0));
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'image.delete' AND who = 'padis'").await, 3);

        // Nothing goes by it: nothing is asked for.
        tomorrow(&w).await;
        assert_eq!(w.count("SELECT COUNT(*) FROM retention_run").await, 1);
        // Another one has come, and two are too many by now.
        w.kill().await;
        shelf.put_image(
            "a/b",
            "0",
            Image { digest: digest(0), platforms: vec!["linux/amd64".into()], ..Image::default() },
        );
        whole(&w.store, &place(&shelf)).await.expect("a look");
        w.sql("UPDATE image_tag SET since = 1").await;
        w.start();
        tomorrow(&w).await;
        ended(&w).await;
        assert_eq!(tags().await, [0, 1, 6]);
        // Of two who look only one asks.
        w.sql("UPDATE retention_rule SET due_at = 1").await;
        let due = retention::due_rules(&w.store, 5, 9).await.expect("due").remove(0);
        for first in [true, false] {
            let mut tx = w.store.begin().await.expect("begin");
            assert_eq!(retention::take_rule(&mut tx, &due, 5).await.expect("taken"), first);
            tx.commit().await.expect("committed");
        }
        // Later than it could be: the clock was put back.
        assert_eq!(retention::due_rules(&w.store, 4, 9).await.expect("due").len(), 1);
        assert_eq!(retention::due_rules(&w.store, 5, 9).await.expect("due").len(), 0);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_does_not_ask_again_for_what_is_stuck() {
    each_database(async |store| {
        let w = World::new(store).await;
        let shelf = shelf(&w, 3).await;
        shelf.set_deletes(false);
        keep(&w, 1).await;
        w.start();
        until("it waits for people", async || w.count("SELECT COUNT(*) FROM work WHERE parked = 1").await == 1).await;
        tomorrow(&w).await;
        assert_eq!(w.count("SELECT COUNT(*) FROM retention_run").await, 1);
        assert_eq!(shelf.tags("a/b").await.expect("tags").len(), 3);
        // The rule is another one by the time that it can be done: what it gave before stays.
        keep(&w, 2).await;
        shelf.set_deletes(true);
        let key = w.word("SELECT key FROM work WHERE parked = 1").await;
        let mut tx = w.store.begin().await.expect("begin");
        assert!(work::retry(&mut tx, &key).await.expect("again"));
        tx.commit().await.expect("committed");
        w.wake();
        ended(&w).await;
        assert_eq!(shelf.tags("a/b").await.expect("tags").len(), 2);
        // And none by then: nothing goes any more.
        shelf.set_deletes(false);
        w.kill().await;
        let mut tx = w.store.begin().await.expect("begin");
        retention::end_rule(&mut tx, "one", "a/b").await.expect("ended").expect("a rule");
        tx.commit().await.expect("committed");
        keep(&w, 1).await;
        w.start();
        until("it waits for people", async || w.count("SELECT COUNT(*) FROM work WHERE parked = 1").await == 1).await;
        let mut tx = w.store.begin().await.expect("begin");
        retention::end_rule(&mut tx, "one", "a/b").await.expect("ended").expect("a rule");
        let key = w.word("SELECT key FROM work WHERE parked = 1").await;
        assert!(work::retry(&mut tx, &key).await.expect("again"));
        tx.commit().await.expect("committed");
        shelf.set_deletes(true);
        w.wake();
        ended(&w).await;
        assert_eq!(shelf.tags("a/b").await.expect("tags").len(), 2);
        w.stop().await;
    })
    .await;
}
