//! What is known of the event stream itself: how it is, what was missed, how much
//! there is to do. For operators; nothing is decided by it.
//!
//! One value a process, shared by an `Arc` between the reconciler, which writes it,
//! and the portal, which reads it: everything is in memory, bounded, and read in
//! microseconds. Gaps are written to the journal as well and are read from there at
//! the next start. One could get it wrong by calling the stream's first connection
//! the end of a gap (nothing was missed that was ever promised), or by filling in
//! what a sweep found that had begun before the gap was over.

mod counts;
mod slow;

use super::lock;
use crate::store::{StoreError, Tx, now_ms, work};
use counts::Counts;
use padis_domain::app::AppRef;
use padis_domain::view::{GapFound, GapRow, StreamEnd, StreamReport, StreamState, SweepRow, WorkLoad};
use padis_domain::words::UnixMs;
use slow::Slow;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A stream that was not heard for so long is shown as silent: Marathon's heartbeat
/// comes every 15 s at most, the built-in engine's more often.
const QUIET_MS: i64 = 20_000;
/// Characters of the driver's words that are kept.
const MAX_DETAIL: usize = 300;

/// A gap and its number, counted from the process's start.
#[derive(Debug)]
struct Gap {
    number: u64,
    row: GapRow,
}

#[derive(Debug)]
struct Inner {
    since: UnixMs,
    state: StreamState,
    heard_at: Option<UnixMs>,
    event_at: Option<UnixMs>,
    counts: Counts,
    /// Newest first.
    gaps: VecDeque<Gap>,
    numbered: u64,
    sweep: Option<SweepRow>,
    work: WorkLoad,
    slow: Slow,
}

/// The report's keeper.
#[derive(Debug)]
pub struct Stream {
    inner: Mutex<Inner>,
    /// Everything is to be looked at now.
    pub(super) look: Notify,
}

impl Default for Stream {
    fn default() -> Self {
        Self::new()
    }
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_DETAIL).collect()
}

impl Stream {
    /// Nothing is known yet.
    pub fn new() -> Self {
        let since = now_ms();
        let inner = Inner {
            since,
            state: StreamState::Connecting { since, failures: 0, cause: None, detail: String::new() },
            heard_at: None,
            event_at: None,
            counts: Counts::new(Instant::now()),
            gaps: VecDeque::new(),
            numbered: 0,
            sweep: None,
            work: WorkLoad::default(),
            slow: Slow::default(),
        };
        Self { inner: Mutex::new(inner), look: Notify::new() }
    }

    /// Everything that is known, as it is now.
    pub fn report(&self) -> StreamReport {
        let (now, at) = (now_ms(), Instant::now());
        let mut guard = lock(&self.inner);
        let i = &mut *guard;
        let state = match (&i.state, i.heard_at) {
            (StreamState::Connected { to, .. }, Some(heard)) if now - heard > QUIET_MS => {
                StreamState::Silent { to: to.clone(), since: heard }
            }
            (state, _) => state.clone(),
        };
        let (events, events_minute) = i.counts.events(at);
        StreamReport {
            state,
            heard_at: i.heard_at,
            event_at: i.event_at,
            lag: i.counts.lag(at),
            events,
            events_minute,
            kinds: i.counts.kinds(at),
            gaps: i.gaps.iter().map(|g| g.row.clone()).collect(),
            sweep: i.sweep,
            work: i.work,
            slowest: i.slow.slowest(now),
            since: i.since,
            now,
        }
    }

    /// Asks for a look at everything now. Returns at once; [`StreamReport::sweep`] tells
    /// when it was done.
    pub fn look_at_all(&self) {
        self.look.notify_one();
    }

    /// Asks for a look at one application, as part of the caller's transaction; a parked
    /// row is taken up again. `false`: there is no such application.
    pub async fn look_at(tx: &mut Tx<'_>, app: &AppRef) -> Result<bool, StoreError> {
        work::retry(tx, &app.work_key()).await
    }

