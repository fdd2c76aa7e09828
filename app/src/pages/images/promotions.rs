//! Promotions: what waits for somebody's yes, what is there, what was rolled back.

use super::promote::checks;
use super::repository::short;
use super::server::{Lists, lists, path};
use crate::api::{JudgePromotion, RollBackPromotion, WithdrawPromotion};
use crate::pages::parts::{filter_box, filter_select, hidden, now, pages_of};
use crate::pages::write::address;
use crate::text::promotions::Promotions;
use crate::text::{Texts, units};
use crate::ui::{Button, ButtonSize, Erase, Shape, Table, col, col_actions, col_num, empty, head, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{CopyState, ListQuery, Page, PromotionRow, PromotionState};
use padis_domain::words::UnixMs;

/// The list.
pub fn write(t: &'static Texts, l: Page<PromotionRow>, q: &ListQuery, waiting: u64) -> AnyView {
    let (p, i, now, url) = (t.promotions(), t.images(), now(), &address("/images/promotions", q));
    let top = view! {
        {head(
            view! { <h1>{p.title}</h1> }.erase(),
            view! { <p class="lead">{p.lead}</p> }.erase(),
            ().into_any(),
        )}
        {lists(t, i, Lists::Promotions, waiting)}
        <h2 class="vh">{p.title}</h2>
    }
    .erase();
    if l.total == 0 && q.q.is_empty() && q.state.is_empty() {
        return view! { {top} {empty(p.none, p.none_text, ().into_any())} }.erase();
    }
    let mut states = vec![(String::new(), i.every_state.to_owned())];
    states.extend(PromotionState::ALL.map(|s| (s.as_str().to_owned(), t.promotion_state(s).to_owned())));
    let filter = filter_box(t, url, p.filter, &q.q, filter_select(i.state, "state", &q.state, states));
    if l.rows.is_empty() {
        return view! { {top} {filter} {empty(p.no_hit, i.no_hit_text, ().into_any())} }.erase();
    }
    let cols = view! {
        {col(p.what, "")}
        {col(p.path, "md")}
        {col(i.state, "")}
        {col_num(p.asked, "lo")}
        {col_num(p.decided, "lo")}
        {col_actions()}
    }
    .erase();
    let rows = l.rows.into_iter().map(|r| row(t, p, r, now)).collect_view();
    view! {
        {top}
        {filter}
        <Table label=p.title head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, l.page, l.per_page, l.total)}
    }
    .erase()
}

fn shape(r: &PromotionRow) -> Shape {
    match (r.state, r.copy) {
        (PromotionState::Asked, _) => Shape::Wait,
        (PromotionState::Refused, _) => Shape::Bad,
        (PromotionState::Withdrawn, _) => Shape::Off,
        (_, Some(CopyState::Failed)) => Shape::Bad,
        (_, Some(CopyState::Cancelled)) => Shape::Warn,
        (_, Some(CopyState::Waiting | CopyState::Running)) if !r.why.is_empty() => Shape::Warn,
        (_, Some(CopyState::Waiting | CopyState::Running)) => Shape::Run,
        (PromotionState::Back, _) => Shape::Leave,
        (PromotionState::Approved, _) => Shape::Ok,
    }
}

fn row(t: &'static Texts, p: &'static Promotions, r: PromotionRow, now: UnixMs) -> AnyView {
    let (registry, repository, tag) = &r.from;
    let from = path(registry, repository, Some(tag));
    let to = path(&r.to.0, repository, Some(tag));
    let stage = r.stage.map(|s| t.stage(s)).unwrap_or_default();
    let said =
        |words: &str| (!words.is_empty()).then(|| view! { <span class="under">{words.to_owned()}</span> }.erase());
    let before = (!r.before.is_empty()).then(|| {
        let few: String = r.before.trim_start_matches("sha256:").chars().take(12).collect();
        (p.before)(&few)
    });
    let judged = match (r.judged_at, r.state) {
        (Some(at), _) => view! { {t.when(at, now)} <span class="under">{r.judged_by.clone()}</span> }.into_any(),
        (None, PromotionState::Approved | PromotionState::Back) => {
            view! { <span class="second">{p.alone}</span> }.into_any()
        }
        _ => ().into_any(),
    };
    let back = r.back_at.map(|at| {
        let words = (p.rolled_back)(&r.back_by);
        view! { <span class="under">{words} " " {t.when(at, now)}</span> }.erase()
    });
    let asked = (r.state == PromotionState::Asked).then(|| checks(t, &r.checks));
    view! {
        <tr>
            <th scope="row">
                <a href=from>{repository.clone()} ":" {tag.clone()}</a>
                <span class="under">{short(&r.digest)} " · " {units::bytes(r.bytes)}</span>
                {said(&r.note)}
                <span class="under slim">"→ " {r.to.0.clone()}</span>
            </th>
            <td class="md">
                {registry.clone()} " → " <a href=to>{r.to.0.clone()}</a>
                <span class="under">{stage}</span>
                {before.as_deref().and_then(said)}
            </td>
            <td>{state(shape(&r), t.promotion_now(r.state, r.copy))}{said(&r.why)}{said(&r.judged_note)}{asked}</td>
            <td class="num lo">{t.when(r.asked_at, now)} <span class="under">{r.by.clone()}</span></td>
            <td class="num lo">{judged}{back}</td>
            <td>{acts(p, &r)}</td>
        </tr>
    }
    .erase()
}

/// What the caller may do.
fn acts(p: &'static Promotions, r: &PromotionRow) -> AnyView {
    let whole = format!("{}:{} → {}", r.from.1, r.from.2, r.to.0);
    let press = |path: &'static str, label: &'static str| {
        view! {
            <form method="post" action=path>
                {hidden("id", r.id.clone())}
                <Button label=label size=ButtonSize::Small aria=format!("{label}: {whole}")/>
            </form>
        }
        .erase()
    };
    let judge = r.may.judge.then(|| {
        let note = format!("{}: {whole}", p.no_note);
        view! {
            <form class="judge" method="post" action=JudgePromotion::PATH>
                {hidden("id", r.id.clone())}
                <input class="in" name="note" maxlength="300" autocomplete="off" aria-label=note placeholder=p.no_note/>
                <div class="row">
                    <button class="btn s" name="verdict" value="yes" aria-label=format!("{}: {whole}", p.yes)>{p.yes}</button>
                    <button class="btn s" name="verdict" value="no" aria-label=format!("{}: {whole}", p.no)>{p.no}</button>
                </div>
            </form>
        }
        .erase()
    });
    let withdraw = r.may.withdraw.then(|| press(WithdrawPromotion::PATH, p.withdraw));
    let back = r.may.roll_back.then(|| press(RollBackPromotion::PATH, p.roll_back));
    view! { {judge} {withdraw} {back} }.into_any()
}
