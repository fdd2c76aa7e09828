//! What is inside images, by digest.
//!
//! Asked for once, read once: what a digest names never changes. One could get it wrong by
//! showing half of it: packages, files and the state `read` are written in one transaction.

use super::{Store, StoreError, Tx, What, from_json, now_ms, to_json, work};
use crate::inside::{Inside, Os, pack};
use padis_domain::view::{Contained, InsideState, PackageOrigin};
use sqlx::Row;
use sqlx::any::AnyRow;

/// Packages that are written by one statement, and values of each.
const AT_ONCE: usize = 50;
const COLUMNS: usize = 12;

/// Where an image is read from, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Digest.
    pub digest: String,
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// How far.
    pub state: InsideState,
}

/// The work key of a digest.
pub fn key(digest: &str) -> String {
    format!("{}{digest}", work::INSIDE)
}

/// Asks for an image to be read, unless it has been; whether anything is to be done now.
pub async fn ask(tx: &mut Tx<'_>, digest: &str, registry: &str, repository: &str) -> Result<bool, StoreError> {
    let asked = sqlx::query(
        "INSERT INTO image_inside (digest, registry, repository, state, why, os, notes, files_total, files, asked_at, ended_at) \
         VALUES ($1, $2, $3, 'waiting', '', '{}', '[]', 0, '', $4, 0) ON CONFLICT (digest) DO UPDATE SET \
         registry = excluded.registry, repository = excluded.repository, state = 'waiting', why = '', \
         asked_at = excluded.asked_at WHERE image_inside.state = 'failed'",
    )
    .bind(digest)
    .bind(registry)
    .bind(repository)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("ask for an image to be read")?;
    let new = asked.rows_affected() == 1;
    if new {
        work::touch(tx, &key(digest)).await?;
    }
    Ok(new)
}

/// What is asked for.
pub async fn find(store: &Store, digest: &str) -> Result<Option<Asked>, StoreError> {
    const WHAT: &str = "find an image that is to be read";
    let row = sqlx::query("SELECT registry, repository, state FROM image_inside WHERE digest = $1")
        .bind(digest)
        .fetch_optional(store.read())
        .await
        .what(WHAT)?;
    let Some(r) = row else { return Ok(None) };
    let text = |column: &str| r.try_get::<String, _>(column).what(WHAT);
    let (registry, repository, state) = (text("registry")?, text("repository")?, state(&text("state")?)?);
    Ok(Some(Asked { digest: digest.to_owned(), registry, repository, state }))
}

/// A state's word.
pub fn state(word: &str) -> Result<InsideState, StoreError> {
    InsideState::parse(word).ok_or_else(|| StoreError::Row {
        what: "image_inside.state",
        detail: format!("{word} is no state of a reading"),
    })
}

/// Notes how far it is: on its way, held up for a reason, or failed for good.
pub async fn note(store: &Store, digest: &str, state: InsideState, why: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE image_inside SET state = $2, why = $3, ended_at = $4 WHERE digest = $1 AND state <> 'read'")
        .bind(digest)
        .bind(state.as_str())
        .bind(why)
        .bind(if state == InsideState::Failed { now_ms() } else { 0 })
        .execute(store.write())
        .await
        .what("note how far the reading of an image is")
        .map(|_| ())
}

/// Writes all that was found.
pub async fn put(store: &Store, digest: &str, inside: &Inside) -> Result<(), StoreError> {
    const WHAT: &str = "write what is inside an image";
    let files = pack(&inside.files)
        .map_err(|e| StoreError::Row { what: "image_inside.files", detail: format!("not packed: {e}") })?;
    let mut tx = store.begin().await?;
    sqlx::query("DELETE FROM image_package WHERE digest = $1").bind(digest).execute(&mut *tx).await.what(WHAT)?;
    for (chunk, some) in inside.packages.chunks(AT_ONCE).enumerate() {
        let row = |n: usize| {
            let values = (0..COLUMNS).map(|c| format!("${}", n * COLUMNS + c + 1)).collect::<Vec<_>>();
            format!("({})", values.join(", "))
        };
        let text = format!(
            "INSERT INTO image_package (digest, n, origin, name, version, arch, source, source_version, license, purl, \
             path, words) VALUES {}",
            (0..some.len()).map(row).collect::<Vec<_>>().join(", ")
        );
        let query = some.iter().enumerate().fold(sqlx::query(&text), |query, (n, p)| {
            query
                .bind(digest)
                .bind(i64::try_from(chunk * AT_ONCE + n).unwrap_or(i64::MAX))
                .bind(p.origin.as_str())
                .bind(&p.name)
                .bind(&p.version)
                .bind(&p.arch)
                .bind(&p.source)
                .bind(&p.source_version)
                .bind(&p.license)
                .bind(&p.purl)
                .bind(&p.path)
                .bind(format!("{}\n{}\n{}", p.name, p.version, p.license).to_lowercase())
        });
        query.execute(&mut *tx).await.what(WHAT)?;
    }
    sqlx::query(
        "UPDATE image_inside SET state = 'read', why = '', os = $2, notes = $3, files_total = $4, files = $5, ended_at = $6 \
         WHERE digest = $1",
    )
    .bind(digest)
    .bind(to_json("image_inside.os", &inside.os)?)
    .bind(to_json("image_inside.notes", &inside.notes)?)
    .bind(i64::try_from(inside.files.len()).unwrap_or(i64::MAX))
    .bind(files)
    .bind(now_ms())
    .execute(&mut *tx)
    .await
    .what(WHAT)?;
    tx.commit().await.what(WHAT)
}

