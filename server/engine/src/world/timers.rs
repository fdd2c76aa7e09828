//! What becomes due by itself: a launch that takes too long, an agent that is silent.
//!
//! An unreachable instance has two times (`unreachableStrategy`): after the first,
//! `inactiveAfterSeconds`, another one starts in its place while it is still known and
//! may come back; after the second, `expungeAfterSeconds`, it is forgotten, and killed
//! should it come back. One could get it wrong with a timer that outlives its reason:
//! the agent came back and is silent again, or the task runs by now. A timer carries
//! the moment it was set for, and rings in vain if that is not the present one.

use super::World;
use crate::transitions::End;
use padis_protocol::app::UnreachableStrategy;
use padis_protocol::task::TaskState;
use padis_protocol::timestamp;
use std::time::{Duration, Instant};

/// One task to look at.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    at: Instant,
    task: String,
    due: Due,
    /// When the state began that it is about.
    since_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Launch,
    Inactive,
    Expunge,
}

impl World {
    /// Sets a timer. What has passed already is taken from the wall clock, since it may
    /// have passed before a restart; what is left is measured on the monotonic one.
    fn set_timer(&mut self, task: &str, due: Due, since_ms: i64, after: Duration) {
        let passed = u64::try_from(timestamp::now_ms().saturating_sub(since_ms)).unwrap_or(0);
        let left = after.saturating_sub(Duration::from_millis(passed));
        if let Some(at) = Instant::now().checked_add(left) {
            self.timers.insert(Timer { at, task: task.to_owned(), due, since_ms });
        }
    }

    /// A staged task must run in time.
    pub fn time_launch(&mut self, id: &str) {
        if let Some(since) = self.tasks.get(id).map(|t| t.staged_ms) {
            self.set_timer(id, Due::Launch, since, self.launch_timeout);
        }
    }

    fn time_unreachable(&mut self, id: &str) {
        let Some(since) = self.tasks.get(id).and_then(|t| t.history.last()).map(|(_, at)| *at) else { return };
        let spec = self.live.get(id).map(|l| &l.spec);
        let strategy = spec.and_then(|s| s.unreachable_strategy.as_ref()).map(UnreachableStrategy::of);
        let Some((inactive, expunge)) = strategy.unwrap_or_default().times() else { return };
        self.set_timer(id, Due::Inactive, since, Duration::from_secs(inactive));
        self.set_timer(id, Due::Expunge, since, Duration::from_secs(expunge));
    }

    /// After a restart.
    pub fn set_timers_again(&mut self) {
        let of = |w: &Self, is: fn(&TaskState) -> bool| -> Vec<String> {
            w.tasks.values().filter(|t| is(&t.state)).map(|t| t.id.clone()).collect()
        };
        for id in of(self, |s| matches!(s, TaskState::TaskStaging | TaskState::TaskStarting)) {
            self.time_launch(&id);
        }
        for id in of(self, |s| *s == TaskState::TaskUnreachable) {
            self.time_unreachable(&id);
        }
    }

