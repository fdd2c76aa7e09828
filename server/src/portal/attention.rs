//! What needs attention now: the list at the top of the overview and the number
//! beside it in the navigation.
//!
//! One could get it wrong by crying wolf: an application is named once, with the
//! most telling thing about it, and what only operators can mend is shown to
//! them alone.

use super::PadisPortal;
use super::queue;
use super::sql::{Cols, Sql};
use crate::store::{StoreError, journal, now_ms};
use padis_domain::app::AppRef;
use padis_domain::caller::Caller;
use padis_domain::delivery::{Finding, StepState, StepView};
use padis_domain::portal::Answer;
use padis_domain::quantity::Dimension;
use padis_domain::view::{Attention, AttentionKind, Event, InstanceState, PoolRow};
use padis_domain::words::{Stage, UnixMs};
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// The most of each kind.
const MOST: i64 = 50;
/// Instances that one query asks for.
const ASKED_AT_ONCE: usize = 500;
/// Looking back for replaced instances.
const REPLACED_MS: i64 = 20 * 60 * 1000;
/// So many replaced in that time are "again and again".
const REPLACED: i64 = 2;
/// From this part of what an instance may write its team is warned, in percent.
const WRITES_PERCENT: u64 = 80;
/// A pool is short of something below this part of the whole, in percent.
const SHORT_PERCENT: u64 = 10;

const WHAT: &str = "look for what needs attention";

/// Everything, worst and oldest first. `pools` are those that the caller sees.
pub async fn attention(p: &PadisPortal, c: &Caller, stage: Option<Stage>, pools: &[PoolRow]) -> Answer<Vec<Attention>> {
    let mut out = apps(p, c, stage).await?;
    out.extend(replaced(p, c, stage).await?);
    out.extend(writes(p, c, stage).await?);
    for row in pools {
        out.extend(short(p, row));
    }
    for s in p.live.systems().iter().filter(|s| !s.up) {
        out.push(plain(true, AttentionKind::SystemDown { system: s.system }, s.since));
    }
    if c.inspector().is_ok() {
        let hosts = p.live.hosts();
        // One that is out of service on purpose is not lost.
        for h in hosts.found.iter().filter(|h| !h.active && !p.live.is_out(&h.id)) {
            let what = AttentionKind::HostLost { host: h.name.clone() };
            out.push(plain(true, what, hosts.at.unwrap_or_default()));
        }
        out.extend(parked(p).await?);
    }
    out.sort_by_key(|a| (!a.bad, a.since));
    Ok(out)
}

fn plain(bad: bool, what: AttentionKind, since: UnixMs) -> Attention {
    Attention { bad, what, since, app: None, pool: None }
}

fn staged(sql: Sql, stage: Option<Stage>) -> Sql {
    match stage {
        Some(s) => sql.text(" AND p.stage = ").bind(s.as_str()),
        None => sql,
    }
}

/// Deliveries that wait or fail, and applications that are not as wanted.
async fn apps(p: &PadisPortal, c: &Caller, stage: Option<Stage>) -> Result<Vec<Attention>, StoreError> {
    let sql = Sql::new(
        "SELECT a.id, a.team, a.name, a.pool, a.state, a.well, a.instances, a.changed_at, d.state AS d_state, d.steps, d.began_at, d.release, \
                (SELECT MAX(j.at) FROM journal j WHERE j.app_id = a.id) AS told_at \
         FROM app a JOIN pool p ON p.name = a.pool LEFT JOIN delivery d ON d.app_id = a.id AND d.release = a.release \
         WHERE a.wanted = 'online' AND (a.state IN ('degraded', 'failing', 'waiting') OR d.state IN ('waiting', 'failed')) AND ",
    )
    .scope("a.team", &c.scope());
    let rows =
        staged(sql, stage).text(" ORDER BY a.changed_at DESC LIMIT ").bind(MOST).all(p.store.read(), WHAT).await?;
    rows.iter().map(|r| app(p, r)).collect()
}

fn app(p: &PadisPortal, r: &AnyRow) -> Result<Attention, StoreError> {
    let key = AppRef { team: r.s("team")?, app: r.s("name")? };
    let about = |bad, what, since, pool| Attention { bad, what, since, app: Some(key.clone()), pool: Some(pool) };
    let d_state = r.os("d_state")?.unwrap_or_default();
    if d_state == "waiting" || d_state == "failed" {
        let steps: Vec<StepView> = r.json("steps")?;
        let stuck = steps.into_iter().find(|s| matches!(s.state, StepState::Waiting | StepState::Failed));
        if let Some((note, since)) = stuck.and_then(|s| Some((s.note?, s.began_at))) {
            let what = AttentionKind::Delivery { release: r.u("release")?, note };
            return Ok(about(d_state == "failed", what, since.unwrap_or(r.i("began_at")?), r.s("pool")?));
        }
    }
    let live = p.live.app(&r.s("id")?);
    let sick = live
        .as_ref()
        .and_then(|l| l.instances.iter().find(|i| matches!(i.state, InstanceState::Sick | InstanceState::Lost)));
    let what = AttentionKind::Degraded {
        well: r.u("well")?,
        wanted: r.u("instances")?,
        finding: sick.map(|i| i.finding.clone()).filter(|f| *f != Finding::Unknown),
    };
    let since = r.oi("told_at")?.unwrap_or(r.i("changed_at")?);
    Ok(about(r.s("state")? == "failing", what, since, r.s("pool")?))
}

