//! A pool's subnet as a map, and reserving ranges of it.
//!
//! The map of a /20 is one query over one index. One could get it wrong by
//! showing whose an address is to somebody who may not know: the statement
//! itself gives the owner's columns only for teams of the scope.

use super::PadisPortal;
use super::check::Problems;
use super::diff::change;
use super::pools;
use super::sql::{Cols, Sql, for_update};
use crate::store::apps::read_pool;
use crate::store::journal::{self, Entry};
use crate::store::{Kind, StoreError, Tx, What, claims, now_ms};
use padis_domain::Problem;
use padis_domain::address::{AddressState, dotted, parse_ip};
use padis_domain::app::AppRef;
use padis_domain::caller::{Caller, Operate, Permit};
use padis_domain::pool::PoolSpec;
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use padis_domain::view::{AddressCell, AddressMap};
use padis_domain::words::UnixMs;

/// Characters of a reason.
const MAX_REASON: usize = 200;

fn state(s: &str) -> Option<AddressState> {
    match s {
        "held" => Some(AddressState::Allocated),
        other => AddressState::parse(other),
    }
}

/// A cell as the statement gives it: address, state, team, application, slot,
/// release, reason, since, until. The team is NULL for whoever may not know it.
type Raw = (u32, String, Option<String>, Option<String>, Option<u32>, Option<u32>, String, UnixMs, Option<UnixMs>);

fn cell(raw: Raw) -> Result<AddressCell, StoreError> {
    let (ip, word, team, app, slot, release, reason, since, until) = raw;
    let state = state(&word).ok_or(StoreError::Row { what: "claim.state", detail: word })?;
    let app = team.zip(app).map(|(team, app)| AppRef { team, app });
    Ok(AddressCell {
        ip,
        state,
        slot: slot.filter(|_| app.is_some()),
        release: release.filter(|_| app.is_some()),
        app,
        reason: if state == AddressState::Reserved { reason } else { String::new() },
        since,
        until,
    })
}

/// Wraps the columns into one JSON text: thousands of rows cost the driver (a
/// message and a dozen allocations each) more than the database needs to find them.
fn as_json(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Sqlite => ("SELECT json_group_array(json_array(", ")) AS cells FROM ("),
        Kind::Postgres => ("SELECT CAST(COALESCE(json_agg(json_build_array(", ")), '[]') AS TEXT) AS cells FROM ("),
    }
}

/// The map.
pub async fn map(p: &PadisPortal, c: &Caller, pool: &str) -> Answer<AddressMap> {
    let spec = read_pool(&pools::find(p, c, pool).await?)?;
    let (head, tail) = as_json(p.store.kind());
    let row = Sql::new(head)
        .text("x.address, x.state, x.team, x.app, x.slot, x.release, x.reason, x.since, x.until")
        .text(tail)
        .text("SELECT address, state, CASE WHEN ")
        .scope("team", &c.scope())
        .text(" THEN team END AS team, app, slot, release, reason, since, until FROM claim WHERE pool = ")
        .bind(pool)
        .text(" AND address IS NOT NULL AND released_at IS NULL ORDER BY address) x")
        .one(p.store.read(), "read a pool's addresses")
        .await?;
    let raw: Vec<Raw> = row.ok_or(Problem::NotFound)?.json("cells")?;
    let mut cells = raw.into_iter().map(cell).collect::<Result<Vec<_>, _>>()?;
    cells.sort_unstable_by_key(|c| c.ip);
    Ok(AddressMap { spec, cells, may_change: c.operator().is_ok(), pools: pools::names(p, c).await?, now: now_ms() })
}

/// The range, inside the pool's subnet.
fn range(spec: &PoolSpec, from: &str, to: &str) -> Answer<(u32, u32)> {
    let mut out = Problems::default();
    let mut one = |field, text: &str| {
        let (first, last) = (spec.subnet.first(), spec.subnet.last());
        match parse_ip(text) {
            _ if text.trim().is_empty() => out.add(field, ValueFault::Missing),
            Some(ip) if (first..=last).contains(&ip) => return Some(ip),
            // Not an address, or none that a host of the subnet can have.
            _ => out.add(field, ValueFault::Malformed),
        }
        None
    };
    let (from, to) = (one("from", from), one("to", to));
    match (from, to) {
        (Some(from), Some(to)) if from <= to => return Ok((from, to)),
        (Some(_), Some(_)) => out.add("to", ValueFault::Malformed),
        _ => {}
    }
    out.done().and(Err(Problem::missing("from")))
}

async fn locked(p: &PadisPortal, tx: &mut Tx<'_>, pool: &str) -> Answer<PoolSpec> {
    let text = format!("SELECT * FROM pool WHERE name = $1{}", for_update(p.store.kind()));
    let row = sqlx::query(&text).bind(pool).fetch_optional(&mut **tx).await.what("read a pool")?;
    Ok(read_pool(&row.ok_or(Problem::NotFound)?)?)
}

/// What was done to a range, for the journal.
struct Done<'a> {
    what: &'static str,
    pool: &'a str,
    span: (u32, u32),
    reason: &'a str,
    addresses: u32,
}

async fn finish(p: &PadisPortal, mut tx: Tx<'_>, may: Permit<'_, Operate>, d: Done<'_>) -> Answer<u32> {
    if d.addresses > 0 {
        let span = format!("{} – {}", dotted(d.span.0), dotted(d.span.1));
        let changes = if d.reason.is_empty() {
            vec![change("reserved", span, "")]
        } else {
            vec![change("reserved", "", span), change("reason", "", d.reason)]
        };
        let entry = Entry {
            who: may.caller.account.clone(),
            what: d.what.to_owned(),
            subject: format!("pool:{}", d.pool),
            changes,
            ..Entry::default()
        };
        journal::append(&p.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("change reserved addresses")?;
    let topic = format!("addresses:{}", d.pool);
    p.platform_changed(&["pools", &topic]);
    Ok(d.addresses)
}

/// Reserves the free addresses of a range; gives how many.
pub async fn reserve(
    p: &PadisPortal,
    may: Permit<'_, Operate>,
    pool: &str,
    from: &str,
    to: &str,
    reason: &str,
) -> Answer<u32> {
    let mut tx = p.store.begin().await?;
    let spec = locked(p, &mut tx, pool).await?;
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Problem::missing("reason"));
    }
    let mut out = Problems::default();
    out.text("reason", reason, MAX_REASON);
    out.done()?;
    let span = range(&spec, from, to)?;
    let gateway = spec.gateway_ip().unwrap_or_default();
    let n = claims::reserve(&mut tx, pool, spec.subnet, gateway, span.0, span.1, reason).await?;
    finish(p, tx, may, Done { what: "address.reserve", pool, span, reason, addresses: n }).await
}

/// Frees the reserved addresses of a range; gives how many.
pub async fn unreserve(p: &PadisPortal, may: Permit<'_, Operate>, pool: &str, from: &str, to: &str) -> Answer<u32> {
    let mut tx = p.store.begin().await?;
    let spec = locked(p, &mut tx, pool).await?;
    let span = range(&spec, from, to)?;
    let n = claims::unreserve(&mut tx, pool, span.0, span.1).await?;
    finish(p, tx, may, Done { what: "address.free", pool, span, reason: "", addresses: n }).await
}
