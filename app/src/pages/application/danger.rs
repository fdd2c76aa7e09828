//! Stop, start, delete: each says what will happen and to how many; the
//! irreversible wants the name typed.

use super::header::keys;
use super::{refused, with_app_once};
use crate::api::{DeleteApp, Start, Stop};
use crate::fetch::Fetch;
use crate::pages::parts::{Act, act, act_form};
use crate::text::{Texts, texts};
use crate::ui::{Button, ButtonSize, Confirm, Dialog, Erase, Icon, Tone, dialog_button, effect, section};
use leptos::prelude::*;
use padis_domain::action::{Action, AppState};
use padis_domain::view::AppView;

#[derive(Clone, Copy)]
struct Acts {
    stop: Act<Stop>,
    start: Act<Start>,
    delete: Act<DeleteApp>,
    /// Whether the typed name is the application's.
    typed: (ReadSignal<bool>, WriteSignal<bool>),
}

/// The danger zone of the shared application.
pub fn danger(once: Fetch<String>) -> AnyView {
    let t = texts();
    let acts = Acts { stop: act(), start: act(), delete: act(), typed: signal(false) };
    let a = &t.app;
    view! {
        {with_app_once(once, move |v, token| zone(t, &v, acts, token))}
        {acts.stop.told.notice(&[], a.done_stop)}
        {acts.start.told.notice(&[], a.done_start)}
        {acts.delete.told.notice(&["confirm"], a.done_delete)}
    }
    .erase()
}

fn risk(title: &'static str, text: String, button: AnyView) -> AnyView {
    view! {
        <div class="risk">
            <div>
                <p><b>{title}</b></p>
                <p class="second">{text}</p>
            </div>
            <div class="acts">{button}</div>
        </div>
    }
    .erase()
}

fn zone(t: &'static Texts, v: &AppView, acts: Acts, once: &str) -> AnyView {
    let a = &t.app;
    let stopped = matches!(v.state, AppState::Stopped | AppState::Stopping);
    let first = if stopped {
        let fields = view! {
            {keys(v, once)}
            <Button id="start" label=a.start glyph=Icon::Play refused=Signal::stored(refused(v, Action::Start))/>
        }
        .erase();
        risk(
            a.start,
            (a.start_text)(&t.instances(u64::from(v.wanted))),
            act_form(acts.start, "start-form", "", fields.into_any()),
        )
    } else {
        risk(
            a.stop,
            (a.stop_text)(&t.instances(u64::from(v.wanted))),
            opener("stop", a.stop, Tone::Danger, refused(v, Action::Stop)),
        )
    };
    let body = view! {
        {first}
        {risk(a.delete, (a.delete_text)(&t.instances(u64::from(v.wanted)), &t.release_count(v.release as usize)), opener("delete", a.delete, Tone::Danger, refused(v, Action::Delete)))}
        {stop_dialog(t, v, acts, once)}
        {delete_dialog(t, v, acts, once)}
    }.erase();
    section("dah", a.danger, "", body.into_any())
}

/// The button that opens a dialog, or the disabled one with the reason.
fn opener(target: &'static str, label: &str, tone: Tone, no: Option<String>) -> AnyView {
    match no {
        None => dialog_button(target, format!("{label} …"), tone, ButtonSize::Normal, None),
        some => {
            view! { <Button id=format!("{target}-no") label=label tone=tone refused=Signal::stored(some)/> }.erase()
        }
    }
}

fn stop_dialog(t: &'static Texts, v: &AppView, acts: Acts, once: &str) -> AnyView {
    let a = &t.app;
    let fields = view! {
        {keys(v, once)}
        <div class="dlg-b"><p class="second">{(a.stop_text)(&t.instances(u64::from(v.wanted)))}</p></div>
        <div class="dlg-f">
            <button class="btn" type="button" popovertarget="stop" popovertargetaction="hide">{a.keep}</button>
            <Button label=a.stop tone=Tone::Destroy/>
        </div>
    }
    .erase();
    let form = act_form(acts.stop, "stop-form", "", fields.into_any());
    view! { <Dialog id="stop" title=(a.stop_title)(&v.title) close=t.shell.close>{form}</Dialog> }.erase()
}

fn delete_dialog(t: &'static Texts, v: &AppView, acts: Acts, once: &str) -> AnyView {
    let a = &t.app;
    let (typed, set_typed) = acts.typed;
    // Refused by the browser half only: without it the server checks the name.
    let (live, set_live) = signal(false);
    effect(move || set_live.set(true));
    let no = Signal::derive(move || (live.get() && !typed.get()).then(|| a.type_first.to_owned()));
    let fields = view! {
        {keys(v, once)}
        <div class="dlg-b">
            <p class="second">{(a.delete_text)(&t.instances(u64::from(v.wanted)), &t.release_count(v.release as usize))}</p>
            <Confirm
                id="confirm"
                label=(t.shell.confirm_type)(&v.app.app)
                name=v.app.app.clone()
                error=acts.delete.told.error("confirm")
                on_match=Callback::new(move |ok| set_typed.set(ok))
            />
        </div>
        <div class="dlg-f">
            <button class="btn" type="button" popovertarget="delete" popovertargetaction="hide">{a.keep}</button>
            <Button id="delete-go" label=a.delete_for_good tone=Tone::Destroy refused=no bare=true/>
            <p class="vh" id="delete-go-why">{a.type_first}</p>
        </div>
    }.erase();
    let form = act_form(acts.delete, "delete-form", "", fields.into_any());
    view! { <Dialog id="delete" title=(a.delete_title)(&v.title) close=t.shell.close>{form}</Dialog> }.erase()
}
