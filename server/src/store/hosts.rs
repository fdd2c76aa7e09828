//! Hosts that operators take out of service and put back: the intent.
//!
//! A row says what is wanted, never what is: whether a host is empty by now is
//! asked of the cluster. One could get it wrong by deleting the row when somebody
//! presses "put back": until the cluster has been told, that would be forgotten.

use super::{Store, StoreError, Tx, What, now_ms};
use padis_domain::app::AppRef;
use padis_domain::view::HostOut;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: &str = "agent_id, host, out_wanted, reason, since, changed_by";

fn read(r: &AnyRow) -> Result<HostOut, sqlx::Error> {
    Ok(HostOut {
        out: r.try_get::<i64, _>("out_wanted")? == 1,
        reason: r.try_get("reason")?,
        since: r.try_get("since")?,
        by: r.try_get("changed_by")?,
    })
}

/// The work key of a host.
pub fn key(agent_id: &str) -> String {
    format!("host:{agent_id}")
}

/// What is wanted of a host.
pub async fn find(store: &Store, agent_id: &str) -> Result<Option<HostOut>, StoreError> {
    const WHAT: &str = "read what is wanted of a host";
    let row = sqlx::query(&format!("SELECT {COLUMNS} FROM host_out WHERE agent_id = $1"))
        .bind(agent_id)
        .fetch_optional(store.read())
        .await
        .what(WHAT)?;
    row.as_ref().map(read).transpose().what(WHAT)
}

/// The same of all hosts that have a row, by agent id.
pub async fn all(store: &Store) -> Result<BTreeMap<String, HostOut>, StoreError> {
    const WHAT: &str = "read what is wanted of hosts";
    let rows = sqlx::query(&format!("SELECT {COLUMNS} FROM host_out")).fetch_all(store.read()).await.what(WHAT)?;
    rows.iter().map(|r| Ok((r.try_get("agent_id")?, read(r)?))).collect::<Result<_, sqlx::Error>>().what(WHAT)
}

/// Records what is wanted of a host.
pub async fn put(tx: &mut Tx<'_>, agent_id: &str, host: &str, want: &HostOut) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO host_out (agent_id, host, out_wanted, reason, since, changed_by) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (agent_id) DO UPDATE SET host = excluded.host, out_wanted = excluded.out_wanted, reason = excluded.reason, \
         since = excluded.since, changed_by = excluded.changed_by",
    )
    .bind(agent_id)
    .bind(host)
    .bind(i64::from(want.out))
    .bind(&want.reason)
    .bind(want.since)
    .bind(&want.by)
    .execute(&mut **tx)
    .await
    .what("record what is wanted of a host")
    .map(|_| ())
}

/// Forgets a host that is back in service, unless it was taken out once more.
pub async fn forget(store: &Store, agent_id: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM host_out WHERE agent_id = $1 AND out_wanted = 0")
        .bind(agent_id)
        .execute(store.write())
        .await
        .what("forget a host that is back")
        .map(|_| ())
}

/// Why an instance leaves whose host is taken out of service, in `instance.leaving`.
pub const LEAVING: &str = "host";

/// Marks the instances that were on a host when it was taken out as about to leave;
/// gives their applications. What came there later is not ours to move: whoever placed
/// it there would do so again.
pub async fn leave(store: &Store, agent_id: &str, want: &HostOut) -> Result<BTreeSet<AppRef>, StoreError> {
    const WHAT: &str = "ask a host's instances to leave";
    let rows = sqlx::query(
        "UPDATE instance SET leaving = $2, leaving_at = $3 \
         WHERE agent_id = $1 AND ended_at IS NULL AND leaving IS NULL AND seen_at <= $4 RETURNING team, app",
    )
    .bind(agent_id)
    .bind(LEAVING)
    .bind(now_ms())
    .bind(want.since)
    .fetch_all(store.write())
    .await
    .what(WHAT)?;
    let app = |r: &AnyRow| Ok(AppRef { team: r.try_get("team")?, app: r.try_get("app")? });
    rows.iter().map(app).collect::<Result<_, sqlx::Error>>().what(WHAT)
}

/// How many of the instances that were on a host when it was taken out are still there.
pub async fn left(store: &Store, agent_id: &str, want: &HostOut) -> Result<i64, StoreError> {
    sqlx::query_scalar("SELECT COUNT(*) FROM instance WHERE agent_id = $1 AND ended_at IS NULL AND seen_at <= $2")
        .bind(agent_id)
        .bind(want.since)
        .fetch_one(store.read())
        .await
        .what("count a host's instances")
}
