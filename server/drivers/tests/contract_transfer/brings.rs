//! Blobs and manifests that are brought by whoever has them: the same contract for the fake
//! and for a real registry, also when its connection breaks.

use super::proxy::{self, Does, Plan, Way};
use super::{Fake, Real, World, refused};
use crate::world::{LAYER, MANIFEST, Server, noise, sha256};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use padis_domain::ports::{
    BlobSource, CopiedHow, CopyBlob, CopyTo, ManifestBytes, PortError, PortResult, Registry, Transfer,
};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Bytes that are here; it notes from where they were read.
struct Here(Vec<u8>, Mutex<Vec<u64>>);

impl Here {
    fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self(bytes, Mutex::default()))
    }
}

impl BlobSource for Here {
    fn read(&self, at: u64) -> BoxStream<'static, PortResult<Vec<u8>>> {
        self.1.lock().unwrap().push(at);
        let rest = self.0[usize::try_from(at).unwrap()..].to_vec();
        let pieces: Vec<PortResult<Vec<u8>>> = rest.chunks(100_000).map(|c| Ok(c.to_vec())).collect();
        stream::iter(pieces).boxed()
    }
}

fn to(tag: &str) -> CopyTo {
    CopyTo { registry: "two".into(), repository: "brought/a".into(), tag: tag.into(), instead_of: None }
}

fn named(bytes: &[u8]) -> CopyBlob {
    CopyBlob { digest: sha256(bytes), bytes: bytes.len() as u64 }
}

async fn put(transfer: &dyn Transfer, bytes: &[u8], blob: &CopyBlob) -> (PortResult<CopiedHow>, u64) {
    let told = AtomicU64::new(0);
    let tell = |at| told.store(at, Ordering::Relaxed);
    let done = transfer.put_blob(&to("1"), blob, Here::new(bytes.to_vec()), &tell).await;
    (done, told.into_inner())
}

fn manifest(config: &[u8], layers: &[&[u8]]) -> ManifestBytes {
    let d = |b: &[u8], kind: &str| json!({"mediaType": kind, "digest": sha256(b), "size": b.len()});
    let layers: Vec<_> = layers.iter().map(|l| d(l, LAYER)).collect();
    let bytes = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers,
        "config": d(config, crate::world::CONFIG)})
    .to_string()
    .into_bytes();
    ManifestBytes { digest: sha256(&bytes), media_type: MANIFEST.to_owned(), bytes, blobs: Vec::new() }
}

