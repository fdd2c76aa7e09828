//! The work queue: "look at this again".
//!
//! `touch` raises `wanted`, `take` leases due rows in one statement, `settle`
//! writes `done` for the `wanted` that was taken, so that a change during the
//! run is never lost. A row carries no data about what to do. One could get it
//! wrong by settling with the present `wanted` instead of the taken one.
//!
//! Times here are the wall clock's, because replicas share them, and that clock
//! may jump. Back by an hour, every due time and lease would lie an hour ahead:
//! one that is farther ahead than any that could be written now counts as over.
//! Forward, every lease would look expired: a process never takes a row from a
//! worker of its own, since what runs in it is bounded by the steady clock.

use super::{Store, StoreError, Tx, What, now_ms};
use padis_domain::view::WorkLoad;
use padis_domain::words::UnixMs;
use sqlx::Row;

/// A leased row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Key.
    pub key: String,
    /// What `wanted` was when it was taken.
    pub wanted: i64,
    /// Failed attempts in a row before this one.
    pub attempts: u32,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As wanted; look again at the next touch.
    Done,
    /// On the way; look again after so many ms (or at the next touch).
    Again(i64),
    /// Failed for now; look again after so many ms.
    Retry {
        /// Delay.
        after_ms: i64,
        /// For the operator.
        why: String,
    },
    /// Refused: leave it until somebody touches or retries it.
    Park {
        /// For the operator.
        why: String,
    },
    /// The row's subject is gone.
    Forget,
}

/// What the keys of work begin with that may last for hours: copies of images, images that
/// are read, images that come from a file, and registries in which room is made.
pub const COPY: &str = "copy:";
/// See [`COPY`].
pub const INSIDE: &str = "inside:";
/// See [`COPY`].
pub const ARCHIVE: &str = "archive:";
/// What the keys of builds begin with, which count as workbenches.
pub const BUILD: &str = "build:";
/// See [`COPY`]: the bytes of a registry that nothing names.
pub const COLLECT: &str = "collect:";
/// The kind of a row in a statement: 1 for what may last for hours, 2 for workbenches, which
/// may last for minutes and have people waiting, 0 for the rest.
const KIND: &str = "CASE WHEN substr(key, 1, 5) = 'copy:' OR substr(key, 1, 7) = 'inside:' OR substr(key, 1, 8) = 'archive:' \
     OR substr(key, 1, 8) = 'collect:' THEN 1 \
     WHEN substr(key, 1, 6) = 'bench:' OR substr(key, 1, 7) = 'commit:' OR substr(key, 1, 6) = 'build:' THEN 2 ELSE 0 END";

/// The longest delay that is ever written, in ms.
pub const MAX_DELAY_MS: i64 = 60_000;
/// The longest lease that is ever taken, in ms.
pub const MAX_LEASE_MS: i64 = 600_000;

/// Who takes and settles rows.
#[derive(Debug, Clone)]
pub struct Worker {
    /// What the names of all workers of this process begin with.
    pub process: String,
    /// Its own name, unique; it works on one row at a time.
    pub name: String,
    /// Which kind of rows it takes, and no others: 1 those that may last for hours ([`COPY`],
    /// [`INSIDE`], [`ARCHIVE`], [`COLLECT`]), 2 those of workbenches, 0 the rest.
    pub kind: i64,
}

impl Worker {
    /// Worker `n` of a process.
    pub fn new(process: &str, n: usize) -> Self {
        let process = format!("{process}:");
        Self { name: format!("{process}{n}"), process, kind: 0 }
    }

    /// Whether its rows may take longer than a lease.
    pub fn is_long(&self) -> bool {
        self.kind > 0
    }

    /// The same for workbenches.
    pub fn bench(process: &str, n: usize) -> Self {
        let process = format!("{process}:");
        Self { name: format!("{process}bench-{n}"), process, kind: 2 }
    }

    /// The same for what may last for hours.
    pub fn long(process: &str, n: usize) -> Self {
        let process = format!("{process}:");
        Self { name: format!("{process}long-{n}"), process, kind: 1 }
    }
}

/// Asks for a look at `key`, now. Part of the transaction that records the intent.
pub async fn touch(tx: &mut Tx<'_>, key: &str) -> Result<(), StoreError> {
    let now = now_ms();
    sqlx::query(
        "INSERT INTO work (key, wanted, done, due_at, attempts, lease, lease_until, parked, outcome, changed_at, urgent) \
         VALUES ($1, 1, 0, $2, 0, NULL, 0, 0, '', $2, 1) \
         ON CONFLICT (key) DO UPDATE SET wanted = work.wanted + 1, due_at = excluded.due_at, parked = 0, attempts = 0, urgent = 1",
    )
    .bind(key)
    .bind(now)
    .execute(&mut **tx)
    .await
    .what("touch work")
    .map(|_| ())
}

