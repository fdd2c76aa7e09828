//! The first start: one team, two pools, a quota, so that the first person who
//! signs in can go online.
//!
//! Done once for a database, in one transaction, and never again: what an
//! operator deletes stays deleted. One could get it wrong by taking a subnet that
//! the machine already routes somewhere; then the next free one is taken.

use super::machine::{self, Route};
use crate::auth::ADMIN;
use crate::config::{Agent, Config};
use crate::store::{Kind, Store, StoreError, Tx, What, journal, now_ms, to_json, work};
use padis_domain::address::{Subnet, dotted};
use padis_domain::pool::PoolSpec;
use padis_domain::quantity::Amount;
use padis_domain::words::{Stage, TeamRole, Zone};

/// The key in `meta` that says that it was done.
const DONE: &str = "bootstrapped";
/// The first team.
pub const TEAM: &str = "default";

/// One default pool with the quota of the first team.
struct First {
    spec: PoolSpec,
    quota: Amount,
}

/// Fills an empty database. `agents` are the built-in engine's; with an outside
/// cluster nobody can guess pools, so there are none then.
pub async fn bootstrap(store: &Store, config: &Config) -> Result<(), StoreError> {
    if store.meta(DONE).await?.is_some() {
        return Ok(());
    }
    let pools = if config.engine.enabled { pools(config, &machine::routes()) } else { Vec::new() };
    let mut tx = store.begin().await?;
    if !claim(store, &mut tx).await? {
        return Ok(());
    }
    team(&mut tx).await?;
    note(store, &mut tx, "team.create", &format!("team:{TEAM}"), Some(TEAM)).await?;
    for p in &pools {
        put(&mut tx, p).await?;
        work::touch(&mut tx, &format!("pool:{}", p.spec.name)).await?;
        note(store, &mut tx, "pool.create", &format!("pool:{}", p.spec.name), None).await?;
    }
    tx.commit().await.what("fill the empty database")?;
    for p in &pools {
        tracing::info!(pool.id = %p.spec.name, pool.subnet = %p.spec.subnet, "a first pool was made");
    }
    Ok(())
}

