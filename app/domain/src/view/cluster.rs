//! The cluster for those who run it, cut to what one page shows.

use crate::ports::{AgentSeen, Amounts, Duty, FrameworkSeen, LeaderSeen, RoleSeen};
use crate::view::Page;
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How an agent is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentState {
    /// The master does not hear it.
    Silent,
    /// It gets nothing new, and what it has goes.
    Draining,
    /// It gets nothing new, and what it has runs on.
    Closed,
    /// It gets nothing new and has nothing.
    Empty,
    /// It is heard; whether somebody has announced that it leaves is not known.
    Heard,
    /// It takes tasks.
    Working,
}

impl AgentState {
    /// All.
    pub const ALL: [Self; 6] = [Self::Working, Self::Heard, Self::Closed, Self::Draining, Self::Empty, Self::Silent];

    /// Of an agent.
    pub fn of(a: &AgentSeen) -> Self {
        match a.duty {
            Some(Duty::Working) => Self::Working,
            Some(Duty::Silent) => Self::Silent,
            Some(Duty::Drained) => Self::Empty,
            Some(Duty::Draining) if a.closed => Self::Closed,
            Some(Duty::Draining) => Self::Draining,
            None if a.active => Self::Heard,
            None => Self::Silent,
        }
    }

    /// The word in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Heard => "heard",
            Self::Closed => "closed",
            Self::Draining => "draining",
            Self::Empty => "empty",
            Self::Silent => "silent",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// One page of one of the cluster's lists, and what stands above it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterView {
    /// Who leads.
    pub leader: LeaderSeen,
    /// When the cluster was looked at; `None`: not yet.
    pub at: Option<UnixMs>,
    /// Since when it does not answer, and in its own words why, if it does not.
    pub down: Option<(UnixMs, String)>,
    /// How many agents there are in each state.
    pub agents: BTreeMap<AgentState, u64>,
    /// How many roles.
    pub roles: u64,
    /// How many frameworks.
    pub frameworks: u64,
    /// What all agents have.
    pub total: Amounts,
    /// What tasks hold of it.
    pub used: Amounts,
    /// Why the master tells of roles only what is reserved for them, if it does.
    pub roles_untold: Option<String>,
    /// The list that was asked for.
    pub list: ClusterList,
}

impl ClusterView {
    /// [`crate::view::ListQuery::state`] of the roles.
    pub const ROLES: &'static str = "roles";
    /// [`crate::view::ListQuery::state`] of the frameworks.
    pub const FRAMEWORKS: &'static str = "frameworks";
}

/// A list of the cluster's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterList {
    /// Agents, of one [`AgentState`] or of all.
    Agents(Page<AgentSeen>),
    /// Roles.
    Roles(Page<RoleSeen>),
    /// Frameworks, each with whether it runs our applications.
    Frameworks(Page<(FrameworkSeen, bool)>),
}
