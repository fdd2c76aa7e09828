//! The in-memory view of the cluster: what the last looks found, kept by the
//! reconciler and the collectors, read by the pages.
//!
//! It is a cache and nothing but a cache: after a restart it is empty and fills
//! as the first sweep looks at every application. One could get it wrong by
//! deciding anything by it; decisions are made from a fresh look.

use padis_domain::action::AppState;
use padis_domain::app::AppRef;
use padis_domain::delivery::Note;
use padis_domain::ports::{Duty, Host, ServiceSeen};
use padis_domain::problem::System;
use padis_domain::view::{InstanceRow, SystemRow};
use padis_domain::words::UnixMs;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

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

/// The view.
#[derive(Debug, Default)]
pub struct Live {
    apps: RwLock<HashMap<String, Arc<LiveApp>>>,
    hosts: RwLock<Arc<Looked<Vec<Host>>>>,
    duties: RwLock<Arc<BTreeMap<String, Duty>>>,
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
        self.apps.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
    /// All applications by id. A copy of the table, not of what is in it.
    pub fn apps(&self) -> HashMap<String, Arc<LiveApp>> {
        get(&self.apps)
    }
    /// Replaces what is known of one application.
    pub fn set_app(&self, id: &str, app: LiveApp) {
        self.apps.write().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), Arc::new(app));
    }
    /// Forgets an application.
    pub fn forget(&self, id: &str) {
        self.apps.write().unwrap_or_else(PoisonError::into_inner).remove(id);
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
