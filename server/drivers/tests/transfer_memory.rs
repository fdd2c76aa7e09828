//! A copy's memory does not grow with the size of what is copied. A test program of its own:
//! the memory of its process is what is measured, and nothing else may run in it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod world;

use padis_domain::ports::{CopyFrom, CopyTo, Transfer};
use padis_drivers::registry::{RegistryClient, Transfers};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use world::{CONFIG, LAYER, MANIFEST, Server, noise};

const MIB: usize = 1024 * 1024;
/// MiB of the blob.
const BLOB: usize = 300;

/// This process's resident set (`VmRSS`) or the largest that it was so far (`VmHWM`), in KiB.
fn memory(which: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(which)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Pushes the blob by curl, piece by piece: it never is in this process as a whole.
async fn push(server: &Server) -> String {
    let piece = noise(1, MIB);
    let mut hasher = Sha256::new();
    for n in 0..BLOB {
        hasher.update(n.to_le_bytes());
        hasher.update(&piece[8..]);
    }
    let digest = format!("sha256:{}", hasher.finalize().iter().map(|b| format!("{b:02x}")).collect::<String>());
    let pusher = server.pusher();
    let begun = pusher.send("POST", "/v2/a/blobs/uploads/", "text/plain", vec![]).await;
    let url = format!("{}&digest={digest}", begun.headers()["location"].to_str().unwrap());
    let mut curl = Command::new("curl")
        .args(["-sf", "-X", "PUT", "-H", "Content-Type: application/octet-stream", "-H", "Expect:", "-T", "-", &url])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut into = curl.stdin.take().unwrap();
    for n in 0..BLOB {
        into.write_all(&n.to_le_bytes()).unwrap();
        into.write_all(&piece[8..]).unwrap();
    }
    drop(into);
    assert!(curl.wait().unwrap().success());
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": 2, "digest": pusher.blob("a", b"{}".to_vec()).await},
        "layers": [{"mediaType": LAYER, "size": BLOB * MIB, "digest": digest}]});
    pusher.manifest("a", "1", MANIFEST, &manifest).await
}

fn transfer(one: RegistryClient, two: RegistryClient) -> Transfers {
    Transfers::new(BTreeMap::from([("one".to_owned(), Arc::new(one)), ("two".to_owned(), Arc::new(two))]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_mebibytes_pass_through_a_few() {
    let (one, two) = tokio::join!(Server::start(), Server::start());
    let digest = push(&one).await;
    let transfer = transfer(one.client(), two.client());
    let from = CopyFrom { registry: "one".to_owned(), repository: "a".to_owned(), digest };
    let to = CopyTo { registry: "two".to_owned(), repository: "a".to_owned(), tag: "1".to_owned(), instead_of: None };
    let before = memory("VmRSS:");
    transfer.copy(&from, &to, &|_| ()).await.unwrap();
    let grown = (memory("VmHWM:") - before) / 1024;
    println!("{grown} MiB more at its peak");
    assert!(grown < 32, "{grown} MiB more at its peak");
}
