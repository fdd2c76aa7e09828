//! What can go wrong, as the user hears it.
//!
//! A [`Problem`] is a code with the facts that its sentence needs; the sentences
//! stand in the app's texts, in Chinese and in English. It never carries a cause
//! chain, a path or a secret: those go to the log under an incident id. One
//! could get it wrong by putting a driver's message into a field that is shown.

use crate::package::PackageFault;
use crate::quantity::Shortage;
use crate::words::{Stage, UnixMs};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::cell::Cell;

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameFault {
    /// Nothing was given.
    Empty,
    /// Longer than `max` characters.
    TooLong {
        /// The limit.
        max: u32,
    },
    /// Holds a character that is not allowed.
    Character {
        /// The first one found.
        found: char,
    },
    /// Starts with a digit or hyphen.
    MustStartWithLetter,
    /// Ends with a hyphen.
    MustNotEndWithHyphen,
    /// Belongs to the platform.
    Reserved,
}

/// What is wrong with the value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueFault {
    /// Required and missing.
    Missing,
    /// Not a number, not a subnet: does not have the form.
    Malformed,
    /// Outside the allowed range, in the field's unit.
    OutOfRange {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// Names something that does not exist (any more).
    Unknown,
    /// Overlaps with something that exists.
    Overlaps {
        /// With what.
        with: String,
    },
    /// Longer than `max` characters.
    TooLong {
        /// The limit.
        max: u32,
    },
    /// A name's rule is broken.
    Name {
        /// Which.
        fault: NameFault,
    },
    /// The typed confirmation is not the name.
    NotConfirmed,
    /// The same name twice.
    Repeated,
    /// The end of a span lies before its beginning.
    EndsBeforeItBegins,
}

/// An outside system, as users know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// Marathon or the built-in engine.
    Scheduler,
    /// Mesos.
    Cluster,
    /// Docker Engine.
    Docker,
    /// The image registry.
    Registry,
    /// The container network.
    Network,
    /// The name server.
    Dns,
    /// The load balancer.
    Balancer,
    /// LDAP.
    Directory,
    /// Padis's own database.
    Database,
    /// The data folder's disk.
    Disk,
}

/// One changed field, for "somebody else changed it meanwhile".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's stable name (`instances`, `size`, `health`, `env.NAME`, `release`, `state` …).
    pub field: String,
    /// Before, in plain words; never a secret.
    pub before: String,
    /// After.
    pub after: String,
}

