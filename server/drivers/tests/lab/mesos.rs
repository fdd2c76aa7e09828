//! A real Mesos 1.11.0 of a test's own: a master and agents, each a process that
//! can be killed and started anew with what it had on disk.
//!
//! What one could get wrong: tasks live in sessions of their own and outlive their
//! agent, as they should, so the end looks for every process whose environment
//! names this cluster's folder; a port that is free now may be taken a moment
//! later, so a server that ends at once is started again elsewhere; and a killed
//! server's port must still be free when it comes back, so ports are taken from
//! below those that the kernel gives to outgoing connections.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// Generous: other builds may run on the machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// What an agent is and has.
#[derive(Clone, Copy)]
pub struct AgentSpec {
    /// Host name.
    pub name: &'static str,
    /// `pool:one;rack:7`.
    pub attributes: &'static str,
    /// `cpus:2;mem:1024`.
    pub resources: &'static str,
}

struct Server {
    name: String,
    port: u16,
    env: Vec<(String, String)>,
    /// With the pipe whose end is the server's end, too, if this process is killed.
    running: Option<(Child, ChildStdin)>,
}

/// The cluster; dropping it ends all of it.
pub struct Mesos {
    folder: tempfile::TempDir,
    master: Server,
    /// Never started unless asked for.
    standby: Server,
    agents: Vec<Server>,
    basic: Option<(String, String)>,
}

fn built() -> PathBuf {
    let below = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = below("PADIS_TEST_MESOS").or_else(|| below("PADIS_CACHE").map(|c| c.join("mesos")));
    let server = folder.unwrap_or_else(|| root.join("target/mesos")).join("bin/mesos-server");
    assert!(server.exists(), "no {}: make it with `end2end/lab/mesos/build`", server.display());
    server
}

fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Each test program begins elsewhere; 32768 is where outgoing connections begin.
    let (first, count) = (12_000, 18_000);
    for _ in 0..count {
        let step = std::process::id().wrapping_mul(97).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(first + step % count).unwrap();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free")
}

