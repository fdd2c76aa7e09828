//! The packages of the reader's teams.

use crate::api;
use crate::api::Fault;
use crate::fetch::Fetch;
use crate::pages::parts::{filter_box, live, now, pages_of, use_list, use_param};
use crate::pages::{fault_notice, page};
use crate::shell::{PageTitle, use_here, who};
use crate::text::{Texts, texts, units};
use crate::ui::{
    Button, Erase, Field, Icon, SelectField, Shape, Table, Tone, UrlState, col, col_num, empty, head, notice, section,
};
use crate::wire;
use leptos::prelude::*;
use padis_domain::view::{ListQuery, PackageRow, Page};
use padis_domain::words::UnixMs;

/// The page of a package.
pub fn package_path(sha256: &str) -> String {
    format!("/packages/{}", api::query::escape(sha256))
}

/// The list of packages.
#[component]
pub fn Packages() -> AnyView {
    let t = texts();
    let (list, here, changed) = (use_list(), use_here(), live(&["packages"]));
    let data = Fetch::new(
        move || (list.get(), changed.get()),
        |(q, _)| async move { Ok((api::packages(q).await?, now())) as api::Said<_> },
    );
    view! {
        <PageTitle text=t.shell.packages/>
        {head(
            view! { <h1>{t.shell.packages}</h1> }.erase(),
            view! { <p class="lead">{t.catalog.packages_lead}</p> }.erase(),
            ().into_any(),
        )}
        {said(t)}
        {page(t.shell.packages, data, move |(p, now): (Page<PackageRow>, UnixMs)| {
            body(t, p, now, &here.get_untracked(), &list.get_untracked())
        })}
        {upload(t)}
    }
    .erase()
}

/// What became of an upload or a deletion, from the page's address.
fn said(t: &'static Texts) -> AnyView {
    let (done, package, problem) = (use_param("done"), use_param("package"), use_param("problem"));
    let view = move || {
        let c = &t.catalog;
        if done.get() == "delete_package" {
            return notice(Shape::Ok, c.deleted, "", ().into_any());
        }
        if !package.get().is_empty() {
            let href = package_path(&package.get());
            return notice(Shape::Ok, c.uploaded_done, "", view! { <a href=href>{t.shell.show}</a> }.erase());
        }
        match wire::value::<Fault>(&problem.get()) {
            Some(f) => fault_notice(&f),
            None => ().into_any(),
        }
    };
    view! { <div class="said" aria-live="polite">{move || view()}</div> }.erase()
}

fn body(t: &'static Texts, p: Page<PackageRow>, now: UnixMs, url: &UrlState, q: &ListQuery) -> AnyView {
    let c = &t.catalog;
    if p.total == 0 && q.q.is_empty() {
        return empty(c.packages_none, c.packages_none_text, ().into_any());
    }
    let filter = filter_box(t, url, c.packages_filter, &q.q, ().into_any());
    if p.rows.is_empty() {
        return view! { {filter} {empty(c.packages_no_hit, t.net.no_hit_text, ().into_any())} }.erase();
    }
    let cols = view! {
        {col(c.package, "")}
        {col(c.kind, "md")}
        {col(c.version, "lo")}
        {col_num(c.size, "")}
        {col(t.shell.team, "md")}
        {col(c.by, "lo")}
        {col(c.uploaded, "")}
        {col_num(c.in_use, "")}
    }
    .erase();
    let rows = p.rows.into_iter().map(|r| row(t, r, now)).collect_view();
    view! {
        {filter}
        <Table label=t.shell.packages head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, p.page, p.per_page, p.total)}
    }
    .erase()
}

fn row(t: &'static Texts, r: PackageRow, now: UnixMs) -> AnyView {
    let c = &t.catalog;
    let used = if r.used_by.is_empty() {
        view! { <span class="quiet">{c.unused}</span> }.erase()
    } else {
        t.release_count(r.used_by.len()).into_any()
    };
    let short: String = r.sha256.chars().take(12).collect();
    view! {
        <tr>
            <th scope="row"><a href=package_path(&r.sha256)>{r.file_name}</a><span class="tech">"sha256 " {short}</span></th>
            <td class="md">{t.package_kind(r.facts.kind)}</td>
            <td class="lo">{r.facts.version}</td>
            <td class="num">{units::bytes(r.bytes)}</td>
            <td class="md">{r.team}</td>
            <td class="lo">{r.by}</td>
            <td>{t.when(r.at, now)}</td>
            <td class="num">{used}</td>
        </tr>
    }
    .erase()
}

/// The plain upload form; who may change nothing sees why.
fn upload(t: &'static Texts) -> AnyView {
    let c = &t.catalog;
    let me = who().0;
    let refused = me.as_ref().filter(|m| m.read_only()).map(|_| c.read_only.to_owned());
    let teams: Vec<(String, String)> =
        me.map(|m| m.teams.into_keys().map(|s| (s.clone(), s)).collect()).unwrap_or_default();
    if teams.is_empty() {
        let why = refused.unwrap_or_else(|| t.account.no_teams.to_owned());
        return section("upload", c.upload, "", view! { <p class="quiet">{why}</p> }.erase());
    }
    let body = view! {
        <form class="inform narrow" method="post" action="/uploads/form" enctype="multipart/form-data">
            <input type="hidden" name="back" value="/packages"/>
            <SelectField id="up-team" name="team" label=t.shell.team options=teams/>
            <Field id="up-file" label=c.upload_file hint=c.upload_hint>
                <input class="in file" id="up-file" name="file" type="file" required=true accept=".war,.jar,.zip,.tar.gz,.tgz" aria-describedby="up-file-line"/>
            </Field>
            <div class="row">
                <Button id="up-go" label=c.upload_go tone=Tone::Primary glyph=Icon::Upload refused=Signal::stored(refused)/>
            </div>
        </form>
    }.erase();
    section("upload", c.upload, "", body.into_any())
}
