//! Space in the registries: what was freed, how far it is, and the button.
//!
//! One could get it wrong by hiding a registry whose files are not reached: its people then
//! look for a button that is nowhere.

use super::copies::shape;
use super::list::stage;
use super::server::{Lists, lists};
use crate::api::{CancelCollection, CollectRegistry};
use crate::pages::parts::{hidden, now, operator_refused};
use crate::text::storage::Storage;
use crate::text::{Texts, units};
use crate::ui::{Button, ButtonSize, Erase, Shape, Tone, head, notice, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::ports::{CollectPhase, Collected};
use padis_domain::view::{CollectionRow, CollectionsView, CopyState, StorageRow};
use padis_domain::words::UnixMs;

/// Where it is.
pub const PATH: &str = "/images/storage";

/// The page.
pub fn write(t: &'static Texts, v: CollectionsView, once: &str, waiting: u64) -> AnyView {
    let (s, now) = (t.storage(), now());
    let all = v.rows.iter().map(|r| registry(t, s, r, once, now)).collect_view();
    view! {
        {head(
            view! { <h1>{s.title}</h1> }.erase(),
            view! { <p class="lead">{s.lead}</p> }.erase(),
            ().into_any(),
        )}
        {lists(t, t.images(), Lists::Storage, waiting)}
        {all}
    }
    .erase()
}

fn registry(t: &'static Texts, s: &'static Storage, r: &StorageRow, once: &str, now: UnixMs) -> AnyView {
    let name = r.registry.name.clone();
    let open = r.runs.iter().any(|run| run.state.open());
    let refused = if !r.reached {
        Some(s.unreached.to_owned())
    } else if open {
        Some(s.goes_on.to_owned())
    } else {
        operator_refused(t)
    };
    let said = if r.reached {
        let time = t.lasting(i64::try_from(r.young_s.saturating_mul(1000)).unwrap_or(i64::MAX));
        view! { <p class="hint">{(s.young)(&time)}</p> }.erase()
    } else {
        notice(Shape::Warn, s.unreached, s.unreached_text, ().into_any())
    };
    let runs = if r.runs.is_empty() {
        view! { <p class="hint">{s.none}</p> }.erase()
    } else {
        view! { <ul class="runs">{r.runs.iter().map(|r| run(t, s, r, now)).collect_view()}</ul> }.erase()
    };
    let body = view! {
        {said}
        <form class="gap" method="post" action=CollectRegistry::PATH>
            {hidden("registry", name.clone())}
            {hidden("once", once)}
            <Button
                id=format!("collect-{name}")
                label=s.go
                aria=format!("{}: {name}", s.go)
                refused=Signal::stored(refused)
            />
        </form>
        <h3 class="gap">{s.runs}</h3>
        {runs}
    }
    .erase();
    let aside = format!("{} · {}", r.registry.place, stage(t, t.images(), r.registry.stage));
    let id = format!("storage-{name}");
    let labelled = id.clone();
    view! {
        <section class="sec" aria-labelledby=labelled>
            <div class="sec-h">
                <h2 id=id>{name}</h2>
                <span class="quiet">{aside}</span>
            </div>
            {body}
        </section>
    }
    .erase()
}

fn run(t: &'static Texts, s: &'static Storage, r: &CollectionRow, now: UnixMs) -> AnyView {
    let lines = match &r.result {
        Some(done) => result(t, s, done),
        None if r.state == CopyState::Running || r.at.freed > 0 => far(t, s, r),
        None => Vec::new(),
    };
    let lines = lines.into_iter().map(|line| view! { <span class="under">{line}</span> }.erase()).collect_view();
    let why = (!r.why.is_empty()).then(|| {
        let again = r.state.open().then(|| view! { <span class="under">{s.tried_again}</span> }.erase());
        view! { {again} <span class="under">{r.why.clone()}</span> }.erase()
    });
    let bar = (r.state == CopyState::Running).then(|| {
        let (at, all) = if r.at.phase == CollectPhase::Read { r.at.manifests } else { r.at.layers };
        view! { <progress max=all.max(1).to_string() value=at.to_string()></progress> }.erase()
    });
    let stop = (r.state.open() && operator_refused(t).is_none()).then(|| {
        view! {
            <form method="post" action=CancelCollection::PATH>
                {hidden("id", r.id.clone())}
                <Button
                    label=s.stop
                    size=ButtonSize::Small
                    tone=Tone::Quiet
                    aria=format!("{}: {}", s.stop, r.registry)
                />
            </form>
        }
        .erase()
    });
    let who = view! { <span class="second">{r.by.clone()} " · " {t.when(r.asked_at, now)}</span> }.erase();
    view! { <li>{state(shape(r.state, &r.why), t.collect_state(r.state))} " " {who} {bar} {lines} {why} {stop}</li> }
        .erase()
}

fn far(t: &'static Texts, s: &'static Storage, r: &CollectionRow) -> Vec<String> {
    let two = |(n, all): (u64, u64)| (units::count(n), units::count(all));
    let (manifests, layers) = (two(r.at.manifests), two(r.at.layers));
    let mut out = vec![t.collect_phase(r.at.phase).to_owned(), (s.manifests)(&manifests.0, &manifests.1)];
    out.extend((r.at.phase != CollectPhase::Read).then(|| (s.layers)(&layers.0, &layers.1)));
    out.push((s.so_far)(&units::bytes(r.at.freed)));
    out
}

fn result(t: &'static Texts, s: &'static Storage, r: &Collected) -> Vec<String> {
    let n = |n: u64| units::count(n);
    let mut out = vec![format!(
        "{} · {}",
        (s.freed)(&units::bytes(r.freed), &n(r.removed)),
        (s.of_all)(&n(r.layers), &n(r.manifests))
    )];
    out.extend((r.young > 0).then(|| (s.kept_young)(&n(r.young))));
    out.extend((r.named > 0).then(|| (s.kept_named)(&n(r.named))));
    out.extend((r.remembered > 0).then(|| (s.kept_remembered)(&n(r.remembered))));
    out.extend((r.unclear > 0).then(|| (s.kept_unclear)(&n(r.unclear))));
    out.extend((!r.unreadable.is_empty()).then(|| (s.unreadable)(&t.list(&r.unreadable))));
    out.extend((r.foreign > 0).then(|| (s.foreign)(&n(r.foreign))));
    out.extend((r.uploads > 0).then(|| (s.uploads)(&n(r.uploads))));
    out
}
