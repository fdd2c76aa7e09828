//! Images as one file: the form that takes one, the list of those that were brought in, and
//! the link that gives a version as one.
//!
//! The form is plain HTML, and its text fields stand before the file: whoever reads it then
//! knows where it goes before its first byte. One could get it wrong by putting the file first.

use super::copies::shape;
use super::server::{Lists, lists, path};
use crate::api::form::BringForm;
use crate::api::{BRING, BROUGHT, CancelArchive, archive_path};
use crate::pages::parts::{filter_box, filter_select, hidden, now, pages_of};
use crate::pages::write::{Here, address};
use crate::text::{Texts, units};
use crate::ui::{
    Button, ButtonSize, Erase, Field, Icon, SelectField, Shape, Table, TextField, col, col_actions, col_num, described,
    empty, head, section, state, state_tag,
};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{ArchiveOffer, ArchiveRow, CopyState, ImageView, ListQuery, Page};
use padis_domain::words::UnixMs;

/// Where the list is.
pub const PATH: &str = "/images/archives";
/// Fields of the form.
pub const FIELDS: [&str; 4] = ["registry", "repository", "tag", "file"];

/// The link on a version's page.
pub fn download(t: &'static Texts, v: &ImageView) -> AnyView {
    let a = t.archives();
    let platforms = v.image.as_ref().map(|i| i.platforms.len()).unwrap_or_default();
    let size = if platforms > 1 { a.every_platform.to_owned() } else { units::bytes(v.version.bytes) };
    let href = archive_path(&v.row.registry, &v.row.name, &v.version.tag);
    view! {
        <a class="btn" id="download-archive" href=href title=a.download_hint rel="external" download="">
            {a.download} " (" {size} ")"
        </a>
    }
    .erase()
}

/// The form, where the caller may bring one in; of a repository's page the place is given.
pub fn bring(t: &'static Texts, o: &ArchiveOffer, form: BringForm, given: bool, here: &Here) -> AnyView {
    let a = t.archives();
    let Some(first) = o.registries.first() else { return ().into_any() };
    let error = |field: &str| here.error(t, BROUGHT, field);
    let hint = match o.below.as_slice() {
        [] => a.repository_hint.to_owned(),
        some => (a.below)(&some.join(", ")),
    };
    let place = if given {
        let (registry, repository) = (form.registry.clone(), form.repository.clone());
        view! { {hidden("registry", registry)}{hidden("repository", repository)} }.into_any()
    } else {
        let word = |r: &padis_domain::view::RegistryRow| (r.name.clone(), format!("{} · {}", r.name, r.place));
        let registry = if form.registry.is_empty() { first.name.clone() } else { form.registry.clone() };
        let registries: Vec<(String, String)> = o.registries.iter().map(word).collect();
        view! {
            <SelectField
                id="bring-registry"
                name="registry"
                label=a.registry
                options=registries
                value=registry
                error=error("registry")
            />
            <TextField
                id="bring-repository"
                name="repository"
                label=a.repository
                value=form.repository.clone()
                hint=hint
                error=error("repository")
                code=true
                required=true
                autocomplete="off"
            />
        }
        .into_any()
    };
    let line = described("bring-file");
    let body = view! {
        <form class="fields narrow" id="bring-form" method="post" action=BRING enctype="multipart/form-data">
            {hidden("back", here.back())}
            {hidden("once", form.once.clone())}
            {place}
            <TextField
                id="bring-tag"
                name="tag"
                label=a.tag
                value=form.tag.clone()
                hint=a.tag_hint
                error=error("tag")
                code=true
                autocomplete="off"
            />
            <Field id="bring-file" label=a.file hint=(a.file_hint)(&units::bytes(o.most_bytes)) error=error("file")>
                <input
                    class="in file"
                    id="bring-file"
                    name="file"
                    type="file"
                    required=true
                    accept=".tar,.tar.gz,.tgz"
                    aria-describedby=line
                />
            </Field>
            <div class="row"><Button id="bring-go" label=a.go glyph=Icon::Upload/></div>
        </form>
    }
    .erase();
    section("bring", a.bring, a.bring_aside, body)
}

