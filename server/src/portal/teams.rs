//! Teams, their people and the directory groups that make members.
//!
//! A member sees his own teams; who else is in them only a lead. One could get it
//! wrong by leaving people in a team after the group that brought them was taken
//! from it: their membership ends with it and comes back, if it should, at their
//! next sign-in.

use super::PadisPortal;
use super::check::{MAX_TITLE, Problems};
use super::diff::change;
use super::once;
use super::sql::{Cols, Sql};
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, Tx, What, now_ms};
use padis_domain::Problem;
use padis_domain::caller::{Caller, Operate, Permit};
use padis_domain::portal::Answer;
use padis_domain::problem::{FieldChange, ValueFault};
use padis_domain::view::{TeamEdit, TeamView};
use padis_domain::words::TeamRole;
use std::collections::{BTreeMap, HashMap};

/// Bytes of a distinguished name.
const MAX_DN: usize = 1000;

/// Whether the caller may see who is in the team.
fn sees_people(c: &Caller, team: &str) -> bool {
    c.inspector().is_ok() || c.teams.get(team) == Some(&TeamRole::Lead)
}

/// The teams that the caller may know of.
pub async fn list(p: &PadisPortal, c: &Caller) -> Answer<Vec<TeamView>> {
    const WHAT: &str = "list teams";
    let scope = c.scope();
    let read = p.store.read();
    let apps = Sql::new("SELECT team, COUNT(*) AS n FROM app WHERE ")
        .scope("team", &scope)
        .text(" GROUP BY team")
        .all(read, WHAT)
        .await?;
    let apps = apps.iter().map(|r| Ok((r.s("team")?, r.u("n")?))).collect::<Result<HashMap<_, _>, StoreError>>()?;
    let teams = Sql::new("SELECT slug, title FROM team WHERE ")
        .scope("slug", &scope)
        .text(" ORDER BY title, slug")
        .all(read, WHAT)
        .await?;
    let people = Sql::new("SELECT m.team, m.account, a.display, m.role, m.from_directory FROM membership m JOIN account a ON a.name = m.account WHERE ")
        .scope("m.team", &scope)
        .text(" ORDER BY a.display, m.account")
        .all(read, WHAT)
        .await?;
    let groups = Sql::new("SELECT team, dn, role FROM team_group WHERE ")
        .scope("team", &scope)
        .text(" ORDER BY dn")
        .all(read, WHAT)
        .await?;
    let mut by_team: BTreeMap<String, TeamView> = BTreeMap::new();
    let mut order = Vec::with_capacity(teams.len());
    for r in &teams {
        let slug = r.s("slug")?;
        order.push(slug.clone());
        let view = TeamView {
            title: r.s("title")?,
            people: Vec::new(),
            groups: Vec::new(),
            apps: apps.get(&slug).copied().unwrap_or_default(),
            slug: slug.clone(),
        };
        by_team.insert(slug, view);
    }
    for r in &people {
        let team = r.s("team")?;
        if let Some(t) = by_team.get_mut(&team).filter(|_| sees_people(c, &team)) {
            t.people.push((
                r.s("account")?,
                r.s("display")?,
                r.word("role", TeamRole::parse)?,
                r.i("from_directory")? == 1,
            ));
        }
    }
    for r in &groups {
        let team = r.s("team")?;
        if let Some(t) = by_team.get_mut(&team).filter(|_| sees_people(c, &team)) {
            t.groups.push((r.s("dn")?, r.word("role", TeamRole::parse)?));
        }
    }
    Ok(order.into_iter().filter_map(|s| by_team.remove(&s)).collect())
}

fn judge(t: &TeamEdit) -> Problems {
    let mut out = Problems::default();
    out.name("slug", &t.slug);
    if t.title.trim().is_empty() {
        out.0.push(Problem::missing("title"));
    }
    out.text("title", t.title.trim(), MAX_TITLE);
    let mut seen = std::collections::BTreeSet::new();
    for (dn, role) in &t.groups {
        let field = if *role == TeamRole::Lead { "lead_groups" } else { "member_groups" };
        let dn = dn.trim().to_lowercase();
        if dn.is_empty() || !dn.contains('=') {
            out.add(field, ValueFault::Malformed);
        } else if dn.len() > MAX_DN {
            out.add(field, ValueFault::TooLong { max: MAX_DN as u32 });
        } else if !seen.insert(dn) {
            out.add(field, ValueFault::Repeated);
        }
    }
    out
}

async fn groups_of(tx: &mut Tx<'_>, team: &str) -> Result<BTreeMap<String, TeamRole>, StoreError> {
    let rows = sqlx::query("SELECT dn, role FROM team_group WHERE team = $1")
        .bind(team)
        .fetch_all(&mut **tx)
        .await
        .what("read a team's groups")?;
    rows.iter().map(|r| Ok((r.s("dn")?, r.word("role", TeamRole::parse)?))).collect()
}

fn changes(
    title: Option<&str>,
    old: &BTreeMap<String, TeamRole>,
    t: &TeamEdit,
    new: &BTreeMap<String, TeamRole>,
) -> Vec<FieldChange> {
    let mut out = Vec::new();
    if title != Some(t.title.trim()) {
        out.push(change("title", title.unwrap_or_default(), t.title.trim()));
    }
    let all: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for dn in all {
        let word = |r: Option<&TeamRole>| r.map(ToString::to_string).unwrap_or_default();
        if old.get(dn) != new.get(dn) {
            out.push(change(format!("group {dn}"), word(old.get(dn)), word(new.get(dn))));
        }
    }
    out
}

