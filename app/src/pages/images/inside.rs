//! What is inside a version: packages, files, known vulnerabilities.

use super::repository::short;
use super::server::path;
use crate::api::form::LookInsideForm;
use crate::api::{LookInside, query};
use crate::pages::parts::{hidden, now};
use crate::pages::write::Here;
use crate::text::inside::Inside;
use crate::text::{Texts, units};
use crate::ui::{Button, Erase, Shape, Table, UrlState, col, col_num, empty, notice, section, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{
    Contained, FeedView, FileInside, InsideQuery, InsideState, InsideView, Match, RepositoryRow, Severity,
};

/// What is asked for, by the address.
pub fn asked(here: &Here) -> InsideQuery {
    InsideQuery { package: here.get("inside"), file: here.get("file") }
}

/// The sections.
pub fn write(t: &'static Texts, v: InsideView, of: &RepositoryRow, tag: &str, here: &Here) -> AnyView {
    let i = t.inside();
    let ask = |label: &'static str| {
        if !v.may_ask {
            return view! { <p class="hint">{i.may_not}</p> }.erase();
        }
        let form = LookInsideForm { registry: of.registry.clone(), repository: of.name.clone(), tag: tag.to_owned() };
        view! {
            <form method="post" action=LookInside::PATH>
                {hidden("registry", form.registry)}
                {hidden("repository", form.repository)}
                {hidden("tag", form.tag)}
                <Button id="look-inside" label=label/>
            </form>
        }
        .erase()
    };
    let waits = |shape, word: &'static str| {
        let why = (!v.why.is_empty())
            .then(|| view! { <p class="hint">{i.held} " " <code>{v.why.clone()}</code></p> }.erase());
        view! { <p>{state(shape, word)}</p> {why} }.erase()
    };
    let body = match v.state {
        None => empty(i.unknown, i.unknown_text, ask(i.look)),
        Some(InsideState::Waiting) => waits(if v.why.is_empty() { Shape::Wait } else { Shape::Warn }, i.waiting),
        Some(InsideState::Reading) => waits(Shape::Run, i.reading),
        Some(InsideState::Failed) => notice(Shape::Bad, i.failed, v.why.clone(), ask(i.look_again)),
        Some(InsideState::Read) => return read(t, i, &v, of, tag, &asked(here)),
    };
    section("inside", i.title, i.aside, body)
}

fn read(
    t: &'static Texts,
    i: &'static Inside,
    v: &InsideView,
    of: &RepositoryRow,
    tag: &str,
    q: &InsideQuery,
) -> AnyView {
    let url = UrlState::new(
        path(&of.registry, &of.name, Some(tag)),
        [("inside".to_owned(), q.package.clone()), ("file".to_owned(), q.file.clone())],
    );
    let line = |word: &'static str, value: AnyView| view! { <dt>{word}</dt><dd>{value}</dd> }.erase();
    let kind = |(origin, n): &(_, u64)| {
        view! { <div>{units::count(*n)} " " <span class="second">{t.package_origin(*origin)}</span></div> }.erase()
    };
    let counts = match v.counts.as_slice() {
        [] => i.no_packages.into_any(),
        some => some.iter().map(kind).collect_view().into_any(),
    };
    let system = if v.os.is_empty() { i.system_unknown.to_owned() } else { v.os.clone() };
    let notes = v.notes.iter().map(|n| view! { <div>{t.inside_note(*n)}</div> }.erase()).collect_view();
    let bill = format!(
        "/images-sbom/{}/{}:{}",
        query::escape(&of.registry),
        of.name.split('/').map(query::escape).collect::<Vec<_>>().join("/"),
        query::escape(tag)
    );
    let facts = view! {
        <dl class="pairs">
            {line(i.system, system.into_any())}
            {line(i.packages, counts)}
            {line(i.files, units::count(v.files_total).into_any())}
            {v.read_at.map(|at| line(i.read_at, t.when(at, now())))}
            {(!v.notes.is_empty()).then(|| line(i.left_out, notes.into_any()))}
        </dl>
        <p><a href=bill rel="external" download="">{i.bill}</a></p>
    }
    .erase();
    view! {
        {section("inside", i.title, i.aside, facts)}
        {section("weak", i.vulnerabilities, i.vulnerabilities_aside, weak(t, i, v))}
        {section("packages", i.packages, "", packages(t, i, v, &url))}
        {section("files", i.files, "", files(i, v, q, &url))}
    }
    .erase()
}

/// The box that filters one of the lists; the other's words stay.
fn filter(i: &'static Inside, url: &UrlState, name: &'static str, label: &'static str, anchor: &str) -> AnyView {
    let value = url.get(name).to_owned();
    let clear = (!value.is_empty()).then(|| {
        let href = url.with(&[(name, "")]) + anchor;
        view! { <a class="btn s quiet" href=href>{i.clear}</a> }.erase()
    });
    view! {
        <form class="filt" method="get" action=url.path.clone() + anchor role="search" aria-label=label>
            {url.hidden(&[name])}
            <input class="in" type="search" name=name value=value aria-label=label placeholder=label/>
            <button class="btn s" type="submit">{i.find}</button>
            {clear}
        </form>
    }
    .erase()
}

