//! What comes between the steps, and a collection that is cut off.

use super::{Real, run};
use crate::world::{LAYER, MANIFEST, Special, config, noise, sha256};
use padis_domain::ports::{CollectPhase, CollectProgress, Collector, PortError, Registry};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// An image whose layers are in the registry, and its manifest, which is not put.
async fn layers(real: &Real, repository: &str, seed: u64) -> (Value, String) {
    let pusher = real.server.pusher();
    let (config, layer) = (config(&BTreeMap::new()).to_string().into_bytes(), noise(seed, 50_000));
    let named = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "size": bytes.len(), "digest": sha256(bytes)});
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": named(crate::world::CONFIG, &config),
        "layers": [named(LAYER, &layer)]});
    pusher.blob(repository, config).await;
    let digest = pusher.blob(repository, layer).await;
    (manifest, digest[7..].to_owned())
}

/// Calls something once, when a phase begins.
fn when(phase: CollectPhase, once: impl Fn() + Send + Sync + 'static) -> Arc<dyn Fn(CollectProgress) + Send + Sync> {
    let done = AtomicBool::new(false);
    Arc::new(move |at| {
        if at.phase == phase && !done.swap(true, Ordering::Relaxed) {
            once();
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_comes_in_between_finds_its_layers() {
    let real = Arc::new(Real::start().await);
    real.push(&real.archive(2), "shop/web:1");
    // Put after everything was read and before anything is aside: it is seen, and put back.
    let (manifest, layer) = layers(&real, "race/a", 5).await;
    let (of, at) = (Arc::clone(&real), Handle::current());
    let tell = when(CollectPhase::Aside, move || {
        at.block_on(of.server.pusher().manifest("race/a", "1", MANIFEST, &manifest));
    });
    let done = real.collector(Duration::ZERO, Duration::ZERO).collect(tell).await.unwrap();
    assert_eq!((done.removed, done.named), (0, 2), "{done:?}");
    assert!(real.blobs().contains(&layer));
    real.pull("race/a:1", "a").unwrap();

    // Put when they are aside: the registry says that it does not have them, so they are sent again.
    let (manifest, layer) = layers(&real, "race/b", 6).await;
    let (of, at) = (Arc::clone(&real), Handle::current());
    let tell = when(CollectPhase::Check, move || {
        at.block_on(async {
            let pusher = of.server.pusher();
            let refused =
                pusher.try_send("PUT", "/v2/race/b/manifests/1", MANIFEST, manifest.to_string().into_bytes()).await;
            assert_eq!(refused.status().as_u16(), 400, "a manifest without its layers was taken");
            layers(&of, "race/b", 6).await;
            pusher.manifest("race/b", "1", MANIFEST, &manifest).await;
        });
    });
    let done = real.collector(Duration::ZERO, Duration::ZERO).collect(tell).await.unwrap();
    assert_eq!(done.removed, 0, "{done:?}");
    assert!(real.blobs().contains(&layer));
    real.pull("race/b:1", "b").unwrap();

    // Sent again after it was looked for once more, right before they are deleted.
    let (manifest, layer) = layers(&real, "race/c", 7).await;
    let (of, at) = (Arc::clone(&real), Handle::current());
    let tell = when(CollectPhase::Delete, move || {
        at.block_on(async {
            layers(&of, "race/c", 7).await;
            of.server.pusher().manifest("race/c", "1", MANIFEST, &manifest).await;
        });
    });
    // Something else goes first, so that there is a moment before.
    let digest = real.server.pusher().image("race/c", "gone", &BTreeMap::new()).await;
    real.server.client().delete("race/c", &digest).await.unwrap();
    let done = real.collector(Duration::ZERO, Duration::ZERO).collect(tell).await.unwrap();
    assert!(done.removed >= 2, "{done:?}");
    assert!(real.blobs().contains(&layer));
    real.pull("race/c:1", "c").unwrap();
    assert_eq!(real.eligible(), 0);
    real.server.child.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_cut_off_leaves_nothing_half_done() {
    let real = Arc::new(Real::start().await);
    real.push(&real.archive(2), "shop/web:1");
    let (manifest, layer) = layers(&real, "cut/a", 5).await;
    layers(&real, "cut/a", 6).await;
    assert_eq!(real.eligible(), 3);
    // Dropped while all is aside: as of a process that is killed, nobody puts it back.
    let collector = Arc::new(real.collector(Duration::ZERO, Duration::from_secs(600)));
    let cut = tokio::spawn({
        let collector = Arc::clone(&collector);
        async move { collector.collect(Arc::new(|_| {})).await }
    });
    let began = Instant::now();
    while real.blobs().len() > 4 {
        assert!(began.elapsed() < crate::world::DEADLINE, "nothing was put aside");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(real.eligible(), 0, "the registry does not look there");
    // Nobody else is let in meanwhile.
    let busy = real.tried().await.unwrap_err();
    assert!(matches!(busy, PortError::Transient { .. }) && busy.chain().contains("another collection"), "{busy:?}");
    cut.abort();
    assert!(cut.await.unwrap_err().is_cancelled());
    assert!(!real.blobs().contains(&layer));
    // Stopped by somebody: put back, and a manifest finds its layers.
    assert_eq!(real.collector(Duration::ZERO, Duration::ZERO).put_back().await.unwrap(), 3);
    assert_eq!(real.eligible(), 3);
    real.server.pusher().manifest("cut/a", "1", MANIFEST, &manifest).await;
    real.pull("cut/a:1", "a").unwrap();

    // Cut off again, and gone on with: what was aside and is named by now is back.
    let cut = tokio::spawn(async move { collector.collect(Arc::new(|_| {})).await });
    let began = Instant::now();
    while real.blobs().len() > 7 {
        assert!(began.elapsed() < crate::world::DEADLINE, "nothing was put aside");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    cut.abort();
    assert!(cut.await.unwrap_err().is_cancelled());
    let done = real.collect().await;
    assert_eq!(done.removed, 1, "{done:?}");
    real.pull("cut/a:1", "a").unwrap();
    assert_eq!(real.eligible(), 0);
    let aside = run("find", &[&real.data().join("padis-collect").display().to_string(), "-type", "f"]).unwrap();
    assert_eq!(aside.lines().count(), 1, "the lock alone: {aside}");

    // Stopped in the middle of moving: it puts back by itself.
    let digest = real.server.pusher().image("cut/b", "1", &BTreeMap::new()).await;
    real.server.client().delete("cut/b", &digest).await.unwrap();
    let eligible = real.eligible();
    let (reached, hold) = (Arc::new(tokio::sync::Notify::new()), Arc::new(AtomicBool::new(true)));
    let (at, held) = (Arc::clone(&reached), Arc::clone(&hold));
    let tell: Arc<dyn Fn(CollectProgress) + Send + Sync> = Arc::new(move |now| {
        if now.phase == CollectPhase::Aside && now.layers.0 == 1 {
            at.notify_one();
            while held.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
        }
    });
    let collector = real.collector(Duration::ZERO, Duration::ZERO);
    let cut = tokio::spawn(async move { collector.collect(tell).await });
    reached.notified().await;
    cut.abort();
    assert!(cut.await.unwrap_err().is_cancelled());
    hold.store(false, Ordering::Relaxed);
    let began = Instant::now();
    while real.eligible() != eligible {
        assert!(began.elapsed() < crate::world::DEADLINE, "it was not put back");
    }
    real.server.child.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_registry_remembers_is_kept_and_said() {
    let real = Real::special(Special { cache: true, ..Special::default() }).await;
    real.push(&real.archive(2), "shop/web:1");
    let pusher = real.server.pusher();
    let (manifest, layer) = layers(&real, "cached", 5).await;
    let digest = pusher.manifest("cached", "1", MANIFEST, &manifest).await;
    real.server.client().delete("cached", &digest).await.unwrap();
    let done = real.collect().await;
    assert!(done.remembered >= 1, "{done:?}");
    assert!(real.blobs().contains(&layer), "it would take a manifest that names it");
    assert!(real.blobs().contains(&digest[7..].to_owned()), "it would not write it again");
    // It does take one, and the image is whole.
    pusher.manifest("cached", "2", MANIFEST, &manifest).await;
    real.pull("cached:2", "cached").unwrap();
    real.pull("shop/web:1", "whole").unwrap();
    real.server.child.stop().await;
}
