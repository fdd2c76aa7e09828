use super::Form;
use padis_domain::Problem;
use padis_domain::problem::ValueFault;
use padis_domain::view::{MarkEdit, StackState, StackView};
use padis_domain::words::Stage;
use serde::{Deserialize, Serialize};

/// A decision about a middleware version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MarkForm {
    /// `name:version`.
    pub key: String,
    /// `standard`, `deprecated` or `retired`.
    pub state: String,
    /// `on`: it is for development.
    pub dev: String,
    /// `on`: it is for test.
    pub test: String,
    /// `on`: it is for production.
    pub prod: String,
    /// Key of what takes its place; empty: nothing.
    pub successor: String,
    /// Why.
    pub note: String,
    /// Token.
    pub once: String,
}
impl Form for MarkForm {}

impl MarkForm {
    /// As it is decided now.
    pub fn of(s: &StackView) -> Self {
        let on = |stage| if s.mark.is_for(stage) { "on".to_owned() } else { String::new() };
        Self {
            key: s.key.clone(),
            state: s.mark.state.to_string(),
            dev: on(Stage::Dev),
            test: on(Stage::Test),
            prod: on(Stage::Prod),
            successor: s.mark.successor.clone(),
            note: s.mark.note.clone(),
            once: String::new(),
        }
    }

    /// The stages that are ticked.
    pub fn stages(&self) -> Vec<&'static str> {
        let all = [(&self.dev, Stage::Dev), (&self.test, Stage::Test), (&self.prod, Stage::Prod)];
        all.into_iter().filter(|(v, _)| !v.is_empty()).map(|(_, s)| s.as_str()).collect()
    }

    /// What is decided.
    ///
    /// # Errors
    /// A word that is no state; no stage at all.
    pub fn read(&self) -> Result<MarkEdit, Problem> {
        let state = StackState::parse(&self.state).ok_or_else(|| Problem::field("state", ValueFault::Malformed))?;
        let stages: Vec<Stage> = self.stages().into_iter().filter_map(Stage::parse).collect();
        if stages.is_empty() {
            return Err(Problem::missing("stages"));
        }
        Ok(MarkEdit {
            key: self.key.trim().to_owned(),
            state,
            stages,
            successor: self.successor.trim().to_owned(),
            note: self.note.trim().to_owned(),
        })
    }
}
