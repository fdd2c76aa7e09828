//! The journal for operators and auditors, with the proof that nothing was
//! changed or taken out.
//!
//! Each row's hash holds the one before. "Unbroken up to here" means walking the
//! whole chain; this process walks it once and then only what is new, and begins
//! anew every ten minutes, so that a row changed later is found too. One could
//! get it wrong by checking only the rows of the page: a row taken out before
//! them would not show.

use super::PadisPortal;
use super::frame::REVISION;
use super::sql::{Cols, Paging, Sql};
use crate::store::StoreError;
use crate::store::journal::read;
use padis_domain::Problem;
use padis_domain::caller::{Inspect, Permit};
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use padis_domain::view::{JournalRow, ListQuery, Page};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Rows walked at a time.
const ROWS: i64 = 1000;
/// How long one request may walk; the rest is walked by the next.
const WALK: Duration = Duration::from_millis(300);
/// After so long the walk begins anew.
const ANEW: Duration = Duration::from_secs(600);

/// How far the chain was walked.
#[derive(Debug, Clone)]
pub struct Walked {
    began: Instant,
    to: i64,
    hash: String,
    broken_at: Option<i64>,
}

impl Default for Walked {
    fn default() -> Self {
        Self { began: Instant::now(), to: 0, hash: String::new(), broken_at: None }
    }
}

/// Walks on; gives the first row that does not fit, if one was found.
async fn walk(p: &PadisPortal, state: &Mutex<Walked>) -> Result<Option<i64>, StoreError> {
    let began = Instant::now();
    let mut at = state.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if at.began.elapsed() > ANEW {
        at = Walked::default();
    }
    while at.broken_at.is_none() && began.elapsed() < WALK {
        let rows = Sql::new("SELECT * FROM journal WHERE seq > ")
            .bind(at.to)
            .text(" ORDER BY seq LIMIT ")
            .bind(ROWS)
            .all(p.store.read(), "walk the journal")
            .await?;
        if rows.is_empty() {
            break;
        }
        for r in &rows {
            let s = read(r)?;
            if !s.intact || s.prev != at.hash || s.seq != at.to + 1 {
                at.broken_at = Some(s.seq);
                tracing::error!(journal.seq = s.seq, "the journal's chain is broken: a row was changed or taken out");
                break;
            }
            (at.to, at.hash) = (s.seq, s.hash);
        }
    }
    let broken = at.broken_at;
    *state.lock().unwrap_or_else(PoisonError::into_inner) = at;
    Ok(broken)
}

fn filtered(sql: Sql, p: &PadisPortal, q: &ListQuery) -> Sql {
    let mut sql = sql.text(" WHERE 1 = 1");
    if !q.team.is_empty() {
        sql = sql.text(" AND team = ").bind(&q.team);
    }
    if !q.state.is_empty() {
        // A word such as `app.create`, or its first part, `app`.
        sql = sql.text(" AND (what = ").bind(&q.state).text(" OR what LIKE ");
        sql = sql.bind(format!("{}.%", super::sql::escape(&q.state))).text(" ESCAPE '!')");
    }
    if let Some(from) = q.from {
        sql = sql.text(" AND at >= ").bind(from);
    }
    if let Some(to) = q.to {
        sql = sql.text(" AND at <= ").bind(to);
    }
    sql.find(p.store.kind(), &["who", "what", "subject"], &q.q)
}

/// The journal, newest first.
pub async fn list(p: &PadisPortal, _may: Permit<'_, Inspect>, q: &ListQuery) -> Answer<Page<JournalRow>> {
    const WHAT: &str = "read the journal";
    if q.from.zip(q.to).is_some_and(|(from, to)| to < from) {
        return Err(Problem::field("to", ValueFault::EndsBeforeItBegins));
    }
    let paging = Paging::of(q);
    let broken = walk(p, &p.journal_walk).await?;
    let total = filtered(Sql::new("SELECT COUNT(*) FROM journal"), p, q).number(p.store.read(), WHAT).await?;
    let rows = filtered(Sql::new("SELECT * FROM journal"), p, q)
        .order("seq", q.sort != "seq" || q.desc, "")
        .page(paging)
        .all(p.store.read(), WHAT)
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in &rows {
        let s = read(r)?;
        out.push(JournalRow {
            seq: s.seq,
            at: s.at,
            who: s.entry.who,
            what: s.entry.what,
            subject: r.s("subject")?,
            team: s.entry.team,
            changes: s.entry.changes.into_iter().filter(|c| c.field != REVISION).collect(),
            intact: s.intact && broken.is_none_or(|b| s.seq < b),
            hash: s.hash,
        });
    }
    Ok(paging.wrap(out, total))
}
