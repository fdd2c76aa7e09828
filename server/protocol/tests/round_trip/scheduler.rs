//! The scheduler API of Mesos, version 1.

use crate::{lines, protobuf, survive_as};
use padis_protocol::mesos::scheduler::{Accept, AcknowledgeOperationStatus, Call, CallBody, Event, EventBody};
use padis_protocol::mesos::v1::{
    Filters, Label, Launch, OperationBody, Resource, Resources, TaskInfo, TaskReason, TaskSource, TaskStatus, ValueType,
};
use padis_protocol::task::TaskState;
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn calls() {
    let calls: Vec<Call> = lines(include_str!("../fixtures/scheduler_calls.jsonl"));
    let mut unknown: Vec<&str> = Vec::new();
    for call in &calls {
        match &call.body {
            CallBody::Other(kind) => unknown.push(kind),
            _ => assert!(call.extra.is_empty(), "{call:?}"),
        }
        assert!(call.framework_id.is_some() || matches!(&call.body, CallBody::Subscribe(_)));
    }
    // Mesos refused both with 400: the one has no such type, the other a uuid in an object.
    unknown.sort_unstable();
    unknown.dedup();
    assert_eq!(unknown, ["ACKNOWLEDGE_OPERATION_STATUS", "BOGUS"]);
    let operations = calls.iter().filter_map(|c| if let CallBody::Accept(a) = &c.body { Some(a) } else { None });
    let operations: BTreeSet<&str> = operations.flat_map(|a| &a.operations).map(|o| o.body.kind()).collect();
    assert!(["CREATE", "LAUNCH", "LAUNCH_GROUP", "RESERVE"].iter().all(|k| operations.contains(k)), "{operations:?}");
    let subscribe =
        calls.iter().find_map(|c| if let CallBody::Subscribe(s) = &c.body { Some(s) } else { None }).unwrap();
    assert!(subscribe.framework_info.can("PARTITION_AWARE"));
}

fn events() -> Vec<Event> {
    lines(include_str!("../fixtures/scheduler_events.jsonl"))
}

#[test]
fn every_event_has_a_type() {
    let events = events();
    for event in &events {
        assert!(!matches!(event.body, EventBody::Other(_)) && event.extra.is_empty(), "{event:?}");
    }
    let kinds: BTreeSet<&str> = events.iter().map(|e| e.body.kind()).collect();
    let seen = [
        "ERROR",
        "FAILURE",
        "HEARTBEAT",
        "INVERSE_OFFERS",
        "OFFERS",
        "RESCIND",
        "RESCIND_INVERSE_OFFER",
        "SUBSCRIBED",
        "UPDATE",
        "UPDATE_OPERATION_STATUS",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), seen);
}

#[test]
fn offers_and_updates() {
    let events = events();
    let offers = || events.iter().filter_map(|e| if let EventBody::Offers(o) = &e.body { Some(o) } else { None });
    let offers: Vec<_> = offers().flat_map(|o| &o.offers).collect();
    assert!(offers.iter().all(|o| o.extra.is_empty() && o.allocation_info.is_some() && o.url.is_some()));
    assert!(offers.iter().any(|o| o.unavailability.is_some()));
    let kinds: BTreeSet<&str> = offers.iter().flat_map(|o| &o.attributes).map(|a| a.kind.name()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["RANGES", "SCALAR", "TEXT"]);
    assert!(offers.iter().any(|o| o.resources.ranges("ports").count() > 0 && o.resources.scalar("mem") > 0.0));
    let updates =
        || events.iter().filter_map(|e| if let EventBody::Update(u) = &e.body { Some(&u.status) } else { None });
    for status in updates() {
        assert!(status.extra.is_empty() && !matches!(status.state, TaskState::Other(_)), "{status:?}");
    }
    assert!(updates().all(|s| !matches!(s.source, Some(TaskSource::Other(_)))));
    let others: Vec<_> = updates().filter(|s| matches!(s.reason, Some(TaskReason::Other(_)))).collect();
    assert!(others.is_empty(), "{others:?}");
    assert!(updates().any(|s| s.reason == Some(TaskReason::Reconciliation) && s.uuid.is_none()));
    assert!(updates().any(|s| s.unreachable_time.is_some()));
    assert!(
        updates().any(|s| s
            .check_status
            .as_ref()
            .is_some_and(|c| c.command.as_ref().is_some_and(|c| c.exit_code == Some(3))))
    );
    assert!(updates().any(|s| s.ip_addresses().any(|a| a == "127.0.0.1")));
}

