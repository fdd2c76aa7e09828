//! One turn of the scheduler: look at the apps that may need something, decide,
//! place, record. Nothing is done here; what shall be done is left in
//! `to_launch` and `to_kill`, to be carried out once the records are on disk.
//!
//! One could get it wrong by computing the room once per app: two apps in one
//! turn would then be given the same cores. The room is computed once per turn
//! and every placement is subtracted from it.

use crate::decide::{Seen, decide};
use crate::placement::{Need, Room, choose};
use crate::record::AppRecord;
use crate::world::{Waiting, World};
use padis_protocol::app::App;
use padis_protocol::container::NetworkMode;
use padis_protocol::deployment::{Action, Plan, Step};
use padis_protocol::event::{DeploymentInfo, DeploymentStepSuccess, DeploymentSuccess, Event};
use rand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
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
    pub fn schedule(&mut self, now: Instant, ports: &RangeInclusive<u16>) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        let mut rooms = self.rooms(ports.len());
        let mut used = self.used_ports();
        for id in std::mem::take(&mut self.dirty) {
            let Some(app) = self.apps.get(&id).cloned() else {
                self.stop_all(&id, "app is unknown");
                continue;
            };
            if app.deleting {
                self.stop_all(&id, "app was deleted");
                if !self.by_app.contains_key(&id) {
                    self.terminated(&id);
                }
                continue;
            }
            let tasks: Vec<Seen> = self.tasks_of(&id).map(|t| self.seen(&app, t)).collect();
            let strategy = app.app.upgrade_strategy.unwrap_or_default();
            let oldest = app.app.kill_selection.as_deref() == Some("OLDEST_FIRST");
            let decision = decide(app.wanted(), strategy, oldest, &tasks);
            for task in &decision.stop {
                self.killing(task, "scaled down or replaced");
            }
            self.dirty.remove(&id); // `killing` asks for a look; this is it
            self.start(&app, decision.start, now, ports, &mut rooms, &mut used);
            let until = self.backoff.get(&id).and_then(|b| b.until(now)).filter(|_| decision.start > 0);
            next = [next, until].into_iter().flatten().min();
        }
        self.settle();
        next
    }

    fn seen(&self, app: &AppRecord, task: &crate::record::TaskRecord) -> Seen {
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

    fn start(
        &mut self,
        app: &AppRecord,
        count: u32,
        now: Instant,
        ports: &RangeInclusive<u16>,
        rooms: &mut [Room],
        used: &mut BTreeMap<usize, BTreeSet<u16>>,
    ) {
        let id = app.id();
        if count == 0 {
            self.waiting.remove(id);
            return;
        }
        self.waiting.entry(id.to_owned()).or_insert_with(Waiting::new).count = count;
        if self.backoff.get(id).is_some_and(|b| b.until(now).is_some()) {
            return;
        }
        let first = !self.by_app.contains_key(id);
        if first && app.app.dependencies.iter().flatten().any(|d| !self.is_up(d)) {
            return; // looked at again as soon as any task becomes ready
        }
        let asked = host_ports(&app.app);
        let need = Need {
            cpus: app.app.cpus_or_default(),
            mem: app.app.mem_or_default(),
            disk: app.app.disk_or_default(),
            gpus: app.app.gpus.unwrap_or(0),
            ports: asked.len(),
            constraints: app.app.constraints.as_deref().unwrap_or_default(),
        };
        for left in (0..count).rev() {
            // Constraints look at the instances that stay; those of an older
            // definition are on their way out (Marathon does the same).
            let beside: Vec<String> =
                self.tasks_of(id).filter(|t| t.version >= app.generation).map(|t| t.agent.clone()).collect();
            let beside: Vec<&str> = beside.iter().map(String::as_str).collect();
            let fixed: Vec<u16> = asked.iter().copied().filter(|p| *p != 0).collect();
            let mut offered = rooms.to_vec();
            for (room, agent) in offered.iter_mut().zip(&self.agents) {
                if used.get(&agent.node).is_some_and(|taken| fixed.iter().any(|p| taken.contains(p))) {
                    room.ports_free = 0;
                }
            }
            match choose(&offered, &need, &beside) {
                Err(refused) => {
                    let named: Vec<_> = refused.into_iter().map(|(i, why)| (rooms[i].name.clone(), why)).collect();
                    self.count_offer(id, &named);
                    return;
                }
                Ok(index) => {
                    let taken = used.entry(self.agents[index].node).or_default();
                    let given = give_ports(&asked, ports, taken);
                    rooms[index].cpus_free -= need.cpus;
                    rooms[index].mem_free -= need.mem;
                    rooms[index].ports_free = rooms[index].ports_free.saturating_sub(given.len());
                    self.count_offer(id, &[]);
                    let task = self.stage(app, &rooms[index].name, given);
                    self.to_launch.push(task);
                }
            }
            match left {
                0 => drop(self.waiting.remove(id)),
                left => {
                    if let Some(waiting) = self.waiting.get_mut(id) {
                        waiting.count = left;
                    }
                }
            }
        }
    }

    /// Whether everything at or below a path has its instances ready.
    fn is_up(&self, group: &str) -> bool {
        self.apps_below(group).iter().filter_map(|id| self.app(id)).all(|app| {
            let ready = self.tasks_of(app.id()).filter(|t| self.is_ready(t)).count();
            ready >= app.wanted() as usize
        })
    }

    fn used_ports(&self) -> BTreeMap<usize, BTreeSet<u16>> {
        let mut used: BTreeMap<usize, BTreeSet<u16>> = BTreeMap::new();
        for task in self.tasks.values().filter(|t| !t.ports.is_empty()) {
            if let Some(agent) = self.agent(&task.agent) {
                used.entry(agent.node).or_default().extend(task.ports.iter().copied());
            }
        }
        used
    }

    /// Deployments that have reached their goal.
    fn settle(&mut self) {
        let done: Vec<String> = self
            .deployments
            .values()
            .filter(|d| d.apps().all(|app| self.is_settled(app)))
            .map(|d| d.id.clone())
            .collect();
        for id in done {
            let Some(deployment) = self.drop_deployment(&id) else { continue };
            for (index, step) in deployment.steps.iter().enumerate().skip(deployment.step) {
                if index > deployment.step {
                    self.events.push(step_info(&deployment, step));
                }
                let done =
                    DeploymentStepSuccess { plan: plan(&deployment), current_step: wire(step), ..Default::default() };
                self.events.push(done.into());
            }
            let success = DeploymentSuccess { id, plan: Some(plan(&deployment)), ..Default::default() };
            self.events.push(success.into());
        }
    }

    /// Whether an app is what it shall be.
    fn is_settled(&self, app_id: &str) -> bool {
        let Some(app) = self.apps.get(app_id) else { return !self.by_app.contains_key(app_id) };
        if app.deleting {
            return false;
        }
        let wanted = app.wanted() as usize;
        let all = self.by_app.get(app_id).map_or(0, BTreeSet::len);
        all == wanted && self.tasks_of(app_id).all(|t| t.version >= app.generation && self.is_ready(t))
    }
}

