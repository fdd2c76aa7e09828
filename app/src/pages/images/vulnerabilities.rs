//! Known vulnerabilities of what runs, with the applications that have them.

use super::inside::{feed, mended, rated};
use super::server::{Lists, lists};
use crate::api::app_path;
use crate::pages::parts::{filter_box, pages_of};
use crate::pages::write::address;
use crate::text::{Texts, units};
use crate::ui::{Erase, Shape, Table, col, empty, head, notice};
use leptos::prelude::*;
use padis_domain::app::AppRef;
use padis_domain::view::{ListQuery, VulnerabilitiesView, VulnerabilityRow};

/// Where it is.
pub const PATH: &str = "/images/vulnerabilities";
/// Applications that are named; more are counted.
const NAMED: usize = 50;

/// The list.
pub fn write(t: &'static Texts, v: VulnerabilitiesView, q: &ListQuery, waiting: u64) -> AnyView {
    let (i, url) = (t.inside(), &address(PATH, q));
    let top = view! {
        {head(
            view! { <h1>{i.vulnerabilities}</h1> }.erase(),
            view! { <p class="lead">{i.lead}</p> }.erase(),
            ().into_any(),
        )}
        {lists(t, t.images(), Lists::Vulnerabilities, waiting)}
        <h2 class="vh">{i.vulnerabilities}</h2>
    }
    .erase();
    let Some(known) = &v.feed else {
        return view! { {top} {empty(i.no_feed, i.no_feed_text, ().into_any())} }.erase();
    };
    let unread = (!v.unread.is_empty())
        .then(|| notice(Shape::Warn, i.unread, "", view! { <p>{apps(t, &v.unread)}</p> }.erase()));
    let top = view! { {top} {feed(t, known)} {unread} }.erase();
    if v.page.total == 0 && q.q.is_empty() {
        return view! { {top} {empty(i.clean, i.clean_text, ().into_any())} }.erase();
    }
    let filter = filter_box(t, url, i.filter, &q.q, ().into_any());
    if v.page.rows.is_empty() {
        return view! { {top} {filter} <p class="hint">{i.none_found}</p> }.erase();
    }
    let cols = view! {
        {col(i.severity, "")}
        {col(i.vulnerability, "wrap")}
        {col(i.package, "")}
        {col(i.fixed, "md")}
        {col(i.apps, "wrap")}
    }
    .erase();
    let rows = v.page.rows.iter().map(|r| row(t, r)).collect_view();
    view! {
        {top}
        {filter}
        <Table label=i.vulnerabilities head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, v.page.page, v.page.per_page, v.page.total)}
    }
    .erase()
}

fn row(t: &'static Texts, r: &VulnerabilityRow) -> AnyView {
    let (i, m) = (t.inside(), &r.one);
    let more = (r.more > 0).then(|| view! { <span class="under">{(i.more)(&units::count(r.more))}</span> }.erase());
    view! {
        <tr>
            <td>{rated(t, m)}</td>
            <th scope="row" class="wrap">{m.id.clone()} <span class="under">{m.summary.clone()}</span></th>
            <td>{m.package.clone()} <span class="under"><code>{m.version.clone()}</code></span> {more}</td>
            <td class="md">{mended(i, m)}</td>
            <td class="wrap">{apps(t, &r.apps)}</td>
        </tr>
    }
    .erase()
}

fn apps(t: &'static Texts, all: &[AppRef]) -> AnyView {
    let links =
        all.iter().take(NAMED).map(|a| view! { <a class="item" href=app_path(a)>{a.to_string()}</a> " " }.into_any());
    let more = all.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| view! { <span class="second">"+ " {t.applications(more as u64)}</span> }.erase());
    view! { {links.collect_view()} {more} }.erase()
}
