//! Workbenches: the list of them, and where one is started from a version.

use super::repository::short;
use super::server::{Lists, lists, path};
use crate::api::{StartBench, bench_path};
use crate::pages::parts::{filter_box, filter_select, hidden, now, pages_of};
use crate::pages::write::{Here, address};
use crate::text::{Texts, units};
use crate::ui::{Button, Erase, SelectField, Shape, Table, col, col_num, empty, head, section, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{BenchOffer, BenchRow, BenchState, CommitRow, ImageView, ListQuery, Page};
use padis_domain::words::UnixMs;

/// Where the list is.
pub const PATH: &str = "/images/workbenches";

/// How a workbench is.
pub fn shown(t: &'static Texts, r: &BenchRow) -> AnyView {
    let shape = match r.state {
        BenchState::Starting | BenchState::Ending if !r.why.is_empty() => Shape::Warn,
        BenchState::Open if !r.why.is_empty() => Shape::Warn,
        BenchState::Starting => Shape::Run,
        BenchState::Open => Shape::Ok,
        BenchState::Ending => Shape::Leave,
        BenchState::Ended => Shape::Off,
    };
    let why = (!r.why.is_empty()).then(|| view! { <span class="under">{r.why.clone()}</span> }.erase());
    view! { {state(shape, t.bench_state(r.state))}{why} }.erase()
}

/// The list.
pub fn write(t: &'static Texts, l: Page<BenchRow>, q: &ListQuery, waiting: u64) -> AnyView {
    let (b, i, now, url) = (t.benches(), t.images(), now(), &address(PATH, q));
    let top = view! {
        {head(
            view! { <h1>{b.title}</h1> }.erase(),
            view! { <p class="lead">{b.lead}</p> }.erase(),
            ().into_any(),
        )}
        {lists(t, i, Lists::Workbenches, waiting)}
        <h2 class="vh">{b.title}</h2>
    }
    .erase();
    if l.total == 0 && q.q.is_empty() && q.state.is_empty() {
        return view! { {top} {empty(b.none, b.none_text, ().into_any())} }.erase();
    }
    let mut states = vec![(String::new(), i.every_state.to_owned())];
    states.extend(BenchState::ALL.iter().map(|s| (s.as_str().to_owned(), t.bench_state(*s).to_owned())));
    let filter = filter_box(t, url, b.filter, &q.q, filter_select(i.state, "state", &q.state, states));
    if l.rows.is_empty() {
        return view! { {top} {filter} {empty(b.no_hit, i.no_hit_text, ().into_any())} }.erase();
    }
    let cols = view! {
        {col(b.from, "")}
        {col(i.state, "")}
        {col(b.host, "md")}
        {col_num(b.versions, "lo")}
        {col_num(b.started, "md")}
    }
    .erase();
    let rows = l.rows.into_iter().map(|r| row(t, r, now)).collect_view();
    view! {
        {top}
        {filter}
        <Table label=b.title head=cols.into_any()>{rows}</Table>
        {pages_of(t, url, l.page, l.per_page, l.total)}
    }
    .erase()
}

fn row(t: &'static Texts, r: BenchRow, now: UnixMs) -> AnyView {
    view! {
        <tr>
            <th scope="row">
                <a href=bench_path(&r.id)>{r.repository.clone()} ":" {r.tag.clone()}</a>
                <span class="under">{short(&r.digest)}</span>
            </th>
            <td>{shown(t, &r)}</td>
            <td class="md">{r.host.clone()} <span class="under">{r.pool.clone()}</span></td>
            <td class="num lo">{units::count(r.versions)}</td>
            <td class="num md">{t.when(r.asked_at, now)} <span class="under">{r.by.clone()}</span></td>
        </tr>
    }
    .erase()
}

/// Where a version comes from, and the form that starts a workbench from it; nothing where
/// there is neither.
pub fn start(t: &'static Texts, v: &ImageView, offer: BenchOffer, once: &str, here: &Here) -> AnyView {
    let b = t.benches();
    let made = offer.made.map(|made| section("made", b.made, "", made_by(t, &made)));
    let form = (!offer.pools.is_empty()).then(|| {
        let options = offer.pools.iter().map(|p| (p.clone(), p.clone())).collect::<Vec<_>>();
        let form = view! {
            <p class="hint">{b.start_text}</p>
            <form class="fields narrow gap" method="post" action=StartBench::PATH>
                {hidden("once", once)}
                {hidden("repository", v.row.name.clone())}
                {hidden("tag", v.version.tag.clone())}
                <SelectField
                    id="bench-pool"
                    name="pool"
                    label=b.pool
                    options=options
                    value=String::new()
                    error=here.error(t, StartBench::PATH, "pool")
                />
                <div class="row"><Button id="bench-start" label=b.start/></div>
            </form>
        }
        .erase();
        section("bench", b.start_title, b.start_aside, form)
    });
    view! { {made}{form} }.erase()
}

fn made_by(t: &'static Texts, m: &CommitRow) -> AnyView {
    let (b, now) = (t.benches(), now());
    let line = |word: &'static str, value: AnyView| view! { <dt>{word}</dt><dd>{value}</dd> }.erase();
    let paths = units::count(m.changes.rows.len() as u64 + m.changes.more);
    let who = view! {
        <a href=bench_path(&m.bench) + "#kept">{(b.made_by)(&m.by)}</a>
        " · "
        {t.when(m.asked_at, now)}
    }
    .erase();
    view! {
        <dl class="pairs wide">
            {line(b.description, m.description.clone().into_any())}
            {line(b.made, who)}
            {line(b.base, view! { {m.base.0.clone()} " " {short(&m.base.1)} }.erase())}
            {line(b.changes, (b.what_changed)(&paths).into_any())}
        </dl>
    }
    .erase()
}

/// The address of a version of our own registry.
pub fn version(m: &CommitRow, registry: &str) -> String {
    path(registry, &m.repository, Some(&m.tag))
}