/// The list.
pub fn write(t: &'static Texts, p: Page<ArchiveRow>, q: &ListQuery, waiting: u64) -> AnyView {
    let (a, i, now, url) = (t.archives(), t.images(), now(), &address(PATH, q));
    let top = view! {
        {head(
            view! { <h1>{a.title}</h1> }.erase(),
            view! { <p class="lead">{a.lead}</p> }.erase(),
            ().into_any(),
        )}
        {lists(t, i, Lists::Archives, waiting)}
        <h2 class="vh">{a.title}</h2>
    }
    .erase();
    if p.total == 0 && q.q.is_empty() && q.state.is_empty() {
        return view! { {top} {empty(a.none, a.none_text, ().into_any())} }.erase();
    }
    let mut states = vec![(String::new(), i.every_state.to_owned())];
    states.extend(CopyState::ALL.map(|s| (s.as_str().to_owned(), t.archive_state(s).to_owned())));
    let filter = filter_box(t, url, a.filter, &q.q, filter_select(i.state, "state", &q.state, states));
    if p.rows.is_empty() {
        return view! { {top} {filter} {empty(a.no_hit, i.no_hit_text, ().into_any())} }.erase();
    }
    let cols = view! {
        {col(a.to, "")}
        {col(a.from_file, "md")}
        {col(i.state, "")}
        {col_num(i.how_far, "")}
        {col_num(i.asked, "md")}
        {col_actions()}
    }
    .erase();
    let rows = p.rows.into_iter().map(|r| row(t, r, now)).collect_view();
    view! {
        {top}
        {filter}
        <Table label=a.title head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, p.page, p.per_page, p.total)}
    }
    .erase()
}

fn row(t: &'static Texts, r: ArchiveRow, now: UnixMs) -> AnyView {
    let a = t.archives();
    let to = match r.state {
        CopyState::Done => {
            let href = path(&r.registry, &r.repository, Some(&r.tag));
            view! { <a href=href>{r.repository.clone()} ":" {r.tag.clone()}</a> }.into_any()
        }
        _ if r.tag.is_empty() => r.repository.clone().into_any(),
        _ => format!("{}:{}", r.repository, r.tag).into_any(),
    };
    let digest = (!r.digest.is_empty())
        .then(|| view! { <span class="under">{super::repository::short(&r.digest)}</span> }.erase());
    let fault = r.fault.as_ref().map(|f| view! { <span class="under">{t.archive_fault(f)}</span> }.erase());
    let why = (!r.why.is_empty()).then(|| {
        view! { <span class="under">{a.tried_again}</span> <span class="under">{r.why.clone()}</span> }.into_any()
    });
    let named = (!r.named.is_empty()).then(|| view! { <span class="under">{(a.named)(&r.named)}</span> }.erase());
    let elsewhere = !r.platforms.is_empty() && !r.runs_here;
    let platforms = (!r.platforms.is_empty()).then(|| {
        let tag = elsewhere.then(|| view! { " " {state_tag(Shape::Warn, a.not_here)} }.into_any());
        view! { <span class="under">{r.platforms.join(", ")}{tag}</span> }.erase()
    });
    let bar =
        r.state.open().then(|| view! { <progress max=r.at.1.to_string() value=r.at.0.to_string()></progress> }.erase());
    let far = (r.at.1 > 0).then(|| view! { {units::bytes(r.at.0)} " / " {units::bytes(r.at.1)} {bar} }.into_any());
    let stop = (r.may && r.state.open()).then(|| {
        let aria = format!("{}: {}:{}", a.stop, r.repository, r.tag);
        view! {
            <form method="post" action=CancelArchive::PATH>
                {hidden("id", r.id.clone())}
                <Button label=a.stop size=ButtonSize::Small aria=aria/>
            </form>
        }
        .erase()
    });
    view! {
        <tr>
            <th scope="row">{to}<span class="under">{r.registry.clone()}</span>{digest}</th>
            <td class="md">{r.file_name.clone()} <span class="under">{units::bytes(r.bytes)}</span>{named}{platforms}</td>
            <td class="wrap">{state(shape(r.state, &r.why), t.archive_state(r.state))}{fault}{why}</td>
            <td class="num">{far}</td>
            <td class="num md">{t.when(r.asked_at, now)} <span class="under">{r.by.clone()}</span></td>
            <td>{stop}</td>
        </tr>
    }
    .erase()
}
