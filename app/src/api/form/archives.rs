use super::Form;
use padis_domain::view::NewArchive;
use serde::{Deserialize, Serialize};

/// An image that is brought in as a file, without the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BringForm {
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag; empty: the file's.
    pub tag: String,
    /// Token.
    pub once: String,
}
impl Form for BringForm {}

impl BringForm {
    /// What is asked for, with a file of this name.
    pub fn read(&self, file_name: &str) -> NewArchive {
        NewArchive {
            registry: self.registry.clone(),
            repository: self.repository.trim().to_owned(),
            tag: self.tag.trim().to_owned(),
            file_name: file_name.to_owned(),
        }
    }
}

/// One that is to be stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArchiveStopForm {
    /// Its id.
    pub id: String,
}
impl Form for ArchiveStopForm {}
