//! One turn of the scheduler: look at the apps that may need something, decide,
//! place, record. Nothing is done here; what shall be done is left in
//! `to_launch` and `to_kill`, to be carried out once the records are on disk.
//!
//! One could get it wrong by letting two apps of one turn be given the same cores:
//! every placement is subtracted from the room at once. And by looking at everything
//! after every event: a turn looks at the apps that something happened to, and at
//! those that wait only if something made room.
//!
//! An app whose deployment has not come to its step keeps what it had: an instance that
//! dies is started again in the definition of before, as in Marathon. Starting the new
//! one would be the change that waits for its step.

use crate::decide::{Seen, decide};
use crate::placement::{Need, Placer};
use crate::record::{AppRecord, Record, TaskRecord};
use crate::world::{Hosts, Waiting, World};
use padis_protocol::app::App;
use padis_protocol::container::NetworkMode;
use padis_protocol::deployment::{Action, Plan, Step};
use padis_protocol::event::{DeploymentInfo, DeploymentStepSuccess, DeploymentSuccess, Event};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// The host ports that an app asks for: a number, or 0 for any.
pub(crate) fn host_ports(app: &App) -> Vec<u16> {
    let networks = app.network_list();
    let is = |mode| networks.iter().any(|n| n.mode.unwrap_or_default() == mode);
    if is(NetworkMode::Host) {
        let fixed = app.require_ports == Some(true);
        let definitions = app.port_definitions.as_deref().unwrap_or_default();
        return definitions.iter().map(|d| if fixed { d.port.unwrap_or(0) } else { 0 }).collect();
    }
    let bridge = is(NetworkMode::Bridge);
    app.mappings().iter().filter_map(|m| m.host_port.or(bridge.then_some(0))).collect()
}

impl World {
    /// One turn. The answer is when to look again, if nothing happens before.
    pub fn schedule(&mut self, now: Instant) -> Option<Instant> {
        self.ring(now);
        let mut next = self.shut();
        if std::mem::take(&mut self.room_freed) {
            let for_room = |w: &Waiting| w.last.is_empty() || w.last.keys().any(|r| r.is_about_room());
            let waiting = self.waiting.iter().filter(|(_, w)| for_room(w)).map(|(id, _)| id.clone());
            self.dirty.extend(waiting);
        }
        let mut roomiest = None;
        for id in std::mem::take(&mut self.dirty) {
            let Some(app) = self.apps.get(&id).cloned() else {
                self.stop_all(&id, "app is unknown");
                self.arrive(&id);
                continue;
            };
            if self.progress.waits(&id) {
                let until = self.repair(&id, now, &mut roomiest);
                next = [next, until].into_iter().flatten().min();
                self.arrive(&id);
                continue;
            }
            if app.deleting {
                self.stop_all(&id, "app was deleted");
                if !self.by_app.contains_key(&id) {
                    self.terminated(&id);
                    self.arrive(&id);
                }
                continue;
            }
            let tasks: Vec<Seen> = self.present(&id).map(|t| self.seen(&app, t)).collect();
            let strategy = app.app.upgrade_strategy.unwrap_or_default();
            let oldest = app.app.kill_selection.as_deref() == Some("OLDEST_FIRST");
            let decision = decide(app.wanted(), strategy, oldest, &tasks);
            for task in &decision.stop {
                self.killing(task, "scaled down or replaced");
            }
            self.dirty.remove(&id); // `killing` asks for a look; this is it
            self.start(&app, decision.start, now, &mut roomiest);
            let until = self.backoff.get(&id).and_then(|b| b.until(now)).filter(|_| decision.start > 0);
            next = [next, until].into_iter().flatten().min();
            self.arrive(&id);
        }
        // Last, since what was staged in this turn has a time of its own.
        [next, self.next_timer()].into_iter().flatten().min()
    }

    /// An app that waits for its step has as many instances as before, in the definition
    /// of before.
    fn repair(&mut self, id: &str, now: Instant, roomiest: &mut Option<(f64, f64)>) -> Option<Instant> {
        let holder = self.progress.holder(id).and_then(|h| self.deployments.get(h))?;
        // A new app has had none.
        let app = holder.before.iter().find(|(app, _)| app == id).and_then(|(_, app)| app.clone())?;
        let before =
            AppRecord { app, generation: String::new(), versions: Vec::new(), last_failure: None, deleting: false };
        let missing = before.wanted().saturating_sub(self.present(id).count() as u32);
        self.start(&before, missing, now, roomiest);
        self.backoff.get(id).and_then(|b| b.until(now)).filter(|_| missing > 0)
    }

