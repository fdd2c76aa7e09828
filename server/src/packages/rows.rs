//! The rows of uploads and packages.

use crate::store::{Store, StoreError, Tx, What, now_ms, to_json};
use padis_domain::app::AppRef;
use padis_domain::caller::Caller;
use padis_domain::package::PackageFacts;
use padis_domain::view::PackageRow;
use padis_domain::words::UnixMs;
use sqlx::Row;

/// An upload that is coming in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Id, also the file's name.
    pub id: String,
    /// Team it is for.
    pub team: String,
    /// Account that began it.
    pub account: String,
    /// Name for people.
    pub file_name: String,
    /// Bytes announced.
    pub length: u64,
}

fn big(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Notes a new upload.
pub async fn begin(s: &Store, u: &Upload, by_name: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO upload (id, team, account, by_name, file_name, length, offset_at, began_at, touched_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7)",
    )
    .bind(&u.id)
    .bind(&u.team)
    .bind(&u.account)
    .bind(by_name)
    .bind(&u.file_name)
    .bind(big(u.length))
    .bind(now_ms())
    .execute(s.write())
    .await
    .what("note an upload")
    .map(|_| ())
}

/// Uploads that this account has under way.
pub async fn count(s: &Store, account: &str) -> Result<i64, StoreError> {
    sqlx::query_scalar("SELECT COUNT(*) FROM upload WHERE account = $1")
        .bind(account)
        .fetch_one(s.read())
        .await
        .what("count uploads")
}

/// Reads an upload.
pub async fn find(s: &Store, id: &str) -> Result<Option<Upload>, StoreError> {
    const WHAT: &str = "read an upload";
    let row = sqlx::query("SELECT id, team, account, file_name, length FROM upload WHERE id = $1")
        .bind(id)
        .fetch_optional(s.read())
        .await
        .what(WHAT)?;
    row.map(|r| {
        Ok(Upload {
            id: r.try_get("id").what(WHAT)?,
            team: r.try_get("team").what(WHAT)?,
            account: r.try_get("account").what(WHAT)?,
            file_name: r.try_get("file_name").what(WHAT)?,
            length: r.try_get::<i64, _>("length").what(WHAT)?.unsigned_abs(),
        })
    })
    .transpose()
}

/// Notes how far an upload is.
pub async fn touch(s: &Store, id: &str, offset: u64) -> Result<(), StoreError> {
    sqlx::query("UPDATE upload SET offset_at = $2, touched_at = $3 WHERE id = $1")
        .bind(id)
        .bind(big(offset))
        .bind(now_ms())
        .execute(s.write())
        .await
        .what("note an upload's offset")
        .map(|_| ())
}

/// Forgets an upload.
pub async fn forget(s: &Store, id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM upload WHERE id = $1")
        .bind(id)
        .execute(s.write())
        .await
        .what("forget an upload")
        .map(|_| ())
}

/// Ids of uploads that nothing was added to since `before`, or of all.
pub async fn ids(s: &Store, before: UnixMs) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar("SELECT id FROM upload WHERE touched_at < $1")
        .bind(before)
        .fetch_all(s.read())
        .await
        .what("list uploads")
}

/// Notes a package for a team; again by the same team brings it to the front.
pub async fn put(tx: &mut Tx<'_>, row: &PackageRow, account: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO package (sha256, team, file_name, bytes, kind, facts, by_account, by_name, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (sha256, team) DO UPDATE SET file_name = excluded.file_name, facts = excluded.facts, \
         by_account = excluded.by_account, by_name = excluded.by_name, at = excluded.at",
    )
    .bind(&row.sha256)
    .bind(&row.team)
    .bind(&row.file_name)
    .bind(big(row.bytes))
    .bind(row.facts.kind.as_str())
    .bind(to_json("package facts", &row.facts)?)
    .bind(account)
    .bind(&row.by)
    .bind(row.at)
    .execute(&mut **tx)
    .await
    .what("note a package")
    .map(|_| ())
}

/// A row for a package that has just come in.
pub fn fresh(u: &Upload, by: &Caller, sha256: String, facts: PackageFacts, used_by: Vec<(AppRef, u32)>) -> PackageRow {
    let by = if by.name.is_empty() { by.account.clone() } else { by.name.clone() };
    PackageRow {
        sha256,
        team: u.team.clone(),
        file_name: u.file_name.clone(),
        bytes: u.length,
        facts,
        by,
        at: now_ms(),
        used_by,
    }
}

/// Releases of the team's applications that use a package.
pub async fn used_by(s: &Store, team: &str, sha256: &str) -> Result<Vec<(AppRef, u32)>, StoreError> {
    const WHAT: &str = "look who uses a package";
    let rows = sqlx::query(
        "SELECT a.name, r.number FROM release r JOIN app a ON a.id = r.app_id \
         WHERE a.team = $1 AND r.package = $2 ORDER BY a.name, r.number DESC",
    )
    .bind(team)
    .bind(sha256)
    .fetch_all(s.read())
    .await
    .what(WHAT)?;
    rows.iter()
        .map(|r| {
            let app = AppRef { team: team.to_owned(), app: r.try_get("name").what(WHAT)? };
            Ok((app, u32::try_from(r.try_get::<i64, _>("number").what(WHAT)?).unwrap_or(0)))
        })
        .collect()
}

/// Whether a team has this package, or any release anywhere was made of it.
pub async fn wanted(s: &Store, sha256: &str) -> Result<bool, StoreError> {
    let n: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM package WHERE sha256 = $1")
        .bind(sha256)
        .fetch_one(s.read())
        .await
        .what("look for a package")?;
    if n > 0 {
        return Ok(true);
    }
    let n: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM release WHERE package = $1")
        .bind(sha256)
        .fetch_one(s.read())
        .await
        .what("look for a package's releases")?;
    Ok(n > 0)
}