    /// The task's agent can't be reached; what becomes of it says its strategy.
    pub fn unreachable(&mut self, id: &str, message: String, now: Instant) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        match task.state {
            TaskState::TaskUnreachable => return,
            // It was on its way out anyway, and nobody can say when it is gone.
            TaskState::TaskKilling => {
                let message = task.message.clone();
                return self.ended(id, End::gone(message), now);
            }
            _ => {}
        }
        task.state = TaskState::TaskUnreachable;
        task.message = message;
        task.history.push((TaskState::TaskUnreachable, timestamp::now_ms()));
        self.dirty.insert(task.app_id.clone());
        self.note_task(id);
        self.tell(id);
        self.time_unreachable(id);
    }

    /// When something will be due.
    pub fn next_timer(&self) -> Option<Instant> {
        self.timers.first().map(|t| t.at)
    }

    /// Does what is due.
    pub fn ring(&mut self, now: Instant) {
        while self.timers.first().is_some_and(|t| t.at <= now) {
            if let Some(timer) = self.timers.pop_first() {
                self.rings(&timer, now);
            }
        }
    }

    fn rings(&mut self, timer: &Timer, now: Instant) {
        let id = timer.task.as_str();
        let Some(task) = self.tasks.get_mut(id) else { return };
        let silent = task.state == TaskState::TaskUnreachable
            && task.history.last().is_some_and(|(_, since)| *since == timer.since_ms);
        match timer.due {
            Due::Launch if matches!(task.state, TaskState::TaskStaging | TaskState::TaskStarting) => {
                let why = format!("Task did not run within {} s of being launched", self.launch_timeout.as_secs_f64());
                if let Some(live) = self.live.get_mut(id) {
                    live.fault = Some(why.clone());
                }
                self.killing(id, &why);
            }
            Due::Inactive if silent && !task.inactive => {
                task.inactive = true;
                self.dirty.insert(task.app_id.clone());
                self.note_task(id);
                self.tell(id);
            }
            Due::Expunge if silent => {
                let message = task.message.clone();
                self.ended(id, End::gone(message), now);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AgentConfig;
    use crate::operations::Change;
    use crate::validate::Can;
    use crate::world::Agent;
    use serde_json::{Value, json};

    const CAN: Can = Can { bare: true, mesos: false };

    fn world() -> World {
        let config = AgentConfig {
            name: String::from("one"),
            attributes: Default::default(),
            cpus: 8.0,
            mem_mib: 1024,
            disk_mib: Some(100),
            docker: None,
        };
        let mut world = World::new(vec![Agent { config, node: 0, id: String::from("S0") }], &(31_000..=31_100), 10);
        world.hosts.all_up();
        world
    }

    fn put(world: &mut World, app: Value) {
        let Value::Object(patch) = app else { panic!("{app}") };
        let id = patch["id"].as_str().unwrap().to_owned();
        world.change_apps(vec![Change { id, patch, partial: true, create: true }], true, CAN).unwrap();
    }

    /// Turns until nothing is left to look at; when to look again.
    fn turns(world: &mut World, now: Instant) -> Option<Instant> {
        let mut next = world.schedule(now);
        while !world.dirty.is_empty() {
            next = world.schedule(now);
        }
        next
    }

    /// The same; the tasks that are launched run.
    fn turn(world: &mut World, now: Instant) -> Vec<String> {
        turns(world, now);
        let launched = std::mem::take(&mut world.to_launch);
        for id in &launched {
            world.running(id, now);
        }
        turns(world, now);
        launched
    }

    fn with(strategy: Value) -> (World, String, Instant) {
        let (mut world, now) = (world(), Instant::now());
        put(&mut world, json!({"id": "/a", "cmd": "x", "cpus": 0.1, "unreachableStrategy": strategy}));
        let id = turn(&mut world, now).remove(0);
        world.unreachable(&id, String::from("silent"), now);
        (world, id, now)
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_unreachable_instance_is_replaced_first_and_forgotten_later() {
        let (mut world, id, now) = with(json!({"inactiveAfterSeconds": 10, "expungeAfterSeconds": 60}));
        assert!(turn(&mut world, now + s(9)).is_empty(), "it may come back");
        let due = turns(&mut world, now + s(9)).unwrap();
        assert!(due > now + s(9) && due <= now + s(11), "looked at again when it is due");
        let other = turn(&mut world, now + s(11));
        assert_eq!(other.len(), 1, "another one in its place");
        assert!(world.tasks[&id].inactive && world.tasks[&id].state == TaskState::TaskUnreachable, "still known");
        assert!(turn(&mut world, now + s(59)).is_empty(), "one is enough");
        turn(&mut world, now + s(61));
        assert!(!world.tasks.contains_key(&id), "forgotten");
        assert_eq!(world.finished[&id].state, TaskState::TaskGone);
        assert_eq!(world.tasks.len(), 1);
        assert!(world.apps["/a"].last_failure.is_none(), "nobody's fault");
    }

    #[test]
    fn who_comes_back_in_time_stays_and_one_too_many_goes() {
        let (mut world, id, now) = with(json!({"inactiveAfterSeconds": 10, "expungeAfterSeconds": 60}));
        world.running(&id, now);
        assert!(turn(&mut world, now + s(100)).is_empty());
        assert_eq!(world.tasks[&id].state, TaskState::TaskRunning, "an old timer rings in vain");
        world.unreachable(&id, String::from("silent again"), now);
        world.tasks.get_mut(&id).unwrap().staged_ms -= 1;
        let other = turn(&mut world, now + s(11)).remove(0);
        world.running(&id, now + s(12));
        turns(&mut world, now + s(12));
        assert_eq!(world.to_kill, [other], "both run, and the younger one is one too many");
    }

    #[test]
    fn disabled_waits_for_ever_and_the_default_does_not_wait() {
        let (mut world, id, now) = with(json!("disabled"));
        assert!(turn(&mut world, now + s(1_000_000)).is_empty());
        assert!(world.tasks.contains_key(&id));
        // Whoever takes it away does not wait for an answer that can't come.
        put(&mut world, json!({"id": "/a", "instances": 0}));
        turn(&mut world, now + s(1_000_001));
        assert!(world.tasks.is_empty());
        let (mut world, id, now) = with(json!({}));
        assert_eq!(turn(&mut world, now + s(1)).len(), 1);
        assert!(!world.tasks.contains_key(&id));
    }

    #[test]
    fn times_go_on_over_a_restart() {
        let (mut before, id, now) = with(json!({"inactiveAfterSeconds": 10, "expungeAfterSeconds": 60}));
        turn(&mut before, now + s(11));
        let mut world = world();
        world.restore(before.picture());
        assert_eq!(world.started, before.started);
        assert_eq!(before.started, before.tasks.values().filter(|t| t.started_ms.is_some()).count());
        assert!(world.tasks[&id].inactive);
        turn(&mut world, now + s(50));
        assert!(world.tasks.contains_key(&id));
        turn(&mut world, now + s(61));
        assert!(!world.tasks.contains_key(&id));
    }

    #[test]
    fn a_launch_that_takes_too_long_is_a_failure() {
        let (mut world, now) = (world(), Instant::now());
        world.launch_timeout = s(300);
        put(&mut world, json!({"id": "/a", "cmd": "x", "cpus": 0.1}));
        let due = turns(&mut world, now).unwrap();
        let id = world.to_launch.remove(0);
        assert_eq!(turns(&mut world, now + s(299)), Some(due));
        assert!(due > now + s(299) && due < now + s(302));
        assert!(world.to_kill.is_empty());
        turns(&mut world, now + s(301));
        assert_eq!(world.to_kill, [id.as_str()]);
        assert!(world.live[&id].given_up.is_cancelled(), "what is under way is broken off");
        world.ended(&id, End::failed("gone"), now + s(301));
        let failure = world.apps["/a"].last_failure.clone().unwrap();
        assert_eq!((failure.task_id, failure.message.contains("within 300 s")), (id, true));
        assert!(world.backoff["/a"].until(now + s(301)).is_some());
    }

    #[test]
    fn an_app_that_waits_for_its_step_is_repaired_as_it_was() {
        let (mut world, now) = (world(), Instant::now());
        put(&mut world, json!({"id": "/web", "cmd": "old", "instances": 2, "cpus": 0.1}));
        turn(&mut world, now);
        assert!(world.deployments.is_empty());
        let app = |id: &str, more: Value| {
            let mut patch = json!({"id": id, "cmd": "new", "cpus": 0.1}).as_object().cloned().unwrap();
            patch.extend(more.as_object().cloned().unwrap());
            Change { id: id.to_owned(), patch, partial: true, create: true }
        };
        // `/db` does not fit anywhere, so the step of `/web` does not come.
        let changes =
            vec![app("/db", json!({"cpus": 100})), app("/web", json!({"dependencies": ["/db"], "instances": 3}))];
        world.change_apps(changes, false, CAN).unwrap();
        assert!(turn(&mut world, now).is_empty());
        let victim = world.tasks.keys().next().cloned().unwrap();
        world.ended(&victim, End::exited(1, false), now + s(100));
        let instead = turn(&mut world, now + s(100));
        assert_eq!(instead.len(), 1);
        assert_eq!(world.live[&instead[0]].spec.cmd.as_deref(), Some("old"));
        assert_eq!(world.tasks.values().filter(|t| t.app_id == "/web").count(), 2, "as many as before");
        // Now the step comes, and all of them are replaced.
        world.change_apps(vec![app("/db", json!({"cpus": 0.1}))], true, CAN).unwrap();
        let started = turn(&mut world, now + s(101));
        assert!(started.iter().all(|id| world.live[id].spec.cmd.as_deref() == Some("new")), "{started:?}");
    }
}
