//! A member that nobody knows, anywhere in any example, is kept.
//!
//! The exceptions are small closed shapes: ids, and what other crates write out in
//! full. They are listed, so that a new one is noticed.

use crate::examples;
use padis_protocol::app::{App, AppList};
use padis_protocol::deployment::Deployment;
use padis_protocol::event::Event;
use padis_protocol::group::Group;
use padis_protocol::mesos::{Frameworks, MasterState, Roles, StateSummary, operator, scheduler};
use padis_protocol::pod::{Pod, PodStatus};
use padis_protocol::queue::Queue;
use padis_protocol::task::TaskList;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// JSON pointers of all objects.
fn objects(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(k, v)| objects(v, format!("{at}/{}", k.replace('~', "~0").replace('/', "~1")), out));
            out.push(at);
        }
        Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| objects(v, format!("{at}/{i}"), out)),
        _ => {}
    }
}

/// The names of the objects that lose a member.
fn forgetful<T: DeserializeOwned + Serialize>(value: &Value) -> BTreeSet<String> {
    let mut places = Vec::new();
    objects(value, String::new(), &mut places);
    let (mut lost, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for place in places {
        // One of each kind: the second task of a list is no news.
        let kind: Vec<&str> = place.split('/').filter(|p| p.parse::<usize>().is_err()).collect();
        if !seen.insert(kind.join("/")) {
            continue;
        }
        let mut more = value.clone();
        let Some(Value::Object(map)) = more.pointer_mut(&place) else { panic!("{place}") };
        map.insert(String::from("zz"), json!("new"));
        // A map of something else than texts refuses a text.
        let Ok(typed) = serde_json::from_value::<T>(more) else { continue };
        let back = serde_json::to_value(&typed).unwrap();
        if back.pointer(&format!("{place}/zz")) != Some(&json!("new")) {
            // Ids have no more than their value.
            if value
                .pointer(&place)
                .is_some_and(|v| v["value"].is_string() && v.as_object().is_some_and(|m| m.len() == 1))
            {
                continue;
            }
            let name = place.split('/').rfind(|p| p.parse::<usize>().is_err()).unwrap_or_default();
            lost.insert(name.to_owned());
        }
    }
    lost
}

fn of_file<T: DeserializeOwned + Serialize>(text: &str) -> BTreeSet<String> {
    examples(text).iter().flat_map(|(_, value)| forgetful::<T>(value)).collect()
}

fn of_lines<T: DeserializeOwned + Serialize>(text: &str) -> BTreeSet<String> {
    text.lines().flat_map(|line| forgetful::<T>(&serde_json::from_str(line).unwrap())).collect()
}

fn expect(lost: BTreeSet<String>, closed: &[&str]) {
    let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
    assert_eq!(lost, closed);
}

#[test]
fn marathon() {
    expect(of_file::<App>(include_str!("../fixtures/apps.json")), &["parameters", "upgradeStrategy", "versionInfo"]);
    expect(
        of_file::<AppList>(include_str!("../fixtures/app_lists.json")),
        &["", "deployments", "upgradeStrategy", "versionInfo"],
    );
    expect(of_file::<Group>(include_str!("../fixtures/groups.json")), &["upgradeStrategy", "versionInfo"]);
    expect(of_file::<Pod>(include_str!("../fixtures/pods.json")), &["upgrade"]);
    expect(of_file::<PodStatus>(include_str!("../fixtures/pod_statuses.json")), &[]);
    expect(of_file::<TaskList>(include_str!("../fixtures/task_lists.json")), &[""]);
    expect(of_file::<Vec<Deployment>>(include_str!("../fixtures/deployments.json")), &[]);
    let queue = [
        "",
        "attributes",
        "delay",
        "lastUnusedOffers",
        "ranges",
        "rejectSummaryLastOffers",
        "rejectSummaryLaunchAttempt",
        "resources",
        "upgradeStrategy",
        "versionInfo",
    ];
    expect(of_file::<Queue>(include_str!("../fixtures/queues.json")), &queue);
    expect(of_file::<Event>(include_str!("../fixtures/events.json")), &["upgradeStrategy"]);
}

#[test]
fn mesos() {
    let file = include_str!("../fixtures/mesos_v0.json");
    let named = |name: &str| crate::example(file, name);
    expect(forgetful::<MasterState>(&named("master_state_full")), &["labels"]);
    expect(forgetful::<Frameworks>(&named("frameworks")), &["labels"]);
    expect(forgetful::<StateSummary>(&named("state_summary")), &[]);
    expect(forgetful::<Roles>(&named("roles_with_quota")), &[]);
    expect(of_lines::<scheduler::Call>(include_str!("../fixtures/scheduler_calls.jsonl")), &[]);
    expect(of_lines::<scheduler::Event>(include_str!("../fixtures/scheduler_events.jsonl")), &[]);
    expect(of_lines::<operator::Event>(include_str!("../fixtures/operator_events.jsonl")), &[]);
    expect(of_lines::<operator::Call>(include_str!("../fixtures/operator_calls.jsonl")), &[]);
    expect(of_file::<operator::Response>(include_str!("../fixtures/operator_responses.json")), &[]);
    expect(of_file::<operator::agent::Response>(include_str!("../fixtures/agent_responses.json")), &[]);
}
