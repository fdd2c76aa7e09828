//! The promotions that the caller may see, and what he may do with each.

use super::{row, visible};
use crate::portal::PadisPortal;
use crate::portal::sql::{Cols, Paging, Sql};
use crate::store::{StoreError, copies};
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::view::{CopyState, ListQuery, Page, PromotionMay, PromotionRow, PromotionState};
use sqlx::any::AnyRow;

/// The list, newest first.
pub async fn list(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<Page<PromotionRow>> {
    const WHAT: &str = "list promotions";
    let paging = Paging::of(q);
    let filtered = |sql: Sql| {
        let mut sql = visible(
            sql.text(
                " FROM promotion p LEFT JOIN image_copy f ON f.id = p.copy AND p.copy <> '' \
                 LEFT JOIN image_copy b ON b.id = p.back_copy AND p.back_copy <> '' WHERE ",
            ),
            c,
        );
        if !q.state.is_empty() {
            sql = sql.text(" AND p.state = ").bind(&q.state);
        }
        sql.find(p.store.kind(), &["p.repository", "p.tag", "p.by_name", "p.to_place"], &q.q)
    };
    let total = filtered(Sql::new("SELECT COUNT(*)")).number(p.store.read(), WHAT).await?;
    let sql = "SELECT p.*, f.state AS there_state, f.why AS there_why, b.state AS back_state, b.why AS back_why";
    let rows =
        filtered(Sql::new(sql)).order("p.asked_at", true, ", p.id DESC").page(paging).all(p.store.read(), WHAT).await?;
    Ok(paging.wrap(rows.iter().map(|r| one(p, c, r)).collect::<Result<_, _>>()?, total))
}

fn one(p: &PadisPortal, c: &Caller, r: &AnyRow) -> Result<PromotionRow, StoreError> {
    let kept = row(r)?;
    let back = kept.state == PromotionState::Back;
    let (state, why) = if back { ("back_state", "back_why") } else { ("there_state", "there_why") };
    // What was taken away needed no copy, and is gone.
    let copy = r.os(state)?.map(|word| copies::state(&word)).transpose()?;
    let copy = if back && copy.is_none() { Some(CopyState::Done) } else { copy };
    let publisher = c.publisher().is_ok();
    let open = kept.state == PromotionState::Asked;
    let may = PromotionMay {
        judge: open && publisher && kept.by_account != c.account,
        withdraw: open && !c.read_only() && (kept.by_account == c.account || c.operator().is_ok()),
        roll_back: publisher && kept.state == PromotionState::Approved && copy == Some(CopyState::Done),
    };
    let place = |registry: &str| (registry.to_owned(), kept.repository.clone(), kept.tag.clone());
    Ok(PromotionRow {
        from: place(&kept.from),
        to: place(&kept.to),
        stage: p.registries.find(&kept.to).and_then(|to| to.stage),
        copy,
        why: r.os(why)?.unwrap_or_default(),
        bytes: r.n("bytes")?,
        checks: r.json("checks")?,
        note: r.s("note")?,
        by: r.s("by_name")?,
        asked_at: r.i("asked_at")?,
        judged_by: r.s("judged_name")?,
        judged_at: r.oi("judged_at")?,
        judged_note: r.s("judged_note")?,
        back_by: r.s("back_name")?,
        back_at: r.oi("back_at")?,
        id: kept.id,
        digest: kept.digest,
        before: kept.before,
        state: kept.state,
        may,
    })
}
