//! The engine's heart: the state behind its lock, the log, the listeners, and
//! the loop that carries out what was decided.
//!
//! The order that makes SIGKILL harmless: change the state and hand the records
//! to the log (one lock), wait until they are on disk, only then touch Docker.
//! Containers are found again by their labels, so whatever was done between the
//! last record and the end is seen, not guessed.

use crate::config::EngineConfig;
use crate::docker::{LaunchError, Node};
use crate::fetch::Fetcher;
use crate::hub::Hub;
use crate::mesos::Operators;
use crate::record::TaskRecord;
use crate::runtime::Runtime;
use crate::sandbox::Sandboxes;
use crate::store::{NotDurable, Store};
use crate::transitions::End;
use crate::validate::Can;
use crate::world::World;
use padis_protocol::task::TaskState;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a caller waits for the disk.
const DISK: Duration = Duration::from_secs(10);
/// The scheduler looks at everything at least this often, whatever happened.
const SWEEP: Duration = Duration::from_secs(30);

pub(crate) struct Core {
    pub config: EngineConfig,
    /// Identity of this data folder; containers carry it.
    pub id: String,
    pub runtime: Runtime,
    pub hub: Hub,
    /// Operators who are subscribed on the Mesos side.
    pub operators: Operators,
    pub sandboxes: Sandboxes,
    pub fetcher: Fetcher,
    /// For checks over TLS.
    pub prober: reqwest::Client,
    pub cancel: CancellationToken,
    pub tracker: TaskTracker,
    pub started_ms: i64,
    world: Mutex<World>,
    store: Store,
    wake: Notify,
    /// Tasks whose output is being copied, or whose health is being watched.
    followed: Mutex<HashSet<String>>,
}

impl Core {
    /// Fails if there can't be an HTTP client.
    pub fn new(
        config: EngineConfig,
        id: String,
        runtime: Runtime,
        world: World,
        store: Store,
    ) -> Result<Self, reqwest::Error> {
        let cache = config.data.join("fetched");
        Ok(Self {
            fetcher: Fetcher::new(cache, config.fetch_cache_bytes, config.fetch_bytes, config.launch_timeout)?,
            prober: crate::health::probe::client()?,
            sandboxes: Sandboxes::new(config.data.join("sandbox")),
            config,
            id,
            runtime,
            hub: Hub::default(),
            operators: Operators::default(),
            cancel: CancellationToken::new(),
            tracker: TaskTracker::new(),
            started_ms: padis_protocol::timestamp::now_ms(),
            world: Mutex::new(world),
            store,
            wake: Notify::new(),
            followed: Mutex::new(HashSet::new()),
        })
    }

