//! Activity: the journal, the work queue, the message centre.

mod centre;
mod journal;
mod work;

pub use centre::Centre;
#[cfg(feature = "ssr")]
pub use centre::write as write_centre;
pub use journal::Journal;
pub use work::Work;

use crate::shell::who;
use crate::text::Texts;
use crate::ui::{Tab, tabs};
use leptos::prelude::*;

/// The tabs; whoever may not see the platform's inside has only one, so none.
fn activity_tabs(t: &'static Texts, at: &str) -> AnyView {
    let a = &t.activity;
    if who().0.is_none_or(|c| c.inspector().is_err()) {
        return ().into_any();
    }
    let tab =
        |href: &str, label: &str| Tab { href: href.into(), label: label.into(), count: None, current: href == at };
    let all = [("/activity", a.journal), ("/activity/work", a.work), ("/activity/centre", a.centre)];
    tabs(t.shell.activity, all.map(|(href, label)| tab(href, label)).into())
}
