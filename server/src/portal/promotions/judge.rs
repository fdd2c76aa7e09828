//! Yes or no to a promotion, taking it back, rolling it back.

use super::check::{self, What};
use super::{MAX_NOTE, Row, begin, decided, entry, find};
use crate::images::Place;
use crate::portal::check::Problems;
use crate::portal::sql::Sql;
use crate::portal::{PadisPortal, copies};
use crate::store::copies as kept;
use crate::store::{What as _, incident, now_ms};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::PortError;
use padis_domain::problem::{System, ValueFault};
use padis_domain::view::{CopyState, PromotionState};
use std::time::Duration;

/// How long somebody waits for a registry to take a version away.
const DELETE: Duration = Duration::from_secs(10);

/// Says yes or no.
pub async fn judge(p: &PadisPortal, c: &Caller, id: &str, yes: bool, note: &str) -> Answer<()> {
    c.publisher()?;
    let row = find(p, c, id).await?;
    // Four eyes: whoever asked is not the one who agrees.
    if row.by_account == c.account {
        return Err(Problem::NotAllowed { needs: "other".into() });
    }
    let note = note.trim();
    let mut problems = Problems::default();
    problems.text("note", note, MAX_NOTE);
    if !yes && note.is_empty() {
        problems.add("note", ValueFault::Missing);
    }
    problems.done()?;
    if row.state != PromotionState::Asked {
        return Err(Problem::NotReady);
    }
    let mut copy = String::new();
    let places = p.registries.find(&row.from).zip(p.registries.find(&row.to).filter(|to| to.takes));
    if yes {
        let (from, to) = places.ok_or(Problem::NotReady)?;
        let what = What { from, repository: &row.repository, tag: &row.tag, digest: &row.digest };
        check::hold(&check::all(p, c, &what, to, false).await?.0)?;
    }
    let mut tx = p.store.begin().await?;
    if yes {
        copy = begin(&mut tx, c, &row, false).await?;
    }
    let (state, verb) = if yes { (PromotionState::Approved, "approve") } else { (PromotionState::Refused, "refuse") };
    let done = sqlx::query(
        "UPDATE promotion SET state = $2, judged_account = $3, judged_name = $4, judged_note = $5, judged_at = $6, copy = $7 \
         WHERE id = $1 AND state = 'asked'",
    )
    .bind(&row.id)
    .bind(state.as_str())
    .bind(&c.account)
    .bind(&c.name)
    .bind(note)
    .bind(now_ms())
    .bind(&copy)
    .execute(&mut *tx)
    .await
    .what("judge a promotion")?;
    decided(p, tx, &entry(c, verb, &row, note), done.rows_affected()).await
}

/// Takes it back: whoever asked, and operators.
pub async fn withdraw(p: &PadisPortal, c: &Caller, id: &str) -> Answer<()> {
    if c.read_only() {
        return Err(Problem::NotAllowed { needs: "member".into() });
    }
    let row = find(p, c, id).await?;
    if row.by_account != c.account {
        c.operator()?;
    }
    let mut tx = p.store.begin().await?;
    let done = sqlx::query("UPDATE promotion SET state = 'withdrawn' WHERE id = $1 AND state = 'asked'")
        .bind(&row.id)
        .execute(&mut *tx)
        .await
        .what("withdraw a promotion")?;
    decided(p, tx, &entry(c, "withdraw", &row, ""), done.rows_affected()).await
}

/// Puts back what was there before, or takes away what was not.
pub async fn roll_back(p: &PadisPortal, c: &Caller, id: &str) -> Answer<()> {
    c.publisher()?;
    let row = find(p, c, id).await?;
    let arrived = kept::find(&p.store, &row.copy).await?.is_some_and(|(_, state)| state == CopyState::Done);
    let to = p.registries.find(&row.to).filter(|to| to.takes);
    let (Some(to), PromotionState::Approved, true) = (to, row.state, arrived) else { return Err(Problem::NotReady) };
    match copies::names(to, &row.repository, &row.tag).await?.as_deref() {
        Some(there) if there == row.digest => {
            if row.before.is_empty() {
                take_away(p, to, &row).await?;
            }
        }
        // Taken away before by a portal that was killed before it could say so.
        None if row.before.is_empty() => {}
        // Somebody has put something else there since: that is not ours to take away.
        _ => return Err(Problem::NotReady),
    }
    let mut tx = p.store.begin().await?;
    let copy = if row.before.is_empty() { String::new() } else { begin(&mut tx, c, &row, true).await? };
    let done = sqlx::query(
        "UPDATE promotion SET state = 'back', back_name = $2, back_at = $3, back_copy = $4 WHERE id = $1 AND state = 'approved'",
    )
    .bind(&row.id)
    .bind(&c.name)
    .bind(now_ms())
    .bind(&copy)
    .execute(&mut *tx)
    .await
    .what("roll a promotion back")?;
    let mut entry = entry(c, "roll-back", &row, "");
    for change in &mut entry.changes {
        std::mem::swap(&mut change.before, &mut change.after);
    }
    decided(p, tx, &entry, done.rows_affected()).await?;
    p.registries.look_at(&row.to, &row.repository);
    Ok(())
}

/// Takes a version away that was not there before. A registry deletes manifests, with every
/// tag: nothing else may name it, and nothing may run it from there.
async fn take_away(p: &PadisPortal, to: &Place, row: &Row) -> Answer<()> {
    p.registries.look_now(&p.store, &to.name, &row.repository, DELETE).await;
    let others = Sql::new("SELECT COUNT(*) FROM image_tag WHERE registry = ")
        .bind(&to.name)
        .text(" AND repository = ")
        .bind(&row.repository)
        .text(" AND digest = ")
        .bind(&row.digest)
        .text(" AND tag <> ")
        .bind(&row.tag)
        .number(p.store.read(), "what else names an image")
        .await?;
    let image = format!("\"{}/{}@{}\"", to.place, row.repository, row.digest);
    let users = Sql::new("SELECT a.name FROM app a JOIN release r ON r.app_id = a.id WHERE r.digest = ")
        .bind(&row.digest)
        .text(" AND r.spec LIKE ")
        .bind(crate::portal::sql::like(&image))
        .text(" ESCAPE '!' GROUP BY a.name ORDER BY a.name LIMIT 5")
        .all(p.store.read(), "who runs an image from a registry")
        .await?;
    if others > 0 || !users.is_empty() {
        return Err(Problem::NotReady);
    }
    let asked = tokio::time::timeout(DELETE, to.client.delete(&row.repository, &row.digest)).await;
    let asked = asked.unwrap_or_else(|_| {
        Err(PortError::transient(System::Registry, format!("ask {}", to.name), "no answer within 10 s"))
    });
    asked.map_err(|e| {
        // Its causes go to the log under the incident's id.
        let Problem::Internal { incident } = incident(&e) else { return Problem::NotReady };
        Problem::Unavailable { system: System::Registry, incident }
    })
}
