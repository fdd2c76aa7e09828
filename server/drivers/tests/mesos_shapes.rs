//! The built-in engine's Mesos operator API held against a real Mesos 1.11
//! (`end2end/lab/mesos/build`), both alive with the same kinds of tasks: every answer has
//! the same members with the same kinds of values, at every depth. Needs the lab's
//! Docker Engine (`end2end/lab/run`).
//!
//! Where they may differ is in [`DIFFERENT`], each with its reason; an entry that is not
//! needed any more fails the test, too.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/framework.rs"]
mod framework;
#[expect(dead_code, reason = "other suites use more of it")]
mod lab;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;

use framework::{Command, Framework};
use mesos::{AgentSpec, Mesos, until};
use padis_engine::{AgentConfig, Credentials, EngineConfig};
use padis_protocol::recordio::RecordReader;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Members whose names are data: any name, the same kinds of values.
const NAMED: [&str; 6] = [
    "attributes",
    "flags",
    "reserved_resources",
    "reserved_resources_full",
    "consumed",
    "reserved_resources_allocated",
];

/// Where the two may differ, and why. A path that ends so, or goes on below it.
const DIFFERENT: &[(&str, &str)] = &[
    ("executor_pid", "tasks run as containers of Docker, without a process of an executor"),
    ("container", "the rig's tasks are bare commands, the engine's run in Docker"),
    ("user", "told by Marathon for each task; the rig can't change a task's user"),
    ("cpus_limit", "told where cores are limited, which they are not in the rig"),
    ("inverse_offers", "what a master asks of frameworks of others; the engine is its own and need not ask"),
    (
        "completed_tasks[].statuses[].healthy",
        "a check's last word is forgotten with its task (it is in the message if it was the reason)",
    ),
];

/// Paths, each with the kinds of values that were seen there.
type Shape = BTreeMap<String, BTreeSet<&'static str>>;

fn look(path: &str, value: &Value, shape: &mut Shape) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "flag",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    };
    shape.entry(path.to_owned()).or_default().insert(kind);
    match value {
        Value::Array(list) => list.iter().for_each(|one| look(&format!("{path}[]"), one, shape)),
        Value::Object(map) => {
            let named = NAMED.iter().any(|name| path.ends_with(name));
            for (name, one) in map {
                look(&format!("{path}.{}", if named { "*" } else { name }), one, shape);
            }
        }
        _ => {}
    }
}

/// What differs between the shapes of two answers.
fn differences(what: &str, real: &Value, ours: &Value, used: &mut BTreeSet<&'static str>) -> Vec<String> {
    let (mut a, mut b) = (Shape::new(), Shape::new());
    look("", real, &mut a);
    look("", ours, &mut b);
    let paths: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let mut out: Vec<String> = Vec::new();
    for path in paths {
        let one_sided = |shape: &Shape| !shape.contains_key(path);
        let said = match (a.get(path), b.get(path)) {
            (Some(real), Some(ours)) if real == ours => continue,
            (Some(real), Some(ours)) => format!("{what}{path}: {real:?} in Mesos, {ours:?} here"),
            (Some(_), None) => format!("{what}{path}: missing"),
            (None, _) => format!("{what}{path}: not in Mesos"),
        };
        let parent = path.rfind(['.', '[']).map_or("", |at| &path[..at]);
        let told_above =
            !parent.is_empty() && (one_sided(&a) || one_sided(&b)) && a.contains_key(parent) != b.contains_key(parent);
        let excuse = DIFFERENT.iter().find(|(name, _)| {
            let member = format!(".{name}");
            path.ends_with(&member) || path.contains(&format!("{member}.")) || path.contains(&format!("{member}["))
        });
        match excuse {
            Some((name, _)) => drop(used.insert(name)),
            None if told_above => {}
            None => out.push(said),
        }
    }
    out
}

/// One of the two.
struct Side {
    client: reqwest::Client,
    master: String,
    /// Of the agent that has the tasks: its server, its process, its id.
    server: String,
    process: String,
    agent: String,
}

