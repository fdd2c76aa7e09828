//! Operators: agents taken out of service and back, maintenance, the stream of events.
//! On agents on which nothing runs, so that it needs no Docker; what needs one says so.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use padis_protocol::recordio::RecordReader;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Rig, agent, client, sleeper, wait};

const SOON: Duration = Duration::from_millis(2);

/// A call of version 1; status and text.
async fn call(rig: &Rig, body: Value) -> (u16, String) {
    let request = rig.client.post(format!("{}/api/v1", rig.mesos)).header("Content-Type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn ask(rig: &Rig, kind: &str) -> Value {
    let (status, text) = call(rig, json!({"type": kind})).await;
    assert_eq!(status, 200, "{kind}: {text}");
    serde_json::from_str::<Value>(&text).unwrap()[kind.to_ascii_lowercase()].take()
}

/// An order about an agent.
async fn order(rig: &Rig, kind: &str, id: &str, more: Value) -> (u16, String) {
    let mut content = json!({"agent_id": {"value": id}});
    content.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call(rig, json!({"type": kind, kind.to_ascii_lowercase(): content})).await
}

fn ok() -> (u16, String) {
    (200, String::new())
}

fn bad(why: &str) -> (u16, String) {
    (400, why.to_owned())
}

/// The agent with this name, as `/slaves` has it; null if it is not there.
async fn slave(rig: &Rig, name: &str) -> Value {
    let all = rig.mesos("/slaves").await;
    let found = all["slaves"].as_array().unwrap().iter().find(|s| s["hostname"] == name).cloned();
    found.unwrap_or_default()
}

/// The hosts of an app's tasks.
async fn hosts(rig: &Rig, app: &str) -> Vec<String> {
    rig.tasks(app).await.iter().map(|t| t["host"].as_str().unwrap().to_owned()).collect()
}

fn app(instances: u32) -> Value {
    json!({"id": "/many", "cmd": "sleep", "instances": instances, "cpus": 0.1, "mem": 16,
        "container": {"type": "DOCKER", "docker": {"image": "x"}}})
}

#[tokio::test]
async fn a_drained_agent_is_emptied_and_stays_so_over_a_restart() {
    let mut rig = Rig::simulated(3, Duration::from_secs(1), 0.0).await;
    rig.put(&app(6)).await;
    rig.running("/many", 6).await;
    let name = "sim-00001";
    let id = slave(&rig, name).await["id"].as_str().unwrap().to_owned();
    assert_eq!(hosts(&rig, "/many").await.iter().filter(|h| *h == name).count(), 2);

    assert_eq!(order(&rig, "REACTIVATE_AGENT", &id, json!({})).await, bad("Agent is not deactivated"));
    assert_eq!(order(&rig, "DRAIN_AGENT", &id, json!({"max_grace_period": {"seconds": 3}})).await, ok());
    let draining = slave(&rig, name).await;
    assert_eq!((&draining["active"], &draining["deactivated"]), (&json!(false), &json!(true)));
    let config = json!({"max_grace_period": {"nanoseconds": 3_000_000_000_u64}, "mark_gone": false});
    assert_eq!(draining["drain_info"], json!({"state": "DRAINING", "config": config}));
    assert!(draining["estimated_drain_start_time_seconds"].as_f64().unwrap() > 1.6e9);
    assert_eq!(order(&rig, "REACTIVATE_AGENT", &id, json!({})).await, bad("Agent is still in the DRAINING state"));
    let process = draining["pid"].as_str().unwrap().split('@').next().unwrap().to_owned();
    assert_eq!(rig.mesos(&format!("/{process}/state")).await["drain_config"], config);

    wait("it is drained", async || (slave(&rig, name).await["drain_info"]["state"] == "DRAINED").then_some(())).await;
    rig.running("/many", 6).await;
    assert!(!hosts(&rig, "/many").await.contains(&name.to_owned()), "they went elsewhere");
    assert_eq!(rig.mesos(&format!("/{process}/state")).await["drain_config"], Value::Null, "the agent forgets it");
    let tasks = ask(&rig, "GET_TASKS").await;
    let killed = tasks["completed_tasks"].as_array().unwrap();
    assert_eq!(killed.len(), 2);
    for task in killed {
        let last = task["statuses"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["state"], &last["reason"]), (&json!("TASK_KILLED"), &json!("REASON_AGENT_DRAINING")));
    }

    rig.restart().await;
    let agents = ask(&rig, "GET_AGENTS").await;
    let mine = agents["agents"].as_array().unwrap().iter().find(|a| a["agent_info"]["hostname"] == name).unwrap();
    assert_eq!((&mine["active"], &mine["deactivated"]), (&json!(false), &json!(true)));
    assert_eq!(mine["drain_info"]["state"], "DRAINED");
    let metrics = rig.mesos("/metrics/snapshot").await;
    assert_eq!((&metrics["master/slaves_active"], &metrics["master/slaves_inactive"]), (&json!(2.0), &json!(1.0)));
    let state = rig.mesos("/state").await;
    assert_eq!((&state["activated_slaves"], &state["deactivated_slaves"]), (&json!(2.0), &json!(1.0)));
    rig.put(&app(8)).await;
    rig.running("/many", 8).await;
    assert!(!hosts(&rig, "/many").await.contains(&name.to_owned()), "nothing new goes there");

    assert_eq!(order(&rig, "REACTIVATE_AGENT", &id, json!({})).await, ok());
    let back = slave(&rig, name).await;
    assert_eq!((&back["active"], &back["deactivated"]), (&json!(true), &json!(false)));
    assert_eq!(back["drain_info"], Value::Null);
    rig.put(&app(9)).await;
    rig.running("/many", 9).await;
    assert!(hosts(&rig, "/many").await.contains(&name.to_owned()), "it is used again");
    rig.restart().await;
    assert_eq!(slave(&rig, name).await["active"], true);
}

