use super::Form;
use serde::{Deserialize, Serialize};

/// A recipe that is begun.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecipeForm {
    /// The base's repository in our own registry.
    pub repository: String,
    /// The base's tag.
    pub tag: String,
    /// Token.
    pub once: String,
}
impl Form for RecipeForm {}

/// A recipe that is to go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecipeEndForm {
    /// Its id.
    pub id: String,
}
impl Form for RecipeEndForm {}

/// A build that is to stop.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BuildStopForm {
    /// The recipe's id.
    pub id: String,
    /// Which build: a number.
    pub number: String,
}
impl Form for BuildStopForm {}
