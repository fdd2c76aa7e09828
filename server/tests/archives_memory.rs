//! Memory does not grow with the size of an image that comes in and goes out. A test program
//! of its own: the memory of its process is what is measured, and nothing else may run in it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../drivers/tests/registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod world;

use futures::StreamExt;
use padis_domain::ports::{CopyTo, PortResult};
use padis_drivers::registry::{RegistryClient, RegistryConfig, Transfers};
use padis_server::archives::{Export, Spool, bring, open};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use world::{Server, noise, sha256};

const MIB: usize = 1 << 20;
/// MiB of a layer that is packed on the way, and of one that is packed already.
const PLAIN: usize = 1024;
const PACKED: usize = 400;

/// This process's resident set (`VmRSS`) or the largest that it was so far (`VmHWM`), in MiB.
fn memory(which: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(which)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// The MiB `n` of a layer: what is to be packed is packed quickly.
fn piece(layer: usize, n: usize, noise: &[u8]) -> Vec<u8> {
    let mut out = if layer == PLAIN { vec![0; MIB] } else { noise.to_vec() };
    out[..8].copy_from_slice(&(n as u64).to_le_bytes());
    out
}

fn digest(layer: usize, noise: &[u8]) -> String {
    let mut sum = Sha256::new();
    (0..layer).for_each(|n| sum.update(piece(layer, n, noise)));
    format!("sha256:{}", sum.finalize().iter().map(|b| format!("{b:02x}")).collect::<String>())
}

fn header(digest: &str, bytes: usize) -> Vec<u8> {
    let path = if digest.contains(':') { format!("blobs/sha256/{}", &digest[7..]) } else { digest.to_owned() };
    let mut header = tar::Header::new_gnu();
    header.set_path(path).unwrap();
    header.set_size(bytes as u64);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn small(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = header(name, bytes.len());
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gibibyte_comes_in_and_goes_out_through_a_few_mebibytes() {
    let server = Server::start().await;
    let noise = noise(1, MIB);
    let d = |kind: &str, digest: &str, bytes: usize| json!({"mediaType": kind, "digest": digest, "size": bytes});
    let layers = [(PLAIN, digest(PLAIN, &noise)), (PACKED, digest(PACKED, &noise))];
    let config = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let kinds = ["application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip"];
    let named: Vec<Value> = layers.iter().zip(kinds).map(|((mib, at), kind)| d(kind, at, mib * MIB)).collect();
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let config_kind = "application/vnd.oci.image.config.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": kind, "layers": named,
        "config": d(config_kind, &sha256(config), config.len())})
    .to_string();
    let index = json!({"schemaVersion": 2, "manifests": [d(kind, &sha256(manifest.as_bytes()), manifest.len())]});
    let mut first = small("index.json", index.to_string().as_bytes());
    first.extend(small(&sha256(manifest.as_bytes()), manifest.as_bytes()));
    first.extend(small(&sha256(config), config));

    let folder = tempfile::tempdir().unwrap();
    let spool = Spool { folder: folder.path().to_owned(), most_bytes: 4 << 30, keep_free: 0, holder: "here".into() };
    let client = Arc::new(RegistryClient::new(&RegistryConfig::at(&server.address.to_string())).unwrap());
    let transfer = Transfers::new(BTreeMap::from([("own".to_owned(), client.clone())]));
    let before = memory("VmRSS:");

    let of = move |(mib, at): (usize, String)| {
        let noise = noise.clone();
        std::iter::once(header(&at, mib * MIB)).chain((0..mib).map(move |n| piece(mib, n, &noise)))
    };
    let pieces = std::iter::once(first).chain(layers.into_iter().flat_map(of)).chain([vec![0; 1024]]);
    let body = futures::stream::iter(pieces.map(PortResult::Ok)).boxed();
    let spooled = spool.take("one", body).await.unwrap();
    let chosen = open(spooled.path(), "a", "1").unwrap();
    let to = CopyTo { registry: "own".into(), repository: "a".into(), tag: chosen.tag, instead_of: None };
    let plan = Arc::new(chosen.plan);
    let made = bring(&transfer, &to, &plan, (&spool, "one"), &AtomicU64::new(0)).await.unwrap();
    println!("{} MiB more at its peak on the way in", memory("VmHWM:") - before);

    let export = Export::of(client, ("a", "r/a", "1"), &made).await.unwrap();
    let (bytes, mut stream, mut came) = (export.bytes(), export.stream(), 0);
    while let Some(piece) = stream.next().await {
        came += piece.unwrap().len() as u64;
    }
    assert_eq!(came, bytes);
    assert!(came > (PACKED * MIB) as u64);
    let grown = memory("VmHWM:") - before;
    println!("{grown} MiB more at its peak");
    assert!(grown < 32, "{grown} MiB more at its peak");
}
