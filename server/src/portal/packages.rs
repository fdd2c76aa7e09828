//! Packages of the caller's teams. The bytes stand outside the database, by
//! digest; this is who has them and what uses them.
//!
//! One could get it wrong by deleting bytes that another team's package shares:
//! here only the row goes, and the packages' sweep removes what no row names.

use super::PadisPortal;
use super::diff::change;
use super::records::ReleaseRec;
use super::sql::{Cols, Paging, Sql, for_update};
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, What};
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::caller::{Caller, Permit, Run, Scope};
use padis_domain::package::{PackageFacts, PackageKind};
use padis_domain::portal::Answer;
use padis_domain::view::{ListQuery, PackageRow, Page};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::HashMap;

const WHAT: &str = "read packages";

/// Releases by team and package digest.
type Users = HashMap<(String, String), Vec<(AppRef, u32)>>;

fn read(r: &AnyRow, users: &Users) -> Result<PackageRow, StoreError> {
    let key = (r.s("team")?, r.s("sha256")?);
    let used_by = users.get(&key).cloned().unwrap_or_default();
    let (team, sha256) = key;
    Ok(PackageRow {
        sha256,
        team,
        file_name: r.s("file_name")?,
        bytes: r.n("bytes")?,
        facts: r.json("facts")?,
        by: r.s("by_name")?,
        at: r.i("at")?,
        used_by,
    })
}

/// Which releases use these packages.
async fn users(p: &PadisPortal, rows: &[AnyRow]) -> Result<Users, StoreError> {
    let mut out = Users::new();
    let (mut teams, mut digests) = (Vec::new(), Vec::new());
    for r in rows {
        teams.push(r.s("team")?);
        digests.push(r.s("sha256")?);
    }
    if rows.is_empty() {
        return Ok(out);
    }
    teams.sort_unstable();
    teams.dedup();
    digests.sort_unstable();
    digests.dedup();
    let found = Sql::new(
        "SELECT a.team, a.name, r.number, r.package FROM app a JOIN release r ON r.app_id = a.id WHERE a.team IN ",
    )
    .list(teams)
    .text(" AND r.package IN ")
    .list(digests)
    .text(" ORDER BY a.team, a.name, r.number DESC")
    .all(p.store.read(), WHAT)
    .await?;
    for r in &found {
        let app = AppRef { team: r.s("team")?, app: r.s("name")? };
        out.entry((app.team.clone(), r.s("package")?)).or_default().push((app, r.u("number")?));
    }
    Ok(out)
}

async fn with_users(p: &PadisPortal, rows: &[AnyRow]) -> Result<Vec<PackageRow>, StoreError> {
    let users = users(p, rows).await?;
    rows.iter().map(|r| read(r, &users)).collect()
}

fn filtered(sql: Sql, p: &PadisPortal, scope: &Scope, q: &ListQuery) -> Sql {
    let mut sql = sql.scope("team", scope);
    if !q.team.is_empty() {
        sql = sql.text(" AND team = ").bind(&q.team);
    }
    if !q.state.is_empty() {
        sql = sql.text(" AND kind = ").bind(&q.state);
    }
    sql.find(p.store.kind(), &["file_name", "sha256", "by_name"], &q.q)
}