    /// Reads the state.
    pub fn look<T>(&self, read: impl FnOnce(&World) -> T) -> T {
        read(&self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state; its records and events leave in this very order.
    /// The number is what to wait for before acting on the change.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> (T, u64) {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = change(&mut world);
        let records = std::mem::take(&mut world.records);
        let seq = self.store.append(&records);
        let agents = std::mem::take(&mut world.agents_told);
        let health = std::mem::take(&mut world.health_told);
        self.operators.publish(self, &world, &records, &agents, &health);
        if self.store.wants_compaction() {
            self.store.replace(&world.picture());
        }
        for event in std::mem::take(&mut world.events) {
            self.hub.publish(&event);
        }
        let still = world.dirty.is_empty() && world.to_kill.is_empty() && world.to_launch.is_empty();
        if !still || world.room_freed || !world.discard.is_empty() {
            self.wake.notify_one();
        }
        (answer, seq)
    }

    /// Waits until a change is on disk.
    pub async fn durable(&self, seq: u64) -> Result<(), NotDurable> {
        self.store.durable(seq, DISK).await
    }

    /// Waits until everything is on disk.
    pub async fn flush(&self) -> Result<(), NotDurable> {
        self.store.flush(DISK).await
    }

    /// Gives the data folder back; nothing may be written after that.
    pub fn release(&self) {
        self.store.release();
    }

    /// Publishes an event that belongs to no change.
    pub fn publish(&self, event: padis_protocol::event::Event) {
        self.change(|w| w.events.push(event));
    }

    /// What apps may ask for.
    pub fn can(&self) -> Can {
        let mesos = matches!(self.runtime, Runtime::Mesos(_));
        // What starts nothing starts anything.
        let bare = !matches!(self.runtime, Runtime::Docker(_)) || self.config.default_image.is_some();
        Can { bare, mesos }
    }

    /// The Docker node of a task's agent.
    pub fn node_of(&self, task: &TaskRecord) -> Option<Arc<Node>> {
        let index = self.look(|w| w.agent(&task.agent).map(|a| a.node))?;
        self.runtime.node(index)
    }

    /// The scheduler's loop.
    pub async fn run(self: Arc<Self>) {
        let mut next: Option<Instant> = None;
        let mut swept = Instant::now();
        loop {
            let sweep = swept + SWEEP;
            let wake = next.map_or(sweep, |at| at.min(sweep));
            tokio::select! {
                () = self.cancel.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep_until(wake.into()) => {}
            }
            // One instant for the whole turn: what is due now is looked at now, whatever it
            // was that woke us. Else its time would pass unseen, and it would wait for the sweep.
            let now = Instant::now();
            let due = next.is_some_and(|at| at <= now);
            let all = now >= sweep;
            if all {
                swept = now;
            }
            let ((until, launch, kill, discard), seq) = self.change(|w| {
                if all {
                    w.dirty.extend(w.apps.keys().cloned().collect::<Vec<_>>());
                } else if due {
                    w.dirty.extend(w.waiting.keys().cloned().collect::<Vec<_>>());
                }
                let until = w.schedule(now);
                // What waits for its time is looked at again when the time comes.
                let launch = std::mem::take(&mut w.to_launch);
                let kill = std::mem::take(&mut w.to_kill);
                (until, launch, kill, std::mem::take(&mut w.discard))
            });
            next = [next.filter(|at| *at > now), until].into_iter().flatten().min();
            for task in discard {
                self.sandboxes.remove(&task);
            }
            if launch.is_empty() && kill.is_empty() {
                Runtime::launch_all(&self, launch);
                continue;
            }
            while self.store.durable(seq, DISK).await.is_err() {
                tracing::error!("engine: nothing is started or stopped until the state can be written");
                if self.cancel.is_cancelled() {
                    return;
                }
            }
            Runtime::launch_all(&self, launch);
            for id in kill {
                self.tracker.spawn(Arc::clone(&self).kill(id));
            }
        }
    }

    /// Makes a staged task's container run.
    pub async fn launch(self: Arc<Self>, id: String) {
        let found = self.look(|w| {
            let live = w.live.get(&id)?;
            Some((w.tasks.get(&id)?.clone(), live.spec.clone(), live.given_up.clone()))
        });
        let Some((task, spec, given_up)) = found else { return };
        if task.state == TaskState::TaskKilling {
            self.change(|w| w.live.get_mut(&id).map(|l| l.launching = false));
            return self.kill(id).await;
        }
        let started = tokio::select! {
            () = self.cancel.cancelled() => return,
            () = given_up.cancelled() => {
                // What there is of it already. A container that comes to be even later is
                // nobody's, and the next listing has it removed.
                self.runtime.remove(&self, &task).await;
                self.change(|w| w.ended(&id, End::failed("Container was not started"), Instant::now()));
                return;
            }
            started = self.runtime.launch(&self, &task, &spec) => started,
        };
        match started {
            Ok(()) => {
                tracing::info!(task.id = %id, app.id = %task.app_id, agent = %task.agent, "engine: a task runs");
                let addresses = self.runtime.addresses(&self, &task).await;
                self.change(|w| {
                    w.addressed(&id, addresses);
                    w.running(&id, Instant::now());
                });
                self.attend(&id);
                if self.look(|w| w.tasks.get(&id).is_some_and(|t| t.state == TaskState::TaskKilling)) {
                    self.kill(id).await;
                }
            }
            Err(LaunchError::Unreachable(error)) => {
                tracing::warn!(task.id = %id, %error, "engine: Docker did not answer; the launch is repeated when it does");
                self.change(|w| w.live.get_mut(&id).map(|l| l.launching = false));
            }
            Err(LaunchError::Refused(message)) => {
                tracing::warn!(task.id = %id, app.id = %task.app_id, error = %message, "engine: a task can't be launched");
                self.runtime.remove(&self, &task).await;
                self.change(|w| w.ended(&id, End::not_launched(&message), Instant::now()));
            }
        }
    }

    /// Follows a running task: its output and its health. Asked again (a Mesos master
    /// tells "running" at each reconciliation) it does nothing while it is followed.
    pub fn attend(self: &Arc<Self>, id: &str) {
        let fresh = self.followed.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
        if !fresh {
            return;
        }
        let watches = crate::health::attend(Arc::clone(self), id.to_owned());
        let (core, task) = (Arc::clone(self), id.to_owned());
        self.tracker.spawn(async move {
            if core.runtime.has_output() {
                core.tracker.spawn(watches);
                crate::docker::logs::follow(&core, &task).await;
            } else {
                watches.await;
            }
            core.followed.lock().unwrap_or_else(PoisonError::into_inner).remove(&task);
        });
    }

    /// Stops a task's container.
    pub async fn kill(self: Arc<Self>, id: String) {
        let (task, _) = self.change(|w| {
            let live = w.live.get_mut(&id)?;
            if live.launching || live.stopping {
                return None;
            }
            live.stopping = true;
            w.tasks.get(&id).cloned()
        });
        let Some(task) = task else { return };
        let stopped = tokio::select! {
            () = self.cancel.cancelled() => return,
            stopped = self.runtime.stop(&self, &task) => stopped,
        };
        self.change(|w| w.live.get_mut(&id).map(|l| l.stopping = false));
        match stopped {
            Ok(()) => self.verify(&id).await,
            Err(error) => {
                tracing::warn!(task.id = %id, %error, "engine: a task could not be stopped; it is tried again");
            }
        }
    }

    /// Looks at the container of a live task and takes up what it finds.
    pub async fn verify(self: &Arc<Self>, id: &str) {
        let Some(task) = self.look(|w| w.tasks.get(id).cloned()) else { return };
        match self.runtime.inspect(self, &task).await {
            Ok(Some(seen)) if seen.running => {}
            Ok(Some(seen)) if seen.created => {
                let end = End::failed("Container was created but not started");
                if task.state == TaskState::TaskKilling {
                    self.change(|w| w.ended(id, end, Instant::now()));
                    self.runtime.remove(self, &task).await;
                }
            }
            Ok(Some(seen)) => {
                let end = End::exited(seen.exit_code, seen.oom);
                self.change(|w| w.ended(id, end, Instant::now()));
                self.attend(id);
            }
            Ok(None) => {
                let end = End::failed("Container was removed behind the engine's back");
                self.change(|w| w.ended(id, end, Instant::now()));
            }
            Err(error) => tracing::warn!(task.id = %id, %error, "engine: a container can't be looked at"),
        }
    }

    /// Docker says that a container ended.
    pub fn died(self: &Arc<Self>, id: &str, code: i64) {
        self.change(|w| {
            let oom = w.live.get(id).is_some_and(|l| l.oom);
            w.ended(id, End::exited(code, oom), Instant::now());
        });
    }

    /// A Docker node answers, or does not.
    pub fn node_is(&self, index: usize, up: bool) {
        self.change(|w| {
            if up && !w.hosts.up.get(index).copied().unwrap_or(false) {
                let agents = w.hosts.agents.iter().enumerate().filter(|(_, a)| a.node == index);
                w.agents_told.extend(agents.map(|(i, _)| (i, true)));
            }
            w.hosts.node_is(index, up);
            w.room_freed = true;
        });
    }
}
