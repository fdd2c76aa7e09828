//! The event stream, the work queue behind it, and what was missed: for operators.
//!
//! Everything here is bounded and comes out of one process's memory: another
//! replica has its own stream and counts its own events. Rates are of the last
//! sixty seconds; sums are since [`StreamReport::since`].

use crate::app::AppRef;
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};

/// What the reconciler knows of Marathon's event stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamReport {
    /// How the stream is.
    pub state: StreamState,
    /// When anything was last heard, heartbeats included.
    pub heard_at: Option<UnixMs>,
    /// When the last event was heard.
    pub event_at: Option<UnixMs>,
    /// How far behind Marathon's clock events are heard; `None`: no event yet that says when it was.
    pub lag: Option<StreamLag>,
    /// Events.
    pub events: u64,
    /// … in the last minute.
    pub events_minute: u64,
    /// By type, most frequent first, at most [`StreamReport::KINDS`]; the last is of all other types.
    pub kinds: Vec<EventCount>,
    /// Gaps, newest first, at most [`StreamReport::GAPS`]; those of former processes included.
    pub gaps: Vec<GapRow>,
    /// The last look at everything, if there was one.
    pub sweep: Option<SweepRow>,
    /// The work queue.
    pub work: WorkLoad,
    /// The applications that take longest, the slowest first, at most [`StreamReport::SLOWEST`].
    pub slowest: Vec<SlowApp>,
    /// Since when this process counts.
    pub since: UnixMs,
    /// Now, by the server's clock.
    pub now: UnixMs,
}

impl StreamReport {
    /// Event types that are counted apart.
    pub const KINDS: usize = 48;
    /// Gaps that are kept.
    pub const GAPS: usize = 50;
    /// Slow applications that are shown.
    pub const SLOWEST: usize = 10;
    /// The type under which events of too many types are counted.
    pub const OTHER_KINDS: &'static str = "other";
    /// The type under which events are counted that can't be read.
    pub const GARBLED: &'static str = "garbled";
}

/// How the stream is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamState {
    /// Never connected yet in this process; the last attempt's failure, if one failed.
    Connecting {
        /// Since when.
        since: UnixMs,
        /// Attempts that failed.
        failures: u32,
        /// Why the last one did.
        cause: Option<StreamEnd>,
        /// The same for the operator, in the driver's words.
        detail: String,
    },
    /// Connected, and heard.
    Connected {
        /// The endpoint, without credentials.
        to: String,
        /// Since when.
        since: UnixMs,
    },
    /// Connected, but nothing was heard for longer than a heartbeat takes to come.
    Silent {
        /// The endpoint, without credentials.
        to: String,
        /// When it was last heard.
        since: UnixMs,
    },
    /// It broke; another attempt is made after a pause.
    Reconnecting {
        /// When it was last heard.
        since: UnixMs,
        /// Attempts that failed since.
        failures: u32,
        /// Why the last one did.
        cause: StreamEnd,
        /// The same for the operator, in the driver's words.
        detail: String,
    },
}

/// Why a stream ended, or was not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamEnd {
    /// Open, but not a byte came, not even a heartbeat.
    Silent,
    /// The other side ended it in order: Marathon restarts, or another one leads.
    Closed,
    /// The connection broke.
    Broken,
    /// No connection: nobody there, or no answer in time.
    Unreachable,
    /// The other side's certificate is not one that we trust.
    Untrusted,
    /// It answers that it has no leader.
    NoLeader,
    /// It does not accept our account.
    Unauthorized,
    /// It answers something else than a stream.
    Refused,
    /// An event without an end.
    Endless,
    /// This reader fell behind, and events were dropped.
    Behind,
    /// Padis itself was not running.
    Off,
}

/// How late events are heard: our clock at reception less the event's own time,
/// in milliseconds. Below zero when Marathon's clock is ahead of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamLag {
    /// Of the last event.
    pub last_ms: i64,
    /// 99 of 100 events of the last minute were not later, within a third; `None`: no event in it.
    pub p99_minute_ms: Option<i64>,
}

/// How many events of a type were heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCount {
    /// Marathon's name, `status_update_event`.
    pub kind: String,
    /// All.
    pub count: u64,
    /// In the last minute.
    pub minute: u64,
}

/// A time for which nobody knows what was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapRow {
    /// When the stream was last heard.
    pub from: UnixMs,
    /// When it was connected again; `None`: it is not yet.
    pub to: Option<UnixMs>,
    /// Why.
    pub cause: StreamEnd,
    /// The same for the operator, in the driver's words.
    pub detail: String,
    /// What the sweep after it found; `None`: it is still looking.
    pub found: Option<GapFound>,
}

/// What a sweep found changed that no event had told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapFound {
    /// Instances that had come, gone or changed their state.
    pub instances: u32,
    /// Applications whose instances these are.
    pub apps: u32,
    /// Applications that were compared.
    pub looked: u32,
    /// Milliseconds that the sweep took.
    pub took_ms: u64,
}

/// A look at everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepRow {
    /// Begun.
    pub at: UnixMs,
    /// Milliseconds.
    pub took_ms: u64,
    /// Marathon apps that were read.
    pub apps: u32,
    /// Their instances.
    pub instances: u32,
    /// Instances that were not as last seen.
    pub changed: u32,
}

/// The work queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkLoad {
    /// Rows that are due and nobody is at.
    pub due: u64,
    /// Rows that wait for their time.
    pub waiting: u64,
    /// Rows that a worker is at.
    pub in_work: u64,
    /// Rows that are left alone until somebody asks.
    pub parked: u64,
    /// Since when the oldest of those that are due has been.
    pub oldest_due: Option<UnixMs>,
    /// When this was counted; 0: not yet.
    pub at: UnixMs,
}

/// How long an application takes from being looked at to being settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowApp {
    /// Which.
    pub app: AppRef,
    /// Milliseconds of the last look.
    pub last_ms: u64,
    /// Milliseconds of the longest one within the last hour.
    pub longest_ms: u64,
    /// When that was.
    pub longest_at: UnixMs,
}
