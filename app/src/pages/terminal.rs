//! The page of a terminal: a document of its own, because it is nothing but a terminal and
//! stays for hours. The script behind it is `frontend/terminal.mjs`.

use crate::api::bench_path;
use crate::context::{Assets, Lang, Prefs, Theme};
use crate::text::{self, Texts};
use crate::ui::Erase;
use leptos::prelude::*;
use padis_domain::view::{BenchState, BenchView};

/// The document. `nonce` is what its policy lets scripts and styles carry.
pub fn document(v: &BenchView, prefs: Prefs, assets: &Assets, nonce: &str) -> String {
    let t: &'static Texts = text::of(prefs.lang);
    let b = t.benches();
    let lang = match prefs.lang {
        Lang::Zh => "zh-CN",
        Lang::En => "en",
    };
    let theme = match prefs.theme {
        Theme::Auto => None,
        Theme::Light => Some("light"),
        Theme::Dark => Some("dark"),
    };
    let name = format!("{}:{}", v.row.repository, v.row.tag);
    let title = format!("{}: {name}", b.one);
    let open = v.may && v.row.state == BenchState::Open;
    let socket = format!("/benches/{}/socket", v.row.id);
    let words = [b.connecting, b.closed, b.cut, b.signed_out, b.reconnect].map(str::to_owned);
    let [connecting, closed, cut, signed_out, again] = words;
    let body = if open {
        view! {
            <main
                id="terminal"
                data-socket=socket
                data-connecting=connecting
                data-closed=closed
                data-cut=cut
                data-signed-out=signed_out
            >
                <noscript><p>{b.no_script}</p></noscript>
            </main>
        }
        .erase()
    } else {
        view! { <main><p class="hint">{b.not_open}</p></main> }.erase()
    };
    let script = open.then(|| {
        view! { <script type="module" src=assets.terminal.js.clone() nonce=nonce.to_owned()></script> }.erase()
    });
    let page = view! {
        <html lang=lang data-theme=theme class="console">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{title.clone()} " · Padis"</title>
                <link rel="stylesheet" href=assets.css.clone()/>
                <link rel="stylesheet" href=assets.terminal.css.clone()/>
                {script}
            </head>
            <body>
                <header class="bar">
                    <h1>{title}</h1>
                    <span class="second">{v.row.host.clone()}</span>
                    <output id="said" aria-live="polite"></output>
                    <button class="btn s" id="again" type="button" hidden>{again}</button>
                    <a class="btn s" href=bench_path(&v.row.id)>{b.back}</a>
                </header>
                {body}
            </body>
        </html>
    }
    .erase();
    format!("<!DOCTYPE html>{}", page.to_html())
}
