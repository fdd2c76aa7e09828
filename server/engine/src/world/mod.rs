//! The engine's state, and the two things that every change leaves behind:
//! records for the log and events for the listeners.
//!
//! All of it is behind one lock that is held for microseconds and never across
//! an await. One could get it wrong by publishing an event or writing a record
//! outside of the lock: listeners and log would then disagree about the order.

mod graves;
mod hosts;
mod offers;
mod operator;
mod progress;
mod timers;

pub(crate) use hosts::{Agent, Hosts};
pub(crate) use offers::Offers;
pub(crate) use operator::{DRAINING, NotBack, Operator, same_machine};
pub(crate) use progress::Progress;

use crate::backoff::Backoff;
use crate::health::{CheckState, Readiness};
use crate::placement::Refusal;
use crate::record::{AppRecord, DeploymentRecord, GraveRecord, GroupRecord, Record, TaskRecord};
use padis_protocol::app::App;
use padis_protocol::event::Event;
use padis_protocol::timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};
use timers::Timer;
use tokio_util::sync::CancellationToken;

/// What is known of a live task beyond its record.
pub(crate) struct Live {
    /// The definition it runs.
    pub spec: Arc<App>,
    /// When it began to run, on the monotonic clock.
    pub running_since: Option<Instant>,
    /// One entry for each health check.
    pub health: Vec<CheckState>,
    /// One entry for each readiness check, while its deployment waits for them.
    pub readiness: Vec<Readiness>,
    /// What its `check` told last, as Marathon tells it.
    pub check: Option<Box<serde_json::Value>>,
    /// Why it was killed, if that is a failure of its own.
    pub fault: Option<String>,
    /// A launch is on its way in this process.
    pub launching: bool,
    /// A stop is on its way in this process.
    pub stopping: bool,
    /// Docker said that it ran out of memory.
    pub oom: bool,
    /// Ends a launch that is on its way.
    pub given_up: CancellationToken,
}

impl Live {
    /// Of a task of which nothing is known but its definition.
    pub fn new(spec: Arc<App>, launching: bool) -> Self {
        Self {
            health: CheckState::all(&spec),
            spec,
            running_since: None,
            readiness: Vec::new(),
            check: None,
            fault: None,
            launching,
            stopping: false,
            oom: false,
            given_up: CancellationToken::new(),
        }
    }
}

/// An app that waits for a launch.
pub(crate) struct Waiting {
    pub since_ms: i64,
    pub count: u32,
    pub processed: u64,
    pub unused: u64,
    pub last_unused_ms: Option<i64>,
    pub last_used_ms: Option<i64>,
    /// How many agents refused at the last look, by reason, and when that was.
    pub last: BTreeMap<Refusal, u64>,
    /// Some of the agents that refused then: at most [`SAMPLES`].
    pub samples: Vec<(usize, Refusal)>,
    /// Refusals since the attempt began.
    pub refused: BTreeMap<Refusal, u64>,
}

/// Refused offers that are shown one by one. Each waiting app keeps so many: with
/// 10,000 agents and 10,000 waiting apps, keeping all would be 100 million.
pub(crate) const SAMPLES: usize = 100;

impl Waiting {
    pub fn new() -> Self {
        Self {
            since_ms: timestamp::now_ms(),
            count: 0,
            processed: 0,
            unused: 0,
            last_unused_ms: None,
            last_used_ms: None,
            last: BTreeMap::new(),
            samples: Vec::new(),
            refused: BTreeMap::new(),
        }
    }
}