/// A refused or failed request, as the user hears it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// No session, or it has ended.
    #[error("not signed in")]
    NotSignedIn,
    /// Signed in, but may not. Only for things whose existence the caller may know.
    #[error("not allowed")]
    NotAllowed {
        /// The role that may.
        needs: String,
    },
    /// Does not exist, or belongs to somebody else: one answer for both.
    #[error("not found")]
    NotFound,
    /// Sign-in failed, whatever the reason.
    #[error("sign-in failed")]
    SignInFailed,
    /// Too many attempts.
    #[error("too many attempts")]
    TooManyAttempts {
        /// Seconds until the next is accepted.
        retry_after_s: u32,
    },
    /// A name that exists already.
    #[error("name taken: {name}")]
    NameTaken {
        /// The form's field.
        field: String,
        /// The name.
        name: String,
    },
    /// A field's value is not acceptable.
    #[error("field {field}: {fault:?}")]
    Field {
        /// The form's field.
        field: String,
        /// What is wrong with it.
        fault: ValueFault,
    },
    /// Several fields at once.
    #[error("{} fields", problems.len())]
    Fields {
        /// One [`Problem`] for each; none of them `Fields` again.
        #[serde(deserialize_with = "flat")]
        problems: Vec<Problem>,
    },
    /// More than the team's quota in the pool.
    #[error("over quota in {pool}")]
    OverQuota {
        /// The pool.
        pool: String,
        /// The team.
        team: String,
        /// What is short.
        shortage: Shortage,
    },
    /// The team's images take as much of a registry as they may.
    #[error("no room for images of {}", room.team)]
    NoRoomForImages {
        /// How much they take, and may take.
        room: crate::view::TeamRoom,
    },
    /// The team has no quota in that pool at all.
    #[error("no quota in {pool}")]
    NoQuota {
        /// The pool.
        pool: String,
        /// The team.
        team: String,
    },
    /// No host of the pool could ever hold one instance.
    #[error("no host in {pool} is large enough")]
    NoHostLargeEnough {
        /// The pool.
        pool: String,
        /// Free thousandths of a core on the best host.
        best_cpu_milli: u64,
        /// Free MiB on the best host.
        best_mem_mib: u64,
    },
    /// The pool has too few free addresses.
    #[error("no free address in {pool}")]
    NoFreeAddress {
        /// The pool.
        pool: String,
        /// How many are free.
        free: u64,
        /// How many leave quarantine within ten minutes.
        soon: u64,
    },
    /// The uploaded file is not acceptable.
    #[error("package refused: {fault:?}")]
    Package {
        /// Why.
        fault: PackageFault,
    },
    /// The package does not fit the middleware.
    #[error("package kind {kind} does not fit {stack}")]
    PackageDoesNotFit {
        /// The package's kind.
        kind: String,
        /// The stack.
        stack: String,
    },
    /// The middleware's image is not in the registry (any more).
    #[error("the image of {stack} is gone")]
    StackGone {
        /// The stack.
        stack: String,
    },
    /// The middleware's version may not be chosen for this any more, or not in this stage.
    #[error("{stack} is not offered")]
    StackNotOffered {
        /// The stack.
        stack: String,
        /// The stage that it is not for; `None`: it is deprecated or retired.
        stage: Option<Stage>,
        /// What takes its place; empty: nothing.
        successor: String,
    },
    /// Somebody else changed it after this page was loaded.
    #[error("changed by {by}")]
    ChangedMeanwhile {
        /// Who.
        by: String,
        /// When.
        at: UnixMs,
        /// The revision that there is now: a form that is sent again names this one.
        revision: i64,
        /// What.
        changes: Vec<FieldChange>,
    },
    /// The state does not allow the action; the reason is the one that the disabled button shows.
    #[error("not now")]
    NotNow {
        /// Why.
        reason: crate::action::Reason,
    },
    /// What is checked before it does not hold; the page that it was asked on shows which.
    #[error("what is checked before does not hold")]
    NotReady,
    /// Still in use, so it can't be deleted.
    #[error("in use by {by}")]
    InUse {
        /// By what, in plain words: a list of names, comma-separated.
        by: String,
    },
    /// An outside system does not answer. The intent is kept where there is one.
    #[error("{system:?} does not answer")]
    Unavailable {
        /// Which.
        system: System,
        /// The id under which the causes stand in the log.
        incident: String,
    },
    /// The disk is full.
    #[error("disk full")]
    DiskFull {
        /// Bytes free.
        free_bytes: u64,
        /// Bytes needed.
        need_bytes: u64,
    },
    /// Our fault.
    #[error("internal, incident {incident}")]
    Internal {
        /// The id under which the causes stand in the log.
        incident: String,
    },
}

/// Reads problems that hold no further ones: what is read may stand in an address
/// that somebody forged, and a million levels would be one stack overflow.
fn flat<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Problem>, D::Error> {
    thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });
    if INSIDE.replace(true) {
        return Err(D::Error::custom("problems within problems"));
    }
    let problems = Vec::deserialize(from);
    INSIDE.set(false);
    problems
}

impl Problem {
    /// A field that is missing.
    pub fn missing(field: &str) -> Self {
        Self::Field { field: field.to_owned(), fault: ValueFault::Missing }
    }
    /// A field whose value is not acceptable.
    pub fn field(field: &str, fault: ValueFault) -> Self {
        Self::Field { field: field.to_owned(), fault }
    }
    /// The HTTP status that fits.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotSignedIn | Self::SignInFailed => 401,
            Self::NotAllowed { .. } => 403,
            Self::NotFound => 404,
            Self::NameTaken { .. }
            | Self::ChangedMeanwhile { .. }
            | Self::NotNow { .. }
            | Self::NotReady
            | Self::InUse { .. } => 409,
            Self::TooManyAttempts { .. } => 429,
            Self::Unavailable { .. } => 503,
            Self::DiskFull { .. } => 507,
            Self::Internal { .. } => 500,
            _ => 422,
        }
    }
    /// The form's field that it is about, if one.
    pub fn about_field(&self) -> Option<&str> {
        match self {
            Self::Field { field, .. } | Self::NameTaken { field, .. } => Some(field),
            Self::OverQuota { .. }
            | Self::NoQuota { .. }
            | Self::NoFreeAddress { .. }
            | Self::NoHostLargeEnough { .. } => Some("pool"),
            Self::Package { .. } | Self::PackageDoesNotFit { .. } => Some("package"),
            Self::StackGone { .. } | Self::StackNotOffered { .. } => Some("stack"),
            _ => None,
        }
    }
}
