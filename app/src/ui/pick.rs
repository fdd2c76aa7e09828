//! Choices: cards with a radio button in them, and the segmented row of links.

use super::Erase;
use leptos::html::Input;
use leptos::prelude::*;

/// A card to choose; the input is a native radio button over the whole card.
#[component]
pub fn Pick(
    /// The form's name.
    #[prop(into)]
    name: String,
    /// The value.
    #[prop(into)]
    value: String,
    /// Whether it is chosen at first.
    checked: bool,
    /// Chosen by the page later.
    #[prop(optional, into)]
    follow: Option<Signal<bool>>,
    /// Extra classes: the card's layout.
    class: &'static str,
    /// Told when it is chosen.
    #[prop(optional, into)]
    on_pick: Option<Callback<String>>,
    /// What stands on it.
    children: Children,
) -> AnyView {
    let told = value.clone();
    let node = NodeRef::<Input>::new();
    if let Some(f) = follow {
        Effect::new(move |before: Option<bool>| {
            let now = f.get();
            if let Some(input) = node.get_untracked().filter(|_| before.is_some()) {
                input.set_checked(now);
            }
            now
        });
    }
    view! {
        <label class=format!("pick {class}")>
            <input
                node_ref=node
                type="radio"
                name=name
                value=value
                checked=checked
                on:change=move |_| {
                    if let Some(f) = on_pick {
                        f.run(told.clone());
                    }
                }
            />
            {children()}
            <span class="tick"></span>
        </label>
    }
    .erase()
}

/// A segmented row of links: `(href, word, current)`.
pub fn seg_links(label: impl Into<String>, items: Vec<(String, String, bool)>) -> AnyView {
    let label: String = label.into();
    let items = items
        .into_iter()
        .map(|(href, word, current)| view! { <a href=href aria-current=current.then_some("true")>{word}</a> }.erase())
        .collect_view();
    view! { <nav class="seg" aria-label=label>{items}</nav> }.erase()
}
