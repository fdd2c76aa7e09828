//! The engine's state, and the two things that every change leaves behind:
//! records for the log and events for the listeners.
//!
//! All of it is behind one lock that is held for microseconds and never across
//! an await. One could get it wrong by publishing an event or writing a record
//! outside of the lock: listeners and log would then disagree about the order.

use crate::backoff::Backoff;
use crate::config::AgentConfig;
use crate::health::CheckState;
use crate::placement::{Refusal, Room};
use crate::record::{AppRecord, DeploymentRecord, Record, TaskRecord};
use padis_protocol::app::App;
use padis_protocol::event::Event;
use padis_protocol::timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// What is known of a live task beyond its record.
pub(crate) struct Live {
    /// The definition it runs.
    pub spec: Arc<App>,
    /// When it began to run, on the monotonic clock.
    pub running_since: Option<Instant>,
    /// One entry for each health check.
    pub health: Vec<CheckState>,
    /// Why a health check had it killed.
    pub unhealthy: Option<String>,
    /// A launch is on its way in this process.
    pub launching: bool,
    /// A stop is on its way in this process.
    pub stopping: bool,
    /// Docker said that it ran out of memory.
    pub oom: bool,
}

/// One agent and the state of its Docker Engine.
pub(crate) struct Agent {
    pub config: AgentConfig,
    /// Index into the engine's Docker nodes.
    pub node: usize,
    /// `<engine>-S0`, as Mesos names agents.
    pub id: String,
}

/// An app that waits for a launch.
pub(crate) struct Waiting {
    pub since_ms: i64,
    pub count: u32,
    pub processed: u64,
    pub unused: u64,
    pub last_unused_ms: Option<i64>,
    pub last_used_ms: Option<i64>,
    /// The last refusal of each agent.
    pub last: BTreeMap<String, (Refusal, i64)>,
    /// Refusals since the attempt began.
    pub refused: BTreeMap<Refusal, u64>,
}

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
            refused: BTreeMap::new(),
        }
    }
}

/// The state.
pub(crate) struct World {
    pub apps: BTreeMap<String, AppRecord>,
    /// Live tasks.
    pub tasks: BTreeMap<String, TaskRecord>,
    pub live: HashMap<String, Live>,
    /// Finished tasks, kept for their sandboxes.
    pub finished: BTreeMap<String, TaskRecord>,
    pub by_app: HashMap<String, BTreeSet<String>>,
    pub deployments: BTreeMap<String, DeploymentRecord>,
    pub waiting: BTreeMap<String, Waiting>,
    pub backoff: HashMap<String, Backoff>,
    pub agents: Vec<Agent>,
    /// Whether each Docker node answers.
    pub nodes_up: Vec<bool>,
    /// Apps to look at.
    pub dirty: BTreeSet<String>,
    /// Tasks whose launch is recorded and shall happen.
    pub to_launch: Vec<String>,
    /// Tasks whose end is recorded and shall happen.
    pub to_kill: Vec<String>,
    /// Finished tasks kept for each app.
    pub keep_finished: usize,
    /// Sandboxes to remove from disk.
    pub discard: Vec<String>,
    pub records: Vec<Record>,
    pub events: Vec<Event>,
    last_version: i64,
}

impl World {
    pub fn new(agents: Vec<Agent>, nodes: usize, keep_finished: usize) -> Self {
        Self {
            apps: BTreeMap::new(),
            tasks: BTreeMap::new(),
            live: HashMap::new(),
            finished: BTreeMap::new(),
            by_app: HashMap::new(),
            deployments: BTreeMap::new(),
            waiting: BTreeMap::new(),
            backoff: HashMap::new(),
            agents,
            nodes_up: vec![false; nodes],
            dirty: BTreeSet::new(),
            to_launch: Vec::new(),
            to_kill: Vec::new(),
            keep_finished,
            discard: Vec::new(),
            records: Vec::new(),
            events: Vec::new(),
            last_version: 0,
        }
    }

    /// Takes up what the log says. Tasks of apps or versions that are unknown
    /// get an empty definition; they still can be stopped and listed.
    pub fn restore(&mut self, records: Vec<Record>) {
        for record in records {
            match record {
                Record::App(app) => drop(self.apps.insert(app.id().to_owned(), *app)),
                Record::AppGone(id) => drop(self.apps.remove(&id)),
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
            }
        }
        for task in self.tasks.values() {
            let spec = self.apps.get(&task.app_id).and_then(|a| a.at(&task.version)).cloned().unwrap_or_default();
            let health = CheckState::all(&spec);
            let live = Live {
                spec: Arc::new(spec),
                running_since: None,
                health,
                unhealthy: None,
                launching: false,
                stopping: false,
                oom: false,
            };
            self.live.insert(task.id.clone(), live);
            self.by_app.entry(task.app_id.clone()).or_default().insert(task.id.clone());
        }
        let versions = self.apps.values().filter_map(|a| timestamp::parse(a.version()));
        self.last_version = versions.max().unwrap_or(0);
        self.dirty.extend(self.apps.keys().cloned());
    }

    /// The whole state as records.
    pub fn picture(&self) -> Vec<Record> {
        let apps = self.apps.values().map(|a| Record::App(Box::new(a.clone())));
        let tasks = self.finished.values().chain(self.tasks.values()).map(|t| Record::Task(Box::new(t.clone())));
        let deployments = self.deployments.values().map(|d| Record::Deployment(Box::new(d.clone())));
        apps.chain(tasks).chain(deployments).collect()
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
        self.apps.insert(app.id().to_owned(), app);
    }

    pub fn drop_app(&mut self, id: &str) {
        self.apps.remove(id);
        self.waiting.remove(id);
        self.backoff.remove(id);
        self.records.push(Record::AppGone(id.to_owned()));
    }

    pub fn put_deployment(&mut self, deployment: DeploymentRecord) {
        self.records.push(Record::Deployment(Box::new(deployment.clone())));
        self.dirty.extend(deployment.apps().map(str::to_owned));
        self.deployments.insert(deployment.id.clone(), deployment);
    }

    pub fn drop_deployment(&mut self, id: &str) -> Option<DeploymentRecord> {
        self.records.push(Record::DeploymentGone(id.to_owned()));
        self.deployments.remove(id)
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
        self.agents.iter().find(|a| a.config.name == name)
    }

    /// Whether a task runs and all its health checks succeed.
    pub fn is_ready(&self, task: &TaskRecord) -> bool {
        task.state == padis_protocol::task::TaskState::TaskRunning
            && self.live.get(&task.id).is_some_and(|l| l.health.iter().all(|h| h.alive == Some(true)))
    }

    /// What is free on each agent, in the order of the agents.
    pub fn rooms(&self, ports: usize) -> Vec<Room> {
        let mut rooms: Vec<Room> = self
            .agents
            .iter()
            .map(|agent| Room {
                name: agent.config.name.clone(),
                attributes: agent.config.attributes.clone(),
                cpus_total: agent.config.cpus,
                mem_total: agent.config.mem_mib as f64,
                cpus_free: agent.config.cpus,
                mem_free: agent.config.mem_mib as f64,
                ports_free: ports,
                up: self.nodes_up.get(agent.node).copied().unwrap_or(false),
            })
            .collect();
        for task in self.tasks.values() {
            if let Some(room) = rooms.iter_mut().find(|r| r.name == task.agent) {
                room.cpus_free -= task.cpus;
                room.mem_free -= task.mem;
                room.ports_free = room.ports_free.saturating_sub(task.ports.len());
            }
        }
        rooms
    }
}
