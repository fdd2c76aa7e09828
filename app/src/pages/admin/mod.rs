//! Administration: teams, people, sessions, and what stands behind the portal.

mod people;
mod person;
mod sessions;
mod systems;
mod team;
mod teams;

pub use people::People;
pub use sessions::Sessions;
pub use systems::Systems;
#[cfg(feature = "ssr")]
pub use systems::write as write_systems;
pub use teams::Teams;

use crate::text::Texts;
use crate::ui::{Erase, Tab, head, tabs};
use leptos::prelude::*;

/// Head and tabs, the same on all four.
fn top(t: &'static Texts, at: &'static str, actions: AnyView) -> AnyView {
    let a = &t.admin;
    let tab = |path: &str, label: &str| Tab {
        href: format!("/admin/{path}"),
        label: label.to_owned(),
        count: None,
        current: path == at,
    };
    let all =
        vec![tab("teams", a.teams), tab("people", a.people), tab("sessions", a.sessions), tab("systems", a.systems)];
    view! {
        {head(
            view! { <h1>{t.shell.administration}</h1> }.erase(),
            view! { <p class="lead">{a.lead}</p> }.erase(),
            actions,
        )}
        {tabs(t.shell.administration, all)}
    }
    .erase()
}
