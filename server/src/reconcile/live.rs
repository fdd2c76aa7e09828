//! The in-memory view of the cluster: what the last looks found, kept by the
//! reconciler and the collectors, read by the pages.
//!
//! It is a cache and nothing but a cache: after a restart it is empty, is filled from
//! one reading of everything (`snapshot`), and then as each application is looked at.
//! Events are applied to it too, so that a page shows in a flood of them what a look
//! would find only when its turn has come. One could get it wrong by deciding
//! anything by it; decisions are made from a fresh look. Or by letting a look that
//! began before an event undo it: what was heard since is applied again.

use padis_domain::action::AppState;
use padis_domain::app::AppRef;
use padis_domain::delivery::Note;
use padis_domain::ports::{Duty, Host, ServiceSeen, Survey, TaskState};
use padis_domain::problem::System;
use padis_domain::view::{InstanceRow, InstanceState, SystemRow};
use padis_domain::words::UnixMs;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// One application as last observed.
#[derive(Debug, Clone)]
pub struct LiveApp {
    /// Key.
    pub app: AppRef,
    /// State.
    pub state: AppState,
    /// Instances, active release first, by slot.
    pub instances: Vec<InstanceRow>,
    /// What it waits for.
    pub waiting: Option<Note>,
    /// When.
    pub at: UnixMs,
}

/// Something that was looked at as a whole.
#[derive(Debug, Clone)]
pub struct Looked<T> {
    /// What was found.
    pub found: T,
    /// When; `None`: never yet.
    pub at: Option<UnixMs>,
}
impl<T: Default> Default for Looked<T> {
    fn default() -> Self {
        Self { found: T::default(), at: None }
    }
}

/// What events said of tasks that is kept for one application, for looks that are under way.
const HEARD: usize = 64;

/// What an event says of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub release: u32,
    pub task_id: String,
    pub host: String,
    /// `None`: it has ended.
    pub state: Option<TaskState>,
}

#[derive(Debug)]
struct Entry {
    app: Arc<LiveApp>,
    heard: VecDeque<(Instant, Heard)>,
}

#[derive(Debug, Default)]
struct Apps {
    by_id: HashMap<String, Entry>,
    ids: HashMap<AppRef, String>,
}

/// What an event came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// Nobody has looked at the application yet.
    Unseen,
    /// It is as is shown already.
    Known,
    /// The page shows something else now.
    New,
}

/// The view.
#[derive(Debug, Default)]
pub struct Live {
    apps: RwLock<Apps>,
    hosts: RwLock<Arc<Looked<Vec<Host>>>>,
    duties: RwLock<Arc<BTreeMap<String, Duty>>>,
    survey: RwLock<Arc<Looked<Survey>>>,
    /// When somebody last asked for it.
    survey_read: RwLock<Option<Instant>>,
    written: RwLock<Arc<BTreeMap<String, u64>>>,
    framework: RwLock<Option<String>>,
    services: RwLock<Arc<Looked<Vec<ServiceSeen>>>>,
    systems: RwLock<BTreeMap<&'static str, SystemRow>>,
}

fn get<T: Clone>(l: &RwLock<T>) -> T {
    l.read().unwrap_or_else(PoisonError::into_inner).clone()
}
fn set<T>(l: &RwLock<T>, v: T) {
    *l.write().unwrap_or_else(PoisonError::into_inner) = v;
}

