//! What is decided about middleware versions.

use crate::app::AppRef;
use crate::words::{Stage, UnixMs, words};
use serde::{Deserialize, Serialize};

words! {
    /// How long a middleware version still has.
    StackState {
        /// For everybody.
        Standard = "standard",
        /// Applications stay on it, and nothing new begins with it.
        Deprecated = "deprecated",
        /// Nobody chooses it any more, not even to go back to it.
        Retired = "retired",
    }
}

/// What is decided about one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackMark {
    /// How long it still has.
    pub state: StackState,
    /// Stages that it is for; empty: all.
    pub stages: Vec<Stage>,
    /// The version that takes its place; empty: none.
    pub successor: String,
    /// Why, for those who run on it.
    pub note: String,
    /// Who decided; empty: nobody has yet.
    pub by: String,
    /// When.
    pub at: Option<UnixMs>,
}

impl Default for StackMark {
    fn default() -> Self {
        Self {
            state: StackState::Standard,
            stages: Vec::new(),
            successor: String::new(),
            note: String::new(),
            by: String::new(),
            at: None,
        }
    }
}

impl StackMark {
    /// Whether it is for a stage.
    pub fn is_for(&self, stage: Stage) -> bool {
        self.stages.is_empty() || self.stages.contains(&stage)
    }
}

/// A decision that is to be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkEdit {
    /// `name:version`.
    pub key: String,
    /// How long it still has.
    pub state: StackState,
    /// Stages; empty: all.
    pub stages: Vec<Stage>,
    /// What takes its place; empty: nothing.
    pub successor: String,
    /// Why.
    pub note: String,
}

/// What somebody who runs an application should know of its middleware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackNotice {
    /// The application.
    pub app: AppRef,
    /// Its revision.
    pub revision: i64,
    /// What it runs on.
    pub key: String,
    /// What is decided about that.
    pub mark: StackMark,
    /// Whether the version that takes its place can be chosen.
    pub successor_there: bool,
    /// Whether the caller may move the application, and it can be moved now.
    pub may: bool,
}
