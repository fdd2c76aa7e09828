//! Health checks: when they are made and what their results mean.
//!
//! Marathon's rules: failures within the grace period count for nothing until the
//! first success; `maxConsecutiveFailures` failures in a row have the task killed
//! (0 never kills); its replacement is the scheduler's affair. One could get it
//! wrong with a wall clock: grace and interval are measured on the monotonic one.
//! After a restart of the engine the grace period starts again, which can only
//! delay a kill, never cause one.

pub(crate) mod probe;
mod readiness;

pub(crate) use readiness::Readiness;

use crate::core::Core;
use crate::runtime::on_agent;
use crate::world::World;
use padis_protocol::app::App;
use padis_protocol::event::{
    FailedHealthCheck, HealthStatusChanged, InstanceHealthChanged, UnhealthyInstanceKill, UnhealthyTaskKill,
};
use padis_protocol::health::{HealthCheck, HealthResult};
use padis_protocol::task::TaskState;
use padis_protocol::timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The state of one check on one task.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct CheckState {
    /// `None` until the first result that counts.
    pub alive: Option<bool>,
    /// Since when `alive` is what it is, wall clock in milliseconds.
    pub since: Option<i64>,
    pub failures: u32,
    pub first_success: Option<i64>,
    pub last_success: Option<i64>,
    pub last_failure: Option<i64>,
    pub cause: Option<String>,
}

impl CheckState {
    pub fn all(app: &App) -> Vec<Self> {
        vec![Self::default(); app.health_checks.as_deref().unwrap_or_default().len()]
    }

    fn found(&mut self, alive: bool, now: i64) {
        if self.alive != Some(alive) {
            (self.alive, self.since) = (Some(alive), Some(now));
        }
    }

    pub fn wire(&self, instance: &str) -> HealthResult {
        HealthResult {
            alive: self.alive == Some(true),
            consecutive_failures: self.failures,
            first_success: self.first_success.map(timestamp::format),
            last_success: self.last_success.map(timestamp::format),
            last_failure: self.last_failure.map(timestamp::format),
            last_failure_cause: self.cause.clone(),
            instance_id: Some(instance.to_owned()),
            ..HealthResult::default()
        }
    }
}

/// What one result leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Nothing,
    /// It counts as a failure, but not yet as the end.
    Failed,
    /// The task shall be killed.
    Kill,
}

/// Takes up a result.
pub(crate) fn judge(check: &HealthCheck, state: &mut CheckState, result: Result<(), String>, ran: Duration) -> Verdict {
    match result {
        Ok(()) => {
            let now = timestamp::now_ms();
            state.found(true, now);
            state.failures = 0;
            state.first_success.get_or_insert(now);
            state.last_success = Some(now);
            state.cause = None;
            Verdict::Nothing
        }
        Err(cause) => {
            let now = timestamp::now_ms();
            state.last_failure = Some(now);
            state.cause = Some(cause);
            let grace = Duration::from_secs(u64::from(check.grace_s()));
            if state.first_success.is_none() && ran < grace {
                return Verdict::Nothing;
            }
            state.found(false, now);
            state.failures = state.failures.saturating_add(1);
            match check.max_failures() {
                0 => Verdict::Failed,
                max if state.failures >= max => Verdict::Kill,
                _ => Verdict::Failed,
            }
        }
    }
}

