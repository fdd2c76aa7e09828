//! Archives of every form, good and bad, into a registry in memory and out of it again.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use padis_domain::ports::{CopyTo, PortResult, Registry};
use padis_drivers::fake::{FakeRegistry, FakeTransfer};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

fn sha(bytes: &[u8]) -> String {
    pack::sha256(bytes)
}
fn blob(bytes: &[u8]) -> String {
    format!("blobs/sha256/{}", &sha(bytes)[7..])
}
fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

/// A tar of these files.
fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // As it is written, also where it climbs.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        out.append(&header, &bytes[..]).expect("an entry");
    }
    out.into_inner().expect("a tar")
}

fn layer(n: u8) -> Vec<u8> {
    tar(&[("file", vec![n; 70_000])])
}

fn config(layers: &[Vec<u8>], architecture: &str) -> Vec<u8> {
    let ids: Vec<String> = layers.iter().map(|l| sha(l)).collect();
    json!({"os": "linux", "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": ids}})
        .to_string()
        .into_bytes()
}

/// What `docker save` before 25 wrote: `VERSION`, `json` and `layer.tar` in a folder for each layer.
fn saved(layers: &[Vec<u8>], tags: &[&str]) -> Vec<(String, Vec<u8>)> {
    let config = config(layers, "amd64");
    let name = format!("{}.json", &sha(&config)[7..]);
    let mut files = Vec::new();
    let mut paths = Vec::new();
    for (n, layer) in layers.iter().enumerate() {
        files.push((format!("{n}/VERSION"), b"1.0".to_vec()));
        files.push((format!("{n}/json"), b"{}".to_vec()));
        files.push((format!("{n}/layer.tar"), layer.clone()));
        paths.push(format!("{n}/layer.tar"));
    }
    files.push((name.clone(), config));
    let manifest = json!([{"Config": name, "RepoTags": tags, "Layers": paths}]);
    files.push(("manifest.json".into(), manifest.to_string().into_bytes()));
    files.push(("repositories".into(), b"{}".to_vec()));
    files
}

fn as_tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    tar(&files)
}

/// A layout of one image; what its layers are called says whether they are packed.
fn layout(layers: &[Vec<u8>], kind: &str, tag: &str) -> (Vec<(String, Vec<u8>)>, String) {
    let config = config(layers, "arm64");
    let d = |kind: &str, b: &[u8]| json!({"mediaType": kind, "digest": sha(b), "size": b.len()});
    let listed: Vec<Value> = layers.iter().map(|l| d(kind, l)).collect();
    let manifest = json!({"schemaVersion": 2, "mediaType": words::OCI_MANIFEST, "layers": listed,
        "config": d("application/vnd.oci.image.config.v1+json", &config)})
    .to_string()
    .into_bytes();
    let mut top = d(words::OCI_MANIFEST, &manifest);
    top["annotations"] = json!({(words::REF_NAME): tag});
    let index = json!({"schemaVersion": 2, "manifests": [top]}).to_string().into_bytes();
    let mut files = vec![("index.json".to_owned(), index), (blob(&config), config)];
    files.extend(layers.iter().map(|l| (blob(l), l.clone())));
    let digest = sha(&manifest);
    files.push((blob(&manifest), manifest));
    (files, digest)
}

/// A folder and a registry.
struct World {
    folder: tempfile::TempDir,
    registry: Arc<FakeRegistry>,
    transfer: FakeTransfer,
}