/// The state.
pub(crate) struct World {
    pub apps: BTreeMap<String, AppRecord>,
    /// What groups have beyond the apps below them.
    pub groups: BTreeMap<String, GroupRecord>,
    /// Apps that are no more, by id and by when they ended.
    graves: BTreeMap<(String, String), GraveRecord>,
    /// Live tasks.
    pub tasks: BTreeMap<String, TaskRecord>,
    pub live: HashMap<String, Live>,
    /// Finished tasks, kept for their sandboxes.
    pub finished: BTreeMap<String, TaskRecord>,
    pub by_app: HashMap<String, BTreeSet<String>>,
    /// Finished tasks of each app, by when they ended.
    pub ended_of: HashMap<String, BTreeSet<(i64, String)>>,
    /// Tasks that ended since the start, by their last state.
    pub ended_count: BTreeMap<String, u64>,
    pub deployments: BTreeMap<String, DeploymentRecord>,
    /// What the deployments on their way still wait for.
    pub progress: Progress,
    pub waiting: BTreeMap<String, Waiting>,
    pub backoff: HashMap<String, Backoff>,
    pub hosts: Hosts,
    /// What operators have ordered.
    pub operator: Operator,
    /// The id under which a Mesos master knows us.
    pub framework: Option<String>,
    /// The Mesos role of all tasks.
    pub role: String,
    /// Apps to look at.
    pub dirty: BTreeSet<String>,
    /// Something ended or came back since the last turn: who waits may fit now.
    pub room_freed: bool,
    /// Tasks whose launch is recorded and shall happen.
    pub to_launch: Vec<String>,
    /// Tasks whose end is recorded and shall happen.
    pub to_kill: Vec<String>,
    /// Finished tasks kept for each app.
    pub keep_finished: usize,
    /// A task must run after so long.
    pub launch_timeout: Duration,
    /// Sandboxes to remove from disk.
    pub discard: Vec<String>,
    pub records: Vec<Record>,
    pub events: Vec<Event>,
    /// Agents that came (true) or went, for operators.
    pub agents_told: Vec<(usize, bool)>,
    /// Tasks whose health on their agent has changed, for operators.
    pub health_told: Vec<String>,
    /// The definitions in force, shared by the tasks that run them.
    specs: HashMap<String, Arc<App>>,
    /// Service ports and how many definitions name them.
    service_ports: BTreeMap<u16, u32>,
    last_version: i64,
    timers: BTreeSet<Timer>,
    /// Live tasks that have run.
    pub started: usize,
}

impl World {
    pub fn new(agents: Vec<Agent>, ports: &RangeInclusive<u16>, keep_finished: usize) -> Self {
        Self {
            apps: BTreeMap::new(),
            groups: BTreeMap::new(),
            graves: BTreeMap::new(),
            tasks: BTreeMap::new(),
            live: HashMap::new(),
            finished: BTreeMap::new(),
            by_app: HashMap::new(),
            ended_of: HashMap::new(),
            ended_count: BTreeMap::new(),
            deployments: BTreeMap::new(),
            progress: Progress::default(),
            waiting: BTreeMap::new(),
            backoff: HashMap::new(),
            hosts: Hosts::new(agents, ports.clone()),
            operator: Operator::default(),
            framework: None,
            role: String::from("*"),
            dirty: BTreeSet::new(),
            room_freed: false,
            to_launch: Vec::new(),
            to_kill: Vec::new(),
            keep_finished,
            launch_timeout: Duration::from_secs(300),
            discard: Vec::new(),
            records: Vec::new(),
            events: Vec::new(),
            agents_told: Vec::new(),
            health_told: Vec::new(),
            specs: HashMap::new(),
            service_ports: BTreeMap::new(),
            last_version: 0,
            timers: BTreeSet::new(),
            started: 0,
        }
    }