impl World {
    /// Takes up the result of one check of one task.
    pub fn checked(&mut self, task_id: &str, index: usize, result: Result<(), String>, now: Instant) {
        let Some(task) = self.tasks.get(task_id).filter(|t| t.state == TaskState::TaskRunning) else { return };
        let (app_id, instance, version) = (task.app_id.clone(), task.instance.clone(), task.version.clone());
        let (host, slave_id) = (task.agent.clone(), self.agent(&task.agent).map(|a| a.id.clone()));
        let Some(live) = self.live.get_mut(task_id) else { return };
        let spec = live.spec.clone();
        let Some(check) = spec.health_checks.as_ref().and_then(|c| c.get(index)) else { return };
        let ran = live.running_since.map_or(Duration::ZERO, |s| now.saturating_duration_since(s));
        let before: Vec<Option<bool>> = live.health.iter().map(|h| h.alive).collect();
        let Some(state) = live.health.get_mut(index) else { return };
        let verdict = judge(check, state, result, ran);
        let cause = state.cause.clone().unwrap_or_default();
        if verdict != Verdict::Nothing {
            let event = FailedHealthCheck {
                app_id: app_id.clone(),
                task_id: Some(task_id.to_owned()),
                instance_id: Some(instance.clone()),
                health_check: check.clone(),
                ..FailedHealthCheck::default()
            };
            self.events.push(event.into());
        }
        let after: Vec<Option<bool>> = live.health.iter().map(|h| h.alive).collect();
        // Of all checks Mesos is told one, and its operators hear of each change of it.
        if before[index] != after[index] && spec.health_checks.iter().flatten().position(on_agent) == Some(index) {
            self.health_told.push(task_id.to_owned());
        }
        let all = |states: &[Option<bool>]| match states {
            s if s.contains(&Some(false)) => Some(false),
            s if s.contains(&None) => None,
            _ => Some(true),
        };
        if let (was, Some(alive)) = (all(&before), all(&after))
            && was != Some(alive)
        {
            let task_event = HealthStatusChanged {
                app_id: app_id.clone(),
                task_id: Some(task_id.to_owned()),
                instance_id: Some(instance.clone()),
                version: version.clone(),
                alive,
                ..HealthStatusChanged::default()
            };
            let instance_event = InstanceHealthChanged {
                instance_id: instance.clone(),
                run_spec_version: version.clone(),
                healthy: Some(alive),
                run_spec_id: app_id.clone(),
                ..InstanceHealthChanged::default()
            };
            self.events.push(task_event.into());
            self.events.push(instance_event.into());
            self.dirty.insert(app_id.clone());
        }
        if verdict == Verdict::Kill {
            live.fault = Some(format!("Task was killed since health check failed. Reason: {cause}"));
            let task_event = UnhealthyTaskKill {
                app_id: app_id.clone(),
                task_id: task_id.to_owned(),
                instance_id: Some(instance.clone()),
                version: version.clone(),
                reason: cause.clone(),
                host: host.clone(),
                slave_id: slave_id.clone(),
                ..UnhealthyTaskKill::default()
            };
            let instance_event = UnhealthyInstanceKill {
                app_id,
                task_id: task_id.to_owned(),
                instance_id: Some(instance),
                version,
                reason: cause,
                host,
                slave_id,
                ..UnhealthyInstanceKill::default()
            };
            self.events.push(task_event.into());
            self.events.push(instance_event.into());
            self.killing(task_id, "health check failed");
        }
    }
}

impl World {
    /// A check that is made where the task runs told its result.
    pub fn told_healthy(&mut self, task_id: &str, healthy: bool, now: Instant) {
        let spec = self.live.get(task_id).map(|l| Arc::clone(&l.spec));
        let checks = spec.as_ref().and_then(|s| s.health_checks.as_deref()).unwrap_or_default();
        let Some(index) = checks.iter().position(on_agent) else { return };
        let result = if healthy { Ok(()) } else { Err(String::from("the check on the agent failed")) };
        self.checked(task_id, index, result, now);
    }
}

/// Makes all checks of one task that are made from here.
pub(crate) async fn attend(core: Arc<Core>, task_id: String) {
    let (health, readiness) =
        core.look(|w| w.live.get(&task_id).map_or((0, 0), |l| (l.health.len(), l.readiness.len())));
    let health = (0..health).map(|index| watch(Arc::clone(&core), task_id.clone(), index));
    let readiness = (0..readiness).map(|index| readiness::watch(Arc::clone(&core), task_id.clone(), index));
    tokio::join!(futures::future::join_all(health), futures::future::join_all(readiness));
}

/// When a check is made first: those that Mesos would make wait for their delay after the
/// start (over a restart of the engine only for what is left of it), Marathon's own do not.
fn first_look(check: &HealthCheck, running_since: Option<Instant>) -> Instant {
    let delay = if on_agent(check) { Duration::from_secs(u64::from(check.delay_s())) } else { Duration::ZERO };
    let now = Instant::now();
    (running_since.unwrap_or(now) + delay).max(now)
}

