//! How long a copy takes beside `skopeo copy` of the same image. A measurement, no test:
//! `end2end/lab/run cargo test --release -p padis-drivers --test transfer_beside_skopeo -- --ignored --nocapture`
//!
//! Each run has a target of its own, empty, on a disk in memory, so that neither tool finds
//! what the other has left and no disk is measured. One could get it wrong by taking layers
//! that are not compressed: skopeo would compress them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod world;

use padis_domain::ports::{CopyFrom, CopyTo, Registry, Transfer};
use padis_drivers::registry::Transfers;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use world::{Server, Special, config, noise};

/// MiB of each layer: 500 MiB in all.
const LAYERS: [usize; 6] = [200, 100, 100, 50, 30, 20];
const RUNS: usize = 7;

async fn in_memory() -> Server {
    Server::special(tempfile::tempdir().unwrap(), Special { disk: Some(1500), ..Special::default() }).await
}

fn gzip(bytes: &[u8], folder: &std::path::Path) -> Vec<u8> {
    std::fs::write(folder.join("layer"), bytes).unwrap();
    let out = Command::new("gzip").args(["-1", "-c", "layer"]).current_dir(folder).output().unwrap();
    assert!(out.status.success());
    out.stdout
}

async fn ours(source: &Server, target: &Server, digest: &str) -> Duration {
    let both = [("one".to_owned(), Arc::new(source.client())), ("two".to_owned(), Arc::new(target.client()))];
    let transfer = Transfers::new(BTreeMap::from(both));
    let from = CopyFrom { registry: "one".to_owned(), repository: "a".to_owned(), digest: digest.to_owned() };
    let to = CopyTo { registry: "two".to_owned(), repository: "b".to_owned(), tag: "1".to_owned(), instead_of: None };
    let begin = Instant::now();
    transfer.copy(&from, &to, &|_| ()).await.unwrap();
    begin.elapsed()
}

async fn skopeo(source: &Server, target: &Server) -> Duration {
    let name = |s: &Server, image: &str| format!("docker://{}/{image}", s.address);
    let begin = Instant::now();
    let done = tokio::process::Command::new("skopeo")
        .args(["--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"])
        .args([name(source, "a:1"), name(target, "b:1")])
        .status();
    assert!(done.await.unwrap().success());
    begin.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement of a minute"]
async fn a_copy_takes_no_longer_than_by_skopeo() {
    let source = in_memory().await;
    let folder = tempfile::tempdir().unwrap();
    let layers = (1..).zip(LAYERS).map(|(n, mib)| gzip(&noise(n, mib * 1024 * 1024), folder.path())).collect();
    let digest = source.pusher().made("a", "1", &config(&BTreeMap::new()), layers).await;
    let (mut us, mut them) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        for turn in 0..2 {
            let target = in_memory().await;
            // Who is first changes from run to run.
            if (run + turn) % 2 == 0 {
                us.push(ours(&source, &target, &digest).await);
            } else {
                them.push(skopeo(&source, &target).await);
            }
            assert_eq!(target.client().digest("b", "1").await.unwrap().as_ref(), Some(&digest));
            target.child.stop().await;
        }
    }
    us.sort();
    them.sort();
    println!("padis  {us:.2?}\nskopeo {them:.2?}");
    let ratio = us[RUNS / 2].as_secs_f64() / them[RUNS / 2].as_secs_f64();
    println!("medians: padis {:.2?}, skopeo {:.2?}, ratio {ratio:.2}", us[RUNS / 2], them[RUNS / 2]);
    assert!(ratio <= 1.1, "{ratio}");
}
