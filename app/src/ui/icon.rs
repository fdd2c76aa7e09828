//! Icons: SVG shapes that the style sheet holds as masks, so that they take the
//! colour of the text and cost the browser's binary nothing. They are always
//! decoration: the word stands beside them or in the button's label.

use super::Erase;
use leptos::prelude::*;

macro_rules! icons {
    ($($v:ident = $c:literal),* $(,)?) => {
        /// An icon of the set in `style/base.css`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Icon { $(#[doc = $c] $v),* }
        impl Icon {
            /// Its classes.
            pub const fn class(self) -> &'static str {
                match self { $(Self::$v => concat!("i i-", $c)),* }
            }
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$v),*];
        }
    };
}
icons! {
    Overview = "overview", Apps = "apps", Stack = "stack", Package = "package", Pool = "pool",
    Address = "address", Names = "names", Balancer = "balancer", Activity = "activity", Admin = "admin",
    Kit = "kit", Search = "search", Menu = "menu", Down = "down", Right = "right", Left = "left",
    Plus = "plus", Minus = "minus", Ext = "ext", Copy = "copy", Upload = "upload", File = "file", X = "x",
    RollBack = "rollback", Restart = "restart", Clock = "clock", Lock = "lock", Filter = "filter",
    Info = "info", Person = "person", Size = "size", Pause = "pause", Play = "play", Sort = "sort",
    Asc = "asc", Desc = "desc", Download = "download", Off = "off", Theme = "theme", More = "more",
}

/// An icon, hidden from screen readers.
pub fn icon(i: Icon) -> AnyView {
    view! { <span class=i.class() aria-hidden="true"></span> }.erase()
}
