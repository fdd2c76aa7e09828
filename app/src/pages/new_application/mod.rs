//! New application: one page, four short steps, a live summary beside it.
//!
//! Every field is a native control of one form, so the page works without
//! scripts; with them the summary and the checks follow every key. One could get
//! it wrong by checking in the browser only: what is checked while typing is
//! asked of the server's own rules.

mod draft;
pub mod facts;
mod package;
mod place;
mod stack;
mod summary;
mod tus;
pub mod upload;
mod well;

use super::page;
use super::parts::{act, act_form, hidden, live};
use crate::api::form::NewAppForm;
use crate::api::{self, CreateApp, use_kept};
use crate::fetch::Fetch;
use crate::shell::PageTitle;
use crate::text::texts;
use crate::ui::{Erase, Shape, head};
use draft::Draft;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use padis_domain::view::{NewAppOptions, PackageRow};

/// The page.
#[component]
pub fn NewApplication() -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let create = act::<CreateApp>();
    let query = use_query_map();
    let kept = use_kept::<NewAppForm>("create_app");
    let uploaded = query.get_untracked().get("package").unwrap_or_default();
    let team = query.get_untracked().get("for").unwrap_or_default();
    let refused = api::refused(|name| query.get_untracked().get(name));
    let changed = live(&["stacks", "pools"]);
    let data = Fetch::new(
        || (),
        move |()| {
            let sha = uploaded.clone();
            async move {
                let options = api::new_app_options().await?;
                let known = options.packages.iter().any(|p| p.sha256 == sha);
                // Uploaded without scripts: it may be older than those that are offered.
                let more = if sha.is_empty() || known { None } else { api::package(sha.clone()).await.ok() };
                Ok((options, more, sha)) as api::Said<(NewAppOptions, Option<PackageRow>, String)>
            }
        },
    );
    view! {
        <PageTitle text=n.title/>
        {head(
            view! { <h1>{n.title}</h1> }.erase(),
            view! { <p class="lead">{n.lead}</p> }.erase(),
            ().into_any(),
        )}
        {page(n.title, data, move |(options, more, sha): (NewAppOptions, Option<PackageRow>, String)| {
            let form = kept.get_untracked().flatten();
            let again = form.is_some();
            let d = Draft::new(options, more, form, (&sha, &team), create.told, refused.clone());
            d.follow(changed);
            body(d, create, again)
        })}
    }
    .erase()
}

/// A step on the rail.
fn step(
    number: u32,
    id: &'static str,
    title: &'static str,
    lead: String,
    done: Signal<bool>,
    body: AnyView,
) -> AnyView {
    view! {
        <li data-s=move || if done.get() { Shape::Ok.as_str() } else { Shape::Run.as_str() }>
            <span class="stepno" aria-hidden="true">{number}</span>
            <section aria-labelledby=id>
                <h2 id=id>{title}</h2>
                <p class="sub">{lead}</p>
                {body}
            </section>
        </li>
    }
    .erase()
}

/// Without scripts the page stands for one team: its packages, its pools. Somebody
/// in several goes to the other ones' from here.
fn teams(d: Draft) -> AnyView {
    let all = d.options.with_untracked(|o| o.teams.clone());
    if all.len() < 2 {
        return ().into_any();
    }
    let links = all
        .into_iter()
        .map(|(slug, title)| {
            let href = format!("/applications/new?for={}", api::query::escape(&slug));
            let now = d.team_chosen && d.team.with_untracked(|t| *t == slug);
            view! { <a class="btn s" href=href rel="external" aria-current=now.then_some("true")>{title}</a> }.erase()
        })
        .collect_view();
    view! {
        <div class="row gap-s" hidden=move || d.live.get()>
            <span class="hint">{texts().new_app.for_team}</span>
            {links}
        </div>
    }
    .erase()
}

fn body(d: Draft, create: super::parts::Act<CreateApp>, again: bool) -> AnyView {
    let t = texts();
    let secrets = (again && d.secrets.with_untracked(|s| !s.is_empty()))
        .then(|| crate::ui::notice(Shape::Warn, t.new_app.secrets_again, "", ().into_any()));
    let once = d.options.with_untracked(|o| o.once.clone());
    let form = view! {
        {upload::beside("create_app", "/applications/new")}
        {hidden("once", once)}
        <div class="make">
            <div>
                {create.told.notice(draft::FIELDS, "")}
                {teams(d)}
                {secrets}
                <ol class="steps">
                    {stack::step(d)}
                    {package::step(d)}
                    {place::step(d)}
                    {well::step(d)}
                </ol>
            </div>
            {summary::summary(d)}
        </div>
    }
    .erase();
    act_form(create, "new-app", "", form)
}
