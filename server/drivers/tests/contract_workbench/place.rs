//! Where the contract is run: in memory, and on a Docker Engine with a registry of its own.

use super::world::{Pusher, Server, Special, sha256};
use super::{images, lab};
use async_trait::async_trait;
use padis_domain::ports::{Image, ImageStep, Registry, Workbench};
use padis_drivers::docker_at::DockerAt;
use padis_drivers::fake::{FakeRegistry, FakeWorkbench};
use padis_drivers::http::Auth;
use padis_drivers::registry::{RegistryClient, RegistryConfig};
use padis_drivers::workbench::{DockerWorkbench, WorkbenchConfig};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A place with images, in which workbenches can be worked with.
#[async_trait]
pub trait Place: Sync {
    fn workbench(&self) -> &dyn Workbench;
    fn registry(&self) -> &dyn Registry;
    fn host(&self) -> String {
        "host-a".to_owned()
    }
    /// What makes an id this place's.
    fn mark(&self) -> String;
    /// A base like [`images::config`] with `/etc/app.conf` (`plain`), `/srv/old` and
    /// `/srv/kept`; its repository has it under the tag `taken`.
    async fn base(&self) -> (String, String);
    /// One without a shell, in the same repository.
    async fn no_shell(&self) -> (String, String);
    async fn write(&self, id: &str, path: &str, content: &str);
    async fn remove(&self, id: &str, path: &str);
    async fn read(&self, id: &str, path: &str) -> Option<String>;
    async fn stop(&self, id: &str);
}

const REPOSITORY: &str = "stacks/base";

pub struct Fake {
    registry: Arc<FakeRegistry>,
    workbench: FakeWorkbench,
}

impl Fake {
    pub fn new() -> Self {
        let registry = Arc::new(FakeRegistry::new());
        let workbench = FakeWorkbench::new(Arc::clone(&registry), ["host-a", "host-b"]);
        Self { registry, workbench }
    }
}

#[async_trait]
impl Place for Fake {
    fn workbench(&self) -> &dyn Workbench {
        &self.workbench
    }
    fn registry(&self) -> &dyn Registry {
        &*self.registry
    }
    fn mark(&self) -> String {
        "fake".to_owned()
    }
    async fn base(&self) -> (String, String) {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let digest = sha256(b"base");
        let image = Image {
            digest: digest.clone(),
            runs_here: true,
            entry_point: words(&["/bin/sh", "-c"]),
            command: words(&["exec sleep 1000"]),
            user: "1000:1000".to_owned(),
            working_dir: "/srv".to_owned(),
            env: words(&["PATH=/opt/tool/bin:/bin", "MODE=base"]),
            ports: words(&["80/tcp"]),
            labels: ["kept", "taken"].map(|l| (l.to_owned(), "yes".to_owned())).into(),
            steps: vec![ImageStep { layer: Some((sha256(b"layer"), 5)), ..ImageStep::default() }],
            ..Image::default()
        };
        self.registry.put_image(REPOSITORY, "taken", image);
        let files: [(&str, &[u8]); 4] =
            [("/bin/sh", b"sh"), ("/etc/app.conf", b"plain"), ("/srv/old", b"old"), ("/srv/kept", b"kept")];
        self.workbench.set_image(&digest, files);
        (REPOSITORY.to_owned(), digest)
    }
    async fn no_shell(&self) -> (String, String) {
        let digest = sha256(b"bare");
        self.registry.put_image(REPOSITORY, "bare", Image { digest: digest.clone(), ..Image::default() });
        self.workbench.set_no_shell(&digest);
        (REPOSITORY.to_owned(), digest)
    }
    async fn write(&self, id: &str, path: &str, content: &str) {
        assert!(self.workbench.write(id, path, content.as_bytes()));
    }
    async fn remove(&self, id: &str, path: &str) {
        assert!(self.workbench.remove(id, path));
    }
    async fn read(&self, id: &str, path: &str) -> Option<String> {
        self.workbench.read(id, path).map(|bytes| String::from_utf8(bytes).unwrap())
    }
    async fn stop(&self, id: &str) {
        self.workbench.stop(id);
    }
}

pub struct Real {
    pub server: Server,
    pub pusher: Pusher,
    pub registry: Arc<RegistryClient>,
    pub workbench: DockerWorkbench,
    /// The engine's socket.
    docker: String,
    mark: String,
}

/// A container of a workbench.
pub fn container(id: &str) -> String {
    format!("padis-bench-{id}")
}