/// A package of a row.
pub fn package(r: &AnyRow) -> Result<Contained, StoreError> {
    let text = |column: &str| r.try_get::<String, _>(column).what("read a package of an image");
    let origin = text("origin")?;
    Ok(Contained {
        origin: PackageOrigin::parse(&origin).ok_or_else(|| StoreError::Row {
            what: "image_package.origin",
            detail: format!("{origin} is no kind of package"),
        })?,
        name: text("name")?,
        version: text("version")?,
        arch: text("arch")?,
        source: text("source")?,
        source_version: text("source_version")?,
        license: text("license")?,
        purl: text("purl")?,
        path: text("path")?,
    })
}

/// All packages of an image, and its distribution; `None`: it has not been read.
pub async fn all(store: &Store, digest: &str) -> Result<Option<(Os, Vec<Contained>)>, StoreError> {
    const WHAT: &str = "read the packages of an image";
    let os: Option<String> = sqlx::query_scalar("SELECT os FROM image_inside WHERE digest = $1 AND state = 'read'")
        .bind(digest)
        .fetch_optional(store.read())
        .await
        .what(WHAT)?;
    let Some(os) = os else { return Ok(None) };
    let rows = sqlx::query("SELECT * FROM image_package WHERE digest = $1 ORDER BY n")
        .bind(digest)
        .fetch_all(store.read())
        .await
        .what(WHAT)?;
    let packages = rows.iter().map(package).collect::<Result<_, _>>()?;
    Ok(Some((from_json("image_inside.os", &os)?, packages)))
}

/// An image that is to be read without anybody having asked: one that runs, or standard
/// middleware in the registry `own`. `None`: there is none, or one is being read already.
pub async fn wanted(store: &Store, own: &str) -> Result<Option<(String, String, String)>, StoreError> {
    sqlx::query_as(
        "SELECT t.digest, t.registry, t.repository FROM ( \
             SELECT digest FROM image_tag WHERE registry = $1 AND substr(repository, 1, 7) = 'stacks/' UNION \
             SELECT r.digest FROM release r JOIN app a ON a.id = r.app_id AND a.release = r.number) d \
         JOIN image i ON i.digest = d.digest JOIN image_tag t ON t.digest = d.digest \
         WHERE i.fault = '' AND NOT EXISTS (SELECT 1 FROM image_inside x WHERE x.digest = d.digest) \
         AND NOT EXISTS (SELECT 1 FROM image_inside x WHERE x.state IN ('waiting', 'reading')) \
         ORDER BY t.registry, t.repository, t.tag LIMIT 1",
    )
    .bind(own)
    .fetch_optional(store.read())
    .await
    .what("find an image to read")
}

/// Forgets what is inside images that are in no registry and that no release names.
pub async fn sweep(store: &Store) -> Result<u64, StoreError> {
    const WHAT: &str = "forget what is inside images";
    let mut tx = store.begin().await?;
    let gone = sqlx::query(
        "DELETE FROM image_inside WHERE state IN ('read', 'failed') AND digest NOT IN (SELECT digest FROM image) \
         AND digest NOT IN (SELECT digest FROM release)",
    )
    .execute(&mut *tx)
    .await
    .what(WHAT)?;
    if gone.rows_affected() > 0 {
        for text in [
            "DELETE FROM image_package WHERE digest NOT IN (SELECT digest FROM image_inside)",
            "DELETE FROM work WHERE parked = 1 AND substr(key, 1, 7) = 'inside:' \
             AND substr(key, 8) NOT IN (SELECT digest FROM image_inside)",
        ] {
            sqlx::query(text).execute(&mut *tx).await.what(WHAT)?;
        }
    }
    tx.commit().await.what(WHAT)?;
    Ok(gone.rows_affected())
}
