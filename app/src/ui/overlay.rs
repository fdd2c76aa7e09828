//! Overlays on the platform's own popovers: they open, close by Escape and take
//! the focus without a line of script, so they work before the browser half has
//! arrived and without it.

use super::Erase;
use super::{ButtonSize, Icon, Popover, Tone, button, icon};
use leptos::prelude::*;

/// The button that opens the dialog or menu `target`.
pub fn dialog_button(
    target: &str,
    label: impl Into<String>,
    tone: Tone,
    size: ButtonSize,
    glyph: Option<Icon>,
) -> AnyView {
    let (target, label): (String, String) = (target.to_owned(), label.into());
    view! {
        <button class=button::class(tone, size) type="button" popovertarget=target aria-haspopup="dialog">
            {glyph.map(icon)}
            <span>{label}</span>
        </button>
    }
    .erase()
}

/// A dialog; [`dialog_button`] opens it.
#[component]
pub fn Dialog(
    /// Its id.
    #[prop(into)]
    id: String,
    /// Its heading.
    #[prop(into)]
    title: String,
    /// The label of the button that closes it.
    #[prop(into)]
    close: String,
    /// What it holds: a form with its own buttons.
    children: Children,
) -> AnyView {
    let heading = format!("{id}-h");
    let target = id.clone();
    let labelled = heading.clone();
    view! {
        <div id=id aria-labelledby=labelled role="dialog" class="dlg" {..Popover}>
            <div class="dlg-h row apart">
                <h2 id=heading>{title}</h2>
                <button class="btn quiet s icon" type="button" popovertarget=target popovertargetaction="hide" aria-label=close>
                    {icon(Icon::X)}
                </button>
            </div>
            {children()}
        </div>
    }
    .erase()
}

/// A menu below a button that shows only an icon or a short word.
#[component]
pub fn Menu(
    /// Its id.
    #[prop(into)]
    id: String,
    /// The button's label for screen readers and on hover.
    #[prop(into)]
    label: String,
    /// The button's icon.
    glyph: Icon,
    /// Extra class of the button.
    #[prop(optional)]
    class: &'static str,
    /// The menu's content.
    children: Children,
) -> AnyView {
    let (target, said, title) = (id.clone(), label.clone(), label.clone());
    view! {
        <div class=format!("menu {class}")>
            <button class="btn quiet icon" type="button" popovertarget=target aria-label=said title=title>
                {icon(glyph)}
            </button>
            <div id=id aria-label=label role="group" class="pop" {..Popover}>{children()}</div>
        </div>
    }
    .erase()
}

/// The field that unlocks the irreversible: the name must be typed. The server
/// checks the same, so without scripts the button is simply pressed too early.
#[component]
pub fn Confirm(
    /// Id and name of the field.
    #[prop(into)]
    id: String,
    /// "Type {name} to confirm".
    #[prop(into)]
    label: String,
    /// The name.
    #[prop(into)]
    name: String,
    /// What is wrong, if the server said no.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Told whether what is typed is the name.
    on_match: Callback<bool>,
) -> AnyView {
    view! {
        <super::TextField
            id=id
            name="confirm"
            label=label
            code=true
            autocomplete="off"
            required=true
            error=error
            on_input=Callback::new(move |typed: String| on_match.run(typed.trim() == name))
        />
    }
    .erase()
}
