//! One version of a repository, whole, and the way to copy it elsewhere.

use super::list::{made, stage, title};
use super::repository::{short, users};
use super::server::path;
use crate::api::form::CopyForm;
use crate::api::{CopyImage, Outcome};
use crate::pages::parts::{hidden, now, publisher_refused};
use crate::pages::write::Here;
use crate::text::images::Images;
use crate::text::{Texts, units};
use crate::ui::{
    Button, Erase, SelectField, Shape, Table, TextField, col, col_num, empty, facts, head, notice, section, state_tag,
};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::ports::{Image, ImageStep};
use padis_domain::view::{ImageView, RegistryRow};

/// Labels and variables that are shown; more are counted by nobody and kept in the registry.
const MOST: usize = 100;

/// Fields of the forms for a copy, a promotion, a workbench and its deletion.
pub const FIELDS: [&str; 6] = ["to_registry", "to_repository", "to_tag", "note", "pool", "confirm"];

/// The version.
pub fn write(
    t: &'static Texts,
    v: ImageView,
    (contents, promote, start, delete): (AnyView, AnyView, AnyView, AnyView),
    form: CopyForm,
    here: &Here,
) -> AnyView {
    let (i, now) = (t.images(), now());
    let (row, r) = (&v.row, &v.version);
    let tag = (!r.fault.is_empty()).then(|| state_tag(Shape::Bad, i.broken));
    let made = r.made_at.map(|at| view! { {i.made} " " {made(t, at, now)} }.erase());
    let items = [
        title(t, row).map(IntoAny::into_any),
        Some(
            view! { <a href=path(&row.registry, &row.name, None)>{row.registry.clone()} "/" {row.name.clone()}</a> }
                .erase(),
        ),
        Some(stage(t, i, row.stage).into_any()),
        made,
        Some(units::bytes(r.bytes).into_any()),
    ];
    let fault = (!r.fault.is_empty()).then(|| notice(Shape::Bad, i.broken, r.fault.clone(), ().into_any()));
    let inside = match &v.image {
        Some(image) if image.platforms.is_empty() => empty(i.no_image, i.no_image_text, ().into_any()),
        Some(image) => view! { {what(t, i, &v, image)} {layers(t, i, image)} {contents} }.erase(),
        None => ().into_any(),
    };
    let copy = section("copy", i.copy, i.copy_aside, copy(t, i, &v, form, here));
    // Where it came back, what is wrong with it is seen first.
    let (first, last) = match here.outcome(CopyImage::PATH) {
        Outcome::Failed(_) => (Some(copy), None),
        _ => (None, Some(copy)),
    };
    view! {
        {head(
            view! { <h1>{row.name.clone()} ":" {r.tag.clone()}</h1>{tag} }.erase(),
            facts(items.into_iter().flatten().collect()),
            super::archives::download(t, &v),
        )}
        {fault}
        {first}
        {inside}
        {section("places", i.places, i.places_aside, places(i, &v))}
        {promote}
        {start}
        {last}
        {delete}
    }
    .erase()
}

fn what(t: &'static Texts, i: &'static Images, v: &ImageView, image: &Image) -> AnyView {
    let line = |word: &'static str, value: AnyView| view! { <dt>{word}</dt><dd>{value}</dd> }.erase();
    let code = |all: &[String]| {
        let all = all.iter().take(MOST).map(|one| view! { <div><code>{one.clone()}</code></div> }.erase());
        all.collect_view().into_any()
    };
    let some = |word: &'static str, all: &[String]| (!all.is_empty()).then(|| line(word, code(all)));
    let platforms = image.platforms.join(", ");
    let here = (!image.runs_here).then(|| view! { " " {state_tag(Shape::Warn, i.not_here)} }.erase());
    let started: Vec<String> = image.entry_point.iter().chain(&image.command).cloned().collect();
    let user = if image.user.is_empty() { i.root.to_owned() } else { image.user.clone() };
    let labels: Vec<String> = image.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let body = view! {
        <dl class="pairs">
            {line(i.digest, view! { <code>{v.version.digest.clone()}</code> }.erase())}
            {line(i.used_by, users(t, i, &v.version.used_by))}
            {line(i.platforms, view! { {platforms} {here} }.erase())}
            {(!image.author.is_empty()).then(|| line(i.author, image.author.clone().into_any()))}
            {line(i.user, view! { <code>{user}</code> }.erase())}
            {(!started.is_empty())
                .then(|| line(i.starts, view! { <code>{started.join(" ")}</code> }.erase()))}
            {(!image.working_dir.is_empty())
                .then(|| line(i.folder, view! { <code>{image.working_dir.clone()}</code> }.erase()))}
            {some(i.ports, &image.ports)}
            {some(i.volumes, &image.volumes)}
            {some(i.env, &image.env)}
            {some(i.labels, &labels)}
        </dl>
    }
    .erase();
    section("what", i.what, "", body)
}

