//! What the last look at each registry found.
//!
//! Written in one transaction for each repository, so that a page never sees half of one.
//! One could get it wrong by clearing and filling: `since` of a tag that still names the
//! same would be lost, and every look would look like a change.

use super::{Store, StoreError, Tx, What, from_json, now_ms, to_json};
use padis_domain::ports::Image;
use padis_domain::words::UnixMs;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};

/// A repository as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Registry.
    pub registry: String,
    /// Name.
    pub name: String,
    /// Team, or empty.
    pub team: String,
    /// Text for the search.
    pub words: String,
    /// Title, or empty.
    pub title: String,
    /// The same in Chinese, or empty.
    pub title_zh: String,
    /// Tag of the newest version.
    pub newest: String,
    /// When that was made; 0 is not known.
    pub newest_at: UnixMs,
    /// Its bytes.
    pub bytes: u64,
    /// Tag → digest.
    pub tags: BTreeMap<String, String>,
}

/// A digest, and what it names or why that could not be read.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Digest.
    pub digest: String,
    /// When it was made; 0 is not known.
    pub made_at: UnixMs,
    /// What it names, or why not.
    pub image: Result<Image, String>,
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// Digests of one repository as they are known.
pub async fn tags(store: &Store, registry: &str, repository: &str) -> Result<BTreeMap<String, String>, StoreError> {
    const WHAT: &str = "read the versions of a repository";
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT tag, digest FROM image_tag WHERE registry = $1 AND repository = $2")
            .bind(registry)
            .bind(repository)
            .fetch_all(store.read())
            .await
            .what(WHAT)?;
    Ok(rows.into_iter().collect())
}

