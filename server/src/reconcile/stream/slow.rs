//! Which applications take longest from being looked at to being settled.
//!
//! Bounded: of more than [`MAX`] applications the fastest are forgotten, which
//! nobody asks for.

use padis_domain::app::AppRef;
use padis_domain::view::{SlowApp, StreamReport};
use padis_domain::words::UnixMs;
use std::collections::HashMap;

/// Applications that are kept.
const MAX: usize = 512;
/// A longest time is forgotten after this many ms.
const FORGET_MS: i64 = 3_600_000;

#[derive(Debug, Default)]
pub(super) struct Slow {
    apps: HashMap<AppRef, SlowApp>,
    /// Nothing that is kept was faster, when there was no room last.
    floor_ms: u64,
}

impl Slow {
    /// A look was settled.
    pub(super) fn note(&mut self, app: &AppRef, took_ms: u64, now: UnixMs) {
        if let Some(known) = self.apps.get_mut(app) {
            known.last_ms = took_ms;
            if took_ms >= known.longest_ms || now - known.longest_at > FORGET_MS {
                (known.longest_ms, known.longest_at) = (took_ms, now);
            }
            return;
        }
        if self.apps.len() >= MAX {
            if took_ms <= self.floor_ms {
                return;
            }
            // Half of them at once, so that the next hundreds cost nothing.
            let mut times: Vec<u64> = self.apps.values().map(|a| a.longest_ms).collect();
            times.sort_unstable();
            self.floor_ms = times[times.len() / 2];
            let floor = self.floor_ms;
            self.apps.retain(|_, a| a.longest_ms > floor && now - a.longest_at <= FORGET_MS);
        }
        let fresh = SlowApp { app: app.clone(), last_ms: took_ms, longest_ms: took_ms, longest_at: now };
        self.apps.insert(app.clone(), fresh);
    }

    /// Forgets an application.
    pub(super) fn forget(&mut self, app: &AppRef) {
        self.apps.remove(app);
    }

    /// The slowest, the slowest first.
    pub(super) fn slowest(&mut self, now: UnixMs) -> Vec<SlowApp> {
        if self.apps.len() < MAX / 2 {
            self.floor_ms = 0;
        }
        self.apps.retain(|_, a| now - a.longest_at <= FORGET_MS);
        let mut all: Vec<&SlowApp> = self.apps.values().collect();
        all.sort_by(|a, b| (b.longest_ms, &a.app).cmp(&(a.longest_ms, &b.app)));
        all.into_iter().take(StreamReport::SLOWEST).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(n: u64) -> AppRef {
        AppRef { team: "t".into(), app: format!("a{n:05}") }
    }

    #[test]
    fn the_slowest_of_very_many_are_kept_and_the_memory_is_bounded() {
        let mut s = Slow::default();
        for n in 0..20_000u64 {
            s.note(&app(n), (n * 7_919) % 20_000, 0);
        }
        assert!(s.apps.len() <= MAX, "{}", s.apps.len());
        let times: Vec<u64> = s.slowest(0).iter().map(|a| a.longest_ms).collect();
        assert_eq!(times, (19_990..20_000).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_longest_time_is_of_the_last_hour() {
        let mut s = Slow::default();
        s.note(&app(1), 900, 0);
        s.note(&app(1), 10, 1_000);
        let of = |last_ms, longest_ms, longest_at| SlowApp { app: app(1), last_ms, longest_ms, longest_at };
        assert_eq!(s.slowest(2_000), [of(10, 900, 0)]);
        s.note(&app(1), 20, FORGET_MS + 1);
        assert_eq!(s.slowest(FORGET_MS + 1), [of(20, 20, FORGET_MS + 1)]);
        assert_eq!(s.slowest(3 * FORGET_MS), []);
    }
}