fn layers(t: &'static Texts, i: &'static Images, image: &Image) -> AnyView {
    let cols = view! { {col(i.step, "wrap")} {col(i.digest, "lo")} {col_num(i.added, "")} }.erase();
    let row = |s: &ImageStep| {
        let (digest, bytes) = match &s.layer {
            Some((digest, bytes)) => (short(digest), units::bytes(*bytes)),
            None => (().into_any(), i.nothing.to_owned()),
        };
        let made_by = s.made_by.trim_start_matches("/bin/sh -c ").trim_start_matches("#(nop) ").trim().to_owned();
        view! {
            <tr>
                <td class="wrap"><code>{made_by}</code></td>
                <td class="lo">{digest}</td>
                <td class="num">{bytes}</td>
            </tr>
        }
        .erase()
    };
    let rows = image.steps.iter().map(row).collect_view();
    let _ = t;
    section(
        "layers",
        i.layers,
        i.layers_aside,
        view! { <Table label=i.layers head=cols.into_any()>{rows}</Table> }.erase(),
    )
}

fn places(i: &'static Images, v: &ImageView) -> AnyView {
    let cols = view! { {col(i.registry, "")} {col(i.repository, "")} {col(i.tag, "")} }.erase();
    let rows = v.places.iter().map(|(registry, repository, tag)| {
        view! {
            <tr>
                <td>{registry.clone()}</td>
                <th scope="row"><a href=path(registry, repository, Some(tag))>{repository.clone()}</a></th>
                <td><code>{tag.clone()}</code></td>
            </tr>
        }
        .erase()
    });
    let rows = rows.collect_view();
    view! { <Table label=i.places head=cols.into_any()>{rows}</Table> }.erase()
}

fn copy(t: &'static Texts, i: &'static Images, v: &ImageView, form: CopyForm, here: &Here) -> AnyView {
    if let Some(refused) = publisher_refused(t) {
        return view! { <p class="hint">{refused}</p> }.erase();
    }
    if v.targets.is_empty() {
        return view! { <p class="hint">{i.no_target}</p> }.erase();
    }
    let word = |r: &RegistryRow| (r.name.clone(), format!("{} · {} · {}", r.name, r.place, stage(t, i, r.stage)));
    let targets: Vec<(String, String)> = v.targets.iter().map(word).collect();
    let error = |field: &str| here.error(t, CopyImage::PATH, field);
    view! {
        <p class="hint">{i.copy_text}</p>
        <form class="fields narrow gap" method="post" action=CopyImage::PATH>
            {hidden("once", form.once)}
            {hidden("from_registry", v.row.registry.clone())}
            {hidden("from_repository", v.row.name.clone())}
            {hidden("from_tag", v.version.tag.clone())}
            <SelectField
                id="to_registry"
                label=i.to_registry
                options=targets
                value=form.to_registry
                error=error("to_registry")
            />
            <TextField
                id="to_repository"
                label=i.to_repository
                value=form.to_repository
                hint=i.to_repository_hint
                error=error("to_repository")
                code=true
                required=true
                autocomplete="off"
            />
            <TextField
                id="to_tag"
                label=i.to_tag
                value=form.to_tag
                hint=i.to_tag_hint
                error=error("to_tag")
                code=true
                required=true
                autocomplete="off"
            />
            <div class="row"><Button id="copy-go" label=i.copy_go/></div>
        </form>
    }
    .erase()
}
