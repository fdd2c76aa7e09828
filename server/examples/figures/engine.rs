//! The engine alone, on agents on which nothing runs: what the engine itself costs.
//!
//! Counted is what a client sees: an instance is launched once `/metrics` counts it
//! as running, a list has been read once its last byte is here. One could get it
//! wrong by counting what was accepted.

use super::Outcome;
use super::table::{Table, median_p99};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// What a container takes to start.
const LATENCY: &str = "50ms";

/// A running engine on simulated agents.
pub struct Engine {
    child: Child,
    base: String,
    client: reqwest::Client,
    _data: tempfile::TempDir,
}

impl Engine {
    /// Starts one whose agents take about `latency` to start or stop a task.
    pub async fn start(server: &std::path::Path, agents: u32, latency: &str) -> Outcome<Self> {
        let data = tempfile::tempdir()?;
        let mut command = Command::new(server);
        command.args(["engine", "--runtime", "simulated", "--listen", "127.0.0.1:18080", "--mesos-listen"]);
        command.args(["127.0.0.1:15050", "--latency", latency, "--agents", &agents.to_string(), "--data"]);
        command.arg(data.path()).env("PADIS_LOG_FILTER", "warn").kill_on_drop(true).stdout(Stdio::null());
        let child = command.spawn()?;
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(120)).build()?;
        let engine = Self { child, base: "http://127.0.0.1:18080".to_owned(), client, _data: data };
        let begin = Instant::now();
        while engine.client.get(format!("{}/ping", engine.base)).send().await.is_err() {
            if begin.elapsed() > Duration::from_secs(30) {
                return Err("the simulated engine does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(engine)
    }

    /// Asks for something to be so.
    pub async fn put(&self, path: &str, body: &Value) -> Outcome<()> {
        self.change(reqwest::Method::PUT, path, body).await
    }

    /// Asks for a part of something to be so.
    pub async fn patch(&self, path: &str, body: &Value) -> Outcome<()> {
        self.change(reqwest::Method::PATCH, path, body).await
    }

    async fn change(&self, method: reqwest::Method, path: &str, body: &Value) -> Outcome<()> {
        let answer = self.client.request(method, format!("{}{path}", self.base)).json(body).send().await?;
        if !answer.status().is_success() {
            return Err(format!("{path}: {} {}", answer.status(), answer.text().await?).into());
        }
        Ok(())
    }

    /// A reading as a value.
    pub async fn get(&self, path: &str) -> Outcome<Value> {
        let answer =
            self.client.get(format!("{}{path}", self.base)).header("Accept", "application/json").send().await?;
        Ok(answer.json().await?)
    }

    async fn running(&self) -> Outcome<u64> {
        let metrics: Value = self.client.get(format!("{}/metrics", self.base)).send().await?.json().await?;
        let count = metrics["gauges"]["marathon.instances.running.gauge"]["value"].as_u64();
        count.ok_or_else(|| "no count of running instances".into())
    }

    /// Seconds until so many instances run, from the moment the group is asked for.
    async fn launch(&self, apps: u32, each: u32) -> Outcome<f64> {
        let one = |i: u32| {
            json!({"id": format!("a{i:05}"), "cmd": "x", "instances": each, "cpus": 0.1, "mem": 32,
                   "container": {"type": "DOCKER", "docker": {"image": "none"}}, "networks": [{"mode": "container", "name": "n"}]})
        };
        let group = json!({"apps": (0..apps).map(one).collect::<Vec<_>>()});
        let begin = Instant::now();
        self.put("/v2/groups/bench", &group).await?;
        let wanted = u64::from(apps) * u64::from(each);
        while self.running().await? < wanted {
            if begin.elapsed() > Duration::from_secs(300) {
                return Err(format!("{} of {wanted} run after 300 s", self.running().await?).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(begin.elapsed().as_secs_f64())
    }

    /// Median milliseconds and bytes of a reading.
    async fn read(&self, path: &str) -> Outcome<(f64, usize)> {
        let (mut times, mut bytes) = (Vec::new(), 0);
        for _ in 0..11 {
            let begin = Instant::now();
            bytes = self.client.get(format!("{}{path}", self.base)).send().await?.bytes().await?.len();
            times.push(begin.elapsed().as_secs_f64() * 1000.0);
        }
        Ok((median_p99(&times).ok_or("no readings")?.0, bytes))
    }

    fn rss_mib(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap_or(0)))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? / 1024)
    }

    /// Ends it.
    pub async fn stop(mut self) -> Outcome<()> {
        self.child.kill().await?;
        Ok(())
    }
}

/// Measures.
pub async fn measure(server: &std::path::Path, t: &mut Table) -> Outcome<()> {
    let engine = Engine::start(server, 100, LATENCY).await?;
    engine.launch(1, 1000).await?;
    let (ms, bytes) = engine.read("/v2/apps?embed=apps.tasks").await?;
    let found = format!("median {ms:.0} ms ({} kB)", bytes / 1000);
    t.row("/v2/apps with one app of 1,000 tasks", "≤ 50 ms", found, Some(ms <= 50.0));
    engine.stop().await?;

    let mut costs = Vec::new();
    for (apps, each, agents) in [(100, 10, 100), (1000, 10, 1000), (10_000, 10, 10_000)] {
        let engine = Engine::start(server, agents, LATENCY).await?;
        let seconds = engine.launch(apps, each).await?;
        let count = f64::from(apps * each);
        costs.push((count, seconds / count * 1e6));
        if apps == 10_000 {
            let rate = count / seconds;
            let found = format!("{rate:.0} a second ({seconds:.1} s), {} MiB", engine.rss_mib()?);
            t.row("100,000 instances on 10,000 agents", "≥ 5,000 a second", found, Some(rate >= 5000.0));
            let (ms, bytes) = engine.read("/v2/apps").await?;
            let found = format!("median {ms:.0} ms ({} kB)", bytes / 1000);
            t.row("/v2/apps with 10,000 apps", "≤ 500 ms", found, Some(ms <= 500.0));
        }
        engine.stop().await?;
    }
    let told: Vec<String> = costs.iter().map(|(n, us)| format!("{n:.0}: {us:.0} µs")).collect();
    // The slope of cost over size, both as logarithms: 0 is linear, 1 is quadratic.
    let slope = match (costs.get(1), costs.get(2)) {
        (Some((n1, c1)), Some((n2, c2))) => (c2 / c1).ln() / (n2 / n1).ln(),
        _ => f64::NAN,
    };
    let found = format!("{}; slope {slope:.2}", told.join(", "));
    t.row("cost of one instance as the cluster grows", "linear (slope about 0)", found, Some(slope < 0.3));
    Ok(())
}
