//! The list of teams; which one is being changed stands in the address.

use super::team::{FIELDS, team_form};
use super::top;
use crate::api::form::TeamForm;
use crate::api::{self, DeleteTeam, PutTeam, use_kept};
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{Act, act, live, operator_refused, use_param};
use crate::shell::PageTitle;
use crate::text::{Texts, texts};
use crate::ui::{ButtonSize, Erase, Icon, LinkButton, Table, Tone, col, col_num, empty};
use leptos::prelude::*;
use padis_domain::view::TeamView;

/// The teams' page.
#[component]
pub fn Teams() -> AnyView {
    let t = texts();
    let (open, changed) = (use_param("edit"), live(&["apps"]));
    let (put, delete) = (act::<PutTeam>(), act::<DeleteTeam>());
    let kept = use_kept::<TeamForm>("put_team");
    let data = Fetch::new(
        move || (changed.get(), put.told.version.get(), delete.told.version.get()),
        |_| async move {
            let teams = api::teams().await?;
            Ok((teams, api::once().await?)) as api::Said<_>
        },
    );
    let new = view! {
        <LinkButton
            id="team-new" href="/admin/teams?edit=%2B" label=t.admin.new_team tone=Tone::Primary glyph=Icon::Plus
            refused=operator_refused(t)
        />
    }
    .erase();
    view! {
        <PageTitle text=t.admin.teams/>
        {top(t, "teams", new.into_any())}
        {put.told.notice(FIELDS, t.admin.team_saved)}
        {delete.told.notice(&["confirm"], t.admin.team_deleted)}
        {page(t.admin.teams, data, move |(teams, once): (Vec<TeamView>, String)| {
            body(t, teams, once, open.get(), kept.get().flatten(), put, delete)
        })}
    }
    .erase()
}

fn body(
    t: &'static Texts,
    teams: Vec<TeamView>,
    once: String,
    open: String,
    kept: Option<TeamForm>,
    put: Act<PutTeam>,
    delete: Act<DeleteTeam>,
) -> AnyView {
    let a = &t.admin;
    let chosen = teams.iter().find(|v| v.slug == open);
    let may = operator_refused(t).is_none();
    let form = (may && (open == "+" || chosen.is_some())).then(|| team_form(t, chosen, once, kept, put, delete));
    if teams.is_empty() {
        return view! { {form} {empty(a.teams_none, a.teams_none_text, ().into_any())} }.erase();
    }
    let cols = view! {
        {col(a.team, "")}
        {col(a.members, "")}
        {col(a.groups, "md")}
        {col_num(a.apps, "")}
        <th scope="col"><span class="vh">{t.shell.action}</span></th>
    }
    .erase();
    let rows = teams.iter().map(|v| row(t, v, v.slug == open)).collect_view();
    view! {
        {form}
        <Table label=a.teams head=cols.into_any()>{rows}</Table>
    }
    .erase()
}

fn row(t: &'static Texts, v: &TeamView, open: bool) -> AnyView {
    let names: Vec<&str> = v.people.iter().map(|(_, name, ..)| name.as_str()).collect();
    let groups = v
        .groups
        .iter()
        .map(|(dn, role)| {
            view! { <span class="line"><code>{dn.clone()}</code> " " <small>{t.team_role(*role)}</small></span> }
                .erase()
        })
        .collect_view();
    let edit = operator_refused(t).is_none().then(|| {
        let href = format!("/admin/teams?edit={}", api::query::escape(&v.slug));
        view! { <LinkButton href=href label=t.shell.edit size=ButtonSize::Tiny/> }.erase()
    });
    view! {
        <tr class=open.then_some("sel")>
            <th scope="row">{v.title.clone()}<span class="tech">{v.slug.clone()}</span></th>
            <td class="wrap">{t.list(&names)}</td>
            <td class="md wrap">{groups}</td>
            <td class="num">{v.apps}</td>
            <td class="num">{edit}</td>
        </tr>
    }
    .erase()
}
