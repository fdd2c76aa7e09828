//! Whether there is room: the team's quota, a host that is large enough, free
//! addresses.
//!
//! The quota is a promise and is judged exactly: the sum over the team's
//! applications is read inside the command's transaction, with the quota's row
//! locked, so that commands side by side can't promise the same room twice.
//! Hosts and addresses are a courtesy ("it would wait"): the judge of an address
//! is the unique index, of a host Mesos. One could get it wrong by counting a
//! stopped application, or by refusing to scale down over quota.

use super::PadisPortal;
use super::sql::{Cols, for_update};
use crate::store::{Kind, StoreError, What, now_ms};
use padis_domain::Problem;
use padis_domain::pool::PoolSpec;
use padis_domain::ports::Host;
use padis_domain::quantity::{Amount, Size};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// "Soon": addresses that leave quarantine within ten minutes.
const SOON_MS: i64 = 600_000;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Pool.
    pub pool: &'a PoolSpec,
    /// Team.
    pub team: &'a str,
    /// What the application's promise is so far.
    pub before: Amount,
    /// What it will be.
    pub after: Amount,
    /// One instance.
    pub size: Size,
}

/// An amount from the columns `cpu_milli`, `mem_mib`, `instances`, `addresses`.
pub fn amount(r: &AnyRow) -> Result<Amount, StoreError> {
    Ok(Amount {
        cpu_milli: r.n("cpu_milli")?,
        mem_mib: r.n("mem_mib")?,
        instances: r.n("instances")?,
        addresses: r.n("addresses")?,
    })
}

/// The team's quota in the pool, locked where two writers can meet.
pub async fn quota(
    conn: &mut AnyConnection,
    kind: Option<Kind>,
    pool: &str,
    team: &str,
) -> Result<Option<Amount>, StoreError> {
    let lock = kind.map(for_update).unwrap_or_default();
    let text =
        format!("SELECT cpu_milli, mem_mib, instances, addresses FROM quota WHERE pool = $1 AND team = $2{lock}");
    let row = sqlx::query(&text).bind(pool).bind(team).fetch_optional(conn).await.what("read a quota")?;
    row.as_ref().map(amount).transpose()
}

/// What the team's applications in the pool are promised; `team` `None`: all teams'.
pub async fn promised(conn: &mut AnyConnection, pool: &str, team: Option<&str>) -> Result<Amount, StoreError> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(cpu_milli * instances), 0) AS BIGINT) AS cpu_milli, \
                CAST(COALESCE(SUM(mem_mib * instances), 0) AS BIGINT) AS mem_mib, \
                CAST(COALESCE(SUM(instances), 0) AS BIGINT) AS instances, \
                CAST(COALESCE(SUM(instances), 0) AS BIGINT) AS addresses \
         FROM app WHERE pool = $1 AND wanted = 'online' AND ($3 = 1 OR team = $2)",
    )
    .bind(pool)
    .bind(team.unwrap_or_default())
    .bind(i64::from(team.is_none()))
    .fetch_one(conn)
    .await
    .what("sum up a quota's use")?;
    amount(&row)
}

/// Addresses of a subnet that can be given out at all.
pub fn usable(pool: &PoolSpec) -> u64 {
    let inside = pool.gateway_ip().is_some_and(|g| (pool.subnet.first()..=pool.subnet.last()).contains(&g));
    u64::from(pool.subnet.last() - pool.subnet.first() + 1) - u64::from(inside)
}

/// Whether a host carries all the pool's labels.
pub fn carries(pool: &PoolSpec, host: &Host) -> bool {
    pool.hosts.iter().all(|(k, v)| host.attributes.get(k) == Some(v))
}

/// Everything that stands against it, empty if nothing does. `lock` as for [`quota`].
pub async fn admit(
    p: &PadisPortal,
    conn: &mut AnyConnection,
    lock: bool,
    ask: Ask<'_>,
) -> Result<Vec<Problem>, StoreError> {
    let pool = ask.pool;
    let name = || pool.name.clone();
    let mut out = Vec::new();
    let kind = lock.then(|| p.store.kind());
    let more = ask.after.minus(ask.before);
    match quota(conn, kind, &pool.name, ask.team).await? {
        None => out.push(Problem::NoQuota { pool: name(), team: ask.team.to_owned() }),
        Some(quota) => {
            let used = promised(conn, &pool.name, Some(ask.team)).await?;
            if let Err(shortage) = quota.admits(used, more) {
                out.push(Problem::OverQuota { pool: name(), team: ask.team.to_owned(), shortage });
            }
        }
    }
    out.extend(host_large_enough(p, pool, ask.size));
    out.extend(free_addresses(conn, pool, more.addresses).await?);
    Ok(out)
}

