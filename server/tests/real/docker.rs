//! The Docker Engine freezes and dies under the running portal. A `dockerd` of the
//! test's own, in the laboratory's namespace: the laboratory's is everybody's.

use super::Outcome;
use crate::portal::Portal;
use crate::world::{
    allocated, containers_on, docker, exactly, instances, is_gone, lab, make_pool, rail, signal, small_site, system,
    test,
};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// A page of this many milliseconds is felt; a debug build on a busy machine is slow as it is.
const FAST: Duration = Duration::from_millis(1_500);

/// The pool's /24 on the second engine: two bridges in one namespace can't share one.
const NET: &str = "10.210.48";

/// The second engine's default bridge; nothing is attached to it.
const BRIDGE: &str = "padis-second";

async fn ip(args: &[&str]) -> Outcome<()> {
    let done = Command::new("ip").args(args).output().await?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    if done.status.success() { Ok(()) } else { Err(format!("ip {args:?}: {said}").into()) }
}

/// `containerd` and `dockerd` apart, as Debian runs them.
struct Engine {
    folder: PathBuf,
    containerd: Child,
    process: Child,
}

fn daemon(folder: &Path, program: &str, args: &[String]) -> Outcome<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join(format!("{program}.log")))?;
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    Ok(command.spawn()?)
}

fn dockerd(folder: &Path) -> Outcome<Child> {
    let at = |name: &str| folder.join(name).display().to_string();
    // With a bridge of its own and without rules it does not meet the laboratory's engine.
    // Not `none`: at its start an engine without a bridge removes everybody's `docker0`.
    let args = [
        format!("--data-root={}", at("data")),
        format!("--exec-root={}", at("exec")),
        format!("--pidfile={}", at("pid")),
        format!("--host=unix://{}", at("sock")),
        format!("--containerd={}", at("containerd.sock")),
        "--exec-opt=native.cgroupdriver=cgroupfs".to_owned(),
        "--insecure-registry=127.0.0.0/8".to_owned(),
        format!("--bridge={BRIDGE}"),
        "--iptables=false".to_owned(),
    ];
    daemon(folder, "dockerd", &args)
}

impl Engine {
    async fn start(folder: PathBuf) -> Outcome<Self> {
        std::fs::create_dir_all(&folder)?;
        let at = |name: &str| folder.join(name).display().to_string();
        std::fs::write(
            folder.join("containerd.toml"),
            "version = 2\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n",
        )?;
        let args = [
            format!("--config={}", at("containerd.toml")),
            format!("--root={}", at("root")),
            format!("--state={}", at("state")),
            format!("--address={}", at("containerd.sock")),
        ];
        ip(&["link", "add", BRIDGE, "type", "bridge"]).await?;
        ip(&["addr", "add", "172.29.250.1/24", "dev", BRIDGE]).await?;
        ip(&["link", "set", BRIDGE, "up"]).await?;
        let containerd = daemon(&folder, "containerd", &args)?;
        let process = dockerd(&folder)?;
        let it = Self { folder, containerd, process };
        it.until_ready().await?;
        Ok(it)
    }

    fn socket(&self) -> String {
        format!("unix://{}", self.folder.join("sock").display())
    }

    fn pid(&self) -> Outcome<String> {
        Ok(self.process.id().ok_or("dockerd has ended")?.to_string())
    }

