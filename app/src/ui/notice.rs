//! Notices (what happened, why, what next), empty lists with a first step, and
//! bones that stand where the rows will stand.

use super::Erase;
use super::{Shape, mark, state};
use leptos::prelude::*;

/// A notice. `what` is bold; `rest` may be empty; `actions` stand at the right.
pub fn notice(shape: Shape, what: impl Into<String>, rest: impl Into<String>, actions: AnyView) -> AnyView {
    let (what, rest): (String, String) = (what.into(), rest.into());
    let role = if matches!(shape, Shape::Bad | Shape::Warn) { "alert" } else { "status" };
    view! {
        <div class="note" data-s=shape.as_str() role=role>
            {mark(shape)}
            <div>
                <p><b>{what}</b></p>
                <p>{rest}</p>
            </div>
            <div class="row">{actions}</div>
        </div>
    }
    .erase()
}

/// An empty list: what will be here, and the first step.
pub fn empty(title: impl Into<String>, text: impl Into<String>, action: AnyView) -> AnyView {
    let (title, text): (String, String) = (title.into(), text.into());
    view! {
        <div class="empty">
            <h3>{title}</h3>
            <p>{text}</p>
            {action}
        </div>
    }
    .erase()
}

/// What stands in a list's place until it is here: as many rows, as high.
pub fn skeleton(what: impl Into<String>, rows: usize) -> AnyView {
    let bones = (0..rows)
        .map(|_| {
            view! { <span class="bones"><i class="bone"></i><i class="bone"></i><i class="bone"></i></span> }.erase()
        })
        .collect_view();
    view! {
        <div role="status" class="waiting">
            <p class="second">{state(Shape::Run, what)}</p>
            {bones}
        </div>
    }
    .erase()
}