fn host_large_enough(p: &PadisPortal, pool: &PoolSpec, size: Size) -> Option<Problem> {
    let hosts = p.live.hosts();
    hosts.at?;
    // A host that is not heard at this moment comes back with the size that it has:
    // the question is whether one could ever hold an instance, not whether one can now.
    let of_pool = || hosts.found.iter().filter(|h| carries(pool, h));
    let fits = |h: &Host| h.cpu_milli >= u64::from(size.cpu_milli) && h.mem_mib >= u64::from(size.mem_mib);
    if of_pool().any(fits) {
        return None;
    }
    Some(Problem::NoHostLargeEnough {
        pool: pool.name.clone(),
        best_cpu_milli: of_pool().map(|h| h.cpu_milli.saturating_sub(h.cpu_used_milli)).max().unwrap_or(0),
        best_mem_mib: of_pool().map(|h| h.mem_mib.saturating_sub(h.mem_used_mib)).max().unwrap_or(0),
    })
}

async fn free_addresses(conn: &mut AnyConnection, pool: &PoolSpec, wanted: u64) -> Result<Option<Problem>, StoreError> {
    const WHAT: &str = "count free addresses";
    if wanted == 0 {
        return Ok(None);
    }
    let row = sqlx::query(
        "SELECT COUNT(*) AS taken, CAST(COALESCE(SUM(CASE WHEN state = 'held' THEN 1 ELSE 0 END), 0) AS BIGINT) AS held, \
                CAST(COALESCE(SUM(CASE WHEN state = 'quarantined' AND until <= $2 THEN 1 ELSE 0 END), 0) AS BIGINT) AS soon \
         FROM claim WHERE pool = $1 AND address IS NOT NULL AND released_at IS NULL",
    )
    .bind(&pool.name)
    .bind(now_ms() + SOON_MS)
    .fetch_one(&mut *conn)
    .await
    .what(WHAT)?;
    let (taken, held) = (row.n("taken")?, row.n("held")?);
    let soon = u64::try_from(row.try_get::<i64, _>("soon").what(WHAT)?).unwrap_or_default();
    // Promised to others and not allocated yet.
    let coming = promised(conn, &pool.name, None).await?.addresses.saturating_sub(held);
    let free = usable(pool).saturating_sub(taken).saturating_sub(coming);
    Ok((wanted > free).then(|| Problem::NoFreeAddress { pool: pool.name.clone(), free, soon }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::words::{Stage, Zone};

    fn pool(subnet: &str, gateway: &str) -> PoolSpec {
        PoolSpec {
            name: "p".into(),
            stage: Stage::Dev,
            zone: Zone::Sf,
            hosts: [("rack".to_owned(), "a".to_owned())].into(),
            subnet: subnet.parse().expect("a subnet"),
            gateway: gateway.into(),
            vlan: None,
            domain: "d.example".into(),
            ttl_s: 5,
            quarantine_s: 60,
        }
    }

    #[test]
    fn network_broadcast_and_gateway_are_not_usable() {
        assert_eq!(usable(&pool("10.0.0.0/24", "10.0.0.1")), 253);
        assert_eq!(usable(&pool("10.0.0.0/29", "10.0.0.6")), 5);
    }

    #[test]
    fn a_host_carries_all_labels_or_is_not_the_pools() {
        let mut h = Host {
            id: "i".into(),
            name: "h".into(),
            attributes: [("rack".to_owned(), "b".to_owned())].into(),
            active: true,
            cpu_milli: 1,
            cpu_used_milli: 0,
            mem_mib: 1,
            mem_used_mib: 0,
            tasks: 0,
        };
        assert!(!carries(&pool("10.0.0.0/24", "10.0.0.1"), &h));
        h.attributes.insert("rack".into(), "a".into());
        assert!(carries(&pool("10.0.0.0/24", "10.0.0.1"), &h));
    }
}
