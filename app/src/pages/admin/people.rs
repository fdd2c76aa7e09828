//! The list of people; whose account is being changed stands in the address.

use super::person::{FIELDS, person_form};
use super::top;
use crate::api::form::PersonForm;
use crate::api::{self, PutPerson, use_kept};
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{Act, act, filter_box, live, now, operator_refused, pages_of, use_list, use_param};
use crate::shell::{PageTitle, use_here};
use crate::text::{Texts, texts};
use crate::ui::{ButtonSize, Erase, Icon, LinkButton, Shape, Table, Tone, UrlState, col, empty, state};
use leptos::prelude::*;
use padis_domain::view::{ListQuery, Page, PersonRow, TeamView};
use padis_domain::words::UnixMs;
use serde::{Deserialize, Serialize};

/// What the page needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Data {
    people: Page<PersonRow>,
    /// The one whose form is open, wherever in the list he stands.
    chosen: Option<PersonRow>,
    teams: Vec<TeamView>,
    once: String,
    now: UnixMs,
}

async fn load(q: ListQuery, open: String) -> api::Said<Data> {
    let people = api::people(q).await?;
    let chosen = if open.is_empty() || open == "+" {
        None
    } else if let Some(p) = people.rows.iter().find(|p| p.account == open) {
        Some(p.clone())
    } else {
        let q = ListQuery { q: open.clone(), per_page: 200, ..ListQuery::default() };
        api::people(q).await?.rows.into_iter().find(|p| p.account == open)
    };
    Ok(Data { people, chosen, teams: api::teams().await?, once: api::once().await?, now: now() })
}

/// The people's page.
#[component]
pub fn People() -> AnyView {
    let t = texts();
    let (list, here, open, changed) = (use_list(), use_here(), use_param("edit"), live(&["sessions"]));
    let put = act::<PutPerson>();
    let kept = use_kept::<PersonForm>("put_person");
    let data = Fetch::new(
        move || (list.get(), open.get(), changed.get(), put.told.version.get()),
        |(q, open, ..)| load(q, open),
    );
    let new = view! {
        <LinkButton
            id="person-new" href="/admin/people?edit=%2B" label=t.admin.new_person tone=Tone::Primary glyph=Icon::Plus
            refused=operator_refused(t)
        />
    }
    .erase();
    view! {
        <PageTitle text=t.admin.people/>
        {top(t, "people", new.into_any())}
        {put.told.notice(FIELDS, t.admin.person_saved)}
        {page(t.admin.people, data, move |d: Data| {
            let (url, q) = (here.get_untracked(), list.get_untracked());
            body(t, d, &url, &q, &open.get_untracked(), kept.get().flatten(), put)
        })}
    }
    .erase()
}

fn body(
    t: &'static Texts,
    d: Data,
    url: &UrlState,
    q: &ListQuery,
    open: &str,
    kept: Option<PersonForm>,
    put: Act<PutPerson>,
) -> AnyView {
    let a = &t.admin;
    let may = operator_refused(t).is_none();
    let form = (may && (open == "+" || d.chosen.is_some()))
        .then(|| person_form(t, d.chosen.as_ref(), &d.teams, d.once, kept, put));
    let filter = filter_box(t, url, a.people_filter, &q.q, ().into_any());
    if d.people.rows.is_empty() {
        return view! { {form} {filter} {empty(a.people_none, t.net.no_hit_text, ().into_any())} }.erase();
    }
    let cols = view! {
        {col(a.person, "")}
        {col(t.shell.state, "")}
        {col(a.role, "md")}
        {col(a.in_teams, "")}
        {col(a.origin, "lo")}
        {col(a.last_seen, "lo")}
        <th scope="col"><span class="vh">{t.shell.action}</span></th>
    }
    .erase();
    let rows = d.people.rows.iter().map(|p| row(t, p, &d.teams, d.now, open == p.account)).collect_view();
    view! {
        {form}
        {filter}
        <Table label=a.people head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, d.people.page, d.people.per_page, d.people.total)}
    }
    .erase()
}

fn row(t: &'static Texts, p: &PersonRow, teams: &[TeamView], now: UnixMs, open: bool) -> AnyView {
    let a = &t.admin;
    let how = if p.enabled { state(Shape::Ok, a.enabled) } else { state(Shape::Off, a.disabled) };
    let title =
        |slug: &String| teams.iter().find(|v| v.slug == *slug).map_or_else(|| slug.clone(), |v| v.title.clone());
    let in_teams: Vec<String> = p
        .teams
        .iter()
        .map(|(slug, role)| match role {
            padis_domain::words::TeamRole::Lead => t.pick_with(
                || format!("{}（{}）", title(slug), t.team_role(*role)),
                || format!("{} ({})", title(slug), t.team_role(*role)),
            ),
            padis_domain::words::TeamRole::Member => title(slug),
        })
        .collect();
    let seen = p.last_seen.map_or_else(|| view! { <span class="quiet">{a.never}</span> }.erase(), |at| t.when(at, now));
    let origin = if p.built_in { a.built_in } else { a.directory };
    let edit = operator_refused(t).is_none().then(|| {
        let href = format!("/admin/people?edit={}", api::query::escape(&p.account));
        view! { <LinkButton href=href label=t.shell.edit size=ButtonSize::Tiny/> }.erase()
    });
    view! {
        <tr class=open.then_some("sel")>
            <th scope="row">{p.name.clone()}<span class="tech">{p.account.clone()}</span></th>
            <td>{how}</td>
            <td class="md">{p.platform.map(|r| t.platform_role(r))}</td>
            <td class="wrap">{t.list(&in_teams)}</td>
            <td class="lo">{origin}</td>
            <td class="lo">{seen}</td>
            <td class="num">{edit}</td>
        </tr>
    }
    .erase()
}
