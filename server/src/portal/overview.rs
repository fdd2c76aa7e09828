//! The overview and the counts beside the navigation: a fixed number of queries,
//! whatever there is.

use super::PadisPortal;
use super::attention::{attention, stuck};
use super::deliveries::read_row;
use super::pools;
use super::records::read_state;
use super::sql::{Cols, Sql};
use crate::store::{StoreError, now_ms};
use padis_domain::app::AppRef;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::view::{DeliveryRow, NavCounts, Overview, PoolRow};
use padis_domain::words::Stage;

const DAY_MS: i64 = 86_400_000;
const HALF_HOUR_MS: i64 = 1_800_000;
/// Deliveries shown.
const DELIVERIES: i64 = 12;
/// Durations drawn at most.
const DURATIONS: i64 = 500;
const WHAT: &str = "read the overview";

/// ` AND column IN (applications of the stage)`, if one is asked for.
fn staged(sql: Sql, column: &'static str, stage: Option<Stage>) -> Sql {
    match stage {
        None => sql,
        Some(s) => sql
            .text(" AND ")
            .text(column)
            .text(" IN (SELECT x.id FROM app x JOIN pool y ON y.name = x.pool WHERE y.stage = ")
            .bind(s.as_str())
            .text(")"),
    }
}

/// Counts beside the navigation's entries.
pub async fn nav(p: &PadisPortal, c: &Caller, stage: Option<Stage>) -> Answer<NavCounts> {
    let (scope, read) = (c.scope(), p.store.read());
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let rows = pools::list(p, c, stage).await?;
    let apps = staged(Sql::new("SELECT COUNT(*) FROM app WHERE ").scope("team", &scope), "id", stage)
        .number(read, WHAT)
        .await?;
    let packages = Sql::new("SELECT COUNT(*) FROM package WHERE ").scope("team", &scope).number(read, WHAT).await?;
    let stacks = Sql::new("SELECT COUNT(*) FROM stack WHERE gone_at IS NULL").number(read, WHAT).await?;
    Ok(NavCounts {
        attention: attention(p, c, stage, &rows).await?.len() as u64,
        apps: count(apps),
        stacks: count(stacks),
        packages: count(packages),
        pools: rows.len() as u64,
        stuck: stuck(p, c).await?,
    })
}

/// The overview page.
pub async fn overview(p: &PadisPortal, c: &Caller, stage: Option<Stage>) -> Answer<Overview> {
    let now = now_ms();
    let mut rows = pools::list(p, c, stage).await?;
    let attention = attention(p, c, stage, &rows).await?;
    rows.sort_by_key(tightness);
    let (delivery_ms, deliveries_failed) = durations(p, c, stage, now).await?;
    Ok(Overview {
        attention,
        apps: squares(p, c, stage).await?,
        delivery_ms,
        deliveries_failed,
        replaced_per_day: replaced(p, c, stage, now).await?,
        requests: requests(p, c, stage, now).await?,
        deliveries: last(p, c, stage).await?,
        pools: rows,
        now,
    })
}

/// The least part that is free of anything, in thousandths.
fn tightness(row: &PoolRow) -> u64 {
    let one =
        |((_, total), (_, used)): ((_, u64), (_, u64))| (total > 0).then(|| total.saturating_sub(used) * 1000 / total);
    row.total.each().into_iter().zip(row.used.each()).filter_map(one).min().unwrap_or(1000)
}

async fn squares(
    p: &PadisPortal,
    c: &Caller,
    stage: Option<Stage>,
) -> Result<Vec<(AppRef, padis_domain::action::AppState)>, StoreError> {
    let sql = Sql::new("SELECT team, name, wanted, state FROM app WHERE ").scope("team", &c.scope());
    let rows = staged(sql, "id", stage).text(" ORDER BY team, name").all(p.store.read(), WHAT).await?;
    rows.iter().map(|r| Ok((AppRef { team: r.s("team")?, app: r.s("name")? }, read_state(r)?.1))).collect()
}

