//! Events as a timeline that tells causes.

use super::{part_now, shared};
use crate::api;
use crate::fetch::Fetch;
use crate::pages::parts::{pages_of, use_list};
use crate::shell::use_here;
use crate::text::{Texts, texts};
use crate::ui::{Erase, mark, section};
use leptos::prelude::*;
use padis_domain::view::TimelineItem;

/// The tab.
#[component]
pub fn Events() -> AnyView {
    let t = texts();
    let Some(s) = shared() else { return ().into_any() };
    let (list, here) = (use_list(), use_here());
    let data = Fetch::new(move || (s.app.get(), list.get(), s.changed.get()), |(a, q, _)| api::timeline(a, q));
    view! {
        {part_now(t.app.events, data, move |p, now| {
            let body = view! {
                {timeline(t, &p.rows, now)}
                {pages_of(t, &here.get_untracked(), p.page, p.per_page, p.total)}
            }.erase();
            section("tlh", t.app.what_and_why, "", body.into_any())
        })}
    }
    .into_any()
}

/// The list itself.
pub fn timeline(t: &'static Texts, items: &[TimelineItem], now: i64) -> AnyView {
    if items.is_empty() {
        return view! { <p class="quiet">{t.app.no_events}</p> }.erase();
    }
    let rows = items
        .iter()
        .map(|i| {
            let e = t.event(&i.event);
            view! {
                <li>
                    {mark(e.shape)}
                    <div>
                        <p><b>{e.what}</b></p>
                        <p class="cause">{e.why}</p>
                    </div>
                    {t.when(i.at, now)}
                </li>
            }
            .erase()
        })
        .collect_view();
    view! { <ol class="tl">{rows}</ol> }.erase()
}
