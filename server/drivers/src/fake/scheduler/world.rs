//! The fake Marathon's state and its rules, without locks and without async.

use padis_domain::ports::{
    SchedApp, SchedEvent, SchedFailure, SchedSeen, SchedTask, SchedTold, SchedWaiting, TaskState,
};
use padis_domain::words::UnixMs;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// One task with the generation of the app's definition that it was made from.
struct Task {
    seen: SchedTask,
    generation: u64,
}

pub(super) struct App {
    pub spec: SchedApp,
    tasks: Vec<Task>,
    generation: u64,
    deployment: Option<String>,
    pub foreign_lock: bool,
    pub deleted: bool,
    last_failure: Option<SchedFailure>,
}

impl App {
    pub fn tasks(&self) -> Vec<SchedTask> {
        self.tasks.iter().map(|t| t.seen.clone()).collect()
    }
    pub fn seen(&self) -> SchedSeen {
        let mut deployments: Vec<String> = self.deployment.iter().cloned().collect();
        if self.foreign_lock {
            deployments.push("somebody-else".to_owned());
        }
        SchedSeen {
            id: self.spec.id.clone(),
            instances: self.spec.instances,
            image: self.spec.image.clone(),
            labels: self.spec.labels.clone(),
            tasks: self.tasks(),
            deployments,
            last_failure: self.last_failure.clone(),
        }
    }
    /// Tasks of the present definition that are not on their way out.
    fn fresh(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|t| t.generation == self.generation && t.seen.state != TaskState::Killing)
    }
    fn missing(&self) -> u32 {
        let wanted = if self.deleted { 0 } else { self.spec.instances };
        wanted.saturating_sub(u32::try_from(self.fresh().count()).unwrap_or(u32::MAX))
    }
}

#[derive(Default)]
pub(super) struct World {
    pub apps: BTreeMap<String, App>,
    pub room: Option<u32>,
    pub clock: Option<UnixMs>,
    pub silent: bool,
    /// Events that were not published yet.
    pub said: Vec<SchedEvent>,
    made: u64,
}