async fn contract(world: &dyn World) {
    let (transfer, two) = (world.transfer(), world.registry("two"));
    let (small, large) = (noise(1, 2000), noise(2, 3_000_000));
    let config = json!({"architecture": "arm64", "os": "linux", "config": {"Labels": {"a": "b"}},
        "rootfs": {"type": "layers", "diff_ids": []}})
    .to_string()
    .into_bytes();
    let image = manifest(&config, &[&small, &large]);
    // Nothing that names what is not there.
    assert!(transfer.put_manifest(&to("1"), &image, true).await.is_err());
    for bytes in [&config, &small, &large] {
        assert_eq!(put(transfer, bytes, &named(bytes)).await.0.unwrap(), CopiedHow::Streamed);
        assert_eq!(put(transfer, bytes, &named(bytes)).await.0.unwrap(), CopiedHow::There);
    }
    // Other bytes than the digest says: neither kept nor asked for again.
    for other in [noise(3, 2000), noise(3, 3_000_000)] {
        let blob = CopyBlob { digest: sha256(b"else"), bytes: other.len() as u64 };
        let error = put(transfer, &other, &blob).await.0.unwrap_err();
        assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
        assert!(error.chain().contains("are not those of"), "{}", error.chain());
    }
    // By its digest alone no tag shows; then one does.
    transfer.put_manifest(&to("1"), &image, false).await.unwrap();
    assert!(two.has("brought/a", &image.digest).await.unwrap());
    assert_eq!(two.tags("brought/a").await.unwrap(), [""; 0]);
    transfer.put_manifest(&to("1"), &image, true).await.unwrap();
    assert_eq!(two.digest("brought/a", "1").await.unwrap().as_ref(), Some(&image.digest));
    let told = two.image("brought/a", &image.digest).await.unwrap().unwrap();
    assert_eq!((told.platforms, told.bytes), (vec!["linux/arm64".to_owned()], 3_002_000));
    // The same again is fine, another one under the tag is not.
    transfer.put_manifest(&to("1"), &image, true).await.unwrap();
    let other = manifest(&config, &[&small]);
    refused(transfer.put_manifest(&to("1"), &other, true).await, "another image");
    assert_eq!(two.digest("brought/a", "1").await.unwrap().as_ref(), Some(&image.digest));

    // An index: its images first, by their digests.
    transfer.put_manifest(&to("1"), &other, false).await.unwrap();
    let entry = |m: &ManifestBytes, arch: &str| {
        json!({"mediaType": MANIFEST, "digest": m.digest, "size": m.bytes.len(),
        "platform": {"os": "linux", "architecture": arch}})
    };
    let bytes = json!({"schemaVersion": 2, "mediaType": crate::world::INDEX,
        "manifests": [entry(&image, "arm64"), entry(&other, "amd64")]})
    .to_string()
    .into_bytes();
    let index =
        ManifestBytes { digest: sha256(&bytes), media_type: crate::world::INDEX.to_owned(), bytes, blobs: Vec::new() };
    transfer.put_manifest(&to("all"), &index, true).await.unwrap();

    // And what they consist of is told byte by byte, the one that was asked for last.
    let all = two.manifests("brought/a", &index.digest).await.unwrap();
    let digests: Vec<&str> = all.iter().map(|m| m.digest.as_str()).collect();
    assert_eq!((digests.len(), digests[2]), (3, index.digest.as_str()));
    assert!(digests.contains(&image.digest.as_str()) && digests.contains(&other.digest.as_str()));
    let one = two.manifests("brought/a", &image.digest).await.unwrap().pop().unwrap();
    assert_eq!((&one.bytes, &one.media_type), (&image.bytes, &image.media_type));
    assert_eq!(one.blobs, [named(&config), named(&small), named(&large)]);
    let error = two.manifests("brought/a", &sha256(b"never")).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    let there = CopyTo { registry: "three".into(), ..to("1") };
    let error = transfer.put_manifest(&there, &image, true).await;
    refused(error, "no registry with the name");
}

#[tokio::test]
async fn the_fake_keeps_the_contract_of_what_is_brought() {
    contract(&Fake::new()).await;
}

#[tokio::test]
async fn docker_registry_keeps_the_contract_of_what_is_brought() {
    contract(&Real::start().await).await;
}

#[tokio::test]
async fn an_upload_that_breaks_goes_on_from_what_is_here() {
    let (one, two) = tokio::join!(Server::start(), Server::start());
    let (source, target) = (one.address, two.address);
    let cut = Plan { does: Does::Cut, way: Way::Up, after: 2_000_000, times: 2, no_ranges: false };
    let between = proxy::before(target, cut).await;
    let real = Real::by_way_of(one, source, two, between.address);
    let bytes = noise(7, 5_000_000);
    let here = Here::new(bytes.clone());
    let told = AtomicU64::new(0);
    let tell = |at| told.store(at, Ordering::Relaxed);
    let how = real.transfer.put_blob(&to("1"), &named(&bytes), here.clone(), &tell).await.unwrap();
    assert_eq!((how, between.left.load(Ordering::Relaxed)), (CopiedHow::Streamed, 0));
    assert!(here.1.lock().unwrap().len() >= 3, "it was read again");
    // And is there, whole.
    assert_eq!(put(&real.transfer, &bytes, &named(&bytes)).await.0.unwrap(), CopiedHow::There);
    let blob = named(&bytes);
    let mut pieces = real.second.blob("brought/a", &blob);
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        all.extend(piece.unwrap());
    }
    assert!(all == bytes);
}
