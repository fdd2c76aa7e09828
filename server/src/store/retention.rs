//! Taking away what nothing needs: each time that somebody lets it be done.

use super::{Store, StoreError, Tx, What, now_ms};
use padis_domain::view::{KeptRule, Retention, RetentionRun};
use padis_domain::words::UnixMs;
use sqlx::Row;
use sqlx::any::AnyRow;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// What stays in any case. Of what goes by a rule that is kept by itself [`find`] gives the
    /// rule that is kept by now: it may be another one, or none, since this was asked for.
    pub rule: Retention,
    /// Account of who let it be done.
    pub account: String,
    /// Digests that are still to be taken away.
    pub left: Vec<String>,
    /// Of one version that somebody deletes by hand, the tags that he saw go with it; none of
    /// what goes by a rule.
    pub by_hand: Vec<String>,
}

/// By which nothing goes.
const ALL_STAY: Retention = Retention { newest: u32::MAX, days: 0 };

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
    let (registry, repository): (String, String) =
        (r.try_get("registry").what(WHAT)?, r.try_get("repository").what(WHAT)?);
    let rule = if r.try_get::<String, _>("by_name").what(WHAT)?.is_empty() {
        rule(store, &registry, &repository).await?.map_or(ALL_STAY, |kept| kept.rule)
    } else {
        Retention { newest: number(&r, "newest")?, days: number(&r, "days")? }
    };
    Ok(Some(Run {
        registry,
        repository,
        rule,
        account: r.try_get("by_account").what(WHAT)?,
        left,
        by_hand: r.try_get::<String, _>("by_hand").what(WHAT)?.split_whitespace().map(str::to_owned).collect(),
    }))
}

/// Between two looks at what goes by a rule that is kept by itself.
const DAY_MS: i64 = 24 * 3_600_000;

fn number(r: &AnyRow, column: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(r.try_get::<i64, _>(column).what("read a rule")?).unwrap_or(u32::MAX))
}

/// The rule that is kept by itself.
pub async fn rule(store: &Store, registry: &str, repository: &str) -> Result<Option<KeptRule>, StoreError> {
    const WHAT: &str = "read a rule";
    let found = sqlx::query("SELECT * FROM retention_rule WHERE registry = $1 AND repository = $2")
        .bind(registry)
        .bind(repository)
        .fetch_optional(store.read());
    let Some(r) = found.await.what(WHAT)? else { return Ok(None) };
    Ok(Some(KeptRule {
        rule: Retention { newest: number(&r, "newest")?, days: number(&r, "days")? },
        by: r.try_get("by_name").what(WHAT)?,
        set_at: r.try_get("set_at").what(WHAT)?,
        looked_at: r.try_get("looked_at").what(WHAT)?,
        due_at: r.try_get("due_at").what(WHAT)?,
    }))
}

/// Keeps a rule from now on; whether that is anything new.
pub async fn keep_rule(
    tx: &mut Tx<'_>,
    (registry, repository): (&str, &str),
    rule: Retention,
    (account, name): (&str, &str),
) -> Result<bool, StoreError> {
    // Of two who set it at the same time one waits for the other's row.
    let done = sqlx::query(
        "INSERT INTO retention_rule (registry, repository, newest, days, by_account, by_name, set_at, looked_at, due_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $7) \
         ON CONFLICT (registry, repository) DO UPDATE SET newest = excluded.newest, days = excluded.days, \
         by_account = excluded.by_account, by_name = excluded.by_name, set_at = excluded.set_at, looked_at = NULL, \
         due_at = excluded.due_at \
         WHERE retention_rule.newest <> excluded.newest OR retention_rule.days <> excluded.days",
    )
    .bind(registry)
    .bind(repository)
    .bind(i64::from(rule.newest))
    .bind(i64::from(rule.days))
    .bind(account)
    .bind(name)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("record a rule")?;
    Ok(done.rows_affected() > 0)
}

/// Keeps none any more; the rule that there was.
pub async fn end_rule(tx: &mut Tx<'_>, registry: &str, repository: &str) -> Result<Option<Retention>, StoreError> {
    let gone = sqlx::query("DELETE FROM retention_rule WHERE registry = $1 AND repository = $2 RETURNING newest, days")
        .bind(registry)
        .bind(repository)
        .fetch_optional(&mut **tx)
        .await
        .what("end a rule")?;
    gone.map(|r| Ok(Retention { newest: number(&r, "newest")?, days: number(&r, "days")? })).transpose()
}

/// A rule by which it is to be looked now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRule {
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// What stays in any case.
    pub rule: Retention,
    due_at: UnixMs,
}

/// Rules by which it is to be looked now. One that is due later than any that could be written
/// now (the clock was put back) is due.
pub async fn due_rules(store: &Store, now: UnixMs, most: i64) -> Result<Vec<DueRule>, StoreError> {
    const WHAT: &str = "which rules are due";
    let rows = sqlx::query("SELECT * FROM retention_rule WHERE due_at <= $1 OR due_at > $2 ORDER BY due_at LIMIT $3")
        .bind(now)
        .bind(now + DAY_MS)
        .bind(most)
        .fetch_all(store.read())
        .await
        .what(WHAT)?;
    let one = |r: &AnyRow| {
        Ok(DueRule {
            registry: r.try_get("registry").what(WHAT)?,
            repository: r.try_get("repository").what(WHAT)?,
            rule: Retention { newest: number(r, "newest")?, days: number(r, "days")? },
            due_at: r.try_get("due_at").what(WHAT)?,
        })
    };
    rows.iter().map(one).collect()
}

/// Takes a due rule until tomorrow; `false`: somebody else has, or it is another rule by now.
pub async fn take_rule(tx: &mut Tx<'_>, due: &DueRule, now: UnixMs) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE retention_rule SET looked_at = $3, due_at = $4 \
         WHERE registry = $1 AND repository = $2 AND due_at = $5 AND newest = $6 AND days = $7",
    )
    .bind(&due.registry)
    .bind(&due.repository)
    .bind(now)
    .bind(now + DAY_MS)
    .bind(due.due_at)
    .bind(i64::from(due.rule.newest))
    .bind(i64::from(due.rule.days))
    .execute(&mut **tx)
    .await
    .what("take a rule")?;
    Ok(done.rows_affected() > 0)
}

/// Whether something that was to be taken away by the rule is still on its way, or stuck.
pub async fn under_way(store: &Store, registry: &str, repository: &str) -> Result<bool, StoreError> {
    let open = sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM retention_run WHERE registry = $1 AND repository = $2 AND by_name = '' AND ended_at IS NULL",
    );
    Ok(open.bind(registry).bind(repository).fetch_one(store.read()).await.what("what is being taken away")? > 0)
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
