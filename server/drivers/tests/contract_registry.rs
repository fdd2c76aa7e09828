//! The contract of the Registry port, run against the fake and against Debian's
//! `docker-registry` as our child, filled over plain HTTP on loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod world;

use async_trait::async_trait;
use futures::TryStreamExt;
use padis_domain::ports::{CopyBlob, Image, ImageStep, PortError, Registry, StackImage};
use padis_drivers::child::ChildError;
use padis_drivers::fake::FakeRegistry;
use padis_drivers::registry::{RegistryChild, RegistryChildConfig, RegistryChildError, RegistryClient, RegistryConfig};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::TcpListener;
use world::{DEADLINE, INDEX, MANIFEST, Pusher, Server, Special, free_port, labels, sha256};

/// A registry that can be filled.
#[async_trait]
trait Shelf: Sync {
    fn registry(&self) -> &dyn Registry;
    /// Pushes an image with these labels and gives its digest.
    async fn push(&self, repository: &str, tag: &str, labels: BTreeMap<String, String>) -> String;
}

#[async_trait]
impl Shelf for FakeRegistry {
    fn registry(&self) -> &dyn Registry {
        self
    }
    async fn push(&self, repository: &str, tag: &str, labels: BTreeMap<String, String>) -> String {
        let digest = sha256(format!("{repository}:{tag}{labels:?}").as_bytes());
        let created = "2026-11-22T08:00:00Z".to_owned();
        match padis_domain::stack::Contract::from_labels(&labels) {
            Ok(contract) => self.put(StackImage {
                repository: repository.to_owned(),
                tag: tag.to_owned(),
                image: format!("127.0.0.1:5000/{repository}@{digest}"),
                digest: digest.clone(),
                bytes: 1,
                created,
                contract,
                labels,
            }),
            Err(_) => {
                self.put_bytes(&sha256(b"x"), b"x".to_vec());
                self.put_image(
                    repository,
                    tag,
                    Image {
                        digest: digest.clone(),
                        media_type: MANIFEST.to_owned(),
                        platforms: vec!["linux/amd64".to_owned()],
                        runs_here: true,
                        bytes: 1,
                        created,
                        labels,
                        steps: vec![ImageStep { layer: Some((sha256(b"x"), 1)), ..ImageStep::default() }],
                        ..Image::default()
                    },
                )
            }
        }
        digest
    }
}

struct Real {
    client: RegistryClient,
    pusher: Pusher,
    child: RegistryChild,
    _folder: tempfile::TempDir,
}

impl Real {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = free_port();
        let config = RegistryChildConfig { folder: folder.path().to_owned(), listen, notify: None };
        let child = RegistryChild::start(&config).await.unwrap();
        let client = RegistryClient::new(&RegistryConfig::at(&child.name())).unwrap();
        Self { client, pusher: Pusher::new(listen, None), child, _folder: folder }
    }
}

#[async_trait]
impl Shelf for Real {
    fn registry(&self) -> &dyn Registry {
        &self.client
    }
    async fn push(&self, repository: &str, tag: &str, labels: BTreeMap<String, String>) -> String {
        self.pusher.image(repository, tag, &labels).await
    }
}