#[tokio::test]
async fn a_full_cluster_waits_for_the_agent_that_comes_back() {
    let rig = Rig::simulated(1, SOON, 0.0).await;
    let id = slave(&rig, "sim-00000").await["id"].as_str().unwrap().to_owned();
    assert_eq!(order(&rig, "DRAIN_AGENT", &id, json!({})).await, ok());
    assert_eq!(slave(&rig, "sim-00000").await["drain_info"]["state"], "DRAINED", "it was empty");
    rig.put(&app(1)).await;
    wait("it waits", async || {
        let queue = rig.get("/v2/queue").await;
        let summary = queue["queue"][0]["processedOffersSummary"]["rejectSummaryLastOffers"].as_array().cloned();
        summary?.iter().find(|r| r["reason"] == "DrainingHost" && r["declined"] == 1).cloned()
    })
    .await;
    assert_eq!(order(&rig, "REACTIVATE_AGENT", &id, json!({})).await, ok());
    rig.running("/many", 1).await;
}

#[tokio::test]
async fn a_deactivated_agent_keeps_what_it_has() {
    let mut rig = Rig::simulated(2, SOON, 0.0).await;
    rig.put(&app(2)).await;
    rig.running("/many", 2).await;
    let name = "sim-00000";
    let id = slave(&rig, name).await["id"].as_str().unwrap().to_owned();
    assert_eq!(order(&rig, "DEACTIVATE_AGENT", "nobody", json!({})).await, bad("Unknown agent"));
    assert_eq!(order(&rig, "DRAIN_AGENT", "nobody", json!({})).await, bad("Unknown agent"));
    assert_eq!(order(&rig, "REACTIVATE_AGENT", "nobody", json!({})).await, bad("Agent is not deactivated"));
    for _ in 0..2 {
        assert_eq!(order(&rig, "DEACTIVATE_AGENT", &id, json!({})).await, ok());
    }
    rig.restart().await;
    let out = slave(&rig, name).await;
    assert_eq!((&out["active"], &out["deactivated"], &out["drain_info"]), (&json!(false), &json!(true), &Value::Null));
    rig.put(&app(4)).await;
    rig.running("/many", 4).await;
    assert_eq!(hosts(&rig, "/many").await.iter().filter(|h| *h == name).count(), 1, "its own, and nothing new");
    // Deactivated, it may still be drained; and a drain is not undone by a deactivation.
    assert_eq!(order(&rig, "DRAIN_AGENT", &id, json!({})).await, ok());
    assert_eq!(order(&rig, "DEACTIVATE_AGENT", &id, json!({})).await, ok());
    wait("it is drained", async || (slave(&rig, name).await["drain_info"]["state"] == "DRAINED").then_some(())).await;
    // To mark an agent gone is for ever; this engine has no second one to give.
    let gone = order(&rig, "DRAIN_AGENT", &id, json!({"mark_gone": true})).await;
    assert_eq!(gone, (403, String::from("403 Forbidden.")));
    assert_eq!(order(&rig, "MARK_AGENT_GONE", &id, json!({})).await.0, 403);
}