    /// Connected. `true`: a gap is over.
    pub(super) fn attached(&self, to: &str, now: UnixMs) -> bool {
        let mut i = lock(&self.inner);
        i.state = StreamState::Connected { to: to.to_owned(), since: now };
        i.heard_at = Some(now);
        let open = i.gaps.front_mut().filter(|g| g.row.to.is_none());
        open.map(|g| g.row.to = Some(now)).is_some()
    }

    /// Something came.
    pub(super) fn heard(&self, now: UnixMs) {
        lock(&self.inner).heard_at = Some(now);
    }

    /// An event came; `at` is its own time.
    pub(super) fn event(&self, kind: &str, at: Option<UnixMs>, now: UnixMs) {
        let mut i = lock(&self.inner);
        (i.heard_at, i.event_at) = (Some(now), Some(now));
        i.counts.add(kind, at.map(|at| now.saturating_sub(at)), Instant::now());
    }

    /// Not connected any more, or still not.
    pub(super) fn detached(&self, cause: StreamEnd, why: &str, now: UnixMs) {
        let mut i = lock(&self.inner);
        let (why, heard) = (short(why), i.heard_at);
        match &mut i.state {
            StreamState::Connecting { failures, cause: last, detail, .. } => {
                (*failures, *last, *detail) = (*failures + 1, Some(cause), why);
            }
            StreamState::Reconnecting { failures, cause: last, detail, .. } => {
                (*failures, *last, *detail) = (*failures + 1, cause, why);
            }
            StreamState::Connected { .. } | StreamState::Silent { .. } => {
                let since = heard.unwrap_or(now);
                i.state = StreamState::Reconnecting { since, failures: 0, cause, detail: why.clone() };
                i.gap(GapRow { from: since, to: None, cause, detail: why, found: None });
            }
        }
    }

    /// The former process heard the stream last at `heard`; and these gaps, newest first,
    /// are in the journal.
    pub(super) fn restore(&self, former: Vec<GapRow>, heard: Option<UnixMs>) {
        let mut i = lock(&self.inner);
        for row in former.into_iter().take(StreamReport::GAPS) {
            i.gaps.push_back(Gap { number: 0, row });
        }
        if let Some(from) = heard {
            let detail = "Padis was not running".to_owned();
            i.gap(GapRow { from, to: None, cause: StreamEnd::Off, detail, found: None });
        }
    }

    /// A sweep begins now: what it finds answers for the gaps that are over, up to this number.
    pub(super) fn sweep_begins(&self) -> u64 {
        let i = lock(&self.inner);
        i.gaps.iter().find(|g| g.row.to.is_some()).map_or(0, |g| g.number)
    }

    /// What the sweep that began with `number` found; gives the gaps that it answers for.
    pub(super) fn swept(&self, number: u64, row: SweepRow, found: GapFound) -> Vec<GapRow> {
        let mut i = lock(&self.inner);
        i.sweep = Some(row);
        let answered = |g: &&mut Gap| g.number > 0 && g.number <= number && g.row.found.is_none();
        let fill = |g: &mut Gap| {
            g.row.found = Some(found);
            g.row.clone()
        };
        i.gaps.iter_mut().filter(answered).map(fill).collect()
    }

    /// An application was looked at and settled.
    pub(super) fn settled(&self, app: &AppRef, took: Duration, now: UnixMs) {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        lock(&self.inner).slow.note(app, took_ms, now);
    }

    /// An application is gone.
    pub(super) fn forget(&self, app: &AppRef) {
        lock(&self.inner).slow.forget(app);
    }

    pub(super) fn set_work(&self, work: WorkLoad) {
        lock(&self.inner).work = work;
    }

    /// When the stream was last heard, if it is connected.
    pub(super) fn heard_at(&self) -> Option<UnixMs> {
        let i = lock(&self.inner);
        matches!(i.state, StreamState::Connected { .. }).then_some(i.heard_at).flatten()
    }
}

