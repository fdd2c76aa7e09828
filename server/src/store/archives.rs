//! Images that are brought in as one file: what was asked for and how far it is.
//!
//! The state word is the intent, too, as of copies ([`super::copies`]). One could get it wrong
//! by taking a file that is not here for lost: another process on this database may hold it.

use super::{Store, StoreError, Tx, What, from_json, now_ms, to_json, work};
use padis_domain::view::{ArchiveFault, ArchiveRow, CopyState};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeSet;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Id, and the file's name.
    pub id: String,
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// Whose repository it is; empty: everybody's.
    pub team: String,
    /// Where the file is.
    pub holder: String,
    /// What it was called.
    pub file_name: String,
    /// Its bytes.
    pub bytes: u64,
    /// The image's name in it.
    pub named: String,
    /// Its platforms.
    pub platforms: Vec<String>,
    /// Whether hosts here run it.
    pub runs_here: bool,
    /// Bytes of its blobs.
    pub deal_with: u64,
    /// What is wrong with it, for good.
    pub fault: Option<ArchiveFault>,
    /// Account.
    pub account: String,
    /// Name of who asked.
    pub name: String,
}

/// The work key of one.
pub fn key(id: &str) -> String {
    format!("{}{id}", work::ARCHIVE)
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Records one; one with a fault has ended. `false`: somebody else brings the same version.
pub async fn ask(tx: &mut Tx<'_>, a: &Asked) -> Result<bool, StoreError> {
    let fault = a.fault.as_ref().map(|f| to_json("image_archive.fault", f)).transpose()?.unwrap_or_default();
    let (state, ended) = if fault.is_empty() { ("waiting", None) } else { ("failed", Some(now_ms())) };
    let done = sqlx::query(
        "INSERT INTO image_archive (id, registry, repository, tag, team, holder, file_name, bytes, named, platforms, \
         runs_here, digest, state, dealt_with, deal_with, fault, why, by_account, by_name, asked_at, ended_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', $12, 0, $13, $14, '', $15, $16, $17, $18) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&a.id)
    .bind(&a.registry)
    .bind(&a.repository)
    .bind(&a.tag)
    .bind(&a.team)
    .bind(&a.holder)
    .bind(&a.file_name)
    .bind(number(a.bytes))
    .bind(&a.named)
    .bind(to_json("image_archive.platforms", &a.platforms)?)
    .bind(i64::from(a.runs_here))
    .bind(state)
    .bind(number(a.deal_with))
    .bind(fault)
    .bind(&a.account)
    .bind(&a.name)
    .bind(now_ms())
    .bind(ended)
    .execute(&mut **tx)
    .await
    .what("record an archive")?;
    Ok(done.rows_affected() == 1)
}

/// One, and where its file is.
pub async fn find(store: &Store, id: &str) -> Result<Option<(ArchiveRow, String)>, StoreError> {
    const WHAT: &str = "read an archive";
    let found = sqlx::query("SELECT * FROM image_archive WHERE id = $1")
        .bind(id)
        .fetch_optional(store.read())
        .await
        .what(WHAT)?;
    found.map(|r| Ok((row(&r)?, r.try_get("holder").what(WHAT)?))).transpose()
}

/// One for the pages; whether the caller may stop it is not known here.
pub fn row(r: &AnyRow) -> Result<ArchiveRow, StoreError> {
    const WHAT: &str = "read an archive";
    let text = |column: &str| r.try_get::<String, _>(column).what(WHAT);
    let count = |column: &str| Ok::<_, StoreError>(u64::try_from(r.try_get::<i64, _>(column).what(WHAT)?).unwrap_or(0));
    let fault = text("fault")?;
    Ok(ArchiveRow {
        id: text("id")?,
        registry: text("registry")?,
        repository: text("repository")?,
        tag: text("tag")?,
        file_name: text("file_name")?,
        bytes: count("bytes")?,
        named: text("named")?,
        platforms: from_json("image_archive.platforms", &text("platforms")?)?,
        runs_here: count("runs_here")? == 1,
        digest: text("digest")?,
        state: super::copies::state(&text("state")?)?,
        at: (count("dealt_with")?, count("deal_with")?),
        fault: if fault.is_empty() { None } else { Some(from_json("image_archive.fault", &fault)?) },
        why: text("why")?,
        by: text("by_name")?,
        asked_at: r.try_get("asked_at").what(WHAT)?,
        ended_at: r.try_get("ended_at").what(WHAT)?,
        may: false,
    })
}

/// How many of an account's are open.
pub async fn open_of(tx: &mut Tx<'_>, account: &str) -> Result<u64, StoreError> {
    let n: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM image_archive WHERE by_account = $1 AND state IN ('waiting', 'running')",
    )
    .bind(account)
    .fetch_one(&mut **tx)
    .await
    .what("count somebody's archives")?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// Those whose files a holder has to keep.
pub async fn kept_by(store: &Store, holder: &str) -> Result<BTreeSet<String>, StoreError> {
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id FROM image_archive WHERE holder = $1 AND state IN ('waiting', 'running')")
            .bind(holder)
            .fetch_all(store.read())
            .await
            .what("list archives that are here")?;
    Ok(ids.into_iter().collect())
}

/// Notes how far it is, and why it does not go on (empty: it does). `false`: it is not open
/// any more (somebody stopped it).
pub async fn progress(store: &Store, id: &str, at: u64, why: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE image_archive SET state = 'running', dealt_with = $2, why = $3 \
         WHERE id = $1 AND state IN ('waiting', 'running')",
    )
    .bind(id)
    .bind(number(at))
    .bind(why)
    .execute(store.write())
    .await
    .what("note how far an archive is")?;
    Ok(done.rows_affected() == 1)
}

/// Ends it, if it is still open: there under its digest, refused, or stopped. Whether it was.
pub async fn end(
    tx: &mut Tx<'_>,
    id: &str,
    state: CopyState,
    digest: &str,
    fault: Option<&ArchiveFault>,
) -> Result<bool, StoreError> {
    let fault = fault.map(|f| to_json("image_archive.fault", f)).transpose()?.unwrap_or_default();
    let done = sqlx::query(
        "UPDATE image_archive SET state = $2, digest = $3, fault = $4, why = '', ended_at = $5, \
         dealt_with = CASE WHEN $2 = 'done' THEN deal_with ELSE dealt_with END \
         WHERE id = $1 AND state IN ('waiting', 'running')",
    )
    .bind(id)
    .bind(state.as_str())
    .bind(digest)
    .bind(fault)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("end an archive")?;
    Ok(done.rows_affected() == 1)
}
