//! The form for a team, and deleting it.

use crate::api::form::TeamForm;
use crate::api::{DeleteTeam, PutTeam};
use crate::pages::parts::{Act, act_form, hidden};
use crate::text::Texts;
use crate::ui::{Button, Erase, LinkButton, TextArea, TextField, Tone};
use leptos::prelude::*;
use padis_domain::view::TeamView;
use padis_domain::words::TeamRole;

/// The fields of the form, whose faults stand beside them.
pub const FIELDS: &[&str] = &["slug", "title", "member_groups", "lead_groups"];

fn fresh(v: Option<&TeamView>) -> TeamForm {
    let Some(v) = v else { return TeamForm { new: "on".to_owned(), ..TeamForm::default() } };
    let of = |role: TeamRole| v.groups.iter().filter(|(_, r)| *r == role).map(|(dn, _)| format!("{dn}\n")).collect();
    TeamForm {
        slug: v.slug.clone(),
        title: v.title.clone(),
        member_groups: of(TeamRole::Member),
        lead_groups: of(TeamRole::Lead),
        ..TeamForm::default()
    }
}

/// The form for `team`, or for a new one.
pub fn team_form(
    t: &'static Texts,
    team: Option<&TeamView>,
    once: String,
    kept: Option<TeamForm>,
    put: Act<PutTeam>,
    delete: Act<DeleteTeam>,
) -> AnyView {
    let (a, told) = (&t.admin, put.told);
    let slug = team.map(|v| v.slug.clone()).unwrap_or_default();
    let mine = kept.filter(|k| (k.new == "on") == team.is_none() && (team.is_none() || k.slug == slug));
    let f = mine.unwrap_or_else(|| fresh(team));
    let name = if team.is_none() {
        view! {
            {hidden("new", "on")}
            <TextField id="slug" label=a.slug value=f.slug hint=a.slug_hint code=true autocomplete="off" required=true error=told.error("slug")/>
        }
        .erase()
    } else {
        hidden("slug", slug)
    };
    let body = view! {
        {hidden("once", once)}
        <div class="half">
            {name}
            <TextField id="title" label=t.shell.title value=f.title hint=a.team_title_hint autocomplete="off" required=true error=told.error("title")/>
        </div>
        <div class="half">
            <TextArea id="member_groups" label=a.member_groups note=t.shell.optional value=f.member_groups hint=a.groups_hint code=true error=told.error("member_groups")/>
            <TextArea id="lead_groups" label=a.lead_groups note=t.shell.optional value=f.lead_groups hint=a.groups_hint code=true error=told.error("lead_groups")/>
        </div>
        <div class="row">
            <Button label=if team.is_none() { a.create_team } else { t.shell.save } tone=Tone::Primary/>
            <LinkButton href="/admin/teams" label=t.shell.cancel tone=Tone::Quiet/>
        </div>
    }.erase();
    let heading = team.map_or_else(|| a.new_team.to_owned(), |v| (a.edit_team)(&v.title));
    view! {
        <section class="well gap" aria-labelledby="team-h">
            <h2 id="team-h">{heading}</h2>
            {act_form(put, "team-form", "inform", body.into_any())}
            {team.map(|v| danger(t, v, delete))}
        </section>
    }
    .erase()
}

fn danger(t: &'static Texts, v: &TeamView, delete: Act<DeleteTeam>) -> AnyView {
    let a = &t.admin;
    let refused = (v.apps > 0).then(|| (a.delete_team_in_use)(&t.applications(u64::from(v.apps))));
    let body = view! {
        {hidden("name", v.slug.clone())}
        <TextField
            id="team-confirm" name="confirm" label=(t.shell.confirm_type)(&v.slug) code=true autocomplete="off"
            error=delete.told.error("confirm")
        />
        <div class="row"><Button id="team-delete" label=a.delete_team tone=Tone::Destroy refused=Signal::stored(refused)/></div>
    }.erase();
    view! {
        <details class="danger">
            <summary>{a.delete_team}</summary>
            <p class="second">{(a.delete_team_what)(&t.people(v.people.len()))}</p>
            {act_form(delete, "team-delete-form", "inform narrow", body.into_any())}
        </details>
    }
    .erase()
}