    /// The live tasks of an app, without those in whose place another one runs.
    fn present<'a>(&'a self, app_id: &str) -> impl Iterator<Item = &'a TaskRecord> {
        self.tasks_of(app_id).filter(|t| !t.inactive)
    }

    fn seen(&self, app: &AppRecord, task: &TaskRecord) -> Seen {
        use padis_protocol::task::TaskState;
        Seen {
            id: task.id.clone(),
            current: task.version >= app.generation,
            ready: self.is_ready(task),
            running: task.state == TaskState::TaskRunning,
            killing: task.state == TaskState::TaskKilling,
            since: task.staged_ms,
        }
    }

    fn stop_all(&mut self, app_id: &str, why: &str) {
        let tasks: Vec<String> = self.tasks_of(app_id).map(|t| t.id.clone()).collect();
        for task in tasks {
            self.killing(&task, why);
        }
        self.dirty.remove(app_id);
        self.waiting.remove(app_id);
    }

    fn start(&mut self, app: &AppRecord, count: u32, now: Instant, roomiest: &mut Option<(f64, f64)>) {
        let id = app.id();
        if count == 0 {
            self.waiting.remove(id);
            return;
        }
        let waiting = self.waiting.entry(id.to_owned()).or_insert_with(Waiting::new);
        waiting.count = count;
        let known = !waiting.last.is_empty();
        if self.backoff.get(id).is_some_and(|b| b.until(now).is_some()) {
            return;
        }
        let asked = host_ports(&app.app);
        let need = Need {
            cpus: app.app.cpus_or_default(),
            mem: app.app.mem_or_default(),
            disk: app.app.disk_or_default(),
            gpus: app.app.gpus.unwrap_or(0),
            ports: asked.len(),
            roles: app.app.accepted_resource_roles.as_deref().unwrap_or_default(),
            constraints: app.app.constraints.as_deref().unwrap_or_default(),
        };
        // In a full cluster thousands wait; what can't fit anywhere is not looked at agent by agent again.
        let (cpus, mem) = *roomiest.get_or_insert_with(|| self.hosts.roomiest());
        if known && (need.cpus > cpus + 0.001 || need.mem > mem + 0.001) {
            return;
        }
        // Constraints look at the instances that stay; those of an older
        // definition are on their way out (Marathon does the same).
        let stay = self.present(id).filter(|t| t.version >= app.generation);
        let beside: Vec<usize> = stay.filter_map(|t| self.hosts.index(&t.agent)).collect();
        let fixed: Vec<u16> = asked.iter().copied().filter(|p| *p != 0).collect();
        let mut rooms = std::mem::take(&mut self.hosts.rooms);
        let roles = need.roles;
        let taken = |hosts: &Hosts, i: usize| fixed.iter().any(|p| hosts.is_taken(i, *p, roles));
        let mut full = BTreeSet::new();
        if !fixed.is_empty() {
            full.extend((0..rooms.len()).filter(|i| taken(&self.hosts, *i)));
        }
        let mut placer = Placer::new(&rooms, need, &beside, full);
        let mut left = count;
        while left > 0 {
            let Some(index) = placer.next(&rooms) else { break };
            let Some(given) = self.hosts.give_ports(index, &asked, roles) else {
                placer.fill_up(std::iter::once(index));
                continue;
            };
            self.count_used(id);
            let name = Arc::clone(&rooms[index].name);
            rooms[index].take(&need, &given);
            let task = self.stage(app, &name, given);
            std::mem::swap(&mut rooms, &mut self.hosts.rooms);
            if let Some(record) = self.tasks.get(&task) {
                self.hosts.occupy(record);
            }
            std::mem::swap(&mut rooms, &mut self.hosts.rooms);
            if !fixed.is_empty() {
                placer.fill_up((0..rooms.len()).filter(|i| taken(&self.hosts, *i)));
            }
            placer.placed(&rooms, index);
            self.to_launch.push(task);
            left -= 1;
        }
        let refused = if left > 0 { placer.refusals(&rooms) } else { Vec::new() };
        self.hosts.rooms = rooms;
        if left == 0 {
            self.waiting.remove(id);
        } else {
            self.count_refused(id, refused);
            if let Some(waiting) = self.waiting.get_mut(id) {
                waiting.count = left;
            }
        }
    }

    /// Tells the deployment that holds this app if the app is where it shall be.
    fn arrive(&mut self, app_id: &str) {
        if !self.progress.is_open(app_id) {
            return;
        }
        if !(self.progress.waits(app_id) || self.is_settled(app_id)) {
            return;
        }
        if let Some(id) = self.progress.arrived(app_id) {
            self.advance(&id);
        }
    }

    /// A deployment's step is done: on to the next one, or to the end.
    pub fn advance(&mut self, id: &str) {
        let Some(mut deployment) = self.deployments.get(id).cloned() else { return };
        if let Some(step) = deployment.steps.get(deployment.step) {
            let current_step = wire(step);
            let done = DeploymentStepSuccess { plan: self.plan(&deployment), current_step, ..Default::default() };
            self.events.push(done.into());
        }
        deployment.step += 1;
        match deployment.steps.get(deployment.step) {
            Some(step) => {
                let told = self.step_info(&deployment, step);
                self.events.push(told);
                self.dirty.extend(step.iter().map(|(_, app)| app.clone()));
                self.records.push(Record::Step(id.to_owned(), deployment.step));
                self.progress.begin(&deployment);
                self.deployments.insert(id.to_owned(), deployment);
            }
            None => {
                self.drop_deployment(id);
                let plan = Some(self.plan(&deployment));
                self.events.push(DeploymentSuccess { id: id.to_owned(), plan, ..Default::default() }.into());
            }
        }
    }

    /// Whether an app is what it shall be.
    fn is_settled(&self, app_id: &str) -> bool {
        let Some(app) = self.apps.get(app_id) else { return !self.by_app.contains_key(app_id) };
        if app.deleting {
            return false;
        }
        let wanted = app.wanted() as usize;
        self.present(app_id).count() == wanted
            && self.present(app_id).all(|t| t.version >= app.generation && self.is_ready(t))
    }
}