impl Live {
    /// One application by its id.
    pub fn app(&self, id: &str) -> Option<Arc<LiveApp>> {
        self.apps.read().unwrap_or_else(PoisonError::into_inner).by_id.get(id).map(|e| Arc::clone(&e.app))
    }
    /// One application by its key.
    pub fn named(&self, app: &AppRef) -> Option<Arc<LiveApp>> {
        let apps = self.apps.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&apps.by_id.get(apps.ids.get(app)?)?.app))
    }
    /// All applications, in no order.
    pub fn apps(&self) -> Vec<Arc<LiveApp>> {
        self.apps.read().unwrap_or_else(PoisonError::into_inner).by_id.values().map(|e| Arc::clone(&e.app)).collect()
    }
    /// How many applications are in it.
    pub fn len(&self) -> usize {
        self.apps.read().unwrap_or_else(PoisonError::into_inner).by_id.len()
    }
    /// Whether nothing was looked at yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Replaces what is known of one application.
    pub fn set_app(&self, id: &str, app: LiveApp) {
        self.set_looked(id, app, Instant::now());
    }
    /// The same by a look that began at `began`: what was heard since stays heard.
    pub(super) fn set_looked(&self, id: &str, mut app: LiveApp, began: Instant) {
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        let mut heard = apps.by_id.remove(id).map(|e| e.heard).unwrap_or_default();
        heard.retain(|(at, _)| *at >= began);
        heard.iter().for_each(|(_, h)| {
            apply(&mut app.instances, h);
        });
        apps.ids.insert(app.app.clone(), id.to_owned());
        apps.by_id.insert(id.to_owned(), Entry { app: Arc::new(app), heard });
    }
    /// The same, unless a look has told already.
    pub(super) fn fill(&self, id: &str, app: LiveApp, began: Instant) {
        if self.app(id).is_none() {
            self.set_looked(id, app, began);
        }
    }
    /// Applies what an event says.
    pub(super) fn hear(&self, app: &AppRef, heard: Heard) -> Came {
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        let apps = &mut *apps;
        let Some(entry) = apps.ids.get(app).and_then(|id| apps.by_id.get_mut(id)) else { return Came::Unseen };
        if !differs(&entry.app.instances, &heard) {
            return Came::Known;
        }
        // A page that is being written keeps what it has; then this copies.
        apply(&mut Arc::make_mut(&mut entry.app).instances, &heard);
        if entry.heard.len() >= HEARD {
            entry.heard.pop_front();
        }
        entry.heard.push_back((Instant::now(), heard));
        Came::New
    }
    /// Forgets an application.
    pub fn forget(&self, id: &str) {
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(e) = apps.by_id.remove(id) {
            apps.ids.remove(&e.app.app);
        }
    }
    /// The hosts.
    pub fn hosts(&self) -> Arc<Looked<Vec<Host>>> {
        get(&self.hosts)
    }
    /// Whether each host works, by agent id; what is not there is not known.
    pub fn duties(&self) -> Arc<BTreeMap<String, Duty>> {
        get(&self.duties)
    }
    /// Whether a host is out of service on purpose.
    pub fn is_out(&self, agent_id: &str) -> bool {
        matches!(self.duties().get(agent_id), Some(Duty::Draining | Duty::Drained))
    }
    /// Replaces the hosts. `true` if anything is new.
    pub fn set_hosts(&self, hosts: Vec<Host>, duties: BTreeMap<String, Duty>, at: UnixMs) -> bool {
        let new = self.hosts().found != hosts || *self.duties() != duties;
        set(&self.duties, Arc::new(duties));
        set(&self.hosts, Arc::new(Looked { found: hosts, at: Some(at) }));
        new
    }
    /// The cluster as operators see it, for somebody who reads it.
    pub fn survey(&self) -> Arc<Looked<Survey>> {
        set(&self.survey_read, Some(Instant::now()));
        get(&self.survey)
    }
    /// How long ago somebody read it.
    pub(super) fn survey_read(&self) -> Option<Duration> {
        get(&self.survey_read).map(|at| at.elapsed())
    }
    /// Replaces it.
    pub fn set_survey(&self, survey: Survey, at: UnixMs) {
        set(&self.survey, Arc::new(Looked { found: survey, at: Some(at) }));
    }
    /// Bytes that instances have written into their own containers, by task.
    pub fn written(&self) -> Arc<BTreeMap<String, u64>> {
        get(&self.written)
    }
    /// Replaces them.
    pub fn set_written(&self, written: BTreeMap<String, u64>) {
        set(&self.written, Arc::new(written));
    }
    /// The id of the framework that runs our applications, once it is known.
    pub fn framework(&self) -> Option<String> {
        get(&self.framework)
    }
    /// Learns it.
    pub fn set_framework(&self, id: String) {
        set(&self.framework, Some(id));
    }
    /// The balancer's services.
    pub fn services(&self) -> Arc<Looked<Vec<ServiceSeen>>> {
        get(&self.services)
    }
    /// Replaces the balancer's services.
    pub fn set_services(&self, services: Vec<ServiceSeen>, at: UnixMs) {
        set(&self.services, Arc::new(Looked { found: services, at: Some(at) }));
    }
    /// The systems behind the portal.
    pub fn systems(&self) -> Vec<SystemRow> {
        self.systems.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
    /// Notes how a system is; `since` moves only when up or down changes. `true` if it did.
    pub fn set_system(
        &self,
        name: &'static str,
        system: System,
        up: bool,
        at: &str,
        detail: &str,
        now: UnixMs,
    ) -> bool {
        let mut all = self.systems.write().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(name);
        let changed = before.is_none_or(|b| b.up != up);
        let since = match before {
            Some(b) if !changed => b.since,
            _ => now,
        };
        all.insert(name, SystemRow { system, up, since, at: at.to_owned(), detail: detail.to_owned() });
        changed
    }
}

