//! The Docker Engine freezes and dies under the running portal. A `dockerd` of the
//! test's own, in the laboratory's namespace: the laboratory's is everybody's.

use super::Outcome;
use crate::portal::Portal;
use crate::world::{
    allocated, containers_on, docker, docker_socket, exactly, held, instances, lab, rail, signal, small_site, system,
    test,
};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// A page of this many milliseconds is felt; a debug build on a busy machine is slow as it is.
const FAST: Duration = Duration::from_millis(1_500);

struct Engine {
    folder: PathBuf,
    process: Child,
}

impl Engine {
    async fn start(folder: PathBuf) -> Outcome<Self> {
        std::fs::create_dir_all(&folder)?;
        let process = Self::spawn(&folder)?;
        let it = Self { folder, process };
        it.until_ready().await?;
        Ok(it)
    }

    fn spawn(folder: &std::path::Path) -> Outcome<Child> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log"))?;
        let at = |name: &str| folder.join(name).display().to_string();
        // Without a bridge and without rules of its own it does not meet the laboratory's engine.
        let child = Command::new("dockerd")
            .args(["--data-root", &at("data"), "--exec-root", &at("exec"), "--pidfile", &at("pid")])
            .args(["-H", &format!("unix://{}", at("sock")), "--exec-opt", "native.cgroupdriver=cgroupfs"])
            .args(["--insecure-registry", "127.0.0.0/8", "--bridge=none", "--iptables=false"])
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        Ok(child)
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
                let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                return Err(format!("dockerd does not answer: {log}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn restart(&mut self) -> Outcome<()> {
        self.process = Self::spawn(&self.folder)?;
        self.until_ready().await
    }

    async fn stop(mut self) -> Outcome<()> {
        for network in ["padis-sf-dev", "padis-sf-prod"] {
            let _ = docker(&self.socket(), &["network", "rm", network]).await;
        }
        signal(&self.pid()?, "TERM").await?;
        let _ = tokio::time::timeout(Duration::from_secs(20), self.process.wait()).await;
        Ok(())
    }
}

/// Everybody's pages, one after another; the slowest.
async fn slowest_page(p: &Portal) -> Outcome<Duration> {
    let mut slowest = Duration::ZERO;
    for path in ["/", "/apps", "/apps/default/calm", "/packages", "/api/systems", "/api/addresses?pool=sf-dev"] {
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
        // Two bridges can't have one subnet: those of the tests before go.
        for network in ["padis-sf-dev", "padis-sf-prod"] {
            let _ = docker(&docker_socket(), &["network", "rm", network]).await;
        }
        let mut engine = Engine::start(lab().join("d2")).await?;
        let socket = engine.socket();
        let mut p = Portal::launch_with(place, &[("PADIS_DOCKER_SOCKET", socket.clone())]).await?;
        p.furnish(place).await?;
        let package = small_site(&p).await?;
        p.go_online("calm", &package, 2).await?;
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
        assert!(held(&p, "calm").await.is_err(), "the application is gone with its claims");
        p.stop().await;
        engine.stop().await
    })
    .await;
}
