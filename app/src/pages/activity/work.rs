//! The work queue: what Padis still has to do, what is stuck and why.
//!
//! Which row is being parked stands in the address (`?park=key`), so it works
//! without scripts.

use super::activity_tabs;
use super::subject;
use crate::api::form::WorkForm;
use crate::api::{self, WorkPark, WorkRetry, use_kept};
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{
    Act, act, act_form, filter_box, filter_select, hidden, live, now, operator_refused, pages_of, use_list, use_param,
};
use crate::shell::{PageTitle, use_here};
use crate::text::{Texts, texts};
use crate::ui::{
    Button, ButtonSize, Erase, LinkButton, Shape, Table, TextField, Tone, UrlState, col, col_num, empty, head, state,
};
use leptos::prelude::*;
use padis_domain::view::{ListQuery, Page, WorkRow};
use padis_domain::words::UnixMs;

/// The states, worst first.
const STATES: &[&str] = &["parked", "backing-off", "running", "due", "idle"];

#[derive(Clone, Copy)]
struct Acts {
    retry: Act<WorkRetry>,
    park: Act<WorkPark>,
}

/// The work queue's page.
#[component]
pub fn Work() -> AnyView {
    let t = texts();
    let (list, here, changed, open) = (use_list(), use_here(), live(&["work"]), use_param("park"));
    let acts = Acts { retry: act::<WorkRetry>(), park: act::<WorkPark>() };
    let kept = use_kept::<WorkForm>("work_park");
    let data = Fetch::new(
        move || (list.get(), changed.get(), acts.retry.told.version.get(), acts.park.told.version.get()),
        |(q, ..)| async move { Ok((api::work(q).await?, now())) as api::Said<_> },
    );
    view! {
        <PageTitle text=t.activity.work/>
        {head(
            view! { <h1>{t.activity.work}</h1> }.erase(),
            view! { <p class="lead">{t.activity.work_lead}</p> }.erase(),
            ().into_any(),
        )}
        {activity_tabs(t, "/activity/work")}
        {acts.retry.told.notice(&[], t.activity.retry_done)}
        {acts.park.told.notice(&["reason"], t.activity.park_done)}
        {page(t.activity.work, data, move |(p, now): (Page<WorkRow>, UnixMs)| {
            let typed = kept.get().flatten().unwrap_or_default();
            body(t, p, now, &here.get(), &list.get_untracked(), acts, &open.get(), typed)
        })}
    }
    .erase()
}

fn state_of(t: &Texts, s: &str) -> (Shape, String) {
    let a = &t.activity;
    let (shape, word) = match s {
        "parked" => (Shape::Bad, a.st_parked),
        "backing-off" => (Shape::Warn, a.st_backing),
        "running" => (Shape::Run, a.st_running),
        "due" => (Shape::Wait, a.st_due),
        "idle" => (Shape::Ok, a.st_idle),
        other => return (Shape::Plain, other.to_owned()),
    };
    (shape, word.to_owned())
}

#[expect(clippy::too_many_arguments, reason = "the page's state, each of its own kind")]
fn body(
    t: &'static Texts,
    p: Page<WorkRow>,
    now: UnixMs,
    url: &UrlState,
    q: &ListQuery,
    acts: Acts,
    open: &str,
    typed: WorkForm,
) -> AnyView {
    let a = &t.activity;
    let mut states = vec![(String::new(), a.all_states.to_owned())];
    states.extend(STATES.iter().map(|s| ((*s).to_owned(), state_of(t, s).1)));
    let filter = filter_box(t, url, a.filter, &q.q, filter_select(t.shell.state, "state", &q.state, states));
    if p.rows.is_empty() {
        let filtered = !(q.q.is_empty() && q.state.is_empty());
        let none = if filtered {
            empty(a.no_hit, t.net.no_hit_text, ().into_any())
        } else {
            empty(a.work_none, a.work_none_text, ().into_any())
        };
        return view! { {filter} {none} }.erase();
    }
    let cols = view! {
        {col(a.key, "")}
        {col(t.shell.state, "")}
        {col(a.outcome, "md")}
        {col_num(a.attempts, "lo")}
        {col(a.due, "lo")}
        <th scope="col"><span class="vh">{t.shell.action}</span></th>
    }
    .erase();
    let rows = p
        .rows
        .iter()
        .map(|r| {
            let form = (open == r.key && operator_refused(t).is_none()).then(|| park_row(t, r, url, acts, &typed));
            view! { {row(t, r, now, url, acts)} {form} }.erase()
        })
        .collect_view();
    view! {
        {filter}
        <Table label=a.work head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, p.page, p.per_page, p.total)}
    }
    .erase()
}

fn row(t: &'static Texts, r: &WorkRow, now: UnixMs, url: &UrlState, acts: Acts) -> AnyView {
    let a = &t.activity;
    let (shape, word) = state_of(t, &r.state);
    let id = |what: &str| format!("{what}-{}", r.key.replace([':', '/'], "-"));
    let due = match (&r.lease, r.state.as_str()) {
        (Some(worker), _) => (a.leased)(worker).into_any(),
        (None, "parked" | "idle") => "—".into_any(),
        (None, _) if r.due_at <= now => a.due_now.into_any(),
        (None, _) => t.when(r.due_at, now),
    };
    let refused = operator_refused(t).or_else(|| (r.state == "idle").then(|| a.not_stuck.to_owned()));
    let retry = view! {
        {hidden("key", r.key.clone())}
        <Button id=id("retry") label=a.retry size=ButtonSize::Tiny bare=true refused=Signal::stored(refused.clone())/>
    }
    .erase();
    let park = (r.state != "parked" && refused.is_none()).then(|| {
        let href = url.with(&[("park", &r.key), ("done", ""), ("failed", ""), ("problem", "")]);
        view! { <LinkButton href=href label=a.park size=ButtonSize::Tiny tone=Tone::Quiet/> }.erase()
    });
    let why = refused.map(|why| view! { <span class="vh" id=format!("{}-why", id("retry"))>{why}</span> }.erase());
    view! {
        <tr>
            <th scope="row">{subject(&r.key)}<span class="tech techonly">{r.key.clone()}</span></th>
            <td>{state(shape, word)}</td>
            <td class="md wrap">{r.outcome.clone()}</td>
            <td class="num lo">{t.times(r.attempts)}</td>
            <td class="lo">{due}</td>
            <td class="num">
                <div class="row tight end">
                    {act_form(acts.retry, id("retry-form"), "", retry.into_any())}
                    {park}
                    {why}
                </div>
            </td>
        </tr>
    }
    .erase()
}

fn park_row(t: &'static Texts, r: &WorkRow, url: &UrlState, acts: Acts, typed: &WorkForm) -> AnyView {
    let a = &t.activity;
    let reason = if typed.key == r.key { typed.reason.clone() } else { String::new() };
    let back = url.with(&[("park", ""), ("failed", ""), ("problem", "")]);
    let body = view! {
        {hidden("key", r.key.clone())}
        <TextField id="reason" label=a.park_why value=reason hint=a.park_hint required=true error=acts.park.told.error("reason")/>
        <div class="row">
            <Button label=a.park tone=Tone::Primary size=ButtonSize::Small/>
            <LinkButton href=back label=t.shell.cancel tone=Tone::Quiet size=ButtonSize::Small/>
            <span class="hint">{a.park_text}</span>
        </div>
    }.erase();
    view! {
        <tr class="sel">
            <td colspan="6" class="inrow">
                <h3>{(a.park_title)(&r.key)}</h3>
                {act_form(acts.park, "park-form", "inform", body.into_any())}
            </td>
        </tr>
    }
    .erase()
}
