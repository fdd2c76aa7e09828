//! The card beside the map: whose the chosen address is, and what can be done.

use super::{Kind, kind, kind_word, shape};
use crate::api::{self, AddressBlock, Unreserve};
use crate::pages::parts::{Act, act_form, hidden, operator_refused};
use crate::text::Texts;
use crate::ui::{Button, ButtonSize, Erase, LinkButton, Shape, UrlState, state};
use leptos::prelude::*;
use padis_domain::address::{AddressState, dotted, parse_ip};
use padis_domain::view::AddressCell;

/// The card for the address `at`.
pub fn card(t: &'static Texts, b: &AddressBlock, at: &str, url: &UrlState, free: Act<Unreserve>) -> AnyView {
    let n = &t.net;
    let Some(ip) = parse_ip(at).filter(|ip| b.spec.subnet.contains(*ip)) else {
        return view! { <aside class="card" id="card" aria-label=n.chosen><p class="second">{n.choose}</p></aside> }
            .erase();
    };
    let cell = b.cells.iter().find(|c| c.ip == ip);
    let k = kind(&b.spec, ip, cell);
    let how = match k {
        Kind::State(s) => state(shape(s), kind_word(t, k)),
        _ => state(Shape::Off, kind_word(t, k)),
    };
    view! {
        <aside class="card" id="card" aria-live="polite" aria-label=n.chosen>
            <div>
                <p class="ip">{dotted(ip)}</p>
                <p>{how}</p>
            </div>
            {facts(t, b, k, cell)}
            <div class="row">{acts(t, b, k, ip, cell, url, free)}</div>
        </aside>
    }
    .erase()
}

fn facts(t: &'static Texts, b: &AddressBlock, k: Kind, cell: Option<&AddressCell>) -> AnyView {
    let n = &t.net;
    let Some(c) = cell else {
        let text = if k == Kind::State(AddressState::Free) { n.free_text } else { n.unusable_text };
        return view! { <p class="second">{text}</p> }.erase();
    };
    let line = |word: &'static str, value: AnyView| view! { <dt>{word}</dt><dd>{value}</dd> }.erase();
    let taken = matches!(c.state, AddressState::Allocated | AddressState::Quarantined);
    let owner = match (&c.app, taken) {
        (Some(app), _) => Some(view! { <a href=api::app_path(app)>{app.app.clone()}</a> }.erase()),
        (None, true) => Some(n.other_team.into_any()),
        (None, false) => None,
    };
    let place = match (c.slot, c.release) {
        (Some(s), Some(r)) => Some(format!("{} · {}", (n.slot)(s), (n.release)(r))),
        (Some(s), None) => Some((n.slot)(s)),
        _ => None,
    };
    view! {
        <dl>
            {owner.map(|o| line(n.owner, o))}
            {c.app.as_ref().map(|a| line(n.team, a.team.clone().into_any()))}
            {place.map(|p| line(t.app.slot, p.into_any()))}
            {(!c.reason.is_empty()).then(|| line(n.why, c.reason.clone().into_any()))}
            {line(n.since, t.when(c.since, b.now))}
            {c.until.map(|u| line(n.until, t.when(u, b.now)))}
        </dl>
        {(c.state == AddressState::Quarantined).then(|| view! { <p class="second">{n.quarantine_text}</p> }.erase())}
    }
    .erase()
}

fn acts(
    t: &'static Texts,
    b: &AddressBlock,
    k: Kind,
    ip: u32,
    cell: Option<&AddressCell>,
    url: &UrlState,
    free: Act<Unreserve>,
) -> AnyView {
    let (n, address) = (&t.net, dotted(ip));
    let refused = if b.may_change { None } else { operator_refused(t) };
    match (k, cell) {
        (Kind::State(AddressState::Reserved), _) => {
            let body = view! {
                {hidden("pool", b.spec.name.clone())}
                {hidden("from", address)}
                <Button id="card-free" label=n.release_this size=ButtonSize::Small refused=Signal::stored(refused)/>
            }
            .erase();
            act_form(free, "card-form", "row", body.into_any())
        }
        (Kind::State(AddressState::Free), _) => {
            let href = url.with(&[("from", &address)]) + "#reserve";
            view! { <LinkButton id="card-reserve" href=href label=n.reserve_this size=ButtonSize::Small refused=refused/> }.erase()
        }
        (_, Some(AddressCell { app: Some(app), .. })) => {
            view! { <LinkButton href=api::app_path(app) label=n.open_app size=ButtonSize::Small/> }.erase()
        }
        _ => ().into_any(),
    }
}
