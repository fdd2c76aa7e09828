//! What happened to an application, and what it held and holds.
//!
//! Both outlive it: a deleted application shows what it gave back. One could get
//! it wrong by looking for its history by name alone: a later application of the
//! same name is another one, so the id counts, the newest of that name.

use super::PadisPortal;
use super::sql::{Cols, Paging, Sql};
use crate::store::journal;
use padis_domain::Problem;
use padis_domain::address::dotted;
use padis_domain::app::AppRef;
use padis_domain::portal::Answer;
use padis_domain::view::{ClaimRow, ListQuery, Page, TimelineItem};

/// The most claims shown.
const CLAIMS: i64 = 500;

/// The id of the application, or of the last one of that name that is gone.
pub async fn history_id(p: &PadisPortal, app: &AppRef) -> Answer<String> {
    const WHAT: &str = "find an application's history";
    let living = Sql::new("SELECT id FROM app WHERE team = ").bind(&app.team).text(" AND name = ").bind(&app.app);
    if let Some(r) = living.one(p.store.read(), WHAT).await? {
        return Ok(r.s("id")?);
    }
    let gone = Sql::new("SELECT app_id FROM journal WHERE subject = ")
        .bind(app.work_key())
        .text(" AND team = ")
        .bind(&app.team)
        .text(" AND app_id IS NOT NULL ORDER BY seq DESC LIMIT 1")
        .one(p.store.read(), WHAT)
        .await?;
    Ok(gone.ok_or(Problem::NotFound)?.s("app_id")?)
}

/// Events, newest first.
pub async fn list(p: &PadisPortal, app: &AppRef, q: &ListQuery) -> Answer<Page<TimelineItem>> {
    const WHAT: &str = "read a timeline";
    let id = history_id(p, app).await?;
    let paging = Paging::of(q);
    let filtered = |sql: Sql| {
        let mut sql = sql.bind(&id).text(" AND event IS NOT NULL");
        if !q.state.is_empty() {
            // The event's word is the first thing in its JSON, `{"died":{…}}`; before
            // November 2026 it was `{"event":"died",…}`.
            let word = super::sql::escape(&q.state);
            sql = sql
                .text(" AND (event LIKE ")
                .bind(format!("{{\"{word}\":%"))
                .text(" ESCAPE '!' OR event LIKE ")
                .bind(format!("{{\"event\":\"{word}\"%"))
                .text(" ESCAPE '!')");
        }
        sql.find(p.store.kind(), &["event", "who"], &q.q)
    };
    let total = filtered(Sql::new("SELECT COUNT(*) FROM journal WHERE app_id = ")).number(p.store.read(), WHAT).await?;
    let rows = filtered(Sql::new("SELECT * FROM journal WHERE app_id = "))
        .text(" ORDER BY seq DESC")
        .page(paging)
        .all(p.store.read(), WHAT)
        .await?;
    let mut items = Vec::with_capacity(rows.len());
    for r in &rows {
        let stored = journal::read(r)?;
        if let Some(event) = stored.entry.event {
            items.push(TimelineItem { at: stored.at, event });
        }
    }
    Ok(paging.wrap(items, total))
}

/// What it holds, then what it held, the newest first.
pub async fn claims(p: &PadisPortal, app: &AppRef) -> Answer<Vec<ClaimRow>> {
    let id = history_id(p, app).await?;
    let rows = Sql::new(
        "SELECT c.kind, c.what, c.address, c.release, c.slot, c.since, c.until, c.state, c.released_at, p.quarantine_s \
         FROM claim c LEFT JOIN pool p ON p.name = c.pool WHERE c.app_id = ",
    )
    .bind(&id)
    .text(" ORDER BY CASE WHEN c.state = 'held' THEN 0 ELSE 1 END, c.since DESC, c.id LIMIT ")
    .bind(CLAIMS)
    .all(p.store.read(), "read claims")
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in &rows {
        let released = match r.oi("released_at")? {
            None if r.s("state")? == "quarantined" => {
                // It rests for others' sake; the application gave it back when the rest began.
                let rest = r.oi("quarantine_s")?.unwrap_or_default() * 1000;
                r.oi("until")?.map(|u| u - rest)
            }
            other => other,
        };
        let what = match (r.s("what")?, r.ou("address")?) {
            (w, Some(ip)) if w.is_empty() => dotted(ip),
            (w, _) => w,
        };
        out.push(ClaimRow {
            kind: r.s("kind")?,
            what,
            release: r.ou("release")?,
            slot: r.ou("slot")?,
            since: r.i("since")?,
            released_at: released,
        });
    }
    Ok(out)
}
