//! The navigation by area, with counts. Below 700 px it is a sheet that the
//! button in the top bar opens: a popover, so it works without scripts.

use crate::api;
use crate::fetch::Fetch;
use crate::live;
use crate::shell::{prefs, who};
use crate::text::{clock::Zone, texts};
use crate::ui::{Erase, Icon, Popover, icon};
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use padis_domain::view::NavCounts;
use padis_domain::words::Stage;

/// The id of the navigation, for the button that opens it.
pub const NAV_ID: &str = "nav";

#[derive(Clone, Copy)]
struct Entry {
    href: &'static str,
    glyph: Icon,
    word: &'static str,
    staged: bool,
    count: fn(&NavCounts) -> Option<(u64, bool)>,
}

fn none(_: &NavCounts) -> Option<(u64, bool)> {
    None
}
fn plain(n: u64) -> Option<(u64, bool)> {
    (n > 0).then_some((n, false))
}
fn hot(n: u64) -> Option<(u64, bool)> {
    (n > 0).then_some((n, true))
}

/// Whether the path `here` belongs to the area at `href`.
fn belongs(here: &str, href: &str) -> bool {
    // The hosts that pools are made of; a pool could be called so too.
    let here = if here == "/cluster" { "/pools" } else { here };
    if href == "/" { here == "/" } else { here == href || here.starts_with(&format!("{href}/")) }
}

/// The navigation.
#[component]
pub fn Nav() -> AnyView {
    let t = texts();
    let s = &t.shell;
    let query = use_query_map();
    let stage = Memo::new(move |_| query.with(|q| q.get("stage")).unwrap_or_default());
    let me = Fetch::new(move || stage.get(), |s| api::me(Stage::parse(&s)));
    for topic in ["apps", "pools", "packages", "stacks", "work"] {
        live::on(topic, move || me.refetch());
    }
    let counts = move || me.get().and_then(Result::ok).map(|m| m.nav).unwrap_or_default();
    let here = use_location().pathname;
    let entry = move |e: Entry| {
        let href = move || {
            let st = stage.get();
            if e.staged && !st.is_empty() { format!("{}?stage={st}", e.href) } else { e.href.to_owned() }
        };
        let number = move || {
            (e.count)(&counts())
                .map(|(n, hot)| view! { <span class=if hot { "n hot" } else { "n" }>{n}</span> }.erase())
        };
        view! {
            <li>
                <a href=href aria-current=move || belongs(&here.get(), e.href).then_some("page")>
                    {icon(e.glyph)}
                    <span class="t">{e.word}</span>
                    <Transition>{move || number()}</Transition>
                </a>
            </li>
        }
        .erase()
    };
    let group = move |entries: Vec<Entry>| {
        let entries = entries.into_iter().map(entry).collect_view();
        view! { <ul>{entries}</ul> }.erase()
    };
    let e = |href, glyph, word, staged, count| Entry { href, glyph, word, staged, count };
    let inspector = who().0.is_some_and(|c| c.inspector().is_ok());
    let mut platform = vec![e("/activity", Icon::Activity, s.activity, false, |n| n.stuck.and_then(hot))];
    if inspector {
        platform.push(e("/admin", Icon::Admin, s.administration, false, none));
        platform.push(e("/kit", Icon::Kit, s.kit, false, none));
    }
    let _ = prefs();
    view! {
        <nav id=NAV_ID aria-label=s.areas class="nav" {..Popover}>
            <a class="brand" href="/">
                <svg viewBox="0 0 20 20" aria-hidden="true">
                    <path d="M4 2v16" stroke="currentColor" stroke-width="2" stroke-linecap="round"></path>
                    <path d="M4 4h7a4.5 4.5 0 010 9H4" fill="none" stroke="currentColor" stroke-width="2"></path>
                    <circle cx="4" cy="13" r="3" fill="currentColor"></circle>
                </svg>
                <span>"Padis"</span>
            </a>
            {group(
                vec![
                    e("/", Icon::Overview, s.overview, true, |n| hot(n.attention)),
                    e("/applications", Icon::Apps, s.applications, true, |n| plain(n.apps)),
                    e("/middleware", Icon::Stack, s.middleware, false, |n| plain(n.stacks)),
                    e("/images", Icon::Stack, s.images, true, none),
                    e("/packages", Icon::Package, s.packages, false, |n| plain(n.packages)),
                    e("/pools", Icon::Pool, s.pools, true, |n| plain(n.pools)),
                ],
            )}
            <p class="grp">{s.network}</p>
            {group(
                vec![
                    e("/addresses", Icon::Address, s.addresses, false, none),
                    e("/names", Icon::Names, s.names, false, none),
                    e("/balancers", Icon::Balancer, s.balancers, false, none),
                ],
            )}
            <p class="grp">{s.platform}</p>
            {group(platform)}
            <div class="foot">
                <span>{(s.times_in)(&Zone::here().name())}</span>
                <span>{s.up_to_date}</span>
            </div>
        </nav>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::belongs;

    #[test]
    fn an_area_holds_its_pages_only() {
        assert!(belongs("/applications/motor/claims", "/applications"));
        assert!(!belongs("/applicationsx", "/applications"));
        assert!(belongs("/cluster", "/pools") && !belongs("/pools/cluster", "/cluster"));
        assert!(belongs("/", "/") && !belongs("/pools", "/"));
    }
}