/// Asks for a look without changing anything that failed before: a wake-up by an
/// event keeps a parked row parked and does not reset its attempts. What is `urgent` is
/// taken before what is not: something happened, and nobody only makes a round.
pub async fn nudge(store: &Store, keys: &[String], urgent: bool) -> Result<(), StoreError> {
    let now = now_ms();
    let mut tx = store.begin().await?;
    for key in keys {
        // Of a row with nothing to do `due_at` says when that was so.
        sqlx::query("UPDATE work SET wanted = wanted + 1, urgent = CASE WHEN urgent > $3 THEN urgent ELSE $3 END, \
                     due_at = CASE WHEN due_at > $2 OR wanted <= done THEN $2 ELSE due_at END WHERE key = $1 AND parked = 0")
            .bind(key)
            .bind(now)
            .bind(i64::from(urgent))
            .execute(&mut *tx)
            .await
            .what("nudge work")?;
    }
    tx.commit().await.what("nudge work")
}

/// Leases the row that has been due longest, an urgent one first, if any. `lease_ms` is how long it may
/// take before a worker of another process assumes this one dead.
pub async fn take(store: &Store, worker: &Worker, lease_ms: i64) -> Result<Option<Taken>, StoreError> {
    let now = now_ms();
    // Nobody's; its own (it settles before it takes, so that settling failed); or of
    // another process and over.
    const FREE: &str = "(lease IS NULL OR lease = $1 OR \
         (substr(lease, 1, length($2)) <> $2 AND (lease_until <= $4 OR lease_until > $5)))";
    let row = sqlx::query(&format!(
        "UPDATE work SET lease = $1, lease_until = $3 WHERE key = ( \
             SELECT key FROM work WHERE parked = 0 AND wanted > done AND (due_at <= $4 OR due_at > $6) AND {FREE} \
             AND {KIND} = $7 ORDER BY urgent DESC, due_at LIMIT 1) \
         AND {FREE} AND wanted > done AND parked = 0 RETURNING key, wanted, attempts"
    ))
    .bind(&worker.name)
    .bind(&worker.process)
    .bind(now + lease_ms.min(MAX_LEASE_MS))
    .bind(now)
    .bind(now + MAX_LEASE_MS)
    .bind(now + MAX_DELAY_MS)
    .bind(worker.kind)
    .fetch_optional(store.write())
    .await
    .what("take work")?;
    Ok(match row {
        None => None,
        Some(r) => Some(Taken {
            key: r.try_get("key").what("take work")?,
            wanted: r.try_get("wanted").what("take work")?,
            attempts: u32::try_from(r.try_get::<i64, _>("attempts").what("take work")?).unwrap_or(u32::MAX),
        }),
    })
}

/// Prolongs a lease. `false`: the row has passed to somebody else, or was left alone by an
/// operator.
pub async fn renew(store: &Store, worker: &Worker, taken: &Taken, lease_ms: i64) -> Result<bool, StoreError> {
    let n = sqlx::query("UPDATE work SET lease_until = $3 WHERE key = $1 AND lease = $2 AND parked = 0")
        .bind(&taken.key)
        .bind(&worker.name)
        .bind(now_ms() + lease_ms.min(MAX_LEASE_MS))
        .execute(store.write())
        .await
        .what("prolong a lease")?;
    Ok(n.rows_affected() == 1)
}

/// Writes how it ended. `false`: the lease had passed to somebody else meanwhile,
/// and nothing was written.
pub async fn settle(store: &Store, worker: &Worker, taken: &Taken, outcome: &Outcome) -> Result<bool, StoreError> {
    let (now, lease) = (now_ms(), &worker.name);
    let w = store.write();
    let n = match outcome {
        Outcome::Forget => sqlx::query("DELETE FROM work WHERE key = $1 AND lease = $2 AND wanted = $3")
            .bind(&taken.key)
            .bind(lease)
            .bind(taken.wanted)
            .execute(w)
            .await
            .what("settle work")?,
        _ => {
            // `done` only for what is finished; otherwise the row stays due.
            let (done, due, attempts, parked, text) = match outcome {
                Outcome::Done | Outcome::Forget => (true, now, 0, 0, String::new()),
                Outcome::Again(ms) => (false, now + ms.min(&MAX_DELAY_MS), 0, 0, String::new()),
                Outcome::Retry { after_ms, why } => {
                    (false, now + after_ms.min(&MAX_DELAY_MS), i64::from(taken.attempts) + 1, 0, why.clone())
                }
                Outcome::Park { why } => (false, now, i64::from(taken.attempts) + 1, 1, why.clone()),
            };
            // A touch during the run (wanted moved on) stays due at once, and unparked. A row
            // that was parked during the run stays so, with the operator's words: it was not
            // when it was taken, and every touch would have unparked it. What is urgent stays
            // so until it is done.
            sqlx::query(
                "UPDATE work SET lease = NULL, lease_until = 0, changed_at = $5, \
                 outcome = CASE WHEN parked = 1 THEN outcome ELSE $4 END, \
                 done = CASE WHEN $6 = 1 THEN $3 ELSE done END, \
                 due_at = CASE WHEN wanted > $3 THEN $5 ELSE $7 END, \
                 attempts = CASE WHEN wanted > $3 THEN 0 ELSE $8 END, \
                 parked = CASE WHEN parked = 1 THEN 1 WHEN wanted > $3 THEN 0 ELSE $9 END, \
                 urgent = CASE WHEN $6 = 1 AND wanted <= $3 THEN 0 ELSE urgent END \
                 WHERE key = $1 AND lease = $2",
            )
            .bind(&taken.key)
            .bind(lease)
            .bind(taken.wanted)
            .bind(text)
            .bind(now)
            .bind(i64::from(done))
            .bind(due)
            .bind(attempts)
            .bind(parked)
            .execute(w)
            .await
            .what("settle work")?
        }
    };
    if n.rows_affected() == 0 && *outcome == Outcome::Forget {
        // Wanted again while it went away: one more look.
        sqlx::query("UPDATE work SET lease = NULL, lease_until = 0, due_at = $3 WHERE key = $1 AND lease = $2")
            .bind(&taken.key)
            .bind(lease)
            .bind(now)
            .execute(w)
            .await
            .what("settle work")?;
    }
    Ok(n.rows_affected() == 1)
}

