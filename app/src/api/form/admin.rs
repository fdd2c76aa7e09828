//! The forms about teams and people.

use super::{Faults, Form};
use padis_domain::Problem;
use padis_domain::problem::ValueFault;
use padis_domain::view::{PersonEdit, TeamEdit};
use padis_domain::words::{PlatformRole, TeamRole};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TeamForm {
    /// Slug.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Directory groups that make members, one distinguished name a line.
    pub member_groups: String,
    /// Directory groups that make leads, one distinguished name a line.
    pub lead_groups: String,
    /// `on`: it must not exist yet.
    pub new: String,
    /// Token from when the form was rendered.
    pub once: String,
}

impl TeamForm {
    /// The domain's form.
    pub fn read(&self) -> Result<TeamEdit, Problem> {
        let mut groups: Vec<(String, TeamRole)> = Vec::new();
        let texts = [
            ("member_groups", &self.member_groups, TeamRole::Member),
            ("lead_groups", &self.lead_groups, TeamRole::Lead),
        ];
        for (field, text, role) in texts {
            for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
                if groups.iter().any(|(g, _)| g.eq_ignore_ascii_case(line)) {
                    return Err(Problem::field(field, ValueFault::Repeated));
                }
                groups.push((line.to_owned(), role));
            }
        }
        Ok(TeamEdit {
            slug: self.slug.trim().to_owned(),
            title: self.title.trim().to_owned(),
            groups,
            new: self.new == "on",
        })
    }
}
impl Form for TeamForm {}

/// A built-in account.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PersonForm {
    /// Account.
    pub account: String,
    /// Display name.
    pub name: String,
    /// New password; empty keeps it.
    pub password: String,
    /// `on`: may sign in.
    pub enabled: String,
    /// Platform role's word, or empty.
    pub platform: String,
    /// `teams[slug]=role`; an empty role is no membership.
    pub teams: BTreeMap<String, String>,
    /// `on`: it must not exist yet.
    pub new: String,
    /// Token from when the form was rendered.
    pub once: String,
}

impl PersonForm {
    /// The domain's form.
    pub fn read(&self) -> Result<PersonEdit, Problem> {
        let mut faults = Faults::default();
        let platform = Some(self.platform.trim()).filter(|p| !p.is_empty());
        let platform = platform.map(|p| faults.word("platform", p, PlatformRole::parse, PlatformRole::Auditor));
        let given = self.teams.iter().filter(|(_, r)| !r.trim().is_empty());
        let teams = given.map(|(t, r)| (t.clone(), faults.word("teams", r, TeamRole::parse, TeamRole::Member)));
        let teams = teams.collect();
        faults.done(PersonEdit {
            account: self.account.trim().to_lowercase(),
            name: self.name.trim().to_owned(),
            password: self.password.clone(),
            enabled: self.enabled == "on",
            platform,
            teams,
            new: self.new == "on",
        })
    }
}
// By hand, because it carries secrets.
impl std::fmt::Debug for PersonForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonForm")
    }
}
impl Form for PersonForm {
    fn shown(&self) -> Self {
        Self { password: String::new(), ..self.clone() }
    }
}

/// One's own password.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PasswordForm {
    /// The present one.
    pub old: String,
    /// The new one.
    pub new: String,
    /// The new one again.
    pub again: String,
}

impl PasswordForm {
    /// The new password, typed twice alike.
    pub fn read(&self) -> Result<&str, Problem> {
        if self.new == self.again { Ok(&self.new) } else { Err(Problem::field("again", ValueFault::NotConfirmed)) }
    }
}
impl Form for PasswordForm {
    fn shown(&self) -> Self {
        Self::default()
    }
}
impl std::fmt::Debug for PasswordForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordForm")
    }
}

/// A session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionForm {
    /// Public id.
    pub id: String,
}
impl Form for SessionForm {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_keep_their_commas_and_are_named_once() {
        let form = TeamForm {
            member_groups: "cn=motor,ou=g\n\ncn=b,ou=g".into(),
            lead_groups: "cn=lead,ou=g".into(),
            ..Default::default()
        };
        let edit = form.read().map(|e| e.groups);
        let m = TeamRole::Member;
        assert_eq!(
            edit,
            Ok(vec![("cn=motor,ou=g".into(), m), ("cn=b,ou=g".into(), m), ("cn=lead,ou=g".into(), TeamRole::Lead)])
        );
        let twice = TeamForm { lead_groups: "CN=motor,ou=g".into(), ..form };
        assert_eq!(twice.read(), Err(Problem::field("lead_groups", ValueFault::Repeated)));
    }

    #[test]
    fn no_password_comes_back() {
        let p = PersonForm { password: "correct horse".into(), account: " Li ".into(), ..Default::default() };
        assert_eq!(p.shown().password, "");
        assert_eq!(p.read().map(|e| e.account), Ok("li".into()));
        let w = PasswordForm { old: "a".into(), new: "b".into(), again: "c".into() };
        assert!(w.shown() == PasswordForm::default() && w.read().is_err());
        assert_eq!(format!("{w:?}"), "PasswordForm");
    }
}