    /// Takes up what the log says. Tasks of apps or versions that are unknown
    /// get an empty definition; they still can be stopped and listed.
    pub fn restore(&mut self, records: Vec<Record>) {
        for record in records {
            match record {
                Record::App(app) => drop(self.apps.insert(app.id().to_owned(), *app)),
                Record::AppGone(id) => drop(self.apps.remove(&id)),
                Record::Group(group) => drop(self.groups.insert(group.id.clone(), *group)),
                Record::GroupGone(id) => drop(self.groups.remove(&id)),
                Record::Grave(grave) => {
                    drop(self.graves.insert((grave.id.clone(), grave.until.clone()), *grave));
                }
                Record::GraveGone(id, until) => drop(self.graves.remove(&(id, until))),
                Record::Agent(agent) => drop(self.know_agent(&agent)),
                Record::Out(out) => drop(self.operator.out.insert(out.agent.clone(), *out)),
                Record::OutGone(agent) => drop(self.operator.out.remove(&agent)),
                Record::Maintenance(maintenance) => self.operator.maintenance = *maintenance,
                Record::Framework(id) => self.framework = Some(id).filter(|id| !id.is_empty()),
                Record::Task(task) if task.state.is_terminal() => {
                    self.tasks.remove(&task.id);
                    self.finished.insert(task.id.clone(), *task);
                }
                Record::Task(task) => drop(self.tasks.insert(task.id.clone(), *task)),
                Record::TaskGone(id) => {
                    self.tasks.remove(&id);
                    self.finished.remove(&id);
                }
                Record::Deployment(deployment) => drop(self.deployments.insert(deployment.id.clone(), *deployment)),
                Record::DeploymentGone(id) => drop(self.deployments.remove(&id)),
                Record::Step(id, step) => {
                    if let Some(deployment) = self.deployments.get_mut(&id) {
                        deployment.step = step;
                    }
                }
            }
        }
        for app in self.apps.values() {
            count_ports(&mut self.service_ports, &app.app, true);
        }
        let mut shared: HashMap<(&str, &str), Arc<App>> = HashMap::new();
        for task in self.tasks.values() {
            let spec = shared.entry((&task.app_id, &task.version)).or_insert_with(|| {
                Arc::new(self.apps.get(&task.app_id).and_then(|a| a.at(&task.version)).cloned().unwrap_or_default())
            });
            self.hosts.occupy(task);
            self.live.insert(task.id.clone(), Live::new(Arc::clone(spec), false));
            self.by_app.entry(task.app_id.clone()).or_default().insert(task.id.clone());
            self.started += usize::from(task.started_ms.is_some());
        }
        for task in self.finished.values() {
            let key = (task.ended_ms.unwrap_or(0), task.id.clone());
            self.ended_of.entry(task.app_id.clone()).or_default().insert(key);
        }
        for deployment in self.deployments.values() {
            self.progress.begin(deployment);
        }
        self.ask_readiness_again();
        self.set_timers_again();
        let versions = self.apps.values().filter_map(|a| timestamp::parse(a.version()));
        self.last_version = versions.max().unwrap_or(0);
        self.dirty.extend(self.apps.keys().cloned());
        self.restore_orders();
    }

    /// The whole state as records.
    pub fn picture(&self) -> Vec<Record> {
        let apps = self.apps.values().map(|a| Record::App(Box::new(a.clone())));
        let tasks = self.finished.values().chain(self.tasks.values()).map(|t| Record::Task(Box::new(t.clone())));
        let deployments = self.deployments.values().map(|d| Record::Deployment(Box::new(d.clone())));
        let groups = self.groups.values().map(|g| Record::Group(Box::new(g.clone())));
        let graves = self.graves.values().map(|g| Record::Grave(Box::new(g.clone())));
        let agents = self.agent_records().into_iter().map(|a| Record::Agent(Box::new(a)));
        let framework = self.framework.iter().map(|id| Record::Framework(id.clone()));
        let out = self.operator.out.values().map(|o| Record::Out(Box::new(o.clone())));
        let maintenance = std::iter::once(Record::Maintenance(Box::new(self.operator.maintenance.clone())));
        agents
            .chain(framework)
            .chain(out)
            .chain(maintenance)
            .chain(apps)
            .chain(groups)
            .chain(graves)
            .chain(tasks)
            .chain(deployments)
            .collect()
    }

    /// A new version: now, but always later than every version before, even if
    /// the clock went back (versions are compared as text).
    pub fn next_version(&mut self) -> String {
        self.last_version = timestamp::now_ms().max(self.last_version + 1);
        timestamp::format(self.last_version)
    }

    /// An app that is not being deleted.
    pub fn app(&self, id: &str) -> Option<&AppRecord> {
        self.apps.get(id).filter(|a| !a.deleting)
    }

    pub fn put_app(&mut self, app: AppRecord) {
        self.records.push(Record::App(Box::new(app.clone())));
        self.dirty.insert(app.id().to_owned());
        self.specs.remove(app.id());
        count_ports(&mut self.service_ports, &app.app, true);
        if let Some(old) = self.apps.insert(app.id().to_owned(), app) {
            count_ports(&mut self.service_ports, &old.app, false);
        }
    }