#[tokio::test]
async fn a_drain_does_not_wait_longer_than_it_was_told() {
    let rig = Rig::with(vec![agent("one", 2.0, 512, &[]), agent("two", 2.0, 512, &[])]).await;
    let mut deaf = sleeper("/deaf", 2);
    deaf["cmd"] = json!("trap '' TERM; while :; do sleep 0.1; done");
    deaf["taskKillGracePeriodSeconds"] = json!(3600);
    deaf["constraints"] = json!([["hostname", "GROUP_BY"]]);
    rig.put(&deaf).await;
    rig.running("/deaf", 2).await;
    let id = slave(&rig, "one").await["id"].as_str().unwrap().to_owned();
    let grace = json!({"max_grace_period": {"seconds": 1}});
    assert_eq!(order(&rig, "DRAIN_AGENT", &id, grace).await, ok());
    wait("it is drained", async || (slave(&rig, "one").await["drain_info"]["state"] == "DRAINED").then_some(())).await;
    wait("the other agent has both", async || {
        let hosts = hosts(&rig, "/deaf").await;
        (hosts == ["two", "two"]).then_some(())
    })
    .await;
}

fn window(machines: &Value, start_ns: i64, length_ns: Option<i64>) -> Value {
    let mut unavailability = json!({"start": {"nanoseconds": start_ns}});
    if let Some(length) = length_ns {
        unavailability["duration"] = json!({"nanoseconds": length});
    }
    json!({"windows": [{"machine_ids": machines, "unavailability": unavailability}]})
}

