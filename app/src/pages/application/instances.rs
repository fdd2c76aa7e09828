//! Instances as slots: state, health, address, host, what they use.

use super::{claims, part_now, shared, with_app};
use crate::api;
use crate::context::Prefs;
use crate::fetch::Fetch;
use crate::text::words::instance_shape;
use crate::text::{Texts, texts, units};
use crate::ui::{Erase, Table, col, col_num, empty_row, meter, section as ui_section, state};
use leptos::prelude::*;
use padis_domain::view::{AppView, InstanceRow, InstanceState};
use std::collections::BTreeSet;

/// The tab.
#[component]
pub fn Instances() -> AnyView {
    let t = texts();
    let Some(s) = shared() else { return ().into_any() };
    let held = Fetch::new(move || (s.app.get(), s.changed.get()), |(a, _)| api::claims(a));
    view! {
        {with_app(section)}
        {part_now(t.app.holds, held, |rows, now| claims::claims(&rows, now))}
    }
    .erase()
}

/// The section with the table.
pub fn section(v: AppView) -> AnyView {
    let t = texts();
    let a = &t.app;
    let hosts: BTreeSet<&str> = v.instances.iter().map(|i| i.host.as_str()).filter(|h| !h.is_empty()).collect();
    let aside = if hosts.is_empty() { String::new() } else { (a.spread)(&t.hosts(hosts.len() as u64)) };
    let rows = if v.instances.is_empty() {
        empty_row(8, a.no_instances)
    } else {
        v.instances.iter().map(|i| row(t, &v, i)).collect_view().into_any()
    };
    let heads = view! {
        {col(a.slot, "")}
        {col(t.shell.state, "")}
        {col(a.health, "lo md")}
        {col(a.address, "")}
        {col(a.host, "lo")}
        {col_num(a.up_for, "lo")}
        {col_num("CPU", "lo")}
        {col_num(a.memory, "")}
    }
    .erase();
    ui_section(
        "slh",
        a.instances,
        aside,
        view! { <Table label=a.instances head=heads.into_any()>{rows}</Table> }.erase(),
    )
}

fn row(t: &'static Texts, v: &AppView, i: &InstanceRow) -> AnyView {
    let a = &t.app;
    let health = match (i.sessions, i.state) {
        (Some(n), InstanceState::Leaving) => (a.finishing)(&t.requests(n)),
        _ => t.finding(&i.finding),
    };
    let address = i.address.clone().map(|ip| {
        let href = format!("/addresses/{}?ip={ip}", api::query::escape(&v.pool));
        view! { <a href=href><code>{ip}</code></a> }.erase()
    });
    let up = i.started_at.map(|at| t.since(at, v.now));
    let (cpu_max, mem_max) = (u64::from(v.spec.size.cpu_milli), u64::from(v.spec.size.mem_mib));
    let cpu = i.cpu_milli.map(|c| {
        view! {
            <span class="mv">
                {meter(f64::from(c), cpu_max as f64, "CPU", false)}
                <span>{units::cores(u64::from(c))}" "<span class="unit">"/ "{units::cores(cpu_max)}</span></span>
            </span>
        }
        .erase()
    });
    let mem = i.mem_mib.map(|m| {
        view! {
            <span class="mv gib">
                {meter(f64::from(m), mem_max as f64, a.memory, false)}
                <span>{units::mib(u64::from(m))}" "<span class="unit">"/ "{units::mib(mem_max)}</span></span>
            </span>
        }
        .erase()
    });
    let tech = use_context::<Prefs>().unwrap_or_default().tech;
    let task = tech.then(|| view! { <span class="tech">{i.task_id.clone()}</span> }.erase());
    view! {
        <tr>
            <th scope="row">{i.slot}" "<span class="quiet light">"r"{i.release}</span>{task}</th>
            <td>{state(instance_shape(i.state), t.instance_state(i.state))}</td>
            <td class="lo md">{health}</td>
            <td>{address}</td>
            <td class="lo">{i.host.clone()}</td>
            <td class="num lo">{up}</td>
            <td class="num lo">{cpu}</td>
            <td class="num">{mem}</td>
        </tr>
    }
    .erase()
}
