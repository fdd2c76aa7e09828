//! Copies of images from registry to registry: what was asked for and how far it is.
//!
//! The state word is the intent, too: whoever writes `cancelled` wants it to end, and the
//! worker looks. One could get it wrong by letting the worker write its state over that:
//! it changes only what is still open.

use super::{Store, StoreError, Tx, What, from_json, now_ms, to_json};
use padis_domain::ports::{CopyFrom, CopyTo};
use padis_domain::view::{CopyBlobRow, CopyRow, CopyState};
use sqlx::Row;
use sqlx::any::AnyRow;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Id.
    pub id: String,
    /// What.
    pub from: CopyFrom,
    /// Under which tag it was found.
    pub from_tag: String,
    /// Where to.
    pub to: CopyTo,
    /// Account.
    pub account: String,
    /// Name of who asked.
    pub name: String,
}

/// The work key of a copy.
pub fn key(id: &str) -> String {
    format!("copy:{id}")
}

/// Records a copy.
pub async fn ask(tx: &mut Tx<'_>, a: &Asked) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO image_copy (id, from_place, from_repo, from_tag, digest, to_place, to_repo, to_tag, instead_of, state, \
         blobs, why, by_account, by_name, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', '[]', '', $10, $11, $12)",
    )
    .bind(&a.id)
    .bind(&a.from.registry)
    .bind(&a.from.repository)
    .bind(&a.from_tag)
    .bind(&a.from.digest)
    .bind(&a.to.registry)
    .bind(&a.to.repository)
    .bind(&a.to.tag)
    .bind(a.to.instead_of.as_deref().unwrap_or_default())
    .bind(&a.account)
    .bind(&a.name)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("record a copy")
    .map(|_| ())
}

/// What a copy is to do, and its state.
pub async fn find(store: &Store, id: &str) -> Result<Option<(Asked, CopyState)>, StoreError> {
    const WHAT: &str = "read a copy";
    let row =
        sqlx::query("SELECT * FROM image_copy WHERE id = $1").bind(id).fetch_optional(store.read()).await.what(WHAT)?;
    let Some(r) = row else { return Ok(None) };
    let text = |column: &str| r.try_get::<String, _>(column).what(WHAT);
    let instead_of = Some(text("instead_of")?).filter(|d| !d.is_empty());
    let from = CopyFrom { registry: text("from_place")?, repository: text("from_repo")?, digest: text("digest")? };
    let to = CopyTo { registry: text("to_place")?, repository: text("to_repo")?, tag: text("to_tag")?, instead_of };
    let state = state(&text("state")?)?;
    let (account, name) = (text("by_account")?, text("by_name")?);
    Ok(Some((Asked { id: id.to_owned(), from, from_tag: text("from_tag")?, to, account, name }, state)))
}

/// A state's word.
pub fn state(word: &str) -> Result<CopyState, StoreError> {
    CopyState::parse(word)
        .ok_or_else(|| StoreError::Row { what: "image_copy.state", detail: format!("{word} is no state of a copy") })
}

/// A copy for the pages.
pub fn row(r: &AnyRow) -> Result<CopyRow, StoreError> {
    const WHAT: &str = "read a copy";
    let text = |column: &str| r.try_get::<String, _>(column).what(WHAT);
    Ok(CopyRow {
        id: text("id")?,
        from: (text("from_place")?, text("from_repo")?, text("from_tag")?),
        to: (text("to_place")?, text("to_repo")?, text("to_tag")?),
        digest: text("digest")?,
        state: state(&text("state")?)?,
        blobs: from_json("image_copy.blobs", &text("blobs")?)?,
        why: text("why")?,
        by: text("by_name")?,
        asked_at: r.try_get("asked_at").what(WHAT)?,
        began_at: r.try_get("began_at").what(WHAT)?,
        ended_at: r.try_get("ended_at").what(WHAT)?,
    })
}

/// Notes how far it is; what was wrong before is over then. `false`: it is not open any more
/// (somebody stopped it).
pub async fn progress(store: &Store, id: &str, blobs: &[CopyBlobRow]) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE image_copy SET state = 'running', why = '', blobs = $2, began_at = COALESCE(began_at, $3) \
         WHERE id = $1 AND state IN ('waiting', 'running')",
    )
    .bind(id)
    .bind(to_json("image_copy.blobs", &blobs)?)
    .bind(now_ms())
    .execute(store.write())
    .await
    .what("note how far a copy is")?;
    Ok(done.rows_affected() == 1)
}

/// Notes why it does not go on for now.
pub async fn trouble(store: &Store, id: &str, why: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE image_copy SET why = $2 WHERE id = $1 AND state IN ('waiting', 'running')")
        .bind(id)
        .bind(why)
        .execute(store.write())
        .await
        .what("note why a copy waits")
        .map(|_| ())
}

/// Ends it, if it is still open. Whether it was.
pub async fn end(tx: &mut Tx<'_>, id: &str, state: CopyState, why: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE image_copy SET state = $2, why = $3, ended_at = $4 WHERE id = $1 AND state IN ('waiting', 'running')",
    )
    .bind(id)
    .bind(state.as_str())
    .bind(why)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("end a copy")?;
    Ok(done.rows_affected() == 1)
}
