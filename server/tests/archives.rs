//! Archives with programs that nobody here wrote: what we give is read by skopeo and Docker,
//! and what they save comes in, with Debian's `docker-registry` between.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../drivers/tests/registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod world;

use futures::StreamExt;
use padis_domain::ports::{CopyTo, Registry};
use padis_drivers::registry::{RegistryClient, RegistryConfig, Transfers};
use padis_server::archives::{Export, Spool, bring, open};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use world::{INDEX, MANIFEST, Server, noise};

fn run(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output();
    let out = out.unwrap_or_else(|e| panic!("{program} (Debian's package) is needed: {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

fn skopeo(args: &[&str]) -> String {
    run("skopeo", &[&["--insecure-policy"], args].concat())
}

fn docker(args: &[&str]) -> String {
    let host = std::env::var("PADIS_TEST_DOCKER").unwrap_or_else(|_| panic!("run it by end2end/lab/run"));
    run("docker", &[&["-H", host.as_str()], args].concat())
}

struct Real {
    server: Server,
    client: Arc<RegistryClient>,
    transfer: Transfers,
    folder: tempfile::TempDir,
}

impl Real {
    async fn start() -> Self {
        let server = Server::start().await;
        let client = Arc::new(RegistryClient::new(&RegistryConfig::at(&server.address.to_string())).unwrap());
        let transfer = Transfers::new(BTreeMap::from([("own".to_owned(), client.clone())]));
        Self { server, client, transfer, folder: tempfile::tempdir().unwrap() }
    }
    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
    fn at(&self, name: &str) -> String {
        format!("docker://{}/{name}", self.server.address)
    }
    /// Brings the image of a file in; its digest.
    async fn bring(&self, file: &str, repository: &str, tag: &str) -> String {
        let chosen = open(Path::new(file), repository, tag).unwrap();
        let to =
            CopyTo { registry: "own".into(), repository: repository.into(), tag: chosen.tag.clone(), instead_of: None };
        let folder = self.folder.path().join("spool");
        std::fs::create_dir_all(&folder).unwrap();
        let spool = Spool { folder, most_bytes: 1 << 30, keep_free: 0, holder: "here".into() };
        bring(&self.transfer, &to, &Arc::new(chosen.plan), (&spool, "one"), &AtomicU64::new(0)).await.unwrap()
    }
    /// Downloads a version; the file.
    async fn out(&self, repository: &str, tag: &str, name: &str) -> String {
        let digest = self.client.digest(repository, tag).await.unwrap().unwrap();
        let whole = format!("{}/{repository}", self.server.address);
        let export = Export::of(self.client.clone(), (repository, &whole, tag), &digest).await.unwrap();
        let (bytes, mut stream, mut all) = (export.bytes(), export.stream(), Vec::new());
        while let Some(piece) = stream.next().await {
            all.extend(piece.unwrap());
        }
        assert_eq!(all.len() as u64, bytes);
        let file = self.file(name);
        std::fs::write(&file, all).unwrap();
        file
    }
    fn raw(&self, name: &str) -> Value {
        let place = self.at(name);
        serde_json::from_str(&skopeo(&["inspect", "--raw", "--tls-verify=false", &place])).unwrap()
    }
    /// The configuration as skopeo sees it: of it hang the layers as they are when unpacked.
    fn config(&self, place: &str) -> Value {
        serde_json::from_str(&skopeo(&["inspect", "--config", "--raw", "--tls-verify=false", place])).unwrap()
    }
    /// Every layer has the digest that its manifest says, and unpacks to what the configuration says.
    fn whole(&self, name: &str) {
        let to = self.file("whole");
        let _none = std::fs::remove_dir_all(&to);
        skopeo(&["copy", "-q", "--src-tls-verify=false", &self.at(name), &format!("dir:{to}")]);
        let ids = self.config(&self.at(name))["rootfs"]["diff_ids"].clone();
        let layers = self.raw(name)["layers"].as_array().unwrap().clone();
        assert_eq!(layers.len(), ids.as_array().unwrap().len());
        for (n, layer) in layers.iter().enumerate() {
            let file = format!("{to}/{}", &layer["digest"].as_str().unwrap()[7..]);
            let sum = |line: &str| run("sh", &["-c", line])[..64].to_owned();
            assert_eq!(sum(&format!("sha256sum {file}")), layer["digest"].as_str().unwrap()[7..]);
            assert_eq!(sum(&format!("gzip -dc {file} | sha256sum")), ids[n].as_str().unwrap()[7..]);
        }
    }
}

/// Files of layers and a configuration; two of the three layers are the same.
fn image(folder: &Path) -> String {
    let sh = |line: &str| {
        let out = Command::new("sh").args(["-ec", line]).current_dir(folder).output().unwrap();
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    };
    for n in 1..=2_u64 {
        std::fs::write(folder.join(format!("file{n}")), noise(n, 700_000)).unwrap();
        sh(&format!("tar -cf layer{n}.tar file{n}"));
    }
    let id = |n: u64| format!("sha256:{}", &sh(&format!("sha256sum layer{n}.tar"))[..64]);
    let config = json!({"architecture": "amd64", "os": "linux", "created": "2026-11-22T08:00:00Z",
        "config": {"Cmd": ["/run"], "Labels": {"by": "tar"}},
        "rootfs": {"type": "layers", "diff_ids": [id(1), id(2), id(1)]},
        "history": [{"created_by": "one"}, {"created_by": "two"}, {"created_by": "one again"}]});
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let manifest =
        r#"[{"Config":"config.json","RepoTags":["shop:1"],"Layers":["layer1.tar","layer2.tar","layer1.tar"]}]"#;
    std::fs::write(folder.join("manifest.json"), manifest).unwrap();
    sh("tar -cf image.tar manifest.json config.json layer1.tar layer2.tar");
    folder.join("image.tar").display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_docker_saves_comes_in_and_what_we_give_docker_loads() {
    let real = Real::start().await;
    docker(&["load", "-q", "-i", &image(real.folder.path())]);
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", "shop:1"]);
    let saved = real.file("saved.tar");
    docker(&["save", "-o", &saved, "shop:1"]);
    let digest = real.bring(&saved, "tools/shop", "").await;
    let raw = real.raw("tools/shop:1");
    // Docker calls an image by its configuration.
    assert_eq!(raw["config"]["digest"], json!(id));
    let told = skopeo(&["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &real.at("tools/shop:1")]);
    assert_eq!(told, digest);
    real.whole("tools/shop:1");
    assert_eq!(real.bring(&saved, "tools/shop", "1").await, digest, "the same file gives the same digest");

    let file = real.out("tools/shop", "1", "out.tar").await;
    docker(&["rmi", "-f", "shop:1"]);
    let loaded = docker(&["load", "-i", &file]);
    let name = format!("{}/tools/shop:1", real.server.address);
    assert!(loaded.contains(&name), "{loaded}");
    assert_eq!(docker(&["image", "inspect", "--format", "{{.Id}}", &name]), id);
    docker(&["rmi", "-f", &name]);

    // Two images in one file: the tag says which.
    docker(&["load", "-q", "-i", &saved]);
    run("sh", &["-ec", &format!("cd {} && tar -cf other.tar file2", real.folder.path().display())]);
    docker(&["import", &real.file("other.tar"), "other:2"]);
    let both = real.file("both.tar");
    docker(&["save", "-o", &both, "shop:1", "other:2"]);
    let other = docker(&["image", "inspect", "--format", "{{.Id}}", "other:2"]);
    docker(&["rmi", "-f", "shop:1", "other:2"]);
    assert!(format!("{:?}", open(Path::new(&both), "tools/x", "").err().unwrap()).contains("Several"));
    real.bring(&both, "tools/x", "2").await;
    assert_eq!(real.raw("tools/x:2")["config"]["digest"], json!(other));
    real.whole("tools/x:2");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_skopeo_writes_comes_in_and_what_we_give_skopeo_reads() {
    let real = Real::start().await;
    let made = format!("docker-archive:{}", image(real.folder.path()));
    for form in ["v2s2", "oci"] {
        let pushed = format!("pushed/{form}:1");
        let copy = |from: &str, to: &str| {
            skopeo(&["copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false", from, to]);
        };
        skopeo(&["copy", "-q", "--format", form, "--dest-tls-verify=false", &made, &real.at(&pushed)]);
        let digest = real.client.digest(&format!("pushed/{form}"), "1").await.unwrap().unwrap();
        // What we give: as a layout the same digest, for Docker the same configuration.
        let file = real.out(&format!("pushed/{form}"), "1", &format!("{form}.tar")).await;
        let told = skopeo(&["inspect", "--format", "{{.Digest}}", &format!("oci-archive:{file}")]);
        assert_eq!(told, digest);
        let there = real.at(&format!("back/{form}:layout"));
        copy(&format!("oci-archive:{file}"), &there);
        assert_eq!(real.raw(&format!("back/{form}:layout")), real.raw(&pushed));
        copy(&format!("docker-archive:{file}"), &real.at(&format!("back/{form}:docker")));
        let config = real.config(&real.at(&pushed));
        assert_eq!(real.config(&real.at(&format!("back/{form}:docker"))), config);
        real.whole(&format!("back/{form}:docker"));
        assert_eq!(real.bring(&file, "again", form).await, digest);

        // What it writes, in both forms; the older one of Docker's has links for layers.
        let (layout, old) = (real.file(&format!("{form}-layout.tar")), real.file(&format!("{form}-old.tar")));
        skopeo(&["copy", "-q", "--src-tls-verify=false", &real.at(&pushed), &format!("oci-archive:{layout}:7.{form}")]);
        copy(&real.at(&pushed), &format!("docker-archive:{old}:named/x:8.{form}"));
        let brought = real.bring(&layout, "in", "").await;
        if form == "oci" {
            assert_eq!(brought, digest);
        }
        real.bring(&old, "in", "").await;
        for tag in [format!("7.{form}"), format!("8.{form}")] {
            assert_eq!(real.config(&real.at(&format!("in:{tag}"))), config, "{tag}");
            real.whole(&format!("in:{tag}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_platforms_all_go_out_and_come_in() {
    let real = Real::start().await;
    let pusher = real.server.pusher();
    let mut entries = Vec::new();
    for (n, platform) in [(1, "s390x"), (2, "amd64"), (3, "arm64")] {
        let layer = real.file("layer.tar.gz");
        std::fs::write(real.folder.path().join("f"), noise(n, 300_000)).unwrap();
        let folder = real.folder.path().display();
        run("sh", &["-ec", &format!("cd {folder} && tar -cf l.tar f && gzip -nc l.tar > {layer}")]);
        let id = &run("sh", &["-c", &format!("sha256sum {folder}/l.tar")])[..64];
        let config = json!({"architecture": platform, "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{id}")]}});
        let digest = pusher.made("multi", platform, &config, vec![std::fs::read(&layer).unwrap()]).await;
        let size = pusher.send("GET", &format!("/v2/multi/manifests/{digest}"), "", vec![]).await;
        let size = size.bytes().await.unwrap().len();
        entries.push(json!({"mediaType": MANIFEST, "digest": digest, "size": size,
            "platform": {"architecture": platform, "os": "linux"}}));
    }
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    let digest = pusher.manifest("multi", "all", INDEX, &index).await;
    let file = real.out("multi", "all", "multi.tar").await;
    let there = real.at("back:all");
    skopeo(&["copy", "-q", "--all", "--dest-tls-verify=false", &format!("oci-archive:{file}"), &there]);
    assert_eq!(real.client.digest("back", "all").await.unwrap().as_ref(), Some(&digest));
    assert_eq!(real.bring(&file, "again", "").await, digest);
    // For Docker it is the one that runs here.
    let here = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let config = real.config(&format!("docker-archive:{file}"));
    assert_eq!(config["architecture"], here);
    let loaded = docker(&["load", "-i", &file]);
    let name = format!("{}/multi:all", real.server.address);
    assert!(loaded.contains(&name), "{loaded}");
    assert_eq!(docker(&["image", "inspect", "--format", "{{.Architecture}}", &name]), here);
    docker(&["rmi", "-f", &name]);
    // Whole images of other platforms only come out of a layout with `--all`; one that is cut is refused.
    let all = std::fs::read(&file).unwrap();
    std::fs::write(&file, &all[..all.len() - 2048]).unwrap();
    assert!(open(Path::new(&file), "x", "").is_err());
}
