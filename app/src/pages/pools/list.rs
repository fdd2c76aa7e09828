//! All pools that the reader may see, with what is left in each.

use super::capacity::{free_words, plain, scarce, unit};
use crate::api;
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{live, operator_refused, use_list};
use crate::shell::{PageTitle, who};
use crate::text::{Texts, texts};
use crate::ui::{Capacity, Erase, Icon, LinkButton, Shape, Table, Tone, capacity, col, col_num, empty, head, state};
use leptos::prelude::*;
use padis_domain::quantity::Dimension;
use padis_domain::view::PoolRow;

/// The list of pools.
#[component]
pub fn Pools() -> AnyView {
    let t = texts();
    let (list, changed) = (use_list(), live(&["pools"]));
    let rows = Fetch::new(move || (list.get().stage, changed.get()), |(stage, _)| api::pools(stage));
    let inspector = who().0.is_some_and(|c| c.inspector().is_ok());
    let cluster = inspector.then(|| {
        view! { <LinkButton id="to-cluster" href="/cluster" label=t.pools.cluster glyph=Icon::Pool/> }.erase()
    });
    let new = view! {
        {cluster}
        <LinkButton
            id="pool-new"
            href="/pools/new"
            label=t.pools.new
            tone=Tone::Primary
            glyph=Icon::Plus
            refused=operator_refused(t)
        />
    }
    .erase();
    view! {
        <PageTitle text=t.shell.pools/>
        {head(
            view! { <h1>{t.shell.pools}</h1> }.erase(),
            view! { <p class="lead">{t.pools.lead}</p> }.erase(),
            new.into_any(),
        )}
        {page(t.shell.pools, rows, move |rows| table(t, rows))}
    }
    .erase()
}

fn table(t: &'static Texts, rows: Vec<PoolRow>) -> AnyView {
    let p = &t.pools;
    if rows.is_empty() {
        let text = if operator_refused(t).is_none() { p.none_operator } else { p.none_member };
        return empty(p.none_title, text, ().into_any());
    }
    let cols = view! {
        {col(p.pool, "")}
        {col(t.shell.state, "")}
        {col(t.shell.stage, "md")}
        {col(p.zone, "md")}
        {col(p.subnet, "lo")}
        {col_num("CPU", "")}
        {col_num(p.memory, "")}
        {col_num(p.addresses, "")}
        {col_num(p.hosts, "lo")}
        {col_num(p.apps, "lo")}
    }
    .erase();
    let rows = rows.into_iter().map(|r| row(t, r)).collect_view();
    view! { <Table label=t.shell.pools head=cols.into_any()>{rows}</Table> }.erase()
}

fn row(t: &'static Texts, r: PoolRow) -> AnyView {
    let free = r.total.minus(r.used).minus(r.held);
    let bar = |d: Dimension, used: u64, held: u64, free: u64, total: u64| {
        let label = free_words(t, d, free, total);
        view! {
            <td class="num">
                <span class="left">
                    {capacity(Capacity { used, held, total }, label, true)}
                    <span>{plain(d, free)} <span class="unit">" " {unit(d)} " " {t.shell.free}</span></span>
                </span>
            </td>
        }
        .erase()
    };
    let how = match scarce(&r) {
        _ if r.hosts == 0 => state(Shape::Bad, t.pools.no_host_title),
        Some((d, _)) => state(Shape::Warn, (t.pools.short)(&t.leading(t.dimension(d)))),
        None => state(Shape::Ok, t.pools.roomy),
    };
    view! {
        <tr>
            <th scope="row"><a href=api::pool_path(&r.spec.name)>{r.spec.name.clone()}</a></th>
            <td>{how}</td>
            <td class="md">{t.stage(r.spec.stage)}</td>
            <td class="md">{t.zone_short(r.spec.zone)}</td>
            <td class="lo"><code>{r.spec.subnet.to_string()}</code></td>
            {bar(Dimension::Cpu, r.used.cpu_milli, r.held.cpu_milli, free.cpu_milli, r.total.cpu_milli)}
            {bar(Dimension::Memory, r.used.mem_mib, r.held.mem_mib, free.mem_mib, r.total.mem_mib)}
            {bar(Dimension::Addresses, r.used.addresses, r.held.addresses, free.addresses, r.total.addresses)}
            <td class="num lo">{r.hosts}</td>
            <td class="num lo">{r.apps}</td>
        </tr>
    }
    .erase()
}