async fn post(rig: &Rig, path: &str, body: &str) -> (u16, String) {
    let answer = rig.client.post(format!("{}{path}", rig.mesos)).body(body.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn a_machine_under_maintenance_gets_nothing_and_goes_when_it_is_set_down() {
    let mut rig = Rig::simulated(2, SOON, 0.0).await;
    rig.put(&app(2)).await;
    rig.running("/many", 2).await;
    let machine = json!([{"hostname": "SIM-00000", "ip": "127.0.0.1"}]);
    let now = padis_protocol::timestamp::now_ms() * 1_000_000;
    let path = "/maintenance/schedule";
    let plan = window(&machine, now, Some(3_600_000_000_000));
    assert_eq!(post(&rig, path, &plan.to_string()).await, ok());
    assert_eq!(rig.mesos("/master/maintenance/schedule").await, plan);
    assert_eq!(rig.mesos("/maintenance/status").await, json!({"draining_machines": [{"id": machine[0]}]}));
    rig.restart().await;
    assert_eq!(ask(&rig, "GET_MAINTENANCE_SCHEDULE").await, json!({"schedule": plan}));
    assert_eq!(ask(&rig, "GET_MAINTENANCE_STATUS").await["status"]["draining_machines"][0]["id"], machine[0]);
    rig.put(&app(4)).await;
    rig.running("/many", 4).await;
    assert_eq!(hosts(&rig, "/many").await.iter().filter(|h| *h == "sim-00000").count(), 1, "nothing new, nothing lost");
    assert_eq!(slave(&rig, "sim-00000").await["active"], true, "only announced");

    assert_eq!(post(&rig, "/machine/down", &machine.to_string()).await, ok());
    assert_eq!(rig.mesos("/maintenance/status").await, json!({"down_machines": machine}));
    assert_eq!(slave(&rig, "sim-00000").await, Value::Null, "it has gone");
    rig.running("/many", 4).await;
    wait("all are elsewhere", async || hosts(&rig, "/many").await.iter().all(|h| h == "sim-00001").then_some(())).await;
    rig.running("/many", 4).await;
    rig.restart().await;
    assert_eq!(slave(&rig, "sim-00000").await, Value::Null);
    let named = r#"Machine '{"hostname":"SIM-00000","ip":"127.0.0.1"}'"#;
    let left_out = post(&rig, path, "{}").await;
    assert_eq!(left_out, bad(&format!("{named} is deactivated and cannot be removed from the schedule")));
    assert_eq!(
        post(&rig, "/machine/down", &machine.to_string()).await,
        bad(&format!("{named} is not in DRAINING mode and cannot be brought down"))
    );
    assert_eq!(post(&rig, "/machine/up", &machine.to_string()).await, ok());
    assert_eq!((rig.mesos(path).await, rig.mesos("/maintenance/status").await), (json!({}), json!({})));
    assert_eq!(slave(&rig, "sim-00000").await["active"], true, "it is back");
    rig.put(&app(5)).await;
    rig.running("/many", 5).await;
    assert!(hosts(&rig, "/many").await.contains(&String::from("sim-00000")));
    let calm = json!({"type": "START_MAINTENANCE", "start_maintenance": {"machines": machine}});
    assert_eq!(call(&rig, calm).await, bad(&format!("{named} is not in DRAINING mode and cannot be brought down")));
}

#[tokio::test]
async fn a_window_opens_and_closes_by_itself() {
    let rig = Rig::simulated(1, SOON, 0.0).await;
    let machine = json!([{"hostname": "sim-00000", "ip": "127.0.0.1"}]);
    let now = padis_protocol::timestamp::now_ms() * 1_000_000;
    let plan = json!({"schedule": window(&machine, now, Some(1_500_000_000))});
    let call_ = json!({"type": "UPDATE_MAINTENANCE_SCHEDULE", "update_maintenance_schedule": plan});
    assert_eq!(call(&rig, call_).await, ok());
    rig.put(&app(1)).await;
    assert_eq!(rig.tasks("/many").await.len(), 0, "not while the window is open");
    rig.running("/many", 1).await;
    assert!(padis_protocol::timestamp::now_ms() * 1_000_000 >= now + 1_500_000_000, "but as soon as it has closed");
}

#[tokio::test]
async fn what_is_no_schedule_is_refused_in_mesos_words() {
    let rig = Rig::simulated(1, SOON, 0.0).await;
    let one = json!({"hostname": "two", "ip": "127.0.0.1"});
    let twice = r#"Machine '{"hostname":"two","ip":"127.0.0.1"}' appears more than once in the schedule"#;
    let plan = |machines: Value| window(&machines, 1, None).to_string();
    for (body, why) in [
        (String::from("x"), "syntax error at line 1 near: x"),
        (String::from("[]"), "Unexpected JSON type parsed"),
        (plan(json!([])), "List of machines in the maintenance window is empty"),
        (plan(json!([{}])), "Both 'hostname' and 'ip' for a machine are empty"),
        (plan(json!([{"hostname": "x", "ip": "banana"}])), "Failed to parse IPv4: banana"),
        (plan(json!([one, one])), twice),
        (window(&json!([one]), 1, Some(-1)).to_string(), "Unavailability 'duration' is negative"),
        (
            json!({"windows": [{"machine_ids": [one]}]}).to_string(),
            "Missing required fields: windows[0].unavailability",
        ),
        (json!({"windows": 5}).to_string(), "Not expecting a JSON number for field 'windows'"),
    ] {
        assert_eq!(post(&rig, "/maintenance/schedule", &body).await, bad(why), "{body}");
    }
    let unknown = r#"Machine '{"hostname":"two","ip":"127.0.0.1"}' is not part of a maintenance schedule"#;
    let here = json!([{"hostname": "sim-00000", "ip": "127.0.0.1"}]).to_string();
    let up = r#"Machine '{"hostname":"sim-00000","ip":"127.0.0.1"}' is not in DOWN mode and cannot be brought up"#;
    for (path, body, why) in [
        ("/machine/down", "[]", "List of machines is empty"),
        ("/machine/down", "{}", "Unexpected JSON type parsed"),
        ("/machine/down", &json!([one]).to_string(), unknown),
        ("/machine/up", &here, up),
    ] {
        assert_eq!(post(&rig, path, body).await, bad(why), "{path} {body}");
    }
}

/// What comes over a subscription.
struct Stream(Arc<Mutex<Vec<Value>>>, tokio::task::JoinHandle<()>);

impl Stream {
    async fn open(rig: &Rig) -> Self {
        let request = client().post(format!("{}/api/v1", rig.mesos)).header("Content-Type", "application/json");
        let request = request.timeout(Duration::from_secs(600)).body(r#"{"type":"SUBSCRIBE"}"#);
        let mut answer = request.send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"application/json".parse().unwrap())
        );
        let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
        let sink = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut reader = RecordReader::default();
            while let Ok(Some(piece)) = answer.chunk().await {
                let mut records = Vec::new();
                reader.push(&piece, &mut records).unwrap();
                sink.lock().unwrap().extend(records.iter().map(|r| serde_json::from_slice::<Value>(r).unwrap()));
            }
        });
        Self(seen, task)
    }

    async fn find(&self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        wait(what, async || self.0.lock().unwrap().iter().find(|e| is(e)).cloned()).await
    }
}