impl World {
    fn new() -> Self {
        let registry = Arc::new(FakeRegistry::new());
        let transfer = FakeTransfer::new([("r".to_owned(), registry.clone())].into());
        Self { folder: tempfile::tempdir().expect("a folder"), registry, transfer }
    }
    fn spool(&self) -> Spool {
        Spool { folder: self.folder.path().to_owned(), most_bytes: 8 << 20, keep_free: 0, holder: "here".into() }
    }
    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("one");
        std::fs::write(&path, bytes).expect("written");
        path
    }
    fn fault(&self, bytes: &[u8], tag: &str) -> ArchiveFault {
        match open(&self.file(bytes), "a/b", tag) {
            Err(Stop::Fault(fault)) => fault,
            Err(other) => panic!("{other:?}"),
            Ok(chosen) => panic!("taken: {} {:?}", chosen.tag, chosen.plan.platforms),
        }
    }
    async fn bring(&self, path: &Path, tag: &str) -> Result<String, Stop> {
        let chosen = open(path, "a/b", tag)?;
        let to = CopyTo { registry: "r".into(), repository: "a/b".into(), tag: chosen.tag, instead_of: None };
        let at = AtomicU64::new(0);
        let plan = Arc::new(chosen.plan);
        let done = bring(&self.transfer, &to, &plan, (&self.spool(), "one"), &at).await;
        if done.is_ok() {
            assert_eq!(at.into_inner(), plan.bytes());
        }
        assert!(!self.spool().scratch("one").exists(), "what was packed is gone");
        done
    }
    async fn out(&self, digest: &str, tag: &str) -> Vec<u8> {
        let export = Export::of(self.registry.clone(), ("a/b", "r:5000/a/b", tag), digest).await.expect("there");
        let (bytes, mut stream, mut all) = (export.bytes(), export.stream(), Vec::new());
        while let Some(piece) = stream.next().await {
            all.extend(piece.expect("a piece"));
        }
        assert_eq!(all.len() as u64, bytes, "the length is known beforehand");
        all
    }
}

#[tokio::test]
async fn what_docker_save_wrote_comes_in_and_goes_out_the_same_each_time() {
    let w = World::new();
    let layers = [layer(1), layer(2)];
    let path = w.file(&as_tar(&saved(&layers, &["shop:1.0"])));
    let digest = w.bring(&path, "").await.expect("brought");
    assert_eq!(w.registry.digest("a/b", "1.0").await.expect("an answer").as_ref(), Some(&digest));
    let image = w.registry.image("a/b", &digest).await.expect("an answer").expect("there");
    assert_eq!(image.platforms, ["linux/amd64"]);
    // Packed on the way: 140 kB of the same byte.
    assert!(image.bytes < 10_000, "{}", image.bytes);
    // Once more: nothing is sent twice, and the same comes out of it.
    assert_eq!(w.bring(&path, "").await.expect("again"), digest);
    let out = w.out(&digest, "1.0").await;
    assert_eq!(out, w.out(&digest, "1.0").await);
    // And in again: the manifest as it is, so the same digest.
    let back = w.file(&out);
    let chosen = open(&back, "x", "").expect("opened");
    assert_eq!((chosen.tag.as_str(), chosen.named.as_str()), ("1.0", "r:5000/a/b:1.0"));
    assert!(chosen.plan.runs_here || std::env::consts::ARCH != "x86_64");
    assert_eq!(w.bring(&back, "2.0").await.expect("brought"), digest);
    // A tag that names something else is left alone.
    let other = w.file(&as_tar(&saved(&[layer(3)], &["shop:1.0"])));
    let Err(Stop::Fault(ArchiveFault::Registry { why })) = w.bring(&other, "").await else { panic!("taken") };
    assert!(why.contains("another image"), "{why}");
}

