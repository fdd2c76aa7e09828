//! Copies from registry to registry.

use super::repository::short;
use super::server::{Lists, lists, path};
use crate::api::CancelCopy;
use crate::pages::parts::{filter_box, filter_select, hidden, now, pages_of, publisher_refused};
use crate::pages::write::address;
use crate::text::images::Images;
use crate::text::{Texts, units};
use crate::ui::{Button, ButtonSize, Erase, Shape, Table, col, col_actions, col_num, empty, head, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{CopyRow, CopyState, ListQuery, Page};
use padis_domain::words::UnixMs;

/// The list.
pub fn write(t: &'static Texts, p: Page<CopyRow>, q: &ListQuery, waiting: u64) -> AnyView {
    let (i, now, url) = (t.images(), now(), &address("/images/copies", q));
    let top = view! {
        {head(
            view! { <h1>{i.copies}</h1> }.erase(),
            view! { <p class="lead">{i.copies_lead}</p> }.erase(),
            ().into_any(),
        )}
        {lists(t, i, Lists::Copies, waiting)}
        <h2 class="vh">{i.copies}</h2>
    }
    .erase();
    if p.total == 0 && q.q.is_empty() && q.state.is_empty() {
        return view! { {top} {empty(i.copies_none, i.copies_none_text, ().into_any())} }.erase();
    }
    let mut states = vec![(String::new(), i.every_state.to_owned())];
    states.extend(CopyState::ALL.map(|s| (s.as_str().to_owned(), t.copy_state(s).to_owned())));
    let filter = filter_box(t, url, i.copies_filter, &q.q, filter_select(i.state, "state", &q.state, states));
    if p.rows.is_empty() {
        return view! { {top} {filter} {empty(i.no_hit, i.no_hit_text, ().into_any())} }.erase();
    }
    let cols = view! {
        {col(i.to, "")}
        {col(i.from, "md")}
        {col(i.state, "")}
        {col_num(i.how_far, "")}
        {col_num(i.took, "lo")}
        {col_num(i.asked, "md")}
        {col_actions()}
    }
    .erase();
    let rows = p.rows.into_iter().map(|r| row(t, i, r, now)).collect_view();
    view! {
        {top}
        {filter}
        <Table label=i.copies head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, p.page, p.per_page, p.total)}
    }
    .erase()
}

/// How work on an image looks; `why`: why it does not go on for now, or is empty.
pub fn shape(state: CopyState, why: &str) -> Shape {
    match state {
        CopyState::Waiting | CopyState::Running if !why.is_empty() => Shape::Warn,
        CopyState::Waiting => Shape::Wait,
        CopyState::Running => Shape::Run,
        CopyState::Done => Shape::Ok,
        CopyState::Failed => Shape::Bad,
        CopyState::Cancelled => Shape::Leave,
    }
}

fn row(t: &'static Texts, i: &'static Images, r: CopyRow, now: UnixMs) -> AnyView {
    let place = |(registry, repository, tag): &(String, String, String)| {
        let href = path(registry, repository, Some(tag));
        view! { <a href=href>{repository.clone()} ":" {tag.clone()}</a> <span class="under">{registry.clone()}</span> }
            .erase()
    };
    let why = (!r.why.is_empty()).then(|| {
        let first = if r.state.open() { i.tried_again } else { i.refused };
        view! { <span class="under">{first}</span> <span class="under">{r.why.clone()}</span> }.erase()
    });
    let took = r.began_at.map(|began| t.took(r.ended_at.unwrap_or(now) - began));
    let stop = (r.state.open() && publisher_refused(t).is_none()).then(|| {
        let aria = format!("{}: {}:{}", i.stop, r.to.1, r.to.2);
        view! {
            <form method="post" action=CancelCopy::PATH>
                {hidden("id", r.id.clone())}
                <Button label=i.stop size=ButtonSize::Small aria=aria/>
            </form>
        }
        .erase()
    });
    let again = matches!(r.state, CopyState::Failed | CopyState::Cancelled).then(|| {
        let href = path(&r.from.0, &r.from.1, Some(&r.from.2)) + "#copy";
        view! { <a class="btn s" href=href>{i.again}</a> }.erase()
    });
    view! {
        <tr>
            <th scope="row">{place(&r.to)}</th>
            <td class="md">{place(&r.from)} <span class="under">{short(&r.digest)}</span></td>
            <td>{state(shape(r.state, &r.why), t.copy_state(r.state))}{why}</td>
            <td class="num">{how_far(i, &r)}</td>
            <td class="num lo">{took}</td>
            <td class="num md">{t.when(r.asked_at, now)} <span class="under">{r.by.clone()}</span></td>
            <td>{stop}{again}</td>
        </tr>
    }
    .erase()
}

fn how_far(i: &'static Images, r: &CopyRow) -> AnyView {
    if r.blobs.is_empty() {
        return ().into_any();
    }
    let (at, all) = r.bytes();
    let done = r.blobs.iter().filter(|b| !b.how.is_empty()).count();
    let there = r.blobs.iter().filter(|b| matches!(b.how.as_str(), "there" | "mounted")).count();
    let already = (there > 0).then(|| (i.already)(&units::count(there as u64)));
    let blobs = (i.blobs)(&units::count(done as u64), &units::count(r.blobs.len() as u64));
    let bar = r.state.open().then(|| view! { <progress max=all.to_string() value=at.to_string()></progress> }.erase());
    view! {
        {units::bytes(at)} " / " {units::bytes(all)}
        {bar}
        <span class="under">{blobs}</span>
        {already.map(|words| view! { <span class="under">{words}</span> }.erase())}
    }
    .erase()
}
