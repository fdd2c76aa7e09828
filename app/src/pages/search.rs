//! The page of search results: what the search in the top bar leads to.

use super::page;
use crate::api;
use crate::fetch::Fetch;
use crate::shell::PageTitle;
use crate::text::texts;
use crate::ui::{Button, Erase, Icon, TextField, Tone, empty, icon};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use padis_domain::view::Hit;

/// Search results.
#[component]
pub fn Search() -> AnyView {
    let t = texts();
    let query = use_query_map();
    let q = Memo::new(move |_| query.with(|m| m.get("q")).unwrap_or_default().trim().to_owned());
    let found = Fetch::new(
        move || q.get(),
        |q| async move { if q.is_empty() { Ok(Vec::new()) } else { api::search(q).await } },
    );
    view! {
        <PageTitle text=t.shell.results/>
        <header class="head"><div><h1>{t.shell.results}</h1></div></header>
        <form class="filters" method="get" action="/search" role="search">
            <TextField id="q" label=t.shell.search_hint kind="search" value=q.get_untracked()/>
            <Button label=t.shell.find tone=Tone::Primary glyph=Icon::Search/>
        </form>
        {page(t.shell.results, found, move |hits| results(hits, q.get_untracked()))}
    }
    .erase()
}

fn results(hits: Vec<Hit>, q: String) -> AnyView {
    let t = texts();
    if hits.is_empty() {
        let text = if q.is_empty() { t.shell.search_start.to_owned() } else { (t.shell.search_none)(&q) };
        return empty(t.shell.results, text, ().into_any());
    }
    let rows = hits
        .into_iter()
        .map(|h| {
            view! {
                <li>
                    <a href=h.path>
                        {icon(crate::shell::hit_icon(&h.kind))}
                        <span>{h.title}</span>
                        <small>{h.detail}</small>
                    </a>
                </li>
            }
            .erase()
        })
        .collect_view();
    view! { <ul class="hits">{rows}</ul> }.erase()
}
