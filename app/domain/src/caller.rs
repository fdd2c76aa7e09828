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
/// May decide about images and standard middleware: operators and middleware engineers.
#[derive(Debug)]
pub struct Publish;
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
        if self.oversees() { Ok(self.permit()) } else { Err(Problem::NotAllowed { needs: "operator".into() }) }
    }
    /// May decide about images and standard middleware.
    pub fn publisher(&self) -> Result<Permit<'_, Publish>, Problem> {
        match self.platform {
            Some(PlatformRole::Operator | PlatformRole::Engineer) => Ok(self.permit()),
            _ => Err(Problem::NotAllowed { needs: "engineer".into() }),
        }
    }
    /// Whether every team's things may be seen.
    fn oversees(&self) -> bool {
        matches!(self.platform, Some(PlatformRole::Operator | PlatformRole::Auditor))
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
        if self.teams.contains_key(team) || self.oversees() { Ok(self.permit()) } else { Err(Problem::NotFound) }
    }
    /// The scope for lists.
    pub fn scope(&self) -> Scope {
        if self.oversees() { Scope::Everything } else { Scope::Teams(self.teams.keys().cloned().collect()) }
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
        assert!(c.publisher().is_err());
    }

    #[test]
    fn an_engineer_publishes_and_sees_no_more_teams_than_his_own() {
        let c = caller(Some(PlatformRole::Engineer), &["motor"]);
        assert!(c.publisher().is_ok() && c.runs("motor").is_ok());
        assert!(c.operator().is_err() && c.inspector().is_err());
        assert_eq!((c.sees("life").err(), c.runs("life").err()), (Some(Problem::NotFound), Some(Problem::NotFound)));
        assert_eq!(c.scope(), Scope::Teams(vec!["motor".into()]));
    }
}