#[tokio::test]
async fn of_a_layout_what_is_packed_stays_and_what_is_not_is_packed() {
    let w = World::new();
    let packed = [gz(&layer(1)), gz(&layer(2))];
    let (files, digest) = layout(&packed, "application/vnd.oci.image.layer.v1.tar+gzip", "7");
    assert_eq!(w.bring(&w.file(&as_tar(&files)), "").await.expect("brought"), digest);
    let plain = [layer(1), layer(4)];
    let (files, digest) = layout(&plain, "application/vnd.oci.image.layer.v1.tar", "8");
    let made = w.bring(&w.file(&as_tar(&files)), "").await.expect("brought");
    assert_ne!(made, digest);
    let manifests = w.registry.manifests("a/b", &made).await.expect("there");
    let manifest: Value = serde_json::from_slice(&manifests[0].bytes).expect("JSON");
    let keys: Vec<&String> = manifest.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["config", "layers", "mediaType", "schemaVersion"], "nothing else is added");
    for (n, layer) in plain.iter().enumerate() {
        assert_eq!(manifest["layers"][n]["digest"], sha(&gz(layer)));
        assert_eq!(manifest["layers"][n]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    }
    // Of `docker save` layers that are packed already stay so.
    let mut files = saved(&plain, &["a:9"]);
    for (_, bytes) in files.iter_mut().filter(|(n, _)| n.ends_with("layer.tar")) {
        *bytes = gz(bytes);
    }
    let made = w.bring(&w.file(&as_tar(&files)), "").await.expect("brought");
    let manifests = w.registry.manifests("a/b", &made).await.expect("there");
    assert_eq!(manifests[0].blobs[1].digest, sha(&gz(&plain[0])));
}

#[tokio::test]
async fn an_index_comes_in_whole_and_goes_out_for_docker_as_the_image_that_runs_here() {
    let w = World::new();
    let (mut files, mut entries) = (Vec::new(), Vec::new());
    for (n, architecture) in [(1, "s390x"), (2, "amd64"), (3, "arm64")] {
        let layers = [gz(&layer(n)), layer(9)];
        let config = config(&layers, architecture);
        let d = |kind: &str, b: &[u8]| json!({"mediaType": kind, "digest": sha(b), "size": b.len()});
        let manifest = json!({"schemaVersion": 2, "mediaType": words::MANIFEST, "config": d(words::CONFIG, &config),
            "layers": [d(words::LAYER, &layers[0]), d("application/vnd.docker.image.rootfs.diff.tar", &layers[1])]});
        let manifest = manifest.to_string().into_bytes();
        let mut entry = d(words::MANIFEST, &manifest);
        entry["platform"] = json!({"os": "linux", "architecture": architecture});
        entries.push(entry);
        files.extend([config, layers[0].clone(), layers[1].clone(), manifest].map(|b| (blob(&b), b)));
    }
    let index = json!({"schemaVersion": 2, "manifests": entries,
        "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json"})
    .to_string()
    .into_bytes();
    let top = json!({"schemaVersion": 2, "manifests": [{"digest": sha(&index), "size": index.len(),
        "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json"}]});
    files.push((blob(&index), index));
    files.push(("index.json".into(), top.to_string().into_bytes()));
    let digest = w.bring(&w.file(&as_tar(&files)), "all").await.expect("brought");
    let image = w.registry.image("a/b", &digest).await.expect("an answer").expect("there");
    assert_eq!(image.platforms, ["linux/s390x", "linux/amd64", "linux/arm64"]);
    let out = w.out(&digest, "all").await;
    let text = String::from_utf8_lossy(&out);
    let saved = text.split("[{\"Config\":\"").nth(1).expect("manifest.json");
    let path = saved.split('"').next().expect("a path");
    let here = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let config = text.split(&format!("{path}\0")).nth(1).expect("the configuration");
    assert!(config.contains(&format!("\"architecture\":\"{here}\"")), "{path}");
    assert_eq!(w.bring(&w.file(&out), "again").await.expect("brought"), digest);
}

