//! Taking away what nothing needs: each time that somebody lets it be done.

use super::{Store, StoreError, Tx, What, now_ms};
use padis_domain::view::{Retention, RetentionRun};
use sqlx::Row;
use sqlx::any::AnyRow;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// What stays in any case.
    pub rule: Retention,
    /// Account of who let it be done.
    pub account: String,
    /// Digests that are still to be taken away.
    pub left: Vec<String>,
    /// Of one version that somebody deletes by hand, the tags that he saw go with it; none of
    /// what goes by a rule.
    pub by_hand: Vec<String>,
}

/// The work key.
pub fn key(id: &str) -> String {
    format!("tidy:{id}")
}

/// Records that it is to be done.
pub async fn ask(tx: &mut Tx<'_>, id: &str, run: &Run, by: &str, items: &[(String, u64)]) -> Result<(), StoreError> {
    const WHAT: &str = "record what is taken away";
    sqlx::query(
        "INSERT INTO retention_run (id, registry, repository, newest, days, by_account, by_name, asked_at, why, by_hand) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', $9)",
    )
    .bind(id)
    .bind(&run.registry)
    .bind(&run.repository)
    .bind(i64::from(run.rule.newest))
    .bind(i64::from(run.rule.days))
    .bind(&run.account)
    .bind(by)
    .bind(now_ms())
    .bind(run.by_hand.join(" "))
    .execute(&mut **tx)
    .await
    .what(WHAT)?;
    for (digest, bytes) in items {
        sqlx::query("INSERT INTO retention_item (run, digest, bytes, state) VALUES ($1, $2, $3, 'waiting')")
            .bind(id)
            .bind(digest)
            .bind(i64::try_from(*bytes).unwrap_or(i64::MAX))
            .execute(&mut **tx)
            .await
            .what(WHAT)?;
    }
    Ok(())
}

/// What is left of it; `None`: there is no such thing.
pub async fn find(store: &Store, id: &str) -> Result<Option<Run>, StoreError> {
    const WHAT: &str = "read what is taken away";
    let row = sqlx::query("SELECT * FROM retention_run WHERE id = $1").bind(id).fetch_optional(store.read());
    let Some(r) = row.await.what(WHAT)? else { return Ok(None) };
    let left =
        sqlx::query_scalar("SELECT digest FROM retention_item WHERE run = $1 AND state = 'waiting' ORDER BY digest")
            .bind(id)
            .fetch_all(store.read())
            .await
            .what(WHAT)?;
    let number =
        |column: &str| Ok::<_, StoreError>(u32::try_from(r.try_get::<i64, _>(column).what(WHAT)?).unwrap_or(u32::MAX));
    Ok(Some(Run {
        registry: r.try_get("registry").what(WHAT)?,
        repository: r.try_get("repository").what(WHAT)?,
        rule: Retention { newest: number("newest")?, days: number("days")? },
        account: r.try_get("by_account").what(WHAT)?,
        left,
        by_hand: r.try_get::<String, _>("by_hand").what(WHAT)?.split_whitespace().map(str::to_owned).collect(),
    }))
}

/// Notes what became of a digest.
pub async fn item(store: &Store, id: &str, digest: &str, gone: bool) -> Result<(), StoreError> {
    sqlx::query("UPDATE retention_item SET state = $3 WHERE run = $1 AND digest = $2")
        .bind(id)
        .bind(digest)
        .bind(if gone { "gone" } else { "kept" })
        .execute(store.write())
        .await
        .what("note what was taken away")
        .map(|_| ())
}

/// Notes that it has ended, or (`why`) that it does not go on for now.
pub async fn note(tx: &mut Tx<'_>, id: &str, why: &str) -> Result<(), StoreError> {
    let ended = why.is_empty().then(now_ms);
    sqlx::query("UPDATE retention_run SET ended_at = $2, why = $3 WHERE id = $1")
        .bind(id)
        .bind(ended)
        .bind(why)
        .execute(&mut **tx)
        .await
        .what("note how far it is taken away")
        .map(|_| ())
}

/// The last times for a repository, newest first.
pub async fn last(store: &Store, registry: &str, repository: &str, most: i64) -> Result<Vec<RetentionRun>, StoreError> {
    const WHAT: &str = "what was taken away";
    let rows = sqlx::query(
        "SELECT r.by_name, r.asked_at, r.ended_at, r.why, \
         COUNT(CASE WHEN i.state = 'gone' THEN 1 END) AS gone, \
         CAST(COALESCE(SUM(CASE WHEN i.state = 'gone' THEN i.bytes END), 0) AS BIGINT) AS gone_bytes, \
         COUNT(CASE WHEN i.state = 'kept' THEN 1 END) AS kept, \
         COUNT(CASE WHEN i.state = 'waiting' THEN 1 END) AS waits \
         FROM retention_run r LEFT JOIN retention_item i ON i.run = r.id WHERE r.registry = $1 AND r.repository = $2 \
         GROUP BY r.id, r.by_name, r.asked_at, r.ended_at, r.why ORDER BY r.asked_at DESC, r.id DESC LIMIT $3",
    )
    .bind(registry)
    .bind(repository)
    .bind(most)
    .fetch_all(store.read())
    .await
    .what(WHAT)?;
    let one = |r: &AnyRow| {
        let count = |column: &str| {
            Ok::<_, StoreError>(u64::try_from(r.try_get::<i64, _>(column).what(WHAT)?).unwrap_or_default())
        };
        Ok(RetentionRun {
            by: r.try_get("by_name").what(WHAT)?,
            asked_at: r.try_get("asked_at").what(WHAT)?,
            ended_at: r.try_get("ended_at").what(WHAT)?,
            gone: count("gone")?,
            gone_bytes: count("gone_bytes")?,
            kept: count("kept")?,
            left: count("waits")?,
            why: r.try_get("why").what(WHAT)?,
        })
    };
    rows.iter().map(one).collect()
}
