//! Step 1: middleware.

use super::draft::Draft;
use crate::context::{Lang, Prefs};
use crate::text::texts;
use crate::ui::{Erase, Pick, Shape, notice};
use leptos::prelude::*;
use padis_domain::view::{StackView, fits};

/// The title in the reader's language.
pub fn title(s: &StackView) -> String {
    match use_context::<Prefs>().unwrap_or_default().lang {
        Lang::Zh => s.contract.title_zh.clone(),
        Lang::En => s.contract.title_en.clone(),
    }
}

/// Two letters that stand for a middleware.
pub fn letters(s: &StackView) -> String {
    let mut c = s.contract.name.chars().filter(char::is_ascii_alphabetic);
    let first = c.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(c.nth(1)).collect()
}

/// The step.
pub fn step(d: Draft) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let body = view! {
        {move || cards(d)}
        {problem("stack-line", d.error("stack"))}
    }
    .erase();
    let done = Signal::derive(move || d.chosen_stack().is_some());
    super::step(1, "s1", n.stack, n.stack_lead.to_owned(), done, body)
}

fn cards(d: Draft) -> AnyView {
    let n = &texts().new_app;
    let cards = d.options.with(|o| o.stacks.iter().map(|s| card(d, s)).collect::<Vec<_>>());
    if cards.is_empty() {
        return notice(Shape::Warn, n.no_stacks, "", ().into_any());
    }
    view! {
        <fieldset class="grid2" aria-describedby="stack-line">
            <legend class="vh">{n.stack}</legend>
            {cards}
        </fieldset>
    }
    .erase()
}

/// The line below a group of cards.
pub fn problem(id: &'static str, error: Signal<Option<String>>) -> AnyView {
    view! {
        <div id=id class="gap-s" aria-live="polite">
            {move || error.get().map(|e| view! { <p class="err"><span>{e}</span></p> }.erase())}
        </div>
    }
    .erase()
}

fn card(d: Draft, s: &StackView) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let kinds: Vec<String> = s.contract.kinds.iter().map(|k| format!(".{k}")).collect();
    let takes = (n.takes)(&t.list(&kinds));
    let contract = s.contract.clone();
    let about = move || match d.chosen_package() {
        Some(p) if fits(p.facts.kind, &contract) => format!("{takes} · {}", n.suggested),
        _ => takes.clone(),
    };
    let (key, me) = (s.key.clone(), s.key.clone());
    let checked = d.stack.with_untracked(|k| *k == s.key);
    let tech = use_context::<Prefs>().unwrap_or_default().tech;
    let image = tech.then(|| view! { <span class="tech">{s.image.clone()}</span> }.erase());
    let (sign, word, plain) = (letters(s), title(s), s.key.clone());
    view! {
        <Pick
            name="stack"
            value=key
            checked=checked
            follow=Signal::derive(move || d.stack.with(|k| *k == me))
            class="mw"
            on_pick=Callback::new(move |k| {
                d.own_stack.set(true);
                d.stack.set(k);
                d.path_from_stack();
            })
        >
            <span class="mark" aria-hidden="true">{sign}</span>
            <span><b>{word}</b></span>
            <span class="second">{move || about()}</span>
            <span class="tech">{plain}</span>
            {image}
        </Pick>
    }
    .erase()
}
