//! Pools as shown: capacity, use, quotas.
//!
//! A member sees the pools in which one of his teams has a quota; the others do
//! not exist for him. One could get it wrong by listing every team's quota: only
//! an inspector sees those of teams that he does not belong to.

use super::PadisPortal;
use super::admit::{carries, usable};
use super::sql::{Cols, Sql};
use super::usage::{self, Use};
use crate::store::StoreError;
use crate::store::apps::read_pool;
use crate::store::hosts;
use padis_domain::Problem;
use padis_domain::caller::{Caller, Scope};
use padis_domain::pool::PoolSpec;
use padis_domain::portal::Answer;
use padis_domain::ports::Host;
use padis_domain::quantity::Amount;
use padis_domain::view::{HostRow, Neighbour, PoolRow, PoolView, QuotaView};
use padis_domain::words::Stage;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// Adds the condition that the caller may know of the pool `p.name`.
pub fn visible(sql: Sql, scope: &Scope) -> Sql {
    match scope {
        Scope::Everything => sql.text("1 = 1"),
        Scope::Teams(teams) => sql.text("p.name IN (SELECT q.pool FROM quota q WHERE q.team IN ").list(teams).text(")"),
    }
}

/// Names of all pools that the caller may know of.
pub async fn names(p: &PadisPortal, c: &Caller) -> Result<Vec<String>, StoreError> {
    let sql = visible(Sql::new("SELECT p.name FROM pool p WHERE "), &c.scope()).text(" ORDER BY p.name");
    sql.all(p.store.read(), "list pools").await?.iter().map(|r| r.s("name")).collect()
}

/// One pool's row, if the caller may know of it.
pub async fn find(p: &PadisPortal, c: &Caller, name: &str) -> Answer<AnyRow> {
    let sql = visible(Sql::new("SELECT p.* FROM pool p WHERE p.name = ").bind(name).text(" AND "), &c.scope());
    sql.one(p.store.read(), "read a pool").await?.ok_or(Problem::NotFound)
}

/// Everything that the rows need besides the pools themselves, read once.
struct Sums {
    everybody: BTreeMap<String, Use>,
    addresses: BTreeMap<String, u64>,
    teams: BTreeMap<(String, String), Use>,
    quotas: BTreeMap<(String, String), Amount>,
}

async fn sums(p: &PadisPortal, scope: &Scope, pool: Option<&str>) -> Result<Sums, StoreError> {
    Ok(Sums {
        everybody: usage::by_pool(p).await?,
        addresses: usage::addresses(p).await?,
        teams: usage::by_team(p, scope, pool).await?,
        quotas: usage::quotas(p, scope, pool).await?,
    })
}

/// The hosts that carry what a pool asks for.
pub(super) fn hosts_of(p: &PadisPortal, spec: &PoolSpec) -> Vec<Host> {
    p.live.hosts().found.iter().filter(|h| carries(spec, h)).cloned().collect()
}

/// The pool's hosts with what is wanted of each.
async fn host_rows(p: &PadisPortal, spec: &PoolSpec) -> Result<Vec<HostRow>, StoreError> {
    let (duties, mut wanted) = (p.live.duties(), hosts::all(&p.store).await?);
    let row = |host: Host| HostRow { duty: duties.get(&host.id).copied(), out: wanted.remove(&host.id), host };
    Ok(hosts_of(p, spec).into_iter().map(row).collect())
}

