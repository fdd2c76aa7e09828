//! What happened to an application.

use super::{GapFound, StreamEnd};
use crate::delivery::Finding;
use crate::delivery::Note;
use crate::problem::FieldChange;
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};

/// One thing that happened, with its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineItem {
    /// When.
    pub at: UnixMs,
    /// What.
    pub event: Event,
}

/// What happened to an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody did something.
    Did {
        /// Who (display name).
        by: String,
        /// What: the action's word, or `create`.
        action: String,
        /// What changed.
        changes: Vec<FieldChange>,
    },
    /// An instance came up in a slot.
    Started {
        /// Slot.
        slot: u32,
        /// Release.
        release: u32,
        /// Host.
        host: String,
        /// Address.
        address: Option<String>,
    },
    /// An instance became well and takes requests.
    Well {
        /// Slot.
        slot: u32,
        /// Release.
        release: u32,
        /// Address.
        address: String,
    },
    /// A sick instance was taken out and is replaced.
    Replaced {
        /// Slot.
        slot: u32,
        /// Release.
        release: u32,
        /// Why.
        finding: Finding,
        /// How many times in a row.
        times: u32,
    },
    /// An instance ended by itself or behind the portal's back.
    Died {
        /// Slot.
        slot: Option<u32>,
        /// Release.
        release: u32,
        /// Marathon's state, e.g. `TASK_FAILED`.
        state: String,
        /// Marathon's message, e.g. `exit code 137`.
        message: String,
        /// Host.
        host: String,
    },
    /// An instance left as planned.
    Left {
        /// Slot.
        slot: u32,
        /// Release.
        release: u32,
        /// Requests that were still finished.
        drained: bool,
        /// Its host, if it left because that is taken out of service.
        #[serde(default)]
        host: Option<String>,
    },
    /// A delivery came online.
    Online {
        /// Release.
        release: u32,
        /// Milliseconds.
        took_ms: u64,
    },
    /// A delivery step failed or waits.
    Stuck {
        /// Release.
        release: u32,
        /// Step.
        step: crate::delivery::Step,
        /// Why.
        note: Note,
    },
    /// A claim was given back.
    Released {
        /// `address`, `name`, `member`, `service`.
        kind: String,
        /// Its reference: address, name.
        what: String,
    },
    /// The event stream was silent.
    Gap {
        /// From.
        from: UnixMs,
        /// To.
        to: UnixMs,
        /// Why; `None` in what was written before December 2026.
        #[serde(default)]
        cause: Option<StreamEnd>,
        /// What was found changed after it, if a sweep got to its end.
        #[serde(default)]
        found: Option<GapFound>,
    },
}
