//! Tells readers of screens that the page has changed, and moves the focus to
//! its beginning: the router does neither.

use crate::ui::Erase;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use std::time::Duration;

/// An element that speaks the new page's title.
#[component]
pub fn Announcer() -> AnyView {
    let path = use_location().pathname;
    let (said, say) = signal(String::new());
    Effect::new(move |before: Option<String>| {
        let here = path.get();
        if before.is_some_and(|b| b != here) {
            close_popovers();
            // The page's own title is set while it renders.
            set_timeout(
                move || {
                    let _ = say.try_set(document().title());
                    // Whoever is already at work in the new page keeps his place.
                    let here = document().active_element();
                    let main = document().get_element_by_id("main");
                    if let Some(main) = main.filter(|m| !here.is_some_and(|e| m.contains(Some(&e)))) {
                        focus(&main);
                    }
                },
                Duration::from_millis(120),
            );
        }
        here
    });
    view! { <div class="vh" role="status" aria-live="polite">{said}</div> }.erase()
}

/// Moves the focus without scrolling past the head of the page.
fn focus(e: &web_sys::Element) {
    use wasm_bindgen::JsCast;
    if let Some(e) = e.dyn_ref::<web_sys::HtmlElement>() {
        let _ = e.focus();
    }
}

/// Menus and the navigation's sheet are done with when they have led somewhere.
fn close_popovers() {
    use wasm_bindgen::JsCast;
    let Ok(open) = document().query_selector_all(":popover-open") else { return };
    for i in 0..open.length() {
        if let Some(e) = open.item(i).and_then(|n| n.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = e.hide_popover();
        }
    }
}
