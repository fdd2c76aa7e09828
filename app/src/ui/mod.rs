//! The kit: every piece that a screen is made of, on native HTML.
//!
//! It knows nothing of Padis: no type of the domain appears here, and every word
//! arrives as an argument. Pieces return [`AnyView`](leptos::prelude::AnyView),
//! so that a page's type stays small in the browser's binary. One could get it
//! wrong with an inline style (the Content-Security-Policy forbids them), with a
//! label that is optional, or with an id that differs between server and browser.

mod button;
mod chart;
mod clock;
mod copy;
mod field;
mod frame;
mod icon;
mod list;
mod measure;
mod notice;
mod overlay;
mod pick;
mod popover;
mod rail;
mod state;
mod table;

pub use button::{Button, ButtonSize, LinkButton, Tone, why};
pub use chart::{Bars, Line, bar_chart, line_chart};
pub use clock::{Stopwatch, Ticker};
pub use copy::CopyButton;
pub use field::{Field, NumberField, SelectField, TextArea, TextField, described};
pub use frame::{Tab, facts, head, section, section_with, tabs};
pub use icon::{Icon, icon};
pub use list::{PagerWords, UrlState, pager, sort_head};
pub use measure::{Capacity, capacity, legend, meter};
pub use notice::{empty, notice, skeleton};
pub use overlay::{Confirm, Dialog, Menu, dialog_button};
pub use pick::{Pick, seg_links};
pub use popover::Popover;
pub use rail::{Stop, Trace, rail};
pub use state::{Shape, mark, state, state_tag};
#[cfg(feature = "ssr")]
pub use table::col_actions;
pub use table::{Table, cell, col, col_num, empty_row};

/// Runs something in the browser, now and whenever what it read has changed. One
/// kind of effect for all: each further one costs the browser's binary 1.5 kB.
pub fn effect(run: impl FnMut() + 'static) {
    fn boxed(mut run: Box<dyn FnMut()>) {
        leptos::prelude::Effect::new(move |_| run());
    }
    boxed(Box::new(run));
}

/// Makes what `view!` gives an [`AnyView`](leptos::prelude::AnyView). `into_any` would do, but of the type
/// that `view!` wraps around the element: one more than the same element inside
/// another one, and each costs the browser's binary 1 kB.
pub trait Erase {
    /// The view without its type.
    fn erase(self) -> leptos::prelude::AnyView;
}
impl<T: leptos::prelude::IntoAny> Erase for leptos::prelude::View<T> {
    fn erase(self) -> leptos::prelude::AnyView {
        self.into_inner().into_any()
    }
}