#[test]
fn a_task_is_launched() {
    let task = TaskInfo {
        name: "web".into(),
        task_id: "web.1".into(),
        agent_id: "S0".into(),
        resources: Resources(vec![
            Resource::scalar("cpus", 0.5).allocated_to("*"),
            Resource::ranges("ports", [(31_000, 31_000)]).allocated_to("*"),
            Resource::scalar("disk", 64.0).reserved("prod", Some("p".into()), vec![Label::new("k", "v")]),
        ]),
        ..TaskInfo::default()
    };
    let launch = OperationBody::Launch(Box::new(Launch { task_infos: vec![task], ..Launch::default() }));
    let accept = Accept {
        offer_ids: vec!["O1".into()],
        operations: vec![launch.into()],
        filters: Some(Filters::refuse_s(5.0)),
        ..Accept::default()
    };
    let call = Call::of("F", CallBody::Accept(Box::new(accept)));
    assert_eq!(
        serde_json::to_value(&call).unwrap(),
        json!({
            "type": "ACCEPT", "framework_id": {"value": "F"},
            "accept": {
                "offer_ids": [{"value": "O1"}], "filters": {"refuse_seconds": 5.0},
                "operations": [{"type": "LAUNCH", "launch": {"task_infos": [{
                    "name": "web", "task_id": {"value": "web.1"}, "agent_id": {"value": "S0"},
                    "resources": [
                        {"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}, "allocation_info": {"role": "*"}},
                        {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 31000, "end": 31000}]},
                         "allocation_info": {"role": "*"}},
                        {"name": "disk", "type": "SCALAR", "scalar": {"value": 64.0}, "reservations": [
                            {"type": "DYNAMIC", "role": "prod", "principal": "p", "labels": {"labels": [{"key": "k", "value": "v"}]}}]},
                    ],
                }]}}],
            },
        })
    );
    assert_eq!(serde_json::from_value::<Call>(serde_json::to_value(&call).unwrap()).unwrap(), call);
}

#[test]
fn rest_of_the_calls() {
    for value in [
        json!({"type": "TEARDOWN", "framework_id": {"value": "F"}}),
        json!({"type": "REVIVE", "framework_id": {"value": "F"}}),
        json!({"type": "SUPPRESS", "suppress": {}, "framework_id": {"value": "F"}}),
        json!({"type": "DECLINE_INVERSE_OFFERS", "decline_inverse_offers": {"inverse_offer_ids": [{"value": "O"}]}}),
        json!({"type": "SHUTDOWN", "shutdown": {"executor_id": {"value": "e"}, "agent_id": {"value": "S"}}}),
        json!({"type": "MESSAGE", "message": {"executor_id": {"value": "e"}, "agent_id": {"value": "S"}, "data": "aGk="}}),
        json!({"type": "REQUEST", "request": {"requests": [{"agent_id": {"value": "S"}, "resources": [
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.0}}]}]}}),
        json!({"type": "ACKNOWLEDGE_OPERATION_STATUS", "acknowledge_operation_status": {
            "agent_id": {"value": "S"}, "uuid": "UrAyPxnVQOq9ju93Ze7FZA==", "operation_id": {"value": "o"}}}),
        json!({"type": "RECONCILE_OPERATIONS", "reconcile_operations": {"operations": [{"operation_id": {"value": "o"}}]}}),
        json!({"type": "UPDATE_FRAMEWORK", "update_framework": {
            "framework_info": {"user": "", "name": "f", "roles": ["*"]}, "suppressed_roles": ["*"]}}),
    ] {
        let call: Call = survive_as("call", &value, protobuf);
        assert!(!matches!(call.body, CallBody::Other(_)) && call.extra.is_empty(), "{call:?}");
    }
    let ask_for_all = json!({"type": "RECONCILE", "reconcile": {"tasks": []}});
    let call: Call = serde_json::from_value(ask_for_all.clone()).unwrap();
    assert_eq!(serde_json::to_value(&call).unwrap(), ask_for_all);
    let _ = AcknowledgeOperationStatus { uuid: String::from("Base64"), ..AcknowledgeOperationStatus::default() };
}

#[test]
fn names_that_are_new_are_kept() {
    let value = json!({"task_id": {"value": "t"}, "state": "TASK_DREAMING", "reason": "REASON_NIGHT", "source": "SOURCE_MOON",
                       "novelty": {"deep": [1]}});
    let status: TaskStatus = survive_as("status", &value, protobuf);
    assert_eq!(status.reason.as_ref().unwrap().name(), "REASON_NIGHT");
    assert_eq!(status.state.name(), "TASK_DREAMING");
    assert_eq!(ValueType::Ranges.to_string(), "RANGES");
}