/// Makes one check of one task again and again, until the task is gone.
async fn watch(core: Arc<Core>, task_id: String, index: usize) {
    let Some((check, spec)) = core.look(|w| {
        let live = w.live.get(&task_id)?;
        let check = live.spec.health_checks.as_ref()?.get(index)?.clone();
        Some((check, live.spec.clone()))
    }) else {
        return;
    };
    if core.runtime.checks_itself(&check) {
        return;
    }
    // An interval of 0 would be a busy loop; Marathon's scheduler can't do less than this either.
    let interval = Duration::from_secs(u64::from(check.interval_s())).max(Duration::from_millis(100));
    let timeout = Duration::from_secs(u64::from(check.timeout_s()).max(1));
    let first = core.look(|w| first_look(&check, w.live.get(&task_id).and_then(|l| l.running_since)));
    let mut timer = tokio::time::interval_at(first.into(), interval);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = core.cancel.cancelled() => return,
            _ = timer.tick() => {}
        }
        let Some(task) = core.look(|w| w.tasks.get(&task_id).filter(|t| t.state == TaskState::TaskRunning).cloned())
        else {
            return;
        };
        let probe = probe::probe(&core, &task, &spec, &check);
        let result = match tokio::time::timeout(timeout, probe).await {
            Ok(probe::Outcome::Healthy) => Ok(()),
            Ok(probe::Outcome::Sick(cause)) => Err(cause),
            // Not the task's fault, and no news about it either.
            Ok(probe::Outcome::Unknown) => continue,
            Err(_) => Err(format!("no answer within {} s", timeout.as_secs())),
        };
        core.change(|w| w.checked(&task_id, index, result, Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(grace: u32, max: u32) -> HealthCheck {
        HealthCheck { grace_period_seconds: Some(grace), max_consecutive_failures: Some(max), ..HealthCheck::default() }
    }
    fn bad() -> Result<(), String> {
        Err(String::from("500 Internal Server Error"))
    }

    #[test]
    fn grace_ends_with_the_first_success() {
        let check = check(60, 2);
        let mut state = CheckState::default();
        let early = Duration::from_secs(5);
        for _ in 0..10 {
            assert_eq!(judge(&check, &mut state, bad(), early), Verdict::Nothing);
        }
        assert_eq!(state.alive, None);
        assert_eq!(judge(&check, &mut state, Ok(()), early), Verdict::Nothing);
        assert_eq!(judge(&check, &mut state, bad(), early), Verdict::Failed);
        assert_eq!(judge(&check, &mut state, bad(), early), Verdict::Kill);
    }

    #[test]
    fn a_delay_is_counted_from_the_start_and_marathons_own_checks_have_none() {
        use padis_protocol::health::HealthProtocol;
        let of = |protocol, delay_seconds| HealthCheck { protocol, delay_seconds, ..HealthCheck::default() };
        let began = Instant::now();
        let after = |check: &HealthCheck, ago: u64| {
            let since = began.checked_sub(Duration::from_secs(ago)).unwrap();
            first_look(check, Some(since)).saturating_duration_since(since).as_secs()
        };
        assert_eq!(after(&of(Some(HealthProtocol::Command), Some(7)), 0), 7);
        assert_eq!(after(&of(Some(HealthProtocol::MesosHttp), None), 3), 15, "Marathon's default");
        assert_eq!(after(&of(Some(HealthProtocol::MesosTcp), Some(7)), 60), 60, "at once after a restart");
        assert_eq!(after(&of(Some(HealthProtocol::Http), Some(7)), 0), 0);
        assert_eq!(after(&of(None, None), 0), 0);
    }

    #[test]
    fn a_success_starts_the_count_again_and_zero_never_kills() {
        let late = Duration::from_secs(100);
        let mut state = CheckState::default();
        assert_eq!(judge(&check(0, 2), &mut state, bad(), late), Verdict::Failed);
        assert_eq!(judge(&check(0, 2), &mut state, Ok(()), late), Verdict::Nothing);
        assert_eq!(judge(&check(0, 2), &mut state, bad(), late), Verdict::Failed);
        for _ in 0..50 {
            assert_eq!(judge(&check(0, 0), &mut state, bad(), late), Verdict::Failed);
        }
    }
}