/// Durations of the last seven days, oldest first, and how many failed.
async fn durations(p: &PadisPortal, c: &Caller, stage: Option<Stage>, now: i64) -> Result<(Vec<u64>, u32), StoreError> {
    let since = |columns| {
        let sql = Sql::new(columns).bind(now - 7 * DAY_MS).text(" AND ").scope("team", &c.scope());
        staged(sql, "app_id", stage)
    };
    let rows =
        since("SELECT answered_at - began_at AS ms FROM delivery WHERE answered_at IS NOT NULL AND began_at >= ")
            .text(" ORDER BY began_at DESC LIMIT ")
            .bind(DURATIONS)
            .all(p.store.read(), WHAT)
            .await?;
    let mut ms = rows.iter().map(|r| r.n("ms")).collect::<Result<Vec<_>, _>>()?;
    ms.reverse();
    let failed = since(
        "SELECT COUNT(*) FROM delivery WHERE answered_at IS NULL AND state IN ('failed', 'given-up') AND began_at >= ",
    )
    .number(p.store.read(), WHAT)
    .await?;
    Ok((ms, u32::try_from(failed).unwrap_or(u32::MAX)))
}

/// Instances replaced per day: sick ones and those that ended by themselves.
async fn replaced(p: &PadisPortal, c: &Caller, stage: Option<Stage>, now: i64) -> Result<Vec<u32>, StoreError> {
    const DAYS: usize = 14;
    let start = (now / DAY_MS + 1 - DAYS as i64) * DAY_MS;
    let sql = Sql::new(
        "SELECT (COALESCE(leaving_at, ended_at) - ",
    )
    .bind(start)
    .text(") / 86400000 AS day, COUNT(*) AS n FROM instance WHERE (leaving = 'sick' OR (leaving IS NULL AND ended_at IS NOT NULL)) \
           AND COALESCE(leaving_at, ended_at) >= ")
    .bind(start)
    .text(" AND ")
    .scope("team", &c.scope());
    // By position: PostgreSQL can't see that two placeholders are one expression.
    let rows = staged(sql, "app_id", stage).text(" GROUP BY 1").all(p.store.read(), WHAT).await?;
    let mut out = vec![0; DAYS];
    for r in &rows {
        if let Some(day) = usize::try_from(r.i("day")?).ok().and_then(|d| out.get_mut(d)) {
            *day = r.u("n")?;
        }
    }
    Ok(out)
}

/// Requests of the last 24 hours in half-hours.
async fn requests(p: &PadisPortal, c: &Caller, stage: Option<Stage>, now: i64) -> Result<Vec<(u64, u64)>, StoreError> {
    const BUCKETS: usize = 48;
    let start = (now / HALF_HOUR_MS + 1 - BUCKETS as i64) * HALF_HOUR_MS;
    // From the applications to their buckets, so that the table's key is used.
    let sql = Sql::new(
        "SELECT t.bucket, CAST(SUM(t.requests) AS BIGINT) AS requests, CAST(SUM(t.failed) AS BIGINT) AS failed \
         FROM app a JOIN traffic t ON t.app_id = a.id AND t.bucket >= ",
    )
    .bind(start)
    .text(" WHERE ")
    .scope("a.team", &c.scope());
    let rows = staged(sql, "a.id", stage).text(" GROUP BY t.bucket").all(p.store.read(), WHAT).await?;
    let mut out = vec![(0, 0); BUCKETS];
    for r in &rows {
        let at = usize::try_from((r.i("bucket")? - start) / HALF_HOUR_MS).ok();
        if let Some(slot) = at.and_then(|i| out.get_mut(i)) {
            *slot = (r.n("requests")?, r.n("failed")?);
        }
    }
    Ok(out)
}

async fn last(p: &PadisPortal, c: &Caller, stage: Option<Stage>) -> Result<Vec<DeliveryRow>, StoreError> {
    let sql = Sql::new("SELECT * FROM delivery WHERE ").scope("team", &c.scope());
    let rows = staged(sql, "app_id", stage)
        .text(" ORDER BY began_at DESC, app_id, release DESC LIMIT ")
        .bind(DELIVERIES)
        .all(p.store.read(), WHAT)
        .await?;
    rows.iter().map(read_row).collect()
}
