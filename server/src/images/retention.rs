//! What of a repository nothing needs any more.
//!
//! One rule for the list that people see before (the dry run) and for the worker that
//! takes away, which looks once more at each digest before it does. One could get it wrong
//! by judging tags: a registry deletes a manifest with every tag that names it, so a digest
//! stays for the sake of any of them. Nor is what is tagged all that is needed: a version for
//! several platforms names manifests that may have tags of their own, and would break.

use super::Place;
use crate::store::{Store, StoreError, What};
use padis_domain::ports::{Image, PortError};
use padis_domain::view::{Retention, RetentionRow, Stays};
use padis_domain::words::UnixMs;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DAY_MS: i64 = 24 * 3_600_000;
/// How long a registry has to say what versions for several platforms consist of.
const LIVE: Duration = Duration::from_secs(5);

/// Every digest of a repository as the last look found it, newest first, with what needs it; and
/// which of them are versions for several platforms.
async fn held(
    store: &Store,
    registry: &str,
    repository: &str,
) -> Result<(Vec<RetentionRow>, BTreeSet<String>), StoreError> {
    const WHAT: &str = "what a repository holds";
    let rows = sqlx::query(
        "SELECT t.tag, t.digest, t.since, i.bytes, i.made_at, i.facts FROM image_tag t LEFT JOIN image i ON i.digest = t.digest \
         WHERE t.registry = $1 AND t.repository = $2 ORDER BY t.tag",
    )
    .bind(registry)
    .bind(repository)
    .fetch_all(store.read())
    .await
    .what(WHAT)?;
    let mut all: BTreeMap<String, RetentionRow> = BTreeMap::new();
    let mut several = BTreeSet::new();
    for r in &rows {
        let digest: String = r.try_get("digest").what(WHAT)?;
        let number = |column: &str| r.try_get::<Option<i64>, _>(column).what(WHAT);
        let at = number("made_at")?.max(number("since")?).filter(|at| *at > 0);
        let bytes = number("bytes")?.and_then(|n| u64::try_from(n).ok()).unwrap_or_default();
        let facts: Option<String> = r.try_get("facts").what(WHAT)?;
        if facts.is_some_and(|f| is_index(&f)) {
            several.insert(digest.clone());
        }
        let row = all.entry(digest.clone()).or_insert_with(|| RetentionRow {
            digest,
            tags: Vec::new(),
            bytes,
            at: None,
            stays: Vec::new(),
        });
        row.tags.push(r.try_get("tag").what(WHAT)?);
        row.at = row.at.max(at);
    }
    let mut out: Vec<RetentionRow> = all.into_values().collect();
    out.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.digest.cmp(&b.digest)));
    for (why, needed) in needed(store, registry, repository).await? {
        out.iter_mut().filter(|row| needed.contains(&row.digest)).for_each(|row| row.stays.push(why));
    }
    Ok((out, several))
}

/// Every digest of a repository as the last look found it, newest first, and why it stays.
pub async fn judge(
    store: &Store,
    registry: &str,
    repository: &str,
    rule: Retention,
    now: UnixMs,
) -> Result<Vec<RetentionRow>, StoreError> {
    let (mut out, several) = held(store, registry, repository).await?;
    let young = now - i64::from(rule.days) * DAY_MS;
    for (n, row) in out.iter_mut().enumerate() {
        if n < rule.newest as usize {
            row.stays.push(Stays::Newest);
        }
        if rule.days > 0 && row.at.is_some_and(|at| at > young) {
            row.stays.push(Stays::Young);
        }
    }
    // Which manifests an index names is not remembered: while one stays, all of them do.
    if out.iter().any(|row| !row.stays.is_empty() && several.contains(&row.digest)) {
        let parts = out.iter_mut().filter(|row| row.stays.is_empty() && !several.contains(&row.digest));
        parts.for_each(|row| row.stays.push(Stays::Part));
    }
    Ok(out)
}

