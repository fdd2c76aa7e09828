//! Between the port's words and Marathon's: pure functions, both ways.

use padis_domain::ports::{SchedApp, SchedFailure, SchedSeen, SchedTask, SchedWaiting, TaskState};
use padis_protocol::app::{App, EnvVar, UpgradeStrategy};
use padis_protocol::container::{Container, Docker, Network, NetworkMode, Volume};
use padis_protocol::queue::QueueItem;
use padis_protocol::task::{TaskFailure, TaskState as Wire};
use padis_protocol::timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Longest back-off between launches of a crashing app, in seconds: a fixed image
/// or a freed port is noticed within a minute. Marathon's own default is 300.
const MAX_LAUNCH_DELAY_S: f64 = 60.0;

/// The definition of an app.
pub(super) fn app(app: &SchedApp) -> App {
    let volumes = app.volumes.iter().map(|v| Volume {
        container_path: v.container_path.clone(),
        host_path: Some(v.host_path.clone()),
        mode: Some(if v.read_only { "RO" } else { "RW" }.to_owned()),
        ..Volume::default()
    });
    let network = match app.network.as_str() {
        "host" => Network { mode: Some(NetworkMode::Host), ..Network::default() },
        "bridge" => Network { mode: Some(NetworkMode::Bridge), ..Network::default() },
        name => Network { mode: Some(NetworkMode::Container), name: Some(name.to_owned()), ..Network::default() },
    };
    App {
        id: app.id.clone(),
        instances: Some(app.instances),
        cpus: Some(f64::from(app.cpu_milli) / 1000.0),
        mem: Some(f64::from(app.mem_mib)),
        env: Some(app.env.iter().map(|(k, v)| (k.clone(), EnvVar::Text(v.clone()))).collect()),
        labels: Some(app.labels.clone()),
        constraints: Some(app.constraints.iter().map(|c| c.to_vec()).collect()),
        container: Some(Container {
            kind: Some("DOCKER".to_owned()),
            docker: Some(Docker { image: app.image.clone(), ..Docker::default() }),
            volumes: Some(volumes.collect()),
            ..Container::default()
        }),
        networks: Some(vec![network]),
        backoff_seconds: Some(1.0),
        max_launch_delay_seconds: Some(MAX_LAUNCH_DELAY_S),
        // A changed definition starts the new tasks beside the old ones and kills
        // these only when all of the new ones run.
        upgrade_strategy: Some(UpgradeStrategy {
            minimum_health_capacity: Some(1.0),
            maximum_over_capacity: Some(1.0),
        }),
        task_kill_grace_period_seconds: Some(app.kill_grace_s),
        ..App::default()
    }
}

/// The members of an app that matter here; a definition has fifty, and an answer of a large
/// cluster some hundred thousand tasks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    #[serde(default)]
    pub id: String,
    instances: Option<u32>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    container: Option<FoundContainer>,
    tasks: Option<Vec<FoundTask>>,
    deployments: Option<Vec<FoundDeployment>>,
    last_task_failure: Option<TaskFailure>,
}

/// Answer of `GET /v2/apps`.
#[derive(Deserialize)]
pub(super) struct FoundList {
    #[serde(default)]
    pub apps: Vec<Found>,
}

#[derive(Deserialize)]
struct FoundContainer {
    docker: Option<FoundImage>,
}

#[derive(Deserialize)]
struct FoundImage {
    #[serde(default)]
    image: String,
}

