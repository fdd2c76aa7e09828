//! The contract of the Transfer port, run against the fake and between Debian's
//! `docker-registry` children; what breaks on the way (`breaks`), what must not come over
//! (`refusals`), and skopeo as a witness that nobody here wrote (`witness`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod breaks;
mod brings;
#[path = "../registry/proxy.rs"]
mod proxy;
mod refusals;
mod witness;
#[path = "../registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod world;

use async_trait::async_trait;
use padis_domain::ports::{
    CopiedHow, CopyBlob, CopyFrom, CopyStep, CopyTo, Image, ImageStep, PortError, PortResult, Registry, Transfer,
};
use padis_drivers::fake::{FakeRegistry, FakeTransfer};
use padis_drivers::registry::{RegistryClient, RegistryConfig, Transfers};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use world::{MANIFEST, Server, config, noise, sha256};

/// A copy's two ends; `from` and `to` are `registry/repository`.
fn ends(from: &str, digest: &str, to: &str, tag: &str) -> (CopyFrom, CopyTo) {
    let split = |name: &str| {
        let (registry, repository) = name.split_once('/').unwrap();
        (registry.to_owned(), repository.to_owned())
    };
    let ((from, from_repository), (to, to_repository)) = (split(from), split(to));
    (
        CopyFrom { registry: from, repository: from_repository, digest: digest.to_owned() },
        CopyTo { registry: to, repository: to_repository, tag: tag.to_owned(), instead_of: None },
    )
}

/// What a copy told.
#[derive(Default)]
struct Told(Mutex<Vec<CopyStep>>);

impl Told {
    fn blobs(&self) -> Vec<CopyBlob> {
        let steps = self.0.lock().unwrap();
        match steps.first() {
            Some(CopyStep::Blobs(blobs)) => blobs.clone(),
            other => panic!("told first: {other:?}"),
        }
    }
    fn how(&self) -> Vec<CopiedHow> {
        let steps = self.0.lock().unwrap();
        steps.iter().filter_map(|s| if let CopyStep::Blob { how, .. } = s { Some(*how) } else { None }).collect()
    }
    /// How often each way, in the order there, mounted, streamed.
    fn counts(&self) -> [usize; 3] {
        let how = self.how();
        [CopiedHow::There, CopiedHow::Mounted, CopiedHow::Streamed].map(|h| how.iter().filter(|x| **x == h).count())
    }
}

/// Copies and tells what was told.
async fn copy(transfer: &dyn Transfer, (from, to): &(CopyFrom, CopyTo)) -> (PortResult<()>, Told) {
    let told = Told::default();
    let done = transfer.copy(from, to, &|step| told.0.lock().unwrap().push(step)).await;
    (done, told)
}

fn refused(outcome: PortResult<()>, words: &str) {
    let error = outcome.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    assert!(error.chain().contains(words), "{}", error.chain());
}

/// Registries `one` and `two`.
#[async_trait]
trait World: Sync {
    fn transfer(&self) -> &dyn Transfer;
    fn registry(&self, name: &str) -> &dyn Registry;
    /// Pushes an image of these layers to `one`; its digest.
    async fn push(&self, repository: &str, tag: &str, layers: &[Vec<u8>]) -> String;
    /// Loses a layer of `one`.
    async fn lose(&self, repository: &str, layer: &str);
}

struct Fake {
    one: Arc<FakeRegistry>,
    two: Arc<FakeRegistry>,
    transfer: FakeTransfer,
}

impl Fake {
    fn new() -> Self {
        let (one, two) = (Arc::new(FakeRegistry::new()), Arc::new(FakeRegistry::new()));
        let both = [("one".to_owned(), Arc::clone(&one)), ("two".to_owned(), Arc::clone(&two))];
        Self { one, two, transfer: FakeTransfer::new(BTreeMap::from(both)) }
    }
}

#[async_trait]
impl World for Fake {
    fn transfer(&self) -> &dyn Transfer {
        &self.transfer
    }
    fn registry(&self, name: &str) -> &dyn Registry {
        if name == "one" { &*self.one } else { &*self.two }
    }
    async fn push(&self, repository: &str, tag: &str, layers: &[Vec<u8>]) -> String {
        let digest = sha256(&layers.concat());
        let step = |l: &Vec<u8>| ImageStep { layer: Some((sha256(l), l.len() as u64)), ..ImageStep::default() };
        let image = Image {
            digest: digest.clone(),
            media_type: MANIFEST.to_owned(),
            bytes: layers.iter().map(|l| l.len() as u64).sum(),
            steps: layers.iter().map(step).collect(),
            ..Image::default()
        };
        self.one.put_image(repository, tag, image);
        digest
    }
    async fn lose(&self, _repository: &str, layer: &str) {
        self.one.lose_blob(layer);
    }
}