async fn contract(shelf: &dyn Shelf) {
    let registry = shelf.registry();
    registry.ping().await.unwrap();
    assert_eq!(registry.stacks().await.unwrap(), []);

    let nginx = shelf.push("stacks/nginx", "1.22", labels("nginx")).await;
    let tomcat = shelf.push("stacks/tomcat", "10", labels("tomcat")).await;
    let tool = shelf.push("tools/builder", "1", BTreeMap::new()).await;
    let mut broken = labels("broken");
    broken.remove("io.padis.stack.port");
    shelf.push("stacks/broken", "1", broken).await;

    let stacks = registry.stacks().await.unwrap();
    let found: Vec<_> = stacks.iter().map(|s| (s.repository.as_str(), s.tag.as_str(), s.digest.as_str())).collect();
    assert_eq!(found, [("stacks/nginx", "1.22", nginx.as_str()), ("stacks/tomcat", "10", tomcat.as_str())]);
    let first = &stacks[0];
    assert_eq!((first.contract.port, first.contract.title_zh.as_str()), (8080, "网站"));
    assert_eq!(first.labels, labels("nginx"));
    assert_eq!(first.created, "2026-11-22T08:00:00Z");
    assert!(first.image.ends_with(&format!("/stacks/nginx@{nginx}")), "{}", first.image);
    assert!(first.bytes > 0);

    let all = registry.repositories().await.unwrap();
    assert_eq!(all, ["stacks/broken", "stacks/nginx", "stacks/tomcat", "tools/builder"]);
    assert_eq!(registry.tags("stacks/never").await.unwrap(), [""; 0]);
    assert_eq!(registry.digest("tools/builder", "1").await.unwrap(), Some(tool.clone()));
    assert_eq!(registry.digest("tools/builder", "2").await.unwrap(), None);
    let image = registry.image("tools/builder", &tool).await.unwrap().unwrap();
    assert_eq!((&image.digest, image.media_type.as_str()), (&tool, MANIFEST));
    assert_eq!((image.platforms, image.runs_here), (vec!["linux/amd64".to_owned()], cfg!(target_arch = "x86_64")));
    assert_eq!((image.created.as_str(), image.steps.len()), ("2026-11-22T08:00:00Z", 1));
    assert_eq!(registry.image("stacks/nginx", &nginx).await.unwrap().unwrap().labels, labels("nginx"));
    assert_eq!(registry.image("stacks/nginx", &tool).await.unwrap(), None, "another repository's");

    // A layer's bytes are those of its digest, or they are an error at the end.
    let (layer, bytes) = image.steps[0].layer.clone().unwrap();
    let blob = |digest: &str, bytes: u64| CopyBlob { digest: digest.to_owned(), bytes };
    let read =
        |repository: &'static str, blob: CopyBlob| async move { registry.blob(repository, &blob).try_concat().await };
    let all = read("tools/builder", blob(&layer, bytes)).await.unwrap();
    assert_eq!((all.len() as u64, sha256(&all)), (bytes, layer.clone()));
    let never = sha256(b"never");
    for (repository, odd) in [
        ("tools/builder", blob(&layer, bytes + 1)),
        ("tools/builder", blob(&never, 5)),
        ("tools/builder", blob("latest", 5)),
        ("tools/never", blob(&layer, bytes)),
    ] {
        let refused = read(repository, odd.clone()).await;
        assert!(matches!(refused, Err(PortError::Refused { .. })), "{repository} {odd:?}: {refused:?}");
    }

    // A tag that is pushed again names another image from then on.
    let mut changed = labels("nginx");
    changed.insert("io.padis.stack.version".to_owned(), "1.26".to_owned());
    let newer = shelf.push("stacks/nginx", "1.22", changed).await;
    assert_ne!(newer, nginx);
    assert_eq!(registry.digest("stacks/nginx", "1.22").await.unwrap(), Some(newer.clone()));
    assert!(registry.has("stacks/nginx", &nginx).await.unwrap(), "the former image is there without a tag");
    let stacks = registry.stacks().await.unwrap();
    let nginx = stacks.iter().find(|s| s.repository == "stacks/nginx").unwrap();
    assert_eq!((nginx.digest.as_str(), nginx.contract.version.as_str()), (newer.as_str(), "1.26"));

    assert!(registry.has("stacks/tomcat", &tomcat).await.unwrap());
    // Deleting takes every tag that names it and no other; again is nothing.
    let same = shelf.push("stacks/nginx", "other", labels("other")).await;
    for _ in 0..2 {
        registry.delete("stacks/tomcat", &tomcat).await.unwrap();
        registry.delete("stacks/never", &tomcat).await.unwrap();
    }
    assert!(!registry.has("stacks/tomcat", &tomcat).await.unwrap());
    assert_eq!(registry.image("stacks/tomcat", &tomcat).await.unwrap(), None);
    assert_eq!(registry.digest("stacks/tomcat", "10").await.unwrap(), None);
    assert_eq!(registry.tags("stacks/tomcat").await.unwrap(), [""; 0]);
    assert_eq!(registry.tags("stacks/nginx").await.unwrap(), ["1.22", "other"]);
    registry.delete("stacks/nginx", &same).await.unwrap();
    assert!(!registry.has("stacks/never", &tomcat).await.unwrap());
    let left: Vec<_> = registry.stacks().await.unwrap().into_iter().map(|s| s.repository).collect();
    assert_eq!(left, ["stacks/nginx"]);
}

#[tokio::test]
async fn fake_keeps_the_contract() {
    contract(&FakeRegistry::new()).await;
}

#[tokio::test]
async fn docker_registry_keeps_the_contract() {
    let real = Real::start().await;
    contract(&real).await;
    real.child.stop().await;
    let error = real.client.ping().await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
}

