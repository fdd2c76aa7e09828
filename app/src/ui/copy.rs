//! Copies a text. Without scripts the text stands there to be selected, so the
//! button shows itself only when it can work.

use super::Erase;
use super::effect;
use super::{Icon, icon};
use leptos::prelude::*;
use std::time::Duration;

/// A button that copies `text`.
#[component]
pub fn CopyButton(
    /// What is copied.
    #[prop(into)]
    text: String,
    /// Its label.
    label: &'static str,
    /// What it says afterwards.
    done: &'static str,
) -> AnyView {
    let (live, set_live) = signal(false);
    let (copied, set_copied) = signal(false);
    effect(move || set_live.set(true));
    let press = move |_| {
        let _ = window().navigator().clipboard().write_text(&text);
        set_copied.set(true);
        set_timeout(
            move || {
                let _ = set_copied.try_set(false);
            },
            Duration::from_secs(2),
        );
    };
    view! {
        <button
            class="btn xs icon quiet"
            type="button"
            hidden=move || !live.get()
            aria-label=move || if copied.get() { done } else { label }
            title=move || if copied.get() { done } else { label }
            on:click=press
        >
            {icon(Icon::Copy)}
        </button>
    }
    .erase()
}