/// Two registries and copies between them; `one` may be reached by way of somebody else.
struct Real {
    one: Server,
    two: Server,
    first: Arc<RegistryClient>,
    second: Arc<RegistryClient>,
    transfer: Transfers,
}

impl Real {
    async fn start() -> Self {
        let (one, two) = tokio::join!(Server::start(), Server::start());
        let (a, b) = (one.address, two.address);
        Self::by_way_of(one, a, two, b)
    }
    fn by_way_of(one: Server, first: SocketAddr, two: Server, second: SocketAddr) -> Self {
        let client = |a: SocketAddr| Arc::new(RegistryClient::new(&RegistryConfig::at(&a.to_string())).unwrap());
        let (first, second) = (client(first), client(second));
        let both = [("one".to_owned(), Arc::clone(&first)), ("two".to_owned(), Arc::clone(&second))];
        Self { one, two, first, second, transfer: Transfers::new(BTreeMap::from(both)) }
    }
    /// Nothing of a repository is visible at `two`.
    async fn nothing_at_two(&self, repository: &str, digest: &str) {
        let client = self.two.client();
        assert_eq!(client.tags(repository).await.unwrap(), [""; 0]);
        assert!(!client.has(repository, digest).await.unwrap());
    }
}

#[async_trait]
impl World for Real {
    fn transfer(&self) -> &dyn Transfer {
        &self.transfer
    }
    fn registry(&self, name: &str) -> &dyn Registry {
        if name == "one" { &*self.first } else { &*self.second }
    }
    async fn push(&self, repository: &str, tag: &str, layers: &[Vec<u8>]) -> String {
        self.one.pusher().made(repository, tag, &config(&BTreeMap::new()), layers.to_vec()).await
    }
    async fn lose(&self, repository: &str, layer: &str) {
        let path = format!("/v2/{repository}/blobs/{layer}");
        self.one.pusher().send("DELETE", &path, "text/plain", vec![]).await;
    }
}

async fn contract(world: &dyn World) {
    let (one, two) = (world.registry("one"), world.registry("two"));
    let (small, large) = (noise(1, 2000), noise(2, 3_000_000));
    // The same layer twice: a blob is told and brought once.
    let digest = world.push("a/b", "1", &[small.clone(), large.clone(), small.clone()]).await;
    let there = ends("one/a/b", &digest, "two/c/d", "1");
    let (done, told) = copy(world.transfer(), &there).await;
    done.unwrap();
    let mut sizes: Vec<u64> = told.blobs().iter().map(|b| b.bytes).collect();
    sizes.sort_unstable();
    assert_eq!((sizes.len(), &sizes[1..]), (3, &[2000, 3_000_000][..]), "a configuration and two layers");
    assert_eq!(told.counts(), [0, 0, 3]);
    assert_eq!(two.digest("c/d", "1").await.unwrap(), Some(digest.clone()));
    assert_eq!(two.image("c/d", &digest).await.unwrap(), one.image("a/b", &digest).await.unwrap());
    // Again: nothing is sent.
    let (done, told) = copy(world.transfer(), &there).await;
    done.unwrap();
    assert_eq!(told.counts(), [3, 0, 0]);
    // Within one registry nothing is sent either.
    let (done, told) = copy(world.transfer(), &ends("two/c/d", &digest, "two/e", "x")).await;
    done.unwrap();
    assert_eq!(told.counts(), [0, 3, 0]);
    let (done, told) = copy(world.transfer(), &ends("two/e", &digest, "two/e", "y")).await;
    done.unwrap();
    assert_eq!((told.counts(), two.tags("e").await.unwrap()), ([3, 0, 0], vec!["x".to_owned(), "y".to_owned()]));

    // A tag that names something else is left alone, unless it names what is to be replaced.
    let newer = world.push("a/b", "2", &[noise(3, 2000)]).await;
    let (from, mut to) = ends("one/a/b", &newer, "two/c/d", "1");
    let (done, told) = copy(world.transfer(), &(from.clone(), to.clone())).await;
    refused(done, "somebody has moved it");
    assert_eq!((told.how(), two.digest("c/d", "1").await.unwrap()), (vec![], Some(digest.clone())));
    to.instead_of = Some(newer.clone());
    refused(copy(world.transfer(), &(from.clone(), to.clone())).await.0, "somebody has moved it");
    to.instead_of = Some(digest.clone());
    copy(world.transfer(), &(from.clone(), to.clone())).await.0.unwrap();
    assert_eq!(two.digest("c/d", "1").await.unwrap(), Some(newer.clone()));
    // What is copied is allowed, whatever was to be replaced.
    copy(world.transfer(), &(from, to)).await.0.unwrap();

    refused(copy(world.transfer(), &ends("three/a/b", &digest, "two/c/d", "1")).await.0, "no registry with the name");
    refused(copy(world.transfer(), &ends("one/a/b", &digest, "three/c/d", "1")).await.0, "no registry with the name");
    let never = sha256(b"never");
    refused(copy(world.transfer(), &ends("one/a/b", &never, "two/n", "1")).await.0, "is not in the source");

    let broken = world.push("gone", "1", &[noise(4, 500_000), noise(5, 600_000)]).await;
    world.lose("gone", &sha256(&noise(5, 600_000))).await;
    refused(copy(world.transfer(), &ends("one/gone", &broken, "two/gone", "1")).await.0, "which is not in the source");
    assert_eq!(two.digest("gone", "1").await.unwrap(), None);
    assert!(!two.has("gone", &broken).await.unwrap());
}

