//! The operator API of Mesos, version 0.

use crate::{example, examples, protobuf, survive, survive_as};
use padis_protocol::mesos::v1::{ClusterStatus, MasterInfo, QuotaStatus, Resource, Resources, Schedule, WeightInfo};
use padis_protocol::mesos::{
    AgentState, ContainerInfo, FileInfo, FileRead, Flags, Frameworks, MasterState, Metrics, Roles, Slaves,
    StateSummary, SystemStats, Tasks, Version, count, parse_ranges, ranges, scalar,
};
use padis_protocol::task::TaskState;
use serde_json::Value;

#[test]
fn what_padis_reads() {
    let Value::Object(map) = serde_json::from_str(include_str!("../fixtures/mesos.json")).unwrap() else { panic!() };
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

const V0: &str = include_str!("../fixtures/mesos_v0.json");

#[test]
fn every_answer() {
    for (name, value) in examples(V0) {
        match name.as_str() {
            "state_summary" => drop(survive::<StateSummary>(&name, &value)),
            n if n.starts_with("frameworks") => drop(survive::<Frameworks>(n, &value)),
            n if n.starts_with("tasks") => drop(survive::<Tasks>(n, &value)),
            n if n.starts_with("roles") => drop(survive::<Roles>(n, &value)),
            n if n.starts_with("slaves") => drop(survive::<Slaves>(n, &value)),
            n if n.starts_with("master_state") => drop(survive::<MasterState>(n, &value)),
            n if n.starts_with("agent_state") => drop(survive::<AgentState>(n, &value)),
            n if n.starts_with("containers") => drop(survive::<Vec<ContainerInfo>>(n, &value)),
            n if n.starts_with("statistics") => drop(survive::<Vec<ContainerInfo>>(n, &value)),
            "metrics" => drop(survive::<Metrics>(&name, &value)),
            "flags" => drop(survive::<Flags>(&name, &value)),
            "version" => drop(survive::<Version>(&name, &value)),
            "system_stats" => drop(survive::<SystemStats>(&name, &value)),
            n if n.starts_with("quota") => drop(survive_as::<QuotaStatus>(n, &value, protobuf)),
            n if n.starts_with("weights") => drop(survive::<Vec<WeightInfo>>(n, &value)),
            n if n.starts_with("maintenance_schedule") => drop(survive_as::<Schedule>(n, &value, protobuf)),
            n if n.starts_with("maintenance_status") => drop(survive_as::<ClusterStatus>(n, &value, protobuf)),
            "zookeeper_node" => assert_eq!(survive_as::<MasterInfo>(&name, &value, protobuf).port, Some(5070)),
            n if n.starts_with("form_") => drop(survive::<Vec<Resource>>(n, &value)),
            other => panic!("{other} is read by no test"),
        }
    }
}

#[test]
fn state_summary_counts() {
    let summary: StateSummary = survive("state_summary", &example(V0, "state_summary"));
    let running: u64 = summary.slaves.iter().filter_map(|s| s.count(&TaskState::TaskRunning)).sum();
    assert_eq!(running, summary.frameworks[0].count(&TaskState::TaskRunning).unwrap());
    let ports = ranges(&summary.frameworks[0].used_resources, "ports");
    assert_eq!((ports.as_slice(), count(&ports)), ([(31500, 31501)].as_slice(), 2));
}

#[test]
fn what_stays_in_extra_can_be_read() {
    let slaves: Slaves = survive("slaves_full", &example(V0, "slaves_full"));
    assert!(slaves.slaves.iter().all(|s| s.deactivated() == Some(false)));
    let full: Vec<Resources> =
        slaves.slaves.iter().filter_map(|s| s.reserved_resources_full()).flat_map(|m| m.into_values()).collect();
    assert!(full.iter().any(|r| r.of_role("infra").scalar("cpus") == 2.0));
    let state: MasterState = survive("master_state_full", &example(V0, "master_state_full"));
    assert_eq!(state.leader_info().unwrap().port, 5050);
    assert_eq!(state.cluster().as_deref(), Some("lab"));
    let framework = &state.frameworks[0];
    assert_eq!(framework.roles().unwrap(), ["prod", "*"]);
    assert_eq!(framework.executors().unwrap()[0].kind.as_deref(), Some("DEFAULT"));
    assert!(framework.offers().unwrap().iter().any(|o| o.allocation_info.is_some()));
    let tasks = || framework.tasks.iter().chain(&framework.completed_tasks);
    assert!(tasks().any(|t| t.health_check().is_some_and(|h| h.http.is_some())));
    assert!(tasks().any(|t| t.discovery().is_some()));
    let statuses = || tasks().flat_map(|t| &t.statuses);
    assert!(statuses().any(|s| s.healthy() == Some(false)));
    let parent = statuses().filter_map(|s| s.container_status()?.container_id?.parent).next();
    assert!(parent.is_some(), "a task of a pod knows its executor's container");
    let containers: Vec<ContainerInfo> = survive("containers_5051", &example(V0, "containers_5051"));
    assert!(containers[0].status().unwrap().executor_pid.is_some());
    assert!(containers[0].statistics.as_ref().unwrap().mem_soft_limit_bytes().is_some());
    let mut state = state;
    state.set_cluster(None);
    assert_eq!(state.cluster(), None);
}

#[test]
fn roles_quota_and_maintenance() {
    let roles: Roles = survive("roles_with_quota", &example(V0, "roles_with_quota"));
    let prod = roles.roles.iter().find(|r| r.name == "prod").unwrap();
    assert_eq!(scalar(&prod.quota.as_ref().unwrap().limit, "cpus"), 6.0);
    let quota: QuotaStatus = survive_as("quota", &example(V0, "quota"), protobuf);
    assert_eq!(quota.configs[0].limits.as_ref().unwrap()["mem"].value, 256.0);
    let status: ClusterStatus = survive_as("draining", &example(V0, "maintenance_status_draining"), protobuf);
    assert_eq!(status.draining_machines[0].statuses[0].status, "ACCEPT");
    assert!(status.draining_machines[0].statuses[0].timestamp.as_ms() > 1_700_000_000_000);
    assert_eq!(parse_ranges("[1-5]"), Some(vec![(1, 5)]));
}
