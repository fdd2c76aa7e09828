//! Fields: label, control, then one line that is a hint, an error or good news.
//!
//! The initial value stands in the HTML, so a form comes back complete without
//! JavaScript; `on_input` tells the page what is typed. One could get it wrong by
//! binding the property to a signal that starts empty: what was typed before the
//! browser half arrived would be wiped.

use super::Erase;
use leptos::html::Input;
use leptos::prelude::*;

/// The id of the line below the field `id`, for `aria-describedby`.
pub fn described(id: &str) -> String {
    format!("{id}-line")
}

/// Label and line around any control. The control must carry `id`.
#[component]
pub fn Field(
    /// The control's id.
    #[prop(into)]
    id: String,
    /// The label.
    #[prop(into)]
    label: String,
    /// A word beside the label, e.g. "optional".
    #[prop(optional, into)]
    note: Option<String>,
    /// The line when nothing is wrong.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What is wrong.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Good news instead of the hint.
    #[prop(optional, into)]
    fine: Signal<Option<String>>,
    /// The control.
    children: Children,
) -> AnyView {
    around(id, label, note, hint, error, fine, children().into_any())
}

fn around(
    id: String,
    label: String,
    note: Option<String>,
    hint: Option<String>,
    error: Signal<Option<String>>,
    fine: Signal<Option<String>>,
    control: AnyView,
) -> AnyView {
    let line_id = described(&id);
    let line = move || {
        let id = line_id.clone();
        if let Some(e) = error.get() {
            view! { <p class="err" id=id><span>{e}</span></p> }.erase()
        } else if let Some(f) = fine.get() {
            view! { <p class="fine" id=id>{f}</p> }.erase()
        } else {
            view! { <p class="hint" id=id>{hint.clone()}</p> }.erase()
        }
    };
    view! {
        <div class="field">
            <label for=id>
                <span>{label}</span>
                {note.map(|n| view! { <span class="opt">{n}</span> }.erase())}
            </label>
            {control}
            {line}
        </div>
    }
    .erase()
}

/// A line of text.
#[component]
pub fn TextField(
    /// Id.
    #[prop(into)]
    id: String,
    /// Name in the form; the id if not given.
    #[prop(optional, into)]
    name: Option<String>,
    /// Label.
    #[prop(into)]
    label: String,
    /// Initial value.
    #[prop(optional, into)]
    value: String,
    /// A value that the page sets by itself later (a suggestion).
    #[prop(optional, into)]
    follow: Option<Signal<String>>,
    /// Word beside the label.
    #[prop(optional, into)]
    note: Option<String>,
    /// Hint.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What is wrong.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Good news.
    #[prop(optional, into)]
    fine: Signal<Option<String>>,
    /// `text`, `password`, `search`, `number` …
    #[prop(default = "text")]
    kind: &'static str,
    /// For addresses, paths, names: the code face, no spell checker.
    #[prop(optional)]
    code: bool,
    /// `autocomplete`.
    #[prop(optional, into)]
    autocomplete: Option<&'static str>,
    /// `inputmode`.
    #[prop(optional, into)]
    inputmode: Option<&'static str>,
    /// Shown behind the input, e.g. a unit or the domain.
    #[prop(optional, into)]
    suffix: Signal<Option<String>>,
    /// Needed to submit.
    #[prop(optional)]
    required: bool,
    /// Placeholder.
    #[prop(optional, into)]
    placeholder: Option<String>,
    /// Told what is typed.
    #[prop(optional, into)]
    on_input: Option<Callback<String>>,
) -> AnyView {
    let line = described(&id);
    let name = name.unwrap_or_else(|| id.clone());
    let node = NodeRef::<Input>::new();
    if let Some(f) = follow {
        // Only what changes later is set: the HTML carries the first value, and what
        // was typed before the browser half arrived stays.
        Effect::new(move |before: Option<String>| {
            let now = f.get();
            if let Some(input) = node.get_untracked().filter(|i| before.is_some() && i.value() != now) {
                input.set_value(&now);
            }
            now
        });
    }
    let input = view! {
        <input
            node_ref=node
            class=if code { "in code" } else { "in" }
            id=id.clone()
            name=name
            type=kind
            value=value
            spellcheck=code.then_some("false")
            autocapitalize=code.then_some("none")
            autocomplete=autocomplete
            inputmode=inputmode
            required=required
            placeholder=placeholder
            aria-describedby=line
            aria-invalid=move || error.with(Option::is_some).then_some("true")
            on:input=move |e| {
                if let Some(f) = on_input {
                    f.run(event_target_value(&e));
                }
            }
        />
    }
    .erase();
    let control = view! {
        <div class="affix">
            {input}
            {move || suffix.get().map(|s| view! { <span>{s}</span> }.erase())}
        </div>
    }
    .erase();
    around(id, label, note, hint, error, fine, control.into_any())
}

