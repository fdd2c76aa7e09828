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
pub use table::{Table, cell, col, col_num, empty_row};
