//! The overview: what needs attention now, first; then a few honest figures.

mod attention;
mod figures;
mod lists;

use super::page;
use super::parts::live;
use crate::api;
use crate::fetch::Fetch;
use crate::shell::{PageTitle, who};
use crate::text::texts;
use crate::ui::{Erase, Icon, LinkButton, Tone, empty, head};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use padis_domain::view::Overview as Data;
use padis_domain::words::Stage;

/// The overview.
#[component]
pub fn Overview() -> AnyView {
    let t = texts();
    let query = use_query_map();
    let stage = Memo::new(move |_| query.with(|q| q.get("stage")).and_then(|s| Stage::parse(&s)));
    let changed = live(&["apps", "pools", "work", "systems"]);
    let data = Fetch::new(move || (stage.get(), changed.get()), |(s, _)| api::overview(s));
    view! {
        <PageTitle text=t.shell.overview/>
        {page(t.shell.overview, data, move |d| body(d, stage.get_untracked()))}
    }
    .erase()
}

/// Why the reader may not create an application; `None` if he may.
pub fn new_refused() -> Option<String> {
    let t = texts();
    let me = who().0?;
    let may = !me.read_only() && (!me.teams.is_empty() || me.operator().is_ok());
    (!may).then(|| t.new_app.need_team.to_owned())
}

fn body(d: Data, stage: Option<Stage>) -> AnyView {
    let t = texts();
    let o = &t.overview;
    let date = t.long_date(d.now);
    let lead = match stage {
        None => (o.lead_all)(&date),
        Some(s) => (o.lead_stage)(&date, t.stage(s)),
    };
    let new = match new_refused() {
        Some(r) => view! { <LinkButton id="new" href="/applications/new" label=o.first_step tone=Tone::Primary glyph=Icon::Plus refused=r/> }.erase(),
        None => view! { <LinkButton href="/applications/new" label=o.first_step tone=Tone::Primary glyph=Icon::Plus/> }.erase(),
    };
    let title = head(view! { <h1>{t.shell.overview}</h1> }.erase(), view! { <p class="lead">{lead}</p> }.erase(), new);
    if d.apps.is_empty() && d.attention.is_empty() {
        let action = view! { <LinkButton href="/applications/new" label=o.first_step glyph=Icon::Plus/> }.erase();
        return view! { {title} {empty(o.first_title, o.first_text, action)} {lists::lists(&d)} }.erase();
    }
    view! {
        {title}
        {attention::attention(&d)}
        {figures::figures(&d)}
        {lists::lists(&d)}
    }
    .erase()
}
