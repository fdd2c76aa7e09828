//! What no manifest names is freed on the files of Debian's `docker-registry`, while others
//! pull and push; skopeo and the registry's own `garbage-collect --dry-run` are witnesses that
//! nobody here wrote. What comes in between (`races`), and what stands there that should not
//! (`oddities`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod oddities;
mod races;
#[path = "../registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod world;

use padis_domain::ports::{CollectPhase, CollectProgress, Collected, Collector, PortResult, Registry};
use padis_drivers::registry::{StorageCollector, StorageConfig};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};
use world::{Server, Special, noise};

const HOURS: Duration = Duration::from_secs(2 * 3600);

fn run(program: &str, args: &[&str]) -> Result<String, String> {
    let out = Command::new(program).args(args).output();
    let out = out.unwrap_or_else(|e| panic!("{program} (Debian's package) is needed: {e}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if out.status.success() { Ok(said(&out.stdout)) } else { Err(format!("{program} {args:?}: {}", said(&out.stderr))) }
}

/// A registry whose files are collected.
struct Real {
    server: Server,
    folder: tempfile::TempDir,
}

impl Real {
    async fn start() -> Self {
        Self::special(Special::default()).await
    }
    async fn special(special: Special<'_>) -> Self {
        let server = Server::special(tempfile::tempdir().unwrap(), special).await;
        Self { server, folder: tempfile::tempdir().unwrap() }
    }
    fn data(&self) -> PathBuf {
        self.server.folder.path().join("data")
    }
    fn collector(&self, young: Duration, settle: Duration) -> StorageCollector {
        StorageCollector::new(Arc::new(self.server.client()), StorageConfig { root: self.data(), young, settle })
    }
    async fn collect(&self) -> Collected {
        self.tried().await.unwrap()
    }
    /// Without a window and without waiting.
    async fn tried(&self) -> PortResult<Collected> {
        self.collector(Duration::ZERO, Duration::ZERO).collect(Arc::new(|_| {})).await
    }
    fn at(&self, name: &str) -> String {
        format!("docker://{}/{name}", self.server.address)
    }
    /// An image as `docker save` writes it: a base that all share, and a layer of its own.
    fn archive(&self, seed: u64) -> String {
        let folder = self.folder.path().join(seed.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let sh = |line: &str| {
            let out = Command::new("sh").args(["-ec", line]).current_dir(&folder).output().unwrap();
            assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
            String::from_utf8_lossy(&out.stdout).trim().to_owned()
        };
        for (n, seed) in [1, seed].into_iter().enumerate() {
            std::fs::write(folder.join(format!("file{n}")), noise(seed, 700_000)).unwrap();
            sh(&format!("tar --mtime=@1 --owner=0 --group=0 -cf layer{n}.tar file{n}"));
        }
        let id = |n: u64| format!("sha256:{}", &sh(&format!("sha256sum layer{n}.tar"))[..64]);
        let config = json!({"architecture": "amd64", "os": "linux", "config": {"Cmd": [seed.to_string()]},
            "rootfs": {"type": "layers", "diff_ids": [id(0), id(1)]}});
        std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
        let manifest = r#"[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer0.tar","layer1.tar"]}]"#;
        std::fs::write(folder.join("manifest.json"), manifest).unwrap();
        sh("tar -cf image.tar manifest.json config.json layer0.tar layer1.tar");
        format!("docker-archive:{}", folder.join("image.tar").display())
    }
    fn push(&self, archive: &str, name: &str) {
        let to = self.at(name);
        run("skopeo", &["--insecure-policy", "copy", "-q", "--dest-tls-verify=false", archive, &to]).unwrap();
    }
    /// Pulls all of it; every digest is compared by skopeo.
    fn pull(&self, name: &str, into: &str) -> Result<(), String> {
        let to = self.folder.path().join(into);
        let _none = std::fs::remove_dir_all(&to);
        let to = format!("dir:{}", to.display());
        run("skopeo", &["--insecure-policy", "copy", "-q", "--src-tls-verify=false", &self.at(name), &to]).map(|_| ())
    }
    /// Bytes of files below the registry's folder.
    fn bytes(&self) -> u64 {
        let said = run("du", &["-sb", &self.data().display().to_string()]).unwrap();
        said.split_whitespace().next().unwrap().parse().unwrap()
    }
    /// Files with a layer's bytes.
    fn blobs(&self) -> Vec<String> {
        let said = run("find", &[&self.data().display().to_string(), "-path", "*/blobs/*/data"]).unwrap();
        said.lines().map(|l| l.rsplit('/').nth(1).unwrap().to_owned()).collect()
    }
    /// What the registry's own collection would delete.
    fn eligible(&self) -> u64 {
        let config = self.server.folder.path().join("config.yml").display().to_string();
        let said = run("docker-registry", &["garbage-collect", "--dry-run", &config]).unwrap();
        let line = said.lines().find(|l| l.contains("eligible for deletion")).unwrap_or_else(|| panic!("{said}"));
        line.split(',').nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap()
    }
    /// Everything that is there is three hours old.
    fn age(&self) {
        age(&self.data());
    }
}

fn age(folder: &Path) {
    let old = SystemTime::now() - Duration::from_secs(3 * 3600);
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => age(&entry.path()),
            _ => std::fs::File::open(entry.path()).unwrap().set_modified(old).unwrap(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_deleted_image_had_alone_goes_and_what_others_have_stays() {
    let real = Real::start().await;
    real.push(&real.archive(2), "shop/web:1");
    let alone = real.bytes();
    real.push(&real.archive(3), "shop/web:2");
    real.push(&real.archive(3), "elsewhere:2");
    let client = real.server.client();
    let digest = client.digest("shop/web", "2").await.unwrap().unwrap();
    client.delete("shop/web", &digest).await.unwrap();
    // It is still there under another name.
    let done = real.collect().await;
    assert_eq!((done.removed, done.freed, done.layers, done.manifests), (0, 0, 7, 2), "{done:?}");
    client.delete("elsewhere", &digest).await.unwrap();
    let (before, eligible) = (real.bytes(), real.eligible());
    assert_eq!(eligible, 3, "its manifest, its configuration and its own layer");
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let tell = Arc::new(move |at: CollectProgress| hears.lock().unwrap().push(at));
    let done = real.collector(Duration::ZERO, Duration::ZERO).collect(tell).await.unwrap();
    assert_eq!((done.removed, done.layers, done.manifests), (3, 7, 1), "{done:?}");
    assert!((700_000..720_000).contains(&done.freed), "{done:?}");
    assert_eq!(done.young + done.named + done.remembered + done.unclear + done.foreign, 0, "{done:?}");
    // The links of what is gone went, too; of tags and manifests the names stay.
    assert!(before - real.bytes() >= done.freed, "{before} - {} bytes", real.bytes());
    assert!(real.bytes() - alone < 100_000, "{} more than with one image", real.bytes() - alone);
    let links = run("find", &[&real.data().display().to_string(), "-path", "*_layers*", "-name", "link"]).unwrap();
    assert_eq!(links.lines().count(), 3 + 1, "{links}");
    assert_eq!(real.eligible(), 0);
    real.pull("shop/web:1", "whole").unwrap();
    let phases: Vec<CollectPhase> = told.lock().unwrap().iter().map(|at| at.phase).collect();
    let mut each = phases.clone();
    each.dedup();
    assert_eq!(each, CollectPhase::ALL);
    let last = *told.lock().unwrap().last().unwrap();
    assert_eq!((last.manifests, last.layers, last.freed), ((1, 1), (3, 3), done.freed));
    // What is pushed again is whole again, and there is nothing more to do.
    real.push(&real.archive(3), "shop/web:2");
    real.pull("shop/web:2", "again").unwrap();
    assert_eq!(real.collect().await.removed, 0);
    real.server.child.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn others_pull_and_push_meanwhile_and_nobody_fails() {
    let real = Arc::new(Real::start().await);
    real.push(&real.archive(2), "shop/web:1");
    // Many that are deleted, so that there is a while.
    let pusher = real.server.pusher();
    let client = real.server.client();
    for n in 0..150 {
        let digest = pusher.image("old/one", &n.to_string(), &BTreeMap::new()).await;
        client.delete("old/one", &digest).await.unwrap();
    }
    real.age();
    let archives: Vec<String> = (10..40).map(|n| real.archive(n)).collect();
    let (stop, pulls, pushes) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let puller = {
        let (real, stop, pulls) = (Arc::clone(&real), Arc::clone(&stop), Arc::clone(&pulls));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                real.pull("shop/web:1", "loop").unwrap();
                pulls.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let pushing = {
        let (real, stop, pushes) = (Arc::clone(&real), Arc::clone(&stop), Arc::clone(&pushes));
        std::thread::spawn(move || {
            for (n, archive) in archives.iter().enumerate() {
                real.push(archive, &format!("fresh/web:{n}"));
                pushes.fetch_add(1, Ordering::Relaxed);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        })
    };
    let before = Instant::now();
    while pulls.load(Ordering::Relaxed) == 0 || pushes.load(Ordering::Relaxed) == 0 {
        assert!(before.elapsed() < world::DEADLINE, "nobody pulls or pushes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (pulled, pushed) = (pulls.load(Ordering::Relaxed), pushes.load(Ordering::Relaxed));
    // While all is aside others pull and push three times more before it goes on.
    let (seen, held) = ([Arc::clone(&pulls), Arc::clone(&pushes)], AtomicBool::new(false));
    let tell = move |at: CollectProgress| {
        if at.phase == CollectPhase::Check && !held.swap(true, Ordering::Relaxed) {
            let (from, began) = (seen.clone().map(|n| n.load(Ordering::Relaxed)), Instant::now());
            while seen.iter().zip(from).any(|(n, from)| n.load(Ordering::Relaxed) < from + 3) {
                assert!(began.elapsed() < Duration::from_secs(60), "nobody pulls or pushes any more");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    };
    let done = real.collector(HOURS, Duration::ZERO).collect(Arc::new(tell)).await.unwrap();
    let (pulled, pushed) = (pulls.load(Ordering::Relaxed) - pulled, pushes.load(Ordering::Relaxed) - pushed);
    stop.store(true, Ordering::Relaxed);
    puller.join().unwrap();
    pushing.join().unwrap();
    assert!(pulled >= 3 && pushed >= 3, "{pulled} pulls and {pushed} pushes in that time");
    // A layer and a manifest each, and the configuration that all of them share.
    assert_eq!(done.removed, 301, "{done:?}");
    for n in 0..pushes.load(Ordering::Relaxed) {
        real.pull(&format!("fresh/web:{n}"), "fresh").unwrap();
    }
    real.pull("shop/web:1", "whole").unwrap();
    assert_eq!(real.eligible(), 0);
    println!("{pulled} pulls and {pushed} pushes while it went on, {} pushes in all", pushes.load(Ordering::Relaxed));
    real.server.child.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_young_stays_and_ten_thousand_cost_seconds() {
    let real = Real::start().await;
    real.push(&real.archive(2), "shop/web:1");
    let blobs = real.data().join("docker/registry/v2/blobs/sha256");
    let links = real.data().join("docker/registry/v2/repositories/shop/web/_layers/sha256");
    for n in 0..10_000_u32 {
        let digest = world::sha256(&n.to_le_bytes());
        let hex = &digest[7..];
        let folder = blobs.join(&hex[..2]).join(hex);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("data"), n.to_le_bytes()).unwrap();
        std::fs::create_dir_all(links.join(hex)).unwrap();
        std::fs::write(links.join(hex).join("link"), &digest).unwrap();
    }
    // An upload that is under way: its layers are there, its manifest is not.
    let collect = async || real.collector(HOURS, Duration::ZERO).collect(Arc::new(|_| {})).await.unwrap();
    let done = collect().await;
    assert_eq!((done.removed, done.young), (0, 10_000), "{done:?}");
    // Old bytes with a link of today: somebody uses them for a new image.
    real.age();
    let fresh = world::sha256(&7_u32.to_le_bytes());
    std::fs::write(links.join(&fresh[7..]).join("link"), &fresh).unwrap();
    let began = Instant::now();
    let done = collect().await;
    let took = began.elapsed();
    assert_eq!((done.removed, done.freed, done.young), (9_999, 4 * 9_999, 1), "{done:?}");
    assert!(real.blobs().contains(&fresh[7..].to_owned()));
    println!("10,000 layers that nothing names: {took:?}");
    // Seconds; the bound is for a machine that does much else.
    assert!(took < Duration::from_secs(120), "{took:?}");
    real.pull("shop/web:1", "whole").unwrap();
    real.server.child.stop().await;
}