/// Whether it is ours to do: another replica may be at it.
async fn claim(store: &Store, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let n = sqlx::query("INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
        .bind(DONE)
        .bind(match store.kind() {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
        })
        .execute(&mut **tx)
        .await
        .what("claim the first start")?
        .rows_affected();
    Ok(n > 0)
}

async fn note(store: &Store, tx: &mut Tx<'_>, what: &str, subject: &str, team: Option<&str>) -> Result<(), StoreError> {
    let entry = journal::Entry {
        who: "padis".into(),
        what: what.into(),
        subject: subject.into(),
        team: team.map(str::to_owned),
        ..journal::Entry::default()
    };
    journal::append(store, tx, &entry).await.map(|_| ())
}

async fn team(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    const WHAT: &str = "make the first team";
    sqlx::query("INSERT INTO team (slug, title, created_at) VALUES ($1, $2, $3) ON CONFLICT (slug) DO NOTHING")
        .bind(TEAM)
        .bind("Default · 默认团队")
        .bind(now_ms())
        .execute(&mut **tx)
        .await
        .what(WHAT)?;
    // The first administrator is there already, unless another account was made one by hand.
    sqlx::query(
        "INSERT INTO membership (account, team, role, from_directory) \
         SELECT name, $1, $2, 0 FROM account WHERE name = $3 ON CONFLICT (account, team) DO NOTHING",
    )
    .bind(TEAM)
    .bind(TeamRole::Lead.as_str())
    .bind(ADMIN)
    .execute(&mut **tx)
    .await
    .what(WHAT)
    .map(|_| ())
}

async fn put(tx: &mut Tx<'_>, p: &First) -> Result<(), StoreError> {
    const WHAT: &str = "make a first pool";
    let s = &p.spec;
    let made = sqlx::query(
        "INSERT INTO pool (name, stage, zone, hosts, subnet, base, prefix, gateway, vlan, domain, ttl_s, quarantine_s, \
         revision, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, $9, $10, $11, 1, $12, 'padis') \
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(&s.name)
    .bind(s.stage.as_str())
    .bind(s.zone.as_str())
    .bind(to_json("pool hosts", &s.hosts)?)
    .bind(s.subnet.to_string())
    .bind(i64::from(s.subnet.base()))
    .bind(i64::from(s.subnet.prefix()))
    .bind(&s.gateway)
    .bind(&s.domain)
    .bind(i64::from(s.ttl_s))
    .bind(i64::from(s.quarantine_s))
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what(WHAT)?;
    if made.rows_affected() == 0 {
        return Ok(());
    }
    let big = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO quota (pool, team, cpu_milli, mem_mib, instances, addresses) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (pool, team) DO NOTHING",
    )
    .bind(&s.name)
    .bind(TEAM)
    .bind(big(p.quota.cpu_milli))
    .bind(big(p.quota.mem_mib))
    .bind(big(p.quota.instances))
    .bind(big(p.quota.addresses))
    .execute(&mut **tx)
    .await
    .what(WHAT)
    .map(|_| ())
}

/// What an agent offers: thousandths of a core and MiB.
pub fn offers(a: &Agent, c: &Config) -> (f64, u64) {
    let share = a.share.unwrap_or(1.0);
    let cpus = a.cpus.unwrap_or_else(|| machine::cores() * share * c.engine.cpu_overcommit);
    let mem = a.mem_mib.unwrap_or_else(|| (machine::mem_mib() as f64 * c.engine.mem_share * share) as u64);
    (cpus, mem)
}

/// A pool for each of dev and prod that an agent carries as its attribute `stage`.
fn pools(c: &Config, routes: &[Route]) -> Vec<First> {
    let mut taken: Vec<Subnet> = Vec::new();
    let stages = [(Stage::Dev, "10.210.16.0/24", "dev"), (Stage::Prod, "10.210.32.0/24", "prod")];
    let mut out = Vec::new();
    for (stage, wanted, word) in stages {
        let agents = c.engine.agents.iter().filter(|a| a.attributes.get("stage").map(String::as_str) == Some(word));
        let (cpus, mem_mib) = agents.map(|a| offers(a, c)).fold((0.0, 0), |(c, m), (c1, m1)| (c + c1, m + m1));
        let Some(subnet) = free(wanted, routes, &taken).filter(|_| mem_mib > 0) else { continue };
        taken.push(subnet);
        let spec = PoolSpec {
            name: format!("sf-{word}"),
            stage,
            zone: Zone::Sf,
            hosts: [("stage".to_owned(), word.to_owned())].into(),
            subnet,
            gateway: dotted(subnet.first()),
            vlan: None,
            domain: format!("{word}.padis.localhost"),
            ttl_s: 5,
            quarantine_s: 60,
        };
        let quota = Amount { cpu_milli: (cpus * 1000.0) as u64, mem_mib, instances: 100, addresses: 200 };
        out.push(First { spec, quota });
    }
    out
}

/// The wanted subnet, or the next of its size that neither a route nor another pool has.
fn free(wanted: &str, routes: &[Route], taken: &[Subnet]) -> Option<Subnet> {
    let wanted: Subnet = wanted.parse().ok()?;
    let step = wanted.count();
    let candidates = (0..512u32).filter_map(|i| {
        let base = wanted.base().checked_add(i * step)?;
        format!("{}/{}", dotted(base), wanted.prefix()).parse::<Subnet>().ok()
    });
    let mut candidates = candidates.filter(|s| !taken.iter().any(|t| t.overlaps(*s)));
    candidates.find(|s| routes.iter().all(|r| !r.overlaps(*s) || r.is_bridge_of(*s)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(env: &[(&str, &str)]) -> Config {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        crate::config::from(None, env, None).expect("settings")
    }

    #[test]
    fn two_pools_with_what_the_machine_has() {
        let p = pools(&config(&[]), &[]);
        assert_eq!(p.iter().map(|p| p.spec.name.as_str()).collect::<Vec<_>>(), ["sf-dev", "sf-prod"]);
        assert_eq!(p[0].spec.subnet.to_string(), "10.210.16.0/24");
        assert_eq!(p[0].spec.gateway, "10.210.16.1");
        assert_eq!(p[1].spec.subnet.to_string(), "10.210.32.0/24");
        assert!(p[0].quota.mem_mib > 0 && p[0].quota.cpu_milli > 0);
    }

    #[test]
    fn a_routed_subnet_is_left_alone_but_our_own_bridge_is_not() {
        let vpn = Route { interface: "tun0".into(), base: 0x0ad2_0000, mask: 0xffff_0000 };
        assert_eq!(free("10.210.16.0/24", &[vpn], &[]).expect("free").to_string(), "10.211.0.0/24");
        let own = Route { interface: "br-1".into(), base: 0x0ad2_1000, mask: 0xffff_ff00 };
        assert_eq!(free("10.210.16.0/24", &[own], &[]).expect("free").to_string(), "10.210.16.0/24");
    }

    #[test]
    fn agents_without_a_stage_get_no_pool() {
        assert!(pools(&config(&[("PADIS_ENGINE_AGENTS", "[{ name = \"a\", share = 1.0 }]")]), &[]).is_empty());
    }

    #[tokio::test]
    async fn it_happens_once() {
        let dir = tempfile::tempdir().expect("folder");
        let store = Store::open(&format!("sqlite:{}/t.db", dir.path().display())).await.expect("store");
        let c = config(&[]);
        bootstrap(&store, &c).await.expect("first");
        let count = |q: &'static str| {
            let s = store.clone();
            async move { sqlx::query_scalar::<_, i64>(q).fetch_one(s.read()).await.expect("count") }
        };
        assert_eq!(count("SELECT COUNT(*) FROM pool").await, 2);
        assert_eq!(count("SELECT COUNT(*) FROM quota WHERE team = 'default'").await, 2);
        assert_eq!(count("SELECT COUNT(*) FROM work").await, 2);
        for q in ["DELETE FROM quota", "DELETE FROM pool"] {
            sqlx::query(q).execute(store.write()).await.expect("operator deletes");
        }
        bootstrap(&store, &c).await.expect("second");
        assert_eq!(count("SELECT COUNT(*) FROM pool").await, 0, "what an operator deletes stays deleted");
    }
}
