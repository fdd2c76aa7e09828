//! The simulated runtime: a cluster in its times, events and faults, in which
//! nothing runs. For tests of scale and for benchmarks.
//!
//! A launch takes about the latency, and so does a stop. Of all launches the given
//! share fails: half of them at once, half after having run for a while. A task
//! that is recorded as running "runs" again after a restart, as a container would.

use crate::core::Core;
use crate::docker::{LaunchError, Seen};
use crate::record::TaskRecord;
use padis_protocol::task::TaskState;
use rand::Rng;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) struct Simulated {
    /// Mean time of a launch and of a stop.
    pub latency: Duration,
    /// Share of the launches that fail, 0 to 1.
    pub failure_rate: f64,
}

impl Simulated {
    /// All agents answer; what was under way is taken up.
    pub fn begin(&self, core: &Arc<Core>) {
        let ((staged, killed), _) = core.change(|w| {
            w.hosts.all_up();
            w.room_freed = true;
            let of = |w: &crate::world::World, is: fn(&TaskState) -> bool| -> Vec<String> {
                w.tasks.values().filter(|t| is(&t.state)).map(|t| t.id.clone()).collect()
            };
            let staged = of(w, |s| matches!(s, TaskState::TaskStaging | TaskState::TaskStarting));
            for id in &staged {
                if let Some(live) = w.live.get_mut(id) {
                    live.launching = true;
                }
            }
            for id in of(w, |s| *s == TaskState::TaskRunning) {
                w.running(&id, Instant::now());
            }
            (staged, of(w, |s| *s == TaskState::TaskKilling))
        });
        for id in core.look(|w| w.tasks.keys().cloned().collect::<Vec<_>>()) {
            core.attend(&id);
        }
        for id in staged {
            core.tracker.spawn(Arc::clone(core).launch(id));
        }
        for id in killed {
            core.tracker.spawn(Arc::clone(core).kill(id));
        }
    }

    /// About the latency: from half to one and a half of it.
    pub async fn pause(&self) {
        if !self.latency.is_zero() {
            let factor = rand::rng().random_range(0.5..1.5);
            tokio::time::sleep(self.latency.mul_f64(factor)).await;
        }
    }

    fn fails(&self) -> bool {
        self.failure_rate > 0.0 && rand::rng().random_bool((self.failure_rate / 2.0).clamp(0.0, 1.0))
    }

    pub async fn launch(&self, core: &Arc<Core>, task: &TaskRecord) -> Result<(), LaunchError> {
        self.pause().await;
        if self.fails() {
            return Err(LaunchError::Refused(String::from("simulated: the launch failed")));
        }
        if self.fails() {
            let (core, id, after) = (Arc::clone(core), task.id.clone(), self.latency * 10);
            core.tracker.clone().spawn(async move {
                tokio::select! {
                    () = core.cancel.cancelled() => {}
                    () = tokio::time::sleep(after) => core.died(&id, 1),
                }
            });
        }
        Ok(())
    }

    pub fn inspect(&self, task: &TaskRecord) -> Option<Seen> {
        let running = Seen { running: true, created: false, exit_code: 0, oom: false };
        (task.state != TaskState::TaskKilling).then_some(running)
    }
}
