//! The frame: navigation, top bar, the page.

use super::announce::Announcer;
use super::lost::Lost;
use super::nav::Nav;
use super::palette::Palette;
use super::top::Top;
use crate::live;
use crate::text::texts;
use crate::ui::{Erase, effect};
use leptos::prelude::*;
use leptos_router::components::Outlet;

/// The frame around every page that needs a signed-in reader.
#[component]
pub fn Frame() -> AnyView {
    let t = texts();
    live::start();
    // Tests wait for it: from here on the browser half answers.
    effect(|| {
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-live", "on");
        }
    });
    view! {
        <a class="skip" href="#main" rel="external">{t.shell.skip}</a>
        <svg class="vh" aria-hidden="true" focusable="false">
            <defs>
                <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="hatch" width="1.6" height="5"></rect>
                </pattern>
                <pattern id="hatch-run" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="hatch-run" width="3" height="8"></rect>
                </pattern>
            </defs>
        </svg>
        <div class="shell">
            <Nav/>
            <Top/>
            <main id="main" tabindex="-1">
                <Lost/>
                <Outlet/>
            </main>
        </div>
        <Palette/>
        <Announcer/>
    }
    .erase()
}
