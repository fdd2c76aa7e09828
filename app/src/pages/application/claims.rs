//! What the application holds in outside systems, and what it gave back.

use crate::text::{Texts, texts};
use crate::ui::{Erase, Shape, Table, col, col_num, empty_row, section, state};
use leptos::prelude::*;
use padis_domain::view::ClaimRow;

/// The section.
pub fn claims(rows: &[ClaimRow], now: i64) -> AnyView {
    let t = texts();
    let a = &t.app;
    let body = if rows.is_empty() {
        empty_row(5, t.pick("没有占用任何资源。", "It holds nothing."))
    } else {
        rows.iter().map(|r| row(t, r, now)).collect_view().into_any()
    };
    let heads = view! {
        {col(a.kind, "")}
        {col(a.what, "")}
        {col(a.slot, "lo")}
        {col(t.shell.state, "")}
        {col_num(a.since, "lo")}
    }
    .erase();
    section("clh", a.holds, a.held_lead, view! { <Table label=a.holds head=heads.into_any()>{body}</Table> }.erase())
}

fn row(t: &'static Texts, r: &ClaimRow, now: i64) -> AnyView {
    let slot = match (r.slot, r.release) {
        (Some(s), Some(n)) => format!("{s} · r{n}"),
        (Some(s), None) => s.to_string(),
        (None, Some(n)) => format!("r{n}"),
        _ => String::new(),
    };
    let word = match r.released_at {
        None => state(Shape::Used, t.app.still_held),
        Some(_) => state(Shape::Free, t.app.given_back),
    };
    view! {
        <tr>
            <td>{t.claim_kind(&r.kind)}</td>
            <th scope="row"><code>{r.what.clone()}</code></th>
            <td class="lo">{slot}</td>
            <td>{word}</td>
            <td class="num lo second">{t.when(r.released_at.unwrap_or(r.since), now)}</td>
        </tr>
    }
    .erase()
}
