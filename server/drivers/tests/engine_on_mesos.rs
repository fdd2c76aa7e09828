//! The engine as a framework of a real Mesos 1.11 (`end2end/lab/mesos/build`): the
//! Marathon API on three agents that are processes of their own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;

use mesos::{AgentSpec, DEADLINE, Mesos, until};
use padis_domain::ports::Cluster;
use padis_drivers::mesos::{MesosClient, MesosConfig};
use padis_engine::{Engine, EngineConfig, RuntimeConfig};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const AGENTS: [AgentSpec; 3] = [
    AgentSpec {
        name: "one.lab.test",
        attributes: "pool:web;rack:r1",
        resources: "cpus:8;mem:8192;disk:100;ports:[31000-31399]",
    },
    AgentSpec {
        name: "two.lab.test",
        attributes: "pool:web;rack:r2",
        resources: "cpus:8;mem:8192;disk:100;ports:[31400-31799]",
    },
    AgentSpec {
        name: "three.lab.test",
        attributes: "pool:db;rack:r2",
        resources: "cpus:8;mem:8192;disk:100;ports:[31800-32199]",
    },
];
/// The test program is started again with this, to be an engine that can be killed.
const ROLE: &str = "PADIS_TEST_ENGINE";

/// Not a test by itself: the engine's process.
#[tokio::test(flavor = "multi_thread")]
async fn engine_process() {
    let Ok(told) = std::env::var(ROLE) else { return };
    let told: Value = serde_json::from_str(&told).unwrap();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    let config = EngineConfig {
        marathon_listen: text("marathon").parse().unwrap(),
        mesos_listen: "127.0.0.1:0".parse().unwrap(),
        data: text("data").into(),
        runtime: RuntimeConfig::Mesos(padis_engine::MesosConfig::at(vec![text("master")])),
        ..EngineConfig::default()
    };
    let engine = Engine::start(config).await.unwrap();
    println!("\nengine at http://{} http://{}", engine.marathon(), engine.mesos());
    std::future::pending::<()>().await;
}

struct Process {
    child: Child,
    base: String,
    /// Its Mesos operator API.
    mesos: String,
    client: reqwest::Client,
}

