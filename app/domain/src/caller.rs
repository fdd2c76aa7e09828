//! Who asks, and what that allows.
//!
//! Holding the capability is the permission: [`Caller::operator`] gives a
//! [`Permit`] or a [`Problem`], and what needs it takes it as an argument. One
//! could get it wrong by telling a stranger "not allowed" about something whose
//! existence is none of his business: for another team's things the answer is
//! [`Problem::NotFound`].

use crate::problem::Problem;
use crate::words::{PlatformRole, TeamRole};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// The signed-in person behind a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Account name: unique, lower case.
    pub account: String,
    /// Display name.
    pub name: String,
    /// Teams with the role in each.
    pub teams: BTreeMap<String, TeamRole>,
    /// Role on the platform, if any.
    pub platform: Option<PlatformRole>,
    /// The session's public id (never its secret).
    pub session: String,
}

/// Proof that the caller may do what `K` names.
#[derive(Debug)]
pub struct Permit<'c, K> {
    /// Who.
    pub caller: &'c Caller,
    _kind: PhantomData<K>,
}

/// May change the platform: pools, quotas, teams, work queue.
#[derive(Debug)]
pub struct Operate;
/// May see the platform's inside: operators and auditors.
#[derive(Debug)]
pub struct Inspect;
/// May change one team's applications.
#[derive(Debug)]
pub struct Run;
/// May see one team's things.
#[derive(Debug)]
pub struct Look;

/// Which teams' rows a query may return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All.
    Everything,
    /// These only; may be empty.
    Teams(Vec<String>),
}

impl Caller {
    fn permit<K>(&self) -> Permit<'_, K> {
        Permit { caller: self, _kind: PhantomData }
    }
    /// May change the platform.
    pub fn operator(&self) -> Result<Permit<'_, Operate>, Problem> {
        match self.platform {
            Some(PlatformRole::Operator) => Ok(self.permit()),
            _ => Err(Problem::NotAllowed { needs: "operator".into() }),
        }
    }
    /// May see the platform's inside.
    pub fn inspector(&self) -> Result<Permit<'_, Inspect>, Problem> {
        match self.platform {
            Some(_) => Ok(self.permit()),
            None => Err(Problem::NotAllowed { needs: "operator".into() }),
        }
    }
    /// May change `team`'s applications: its members, and operators.
    pub fn runs(&self, team: &str) -> Result<Permit<'_, Run>, Problem> {
        match (self.teams.get(team), self.platform) {
            (Some(_), p) if p != Some(PlatformRole::Auditor) => Ok(self.permit()),
            (_, Some(PlatformRole::Operator)) => Ok(self.permit()),
            (_, Some(PlatformRole::Auditor)) => Err(Problem::NotAllowed { needs: "member".into() }),
            _ => Err(Problem::NotFound),
        }
    }
    /// May see `team`'s things.
    pub fn sees(&self, team: &str) -> Result<Permit<'_, Look>, Problem> {
        if self.teams.contains_key(team) || self.platform.is_some() {
            Ok(self.permit())
        } else {
            Err(Problem::NotFound)
        }
    }
    /// The scope for lists.
    pub fn scope(&self) -> Scope {
        if self.platform.is_some() { Scope::Everything } else { Scope::Teams(self.teams.keys().cloned().collect()) }
    }
    /// Whether nothing may be changed at all.
    pub fn read_only(&self) -> bool {
        self.platform == Some(PlatformRole::Auditor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(platform: Option<PlatformRole>, teams: &[&str]) -> Caller {
        Caller {
            account: "a".into(),
            name: "A".into(),
            teams: teams.iter().map(|t| ((*t).to_owned(), TeamRole::Member)).collect(),
            platform,
            session: "s".into(),
        }
    }

    #[test]
    fn a_stranger_cannot_tell_foreign_from_absent() {
        let c = caller(None, &["motor"]);
        assert_eq!(c.runs("life").err(), Some(Problem::NotFound));
        assert_eq!(c.sees("life").err(), Some(Problem::NotFound));
        assert!(c.runs("motor").is_ok());
        assert!(c.operator().is_err() && c.inspector().is_err());
    }

    #[test]
    fn an_auditor_sees_all_and_changes_nothing() {
        let c = caller(Some(PlatformRole::Auditor), &["motor"]);
        assert!(c.sees("life").is_ok() && c.inspector().is_ok());
        assert!(c.runs("motor").is_err() && c.runs("life").is_err() && c.operator().is_err());
    }
}
