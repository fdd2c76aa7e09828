//! The last deliveries and the scarcest pools.

use crate::api::{app_path, pool_path};
use crate::text::words::delivery_shape;
use crate::text::{Texts, clock, texts, units};
use crate::ui::{Capacity, Erase, Table, capacity, col, col_num, empty_row, legend, section, state};
use leptos::prelude::*;
use padis_domain::view::{DeliveryRow, DeliveryState, Overview, PoolRow};

/// Both, side by side where there is room.
pub fn lists(d: &Overview) -> AnyView {
    let t = texts();
    view! { <div class="cols wide-narrow">{deliveries(t, d)} {pools(t, d)}</div> }.erase()
}

fn deliveries(t: &'static Texts, d: &Overview) -> AnyView {
    let o = &t.overview;
    let longest = d.deliveries.iter().map(|r| took(r, d.now)).max().unwrap_or(1).clamp(1, 180_000);
    let rows = if d.deliveries.is_empty() {
        empty_row(6, t.overview.no_deliveries)
    } else {
        d.deliveries.iter().map(|r| row(t, r, d.now, longest)).collect_view().into_any()
    };
    let heads = view! {
        {col(o.release, "")}
        {col(t.shell.team, "lo")}
        {col(t.shell.by, "lo md")}
        {col(t.shell.state, "")}
        <th scope="col" class="lo bar"><span class="vh">{o.took}</span></th>
        {col_num(o.took, "")}
        {col_num(t.shell.when, "lo")}
    }
    .erase();
    section("deh", o.deliveries, "", view! { <Table label=o.deliveries head=heads.into_any()>{rows}</Table> }.erase())
}

fn took(r: &DeliveryRow, now: i64) -> i64 {
    r.ended_at.unwrap_or(now) - r.began_at
}

fn row(t: &'static Texts, r: &DeliveryRow, now: i64, longest: i64) -> AnyView {
    let ms = took(r, now);
    let width = (ms as f64 / longest as f64 * 100.0).clamp(2.0, 100.0).round();
    let word = match r.state {
        DeliveryState::Online | DeliveryState::GivenUp => t.delivery_state(r.state).to_owned(),
        s => (t.overview.at_step)(t.delivery_state(s), t.step(r.step)),
    };
    let shape = delivery_shape(r.state);
    view! {
        <tr>
            <th scope="row"><a href=app_path(&r.app)>{r.title.clone()}" r"{r.release}</a></th>
            <td class="lo">{r.app.team.clone()}</td>
            <td class="lo md">{r.by.clone()}</td>
            <td>{state(shape, word)}</td>
            <td class="lo bar">
                <svg class="strip" aria-hidden="true" data-s=shape.as_str()>
                    <rect width=format!("{}%", units::fixed(width, 0)) height="100%" rx="2"></rect>
                </svg>
            </td>
            <td class="num">{clock::stopwatch(ms)}</td>
            <td class="num second lo">{t.when(r.ended_at.unwrap_or(r.began_at), now)}</td>
        </tr>
    }
    .erase()
}

fn pools(t: &'static Texts, d: &Overview) -> AnyView {
    let o = &t.overview;
    let rows = d.pools.iter().take(8).map(|p| pool(t, p)).collect_view();
    let heads = view! { {col(t.shell.pools, "")} {col("CPU", "bar")} {col_num(t.overview.free, "")} }.erase();
    let body = view! {
        <Table label=o.pool_cpu head=heads.into_any()>{rows}</Table>
        <div class="gap-s">{legend(t.shell.used, t.shell.held, t.shell.free)}</div>
    }
    .erase();
    section("poh", o.pool_cpu, "", body.into_any())
}

fn pool(t: &'static Texts, p: &PoolRow) -> AnyView {
    let (u, h, all) = (p.used.cpu_milli, p.held.cpu_milli, p.total.cpu_milli);
    let name = &p.spec.name;
    let label = (t.overview.cpu_bar)(name, &units::cores(u), &units::cores(h), &units::cores(all));
    let free = units::cores(all.saturating_sub(u + h));
    view! {
        <tr>
            <th scope="row"><a href=pool_path(name)>{name.clone()}</a></th>
            <td class="bar">{capacity(Capacity { used: u, held: h, total: all }, label, true)}</td>
            <td class="num">{(t.overview.cpu_free)(&free)}</td>
        </tr>
    }
    .erase()
}