fn row(p: &PadisPortal, spec: PoolSpec, s: &Sums) -> PoolRow {
    let hosts: Vec<Host> = hosts_of(p, &spec).into_iter().filter(|h| h.active && !p.live.is_out(&h.id)).collect();
    let all = s.everybody.get(&spec.name).copied().unwrap_or_default();
    let sum = |f: fn(&Host) -> u64| hosts.iter().map(f).sum::<u64>();
    let room = usable(&spec);
    let quotas: BTreeMap<String, QuotaView> = s
        .quotas
        .iter()
        .filter(|((pool, _), _)| *pool == spec.name)
        .map(|((pool, team), q)| {
            let used = s.teams.get(&(pool.clone(), team.clone())).copied().unwrap_or_default();
            (team.clone(), usage::view(*q, used))
        })
        .collect();
    PoolRow {
        // Every instance has an address, so the subnet is what limits their number.
        total: Amount {
            cpu_milli: sum(|h| h.cpu_milli),
            mem_mib: sum(|h| h.mem_mib),
            instances: room,
            addresses: room,
        },
        used: Amount {
            cpu_milli: sum(|h| h.cpu_used_milli),
            mem_mib: sum(|h| h.mem_used_mib),
            instances: all.used.instances,
            addresses: s.addresses.get(&spec.name).copied().unwrap_or_default(),
        },
        held: all.promised.minus(all.used),
        hosts: u32::try_from(hosts.len()).unwrap_or(u32::MAX),
        apps: s.teams.iter().filter(|((pool, _), _)| *pool == spec.name).map(|(_, u)| u.apps).sum(),
        quotas,
        spec,
    }
}

/// The pools that the caller may know of.
pub async fn list(p: &PadisPortal, c: &Caller, stage: Option<Stage>) -> Answer<Vec<PoolRow>> {
    let scope = c.scope();
    let mut sql = visible(Sql::new("SELECT p.* FROM pool p WHERE "), &scope);
    if let Some(stage) = stage {
        sql = sql.text(" AND p.stage = ").bind(stage.as_str());
    }
    let rows = sql.text(" ORDER BY p.name").all(p.store.read(), "list pools").await?;
    let sums = sums(p, &scope, None).await?;
    rows.iter().map(|r| Ok(row(p, read_pool(r)?, &sums))).collect()
}

/// What a pool shares with another one.
fn neighbour(p: &PadisPortal, spec: &PoolSpec, other: PoolSpec) -> Neighbour {
    let live = p.live.hosts();
    let both = live.found.iter().filter(|h| carries(spec, h) && carries(&other, h));
    Neighbour {
        hosts: both.map(|h| h.name.clone()).collect(),
        overlaps: spec.subnet.overlaps(other.subnet),
        stage: other.stage,
        zone: other.zone,
        subnet: other.subnet,
        vlan: other.vlan,
        pool: other.name,
    }
}

/// One pool.
pub async fn view(p: &PadisPortal, c: &Caller, name: &str) -> Answer<PoolView> {
    let found = find(p, c, name).await?;
    let spec = read_pool(&found)?;
    let scope = c.scope();
    let sums = sums(p, &scope, Some(name)).await?;
    let titles = Sql::new("SELECT t.slug, t.title FROM team t JOIN quota q ON q.team = t.slug WHERE q.pool = ")
        .bind(name)
        .text(" AND ")
        .scope("t.slug", &scope)
        .text(" ORDER BY t.title, t.slug")
        .all(p.store.read(), "list a pool's teams")
        .await?;
    let mut teams = Vec::with_capacity(titles.len());
    for t in &titles {
        let slug = t.s("slug")?;
        let apps = sums.teams.get(&(name.to_owned(), slug.clone())).map_or(0, |u| u.apps);
        teams.push((slug, t.s("title")?, apps));
    }
    let others = visible(Sql::new("SELECT p.* FROM pool p WHERE p.name <> ").bind(name).text(" AND "), &scope)
        .text(" ORDER BY p.name")
        .all(p.store.read(), "list a pool's neighbours")
        .await?;
    let neighbours =
        others.iter().map(|r| Ok(neighbour(p, &spec, read_pool(r)?))).collect::<Result<_, StoreError>>()?;
    Ok(PoolView {
        neighbours,
        revision: found.i("revision")?,
        hosts: host_rows(p, &spec).await?,
        teams,
        observed_at: p.live.hosts().at,
        may_change: c.operator().is_ok(),
        row: row(p, spec, &sums),
    })
}
