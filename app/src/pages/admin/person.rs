//! The form for a built-in account. Whoever comes from the directory gets his
//! teams from its groups, so his form says that instead of pretending.

use crate::api::PutPerson;
use crate::api::form::PersonForm;
use crate::pages::parts::{Act, act_form, hidden};
use crate::text::Texts;
use crate::ui::{Button, Erase, LinkButton, SelectField, Shape, TextField, Tone, notice};
use leptos::prelude::*;
use padis_domain::view::{PersonRow, TeamView};
use padis_domain::words::{PlatformRole, TeamRole};

/// The fields of the form, whose faults stand beside them.
pub const FIELDS: &[&str] = &["account", "name", "password", "platform", "teams"];

fn fresh(p: Option<&PersonRow>) -> PersonForm {
    let on = |b: bool| if b { "on".to_owned() } else { String::new() };
    let Some(p) = p else { return PersonForm { new: on(true), enabled: on(true), ..PersonForm::default() } };
    PersonForm {
        account: p.account.clone(),
        name: p.name.clone(),
        enabled: on(p.enabled),
        platform: p.platform.map(|r| r.to_string()).unwrap_or_default(),
        teams: p.teams.iter().map(|(t, r)| (t.clone(), r.to_string())).collect(),
        ..PersonForm::default()
    }
}

/// The form for `person`, or for a new account.
pub fn person_form(
    t: &'static Texts,
    person: Option<&PersonRow>,
    teams: &[TeamView],
    once: String,
    kept: Option<PersonForm>,
    put: Act<PutPerson>,
) -> AnyView {
    let a = &t.admin;
    let heading = person.map_or_else(|| a.new_person.to_owned(), |p| (a.edit_person)(&p.name));
    let account = person.map(|p| p.account.clone()).unwrap_or_default();
    let mine = kept.filter(|k| (k.new == "on") == person.is_none() && (person.is_none() || k.account == account));
    let f = mine.unwrap_or_else(|| fresh(person));
    let inside = if person.is_some_and(|p| !p.built_in) {
        let back = view! { <LinkButton href="/admin/people" label=t.shell.close/> }.erase();
        notice(Shape::Plain, a.from_directory, "", back.into_any())
    } else {
        act_form(put, "person-form", "inform", fields(t, person, teams, once, &f, put))
    };
    view! {
        <section class="well gap" aria-labelledby="person-h">
            <h2 id="person-h">{heading}</h2>
            {inside}
        </section>
    }
    .erase()
}

fn fields(
    t: &'static Texts,
    person: Option<&PersonRow>,
    teams: &[TeamView],
    once: String,
    f: &PersonForm,
    put: Act<PutPerson>,
) -> AnyView {
    let (a, told) = (&t.admin, put.told);
    let new = person.is_none();
    let account = if new {
        view! {
            {hidden("new", "on")}
            <TextField id="account" label=a.account value=f.account.clone() hint=a.account_hint code=true autocomplete="off" required=true error=told.error("account")/>
        }
        .erase()
    } else {
        hidden("account", f.account.clone())
    };
    let mut roles = vec![(String::new(), a.no_role.to_owned())];
    roles.extend(PlatformRole::ALL.iter().map(|r| (r.to_string(), t.platform_role(*r).to_owned())));
    let in_teams = teams
        .iter()
        .map(|v| {
            let mut options = vec![(String::new(), a.not_in.to_owned())];
            options.extend(TeamRole::ALL.iter().map(|r| (r.to_string(), t.team_role(*r).to_owned())));
            let value = f.teams.get(&v.slug).cloned().unwrap_or_default();
            view! {
                <SelectField id=format!("team-{}", v.slug) name=format!("teams[{}]", v.slug) label=v.title.clone() options=options value=value/>
            }.erase()
        })
        .collect_view();
    let enabled = f.enabled == "on";
    view! {
        {hidden("once", once)}
        <div class="half">
            {account}
            <TextField id="name" label=a.person_name value=f.name.clone() autocomplete="off" required=true error=told.error("name")/>
            <TextField
                id="password" label=a.password kind="password" autocomplete="new-password" required=new
                hint=if new { a.password_hint_new } else { a.password_hint_edit } error=told.error("password")
            />
            <SelectField id="platform" label=a.role options=roles value=f.platform.clone() hint=a.role_hint error=told.error("platform")/>
        </div>
        <label class="check">
            <input type="checkbox" name="enabled" value="on" checked=enabled aria-describedby="enabled-hint"/>
            <span>{a.enabled}</span>
            <span class="hint" id="enabled-hint">{a.enabled_hint}</span>
        </label>
        <fieldset class="group">
            <legend>{a.in_teams}</legend>
            <div class="third">{in_teams}</div>
        </fieldset>
        <div class="row">
            <Button label=if new { a.create_person } else { t.shell.save } tone=Tone::Primary/>
            <LinkButton href="/admin/people" label=t.shell.cancel tone=Tone::Quiet/>
        </div>
    }
    .erase()
}
