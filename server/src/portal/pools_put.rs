//! Changing pools: operators only.
//!
//! One could get it wrong by letting two pools share an address, or by moving a
//! subnet or a domain away under applications that live in it.

use super::PadisPortal;
use super::check::Problems;
use super::diff::change;
use super::frame::{REVISION, with_revision};
use super::once;
use super::sql::{Cols, for_update};
use crate::store::apps::read_pool;
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, Tx, What, now_ms, to_json, work};
use padis_domain::Problem;
use padis_domain::address::dotted;
use padis_domain::caller::{Operate, Permit};
use padis_domain::pool::PoolSpec;
use padis_domain::portal::Answer;
use padis_domain::problem::{FieldChange, ValueFault};
use sqlx::any::AnyRow;

/// The longest domain: with an instance's name before it (application and team of 40
/// each, release, slot and dots: 110) within DNS's 253.
const MAX_DOMAIN: usize = 140;
/// A day, the most that a resolver or a quarantine may take.
const DAY_S: u32 = 86_400;

fn is_domain(s: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    s.split('.').all(label)
}

/// What is wrong with it without looking anywhere.
fn judge(spec: &PoolSpec) -> Problems {
    let mut out = Problems::default();
    out.name("name", &spec.name);
    for (k, v) in &spec.hosts {
        let bad =
            |s: &str, max| s.is_empty() || s.len() > max || s.chars().any(|c| c.is_control() || c.is_whitespace());
        if bad(k, 64) || bad(v, 255) {
            out.add("hosts", ValueFault::Malformed);
        }
    }
    match spec.gateway_ip() {
        None if spec.gateway.is_empty() => out.add("gateway", ValueFault::Missing),
        Some(ip) if (spec.subnet.first()..=spec.subnet.last()).contains(&ip) => {}
        // Not an address, or none that a host of the subnet can have.
        _ => out.add("gateway", ValueFault::Malformed),
    }
    if let Some(v) = spec.vlan {
        out.range("vlan", u32::from(v), 1, 4094);
    }
    if spec.domain.is_empty() {
        out.add("domain", ValueFault::Missing);
    } else if spec.domain.len() > MAX_DOMAIN {
        out.add("domain", ValueFault::TooLong { max: MAX_DOMAIN as u32 });
    } else if !is_domain(&spec.domain) {
        out.add("domain", ValueFault::Malformed);
    }
    out.range("ttl_s", spec.ttl_s, 0, DAY_S);
    out.range("quarantine_s", spec.quarantine_s, 0, DAY_S);
    out
}

fn fields(s: &PoolSpec) -> [(&'static str, String); 9] {
    let hosts: Vec<String> = s.hosts.iter().map(|(k, v)| format!("{k}={v}")).collect();
    [
        ("stage", s.stage.to_string()),
        ("zone", s.zone.to_string()),
        ("hosts", hosts.join(", ")),
        ("subnet", s.subnet.to_string()),
        ("gateway", s.gateway.clone()),
        ("vlan", s.vlan.map(|v| v.to_string()).unwrap_or_default()),
        ("domain", s.domain.clone()),
        ("ttl_s", s.ttl_s.to_string()),
        ("quarantine_s", s.quarantine_s.to_string()),
    ]
}

fn changes(before: Option<&PoolSpec>, after: &PoolSpec) -> Vec<FieldChange> {
    let old = before.map(fields);
    let was = |i: usize| old.as_ref().map(|o| o[i].1.clone()).unwrap_or_default();
    let each = fields(after).into_iter().enumerate();
    each.filter(|(i, (_, a))| was(*i) != *a).map(|(i, (f, a))| change(f, was(i), a)).collect()
}

/// Names of the applications in the pool, at most ten.
pub async fn apps_in(tx: &mut Tx<'_>, pool: &str, team: Option<&str>) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(
        "SELECT team, name FROM app WHERE pool = $1 AND ($3 = 1 OR team = $2) ORDER BY team, name LIMIT 10",
    )
    .bind(pool)
    .bind(team.unwrap_or_default())
    .bind(i64::from(team.is_none()))
    .fetch_all(&mut **tx)
    .await
    .what("list a pool's applications")?;
    rows.iter().map(|r| Ok(format!("{}/{}", r.s("team")?, r.s("name")?))).collect()
}

