//! Accounts: the first administrator, and people whom the directory knows.
//!
//! A person of the directory gets an account row at the first sign-in, so that
//! sessions, journal and lists know one kind of person. Memberships by group are
//! replaced at every sign-in; those given by hand are left alone. One could get
//! it wrong by letting a directory entry take over a built-in account of the
//! same name: a built-in account never signs in through the directory.

use crate::store::{Store, StoreError, Tx, What, now_ms};
use padis_domain::ports::DirectoryPerson;
use padis_domain::words::{PlatformRole, TeamRole};
use sqlx::Row;
use std::collections::BTreeMap;

/// The account of the first administrator.
pub const ADMIN: &str = "admin";

/// What sign-in needs to know of an account.
#[derive(Debug, Clone)]
pub struct Known {
    /// Built in, else of the directory.
    pub built_in: bool,
    /// May sign in.
    pub enabled: bool,
    /// argon2id, built-in accounts only.
    pub password_hash: Option<String>,
}

/// Reads an account.
pub async fn find(s: &Store, account: &str) -> Result<Option<Known>, StoreError> {
    const WHAT: &str = "read an account";
    let row = sqlx::query("SELECT built_in, enabled, password_hash FROM account WHERE name = $1")
        .bind(account)
        .fetch_optional(s.read())
        .await
        .what(WHAT)?;
    row.map(|r| {
        Ok(Known {
            built_in: r.try_get::<i64, _>("built_in").what(WHAT)? == 1,
            enabled: r.try_get::<i64, _>("enabled").what(WHAT)? == 1,
            password_hash: r.try_get("password_hash").what(WHAT)?,
        })
    })
    .transpose()
}

/// Whether anybody could administer: an enabled operator with a password.
pub async fn has_administrator(s: &Store) -> Result<bool, StoreError> {
    let n: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM account WHERE platform = 'operator' AND enabled = 1 AND password_hash IS NOT NULL",
    )
    .fetch_one(s.read())
    .await
    .what("look for an administrator")?;
    Ok(n > 0)
}

/// Creates the first administrator; an `admin` that exists (disabled, or without
/// the role) is made one again. Gives whether it was done: another replica may be first.
pub async fn put_administrator(s: &Store, password_hash: &str) -> Result<bool, StoreError> {
    const WHAT: &str = "create the first administrator";
    let n = sqlx::query(
        "INSERT INTO account (name, display, mail, built_in, enabled, password_hash, platform, created_at, last_seen) \
         VALUES ($1, 'Administrator', '', 1, 1, $2, 'operator', $3, NULL) \
         ON CONFLICT (name) DO UPDATE SET built_in = 1, enabled = 1, password_hash = excluded.password_hash, \
         platform = 'operator' WHERE account.enabled = 0 OR account.platform IS NULL OR account.password_hash IS NULL",
    )
    .bind(ADMIN)
    .bind(password_hash)
    .bind(now_ms())
    .execute(s.write())
    .await
    .what(WHAT)?
    .rows_affected();
    Ok(n > 0)
}

/// Takes over what the directory says about a person: name, mail, platform role
/// if roles are given by groups at all, memberships by group.
pub async fn take_over(s: &Store, p: &DirectoryPerson, roles: &[(String, PlatformRole)]) -> Result<(), StoreError> {
    const WHAT: &str = "take over a person from the directory";
    let mut tx = s.begin().await?;
    sqlx::query(
        "INSERT INTO account (name, display, mail, built_in, enabled, password_hash, platform, created_at, last_seen) \
         VALUES ($1, $2, $3, 0, 1, NULL, NULL, $4, NULL) \
         ON CONFLICT (name) DO UPDATE SET display = excluded.display, mail = excluded.mail",
    )
    .bind(&p.account)
    .bind(&p.name)
    .bind(&p.mail)
    .bind(now_ms())
    .execute(&mut *tx)
    .await
    .what(WHAT)?;
    if !roles.is_empty() {
        let role = platform_role(&p.groups, roles).map(|r| r.as_str().to_owned());
        sqlx::query("UPDATE account SET platform = $2 WHERE name = $1")
            .bind(&p.account)
            .bind(role)
            .execute(&mut *tx)
            .await
            .what(WHAT)?;
    }
    set_memberships(&mut tx, p).await?;
    tx.commit().await.what(WHAT)
}

async fn set_memberships(tx: &mut Tx<'_>, p: &DirectoryPerson) -> Result<(), StoreError> {
    const WHAT: &str = "set memberships by group";
    let rows = sqlx::query("SELECT team, dn, role FROM team_group").fetch_all(&mut **tx).await.what(WHAT)?;
    let mut teams: BTreeMap<String, TeamRole> = BTreeMap::new();
    for r in rows {
        let (team, dn): (String, String) = (r.try_get("team").what(WHAT)?, r.try_get("dn").what(WHAT)?);
        let role: String = r.try_get("role").what(WHAT)?;
        let role = TeamRole::parse(&role)
            .ok_or_else(|| StoreError::Row { what: "team_group", detail: format!("role {role:?}") })?;
        if p.groups.iter().any(|g| same_dn(g, &dn)) {
            let best = teams.entry(team).or_insert(role);
            // Lead is declared after member: the greater one is the higher one.
            *best = role.max(*best);
        }
    }
    sqlx::query("DELETE FROM membership WHERE account = $1 AND from_directory = 1")
        .bind(&p.account)
        .execute(&mut **tx)
        .await
        .what(WHAT)?;
    for (team, role) in teams {
        sqlx::query(
            "INSERT INTO membership (account, team, role, from_directory) VALUES ($1, $2, $3, 1) \
             ON CONFLICT (account, team) DO NOTHING",
        )
        .bind(&p.account)
        .bind(team)
        .bind(role.as_str())
        .execute(&mut **tx)
        .await
        .what(WHAT)?;
    }
    Ok(())
}

/// The highest role that one of the groups gives: operator before auditor before engineer.
fn platform_role(groups: &[String], roles: &[(String, PlatformRole)]) -> Option<PlatformRole> {
    roles.iter().filter(|(dn, _)| groups.iter().any(|g| same_dn(g, dn))).map(|(_, r)| *r).min()
}

/// Distinguished names compared without case and without blanks around commas.
fn same_dn(a: &str, b: &str) -> bool {
    let parts = |s: &str| s.to_lowercase().split(',').map(|p| p.trim().to_owned()).collect::<Vec<_>>();
    a == b || parts(a) == parts(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_role_wins_and_spelling_does_not_matter() {
        let roles =
            [("cn=audit,dc=x".to_owned(), PlatformRole::Auditor), ("CN=Ops, DC=x".to_owned(), PlatformRole::Operator)];
        let groups = ["cn=ops,dc=x".to_owned(), "cn=audit,dc=x".to_owned()];
        assert_eq!(platform_role(&groups, &roles), Some(PlatformRole::Operator));
        assert_eq!(platform_role(&groups[1..], &roles), Some(PlatformRole::Auditor));
        assert_eq!(platform_role(&[], &roles), None);
    }
}
