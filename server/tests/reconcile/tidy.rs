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

/// A registry with so many versions, all old.
async fn shelf(w: &World, versions: u32) -> Arc<FakeRegistry> {
    let client = Arc::new(FakeRegistry::new());
    for n in 1..=versions {
        let image = Image { digest: digest(n), platforms: vec!["linux/amd64".into()], ..Image::default() };
        client.put_image("a/b", &n.to_string(), image);
    }
    let place = Place {
        name: "one".into(),
        place: "one".into(),
        stage: None,
        takes: true,
        rules: Rules::default(),
        token: None,
        client: client.clone(),
    };
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
