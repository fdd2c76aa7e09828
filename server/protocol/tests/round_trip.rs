//! Every example must parse and come back as it was: no member lost, none made
//! up. `null` and absent are the same, 1 and 1.0 too.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use padis_protocol::app::{App, AppList, EnvVar};
use padis_protocol::container::NetworkMode;
use padis_protocol::deployment::{Deployment, DeploymentResult};
use padis_protocol::event::{Event, Frame, FrameReader, frame};
use padis_protocol::info::Info;
use padis_protocol::mesos::{AgentState, ContainerInfo, FileInfo, FileRead, MasterState, Metrics, Slaves, scalar};
use padis_protocol::queue::Queue;
use padis_protocol::task::{TaskList, TaskSingle, TaskState};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Without nulls, numbers as floats.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), plain(v))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(plain).collect()),
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

fn survive<T: DeserializeOwned + Serialize>(name: &str, value: &Value) -> T {
    let typed: T = serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(plain(&serde_json::to_value(&typed).unwrap()), plain(value), "{name}");
    typed
}

fn all<T: DeserializeOwned + Serialize>(text: &str) -> Vec<(String, T)> {
    let Value::Object(map) = serde_json::from_str(text).unwrap() else { panic!("not an object") };
    assert!(!map.is_empty());
    map.iter().map(|(name, value)| (name.clone(), survive(name, value))).collect()
}

#[test]
fn apps() {
    let apps: Vec<(String, App)> = all(include_str!("fixtures/apps.json"));
    let app = &apps.iter().find(|(n, _)| n == "app").unwrap().1;
    assert_eq!(app.network_list()[0].mode, Some(NetworkMode::Bridge));
    assert_eq!(app.mappings()[0].container_port, Some(80));
    assert!(matches!(app.env.as_ref().unwrap()["PASSWORD"], EnvVar::Secret { .. }));
    assert_eq!(app.artifacts()[1].dest_path.as_deref(), Some("newname.zip"));
    assert!(app.extra.is_empty(), "all of Marathon's example has a field");
    all::<Vec<App>>(include_str!("fixtures/app_arrays.json"));
    let lists: Vec<(String, AppList)> = all(include_str!("fixtures/app_lists.json"));
    assert_eq!(lists[0].1.apps[0].tasks_staged, Some(0));
    assert_eq!(lists[0].1.apps[0].app.instances, Some(3));
}

#[test]
fn tasks_deployments_queue_info() {
    let tasks: Vec<(String, TaskList)> = all(include_str!("fixtures/task_lists.json"));
    assert!(tasks.iter().flat_map(|(_, l)| &l.tasks).any(|t| t.state == Some(TaskState::TaskRunning)));
    all::<TaskSingle>(include_str!("fixtures/task_singles.json"));
    all::<Vec<Deployment>>(include_str!("fixtures/deployments.json"));
    all::<DeploymentResult>(include_str!("fixtures/deployment_results.json"));
    let queues: Vec<(String, Queue)> = all(include_str!("fixtures/queues.json"));
    let item = &queues[0].1.queue[1];
    let summary = item.processed_offers_summary.as_ref().unwrap();
    assert_eq!(summary.reject_summary_last_offers.as_ref().unwrap()[3].declined, 75);
    all::<Info>(include_str!("fixtures/infos.json"));
}

#[test]
fn events_of_every_type() {
    let events: Vec<(String, Event)> = all(include_str!("fixtures/events.json"));
    for (name, event) in &events {
        assert!(!matches!(event, Event::Other(_)), "{name} has a type");
    }
    for (name, event) in &events {
        assert_eq!(event.kind(), name);
    }
    let broken: Event = serde_json::from_value(json!({"eventType": "status_update_event", "novelty": 1})).unwrap();
    assert!(matches!(&broken, Event::Other(_)), "a known type that does not look as it should breaks nothing");
    assert_eq!(broken.kind(), "status_update_event");
}

#[test]
fn the_stream_in_any_pieces() {
    let text = include_str!("fixtures/events.txt");
    for size in [1, 2, 7, 64, 10_000] {
        let mut reader = FrameReader::default();
        let frames: Vec<Frame> = text.as_bytes().chunks(size).flat_map(|piece| reader.push(piece)).collect();
        let kinds: Vec<&str> = frames
            .iter()
            .filter_map(|f| if let Frame::Event(kind, _) = f { Some(kind.as_str()) } else { None })
            .collect();
        assert_eq!(
            kinds,
            ["event_stream_attached", "status_update_event", "status_update_event"],
            "in pieces of {size}"
        );
    }
    let mut reader = FrameReader::default();
    assert_eq!(reader.push(b"\r\n: ping\n"), [Frame::Heartbeat, Frame::Heartbeat]);
    assert_eq!(reader.push(b"event: x\ndata: {no\n\n"), [Frame::Garbled(String::from("{no"))]);
}

#[test]
fn mesos() {
    let Value::Object(map) = serde_json::from_str(include_str!("fixtures/mesos.json")).unwrap() else { panic!() };
    let state: MasterState = survive("master_state", &map["master_state"]);
    assert_eq!(state.slaves[0].attributes["pool"], "alpha");
    assert!(scalar(&state.slaves[0].resources, "cpus") > 0.0);
    survive::<Slaves>("slaves", &map["slaves"]);
    let agent: AgentState = survive("agent_state", &map["agent_state"]);
    assert!(agent.frameworks[0].executors[0].directory.starts_with('/'));
    survive::<Vec<ContainerInfo>>("containers", &map["containers"]);
    survive::<Vec<ContainerInfo>>("statistics", &map["statistics"]);
    survive::<Metrics>("metrics", &map["metrics"]);
    survive::<Vec<FileInfo>>("browse", &map["browse"]);
    survive::<FileRead>("read", &map["read"]);
}

#[test]
fn task_states_have_names_and_conditions() {
    for name in ["TASK_STAGING", "TASK_RUNNING", "TASK_KILLED", "TASK_LOST", "TASK_NEWER_THAN_US"] {
        let state: TaskState = serde_json::from_value(json!(name)).unwrap();
        assert_eq!(state.name(), name);
        assert_eq!(serde_json::to_value(&state).unwrap(), json!(name));
    }
    assert_eq!(TaskState::TaskRunning.condition(), "Running");
    assert!(TaskState::TaskKilled.is_terminal() && !TaskState::TaskKilling.is_terminal());
}

proptest! {
    /// Whatever a message says, it arrives: a frame is one line of data.
    #[test]
    fn frames_carry_any_text(message in ".*", task in "[a-z]{1,8}", cut in 1_usize..40) {
        let event: Event = serde_json::from_value(json!({
            "eventType": "status_update_event", "taskId": task, "taskStatus": "TASK_FAILED", "appId": "/a",
            "message": message, "timestamp": "2026-11-22T00:00:00.000Z",
        })).unwrap();
        let text = frame(&event).unwrap();
        let mut reader = FrameReader::default();
        let frames: Vec<Frame> = text.as_bytes().chunks(cut).flat_map(|p| reader.push(p)).collect();
        prop_assert_eq!(frames, vec![Frame::Event(String::from("status_update_event"), Box::new(event))]);
    }
}
