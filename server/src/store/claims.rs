//! What we hold outside: addresses, names, services, members.
//!
//! The row is committed before the outside thing is made and marked released
//! after it is gone; a crash in between is repaired by looking. That an address
//! is never given twice is judged by the unique index `claim_address`: a held,
//! reserved or quarantined address has a row that is not released. One could get
//! it wrong by reading first and inserting after.

use super::{Store, StoreError, Tx, What, now_ms};
use padis_domain::address::{Subnet, dotted};
use padis_domain::app::AppRef;
use padis_domain::words::UnixMs;
use sqlx::Row;
use std::sync::Mutex;

/// Whose claim it is.
#[derive(Debug, Clone)]
pub struct Owner<'a> {
    /// The application's id.
    pub app_id: &'a str,
    /// Its key.
    pub app: &'a AppRef,
}

/// The address that was found for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// This one; it may be one that the task had already.
    Address(u32),
    /// None is free.
    Full,
}

/// Where the last search of each pool ended: only a hint that makes the search
/// short and lets addresses rest as long as possible. Correctness never hangs on it.
static HINTS: Mutex<Option<std::collections::HashMap<String, i64>>> = Mutex::new(None);

fn hint(pool: &str) -> i64 {
    let g = HINTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    g.as_ref().and_then(|m| m.get(pool).copied()).unwrap_or(0)
}
/// Onwards only, around the pool's `count` offsets: of two searches that began at `start`
/// side by side, the one that reports last would otherwise take it back, and an address that
/// was let go a moment ago would be given again.
fn move_hint(pool: &str, start: i64, next: i64, count: i64) {
    let mut g = HINTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let at = g.get_or_insert_with(Default::default).entry(pool.to_owned()).or_insert(start);
    let ahead = |n: i64| (n - start).rem_euclid(count);
    if ahead(next) > ahead(*at) {
        *at = next;
    }
}

/// The one statement. `$11` and `$12` bound the offsets searched. Of all
/// addresses without a living claim it takes the first; the index refuses it if
/// somebody else was faster (then no row comes back, and the caller asks again).
const ALLOCATE: &str = "INSERT INTO claim (id, kind, app_id, team, app, release, slot, task_id, pool, address, what, state, reason, since) \
     SELECT $1, 'address', $2, $3, $4, $5, $6, $7, $8, $9 + n.n, '', 'held', '', $10 FROM number n \
     WHERE n.n >= $11 AND n.n <= $12 AND $9 + n.n <> $13 \
       AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.pool = $8 AND c.address = $9 + n.n AND c.released_at IS NULL) \
     ORDER BY n.n LIMIT 1 ON CONFLICT DO NOTHING RETURNING address";

/// Gives the task in `slot` an address of the pool: the one it has already, or a free one.
#[expect(clippy::too_many_arguments, reason = "one row has that many columns")]
pub async fn allocate(
    store: &Store,
    owner: &Owner<'_>,
    release: u32,
    slot: u32,
    task_id: &str,
    pool: &str,
    subnet: Subnet,
    gateway: u32,
) -> Result<Given, StoreError> {
    const WHAT: &str = "allocate an address";
    let base = i64::from(subnet.base());
    let (first, last) = (1i64, i64::from(subnet.count()) - 2);
    let start = hint(pool).clamp(first, last);
    // From where the last search ended; what is below it only when nothing is left there.
    let mut below = (start > first).then_some((first, start - 1));
    let (mut from, mut to) = (start, last);
    // A lost race costs one more search; each means that somebody else got one.
    for _ in 0..64 {
        let got: Option<i64> = sqlx::query_scalar(ALLOCATE)
            .bind(uuid::Uuid::now_v7().simple().to_string())
            .bind(owner.app_id)
            .bind(&owner.app.team)
            .bind(&owner.app.app)
            .bind(i64::from(release))
            .bind(i64::from(slot))
            .bind(task_id)
            .bind(pool)
            .bind(base)
            .bind(now_ms())
            .bind(from)
            .bind(to)
            .bind(i64::from(gateway))
            .fetch_optional(store.write())
            .await
            .what(WHAT)?;
        if let Some(ip) = got {
            move_hint(pool, start, ip - base + 1, i64::from(subnet.count()));
            return Ok(Given::Address(u32::try_from(ip).unwrap_or_default()));
        }
        // Nothing came back: the task has one already, or the slot has, or all here are taken, or the race was lost.
        let mine: Option<i64> =
            sqlx::query_scalar("SELECT address FROM claim WHERE task_id = $1 AND kind = 'address' AND state = 'held'")
                .bind(task_id)
                .fetch_optional(store.read())
                .await
                .what(WHAT)?;
        if let Some(ip) = mine {
            return Ok(Given::Address(u32::try_from(ip).unwrap_or_default()));
        }
        let taken: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM claim WHERE pool = $1 AND released_at IS NULL AND address >= $2 AND address <= $3 AND address <> $4",
        )
        .bind(pool)
        .bind(base + from)
        .bind(base + to)
        .bind(i64::from(gateway))
        .fetch_one(store.read())
        .await
        .what(WHAT)?;
        let usable = to - from + 1 - i64::from((base + from..=base + to).contains(&i64::from(gateway)));
        if taken >= usable {
            let Some(rest) = below.take() else { return Ok(Given::Full) };
            (from, to) = rest;
            continue;
        }
        let slot_held: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM claim WHERE app_id = $1 AND release = $2 AND slot = $3 AND kind = 'address' AND state = 'held'")
                .bind(owner.app_id)
                .bind(i64::from(release))
                .bind(i64::from(slot))
                .fetch_one(store.read())
                .await
                .what(WHAT)?;
        if slot_held > 0 {
            return Err(StoreError::Row {
                what: "claim",
                detail: format!("slot {slot} of release {release} is held by another task"),
            });
        }
        tokio::task::yield_now().await;
    }
    Ok(Given::Full)
}

