//! The registries that are configured, and what the portal remembers of them.
//!
//! A look ([`whole`], [`repository`]) reads repositories, tags and what their digests name, and writes the
//! differences down; the pages and the search read that, never a registry, except one
//! repository's tags, which are looked at while somebody waits. One could get it wrong by
//! believing a look that failed halfway: what was not read then is not taken away.

mod keep;
mod look;
mod retention;
mod words;

pub use keep::keep;
pub use look::{LookError, repository, whole};
pub use retention::{judge, judge_one};
pub use words::{made_at, team, words};

use crate::store::Store;
use async_trait::async_trait;
use padis_domain::ports::{
    BlobSource, Collector, CopiedHow, CopyBlob, CopyFrom, CopyStep, CopyTo, ManifestBytes, PortError, PortResult,
    Registry, Transfer,
};
use padis_domain::problem::System;
use padis_domain::words::Stage;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// What has to hold before an image is promoted into a registry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// Somebody else than whoever asks has to agree.
    pub approve: bool,
    /// An application that is online in the source's stage has to run exactly it.
    pub must_run: bool,
    /// Compressed bytes that it may have at most.
    pub most_bytes: Option<u64>,
    /// Nothing in it may look like a private key or like what somebody typed.
    pub clean: bool,
    /// Versions that the repositories of a team may have; 0: any number.
    pub team_versions: u64,
    /// Compressed bytes that the images of a team may have; 0: any number.
    pub team_bytes: u64,
}

impl Rules {
    /// Whether nothing has to hold of an image itself: then a team's people may put what is
    /// theirs into the registry on other ways than by a promotion.
    pub fn free(&self) -> bool {
        !self.approve && !self.must_run && !self.clean && self.most_bytes.is_none()
    }
}

/// One registry.
#[derive(Clone)]
pub struct Place {
    /// Its name in the configuration.
    pub name: String,
    /// Its address as image references have it, without credentials.
    pub place: String,
    /// Its stage; `None` serves all.
    pub stage: Option<Stage>,
    /// Whether images may be put into it.
    pub takes: bool,
    /// What has to hold before an image is promoted into a registry, or put into it at all.
    pub rules: Rules,
    /// What it shows when it tells that something has changed; `None`: it does not tell.
    pub token: Option<String>,
    /// It.
    pub client: Arc<dyn Registry>,
}

/// The files of a registry, and what frees in them what nothing names.
#[derive(Clone)]
pub struct Files {
    /// It.
    pub collector: Arc<dyn Collector>,
    /// What is younger stays.
    pub young: Duration,
}

/// What is to be looked at before its time.
#[derive(Debug, Default)]
struct Due {
    /// Registries.
    whole: BTreeSet<String>,
    /// Registry and repository.
    one: BTreeSet<(String, String)>,
}

/// All registries.
pub struct Registries {
    all: Vec<Place>,
    /// Copies between them.
    pub transfer: Arc<dyn Transfer>,
    /// Between two looks at all of a registry.
    pub every: Duration,
    collectors: BTreeMap<String, Files>,
    /// Notified after the commit that asks for work that takes long. All who wait are: workers of
    /// two kinds do, and one of the other kind would take nothing.
    pub asked: Notify,
    due: Mutex<Due>,
    woken: Notify,
}

impl Registries {
    /// These, in this order; the first is our own.
    pub fn new(all: Vec<Place>, transfer: Arc<dyn Transfer>, every: Duration) -> Self {
        Self {
            all,
            transfer,
            every,
            collectors: BTreeMap::new(),
            asked: Notify::new(),
            due: Mutex::default(),
            woken: Notify::new(),
        }
    }

    /// With those whose files Padis reaches, by their names.
    pub fn collecting(self, collectors: BTreeMap<String, Files>) -> Self {
        Self { collectors, ..self }
    }

    /// The files of a registry, if Padis reaches them.
    pub fn files(&self, registry: &str) -> Option<&Files> {
        self.collectors.get(registry)
    }

    /// All, our own first.
    pub fn all(&self) -> &[Place] {
        &self.all
    }

    /// By its name.
    pub fn find(&self, name: &str) -> Option<&Place> {
        self.all.iter().find(|p| p.name == name)
    }

    /// Asks for a look at all of every registry, now.
    pub fn look_at_all(&self) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.whole.extend(self.all.iter().map(|p| p.name.clone()));
        drop(due);
        self.woken.notify_waiters();
    }

    /// Asks for a look at all of one.
    pub fn look_at_whole(&self, registry: &str) {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).whole.insert(registry.to_owned());
        self.woken.notify_waiters();
    }

    /// Asks for a look at one repository.
    pub fn look_at(&self, registry: &str, repository: &str) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.one.insert((registry.to_owned(), repository.to_owned()));
        drop(due);
        self.woken.notify_waiters();
    }

    /// The repositories that wait for a look, by registry.
    pub fn waiting(&self) -> Vec<(String, String)> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).one.iter().cloned().collect()
    }

    /// What one registry is asked to be looked at for: all of it, or these repositories.
    fn take(&self, registry: &str) -> (bool, Vec<String>) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = due.whole.remove(registry);
        let (mine, others) = std::mem::take(&mut due.one).into_iter().partition(|(r, _)| r == registry);
        due.one = others;
        let mine: BTreeSet<(String, String)> = mine;
        (whole, mine.into_iter().map(|(_, repository)| repository).collect())
    }

    /// Looks at one repository while somebody waits, for no longer than this. `false`: it
    /// could not be read in time, and nothing has changed.
    pub async fn look_now(&self, store: &Store, registry: &str, repository: &str, limit: Duration) -> bool {
        let Some(place) = self.find(registry) else { return false };
        match tokio::time::timeout(limit, look::repository(store, place, repository)).await {
            Ok(Ok(_)) => true,
            Ok(Err(e)) => {
                tracing::warn!(registry = %place.name, repository, cause = %e.chain(), "a repository could not be read");
                false
            }
            Err(_) => {
                tracing::warn!(registry = %place.name, repository, "a repository was not read in time");
                false
            }
        }
    }
}

/// Where there are no registries nothing is copied.
struct Nowhere;

#[async_trait]
impl Transfer for Nowhere {
    async fn copy(&self, _: &CopyFrom, _: &CopyTo, _: &(dyn Fn(CopyStep) + Send + Sync)) -> PortResult<()> {
        Err(nowhere())
    }
    async fn put_blob(
        &self,
        _: &CopyTo,
        _: &CopyBlob,
        _: Arc<dyn BlobSource>,
        _: &(dyn Fn(u64) + Send + Sync),
    ) -> PortResult<CopiedHow> {
        Err(nowhere())
    }
    async fn put_manifest(&self, _: &CopyTo, _: &ManifestBytes, _: bool) -> PortResult<()> {
        Err(nowhere())
    }
}

fn nowhere() -> PortError {
    PortError::refused(System::Registry, "no registry is configured")
}

impl Default for Registries {
    fn default() -> Self {
        Self::new(Vec::new(), Arc::new(Nowhere), Duration::from_secs(600))
    }
}
