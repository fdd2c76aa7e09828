//! All subnets: one row each, with what is left.

use crate::api;
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{live, use_list};
use crate::shell::PageTitle;
use crate::text::{Texts, texts};
use crate::ui::{Capacity, Erase, Table, capacity, col, col_num, empty, head, legend};
use leptos::prelude::*;
use padis_domain::view::PoolRow;

/// The list of subnets.
#[component]
pub fn Addresses() -> AnyView {
    let t = texts();
    let (list, changed) = (use_list(), live(&["pools"]));
    let rows = Fetch::new(move || (list.get().stage, changed.get()), |(stage, _)| api::pools(stage));
    view! {
        <PageTitle text=t.shell.addresses/>
        {head(
            view! { <h1>{t.shell.addresses}</h1> }.erase(),
            view! { <p class="lead">{t.net.addresses_lead}</p> }.erase(),
            ().into_any(),
        )}
        {page(t.shell.addresses, rows, move |rows| table(t, rows))}
    }
    .erase()
}

fn table(t: &'static Texts, rows: Vec<PoolRow>) -> AnyView {
    let (n, p) = (&t.net, &t.pools);
    if rows.is_empty() {
        return empty(p.none_title, p.none_member, ().into_any());
    }
    let cols = view! {
        {col(n.subnet, "")}
        {col(p.pool, "")}
        {col("VLAN", "lo")}
        {col(p.gateway, "md")}
        {col(p.bar, "md")}
        {col_num(t.shell.used, "")}
        {col_num(t.shell.held, "lo")}
        {col_num(t.shell.free, "")}
    }
    .erase();
    let rows = rows.into_iter().map(|r| row(t, &r)).collect_view();
    view! {
        <div class="row apart gap">{legend(t.shell.used, t.shell.held, t.shell.free)}</div>
        <Table label=t.shell.addresses head=cols.into_any()>{rows}</Table>
    }
    .erase()
}

fn row(t: &'static Texts, r: &PoolRow) -> AnyView {
    let (used, held, total) = (r.used.addresses, r.held.addresses, r.total.addresses);
    let free = total.saturating_sub(used).saturating_sub(held);
    let words = (t.net.free_of)(free, total);
    let href = format!("/addresses/{}", api::query::escape(&r.spec.name));
    view! {
        <tr>
            <th scope="row"><a href=href><code>{r.spec.subnet.to_string()}</code></a></th>
            <td><a href=api::pool_path(&r.spec.name)>{r.spec.name.clone()}</a></td>
            <td class="lo">{r.spec.vlan}</td>
            <td class="md"><code>{r.spec.gateway.clone()}</code></td>
            <td class="md wide">{capacity(Capacity { used, held, total }, words, true)}</td>
            <td class="num">{used}</td>
            <td class="num lo">{held}</td>
            <td class="num"><b>{free}</b></td>
        </tr>
    }
    .erase()
}