fn give_ports(asked: &[u16], range: &RangeInclusive<u16>, taken: &mut BTreeSet<u16>) -> Vec<u16> {
    let mut given = Vec::with_capacity(asked.len());
    for &port in asked {
        let port = if port != 0 { port } else { free_port(range, taken) };
        taken.insert(port);
        given.push(port);
    }
    given
}

/// A free port, from a random one upwards: a port that a stranger holds is then
/// not tried again and again.
fn free_port(range: &RangeInclusive<u16>, taken: &BTreeSet<u16>) -> u16 {
    let (first, last) = (*range.start(), *range.end());
    let start = rand::rng().random_range(first..=last);
    (start..=last).chain(first..start).find(|p| !taken.contains(p)).unwrap_or(start)
}

pub(crate) fn wire(step: &[(String, String)]) -> Step {
    let action = |(action, app): &(String, String)| Action {
        action: Some(action.clone()),
        app: Some(app.clone()),
        ..Action::default()
    };
    Step { actions: Some(step.iter().map(action).collect()), ..Step::default() }
}

pub(crate) fn plan(deployment: &crate::record::DeploymentRecord) -> Plan {
    Plan {
        id: deployment.id.clone(),
        steps: deployment.steps.iter().map(|s| wire(s)).collect(),
        version: deployment.version.clone(),
        ..Plan::default()
    }
}

pub(crate) fn step_info(deployment: &crate::record::DeploymentRecord, step: &[(String, String)]) -> Event {
    DeploymentInfo { plan: plan(deployment), current_step: wire(step), ..DeploymentInfo::default() }.into()
}
