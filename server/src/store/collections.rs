//! Bytes of registries that are freed: each time, how far it is and what came of it.
//!
//! The state word is the intent, too, as of copies ([`super::copies`]). One could get it wrong
//! by ending one that somebody has stopped: whoever ends it looks whether it is still open.

use super::{Store, StoreError, Tx, What, from_json, now_ms, to_json, work};
use padis_domain::ports::{CollectPhase, CollectProgress, Collected};
use padis_domain::view::{CollectionRow, CopyState};
use sqlx::Row;
use sqlx::any::AnyRow;

/// The work key of one.
pub fn key(id: &str) -> String {
    format!("{}{id}", work::COLLECT)
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Records that one is wanted. `false`: one goes on in that registry.
pub async fn ask(tx: &mut Tx<'_>, id: &str, registry: &str, by: (&str, &str)) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO registry_collection (id, registry, state, phase, manifests_at, manifests, layers_at, layers, \
         freed, result, why, by_account, by_name, asked_at) \
         VALUES ($1, $2, 'waiting', 'read', 0, 0, 0, 0, 0, '', '', $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(registry)
    .bind(by.0)
    .bind(by.1)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("record a collection")?;
    Ok(done.rows_affected() == 1)
}

/// One.
pub async fn find(store: &Store, id: &str) -> Result<Option<CollectionRow>, StoreError> {
    let found = sqlx::query("SELECT * FROM registry_collection WHERE id = $1")
        .bind(id)
        .fetch_optional(store.read())
        .await
        .what("read a collection")?;
    found.as_ref().map(row).transpose()
}

fn row(r: &AnyRow) -> Result<CollectionRow, StoreError> {
    const WHAT: &str = "read a collection";
    let text = |column: &str| r.try_get::<String, _>(column).what(WHAT);
    let count = |column: &str| Ok::<_, StoreError>(u64::try_from(r.try_get::<i64, _>(column).what(WHAT)?).unwrap_or(0));
    let (phase, result) = (text("phase")?, text("result")?);
    let odd = || StoreError::Row { what: "registry_collection.phase", detail: format!("{phase} is no phase") };
    Ok(CollectionRow {
        id: text("id")?,
        registry: text("registry")?,
        state: super::copies::state(&text("state")?)?,
        at: CollectProgress {
            phase: CollectPhase::parse(&phase).ok_or_else(odd)?,
            manifests: (count("manifests_at")?, count("manifests")?),
            layers: (count("layers_at")?, count("layers")?),
            freed: count("freed")?,
        },
        result: if result.is_empty() { None } else { Some(from_json("registry_collection.result", &result)?) },
        why: text("why")?,
        by: text("by_name")?,
        asked_at: r.try_get("asked_at").what(WHAT)?,
        ended_at: r.try_get("ended_at").what(WHAT)?,
    })
}

/// Notes how far it is, and why it does not go on (empty: it does). `false`: it is not open
/// any more (somebody stopped it).
pub async fn progress(store: &Store, id: &str, at: &CollectProgress, why: &str) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE registry_collection SET state = 'running', phase = $2, manifests_at = $3, manifests = $4, \
         layers_at = $5, layers = $6, freed = $7, why = $8 WHERE id = $1 AND state IN ('waiting', 'running')",
    )
    .bind(id)
    .bind(at.phase.as_str())
    .bind(number(at.manifests.0))
    .bind(number(at.manifests.1))
    .bind(number(at.layers.0))
    .bind(number(at.layers.1))
    .bind(number(at.freed))
    .bind(why)
    .execute(store.write())
    .await
    .what("note how far a collection is")?;
    Ok(done.rows_affected() == 1)
}

/// Ends it, if it is still open: with what it freed, or why not, or stopped. Whether it was.
pub async fn end(
    tx: &mut Tx<'_>,
    id: &str,
    state: CopyState,
    result: Option<&Collected>,
    why: &str,
) -> Result<bool, StoreError> {
    let result = result.map(|r| to_json("registry_collection.result", r)).transpose()?.unwrap_or_default();
    let done = sqlx::query(
        "UPDATE registry_collection SET state = $2, result = $3, why = $4, ended_at = $5 \
         WHERE id = $1 AND state IN ('waiting', 'running')",
    )
    .bind(id)
    .bind(state.as_str())
    .bind(result)
    .bind(why)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("end a collection")?;
    Ok(done.rows_affected() == 1)
}

/// The last of a registry, newest first.
pub async fn last(store: &Store, registry: &str, most: i64) -> Result<Vec<CollectionRow>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM registry_collection WHERE registry = $1 ORDER BY asked_at DESC, id DESC LIMIT $2")
            .bind(registry)
            .bind(most)
            .fetch_all(store.read())
            .await
            .what("list collections")?;
    rows.iter().map(row).collect()
}
