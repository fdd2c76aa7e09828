//! Docker containers of apps through the engine on a real Mesos 1.11 with the Docker
//! containerizer, on the lab's Docker Engine; images come from a registry of the test's
//! own. Every container carries a label of its test: the others run beside it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "lab/mod.rs"]
mod lab;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/on_mesos.rs"]
mod on_mesos;

use lab::docker;
use mesos::{AgentSpec, Mesos, until};
use on_mesos::{Framework, sleeper};
use padis_domain::ports::Cluster;
use padis_drivers::mesos::{MesosClient, MesosConfig as ClientConfig};
use padis_drivers::registry::{RegistryChild, RegistryChildConfig};
use padis_engine::MesosConfig;
use serde_json::{Value, json};

const AGENTS: [AgentSpec; 2] = [
    AgentSpec { name: "one.lab.test", attributes: "pool:a", resources: "cpus:4;mem:2048;disk:10;ports:[31000-31099]" },
    AgentSpec { name: "two.lab.test", attributes: "pool:a", resources: "cpus:4;mem:2048;disk:10;ports:[31100-31199]" },
];

/// A cluster, an engine, and whatever Docker has of this test.
struct World {
    name: &'static str,
    engine: Framework,
    cluster: Mesos,
}

impl World {
    async fn new(name: &'static str, agents: &[AgentSpec]) -> Self {
        lab::image();
        let socket = lab::endpoint().trim_start_matches("unix://").to_owned();
        let flags = [
            ("MESOS_CONTAINERIZERS", "docker,mesos"),
            ("MESOS_DOCKER_SOCKET", socket.as_str()),
            ("MESOS_DOCKER_REMOVE_DELAY", "1secs"),
        ];
        let cluster = Mesos::start_flagged(agents, &[], &flags, None).await;
        let engine = Framework::start(MesosConfig::at(vec![cluster.url()])).await;
        Self { name, engine, cluster }
    }

    /// An app in a container with this test's label.
    fn app(&self, id: &str, image: &str, more: Value) -> Value {
        let label = json!({"key": "label", "value": format!("padis.test={}", self.name)});
        let mut app = json!({"id": id, "cpus": 0.1, "mem": 32, "backoffSeconds": 0.1,
            "container": {"type": "DOCKER", "docker": {"image": image, "parameters": [label]}}});
        for (name, value) in more.as_object().unwrap() {
            match (&mut app[name], value) {
                (Value::Object(known), Value::Object(more)) => known.extend(more.clone()),
                (place, value) => *place = value.clone(),
            }
        }
        app
    }

    /// Containers of this test, those that have ended too.
    fn containers(&self) -> Vec<String> {
        let filter = format!("label=padis.test={}", self.name);
        docker(&["ps", "-a", "-q", "--filter", &filter]).lines().map(str::to_owned).collect()
    }

    async fn until_nothing_is_left(&self) {
        until("Docker has nothing of it any more", async || self.containers().is_empty()).await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for one in self.containers() {
                let removed =
                    std::process::Command::new("docker").args(["-H", &lab::endpoint(), "rm", "-f", &one]).output();
                println!("removed {one}: {}", removed.is_ok());
            }
        }
    }
}

fn inspect(container: &str) -> Value {
    serde_json::from_str::<Value>(&docker(&["inspect", container])).unwrap()[0].take()
}

fn port(task: &Value) -> u64 {
    task["ports"][0].as_u64().unwrap()
}

/// What is said at a port, if anything is.
async fn asked(engine: &Framework, port: u64) -> Option<String> {
    let answer = engine.client.get(format!("http://127.0.0.1:{port}/")).send().await.ok()?;
    Some(answer.text().await.ok()?.trim().to_owned())
}

