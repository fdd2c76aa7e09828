//! The ports: what Padis asks of outside systems, in its own words.
//!
//! A driver's verbs are `list`, `put`, `delete`: `put` is an upsert, `delete` of
//! something absent succeeds, `list` tells everything that is ours. One could
//! get it wrong by reporting an unknown outcome as a failure: a time-out after
//! the request was sent is [`PortError::Unknown`], and the reconciler then looks
//! again before it does anything else.

mod balancer;
mod cluster;
mod collector;
mod directory;
mod dns;
mod network;
mod page;
mod registry;
mod scheduler;
mod survey;
mod workbench;

pub use balancer::*;
pub use cluster::*;
pub use collector::*;
pub use directory::*;
pub use dns::*;
pub use network::*;
pub use page::*;
pub use registry::*;
pub use scheduler::*;
pub use survey::*;
pub use workbench::*;

use crate::problem::System;

/// A cause chain for the operator's log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// How a call on a port failed.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// It did not happen; trying again later may help.
    #[error("{system:?}: {what}")]
    Transient {
        /// Which system.
        system: System,
        /// What was attempted.
        what: String,
        /// Why it failed.
        #[source]
        cause: Option<Cause>,
    },
    /// It did not happen and will not until somebody changes something.
    #[error("{system:?} refused: {reason}")]
    Refused {
        /// Which system.
        system: System,
        /// In plain words, safe to show to a user.
        reason: String,
        /// Details for the operator.
        #[source]
        cause: Option<Cause>,
    },
    /// It may have happened: observe before anything else.
    #[error("{system:?}: outcome unknown: {what}")]
    Unknown {
        /// Which system.
        system: System,
        /// What was attempted.
        what: String,
        /// What happened instead of an answer.
        #[source]
        cause: Option<Cause>,
    },
}

impl PortError {
    /// A transient failure with its cause.
    pub fn transient(system: System, what: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Transient { system, what: what.into(), cause: Some(cause.into()) }
    }
    /// A refusal.
    pub fn refused(system: System, reason: impl Into<String>) -> Self {
        Self::Refused { system, reason: reason.into(), cause: None }
    }
    /// An unknown outcome with its cause.
    pub fn unknown(system: System, what: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Unknown { system, what: what.into(), cause: Some(cause.into()) }
    }
    /// Which system it was.
    pub fn system(&self) -> System {
        match self {
            Self::Transient { system, .. } | Self::Refused { system, .. } | Self::Unknown { system, .. } => *system,
        }
    }
    /// The whole chain of causes in one line, for logs.
    pub fn chain(&self) -> String {
        let mut out = self.to_string();
        let mut next = std::error::Error::source(self);
        while let Some(e) = next {
            out.push_str(": ");
            out.push_str(&e.to_string());
            next = e.source();
        }
        out
    }
}

/// What a port's verb gives.
pub type PortResult<T> = Result<T, PortError>;