/// How many there are, where not all are shown.
fn more(i: &'static Inside, shown: usize, all: u64) -> Option<AnyView> {
    let words = (i.first)(&units::count(shown as u64), &units::count(all));
    (all > shown as u64).then(|| view! { <p class="hint">{words}</p> }.erase())
}

fn packages(t: &'static Texts, i: &'static Inside, v: &InsideView, url: &UrlState) -> AnyView {
    let cols = view! {
        {col(i.package, "")}
        {col(i.version, "")}
        {col(i.kind, "md")}
        {col(i.license, "lo wrap")}
        {col(i.written, "lo wrap")}
    }
    .erase();
    let row = |p: &Contained| {
        view! {
            <tr>
                <th scope="row">{p.name.clone()}</th>
                <td><code>{p.version.clone()}</code></td>
                <td class="md">{t.package_origin(p.origin)}</td>
                <td class="lo wrap">{p.license.clone()}</td>
                <td class="lo wrap"><code>{p.path.clone()}</code></td>
            </tr>
        }
        .erase()
    };
    if v.counts.is_empty() {
        return view! { <p class="hint">{i.no_packages}</p> }.erase();
    }
    let table = if v.packages.is_empty() {
        view! { <p class="hint">{i.none_found}</p> }.erase()
    } else {
        let rows = v.packages.iter().map(row).collect_view();
        view! { <Table label=i.packages head=cols.into_any()>{rows}</Table> }.erase()
    };
    view! {
        {filter(i, url, "inside", i.package_filter, "#packages")}
        {more(i, v.packages.len(), v.found)}
        {table}
    }
    .erase()
}

fn files(i: &'static Inside, v: &InsideView, q: &InsideQuery, url: &UrlState) -> AnyView {
    let cols = view! { {col(i.path, "wrap")} {col(i.layer, "lo")} {col_num(i.size, "")} }.erase();
    let row = |f: &FileInside| {
        view! {
            <tr>
                <th scope="row" class="wrap"><code>{format!("/{}", f.path)}</code></th>
                <td class="lo">{short(&f.layer)}</td>
                <td class="num">{units::bytes(f.bytes)}</td>
            </tr>
        }
        .erase()
    };
    let table = match (q.file.is_empty(), v.files.is_empty()) {
        (true, _) => ().into_any(),
        (false, true) => view! { <p class="hint">{i.none_found}</p> }.erase(),
        (false, false) => {
            let rows = v.files.iter().map(row).collect_view();
            view! { <Table label=i.files head=cols.into_any()>{rows}</Table> }.erase()
        }
    };
    view! { {filter(i, url, "file", i.file_filter, "#files")} {more(i, v.files.len(), v.files_found)} {table} }.erase()
}

fn shape(s: Severity) -> Shape {
    match s {
        Severity::Critical | Severity::High => Shape::Bad,
        Severity::Medium => Shape::Warn,
        Severity::Low => Shape::Leave,
        Severity::Unknown => Shape::Off,
    }
}

/// How bad it is, with its score.
pub fn rated(t: &'static Texts, m: &Match) -> AnyView {
    let score = m.score.map(|tenths| (t.inside().score)(&format!("{}.{}", tenths / 10, tenths % 10)));
    let score = score.map(|words| view! { <span class="under">{words}</span> }.erase());
    view! { {state(shape(m.severity), t.severity(m.severity))} {score} }.erase()
}

/// Where the vulnerabilities are known from.
pub fn feed(t: &'static Texts, f: &FeedView) -> AnyView {
    let i = t.inside();
    let read = f.read_at.map(|at| view! { " · " {i.feed_read} " " {t.when(at, now())} }.erase());
    let fault = (!f.fault.is_empty()).then(|| notice(Shape::Warn, i.feed_fault, f.fault.clone(), ().into_any()));
    view! { {fault} <p class="hint">{(i.feed)(&units::count(f.entries))} {read}</p> }.erase()
}

fn weak(t: &'static Texts, i: &'static Inside, v: &InsideView) -> AnyView {
    let Some(known) = &v.feed else { return empty(i.no_feed, i.no_feed_text, ().into_any()) };
    if v.vulnerabilities.is_empty() {
        return view! { {feed(t, known)} {empty(i.clean, i.clean_text, ().into_any())} }.erase();
    }
    let cols = view! {
        {col(i.severity, "")}
        {col(i.vulnerability, "wrap")}
        {col(i.package, "")}
        {col(i.fixed, "md")}
    }
    .erase();
    let row = |m: &Match| {
        view! {
            <tr>
                <td>{rated(t, m)}</td>
                <th scope="row" class="wrap">{m.id.clone()} <span class="under">{m.summary.clone()}</span></th>
                <td>{m.package.clone()} <span class="under"><code>{m.version.clone()}</code></span></td>
                <td class="md">{mended(i, m)}</td>
            </tr>
        }
        .erase()
    };
    let rows = v.vulnerabilities.iter().map(row).collect_view();
    view! {
        {feed(t, known)}
        {more(i, v.vulnerabilities.len(), v.vulnerabilities_total)}
        <Table label=i.vulnerabilities head=cols.into_any()>{rows}</Table>
    }
    .erase()
}

/// The version that mends it.
pub fn mended(i: &'static Inside, m: &Match) -> AnyView {
    if m.fixed.is_empty() {
        return view! { <span class="second">{i.unfixed}</span> }.erase();
    }
    view! { <code>{m.fixed.clone()}</code> }.erase()
}