impl Side {
    async fn new(master: String) -> Self {
        let client = padis_drivers::http::builder().build().unwrap();
        let mut this = Self { client, master, server: String::new(), process: String::new(), agent: String::new() };
        let slaves = this.get("/slaves").await;
        let one = slaves["slaves"].as_array().unwrap().iter().find(|s| s["hostname"] == "one").unwrap();
        let (process, address) = one["pid"].as_str().unwrap().split_once('@').unwrap();
        (this.process, this.server) = (process.to_owned(), format!("http://{address}"));
        this.agent = one["id"].as_str().unwrap().to_owned();
        this
    }

    async fn fetch(&self, request: reqwest::RequestBuilder, what: &str) -> Value {
        let answer = request.timeout(mesos::DEADLINE).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{what}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn get(&self, path: &str) -> Value {
        self.fetch(self.client.get(format!("{}{path}", self.master)), path).await
    }

    /// Of the agent.
    async fn own(&self, path: &str) -> Value {
        self.fetch(self.client.get(format!("{}/{}{path}", self.server, self.process)), path).await
    }

    async fn call_at(&self, url: &str, body: &Value) -> Value {
        let request = self.client.post(url).header("Content-Type", "application/json");
        self.fetch(request.body(body.to_string()), &body.to_string()).await
    }

    async fn call(&self, body: Value) -> Value {
        self.call_at(&format!("{}/api/v1", self.master), &body).await
    }

    async fn own_call(&self, body: Value) -> Value {
        self.call_at(&format!("{}/{}/api/v1", self.server, self.process), &body).await
    }

    /// The sandbox of a running task.
    async fn sandbox(&self) -> String {
        let state = self.own("/state").await;
        let executors = state["frameworks"][0]["executors"].as_array().unwrap();
        executors[0]["directory"].as_str().unwrap().to_owned()
    }

    /// The first events of each kind of a subscription.
    async fn events(&self, kinds: &[&str], meanwhile: impl AsyncFnOnce()) -> BTreeMap<String, Value> {
        let request = self.client.post(format!("{}/api/v1", self.master)).header("Content-Type", "application/json");
        let mut answer = request.body(r#"{"type":"SUBSCRIBE"}"#).send().await.unwrap();
        meanwhile().await;
        let (mut reader, mut records, mut seen) = (RecordReader::default(), Vec::new(), BTreeMap::new());
        while !kinds.iter().all(|kind| seen.contains_key(*kind)) {
            let piece = tokio::time::timeout(mesos::DEADLINE, answer.chunk()).await.unwrap().unwrap().unwrap();
            reader.push(&piece, &mut records).unwrap();
            for record in records.drain(..) {
                let event: Value = serde_json::from_slice(&record).unwrap();
                let kind = event["type"].as_str().unwrap().to_owned();
                seen.entry(kind).or_insert(event);
            }
        }
        seen
    }
}

/// What Marathon tells of each task.
fn more(port: u16) -> Value {
    let ports = json!([{"number": port, "protocol": "tcp"}]);
    json!({"ports": [port], "discovery": {"visibility": "FRAMEWORK", "name": "x", "ports": {"ports": ports}},
        "kill_policy": {"grace_period": {"nanoseconds": 3_000_000_000_i64}}})
}

/// A running task with everything that both can have, and one that has failed.
async fn real_tasks(framework: &Framework) {
    let check = json!({"type": "COMMAND", "command": {"value": "true", "shell": true}, "delay_seconds": 0.0,
        "interval_seconds": 1.0, "grace_period_seconds": 5.0, "timeout_seconds": 5.0, "consecutive_failures": 3});
    let labels = json!({"labels": [{"key": "a", "value": "b"}]});
    let mut extra = more(31005);
    (extra["health_check"], extra["labels"]) = (check.clone(), labels.clone());
    framework.launch(Command { extra, ..Command::new("run.1", "one", "echo it says hello; exec sleep 600") });
    let mut extra = more(31006);
    (extra["health_check"], extra["labels"]) = (check, labels);
    // It ends before it is asked: else the one side may have an answer and the other none.
    extra["health_check"]["delay_seconds"] = json!(60.0);
    framework.launch(Command { extra, ..Command::new("fail.1", "one", "exit 3") });
    framework.wait_for("run.1", "healthy", |u| u["healthy"] == true).await;
    framework.wait("fail.1", "TASK_FAILED").await;
}

fn app(id: &str, cmd: &str) -> Value {
    json!({"id": id, "cmd": cmd, "instances": 1, "cpus": 0.05, "mem": 32, "labels": {"a": "b"},
        "constraints": [["pool", "LIKE", "one"]], "networks": [{"mode": "host"}], "portDefinitions": [{"port": 0}],
        "container": {"type": "DOCKER", "docker": {"image": lab::image()}},
        "healthChecks": [{"protocol": "COMMAND", "command": {"value": "true"}, "intervalSeconds": 1,
            "gracePeriodSeconds": 5, "timeoutSeconds": 5, "delaySeconds": 0}]})
}

async fn put(marathon: &str, app: &Value) {
    let client = padis_drivers::http::builder().build().unwrap();
    let url = format!("{marathon}/v2/apps{}?force=true", app["id"].as_str().unwrap());
    let answer = client.put(url).header("Content-Type", "application/json").body(app.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
}

async fn engine(folder: &std::path::Path) -> padis_engine::EngineHandle {
    let agent = |name: &str| AgentConfig {
        name: name.to_owned(),
        attributes: BTreeMap::from([("pool".to_owned(), name.to_owned()), ("rack".to_owned(), "7".to_owned())]),
        cpus: 2.0,
        mem_mib: 1024,
        disk_mib: None,
        docker: None,
    };
    let config = EngineConfig {
        marathon_listen: "127.0.0.1:0".parse().unwrap(),
        mesos_listen: "127.0.0.1:0".parse().unwrap(),
        credentials: None::<Credentials>,
        data: folder.to_owned(),
        docker: lab::endpoint(),
        agents: vec![agent("one"), agent("two")],
        ..EngineConfig::default()
    };
    padis_engine::Engine::start(config).await.unwrap()
}

/// Whether an answer tells of offers that are under way.
fn offers(answer: &Value) -> bool {
    match answer {
        Value::Object(members) => members.iter().any(|(name, value)| match name.as_str() {
            "offers" => value.as_array().is_some_and(|a| !a.is_empty()),
            "offered_resources" => value.get("ports").is_some() || value.as_array().is_some_and(|a| !a.is_empty()),
            _ => offers(value),
        }),
        Value::Array(all) => all.iter().any(offers),
        _ => false,
    }
}

/// An answer of the real one between two of its offers: the framework here sends each
/// back, but a moment may lie between, and the engine never has any.
async fn quiet(mut ask: impl AsyncFnMut() -> Value) -> Value {
    let mut answer = Value::Null;
    until("no offer is under way", async || {
        answer = ask().await;
        !offers(&answer)
    })
    .await;
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_shape_of_a_real_mesos() {
    let agent = |name, attributes| AgentSpec { name, attributes, resources: "cpus:2;mem:1024;ports:[31000-31099]" };
    let cluster = [agent("one", "pool:one;rack:7"), agent("two", "pool:two;rack:7")];
    let cluster = Mesos::start_with(&cluster, &[("MESOS_CLUSTER", "padis")], None).await;
    let framework = Framework::subscribe(&cluster.url()).await;
    real_tasks(&framework).await;
    let real = Side::new(cluster.url()).await;

    let folder = tempfile::tempdir().unwrap();
    let handle = engine(folder.path()).await;
    let marathon = format!("http://{}", handle.marathon());
    put(&marathon, &app("/lab/run", "echo it says hello; exec sleep 600")).await;
    put(&marathon, &app("/lab/fail", "exit 3")).await;
    let ours = Side::new(format!("http://{}", handle.mesos())).await;
    until("the engine's tasks run and have failed", async || {
        let tasks = ours.get("/tasks").await;
        let all = tasks["tasks"].as_array().unwrap();
        let healthy = |t: &Value| t["statuses"].as_array().unwrap().last().is_some_and(|s| s["healthy"] == true);
        all.iter().any(healthy) && all.iter().any(|t| t["state"] == "TASK_FAILED")
    })
    .await;
    // Only one of the tasks lives on, as in the real one.
    put(&marathon, &json!({"id": "/lab/fail", "instances": 0})).await;
    until("the failing one has gone", async || {
        let state = ours.get("/state").await;
        state["frameworks"][0]["tasks"].as_array().unwrap().len() == 1
    })
    .await;
    for side in [&real, &ours] {
        let machine = json!([{"hostname": "two", "ip": "127.0.0.1"}, {"hostname": "elsewhere", "ip": "127.0.0.1"}]);
        let windows = json!([{"machine_ids": machine, "unavailability": {"start": {"nanoseconds": 4_000_000_000_000_000_000_i64},
            "duration": {"nanoseconds": 3_600_000_000_000_i64}}}]);
        side.call(json!({"type": "UPDATE_MAINTENANCE_SCHEDULE", "update_maintenance_schedule": {"schedule": {"windows": windows}}})).await;
    }

    let (mut found, mut used) = (Vec::new(), BTreeSet::new());
    let mut compare = |what: &str, real: &Value, ours: &Value| found.extend(differences(what, real, ours, &mut used));
    for path in [
        "/state",
        "/master/state",
        "/slaves",
        "/frameworks",
        "/tasks",
        "/roles",
        "/state-summary",
        "/flags",
        "/version",
        "/system/stats.json",
        "/quota",
        "/weights",
        "/maintenance/schedule",
        "/maintenance/status",
        "/master/slaves",
    ] {
        compare(path, &quiet(async || real.get(path).await).await, &ours.get(path).await);
    }
    for path in ["/state", "/containers", "/monitor/statistics", "/flags"] {
        compare(&format!("agent {path}"), &real.own(path).await, &ours.own(path).await);
    }
    for kind in [
        "GET_HEALTH",
        "GET_FLAGS",
        "GET_VERSION",
        "GET_METRICS",
        "GET_LOGGING_LEVEL",
        "GET_STATE",
        "GET_AGENTS",
        "GET_FRAMEWORKS",
        "GET_EXECUTORS",
        "GET_OPERATIONS",
        "GET_TASKS",
        "GET_ROLES",
        "GET_WEIGHTS",
        "GET_MASTER",
        "GET_MAINTENANCE_STATUS",
        "GET_MAINTENANCE_SCHEDULE",
        "GET_QUOTA",
    ] {
        let body = json!({"type": kind, "get_metrics": {}});
        compare(kind, &quiet(async || real.call(body.clone()).await).await, &ours.call(body).await);
    }
    for kind in [
        "GET_HEALTH",
        "GET_FLAGS",
        "GET_VERSION",
        "GET_METRICS",
        "GET_LOGGING_LEVEL",
        "GET_STATE",
        "GET_CONTAINERS",
        "GET_FRAMEWORKS",
        "GET_EXECUTORS",
        "GET_OPERATIONS",
        "GET_TASKS",
        "GET_AGENT",
        "GET_RESOURCE_PROVIDERS",
    ] {
        let body = json!({"type": kind, "get_metrics": {}});
        compare(&format!("agent {kind}"), &real.own_call(body.clone()).await, &ours.own_call(body).await);
    }
    let mut files = Vec::new();
    for side in [&real, &ours] {
        let dir = side.sandbox().await;
        let browse = side.client.get(format!("{}/files/browse?path={dir}", side.server));
        let read = side.client.get(format!("{}/files/read?path={dir}/stdout&offset=0", side.server));
        let list = json!({"type": "LIST_FILES", "list_files": {"path": dir}});
        let piece = json!({"type": "READ_FILE", "read_file": {"path": format!("{dir}/stdout"), "offset": 0}});
        files.push(json!([
            side.fetch(browse, "browse").await,
            side.fetch(read, "read").await,
            side.own_call(list).await,
            side.own_call(piece).await
        ]));
    }
    for (index, what) in ["browse", "read", "LIST_FILES", "READ_FILE"].into_iter().enumerate() {
        compare(what, &files[0][index], &files[1][index]);
    }

    let kinds = ["SUBSCRIBED", "HEARTBEAT", "TASK_ADDED", "TASK_UPDATED"];
    let real_events = real.events(&kinds, async || {
        framework.launch(Command { extra: more(31007), ..Command::new("more.1", "one", "exec sleep 600") });
        framework.wait("more.1", "TASK_RUNNING").await;
    });
    let real_events = real_events.await;
    let more = json!({"id": "/lab/more", "cmd": "exec sleep 600", "instances": 1, "cpus": 0.05, "mem": 32,
        "constraints": [["pool", "LIKE", "one"]], "networks": [{"mode": "host"}], "portDefinitions": [{"port": 0}],
        "container": {"type": "DOCKER", "docker": {"image": lab::image()}}});
    let our_events = ours.events(&kinds, async || put(&marathon, &more).await).await;
    for kind in kinds {
        compare(kind, &real_events[kind], &our_events[kind]);
    }

    // Out of service, with a task that takes its time and then when it is empty.
    for side in [&real, &ours] {
        let grace = json!({"agent_id": {"value": side.agent}, "max_grace_period": {"seconds": 2}});
        side.call(json!({"type": "DRAIN_AGENT", "drain_agent": grace})).await;
        until("it is drained", async || {
            let slaves = side.get("/slaves").await;
            slaves["slaves"].as_array().unwrap().iter().any(|s| s["drain_info"]["state"] == "DRAINED")
        })
        .await;
    }
    compare("drained /slaves", &quiet(async || real.get("/slaves").await).await, &ours.get("/slaves").await);
    let body = json!({"type": "GET_AGENTS"});
    compare("drained GET_AGENTS", &quiet(async || real.call(body.clone()).await).await, &ours.call(body).await);
    compare("drained agent /state", &real.own("/state").await, &ours.own("/state").await);

    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
    let needless: Vec<&str> = DIFFERENT.iter().map(|(name, _)| *name).filter(|name| !used.contains(name)).collect();
    assert!(needless.is_empty(), "there is no difference any more in {needless:?}");
    metrics(&real, &ours).await;
    handle.stop().await;
}

/// The names of metrics are data, so they are compared by themselves: none of ours is
/// invented, and of the master's and the machine's none is missing.
async fn metrics(real: &Side, ours: &Side) {
    /// What counts messages and operations between processes that are one here, and
    /// what is told of each framework and of each reason why tasks ended.
    const NOT_HERE: [&str; 12] = [
        "master/messages_",
        "master/operations/",
        "master/frameworks/",
        "master/event_queue_",
        "master/valid_",
        "master/invalid_",
        "master/slave_",
        "master/task_",
        "master/recovery_",
        "master/dropped_messages",
        "master/http_cache_hits",
        "master/tasks_",
    ];
    let names = |all: Value| all.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let real = names(real.get("/metrics/snapshot").await);
    let ours = names(ours.get("/metrics/snapshot").await);
    let invented: Vec<_> = ours.difference(&real).collect();
    assert!(invented.is_empty(), "{invented:?}");
    let here = |name: &&String| {
        let tasks = name.starts_with("master/tasks_");
        let ours = name.starts_with("master/") || name.starts_with("system/");
        ours && (tasks || !NOT_HERE.iter().any(|other| name.starts_with(other)))
    };
    let missing: Vec<_> = real.difference(&ours).filter(here).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_difference_is_found_at_any_depth() {
    let mut used = BTreeSet::new();
    let mut told = |real: Value, ours: Value| differences("x", &real, &ours, &mut used);
    assert_eq!(told(json!({"a": [{"b": 1.0}]}), json!({"a": [{"b": 2.0}, {"b": 0.5}]})), Vec::<String>::new());
    assert_eq!(told(json!({"a": [{"b": 1.0}]}), json!({"a": [{"b": 1}]})).len(), 1, "a float is no integer");
    assert_eq!(told(json!({"a": [{"b": 1.0}]}), json!({"a": []})), ["xa: missing".replace("xa", "x.a[]")]);
    assert_eq!(told(json!({"a": {}}), json!({"a": {}, "c": {"d": 1}})), ["x.c: not in Mesos"]);
    assert_eq!(told(json!({"attributes": {"a": "x"}}), json!({"attributes": {"b": "y"}})), Vec::<String>::new());
    assert_eq!(told(json!({"t": {}}), json!({"t": {"user": "root"}})), Vec::<String>::new());
    assert!(used.contains("user"));
}
