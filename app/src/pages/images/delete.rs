//! The end of a version's page: it is deleted by hand, or why it can't be.
//!
//! One could get it wrong by naming the version alone: a registry deletes a digest, so every
//! version that goes is named before anything does, and travels with the form.

use crate::api::DeleteVersion;
use crate::pages::parts::hidden;
use crate::pages::write::Here;
use crate::text::Texts;
use crate::ui::{Button, Erase, Shape, TextField, Tone, section, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{Fate, ImageView, Stays};

/// The section.
pub fn write(t: &'static Texts, v: &ImageView, fate: Fate, once: &str, here: &Here) -> AnyView {
    let (d, tag) = (t.deleting(), &v.version.tag);
    let refused = match () {
        () if !fate.may => Some(d.not_may),
        () if !fate.takes => Some(d.not_taken),
        () if !fate.stays.is_empty() => Some(d.stays),
        () => None,
    };
    if let Some(refused) = refused {
        let why = (!fate.stays.is_empty()).then(|| reasons(t, &fate.stays));
        let refused = Signal::stored(Some(refused.to_owned()));
        let body = view! { {why} <Button id="delete-go" label=d.go tone=Tone::Destroy refused=refused/> };
        return section("delete", d.title, d.aside, body.into_any());
    }
    let others: Vec<&str> = fate.tags.iter().filter(|t| *t != tag).map(String::as_str).collect();
    let with = if others.is_empty() { d.alone.to_owned() } else { (d.with)(&t.list(&others)) };
    let name = format!("{}/{}:{tag}", v.row.registry, v.row.name);
    let body = view! {
        <p>{(d.what)(&name)} " " <b>{with}</b></p>
        <p class="hint"><a href=super::storage::PATH>{d.bytes}</a></p>
        <form class="fields narrow gap" method="post" action=DeleteVersion::PATH>
            {hidden("once", once)}
            {hidden("registry", v.row.registry.clone())}
            {hidden("repository", v.row.name.clone())}
            {hidden("tag", tag.clone())}
            {hidden("digest", fate.digest.clone())}
            {hidden("tags", fate.tags.join(" "))}
            <TextField
                id="confirm"
                label=(d.confirm)(tag)
                value=String::new()
                error=here.error(t, DeleteVersion::PATH, "confirm")
                code=true
                required=true
                autocomplete="off"
            />
            <div class="row"><Button id="delete-go" label=d.go tone=Tone::Destroy/></div>
        </form>
    }
    .erase();
    section("delete", d.title, d.aside, body)
}

fn reasons(t: &'static Texts, stays: &[Stays]) -> AnyView {
    let one = |s: &Stays| {
        let until = view! { <span class="under">{t.stays_until(*s)}</span> }.erase();
        view! { <li>{state(Shape::Warn, t.stays(*s))} " " {until}</li> }.erase()
    };
    view! { <ul class="plain">{stays.iter().map(one).collect_view()}</ul> }.erase()
}