#[tokio::test]
async fn fake_keeps_the_contract() {
    contract(&Fake::new()).await;
}

#[tokio::test]
async fn docker_registry_keeps_the_contract() {
    contract(&Real::start().await).await;
}

#[tokio::test]
async fn the_fake_is_stopped_and_full_as_a_real_one_is() {
    let world = Fake::new();
    let digest = world.push("a", "1", &[noise(1, 10), noise(2, 10)]).await;
    let there = ends("one/a", &digest, "two/a", "1");
    world.transfer.faults().fail_nth("blob", 2, padis_drivers::fake::When::Before, padis_drivers::fake::Fault::Hang);
    let stopped = tokio::time::timeout(std::time::Duration::from_millis(20), copy(&world.transfer, &there)).await;
    assert!(stopped.is_err() && world.two.tags("a").await.unwrap().is_empty());
    assert_eq!(world.two.blobs("a").len(), 1);
    world.two.set_full(true);
    refused(copy(&world.transfer, &there).await.0, "full");
    world.two.set_full(false);
    let (done, told) = copy(&world.transfer, &there).await;
    done.unwrap();
    assert_eq!(told.counts(), [1, 0, 2]);
}

#[tokio::test]
async fn of_an_index_all_platforms_come_over() {
    let real = Real::start().await;
    let pusher = real.one.pusher();
    let base = noise(1, 400_000);
    let mut entries = Vec::new();
    for (n, platform) in [(2, "amd64"), (3, "arm64"), (4, "unknown")] {
        let os = if platform == "unknown" { "unknown" } else { "linux" };
        let config = json!({"architecture": platform, "os": os});
        let digest = pusher.made("multi", platform, &config, vec![base.clone(), noise(n, 300_000)]).await;
        entries.push(json!({"mediaType": MANIFEST, "digest": digest, "size": 1,
            "platform": {"architecture": platform, "os": os}}));
    }
    let inner = json!({"schemaVersion": 2, "mediaType": world::INDEX, "manifests": entries});
    let inner = pusher.manifest("multi", "all", world::INDEX, &inner).await;
    // An index of an index, and an image that both of them name.
    let outer = json!({"schemaVersion": 2, "mediaType": world::INDEX, "manifests":
        [entries[0], {"mediaType": world::INDEX, "digest": inner, "size": 1}]});
    let outer = pusher.manifest("multi", "outer", world::INDEX, &outer).await;
    let (done, told) = copy(&real.transfer, &ends("one/multi", &outer, "two/copy", "1")).await;
    done.unwrap();
    assert_eq!(told.counts(), [0, 0, 7], "three configurations, a common layer and three others");
    for digest in entries.iter().map(|e| e["digest"].as_str().unwrap()).chain([inner.as_str(), outer.as_str()]) {
        let (copied, source) =
            (real.second.image("copy", digest).await.unwrap(), real.first.image("multi", digest).await);
        assert_eq!(copied, source.unwrap());
    }
    assert_eq!(real.second.tags("copy").await.unwrap(), ["1"]);
    let told = real.second.image("copy", &inner).await.unwrap().unwrap();
    assert_eq!(told.platforms, ["linux/amd64", "linux/arm64"]);
}