#[tokio::test]
async fn a_subscriber_is_told_the_state_and_every_change() {
    let mut rig = Rig::simulated(1, SOON, 0.0).await;
    rig.put(&app(1)).await;
    let before = rig.running("/many", 1).await.remove(0)["id"].as_str().unwrap().to_owned();
    let stream = Stream::open(&rig).await;
    let begin = stream.find("the state", |e| e["type"] == "SUBSCRIBED").await;
    let state = &begin["subscribed"]["get_state"];
    assert_eq!(begin["subscribed"]["heartbeat_interval_seconds"], 15.0);
    assert_eq!(state["get_tasks"]["tasks"][0]["task_id"]["value"], before.as_str());
    assert_eq!(state["get_agents"]["agents"][0]["agent_info"]["hostname"], "sim-00000");
    stream.find("a sign of life", |e| e["type"] == "HEARTBEAT").await;
    assert_eq!(rig.mesos("/metrics/snapshot").await["master/operator_event_stream_subscribers"], 1.0);

    rig.put(&app(2)).await;
    let after: BTreeSet<String> =
        rig.running("/many", 2).await.iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect();
    let id = after.into_iter().find(|id| *id != before).unwrap();
    let added = stream.find("a new task", |e| e["type"] == "TASK_ADDED").await;
    assert_eq!(added["task_added"]["task"]["task_id"]["value"], id.as_str());
    assert_eq!(added["task_added"]["task"]["state"], "TASK_STAGING");
    let update = |id: String, state: &'static str| {
        move |e: &Value| {
            e["task_updated"]["status"]["task_id"]["value"] == id.as_str() && e["task_updated"]["state"] == state
        }
    };
    let runs = stream.find("it runs", update(id.clone(), "TASK_RUNNING")).await;
    assert_eq!(runs["task_updated"]["status"]["state"], "TASK_RUNNING");
    assert_eq!(runs["task_updated"]["framework_id"]["value"], format!("{}-0000", rig.id));
    rig.put(&app(0)).await;
    stream.find("it is killed", update(id.clone(), "TASK_KILLED")).await;
    stream.find("the old one too", update(before.clone(), "TASK_KILLED")).await;

    let machine = json!([{"hostname": "sim-00000", "ip": "127.0.0.1"}]);
    assert_eq!(post(&rig, "/maintenance/schedule", &window(&machine, 1, None).to_string()).await, ok());
    assert_eq!(post(&rig, "/machine/down", &machine.to_string()).await, ok());
    stream.find("the agent goes", |e| e["type"] == "AGENT_REMOVED").await;
    assert_eq!(post(&rig, "/machine/up", &machine.to_string()).await, ok());
    let back = stream.find("and comes", |e| e["type"] == "AGENT_ADDED").await;
    assert_eq!(back["agent_added"]["agent"]["agent_info"]["hostname"], "sim-00000");

    // Each change once, in its order.
    let told: Vec<String> = {
        let all = stream.0.lock().unwrap();
        let mine = all.iter().filter(|e| e["task_updated"]["status"]["task_id"]["value"] == id.as_str());
        mine.map(|e| e["task_updated"]["status"]["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(told, ["TASK_RUNNING", "TASK_KILLING", "TASK_KILLED"]);
    rig.engine.take().unwrap().stop().await;
    stream.1.await.unwrap();
}