/// Creates or changes a team.
pub async fn put(p: &PadisPortal, may: Permit<'_, Operate>, t: &TeamEdit, token: &str) -> Answer<()> {
    const WHAT: &str = "save a team";
    let key = format!("team.put {}", t.slug);
    let mut tx = p.store.begin().await?;
    if let Some(()) = once::before(&mut tx, p.store.kind(), may.caller, token, &key).await? {
        return Ok(());
    }
    judge(t).done()?;
    let title: Option<String> = sqlx::query_scalar("SELECT title FROM team WHERE slug = $1")
        .bind(&t.slug)
        .fetch_optional(&mut *tx)
        .await
        .what(WHAT)?;
    match (&title, t.new) {
        (Some(_), true) => return Err(Problem::NameTaken { field: "slug".into(), name: t.slug.clone() }),
        (None, false) => return Err(Problem::NotFound),
        _ => {}
    }
    let old = groups_of(&mut tx, &t.slug).await?;
    let new: BTreeMap<String, TeamRole> = t.groups.iter().map(|(dn, r)| (dn.trim().to_lowercase(), *r)).collect();
    let saved = sqlx::query("INSERT INTO team (slug, title, created_at) VALUES ($1, $2, $3) ON CONFLICT (slug) DO UPDATE SET title = excluded.title")
        .bind(&t.slug)
        .bind(t.title.trim())
        .bind(now_ms())
        .execute(&mut *tx)
        .await;
    saved.what(WHAT)?;
    sqlx::query("DELETE FROM team_group WHERE team = $1").bind(&t.slug).execute(&mut *tx).await.what(WHAT)?;
    for (dn, role) in &new {
        sqlx::query("INSERT INTO team_group (team, dn, role) VALUES ($1, $2, $3)")
            .bind(&t.slug)
            .bind(dn)
            .bind(role.as_str())
            .execute(&mut *tx)
            .await
            .what(WHAT)?;
    }
    // A group that gives less than before: whoever came by one has to sign in again to be judged anew.
    if old.iter().any(|(dn, r)| new.get(dn).is_none_or(|n| n < r)) {
        sqlx::query("DELETE FROM membership WHERE team = $1 AND from_directory = 1")
            .bind(&t.slug)
            .execute(&mut *tx)
            .await
            .what(WHAT)?;
    }
    let what = if t.new { "team.create" } else { "team.change" };
    once::keep(&mut tx, token, &key, &()).await?;
    note(p, &mut tx, may, what, &t.slug, changes(title.as_deref(), &old, t, &new)).await?;
    tx.commit().await.what(WHAT)?;
    p.accounts.forget_all();
    p.platform_changed(&["teams"]);
    Ok(())
}

async fn note(
    p: &PadisPortal,
    tx: &mut Tx<'_>,
    may: Permit<'_, Operate>,
    what: &str,
    slug: &str,
    changes: Vec<FieldChange>,
) -> Result<(), StoreError> {
    let entry = Entry {
        who: may.caller.account.clone(),
        what: what.to_owned(),
        subject: format!("team:{slug}"),
        team: Some(slug.to_owned()),
        changes,
        ..Entry::default()
    };
    journal::append(&p.store, tx, &entry).await.map(|_| ())
}

/// Deletes a team that owns nothing.
pub async fn delete(p: &PadisPortal, may: Permit<'_, Operate>, slug: &str, confirm: &str) -> Answer<()> {
    const WHAT: &str = "delete a team";
    let mut tx = p.store.begin().await?;
    let title: Option<String> = sqlx::query_scalar("SELECT title FROM team WHERE slug = $1")
        .bind(slug)
        .fetch_optional(&mut *tx)
        .await
        .what(WHAT)?;
    let title = title.ok_or(Problem::NotFound)?;
    if confirm.trim() != slug {
        return Err(Problem::field("confirm", ValueFault::NotConfirmed));
    }
    let owned = sqlx::query(
        "SELECT name AS what FROM (SELECT name FROM app WHERE team = $1 UNION ALL SELECT file_name FROM package WHERE team = $1 \
         UNION ALL SELECT pool FROM quota WHERE team = $1) x ORDER BY name LIMIT 10",
    )
    .bind(slug)
    .fetch_all(&mut *tx)
    .await
    .what(WHAT)?;
    if !owned.is_empty() {
        let names = owned.iter().map(|r| r.s("what")).collect::<Result<Vec<_>, _>>()?;
        return Err(Problem::InUse { by: names.join(", ") });
    }
    for sql in [
        "DELETE FROM membership WHERE team = $1",
        "DELETE FROM team_group WHERE team = $1",
        "DELETE FROM team WHERE slug = $1",
    ] {
        sqlx::query(sql).bind(slug).execute(&mut *tx).await.what(WHAT)?;
    }
    note(p, &mut tx, may, "team.delete", slug, vec![change("title", title, "")]).await?;
    tx.commit().await.what(WHAT)?;
    p.accounts.forget_all();
    p.platform_changed(&["teams"]);
    Ok(())
}
