//! Recipes: the list of them, where one is begun, and what a version's page says of its build.

use super::copies::shape;
use super::server::{Lists, lists, path};
use crate::api::{StartRecipe, build_path, recipe_path};
use crate::pages::parts::{filter_box, hidden, now, pages_of};
use crate::pages::write::address;
use crate::text::{Texts, units};
use crate::ui::{Button, Erase, Table, col, col_num, empty, head, section, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{BuildRow, CopyState, ImageView, ListQuery, Page, RecipeRow};
use padis_domain::words::UnixMs;

/// Where the list is.
pub const PATH: &str = "/images/recipes";

/// How a build is; `why`: why it does not go on for now, or is empty.
pub fn built(t: &'static Texts, s: CopyState, why: &str) -> AnyView {
    state(shape(s, why), t.build_state(s)).into_any()
}

/// A name with its tag, as far as somebody has said them.
pub fn named((repository, tag): &(String, String)) -> String {
    if tag.is_empty() { repository.clone() } else { format!("{repository}:{tag}") }
}

/// The list.
pub fn write(t: &'static Texts, l: Page<RecipeRow>, q: &ListQuery, waiting: u64) -> AnyView {
    let (r, i, now, url) = (t.recipes(), t.images(), now(), &address(PATH, q));
    let top = view! {
        {head(
            view! { <h1>{r.title}</h1> }.erase(),
            view! { <p class="lead">{r.lead}</p> }.erase(),
            ().into_any(),
        )}
        {lists(t, i, Lists::Recipes, waiting)}
        <h2 class="vh">{r.title}</h2>
    }
    .erase();
    if l.total == 0 && q.q.is_empty() {
        return view! { {top} {empty(r.none, r.none_text, ().into_any())} }.erase();
    }
    let filter = filter_box(t, url, r.filter, &q.q, ().into_any());
    if l.rows.is_empty() {
        return view! { {top} {filter} {empty(r.no_hit, i.no_hit_text, ().into_any())} }.erase();
    }
    let cols = view! {
        {col(r.becomes, "")}
        {col(r.base, "md")}
        {col(r.last, "")}
        {col_num(r.changed, "md")}
    }
    .erase();
    let rows = l.rows.into_iter().map(|row| line(t, row, now)).collect_view();
    view! {
        {top}
        {filter}
        <Table label=r.title head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, l.page, l.per_page, l.total)}
    }
    .erase()
}

fn line(t: &'static Texts, row: RecipeRow, now: UnixMs) -> AnyView {
    let last = row.last.map(|s| {
        let number = u32::try_from(row.builds).unwrap_or(u32::MAX);
        let words = (t.recipes().build_one)(&units::count(row.builds));
        view! { {built(t, s, "")} <span class="under"><a href=build_path(&row.id, number)>{words}</a></span> }.erase()
    });
    view! {
        <tr>
            <th scope="row"><a href=recipe_path(&row.id)>{named(&row.to)}</a></th>
            <td class="md">{named(&row.base)}</td>
            <td>{last}</td>
            <td class="num md">{t.when(row.changed_at, now)} <span class="under">{row.by.clone()}</span></td>
        </tr>
    }
    .erase()
}

/// On a version's page: how it was built, and where a recipe on it is begun.
pub fn start(t: &'static Texts, v: &ImageView, built: Option<&BuildRow>, offered: bool, once: String) -> AnyView {
    let r = t.recipes();
    let made = built.map(|b| section("built", t.benches().made, "", built_by(t, b)));
    let form = offered.then(|| {
        let form = view! {
            <p class="hint">{r.start_text}</p>
            <form class="fields narrow gap" method="post" action=StartRecipe::PATH>
                {hidden("once", once)}
                {hidden("repository", v.row.name.clone())}
                {hidden("tag", v.version.tag.clone())}
                <div class="row"><Button id="recipe-start" label=r.start/></div>
            </form>
        }
        .erase();
        section("recipe", r.start_title, r.start_aside, form)
    });
    view! { {made}{form} }.erase()
}

fn built_by(t: &'static Texts, b: &BuildRow) -> AnyView {
    let (w, now) = (t.benches(), now());
    let line = |word: &'static str, value: AnyView| view! { <dt>{word}</dt><dd>{value}</dd> }.erase();
    let who = view! {
        <a href=build_path(&b.recipe, b.number)>{(t.recipes().built_by)(&b.by)}</a>
        " · "
        {t.when(b.asked_at, now)}
    }
    .erase();
    let base = named(&(b.text.base_repository.clone(), b.text.base_tag.clone()));
    view! {
        <dl class="pairs wide">
            {line(w.description, b.text.description.clone().into_any())}
            {line(w.made, who)}
            {line(w.base, view! { {base} " " {super::repository::short(&b.base_digest)} }.erase())}
        </dl>
    }
    .erase()
}

/// The address of what a build has made.
pub fn version(b: &BuildRow, registry: &str) -> String {
    path(registry, &b.text.repository, Some(&b.text.tag))
}
