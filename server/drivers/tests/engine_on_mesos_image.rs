//! Docker images in Mesos' own containerizer (`container.type: MESOS`) through the engine
//! on a real Mesos 1.11: the agent pulls from a registry of the test's own, without any
//! Docker, and runs the task in the image's file system.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "lab/mod.rs"]
mod lab;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/on_mesos.rs"]
mod on_mesos;

use mesos::{AgentSpec, Mesos, until};
use on_mesos::Framework;
use padis_drivers::registry::{RegistryChild, RegistryChildConfig};
use padis_engine::MesosConfig;
use serde_json::{Value, json};

const ONE: [AgentSpec; 1] = [AgentSpec {
    name: "one.lab.test",
    attributes: "pool:a",
    resources: "cpus:4;mem:2048;disk:100;ports:[31000-31099]",
}];

/// Processes of tasks of an app, by what they were told.
fn processes(app: &str) -> Vec<u32> {
    let wanted = format!("MARATHON_APP_ID={app}\0");
    let all = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    let told = |pid: &u32| {
        std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|e| String::from_utf8_lossy(&e).contains(&wanted))
    };
    all.filter(told).collect()
}

async fn page(engine: &Framework, port: &Value) -> String {
    let mut said = String::new();
    until(&format!("an answer at port {port}"), async || {
        let Ok(answer) = engine.client.get(format!("http://127.0.0.1:{port}/")).send().await else { return false };
        said = answer.text().await.unwrap_or_default();
        true
    })
    .await;
    said.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_lives_in_the_file_system_of_its_image() {
    let folder = tempfile::tempdir().unwrap();
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let registry = RegistryChildConfig { folder: folder.path().join("registry"), listen, notify: None };
    let registry = RegistryChild::start(&registry).await.unwrap();
    let image = format!("{}/web:1", registry.name());
    lab::image();
    lab::docker(&["tag", lab::IMAGE, &image]);
    lab::docker(&["push", "-q", &image]);
    let (url, cgroups) = (format!("http://{}", registry.name()), format!("padis-test-{}", std::process::id()));
    let flags = [
        ("MESOS_IMAGE_PROVIDERS", "docker"),
        ("MESOS_ISOLATION", "filesystem/linux,docker/runtime,posix/cpu,posix/mem"),
        ("MESOS_LAUNCHER", "linux"),
        ("MESOS_IMAGE_PROVISIONER_BACKEND", "copy"),
        ("MESOS_DOCKER_REGISTRY", url.as_str()),
        ("MESOS_CGROUPS_ROOT", cgroups.as_str()),
    ];
    let cluster = Mesos::start_flagged(&ONE, &[], &flags, None).await;
    let engine = Framework::start(MesosConfig::at(vec![cluster.url()])).await;
    let app = |id: &str, image: &str| {
        json!({"id": id, "cpus": 0.1, "mem": 32, "backoffSeconds": 0.1, "networks": [{"mode": "host"}],
            "container": {"type": "MESOS", "docker": {"image": image, "forcePullImage": true}}})
    };
    let mut web = app("/web", &image);
    web["cmd"] = json!("exec httpd -f -p $PORT0 -h /www");
    web["portDefinitions"] = json!([{"port": 0}]);
    web["healthChecks"] = json!([
        {"protocol": "HTTP", "path": "/", "portIndex": 0, "intervalSeconds": 1, "gracePeriodSeconds": 60},
        // The machine has no such file.
        {"protocol": "COMMAND", "command": {"value": "test -e /www/index.html"}, "delaySeconds": 0,
         "intervalSeconds": 1, "gracePeriodSeconds": 60}]);
    engine.put(web).await;
    engine.healthy("/web", 1).await;
    let first = engine.running("/web", 1).await.remove(0);
    assert_eq!(page(&engine, &first["ports"][0]).await, "it works");
    let alive = |task: &Value| {
        let results = task["healthCheckResults"].as_array().cloned().unwrap_or_default();
        results.iter().filter(|r| r["alive"] == true).count()
    };
    until("both checks", async || alive(&engine.tasks("/web").await[0]) == 2).await;

    // Ended behind the engine's back.
    let pid = processes("/web")[0].to_string();
    assert!(std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    until("another one instead", async || !engine.tasks("/web").await.iter().any(|t| t["id"] == first["id"])).await;
    engine.put(json!({"id": "/web", "instances": 2})).await;
    engine.healthy("/web", 2).await;
    let failure = engine.get("/v2/apps/web").await["app"]["lastTaskFailure"].clone();
    assert_eq!((&failure["taskId"], &failure["state"]), (&first["id"], &json!("TASK_FAILED")), "{failure}");
    for task in engine.running("/web", 2).await {
        assert_eq!(page(&engine, &task["ports"][0]).await, "it works");
    }
    // Without a command, the image's own.
    let mut own = app("/own", &image);
    own["portDefinitions"] = json!([]);
    engine.put(own).await;
    engine.running("/own", 1).await;
    assert_eq!(page(&engine, &json!(8080)).await, "it works");
    engine.put(app("/missing", &format!("{}/nothing:1", registry.name()))).await;
    until("why there is none", async || {
        let told = engine.get("/v2/apps/missing").await["app"]["lastTaskFailure"]["message"].clone();
        told.as_str().is_some_and(|m| m.starts_with("Failed to launch container") && m.contains("404 Not Found"))
    })
    .await;
    engine.delete("/v2/groups?force=true").await;
    until("no process is left", async || ["/web", "/own"].iter().all(|app| processes(app).is_empty())).await;
    engine.stop().await;
    registry.stop().await;
}