    async fn until_ready(&self) -> Outcome<()> {
        let end = Instant::now() + Duration::from_secs(60);
        while docker(&self.socket(), &["version"]).await.is_err() {
            if Instant::now() > end {
                let log = std::fs::read_to_string(self.folder.join("dockerd.log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(5).collect();
                return Err(format!("dockerd does not answer: {tail:#?}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn restart(&mut self) -> Outcome<()> {
        self.process = dockerd(&self.folder)?;
        self.until_ready().await
    }

    async fn stop(mut self) -> Outcome<()> {
        docker(&self.socket(), &["network", "rm", "padis-sf-dev"]).await?;
        for process in [&mut self.process, &mut self.containerd] {
            signal(&process.id().ok_or("ended")?.to_string(), "TERM").await?;
            let _ = tokio::time::timeout(Duration::from_secs(20), process.wait()).await;
        }
        ip(&["link", "del", BRIDGE]).await
    }
}

/// Everybody's pages, one after another; the slowest.
async fn slowest_page(p: &Portal) -> Outcome<Duration> {
    let mut slowest = Duration::ZERO;
    for path in
        ["/", "/applications", "/applications/default/calm", "/addresses/sf-dev", "/admin/systems", "/activity/work"]
    {
        for _ in 0..3 {
            let began = Instant::now();
            let answer = p.get(path).await?;
            let status = answer.status();
            answer.bytes().await?;
            if !status.is_success() {
                return Err(format!("{path}: {status}").into());
            }
            slowest = slowest.max(began.elapsed());
        }
    }
    Ok(slowest)
}

async fn tasks(p: &Portal, name: &str) -> Outcome<Vec<String>> {
    let mut all: Vec<String> =
        instances(p, name).await?.iter().filter_map(|i| i["task_id"].as_str().map(str::to_owned)).collect();
    all.sort();
    Ok(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_frozen_and_killed_under_the_portal() {
    test("docker", async |place| {
        let mut engine = Engine::start(lab().join("d2")).await?;
        let socket = engine.socket();
        let agent = "[{ name = \"second\", attributes = { rack = \"b\" }, share = 0.5 }]";
        let more = [("PADIS_DOCKER_SOCKET", socket.clone()), ("PADIS_ENGINE_AGENTS", agent.to_owned())];
        let mut p = Portal::launch_with(place, &more).await?;
        p.furnish(place).await?;
        make_pool(&p, "rack=b", NET).await?;
        let package = small_site(&p).await?;
        // Refused until the pool's host has been seen.
        p.until("the form is taken", 30, async |p| p.go_online("calm", &package, 2).await.map(|()| true)).await?;
        exactly(&p, &socket, "calm", 2, 60).await?;
        let before = (tasks(&p, "calm").await?, containers_on(&socket, "calm", true).await?);

        // Frozen: it takes connections and does not answer.
        signal(&engine.pid()?, "STOP").await?;
        let began = Instant::now();
        p.go_online("late", &package, 1).await?;
        assert!(began.elapsed() < FAST * 3, "an intent waits for nobody: {:?}", began.elapsed());
        p.until("the systems page says so", 40, async |p| Ok(system(p, "docker").await?["up"] == false)).await?;
        let mut said = String::new();
        p.until("the rail says what it waits for", 60, async |p| {
            said = rail(p, "late", 1).await?;
            Ok(said.contains("unavailable") && said.contains("docker"))
        })
        .await
        .map_err(|e| format!("{e}: {said}"))?;
        let slowest = slowest_page(&p).await?;
        assert!(slowest < FAST, "a page took {slowest:?} while Docker was frozen");
        assert!(p.answers("calm").await, "what runs is served");
        signal(&engine.pid()?, "CONT").await?;
        exactly(&p, &socket, "late", 1, 90).await?;
        exactly(&p, &socket, "calm", 2, 30).await?;
        let after = (tasks(&p, "calm").await?, containers_on(&socket, "calm", true).await?);
        assert_eq!(after, before, "the same instances: silence is no death");

        // Killed: nobody is behind the socket. Its containers end with its return.
        engine.process.kill().await?;
        p.until("the systems page says so", 40, async |p| Ok(system(p, "docker").await?["up"] == false)).await?;
        let slowest = slowest_page(&p).await?;
        assert!(slowest < FAST, "a page took {slowest:?} while Docker was gone");
        engine.restart().await?;
        exactly(&p, &socket, "calm", 2, 90).await?;
        exactly(&p, &socket, "late", 1, 60).await?;
        p.until("the systems page says so", 40, async |p| Ok(system(p, "docker").await?["up"] == true)).await?;
        let endpoints = docker(&socket, &["network", "inspect", "-f", "{{len .Containers}}", "padis-sf-dev"]).await?;
        assert_eq!(endpoints.trim(), "3", "endpoints on the pool's network");

        for name in ["calm", "late"] {
            p.delete(name).await?;
        }
        p.until("nothing is left", 60, async |p| {
            let any = docker(&socket, &["ps", "-aq"]).await?;
            Ok(any.trim().is_empty() && allocated(p).await? == 0)
        })
        .await?;
        assert!(is_gone(&p, "calm").await && is_gone(&p, "late").await, "nothing is held");
        p.stop().await;
        engine.stop().await
    })
    .await;
}