/// Packages, newest first unless sorted otherwise.
pub async fn list(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<Page<PackageRow>> {
    let (paging, scope) = (Paging::of(q), c.scope());
    let total =
        filtered(Sql::new("SELECT COUNT(*) FROM package WHERE "), p, &scope, q).number(p.store.read(), WHAT).await?;
    let (column, desc) = match q.sort.as_str() {
        "name" | "file_name" => ("file_name", q.desc),
        "bytes" | "size" => ("bytes", q.desc),
        "team" => ("team", q.desc),
        "kind" => ("kind", q.desc),
        "by" => ("by_name", q.desc),
        "at" => ("at", q.desc),
        _ => ("at", true),
    };
    let rows = filtered(Sql::new("SELECT * FROM package WHERE "), p, &scope, q)
        .order(column, desc, ", sha256, team")
        .page(paging)
        .all(p.store.read(), WHAT)
        .await?;
    Ok(paging.wrap(with_users(p, &rows).await?, total))
}

/// The newest packages of some teams.
pub async fn recent(p: &PadisPortal, scope: &Scope, limit: i64) -> Result<Vec<PackageRow>, StoreError> {
    let rows = Sql::new("SELECT * FROM package WHERE ")
        .scope("team", scope)
        .text(" ORDER BY at DESC, sha256 LIMIT ")
        .bind(limit)
        .all(p.store.read(), WHAT)
        .await?;
    with_users(p, &rows).await
}

/// One package; of several teams' that the caller sees, the newest.
pub async fn one(p: &PadisPortal, c: &Caller, sha256: &str) -> Answer<PackageRow> {
    let rows = Sql::new("SELECT * FROM package WHERE sha256 = ")
        .bind(sha256)
        .text(" AND ")
        .scope("team", &c.scope())
        .text(" ORDER BY at DESC LIMIT 1")
        .all(p.store.read(), WHAT)
        .await?;
    with_users(p, &rows).await?.pop().ok_or(Problem::NotFound)
}

/// The package of an application's release; the users named are that release's alone.
pub async fn of_release(p: &PadisPortal, app: &AppRef, r: &ReleaseRec) -> Result<PackageRow, StoreError> {
    let (team, sha256) = (app.team.clone(), r.spec.package.clone());
    let mine = vec![(app.clone(), r.number)];
    let row = Sql::new("SELECT * FROM package WHERE sha256 = ")
        .bind(&sha256)
        .text(" AND team = ")
        .bind(&team)
        .one(p.store.read(), WHAT)
        .await?;
    if let Some(row) = row {
        return read(&row, &[((team, sha256), mine)].into());
    }
    // Can't be deleted while it is used; if it is gone all the same, the page still tells what the release knew.
    tracing::warn!(app.team = %app.team, app.name = %app.app, package.sha256 = %sha256, "a package in use has no row");
    let kind = PackageKind::parse(&r.package_kind)
        .ok_or_else(|| StoreError::Row { what: "release.package_kind", detail: r.package_kind.clone() })?;
    Ok(PackageRow {
        sha256,
        team,
        file_name: r.package_name.clone(),
        bytes: 0,
        facts: PackageFacts {
            kind,
            files: 0,
            unpacked_bytes: 0,
            version: None,
            class_major: None,
            built_with: Vec::new(),
            health_path: None,
            site_root: None,
            main_class: None,
            javax: false,
        },
        by: r.by_name.clone(),
        at: r.at,
        used_by: mine,
    })
}

/// Deletes a package that no release uses.
pub async fn delete(p: &PadisPortal, may: Permit<'_, Run>, team: &str, sha256: &str) -> Answer<()> {
    let mut tx = p.store.begin().await?;
    let text = format!("SELECT file_name FROM package WHERE sha256 = $1 AND team = $2{}", for_update(p.store.kind()));
    let row = sqlx::query(&text).bind(sha256).bind(team).fetch_optional(&mut *tx).await.what(WHAT)?;
    let file_name: String = row.ok_or(Problem::NotFound)?.try_get("file_name").what(WHAT)?;
    let used = Sql::new("SELECT DISTINCT a.name FROM app a JOIN release r ON r.app_id = a.id WHERE a.team = ")
        .bind(team)
        .text(" AND r.package = ")
        .bind(sha256)
        .text(" ORDER BY a.name");
    let used = used.query().fetch_all(&mut *tx).await.what(WHAT)?;
    if !used.is_empty() {
        let names: Vec<String> = used.iter().map(|r| r.s("name")).collect::<Result<_, _>>()?;
        return Err(Problem::InUse { by: names.join(", ") });
    }
    sqlx::query("DELETE FROM package WHERE sha256 = $1 AND team = $2")
        .bind(sha256)
        .bind(team)
        .execute(&mut *tx)
        .await
        .what("delete a package")?;
    let entry = Entry {
        who: may.caller.account.clone(),
        what: "package.delete".into(),
        subject: format!("package:{sha256}"),
        team: Some(team.to_owned()),
        changes: vec![change("file_name", file_name, "")],
        ..Entry::default()
    };
    journal::append(&p.store, &mut tx, &entry).await?;
    tx.commit().await.what("delete a package")?;
    p.changes.publish("packages", Some(team));
    p.platform_changed(&[]);
    Ok(())
}
