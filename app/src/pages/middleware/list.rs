//! Each version's contract in plain words, the technical names behind the reader's own
//! switch.

use crate::api;
use crate::shell::prefs;
use crate::text::{Texts, units};
use crate::ui::{ButtonSize, Erase, LinkButton, Shape, empty, head, state_tag};
use leptos::prelude::*;
use padis_domain::stack::PackageForm;
use padis_domain::view::{StackState, StackView};

/// The list of middleware.
pub fn write(t: &'static Texts, all: Vec<StackView>) -> AnyView {
    let top = head(
        view! { <h1>{t.shell.middleware}</h1> }.erase(),
        view! { <p class="lead">{t.catalog.stacks_lead}</p> }.erase(),
        ().into_any(),
    );
    view! { {top} {cards(t, all)} }.erase()
}

fn cards(t: &'static Texts, all: Vec<StackView>) -> AnyView {
    let c = &t.catalog;
    if all.is_empty() {
        let none = empty(c.stacks_none, c.stacks_none_text, ().into_any());
        return view! { <h2 class="vh">{t.shell.middleware}</h2> {none} }.erase();
    }
    let cards = all.into_iter().map(|s| card(t, s)).collect_view();
    let hint = (!prefs().tech).then(|| view! { <p class="hint gap">{c.tech_hidden}</p> }.erase());
    view! { <div class="stacks">{cards}</div>{hint} }.erase()
}

/// The page of a version.
pub fn path(key: &str) -> String {
    format!("/middleware/{}", api::query::escape(key))
}

/// How long a version still has, if that is limited.
pub fn tag(t: &'static Texts, state: StackState) -> Option<AnyView> {
    let shape = match state {
        StackState::Standard => return None,
        StackState::Deprecated => Shape::Warn,
        StackState::Retired => Shape::Bad,
    };
    Some(state_tag(shape, t.stack_state(state)))
}

fn card(t: &'static Texts, s: StackView) -> AnyView {
    let c = &t.catalog;
    let k = &s.contract;
    let title = t.pick_with(|| k.title_zh.clone(), || k.title_en.clone());
    let kinds: Vec<&str> = k.kinds.iter().map(|k| t.package_kind(*k)).collect();
    let how = match k.form {
        PackageForm::File => c.takes_file,
        PackageForm::Tree => c.takes_tree,
    };
    let used = if s.used_by.is_empty() { c.used_none.to_owned() } else { t.apps_use_it(s.used_by.len()) };
    let apps =
        s.used_by.iter().take(6).map(|a| view! { <a href=api::app_path(a)>{a.app.clone()}</a> }.erase()).collect_view();
    let line = |word: &'static str, value: String| view! { <dt>{word}</dt><dd>{value}</dd> }.erase();
    let tech = prefs().tech.then(|| {
        let line = |word: &'static str, value: String| view! { <dt>{word}</dt><dd><code>{value}</code></dd> }.erase();
        view! {
            {line(c.port, k.port.to_string())}
            {line(c.path, k.package_path.clone())}
            {line(c.logs, k.log_path.clone())}
            {line(c.user, k.uid.to_string())}
            {line(c.image, s.image.clone())}
        }
        .erase()
    });
    let new = format!("/applications/new?stack={}", api::query::escape(&s.key));
    let use_it = (s.mark.state == StackState::Standard)
        .then(|| view! { <LinkButton href=new label=c.use_it size=ButtonSize::Small/> }.erase());
    view! {
        <article class="stack">
            <h2><a href=path(&s.key)>{title}</a> {tag(t, s.mark.state)}</h2>
            <p class="tech">{s.key.clone()}</p>
            <dl class="pairs">
                {line(c.takes, t.list(&kinds))}
                <dt></dt><dd class="second">{how}</dd>
                {line(c.starts, (c.starts_in)(k.start_s))}
                {line(c.needs, (c.needs_mem)(&units::mib(u64::from(k.min_mem_mib))))}
                {line(c.health, k.health_path.clone())}
                {line(c.size, units::bytes(s.bytes))}
                {line(c.built, s.created.chars().take(10).collect())}
                {tech}
            </dl>
            <p class="second">{used}</p>
            <p class="row">{apps}</p>
            <div class="row foot">{use_it}</div>
        </article>
    }
    .erase()
}