#[test]
fn tasks_with_everything() {
    let value = json!({
        "name": "web", "task_id": {"value": "t"}, "agent_id": {"value": "S"},
        "resources": [
            {"name": "cpus", "type": "SCALAR", "scalar": {"value": 1.0}, "revocable": {}},
            {"name": "disk", "type": "SCALAR", "scalar": {"value": 9.0}, "shared": {}, "provider_id": {"value": "p"}, "disk": {
                "persistence": {"id": "i", "principal": "p"}, "volume": {"container_path": "data", "mode": "RW"},
                "source": {"type": "MOUNT", "mount": {"root": "/mnt"}, "profile": "fast"}}},
            {"name": "gpus", "type": "SET", "set": {"item": ["a", "b"]}, "role": "r", "reservation": {"principal": "p"}},
        ],
        "limits": {"cpus": {"value": "Infinity"}, "mem": {"value": 64.0}},
        "command": {
            "shell": false, "value": "/bin/a", "arguments": ["a", "b"], "user": "nobody",
            "uris": [{"value": "http://x/a.tgz", "executable": false, "extract": true, "cache": true, "output_file": "b"}],
            "environment": {"variables": [
                {"name": "A", "value": "1"}, {"name": "B", "type": "SECRET", "secret": {"type": "REFERENCE", "reference": {"name": "n", "key": "k"}}}]},
        },
        "container": {
            "type": "DOCKER", "hostname": "h",
            "docker": {
                "image": "i:1", "network": "BRIDGE", "privileged": true, "force_pull_image": false,
                "port_mappings": [{"host_port": 31000, "container_port": 80, "protocol": "tcp"}],
                "parameters": [{"key": "label", "value": "x=y"}]},
            "volumes": [
                {"container_path": "/a", "host_path": "/b", "mode": "RO"},
                {"container_path": "c", "mode": "RW", "source": {"type": "SANDBOX_PATH", "sandbox_path": {"type": "PARENT", "path": "p"}}},
                {"container_path": "d", "mode": "RW", "source": {"type": "DOCKER_VOLUME", "docker_volume": {
                    "driver": "rexray", "name": "v", "driver_options": {"parameter": [{"key": "k", "value": "v"}]}}}}],
            "network_infos": [{
                "name": "lan", "groups": ["g"], "labels": {"labels": [{"key": "k"}]},
                "ip_addresses": [{"protocol": "IPv4", "ip_address": "10.0.0.1"}],
                "port_mappings": [{"host_port": 31000, "container_port": 80}]}],
            "linux_info": {"share_cgroups": false, "ipc_mode": "PRIVATE", "shm_size": 64},
            "rlimit_info": {"rlimits": [{"type": "RLMT_NOFILE", "hard": 9, "soft": 8}]},
        },
        "health_check": {"type": "HTTP", "http": {"scheme": "http", "port": 80, "path": "/", "statuses": [200]}, "grace_period_seconds": 1.5},
        "check": {"type": "TCP", "tcp": {"port": 80}, "delay_seconds": 0.0},
        "kill_policy": {"grace_period": {"nanoseconds": 5_000_000_000_i64}},
        "discovery": {"visibility": "CLUSTER", "name": "web", "ports": {"ports": [{"number": 80, "name": "http", "protocol": "tcp"}]}},
        "labels": {"labels": [{"key": "a", "value": "b"}]}, "data": "aGk=", "max_completion_time": {"nanoseconds": 1},
    });
    let task: TaskInfo = survive_as("task", &value, protobuf);
    assert!(task.extra.is_empty() && task.container.as_ref().unwrap().extra.is_empty());
    assert_eq!(task.limits.as_ref().unwrap()["cpus"].value, f64::INFINITY);
    assert_eq!(task.labels.as_ref().unwrap().get("a"), Some("b"));
    assert_eq!(task.resources.plain().0.len(), 1);
    assert_eq!(task.resources.of_role("r").0.len(), 1);
    let offer = json!({
        "id": {"value": "O"}, "framework_id": {"value": "F"}, "agent_id": {"value": "S"}, "hostname": "h",
        "domain": {"fault_domain": {"region": {"name": "r"}, "zone": {"name": "z"}}},
        "attributes": [{"name": "s", "type": "SET", "set": {"item": ["a"]}}],
    });
    let offer: padis_protocol::mesos::v1::Offer = survive_as("offer", &offer, protobuf);
    assert_eq!(offer.domain.unwrap().fault_domain.unwrap().zone.name, "z");
}
