//! Images that are read as work: done, tried again, refused, cut off.

use crate::support::each_database;
use crate::world::{World, until};
use padis_domain::ports::{Image, ImageStep};
use padis_domain::view::InsideState;
use padis_drivers::fake::{FakeRegistry, FakeTransfer, Fault, When};
use padis_server::images::{Place, Registries};
use padis_server::store::inside;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

/// A tar with Debian's database, in which one package is.
fn layer(package: &str) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    let text = format!("Package: {package}\nStatus: install ok installed\nVersion: 1.0\n");
    let mut header = tar::Header::new_gnu();
    header.set_size(text.len() as u64);
    out.append_data(&mut header, "var/lib/dpkg/status", text.as_bytes()).expect("an entry");
    out.into_inner().expect("a tar")
}

/// A registry of which the world's reconciler knows.
fn shelf(w: &World) -> Arc<FakeRegistry> {
    let own = Arc::new(FakeRegistry::new());
    let place = Place {
        name: "padis".into(),
        place: "padis".into(),
        stage: None,
        takes: true,
        rules: padis_server::images::Rules::default(),
        token: None,
        client: own.clone(),
    };
    let transfer = Arc::new(FakeTransfer::new([("padis".to_owned(), own.clone())].into()));
    w.set_registries(Arc::new(Registries::new(vec![place], transfer, Duration::from_secs(600))));
    own
}

/// Puts an image of this one layer there; its digest.
fn put(own: &FakeRegistry, name: &str, bytes: &[u8]) -> String {
    let layer = (digest(bytes), bytes.len() as u64);
    own.put_bytes(&layer.0, bytes.to_vec());
    let image = Image {
        digest: digest(name.as_bytes()),
        platforms: vec!["linux/amd64".into()],
        steps: vec![ImageStep { layer: Some(layer), ..ImageStep::default() }],
        ..Image::default()
    };
    own.put_image("tools/one", name, image);
    digest(name.as_bytes())
}

async fn ask(w: &World, digest: &str) {
    let mut tx = w.store.begin().await.expect("a transaction");
    inside::ask(&mut tx, digest, "padis", "tools/one").await.expect("asked");
    tx.commit().await.expect("committed");
    w.wake();
}

async fn state(w: &World, digest: &str) -> InsideState {
    inside::find(&w.store, digest).await.expect("read").expect("it is recorded").state
}

async fn names(w: &World, digest: &str) -> Vec<String> {
    let all = inside::all(&w.store, digest).await.expect("read").expect("it was read");
    all.1.into_iter().map(|p| p.name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_read_and_whatever_goes_wrong_is_said() {
    each_database(async |store| {
        let w = World::new(store).await;
        let own = shelf(&w);
        w.start();
        let work = async |digest: &str, parked: u32| {
            let text = format!("SELECT COUNT(*) FROM work WHERE key = '{}' AND parked = {parked}", inside::key(digest));
            w.count(&text).await
        };
        // A registry that does not answer at first.
        own.faults().fail_next("image", When::Before, Fault::Transient);
        own.faults().fail_next("blob", When::Before, Fault::Transient);
        let plain = put(&own, "plain", &layer("bash"));
        ask(&w, &plain).await;
        until("it is read", async || state(&w, &plain).await == InsideState::Read).await;
        until("its work is forgotten", async || work(&plain, 0).await == 0).await;
        assert_eq!((names(&w, &plain).await, own.faults().left()), (vec!["bash".to_owned()], 0));
        assert_eq!(own.faults().count("blob"), 2);

        // What the image is itself to blame for is said and not tried again.
        let damaged = put(&own, "damaged", b"<html>no tar at all, and long enough to be taken for a header</html>");
        ask(&w, &damaged).await;
        until("it has failed", async || state(&w, &damaged).await == InsideState::Failed).await;
        until("its work is forgotten", async || work(&damaged, 0).await == 0).await;
        assert_ne!(w.word(&format!("SELECT why FROM image_inside WHERE digest = '{damaged}'")).await, "");

        // What the registry refuses waits for people, who may ask again when it is mended.
        let lost = put(&own, "lost", &layer("zsh"));
        own.lose_blob(&digest(&layer("zsh")));
        ask(&w, &lost).await;
        until("it has failed", async || state(&w, &lost).await == InsideState::Failed).await;
        until("its work is parked", async || work(&lost, 1).await == 1).await;
        assert_eq!(put(&own, "lost", &layer("zsh")), lost);
        ask(&w, &lost).await;
        until("it is read", async || state(&w, &lost).await == InsideState::Read).await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_was_cut_off_is_made_again_by_the_next_process() {
    each_database(async |store| {
        let w = World::new(store).await;
        let own = shelf(&w);
        w.start();
        own.faults().fail_next("blob", When::Before, Fault::Hang);
        let image = put(&own, "one", &layer("bash"));
        ask(&w, &image).await;
        until("it is being read", async || own.faults().count("blob") == 1).await;
        assert_eq!(state(&w, &image).await, InsideState::Reading);
        w.kill().await;
        assert!(inside::all(&w.store, &image).await.expect("read").is_none(), "nothing shows before all is known");
        w.start();
        until("it is read", async || state(&w, &image).await == InsideState::Read).await;
        assert_eq!(names(&w, &image).await, ["bash"]);
        w.stop().await;
    })
    .await;
}