impl Inner {
    fn gap(&mut self, row: GapRow) {
        self.numbered += 1;
        self.gaps.push_front(Gap { number: self.numbered, row });
        self.gaps.truncate(StreamReport::GAPS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(s: &Stream) -> Vec<(UnixMs, Option<UnixMs>, StreamEnd, Option<u32>)> {
        s.report().gaps.iter().map(|g| (g.from, g.to, g.cause, g.found.map(|f| f.instances))).collect()
    }

    fn swept(s: &Stream, number: u64, instances: u32) -> usize {
        let row = SweepRow { at: 0, took_ms: 0, apps: 0, instances: 0, changed: instances };
        s.swept(number, row, GapFound { instances, ..GapFound::default() }).len()
    }

    #[test]
    fn the_first_connection_ends_no_gap_and_a_cut_one_begins_when_it_was_last_heard() {
        let s = Stream::new();
        s.detached(StreamEnd::Unreachable, "nobody there", 10);
        s.detached(StreamEnd::NoLeader, "503", 20);
        let StreamState::Connecting { failures: 2, cause: Some(StreamEnd::NoLeader), .. } = s.report().state else {
            panic!("{:?}", s.report().state)
        };
        assert!(!s.attached("http://m1", 30));
        assert_eq!(gaps(&s), []);
        s.heard(40);
        s.detached(StreamEnd::Silent, "not a byte", 90);
        s.detached(StreamEnd::Unreachable, "nobody there", 95);
        assert_eq!(gaps(&s), [(40, None, StreamEnd::Silent, None)], "the first cause is the gap's");
        assert!(s.attached("http://m2", 100));
        assert_eq!(gaps(&s), [(40, Some(100), StreamEnd::Silent, None)]);
    }

    #[test]
    fn a_sweep_answers_for_the_gaps_that_were_over_when_it_began() {
        let s = Stream::new();
        s.attached("m", 0);
        s.detached(StreamEnd::Closed, "", 1);
        s.attached("m", 2);
        let first = s.sweep_begins();
        s.detached(StreamEnd::Closed, "", 3);
        let during = s.sweep_begins();
        s.attached("m", 4);
        assert_eq!(swept(&s, first, 3), 1);
        assert_eq!(swept(&s, during, 5), 0, "it had begun before the second gap was over");
        assert_eq!(gaps(&s).iter().map(|g| g.3).collect::<Vec<_>>(), [None, Some(3)]);
        assert_eq!(swept(&s, s.sweep_begins(), 0), 1);
        assert_eq!(gaps(&s).iter().map(|g| g.3).collect::<Vec<_>>(), [Some(0), Some(3)]);
    }

    #[test]
    fn the_list_of_gaps_is_bounded_and_what_the_journal_holds_stands_behind() {
        let s = Stream::new();
        let old = GapRow { from: 1, to: Some(2), cause: StreamEnd::Broken, detail: String::new(), found: None };
        s.restore(vec![old; 60], Some(7));
        assert_eq!(gaps(&s).len(), StreamReport::GAPS);
        assert_eq!(gaps(&s)[0], (7, None, StreamEnd::Off, None));
        assert!(s.attached("m", 9), "the time in which Padis was off is a gap");
        assert_eq!(swept(&s, s.sweep_begins(), 4), 1, "those of the journal are not told again");
        assert_eq!(gaps(&s)[0], (7, Some(9), StreamEnd::Off, Some(4)));
    }

    #[test]
    fn a_stream_that_is_not_heard_is_shown_as_silent() {
        let s = Stream::new();
        s.attached("m", now_ms() - 2 * QUIET_MS);
        assert!(matches!(s.report().state, StreamState::Silent { .. }));
        s.heard(now_ms());
        assert!(matches!(s.report().state, StreamState::Connected { .. }));
    }
}