/// When the next row is due, for a worker that has nothing to do. What its own
/// process is at is not waited for: the worker that settles takes the next itself.
pub async fn next_due(store: &Store, worker: &Worker) -> Result<Option<UnixMs>, StoreError> {
    sqlx::query_scalar::<_, Option<i64>>(&format!(
        "SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) FROM work \
         WHERE parked = 0 AND wanted > done AND (lease IS NULL OR substr(lease, 1, length($1)) <> $1) AND {KIND} = $2"
    ))
    .bind(&worker.process)
    .bind(worker.kind)
    .fetch_one(store.read())
    .await
    .what("next due work")
}

/// The operator's "try again now": due at once, unparked. `false`: no such row.
pub async fn retry(tx: &mut Tx<'_>, key: &str) -> Result<bool, StoreError> {
    let n = sqlx::query(
        "UPDATE work SET wanted = wanted + 1, due_at = $2, parked = 0, attempts = 0, urgent = 1 WHERE key = $1",
    )
    .bind(key)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("retry work")?;
    Ok(n.rows_affected() == 1)
}

/// The operator's "leave it alone". `false`: no such row.
pub async fn park(tx: &mut Tx<'_>, key: &str, why: &str) -> Result<bool, StoreError> {
    let n = sqlx::query("UPDATE work SET parked = 1, outcome = $2, changed_at = $3 WHERE key = $1")
        .bind(key)
        .bind(why)
        .bind(now_ms())
        .execute(&mut **tx)
        .await
        .what("park work")?;
    Ok(n.rows_affected() == 1)
}

/// How much there is to do at `now`.
pub async fn load(store: &Store, now: UnixMs) -> Result<WorkLoad, StoreError> {
    const WHAT: &str = "count work";
    let row = sqlx::query(
        "SELECT COUNT(CASE WHEN parked = 1 THEN 1 END) AS parked, COUNT(CASE WHEN held = 1 THEN 1 END) AS in_work, \
         COUNT(CASE WHEN open = 1 AND due_at <= $1 THEN 1 END) AS due, \
         COUNT(CASE WHEN open = 1 AND due_at > $1 THEN 1 END) AS waiting, \
         MIN(CASE WHEN open = 1 AND due_at <= $1 THEN due_at END) AS oldest FROM ( \
             SELECT parked, due_at, CASE WHEN parked = 0 AND lease_until > $1 THEN 1 ELSE 0 END AS held, \
             CASE WHEN parked = 0 AND wanted > done AND lease_until <= $1 THEN 1 ELSE 0 END AS open FROM work \
             WHERE parked = 1 OR wanted > done OR lease_until > 0) x",
    )
    .bind(now)
    .fetch_one(store.read())
    .await
    .what(WHAT)?;
    let count = |c: &str| Ok::<_, StoreError>(u64::try_from(row.try_get::<i64, _>(c).what(WHAT)?).unwrap_or_default());
    Ok(WorkLoad {
        due: count("due")?,
        waiting: count("waiting")?,
        in_work: count("in_work")?,
        parked: count("parked")?,
        oldest_due: row.try_get("oldest").what(WHAT)?,
        at: now,
    })
}

/// Takes back the leases that a killed process left behind. `prefix` is the part of
/// the lease's name that only successors of that process share: whoever holds the
/// data folder's lock knows that nobody else works under it.
pub async fn drop_leases(store: &Store, prefix: &str) -> Result<u64, StoreError> {
    let n = sqlx::query(
        "UPDATE work SET lease = NULL, lease_until = 0 WHERE lease IS NOT NULL AND substr(lease, 1, length($1)) = $1",
    )
    .bind(prefix)
    .execute(store.write())
    .await
    .what("drop leases")?;
    Ok(n.rows_affected())
}
