//! How many events were heard, and how late: sums since the start, and the last
//! minute in sixty slots of a second each.
//!
//! Bounded whatever Marathon says: types beyond the first [`StreamReport::KINDS`]
//! are counted as one. One could get it wrong by keeping moments instead of
//! counts: at 5,000 events a second a minute of them is 300,000 numbers.

use padis_domain::view::{EventCount, StreamLag, StreamReport};
use std::collections::HashMap;
use std::time::Instant;

const SECONDS: usize = 60;

/// Upper bounds of the lag's classes in ms, each a third to a half above the one
/// before; the last class is open.
const CLASSES: [i64; 30] = [
    0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1_024, 1_536, 2_048, 3_072, 4_096,
    8_192, 16_384, 32_768, 65_536, 131_072,
];

/// Counts of the last sixty seconds.
#[derive(Debug, Clone)]
struct Minute<const N: usize> {
    slots: Box<[[u32; N]; SECONDS]>,
}

impl<const N: usize> Default for Minute<N> {
    fn default() -> Self {
        Self { slots: Box::new([[0; N]; SECONDS]) }
    }
}

impl<const N: usize> Minute<N> {
    fn clear(&mut self, from: u64, to: u64) {
        for second in (from + 1..=to).take(SECONDS) {
            self.slots[(second % SECONDS as u64) as usize] = [0; N];
        }
    }
    fn add(&mut self, second: u64, class: usize) {
        let slot = &mut self.slots[(second % SECONDS as u64) as usize][class];
        *slot = slot.saturating_add(1);
    }
    fn sum(&self, class: usize) -> u64 {
        self.slots.iter().map(|s| u64::from(s[class])).sum()
    }
}

#[derive(Debug, Default)]
struct Kind {
    count: u64,
    minute: Minute<1>,
}

/// What was counted.
#[derive(Debug)]
pub(super) struct Counts {
    started: Instant,
    /// The second up to which the slots are right.
    second: u64,
    kinds: HashMap<String, Kind>,
    events: u64,
    last_lag: Option<i64>,
    lags: Minute<31>,
}

impl Counts {
    pub(super) fn new(now: Instant) -> Self {
        Self { started: now, second: 0, kinds: HashMap::new(), events: 0, last_lag: None, lags: Minute::default() }
    }

    fn turn(&mut self, now: Instant) {
        let second = now.saturating_duration_since(self.started).as_secs();
        if second > self.second {
            // What is older than a minute is cleared once, however long nothing was said.
            let from = self.second.max(second.saturating_sub(SECONDS as u64));
            self.kinds.values_mut().for_each(|k| k.minute.clear(from, second));
            self.lags.clear(from, second);
            self.second = second;
        }
    }

    /// One event of a type, heard so many ms after it happened.
    pub(super) fn add(&mut self, kind: &str, lag_ms: Option<i64>, now: Instant) {
        self.turn(now);
        self.events += 1;
        let room = self.kinds.contains_key(kind) || self.kinds.len() + 1 < StreamReport::KINDS;
        let kind = if room { kind } else { StreamReport::OTHER_KINDS };
        let entry = match self.kinds.get_mut(kind) {
            Some(k) => k,
            None => self.kinds.entry(kind.chars().take(64).collect()).or_default(),
        };
        entry.count += 1;
        entry.minute.add(self.second, 0);
        if let Some(lag) = lag_ms {
            self.last_lag = Some(lag);
            self.lags.add(self.second, CLASSES.iter().position(|c| lag <= *c).unwrap_or(CLASSES.len()));
        }
    }

    /// All events, and those of the last minute.
    pub(super) fn events(&mut self, now: Instant) -> (u64, u64) {
        self.turn(now);
        (self.events, self.kinds.values().map(|k| k.minute.sum(0)).sum())
    }

    /// By type, most frequent first.
    pub(super) fn kinds(&mut self, now: Instant) -> Vec<EventCount> {
        self.turn(now);
        let one =
            |(kind, k): (&String, &Kind)| EventCount { kind: kind.clone(), count: k.count, minute: k.minute.sum(0) };
        let mut all: Vec<EventCount> = self.kinds.iter().map(one).collect();
        let other = |e: &EventCount| e.kind == StreamReport::OTHER_KINDS;
        all.sort_by(|a, b| (other(a), b.count, &a.kind).cmp(&(other(b), a.count, &b.kind)));
        all
    }

    /// How late events are heard.
    pub(super) fn lag(&mut self, now: Instant) -> Option<StreamLag> {
        self.turn(now);
        let last_ms = self.last_lag?;
        let sums: Vec<u64> = (0..=CLASSES.len()).map(|c| self.lags.sum(c)).collect();
        let all: u64 = sums.iter().sum();
        let (mut seen, wanted) = (0, all - all / 100);
        let class = sums.iter().position(|n| {
            seen += n;
            seen >= wanted
        });
        let p99 = class.filter(|_| all > 0).map(|c| CLASSES.get(c).copied().unwrap_or(i64::MAX));
        Some(StreamLag { last_ms, p99_minute_ms: p99 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_minute_is_forgotten_second_by_second_and_sums_stay() {
        let t0 = Instant::now();
        let at = |s: u64| t0 + Duration::from_secs(s);
        let mut c = Counts::new(t0);
        for s in 0..100 {
            c.add("a", Some(10), at(s));
        }
        assert_eq!(c.events(at(99)), (100, 60));
        assert_eq!(c.events(at(129)), (100, 30));
        assert_eq!(c.events(at(1_000_000)), (100, 0));
        c.add("a", None, at(1_000_000));
        assert_eq!(c.kinds(at(1_000_030)), [EventCount { kind: "a".into(), count: 101, minute: 1 }]);
    }

    #[test]
    fn too_many_types_are_counted_as_one_and_none_is_lost() {
        let t0 = Instant::now();
        let mut c = Counts::new(t0);
        for n in 0..10_000 {
            c.add(&format!("kind-{n}"), None, t0);
        }
        let kinds = c.kinds(t0);
        assert_eq!(kinds.len(), StreamReport::KINDS);
        assert_eq!(kinds.last().map(|k| k.kind.as_str()), Some(StreamReport::OTHER_KINDS));
        assert_eq!(kinds.iter().map(|k| k.count).sum::<u64>(), 10_000);
    }

    #[test]
    fn the_lag_that_99_of_100_keep_is_told_within_its_class() {
        let t0 = Instant::now();
        let mut c = Counts::new(t0);
        assert_eq!(c.lag(t0), None);
        (0..990).for_each(|_| c.add("a", Some(5), t0));
        (0..10).for_each(|_| c.add("a", Some(900), t0));
        assert_eq!(c.lag(t0), Some(StreamLag { last_ms: 900, p99_minute_ms: Some(6) }));
        c.add("a", Some(-3), t0);
        (0..10).for_each(|_| c.add("a", Some(900), t0));
        assert_eq!(c.lag(t0).and_then(|l| l.p99_minute_ms), Some(1_024));
        c.add("a", Some(i64::MAX), t0);
        let later = t0 + Duration::from_secs(61);
        assert_eq!(c.lag(later), Some(StreamLag { last_ms: i64::MAX, p99_minute_ms: None }));
    }
}
