//! The journal: append-only, each row carrying the hash of the one before, so
//! that an auditor can see whether a row was changed or taken out.
//!
//! One could get it wrong by letting two transactions take the same sequence
//! number: the primary key forbids it, and on PostgreSQL, where they really run
//! side by side, an advisory lock held until the commit keeps them in line.

use super::{Kind, Store, StoreError, Tx, What, from_json, now_ms, to_json};
use padis_domain::problem::FieldChange;
use padis_domain::view::Event;
use padis_domain::words::UnixMs;
use sha2::{Digest, Sha256};
use sqlx::Row;

/// What is to be written.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Account, or `padis` for the reconciler.
    pub who: String,
    /// Stable word, `app.create`.
    pub what: String,
    /// On what, `app:motor/claims`.
    pub subject: String,
    /// Team, if it is a team's thing.
    pub team: Option<String>,
    /// Application's id, if it belongs on its timeline.
    pub app_id: Option<String>,
    /// For the timeline.
    pub event: Option<Event>,
    /// What changed.
    pub changes: Vec<FieldChange>,
}

/// The name of PostgreSQL's advisory lock for the chain's end ("padis" in ASCII).
const CHAIN_LOCK: i64 = 0x70_61_64_69_73;

/// The hash of a row: sha-256 over its fields, each preceded by its length, so
/// that moving a character from one field to the next changes it.
pub fn row_hash(seq: i64, at: UnixMs, fields: &[&str], prev: &str) -> String {
    let mut h = Sha256::new();
    h.update(seq.to_be_bytes());
    h.update(at.to_be_bytes());
    for f in fields.iter().chain(std::iter::once(&prev)) {
        h.update((f.len() as u64).to_be_bytes());
        h.update(f.as_bytes());
    }
    h.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Appends a row in the caller's transaction; gives its sequence number.
pub async fn append(store: &Store, tx: &mut Tx<'_>, e: &Entry) -> Result<i64, StoreError> {
    const WHAT: &str = "append to the journal";
    if store.kind() == Kind::Postgres {
        sqlx::query("SELECT CAST(pg_advisory_xact_lock($1) AS TEXT)")
            .bind(CHAIN_LOCK)
            .execute(&mut **tx)
            .await
            .what(WHAT)?;
    }
    let last = sqlx::query("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1")
        .fetch_optional(&mut **tx)
        .await
        .what(WHAT)?;
    let (seq, prev) = match last {
        Some(r) => (r.try_get::<i64, _>("seq").what(WHAT)? + 1, r.try_get::<String, _>("hash").what(WHAT)?),
        None => (1, String::new()),
    };
    let at = now_ms();
    let event = e.event.as_ref().map(|v| to_json("event", v)).transpose()?;
    let changes = to_json("changes", &e.changes)?;
    let hash = row_hash(
        seq,
        at,
        &[
            &e.who,
            &e.what,
            &e.subject,
            e.team.as_deref().unwrap_or(""),
            e.app_id.as_deref().unwrap_or(""),
            event.as_deref().unwrap_or(""),
            &changes,
        ],
        &prev,
    );
    sqlx::query(
        "INSERT INTO journal (seq, at, who, what, subject, team, app_id, event, changes, prev, hash) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(seq)
    .bind(at)
    .bind(&e.who)
    .bind(&e.what)
    .bind(&e.subject)
    .bind(&e.team)
    .bind(&e.app_id)
    .bind(event)
    .bind(changes)
    .bind(prev)
    .bind(hash)
    .execute(&mut **tx)
    .await
    .what(WHAT)?;
    Ok(seq)
}

/// Appends in a transaction of its own.
pub async fn note(store: &Store, e: &Entry) -> Result<i64, StoreError> {
    let mut tx = store.begin().await?;
    let seq = append(store, &mut tx, e).await?;
    tx.commit().await.what("append to the journal")?;
    Ok(seq)
}

/// A stored row.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Sequence number.
    pub seq: i64,
    /// When.
    pub at: UnixMs,
    /// The entry.
    pub entry: Entry,
    /// Hash of the row before.
    pub prev: String,
    /// Its hash.
    pub hash: String,
    /// Whether the hash fits the content.
    pub intact: bool,
}

/// Reads a row of `SELECT * FROM journal`.
pub fn read(r: &sqlx::any::AnyRow) -> Result<Stored, StoreError> {
    const WHAT: &str = "read the journal";
    let s = |c: &str| r.try_get::<String, _>(c).what(WHAT);
    let o = |c: &str| r.try_get::<Option<String>, _>(c).what(WHAT);
    let (seq, at): (i64, i64) = (r.try_get("seq").what(WHAT)?, r.try_get("at").what(WHAT)?);
    let (who, what, subject, changes, prev, hash) =
        (s("who")?, s("what")?, s("subject")?, s("changes")?, s("prev")?, s("hash")?);
    let (team, app_id, event) = (o("team")?, o("app_id")?, o("event")?);
    let found = row_hash(
        seq,
        at,
        &[
            &who,
            &what,
            &subject,
            team.as_deref().unwrap_or(""),
            app_id.as_deref().unwrap_or(""),
            event.as_deref().unwrap_or(""),
            &changes,
        ],
        &prev,
    );
    Ok(Stored {
        seq,
        at,
        intact: found == hash,
        entry: Entry {
            who,
            what,
            subject,
            team,
            app_id,
            event: event.map(|e| from_json("event", &e)).transpose()?,
            changes: from_json("changes", &changes)?,
        },
        prev,
        hash,
    })
}

/// Walks the whole chain; gives the sequence number of the first row that does
/// not fit, if any. Reads in pieces, so that memory stays bounded.
pub async fn verify(store: &Store) -> Result<Option<i64>, StoreError> {
    let (mut after, mut prev) = (0i64, String::new());
    loop {
        let rows = sqlx::query("SELECT * FROM journal WHERE seq > $1 ORDER BY seq LIMIT 1000")
            .bind(after)
            .fetch_all(store.read())
            .await
            .what("verify the journal")?;
        if rows.is_empty() {
            return Ok(None);
        }
        for r in &rows {
            let s = read(r)?;
            if !s.intact || s.prev != prev || s.seq != after + 1 {
                return Ok(Some(s.seq));
            }
            (after, prev) = (s.seq, s.hash);
        }
    }
}
