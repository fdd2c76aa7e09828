//! The part of a repository's page that keeps it tidy: a rule, what would go by it and why
//! the rest stays, and the button that lets it be done.

use super::repository::short;
use super::server::path;
use crate::api::ApplyRetention;
use crate::pages::parts::{hidden, now};
use crate::pages::write::Here;
use crate::text::retention::Keeping;
use crate::text::{Texts, units};
use crate::ui::{Button, Erase, NumberField, Shape, Table, Tone, col, col_num, empty, section, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{Retention, RetentionRow, RetentionRun, RetentionView};
use padis_domain::words::UnixMs;

/// Digests that are listed; more go only when these are gone.
const MOST: usize = 200;

/// The rule that the address has; `None`: nobody has asked yet.
pub fn rule(here: &Here) -> Option<Retention> {
    let number = |name: &str| here.get(name).parse().ok();
    Some(Retention { newest: number("newest")?, days: number("days")? })
}

/// The section; nothing for who may not tidy the repository.
pub fn write(
    t: &'static Texts,
    (registry, name): (&str, &str),
    v: RetentionView,
    rule: Option<Retention>,
    once: &str,
) -> AnyView {
    if !v.may {
        return ().into_any();
    }
    let (k, now) = (t.keeping(), now());
    let shown = rule.unwrap_or_default();
    let found = rule.map(|rule| list(t, k, (registry, name), &v.rows, rule, once, now));
    let body = view! {
        <form class="fields narrow" method="get" action=path(registry, name, None) + "#tidy">
            <NumberField id="newest" label=k.newest value=shown.newest.to_string() min=0 max=10_000/>
            <NumberField id="days" label=k.days value=shown.days.to_string() min=0 max=36_500/>
            <div class="row"><Button id="tidy-show" label=k.show/></div>
        </form>
        {found}
        {runs(t, k, &v.runs, now)}
    }
    .into_any();
    section("tidy", k.title, k.aside, body)
}

fn list(
    t: &'static Texts,
    k: &'static Keeping,
    (registry, name): (&str, &str),
    rows: &[RetentionRow],
    rule: Retention,
    once: &str,
    now: UnixMs,
) -> AnyView {
    let go: Vec<&RetentionRow> = rows.iter().filter(|r| r.stays.is_empty()).take(MOST).collect();
    let form = if go.is_empty() {
        empty(k.nothing, k.nothing_text, ().into_any())
    } else {
        let n = units::count(go.len() as u64);
        let bytes = units::bytes(go.iter().map(|r| r.bytes).sum());
        let seen: Vec<&str> = go.iter().map(|r| r.digest.as_str()).collect();
        view! {
            <form method="post" action=ApplyRetention::PATH>
                {hidden("once", once)}
                {hidden("registry", registry)}
                {hidden("repository", name)}
                {hidden("newest", rule.newest.to_string())}
                {hidden("days", rule.days.to_string())}
                {hidden("seen", seen.join(" "))}
                <p><b>{(k.total)(&n, &bytes)}</b> " " <span class="second">{k.again}</span></p>
                <div class="row gap-s"><Button id="tidy-go" label=(k.go)(&n) tone=Tone::Danger/></div>
            </form>
        }
        .erase()
    };
    let i = t.images();
    let cols = view! {
        {col(i.tag, "")}
        {col(k.what, "")}
        {col_num(i.made, "md")}
        {col_num(i.size, "lo")}
    }
    .erase();
    let row = |r: &RetentionRow| {
        let stays: Vec<&str> = r.stays.iter().map(|s| t.stays(*s)).collect();
        let what = if stays.is_empty() { state(Shape::Leave, k.goes) } else { state(Shape::Ok, t.list(&stays)) };
        view! {
            <tr>
                <th scope="row">{t.list(&r.tags.iter().map(String::as_str).collect::<Vec<_>>())}
                    <span class="under">{short(&r.digest)}</span></th>
                <td>{what}</td>
                <td class="num md">{r.at.map(|at| t.when(at, now))}</td>
                <td class="num lo">{units::bytes(r.bytes)}</td>
            </tr>
        }
        .erase()
    };
    let rows = rows.iter().take(MOST).map(row).collect_view();
    view! { <div class="gap">{form}</div> <div class="gap"><Table label=k.title head=cols.into_any()>{rows}</Table></div> }.into_any()
}

fn runs(t: &'static Texts, k: &'static Keeping, runs: &[RetentionRun], now: UnixMs) -> AnyView {
    if runs.is_empty() {
        return ().into_any();
    }
    let one = |r: &RetentionRun| {
        let shape = match r.ended_at {
            Some(_) => Shape::Ok,
            None if r.why.is_empty() => Shape::Run,
            None => Shape::Warn,
        };
        let mut words = vec![(k.gone)(&units::count(r.gone), &units::bytes(r.gone_bytes))];
        words.extend((r.kept > 0).then(|| (k.kept)(&units::count(r.kept))));
        words.extend((r.left > 0).then(|| (k.left)(&units::count(r.left))));
        words.extend(Some(r.why.clone()).filter(|w| !w.is_empty()));
        let who = view! { <span class="second">{r.by.clone()} " · " {t.when(r.asked_at, now)}</span> }.erase();
        view! { <li>{state(shape, words.join(" · "))} " " {who}</li> }.erase()
    };
    view! { <h3 class="gap">{k.before}</h3> <ul class="plain">{runs.iter().map(one).collect_view()}</ul> }.into_any()
}
