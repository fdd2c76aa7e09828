//! The overview and the deliveries.

use super::PoolRow;
use crate::action::AppState;
use crate::app::AppRef;
use crate::delivery::Finding;
use crate::delivery::Note;
use crate::delivery::StepView;
use crate::problem::System;
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};

/// Something that needs attention now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// Bad (an application suffers) or only a warning.
    pub bad: bool,
    /// What it is about.
    pub what: AttentionKind,
    /// Since when.
    pub since: UnixMs,
    /// The application, if it is about one.
    pub app: Option<AppRef>,
    /// The pool, if it is about one.
    pub pool: Option<String>,
}

/// What needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionKind {
    /// A delivery waits or fails, with the step's note.
    Delivery {
        /// The release.
        release: u32,
        /// The note.
        note: Note,
    },
    /// Fewer instances are well than wanted.
    Degraded {
        /// Well.
        well: u32,
        /// Wanted.
        wanted: u32,
        /// What the sick one's page was found to answer, if known.
        finding: Option<Finding>,
    },
    /// Instances were replaced again and again.
    Replaced {
        /// How often in the last 20 minutes.
        times: u32,
        /// The last reason.
        finding: Option<Finding>,
    },
    /// An instance fills its host: what it writes into its own container has a limit.
    Writes {
        /// Bytes that it has written.
        bytes: u64,
        /// The limit.
        most: u64,
    },
    /// A pool has little left of something.
    PoolShort {
        /// Which.
        dimension: crate::quantity::Dimension,
        /// Free.
        free: u64,
        /// Total.
        total: u64,
    },
    /// A host is not heard.
    HostLost {
        /// Its name.
        host: String,
    },
    /// A system behind the portal does not answer.
    SystemDown {
        /// Which.
        system: System,
    },
    /// A row of the work queue is parked.
    WorkParked {
        /// Its key.
        key: String,
        /// Why.
        reason: String,
    },
}

/// The overview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// What needs attention, worst first.
    pub attention: Vec<Attention>,
    /// One entry per application, for the grid of squares: name and state.
    pub apps: Vec<(AppRef, AppState)>,
    /// Durations in ms of the successful deliveries of the last seven days, oldest first.
    pub delivery_ms: Vec<u64>,
    /// Deliveries of the last seven days that failed or were given up.
    pub deliveries_failed: u32,
    /// Instances replaced per day, 14 values, oldest first.
    pub replaced_per_day: Vec<u32>,
    /// Requests and failed requests through the balancer in the last 24 hours, 48 half-hours, oldest first.
    pub requests: Vec<(u64, u64)>,
    /// The last deliveries, newest first, at most 12.
    pub deliveries: Vec<DeliveryRow>,
    /// Pools, the tightest first.
    pub pools: Vec<PoolRow>,
    /// Now, by the server's clock.
    pub now: UnixMs,
}

/// A delivery in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// Application.
    pub app: AppRef,
    /// Its title.
    pub title: String,
    /// Release.
    pub release: u32,
    /// By whom.
    pub by: String,
    /// State.
    pub state: DeliveryState,
    /// The step that it is at, or failed at.
    pub step: crate::delivery::Step,
    /// Begun.
    pub began_at: UnixMs,
    /// First good answer, or given up.
    pub ended_at: Option<UnixMs>,
}

/// How a delivery ended, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// Under way.
    Running,
    /// Waits for something.
    Waiting,
    /// First good answer was had.
    Online,
    /// A step failed; it goes on by itself when the cause is gone.
    Failed,
    /// Overtaken by another change, stopped or deleted.
    GivenUp,
}

/// The rail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryView {
    /// Release.
    pub release: u32,
    /// State.
    pub state: DeliveryState,
    /// By whom (display name).
    pub by: String,
    /// Submitted at.
    pub began_at: UnixMs,
    /// First good answer.
    pub answered_at: Option<UnixMs>,
    /// Steps in order.
    pub steps: Vec<StepView>,
    /// Earlier deliveries of this application in ms, oldest first, at most 12; `None` failed.
    pub earlier_ms: Vec<Option<u64>>,
    /// Operators who can be asked about a step that waits or has failed, as
    /// `name (mail)`, at most three; empty where no step does.
    pub ask: Vec<String>,
    /// Now, by the server's clock.
    pub now: UnixMs,
}
