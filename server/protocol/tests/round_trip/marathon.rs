//! Tasks, deployments, queue, groups, pods and the rest of Marathon.

use crate::{all, example, survive};
use padis_protocol::deployment::{Deployment, DeploymentResult, DeploymentSteps, Plan};
use padis_protocol::error::ErrorBody;
use padis_protocol::group::{Group, GroupPartialUpdate, GroupUpdate};
use padis_protocol::info::{Info, LoggerChange, PluginList};
use padis_protocol::instance::Instance;
use padis_protocol::metrics::Metrics;
use padis_protocol::pod::{Pod, PodStatus};
use padis_protocol::queue::Queue;
use padis_protocol::task::{TaskList, TaskSingle, TaskState};
use serde_json::json;

#[test]
fn tasks_deployments_queue_info() {
    let tasks: Vec<(String, TaskList)> = all(include_str!("../fixtures/task_lists.json"));
    assert!(tasks.iter().flat_map(|(_, l)| &l.tasks).any(|t| t.state == Some(TaskState::TaskRunning)));
    all::<TaskSingle>(include_str!("../fixtures/task_singles.json"));
    all::<Vec<Deployment>>(include_str!("../fixtures/deployments.json"));
    all::<DeploymentResult>(include_str!("../fixtures/deployment_results.json"));
    let queues: Vec<(String, Queue)> = all(include_str!("../fixtures/queues.json"));
    let item = &queues.iter().find(|(n, _)| n == "queue").unwrap().1.queue[1];
    let summary = item.processed_offers_summary.as_ref().unwrap();
    assert_eq!(summary.reject_summary_last_offers.as_ref().unwrap()[3].declined, 75);
    all::<Info>(include_str!("../fixtures/infos.json"));
}

#[test]
fn task_states_have_names_and_conditions() {
    for name in
        ["TASK_STAGING", "TASK_RUNNING", "TASK_KILLED", "TASK_LOST", "TASK_GONE_BY_OPERATOR", "TASK_NEWER_THAN_US"]
    {
        let state: TaskState = serde_json::from_value(json!(name)).unwrap();
        assert_eq!(state.name(), name);
        assert_eq!(serde_json::to_value(&state).unwrap(), json!(name));
    }
    assert_eq!(TaskState::TaskRunning.condition(), "Running");
    assert_eq!(TaskState::TaskGoneByOperator.condition(), "Gone");
    assert!(TaskState::TaskGoneByOperator.is_terminal());
    assert!(TaskState::TaskKilled.is_terminal() && !TaskState::TaskKilling.is_terminal());
}

#[test]
fn groups() {
    let groups: Vec<(String, Group)> = all(include_str!("../fixtures/groups.json"));
    let root = &groups.iter().find(|(n, _)| n == "group").unwrap().1;
    let paths: Vec<&str> = root.walk().map(|g| g.id.as_str()).collect();
    assert_eq!(paths, ["/", "/infra", "/infra/log", "/infra/docker"]);
    assert_eq!(root.all_apps().count(), 2);
    assert_eq!(root.groups.as_ref().unwrap()[0].enforce_role, Some(true));
    let updates: Vec<(String, GroupUpdate)> = all(include_str!("../fixtures/group_updates.json"));
    let named = |name: &str| &updates.iter().find(|(n, _)| n == name).unwrap().1;
    assert_eq!(named("scale").scale_by, Some(1.5));
    assert_eq!(named("empty_is_not_absent").apps, Some(Vec::new()));
    assert_eq!(named("scale").apps, None);
    survive::<GroupPartialUpdate>("role", &example(include_str!("../fixtures/group_updates.json"), "role"));
}

#[test]
fn pods() {
    let pods: Vec<(String, Pod)> = all(include_str!("../fixtures/pods.json"));
    let pod = &pods.iter().find(|(n, _)| n == "pod").unwrap().1;
    assert!(pod.extra.is_empty());
    assert_eq!(pod.instances_or_default(), 1);
    assert!(pod.scaling.as_ref().unwrap().extra.contains_key("maxInstances"), "in the example, not in the types");
    let containers = pod.containers.as_ref().unwrap();
    assert!(containers.iter().all(|c| c.extra.is_empty()));
    assert_eq!(containers[0].exec.as_ref().unwrap().command.shell.as_deref(), Some("sleep 100"));
    all::<Instance>(include_str!("../fixtures/instances.json"));
    let statuses: Vec<(String, PodStatus)> = all(include_str!("../fixtures/pod_statuses.json"));
    let history = statuses[0].1.termination_history.as_ref().unwrap();
    assert_eq!(history[0].instance_id, "shop_pod.instance-x");
    let queues: Vec<(String, Queue)> = all(include_str!("../fixtures/queues.json"));
    assert!(queues.iter().flat_map(|(_, q)| &q.queue).any(|i| i.pod.as_ref().is_some_and(|p| p.id == "/p")));
}

#[test]
fn about_the_server() {
    let misc = |name| example(include_str!("../fixtures/misc.json"), name);
    let plugins: PluginList = survive("plugins", &misc("plugins"));
    assert_eq!(plugins.plugins.unwrap()[0].info.as_ref().unwrap()["test"], true);
    survive::<DeploymentSteps>("steps", &misc("steps"));
    survive::<LoggerChange>("logger", &misc("logger"));
    let metrics: Metrics = survive("metrics", &misc("metrics"));
    assert!(metrics.extra.is_empty());
    let locked: ErrorBody = survive("locked", &misc("locked"));
    assert_eq!(locked.deployments.len(), 1);
    survive::<ErrorBody>("error", &misc("error"));
    let plan: Plan = survive("plan", &misc("plan"));
    assert_eq!(plan.target().unwrap().all_apps().next().unwrap().app.id, "/shop");
    let action = &plan.steps[0].actions.as_ref().unwrap()[0];
    assert_eq!(action.name(), Some("ScaleApplication"));
    let infos: Vec<(String, Info)> = all(include_str!("../fixtures/infos.json"));
    assert!(infos[0].1.config().unwrap().master.is_some());
    assert!(infos[0].1.zookeeper().unwrap().zk_timeout.is_some() && infos[0].1.http().unwrap().http_port.is_some());
    let deployments: Vec<(String, Vec<Deployment>)> = all(include_str!("../fixtures/deployments.json"));
    let actions = deployments.iter().flat_map(|(_, l)| l).flat_map(|d| &d.current_actions);
    assert!(
        actions.filter_map(|a| a.readiness_check_results()).flatten().any(|r| !r.ready && r.last_response.is_some())
    );
}