#[tokio::test]
async fn of_an_index_the_image_for_linux_on_this_processor_is_read() {
    let real = Real::start().await;
    let here = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let repository = "stacks/multi";
    let wrong = real.pusher.image(repository, "wrong", &labels("wrong")).await;
    let right = real.pusher.image(repository, "right", &labels("right")).await;
    let entry = |digest: &str, os: &str, architecture: &str| {
        json!({"mediaType": MANIFEST, "digest": digest, "size": 1,
            "platform": {"architecture": architecture, "os": os}})
    };
    let index = json!({"schemaVersion": 2, "mediaType": INDEX,
        "manifests": [entry(&wrong, "linux", "s390x"), entry(&wrong, "windows", here), entry(&right, "linux", here)]});
    let digest = real.pusher.manifest(repository, "1", INDEX, &index).await;
    let stacks = real.client.stacks().await.unwrap();
    let multi = stacks.iter().find(|s| s.tag == "1").unwrap();
    assert_eq!((multi.contract.name.as_str(), multi.digest.as_str()), ("right", digest.as_str()));
    assert!(real.client.has(repository, &digest).await.unwrap());
}

#[tokio::test]
async fn every_page_of_a_long_catalog_is_read() {
    let real = Real::start().await;
    for n in 0..7 {
        let repository = format!("many/r{n}");
        real.pusher.image(&repository, "1", &if n % 3 == 0 { labels("some") } else { BTreeMap::new() }).await;
    }
    for tag in ["2", "3"] {
        real.pusher.image("many/r6", tag, &labels("some")).await;
    }
    let two_at_a_time = RegistryConfig { page: 2, ..RegistryConfig::at(&real.child.name()) };
    let stacks = RegistryClient::new(&two_at_a_time).unwrap().stacks().await.unwrap();
    let found: Vec<_> = stacks.iter().map(|s| format!("{}:{}", s.repository, s.tag)).collect();
    assert_eq!(found, ["many/r0:1", "many/r3:1", "many/r6:1", "many/r6:2", "many/r6:3"]);
}

#[tokio::test]
async fn images_and_the_registry_survive_a_killed_process() {
    let real = Real::start().await;
    let digest = real.push("stacks/nginx", "1", labels("nginx")).await;
    let first = real.child.child().ready(DEADLINE).await.unwrap();
    real.child.child().signal(rustix::process::Signal::KILL).unwrap();
    let mut states = real.child.child().watch();
    let again = states.wait_for(|s| matches!(s, padis_drivers::child::State::Running { pid, .. } if *pid != first));
    tokio::time::timeout(DEADLINE, again).await.unwrap().unwrap();
    assert!(real.client.has("stacks/nginx", &digest).await.unwrap());
}

#[tokio::test]
async fn a_port_in_use_is_said_plainly() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config =
        RegistryChildConfig { folder: folder.path().to_owned(), listen: other.local_addr().unwrap(), notify: None };
    let Err(error) = RegistryChild::start(&config).await else { panic!("started on a port in use") };
    assert!(matches!(error, RegistryChildError::Child(ChildError::Address { .. })), "{error:?}");
}

#[tokio::test]
async fn everything_is_told_of_an_image_and_of_an_index() {
    let server = Server::start().await;
    let (client, pusher) = (server.client(), server.pusher());
    let config = json!({"created": "2026-01-02T03:04:05Z", "author": "us", "architecture": "arm", "variant": "v7",
        "os": "linux", "config": {"User": "101:0", "WorkingDir": "/srv", "Entrypoint": ["/bin/run", "it"],
        "Cmd": "old form", "Env": ["A=b"], "ExposedPorts": {"8080/tcp": {}, "53/udp": {}}, "Volumes": {"/data": {}},
        "Labels": {"x": "y"}},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "ADD base"},
            {"created_by": "ENV A=b", "empty_layer": true}, {"created_by": "RUN it"}]});
    let (base, run) = (b"base".to_vec(), b"what it made".to_vec());
    let (base_digest, run_digest) = (sha256(&base), sha256(&run));
    let arm = pusher.made("a/b", "arm", &config, vec![base, run]).await;
    let step = |created: &str, made_by: &str, layer: Option<(String, u64)>| ImageStep {
        created: created.to_owned(),
        made_by: made_by.to_owned(),
        layer,
    };
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let image = client.image("a/b", &arm).await.unwrap().unwrap();
    let expected = Image {
        digest: arm.clone(),
        media_type: MANIFEST.to_owned(),
        platforms: words(&["linux/arm/v7"]),
        runs_here: false,
        bytes: 16,
        created: "2026-01-02T03:04:05Z".to_owned(),
        author: "us".to_owned(),
        user: "101:0".to_owned(),
        working_dir: "/srv".to_owned(),
        entry_point: words(&["/bin/run", "it"]),
        command: words(&["old form"]),
        env: words(&["A=b"]),
        ports: words(&["53/udp", "8080/tcp"]),
        volumes: words(&["/data"]),
        labels: BTreeMap::from([("x".to_owned(), "y".to_owned())]),
        steps: vec![
            step("2026-01-01T00:00:00Z", "ADD base", Some((base_digest, 4))),
            step("", "ENV A=b", None),
            step("", "RUN it", Some((run_digest, 12))),
        ],
    };
    assert_eq!(image, expected);

    let here = pusher.image("a/b", "here", &labels("here")).await;
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let entry = |digest: &str, os: &str, architecture: &str| json!({"mediaType": MANIFEST, "digest": digest, "size": 1, "platform": {"architecture": architecture, "os": os}});
    let attestation = entry(&arm, "unknown", "unknown");
    let index = |entries| json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    let both = index(json!([attestation, entry(&arm, "linux", "arm"), entry(&here, "linux", processor)]));
    let digest = pusher.manifest("a/b", "both", INDEX, &both).await;
    let told = client.image("a/b", &digest).await.unwrap().unwrap();
    assert_eq!((told.digest, told.media_type.as_str()), (digest, INDEX));
    assert_eq!(told.platforms, ["linux/arm".to_owned(), format!("linux/{processor}")]);
    assert_eq!((told.runs_here, told.labels), (true, labels("here")));
    let other = index(json!([attestation, entry(&arm, "linux", "arm")]));
    let digest = pusher.manifest("a/b", "other", INDEX, &other).await;
    let told = client.image("a/b", &digest).await.unwrap().unwrap();
    assert_eq!((told.runs_here, told.platforms, told.author.as_str()), (false, words(&["linux/arm"]), "us"));
}

