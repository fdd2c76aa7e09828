//! One version: how long it still has, who runs on it, and the decision about it.

use super::list::{path, tag};
use crate::api::form::MarkForm;
use crate::api::{MarkStack, app_path};
use crate::pages::parts::{hidden, publisher_refused};
use crate::pages::write::Here;
use crate::text::Texts;
use crate::text::clock;
use crate::ui::{Button, Erase, SelectField, TextArea, facts, head, section};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{StackState, StackView};
use padis_domain::words::Stage;

/// Fields of the form.
pub const FIELDS: [&str; 3] = ["stages", "successor", "note"];

/// The page.
pub fn write(t: &'static Texts, s: StackView, all: &[StackView], form: MarkForm, here: &Here) -> AnyView {
    let d = t.standards();
    let title = t.pick_with(|| s.contract.title_zh.clone(), || s.contract.title_en.clone());
    let by = (!s.mark.by.is_empty())
        .then(|| (d.decided)(&s.mark.by, &s.mark.at.map(clock::date).unwrap_or_default()).into_any());
    let items = [Some(view! { <code>{s.key.clone()}</code> }.erase()), Some(stages(t, &s.mark.stages).into_any()), by];
    let note = (!s.mark.note.is_empty()).then(|| view! { <p class="gap">{s.mark.note.clone()}</p> }.erase());
    let successor = (!s.mark.successor.is_empty()).then(|| {
        view! { <p>{d.instead} " " <a href=path(&s.mark.successor)><code>{s.mark.successor.clone()}</code></a></p> }
            .erase()
    });
    view! {
        {head(
            view! { <h1>{title}</h1>{tag(t, s.mark.state)} }.erase(),
            facts(items.into_iter().flatten().collect()),
            ().into_any(),
        )}
        {note}
        {successor}
        {section("users", d.users, d.users_aside, users(t, &s))}
        {section("decide", d.decide, d.decide_aside, decide(t, &s, all, form, here))}
    }
    .erase()
}

fn stages(t: &'static Texts, stages: &[Stage]) -> String {
    if stages.is_empty() {
        return t.standards().every_stage.to_owned();
    }
    t.list(&stages.iter().map(|s| t.stage(*s)).collect::<Vec<_>>())
}

fn users(t: &'static Texts, s: &StackView) -> AnyView {
    if s.used_by.is_empty() {
        return view! { <p class="second">{t.catalog.used_none}</p> }.erase();
    }
    let one = |a: &padis_domain::app::AppRef| {
        view! { <li><a href=app_path(a)>{a.app.clone()}</a> " " <span class="second">{a.team.clone()}</span></li> }
            .erase()
    };
    view! { <ul class="plain">{s.used_by.iter().map(one).collect_view()}</ul> }.erase()
}

fn decide(t: &'static Texts, s: &StackView, all: &[StackView], form: MarkForm, here: &Here) -> AnyView {
    let d = t.standards();
    if let Some(refused) = publisher_refused(t) {
        return view! { <p class="hint">{refused}</p> }.erase();
    }
    let states = StackState::ALL.iter().map(|state| {
        let id = format!("state-{state}");
        view! {
            <label class="row">
                <input type="radio" id=id name="state" value=state.as_str() checked=form.state == state.as_str()/>
                <span><b>{t.stack_state(*state)}</b> " " <span class="second">{t.stack_state_means(*state)}</span></span>
            </label>
        }
        .erase()
    });
    let states = states.collect_view();
    let picked = |stage: &Stage| form.stages().iter().any(|s| *s == stage.as_str());
    let boxes = Stage::ALL.iter().map(|stage| {
        let (id, name) = (format!("stage-{stage}"), stage.as_str());
        view! {
            <label class="row">
                <input type="checkbox" id=id name=name value="on" checked=picked(stage)/>
                <span>{t.stage(*stage)}</span>
            </label>
        }
        .erase()
    });
    let boxes = boxes.collect_view();
    let mut others = vec![(String::new(), d.no_successor.to_owned())];
    others.extend(all.iter().filter(|o| o.key != s.key).map(|o| (o.key.clone(), o.key.clone())));
    let error = |field: &str| here.error(t, MarkStack::PATH, field);
    let stages_wrong = error("stages").get_untracked();
    let stages_wrong = stages_wrong.map(|e| view! { <p class="err"><span>{e}</span></p> }.erase());
    view! {
        <form class="fields narrow" method="post" action=MarkStack::PATH>
            {hidden("once", form.once.clone())}
            {hidden("key", s.key.clone())}
            <fieldset class="plain"><legend>{d.state}</legend>{states}</fieldset>
            <fieldset class="plain"><legend>{d.stages}</legend>{boxes}{stages_wrong}</fieldset>
            <SelectField
                id="successor"
                label=d.successor
                options=others
                value=form.successor.clone()
                hint=d.successor_hint
                error=error("successor")
            />
            <TextArea id="note" label=d.note value=form.note.clone() hint=d.note_hint error=error("note")/>
            <div class="row"><Button id="mark-go" label=d.go/></div>
        </form>
    }
    .erase()
}
