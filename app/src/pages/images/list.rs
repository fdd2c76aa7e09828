//! Repositories of all registries.

use super::server::{Lists, lists, path};
use crate::api::LookAtRegistries;
use crate::pages::parts::{filter_box, filter_select, hidden, now, pages_of, publisher_refused};
use crate::pages::write::address;
use crate::text::images::Images;
use crate::text::{Texts, clock, units};
use crate::ui::{Button, ButtonSize, Erase, Icon, Shape, Table, col, empty, head, notice, sort_head};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{ImagesView, ListQuery, RegistryRow, RepositoryRow};
use padis_domain::words::UnixMs;

/// After so long (60 days) a day says more than how long ago it was.
const OLD_MS: i64 = 60 * 24 * 3_600_000;

/// The list.
pub fn write(t: &'static Texts, v: ImagesView, q: &ListQuery, waiting: u64, bring: AnyView) -> AnyView {
    let (i, now, url) = (t.images(), now(), &address("/images", q));
    let title =
        head(view! { <h1>{t.shell.images}</h1> }.erase(), view! { <p class="lead">{i.lead}</p> }.erase(), look(t, i));
    let silent = v.registries.iter().filter(|r| r.silent).map(|r| silence(t, i, r, now)).collect_view();
    let top =
        view! { {title} {lists(t, i, Lists::Repositories, waiting)} <h2 class="vh">{i.repositories}</h2> {silent} <div class="gap">{sums(t, i, &v.registries, now)}</div> }.erase();
    if v.page.total == 0 && q.q.is_empty() && q.state.is_empty() && q.stage.is_none() {
        return view! { {top} {empty(i.none, i.none_text, ().into_any())} <div class="foot">{bring}</div> }.erase();
    }
    let mut registries = vec![(String::new(), i.every_registry.to_owned())];
    registries.extend(v.registries.iter().map(|r| (r.name.clone(), r.name.clone())));
    let choice =
        if v.registries.len() > 1 { filter_select(i.registry, "state", &q.state, registries) } else { ().into_any() };
    let filter = filter_box(t, url, i.filter, &q.q, choice);
    if v.page.rows.is_empty() {
        return view! { {top} {filter} {empty(i.no_hit, i.no_hit_text, ().into_any())} <div class="foot">{bring}</div> }.erase();
    }
    let cols = view! {
        {sort_head(url, "name", i.repository, false, "")}
        {sort_head(url, "registry", i.registry, false, "lo")}
        {col(i.newest, "")}
        {sort_head(url, "newest_at", i.made, true, "md")}
        {sort_head(url, "versions", i.versions, true, "lo")}
        {sort_head(url, "bytes", i.size, true, "lo")}
    }
    .erase();
    let rows = v.page.rows.into_iter().map(|r| row(t, i, r, now)).collect_view();
    view! {
        {top}
        {filter}
        <Table label=i.repositories head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, v.page.page, v.page.per_page, v.page.total)}
        <div class="foot">{bring}</div>
    }
    .erase()
}

fn row(t: &'static Texts, i: &'static Images, r: RepositoryRow, now: UnixMs) -> AnyView {
    let title = title(t, &r).map(|title| view! { <span class="under">{title}</span> }.erase());
    let newest = path(&r.registry, &r.name, Some(&r.newest));
    view! {
        <tr>
            <th scope="row"><a href=path(&r.registry, &r.name, None)>{r.name.clone()}</a>{title}<span class="under slim">{r.registry.clone()}</span></th>
            <td class="lo">{r.registry.clone()}<span class="under">{stage(t, i, r.stage)}</span></td>
            <td><a href=newest><code>{r.newest.clone()}</code></a></td>
            <td class="num md">{r.newest_at.map(|at| made(t, at, now))}</td>
            <td class="num lo">{units::count(r.versions)}</td>
            <td class="num lo">{units::bytes(r.bytes)}</td>
        </tr>
    }
    .erase()
}

/// When something was made: how long ago, or after a while the day.
pub fn made(t: &'static Texts, at: UnixMs, now: UnixMs) -> AnyView {
    if now - at < OLD_MS {
        return t.when(at, now);
    }
    view! { <time datetime=clock::machine(at) title=clock::exact(at)>{clock::date(at)}</time> }.erase()
}

/// What a repository is, in the reader's language if it says so in that.
pub fn title(t: &'static Texts, r: &RepositoryRow) -> Option<String> {
    let zh = || if r.title_zh.is_empty() { r.title.clone() } else { r.title_zh.clone() };
    Some(t.pick_with(zh, || r.title.clone())).filter(|title| !title.is_empty())
}

/// A registry's stage.
pub fn stage(t: &'static Texts, i: &'static Images, stage: Option<padis_domain::words::Stage>) -> &'static str {
    stage.map_or(i.every_stage, |s| t.stage(s))
}

fn silence(t: &'static Texts, i: &'static Images, r: &RegistryRow, now: UnixMs) -> AnyView {
    let since = match r.seen_at {
        Some(at) => (i.silent_text)(&t.took(now - at)),
        None => i.silent_never.to_owned(),
    };
    notice(Shape::Warn, (i.silent)(&r.name), since, ().into_any())
}

/// What each registry has, and when it was looked at.
fn sums(t: &'static Texts, i: &'static Images, all: &[RegistryRow], now: UnixMs) -> AnyView {
    let line = |r: &RegistryRow| {
        let seen = match r.seen_at {
            Some(at) => view! { {i.looked_at} " " {t.when(at, now)} }.erase(),
            None => i.never.into_any(),
        };
        let count = t.repositories(r.repositories);
        view! {
            <p class="second">
                <b>{r.name.clone()}</b> " · " <code>{r.place.clone()}</code> " · " {stage(t, i, r.stage)} " · " {count} " · " {seen}
            </p>
        }
        .erase()
    };
    all.iter().map(line).collect_view().into_any()
}

fn look(t: &'static Texts, i: &'static Images) -> AnyView {
    let button = match publisher_refused(t) {
        Some(refused) => {
            view! { <Button id="look" label=i.look size=ButtonSize::Small refused=Signal::stored(Some(refused))/> }
                .erase()
        }
        None => view! { <Button id="look" label=i.look size=ButtonSize::Small glyph=Icon::Search/> }.erase(),
    };
    view! { <form method="post" action=LookAtRegistries::PATH>{hidden("key", "")}{button}</form> }.erase()
}
