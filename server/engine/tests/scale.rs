//! Many agents and many tasks, faults among them: nothing is lost, nothing doubled,
//! over a restart too. On agents on which nothing runs.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use support::{IMAGE, Rig, wait};

fn apps(count: usize, instances: u32) -> Value {
    let one = |i: usize| {
        json!({"id": format!("a{i}"), "cmd": "x", "instances": instances, "cpus": 0.5, "mem": 64,
               "backoffSeconds": 0.01, "constraints": [["hostname", "UNIQUE"]],
               "container": {"type": "DOCKER", "docker": {"image": IMAGE}}})
    };
    json!({"apps": (0..count).map(one).collect::<Vec<_>>()})
}

async fn tasks(rig: &Rig) -> Vec<Value> {
    rig.get("/v2/tasks").await["tasks"].as_array().unwrap().clone()
}

async fn all_running(rig: &Rig, count: usize) -> Vec<Value> {
    wait(&format!("{count} running tasks"), async || {
        let tasks = tasks(rig).await;
        (tasks.len() == count && tasks.iter().all(|t| t["state"] == "TASK_RUNNING")).then_some(tasks)
    })
    .await
}

#[tokio::test]
async fn thousands_are_placed_by_constraint_and_found_again() {
    let mut rig = Rig::simulated(200, Duration::from_millis(2), 0.0).await;
    let (status, answer) = rig.call(reqwest::Method::PUT, "/v2/groups/many", Some(apps(100, 20))).await;
    assert_eq!(status, 201, "{answer}");
    let before = all_running(&rig, 2000).await;
    rig.settled().await;
    let mut hosts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for task in &before {
        let key = (task["appId"].to_string(), task["host"].to_string());
        *hosts.entry(key).or_default() += 1;
    }
    assert!(hosts.values().all(|n| *n == 1), "two instances of one app on one host");
    let ids = |tasks: &[Value]| tasks.iter().map(|t| t["id"].to_string()).collect::<BTreeSet<_>>();
    rig.restart().await;
    assert_eq!(ids(&before), ids(&all_running(&rig, 2000).await), "the same tasks");
    // The room is what the tasks leave, also after a restart.
    let state = rig.mesos("/state").await;
    let used: f64 =
        state["slaves"].as_array().unwrap().iter().map(|s| s["used_resources"]["cpus"].as_f64().unwrap()).sum();
    assert!((used - 1000.0).abs() < 0.1, "{used}");
}

#[tokio::test]
async fn with_faults_everything_still_ends_where_it_shall_be() {
    let rig = Rig::simulated(50, Duration::from_millis(2), 0.2).await;
    rig.call(reqwest::Method::PUT, "/v2/groups/shaky", Some(apps(20, 10))).await;
    let settled = all_running(&rig, 200);
    settled.await;
    let failed = rig.get("/v2/apps/shaky/*").await;
    let known = failed["*"].as_array().unwrap().iter().filter(|a| a["lastTaskFailure"].is_object()).count();
    assert!(known > 0, "of 200 launches a fifth fails");
}
