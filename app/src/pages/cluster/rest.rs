//! Roles and frameworks.

use crate::text::cluster::Cluster;
use crate::text::{Texts, units};
use crate::ui::{Erase, Shape, Table, UrlState, col, sort_head, state};
use leptos::prelude::*;
use padis_domain::ports::{FrameworkSeen, Quota, RoleSeen};
use padis_domain::words::UnixMs;
use std::collections::BTreeMap;

/// The list of roles.
pub fn roles(t: &'static Texts, c: &'static Cluster, url: &UrlState, rows: &[RoleSeen]) -> AnyView {
    let cols = view! {
        {sort_head(url, "name", c.role, false, "")}
        {sort_head(url, "weight", c.weight, true, "lo")}
        {col(c.quota, "")}
        {sort_head(url, "reserved", c.reserved, false, "")}
        {sort_head(url, "used", c.used_by_role, false, "")}
        {col(c.frameworks, "lo md")}
    }
    .erase();
    let row = |r: &RoleSeen| {
        let weight = r.weight.map_or_else(|| c.not_told.to_owned(), |w| units::fixed(w, 2));
        let used = r.used.map_or_else(|| c.used_untold.to_owned(), |u| t.amounts(u));
        let frameworks = r.frameworks.iter().map(|id| view! { <code class="item">{id.clone()}</code> }.erase());
        view! {
            <tr>
                <th scope="row"><code>{r.name.clone()}</code></th>
                <td class="num lo">{weight}</td>
                <td class="wrap">{quota(t, c, r.quota.as_ref())}</td>
                <td class="wrap">{t.amounts(r.reserved)}</td>
                <td class="wrap">{used}</td>
                <td class="lo md">{frameworks.collect_view()}</td>
            </tr>
        }
        .erase()
    };
    let rows = rows.iter().map(row).collect_view();
    view! { <Table label=c.roles head=cols.into_any()>{rows}</Table> }.erase()
}

/// What is not told, what is not set, and what is set are three things.
fn quota(t: &'static Texts, c: &'static Cluster, quota: Option<&Quota>) -> AnyView {
    let Some(q) = quota else { return view! { <span class="quiet">{c.quota_untold}</span> }.erase() };
    let line = |words: fn(&str) -> String, caps: &BTreeMap<String, u64>| {
        (!caps.is_empty()).then(|| view! { <span class="line">{words(&t.caps(caps))}</span> }.erase())
    };
    match (line(c.guarantee, &q.guarantee), line(c.limit, &q.limit)) {
        (None, None) => c.quota_none.into_any(),
        (guarantee, limit) => view! { {guarantee} {limit} }.erase(),
    }
}

/// The list of frameworks, with whether each is ours.
pub fn frameworks(
    t: &'static Texts,
    c: &'static Cluster,
    url: &UrlState,
    rows: &[(FrameworkSeen, bool)],
    now: UnixMs,
) -> AnyView {
    let cols = view! {
        {sort_head(url, "name", c.framework, false, "")}
        {col(t.shell.state, "")}
        {col(c.principal, "lo md")}
        {col(c.roles, "md")}
        {sort_head(url, "tasks", c.tasks, true, "")}
        {sort_head(url, "used", c.used_by_role, false, "")}
        {sort_head(url, "since", c.registered, true, "lo md")}
    }
    .erase();
    let rows = rows.iter().map(|(f, ours)| framework(t, c, f, *ours, now)).collect_view();
    view! { <Table label=c.frameworks head=cols.into_any()>{rows}</Table> }.erase()
}

fn framework(t: &'static Texts, c: &'static Cluster, f: &FrameworkSeen, ours: bool, now: UnixMs) -> AnyView {
    let how = match (f.connected, f.active) {
        (true, true) => state(Shape::Ok, c.active),
        (true, false) => state(Shape::Warn, c.inactive),
        (false, _) => state(Shape::Bad, c.gone),
    };
    let principal = if f.principal.is_empty() { c.no_principal.to_owned() } else { f.principal.clone() };
    let roles = f.roles.iter().map(|r| view! { <span class="chip">{r.clone()}</span> }.erase()).collect_view();
    let lost = (f.unreachable > 0).then(|| {
        view! { <span class="tech">{(c.unreachable)(&units::count(u64::from(f.unreachable)))}</span> }.erase()
    });
    let used = f.used.map_or_else(|| c.used_untold.to_owned(), |u| t.amounts(u));
    let since = f.registered.map_or_else(|| c.not_told.into_any(), |at| t.when(at, now));
    view! {
        <tr>
            <th scope="row" class="wrap">
                {f.name.clone()}
                {ours.then(|| view! { " " <span class="chip">{c.ours}</span> }.erase())}
                <span class="tech">{f.id.clone()}</span>
            </th>
            <td class="wrap">{how}</td>
            <td class="lo md">{principal}</td>
            <td class="md"><span class="row tight">{roles}</span></td>
            <td class="num wrap">{units::count(u64::from(f.tasks))}{lost}</td>
            <td class="wrap">{used}</td>
            <td class="num lo md">{since}</td>
        </tr>
    }
    .erase()
}
