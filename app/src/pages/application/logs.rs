//! Logs: of instances that run (followed live) and of those that have gone.
//!
//! Which instance, which file and what is searched for stand in the address.
//! Following reads the end of the file again every second and a half: a log has
//! no topic of its own, and a broken connection then costs nothing.

use super::{part, shared};
use crate::api;
use crate::fetch::Fetch;
use crate::shell::use_here;
use crate::text::{Texts, lowercase, texts, units};
use crate::ui::{
    Button, ButtonSize, Erase, Icon, LinkButton, SelectField, TextField, UrlState, effect, empty, icon, section,
};
use leptos::html::Pre;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use padis_domain::app::AppRef;
use padis_domain::view::{LogPiece, LogQuery, LogSource};
use std::time::Duration;

/// Bytes shown at once.
const PIECE: u32 = 65_536;

#[derive(Debug, Clone, Default, PartialEq)]
struct Asked {
    task: String,
    file: String,
    find: String,
    offset: Option<u64>,
}

/// The tab.
#[component]
pub fn Logs() -> AnyView {
    let t = texts();
    let Some(s) = shared() else { return ().into_any() };
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        query.with(|q| {
            let get = |k: &str| q.get(k).unwrap_or_default();
            Asked { task: get("task"), file: get("file"), find: get("find"), offset: get("offset").parse().ok() }
        })
    });
    let sources = Fetch::new(move || (s.app.get(), s.changed.get(), asked.get()), |(a, _, _)| api::log_sources(a));
    let (tick, set_tick) = signal(0_u32);
    let (following, follow) = signal(true);
    effect(move || {
        if !following.get() || asked.with(|a| a.offset.is_some()) {
            return;
        }
        let handle = set_interval_with_handle(
            move || {
                let _ = set_tick.try_update(|n| *n = n.wrapping_add(1));
            },
            Duration::from_millis(1500),
        );
        on_cleanup(move || {
            if let Ok(h) = handle {
                h.clear();
            }
        });
    });
    let piece = Fetch::new(
        move || (s.app.get(), asked.get(), tick.get()),
        |(app, asked, _)| async move {
            let mut q = LogQuery {
                task_id: asked.task.clone(),
                file: asked.file.clone(),
                offset: asked.offset,
                length: PIECE,
                find: asked.find.clone(),
            };
            if q.task_id.is_empty() || q.file.is_empty() {
                let list = api::log_sources(app.clone()).await?;
                let Some((source, file)) = pick(&list, &asked) else { return Ok(None) };
                (q.task_id, q.file) = (source.task_id.clone(), file);
            }
            api::log(app, q).await.map(Some)
        },
    );
    let here = use_here();
    let a = &t.app;
    let body = view! {
        <div class="log">
            {part(a.logs, sources, move |list| bar(t, &s.app.get_untracked(), &list, &asked.get_untracked(), (following, follow)))}
            {part(a.log_lines, piece, move |p| match p {
                Some(p) => lines(t, p, &asked.get_untracked(), &here.get_untracked(), following),
                None => empty(a.log_none_title, a.log_none_text, ().into_any()),
            })}
        </div>
    }.erase();
    section("lgh", a.logs, a.log_kept, body.into_any())
}

/// The source that the address asks for, else the first living one.
fn pick<'a>(list: &'a [LogSource], asked: &Asked) -> Option<(&'a LogSource, String)> {
    let source = list.iter().find(|s| s.task_id == asked.task).or_else(|| list.first())?;
    let known = source.files.iter().any(|(f, _)| *f == asked.file);
    let file = if known { asked.file.clone() } else { source.files.first().map(|f| f.0.clone()).unwrap_or_default() };
    Some((source, file))
}