/// Gives an address back: into quarantine for `quarantine_s`, or free at once if that is 0.
/// Giving back what is not held succeeds. `true` if it was held.
pub async fn give_back(store: &Store, task_id: &str, quarantine_s: u32, why: &str) -> Result<bool, StoreError> {
    let now = now_ms();
    let rest = quarantine_s > 0;
    let n = sqlx::query(
        "UPDATE claim SET state = $2, until = $3, released_at = $4, reason = $5 WHERE task_id = $1 AND kind = 'address' AND state = 'held'",
    )
    .bind(task_id)
    .bind(if rest { "quarantined" } else { "released" })
    .bind(rest.then(|| now + i64::from(quarantine_s) * 1000))
    .bind((!rest).then_some(now))
    .bind(why)
    .execute(store.write())
    .await
    .what("give an address back")?;
    Ok(n.rows_affected() > 0)
}

/// Reserves the address that a task was given: something that is not ours has it. The
/// task can then be given another one. `true` if it was held.
pub async fn set_aside(store: &Store, task_id: &str, why: &str) -> Result<bool, StoreError> {
    let n = sqlx::query(
        "UPDATE claim SET state = 'reserved', reason = $2, since = $3, app_id = NULL, team = NULL, app = NULL, release = NULL, slot = NULL, task_id = NULL \
         WHERE task_id = $1 AND kind = 'address' AND state = 'held'",
    )
    .bind(task_id)
    .bind(why)
    .bind(now_ms())
    .execute(store.write())
    .await
    .what("set an address aside")?;
    Ok(n.rows_affected() > 0)
}

/// Ends quarantines whose time has passed; gives the pools concerned. One that would
/// last longer than its pool says was begun by a clock that was ahead: it begins anew.
pub async fn end_quarantines(store: &Store) -> Result<Vec<String>, StoreError> {
    const LONGEST: &str = "(SELECT $1 + p.quarantine_s * 1000 FROM pool p WHERE p.name = claim.pool)";
    sqlx::query(&format!(
        "UPDATE claim SET until = {LONGEST} WHERE state = 'quarantined' AND released_at IS NULL AND until > {LONGEST}"
    ))
    .bind(now_ms())
    .execute(store.write())
    .await
    .what("shorten quarantines")?;
    let mut pools: Vec<String> = sqlx::query_scalar(
        "UPDATE claim SET state = 'released', released_at = $1 WHERE state = 'quarantined' AND until <= $1 AND released_at IS NULL RETURNING pool",
    )
    .bind(now_ms())
    .fetch_all(store.write())
    .await
    .what("end quarantines")?;
    pools.sort_unstable();
    pools.dedup();
    Ok(pools)
}

/// Reserves every free address of a range; gives how many. Taken ones are left alone.
pub async fn reserve(
    tx: &mut Tx<'_>,
    pool: &str,
    subnet: Subnet,
    gateway: u32,
    from: u32,
    to: u32,
    reason: &str,
) -> Result<u32, StoreError> {
    let base = i64::from(subnet.base());
    let n = sqlx::query(
        "INSERT INTO claim (id, kind, pool, address, what, state, reason, since) \
         SELECT $1 || '-' || CAST(n.n AS TEXT), 'address', $2, $3 + n.n, '', 'reserved', $4, $5 FROM number n \
         WHERE n.n >= $6 AND n.n <= $7 AND $3 + n.n <> $8 \
           AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.pool = $2 AND c.address = $3 + n.n AND c.released_at IS NULL) \
         ON CONFLICT DO NOTHING",
    )
    .bind(uuid::Uuid::now_v7().simple().to_string())
    .bind(pool)
    .bind(base)
    .bind(reason)
    .bind(now_ms())
    .bind(i64::from(from.max(subnet.first())) - base)
    .bind(i64::from(to.min(subnet.last())) - base)
    .bind(i64::from(gateway))
    .execute(&mut **tx)
    .await
    .what("reserve addresses")?;
    Ok(u32::try_from(n.rows_affected()).unwrap_or(u32::MAX))
}

