//! An engine of the test's own that is killed in the middle of a push.

use super::images;
use super::place::{Real, container};
use super::proxy::{self, Does, Plan, Way};
use super::world::Server;
use super::{commit, until};
use padis_domain::ports::{BenchSpec, CommitStep, PortError, Registry, Workbench};
use padis_drivers::http::Auth;
use padis_drivers::registry::{RegistryClient, RegistryConfig};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// A Docker Engine beside the lab's, with a bridge of its own: it would take that of the lab's for
/// its own, and without any it would remove it.
pub struct Engine {
    folder: tempfile::TempDir,
    daemon: Child,
    /// What it is started with beside the usual.
    more: Vec<String>,
    /// The bridge's name, and the third byte of its addresses.
    bridge: (String, u32),
}

fn bridge() -> (String, u32) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    (format!("bn{}x{n}", std::process::id()), n)
}

fn ip(args: &[&str]) {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    assert!(Command::new("ip").env("PATH", path).args(args).status().unwrap().success());
}

impl Engine {
    pub async fn start() -> Self {
        Self::with(Vec::new()).await
    }
    pub async fn with(more: Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bridge = bridge();
        ip(&["link", "add", &bridge.0, "type", "bridge"]);
        ip(&["addr", "add", &format!("10.253.{}.1/24", bridge.1), "dev", &bridge.0]);
        let daemon = Self::daemon(folder.path(), &bridge.0, &more);
        let engine = Self { folder, daemon, more, bridge };
        engine.answers().await;
        engine
    }
    fn daemon(folder: &Path, bridge: &str, more: &[String]) -> Child {
        let at = |name: &str| folder.join(name).display().to_string();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(at("log")).unwrap();
        Command::new("dockerd")
            .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap()))
            .args(["--data-root", &at("data"), "--exec-root", &at("exec"), "--pidfile", &at("pid")])
            .args(["-H", &format!("unix://{}", at("docker.sock")), "--exec-opt", "native.cgroupdriver=cgroupfs"])
            .args(["--bridge", bridge, "--iptables=false", "--insecure-registry", "127.0.0.0/8"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }
    async fn answers(&self) {
        until("the engine answers", async || self.docker(&["version"]).is_some()).await;
    }
    pub fn docker(&self, args: &[&str]) -> Option<String> {
        let out = Command::new("docker").args(["-H", &self.endpoint()]).args(args).output().unwrap();
        out.status.success().then(|| String::from_utf8(out.stdout).unwrap().trim().to_owned())
    }
    pub fn kill(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
    }
    pub async fn again(&mut self) {
        // Else it waits for a containerd that it takes for its own.
        let _gone = std::fs::remove_file(self.folder.path().join("exec/containerd/containerd.pid"));
        let _gone = std::fs::remove_file(self.folder.path().join("pid"));
        self.daemon = Self::daemon(self.folder.path(), &self.bridge.0, &self.more);
        self.answers().await;
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It ends its containers and containerd itself, if it is asked to.
        let pid = rustix::process::Pid::from_child(&self.daemon);
        let _asked = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ended = self.daemon.wait();
        ip(&["link", "del", &self.bridge.0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_dies_in_a_push_leaves_nothing_half_and_does_it_later() {
    let server = Server::start().await;
    let digest = images::push(&server.pusher(), "stacks/base", "1", images::config(), images::system()).await;
    // It holds back what a push sends of the layer, once.
    let plan = Plan { does: Does::Hold, way: Way::Up, after: 2_000_000, times: 1, no_ranges: false };
    let between = proxy::before(server.address, plan).await;
    let mut engine = Engine::start().await;
    let registry = Arc::new(RegistryClient::new(&RegistryConfig::at(&server.address.to_string())).unwrap());
    let workbench = Real::on(&engine.endpoint(), &between.address.to_string(), Auth::None, &registry);
    let bench = BenchSpec {
        id: "survives".to_owned(),
        host: "host-a".to_owned(),
        repository: "stacks/base".to_owned(),
        digest,
        cpu_milli: 1000,
        mem_mib: 128,
    };
    workbench.put(&bench).await.unwrap();
    let fill = "dd if=/dev/urandom of=/opt bs=1048576 count=12 && rm /srv/old";
    engine.docker(&["exec", "-u", "0", &container("survives"), "sh", "-c", fill]).unwrap();
    let before = engine.docker(&["images", "-aq"]).unwrap();

    let wanted = commit(&bench, "made/survives", "1");
    let steps = Mutex::new(Vec::new());
    let tell = |step| steps.lock().unwrap().push(step);
    let kill = async {
        between.done.notified().await;
        engine.kill();
    };
    let (cut, ()) = tokio::join!(workbench.commit(&wanted, &tell), kill);
    let error = cut.unwrap_err();
    assert!(matches!(error, PortError::Unknown { .. } | PortError::Transient { .. }), "{error:?}");
    assert_eq!(steps.lock().unwrap().first(), Some(&CommitStep::Kept));
    assert_eq!(registry.digest("made/survives", "1").await.unwrap(), None);
    let error = workbench.commit(&wanted, &|_| ()).await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");

    engine.again().await;
    assert_ne!(engine.docker(&["images", "-aq"]).unwrap(), before, "the cut-off call has left its image");
    // The container ended with its engine; what was changed in it did not. A commit starts it by itself.
    let seen = workbench.list().await.unwrap();
    assert_eq!((seen.len(), seen[0].running), (1, false));
    let made = workbench.commit(&wanted, &|_| ()).await.unwrap();
    assert_eq!(registry.digest("made/survives", "1").await.unwrap(), Some(made.clone()));
    assert_eq!(engine.docker(&["images", "-aq"]).unwrap(), before, "and the next has taken it away");
    let next = BenchSpec { id: "next".to_owned(), repository: "made/survives".to_owned(), digest: made, ..bench };
    workbench.put(&next).await.unwrap();
    let look = "[ ! -e /srv/old ] && dd if=/opt of=/dev/null bs=1048576 2>&1";
    let told = engine.docker(&["exec", "-u", "0", &container("next"), "sh", "-c", look]).unwrap();
    assert!(told.contains("12+0 records in"), "{told}");
    assert_eq!(workbench.changes("host-a", "next", 10).await.unwrap().rows, []);
    for id in ["survives", "next"] {
        workbench.delete("host-a", id).await.unwrap();
    }
}