impl Real {
    /// The lab's engine, as two hosts, and a registry that wants an account.
    pub async fn start() -> Self {
        Self::with(&lab::endpoint(), &DockerAt::new(lab::endpoint())).await
    }
    /// The engine with that socket, which is worked with as it is reached at `at`.
    pub async fn with(docker: &str, at: &DockerAt) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("htpasswd");
        // bcrypt of "secret", made with crypt(3).
        std::fs::write(&file, "ci:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n").unwrap();
        let auth = format!("auth: {{htpasswd: {{realm: r, path: {}}}}}", file.display());
        let server = Server::special(folder, Special { auth: &auth, ..Special::default() }).await;
        let auth = Auth::Basic { user: "ci".to_owned(), password: "secret".to_owned() };
        let name = server.address.to_string();
        let config = RegistryConfig { auth: auth.clone(), ..RegistryConfig::at(&name) };
        let registry = Arc::new(RegistryClient::new(&config).unwrap());
        let workbench = Self::reached(at, &name, auth, &registry);
        let pusher = Pusher::new(server.address, Some(("ci", "secret")));
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self { server, pusher, registry, workbench, docker: docker.to_owned(), mark }
    }
    pub fn on(docker: &str, registry: &str, auth: Auth, client: &Arc<RegistryClient>) -> DockerWorkbench {
        Self::reached(&DockerAt::new(docker), registry, auth, client)
    }
    pub fn reached(at: &DockerAt, registry: &str, auth: Auth, client: &Arc<RegistryClient>) -> DockerWorkbench {
        let hosts: BTreeMap<_, _> = ["host-a", "host-b"].map(|h| (h.to_owned(), at.clone())).into();
        let config = WorkbenchConfig { hosts, registry: registry.to_owned(), auth };
        DockerWorkbench::new(&config, Arc::clone(client) as Arc<dyn Registry>).unwrap()
    }
    /// The docker command line on its engine; panics with its words if it fails.
    pub fn docker(&self, args: &[&str]) -> String {
        let out = Command::new("docker").args(["-H", &self.docker]).args(args).output().unwrap();
        assert!(out.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }
    /// [`inside`] on its engine.
    pub fn inside(&self, id: &str, command: &[&str]) -> Option<String> {
        inside_of(&self.docker, id, command)
    }
    /// What the registry has of a digest's configuration.
    pub async fn raw(&self, repository: &str, digest: &str) -> Value {
        let get = async |url: String| {
            let bytes = self.pusher.send("GET", &url, "text/plain", vec![]).await.bytes().await.unwrap();
            serde_json::from_slice::<Value>(&bytes).unwrap()
        };
        let manifest = get(format!("/v2/{repository}/manifests/{digest}")).await;
        get(format!("/v2/{repository}/blobs/{}", manifest["config"]["digest"].as_str().unwrap())).await
    }
}

/// A command in a container on the lab's engine as root; what it says, if it succeeds.
pub fn inside(id: &str, command: &[&str]) -> Option<String> {
    inside_of(&lab::endpoint(), id, command)
}

fn inside_of(engine: &str, id: &str, command: &[&str]) -> Option<String> {
    let mut docker = Command::new("docker");
    docker.args(["-H", engine, "exec", "-u", "0", "-w", "/", &container(id)]).args(command);
    let out = docker.output().unwrap();
    out.status.success().then(|| String::from_utf8(out.stdout).unwrap())
}

#[async_trait]
impl Place for Real {
    fn workbench(&self) -> &dyn Workbench {
        &self.workbench
    }
    fn registry(&self) -> &dyn Registry {
        &*self.registry
    }
    fn mark(&self) -> String {
        self.mark.clone()
    }
    async fn base(&self) -> (String, String) {
        let digest = images::push(&self.pusher, REPOSITORY, "taken", images::config(), images::system()).await;
        (REPOSITORY.to_owned(), digest)
    }
    async fn no_shell(&self) -> (String, String) {
        let digest = images::push(&self.pusher, REPOSITORY, "bare", images::config(), images::bare()).await;
        (REPOSITORY.to_owned(), digest)
    }
    async fn write(&self, id: &str, path: &str, content: &str) {
        let folder = &path[..path.rfind('/').unwrap().max(1)];
        let script = "mkdir -p \"$1\" && printf %s \"$3\" >\"$2\"";
        assert!(self.inside(id, &["sh", "-c", script, "write", folder, path, content]).is_some());
    }
    async fn remove(&self, id: &str, path: &str) {
        assert!(self.inside(id, &["rm", "-r", path]).is_some());
    }
    async fn read(&self, id: &str, path: &str) -> Option<String> {
        self.inside(id, &["cat", path])
    }
    async fn stop(&self, id: &str) {
        self.docker(&["stop", "-t", "20", &container(id)]);
    }
}
