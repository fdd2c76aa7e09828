//! The contract of the Registry port, run against the fake and against Debian's
//! `docker-registry` as our child, filled over plain HTTP on loopback.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use async_trait::async_trait;
use padis_domain::ports::{PortError, Registry, StackImage};
use padis_drivers::child::{Child, ChildError, Spec};
use padis_drivers::fake::FakeRegistry;
use padis_drivers::http::Auth;
use padis_drivers::registry::{RegistryChild, RegistryChildConfig, RegistryChildError, RegistryClient, RegistryConfig};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(10);

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>())
}

/// The labels of a complete contract.
fn labels(name: &str) -> BTreeMap<String, String> {
    let pairs = [
        ("name", name),
        ("title.en", "Web site"),
        ("title.zh", "网站"),
        ("version", "1.22"),
        ("kinds", "zip,tar.gz"),
        ("form", "tree"),
        ("package", "/srv/site"),
        ("port", "8080"),
        ("logs", "/var/log/nginx"),
        ("health", "/"),
        ("uid", "101"),
        ("min-mem-mib", "32"),
        ("start-s", "1"),
    ];
    pairs.iter().map(|(k, v)| (format!("io.padis.stack.{k}"), (*v).to_owned())).collect()
}

/// Somebody who pushes to a registry by plain HTTP.
struct Pusher {
    http: reqwest::Client,
    base: String,
    user: Option<(&'static str, &'static str)>,
}

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Pusher {
    fn new(address: SocketAddr, user: Option<(&'static str, &'static str)>) -> Self {
        // Loopback only; the process may have no default provider for TLS yet.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap();
        Self { http, base: format!("http://{address}"), user }
    }
    async fn send(&self, method: &str, url: &str, kind: &str, body: Vec<u8>) -> reqwest::Response {
        let url = if url.starts_with('/') { format!("{}{url}", self.base) } else { url.to_owned() };
        let mut call = self.http.request(method.parse().unwrap(), url).header("content-type", kind).body(body);
        if let Some((user, password)) = self.user {
            call = call.basic_auth(user, Some(password));
        }
        let answer = call.send().await.unwrap();
        assert!(answer.status().is_success(), "{method}: {}", answer.status());
        answer
    }
    async fn blob(&self, repository: &str, bytes: Vec<u8>) -> String {
        let digest = sha256(&bytes);
        let begun = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), "text/plain", vec![]).await;
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let url = format!("{place}{}digest={digest}", if place.contains('?') { '&' } else { '?' });
        self.send("PUT", &url, "application/octet-stream", bytes).await;
        digest
    }
    async fn manifest(&self, repository: &str, reference: &str, kind: &str, body: &Value) -> String {
        let bytes = body.to_string().into_bytes();
        let digest = sha256(&bytes);
        self.send("PUT", &format!("/v2/{repository}/manifests/{reference}"), kind, bytes).await;
        digest
    }
    async fn image(&self, repository: &str, tag: &str, labels: &BTreeMap<String, String>) -> String {
        let layer = format!("layer of {repository}:{tag}").into_bytes();
        let config = json!({"created": "2026-11-22T08:00:00Z", "architecture": "amd64", "os": "linux",
            "config": {"Labels": labels}, "rootfs": {"type": "layers", "diff_ids": []}});
        let config = config.to_string().into_bytes();
        let (config_size, layer_size) = (config.len(), layer.len());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": config_size,
                "digest": self.blob(repository, config).await},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": layer_size,
                "digest": self.blob(repository, layer).await}]
        });
        self.manifest(repository, tag, MANIFEST, &manifest).await
    }
}

/// A registry that can be filled.
#[async_trait]
trait Shelf: Sync {
    fn registry(&self) -> &dyn Registry;
    /// Pushes an image with these labels and gives its digest.
    async fn push(&self, repository: &str, tag: &str, labels: BTreeMap<String, String>) -> String;
    async fn delete(&self, repository: &str, digest: &str);
}

