//! The part of a version's page that offers its promotion.

use super::repository::short;
use crate::api::Promote;
use crate::api::form::PromoteForm;
use crate::pages::parts::hidden;
use crate::pages::write::Here;
use crate::text::Texts;
use crate::ui::{Button, Erase, Shape, TextField, section, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{ImageView, PromotionCheck, PromotionOffer};

/// The section; nothing where there is no later stage.
pub fn write(
    t: &'static Texts,
    v: &ImageView,
    offers: Vec<PromotionOffer>,
    kept: &PromoteForm,
    once: &str,
    here: &Here,
) -> AnyView {
    if offers.is_empty() {
        return ().into_any();
    }
    let p = t.promotions();
    let one = |(n, o)| offer(t, v, o, (n, kept), once, here);
    let body = offers.into_iter().enumerate().map(one).collect_view().into_any();
    section("promote", p.promote, p.aside, body)
}

/// What was checked, each with its outcome.
pub fn checks(t: &'static Texts, checks: &[PromotionCheck]) -> AnyView {
    let one = |c: &PromotionCheck| {
        let shape = if c.holds() { Shape::Ok } else { Shape::Bad };
        view! { <li>{state(shape, t.promotion_check(c))}</li> }.erase()
    };
    view! { <ul class="plain">{checks.iter().map(one).collect_view()}</ul> }.erase()
}

fn offer(
    t: &'static Texts,
    v: &ImageView,
    o: PromotionOffer,
    (n, kept): (usize, &PromoteForm),
    once: &str,
    here: &Here,
) -> AnyView {
    let p = t.promotions();
    let title = view! { <h3>{(p.to)(t.stage(o.stage), &o.registry)}</h3> }.erase();
    if o.there == v.version.digest {
        return view! { {title} <p class="second">{p.there}</p> }.erase();
    }
    let instead =
        if o.there.is_empty() { p.fresh.into_any() } else { view! { {p.replaces} " " {short(&o.there)} }.into_any() };
    let holds = o.checks.iter().all(PromotionCheck::holds);
    let form = if !o.may {
        view! { <p class="hint">{p.only_some}</p> }.erase()
    } else if holds {
        let mine = kept.to == o.registry;
        let error = if mine { here.error(t, Promote::PATH, "note") } else { Signal::stored(None) };
        let label = if o.approval { p.ask } else { p.go };
        let hint = o.approval.then(|| view! { <p class="hint">{p.needs_other}</p> }.erase());
        let aria = format!("{label}: {}", o.registry);
        view! {
            {hint}
            <form class="fields narrow gap" method="post" action=Promote::PATH>
                {hidden("once", once)}
                {hidden("registry", v.row.registry.clone())}
                {hidden("repository", v.row.name.clone())}
                {hidden("tag", v.version.tag.clone())}
                {hidden("digest", v.version.digest.clone())}
                {hidden("to", o.registry.clone())}
                <TextField
                    id=if n == 0 { "promote-note".to_owned() } else { format!("promote-note-{n}") }
                    name="note"
                    label=p.note
                    value=if mine { kept.note.clone() } else { String::new() }
                    hint=p.note_hint
                    error=error
                    required=o.approval
                    autocomplete="off"
                />
                <div class="row"><Button id=format!("promote-{}", o.registry) label=label aria=aria/></div>
            </form>
        }
        .erase()
    } else {
        ().into_any()
    };
    view! { {title} <p class="second">{instead}</p> {checks(t, &o.checks)} {form} }.erase()
}
