//! Promotions: an image goes from one stage's registry to the next one's, by digest.

use crate::view::{CopyState, TeamRoom};
use crate::words::{Stage, UnixMs};
use serde::{Deserialize, Serialize};

/// Something that is looked at before an image is promoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionCheck {
    /// Its manifest and configuration could be read, and it is an image.
    Readable(bool),
    /// Hosts here can run it.
    RunsHere(bool),
    /// It is not larger than the target takes.
    Size {
        /// Compressed bytes.
        bytes: u64,
        /// At most so many.
        most: u64,
    },
    /// An application that is online in the source's stage runs exactly it.
    Runs(bool),
    /// The team has a quota in a pool of the source's stage and of the target's.
    Right(bool),
    /// Nothing in it looks like a private key or like what somebody typed.
    Clean {
        /// Whether it is known what is inside.
        read: bool,
        /// How many files do.
        found: u64,
        /// The first of them.
        first: String,
    },
    /// The team's images leave room for it at the target.
    Room(TeamRoom),
    /// Nobody else has asked for the same version of the target.
    Free {
        /// Who has; empty: nobody.
        by: String,
    },
}

impl PromotionCheck {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        match self {
            Self::Readable(ok) | Self::RunsHere(ok) | Self::Runs(ok) | Self::Right(ok) => *ok,
            Self::Size { bytes, most } => bytes <= most,
            Self::Clean { read, found, .. } => *read && *found == 0,
            Self::Room(room) => room.has(0, 0),
            Self::Free { by } => by.is_empty(),
        }
    }
}

/// A registry that a version can be promoted to, and what is checked for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionOffer {
    /// Target registry.
    pub registry: String,
    /// Its address as image references have it.
    pub place: String,
    /// Its stage.
    pub stage: Stage,
    /// What the version names there now; empty: nothing.
    pub there: String,
    /// Whether somebody else has to agree.
    pub approval: bool,
    /// What is checked.
    pub checks: Vec<PromotionCheck>,
    /// Whether the caller may ask for it.
    pub may: bool,
}

/// What people have decided about a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromotionState {
    /// Somebody else has to agree.
    Asked,
    /// Somebody has said no.
    Refused,
    /// Whoever asked for it does not want it any more.
    Withdrawn,
    /// It is under way, or there: its copy tells.
    Approved,
    /// It was rolled back, or is being.
    Back,
}

impl PromotionState {
    /// All.
    pub const ALL: [Self; 5] = [Self::Asked, Self::Approved, Self::Back, Self::Refused, Self::Withdrawn];

    /// The word in the database and in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Approved => "approved",
            Self::Back => "back",
        }
    }

    /// From its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// A promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionRow {
    /// Its id.
    pub id: String,
    /// From which registry, repository and tag.
    pub from: (String, String, String),
    /// To which.
    pub to: (String, String, String),
    /// The target's stage.
    pub stage: Option<Stage>,
    /// What.
    pub digest: String,
    /// What the target's tag named before; empty: nothing.
    pub before: String,
    /// Compressed bytes.
    pub bytes: u64,
    /// What people have decided.
    pub state: PromotionState,
    /// How far the copy is that this led to; `None`: there is none.
    pub copy: Option<CopyState>,
    /// What went wrong with that; empty when nothing did.
    pub why: String,
    /// What was checked when it was asked for.
    pub checks: Vec<PromotionCheck>,
    /// What whoever asked wrote.
    pub note: String,
    /// Who asked.
    pub by: String,
    /// When.
    pub asked_at: UnixMs,
    /// Who agreed, or did not; empty: nobody had to, or has yet.
    pub judged_by: String,
    /// When.
    pub judged_at: Option<UnixMs>,
    /// What they wrote.
    pub judged_note: String,
    /// Who rolled it back; empty: nobody.
    pub back_by: String,
    /// When.
    pub back_at: Option<UnixMs>,
    /// What the caller may do with it now.
    pub may: PromotionMay,
}

/// What the caller may do with a promotion now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionMay {
    /// Say yes or no.
    pub judge: bool,
    /// Take it back before anybody has said so.
    pub withdraw: bool,
    /// Roll it back.
    pub roll_back: bool,
}

/// What is asked for when an image is to be promoted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPromotion {
    /// Source registry.
    pub registry: String,
    /// Repository, the same on both sides.
    pub repository: String,
    /// Tag, the same on both sides.
    pub tag: String,
    /// What the tag named when it was looked at.
    pub digest: String,
    /// Target registry.
    pub to: String,
    /// Why, for whoever has to agree.
    pub note: String,
}
