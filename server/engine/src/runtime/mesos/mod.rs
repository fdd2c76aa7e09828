//! The Mesos runtime: the engine as a framework of a Mesos cluster, over the v1
//! scheduler HTTP API. The Marathon API on a cluster of any size, without a JVM.
//!
//! One subscription at a time ([`session`]) brings offers and updates
//! ([`events`]); a turn of the scheduler places what waits on what is on offer, the
//! tasks of one agent leave in one ACCEPT ([`launch`]), and what was not used is
//! declined. Intent is on disk before the ACCEPT leaves, and an update is on disk
//! before it is acknowledged: so a kill at any moment leaves a task that is recorded
//! and asked about again (reconciliation), or an update that comes again, never a
//! task that nobody knows. What runs and nobody wants is killed.

mod account;
pub(crate) mod check;
mod container;
mod events;
mod launch;
mod session;
mod task;
mod zookeeper;

pub(crate) use container::{DRIVER, by_mesos};
pub(super) use launch::{after_turn, stop};
pub(crate) use session::FRAMEWORK_CAN;
pub(crate) use task::{on_agent, shown};
pub(crate) use zookeeper::Ensemble;

use crate::config::{EngineError, MesosConfig};
use crate::core::Core;
use crate::runtime::Runtime;
use padis_protocol::mesos::scheduler::{Call, CallBody};
use session::Link;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Deadline of one call; the answer is only "received".
const CALL: Duration = Duration::from_secs(20);

/// A call that was not received.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallFailed {
    #[error("no master is subscribed to")]
    NotSubscribed,
    #[error("the master did not answer")]
    Http(#[source] reqwest::Error),
    #[error("the master is not believed: {0}")]
    NotBelieved(String),
    #[error("{0}")]
    Refused(String),
    #[error("the call can't be written as JSON")]
    Json(#[from] serde_json::Error),
}

pub(crate) struct Mesos {
    pub config: MesosConfig,
    client: reqwest::Client,
    link: Mutex<Option<Link>>,
    told: tokio::sync::Mutex<Told>,
    /// Why there is no subscription, in words.
    trouble: Mutex<Option<String>>,
    /// Who leads, where ZooKeeper says it.
    found: watch::Sender<Option<String>>,
}

/// What the master has been told about offers; a new subscription has told nothing.
#[derive(Default)]
struct Told {
    /// That none are wanted.
    suppressed: bool,
    /// That some are not wanted for long.
    declined: bool,
}

impl Mesos {
    pub fn new(config: MesosConfig) -> Result<Self, EngineError> {
        let client = account::client(&config)?;
        Ok(Self {
            config,
            client,
            link: Mutex::new(None),
            trouble: Mutex::new(None),
            told: tokio::sync::Mutex::default(),
            found: watch::Sender::default(),
        })
    }

    /// Begins to follow the cluster.
    pub fn begin(core: &Arc<Core>) {
        if let Runtime::Mesos(mesos) = &core.runtime
            && let Some(ensemble) = mesos.config.ensemble()
        {
            core.tracker.spawn(zookeeper::follow(Arc::clone(core), ensemble));
        }
        core.tracker.spawn(session::follow(Arc::clone(core)));
        core.tracker.spawn(events::reconcile_now_and_then(Arc::clone(core)));
    }

    fn link(&self) -> Option<Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_link(&self, link: Option<Link>, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = link;
    }

    /// The leading master's address, `http://host:port`, while there is a subscription.
    pub fn leader(&self) -> Option<String> {
        self.link().map(|l| l.master)
    }

    /// Why nobody leads for us, once it has been tried.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says something to the master; 202 means that it was received.
    pub async fn call(&self, body: CallBody) -> Result<(), CallFailed> {
        let link = self.link().ok_or(CallFailed::NotSubscribed)?;
        let call = Call::of(link.framework.as_str(), body);
        let request = self.client.post(format!("{}/api/v1/scheduler", link.master)).timeout(CALL);
        let request = request.header("Mesos-Stream-Id", &link.stream).header("Accept", "application/json");
        let request = account::authenticated(request, &self.config);
        let answer = request.header("Content-Type", "application/json").body(serde_json::to_vec(&call)?).send();
        let answer = answer.await.map_err(account::failed)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let text = answer.text().await.unwrap_or_default();
        Err(account::refused(&self.config, status.as_u16(), &text))
    }

    /// Says something whose failure the next reconciliation makes good.
    pub async fn say(&self, what: &str, body: CallBody) {
        if let Err(error) = self.call(body).await {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(what, %error, cause, "engine: a call to the Mesos master failed; reconciliation will make it good");
        }
    }

    /// Tells the master whether offers are wanted: only what changed is said. Asked
    /// after each turn; in here one at a time, each with the state of that moment, or
    /// a late "no" could follow an early "yes" and nothing would ever come again.
    pub async fn settle_offers(&self, core: &Core) {
        let mut told = self.told.lock().await;
        if self.leader().is_none() {
            return;
        }
        let wanted = core.look(|w| !w.waiting.is_empty());
        if wanted && (told.suppressed || told.declined) {
            // It ends both: without it, what something waits for now would not come for as
            // long as it was declined before.
            *told = Told::default();
            self.say("revive", CallBody::Revive(Box::new(None))).await;
        } else if !wanted && !told.suppressed {
            told.suppressed = true;
            self.say("suppress", CallBody::Suppress(Box::new(None))).await;
        }
    }
}