/// What an instance is shown as when all that is known is its task's state; `None`:
/// what is shown fits.
pub(super) fn shown_as(was: Option<InstanceState>, is: TaskState) -> Option<InstanceState> {
    use InstanceState as I;
    match (is, was) {
        (TaskState::Staging, Some(I::Starting)) | (TaskState::Killing, Some(I::Leaving)) => None,
        (TaskState::Unreachable, Some(I::Lost)) => None,
        (TaskState::Running, Some(I::Attaching | I::Warming | I::Well | I::Sick | I::Leaving)) => None,
        (TaskState::Staging | TaskState::Ended, _) => Some(I::Starting),
        (TaskState::Killing, _) => Some(I::Leaving),
        (TaskState::Unreachable, _) => Some(I::Lost),
        (TaskState::Running, Some(I::Lost)) => Some(I::Warming),
        (TaskState::Running, _) => Some(I::Attaching),
    }
}

fn differs(rows: &[InstanceRow], h: &Heard) -> bool {
    match (rows.iter().find(|r| r.task_id == h.task_id), h.state) {
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
        (Some(row), Some(state)) => shown_as(Some(row.state), state).is_some(),
    }
}

fn apply(rows: &mut Vec<InstanceRow>, h: &Heard) {
    let at = rows.iter().position(|r| r.task_id == h.task_id);
    match (at, h.state) {
        (None, None) => {}
        (Some(at), None) => {
            rows.remove(at);
        }
        (Some(at), Some(state)) => {
            if let Some(state) = shown_as(Some(rows[at].state), state) {
                rows[at].state = state;
            }
        }
        (None, Some(state)) => rows.push(InstanceRow {
            state: shown_as(None, state).unwrap_or(InstanceState::Starting),
            host: h.host.clone(),
            ..InstanceRow::fresh(&h.task_id, h.release)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> AppRef {
        AppRef { team: "t".into(), app: "a".into() }
    }
    fn heard(task: &str, state: Option<TaskState>) -> Heard {
        Heard { release: 1, task_id: task.into(), host: "h".into(), state }
    }
    fn shown(live: &Live) -> Vec<(String, InstanceState)> {
        let app = live.named(&app()).expect("seen");
        app.instances.iter().map(|i| (i.task_id.clone(), i.state)).collect()
    }
    fn looked(tasks: &[(&str, TaskState)]) -> LiveApp {
        let mut instances = Vec::new();
        tasks.iter().for_each(|(t, s)| apply(&mut instances, &heard(t, Some(*s))));
        LiveApp { app: app(), state: AppState::Online, instances, waiting: None, at: 0 }
    }

    #[test]
    fn what_is_heard_is_shown_and_what_is_known_is_not_news() {
        let live = Live::default();
        assert_eq!(live.hear(&app(), heard("1", Some(TaskState::Running))), Came::Unseen);
        live.set_app("id", looked(&[("1", TaskState::Staging)]));
        assert_eq!(live.hear(&app(), heard("1", Some(TaskState::Staging))), Came::Known);
        assert_eq!(live.hear(&app(), heard("1", Some(TaskState::Running))), Came::New);
        assert_eq!(live.hear(&app(), heard("1", Some(TaskState::Running))), Came::Known);
        assert_eq!(live.hear(&app(), heard("2", Some(TaskState::Staging))), Came::New);
        assert_eq!(shown(&live), [("1".into(), InstanceState::Attaching), ("2".into(), InstanceState::Starting)]);
        assert_eq!(live.hear(&app(), heard("1", None)), Came::New);
        assert_eq!(live.hear(&app(), heard("1", None)), Came::Known);
        assert_eq!(shown(&live), [("2".into(), InstanceState::Starting)]);
        live.forget("id");
        assert_eq!(live.hear(&app(), heard("2", None)), Came::Unseen);
    }

    #[test]
    fn a_look_that_began_before_an_event_does_not_undo_it() {
        let live = Live::default();
        live.set_app("id", looked(&[("1", TaskState::Running), ("2", TaskState::Running)]));
        let began = Instant::now();
        assert_eq!(live.hear(&app(), heard("1", None)), Came::New);
        live.set_looked("id", looked(&[("1", TaskState::Running), ("2", TaskState::Running)]), began);
        assert_eq!(shown(&live), [("2".into(), InstanceState::Attaching)]);
        // One that began after it is believed, whatever it found.
        let later = Instant::now() + Duration::from_millis(1);
        live.set_looked("id", looked(&[("1", TaskState::Running)]), later);
        assert_eq!(shown(&live), [("1".into(), InstanceState::Attaching)]);
    }

    #[test]
    fn what_is_kept_for_looks_under_way_is_bounded() {
        let live = Live::default();
        live.set_app("id", looked(&[]));
        for n in 0..1_000 {
            live.hear(&app(), heard(&format!("{}", n / 2), (n % 2 == 0).then_some(TaskState::Staging)));
        }
        let apps = live.apps.read().expect("lock");
        assert_eq!(apps.by_id["id"].heard.len(), HEARD);
    }
}
