//! Names: what the name server answers for every application.

use crate::pages::written::{Part, written};
use crate::shell::PageTitle;
use crate::text::texts;
use crate::ui::{Erase, head};
use leptos::prelude::*;

/// The list of names.
#[component]
pub fn Names() -> AnyView {
    let t = texts();
    view! {
        <PageTitle text=t.shell.names/>
        {head(
            view! { <h1>{t.shell.names}</h1> }.erase(),
            view! { <p class="lead">{t.net.names_lead}</p> }.erase(),
            ().into_any(),
        )}
        {written(t.shell.names, Part::Names, &["apps"])}
    }
    .erase()
}

#[cfg(feature = "ssr")]
pub use server::write;
#[cfg(feature = "ssr")]
mod server {
    use crate::api;
    use crate::pages::parts::{filter_box, now, pages_of};
    use crate::pages::write::address;
    use crate::text::Texts;
    use crate::ui::{Erase, Table, col, empty, sort_head};
    use leptos::prelude::*;
    use padis_domain::view::{ListQuery, NameRow, Page};
    use padis_domain::words::UnixMs;

    /// The list, or why there is none.
    pub fn write(t: &'static Texts, p: Page<NameRow>, q: &ListQuery) -> AnyView {
        let (n, now, url) = (&t.net, now(), &address("/names", q));
        if p.total == 0 && q.q.is_empty() {
            return empty(n.names_none, n.names_none_text, ().into_any());
        }
        let filter = filter_box(t, url, n.names_filter, &q.q, ().into_any());
        if p.rows.is_empty() {
            return view! { {filter} {empty(n.names_no_hit, n.no_hit_text, ().into_any())} }.erase();
        }
        let cols = view! {
            {sort_head(url, "name", t.shell.name, false, "")}
            {col(n.resolves, "")}
            {sort_head(url, "app", n.app, false, "")}
            {sort_head(url, "pool", t.pools.pool, false, "lo")}
            {sort_head(url, "ttl", n.ttl, true, "md")}
            {sort_head(url, "since", n.since, true, "lo")}
        }
        .erase();
        let rows = p.rows.into_iter().map(|r| row(t, r, now)).collect_view();
        view! {
            {filter}
            <Table label=t.shell.names head=cols.into_any()>{rows}</Table>
            {pages_of(t, url, p.page, p.per_page, p.total)}
        }
        .erase()
    }

    fn row(t: &'static Texts, r: NameRow, now: UnixMs) -> AnyView {
        let map = format!("/addresses/{}", api::query::escape(&r.pool));
        let addresses = r.addresses.into_iter().map(|a| view! { <code class="item">{a}</code> }.erase()).collect_view();
        view! {
        <tr>
            <th scope="row"><code>{r.name}</code></th>
            <td>{addresses}</td>
            <td><a href=api::app_path(&r.app)>{r.app.app.clone()}</a><span class="tech">{r.app.team.clone()}</span></td>
            <td class="lo"><a href=map>{r.pool}</a></td>
            <td class="num md">{(t.net.seconds)(r.ttl_s)}</td>
            <td class="num lo">{t.when(r.since, now)}</td>
        </tr>
    }
    .erase()
    }
}
