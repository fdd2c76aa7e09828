//! The line that says that the connection is lost and how old the data is.

use crate::live;
use crate::text::{clock, texts};
use crate::ui::{Erase, Shape, notice};
use leptos::prelude::*;

/// Shows itself only while the stream of changes is broken.
#[component]
pub fn Lost() -> AnyView {
    let t = texts();
    let since = live::lost_since();
    view! {
        {move || {
            since
                .get()
                .map(|at| {
                    let text = (t.shell.lost)(&clock::short_time(at));
                    view! { <div class="lost">{notice(Shape::Warn, text, "", ().into_any())}</div> }.erase()
                })
        }}
    }
    .into_any()
}
