//! The operator API of Mesos, version 1.

use crate::{examples, lines, protobuf, survive_as};
use padis_protocol::mesos::operator::{Call, CallBody, Event, EventBody, Response, ResponseBody, agent};
use padis_protocol::mesos::v1::{DrainState, DurationInfo, OperationBody};
use serde_json::json;

fn responses() -> Vec<(String, Response)> {
    let file = examples(include_str!("../fixtures/operator_responses.json"));
    file.iter().map(|(name, value)| (name.clone(), survive_as(name, value, protobuf))).collect()
}

#[test]
fn every_response_has_a_type() {
    for (name, response) in responses() {
        assert!(name.starts_with(response.body.kind()), "{name}");
        assert!(!matches!(response.body, ResponseBody::Other(_)) && response.extra.is_empty(), "{name}");
    }
    for (name, value) in examples(include_str!("../fixtures/agent_responses.json")) {
        let response: agent::Response = survive_as(&name, &value, protobuf);
        assert!(!matches!(response.body, agent::ResponseBody::Other(_)) && response.extra.is_empty(), "{name}");
    }
}

#[test]
fn what_responses_tell() {
    let responses = responses();
    let bodies = || responses.iter().map(|(_, r)| &r.body);
    let agents =
        || bodies().filter_map(|b| if let ResponseBody::GetAgents(a) = b { a.as_ref().as_ref() } else { None });
    let drained = agents().flat_map(|a| &a.agents).find_map(|a| a.drain_info.as_ref()).unwrap();
    assert!(matches!(drained.state, DrainState::Drained | DrainState::Draining));
    // Asked for in seconds, told in nanoseconds.
    let grace = drained.config.as_ref().unwrap().max_grace_period.as_ref().unwrap();
    assert_eq!(grace.nanoseconds, Some(5_000_000_000));
    assert_eq!(grace.as_nanoseconds(), DurationInfo::from_s(5).as_nanoseconds());
    assert!(agents().any(|a| !a.recovered_agents.is_empty()), "agents that a new leader has not heard yet");
    assert!(agents().flat_map(|a| &a.agents).any(|a| a.total_resources.of_role("infra").scalar("cpus") == 2.0));
    assert!(bodies().any(|b| matches!(b, ResponseBody::GetWeights(w) if w.is_none())), "nothing to tell is left out");
    let operations = bodies().find_map(|b| if let ResponseBody::GetOperations(o) = b { (**o).as_ref() } else { None });
    let operation = &operations.unwrap().operations[0];
    assert!(matches!(&operation.info.body, OperationBody::Reserve(r) if r.resources.0[0].reserved_for() == "prod"));
    assert_eq!(operation.info.id.as_ref().unwrap().value, "op-reserve-1");
    let master = bodies().find_map(|b| if let ResponseBody::GetMaster(m) = b { (**m).as_ref() } else { None }).unwrap();
    let capabilities = &master.master_info.as_ref().unwrap().capabilities;
    assert!(capabilities.iter().any(|c| c.kind.is_none()), "a name that the writer's v1 does not have is empty");
}

#[test]
fn calls() {
    let calls: Vec<Call> = lines(include_str!("../fixtures/operator_calls.jsonl"));
    for call in &calls {
        assert!(!matches!(call.body, CallBody::Other(_)) && call.extra.is_empty(), "{call:?}");
    }
    let drain = calls.iter().find_map(|c| if let CallBody::DrainAgent(d) = &c.body { Some(d) } else { None }).unwrap();
    assert_eq!(drain.max_grace_period, Some(DurationInfo::from_s(5)));
    assert_eq!(serde_json::to_value(Call::from(CallBody::GetState)).unwrap(), json!({"type": "GET_STATE"}));
    let text = serde_json::to_string(&Call::from(CallBody::GetMetrics(Box::default()))).unwrap();
    assert_eq!(text, r#"{"type":"GET_METRICS"}"#);
}

#[test]
fn events() {
    let events: Vec<Event> = lines(include_str!("../fixtures/operator_events.jsonl"));
    let kinds: std::collections::BTreeSet<&str> = events.iter().map(|e| e.body.kind()).collect();
    let seen = [
        "AGENT_ADDED",
        "AGENT_REMOVED",
        "FRAMEWORK_ADDED",
        "FRAMEWORK_REMOVED",
        "HEARTBEAT",
        "SUBSCRIBED",
        "TASK_ADDED",
        "TASK_UPDATED",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), seen);
    for event in &events {
        assert!(!matches!(event.body, EventBody::Other(_)) && event.extra.is_empty());
    }
    assert!(events.iter().any(|e| matches!(e.body, EventBody::TaskUpdated(_)) && e.body.agent_id().is_some()));
}

#[test]
fn what_is_unknown_is_kept() {
    for value in [
        json!({"type": "NOVELTY", "novelty": {"a": 1}}),
        json!({"type": "TASK_ADDED", "task_added": [1]}),
        json!({"type": "TASK_ADDED"}),
        json!({"type": 5}),
        json!({"novelty": 1}),
    ] {
        let event: Event = survive_as("unknown", &value, protobuf);
        assert!(matches!(event.body, EventBody::Other(_)));
    }
    let more: Event = survive_as("more", &json!({"type": "HEARTBEAT", "since": 4}), protobuf);
    assert_eq!((more.body, more.extra.len()), (EventBody::Heartbeat, 1));
    assert!(serde_json::from_str::<Event>("[]").is_err());
}