async fn page(engine: &Framework, port: u64) -> String {
    let mut said = None;
    until(&format!("an answer at port {port}"), async || {
        said = asked(engine, port).await;
        said.is_some()
    })
    .await;
    said.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_a_registry_is_deployed_replaced_scaled_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let registry = RegistryChildConfig { folder: folder.path().join("registry"), listen, notify: None };
    let registry = RegistryChild::start(&registry).await.unwrap();
    let world = World::new("web", &AGENTS).await;
    let engine = &world.engine;
    let image = format!("{}/web:1", registry.name());
    docker(&["tag", lab::IMAGE, &image]);
    docker(&["push", "-q", &image]);
    docker(&["rmi", &image]);
    std::fs::write(folder.path().join("greeting"), "good day").unwrap();
    let app = world.app(
        "/shop/web",
        &image,
        json!({
            "networks": [{"mode": "container/bridge"}],
            "env": {"COLOUR": "green"},
            "container": {
                "portMappings": [{"containerPort": 8080, "hostPort": 0, "protocol": "udp,tcp"}],
                "volumes": [{"containerPath": "/data", "hostPath": folder.path(), "mode": "RO"}],
            },
            "healthChecks": [
                {"protocol": "HTTP", "path": "/", "portIndex": 0, "intervalSeconds": 1, "gracePeriodSeconds": 60},
                {"protocol": "MESOS_HTTP", "path": "/", "portIndex": 0, "intervalSeconds": 1, "delaySeconds": 0,
                 "gracePeriodSeconds": 60},
            ],
        }),
    );
    engine.put(app.clone()).await;
    engine.healthy("/shop/web", 1).await;
    let task = engine.running("/shop/web", 1).await.remove(0);
    assert_eq!(
        task["healthCheckResults"].as_array().unwrap().iter().filter(|h| h["alive"] == true).count(),
        2,
        "{task}"
    );
    assert_eq!(page(engine, port(&task)).await, "it works");

    let [container] = &world.containers()[..] else { panic!("{:?}", world.containers()) };
    let seen = inspect(container);
    assert!(seen["Name"].as_str().unwrap().starts_with("/mesos-"), "{}", seen["Name"]);
    let own = &seen["NetworkSettings"]["Networks"]["bridge"]["IPAddress"];
    assert_eq!(task["ipAddresses"], json!([{"ipAddress": own, "protocol": "IPv4"}]), "its own, not its agent's");
    assert_eq!((&seen["HostConfig"]["Memory"], &seen["HostConfig"]["CpuShares"]), (&json!(32 << 20), &json!(102)));
    let bound = |protocol: &str| seen["HostConfig"]["PortBindings"][format!("8080/{protocol}")][0]["HostPort"].clone();
    let wanted = json!(port(&task).to_string());
    assert_eq!((bound("tcp"), bound("udp")), (wanted.clone(), wanted), "a mapping of both is two");
    let inside = |line: &str| docker(&["exec", container, "sh", "-c", line]);
    assert_eq!(inside("busybox cat /data/greeting"), "good day");
    assert!(inside("(echo x >/data/x) 2>/dev/null || echo no").ends_with("no"), "it is read-only");
    assert_eq!(
        inside("echo $COLOUR $MARATHON_APP_ID $PORT0 $MESOS_SANDBOX"),
        format!("green /shop/web {} /mnt/mesos/sandbox", port(&task))
    );
    // What it says comes to its sandbox, as the portal reads it.
    let portal = MesosClient::new(&ClientConfig::at(&world.cluster.url())).unwrap();
    let (agent, id) = (task["slaveId"].as_str().unwrap(), task["id"].as_str().unwrap());
    let read = async || portal.read_file(agent, id, "stdout", Some(0), 100).await;
    until("its output", async || read().await.is_ok_and(|p| p.data.starts_with(b"it says hello\n"))).await;

    // Ended behind the engine's back: replaced, and said how it ended.
    docker(&["kill", container]);
    until("another one instead", async || !engine.tasks("/shop/web").await.iter().any(|t| t["id"] == id)).await;
    engine.healthy("/shop/web", 1).await;
    let failure = engine.get("/v2/apps/shop/web").await["app"]["lastTaskFailure"].clone();
    assert_eq!((&failure["taskId"], &failure["message"]), (&json!(id), &json!("Container exited with status 137")));

    engine.put(json!({"id": "/shop/web", "instances": 3})).await;
    engine.healthy("/shop/web", 3).await;
    for task in engine.running("/shop/web", 3).await {
        assert_eq!(page(engine, port(&task)).await, "it works");
    }
    // The same name means other bytes now; who says so gets them, though Docker has the old ones.
    docker(&["create", "--name", "padis-other", lab::IMAGE]);
    let other = folder.path().join("index.html");
    std::fs::write(&other, "it works anew\n").unwrap();
    docker(&["cp", other.to_str().unwrap(), "padis-other:/www/index.html"]);
    docker(&["commit", "padis-other", &image]);
    docker(&["rm", "padis-other"]);
    docker(&["push", "-q", &image]);
    docker(&["tag", lab::IMAGE, &image]);
    let mut forced = app;
    forced["container"]["docker"]["forcePullImage"] = json!(true);
    forced["instances"] = json!(2);
    engine.put(forced).await;
    until("the end of the deployment", async || engine.get("/v2/deployments").await == json!([])).await;
    // Those that run when they are asked: one that its checks found ill on a busy machine is
    // replaced, and nobody answers at its port any more.
    until("two that say so", async || {
        let tasks = engine.running("/shop/web", 2).await;
        let mut said = Vec::new();
        for task in &tasks {
            said.extend(asked(engine, port(task)).await);
        }
        assert!(!said.contains(&"it works".to_owned()), "Docker's old bytes: {tasks:?}");
        said == ["it works anew", "it works anew"]
    })
    .await;
    engine.delete("/v2/apps/shop/web").await;
    until("no task", async || engine.tasks("/shop/web").await.is_empty()).await;
    world.until_nothing_is_left().await;
    registry.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_of_the_host_and_of_a_name_and_what_goes_wrong() {
    let world = World::new("nets", &AGENTS[..1]).await;
    let engine = &world.engine;
    docker(&["network", "create", "--subnet", "10.77.0.0/24", "padis-nets"]);
    let host = json!({"cmd": "exec httpd -f -p $PORT0 -h /www", "networks": [{"mode": "host"}],
        "portDefinitions": [{"port": 0}],
        "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/", "portIndex": 0, "intervalSeconds": 1, "delaySeconds": 0}]});
    engine.put(world.app("/host", lab::IMAGE, host)).await;
    // Checked from here at the container's own address, and mapped as well.
    let named = json!({"networks": [{"mode": "container", "name": "padis-nets"}],
        "container": {"portMappings": [{"containerPort": 8080, "hostPort": 0}]},
        "healthChecks": [{"protocol": "HTTP", "path": "/", "portIndex": 0, "intervalSeconds": 1, "gracePeriodSeconds": 60}]});
    engine.put(world.app("/named", lab::IMAGE, named)).await;
    for app in ["/host", "/named"] {
        engine.healthy(app, 1).await;
        assert_eq!(page(engine, port(&engine.running(app, 1).await[0])).await, "it works");
    }
    let task = engine.running("/named", 1).await.remove(0);
    assert!(task["ipAddresses"][0]["ipAddress"].as_str().unwrap().starts_with("10.77.0."), "{task}");

    let missing = world.app("/missing", "127.0.0.1:1/nothing:1", json!({}));
    engine.put(missing).await;
    let mut wrong = world.app("/wrong", lab::IMAGE, json!({}));
    wrong["container"]["docker"]["parameters"]
        .as_array_mut()
        .unwrap()
        .push(json!({"key": "no-such-option", "value": "x"}));
    engine.put(wrong).await;
    for (app, words) in [("/missing", "127.0.0.1:1/nothing:1"), ("/wrong", "Container exited with status 125")] {
        until(&format!("the failure of {app}"), async || {
            let told = engine.get(&format!("/v2/apps{app}")).await;
            told["app"]["lastTaskFailure"]["message"].as_str().is_some_and(|m| m.contains(words))
        })
        .await;
    }
    engine.delete("/v2/groups?force=true").await;
    world.until_nothing_is_left().await;
    until("the network is free", async || {
        let seen: Value = serde_json::from_str(&docker(&["network", "inspect", "padis-nets"])).unwrap();
        seen[0]["Containers"].as_object().is_some_and(serde_json::Map::is_empty)
    })
    .await;
    docker(&["network", "rm", "padis-nets"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_of_a_docker_driver_outlives_its_containers() {
    let world = World::new("volume", &AGENTS[..1]).await;
    let engine = &world.engine;
    let volumes = json!([{"containerPath": "/data", "mode": "RW",
        "external": {"name": "padis-test-data", "provider": "dvdi", "options": {"dvdi/driver": "local"}}}]);
    let app = world.app(
        "/keeps",
        lab::IMAGE,
        json!({"cmd": "echo $MESOS_TASK_ID >>/data/log; exec sleep 1000",
        "container": {"volumes": volumes}, "networks": [{"mode": "container/bridge"}],
        "upgradeStrategy": {"minimumHealthCapacity": 0, "maximumOverCapacity": 0}}),
    );
    engine.put(app).await;
    let first = engine.running("/keeps", 1).await.remove(0);
    let mounts = inspect(&world.containers()[0])["Mounts"].clone();
    let mount = mounts.as_array().unwrap().iter().find(|m| m["Destination"] == "/data").cloned().unwrap();
    assert_eq!(
        (&mount["Type"], &mount["Name"], &mount["Driver"]),
        (&json!("volume"), &json!("padis-test-data"), &json!("local"))
    );
    docker(&["kill", &world.containers()[0]]);
    until("another one instead", async || !engine.tasks("/keeps").await.iter().any(|t| t["id"] == first["id"])).await;
    engine.running("/keeps", 1).await;
    let volume = ["run", "--rm", "-v", "padis-test-data:/data", lab::IMAGE, "busybox", "cat", "/data/log"];
    until("both have written", async || docker(&volume).lines().count() == 2).await;
    assert_eq!(docker(&volume).lines().next(), first["id"].as_str());
    let two = engine
        .client
        .put(format!("{}/v2/apps/keeps", engine.base))
        .json(&json!({"instances": 2}))
        .send()
        .await
        .unwrap();
    assert_eq!(two.status().as_u16(), 422, "{}", two.text().await.unwrap());
    engine.put(sleeper("/beside", 0.1, json!({}))).await;
    engine.running("/beside", 1).await;
    engine.delete("/v2/groups?force=true").await;
    world.until_nothing_is_left().await;
    assert_eq!(docker(&["volume", "rm", "padis-test-data"]), "padis-test-data");
}
