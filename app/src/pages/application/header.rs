//! The head: name, state, the facts one looks for first, and what can be done.

use super::refused;
use crate::api::{Restart, app_path, pool_path};
use crate::context::{Lang, Prefs};
use crate::pages::parts::{Act, act_form, hidden};
use crate::shell::PageTitle;
use crate::text::texts;
use crate::text::words::app_shape;
use crate::ui::{
    Button, ButtonSize, Dialog, Erase, Icon, LinkButton, Shape, Tone, dialog_button, facts, head, icon, notice,
    state_tag, why,
};
use leptos::prelude::*;
use padis_domain::action::{Action, AppState};
use padis_domain::app::AppRef;
use padis_domain::delivery::{StepState, StepView};
use padis_domain::view::{AppView, InstanceState};

/// The middleware's title in the reader's language.
pub fn stack_title(v: &AppView) -> String {
    match use_context::<Prefs>().unwrap_or_default().lang {
        Lang::Zh => v.stack_title.1.clone(),
        Lang::En => v.stack_title.0.clone(),
    }
}

/// The head.
pub fn header(v: AppView, restart: Act<Restart>, once: &str) -> AnyView {
    let t = texts();
    let a = &t.app;
    let path = app_path(&v.app);
    let well = v.instances.iter().filter(|i| i.state == InstanceState::Well && i.release == v.release).count();
    let word = match v.state {
        AppState::Online | AppState::Degraded | AppState::Failing | AppState::Delivering => {
            (a.well_of)(t.app_state(v.state), well, v.wanted)
        }
        s => t.app_state(s).to_owned(),
    };
    let tech = use_context::<Prefs>().unwrap_or_default().tech;
    let marathon = tech.then(|| view! { <code>{v.app.marathon_id(v.release)}</code> }.erase());
    let mut items = vec![
        view! {
            <a href=v.url.clone() rel="external">
                <code>{v.host_name.clone()}</code>
                " "
                {icon(Icon::Ext)}
            </a>
        }
        .erase(),
        v.team_title.clone().into_any(),
        view! { <a href=pool_path(&v.pool)>{v.pool.clone()}</a> }.erase(),
        t.stage(v.stage).into_any(),
        stack_title(&v).into_any(),
        format!("{} × {}", v.wanted, t.size_short(v.spec.size)).into_any(),
    ];
    items.extend(marathon);
    let no_restart = refused(&v, Action::Restart);
    let no_release = refused(&v, Action::Release);
    // One reason is said once, even when it holds for both buttons.
    let reason = no_release.clone().or_else(|| no_restart.clone());
    let restart_button = match &no_restart {
        None => dialog_button("restart", a.restart, Tone::Plain, ButtonSize::Normal, Some(Icon::Restart)),
        Some(r) => view! { <Button id="restart-no" label=a.restart glyph=Icon::Restart refused=Signal::stored(Some(r.clone())) bare=true/> }.erase(),
    };
    let release_button = match &no_release {
        None => view! { <LinkButton href=format!("{path}/release") label=a.new_release tone=Tone::Primary glyph=Icon::Upload/> }.erase(),
        Some(r) => view! { <Button id="release" label=a.new_release tone=Tone::Primary glyph=Icon::Upload refused=Signal::stored(Some(r.clone())) bare=true/> }.erase(),
    };
    let (why_id, other) = match (&no_release, &no_restart) {
        (Some(_), Some(r)) => ("release-why", Some(r.clone())),
        (Some(_), None) => ("release-why", None),
        _ => ("restart-no-why", None),
    };
    let actions = view! {
        <div class="row">{restart_button} {release_button}</div>
        {reason.map(|r| why(why_id.to_owned(), Icon::Clock, r))}
        {other.map(|r| view! { <p class="vh" id="restart-no-why">{r}</p> }.erase())}
    }
    .erase();
    let title = view! { <h1>{v.title.clone()}</h1> {state_tag(app_shape(v.state), word)} }.erase();
    view! {
        <PageTitle text=v.title.clone()/>
        {head(title.into_any(), facts(items), actions.into_any())}
        {restart.told.notice(&[], a.done_restart)}
        {waiting(&v)}
        {restart_dialog(&v, restart, once)}
    }
    .erase()
}

/// What it waits for when no delivery says so: a replacement without an address or a host.
fn waiting(v: &AppView) -> Option<AnyView> {
    let t = texts();
    let told = |s: &StepView| matches!(s.state, StepState::Waiting | StepState::Failed);
    let n = v.waiting.as_ref().filter(|_| !v.delivery.iter().any(|d| d.steps.iter().any(told)))?;
    Some(notice(Shape::Warn, t.note(n, v.now), t.note_next(n), ().into_any()))
}

/// The head of an application that was deleted.
pub fn gone(app: &AppRef) -> AnyView {
    let t = texts();
    let a = &t.app;
    let path = app_path(app);
    let to = |tail: &str, label: &'static str| {
        view! { <LinkButton href=format!("{path}/{tail}") label=label size=ButtonSize::Small/> }.erase()
    };
    view! {
        <PageTitle text=app.app.clone()/>
        {head(
            view! { <h1>{app.app.clone()}</h1> {state_tag(Shape::Off, a.gone_tag)} }.erase(),
            view! { <p class="lead">{a.gone_lead}</p> }.erase(),
            view! { <div class="row">{to("instances", a.held_before)} {to("events", a.events)} {to("logs", a.logs)}</div> }
                .erase(),
        )}
    }
    .erase()
}

fn restart_dialog(v: &AppView, restart: Act<Restart>, once: &str) -> AnyView {
    let t = texts();
    let a = &t.app;
    let body = view! {
        {keys(v, once)}
        <div class="dlg-b"><p class="second">{(a.restart_text)(&t.instances(u64::from(v.wanted)))}</p></div>
        <div class="dlg-f">
            <button class="btn" type="button" popovertarget="restart" popovertargetaction="hide">{t.shell.cancel}</button>
            <Button label=a.restart tone=Tone::Primary glyph=Icon::Restart/>
        </div>
    }.erase();
    view! {
        <Dialog id="restart" title=(a.restart_title)(&v.title) close=t.shell.close>
            {act_form(restart, "restart-form", "", body.into_any())}
        </Dialog>
    }
    .erase()
}

/// The hidden fields of a form about an application: which, on what revision, and the token.
pub fn keys(v: &AppView, once: &str) -> AnyView {
    view! {
        {hidden("team", v.app.team.clone())}
        {hidden("app", v.app.app.clone())}
        {hidden("seen", v.revision.to_string())}
        {hidden("once", once)}
    }
    .erase()
}
