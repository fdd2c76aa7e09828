//! Releases: what each was, how it went, and putting an earlier one back.

use super::header::keys;
use super::{part, refused, shared};
use crate::api::{self, RollBack, Said};
use crate::fetch::Fetch;
use crate::pages::parts::{Act, act, act_form, hidden};
use crate::text::words::delivery_shape;
use crate::text::{Texts, clock, texts};
use crate::ui::{
    Button, ButtonSize, Dialog, Erase, Icon, Shape, Table, Tone, col, col_num, dialog_button, section, state,
};
use leptos::prelude::*;
use padis_domain::action::Action;
use padis_domain::view::{AppView, ReleaseRow};

type Data = (Vec<ReleaseRow>, AppView, String);

/// The tab.
#[component]
pub fn Releases() -> AnyView {
    let t = texts();
    let Some(s) = shared() else { return ().into_any() };
    let back = act::<RollBack>();
    let version = back.told.version;
    let data = Fetch::new(
        move || (s.app.get(), s.changed.get(), version.get()),
        |(a, _, _)| async move {
            let view = api::app(a.clone()).await?;
            Ok((api::releases(a).await?, view, api::once().await?)) as Said<Data>
        },
    );
    view! {
        {back.told.notice(&[], t.app.saved)}
        {part(t.app.releases, data, move |(rows, v, once): Data| table(t, &rows, &v, back, &once))}
    }
    .erase()
}

fn table(t: &'static Texts, rows: &[ReleaseRow], v: &AppView, back: Act<RollBack>, once: &str) -> AnyView {
    let a = &t.app;
    let body = rows.iter().map(|r| row(t, r, v)).collect_view();
    let dialogs = rows.iter().filter(|r| can(r, v).is_none()).map(|r| dialog(t, r, v, back, once)).collect_view();
    let heads = view! {
        {col(a.release, "")}
        {col(t.shell.state, "")}
        {col(a.stack, "lo md")}
        {col(a.package, "lo")}
        {col(a.changes, "lo md")}
        {col(t.shell.by, "lo")}
        {col_num(t.shell.when, "lo")}
        {col_num(a.online_after_head, "lo")}
        {col_num(t.shell.action, "")}
    }
    .erase();
    let body = view! {
        <Table label=a.releases head=heads.into_any()>{body}</Table>
        {dialogs}
    }
    .erase();
    section("reh", a.releases, a.never_change, body.into_any())
}

/// Why `r` can't be put back; `None` if it can.
fn can(r: &ReleaseRow, v: &AppView) -> Option<String> {
    let t = texts();
    if r.active {
        return Some(t.app.active.to_owned());
    }
    r.roll_back.err().map(|e| t.reason(e).to_owned()).or_else(|| refused(v, Action::RollBack))
}

fn row(t: &'static Texts, r: &ReleaseRow, v: &AppView) -> AnyView {
    let a = &t.app;
    let word = if r.active {
        state(Shape::Used, a.active)
    } else {
        state(delivery_shape(r.delivery), t.delivery_state(r.delivery))
    };
    let action = match can(r, v) {
        None => dialog_button(
            &format!("back-{}", r.release),
            a.roll_back,
            Tone::Plain,
            ButtonSize::Tiny,
            Some(Icon::RollBack),
        ),
        Some(_) if r.active => ().into_any(),
        Some(why) => view! { <span class="hint">{why}</span> }.erase(),
    };
    let changes = if r.changes.is_empty() { a.first_release.to_owned() } else { t.changes(&r.changes) };
    view! {
        <tr>
            <th scope="row">"r"{r.release}</th>
            <td>{word}</td>
            <td class="lo md">{r.stack.clone()}</td>
            <td class="lo">{r.package.clone()}</td>
            <td class="lo md wrap second">{changes}</td>
            <td class="lo">{r.by.clone()}</td>
            <td class="num lo second">{t.when(r.at, v.now)}</td>
            <td class="num lo">{r.took_ms.map_or_else(|| "–".to_owned(), |ms| clock::stopwatch(ms as i64))}</td>
            <td class="num">{action}</td>
        </tr>
    }
    .erase()
}

fn dialog(t: &'static Texts, r: &ReleaseRow, v: &AppView, back: Act<RollBack>, once: &str) -> AnyView {
    let a = &t.app;
    let id = format!("back-{}", r.release);
    let body = view! {
        {keys(v, once)}
        {hidden("to", r.release.to_string())}
        <div class="dlg-b"><p class="second">{(a.roll_back_text)(r.release, v.release, &t.instances(u64::from(v.wanted)))}</p></div>
        <div class="dlg-f">
            <button class="btn" type="button" popovertarget=id.clone() popovertargetaction="hide">{a.keep}</button>
            <Button label=(a.roll_back_to)(r.release) tone=Tone::Primary glyph=Icon::RollBack/>
        </div>
    }.erase();
    let form = act_form(back, format!("{id}-form"), "", body.into_any());
    view! { <Dialog id=id title=(a.roll_back_title)(r.release) close=t.shell.close>{form}</Dialog> }.erase()
}
