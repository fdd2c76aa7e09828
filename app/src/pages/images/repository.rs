//! One repository with its versions.

use super::list::{made, stage, title};
use super::server::path;
use crate::api::app_path;
use crate::pages::parts::now;
use crate::text::images::Images;
use crate::text::{Texts, units};
use crate::ui::{Erase, Shape, Table, col, col_num, empty, facts, head, notice, state};
use leptos::prelude::*;
use padis_domain::app::AppRef;
use padis_domain::view::{RepositoryView, VersionRow};
use padis_domain::words::UnixMs;

/// Applications that are named in a row; more are counted.
const NAMED: usize = 3;

/// The repository.
pub fn write(t: &'static Texts, v: RepositoryView, bring: AnyView, tidy: AnyView) -> AnyView {
    let (i, now) = (t.images(), now());
    let title = title(t, &v.row).map(IntoAny::into_any);
    let room = v.room.as_ref().map(|r| view! { {i.team_room} " " {t.room(r)} }.erase());
    let items = [title, Some(v.row.registry.clone().into_any()), Some(stage(t, i, v.row.stage).into_any()), room];
    let not_live = (!v.live).then(|| notice(Shape::Warn, i.not_live, i.not_live_text, ().into_any()));
    let top = view! {
        {head(
            view! { <h1>{v.row.name.clone()}</h1> }.erase(),
            facts(items.into_iter().flatten().collect()),
            ().into_any(),
        )}
        {not_live}
        <h2 class="vh">{i.versions}</h2>
    }
    .erase();
    if v.versions.is_empty() {
        return view! { {top} {empty(i.none, i.none_text, ().into_any())} {bring} {tidy} }.erase();
    }
    let cols = view! {
        {col(i.tag, "")}
        {col(i.digest, "lo")}
        {col(i.used_by, "")}
        {col(i.stages, "md")}
        {col_num(i.made, "md")}
        {col_num(i.size, "")}
    }
    .erase();
    let (registry, name) = (v.row.registry, v.row.name);
    let rows = v.versions.into_iter().map(|r| row(t, i, &registry, &name, r, now)).collect_view();
    view! { {top} <Table label=i.versions head=cols.into_any()>{rows}</Table> {bring} {tidy} }.erase()
}

/// The first characters of a digest, all of it behind them.
pub fn short(digest: &str) -> AnyView {
    let few: String = digest.trim_start_matches("sha256:").chars().take(12).collect();
    view! { <code title=digest.to_owned()>{few}</code> }.erase()
}

/// Applications as links, the first few.
pub fn users(t: &'static Texts, i: &'static Images, apps: &[AppRef]) -> AnyView {
    if apps.is_empty() {
        return view! { <span class="second">{i.used_none}</span> }.erase();
    }
    let links = apps.iter().take(NAMED).map(|a| view! { <a class="item" href=app_path(a)>{a.app.clone()}</a> }.erase());
    let more = apps.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| view! { <span class="second">"+ " {t.applications(more as u64)}</span> }.erase());
    view! { {links.collect_view()} {more} }.erase()
}

fn row(t: &'static Texts, i: &'static Images, registry: &str, name: &str, r: VersionRow, now: UnixMs) -> AnyView {
    let href = path(registry, name, Some(&r.tag));
    let fault = (!r.fault.is_empty())
        .then(|| view! { <span class="under">{state(Shape::Bad, i.broken)} " " {r.fault.clone()}</span> }.erase());
    let stages: Vec<&str> = r.stages.iter().map(|s| t.stage(*s)).collect();
    let made = r.made_at.or(r.since).map(|at| made(t, at, now));
    view! {
        <tr>
            <th scope="row"><a href=href>{r.tag.clone()}</a>{fault}</th>
            <td class="lo">{short(&r.digest)}</td>
            <td>{users(t, i, &r.used_by)}</td>
            <td class="md">{t.list(&stages)}</td>
            <td class="num md">{made}</td>
            <td class="num">{units::bytes(r.bytes)}</td>
        </tr>
    }
    .erase()
}
