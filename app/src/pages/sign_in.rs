//! Sign-in: a plain form, so that a password manager and a browser without
//! scripts get on with it equally.

use crate::shell::{PageTitle, me};
use crate::text::texts;
use crate::ui::{Button, ButtonSize, Erase, Shape, TextField, Tone, notice};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use padis_domain::Problem;
use padis_domain::problem::System;

/// The sign-in page.
#[component]
pub fn SignIn() -> AnyView {
    let t = texts();
    let a = &t.account;
    let query = use_query_map().get_untracked();
    let get = |k: &str| query.get(k).unwrap_or_default();
    let next = get("next");
    let next = if next.starts_with('/') && !next.starts_with("//") { next } else { "/".to_owned() };
    let wait = get("retry_after_s").parse().unwrap_or(60);
    let problem = match get("problem").as_str() {
        "sign_in_failed" => Some(Problem::SignInFailed),
        "disk_full" => Some(Problem::DiskFull { free_bytes: 0, need_bytes: 0 }),
        "too_many_attempts" => Some(Problem::TooManyAttempts { retry_after_s: wait }),
        "unavailable" => Some(Problem::Unavailable { system: System::Directory, incident: get("incident") }),
        _ => None,
    };
    let message = problem.map(|p| {
        let s = t.problem(&p);
        let rest = if matches!(p, Problem::Unavailable { .. }) { a.directory_down.to_owned() } else { s.next };
        notice(Shape::Bad, s.what, rest, ().into_any())
    });
    let bye = (get("signed_out") == "1").then(|| notice(Shape::Ok, a.signed_out, "", ().into_any()));
    let (other, tag) = match me::prefs().lang {
        crate::context::Lang::Zh => ("en", "en"),
        crate::context::Lang::En => ("zh", "zh-CN"),
    };
    view! {
        <PageTitle text=t.shell.sign_in/>
        <main class="door" id="main">
            <form class="signin" method="post" action="/auth/sign-in">
                <div>
                    <svg class="logo" viewBox="0 0 20 20" aria-hidden="true">
                        <path d="M4 2v16" stroke="currentColor" stroke-width="2" stroke-linecap="round"></path>
                        <path d="M4 4h7a4.5 4.5 0 010 9H4" fill="none" stroke="currentColor" stroke-width="2"></path>
                        <circle cx="4" cy="13" r="3" fill="currentColor"></circle>
                    </svg>
                    <h1>{a.sign_in_title}</h1>
                    <p class="hint">{a.sign_in_lead}</p>
                </div>
                {message}
                {bye}
                <input type="hidden" name="next" value=next.clone()/>
                <TextField id="account" label=a.account autocomplete="username" required=true/>
                <TextField id="password" label=a.password kind="password" autocomplete="current-password" required=true/>
                <Button label=a.sign_in tone=Tone::Primary size=ButtonSize::Wide/>
                <p class="hint">{a.locked_out}</p>
            </form>
            <form class="below" method="post" action="/prefs">
                <input type="hidden" name="back" value="/sign-in"/>
                <span>{a.tagline}</span>
                <button class="btn quiet s" name="lang" value=other aria-label=t.shell.other_lang_label>
                    <span lang=tag>{t.shell.other_lang}</span>
                </button>
            </form>
        </main>
    }
    .erase()
}