#[tokio::test]
async fn what_can_not_be_told_or_done_is_refused_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::special(folder, Special { no_delete: true, ..Special::default() }).await;
    let (client, pusher) = (server.client(), server.pusher());
    let digest = pusher.image("a/b", "1", &BTreeMap::new()).await;
    let refused = |error: PortError, word: &str| {
        assert!(matches!(&error, PortError::Refused { .. }), "{error:?}");
        assert!(error.chain().contains(word), "{}", error.chain());
    };
    refused(client.delete("a/b", &digest).await.unwrap_err(), "does not let images be deleted");
    let fake = FakeRegistry::new();
    fake.set_deletes(false);
    refused(Registry::delete(&fake, "a/b", &digest).await.unwrap_err(), "does not let images be deleted");
    for odd in ["../../x", "a//b", "", "a b", "a?x=1"] {
        refused(client.tags(odd).await.unwrap_err(), "no name that a registry can hold");
    }
    for odd in ["latest", "sha256:x", "../x"] {
        refused(client.image("a/b", odd).await.unwrap_err(), "no digest");
        refused(Registry::delete(&client, "a/b", odd).await.unwrap_err(), "no digest");
    }
    // A chart's configuration is none of an image.
    let config = json!({"name": "chart"}).to_string().into_bytes();
    let kind = "application/vnd.cncf.helm.config.v1+json";
    let manifest = "application/vnd.oci.image.manifest.v1+json";
    let body = json!({"schemaVersion": 2, "config": {"mediaType": kind, "size": config.len(), "digest": pusher.blob("c", config).await},
        "layers": []});
    let chart = pusher.manifest("c", "1", manifest, &body).await;
    let told = client.image("c", &chart).await.unwrap().unwrap();
    assert_eq!((told.platforms, told.runs_here, told.media_type.as_str()), (vec![], false, manifest));
    // The registry loses a configuration behind everybody's back.
    let named = pusher.send("GET", &format!("/v2/a/b/manifests/{digest}"), "text/plain", vec![]).await;
    let named: serde_json::Value = serde_json::from_slice(&named.bytes().await.unwrap()).unwrap();
    let hex = named["config"]["digest"].as_str().unwrap().trim_start_matches("sha256:");
    let link = format!("data/docker/registry/v2/repositories/a/b/_layers/sha256/{hex}/link");
    std::fs::remove_file(server.folder.path().join(link)).unwrap();
    refused(client.image("a/b", &digest).await.unwrap_err(), "is not there");
    assert_eq!(client.stacks().await.unwrap(), [], "it is left out there");
    // What answers is no registry.
    let app = axum::Router::new().fallback(|| async { "<html>welcome</html>" });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let page = RegistryClient::new(&RegistryConfig::at(&name)).unwrap();
    let error = page.image("a/b", &sha256(b"<html>welcome</html>")).await.unwrap_err();
    refused(error, "no manifest");
    let empty = axum::Router::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, empty).await.unwrap() });
    let nothing = RegistryClient::new(&RegistryConfig::at(&name)).unwrap();
    refused(nothing.repositories().await.unwrap_err(), "does not tell which repositories");
    refused(nothing.ping().await.unwrap_err(), "no registry");
}
