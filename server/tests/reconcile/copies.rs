//! Copies of images as work: done, refused, tried again, stopped, cut off, and longer
//! than a lease.

use crate::support::each_database;
use crate::world::{World, until};
use padis_domain::ports::{CopyFrom, CopyTo, Image, ImageStep, Registry};
use padis_domain::view::CopyState;
use padis_drivers::fake::{FakeRegistry, FakeTransfer, Fault, When};
use padis_server::images::{Place, Registries, Rules};
use padis_server::store::copies::{self, Asked};
use padis_server::store::work;
use std::sync::Arc;
use std::time::Duration;

struct Between {
    transfer: Arc<FakeTransfer>,
    target: Arc<FakeRegistry>,
    from: CopyFrom,
}

/// Two registries of which the world's reconciler knows, and an image of two layers in one.
fn between(w: &World) -> Between {
    let (source, target) = (Arc::new(FakeRegistry::new()), Arc::new(FakeRegistry::new()));
    let digest = format!("sha256:{:064}", 1);
    let layer = |n: u32| ImageStep { layer: Some((format!("sha256:{n:064}"), 1000)), ..ImageStep::default() };
    let image = Image {
        digest: digest.clone(),
        platforms: vec!["linux/amd64".into()],
        steps: vec![layer(11), layer(12)],
        ..Image::default()
    };
    source.put_image("a/b", "1", image);
    let all = [("one".to_owned(), source.clone()), ("two".to_owned(), target.clone())];
    let transfer = Arc::new(FakeTransfer::new(all.clone().into()));
    let place = |(name, client): (String, Arc<FakeRegistry>)| Place {
        place: name.clone(),
        name,
        stage: None,
        takes: true,
        rules: Rules::default(),
        token: None,
        client,
    };
    let places = all.into_iter().map(place).collect();
    w.set_registries(Arc::new(Registries::new(places, transfer.clone(), Duration::from_secs(600))));
    Between { transfer, target, from: CopyFrom { registry: "one".into(), repository: "a/b".into(), digest } }
}

impl Between {
    async fn ask(&self, w: &World, id: &str) {
        let to = CopyTo { registry: "two".into(), repository: "c/d".into(), tag: id.into(), instead_of: None };
        let asked = Asked {
            id: id.into(),
            from: self.from.clone(),
            from_tag: "1".into(),
            to,
            account: "otto".into(),
            name: "Otto".into(),
        };
        let mut tx = w.store.begin().await.expect("a transaction");
        copies::ask(&mut tx, &asked).await.expect("asked");
        work::touch(&mut tx, &copies::key(id)).await.expect("touched");
        tx.commit().await.expect("committed");
        w.wake();
    }

    async fn there(&self, tag: &str) -> bool {
        self.target.digest("c/d", tag).await.expect("an answer").is_some()
    }
}

async fn state(w: &World, id: &str) -> CopyState {
    copies::find(&w.store, id).await.expect("read").expect("it is recorded").1
}

async fn ended(w: &World, id: &str, wanted: CopyState) {
    until(&format!("{id} is {wanted:?}"), async || state(w, id).await == wanted).await;
    let left = format!("SELECT COUNT(*) FROM work WHERE key = 'copy:{id}'");
    until("its work is forgotten", async || w.count(&left).await == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_done_and_whatever_goes_wrong_is_said() {
    each_database(async |store| {
        let w = World::new(store).await;
        let b = between(&w);
        w.start();
        b.ask(&w, "plain").await;
        ended(&w, "plain", CopyState::Done).await;
        assert!(b.there("plain").await);
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'image.copied'").await, 1);

        // Cut off twice, then whole.
        for at in ["blob", "tag"] {
            b.transfer.faults().fail_next(at, When::Before, Fault::Transient);
        }
        b.ask(&w, "bumpy").await;
        ended(&w, "bumpy", CopyState::Done).await;
        assert!(b.there("bumpy").await && b.transfer.faults().left() == 0);

        b.target.set_full(true);
        b.from.repository.clone_into(&mut String::new());
        b.transfer.faults().fail_next("copy", When::Before, Fault::Refused);
        b.ask(&w, "refused").await;
        ended(&w, "refused", CopyState::Failed).await;
        assert!(!b.there("refused").await);
        assert_ne!(w.word("SELECT why FROM image_copy WHERE id = 'refused'").await, "");
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'image.copy-failed'").await, 1);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_stopped_ends_and_one_that_was_cut_off_goes_on() {
    each_database(async |store| {
        let w = World::new(store).await;
        let b = between(&w);
        w.start();
        // Hangs in the middle until somebody stops it.
        b.transfer.faults().fail_next("blob", When::Before, Fault::Hang);
        b.ask(&w, "stopped").await;
        until("it runs", async || state(&w, "stopped").await == CopyState::Running).await;
        let mut tx = w.store.begin().await.expect("a transaction");
        assert!(copies::end(&mut tx, "stopped", CopyState::Cancelled, "").await.expect("ended"));
        tx.commit().await.expect("committed");
        ended(&w, "stopped", CopyState::Cancelled).await;
        assert!(!b.there("stopped").await);

        // The process dies in the middle; the next one goes on.
        b.transfer.faults().fail_nth("blob", 2, When::Before, Fault::Hang);
        b.ask(&w, "killed").await;
        until("it runs", async || state(&w, "killed").await == CopyState::Running).await;
        w.kill().await;
        assert!(!b.there("killed").await, "nothing is visible before all of it is there");
        w.start();
        ended(&w, "killed", CopyState::Done).await;
        assert!(b.there("killed").await);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_longer_than_a_lease_is_made_once_and_applications_do_not_wait_for_it() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, crate::world::claims());
        let b = between(&w);
        w.start();
        for id in ["long-1", "long-2", "long-3"] {
            b.transfer.faults().fail_next("blob", When::Before, Fault::Hang);
            b.ask(&w, id).await;
        }
        until("two run", async || w.count("SELECT COUNT(*) FROM image_copy WHERE state = 'running'").await == 2).await;
        // Both workers would be at them for ever; an application goes online all the same.
        w.release(&app, 1, 1).await;
        w.until_online(&app, 1, 1).await;
        // Three leases later they are still the same two runs.
        let lease = "SELECT MAX(lease_until) FROM work WHERE key LIKE 'copy:%'";
        let first = w.count(lease).await;
        until("the lease was prolonged three times", async || w.count(lease).await > first + 3_000).await;
        assert_eq!(w.word("SELECT COALESCE(MAX(outcome), '') FROM work WHERE key LIKE 'copy:%'").await, "");
        assert_eq!(b.transfer.faults().count("copy"), 2, "{:?}", b.transfer.faults().calls());
        w.kill().await;
    })
    .await;
}
