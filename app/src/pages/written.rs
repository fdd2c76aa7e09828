//! Pages whose body the server writes; see [`crate::api::Part`].

use super::page;
use super::parts::{live, use_list};
use crate::api::{self, Part};
use crate::fetch::Fetch;
use leptos::prelude::*;

/// The part, written anew when the page's query or one of the topics changes.
pub fn written(what: &'static str, part: Part, topics: &[&str]) -> AnyView {
    let (list, changed) = (use_list(), live(topics));
    let data = Fetch::new(move || (list.get(), changed.get()), move |(q, _)| api::written(part, q));
    page(what, data, put)
}

/// Puts markup into place.
pub fn put(markup: String) -> AnyView {
    view! { <div class="written" inner_html=markup></div> }.into_any()
}
