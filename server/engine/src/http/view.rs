//! The state as the API shows it.

use crate::record::{AppRecord, TaskRecord};
use crate::world::World;
use padis_protocol::app::AppInfo;
use padis_protocol::container::NetworkMode;
use padis_protocol::error::Identifiable;
use padis_protocol::task::{Task, TaskState};
use padis_protocol::timestamp;
use std::collections::BTreeSet;

/// What is embedded into an app.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Embed {
    pub tasks: bool,
    pub counts: bool,
    pub deployments: bool,
    pub failure: bool,
    pub readiness: bool,
}

impl Embed {
    /// What Marathon shows of one app; readiness only if it is asked for.
    pub const ALL: Self = Self { tasks: true, counts: true, deployments: true, failure: true, readiness: false };

    /// From `embed=apps.tasks` (lists) or `embed=app.tasks` (one app). Nothing said:
    /// `default`. Counts are there unless something else was asked for.
    pub fn parse(values: &[&str], default: Self) -> Self {
        let mut embed = Self::default();
        let known: BTreeSet<&str> = values
            .iter()
            .flat_map(|v| v.split(','))
            .filter_map(|v| v.strip_prefix("apps.").or_else(|| v.strip_prefix("app.")))
            .collect();
        if known.is_empty() {
            return default;
        }
        for name in known {
            match name {
                // Marathon sets deployments along with tasks.
                "tasks" => (embed.tasks, embed.deployments) = (true, true),
                "counts" | "count" => embed.counts = true,
                "deployments" => embed.deployments = true,
                "lastTaskFailure" => embed.failure = true,
                "readiness" => embed.readiness = true,
                "failures" => embed = Self { readiness: embed.readiness, ..Self::ALL },
                _ => {}
            }
        }
        embed
    }
}

impl World {
    pub fn app_view(&self, app: &AppRecord, embed: Embed) -> AppInfo {
        let mut info = AppInfo { app: app.app.clone(), ..AppInfo::default() };
        if embed.counts {
            let (mut staged, mut running, mut healthy, mut unhealthy) = (0, 0, 0, 0);
            for task in self.tasks_of(app.id()) {
                match task.state {
                    TaskState::TaskStaging | TaskState::TaskStarting => staged += 1,
                    TaskState::TaskRunning => {
                        running += 1;
                        let health = self.live.get(&task.id).map_or(&[][..], |l| &l.health);
                        if health.iter().any(|h| h.alive == Some(false)) {
                            unhealthy += 1;
                        } else if !health.is_empty() && health.iter().all(|h| h.alive == Some(true)) {
                            healthy += 1;
                        }
                    }
                    _ => {}
                }
            }
            info.tasks_staged = Some(staged);
            info.tasks_running = Some(running);
            info.tasks_healthy = Some(healthy);
            info.tasks_unhealthy = Some(unhealthy);
        }
        if embed.deployments {
            let holder = self.progress.holder(app.id());
            info.deployments = Some(holder.map(|id| Identifiable { id: id.to_owned() }).into_iter().collect());
        }
        if embed.tasks {
            info.tasks = Some(self.tasks_of(app.id()).map(|t| self.task_view(t)).collect());
        }
        if embed.failure {
            info.last_task_failure.clone_from(&app.last_failure);
        }
        if embed.readiness {
            info.readiness_check_results = Some(self.readiness_of(app.id()));
        }
        info
    }

    pub fn task_view(&self, task: &TaskRecord) -> Task {
        let live = self.live.get(&task.id);
        let spec = live.map(|l| &l.spec);
        let health = live.filter(|l| !l.health.is_empty() && task.started_ms.is_some());
        Task {
            id: task.id.clone(),
            app_id: task.app_id.clone(),
            host: task.agent.clone(),
            slave_id: self.agent(&task.agent).map(|a| a.id.clone()),
            state: Some(task.state.clone()),
            ports: Some(task.ports.clone()),
            service_ports: spec.map(|s| crate::normalize::ports_of(s)),
            ip_addresses: crate::transitions::ip_addresses(task),
            staged_at: Some(timestamp::format(task.staged_ms)),
            started_at: task.started_ms.map(timestamp::format),
            version: Some(task.version.clone()),
            health_check_results: health.map(|l| {
                let known = l.health.iter().filter(|h| h.alive.is_some() || h.last_failure.is_some());
                known.map(|h| h.wire(&task.instance)).collect()
            }),
            role: Some(self.role.clone()),
            extra: live.and_then(|l| l.check.clone()).map(|c| (String::from("checkResult"), *c)).into_iter().collect(),
        }
    }

    /// `text/plain`: app, service port, the hosts with their ports; for balancers.
    pub fn endpoints(&self, app_id: Option<&str>) -> String {
        let mut out = String::new();
        for app in self.apps.values().filter(|a| !a.deleting && app_id.is_none_or(|id| id == a.id())) {
            let name = app.id().trim_start_matches('/').replace('/', "_");
            let running: Vec<&TaskRecord> =
                self.tasks_of(app.id()).filter(|t| t.state == TaskState::TaskRunning).collect();
            let ports = crate::normalize::ports_of(&app.app);
            let host = app.app.network_list().first().and_then(|n| n.mode) == Some(NetworkMode::Host);
            if ports.is_empty() {
                let hosts: Vec<&str> = running.iter().map(|t| t.agent.as_str()).collect();
                out.push_str(&format!("{name}\t \t{}\t\n", hosts.join("\t")));
            }
            for (index, port) in ports.iter().enumerate() {
                let shown = if host && *port == 0 { String::from(" ") } else { port.to_string() };
                let places = running.iter().filter_map(|t| t.ports.get(index).map(|p| format!("{}:{p}", t.agent)));
                let places: Vec<String> = places.collect();
                out.push_str(&format!("{name}\t{shown}\t{}\t\n", places.join("\t")));
            }
        }
        out
    }
}