#[test]
fn whatever_is_wrong_is_told() {
    let w = World::new();
    let layers = [layer(1)];
    let good = saved(&layers, &["a:1"]);
    assert_eq!(w.fault(b"", ""), ArchiveFault::NotTar);
    assert_eq!(w.fault(&vec![b'x'; 5000], ""), ArchiveFault::NotTar);
    assert_eq!(w.fault(&vec![0; 5000], ""), ArchiveFault::NotTar);
    let whole = as_tar(&good);
    for cut in [600, 70_000, whole.len() - 1024] {
        assert_eq!(w.fault(&whole[..cut], ""), ArchiveFault::Truncated, "{cut}");
    }
    assert_eq!(w.fault(&as_tar(&[("etc/passwd".into(), vec![1])]), ""), ArchiveFault::NoImage);
    for path in ["../up", "/etc/passwd", "a/../../b"] {
        let fault = w.fault(&tar(&[(path, vec![1])]), "");
        assert_eq!(fault, ArchiveFault::Climbs { path: path.into() });
    }
    let without = |name: &str| good.iter().filter(|(n, _)| n != name).cloned().collect::<Vec<_>>();
    let name = "0/layer.tar".to_owned();
    assert_eq!(w.fault(&as_tar(&without(&name)), ""), ArchiveFault::Missing { name });
    let mut broken = good.clone();
    broken.iter_mut().for_each(|(n, b)| {
        if n.as_str() == "manifest.json" {
            *b = b"{".to_vec();
        }
    });
    assert_eq!(w.fault(&as_tar(&broken), ""), ArchiveFault::Broken { name: "manifest.json".into() });
    assert!(matches!(w.fault(&as_tar(&saved(&layers, &["a:1", "b:2"])), ""), ArchiveFault::Several { .. }));
    assert_eq!(w.fault(&as_tar(&saved(&layers, &[])), ""), ArchiveFault::NoTag);
    let (mut files, _) = layout(&layers, "application/vnd.oci.image.layer.v1.tar+gzip", "1");
    files.retain(|(n, _)| *n != blob(&layers[0]));
    assert_eq!(w.fault(&as_tar(&files), ""), ArchiveFault::Missing { name: blob(&layers[0]) });
    let kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    assert_eq!(w.fault(&as_tar(&layout(&layers, kind, "1").0), ""), ArchiveFault::Foreign);
    // Another configuration than its name says.
    let mut other = good.clone();
    other.iter_mut().filter(|(n, _)| n.len() == 69).for_each(|(_, b)| b.push(b' '));
    assert!(matches!(w.fault(&as_tar(&other), ""), ArchiveFault::Differs { .. }));
    // A name of ten gigabytes is not read.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(10 << 30);
    header.set_cksum();
    assert_eq!(w.fault(header.as_bytes(), ""), ArchiveFault::Broken { name: "tar".into() });
}

#[tokio::test]
async fn bytes_that_are_not_those_of_their_digest_do_not_come_in() {
    let w = World::new();
    let (mut files, digest) = layout(&[layer(1)], "application/vnd.oci.image.layer.v1.tar+gzip", "1");
    let at = files.iter().position(|(n, _)| *n == blob(&layer(1))).expect("the layer");
    files[at].1[600] ^= 1;
    let Err(Stop::Fault(fault)) = w.bring(&w.file(&as_tar(&files)), "").await else { panic!("taken") };
    assert_eq!(fault, ArchiveFault::Differs { name: blob(&layer(1)) });
    assert!(!w.registry.has("a/b", &digest).await.expect("an answer"));
    let mut files = saved(&[layer(1)], &["a:1"]);
    files[2].1[600] ^= 1;
    let Err(Stop::Fault(fault)) = w.bring(&w.file(&as_tar(&files)), "").await else { panic!("taken") };
    assert_eq!(fault, ArchiveFault::Differs { name: "0/layer.tar".into() });
    assert_eq!(w.registry.tags("a/b").await.expect("an answer"), [""; 0]);
}

#[tokio::test]
async fn a_link_leads_to_a_file_of_the_archive_or_nowhere() {
    let w = World::new();
    let linked = |to: &str, kind: tar::EntryType| {
        // As docker save before 25 wrote a layer that occurs twice.
        let mut files = saved(&[layer(1), layer(1)], &["a:1"]);
        files.retain(|(n, _)| n != "1/layer.tar");
        let mut out = as_tar(&files);
        out.truncate(out.len() - 1024);
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_path("1/layer.tar").expect("a path");
        header.as_old_mut().linkname[..to.len()].copy_from_slice(to.as_bytes());
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(&[0; 1024]);
        out
    };
    let path = w.file(&linked("../0/layer.tar", tar::EntryType::Symlink));
    w.bring(&path, "").await.expect("brought");
    let name = || "1/layer.tar".to_owned();
    for to in ["/etc/shadow", "../../x"] {
        let fault = w.fault(&linked(to, tar::EntryType::Symlink), "");
        assert_eq!(fault, ArchiveFault::Climbs { path: name() }, "{to}");
    }
    for to in ["../1/layer.tar", "../7/layer.tar"] {
        assert_eq!(w.fault(&linked(to, tar::EntryType::Symlink), ""), ArchiveFault::Link { path: name() }, "{to}");
    }
    assert_eq!(w.fault(&linked("x", tar::EntryType::Char), ""), ArchiveFault::Link { path: name() });
}

