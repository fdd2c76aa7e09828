//! The first tab: the delivery, then instances, charts and what happened lately.

use super::{charts, delivery, events, instances, part, part_now, shared, with_app, with_top};
use crate::api::{self, app_path};
use crate::fetch::Fetch;
use crate::text::texts;
use crate::ui::{Erase, section_with};
use leptos::prelude::*;
use padis_domain::view::ListQuery;

/// The first tab.
#[component]
pub fn Now() -> AnyView {
    let t = texts();
    let a = &t.app;
    let Some(s) = shared() else { return ().into_any() };
    let minutes = charts::use_minutes();
    let series = Fetch::new(move || (s.app.get(), minutes.get(), s.changed.get()), |(a, m, _)| api::charts(a, m));
    let q = ListQuery { per_page: 6, ..ListQuery::default() };
    let lately = Fetch::new(move || (s.app.get(), s.changed.get()), move |(a, _)| api::timeline(a, q.clone()));
    view! {
        {s.retry.told.notice(&[], a.done_retry)}
        {with_top(move |v, token| match &v.delivery {
            Some(d) => delivery::delivery(&v, d, s.retry, token),
            None => view! { <p class="quiet">{texts().app.no_delivery}</p> }.erase(),
        })}
        {with_app(instances::section)}
        {part(a.charts, series, move |c| charts::charts(c, minutes.get_untracked()))}
        {part_now(a.events, lately, move |page, now| {
            let all = view! { <a href=format!("{}/events", app_path(&s.app.get_untracked()))>{(a.all_events)(&t.entries(page.total))}</a> }.erase();
            let end = if page.total > page.rows.len() as u64 { all.into_any() } else { ().into_any() };
            section_with("tlh", a.what_and_why, "", end, events::timeline(t, &page.rows, now))
        })}
    }
    .erase()
}