/// One digest that somebody deletes by hand, and why it has to stay; `None`: the repository
/// does not have it. Whether it is a part of a version for several platforms the registry is
/// asked; where it does not say, it may be one.
pub async fn judge_one(
    store: &Store,
    place: &Place,
    repository: &str,
    digest: &str,
) -> Result<Option<RetentionRow>, StoreError> {
    let (rows, mut several) = held(store, &place.name, repository).await?;
    let Some(mut row) = rows.into_iter().find(|row| row.digest == digest) else { return Ok(None) };
    several.remove(digest);
    let parts = async {
        for index in &several {
            let all = place.client.manifests(repository, index).await?;
            if all.iter().any(|m| m.digest == digest) {
                return Ok(true);
            }
        }
        Ok::<_, PortError>(false)
    };
    match tokio::time::timeout(LIVE, parts).await {
        Ok(Ok(false)) => {}
        Ok(Ok(true)) => row.stays.push(Stays::Part),
        Ok(Err(e)) => {
            tracing::warn!(registry = %place.name, repository, cause = %e.chain(), "what versions for several platforms consist of is not known");
            row.stays.push(Stays::Part);
        }
        Err(_) => {
            tracing::warn!(registry = %place.name, repository, "what versions for several platforms consist of was not told in time");
            row.stays.push(Stays::Part);
        }
    }
    Ok(Some(row))
}

/// Whether the facts of an image are those of an index (OCI) or a manifest list (Docker). What
/// can't be read is none: it names nothing that could be broken.
fn is_index(facts: &str) -> bool {
    let image = serde_json::from_str::<Image>(facts);
    image.is_ok_and(|i| i.media_type.contains("image.index") || i.media_type.contains("manifest.list"))
}

/// Digests that something needs, by what.
async fn needed(store: &Store, registry: &str, repository: &str) -> Result<Vec<(Stays, BTreeSet<String>)>, StoreError> {
    // Releases that can be gone back to count, and those that run elsewhere, too: a digest
    // names the same everywhere, and who pulls from where is not for a rule to guess.
    const USED: &str = "SELECT DISTINCT r.digest FROM image_tag t JOIN release r ON r.digest = t.digest \
                        WHERE t.registry = $1 AND t.repository = $2";
    const STANDARD: &str = "SELECT s.digest FROM stack s LEFT JOIN stack_mark m ON m.key = s.key \
                            WHERE s.gone_at IS NULL AND COALESCE(m.state, '') <> 'retired' AND $1 <> $2";
    // What waits for a yes, on both sides, and what a promotion that stands can be rolled back to.
    const PROMOTION: &str = "SELECT digest FROM promotion WHERE state = 'asked' AND from_place = $1 AND repository = $2 \
                             UNION SELECT p.before FROM promotion p JOIN image_tag t ON t.registry = p.to_place \
                             AND t.repository = p.repository AND t.tag = p.tag AND t.digest = p.digest \
                             WHERE p.state = 'approved' AND p.to_place = $1 AND p.repository = $2";
    const ON_ITS_WAY: &str = "SELECT digest FROM image_copy WHERE state IN ('waiting', 'running') \
                              AND ((from_place = $1 AND from_repo = $2) OR (to_place = $1 AND to_repo = $2)) \
                              UNION SELECT digest FROM bench WHERE state = 'starting' AND repository = $2 \
                              UNION SELECT base_digest FROM build WHERE state IN ('waiting', 'running')";
    let mut out = Vec::new();
    for (why, sql) in
        [(Stays::Used, USED), (Stays::Standard, STANDARD), (Stays::Promotion, PROMOTION), (Stays::OnItsWay, ON_ITS_WAY)]
    {
        let digests = sqlx::query_scalar::<_, String>(sql).bind(registry).bind(repository).fetch_all(store.read());
        out.push((why, digests.await.what("what needs an image")?.into_iter().collect()));
    }
    Ok(out)
}