/// Instances that have nearly written what they may into their own containers; an application
/// once, with the one that has written most.
async fn writes(p: &PadisPortal, c: &Caller, stage: Option<Stage>) -> Result<Vec<Attention>, StoreError> {
    let most = p.settings.writable_bytes;
    let written = p.live.written();
    let mut much: Vec<(&String, u64)> =
        written.iter().map(|(t, b)| (t, *b)).filter(|(_, b)| b.saturating_mul(100) >= most * WRITES_PERCENT).collect();
    much.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let mut out: Vec<Attention> = Vec::new();
    // Whose they are is the query's to say: the most of all of them may be of other teams.
    for some in much.chunks(ASKED_AT_ONCE) {
        let sql = Sql::new(
            "SELECT i.task_id, i.seen_at, a.team, a.name, a.pool FROM instance i JOIN app a ON a.id = i.app_id \
             JOIN pool p ON p.name = a.pool WHERE i.ended_at IS NULL AND i.task_id IN ",
        )
        .list(some.iter().map(|(t, _)| t.as_str()))
        .text(" AND ")
        .scope("a.team", &c.scope());
        let rows = staged(sql, stage).all(p.store.read(), WHAT).await?;
        let by_task: HashMap<String, &AnyRow> =
            rows.iter().map(|r| Ok((r.s("task_id")?, r))).collect::<Result<_, StoreError>>()?;
        for (task, bytes) in some {
            let Some(r) = by_task.get(*task) else { continue };
            let app = AppRef { team: r.s("team")?, app: r.s("name")? };
            if out.iter().all(|a| a.app.as_ref() != Some(&app)) {
                let what = AttentionKind::Writes { bytes: *bytes, most };
                let since = r.i("seen_at")?;
                out.push(Attention { bad: *bytes >= most, what, since, app: Some(app), pool: Some(r.s("pool")?) });
            }
            if out.len() >= MOST as usize {
                return Ok(out);
            }
        }
    }
    Ok(out)
}

/// Applications whose instances were replaced again and again.
async fn replaced(p: &PadisPortal, c: &Caller, stage: Option<Stage>) -> Result<Vec<Attention>, StoreError> {
    let cut = now_ms() - REPLACED_MS;
    let sql = Sql::new(
        "SELECT a.id, a.team, a.name, a.pool, COUNT(*) AS times, MIN(COALESCE(i.leaving_at, i.ended_at)) AS since \
         FROM app a JOIN pool p ON p.name = a.pool JOIN instance i ON i.app_id = a.id \
         WHERE a.wanted = 'online' AND (i.leaving = 'sick' OR (i.leaving IS NULL AND i.ended_at IS NOT NULL)) AND COALESCE(i.leaving_at, i.ended_at) >= ",
    )
    .bind(cut)
    .text(" AND ")
    .scope("a.team", &c.scope());
    let rows = staged(sql, stage)
        .text(" GROUP BY a.id, a.team, a.name, a.pool HAVING COUNT(*) >= ")
        .bind(REPLACED)
        .text(" ORDER BY COUNT(*) DESC LIMIT ")
        .bind(MOST)
        .all(p.store.read(), WHAT)
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in &rows {
        let last = Sql::new("SELECT * FROM journal WHERE what = 'instance.replaced' AND app_id = ")
            .bind(r.s("id")?)
            .text(" ORDER BY seq DESC LIMIT 1")
            .one(p.store.read(), WHAT)
            .await?;
        let finding = match last.as_ref().map(journal::read).transpose()?.and_then(|s| s.entry.event) {
            Some(Event::Replaced { finding, .. }) => Some(finding),
            _ => None,
        };
        out.push(Attention {
            bad: false,
            what: AttentionKind::Replaced { times: r.u("times")?, finding },
            since: r.i("since")?,
            app: Some(AppRef { team: r.s("team")?, app: r.s("name")? }),
            pool: Some(r.s("pool")?),
        });
    }
    Ok(out)
}

/// What a pool is short of; hosts that were never seen are no shortage.
fn short(p: &PadisPortal, row: &PoolRow) -> Vec<Attention> {
    let since = p.live.hosts().at.unwrap_or_else(now_ms);
    let one = |((dimension, total), (_, used)): ((Dimension, u64), (Dimension, u64))| {
        let free = total.saturating_sub(used);
        let counts = total > 0 && dimension != Dimension::Instances;
        (counts && free * 100 < total * SHORT_PERCENT).then(|| Attention {
            bad: free == 0,
            what: AttentionKind::PoolShort { dimension, free, total },
            since,
            app: None,
            pool: Some(row.spec.name.clone()),
        })
    };
    row.total.each().into_iter().zip(row.used.each()).filter_map(one).collect()
}

async fn parked(p: &PadisPortal) -> Result<Vec<Attention>, StoreError> {
    let rows = Sql::new("SELECT key, outcome, changed_at FROM work WHERE parked = 1 ORDER BY changed_at DESC LIMIT ")
        .bind(MOST)
        .all(p.store.read(), WHAT)
        .await?;
    let one = |r: &AnyRow| {
        let what = AttentionKind::WorkParked { key: r.s("key")?, reason: r.s("outcome")? };
        Ok(plain(false, what, r.i("changed_at")?))
    };
    rows.iter().map(one).collect()
}

/// Stuck rows of the queue, for those who may see it.
pub async fn stuck(p: &PadisPortal, c: &Caller) -> Result<Option<u64>, StoreError> {
    match c.inspector() {
        Ok(may) => queue::stuck(p, may).await.map(Some),
        Err(_) => Ok(None),
    }
}
