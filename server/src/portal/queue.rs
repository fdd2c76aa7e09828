//! The work queue for operators: what is due, what is stuck and why.

use super::PadisPortal;
use super::check::Problems;
use super::diff::change;
use super::sql::{Cols, Paging, Sql};
use crate::reconcile::stream::Stream;
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, Tx, What, now_ms, work};
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::caller::{Inspect, Operate, Permit};
use padis_domain::portal::Answer;
use padis_domain::view::{ListQuery, Page, WorkRow};
use sqlx::any::AnyRow;

/// So many failures in a row make a row stuck.
const STUCK: i64 = 3;
/// Characters of a reason.
const MAX_REASON: usize = 200;

/// The rows with their state; the present time is the first value.
fn with_state(columns: &'static str) -> Sql {
    Sql::new(columns)
        .text(" FROM (SELECT w.*, CASE WHEN w.parked = 1 THEN 'parked' WHEN w.lease IS NOT NULL AND w.lease_until > ")
        .bind(now_ms())
        .text(
            " THEN 'running' WHEN w.wanted > w.done AND w.attempts > 0 THEN 'backing-off' \
              WHEN w.wanted > w.done THEN 'due' ELSE 'idle' END AS state FROM work w) x WHERE 1 = 1",
        )
}

fn filtered(mut sql: Sql, p: &PadisPortal, q: &ListQuery) -> Sql {
    match q.state.as_str() {
        "" => {}
        "stuck" => sql = sql.text(" AND (parked = 1 OR (wanted > done AND attempts >= ").bind(STUCK).text("))"),
        state => sql = sql.text(" AND state = ").bind(state),
    }
    sql.find(p.store.kind(), &["key", "outcome"], &q.q)
}

/// How many rows are stuck.
pub async fn stuck(p: &PadisPortal, _may: Permit<'_, Inspect>) -> Result<u64, StoreError> {
    let n = Sql::new("SELECT COUNT(*) FROM work WHERE parked = 1 OR (wanted > done AND attempts >= ")
        .bind(STUCK)
        .text(")")
        .number(p.store.read(), "count stuck work")
        .await?;
    Ok(u64::try_from(n).unwrap_or_default())
}

fn row(r: &AnyRow) -> Result<WorkRow, StoreError> {
    Ok(WorkRow {
        key: r.s("key")?,
        state: r.s("state")?,
        wanted: r.i("wanted")?,
        done: r.i("done")?,
        attempts: r.u("attempts")?,
        due_at: r.i("due_at")?,
        lease: r.os("lease")?,
        outcome: r.s("outcome")?,
    })
}

/// The queue: what is parked first, then what failed most often, then by due time.
pub async fn list(p: &PadisPortal, _may: Permit<'_, Inspect>, q: &ListQuery) -> Answer<Page<WorkRow>> {
    const WHAT: &str = "list work";
    let paging = Paging::of(q);
    let total = filtered(with_state("SELECT COUNT(*)"), p, q).number(p.store.read(), WHAT).await?;
    let (column, desc, then) = match q.sort.as_str() {
        "key" => ("key", q.desc, ", key"),
        "state" => ("state", q.desc, ", key"),
        "attempts" => ("attempts", q.desc, ", key"),
        "due" | "due_at" => ("due_at", q.desc, ", key"),
        _ => ("parked", true, ", attempts DESC, CASE WHEN wanted > done THEN 0 ELSE 1 END, due_at, key"),
    };
    let rows =
        filtered(with_state("SELECT *"), p, q).order(column, desc, then).page(paging).all(p.store.read(), WHAT).await?;
    Ok(paging.wrap(rows.iter().map(row).collect::<Result<_, _>>()?, total))
}

/// Try again now.
pub async fn retry(p: &PadisPortal, may: Permit<'_, Operate>, key: &str) -> Answer<()> {
    let mut tx = p.store.begin().await?;
    let found = work::retry(&mut tx, key).await?;
    finish(p, tx, may, "work.retry", key, "", found).await
}

/// Look at an application now, or at everything. Only the first is a change, and journalled:
/// everything is looked at again and again anyway.
pub async fn look_again(p: &PadisPortal, may: Permit<'_, Operate>, app: Option<&AppRef>) -> Answer<()> {
    let Some(app) = app else {
        p.stream.look_at_all();
        return Ok(());
    };
    let mut tx = p.store.begin().await?;
    let found = Stream::look_at(&mut tx, app).await?;
    finish(p, tx, may, "work.retry", &app.work_key(), "", found).await
}

/// Leave it alone until somebody retries it.
pub async fn park(p: &PadisPortal, may: Permit<'_, Operate>, key: &str, reason: &str) -> Answer<()> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Problem::missing("reason"));
    }
    let mut out = Problems::default();
    out.text("reason", reason, MAX_REASON);
    out.done()?;
    let mut tx = p.store.begin().await?;
    let found = work::park(&mut tx, key, reason).await?;
    finish(p, tx, may, "work.park", key, reason, found).await
}

async fn finish(
    p: &PadisPortal,
    mut tx: Tx<'_>,
    may: Permit<'_, Operate>,
    what: &str,
    key: &str,
    reason: &str,
    found: bool,
) -> Answer<()> {
    if !found {
        return Err(Problem::NotFound);
    }
    let changes = if reason.is_empty() { Vec::new() } else { vec![change("reason", "", reason)] };
    let entry = Entry {
        who: may.caller.account.clone(),
        what: what.to_owned(),
        subject: format!("work:{key}"),
        changes,
        ..Entry::default()
    };
    journal::append(&p.store, &mut tx, &entry).await?;
    tx.commit().await.what("change work")?;
    p.platform_changed(&["work"]);
    Ok(())
}