/// What stands in a text area, as markup: of all elements, Leptos writes this one's text as it
/// is, and whoever typed `</textarea>` would write the rest of the page.
fn inside(text: String) -> String {
    if cfg!(feature = "ssr") { text.replace('&', "&amp;").replace('<', "&lt;") } else { text }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    /// Id and name in the form.
    #[prop(into)]
    id: String,
    /// Label.
    #[prop(into)]
    label: String,
    /// Initial value.
    #[prop(optional, into)]
    value: String,
    /// Word beside the label.
    #[prop(optional, into)]
    note: Option<String>,
    /// Hint.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What is wrong.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// The code face.
    #[prop(optional)]
    code: bool,
    /// Told what is typed.
    #[prop(optional, into)]
    on_input: Option<Callback<String>>,
) -> AnyView {
    let control = view! {
        <textarea
            class=if code { "in code" } else { "in" }
            id=id.clone()
            name=id.clone()
            spellcheck=code.then_some("false")
            aria-describedby=described(&id)
            aria-invalid=move || error.with(Option::is_some).then_some("true")
            on:input=move |e| {
                if let Some(f) = on_input {
                    f.run(event_target_value(&e));
                }
            }
        >
            {inside(value)}
        </textarea>
    }
    .erase();
    around(id, label, note, hint, error, Signal::stored(None), control.into_any())
}

/// A choice from a list.
#[component]
pub fn SelectField(
    /// Id.
    #[prop(into)]
    id: String,
    /// Name in the form; the id if not given.
    #[prop(optional, into)]
    name: Option<String>,
    /// Label.
    #[prop(into)]
    label: String,
    /// Values and their words.
    options: Vec<(String, String)>,
    /// The chosen value.
    #[prop(optional, into)]
    value: String,
    /// Hint.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What is wrong.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Told what is chosen.
    #[prop(optional, into)]
    on_change: Option<Callback<String>>,
) -> AnyView {
    let name = name.unwrap_or_else(|| id.clone());
    let options = options
        .into_iter()
        .map(|(v, word)| {
            let chosen = v == value;
            view! { <option value=v selected=chosen>{word}</option> }.erase()
        })
        .collect_view();
    let control = view! {
        <span class="pull i-down">
            <select
                class="in"
                id=id.clone()
                name=name
                aria-describedby=described(&id)
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                on:change=move |e| {
                    if let Some(f) = on_change {
                        f.run(event_target_value(&e));
                    }
                }
            >
                {options}
            </select>
        </span>
    }
    .erase();
    around(id, label, None, hint, error, Signal::stored(None), control.into_any())
}

/// A whole number with a unit; the native stepper and keyboard do the rest.
#[component]
pub fn NumberField(
    /// Id.
    #[prop(into)]
    id: String,
    /// Name in the form; the id if not given.
    #[prop(optional, into)]
    name: Option<String>,
    /// Label.
    #[prop(into)]
    label: String,
    /// Initial value; a text, so that what was typed wrongly comes back.
    #[prop(into)]
    value: String,
    /// Smallest.
    min: i64,
    /// Largest.
    max: i64,
    /// Step of the stepper.
    #[prop(default = 1)]
    step: i64,
    /// Unit behind the number.
    #[prop(optional, into)]
    unit: Option<String>,
    /// Hint.
    #[prop(optional, into)]
    hint: Option<String>,
    /// What is wrong.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Told what is typed.
    #[prop(optional, into)]
    on_input: Option<Callback<String>>,
) -> AnyView {
    let name = name.unwrap_or_else(|| id.clone());
    let line = described(&id);
    let control = view! {
        <div class="affix">
            <input
                class="in"
                id=id.clone()
                name=name
                type="number"
                inputmode="numeric"
                value=value
                min=min
                max=max
                step=step
                aria-describedby=line
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                on:input=move |e| {
                    if let Some(f) = on_input {
                        f.run(event_target_value(&e));
                    }
                }
            />
            {unit.map(|u| view! { <span>{u}</span> }.erase())}
        </div>
    }
    .erase();
    around(id, label, None, hint, error, Signal::stored(None), control.into_any())
}
