//! What can be promoted where, and asking for it.

use super::check::{self, What};
use super::{MAX_NOTE, Row, begin, entry, told};
use crate::images::{Place, Registries};
use crate::portal::check::Problems;
use crate::portal::sql::Cols;
use crate::portal::sql::Sql;
use crate::portal::{PadisPortal, copies, images, once};
use crate::store::{What as _, journal, now_ms, to_json};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use padis_domain::view::{NewPromotion, PromotionOffer, PromotionState};
use padis_domain::words::Stage;

/// The form's name among tokens.
const PROMOTE: &str = "promote";

/// Registries that are next after this one: they take images and are of the earliest later
/// stage; after one that serves all stages, every one that has a stage.
fn next<'a>(all: &'a Registries, from: &Place) -> Vec<(&'a Place, Stage)> {
    let staged = all.all().iter().filter(|to| to.takes && to.name != from.name);
    let staged = staged.filter_map(|to| to.stage.map(|stage| (to, stage)));
    let Some(now) = from.stage else { return staged.collect() };
    let later: Vec<_> = staged.filter(|(_, stage)| *stage > now).collect();
    let first = later.iter().map(|(_, stage)| *stage).min();
    later.into_iter().filter(|(_, stage)| Some(*stage) == first).collect()
}

/// Where a version can be promoted to.
pub async fn offers(
    p: &PadisPortal,
    c: &Caller,
    registry: &str,
    repository: &str,
    tag: &str,
) -> Answer<Vec<PromotionOffer>> {
    let version = images::version(p, c, registry, repository, tag).await?;
    let from = p.registries.find(registry).ok_or(Problem::NotFound)?;
    let what = What { from, repository, tag, digest: &version.digest };
    let mut out = Vec::new();
    for (to, stage) in next(&p.registries, from) {
        let there = Sql::new("SELECT digest FROM image_tag WHERE registry = ")
            .bind(&to.name)
            .text(" AND repository = ")
            .bind(repository)
            .text(" AND tag = ")
            .bind(tag)
            .all(p.store.read(), "what a version names at the target")
            .await?;
        out.push(PromotionOffer {
            registry: to.name.clone(),
            place: to.place.clone(),
            stage,
            there: there.first().map(|r| r.s("digest")).transpose()?.unwrap_or_default(),
            approval: to.rules.approve,
            checks: check::all(p, c, &what, to, true).await?.0,
            may: check::may_change(c, repository).is_ok(),
        });
    }
    Ok(out)
}

/// Asks for a promotion.
pub async fn ask(p: &PadisPortal, c: &Caller, new: &NewPromotion, token: &str) -> Answer<String> {
    check::may_change(c, &new.repository)?;
    images::version(p, c, &new.registry, &new.repository, &new.tag).await?;
    let from = p.registries.find(&new.registry).ok_or(Problem::NotFound)?;
    let mut problems = Problems::default();
    problems.text("note", &new.note, MAX_NOTE);
    let to = next(&p.registries, from).into_iter().map(|(to, _)| to).find(|to| to.name == new.to);
    if to.is_none() {
        problems.add("to", if new.to.is_empty() { ValueFault::Missing } else { ValueFault::Unknown });
    }
    // Where somebody has to agree, he is told why.
    if to.is_some_and(|to| to.rules.approve) && new.note.trim().is_empty() {
        problems.add("note", ValueFault::Missing);
    }
    problems.done()?;
    let Some(to) = to else { return Err(Problem::field("to", ValueFault::Unknown)) };
    let (named, there) =
        tokio::join!(copies::names(from, &new.repository, &new.tag), copies::names(to, &new.repository, &new.tag));
    let (named, before) = (named?.ok_or(Problem::NotFound)?, there?.unwrap_or_default());
    // Somebody moved the tag since it was looked at, or it is there already.
    if named != new.digest || before == named {
        p.registries.look_at(&from.name, &new.repository);
        p.registries.look_at(&to.name, &new.repository);
        return Err(Problem::NotReady);
    }
    let what = What { from, repository: &new.repository, tag: &new.tag, digest: &named };
    let (checks, bytes) = check::all(p, c, &what, to, true).await?;
    let row = Row {
        id: uuid::Uuid::now_v7().simple().to_string(),
        team: crate::images::team(&new.repository).to_owned(),
        from: from.name.clone(),
        repository: new.repository.clone(),
        tag: new.tag.clone(),
        digest: named.clone(),
        to: to.name.clone(),
        before,
        state: if to.rules.approve { PromotionState::Asked } else { PromotionState::Approved },
        by_account: c.account.clone(),
        copy: String::new(),
    };
    let mut tx = p.store.begin().await?;
    if let Some(id) = once::before::<String>(&mut tx, p.store.kind(), c, token, PROMOTE).await? {
        return Ok(id);
    }
    check::hold(&checks)?;
    let copy =
        if row.state == PromotionState::Approved { begin(&mut tx, c, &row, false).await? } else { String::new() };
    let done = sqlx::query(
        "INSERT INTO promotion (id, team, from_place, repository, tag, digest, bytes, to_place, before, state, checks, note, \
         by_account, by_name, asked_at, copy) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT DO NOTHING",
    )
    .bind(&row.id)
    .bind(&row.team)
    .bind(&row.from)
    .bind(&row.repository)
    .bind(&row.tag)
    .bind(&row.digest)
    .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
    .bind(&row.to)
    .bind(&row.before)
    .bind(row.state.as_str())
    .bind(to_json("promotion.checks", &checks)?)
    .bind(new.note.trim())
    .bind(&c.account)
    .bind(&c.name)
    .bind(now_ms())
    .bind(&copy)
    .execute(&mut *tx)
    .await
    .what("record a promotion")?;
    // Somebody else asked at the same moment.
    if done.rows_affected() == 0 {
        return Err(Problem::NotReady);
    }
    journal::append(&p.store, &mut tx, &entry(c, "promote", &row, new.note.trim())).await?;
    once::keep(&mut tx, token, PROMOTE, &row.id).await?;
    tx.commit().await.what("record a promotion")?;
    told(p);
    Ok(row.id)
}