fn bar(
    t: &'static Texts,
    app: &AppRef,
    list: &[LogSource],
    asked: &Asked,
    (following, follow): (ReadSignal<bool>, WriteSignal<bool>),
) -> AnyView {
    let a = &t.app;
    let Some((source, file)) = pick(list, asked) else { return ().into_any() };
    let word = |s: &LogSource| {
        let slot = s.slot.map_or_else(|| "–".to_owned(), |n| n.to_string());
        if s.alive { (a.alive)(s.release, &slot) } else { (a.gone)(s.release, &slot) }
    };
    let tasks = list.iter().map(|s| (s.task_id.clone(), word(s))).collect();
    let files = source
        .files
        .iter()
        .map(|(f, n)| (f.clone(), n.map_or_else(|| f.clone(), |n| format!("{f} · {}", units::bytes(n)))))
        .collect();
    let download = format!(
        "/logs/{}/{}/{}/{}",
        api::query::escape(&app.team),
        api::query::escape(&app.app),
        api::query::escape(&source.task_id),
        api::query::escape(&file)
    );
    let alive = source.alive && asked.offset.is_none();
    let (live, set_live) = signal(false);
    effect(move || set_live.set(true));
    view! {
        <form class="bar" method="get">
            <SelectField id="task" label=a.which_instance options=tasks value=source.task_id.clone()/>
            <SelectField id="file" label=a.which_file options=files value=file/>
            <TextField id="find" label=a.search_log kind="search" value=asked.find.clone()/>
            <Button label=t.shell.show size=ButtonSize::Small glyph=Icon::Search/>
            <button
                class="btn s"
                type="button"
                hidden=move || !live.get() || !alive
                aria-pressed=move || if following.get() { "true" } else { "false" }
                on:click=move |_| follow.update(|f| *f = !*f)
            >
                {move || icon(if following.get() { Icon::Pause } else { Icon::Play })}
                <span>{a.following}</span>
            </button>
            <LinkButton href=download label=a.download size=ButtonSize::Small glyph=Icon::Download external=true/>
        </form>
    }
    .erase()
}

/// Warnings and errors by the words that log formats have in common.
fn tone(line: &str) -> &'static str {
    let head: String = line.chars().take(60).collect::<String>().to_ascii_uppercase();
    if ["ERROR", "SEVERE", "FATAL", "CRITICAL"].iter().any(|w| head.contains(w)) {
        "e"
    } else if head.contains("WARN") {
        "w"
    } else {
        ""
    }
}

fn lines(t: &'static Texts, p: LogPiece, asked: &Asked, here: &UrlState, following: ReadSignal<bool>) -> AnyView {
    let a = &t.app;
    let pre = NodeRef::<Pre>::new();
    let count = p.lines.len();
    effect(move || {
        if let Some(e) = pre.get().filter(|_| following.get_untracked()) {
            e.set_scroll_top(e.scroll_height());
        }
    });
    if p.lines.is_empty() {
        let text = if asked.find.is_empty() { a.log_empty } else { a.log_no_match };
        return view! { <p class="none quiet">{text}</p> }.erase();
    }
    let first = p.lines.first().map_or(0, |l| l.0);
    let earlier = (first > 0).then(|| {
        let to = first.saturating_sub(u64::from(PIECE)).to_string();
        view! { <a href=here.with(&[("offset", &to)])>{a.earlier}</a> }.erase()
    });
    let newest = asked.offset.is_some().then(|| view! { <a href=here.with(&[("offset", "")])>{a.newest}</a> }.erase());
    let find = asked.find.clone();
    let rows = p
        .lines
        .into_iter()
        .map(|(_, l)| view! { <span class=tone(&l)>{marked(&l, &find)}</span> }.erase())
        .collect_view();
    view! {
        <pre node_ref=pre tabindex="0" role="region" aria-label=a.log_lines>{rows}</pre>
        <p class="end">
            <span>{t.lines(count)}</span>
            <span>{(a.bytes_of)(&units::bytes(p.next.saturating_sub(first)), &units::bytes(p.length))}</span>
            {earlier}
            {newest}
        </p>
    }
    .erase()
}

/// The line with what was searched for marked.
fn marked(line: &str, find: &str) -> AnyView {
    let (low, needle) = (lowercase(line), lowercase(find));
    // Lower case can change a text's length; then nothing is marked rather than the wrong thing.
    let at = if needle.is_empty() || low.len() != line.len() { None } else { low.find(&needle) };
    let cut = at.and_then(|i| Some((line.get(..i)?, line.get(i..i + needle.len())?, line.get(i + needle.len()..)?)));
    match cut {
        Some((a, b, c)) => view! { {a.to_owned()}<mark>{b.to_owned()}</mark>{c.to_owned()} }.erase(),
        None => line.to_owned().into_any(),
    }
}