#[tokio::test]
async fn what_comes_in_is_measured_and_leaves_nothing_when_it_breaks() {
    let w = World::new();
    let spool = w.spool();
    let take = |pieces: Vec<PortResult<Vec<u8>>>| spool.take("one", futures::stream::iter(pieces).boxed());
    let fault = |taken: Result<Spooled, Stop>| match taken {
        Err(Stop::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let whole = as_tar(&saved(&[layer(1)], &["a:1"]));
    let packed = gz(&whole);
    let taken = take(packed.chunks(100).map(|c| Ok(c.to_vec())).collect()).await.expect("taken");
    assert_eq!((taken.bytes, std::fs::read(taken.path()).expect("read")), (whole.len() as u64, whole.clone()));
    drop(taken);
    let limit = spool.most_bytes;
    assert_eq!(fault(take(vec![Ok(vec![1; 9 << 20])]).await), ArchiveFault::TooLarge { limit });
    // Nine MiB of zeros are nine KiB.
    let bomb = gz(&vec![0; 9 << 20]);
    assert!(bomb.len() < 20_000);
    assert_eq!(fault(take(vec![Ok(bomb)]).await), ArchiveFault::TooLarge { limit });
    assert_eq!(fault(take(vec![Ok(packed[..packed.len() / 2].to_vec())]).await), ArchiveFault::Truncated);
    let mut damaged = packed.clone();
    damaged[300..400].fill(0xff);
    assert!(matches!(fault(take(vec![Ok(damaged)]).await), ArchiveFault::NotTar | ArchiveFault::Truncated));
    let broke = PortError::transient(padis_domain::problem::System::Disk, "receive", "broke off");
    assert!(matches!(take(vec![Ok(whole.clone()), Err(broke)]).await, Err(Stop::Broken(_))));
    let full = Spool { keep_free: u64::MAX, ..spool.clone() };
    let body = futures::stream::iter(vec![Ok(whole)]).boxed();
    let said = full.take("one", body).await;
    assert!(matches!(said, Err(Stop::Problem(Problem::DiskFull { .. }))), "{said:?}");
    assert_eq!(std::fs::read_dir(w.folder.path()).expect("a folder").count(), 0, "nothing is left");
    for name in ["one", "one.layer", "two"] {
        std::fs::write(w.folder.path().join(name), "x").expect("written");
    }
    assert_eq!(spool.clear(&["two".to_owned()].into()).expect("cleared"), 2);
    assert!(w.folder.path().join("two").exists());
}

#[tokio::test]
async fn a_download_whose_layer_is_damaged_never_ends_well() {
    let w = World::new();
    let packed = gz(&layer(1));
    let (files, digest) = layout(std::slice::from_ref(&packed), "application/vnd.oci.image.layer.v1.tar+gzip", "1");
    w.bring(&w.file(&as_tar(&files)), "").await.expect("brought");
    let mut other = packed.clone();
    other[30] ^= 1;
    w.registry.put_bytes(&sha(&packed), other);
    let mut stream = Export::of(w.registry.clone(), ("a/b", "r/a/b", "1"), &digest).await.expect("there").stream();
    let mut last = None;
    while let Some(piece) = stream.next().await {
        last = Some(piece);
    }
    assert!(matches!(last, Some(Err(_))), "the last item is an error");
}