/// What is wrong with it beside the other pools and with what lives in it.
async fn collide(tx: &mut Tx<'_>, old: Option<&PoolSpec>, spec: &PoolSpec, out: &mut Problems) -> Answer<()> {
    let rows = sqlx::query("SELECT * FROM pool WHERE name <> $1 ORDER BY name")
        .bind(&spec.name)
        .fetch_all(&mut **tx)
        .await
        .what("read pools")?;
    for r in &rows {
        let other = read_pool(r)?;
        if other.subnet.overlaps(spec.subnet) {
            out.add("subnet", ValueFault::Overlaps { with: format!("{} ({})", other.name, other.subnet) });
        }
    }
    let Some(old) = old else { return Ok(()) };
    if old.subnet != spec.subnet || old.domain != spec.domain {
        let apps = apps_in(tx, &spec.name, None).await?;
        if !apps.is_empty() {
            return Err(Problem::InUse { by: apps.join(", ") });
        }
    }
    if let Some(ip) = spec.gateway_ip().filter(|_| old.gateway != spec.gateway) {
        let n: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM claim WHERE pool = $1 AND address = $2 AND state = 'held'")
                .bind(&spec.name)
                .bind(i64::from(ip))
                .fetch_one(&mut **tx)
                .await
                .what("look at the gateway's address")?;
        if n > 0 {
            out.add("gateway", ValueFault::Overlaps { with: dotted(ip) });
        }
    }
    Ok(())
}

/// What changed since the revision that the page was loaded with.
async fn meanwhile(tx: &mut Tx<'_>, pool: &AnyRow, name: &str, seen: i64) -> Result<Problem, StoreError> {
    let rows = sqlx::query("SELECT * FROM journal WHERE subject = $1 ORDER BY seq DESC LIMIT 50")
        .bind(format!("pool:{name}"))
        .fetch_all(&mut **tx)
        .await
        .what("read what changed meanwhile")?;
    let mut changes = Vec::new();
    for r in rows.iter().rev() {
        let all = journal::read(r)?.entry.changes;
        let made = all.iter().find(|c| c.field == REVISION).and_then(|c| c.after.parse::<i64>().ok());
        if made.is_some_and(|m| m > seen) {
            changes.extend(all.into_iter().filter(|c| c.field != REVISION));
        }
    }
    let (by, at, revision) = (pool.s("changed_by")?, pool.i("changed_at")?, pool.i("revision")?);
    Ok(Problem::ChangedMeanwhile { by, at, revision, changes })
}

/// Creates or changes a pool.
pub async fn put(p: &PadisPortal, may: Permit<'_, Operate>, spec: &PoolSpec, seen: i64, token: &str) -> Answer<()> {
    let key = format!("pool.put {}", spec.name);
    let mut tx = p.store.begin().await?;
    if let Some(()) = once::before(&mut tx, p.store.kind(), may.caller, token, &key).await? {
        return Ok(());
    }
    let text = format!("SELECT * FROM pool WHERE name = $1{}", for_update(p.store.kind()));
    let row = sqlx::query(&text).bind(&spec.name).fetch_optional(&mut *tx).await.what("read a pool")?;
    let (old, revision) = match &row {
        None if seen != 0 => return Err(Problem::NotFound),
        None => (None, 0),
        Some(_) if seen == 0 => return Err(Problem::NameTaken { field: "name".into(), name: spec.name.clone() }),
        Some(r) => (Some(read_pool(r)?), r.i("revision")?),
    };
    if let Some(r) = row.as_ref().filter(|_| revision != seen) {
        return Err(meanwhile(&mut tx, r, &spec.name, seen).await?);
    }
    let mut out = judge(spec);
    collide(&mut tx, old.as_ref(), spec, &mut out).await?;
    out.done()?;
    match write(&mut tx, spec, revision + 1, &may.caller.name).await {
        Err(e) if e.is_unique() => return Err(Problem::NameTaken { field: "name".into(), name: spec.name.clone() }),
        other => other?,
    }
    // What rests or is reserved in a subnet that the pool has left is nobody's concern any more.
    sqlx::query(
        "UPDATE claim SET state = 'released', released_at = $4 WHERE pool = $1 AND released_at IS NULL AND state <> 'held' \
         AND (address < $2 OR address > $3)",
    )
    .bind(&spec.name)
    .bind(i64::from(spec.subnet.base()))
    .bind(i64::from(spec.subnet.base()) + i64::from(spec.subnet.count()) - 1)
    .bind(now_ms())
    .execute(&mut *tx)
    .await
    .what("free addresses outside the subnet")?;
    work::touch(&mut tx, &format!("pool:{}", spec.name)).await?;
    let all = with_revision(changes(old.as_ref(), spec), revision, revision + 1);
    let what = if old.is_some() { "pool.change" } else { "pool.create" };
    once::keep(&mut tx, token, &key, &()).await?;
    note(p, &mut tx, may, what, &spec.name, None, all).await?;
    tx.commit().await.what("save a pool")?;
    told(p, &spec.name);
    Ok(())
}

