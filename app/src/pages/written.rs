//! Pages whose body the server writes; see [`crate::api::Part`].

use super::page;
use super::parts::{live, use_list};
use crate::api::{self, Part};
use crate::fetch::Fetch;
use crate::ui::effect;
use leptos::prelude::*;
use std::time::Duration;

/// The part, written anew when the page's query or one of the topics changes.
pub fn written(what: &'static str, part: Part, topics: &[&str]) -> AnyView {
    following(what, part, topics, None)
}

/// The same, and after a while in any case.
pub fn written_every(what: &'static str, part: Part, topics: &[&str], every: Duration) -> AnyView {
    following(what, part, topics, Some(every))
}

fn following(what: &'static str, part: Part, topics: &[&str], every: Option<Duration>) -> AnyView {
    let (list, changed, tick) = (use_list(), live(topics), RwSignal::new(0_u32));
    if let Some(every) = every {
        effect(move || {
            let again = move || {
                let _ = tick.try_update(|n| *n = n.wrapping_add(1));
            };
            if let Ok(handle) = set_interval_with_handle(again, every) {
                on_cleanup(move || handle.clear());
            }
        });
    }
    let data = Fetch::new(move || (list.get(), changed.get(), tick.get()), move |(q, ..)| api::written(part, q));
    page(what, data, |markup: String| view! { <div class="written" inner_html=markup></div> }.into_any())
}
