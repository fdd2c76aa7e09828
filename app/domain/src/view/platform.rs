//! The inside of the platform: work, journal, people.

use crate::problem::FieldChange;
use crate::problem::System;
use crate::words::PlatformRole;
use crate::words::TeamRole;
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A row of the work queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkRow {
    /// Key.
    pub key: String,
    /// `due`, `running`, `backing-off`, `parked`, `idle`.
    pub state: String,
    /// Times wanted.
    pub wanted: i64,
    /// Times done.
    pub done: i64,
    /// Failed attempts in a row.
    pub attempts: u32,
    /// Next due at.
    pub due_at: UnixMs,
    /// The worker that has it.
    pub lease: Option<String>,
    /// The last outcome for the operator, secrets excluded.
    pub outcome: String,
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRow {
    /// Sequence number.
    pub seq: i64,
    /// When.
    pub at: UnixMs,
    /// Account, or `padis` for the reconciler.
    pub who: String,
    /// What, a stable word such as `app.create`.
    pub what: String,
    /// On what, e.g. `app:motor/claims`.
    pub subject: String,
    /// Team whose thing it is, if one.
    pub team: Option<String>,
    /// What changed.
    pub changes: Vec<FieldChange>,
    /// This row's hash, hex.
    pub hash: String,
    /// Whether the chain up to here is unbroken.
    pub intact: bool,
}

/// A system behind the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemRow {
    /// Which.
    pub system: System,
    /// Whether it answers.
    pub up: bool,
    /// Since when it has been so.
    pub since: UnixMs,
    /// Where it is, without credentials.
    pub at: String,
    /// For the operator: the last error, or what it is.
    pub detail: String,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamView {
    /// Slug.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Members: account, display name, role, and whether by a directory group.
    pub people: Vec<(String, String, TeamRole, bool)>,
    /// Directory groups that give membership, with the role.
    pub groups: Vec<(String, TeamRole)>,
    /// Applications.
    pub apps: u32,
}

/// The form for a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamEdit {
    /// Slug.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Directory groups (distinguished names) with the role each gives.
    pub groups: Vec<(String, TeamRole)>,
    /// Whether it must not exist yet.
    pub new: bool,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Account.
    pub account: String,
    /// Display name.
    pub name: String,
    /// Built in, else from the directory.
    pub built_in: bool,
    /// May sign in.
    pub enabled: bool,
    /// Platform role.
    pub platform: Option<PlatformRole>,
    /// Teams.
    pub teams: BTreeMap<String, TeamRole>,
    /// Last sign-in.
    pub last_seen: Option<UnixMs>,
}

/// The form for a built-in account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonEdit {
    /// Account.
    pub account: String,
    /// Display name.
    pub name: String,
    /// New password; empty keeps it. At least 10 characters.
    pub password: String,
    /// May sign in.
    pub enabled: bool,
    /// Platform role.
    pub platform: Option<PlatformRole>,
    /// Teams.
    pub teams: BTreeMap<String, TeamRole>,
    /// Whether it must not exist yet.
    pub new: bool,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Public id.
    pub id: String,
    /// Account.
    pub account: String,
    /// From which address.
    pub address: String,
    /// Browser, shortened.
    pub agent: String,
    /// Signed in at.
    pub began_at: UnixMs,
    /// Last used at.
    pub seen_at: UnixMs,
    /// The caller's own present one.
    pub current: bool,
}
