//! Setting a team's quota in a pool: operators only.
//!
//! A quota may be set below what is used: nothing is taken away, nothing may
//! grow. One could get it wrong by taking it away altogether from under
//! applications: they would stand in a pool that their own team can't see.

use super::PadisPortal;
use super::check::Problems;
use super::diff::change;
use super::pools_put::{apps_in, note};
use crate::store::What;
use padis_domain::Problem;
use padis_domain::caller::{Operate, Permit};
use padis_domain::portal::Answer;
use padis_domain::problem::{FieldChange, ValueFault};
use padis_domain::quantity::Amount;

/// More of anything than a pool will ever have.
const MAX_QUOTA: u64 = 1 << 40;

/// Sets a team's quota in a pool; all zero takes it away.
pub async fn put(p: &PadisPortal, may: Permit<'_, Operate>, pool: &str, team: &str, quota: &Amount) -> Answer<()> {
    const WHAT: &str = "set a quota";
    let mut out = Problems::default();
    for (field, v) in ["cpu", "mem", "instances", "addresses"].into_iter().zip(quota.each()) {
        if v.1 > MAX_QUOTA {
            out.add(field, ValueFault::OutOfRange { min: 0, max: MAX_QUOTA as i64 });
        }
    }
    out.done()?;
    let mut tx = p.store.begin().await?;
    let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pool WHERE name = $1")
        .bind(pool)
        .fetch_one(&mut *tx)
        .await
        .what(WHAT)?;
    if there == 0 {
        return Err(Problem::NotFound);
    }
    let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM team WHERE slug = $1")
        .bind(team)
        .fetch_one(&mut *tx)
        .await
        .what(WHAT)?;
    if there == 0 {
        return Err(Problem::field("team", ValueFault::Unknown));
    }
    let before = super::admit::quota(&mut tx, Some(p.store.kind()), pool, team).await?;
    if *quota == Amount::default() {
        let apps = apps_in(&mut tx, pool, Some(team)).await?;
        if !apps.is_empty() {
            return Err(Problem::InUse { by: apps.join(", ") });
        }
        sqlx::query("DELETE FROM quota WHERE pool = $1 AND team = $2")
            .bind(pool)
            .bind(team)
            .execute(&mut *tx)
            .await
            .what(WHAT)?;
    } else {
        let n = |v: u64| i64::try_from(v).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO quota (pool, team, cpu_milli, mem_mib, instances, addresses) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (pool, team) DO UPDATE SET cpu_milli = excluded.cpu_milli, mem_mib = excluded.mem_mib, \
             instances = excluded.instances, addresses = excluded.addresses",
        )
        .bind(pool)
        .bind(team)
        .bind(n(quota.cpu_milli))
        .bind(n(quota.mem_mib))
        .bind(n(quota.instances))
        .bind(n(quota.addresses))
        .execute(&mut *tx)
        .await
        .what(WHAT)?;
    }
    let changes = differences(before, *quota);
    note(p, &mut tx, may, "quota.set", pool, Some(team), changes).await?;
    tx.commit().await.what(WHAT)?;
    p.changes.publish("pools", Some(team));
    p.platform_changed(&[]);
    Ok(())
}

/// What differs, dimension by dimension, each with its unit.
fn differences(before: Option<Amount>, after: Amount) -> Vec<FieldChange> {
    let shown = |a: Amount| {
        let cores = format!("{}.{:03}", a.cpu_milli / 1000, a.cpu_milli % 1000);
        let cores = cores.trim_end_matches('0').trim_end_matches('.').to_owned();
        [cores, format!("{} MiB", a.mem_mib), a.instances.to_string(), a.addresses.to_string()]
    };
    let (was, is) = (before.map(shown).unwrap_or_default(), shown(after));
    let each = ["cpu", "memory", "instances", "addresses"].into_iter().zip(was.into_iter().zip(is));
    each.filter(|(_, (b, a))| b != a).map(|(f, (b, a))| change(f, b, a)).collect()
}
