use super::Form;
use padis_domain::Problem;
use padis_domain::problem::ValueFault;
use padis_domain::view::{NewCopy, NewPromotion, Retention, VersionToDelete};
use serde::{Deserialize, Serialize};

/// An image that is to be copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CopyForm {
    /// Source registry.
    pub from_registry: String,
    /// Source repository.
    pub from_repository: String,
    /// Source tag.
    pub from_tag: String,
    /// Target registry.
    pub to_registry: String,
    /// Target repository.
    pub to_repository: String,
    /// Target tag.
    pub to_tag: String,
    /// Token.
    pub once: String,
}
impl Form for CopyForm {}

impl CopyForm {
    /// What is asked for; blanks around it were not meant.
    pub fn read(&self) -> NewCopy {
        let tidy = |s: &str| s.trim().to_owned();
        NewCopy {
            from_registry: tidy(&self.from_registry),
            from_repository: tidy(&self.from_repository),
            from_tag: tidy(&self.from_tag),
            to_registry: tidy(&self.to_registry),
            to_repository: tidy(&self.to_repository),
            to_tag: tidy(&self.to_tag),
        }
    }
}

/// A copy that is to be stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CopyStopForm {
    /// Its id.
    pub id: String,
}
impl Form for CopyStopForm {}

/// An image that is to be promoted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromoteForm {
    /// Source registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// What it named when it was looked at.
    pub digest: String,
    /// Target registry.
    pub to: String,
    /// Why.
    pub note: String,
    /// Token.
    pub once: String,
}
impl Form for PromoteForm {}

impl PromoteForm {
    /// What is asked for.
    pub fn read(&self) -> NewPromotion {
        NewPromotion {
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            tag: self.tag.clone(),
            digest: self.digest.clone(),
            to: self.to.clone(),
            note: self.note.trim().to_owned(),
        }
    }
}

/// A promotion that is judged, withdrawn or rolled back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromotionForm {
    /// Its id.
    pub id: String,
    /// `yes` or `no`, where it is judged.
    pub verdict: String,
    /// Why.
    pub note: String,
}
impl Form for PromotionForm {}

/// Versions that are to be taken out of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetentionForm {
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// So many of the newest stay.
    pub newest: String,
    /// What is younger than so many days stays.
    pub days: String,
    /// Digests that were shown as going, with blanks between.
    pub seen: String,
    /// Token.
    pub once: String,
}
impl Form for RetentionForm {}

impl RetentionForm {
    /// The rule and the digests.
    ///
    /// # Errors
    /// A number that is none.
    pub fn read(&self) -> Result<(Retention, Vec<String>), Problem> {
        let number = |field: &str, text: &str| {
            text.trim().parse::<u32>().map_err(|_| Problem::field(field, ValueFault::Malformed))
        };
        let rule = Retention { newest: number("newest", &self.newest)?, days: number("days", &self.days)? };
        Ok((rule, self.seen.split_whitespace().map(str::to_owned).collect()))
    }
}

/// A version that is to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LookInsideForm {
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag.
    pub tag: String,
}
impl Form for LookInsideForm {}

/// A version that is to be deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteVersionForm {
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// What it named when it was looked at.
    pub digest: String,
    /// The tags that were shown as going, with blanks between.
    pub tags: String,
    /// The tag again, typed.
    pub confirm: String,
    /// Token.
    pub once: String,
}
impl Form for DeleteVersionForm {}

impl DeleteVersionForm {
    /// What is asked for.
    pub fn read(&self) -> VersionToDelete {
        VersionToDelete {
            registry: self.registry.clone(),
            repository: self.repository.clone(),
            tag: self.tag.clone(),
            digest: self.digest.clone(),
            tags: self.tags.split_whitespace().map(str::to_owned).collect(),
            confirm: self.confirm.trim().to_owned(),
        }
    }
}

/// A registry in which space is to be freed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CollectForm {
    /// Registry.
    pub registry: String,
    /// Token.
    pub once: String,
}
impl Form for CollectForm {}
