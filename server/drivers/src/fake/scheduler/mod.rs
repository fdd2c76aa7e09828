//! A Marathon in memory: apps whose tasks are staged, run, die and are replaced.
//!
//! Time passes either by itself (the default: every change is carried through at
//! once) or only when the test says [`FakeScheduler::advance`], so that each state
//! in between can be looked at. Like Marathon, a change of an app is a deployment
//! that locks the app until it is complete; scaling and deleting break the lock, as
//! the client's `force=true` does; and a deleted app is listed no more while its
//! tasks are still dying.

mod world;

use super::faults::{Faults, lock};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use padis_domain::ports::{
    PortError, PortResult, SchedApp, SchedEvent, SchedSeen, SchedTask, SchedWaiting, Scheduler, TaskState,
};
use padis_domain::problem::System;
use padis_domain::view::StreamEnd;
use padis_domain::words::UnixMs;
use std::sync::Mutex;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use world::World;

/// Apps by path.
pub struct FakeScheduler {
    faults: Faults,
    world: Mutex<World>,
    by_hand: bool,
    stream: broadcast::Sender<SchedEvent>,
}

impl Default for FakeScheduler {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeScheduler {
    /// One in which every change is carried through before the call returns.
    pub fn new() -> Self {
        Self {
            faults: Faults::new(System::Scheduler),
            world: Mutex::default(),
            by_hand: false,
            stream: broadcast::channel(1024).0,
        }
    }
    /// One in which time passes only by [`FakeScheduler::advance`].
    pub fn by_hand() -> Self {
        Self { by_hand: true, ..Self::new() }
    }
    /// Its faults and calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// One step of time: what was staging runs, what was being killed is gone, what
    /// is missing is staged. Tells whether anything changed.
    pub fn advance(&self) -> bool {
        let changed = lock(&self.world).advance();
        self.publish();
        changed
    }
    /// Steps until nothing changes any more.
    pub fn settle(&self) {
        while self.advance() {}
    }
    /// The task dies by itself (or by a hand behind the portal's back), for example
    /// with `TASK_FAILED` and `exit code 1`; a replacement is staged. Tells whether it existed.
    pub fn end_task(&self, task_id: &str, state: &str, message: &str) -> bool {
        let existed = lock(&self.world).end(task_id, state, message);
        self.carry_through();
        existed
    }
    /// The task's agent is not heard any more (`Unreachable`), or is heard again (`Running`).
    pub fn set_task_state(&self, task_id: &str, state: TaskState) -> bool {
        let existed = lock(&self.world).set_state(task_id, state);
        self.publish();
        existed
    }
    /// At most this many tasks fit on all hosts together; `None`: any number.
    pub fn set_room(&self, tasks: Option<u32>) {
        lock(&self.world).room = tasks;
        self.carry_through();
    }
    /// Locks the app as a deployment of somebody else would (until it is scaled), or unlocks it.
    pub fn set_locked(&self, app_id: &str, locked: bool) {
        lock(&self.world).set_locked(app_id, locked);
    }
    /// The time that tasks are stamped with; `None` is the machine's clock.
    pub fn set_clock(&self, now: Option<UnixMs>) {
        lock(&self.world).clock = now;
    }
    /// The app as it was last put.
    pub fn app(&self, id: &str) -> Option<SchedApp> {
        lock(&self.world).apps.get(id).map(|a| a.spec.clone())
    }
    /// The app's tasks.
    pub fn tasks(&self, app_id: &str) -> Vec<SchedTask> {
        lock(&self.world).apps.get(app_id).map(|a| a.tasks()).unwrap_or_default()
    }
    /// Whether the task has a container: it runs, or is being killed.
    pub fn has_container(&self, task_id: &str) -> bool {
        let world = lock(&self.world);
        let state = world.task(task_id).map(|t| t.state);
        matches!(state, Some(TaskState::Running | TaskState::Killing | TaskState::Unreachable))
    }

