use super::Form;
use padis_domain::view::NewCopy;
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
