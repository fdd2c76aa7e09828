//! Accounts: built-in ones are changed here, people from the directory get roles
//! and additional teams.
//!
//! One could get it wrong by locking everybody out: the last enabled operator can
//! neither be disabled nor demoted. And by hashing a password inside the
//! transaction: it takes long on purpose.

use super::PadisPortal;
use super::check::{MAX_TITLE, Problems};
use super::diff::{HIDDEN, change};
use super::once;
use super::sql::{Cols, Paging, Sql, for_update};
use crate::auth::MAX_PASSWORD;
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, Tx, What, now_ms};
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::caller::{Caller, Inspect, Operate, Permit};
use padis_domain::portal::Answer;
use padis_domain::problem::{FieldChange, NameFault, ValueFault};
use padis_domain::view::{ListQuery, Page, PersonEdit, PersonRow};
use padis_domain::words::{PlatformRole, TeamRole};
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, BTreeSet};

/// The least characters of a password.
const MIN_PASSWORD: usize = 10;
/// The most characters of an account's name.
const MAX_ACCOUNT: usize = 128;

fn platform(r: &AnyRow) -> Result<Option<PlatformRole>, StoreError> {
    Ok(r.os("platform")?.as_deref().and_then(PlatformRole::parse))
}

fn filtered(sql: Sql, p: &PadisPortal, q: &ListQuery) -> Sql {
    let mut sql = sql.text(" WHERE 1 = 1");
    sql = match q.state.as_str() {
        "enabled" => sql.text(" AND enabled = 1"),
        "disabled" => sql.text(" AND enabled = 0"),
        "built-in" => sql.text(" AND built_in = 1"),
        "directory" => sql.text(" AND built_in = 0"),
        "" => sql,
        role => sql.text(" AND platform = ").bind(role),
    };
    if !q.team.is_empty() {
        sql = sql.text(" AND name IN (SELECT account FROM membership WHERE team = ").bind(&q.team).text(")");
    }
    sql.find(p.store.kind(), &["name", "display", "mail"], &q.q)
}

/// Built-in accounts and people seen from the directory.
pub async fn list(p: &PadisPortal, _may: Permit<'_, Inspect>, q: &ListQuery) -> Answer<Page<PersonRow>> {
    const WHAT: &str = "list people";
    let paging = Paging::of(q);
    let total = filtered(Sql::new("SELECT COUNT(*) FROM account"), p, q).number(p.store.read(), WHAT).await?;
    let column = match q.sort.as_str() {
        "account" => "name",
        "platform" => "platform",
        "enabled" => "enabled",
        "last_seen" => "last_seen",
        _ => "display",
    };
    let rows = filtered(Sql::new("SELECT name, display, built_in, enabled, platform, last_seen FROM account"), p, q)
        .order(column, q.desc, ", name")
        .page(paging)
        .all(p.store.read(), WHAT)
        .await?;
    let mut people = Vec::with_capacity(rows.len());
    for r in &rows {
        people.push(PersonRow {
            account: r.s("name")?,
            name: r.s("display")?,
            built_in: r.i("built_in")? == 1,
            enabled: r.i("enabled")? == 1,
            platform: platform(r)?,
            teams: BTreeMap::new(),
            last_seen: r.oi("last_seen")?,
        });
    }
    let members = Sql::new("SELECT account, team, role FROM membership WHERE account IN ")
        .list(people.iter().map(|p| p.account.as_str()))
        .all(p.store.read(), WHAT)
        .await?;
    for r in &members {
        let account = r.s("account")?;
        if let Some(person) = people.iter_mut().find(|p| p.account == account) {
            person.teams.insert(r.s("team")?, r.word("role", TeamRole::parse)?);
        }
    }
    Ok(paging.wrap(people, total))
}

fn check_password(out: &mut Problems, field: &str, password: &str) {
    if password.chars().count() < MIN_PASSWORD || password.len() > MAX_PASSWORD {
        out.add(field, ValueFault::OutOfRange { min: MIN_PASSWORD as i64, max: MAX_PASSWORD as i64 });
    }
}

fn judge(e: &PersonEdit) -> Problems {
    let mut out = Problems::default();
    let name = |fault| ValueFault::Name { fault };
    let legal = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-@".contains(*c);
    if e.account.is_empty() {
        out.add("account", name(NameFault::Empty));
    } else if e.account.len() > MAX_ACCOUNT {
        out.add("account", name(NameFault::TooLong { max: MAX_ACCOUNT as u32 }));
    } else if let Some(found) = e.account.chars().find(|c| !legal(c)).filter(|_| e.new) {
        out.add("account", name(NameFault::Character { found }));
    }
    if e.name.trim().is_empty() {
        out.0.push(Problem::missing("name"));
    }
    out.text("name", e.name.trim(), MAX_TITLE);
    if e.new || !e.password.is_empty() {
        check_password(&mut out, "password", &e.password);
    }
    out
}