impl Process {
    fn start(master: &str, data: &Path) -> Self {
        let told = json!({"marathon": "127.0.0.1:0", "data": data, "master": master}).to_string();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["engine_process", "--exact", "--nocapture"])
            .env(ROLE, told)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut base = None;
        for line in lines.by_ref() {
            if let Some(at) = line.strip_prefix("engine at ") {
                base = at.split_once(' ').map(|(marathon, mesos)| (marathon.to_owned(), mesos.to_owned()));
                break;
            }
        }
        // Whoever closed the pipe would end the process with its next word.
        std::thread::spawn(move || lines.for_each(drop));
        let client = padis_drivers::http::builder().timeout(DEADLINE).build().unwrap();
        let (base, mesos) = base.unwrap();
        Self { child, base, mesos, client }
    }

    fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn put(&self, app: Value) {
        let path = format!("/v2/apps{}", app["id"].as_str().unwrap());
        let (status, answer) = self.call(reqwest::Method::PUT, &path, Some(app)).await;
        assert!(status < 300, "PUT {path}: {status} {answer}");
    }

    async fn tasks(&self, app: &str) -> Vec<Value> {
        let (_, answer) = self.call(reqwest::Method::GET, &format!("/v2/apps{app}/tasks"), None).await;
        answer["tasks"].as_array().cloned().unwrap_or_default()
    }

    async fn running(&self, app: &str, count: usize) -> Vec<Value> {
        let mut found = Vec::new();
        until(&format!("{count} running tasks of {app}"), async || {
            found = self.tasks(app).await;
            found.len() == count && found.iter().all(|t| t["state"] == "TASK_RUNNING")
        })
        .await;
        found
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn ids(tasks: &[Value]) -> BTreeSet<String> {
    tasks.iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect()
}

fn hosts(tasks: &[Value]) -> BTreeMap<String, usize> {
    let mut hosts = BTreeMap::new();
    for task in tasks {
        *hosts.entry(task["host"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    hosts
}

fn sleeper(id: &str, instances: u32) -> Value {
    json!({"id": id, "cmd": "exec sleep 1000", "instances": instances, "cpus": 0.02, "mem": 16,
           "backoffSeconds": 0.1, "portDefinitions": []})
}

fn with(mut app: Value, more: &Value) -> Value {
    app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app
}

/// What runs, as the master says: task ids of all frameworks.
async fn on_mesos(cluster: &Mesos) -> BTreeSet<String> {
    let client = padis_drivers::http::builder().timeout(DEADLINE).build().unwrap();
    let state: Value =
        client.get(format!("{}/tasks?limit=1000", cluster.url())).send().await.unwrap().json().await.unwrap();
    let running = state["tasks"].as_array().unwrap().iter().filter(|t| t["state"] == "TASK_RUNNING");
    running.map(|t| t["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_by_constraint_survive_the_engine_and_the_master() {
    let mut cluster = Mesos::start(&AGENTS).await;
    let data = tempfile::tempdir().unwrap();
    let mut engine = Process::start(&cluster.url(), data.path());
    until("its Mesos API sends operators to the master that leads", async || {
        let answer = engine.client.post(format!("{}/master/api/v1?x=1", engine.mesos)).send().await.unwrap();
        let place = answer.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
        let wanted = format!("{}/master/api/v1?x=1", cluster.url().trim_start_matches("http:"));
        answer.status().as_u16() == 307 && place == Some(wanted)
    })
    .await;

    engine.put(with(sleeper("/db", 3), &json!({"constraints": [["pool", "LIKE", "db"]]}))).await;
    engine.put(with(sleeper("/each", 3), &json!({"constraints": [["hostname", "UNIQUE"]]}))).await;
    assert_eq!(hosts(&engine.running("/db", 3).await).len(), 1);
    assert_eq!(hosts(&engine.running("/each", 3).await).len(), 3);
    engine.put(with(sleeper("/many", 10), &json!({"constraints": [["hostname", "GROUP_BY"]]}))).await;
    engine.running("/many", 10).await;
    engine.put(json!({"id": "/many", "instances": 200})).await;
    let many = engine.running("/many", 200).await;
    let spread = hosts(&many);
    let (least, most) = (spread.values().min().unwrap(), spread.values().max().unwrap());
    assert!(spread.len() == 3 && most - least <= 1, "{spread:?}");

    // Killed tasks are replaced.
    let victim = many[0]["id"].as_str().unwrap().to_owned();
    let (status, _) = engine.call(reqwest::Method::DELETE, &format!("/v2/apps/many/tasks/{victim}"), None).await;
    assert_eq!(status, 200);
    until("another one instead", async || !ids(&engine.tasks("/many").await).contains(&victim)).await;
    let before = ids(&engine.running("/many", 200).await);

    // SIGKILL: the same tasks, and not one more.
    engine.kill();
    let mut engine = Process::start(&cluster.url(), data.path());
    assert_eq!(ids(&engine.running("/many", 200).await), before);
    until("what Mesos runs is what the engine knows", async || on_mesos(&cluster).await.len() == 206).await;

    // The master restarts, and the engine is its framework again.
    cluster.kill_master();
    cluster.start_master().await;
    cluster.all_registered().await;
    engine.put(json!({"id": "/many", "instances": 205})).await;
    let after = ids(&engine.running("/many", 205).await);
    assert!(before.is_subset(&after), "the tasks ran on");
    // SIGKILL between a change and what follows from it: nothing lost, nothing doubled.
    engine.put(json!({"id": "/many", "instances": 20})).await;
    engine.kill();
    let engine = Process::start(&cluster.url(), data.path());
    engine.running("/many", 20).await;
    until("what Mesos runs is what the engine knows", async || on_mesos(&cluster).await.len() == 26).await;

    let (status, _) = engine.call(reqwest::Method::DELETE, "/v2/groups", None).await;
    assert_eq!(status, 200);
    until("nothing runs", async || on_mesos(&cluster).await.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_host_is_emptied_and_used_again() {
    let cluster = Mesos::start(&AGENTS[..2]).await;
    let data = tempfile::tempdir().unwrap();
    let engine = Process::start(&cluster.url(), data.path());
    engine.put(with(sleeper("/web", 6), &json!({"constraints": [["hostname", "GROUP_BY"]]}))).await;
    assert_eq!(hosts(&engine.running("/web", 6).await).len(), 2);

    let config = MesosConfig { deadline: Duration::from_secs(20), ..MesosConfig::at(&cluster.url()) };
    let mesos = MesosClient::new(&config).unwrap();
    let host = mesos.hosts().await.unwrap().into_iter().find(|h| h.name == AGENTS[0].name).unwrap();
    engine.put(with(sleeper("/web", 6), &json!({"constraints": []}))).await;
    engine.running("/web", 6).await;
    mesos.drain(&host.id, Duration::ZERO).await.unwrap();
    until("all are on the other host", async || {
        let tasks = engine.tasks("/web").await;
        tasks.len() == 6 && tasks.iter().all(|t| t["host"] == AGENTS[1].name && t["state"] == "TASK_RUNNING")
    })
    .await;
    until("the host is put back", async || mesos.undrain(&host.id).await.is_ok()).await;
    engine.put(with(sleeper("/only", 1), &json!({"constraints": [["hostname", "CLUSTER", AGENTS[0].name]]}))).await;
    engine.running("/only", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_failures_and_why_something_waits() {
    let cluster = Mesos::start(&AGENTS[..1]).await;
    let data = tempfile::tempdir().unwrap();
    let engine = Process::start(&cluster.url(), data.path());
    // Probed on the agent by its executor, told with updates.
    let command = json!({"healthChecks": [{"protocol": "COMMAND", "command": {"value": "test -e ok"}, "delaySeconds": 0,
        "gracePeriodSeconds": 0, "intervalSeconds": 1, "maxConsecutiveFailures": 2}],
        "cmd": "touch ok; exec sleep 1000"});
    engine.put(with(sleeper("/inside", 1), &command)).await;
    let web = json!({"cmd": "exec python3 -m http.server --bind 127.0.0.1 $PORT0", "portDefinitions": [{"port": 0}],
        "healthChecks": [{"protocol": "HTTP", "path": "/", "portIndex": 0, "gracePeriodSeconds": 30, "intervalSeconds": 1}]});
    engine.put(with(sleeper("/web", 1), &web)).await;
    for app in ["/inside", "/web"] {
        until(&format!("{app} is healthy"), async || {
            let (_, answer) = engine.call(reqwest::Method::GET, &format!("/v2/apps{app}"), None).await;
            answer["app"]["tasksHealthy"] == 1
        })
        .await;
    }
    // A command that fails is tried again, ever more slowly, and says how it ended.
    engine.put(with(sleeper("/bad", 1), &json!({"cmd": "exit 3"}))).await;
    until("its failure is told", async || {
        let (_, answer) = engine.call(reqwest::Method::GET, "/v2/apps/bad", None).await;
        answer["app"]["lastTaskFailure"]["message"].as_str().is_some_and(|m| m.contains("status 3"))
    })
    .await;
    // More than there is: offers came and were refused, with reasons.
    engine.put(with(sleeper("/big", 1), &json!({"cpus": 100}))).await;
    until("the refusal is told", async || {
        let (_, queue) = engine.call(reqwest::Method::GET, "/v2/queue?embed=lastUnusedOffers", None).await;
        let item = queue["queue"].as_array().unwrap().iter().find(|q| q["app"]["id"] == "/big").cloned();
        item.is_some_and(|i| i["lastUnusedOffers"][0]["reason"] == json!(["InsufficientCpus"]))
    })
    .await;
}
