//! The life of a task: staged, running, killing, ended. Every step is recorded
//! and told to the listeners in one place, so that no path can forget one.
//!
//! Reports come twice and out of order (the launch's own answer, Docker's event,
//! the periodic listing): every step ignores what it already knows, and nothing
//! leads out of a terminal state.

use crate::backoff::Rule;
use crate::ids;
use crate::placement::Refusal;
use crate::record::{AppRecord, Record, TaskRecord};
use crate::world::{Live, SAMPLES, Waiting, World};
use padis_protocol::event::{AddHealthCheck, InstanceChanged, RemoveHealthCheck, StatusUpdate};
use padis_protocol::task::{IpAddr, TaskFailure, TaskState};
use padis_protocol::timestamp;
use std::time::{Duration, Instant};

/// Seconds between SIGTERM and SIGKILL when the app names none (Mesos' default kill policy).
pub(crate) const GRACE_S: u32 = 3;

/// How a task ended.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub state: TaskState,
    pub message: String,
    /// Not the task's own doing: its replacement need not wait.
    pub blameless: bool,
    /// Mesos' name for the reason, where it has one.
    pub reason: Option<String>,
}

impl End {
    /// By itself, with an exit code.
    pub fn exited(code: i64, oom: bool) -> Self {
        let state = if code == 0 { TaskState::TaskFinished } else { TaskState::TaskFailed };
        let message = match oom {
            true => format!("Container exceeded its memory limit and exited with status {code}"),
            false => format!("Container exited with status {code}"),
        };
        let reason = oom.then(|| String::from("REASON_CONTAINER_LIMITATION_MEMORY"));
        Self { state, message, blameless: false, reason }
    }
    pub fn failed(message: impl Into<String>) -> Self {
        Self { state: TaskState::TaskFailed, message: message.into(), blameless: false, reason: None }
    }
    /// It never ran.
    pub fn not_launched(message: &str) -> Self {
        let reason = Some(String::from("REASON_CONTAINER_LAUNCH_FAILED"));
        Self { reason, ..Self::failed(format!("Failed to launch container: {message}")) }
    }
    /// Nobody knows what became of it, and it is not waited for any longer.
    pub fn gone(message: String) -> Self {
        Self { state: TaskState::TaskGone, message, blameless: true, reason: None }
    }
}

impl World {
    /// A new task on an agent: intent only, nothing runs yet.
    pub fn stage(&mut self, app: &AppRecord, agent: &str, ports: Vec<u16>) -> String {
        let (id, instance, container) = ids::task_names(app.id());
        let spec = self.spec(app);
        let now = timestamp::now_ms();
        let task = TaskRecord {
            id: id.clone(),
            instance,
            app_id: app.id().to_owned(),
            version: app.version().to_owned(),
            agent: agent.to_owned(),
            agent_id: self.agent(agent).map(|a| a.id.clone()).filter(|_| self.hosts.offers.is_some()),
            addresses: Vec::new(),
            container,
            ports,
            state: TaskState::TaskStaging,
            staged_ms: now,
            started_ms: None,
            ended_ms: None,
            message: String::new(),
            grace_s: app.app.task_kill_grace_period_seconds.unwrap_or(GRACE_S),
            cpus: app.app.cpus_or_default(),
            mem: app.app.mem_or_default(),
            disk: app.app.disk_or_default(),
            inactive: false,
            reason: None,
            history: vec![(TaskState::TaskStaging, now)],
            removed: false,
        };
        let live = Live { readiness: self.asks_readiness(&spec), ..Live::new(spec, true) };
        self.live.insert(id.clone(), live);
        self.by_app.entry(task.app_id.clone()).or_default().insert(id.clone());
        self.tasks.insert(id.clone(), task);
        self.time_launch(&id);
        self.note_task(&id);
        self.tell(&id);
        id
    }