/// An account as it was.
#[derive(Default)]
struct Before {
    display: String,
    built_in: bool,
    enabled: bool,
    platform: Option<PlatformRole>,
    /// Given here.
    teams: BTreeMap<String, TeamRole>,
    /// Given by the directory.
    directory: BTreeSet<String>,
}

async fn before(p: &PadisPortal, tx: &mut Tx<'_>, account: &str) -> Result<Option<Before>, StoreError> {
    const WHAT: &str = "read an account";
    let text = format!("SELECT * FROM account WHERE name = $1{}", for_update(p.store.kind()));
    let Some(r) = sqlx::query(&text).bind(account).fetch_optional(&mut **tx).await.what(WHAT)? else { return Ok(None) };
    let rows = sqlx::query("SELECT team, role, from_directory FROM membership WHERE account = $1")
        .bind(account)
        .fetch_all(&mut **tx)
        .await
        .what(WHAT)?;
    let (mut teams, mut directory) = (BTreeMap::new(), BTreeSet::new());
    for m in &rows {
        if m.i("from_directory")? == 1 {
            directory.insert(m.s("team")?);
        } else {
            teams.insert(m.s("team")?, m.word("role", TeamRole::parse)?);
        }
    }
    Ok(Some(Before {
        display: r.s("display")?,
        built_in: r.i("built_in")? == 1,
        enabled: r.i("enabled")? == 1,
        platform: platform(&r)?,
        teams,
        directory,
    }))
}

/// Refuses to take the last enabled operator away.
async fn keep_an_operator(p: &PadisPortal, tx: &mut Tx<'_>, was: &Before, e: &PersonEdit) -> Answer<()> {
    let operator = |enabled, role| enabled && role == Some(PlatformRole::Operator);
    if !operator(was.enabled, was.platform) || operator(e.enabled, e.platform) {
        return Ok(());
    }
    // Locked, so that two operators can't take each other away at the same moment.
    let text = format!(
        "SELECT name FROM account WHERE platform = 'operator' AND enabled = 1 ORDER BY name{}",
        for_update(p.store.kind())
    );
    let rows = sqlx::query(&text).fetch_all(&mut **tx).await.what("count operators")?;
    let others = rows.iter().map(|r| r.s("name")).collect::<Result<Vec<_>, _>>()?;
    if others.iter().any(|n| *n != e.account) { Ok(()) } else { Err(Problem::InUse { by: e.account.clone() }) }
}

fn changes(was: Option<&Before>, e: &PersonEdit) -> Vec<FieldChange> {
    let mut out = Vec::new();
    let role = |r: Option<PlatformRole>| r.map(|r| r.to_string()).unwrap_or_default();
    let teams =
        |t: &BTreeMap<String, TeamRole>| t.iter().map(|(t, r)| format!("{t} ({r})")).collect::<Vec<_>>().join(", ");
    // What the directory gives is not given or taken here.
    let mut given = e.teams.clone();
    given.retain(|t, _| was.is_none_or(|w| !w.directory.contains(t)));
    let fields = [
        ("name", was.map(|w| w.display.clone()).unwrap_or_default(), e.name.trim().to_owned()),
        ("enabled", was.map(|w| w.enabled.to_string()).unwrap_or_default(), e.enabled.to_string()),
        ("platform", role(was.and_then(|w| w.platform)), role(e.platform)),
        ("teams", was.map(|w| teams(&w.teams)).unwrap_or_default(), teams(&given)),
    ];
    out.extend(fields.into_iter().filter(|(_, b, a)| b != a).map(|(f, b, a)| change(f, b, a)));
    if !e.password.is_empty() {
        out.push(change("password", if was.is_some() { HIDDEN } else { "" }, HIDDEN));
    }
    out
}

async fn note(
    p: &PadisPortal,
    tx: &mut Tx<'_>,
    who: &str,
    what: &str,
    account: &str,
    changes: Vec<FieldChange>,
) -> Result<(), StoreError> {
    let entry = Entry {
        who: who.to_owned(),
        what: what.to_owned(),
        subject: format!("person:{account}"),
        changes,
        ..Entry::default()
    };
    journal::append(&p.store, tx, &entry).await.map(|_| ())
}

