//! The part of a repository's page that keeps it tidy: a rule, what would go by it and why
//! the rest stays, and the buttons that let it be done, once or day by day.

use super::repository::short;
use super::server::path;
use crate::api::{ApplyRetention, EndRule, KeepRule};
use crate::pages::parts::{hidden, now};
use crate::pages::write::Here;
use crate::text::retention::Keeping;
use crate::text::{Texts, units};
use crate::ui::{Button, ButtonSize, Erase, NumberField, Shape, Table, Tone, col, col_num, empty, section, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{KeptRule, Retention, RetentionRow, RetentionRun, RetentionView};
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
    let shown = rule.or(v.kept.as_ref().map(|kept| kept.rule)).unwrap_or_default();
    let by_itself = rule.filter(|rule| v.kept.as_ref().is_none_or(|kept| kept.rule != *rule));
    let found = rule.map(|rule| list(t, k, (registry, name), &v.rows, rule, once, now));
    let body = view! {
        {v.kept.as_ref().map(|kept| kept_rule(t, k, (registry, name), kept, now))}
        <form class="fields narrow" method="get" action=path(registry, name, None) + "#tidy">
            <NumberField id="newest" label=k.newest value=shown.newest.to_string() min=0 max=10_000/>
            <NumberField id="days" label=k.days value=shown.days.to_string() min=0 max=36_500/>
            <div class="row"><Button id="tidy-show" label=k.show/></div>
        </form>
        {found}
        {by_itself.map(|rule| keep(k, (registry, name), rule))}
        {runs(t, k, &v.runs, now)}
    }
    .into_any();
    section("tidy", k.title, k.aside, body)
}

/// What is kept by itself, and the button that ends it.
fn kept_rule(
    t: &'static Texts,
    k: &'static Keeping,
    (registry, name): (&str, &str),
    kept: &KeptRule,
    now: UnixMs,
) -> AnyView {
    let newest = units::count(kept.rule.newest.into());
    let rule = match kept.rule.days {
        0 => (k.kept_newest)(&newest),
        days => (k.kept_rule)(&newest, &units::count(days.into())),
    };
    let looked = match kept.looked_at {
        Some(at) => view! { {k.looked} " " {t.when(at, now)} }.into_any(),
        None => k.not_yet.into_any(),
    };
    let who = view! { {kept.by.clone()} " · " {t.when(kept.set_at, now)} " · " {looked} }.into_any();
    view! {
        <form method="post" action=EndRule::PATH class="row gap-s">
            {hidden("registry", registry)}
            {hidden("repository", name)}
            <p>{state(Shape::Ok, rule)} " " <span class="second">{who}</span></p>
            <Button id="rule-end" label=k.end size=ButtonSize::Small/>
        </form>
    }
    .erase()
}

/// The button that keeps a rule.
fn keep(k: &'static Keeping, (registry, name): (&str, &str), rule: Retention) -> AnyView {
    view! {
        <form method="post" action=KeepRule::PATH class="gap">
            {hidden("registry", registry)}
            {hidden("repository", name)}
            {hidden("newest", rule.newest.to_string())}
            {hidden("days", rule.days.to_string())}
            <div class="row gap-s"><Button id="rule-keep" label=k.keep/> <span class="hint">{k.keep_hint}</span></div>
        </form>
    }
    .erase()
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
        let by = if r.by.is_empty() { k.by_rule.to_owned() } else { r.by.clone() };
        let who = view! { <span class="second">{by} " · " {t.when(r.asked_at, now)}</span> }.erase();
        view! { <li>{state(shape, words.join(" · "))} " " {who}</li> }.erase()
    };
    view! { <h3 class="gap">{k.before}</h3> <ul class="plain">{runs.iter().map(one).collect_view()}</ul> }.into_any()
}
