//! The HTML document around the application; rendered on the server only.

use super::me::{META, Reader};
use crate::App;
use crate::context::{Assets, Lang, Mark, Prefs, Theme, Who};
use crate::text::clock::Zone;
use crate::wire;
use leptos::prelude::*;
use leptos_meta::MetaTags;

/// The mark of the product as an image, so that no file has to be fetched.
const FAVICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'%3E%3Cg stroke='%231f56b3' stroke-width='2' fill='none'%3E%3Cpath d='M4 2v16' stroke-linecap='round'/%3E%3Cpath d='M4 4h7a4.5 4.5 0 010 9H4'/%3E%3C/g%3E%3Ccircle cx='4' cy='13' r='3' fill='%231f56b3'/%3E%3C/svg%3E";

/// The whole document. `options` is what Leptos wants to hand over; the names of
/// the files come from [`Assets`].
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let _ = options;
    let prefs = use_context::<Prefs>().unwrap_or_default();
    let assets = use_context::<Assets>().unwrap_or_default();
    let reader = Reader {
        who: use_context::<Who>().unwrap_or_default(),
        prefs,
        zone: use_context::<Zone>().unwrap_or_default().0,
        now: now_ms(),
        mark: use_context::<Mark>().unwrap_or_default().0,
    };
    let reader = wire::text(&reader);
    let lang = match prefs.lang {
        Lang::Zh => "zh-CN",
        Lang::En => "en",
    };
    let theme = match prefs.theme {
        Theme::Auto => None,
        Theme::Light => Some("light"),
        Theme::Dark => Some("dark"),
    };
    let half = assets.half(prefs.lang).clone();
    let script = (!half.js.is_empty()).then(|| {
        view! {
            <link rel="preload" r#as="fetch" r#type="application/wasm" href=half.wasm crossorigin="anonymous"/>
            <script type="module" src=half.js nonce=leptos::nonce::use_nonce()></script>
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang=lang data-theme=theme data-tech=prefs.tech.then_some("on")>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name=META content=reader/>
                <link rel="icon" href=FAVICON/>
                <link rel="stylesheet" href=assets.css/>
                {script}
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
