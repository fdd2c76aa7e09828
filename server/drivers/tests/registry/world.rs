//! Real registries for the suites: Debian's `docker-registry` with a configuration of the
//! test's own, and somebody who pushes to it by plain HTTP, independent of our client.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use padis_drivers::child::{Child, Spec};
use padis_drivers::registry::{RegistryClient, RegistryConfig};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

pub const DEADLINE: Duration = Duration::from_secs(10);
pub const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
pub const CONFIG: &str = "application/vnd.docker.container.image.v1+json";

pub fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>())
}

/// Bytes that nothing compresses, the same ones for the same seed (xorshift).
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(length);
    out
}

/// The labels of a complete contract.
pub fn labels(name: &str) -> BTreeMap<String, String> {
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

/// A registry with a configuration of the test's own.
pub struct Server {
    pub address: SocketAddr,
    pub child: Child,
    pub folder: tempfile::TempDir,
}

/// What is special about it; each is a piece of YAML in one line, or nothing.
#[derive(Default)]
pub struct Special<'a> {
    pub auth: &'a str,
    pub no_delete: bool,
    /// It remembers in memory what it has, as Debian's own configuration says.
    pub cache: bool,
    /// MiB of a disk of its own.
    pub disk: Option<u32>,
}

impl Server {
    pub async fn start() -> Self {
        Self::special(tempfile::tempdir().unwrap(), Special::default()).await
    }

    pub async fn special(folder: tempfile::TempDir, special: Special<'_>) -> Self {
        let address = free_port();
        let file = |name: &str| folder.path().join(name).display().to_string();
        std::fs::create_dir_all(file("data")).unwrap();
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"{address}\", secret: s}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: {}}}{}}}\n{}\n",
            file("data"),
            !special.no_delete,
            if special.cache { ", cache: {blobdescriptor: inmemory}" } else { "" },
            special.auth
        );
        std::fs::write(file("config.yml"), config).unwrap();
        let serve = format!("exec docker-registry serve {}", file("config.yml"));
        let spec = match special.disk {
            None => Spec::new("registry", "docker-registry", folder.path()).args(["serve", &file("config.yml")]),
            // A mount that nobody else sees and that ends with the process.
            Some(mib) => {
                let mount = format!("mount -t tmpfs -o size={mib}m none {} && {serve}", file("data"));
                Spec::new("registry", "unshare", folder.path()).args(["-m", "sh", "-c", &mount])
            }
        };
        let spec = spec.ready(move || async move { tokio::net::TcpStream::connect(address).await.is_ok() });
        let child = Child::spawn(spec).await.unwrap();
        child.ready(DEADLINE).await.unwrap();
        Self { address, child, folder }
    }

    pub fn client(&self) -> RegistryClient {
        RegistryClient::new(&RegistryConfig::at(&self.address.to_string())).unwrap()
    }

    pub fn pusher(&self) -> Pusher {
        Pusher::new(self.address, None)
    }
}

/// Somebody who pushes to a registry by plain HTTP.
pub struct Pusher {
    http: reqwest::Client,
    base: String,
    user: Option<(&'static str, &'static str)>,
}

impl Pusher {
    pub fn new(address: SocketAddr, user: Option<(&'static str, &'static str)>) -> Self {
        // Loopback only; the process may have no default provider for TLS yet.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap();
        Self { http, base: format!("http://{address}"), user }
    }
    pub async fn send(&self, method: &str, url: &str, kind: &str, body: Vec<u8>) -> reqwest::Response {
        let answer = self.try_send(method, url, kind, body).await;
        assert!(answer.status().is_success(), "{method} {url}: {}", answer.status());
        answer
    }
    pub async fn try_send(&self, method: &str, url: &str, kind: &str, body: Vec<u8>) -> reqwest::Response {
        let url = if url.starts_with('/') { format!("{}{url}", self.base) } else { url.to_owned() };
        let mut call = self.http.request(method.parse().unwrap(), url).header("content-type", kind).body(body);
        if let Some((user, password)) = self.user {
            call = call.basic_auth(user, Some(password));
        }
        call.header("accept", format!("{MANIFEST}, {INDEX}")).send().await.unwrap()
    }
    pub async fn blob(&self, repository: &str, bytes: Vec<u8>) -> String {
        let digest = sha256(&bytes);
        let begun = self.send("POST", &format!("/v2/{repository}/blobs/uploads/"), "text/plain", vec![]).await;
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let url = format!("{place}{}digest={digest}", if place.contains('?') { '&' } else { '?' });
        self.send("PUT", &url, "application/octet-stream", bytes).await;
        digest
    }
    pub async fn manifest(&self, repository: &str, reference: &str, kind: &str, body: &Value) -> String {
        let bytes = body.to_string().into_bytes();
        let digest = sha256(&bytes);
        self.send("PUT", &format!("/v2/{repository}/manifests/{reference}"), kind, bytes).await;
        digest
    }
    /// Its digest.
    pub async fn image(&self, repository: &str, tag: &str, labels: &BTreeMap<String, String>) -> String {
        let layer = format!("layer of {repository}:{tag}").into_bytes();
        self.made(repository, tag, &config(labels), vec![layer]).await
    }
    /// An image of this configuration and these layers; its digest.
    pub async fn made(&self, repository: &str, tag: &str, config: &Value, layers: Vec<Vec<u8>>) -> String {
        let config = config.to_string().into_bytes();
        let size = config.len();
        let config = json!({"mediaType": CONFIG, "size": size, "digest": self.blob(repository, config).await});
        let mut named = Vec::new();
        for layer in layers {
            let size = layer.len();
            named.push(json!({"mediaType": LAYER, "size": size, "digest": self.blob(repository, layer).await}));
        }
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": named});
        self.manifest(repository, tag, MANIFEST, &manifest).await
    }
}

/// A configuration with these labels.
pub fn config(labels: &BTreeMap<String, String>) -> Value {
    json!({"created": "2026-11-22T08:00:00Z", "architecture": "amd64", "os": "linux",
        "config": {"Labels": labels}, "rootfs": {"type": "layers", "diff_ids": []}})
}
