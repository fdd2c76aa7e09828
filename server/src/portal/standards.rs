//! What is decided about middleware versions: standard, deprecated in favour of another,
//! retired.
//!
//! The decision stands beside the stack, not in it: a look at the registry writes that,
//! and would undo it. One could get it wrong by letting a decision stop what runs: it
//! only ever says what may be chosen.

use super::PadisPortal;
use super::check::Problems;
use super::diff::change;
use super::sql::{Cols, Sql};
use super::{once, stacks};
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, What, now_ms, to_json};
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::caller::{Caller, Permit, Publish};
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use padis_domain::view::{MarkEdit, StackMark, StackNotice, StackState};
use padis_domain::words::Stage;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// The form's name among tokens.
const MARK: &str = "mark";
/// Characters of a note.
const MAX_NOTE: usize = 300;

fn read(r: &AnyRow) -> Result<StackMark, StoreError> {
    Ok(StackMark {
        state: r.word("state", StackState::parse)?,
        stages: r.json("stages")?,
        successor: r.s("successor")?,
        note: r.s("note")?,
        by: r.s("by_name")?,
        at: Some(r.i("at")?),
    })
}

/// All decisions, by key.
pub async fn all(p: &PadisPortal) -> Result<BTreeMap<String, StackMark>, StoreError> {
    let rows = Sql::new("SELECT * FROM stack_mark").all(p.store.read(), "read decisions about middleware").await?;
    rows.iter().map(|r| Ok((r.s("key")?, read(r)?))).collect()
}

/// The decision about one; without one it is standard.
pub async fn of(conn: &mut AnyConnection, key: &str) -> Result<StackMark, StoreError> {
    let row = sqlx::query("SELECT * FROM stack_mark WHERE key = $1")
        .bind(key)
        .fetch_optional(conn)
        .await
        .what("read a decision about middleware")?;
    row.as_ref().map(read).transpose().map(Option::unwrap_or_default)
}

/// Who chooses a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice<'a> {
    /// Something that does not run on it yet.
    Fresh,
    /// An application that runs on this one, or did.
    Stays(&'a str),
}

/// Says so if a version may not be chosen for a stage.
pub async fn may_choose(
    conn: &mut AnyConnection,
    out: &mut Problems,
    key: &str,
    who: Choice<'_>,
    stage: Option<Stage>,
) -> Result<(), StoreError> {
    let mark = of(conn, key).await?;
    let stays = who == Choice::Stays(key);
    let refused = match mark.state {
        StackState::Retired => true,
        StackState::Deprecated => !stays,
        StackState::Standard => false,
    };
    let elsewhere = stage.filter(|s| !stays && !mark.is_for(*s));
    if refused || elsewhere.is_some() {
        let stage = elsewhere.filter(|_| !refused);
        out.0.push(Problem::StackNotOffered { stack: key.to_owned(), stage, successor: mark.successor });
    }
    Ok(())
}

/// A pool's stage.
pub async fn stage_of(conn: &mut AnyConnection, pool: &str) -> Result<Option<Stage>, StoreError> {
    const WHAT: &str = "read a pool's stage";
    let row = sqlx::query("SELECT stage FROM pool WHERE name = $1").bind(pool).fetch_optional(conn).await.what(WHAT)?;
    row.as_ref().map(|r| r.word("stage", Stage::parse)).transpose()
}

/// Takes a decision.
pub async fn put(p: &PadisPortal, may: Permit<'_, Publish>, edit: &MarkEdit, token: &str) -> Answer<()> {
    let known = stacks::list(p, may.caller).await?;
    if !known.iter().any(|s| s.key == edit.key) {
        return Err(Problem::NotFound);
    }
    let mut problems = Problems::default();
    problems.text("note", &edit.note, MAX_NOTE);
    let successor = edit.successor.trim();
    if !successor.is_empty() && (successor == edit.key || !known.iter().any(|s| s.key == successor)) {
        problems.add("successor", ValueFault::Unknown);
    }
    // Who is told to leave is told where to.
    if edit.state == StackState::Deprecated && successor.is_empty() && edit.note.trim().is_empty() {
        problems.add("note", ValueFault::Missing);
    }
    problems.done()?;
    let mut stages = edit.stages.clone();
    stages.sort();
    stages.dedup();
    if stages.len() == Stage::ALL.len() {
        stages.clear();
    }
    let mut tx = p.store.begin().await?;
    if once::before::<()>(&mut tx, p.store.kind(), may.caller, token, MARK).await?.is_some() {
        return Ok(());
    }
    let before = of(&mut tx, &edit.key).await?;
    sqlx::query(
        "INSERT INTO stack_mark (key, state, stages, successor, note, by_name, at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (key) DO UPDATE SET state = excluded.state, stages = excluded.stages, successor = excluded.successor, \
         note = excluded.note, by_name = excluded.by_name, at = excluded.at",
    )
    .bind(&edit.key)
    .bind(edit.state.as_str())
    .bind(to_json("stack_mark.stages", &stages)?)
    .bind(successor)
    .bind(edit.note.trim())
    .bind(&may.caller.name)
    .bind(now_ms())
    .execute(&mut *tx)
    .await
    .what("write a decision about middleware")?;
    let words = |stages: &[Stage]| stages.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ");
    let changes = [
        change("state", before.state.as_str(), edit.state.as_str()),
        change("stages", words(&before.stages), words(&stages)),
        change("successor", before.successor.as_str(), successor),
        change("note", before.note.as_str(), edit.note.trim()),
    ];
    let entry = Entry {
        who: may.caller.account.clone(),
        what: "stack.mark".to_owned(),
        subject: format!("stack:{}", edit.key),
        changes: changes.into_iter().filter(|c| c.before != c.after).collect(),
        ..Entry::default()
    };
    journal::append(&p.store, &mut tx, &entry).await?;
    once::keep(&mut tx, token, MARK, &()).await?;
    tx.commit().await.what("take a decision about middleware")?;
    p.platform_changed(&["stacks", "apps"]);
    Ok(())
}

/// What those who run an application should know of its middleware; nothing, mostly.
pub async fn notice(p: &PadisPortal, c: &Caller, app: &AppRef) -> Answer<Option<StackNotice>> {
    c.sees(&app.team)?;
    let rows = Sql::new(
        "SELECT r.stack_key, a.revision, a.wanted, m.* FROM app a JOIN release r ON r.app_id = a.id AND r.number = a.release \
         JOIN stack_mark m ON m.key = r.stack_key WHERE m.state <> 'standard' AND a.team = ",
    )
    .bind(&app.team)
    .text(" AND a.name = ")
    .bind(&app.app)
    .all(p.store.read(), "read what is decided about an application's middleware")
    .await?;
    let Some(r) = rows.first() else { return Ok(None) };
    let mark = read(r)?;
    let there =
        stacks::list(p, c).await?.iter().any(|s| s.key == mark.successor && s.mark.state == StackState::Standard);
    Ok(Some(StackNotice {
        app: app.clone(),
        revision: r.i("revision")?,
        key: r.s("stack_key")?,
        successor_there: there,
        may: c.runs(&app.team).is_ok() && r.s("wanted")? != "deleted",
        mark,
    }))
}
