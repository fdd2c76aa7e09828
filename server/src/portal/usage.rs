//! How much of a quota and of a pool is used and promised.
//!
//! "Used" is what well instances take, "held" is what is promised beyond that.
//! One could get it wrong by showing a team the use of another: the sums by team
//! carry the scope; only the pool's own total counts everybody, without names.

use super::PadisPortal;
use super::admit::amount;
use super::sql::{Cols, Sql};
use crate::store::StoreError;
use padis_domain::caller::Scope;
use padis_domain::quantity::Amount;
use padis_domain::view::QuotaView;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

const WHAT: &str = "sum up what is used";

/// Applications and what they take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Use {
    /// Applications, stopped ones included.
    pub apps: u32,
    /// Taken by well instances.
    pub used: Amount,
    /// Promised, the used included.
    pub promised: Amount,
}

const SUMS: &str = "COUNT(*) AS apps, \
    CAST(COALESCE(SUM(run), 0) AS BIGINT) AS run, CAST(COALESCE(SUM(run * cpu_milli), 0) AS BIGINT) AS run_cpu, \
    CAST(COALESCE(SUM(run * mem_mib), 0) AS BIGINT) AS run_mem, \
    CAST(COALESCE(SUM(want), 0) AS BIGINT) AS want, CAST(COALESCE(SUM(want * cpu_milli), 0) AS BIGINT) AS want_cpu, \
    CAST(COALESCE(SUM(want * mem_mib), 0) AS BIGINT) AS want_mem \
    FROM (SELECT pool, team, cpu_milli, mem_mib, CASE WHEN wanted = 'online' THEN instances ELSE 0 END AS want, \
                 CASE WHEN wanted <> 'online' THEN 0 WHEN well < instances THEN well ELSE instances END AS run \
          FROM app WHERE ";

fn read(r: &AnyRow) -> Result<Use, StoreError> {
    let (run, want) = (r.n("run")?, r.n("want")?);
    let of = |cpu_milli, mem_mib, n| Amount { cpu_milli, mem_mib, instances: n, addresses: n };
    Ok(Use {
        apps: r.u("apps")?,
        used: of(r.n("run_cpu")?, r.n("run_mem")?, run),
        promised: of(r.n("want_cpu")?, r.n("want_mem")?, want),
    })
}

/// By pool and team, of the scope; `pool` `None`: all pools.
pub async fn by_team(
    p: &PadisPortal,
    scope: &Scope,
    pool: Option<&str>,
) -> Result<BTreeMap<(String, String), Use>, StoreError> {
    let mut sql = Sql::new("SELECT pool, team, ").text(SUMS).scope("team", scope);
    if let Some(pool) = pool {
        sql = sql.text(" AND pool = ").bind(pool);
    }
    let rows = sql.text(") x GROUP BY pool, team").all(p.store.read(), WHAT).await?;
    rows.iter().map(|r| Ok(((r.s("pool")?, r.s("team")?), read(r)?))).collect()
}

/// By pool, everybody's.
pub async fn by_pool(p: &PadisPortal) -> Result<BTreeMap<String, Use>, StoreError> {
    let rows = Sql::new("SELECT pool, ").text(SUMS).text("1 = 1) x GROUP BY pool").all(p.store.read(), WHAT).await?;
    rows.iter().map(|r| Ok((r.s("pool")?, read(r)?))).collect()
}

/// Addresses that can't be given now, by pool.
pub async fn addresses(p: &PadisPortal) -> Result<BTreeMap<String, u64>, StoreError> {
    let rows = Sql::new(
        "SELECT pool, COUNT(*) AS taken FROM claim WHERE address IS NOT NULL AND released_at IS NULL GROUP BY pool",
    )
    .all(p.store.read(), WHAT)
    .await?;
    rows.iter().map(|r| Ok((r.os("pool")?.unwrap_or_default(), r.n("taken")?))).collect()
}

/// A quota with its use.
pub fn view(quota: Amount, u: Use) -> QuotaView {
    QuotaView { quota, used: u.used, held: u.promised.minus(u.used) }
}

/// Quotas by pool and team, of the scope; `pool` `None`: all pools.
pub async fn quotas(
    p: &PadisPortal,
    scope: &Scope,
    pool: Option<&str>,
) -> Result<BTreeMap<(String, String), Amount>, StoreError> {
    let mut sql =
        Sql::new("SELECT pool, team, cpu_milli, mem_mib, instances, addresses FROM quota WHERE ").scope("team", scope);
    if let Some(pool) = pool {
        sql = sql.text(" AND pool = ").bind(pool);
    }
    let rows = sql.all(p.store.read(), "read quotas").await?;
    rows.iter().map(|r| Ok(((r.s("pool")?, r.s("team")?), amount(r)?))).collect()
}
