//! Tasks: kills, changes of definition, health, ports, environment, output.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use padis_protocol::event::Event;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::{IMAGE, Rig, agent, docker, folder, sleeper, wait, web};

fn ids(tasks: &[Value]) -> BTreeSet<String> {
    tasks.iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_killed_task_is_replaced_and_kill_and_scale_is_not() {
    let rig = Rig::new().await;
    rig.put(&sleeper("/k", 2)).await;
    let before = ids(&rig.running("/k", 2).await);
    rig.settled().await;
    let victim = before.first().unwrap();
    let (status, body) = rig.call(Method::DELETE, &format!("/v2/apps/k/tasks/{victim}"), None).await;
    assert_eq!((status.as_u16(), &body["task"]["id"]), (200, &json!(victim)));
    let after = wait("the replacement", async || {
        let now = ids(&rig.tasks("/k").await);
        (now.len() == 2 && !now.contains(victim)).then_some(now)
    })
    .await;
    rig.running("/k", 2).await;
    let gone = after.last().unwrap();
    let (status, body) = rig.call(Method::POST, "/v2/tasks/delete?scale=true", Some(json!({"ids": [gone]}))).await;
    assert_eq!(status, 200, "{body}");
    assert!(body["deploymentId"].is_string());
    rig.settled().await;
    assert_eq!(rig.get("/v2/apps/k").await["app"]["instances"], 1);
    assert!(!ids(&rig.running("/k", 1).await).contains(gone));
    assert_eq!(rig.call(Method::DELETE, "/v2/apps/k/tasks/k.none", None).await.0, 404);
    let (status, _) = rig.call(Method::DELETE, "/v2/apps/k/tasks?scale=true&wipe=true", None).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_new_definition_rolls_over_and_the_old_one_can_come_back() {
    let rig = Rig::new().await;
    rig.put(&sleeper("/roll", 2)).await;
    let first = ids(&rig.running("/roll", 2).await);
    rig.settled().await;
    let version = rig.get("/v2/apps/roll").await["app"]["version"].as_str().unwrap().to_owned();
    rig.put(&json!({"id": "/roll", "env": {"COLOUR": "green"}})).await;
    rig.settled().await;
    let second = rig.running("/roll", 2).await;
    assert!(ids(&second).is_disjoint(&first));
    let container = rig.container(second[0]["id"].as_str().unwrap());
    assert!(docker(&["exec", &container, "env"]).contains("COLOUR=green"));

    let versions = rig.get("/v2/apps/roll/versions").await["versions"].as_array().unwrap().clone();
    assert!(versions.contains(&json!(version)), "{versions:?}");
    assert_eq!(rig.get(&format!("/v2/apps/roll/versions/{version}")).await["env"], json!({}));
    rig.put(&json!({"id": "/roll", "version": version})).await;
    rig.settled().await;
    let app = rig.get("/v2/apps/roll").await;
    assert_eq!(app["app"]["env"], json!({}));
    let third = ids(&rig.running("/roll", 2).await);
    let (status, _) = rig.call(Method::POST, "/v2/apps/roll/restart", None).await;
    assert_eq!(status, 200);
    rig.settled().await;
    assert!(ids(&rig.running("/roll", 2).await).is_disjoint(&third));
}

#[tokio::test]
async fn a_sick_task_is_reported_killed_and_replaced() {
    let rig = Rig::new().await;
    let www = folder(&rig, "www");
    std::fs::write(www.join("health"), "fine").unwrap();
    let mut app = web("/sick", 1);
    app["container"]["volumes"] =
        json!([{"containerPath": "/www", "hostPath": www.display().to_string(), "mode": "RO"}]);
    app["healthChecks"] = json!([
        {"protocol": "HTTP", "path": "/health", "portIndex": 0, "gracePeriodSeconds": 30, "intervalSeconds": 0,
         "timeoutSeconds": 2, "maxConsecutiveFailures": 2},
        {"protocol": "TCP", "portIndex": 0, "intervalSeconds": 1, "gracePeriodSeconds": 30},
        {"protocol": "COMMAND", "command": {"value": "test -d /www"}, "delaySeconds": 0, "intervalSeconds": 1, "gracePeriodSeconds": 30},
    ]);
    let events = rig.events("").await;
    rig.put(&app).await;
    wait("a healthy app", async || (rig.get("/v2/apps/sick").await["app"]["tasksHealthy"] == 1).then_some(())).await;
    rig.settled().await;
    let task = rig.tasks("/sick").await.remove(0);
    let id = task["id"].as_str().unwrap().to_owned();
    assert_eq!(task["healthCheckResults"].as_array().unwrap().len(), 3, "{task}");
    assert!(task["healthCheckResults"].as_array().unwrap().iter().all(|h| h["alive"] == true), "{task}");
    std::fs::remove_file(www.join("health")).unwrap();
    let (_, kill) =
        events.find("unhealthy_task_kill_event", |e| matches!(e, Event::UnhealthyTaskKill(k) if k.task_id == id)).await;
    assert!(matches!(&kill, Event::UnhealthyTaskKill(k) if k.reason == "HTTP status 404"), "{kill:?}");
    events.status(&id, "TASK_KILLED").await;
    std::fs::write(www.join("health"), "fine").unwrap();
    wait("a healthy replacement", async || {
        let tasks = rig.tasks("/sick").await;
        let healthy = rig.get("/v2/apps/sick").await["app"]["tasksHealthy"] == 1;
        (healthy && tasks.len() == 1 && tasks[0]["id"] != id.as_str()).then_some(())
    })
    .await;
    for kind in [
        "add_health_check_event",
        "failed_health_check_event",
        "health_status_changed_event",
        "instance_health_changed_event",
    ] {
        events.find(kind, |e| e.kind() == kind).await;
    }
    rig.put(&json!({"id": "/sick", "healthChecks": []})).await;
    events.find("remove_health_check_event", |e| e.kind() == "remove_health_check_event").await;
}

#[tokio::test]
async fn containers_are_confined_and_told_who_they_are() {
    let rig = Rig::with(vec![agent("host-a", 2.0, 512, &[])]).await;
    let data = folder(&rig, "data");
    let mut app = web("/team/env/r1", 1);
    app["labels"] = json!({"io.padis.slot": "1"});
    app["env"] = json!({"GREETING": "good day"});
    app["container"]["volumes"] =
        json!([{"containerPath": "/data", "hostPath": data.display().to_string(), "mode": "RW"}]);
    app["container"]["docker"]["parameters"] = json!([
        {"key": "label", "value": "team=a"}, {"key": "read-only", "value": "true"}, {"key": "tmpfs", "value": "/run:size=1m"},
        {"key": "cap-drop", "value": "ALL"}, {"key": "cap-add", "value": "NET_BIND_SERVICE"},
        {"key": "ulimit", "value": "nofile=64:128"}, {"key": "user", "value": "0:0"}, {"key": "pids-limit", "value": "50"},
    ]);
    rig.put(&app).await;
    let task = rig.running("/team/env/r1", 1).await.remove(0);
    let container = rig.container(task["id"].as_str().unwrap());
    let seen: Value = serde_json::from_str(&docker(&["inspect", &container])).unwrap();
    let host = &seen[0]["HostConfig"];
    assert!(seen[0]["Name"].as_str().unwrap().starts_with("/mesos-"));
    assert_eq!(host["NanoCpus"], 100_000_000);
    assert_eq!((&host["Memory"], &host["MemorySwap"]), (&json!(16 << 20), &json!(16 << 20)));
    assert_eq!(host["PidsLimit"], 50);
    assert_eq!(host["RestartPolicy"]["Name"], "no");
    assert_eq!(host["SecurityOpt"], json!(["no-new-privileges"]));
    assert_eq!((&host["ReadonlyRootfs"], &host["CapDrop"]), (&json!(true), &json!(["ALL"])));
    let labels = &seen[0]["Config"]["Labels"];
    assert_eq!(labels["MESOS_TASK_ID"], task["id"]);
    assert_eq!(labels["io.padis.engine.app"], "/team/env/r1");
    assert_eq!(labels["team"], "a");
    let env = docker(&["exec", &container, "env"]);
    let port = task["ports"][0].to_string();
    for line in [
        "GREETING=good day".to_owned(),
        "HOST=host-a".to_owned(),
        "MARATHON_APP_ID=/team/env/r1".to_owned(),
        format!("MESOS_TASK_ID={}", task["id"].as_str().unwrap()),
        format!("PORT0={port}"),
        format!("PORT={port}"),
        format!("PORT_80={port}"),
        "MARATHON_APP_LABEL_IO_PADIS_SLOT=1".to_owned(),
    ] {
        assert!(env.lines().any(|l| l == line), "{line} in {env}");
    }
    docker(&["exec", &container, "sh", "-c", "echo x > /data/x && ! echo x > /etc/x"]);
    assert_eq!(std::fs::read_to_string(data.join("x")).unwrap(), "x\n");
    let url = format!("http://127.0.0.1:{port}/index.html");
    let page = wait("the page", async || support::client().get(&url).send().await.ok()).await;
    assert_eq!(page.text().await.unwrap(), "hello\n");
}

#[tokio::test]
async fn output_is_read_live_and_after_the_end() {
    let rig = Rig::new().await;
    let mut app = sleeper("/talk", 1);
    app["cmd"] = json!("echo out one; echo err one >&2; trap 'echo bye; exit 0' TERM; while :; do sleep 0.1; done");
    rig.put(&app).await;
    let id = rig.running("/talk", 1).await.remove(0)["id"].as_str().unwrap().to_owned();
    let state = rig.mesos("/master/state").await;
    let slave = &state["slaves"][0];
    assert_eq!((&slave["hostname"], &slave["active"]), (&json!("one"), &json!(true)));
    assert_eq!(slave["used_resources"]["cpus"], 0.1);
    let process = slave["pid"].as_str().unwrap().split('@').next().unwrap();
    let directory = async || {
        let agent = rig.mesos(&format!("/{process}/state")).await;
        // A framework without live executors has completed, as far as an agent goes.
        let list = |value: &Value| value.as_array().unwrap().clone();
        let frameworks = [list(&agent["frameworks"]), list(&agent["completed_frameworks"])].concat();
        let executors = |f: Value| [list(&f["executors"]), list(&f["completed_executors"])].concat();
        frameworks
            .into_iter()
            .flat_map(executors)
            .find(|e| e["id"] == id.as_str())
            .map(|e| e["directory"].as_str().unwrap().to_owned())
    };
    let dir = directory().await.unwrap();
    let read = async |name: &str, offset: u64| {
        let path = format!("/files/read?path={dir}/{name}&offset={offset}&length=1000");
        let answer = rig.client.get(format!("{}{path}", rig.mesos)).send().await.unwrap();
        match answer.status().as_u16() {
            200 => answer.json::<Value>().await.unwrap()["data"].as_str().unwrap().to_owned(),
            _ => String::new(),
        }
    };
    wait("the first line", async || (read("stdout", 0).await == "out one\n").then_some(())).await;
    wait("the other stream", async || (read("stderr", 0).await == "err one\n").then_some(())).await;

    let statistics = rig.mesos(&format!("/{process}/containers")).await;
    let mine = statistics.as_array().unwrap().iter().find(|c| c["executor_id"] == id.as_str()).unwrap().clone();
    assert_eq!(mine["statistics"]["mem_limit_bytes"], 16 << 20, "{mine}");
    assert!(mine["statistics"]["mem_rss_bytes"].as_u64().unwrap() > 0, "{mine}");
    assert!(rig.mesos("/metrics/snapshot").await["master/tasks_running"] == 1.0);

    rig.put(&json!({"id": "/talk", "instances": 0})).await;
    rig.settled().await;
    wait("the last words", async || (read("stdout", 0).await == "out one\nbye\n").then_some(())).await;
    wait("the container's removal", async || rig.ps(true, "{{.Names}}").is_empty().then_some(())).await;
    assert_eq!(directory().await.as_deref(), Some(dir.as_str()), "the sandbox of a finished task stays");
    let listing = rig.mesos(&format!("/files/browse?path={dir}")).await;
    let names: Vec<&str> = listing.as_array().unwrap().iter().map(|f| f["path"].as_str().unwrap()).collect();
    assert_eq!(names, [format!("{dir}/stderr"), format!("{dir}/stdout")]);
    let tail = rig.client.get(format!("{}/files/download?path={dir}/stdout", rig.mesos)).send().await.unwrap();
    assert_eq!(tail.text().await.unwrap(), "out one\nbye\n");
    let escape = rig.client.get(format!("{}/files/read?path={dir}/../../state.jsonl", rig.mesos)).send().await.unwrap();
    assert_eq!(escape.status(), 400);
}

/// A registry of its own, stopped at the end.
struct Registry(std::process::Child, u16);

impl Registry {
    async fn start(dir: &std::path::Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = dir.join("registry.yml");
        let body = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\nlog:\n  level: error\n",
            dir.join("registry").display()
        );
        std::fs::write(&config, body).unwrap();
        let child = std::process::Command::new("docker-registry").arg("serve").arg(&config).spawn().unwrap();
        let registry = Self(child, port);
        let url = format!("http://127.0.0.1:{port}/v2/");
        wait("the registry", async || support::client().get(&url).send().await.ok()).await;
        registry
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn images_come_from_a_registry_by_digest_and_only_when_absent() {
    let rig = Rig::new().await;
    let registry = Registry::start(rig.dir.path()).await;
    let tag = format!("127.0.0.1:{}/apps/base:1", registry.1);
    docker(&["tag", IMAGE, &tag]);
    docker(&["push", "-q", &tag]);
    let digest = docker(&["image", "inspect", "-f", "{{index .RepoDigests 0}}", &tag]);
    let digest = digest.split_once('@').unwrap().1.to_owned();
    let by_digest = format!("127.0.0.1:{}/apps/base@{digest}", registry.1);
    docker(&["rmi", &tag]);
    let mut app = sleeper("/pulled", 3);
    app["container"]["docker"]["image"] = json!(by_digest);
    rig.put(&app).await;
    rig.running("/pulled", 3).await;
    drop(registry);
    // Present now: the registry is not needed any more.
    rig.put(&json!({"id": "/pulled", "instances": 4})).await;
    rig.running("/pulled", 4).await;
}

#[tokio::test]
async fn a_containers_own_addresses_are_told_and_one_that_comes_later_too() {
    let rig = Rig::new().await;
    let events = rig.events("").await;
    rig.put(&web("/own", 1)).await;
    let task = rig.running("/own", 1).await.remove(0);
    let id = task["id"].as_str().unwrap();
    let container = rig.container(id);
    let on = |network: &str| {
        let seen: Value = serde_json::from_str(&docker(&["inspect", &container])).unwrap();
        seen[0]["NetworkSettings"]["Networks"][network]["IPAddress"].as_str().unwrap_or_default().to_owned()
    };
    let shown = |ip: &str| json!({"ipAddress": ip, "protocol": "IPv4"});
    let bridge = on("bridge");
    assert_eq!(task["ipAddresses"], json!([shown(&bridge)]));
    let (_, told) = events.status(id, "TASK_RUNNING").await;
    assert_eq!(serde_json::to_value(&told).unwrap()["ipAddresses"], json!([shown(&bridge)]));
    let in_mesos = async || {
        let tasks = rig.mesos("/tasks").await;
        let task = tasks["tasks"].as_array().unwrap().iter().find(|t| t["id"] == id).cloned().unwrap();
        let infos = task["statuses"].as_array().unwrap().last().unwrap()["container_status"]["network_infos"].clone();
        let addresses = infos[0]["ip_addresses"].as_array().unwrap().clone();
        addresses.iter().map(|a| a["ip_address"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(in_mesos().await, [bridge.as_str()]);
    // As the portal attaches one that it has chosen, long after the start.
    let network = format!("own-{}", &rig.id);
    docker(&["network", "create", "--subnet", "10.78.0.0/24", &network]);
    docker(&["network", "connect", "--ip", "10.78.0.77", &network, &container]);
    wait("both addresses", async || {
        let task = rig.tasks("/own").await.remove(0);
        (task["ipAddresses"] == json!([shown(&bridge), shown("10.78.0.77")])).then_some(())
    })
    .await;
    assert_eq!(in_mesos().await, [bridge.as_str(), "10.78.0.77"]);
    let (status, _) = rig.call(Method::DELETE, "/v2/apps/own", None).await;
    assert_eq!(status, 200);
    wait("its end", async || rig.ps(true, "{{.ID}}").is_empty().then_some(())).await;
    docker(&["network", "rm", &network]);
}