/// Those of these digests of which it is known what they name, with that.
pub async fn known(store: &Store, digests: &BTreeSet<&str>) -> Result<BTreeMap<String, Image>, StoreError> {
    const WHAT: &str = "read what digests name";
    let all: Vec<&&str> = digests.iter().collect();
    let mut out = BTreeMap::new();
    // SQLite takes 999 values and more; PostgreSQL 65,535.
    for some in all.chunks(500) {
        let places = (1..=some.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
        let text = format!("SELECT digest, facts FROM image WHERE fault = '' AND digest IN ({places})");
        let query = some.iter().fold(sqlx::query(&text), |q, digest| q.bind((**digest).to_owned()));
        for r in query.fetch_all(store.read()).await.what(WHAT)? {
            let facts: String = r.try_get("facts").what(WHAT)?;
            out.insert(r.try_get("digest").what(WHAT)?, from_json("image.facts", &facts)?);
        }
    }
    Ok(out)
}

/// Writes what a repository is now. Whether anything differs from before.
pub async fn put(store: &Store, found: &Repository, seen: &[Seen]) -> Result<bool, StoreError> {
    const WHAT: &str = "write what a repository holds";
    let now = now_ms();
    let mut tx = store.begin().await?;
    let mut changed = 0;
    for s in seen {
        let (image, fault) = match &s.image {
            Ok(image) => (image.clone(), ""),
            Err(fault) => (Image { digest: s.digest.clone(), ..Image::default() }, fault.as_str()),
        };
        changed += sqlx::query(
            "INSERT INTO image (digest, bytes, made_at, facts, fault, seen_at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes, made_at = excluded.made_at, facts = excluded.facts, \
             fault = excluded.fault, seen_at = excluded.seen_at WHERE image.fault <> excluded.fault",
        )
        .bind(&s.digest)
        .bind(signed(image.bytes))
        .bind(s.made_at)
        .bind(to_json("image.facts", &image)?)
        .bind(fault)
        .bind(now)
        .execute(&mut *tx)
        .await
        .what(WHAT)?
        .rows_affected();
    }
    let had: Vec<(String, String)> =
        sqlx::query_as("SELECT tag, digest FROM image_tag WHERE registry = $1 AND repository = $2")
            .bind(&found.registry)
            .bind(&found.name)
            .fetch_all(&mut *tx)
            .await
            .what(WHAT)?;
    let had: BTreeMap<String, String> = had.into_iter().collect();
    for tag in had.keys().filter(|tag| !found.tags.contains_key(*tag)) {
        changed += sqlx::query("DELETE FROM image_tag WHERE registry = $1 AND repository = $2 AND tag = $3")
            .bind(&found.registry)
            .bind(&found.name)
            .bind(tag)
            .execute(&mut *tx)
            .await
            .what(WHAT)?
            .rows_affected();
    }
    for (tag, digest) in found.tags.iter().filter(|(tag, digest)| had.get(*tag) != Some(digest)) {
        changed += sqlx::query(
            "INSERT INTO image_tag (registry, repository, tag, digest, since) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (registry, repository, tag) DO UPDATE SET digest = excluded.digest, since = excluded.since",
        )
        .bind(&found.registry)
        .bind(&found.name)
        .bind(tag)
        .bind(digest)
        .bind(now)
        .execute(&mut *tx)
        .await
        .what(WHAT)?
        .rows_affected();
    }
    changed += row(&mut tx, found).await?;
    tx.commit().await.what(WHAT)?;
    Ok(changed > 0)
}

/// The repository's own row; one without versions has none.
async fn row(tx: &mut Tx<'_>, found: &Repository) -> Result<u64, StoreError> {
    const WHAT: &str = "write a repository";
    if found.tags.is_empty() {
        return gone(tx, &found.registry, &found.name).await;
    }
    let done = sqlx::query(
        "INSERT INTO repository (registry, name, team, words, title, versions, newest, newest_at, bytes, title_zh) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (registry, name) DO UPDATE SET team = excluded.team, words = excluded.words, title = excluded.title, \
         versions = excluded.versions, newest = excluded.newest, newest_at = excluded.newest_at, bytes = excluded.bytes, \
         title_zh = excluded.title_zh \
         WHERE repository.words <> excluded.words OR repository.title <> excluded.title OR repository.newest <> excluded.newest \
         OR repository.versions <> excluded.versions OR repository.newest_at <> excluded.newest_at \
         OR repository.bytes <> excluded.bytes OR repository.title_zh <> excluded.title_zh",
    )
    .bind(&found.registry)
    .bind(&found.name)
    .bind(&found.team)
    .bind(&found.words)
    .bind(&found.title)
    .bind(i64::try_from(found.tags.len()).unwrap_or(i64::MAX))
    .bind(&found.newest)
    .bind(found.newest_at)
    .bind(signed(found.bytes))
    .bind(&found.title_zh)
    .execute(&mut **tx)
    .await
    .what(WHAT)?;
    Ok(done.rows_affected())
}

async fn gone(tx: &mut Tx<'_>, registry: &str, name: &str) -> Result<u64, StoreError> {
    const WHAT: &str = "forget a repository";
    let mut changed = 0;
    for text in [
        "DELETE FROM image_tag WHERE registry = $1 AND repository = $2",
        "DELETE FROM repository WHERE registry = $1 AND name = $2",
    ] {
        changed += sqlx::query(text).bind(registry).bind(name).execute(&mut **tx).await.what(WHAT)?.rows_affected();
    }
    Ok(changed)
}

/// Forgets the repositories of a registry that are not among these. How many.
pub async fn forget_others(store: &Store, registry: &str, names: &BTreeSet<String>) -> Result<u64, StoreError> {
    const WHAT: &str = "list repositories";
    let had: Vec<String> = sqlx::query_scalar("SELECT name FROM repository WHERE registry = $1")
        .bind(registry)
        .fetch_all(store.read())
        .await
        .what(WHAT)?;
    let mut gone_now = 0;
    for name in had.iter().filter(|name| !names.contains(*name)) {
        let mut tx = store.begin().await?;
        gone(&mut tx, registry, name).await?;
        tx.commit().await.what(WHAT)?;
        gone_now += 1;
    }
    Ok(gone_now)
}

/// Notes how a look at all of a registry ended: how long it took, or why it failed.
pub async fn looked(store: &Store, registry: &str, took_ms: i64, fault: &str) -> Result<(), StoreError> {
    let now = now_ms();
    let (at, fault_at) = if fault.is_empty() { (now, 0) } else { (0, now) };
    sqlx::query(
        "INSERT INTO registry_look (registry, at, took_ms, fault, fault_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (registry) DO UPDATE SET at = CASE WHEN excluded.fault = '' THEN excluded.at ELSE registry_look.at END, \
         took_ms = CASE WHEN excluded.fault = '' THEN excluded.took_ms ELSE registry_look.took_ms END, \
         fault = excluded.fault, fault_at = excluded.fault_at",
    )
    .bind(registry)
    .bind(at)
    .bind(took_ms)
    .bind(fault)
    .bind(fault_at)
    .execute(store.write())
    .await
    .what("note a look at a registry")
    .map(|_| ())
}

/// Images that no tag names any more and that were first seen before `before`; how many went.
pub async fn sweep(store: &Store, before: UnixMs) -> Result<u64, StoreError> {
    let done = sqlx::query("DELETE FROM image WHERE seen_at < $1 AND digest NOT IN (SELECT digest FROM image_tag)")
        .bind(before)
        .execute(store.write())
        .await
        .what("forget images")?;
    Ok(done.rows_affected())
}

/// The digest in a reference by digest; empty if there is none.
pub fn digest_of(reference: &str) -> &str {
    reference.split_once('@').map(|(_, digest)| digest).unwrap_or_default()
}

/// Notes the digest of releases that were made before it was kept.
pub async fn fill_releases(store: &Store) -> Result<(), StoreError> {
    const WHAT: &str = "note which images releases run";
    let rows: Vec<(String, i64, String)> = sqlx::query_as("SELECT app_id, number, spec FROM release WHERE digest = ''")
        .fetch_all(store.read())
        .await
        .what(WHAT)?;
    for (app, number, spec) in rows {
        let spec: padis_domain::app::ReleaseSpec = from_json("release.spec", &spec)?;
        sqlx::query("UPDATE release SET digest = $3 WHERE app_id = $1 AND number = $2")
            .bind(app)
            .bind(number)
            .bind(digest_of(&spec.image))
            .execute(store.write())
            .await
            .what(WHAT)?;
    }
    Ok(())
}