async fn write(tx: &mut Tx<'_>, s: &PoolSpec, revision: i64, by: &str) -> Result<(), StoreError> {
    let text = if revision == 1 {
        "INSERT INTO pool (name, stage, zone, hosts, subnet, base, prefix, gateway, vlan, domain, ttl_s, quarantine_s, revision, changed_at, changed_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    } else {
        "UPDATE pool SET stage = $2, zone = $3, hosts = $4, subnet = $5, base = $6, prefix = $7, gateway = $8, vlan = $9, domain = $10, \
         ttl_s = $11, quarantine_s = $12, revision = $13, changed_at = $14, changed_by = $15 WHERE name = $1"
    };
    sqlx::query(text)
        .bind(&s.name)
        .bind(s.stage.as_str())
        .bind(s.zone.as_str())
        .bind(to_json("pool.hosts", &s.hosts)?)
        .bind(s.subnet.to_string())
        .bind(i64::from(s.subnet.base()))
        .bind(i64::from(s.subnet.prefix()))
        .bind(&s.gateway)
        .bind(s.vlan.map(i64::from))
        .bind(&s.domain)
        .bind(i64::from(s.ttl_s))
        .bind(i64::from(s.quarantine_s))
        .bind(revision)
        .bind(now_ms())
        .bind(by)
        .execute(&mut **tx)
        .await
        .what("save a pool")
        .map(|_| ())
}

/// Writes the journal.
pub async fn note(
    p: &PadisPortal,
    tx: &mut Tx<'_>,
    may: Permit<'_, Operate>,
    what: &str,
    pool: &str,
    team: Option<&str>,
    changes: Vec<FieldChange>,
) -> Result<(), StoreError> {
    let entry = Entry {
        who: may.caller.account.clone(),
        what: what.to_owned(),
        subject: format!("pool:{pool}"),
        team: team.map(str::to_owned),
        changes,
        ..Entry::default()
    };
    journal::append(&p.store, tx, &entry).await.map(|_| ())
}

fn told(p: &PadisPortal, pool: &str) {
    let addresses = format!("addresses:{pool}");
    p.platform_changed(&["pools", &addresses, "work"]);
}

/// Deletes an empty pool.
pub async fn delete(p: &PadisPortal, may: Permit<'_, Operate>, name: &str, confirm: &str) -> Answer<()> {
    const WHAT: &str = "delete a pool";
    let mut tx = p.store.begin().await?;
    let text = format!("SELECT * FROM pool WHERE name = $1{}", for_update(p.store.kind()));
    let row = sqlx::query(&text).bind(name).fetch_optional(&mut *tx).await.what(WHAT)?;
    let old = read_pool(&row.ok_or(Problem::NotFound)?)?;
    if confirm.trim() != name {
        return Err(Problem::field("confirm", ValueFault::NotConfirmed));
    }
    let apps = apps_in(&mut tx, name, None).await?;
    if !apps.is_empty() {
        return Err(Problem::InUse { by: apps.join(", ") });
    }
    for sql in [
        "UPDATE claim SET state = 'released', released_at = $2 WHERE pool = $1 AND released_at IS NULL AND state <> 'held'",
        "DELETE FROM quota WHERE pool = $1 AND $2 > 0",
        "DELETE FROM pool WHERE name = $1 AND $2 > 0",
    ] {
        sqlx::query(sql).bind(name).bind(now_ms()).execute(&mut *tx).await.what(WHAT)?;
    }
    work::touch(&mut tx, &format!("pool:{name}")).await?;
    let gone = fields(&old).into_iter().map(|(f, v)| change(f, v, "")).collect();
    note(p, &mut tx, may, "pool.delete", name, None, gone).await?;
    tx.commit().await.what(WHAT)?;
    told(p, name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_made_of_labels() {
        for good in ["prod.example", "a", "x-1.y.z"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", "-a", "a-", "A.b", "a_b", "a b"] {
            assert!(!is_domain(bad), "{bad:?}");
        }
    }
}
