//! The same as a table: what is not free in the block, filtered like the map.

use super::map::Filter;
use super::{kind, kind_word, shape};
use crate::api::{self, AddressBlock};
use crate::text::Texts;
use crate::ui::{Erase, Table, col, col_num, section, state};
use leptos::prelude::*;
use padis_domain::address::dotted;

/// The section with the table.
pub fn table(t: &'static Texts, b: &AddressBlock, filter: &Filter) -> AnyView {
    let n = &t.net;
    let hits: Vec<_> = b.cells.iter().filter(|c| filter.meets(kind(&b.spec, c.ip, Some(c)), c.ip, Some(c))).collect();
    if hits.is_empty() {
        let text = if filter.is_empty() { n.table_none } else { n.table_no_hit };
        return section("table", n.table, "", view! { <p class="second">{text}</p> }.erase());
    }
    let cols = view! {
        {col(n.address, "")}
        {col(t.shell.state, "")}
        {col(n.owner, "")}
        {col(n.team, "lo")}
        {col_num(t.app.slot, "lo")}
        {col(n.why, "md")}
        {col_num(n.since, "")}
    }
    .erase();
    let rows = hits
        .into_iter()
        .map(|c| {
            let word = kind_word(t, kind(&b.spec, c.ip, Some(c)));
            let owner = match &c.app {
                Some(app) => view! { <a href=api::app_path(app)>{app.app.clone()}</a> }.erase(),
                None => ().into_any(),
            };
            view! {
                <tr>
                    <th scope="row"><code>{dotted(c.ip)}</code></th>
                    <td>{state(shape(c.state), word)}</td>
                    <td>{owner}</td>
                    <td class="lo">{c.app.as_ref().map(|a| a.team.clone())}</td>
                    <td class="num lo">{c.slot}</td>
                    <td class="md wrap">{c.reason.clone()}</td>
                    <td class="num">{t.when(c.since, b.now)}</td>
                </tr>
            }
            .erase()
        })
        .collect_view();
    let body = view! { <Table label=n.table head=cols.into_any()>{rows}</Table> }.erase();
    section("table", n.table, "", body.into_any())
}
