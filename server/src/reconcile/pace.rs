//! How often an application may be looked at because somebody said so.
//!
//! One that is quiet is looked at at once, and so are the few events of a delivery or
//! of an instance that died; one that flaps, or that a flood of events is about, is
//! looked at a few times a second, however many events there are. One could get it
//! wrong by dropping what comes too early: it waits, and one look answers for all.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// Looks that a quiet application may have at once.
const BURST: f64 = 8.0;
/// Looks a second of one that is not quiet.
const RATE: f64 = 4.0;
/// How often those that wait are considered.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// Buckets above which the full ones, which say nothing, are dropped.
const TIDY: usize = 4_096;

#[derive(Debug, Default)]
pub(super) struct Pace {
    buckets: HashMap<String, (f64, Instant)>,
    waiting: HashSet<String>,
    tidy_at: usize,
}

impl Pace {
    /// Of these, and of those that wait, the ones that may be looked at now.
    pub(super) fn ready(&mut self, fresh: impl IntoIterator<Item = String>, now: Instant) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for key in fresh {
            if self.waiting.contains(&key) {
                continue;
            }
            if self.take(&key, now) {
                out.push(key);
            } else {
                self.waiting.insert(key);
            }
        }
        out
    }

    /// Of those that wait, the ones whose time has come.
    pub(super) fn late(&mut self, now: Instant) -> Vec<String> {
        let waiting = std::mem::take(&mut self.waiting);
        let (out, waiting): (Vec<String>, Vec<String>) = waiting.into_iter().partition(|key| self.take(key, now));
        self.waiting.extend(waiting);
        out
    }

    /// Whether somebody waits.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn take(&mut self, key: &str, now: Instant) -> bool {
        if self.buckets.len() > TIDY.max(self.tidy_at) {
            let full = |(n, at): &(f64, Instant)| n + now.saturating_duration_since(*at).as_secs_f64() * RATE >= BURST;
            self.buckets.retain(|_, b| !full(b));
            self.tidy_at = self.buckets.len() * 2;
        }
        let Some((n, at)) = self.buckets.get_mut(key) else {
            self.buckets.insert(key.to_owned(), (BURST - 1.0, now));
            return true;
        };
        let have = (*n + now.saturating_duration_since(*at).as_secs_f64() * RATE).min(BURST);
        let may = have >= 1.0;
        (*n, *at) = (if may { have - 1.0 } else { have }, now);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quiet_are_looked_at_at_once_and_the_flapping_a_few_times_a_second() {
        let (mut p, t0) = (Pace::default(), Instant::now());
        let mut looks = 0;
        for ms in 0..10_000u64 {
            let now = t0 + Duration::from_millis(ms);
            looks += p.ready(["flaps".to_owned()], now).len();
            if ms % 50 == 0 {
                looks += p.late(now).len();
            }
            if ms == 5_000 {
                assert_eq!(p.ready(["quiet".to_owned()], now), ["quiet"]);
            }
        }
        assert!((44..=48).contains(&looks), "8 at once and 4 a second for 10 s: {looks}");
    }

    #[test]
    fn what_came_too_early_is_looked_at_in_the_end() {
        let (mut p, t0) = (Pace::default(), Instant::now());
        (0..20).for_each(|_| {
            p.ready(["a".to_owned()], t0);
        });
        assert!(p.waits() && p.late(t0).is_empty());
        assert_eq!(p.late(t0 + Duration::from_millis(300)), ["a"]);
        assert!(!p.waits());
    }

    #[test]
    fn the_memory_is_bounded_by_those_that_are_not_quiet() {
        let (mut p, t0) = (Pace::default(), Instant::now());
        for n in 0..200_000u64 {
            p.ready([format!("app-{n}")], t0 + Duration::from_millis(n));
        }
        assert!(p.buckets.len() <= 2 * TIDY, "{}", p.buckets.len());
    }
}
