//! The frame around every page: document, navigation, top bar, palette, and what
//! a reader of screens needs when the page changes.

mod announce;
mod crumbs;
#[cfg(feature = "ssr")]
pub mod document;
mod frame;
mod lost;
pub mod me;
mod nav;
mod palette;
mod top;

pub use frame::Frame;
pub use me::{prefs, who};
pub use palette::hit_icon;
pub use top::use_here;

use crate::text::texts;
use crate::ui::Erase;
use leptos::prelude::*;

/// The page's title in the browser's tab.
///
/// On the server it is asked for at the very end, when the part of the page that named
/// it may have been rendered anew and what it held is gone: then the text stands that
/// there was. In the browser the part that was made last names it; Leptos' own `Title`
/// would do there too, for 2 kB more.
#[component]
pub fn PageTitle(
    /// Without the product's name.
    #[prop(into)]
    text: Signal<String>,
) -> AnyView {
    let first = text.get_untracked();
    let title = move || format!("{} · Padis", text.try_get().unwrap_or_else(|| first.clone()));
    #[cfg(feature = "ssr")]
    drop(view! { <leptos_meta::Title text=title/> });
    #[cfg(not(feature = "ssr"))]
    crate::ui::effect(move || document().set_title(&title()));
    ().into_any()
}

/// What stands where a page does not exist.
#[component]
pub fn NotFound() -> AnyView {
    let t = texts();
    crate::api::page_status(&crate::api::Fault::Portal(padis_domain::Problem::NotFound));
    view! {
        <PageTitle text=t.shell.not_found/>
        <header class="head">
            <div>
                <h1>{t.shell.not_found}</h1>
                <p class="lead">{t.shell.not_found_lead}</p>
            </div>
        </header>
        <p><a class="btn" href="/">{t.shell.back_to_overview}</a></p>
    }
    .erase()
}
