//! One version that is deleted, and bytes that are freed.

use super::images::{CopyState, RegistryRow};
use super::retention::Stays;
use crate::ports::{CollectProgress, Collected};
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};

/// What would become of a version if somebody deleted it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fate {
    /// What its tag names.
    pub digest: String,
    /// Every tag of the repository that names it: a registry deletes a digest with all of them.
    pub tags: Vec<String>,
    /// Why it can't be deleted; empty: it can.
    pub stays: Vec<Stays>,
    /// Whether the caller may.
    pub may: bool,
    /// Whether the registry lets us.
    pub takes: bool,
}

/// A version that is to be deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionToDelete {
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// What it named when it was looked at.
    pub digest: String,
    /// The tags that were seen to go.
    pub tags: Vec<String>,
    /// The tag again, typed.
    pub confirm: String,
}

/// A collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionRow {
    /// Its id.
    pub id: String,
    /// Registry.
    pub registry: String,
    /// How far.
    pub state: CopyState,
    /// How far exactly.
    pub at: CollectProgress,
    /// What it freed and kept; `None` until it is done.
    pub result: Option<Collected>,
    /// Why it ended, or does not go on for now; empty when nothing is wrong.
    pub why: String,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub asked_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
}

/// A registry, and what was freed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageRow {
    /// The registry.
    pub registry: RegistryRow,
    /// Whether Padis reaches its files.
    pub reached: bool,
    /// What is younger than so many seconds stays.
    pub young_s: u64,
    /// The last collections, newest first.
    pub runs: Vec<CollectionRow>,
}

/// All registries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectionsView {
    /// They, our own first.
    pub rows: Vec<StorageRow>,
    /// Whether the caller may let anything be freed.
    pub may: bool,
}