    /// While silent, the stream brings nothing at all, and nothing is kept for later.
    pub fn set_silent(&self, silent: bool) {
        lock(&self.world).silent = silent;
    }
    /// A heartbeat.
    pub fn heartbeat(&self) {
        lock(&self.world).say(SchedEvent::Alive);
        self.publish();
    }
    /// The stream breaks and is connected again; nothing between is kept.
    pub fn break_stream(&self, why: &str) {
        {
            let mut world = lock(&self.world);
            world.say(SchedEvent::Detached { cause: StreamEnd::Broken, why: why.to_owned() });
            world.say(attached());
        }
        self.publish();
    }
    /// Sends any event, for repeated and reordered ones.
    pub fn send(&self, event: SchedEvent) {
        lock(&self.world).say(event);
        self.publish();
    }

    fn carry_through(&self) {
        if self.by_hand {
            lock(&self.world).fill();
            self.publish();
        } else {
            self.settle();
        }
    }
    fn publish(&self) {
        let events = std::mem::take(&mut lock(&self.world).said);
        for event in events {
            // Nobody listens: events are not kept.
            let _unheard = self.stream.send(event);
        }
    }
    fn change(&self, change: impl FnOnce(&mut World) -> PortResult<()>) -> PortResult<()> {
        change(&mut lock(&self.world))?;
        self.carry_through();
        Ok(())
    }
}

fn attached() -> SchedEvent {
    SchedEvent::Attached { to: "fake".to_owned() }
}

fn locked(id: &str) -> PortError {
    let what = format!("change {id}: it is locked by a running deployment");
    PortError::Transient { system: System::Scheduler, what, cause: None }
}

#[async_trait]
impl Scheduler for FakeScheduler {
    async fn list(&self, prefix: &str) -> PortResult<Vec<SchedSeen>> {
        let list = || {
            let world = lock(&self.world);
            Ok(world.apps.values().filter(|a| !a.deleted && a.spec.id.starts_with(prefix)).map(|a| a.seen()).collect())
        };
        self.faults.run("list", prefix, list).await
    }
    async fn put(&self, app: &SchedApp) -> PortResult<()> {
        let put = |world: &mut World| if world.put(app) { Ok(()) } else { Err(locked(&app.id)) };
        self.faults.run("put", &app.id, || self.change(put)).await
    }
    async fn scale(&self, id: &str, instances: u32) -> PortResult<()> {
        let scale = |world: &mut World| {
            let Some(app) = world.apps.get(id).filter(|a| !a.deleted) else {
                let what = format!("scale {id}, which does not exist");
                return Err(PortError::Transient { system: System::Scheduler, what, cause: None });
            };
            let wanted = SchedApp { instances, ..app.spec.clone() };
            world.unlock(id);
            if world.put(&wanted) { Ok(()) } else { Err(locked(id)) }
        };
        self.faults.run("scale", id, || self.change(scale)).await
    }
    async fn delete(&self, id: &str) -> PortResult<()> {
        let delete = |world: &mut World| {
            world.delete(id);
            Ok(())
        };
        self.faults.run("delete", id, || self.change(delete)).await
    }
    async fn kill(&self, app_id: &str, task_id: &str, scale: bool) -> PortResult<()> {
        let kill = |world: &mut World| {
            world.kill(app_id, task_id, scale);
            Ok(())
        };
        self.faults.run("kill", task_id, || self.change(kill)).await
    }
    async fn waiting(&self) -> PortResult<Vec<SchedWaiting>> {
        self.faults.run("waiting", "", || Ok(lock(&self.world).waiting())).await
    }
    fn events(&self) -> BoxStream<'static, SchedEvent> {
        let first = if lock(&self.world).silent { vec![] } else { vec![attached()] };
        let rest = BroadcastStream::new(self.stream.subscribe()).flat_map(|event| {
            futures::stream::iter(match event {
                Ok(event) => vec![event],
                Err(BroadcastStreamRecvError::Lagged(n)) => {
                    let why = format!("{n} events behind");
                    vec![SchedEvent::Detached { cause: StreamEnd::Behind, why }, attached()]
                }
            })
        });
        futures::stream::iter(first).chain(rest).boxed()
    }
    async fn framework(&self) -> PortResult<Option<String>> {
        self.faults.run("framework", "", || Ok(Some("fake-0000".to_owned()))).await
    }
    async fn ping(&self) -> PortResult<()> {
        self.faults.run("ping", "", || Ok(())).await
    }
}
