//! The engine finds its Mesos master through a real ZooKeeper (Debian's
//! `libzookeeper-java`) and goes with the lead. The masters are real too; the nodes
//! that they would make themselves, the test makes, since the laboratory's are built
//! without ZooKeeper.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;

use mesos::{AgentSpec, DEADLINE, Mesos, until};
use padis_engine::{Engine, EngineConfig, MesosConfig, RuntimeConfig};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// Debian's jars.
const CLASSES: &str = "/usr/share/java/*";

struct ZooKeeper {
    child: Child,
    port: u16,
}

impl ZooKeeper {
    async fn start(data: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("java")
            .args(["-Xmx64m", "-Dzookeeper.admin.enableServer=false", "-cp", CLASSES])
            .args(["org.apache.zookeeper.server.ZooKeeperServerMain", &port.to_string()])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let this = Self { child, port };
        until("ZooKeeper answers", async || this.run(&["ls", "/"]).status.success()).await;
        this
    }

    /// ZooKeeper's own command line.
    fn run(&self, command: &[&str]) -> Output {
        let server = format!("127.0.0.1:{}", self.port);
        let mut java = Command::new("java");
        java.args(["-cp", CLASSES, "org.apache.zookeeper.ZooKeeperMain", "-server", &server]);
        java.args(command).output().unwrap()
    }

    fn create(&self, path: &str, data: &str) {
        let output = self.run(&["create", path, data]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn delete(&self, path: &str) {
        assert!(self.run(&["delete", path]).status.success());
    }
}

impl Drop for ZooKeeper {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn info(cluster: &Mesos) -> String {
    let port: u16 = cluster.url().rsplit(':').next().unwrap().parse().unwrap();
    json!({"address": {"hostname": "localhost", "ip": "127.0.0.1", "port": port}, "id": "x"}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_is_found_and_followed() {
    const OLD: [AgentSpec; 1] = [AgentSpec {
        name: "old.lab.test",
        attributes: "pool:a",
        resources: "cpus:2;mem:512;disk:10;ports:[31000-31099]",
    }];
    const NEW: [AgentSpec; 1] = [AgentSpec {
        name: "new.lab.test",
        attributes: "pool:a",
        resources: "cpus:2;mem:512;disk:10;ports:[31100-31199]",
    }];
    let folder = tempfile::tempdir().unwrap();
    let keeper = ZooKeeper::start(folder.path()).await;
    let (old, new) = (Mesos::start(&OLD).await, Mesos::start(&NEW).await);
    let config = EngineConfig {
        marathon_listen: "127.0.0.1:0".parse().unwrap(),
        mesos_listen: "127.0.0.1:0".parse().unwrap(),
        data: folder.path().join("engine"),
        // The first server is not there.
        runtime: RuntimeConfig::Mesos(MesosConfig::at(vec![format!(
            "zk://127.0.0.1:1,127.0.0.1:{}/mesos",
            keeper.port
        )])),
        ..EngineConfig::default()
    };
    let engine = Engine::start(config).await.unwrap();
    let base = format!("http://{}", engine.marathon());
    let client = padis_drivers::http::builder().timeout(DEADLINE).build().unwrap();
    let get =
        async |path: &str| -> Value { client.get(format!("{base}{path}")).send().await.unwrap().json().await.unwrap() };
    let leader = async || get("/padis/runtime").await["master"].clone();
    let app = json!({"id": "/a", "cmd": "exec sleep 1000", "cpus": 0.1, "mem": 16, "portDefinitions": [], "backoffSeconds": 0.1});
    let put = client.put(format!("{base}/v2/apps/a")).json(&app).send().await.unwrap();
    assert!(put.status().is_success());
    let on = async |host: &str| {
        let tasks = get("/v2/apps/a/tasks").await["tasks"].as_array().cloned().unwrap_or_default();
        tasks.len() == 1 && tasks[0]["state"] == "TASK_RUNNING" && tasks[0]["host"] == host
    };

    // Not even the path is there yet.
    assert_eq!(leader().await, Value::Null);
    keeper.create("/mesos", "");
    keeper.create("/mesos/log_replicas", "");
    assert_eq!(leader().await, Value::Null);
    keeper.create("/mesos/json.info_0000000003", &info(&old));
    until("it runs at the leader's", async || on("old.lab.test").await).await;
    assert_eq!(leader().await, old.url());
    // Another one contends, and does not lead.
    keeper.create("/mesos/json.info_0000000004", &info(&new));
    assert!(on("old.lab.test").await);
    keeper.delete("/mesos/json.info_0000000003");
    until("the other one leads", async || leader().await == new.url()).await;
    until("it runs at the new leader's", async || on("new.lab.test").await).await;

    // ZooKeeper's silence changes nothing.
    drop(keeper);
    let change = client.put(format!("{base}/v2/apps/a")).json(&json!({"env": {"A": "b"}})).send().await.unwrap();
    assert!(change.status().is_success());
    until("its deployment is over", async || get("/v2/deployments").await == json!([])).await;
    assert_eq!(leader().await, new.url());
    engine.stop().await;
}

#[tokio::test]
async fn an_address_that_is_none_is_refused() {
    let data = tempfile::tempdir().unwrap();
    for masters in [vec!["zk://h1:2181"], vec!["zk://h1:2181/mesos", "http://m1:5050"]] {
        let masters = masters.into_iter().map(str::to_owned).collect();
        let config = EngineConfig {
            data: data.path().join("engine"),
            runtime: RuntimeConfig::Mesos(MesosConfig::at(masters)),
            ..EngineConfig::default()
        };
        let error = Engine::start(config).await.unwrap_err();
        assert!(error.to_string().contains("zk://HOST:PORT"), "{error}");
    }
}