/// Frees the reserved addresses of a range; gives how many.
pub async fn unreserve(tx: &mut Tx<'_>, pool: &str, from: u32, to: u32) -> Result<u32, StoreError> {
    let n = sqlx::query(
        "UPDATE claim SET state = 'released', released_at = $1 \
         WHERE pool = $2 AND state = 'reserved' AND released_at IS NULL AND address >= $3 AND address <= $4",
    )
    .bind(now_ms())
    .bind(pool)
    .bind(i64::from(from))
    .bind(i64::from(to))
    .execute(&mut **tx)
    .await
    .what("free reserved addresses")?;
    Ok(u32::try_from(n.rows_affected()).unwrap_or(u32::MAX))
}

/// Notes that we hold a name, service or member. Holding it already is fine; held
/// by another application is `Ok(false)`.
pub async fn hold(
    store: &Store,
    owner: &Owner<'_>,
    kind: &str,
    what: &str,
    release: Option<u32>,
    slot: Option<u32>,
    task_id: Option<&str>,
) -> Result<bool, StoreError> {
    sqlx::query(
        "INSERT INTO claim (id, kind, app_id, team, app, release, slot, task_id, what, state, reason, since) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'held', '', $10) ON CONFLICT DO NOTHING",
    )
    .bind(uuid::Uuid::now_v7().simple().to_string())
    .bind(kind)
    .bind(owner.app_id)
    .bind(&owner.app.team)
    .bind(&owner.app.app)
    .bind(release.map(i64::from))
    .bind(slot.map(i64::from))
    .bind(task_id)
    .bind(what)
    .bind(now_ms())
    .execute(store.write())
    .await
    .what("hold a claim")?;
    let holder: Option<String> =
        sqlx::query_scalar("SELECT app_id FROM claim WHERE kind = $1 AND what = $2 AND released_at IS NULL")
            .bind(kind)
            .bind(what)
            .fetch_optional(store.write())
            .await
            .what("hold a claim")?;
    Ok(holder.as_deref() == Some(owner.app_id))
}

/// Notes that it is gone outside. Absent is fine; `true` if it was held.
pub async fn let_go(store: &Store, app_id: &str, kind: &str, what: &str) -> Result<bool, StoreError> {
    let n = sqlx::query(
        "UPDATE claim SET state = 'released', released_at = $4 WHERE app_id = $1 AND kind = $2 AND what = $3 AND released_at IS NULL",
    )
    .bind(app_id)
    .bind(kind)
    .bind(what)
    .bind(now_ms())
    .execute(store.write())
    .await
    .what("let a claim go")?;
    Ok(n.rows_affected() > 0)
}

/// A living claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// `address`, `name`, `service`, `member`.
    pub kind: String,
    /// Application's id.
    pub app_id: String,
    /// Release.
    pub release: Option<u32>,
    /// Slot.
    pub slot: Option<u32>,
    /// Task.
    pub task_id: Option<String>,
    /// Pool.
    pub pool: Option<String>,
    /// Address.
    pub address: Option<u32>,
    /// What.
    pub what: String,
    /// Since.
    pub since: UnixMs,
}

/// What an application holds now.
pub async fn held(store: &Store, app_id: &str) -> Result<Vec<Claim>, StoreError> {
    const WHAT: &str = "read claims";
    let rows =
        sqlx::query("SELECT * FROM claim WHERE app_id = $1 AND state = 'held' AND released_at IS NULL ORDER BY since")
            .bind(app_id)
            .fetch_all(store.read())
            .await
            .what(WHAT)?;
    rows.iter()
        .map(|r| {
            let n = |c: &str| r.try_get::<Option<i64>, _>(c).what(WHAT).map(|v| v.and_then(|v| u32::try_from(v).ok()));
            let address = n("address")?;
            let what: String = r.try_get("what").what(WHAT)?;
            Ok(Claim {
                kind: r.try_get("kind").what(WHAT)?,
                app_id: r.try_get("app_id").what(WHAT)?,
                release: n("release")?,
                slot: n("slot")?,
                task_id: r.try_get("task_id").what(WHAT)?,
                pool: r.try_get("pool").what(WHAT)?,
                what: match address {
                    Some(ip) if what.is_empty() => dotted(ip),
                    _ => what,
                },
                address,
                since: r.try_get("since").what(WHAT)?,
            })
        })
        .collect()
}

/// Every instance that holds an address: pool, application, release, slot.
pub async fn instances(store: &Store) -> Result<Vec<(String, AppRef, u32, u32)>, StoreError> {
    let rows: Vec<(String, String, String, i64, i64)> = sqlx::query_as(
        "SELECT pool, team, app, release, slot FROM claim WHERE kind = 'address' AND state = 'held' AND released_at IS NULL \
         AND team IS NOT NULL AND app IS NOT NULL AND release IS NOT NULL AND slot IS NOT NULL",
    )
    .fetch_all(store.read())
    .await
    .what("list instances with an address")?;
    let small = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(rows.into_iter().map(|(pool, team, app, r, s)| (pool, AppRef { team, app }, small(r), small(s))).collect())
}
