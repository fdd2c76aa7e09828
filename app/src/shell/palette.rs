//! Ctrl-K: finds anything and goes there. Scripts only; without them the search
//! in the top bar leads to the page of results.

use crate::api;
use crate::shell::who;
use crate::text::{lowercase, texts};
use crate::ui::{Erase, Icon, effect, icon};
use leptos::html::{Dialog, Input};
use leptos::{ev, prelude::*};
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use padis_domain::view::Hit;
use std::time::Duration;

/// The icon of a kind of hit.
pub fn hit_icon(kind: &str) -> Icon {
    match kind {
        "app" => Icon::Apps,
        "address" => Icon::Address,
        "name" => Icon::Names,
        "stack" | "image" => Icon::Stack,
        "package" => Icon::Package,
        "pool" | "host" => Icon::Pool,
        "person" => Icon::Person,
        "team" => Icon::Admin,
        _ => Icon::Right,
    }
}

/// Pages and commands that hold `q`.
fn commands(q: &str) -> Vec<Hit> {
    let t = texts();
    let s = &t.shell;
    let inspector = who().0.is_some_and(|c| c.inspector().is_ok());
    let cluster = inspector.then_some((t.pools.cluster, "/cluster"));
    let all = [
        (t.new_app.title, "/applications/new"),
        (s.overview, "/"),
        (s.applications, "/applications"),
        (s.middleware, "/middleware"),
        (s.images, "/images"),
        (s.packages, "/packages"),
        (s.pools, "/pools"),
        (s.addresses, "/addresses"),
        (s.names, "/names"),
        (s.balancers, "/balancers"),
        (s.activity, "/activity"),
        (s.account, "/account"),
    ];
    let q = lowercase(q);
    all.into_iter()
        .chain(cluster)
        .filter(|(w, _)| lowercase(w).contains(&q))
        .map(|(w, p)| Hit { kind: "page".into(), title: w.into(), detail: s.commands.into(), path: p.into() })
        .collect()
}

/// The palette.
#[component]
pub fn Palette() -> AnyView {
    let t = texts();
    let s = &t.shell;
    let dialog = NodeRef::<Dialog>::new();
    let input = NodeRef::<Input>::new();
    let (q, set_q) = signal(String::new());
    let (asked, ask) = signal(String::new());
    let (at, set_at) = signal(0_usize);
    // Not a resource: this is the only thing that is asked in the browser alone, and a
    // second kind of resource would weigh more than the palette.
    let (found, find) = signal(Vec::new());
    effect(move || {
        let q = asked.get();
        leptos::task::spawn_local(async move {
            let hits = if q.is_empty() { Vec::new() } else { api::search(q.clone()).await.unwrap_or_default() };
            // An answer that was overtaken by another question is not shown.
            if asked.try_get_untracked().is_some_and(|now| now == q) {
                let _ = find.try_set(hits);
            }
        });
    });
    let hits = Memo::new(move |_| {
        let q = q.get();
        let mut hits = if q.is_empty() { Vec::new() } else { found.get() };
        hits.truncate(12);
        hits.extend(commands(&q).into_iter().take(6));
        hits
    });
    let close = move || {
        if let Some(d) = dialog.get_untracked() {
            d.close();
        }
    };
    let navigate = use_navigate();
    let go = Callback::new(move |path: String| {
        close();
        navigate(&path, NavigateOptions::default());
    });
    effect(move || {
        let handle = window_event_listener(ev::keydown, move |e| {
            if (e.ctrl_key() || e.meta_key()) && e.key().eq_ignore_ascii_case("k") {
                e.prevent_default();
                if let Some(d) = dialog.get_untracked().filter(|d| !d.open()) {
                    let _ = d.show_modal();
                    if let Some(i) = input.get_untracked() {
                        i.select();
                    }
                }
            }
        });
        on_cleanup(move || handle.remove());
    });
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let typed = move |e: ev::Event| {
        let v = event_target_value(&e);
        set_q.set(v.trim().to_owned());
        set_at.set(0);
        if let Some(h) = waiting.get_value() {
            h.clear();
        }
        // One question when the typing pauses, not one a letter.
        let h = set_timeout_with_handle(move || ask.set(q.get_untracked()), Duration::from_millis(120));
        waiting.set_value(h.ok());
    };
    let keys = move |e: ev::KeyboardEvent| {
        let n = hits.with(Vec::len).max(1);
        match e.key().as_str() {
            "ArrowDown" => set_at.update(|i| *i = (*i + 1) % n),
            "ArrowUp" => set_at.update(|i| *i = (*i + n - 1) % n),
            "Enter" => {
                if let Some(h) = hits.with(|h| h.get(at.get()).cloned()) {
                    go.run(h.path);
                }
            }
            _ => return,
        }
        e.prevent_default();
    };
    let options = move || {
        let at = at.get();
        hits.get()
            .into_iter()
            .enumerate()
            .map(|(i, h)| {
                let path = h.path.clone();
                view! {
                    <div
                        class="op"
                        role="option"
                        id=format!("pal-{i}")
                        aria-selected=if i == at { "true" } else { "false" }
                        on:click=move |_| go.run(path.clone())
                    >
                        {icon(hit_icon(&h.kind))}
                        <span>{h.title}</span>
                        <small>{h.detail}</small>
                    </div>
                }
                .erase()
            })
            .collect_view()
    };
    view! {
        <dialog class="cmd" node_ref=dialog aria-label=s.search>
            <div class="q">
                {icon(Icon::Search)}
                <input
                    node_ref=input
                    type="search"
                    role="combobox"
                    aria-expanded="true"
                    aria-controls="pal"
                    aria-activedescendant=move || format!("pal-{}", at.get())
                    autocomplete="off"
                    aria-label=s.search
                    placeholder=s.search_hint
                    on:input=typed
                    on:keydown=keys
                />
                <kbd>"Esc"</kbd>
            </div>
            <div class="res" role="listbox" id="pal" aria-label=s.results>{move || options()}</div>
        </dialog>
    }
    .erase()
}