#[async_trait]
impl Shelf for FakeRegistry {
    fn registry(&self) -> &dyn Registry {
        self
    }
    async fn push(&self, repository: &str, tag: &str, labels: BTreeMap<String, String>) -> String {
        let digest = sha256(format!("{repository}:{tag}{labels:?}").as_bytes());
        // What carries no sound contract is not shown, so the fake does not even take it.
        if let Ok(contract) = padis_domain::stack::Contract::from_labels(&labels) {
            self.put(StackImage {
                repository: repository.to_owned(),
                tag: tag.to_owned(),
                image: format!("127.0.0.1:5000/{repository}@{digest}"),
                digest: digest.clone(),
                bytes: 1,
                created: "2026-11-22T08:00:00Z".to_owned(),
                contract,
                labels,
            });
        }
        digest
    }
    async fn delete(&self, _repository: &str, digest: &str) {
        self.remove(digest);
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
        let config = RegistryChildConfig { folder: folder.path().to_owned(), listen };
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
    async fn delete(&self, repository: &str, digest: &str) {
        self.pusher.send("DELETE", &format!("/v2/{repository}/manifests/{digest}"), "text/plain", vec![]).await;
    }
}

async fn contract(shelf: &dyn Shelf) {
    let registry = shelf.registry();
    registry.ping().await.unwrap();
    assert_eq!(registry.stacks().await.unwrap(), []);

    let nginx = shelf.push("stacks/nginx", "1.22", labels("nginx")).await;
    let tomcat = shelf.push("stacks/tomcat", "10", labels("tomcat")).await;
    shelf.push("tools/builder", "1", BTreeMap::new()).await;
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

    // A tag that is pushed again names another image from then on.
    let mut changed = labels("nginx");
    changed.insert("io.padis.stack.version".to_owned(), "1.26".to_owned());
    let newer = shelf.push("stacks/nginx", "1.22", changed).await;
    assert_ne!(newer, nginx);
    let stacks = registry.stacks().await.unwrap();
    let nginx = stacks.iter().find(|s| s.repository == "stacks/nginx").unwrap();
    assert_eq!((nginx.digest.as_str(), nginx.contract.version.as_str()), (newer.as_str(), "1.26"));

    assert!(registry.has("stacks/tomcat", &tomcat).await.unwrap());
    shelf.delete("stacks/tomcat", &tomcat).await;
    assert!(!registry.has("stacks/tomcat", &tomcat).await.unwrap());
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
    let config = RegistryChildConfig { folder: folder.path().to_owned(), listen: other.local_addr().unwrap() };
    let Err(error) = RegistryChild::start(&config).await else { panic!("started on a port in use") };
    assert!(matches!(error, RegistryChildError::Child(ChildError::Address { .. })), "{error:?}");
}

#[tokio::test]
async fn a_registry_with_accounts_wants_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let listen = free_port();
    let file = |name: &str| folder.path().join(name).display().to_string();
    // bcrypt of "secret", made with crypt(3).
    std::fs::write(file("htpasswd"), "ci:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n").unwrap();
    let config = format!(
        "version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: {listen}, secret: s}}\n\
         auth: {{htpasswd: {{realm: r, path: {}}}}}\n",
        file("data"),
        file("htpasswd")
    );
    std::fs::write(file("config.yml"), config).unwrap();
    let spec = Spec::new("registry", "docker-registry", folder.path())
        .args(["serve", &file("config.yml")])
        .ready(move || async move { tokio::net::TcpStream::connect(listen).await.is_ok() });
    let child = Child::spawn(spec).await.unwrap();
    child.ready(DEADLINE).await.unwrap();
    Pusher::new(listen, Some(("ci", "secret"))).image("stacks/nginx", "1", &labels("nginx")).await;
    let as_whom =
        |auth: Auth| RegistryClient::new(&RegistryConfig { auth, ..RegistryConfig::at(&listen.to_string()) }).unwrap();
    let basic = |password: &str| Auth::Basic { user: "ci".to_owned(), password: password.to_owned() };
    assert_eq!(as_whom(basic("secret")).stacks().await.unwrap().len(), 1);
    for stranger in [Auth::None, basic("wrong-one")] {
        let error = as_whom(stranger).stacks().await.unwrap_err();
        assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
        assert!(!error.chain().contains("wrong-one"), "a password in an error: {}", error.chain());
    }
    child.stop().await;
}
