//! A new release: another package, another middleware. What is left alone stays.

use super::application::{refused, use_app};
use super::new_application::facts::inside;
use super::new_application::upload::{self, Uploading};
use super::page;
use super::parts::{Act, act, act_form, hidden, seen};
use crate::api::form::ReleaseForm;
use crate::api::{self, Fault, ReleaseApp, Said, app_path, use_kept};
use crate::context::{Lang, Prefs};
use crate::fetch::Fetch;
use crate::shell::PageTitle;
use crate::text::{texts, units};
use crate::ui::{Button, Erase, SelectField, Tone, effect, head, section};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use padis_domain::Problem;
use padis_domain::action::Action;
use padis_domain::view::{AppView, NewAppOptions, PackageRow, fits};

type Data = (AppView, NewAppOptions, Option<PackageRow>, String);

/// The page.
#[component]
pub fn Release() -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let app = use_app();
    let query = use_query_map().get_untracked();
    let sha = query.get("package").unwrap_or_default();
    let problem = api::refused(|name| query.get(name));
    let release = act::<ReleaseApp>();
    let version = release.told.version;
    let kept = use_kept::<ReleaseForm>("release_app");
    let data = Fetch::new(
        move || (app.get(), version.get()),
        move |(a, _)| {
            let sha = sha.clone();
            async move {
                let view = api::app(a).await?;
                let options = api::new_app_options().await?;
                let known = options.packages.iter().any(|p| p.sha256 == sha);
                let more = if sha.is_empty() || known { None } else { api::package(sha.clone()).await.ok() };
                Ok((view, options, more, sha)) as Said<Data>
            }
        },
    );
    view! {
        <PageTitle text=(n.release_title)(&app.get_untracked().app)/>
        {page(t.shell.applications, data, move |d: Data| {
            body(d, release, kept.get_untracked().flatten(), problem.clone())
        })}
    }
    .erase()
}

fn body(
    (v, options, more, sha): Data,
    release: Act<ReleaseApp>,
    kept: Option<ReleaseForm>,
    problem: Option<Fault>,
) -> AnyView {
    let t = texts();
    let (n, told) = (&t.new_app, release.told);
    let mut packages: Vec<PackageRow> = options.packages.iter().filter(|p| p.team == v.app.team).cloned().collect();
    packages.extend(more);
    let kept = kept.filter(|k| k.app == v.app.app).unwrap_or_default();
    let packages = RwSignal::new(packages);
    let package = RwSignal::new(if sha.is_empty() { kept.package } else { sha });
    let stack = RwSignal::new(kept.stack);
    let uploading = Uploading::new(problem);
    let team = RwSignal::new(v.app.team.clone());
    let (live, set_live) = signal(false);
    effect(move || set_live.set(true));
    let taken = Callback::new(move |row: PackageRow| {
        package.set(row.sha256.clone());
        packages.update(|l| {
            if !l.iter().any(|p| p.sha256 == row.sha256) {
                l.insert(0, row);
            }
        });
    });
    let has = Signal::derive(move || package.with(|p| !p.is_empty()));
    let zh = use_context::<Prefs>().unwrap_or_default().lang == Lang::Zh;
    let present = v.spec.stack.clone();
    let mut stacks = vec![(String::new(), (n.keep_stack)(&present))];
    stacks.extend(options.stacks.iter().filter(|s| s.key != present).map(|s| {
        let title = if zh { &s.contract.title_zh } else { &s.contract.title_en };
        (s.key.clone(), format!("{title} · {}", s.key))
    }));
    let kinds: Vec<_> = options.stacks.iter().map(|s| (s.key.clone(), s.contract.clone())).collect();
    let misfit = Signal::derive(move || {
        let p = packages.with(|l| l.iter().find(|p| package.with(|s| *s == p.sha256)).cloned())?;
        let key = stack.with(|s| if s.is_empty() { present.clone() } else { s.clone() });
        let contract = &kinds.iter().find(|(k, _)| *k == key)?.1;
        (!fits(p.facts.kind, contract))
            .then(|| t.problem(&Problem::PackageDoesNotFit { kind: p.facts.kind.to_string(), stack: key }).line())
    });
    let package_error = told.error("package");
    let error = Signal::derive(move || misfit.get().or_else(|| package_error.get()));
    let no = refused(&v, Action::Release);
    let why_not = Signal::derive(move || {
        no.clone().or_else(|| {
            let nothing = package.with(String::is_empty) && stack.with(String::is_empty);
            (live.get() && nothing).then(|| n.nothing_new.to_owned())
        })
    });
    let present_file = v.package.file_name.clone();
    let choices = move || {
        let sha = package.get();
        let mut rows = vec![(String::new(), (n.keep_package)(&present_file))];
        rows.extend(packages.get().into_iter().map(|p| {
            let word = format!("{} · {} · {}", p.file_name, units::bytes(p.bytes), p.by);
            (p.sha256, word)
        }));
        view! { <SelectField id="package" label=n.package options=rows value=sha error=error on_change=Callback::new(move |v| package.set(v))/> }.erase()
    };
    let chosen = move || packages.with(|l| l.iter().find(|p| package.with(|s| *s == p.sha256)).map(inside));
    let back = app_path(&v.app);
    let fields = view! {
        {upload::beside("release_app", format!("{back}/release"))}
        {hidden("team", v.app.team.clone())}
        {hidden("app", v.app.app.clone())}
        {seen(told, v.revision.to_string())}
        {hidden("once", options.once.clone())}
        {upload::zone(uploading, options.max_package_bytes, team, (&[], true), taken, has)}
        <div class="gap">{move || choices()}</div>
        <div class="gap">{move || chosen()}</div>
        <div class="gap">
            <SelectField id="stack" label=n.stack options=stacks value=stack.get_untracked() error=told.error("stack") on_change=Callback::new(move |v| stack.set(v))/>
        </div>
        <div class="row gap">
            <Button id="go" label=n.release_go tone=Tone::Primary refused=why_not/>
        </div>
    }.erase();
    view! {
        {head(
            view! { <h1>{(n.release_title)(&v.title)}</h1> }.erase(),
            view! { <p class="lead">{(n.release_lead)(v.release)}</p> }.erase(),
            ().into_any(),
        )}
        <div class="column">
            {told.notice(&["package", "stack"], "")}
            {super::application::changed(told.said)}
            {section("rlh", n.package, (n.becomes)(v.release + 1), act_form(release, "release-form", "", fields.into_any()))}
        </div>
    }
    .erase()
}
