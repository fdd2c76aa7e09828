//! Buttons. One that may not be pressed keeps its focus and says why
//! (`aria-disabled` with a description), so nobody has to guess.

use super::Erase;
use super::{Icon, icon};
use leptos::{ev, prelude::*};

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Outlined.
    #[default]
    Plain,
    /// The one that a view is about.
    Primary,
    /// Without an edge.
    Quiet,
    /// Leads to something destructive.
    Danger,
    /// Does something destructive.
    Destroy,
}
/// How large a button is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ButtonSize {
    /// 32 px.
    #[default]
    Normal,
    /// 28 px.
    Small,
    /// 24 px, inside table rows.
    Tiny,
    /// As wide as what it stands in.
    Wide,
}

pub(super) fn class(tone: Tone, size: ButtonSize) -> String {
    let tone = match tone {
        Tone::Plain => "",
        Tone::Primary => " primary",
        Tone::Quiet => " quiet",
        Tone::Danger => " danger",
        Tone::Destroy => " destroy",
    };
    let size = match size {
        ButtonSize::Normal => "",
        ButtonSize::Small => " s",
        ButtonSize::Tiny => " xs",
        ButtonSize::Wide => " wide",
    };
    format!("btn{tone}{size}")
}

/// The line that says why a button is disabled; `id` is what the button's
/// `aria-describedby` names.
pub fn why(id: String, i: Icon, text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <p class="why" id=id>{icon(i)}<span>{text}</span></p> }.erase()
}

/// A button. Without `on_press` it submits the form it stands in. When `refused`
/// holds a reason the button does nothing, and the reason stands behind it.
#[component]
pub fn Button(
    /// What it says.
    #[prop(into)]
    label: String,
    /// Its id: needed for the reason, so it is always given when `refused` is.
    #[prop(optional, into)]
    id: String,
    /// Look.
    #[prop(optional)]
    tone: Tone,
    /// Size.
    #[prop(optional)]
    size: ButtonSize,
    /// Icon before the label.
    #[prop(optional, into)]
    glyph: Option<Icon>,
    /// Name of the form's value.
    #[prop(optional, into)]
    name: Option<String>,
    /// The form's value.
    #[prop(optional, into)]
    value: Option<String>,
    /// Id of the form, when it does not stand in it.
    #[prop(optional, into)]
    form: Option<String>,
    /// Where the form goes instead of its own address.
    #[prop(optional, into)]
    formaction: Option<String>,
    /// Why it can't be pressed now.
    #[prop(optional, into)]
    refused: Signal<Option<String>>,
    /// Shows the reason elsewhere (the caller places [`why`] itself).
    #[prop(optional)]
    bare: bool,
    /// What it does, if it submits nothing; with a `formaction`, what it does instead.
    #[prop(optional, into)]
    on_press: Option<Callback<()>>,
    /// A more precise label for screen readers.
    #[prop(optional, into)]
    aria: Option<String>,
) -> AnyView {
    let why_id = format!("{id}-why");
    let described = why_id.clone();
    let press = move |e: ev::MouseEvent| {
        if refused.with_untracked(Option::is_some) {
            e.prevent_default();
        } else if let Some(f) = on_press {
            e.prevent_default();
            f.run(());
        }
    };
    // One that goes somewhere of its own still goes there without scripts.
    let own = on_press.is_some() && formaction.is_none();
    let kind = move || if own || refused.with(Option::is_some) { "button" } else { "submit" };
    let button = view! {
        <button
            class=class(tone, size)
            type=kind
            id=(!id.is_empty()).then_some(id)
            name=name
            value=value
            form=form
            formaction=formaction
            aria-label=aria
            aria-disabled=move || refused.with(Option::is_some).then_some("true")
            aria-describedby=move || refused.with(Option::is_some).then(|| described.clone())
            on:click=press
        >
            {glyph.map(icon)}
            <span>{label}</span>
        </button>
    }
    .erase();
    if bare {
        return button.into_any();
    }
    view! {
        {button}
        {move || refused.get().map(|r| why(why_id.clone(), Icon::Lock, r))}
    }
    .erase()
}

/// A link that looks like a button.
#[component]
pub fn LinkButton(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// What it says.
    #[prop(into)]
    label: String,
    /// Look.
    #[prop(optional)]
    tone: Tone,
    /// Size.
    #[prop(optional)]
    size: ButtonSize,
    /// Icon before the label.
    #[prop(optional, into)]
    glyph: Option<Icon>,
    /// Why it can't be followed now.
    #[prop(default = None, into)]
    refused: Option<String>,
    /// Id: needed when `refused` is given.
    #[prop(optional, into)]
    id: String,
    /// Leaves the pages (a download, another host).
    #[prop(optional)]
    external: bool,
) -> AnyView {
    let class = class(tone, size);
    match refused {
        None => view! {
            <a class=class href=href id=(!id.is_empty()).then_some(id) rel=external.then_some("external")>
                {glyph.map(icon)}
                <span>{label}</span>
            </a>
        }
        .erase(),
        Some(reason) => {
            let why_id = format!("{id}-why");
            view! {
                <button class=class type="button" id=id aria-disabled="true" aria-describedby=why_id.clone()>
                    {glyph.map(icon)}
                    <span>{label}</span>
                </button>
                {why(why_id, Icon::Lock, reason)}
            }
            .erase()
        }
    }
}