/// Asks again until it holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Server {
    fn new(name: &str, env: &[(&str, &str)]) -> Self {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Self { name: name.to_owned(), port: free_port(), env, running: None }
    }

    fn start(&mut self, folder: &Path, args: &[&str]) {
        let log = File::options().create(true).append(true).open(folder.join(format!("{}.log", self.name))).unwrap();
        let work = folder.join(&self.name);
        std::fs::create_dir_all(&work).unwrap();
        let mut command = Command::new(built());
        command.args(args).env("LIBPROCESS_PORT", self.port.to_string()).env("MESOS_WORK_DIR", work);
        command.envs(self.env.iter().map(|(k, v)| (k, v))).stdin(Stdio::piped());
        let mut child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().expect("mesos-server starts");
        let pipe = child.stdin.take().unwrap();
        self.running = Some((child, pipe));
    }

    /// At once, as a machine that loses its power.
    fn kill(&mut self) {
        if let Some((mut child, _pipe)) = self.running.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    fn ended(&mut self) -> bool {
        self.running.as_mut().is_none_or(|(child, _)| child.try_wait().is_ok_and(|status| status.is_some()))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Mesos {
    /// Starts one; ready when all agents are registered.
    pub async fn start(agents: &[AgentSpec]) -> Self {
        Self::start_with(agents, &[], None).await
    }

    /// With flags of the master (`MESOS_…`) and the account that reads from it.
    pub async fn start_with(agents: &[AgentSpec], master: &[(&str, &str)], basic: Option<(&str, &str)>) -> Self {
        Self::start_flagged(agents, master, &[], basic).await
    }

    /// With flags of the agents, too.
    pub async fn start_flagged(
        agents: &[AgentSpec],
        master: &[(&str, &str)],
        of_agents: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Self {
        let agents = agents.iter().map(|a| {
            let env =
                [("MESOS_HOSTNAME", a.name), ("MESOS_ATTRIBUTES", a.attributes), ("MESOS_RESOURCES", a.resources)];
            Server::new(a.name, &[&env, of_agents].concat())
        });
        let mut this = Self {
            folder: tempfile::tempdir().unwrap(),
            master: Server::new("master", &[master, &[("MESOS_HOSTNAME", "127.0.0.1")]].concat()),
            standby: Server::new("standby", &[("MESOS_HOSTNAME", "127.0.0.1")]),
            agents: agents.collect(),
            basic: basic.map(|(user, password)| (user.to_owned(), password.to_owned())),
        };
        this.start_master().await;
        for at in 0..this.agents.len() {
            this.start_agent(at);
        }
        this.all_registered().await;
        this
    }

    /// The master's address.
    pub fn url(&self) -> String {
        self.master.url()
    }

    /// Starts a second master, which sends everybody to the first. Its address.
    pub async fn start_standby(&mut self) -> String {
        let leader = format!("127.0.0.1:{}", self.master.port);
        self.standby.start(self.folder.path(), &["master", &leader]);
        let client = padis_drivers::http::builder().build().unwrap();
        let url = self.standby.url();
        until("the standby knows the leader", async || {
            let answer = client.get(format!("{url}/master/state")).timeout(DEADLINE).send().await;
            answer.is_ok_and(|a| a.status().as_u16() == 307)
        })
        .await;
        url
    }

    /// The leader dies and the standby leads. Without ZooKeeper nobody tells the
    /// others, so they start anew, which their tasks do not notice.
    pub async fn fail_over(&mut self) {
        self.master.kill();
        self.standby.kill();
        std::mem::swap(&mut self.master, &mut self.standby);
        self.agents.iter_mut().for_each(Server::kill);
        self.start_master().await;
        for at in 0..self.agents.len() {
            self.start_agent(at);
        }
        self.all_registered().await;
    }

    /// Starts the master (again) with its registry; ready when it answers.
    pub async fn start_master(&mut self) {
        self.master.start(self.folder.path(), &["master"]);
        let client = padis_drivers::http::builder().build().unwrap();
        until("the master answers", async || {
            if self.master.ended() {
                self.master.port = free_port();
                self.master.start(self.folder.path(), &["master"]);
            }
            let answer = client.get(format!("{}/health", self.master.url())).timeout(DEADLINE).send().await;
            answer.is_ok_and(|a| a.status().is_success())
        })
        .await;
        for (child, _) in self.agents.iter().filter_map(|a| a.running.as_ref()) {
            // Else they would wait for the master's pings to stay away.
            signal(child.id(), rustix::process::Signal::HUP);
        }
    }

    /// Starts an agent (again) with its checkpoints.
    pub fn start_agent(&mut self, agent: usize) {
        let master = format!("127.0.0.1:{}", self.master.port);
        self.agents[agent].start(self.folder.path(), &["agent", &master]);
    }

    /// Kills one agent's process; its tasks live on.
    pub fn kill_agent(&mut self, agent: usize) {
        self.agents[agent].kill();
    }

    /// One agent says nothing any more, as behind a cut cable, or goes on.
    pub fn silence_agent(&mut self, agent: usize, silent: bool) {
        use rustix::process::Signal;
        if let Some((child, _)) = &self.agents[agent].running {
            signal(child.id(), if silent { Signal::STOP } else { Signal::CONT });
        }
    }

    /// Kills the master's process.
    pub fn kill_master(&mut self) {
        self.master.kill();
    }

    /// Waits until every agent is active.
    pub async fn all_registered(&mut self) {
        let client = padis_drivers::http::builder().build().unwrap();
        let (url, wanted) = (format!("{}/slaves", self.url()), self.agents.len());
        let (folder, master) = (self.folder.path().to_owned(), format!("127.0.0.1:{}", self.master.port));
        until("all agents are registered", async || {
            for agent in &mut self.agents {
                if agent.ended() {
                    agent.port = free_port();
                    agent.start(&folder, &["agent", &master]);
                }
            }
            let mut call = client.get(&url).timeout(DEADLINE);
            if let Some((user, password)) = &self.basic {
                call = call.basic_auth(user, Some(password));
            }
            let Ok(answer) = call.send().await else { return false };
            let state: serde_json::Value = answer.json().await.unwrap_or_default();
            let slaves = state["slaves"].as_array().map(Vec::as_slice).unwrap_or_default();
            slaves.iter().filter(|s| s["active"] == true).count() == wanted
        })
        .await;
    }
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) {
        // It may be gone already, and that is what is wanted.
        let _gone = rustix::process::kill_process(pid, signal);
    }
}

/// Executors and tasks: whoever's environment names the folder.
fn kill_all_of(folder: &Path) {
    let wanted = format!("{}/", folder.display());
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if pid != std::process::id() && String::from_utf8_lossy(&environment).contains(&wanted) {
            signal(pid, rustix::process::Signal::KILL);
        }
    }
}

/// The groups in which agents kept their containers, below all hierarchies; each goes when
/// the last process in it has ended.
fn remove_cgroups(name: &str) {
    fn removed(folder: &Path) -> bool {
        let inner = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut folders = inner.map(|e| e.path()).filter(|p| p.is_dir());
        folders.all(|p| removed(&p)) && (std::fs::remove_dir(folder).is_ok() || !folder.exists())
    }
    let hierarchies: Vec<_> = std::fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().collect();
    let end = Instant::now() + DEADLINE;
    while !hierarchies.iter().all(|h| removed(&h.path().join(name))) {
        if Instant::now() > end {
            println!("control groups {name} are left: something in them does not end");
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Mesos {
    fn drop(&mut self) {
        let servers = self.agents.iter_mut().chain([&mut self.master, &mut self.standby]);
        for server in servers {
            server.kill();
            if std::thread::panicking() {
                let log = std::fs::read_to_string(self.folder.path().join(format!("{}.log", server.name)));
                let log = log.unwrap_or_default();
                let lines: Vec<_> = log.lines().collect();
                println!("── {} (its last lines)\n{}", server.name, lines[lines.len().saturating_sub(40)..].join("\n"));
            }
        }
        kill_all_of(self.folder.path());
        for (_, root) in self.agents.iter().flat_map(|a| &a.env).filter(|(k, _)| k == "MESOS_CGROUPS_ROOT") {
            remove_cgroups(root);
        }
    }
}
