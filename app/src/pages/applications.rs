//! The list of applications: filter, search, order and page stand in the address.

use super::overview::new_refused;
use super::page;
use super::parts::{live, pages_of, use_list};
use crate::api::{self, app_path};
use crate::context::Prefs;
use crate::fetch::Fetch;
use crate::shell::{PageTitle, use_here, who};
use crate::text::words::app_shape;
use crate::text::{Texts, texts};
use crate::ui::{
    Button, Erase, Icon, LinkButton, SelectField, Table, TextField, Tone, UrlState, col, empty, head, sort_head, state,
};
use leptos::prelude::*;
use padis_domain::action::AppState;
use padis_domain::view::{AppRow, ListQuery, Page};

/// The list.
#[component]
pub fn Applications() -> AnyView {
    let t = texts();
    let a = &t.apps;
    let list = use_list();
    let here = use_here();
    let changed = live(&["apps"]);
    let data = Fetch::new(move || (list.get(), changed.get()), |(q, _)| api::apps(q));
    let new = match new_refused() {
        Some(r) => view! { <LinkButton id="new" href="/applications/new" label=a.new tone=Tone::Primary glyph=Icon::Plus refused=r/> }.erase(),
        None => view! { <LinkButton href="/applications/new" label=a.new tone=Tone::Primary glyph=Icon::Plus/> }.erase(),
    };
    view! {
        <PageTitle text=t.shell.applications/>
        {head(view! { <h1>{t.shell.applications}</h1> }.erase(), ().into_any(), new)}
        {move || filters(t, &list.get(), &here.get())}
        {page(t.shell.applications, data, move |d| rows(t, d, list.get_untracked(), here.get_untracked()))}
    }
    .erase()
}

fn filters(t: &'static Texts, q: &ListQuery, here: &UrlState) -> AnyView {
    let a = &t.apps;
    let mut states = vec![(String::new(), a.all_states.to_owned())];
    states.extend(AppState::ALL.iter().map(|s| (s.to_string(), t.app_state(*s).to_owned())));
    let mut teams = vec![(String::new(), a.all_teams.to_owned())];
    teams.extend(who().0.into_iter().flat_map(|c| c.teams.into_keys()).map(|s| (s.clone(), s)));
    if !q.team.is_empty() && !teams.iter().any(|(s, _)| *s == q.team) {
        teams.push((q.team.clone(), q.team.clone()));
    }
    view! {
        <form class="filters" method="get" action="/applications">
            {here.hidden(&["q", "state", "team", "page"])}
            <TextField id="q" label=a.search kind="search" value=q.q.clone()/>
            <SelectField id="state" label=t.shell.state options=states value=q.state.clone()/>
            <SelectField id="team" label=t.shell.team options=teams value=q.team.clone()/>
            <Button label=t.shell.filter glyph=Icon::Filter/>
        </form>
    }
    .erase()
}

fn rows(t: &'static Texts, d: Page<AppRow>, q: ListQuery, here: UrlState) -> AnyView {
    let a = &t.apps;
    if d.rows.is_empty() {
        let filtered = !q.q.is_empty() || !q.state.is_empty() || !q.team.is_empty() || q.stage.is_some();
        if filtered {
            let clear = view! { <LinkButton href="/applications" label=a.clear/> }.erase();
            return empty(a.no_match_title, a.no_match_text, clear);
        }
        let first = view! { <LinkButton href="/applications/new" label=a.new glyph=Icon::Plus/> }.erase();
        return empty(a.none_title, a.none_text, first);
    }
    let tech = use_context::<Prefs>().unwrap_or_default().tech;
    let now = d.rows.iter().map(|r| r.changed_at).max().unwrap_or_default();
    let body = d.rows.iter().map(|r| row(t, r, now, tech)).collect_view();
    let heads = view! {
        {sort_head(&here, "name", a.application, false, "")}
        {sort_head(&here, "state", t.shell.state, false, "")}
        {sort_head(&here, "team", t.shell.team, false, "lo")}
        {sort_head(&here, "pool", a.pool, false, "lo")}
        {col(a.stack, "lo md")}
        {sort_head(&here, "instances", a.instances, true, "")}
        {col(a.size, "lo md")}
        {sort_head(&here, "release", a.release, true, "lo md")}
    }
    .erase();
    view! {
        <Table label=t.shell.applications head=heads.into_any()>{body}</Table>
        {pages_of(t, &here, d.page, d.per_page, d.total)}
    }
    .erase()
}

fn row(t: &'static Texts, r: &AppRow, _now: i64, tech: bool) -> AnyView {
    let second = tech.then(|| view! { <span class="tech">{r.app.marathon_id(r.release)}</span> }.erase());
    view! {
        <tr>
            <th scope="row"><a href=app_path(&r.app)>{r.title.clone()}</a>{second}</th>
            <td>{state(app_shape(r.state), t.app_state(r.state))}</td>
            <td class="lo">{r.team_title.clone()}</td>
            <td class="lo">{r.pool.clone()}" "<span class="quiet">{t.stage(r.stage)}</span></td>
            <td class="lo md">{r.stack.clone()}</td>
            <td class="num">{r.well}" "<span class="unit">"/ "{r.wanted}</span></td>
            <td class="lo md">{t.size_short(r.size)}</td>
            <td class="num lo md">"r"{r.release}</td>
        </tr>
    }
    .erase()
}