pub(crate) fn wire(step: &[(String, String)]) -> Step {
    let action = |(action, app): &(String, String)| Action {
        action: Some(action.clone()),
        app: Some(app.clone()),
        ..Action::default()
    };
    Step { actions: Some(step.iter().map(action).collect()), ..Step::default() }
}

/// Apps of a deployment that are shown with their definitions; beyond, each event of a
/// large deployment would be megabytes (which is what breaks Marathon's own listeners).
const SHOWN: usize = 100;

impl World {
    /// A deployment as events tell it. Clients read `original` and `target`, so they are
    /// there; they hold the apps that it touches, not the whole root group.
    pub fn plan(&self, deployment: &crate::record::DeploymentRecord) -> Plan {
        let few = deployment.before.len() <= SHOWN;
        // The environment may hold secrets, and anybody may listen.
        let bare = |app: &App| App { env: None, ..app.clone() };
        let group = |apps: Vec<App>, version: &str| json!({"id": "/", "apps": apps, "groups": [], "pods": [], "dependencies": [], "version": version});
        let before = deployment.before.iter().filter(|_| few).filter_map(|(_, app)| app.as_ref());
        let original: Vec<App> = before.map(bare).collect();
        let after = deployment.apps().filter(|_| few).filter_map(|id| self.app(id));
        let target: Vec<App> = after.map(|a| bare(&a.app)).collect();
        let since = original.iter().filter_map(|a| a.version.clone()).max().unwrap_or_default();
        Plan {
            id: deployment.id.clone(),
            steps: deployment.steps.iter().map(|s| wire(s)).collect(),
            version: deployment.version.clone(),
            extra: [
                (String::from("original"), group(original, &since)),
                (String::from("target"), group(target, &deployment.version)),
            ]
            .into(),
        }
    }

    /// A deployment enters a step.
    pub fn step_info(&self, deployment: &crate::record::DeploymentRecord, step: &[(String, String)]) -> Event {
        DeploymentInfo { plan: self.plan(deployment), current_step: wire(step), ..DeploymentInfo::default() }.into()
    }
}