    /// The task's container runs. After a restart of the engine the wall clock
    /// tells since when; it is used for nothing but "has it run well?".
    pub fn running(&mut self, id: &str, now: Instant) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        let Some(live) = self.live.get_mut(id) else { return };
        live.launching = false;
        let ago = task.started_ms.map_or(0, |ms| timestamp::now_ms().saturating_sub(ms).max(0));
        let since = now.checked_sub(Duration::from_millis(ago.unsigned_abs())).unwrap_or(now);
        live.running_since.get_or_insert(since);
        self.started += usize::from(task.started_ms.is_none());
        task.started_ms.get_or_insert_with(timestamp::now_ms);
        if !matches!(task.state, TaskState::TaskStaging | TaskState::TaskStarting | TaskState::TaskUnreachable) {
            return;
        }
        task.state = TaskState::TaskRunning;
        task.inactive = false;
        task.history.push((TaskState::TaskRunning, timestamp::now_ms()));
        self.dirty.insert(task.app_id.clone());
        self.note_task(id);
        self.tell(id);
    }

    /// The addresses of the task's own: somebody else may attach one long after the start.
    pub fn addressed(&mut self, id: &str, addresses: Vec<std::net::IpAddr>) {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let Some(task) = self.tasks.get_mut(id).filter(|t| t.addresses != addresses) else { return };
        task.addresses = addresses;
        self.note_task(id);
    }

    /// The task is on its agent and about to run.
    pub fn starting(&mut self, id: &str) {
        let Some(task) = self.tasks.get_mut(id).filter(|t| t.state == TaskState::TaskStaging) else { return };
        task.state = TaskState::TaskStarting;
        task.history.push((TaskState::TaskStarting, timestamp::now_ms()));
        self.note_task(id);
        self.tell(id);
    }

    /// The task shall stop. True if that is new.
    pub fn killing(&mut self, id: &str, why: &str) -> bool {
        let Some(task) = self.tasks.get_mut(id) else { return false };
        if task.state == TaskState::TaskKilling {
            return false;
        }
        if task.state == TaskState::TaskUnreachable {
            // Nobody can tell it to stop. Forgotten, it is killed should it come back (as in Marathon).
            self.ended(id, End::gone(why.to_owned()), Instant::now());
            return true;
        }
        if let Some(live) = self.live.get(id) {
            live.given_up.cancel();
        }
        task.state = TaskState::TaskKilling;
        task.message = why.to_owned();
        task.history.push((TaskState::TaskKilling, timestamp::now_ms()));
        self.to_kill.push(id.to_owned());
        self.dirty.insert(task.app_id.clone());
        self.note_task(id);
        self.tell(id);
        true
    }

    /// The task's container ended, or never came to be.
    pub fn ended(&mut self, id: &str, end: End, now: Instant) {
        let Some(mut task) = self.tasks.remove(id) else { return };
        let live = self.live.remove(id);
        self.hosts.vacate(&task);
        self.left(&task.agent);
        self.started -= usize::from(task.started_ms.is_some());
        let fault = live.as_ref().and_then(|l| l.fault.clone());
        let killed = task.state == TaskState::TaskKilling;
        let blameless = end.blameless;
        task.reason = end.reason.filter(|_| !killed);
        (task.state, task.message) = match (killed, &fault) {
            (true, Some(why)) => (TaskState::TaskKilled, why.clone()),
            (true, None) => (TaskState::TaskKilled, std::mem::take(&mut task.message)),
            (false, _) => (end.state, end.message),
        };
        *self.ended_count.entry(task.state.name().to_owned()).or_default() += 1;
        let at = timestamp::now_ms();
        task.ended_ms = Some(at);
        task.history.push((task.state.clone(), at));
        let sound = blameless || killed && fault.is_none();
        let ran =
            live.as_ref().and_then(|l| l.running_since).map_or(Duration::ZERO, |s| now.saturating_duration_since(s));
        let slave_id = self.agent(&task.agent).map(|a| a.id.clone());
        if let Some(app) = self.apps.get_mut(&task.app_id).filter(|a| !a.deleting && !sound) {
            let rule = Rule::of(live.as_ref().map_or(&app.app, |l| &l.spec));
            self.backoff.entry(task.app_id.clone()).or_default().ended(&rule, ran, now);
            app.last_failure = Some(TaskFailure {
                app_id: task.app_id.clone(),
                host: task.agent.clone(),
                message: task.message.clone(),
                state: task.state.name().to_owned(),
                task_id: task.id.clone(),
                timestamp: timestamp::format(at),
                version: task.version.clone(),
                slave_id,
                ..TaskFailure::default()
            });
            self.records.push(Record::App(Box::new(app.clone())));
        }
        if let Some(ids) = self.by_app.get_mut(&task.app_id) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_app.remove(&task.app_id);
            }
        }
        self.dirty.insert(task.app_id.clone());
        self.room_freed = true;
        let app_id = task.app_id.clone();
        self.records.push(Record::Task(Box::new(task.clone())));
        self.finished.insert(id.to_owned(), task);
        self.ended_of.entry(app_id.clone()).or_default().insert((at, id.to_owned()));
        self.tell(id);
        self.prune(&app_id);
    }

    /// Forgets the oldest finished tasks of an app.
    fn prune(&mut self, app_id: &str) {
        while self.ended_of.get(app_id).is_some_and(|ended| ended.len() > self.keep_finished) {
            self.forget_oldest(app_id);
        }
        // Over all apps: one that has several gives one up, so that no app's last trace
        // is taken by another's crash loop.
        if self.finished.len() > MAX_FINISHED {
            self.forget_oldest(app_id);
        }
    }

    fn forget_oldest(&mut self, app_id: &str) {
        let Some(ended) = self.ended_of.get_mut(app_id) else { return };
        let oldest = ended.pop_first();
        if ended.is_empty() {
            self.ended_of.remove(app_id);
        }
        if let Some((_, id)) = oldest {
            self.finished.remove(&id);
            self.records.push(Record::TaskGone(id.clone()));
            self.discard.push(id);
        }
    }

    /// The app's last task is gone and so is the app.
    pub fn terminated(&mut self, app_id: &str) {
        self.drop_app(app_id);
        let app_id = app_id.to_owned();
        self.events.push(padis_protocol::event::AppTerminated { app_id, ..Default::default() }.into());
    }

    /// Tells the listeners which health checks came and went.
    pub fn tell_checks(&mut self, app_id: &str, old: &[padis_protocol::health::HealthCheck], new: &AppRecord) {
        let checks = new.app.health_checks.as_deref().unwrap_or_default();
        for check in old.iter().filter(|c| !checks.contains(c)) {
            let event = RemoveHealthCheck {
                app_id: app_id.to_owned(),
                health_check: Some(check.clone()),
                ..RemoveHealthCheck::default()
            };
            self.events.push(event.into());
        }
        for check in checks.iter().filter(|c| !old.contains(c)) {
            let event = AddHealthCheck {
                app_id: app_id.to_owned(),
                health_check: check.clone(),
                version: Some(new.version().to_owned()),
                ..AddHealthCheck::default()
            };
            self.events.push(event.into());
        }
    }

    /// Tells the listeners the state of a task.
    pub fn tell(&mut self, id: &str) {
        let Some(task) = self.tasks.get(id).or_else(|| self.finished.get(id)) else { return };
        let agent_id = self.agent(&task.agent).map(|a| a.id.clone()).unwrap_or_default();
        let status = StatusUpdate {
            slave_id: agent_id.clone(),
            task_id: task.id.clone(),
            task_status: task.state.name().to_owned(),
            message: Some(task.message.clone()),
            app_id: task.app_id.clone(),
            host: task.agent.clone(),
            ip_addresses: ip_addresses(task),
            ports: task.ports.clone(),
            version: task.version.clone(),
            ..StatusUpdate::default()
        };
        let instance = InstanceChanged {
            instance_id: task.instance.clone(),
            condition: if task.inactive { String::from("UnreachableInactive") } else { task.state.condition() },
            run_spec_id: task.app_id.clone(),
            agent_id: Some(agent_id),
            host: Some(task.agent.clone()),
            run_spec_version: task.version.clone(),
            ..InstanceChanged::default()
        };
        self.events.push(status.into());
        self.events.push(instance.into());
    }

    /// Counts an offer that was used, for the queue.
    pub fn count_used(&mut self, app_id: &str) {
        let waiting = self.waiting.entry(app_id.to_owned()).or_insert_with(Waiting::new);
        waiting.processed += 1;
        waiting.last_used_ms = Some(timestamp::now_ms());
    }

    /// Counts the offers that were refused at one look, for the queue.
    pub fn count_refused(&mut self, app_id: &str, refused: Vec<(usize, Refusal)>) {
        let now = timestamp::now_ms();
        let waiting = self.waiting.entry(app_id.to_owned()).or_insert_with(Waiting::new);
        waiting.processed += refused.len() as u64;
        waiting.unused += refused.len() as u64;
        waiting.last_unused_ms = Some(now);
        waiting.last.clear();
        for (_, refusal) in &refused {
            *waiting.last.entry(*refusal).or_default() += 1;
            *waiting.refused.entry(*refusal).or_default() += 1;
        }
        waiting.samples = refused;
        waiting.samples.truncate(SAMPLES);
    }
}

/// Addresses of a task's own, as the API shows them.
pub(crate) fn ip_addresses(task: &TaskRecord) -> Option<Vec<IpAddr>> {
    let one = |ip: &String| IpAddr {
        ip_address: ip.clone(),
        protocol: if ip.contains(':') { "IPv6" } else { "IPv4" }.to_owned(),
    };
    (!task.addresses.is_empty()).then(|| task.addresses.iter().map(one).collect())
}

/// Finished tasks kept over all apps.
const MAX_FINISHED: usize = 20_000;