    pub fn drop_app(&mut self, id: &str) {
        if let Some(old) = self.apps.remove(id) {
            count_ports(&mut self.service_ports, &old.app, false);
        }
        self.specs.remove(id);
        self.waiting.remove(id);
        self.backoff.remove(id);
        self.records.push(Record::AppGone(id.to_owned()));
    }

    /// The definition in force, shared.
    pub fn spec(&mut self, app: &AppRecord) -> Arc<App> {
        // An instance that is repaired while its app waits for a deployment's step runs an older one.
        let known = self.specs.get(app.id()).filter(|s| s.version == app.app.version);
        if let Some(spec) = known {
            return Arc::clone(spec);
        }
        let spec = Arc::new(app.app.clone());
        self.specs.insert(app.id().to_owned(), Arc::clone(&spec));
        spec
    }

    /// Service ports that definitions have, those of some apps left out.
    pub fn service_ports(&self, except: &[&App]) -> BTreeMap<u16, u32> {
        let mut ports = self.service_ports.clone();
        for app in except {
            count_ports(&mut ports, app, false);
        }
        ports
    }

    pub fn put_group(&mut self, group: GroupRecord) {
        self.records.push(Record::Group(Box::new(group.clone())));
        self.groups.insert(group.id.clone(), group);
    }

    pub fn drop_group(&mut self, id: &str) {
        if self.groups.remove(id).is_some() {
            self.records.push(Record::GroupGone(id.to_owned()));
        }
    }

    pub fn put_deployment(&mut self, deployment: DeploymentRecord) {
        self.records.push(Record::Deployment(Box::new(deployment.clone())));
        self.progress.begin(&deployment);
        self.dirty.extend(deployment.apps().map(str::to_owned));
        self.deployments.insert(deployment.id.clone(), deployment);
    }

    pub fn drop_deployment(&mut self, id: &str) -> Option<DeploymentRecord> {
        let deployment = self.deployments.remove(id)?;
        self.records.push(Record::DeploymentGone(id.to_owned()));
        self.progress.end(&deployment);
        self.end_readiness(&deployment);
        // What waited for its step does not wait any more.
        self.dirty.extend(deployment.apps().map(str::to_owned));
        Some(deployment)
    }

    /// Records a live task as it is now.
    pub fn note_task(&mut self, id: &str) {
        if let Some(task) = self.tasks.get(id) {
            self.records.push(Record::Task(Box::new(task.clone())));
        }
    }

    pub fn tasks_of<'a>(&'a self, app_id: &str) -> impl Iterator<Item = &'a TaskRecord> {
        self.by_app.get(app_id).into_iter().flatten().filter_map(|id| self.tasks.get(id))
    }

    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.hosts.agent(name)
    }

    /// Whether a task runs and all its health checks succeed, and while a deployment waits
    /// for it its readiness checks too.
    pub fn is_ready(&self, task: &TaskRecord) -> bool {
        let fine = |l: &Live| l.health.iter().all(|h| h.alive == Some(true)) && l.readiness.iter().all(|r| r.ready);
        task.state == padis_protocol::task::TaskState::TaskRunning && self.live.get(&task.id).is_some_and(fine)
    }

    /// The ids of all apps at or below a path, those that are being deleted included.
    pub fn ids_below<'a>(&'a self, group: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let group = group.trim_end_matches('/');
        let (inside, after) = (format!("{group}/"), format!("{group}0")); // '0' follows '/'
        let own = self.apps.get_key_value(group).map(|(id, _)| id.as_str());
        own.into_iter().chain(self.apps.range(inside..after).map(|(id, _)| id.as_str()))
    }
}

fn count_ports(ports: &mut BTreeMap<u16, u32>, app: &App, more: bool) {
    for port in crate::normalize::ports_of(app) {
        let count = ports.entry(port).or_default();
        *count = if more { *count + 1 } else { count.saturating_sub(1) };
        if *count == 0 {
            ports.remove(&port);
        }
    }
}
