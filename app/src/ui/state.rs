//! A state: word, shape and colour together, never one of them alone.

use super::Erase;
use leptos::prelude::*;

/// Shape and colour of a state, as the style sheet's `data-s` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Disc with a tick: well.
    Ok,
    /// Open ring, turning: under way.
    Run,
    /// Dotted ring: waits.
    Wait,
    /// Half disc: leaving, resting.
    Leave,
    /// Triangle: needs a look.
    Warn,
    /// Cross: does not work.
    Bad,
    /// Bar: off.
    Off,
    /// Square: used.
    Used,
    /// Hollow square: free.
    Free,
    /// Diamond: kept aside.
    Held,
    /// Dot: says nothing by itself.
    Plain,
}

impl Shape {
    /// The value of `data-s`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Run => "run",
            Self::Wait => "wait",
            Self::Leave => "leave",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Off => "off",
            Self::Used => "used",
            Self::Free => "free",
            Self::Held => "held",
            Self::Plain => "plain",
        }
    }
}

/// A state as it stands in tables and text.
pub fn state(shape: Shape, word: impl Into<String>) -> AnyView {
    let word: String = word.into();
    view! { <span class="st" data-s=shape.as_str()>{word}</span> }.erase()
}
/// A state with its tint, for a page's title only.
pub fn state_tag(shape: Shape, word: impl Into<String>) -> AnyView {
    let word: String = word.into();
    view! { <span class="st tag" data-s=shape.as_str()>{word}</span> }.erase()
}
/// The shape alone, for where the word stands beside it anyway.
pub fn mark(shape: Shape) -> AnyView {
    view! { <span class="g" data-s=shape.as_str() aria-hidden="true"></span> }.erase()
}
