//! Activity: the journal, the work queue, the message centre.

mod centre;
mod journal;
mod work;

pub use centre::Centre;
#[cfg(feature = "ssr")]
pub use centre::write as write_centre;
pub use journal::Journal;
#[cfg(feature = "ssr")]
pub use journal::write as write_journal;
pub use work::Work;

use crate::api;
use crate::shell::who;
use crate::text::Texts;
use crate::ui::{Erase, Tab, tabs};
use leptos::prelude::*;
use padis_domain::app::AppRef;

/// The tabs; whoever may not see the platform's inside has only one, so none.
fn activity_tabs(t: &'static Texts, at: &str) -> AnyView {
    if who().0.is_none_or(|c| c.inspector().is_err()) {
        return ().into_any();
    }
    tabs_of(t, at)
}

/// The tabs of those who may see the platform's inside.
fn tabs_of(t: &'static Texts, at: &str) -> AnyView {
    let a = &t.activity;
    let tab =
        |href: &str, label: &str| Tab { href: href.into(), label: label.into(), count: None, current: href == at };
    let all = [("/activity", a.journal), ("/activity/work", a.work), ("/activity/centre", a.centre)];
    tabs(t.shell.activity, all.map(|(href, label)| tab(href, label)).into())
}

/// What a row is about, as a link where there is a page for it.
fn subject(s: &str) -> AnyView {
    let s = s.strip_prefix("work:").unwrap_or(s);
    let (kind, name) = s.split_once(':').unwrap_or(("", s));
    let name = name.to_owned();
    let href = match (kind, name.split_once('/')) {
        ("app", Some((team, app))) => Some(api::app_path(&AppRef { team: team.into(), app: app.into() })),
        ("pool", _) => Some(api::pool_path(&name)),
        ("addresses", _) => Some(format!("/addresses/{}", api::query::escape(&name))),
        ("package", _) => Some(format!("/packages/{}", api::query::escape(&name))),
        ("bench", _) => Some(format!("/images/workbenches/{}", api::query::escape(&name))),
        ("recipe", _) => Some(format!("/images/recipes/{}", api::query::escape(&name))),
        ("team", _) => Some(format!("/admin/teams?edit={}", api::query::escape(&name))),
        ("person", _) => Some(format!("/admin/people?edit={}", api::query::escape(&name))),
        _ => None,
    };
    // Twelve digits tell two packages apart; the row's other half is on its page.
    let short = if matches!(kind, "package" | "bench" | "recipe") { name.chars().take(12).collect() } else { name };
    match href {
        Some(href) => view! { <a href=href>{short}</a> }.erase(),
        None => s.to_owned().into_any(),
    }
}
