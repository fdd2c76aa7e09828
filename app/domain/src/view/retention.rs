//! What of a repository is still needed, and taking away what is not.

use crate::words::UnixMs;
use serde::{Deserialize, Serialize};

/// What stays in any case, whoever needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// So many of the newest.
    pub newest: u32,
    /// What was made, or first seen, less than so many days ago.
    pub days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { newest: 5, days: 30 }
    }
}

/// Why a version stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stays {
    /// An application runs it, or can go back to a release that did.
    Used,
    /// It is middleware that may be chosen.
    Standard,
    /// A promotion of it waits, or can be rolled back to it.
    Promotion,
    /// It is being copied, or a workbench is being made of it.
    OnItsWay,
    /// It may be a part of a version for several platforms that stays.
    Part,
    /// It is one of the newest.
    Newest,
    /// It is young.
    Young,
}

/// One digest of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionRow {
    /// Digest.
    pub digest: String,
    /// Every tag that names it here: a registry takes away a digest with all of them.
    pub tags: Vec<String>,
    /// Compressed bytes.
    pub bytes: u64,
    /// When it was made, or first seen, whichever is later.
    pub at: Option<UnixMs>,
    /// Why it stays; empty: it goes.
    pub stays: Vec<Stays>,
}

/// Once that somebody let it be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionRun {
    /// Who; empty: a rule that is kept by itself.
    pub by: String,
    /// When.
    pub asked_at: UnixMs,
    /// When it had ended.
    pub ended_at: Option<UnixMs>,
    /// Digests that are gone.
    pub gone: u64,
    /// Their compressed bytes; they are freed by a collection.
    pub gone_bytes: u64,
    /// Digests that stayed, because something needed them by then.
    pub kept: u64,
    /// Digests that are still to be taken away.
    pub left: u64,
    /// Why it does not go on for now; empty when it does.
    pub why: String,
}

/// A rule that is kept by itself: once a day what goes by it is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRule {
    /// The rule.
    pub rule: Retention,
    /// Who wants it.
    pub by: String,
    /// Since when.
    pub set_at: UnixMs,
    /// When it was last looked what goes by it; `None`: not yet.
    pub looked_at: Option<UnixMs>,
    /// When it is looked next.
    pub due_at: UnixMs,
}

/// What would go, what stays and why, and what was done before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionView {
    /// Every digest, newest first.
    pub rows: Vec<RetentionRow>,
    /// The last times, newest first.
    pub runs: Vec<RetentionRun>,
    /// What is kept by itself.
    pub kept: Option<KeptRule>,
    /// Whether the caller may have it done: he may, and the registry lets us.
    pub may: bool,
}
