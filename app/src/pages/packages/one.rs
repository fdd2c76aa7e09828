//! One package: what is inside, who uses it, deleting.

use crate::api::{self, DeletePackage};
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{Act, act, act_form, hidden, live, now};
use crate::shell::{PageTitle, who};
use crate::text::{Texts, texts, units};
use crate::ui::{Button, CopyButton, Erase, LinkButton, Shape, Tone, facts, head, section, state_tag};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use padis_domain::package::{PackageFacts, PackageKind};
use padis_domain::view::PackageRow;
use padis_domain::words::UnixMs;

/// Java's version for a class file's major number: 52 is 8 (JVMS table 4.1-A).
fn java(major: u16) -> Option<u16> {
    major.checked_sub(44).filter(|v| *v > 0)
}

/// A package's page.
#[component]
pub fn Package() -> AnyView {
    let t = texts();
    let params = use_params_map();
    let sha = Memo::new(move |_| params.with(|p| p.get("sha256")).unwrap_or_default());
    let (delete, changed) = (act::<DeletePackage>(), live(&["packages", "apps"]));
    let data = Fetch::new(
        move || (sha.get(), changed.get()),
        |(sha, _)| async move { Ok((api::package(sha).await?, now())) as api::Said<_> },
    );
    view! {
        {page(t.shell.packages, data, move |(p, now): (PackageRow, UnixMs)| body(t, p, now, delete))}
    }
    .into_any()
}

fn body(t: &'static Texts, p: PackageRow, now: UnixMs, delete: Act<DeletePackage>) -> AnyView {
    let c = &t.catalog;
    let tag = if p.used_by.is_empty() {
        state_tag(Shape::Off, c.unused)
    } else {
        state_tag(Shape::Used, t.release_count(p.used_by.len()))
    };
    let items = vec![
        t.package_kind(p.facts.kind).into_any(),
        units::bytes(p.bytes).into_any(),
        p.team.clone().into_any(),
        view! { {p.by.clone()} " " {t.when(p.at, now)} }.erase(),
    ];
    let new = format!("/applications/new?package={}", api::query::escape(&p.sha256));
    let used = p
        .used_by
        .iter()
        .map(|(app, release)| {
            view! { <li><a href=api::app_path(app)>{app.to_string()}</a> " " <span class="second">{(t.net.release)(*release)}</span></li> }.erase()
        })
        .collect_view();
    let used = if p.used_by.is_empty() {
        view! { <p class="second">{c.nobody_uses}</p> }.erase()
    } else {
        view! { <ul class="ruled">{used}</ul> }.erase()
    };
    let refused = match (who().0.is_some_and(|m| m.read_only()), p.used_by.is_empty()) {
        (true, _) => Some(c.read_only.to_owned()),
        (_, false) => Some(c.delete_in_use.to_owned()),
        _ => None,
    };
    let form = view! {
        {hidden("team", p.team.clone())}
        {hidden("sha256", p.sha256.clone())}
        <div class="row"><Button id="package-delete" label=c.delete tone=Tone::Destroy refused=Signal::stored(refused)/></div>
    }.erase();
    view! {
        <PageTitle text=p.file_name.clone()/>
        {head(
            view! { <h1>{p.file_name.clone()}</h1>{tag} }.erase(),
            facts(items),
            view! { <LinkButton href=new label=c.new_with/> }.erase(),
        )}
        {delete.told.notice(&[], c.deleted)}
        {section("inside", c.inside, "", inside(t, &p))}
        {section("used", c.who_uses, "", used)}
        {section("danger", c.delete, "", view! {
            <p class="second">{c.delete_what}</p>
            {act_form(delete, "package-form", "inform gap", form.into_any())}
        }.erase())}
    }
    .erase()
}

fn inside(t: &'static Texts, p: &PackageRow) -> AnyView {
    let c = &t.catalog;
    let f: &PackageFacts = &p.facts;
    let line = |word: &'static str, value: Option<String>| value.map(|v| view! { <dt>{word}</dt><dd>{v}</dd> }.erase());
    let servlets = (f.kind == PackageKind::War).then(|| if f.javax { c.javax } else { c.jakarta }.to_owned());
    let root = f.site_root.clone().map(|r| if r.is_empty() { c.site_top.to_owned() } else { r });
    view! {
        <dl class="pairs wide">
            {line(c.kind, Some(t.package_kind(f.kind).to_owned()))}
            {line(c.version, Some(f.version.clone().unwrap_or_else(|| c.not_known.to_owned())))}
            {line(c.files, Some(units::count(f.files)))}
            {line(c.unpacked, Some(units::bytes(f.unpacked_bytes)))}
            {line(c.java, f.class_major.and_then(java).map(c.java_from))}
            {line(c.servlets, servlets)}
            {line(c.built_with, (!f.built_with.is_empty()).then(|| t.list(&f.built_with)))}
            {line(c.health_found, f.health_path.clone())}
            {line(c.site_root, root)}
            {line(c.main_class, f.main_class.clone())}
            <dt>{c.checksum}</dt>
            <dd><code>"sha256 " {p.sha256.clone()}</code> <CopyButton text=p.sha256.clone() label=t.shell.copy done=t.shell.copied/></dd>
        </dl>
    }
    .erase()
}
