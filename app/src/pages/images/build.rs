//! One build: how far it is, what it says, and what it is made of.

use super::recipe::made_of;
use super::recipes::{built, named, version};
use super::repository::short;
use crate::api::{CancelBuild, output_path, recipe_path};
use crate::pages::parts::{hidden, now};
use crate::text::{Texts, units};
use crate::ui::{Button, Erase, Icon, LinkButton, Shape, facts, head, notice, section};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{BuildView, CopyState};

/// The build.
pub fn write(t: &'static Texts, v: BuildView) -> AnyView {
    let (r, now, b) = (t.recipes(), now(), &v.row);
    let open = matches!(b.state, CopyState::Waiting | CopyState::Running);
    let count = |n: u32| units::count(u64::from(n));
    let step = (open && b.step.1 > 0).then(|| (r.step)(&count(b.step.0), &count(b.step.1)).into_any());
    let pushed = (open && b.pushed.1 > 0).then(|| {
        view! {
            <progress max=b.pushed.1.to_string() value=b.pushed.0.to_string()></progress>
            " "
            {(r.pushed)(&units::bytes(b.pushed.0), &units::bytes(b.pushed.1))}
        }
        .erase()
    });
    let took = b.ended_at.map(|end| view! { {t.images().took} " " {t.took(end - b.asked_at)} }.erase());
    let items = [
        Some(built(t, b.state, &b.why)),
        step,
        pushed,
        Some(b.host.clone().into_any()),
        Some(view! { {b.by.clone()} " · " {t.when(b.asked_at, now)} }.erase()),
        took,
        Some(view! { <a href=recipe_path(&b.recipe)>{r.again}</a> }.erase()),
    ];
    let stop = v.may.then(|| {
        view! {
            <form method="post" action=CancelBuild::PATH>
                {hidden("id", b.recipe.clone())}
                {hidden("number", b.number.to_string())}
                <Button id="build-stop" label=r.stop/>
            </form>
        }
        .erase()
    });
    let name = named(&(b.text.repository.clone(), b.text.tag.clone()));
    let done = (b.state == CopyState::Done).then(|| {
        let link = view! { <a href=version(b, &v.registry)>{name.clone()}</a> " " {short(&b.digest)} }.erase();
        notice(Shape::Ok, t.build_state(b.state), "", link.into_any())
    });
    let why = (!b.why.is_empty()).then(|| {
        let (shape, more) = if open { (Shape::Warn, r.tried_again) } else { (Shape::Bad, "") };
        notice(shape, b.why.clone(), more, ().into_any())
    });
    let said = if v.output.is_empty() {
        view! { <p class="hint">{r.silent}</p> }.erase()
    } else {
        // Its end is seen first, and stays in sight while it grows.
        view! { <div class="output" tabindex="0" role="log" aria-label=r.output><pre>{v.output.clone()}</pre></div> }
            .erase()
    };
    let cut = v.cut.then(|| view! { <p class="hint">{r.output_cut}</p> }.erase());
    let all = (!v.output.is_empty()).then(|| {
        let href = output_path(&b.recipe, b.number);
        view! { <div class="row"><LinkButton href=href label=r.output_all glyph=Icon::Download external=true/></div> }
            .erase()
    });
    let title = (r.build_one)(&count(b.number));
    view! {
        {head(
            view! { <h1>{title} ": " {name}</h1> }.erase(),
            facts(items.into_iter().flatten().collect()),
            stop.into_any(),
        )}
        {done}
        {why}
        {section("output", r.output, "", view! { {said}{cut}{all} }.erase())}
        {section("made-of", r.made_of, "", made_of(t, &b.text, &b.files))}
    }
    .erase()
}
