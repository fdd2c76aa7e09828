//! The hosts of a pool as they were last seen.

use crate::text::{Texts, texts, units};
use crate::ui::{Erase, LinkButton, Shape, Table, col, col_num, empty, meter, state};
use leptos::prelude::*;
use padis_domain::ports::Host;
use padis_domain::view::PoolView;

/// The table of hosts, or what to do when there is none.
pub fn hosts(v: &PoolView) -> AnyView {
    let t = texts();
    let p = &t.pools;
    if v.hosts.is_empty() {
        let edit = v.may_change.then(|| {
            let href = format!("{}/edit", crate::api::pool_path(&v.row.spec.name));
            view! { <LinkButton href=href label=p.edit/> }.erase()
        });
        return empty(p.no_host_title, p.no_host, edit.into_any());
    }
    let cols = view! {
        {col(p.host, "")}
        {col(t.shell.state, "")}
        {col(p.labels, "lo")}
        {col_num(p.cpu_used, "")}
        {col_num(p.mem_used, "")}
        {col_num(p.instances, "")}
    }
    .erase();
    let rows = v.hosts.iter().map(|h| row(t, h)).collect_view();
    let silent: Vec<&str> = v.hosts.iter().filter(|h| !h.active).map(|h| h.name.as_str()).collect();
    let silent = (!silent.is_empty()).then(|| view! { <p class="hint gap">{(p.silent)(&t.list(&silent))}</p> }.erase());
    view! {
        <Table label=p.hosts head=cols.into_any()>{rows}</Table>
        {silent}
    }
    .erase()
}

/// MiB in GiB, one decimal: a host's memory is a large figure.
fn gib(mib: u64) -> String {
    units::fixed(mib as f64 / 1024.0, 1)
}

fn row(t: &'static Texts, h: &Host) -> AnyView {
    let p = &t.pools;
    let how = if h.active { state(Shape::Ok, p.heard) } else { state(Shape::Bad, p.lost) };
    let chips = h
        .attributes
        .iter()
        .map(|(k, v)| view! { <span class="chip">{k.clone()} ":" {v.clone()}</span> }.erase())
        .collect_view();
    let measure = |used: u64, total: u64, label: &str, words: (String, String)| {
        if h.active {
            let bar = meter(used as f64, total as f64, label, false);
            view! { <td class="num"><div class="mv">{bar}<span>{words.0} <span class="unit">" / " {words.1}</span></span></div></td> }
                .erase()
        } else {
            view! { <td class="num quiet">{p.unknown}</td> }.erase()
        }
    };
    let tasks = if h.active { h.tasks.to_string() } else { "—".to_owned() };
    view! {
        <tr>
            <th scope="row">{h.name.clone()}<span class="tech techonly">{h.id.clone()}</span></th>
            <td>{how}</td>
            <td class="lo"><span class="row tight">{chips}</span></td>
            {measure(h.cpu_used_milli, h.cpu_milli, p.cpu_used, (units::cores(h.cpu_used_milli), units::cores(h.cpu_milli)))}
            {measure(h.mem_used_mib, h.mem_mib, p.mem_used, (gib(h.mem_used_mib), format!("{} GiB", gib(h.mem_mib))))}
            <td class="num">{tasks}</td>
        </tr>
    }
    .erase()
}