#[derive(Deserialize)]
struct FoundDeployment {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundTask {
    id: String,
    #[serde(default)]
    app_id: String,
    #[serde(default)]
    host: String,
    slave_id: Option<String>,
    state: Option<Wire>,
    staged_at: Option<String>,
    started_at: Option<String>,
}

/// An app as found.
pub(super) fn seen(found: Found) -> SchedSeen {
    SchedSeen {
        // Marathon's own default, which it leaves out nowhere.
        instances: found.instances.unwrap_or(1),
        image: found.container.and_then(|c| c.docker).map(|d| d.image).unwrap_or_default(),
        labels: found.labels.unwrap_or_default(),
        tasks: found.tasks.unwrap_or_default().into_iter().map(task).filter(|t| t.state != TaskState::Ended).collect(),
        deployments: found.deployments.unwrap_or_default().into_iter().map(|d| d.id).collect(),
        last_failure: found.last_task_failure.map(failure),
        id: found.id,
    }
}

fn state(task: &FoundTask) -> TaskState {
    match &task.state {
        // Marathon before 1.0 tells no state.
        None if task.started_at.is_some() => TaskState::Running,
        None => TaskState::Staging,
        Some(Wire::TaskStaging | Wire::TaskStarting) => TaskState::Staging,
        Some(Wire::TaskRunning) => TaskState::Running,
        Some(Wire::TaskKilling) => TaskState::Killing,
        Some(Wire::TaskUnreachable | Wire::TaskLost | Wire::TaskUnknown) => TaskState::Unreachable,
        Some(Wire::Other(_)) => TaskState::Unreachable,
        Some(_) => TaskState::Ended,
    }
}

fn task(task: FoundTask) -> SchedTask {
    SchedTask {
        state: state(&task),
        id: task.id,
        app_id: task.app_id,
        host: task.host,
        agent_id: task.slave_id.unwrap_or_default(),
        staged_at: task.staged_at.as_deref().and_then(timestamp::parse),
        started_at: task.started_at.as_deref().and_then(timestamp::parse),
    }
}

fn failure(failure: TaskFailure) -> SchedFailure {
    SchedFailure {
        task_id: failure.task_id,
        state: failure.state,
        message: failure.message,
        at: timestamp::parse(&failure.timestamp).unwrap_or_default(),
        host: failure.host,
    }
}

/// An entry of the launch queue; `None` for a pod.
pub(super) fn waiting(item: QueueItem) -> Option<SchedWaiting> {
    let mut refused = BTreeMap::new();
    let mut add = |reason: &str, n: u64| {
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        if n > 0 {
            refused.entry(reason.to_owned()).and_modify(|m: &mut u32| *m = m.saturating_add(n)).or_insert(n);
        }
    };
    let summary = item.processed_offers_summary.unwrap_or_default();
    // What the last offer of each agent met is the truth of now; the attempt's whole
    // history only stands in for it.
    let steps = summary.reject_summary_last_offers.or(summary.reject_summary_launch_attempt);
    match steps {
        Some(steps) => steps.iter().for_each(|s| add(&s.reason, s.declined)),
        None => {
            let offers = item.last_unused_offers.unwrap_or_default();
            offers.iter().flat_map(|o| &o.reason).for_each(|r| add(r, 1));
        }
    }
    let left = if item.delay.overdue { 0 } else { item.delay.time_left_seconds };
    Some(SchedWaiting {
        id: item.app?.id,
        count: item.count,
        delay_s: u32::try_from(left).unwrap_or(u32::MAX),
        refused,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::ports::SchedVolume;

    #[test]
    fn an_app_is_rendered_as_marathon_writes_it() {
        let sched = SchedApp {
            id: "/team/app/r12".into(),
            image: "127.0.0.1:5000/stacks/nginx@sha256:00".into(),
            instances: 3,
            cpu_milli: 250,
            mem_mib: 64,
            env: BTreeMap::from([("GREETING".into(), "hello".into())]),
            labels: BTreeMap::from([("io.padis.app".into(), "app".into())]),
            constraints: vec![["pool".into(), "LIKE".into(), "web".into()]],
            volumes: vec![SchedVolume { host_path: "/srv/p".into(), container_path: "/site".into(), read_only: true }],
            network: "none".into(),
            kill_grace_s: 10,
        };
        let wire = serde_json::to_value(app(&sched)).unwrap();
        assert_eq!(
            wire,
            serde_json::json!({
                "id": "/team/app/r12", "instances": 3, "cpus": 0.25, "mem": 64.0,
                "env": {"GREETING": "hello"}, "labels": {"io.padis.app": "app"},
                "constraints": [["pool", "LIKE", "web"]],
                "container": {
                    "type": "DOCKER",
                    "docker": {"image": "127.0.0.1:5000/stacks/nginx@sha256:00"},
                    "volumes": [{"containerPath": "/site", "hostPath": "/srv/p", "mode": "RO"}]
                },
                "networks": [{"mode": "container", "name": "none"}],
                "backoffSeconds": 1.0, "maxLaunchDelaySeconds": 60.0,
                "upgradeStrategy": {"maximumOverCapacity": 1.0, "minimumHealthCapacity": 1.0},
                "taskKillGracePeriodSeconds": 10
            })
        );
    }

    #[test]
    fn ended_tasks_are_not_live() {
        let found: Found = serde_json::from_value(serde_json::json!({
            "id": "/a/b/r1", "instances": 2,
            "tasks": [
                {"id": "t1", "appId": "/a/b/r1", "state": "TASK_RUNNING", "slaveId": "S0", "host": "h",
                 "stagedAt": "2026-11-22T10:00:00.000Z", "startedAt": "2026-11-22T10:00:01.500Z"},
                {"id": "t2", "state": "TASK_FAILED"},
                {"id": "t3", "state": "TASK_NEVER_HEARD_OF"},
                {"id": "t4"}
            ],
            "deployments": [{"id": "d"}],
            "lastTaskFailure": {"appId": "/a/b/r1", "host": "h", "message": "exit code 1", "state": "TASK_FAILED",
                "taskId": "t2", "timestamp": "2026-11-22T10:00:02.000Z", "version": "2026-11-22T10:00:00.000Z"}
        }))
        .unwrap();
        let seen = seen(found);
        let states: Vec<_> = seen.tasks.iter().map(|t| (t.id.as_str(), t.state)).collect();
        assert_eq!(states, [("t1", TaskState::Running), ("t3", TaskState::Unreachable), ("t4", TaskState::Staging)]);
        let [staged, started] = [seen.tasks[0].staged_at, seen.tasks[0].started_at].map(Option::unwrap);
        assert_eq!(started - staged, 1500);
        assert_eq!(
            (seen.deployments, seen.last_failure.map(|f| f.message)),
            (vec!["d".into()], Some("exit code 1".into()))
        );
    }

    #[test]
    fn the_reasons_of_waiting_are_those_of_the_last_offers() {
        let item: QueueItem = serde_json::from_value(serde_json::json!({
            "app": {"id": "/a"}, "count": 2, "delay": {"timeLeftSeconds": 7, "overdue": false},
            "processedOffersSummary": {
                "rejectSummaryLastOffers": [{"reason": "InsufficientCpus", "declined": 3, "processed": 3},
                                            {"reason": "InsufficientMemory", "declined": 0, "processed": 0}],
                "rejectSummaryLaunchAttempt": [{"reason": "InsufficientCpus", "declined": 99, "processed": 99}]
            }
        }))
        .unwrap();
        let waiting = waiting(item).unwrap();
        assert_eq!((waiting.count, waiting.delay_s), (2, 7));
        assert_eq!(waiting.refused, BTreeMap::from([("InsufficientCpus".into(), 3)]));
    }
}
