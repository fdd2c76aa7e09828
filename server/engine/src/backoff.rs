//! Launch back-off, per app.
//!
//! Marathon (`RateLimiter`): the first failing launch sets a delay of
//! `backoffSeconds`, every further one multiplies it by `backoffFactor`, never
//! beyond `maxLaunchDelaySeconds`; a changed configuration starts afresh.
//! Marathon counts every end of a task as a failing launch, so that even a task
//! that ran for a month is replaced only after `backoffSeconds`. The engine
//! differs in that one point: a task that had run at least as long as
//! `backoffSeconds` and as the delay now in force *ran well*; its end clears the
//! delay, and the replacement starts at once. A task that dies faster than it may
//! be restarted never clears anything, so a crash loop still slows down.
//! Times are on the monotonic clock: a wall clock that jumps neither freezes nor
//! frees anybody.

use padis_protocol::app::App;
use std::time::{Duration, Instant};

/// The numbers of one app.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rule {
    pub base: Duration,
    pub factor: f64,
    pub max: Duration,
}

impl Rule {
    /// The app's numbers; the RAML's defaults are 1 s, 1.15 and 300 s.
    pub fn of(app: &App) -> Self {
        let seconds = |value: Option<f64>, default: f64| {
            let value = value.filter(|v| v.is_finite() && *v >= 0.0).unwrap_or(default);
            Duration::try_from_secs_f64(value).unwrap_or(Duration::from_secs(u64::from(u32::MAX)))
        };
        Self {
            base: seconds(app.backoff_seconds, 1.0),
            factor: app.backoff_factor.filter(|f| f.is_finite() && *f >= 1.0).unwrap_or(1.15),
            max: seconds(app.max_launch_delay_seconds, 300.0),
        }
    }

    /// The delay after one more failing launch.
    pub fn next(&self, now: Option<Duration>) -> Duration {
        match now {
            None => self.base.min(self.max),
            Some(delay) => {
                Duration::try_from_secs_f64(delay.as_secs_f64() * self.factor).unwrap_or(self.max).min(self.max)
            }
        }
    }
}

/// The delay of one app.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Backoff {
    delay: Option<Duration>,
    until: Option<Instant>,
}

impl Backoff {
    /// A launch failed, or a task ended. `ran` is how long it ran.
    pub fn ended(&mut self, rule: &Rule, ran: Duration, now: Instant) {
        let well = rule.base.max(self.delay.unwrap_or_default());
        if ran >= well && ran > Duration::ZERO {
            *self = Self::default();
        } else {
            let delay = rule.next(self.delay);
            *self = Self { delay: Some(delay), until: now.checked_add(delay) };
        }
    }

    /// What is left to wait.
    pub fn left(&self, now: Instant) -> Duration {
        self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// When the next launch may happen, if that is not now.
    pub fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: Rule = Rule { base: Duration::from_secs(1), factor: 1.15, max: Duration::from_secs(300) };

    #[test]
    fn a_task_that_ran_well_is_replaced_at_once() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        backoff.ended(&RULE, Duration::from_secs(2), now);
        assert_eq!(backoff.left(now), Duration::ZERO);
        assert_eq!(backoff.until(now), None);
    }

    #[test]
    fn a_crash_loop_slows_down_and_running_well_forgives() {
        let now = Instant::now();
        let mut backoff = Backoff::default();
        backoff.ended(&RULE, Duration::ZERO, now);
        assert_eq!(backoff.left(now), Duration::from_secs(1));
        for _ in 0..9 {
            backoff.ended(&RULE, Duration::from_millis(900), now);
        }
        let left = backoff.left(now);
        assert!(left > Duration::from_secs(3) && left < Duration::from_secs(4), "{left:?}");
        backoff.ended(&RULE, Duration::from_secs(2), now);
        assert!(backoff.left(now) > left, "2 s is less than the delay in force");
        backoff.ended(&RULE, Duration::from_secs(60), now);
        assert_eq!(backoff.left(now), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn delays_grow_and_stay_below_the_maximum(
            base_ms in 0_u64..10_000,
            factor in 1.0_f64..4.0,
            max_ms in 0_u64..1_000_000,
            failures in 1_usize..80,
        ) {
            let rule = Rule { base: Duration::from_millis(base_ms), factor, max: Duration::from_millis(max_ms) };
            let mut delay = None;
            for _ in 0..failures {
                let next = rule.next(delay);
                prop_assert!(next <= rule.max);
                prop_assert!(delay.is_none_or(|d| next >= d), "{next:?} after {delay:?}");
                delay = Some(next);
            }
        }
    }
}
