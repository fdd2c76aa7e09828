//! Lists, counts, hits: what every area shares.

use crate::Problem;
use crate::words::{Stage, UnixMs};
use serde::{Deserialize, Serialize};

/// The state of a list, as it stands in the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    /// Text to find.
    pub q: String,
    /// Stage, `None` for all.
    pub stage: Option<Stage>,
    /// Team slug, empty for all the caller may see.
    pub team: String,
    /// The first moment, where a list has times; `None`: from the beginning.
    pub from: Option<UnixMs>,
    /// The last moment, itself included; `None`: until now.
    pub to: Option<UnixMs>,
    /// State word of the list's own vocabulary, empty for all.
    pub state: String,
    /// Name of the column to sort by, empty for the list's own order.
    pub sort: String,
    /// Descending.
    pub desc: bool,
    /// Page number from 1; 0 means 1.
    pub page: u32,
    /// Rows a page; 0 means 50; at most 200.
    pub per_page: u32,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Rows of all pages.
    pub total: u64,
    /// This page from 1.
    pub page: u32,
    /// Rows a page.
    pub per_page: u32,
}

/// Counts beside the navigation's entries; `None` is not shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NavCounts {
    /// Things that need attention.
    pub attention: u64,
    /// Applications.
    pub apps: u64,
    /// Standard middleware versions.
    pub stacks: u64,
    /// Packages.
    pub packages: u64,
    /// Pools.
    pub pools: u64,
    /// Stuck rows of the work queue (operators).
    pub stuck: Option<u64>,
}

/// A search hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// `app`, `address`, `name`, `stack`, `package`, `pool`, `host`, `person`, `team`.
    pub kind: String,
    /// Its name.
    pub title: String,
    /// A second line.
    pub detail: String,
    /// Path to go to, below the portal.
    pub path: String,
}

/// A problem together with the state of the form, when the form comes back without JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormBack {
    /// What is wrong.
    pub problem: Problem,
}