impl World {
    pub fn say(&mut self, event: SchedEvent) {
        if !self.silent {
            self.said.push(event);
        }
    }
    fn say_app(&mut self, id: &str, task: Option<(&str, &str)>, message: &str, kind: &str) {
        let told = SchedTold {
            kind: kind.to_owned(),
            at: Some(self.now()),
            apps: vec![id.to_owned()],
            task_id: task.map(|t| t.0.to_owned()),
            state: task.map(|t| t.1.to_owned()),
            host: task.and_then(|t| self.task(t.0)).map(|t| t.host.clone()).unwrap_or_default(),
            message: message.to_owned(),
        };
        self.say(SchedEvent::Told(told));
    }
    fn now(&self) -> UnixMs {
        let real = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as UnixMs);
        self.clock.unwrap_or_else(real)
    }
    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    pub fn task(&self, task_id: &str) -> Option<&SchedTask> {
        self.apps.values().flat_map(|a| &a.tasks).map(|t| &t.seen).find(|t| t.id == task_id)
    }
    fn task_mut(&mut self, task_id: &str) -> Option<&mut SchedTask> {
        self.apps.values_mut().flat_map(|a| &mut a.tasks).map(|t| &mut t.seen).find(|t| t.id == task_id)
    }

    pub fn set_locked(&mut self, id: &str, locked: bool) {
        if let Some(app) = self.apps.get_mut(id) {
            app.foreign_lock = locked;
        }
    }
    /// Ends whatever deployment there is, as `force=true` does.
    pub fn unlock(&mut self, id: &str) {
        if let Some(app) = self.apps.get_mut(id) {
            app.deployment = None;
            app.foreign_lock = false;
        }
    }

    /// False if the app is locked.
    pub fn put(&mut self, spec: &SchedApp) -> bool {
        let number = self.number();
        let deployment = Some(format!("deployment-{number}"));
        match self.apps.get_mut(&spec.id) {
            None => {
                let app = App {
                    spec: spec.clone(),
                    tasks: Vec::new(),
                    generation: number,
                    deployment,
                    foreign_lock: false,
                    deleted: false,
                    last_failure: None,
                };
                self.apps.insert(spec.id.clone(), app);
            }
            Some(app) if app.spec == *spec && !app.deleted => return true,
            Some(app) if app.deployment.is_some() || app.foreign_lock || app.deleted => return false,
            Some(app) => {
                let only_scaled = SchedApp { instances: spec.instances, ..app.spec.clone() } == *spec;
                if !only_scaled {
                    app.generation = number;
                }
                app.spec = spec.clone();
                app.deployment = deployment;
            }
        }
        self.say_app(&spec.id, None, "", "api_post_event");
        true
    }

    pub fn delete(&mut self, id: &str) {
        let number = self.number();
        if let Some(app) = self.apps.get_mut(id) {
            app.deleted = true;
            app.deployment = Some(format!("deployment-{number}"));
        }
    }

    pub fn kill(&mut self, app_id: &str, task_id: &str, scale: bool) {
        let Some(app) = self.apps.get_mut(app_id) else { return };
        let Some(task) = app.tasks.iter_mut().find(|t| t.seen.id == task_id) else { return };
        if task.seen.state == TaskState::Killing {
            return;
        }
        task.seen.state = TaskState::Killing;
        if scale {
            app.spec.instances = app.spec.instances.saturating_sub(1);
        }
        self.say_app(app_id, Some((task_id, "TASK_KILLING")), "", "status_update_event");
    }

    pub fn set_state(&mut self, task_id: &str, state: TaskState) -> bool {
        let Some(task) = self.task_mut(task_id) else { return false };
        task.state = state;
        let (id, app_id) = (task.id.clone(), task.app_id.clone());
        let name = match state {
            TaskState::Staging => "TASK_STAGING",
            TaskState::Running => "TASK_RUNNING",
            TaskState::Killing => "TASK_KILLING",
            TaskState::Unreachable => "TASK_UNREACHABLE",
            TaskState::Ended => "TASK_FINISHED",
        };
        self.say_app(&app_id, Some((&id, name)), "", "status_update_event");
        true
    }

    pub fn end(&mut self, task_id: &str, state: &str, message: &str) -> bool {
        let at = self.now();
        let Some(app) = self.apps.values_mut().find(|a| a.tasks.iter().any(|t| t.seen.id == task_id)) else {
            return false;
        };
        let host = app.tasks.iter().find(|t| t.seen.id == task_id).map(|t| t.seen.host.clone()).unwrap_or_default();
        app.tasks.retain(|t| t.seen.id != task_id);
        app.last_failure = Some(SchedFailure {
            task_id: task_id.to_owned(),
            state: state.to_owned(),
            message: message.to_owned(),
            at,
            host,
        });
        let app_id = app.spec.id.clone();
        self.say_app(&app_id, Some((task_id, state)), message, "status_update_event");
        true
    }

    /// What waits for room.
    pub fn waiting(&self) -> Vec<SchedWaiting> {
        let short = self.apps.values().filter(|a| a.missing() > 0);
        short
            .map(|a| SchedWaiting {
                id: a.spec.id.clone(),
                count: a.missing(),
                delay_s: 0,
                refused: BTreeMap::from([("InsufficientMemory".to_owned(), 1)]),
            })
            .collect()
    }

    /// One step of time; tells whether anything changed.
    pub fn advance(&mut self) -> bool {
        let now = self.now();
        let mut gone = Vec::new();
        let mut up = Vec::new();
        for app in self.apps.values_mut() {
            app.tasks.retain(|t| {
                let stays = t.seen.state != TaskState::Killing;
                if !stays {
                    gone.push((app.spec.id.clone(), t.seen.id.clone()));
                }
                stays
            });
            for task in app.tasks.iter_mut().filter(|t| t.seen.state == TaskState::Staging) {
                task.seen.state = TaskState::Running;
                task.seen.started_at = Some(now);
                up.push((app.spec.id.clone(), task.seen.id.clone()));
            }
        }
        let moved = !gone.is_empty() || !up.is_empty();
        for (app, task) in gone {
            self.say_app(&app, Some((&task, "TASK_KILLED")), "Container killed", "status_update_event");
        }
        for (app, task) in up {
            self.say_app(&app, Some((&task, "TASK_RUNNING")), "", "status_update_event");
        }
        self.fill() || moved
    }

    /// Stages what is missing, dooms what is too much, ends deployments that are complete.
    pub fn fill(&mut self) -> bool {
        let mut changed = false;
        let ids: Vec<String> = self.apps.keys().cloned().collect();
        for id in ids {
            changed |= self.stage_missing(&id) | self.doom_surplus(&id) | self.complete(&id);
        }
        changed
    }

    fn stage_missing(&mut self, id: &str) -> bool {
        let all: usize = self.apps.values().map(|a| a.tasks.len()).sum();
        let free = self.room.map_or(u32::MAX, |r| r.saturating_sub(u32::try_from(all).unwrap_or(u32::MAX)));
        let missing = self.apps.get(id).map_or(0, App::missing).min(free);
        let now = self.now();
        for _ in 0..missing {
            let number = self.number();
            let Some(app) = self.apps.get_mut(id) else { return false };
            let task_id = format!("{}.instance-{number:08}._app.1", id.trim_matches('/').replace('/', "_"));
            let seen = SchedTask {
                id: task_id.clone(),
                app_id: id.to_owned(),
                state: TaskState::Staging,
                host: "host-1".to_owned(),
                agent_id: "agent-1".to_owned(),
                staged_at: Some(now),
                started_at: None,
            };
            app.tasks.push(Task { seen, generation: app.generation });
            self.say_app(id, Some((&task_id, "TASK_STAGING")), "", "status_update_event");
        }
        missing > 0
    }

    fn doom_surplus(&mut self, id: &str) -> bool {
        let Some(app) = self.apps.get_mut(id) else { return false };
        let wanted = if app.deleted { 0 } else { app.spec.instances as usize };
        let mut doomed: Vec<String> = app.fresh().skip(wanted).map(|t| t.seen.id.clone()).collect();
        let running = app.fresh().filter(|t| t.seen.state == TaskState::Running).count();
        if running >= wanted {
            // The former definition's tasks go when the new one's are all there.
            let old = app.tasks.iter().filter(|t| t.generation != app.generation);
            doomed.extend(old.filter(|t| t.seen.state != TaskState::Killing).map(|t| t.seen.id.clone()));
        }
        for task in &doomed {
            self.kill(id, task, false);
        }
        !doomed.is_empty()
    }

    fn complete(&mut self, id: &str) -> bool {
        let Some(app) = self.apps.get_mut(id) else { return false };
        if app.deleted && app.tasks.is_empty() {
            self.apps.remove(id);
            self.say_app(id, None, "", "app_terminated_event");
            return true;
        }
        let settled = app.missing() == 0 && app.tasks.iter().all(|t| t.seen.state == TaskState::Running);
        if app.deployment.is_some() && settled && !app.deleted {
            app.deployment = None;
            self.say_app(id, None, "", "deployment_success");
            return true;
        }
        false
    }
}