/// Creates or changes an account, its roles and teams.
pub async fn put(p: &PadisPortal, may: Permit<'_, Operate>, e: &PersonEdit, token: &str) -> Answer<()> {
    const WHAT: &str = "save an account";
    let key = format!("person.put {}", e.account);
    judge(e).done()?;
    let hash = if e.password.is_empty() { None } else { Some(p.accounts.hash(&e.password).await?) };
    let mut tx = p.store.begin().await?;
    if let Some(()) = once::before(&mut tx, p.store.kind(), may.caller, token, &key).await? {
        return Ok(());
    }
    let was = before(p, &mut tx, &e.account).await?;
    match (&was, e.new) {
        (Some(_), true) => return Err(Problem::NameTaken { field: "account".into(), name: e.account.clone() }),
        (None, false) => return Err(Problem::NotFound),
        _ => {}
    }
    if was.as_ref().is_some_and(|w| !w.built_in) && hash.is_some() {
        // The directory keeps it.
        return Err(Problem::field("password", ValueFault::Unknown));
    }
    let known = Sql::new("SELECT slug FROM team WHERE slug IN ").list(e.teams.keys());
    let known = known.query().fetch_all(&mut *tx).await.what(WHAT)?.len();
    if known != e.teams.len() {
        return Err(Problem::field("teams", ValueFault::Unknown));
    }
    if let Some(was) = &was {
        keep_an_operator(p, &mut tx, was, e).await?;
    }
    let saved = write(&mut tx, e, hash.as_deref()).await;
    match saved {
        Err(x) if x.is_unique() => return Err(Problem::NameTaken { field: "account".into(), name: e.account.clone() }),
        other => other?,
    }
    once::keep(&mut tx, token, &key, &()).await?;
    let what = if was.is_some() { "person.change" } else { "person.create" };
    note(p, &mut tx, &may.caller.account, what, &e.account, changes(was.as_ref(), e)).await?;
    tx.commit().await.what(WHAT)?;
    p.accounts.forget_all();
    if !e.enabled || hash.is_some() {
        let own = (e.account == may.caller.account).then_some(may.caller.session.as_str());
        p.accounts.revoke_account(&e.account, own.filter(|_| e.enabled)).await?;
    }
    p.platform_changed(&["people", "sessions"]);
    Ok(())
}

async fn write(tx: &mut Tx<'_>, e: &PersonEdit, hash: Option<&str>) -> Result<(), StoreError> {
    const WHAT: &str = "save an account";
    let text = if e.new {
        "INSERT INTO account (name, display, mail, built_in, enabled, password_hash, platform, created_at) VALUES ($1, $2, '', 1, $3, $4, $5, $6)"
    } else {
        "UPDATE account SET display = $2, enabled = $3, password_hash = COALESCE($4, password_hash), platform = $5 WHERE name = $1 AND $6 > 0"
    };
    sqlx::query(text)
        .bind(&e.account)
        .bind(e.name.trim())
        .bind(i64::from(e.enabled))
        .bind(hash.map(str::to_owned))
        .bind(e.platform.map(|r| r.as_str().to_owned()))
        .bind(now_ms())
        .execute(&mut **tx)
        .await
        .what(WHAT)?;
    // What the directory gave stays as it is; what is given here comes beside it.
    sqlx::query("DELETE FROM membership WHERE account = $1 AND from_directory = 0")
        .bind(&e.account)
        .execute(&mut **tx)
        .await
        .what(WHAT)?;
    for (team, role) in &e.teams {
        sqlx::query("INSERT INTO membership (account, team, role, from_directory) VALUES ($1, $2, $3, 0) ON CONFLICT (account, team) DO NOTHING")
            .bind(&e.account)
            .bind(team)
            .bind(role.as_str())
            .execute(&mut **tx)
            .await
            .what(WHAT)?;
    }
    Ok(())
}

/// Changes the caller's own password; ends the account's other sessions.
pub async fn change_password(p: &PadisPortal, c: &Caller, old: &str, new: &str) -> Answer<()> {
    const WHAT: &str = "change a password";
    let built_in: Option<i64> = sqlx::query_scalar("SELECT built_in FROM account WHERE name = $1")
        .bind(&c.account)
        .fetch_optional(p.store.read())
        .await
        .what(WHAT)?;
    if built_in == Some(0) {
        return Err(Problem::NotNow { reason: Reason::FromDirectory });
    }
    let mut out = Problems::default();
    if old.is_empty() {
        out.0.push(Problem::missing("old"));
    }
    check_password(&mut out, "new", new);
    out.done()?;
    if !p.accounts.is_password(&c.account, old).await? {
        return Err(Problem::field("old", ValueFault::NotConfirmed));
    }
    let hash = p.accounts.hash(new).await?;
    let mut tx = p.store.begin().await?;
    sqlx::query("UPDATE account SET password_hash = $2 WHERE name = $1 AND built_in = 1")
        .bind(&c.account)
        .bind(hash)
        .execute(&mut *tx)
        .await
        .what(WHAT)?;
    note(p, &mut tx, &c.account, "person.password", &c.account, vec![change("password", HIDDEN, HIDDEN)]).await?;
    tx.commit().await.what(WHAT)?;
    p.accounts.revoke_account(&c.account, Some(&c.session)).await?;
    p.platform_changed(&["sessions"]);
    Ok(())
}
