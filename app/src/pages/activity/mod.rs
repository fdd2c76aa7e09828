//! Activity: the journal and the work queue.

mod journal;
mod work;

pub use journal::Journal;
pub use work::Work;

use crate::shell::who;
use crate::text::Texts;
use crate::ui::{Tab, tabs};
use leptos::prelude::*;

/// The two tabs; whoever may not see the platform's inside has only one, so none.
fn two_tabs(t: &'static Texts, at_work: bool) -> AnyView {
    let a = &t.activity;
    if who().0.is_none_or(|c| c.inspector().is_err()) {
        return ().into_any();
    }
    let tab = |href: &str, label: &str, current| Tab { href: href.into(), label: label.into(), count: None, current };
    tabs(t.shell.activity, vec![tab("/activity", a.journal, !at_work), tab("/activity/work", a.work, at_work)])
}
