//! The journal: who did what, when, and whether anything was changed afterwards.

use crate::api::{Fault, page_status};
use crate::pages::written::{Part, written};
use crate::shell::{PageTitle, who};
use crate::text::texts;
use crate::ui::{Erase, LinkButton, empty, head};
use leptos::prelude::*;
use padis_domain::Problem;

/// The journal's page.
#[component]
pub fn Journal() -> AnyView {
    let t = texts();
    if who().0.is_none_or(|c| c.inspector().is_err()) {
        page_status(&Fault::Portal(Problem::NotAllowed { needs: "operator".to_owned() }));
        let apps = view! { <LinkButton href="/applications" label=t.shell.applications/> }.erase();
        return view! {
            <PageTitle text=t.activity.journal/>
            {head(view! { <h1>{t.activity.journal}</h1> }.erase(), ().into_any(), ().into_any())}
            {empty(t.activity.not_yours, t.activity.not_yours_text, apps.into_any())}
        }
        .erase();
    }
    view! {
        <PageTitle text=t.activity.journal/>
        {written(t.activity.journal, Part::Journal, &["journal"])}
    }
    .erase()
}

#[cfg(feature = "ssr")]
pub use server::write;
#[cfg(feature = "ssr")]
mod server {
    use super::super::{subject, tabs_of};
    use crate::api::{self, Fault, call};
    use crate::pages::field_error;
    use crate::pages::parts::{filter_box, filter_select, now, pages_of};
    use crate::pages::write::{Here, address};
    use crate::text::{Texts, clock};
    use crate::ui::{
        Erase, Icon, LinkButton, Shape, Table, UrlState, col, col_num, empty, head, notice, seg_links, state, state_tag,
    };
    use leptos::prelude::*;
    use padis_domain::Problem;
    use padis_domain::caller::Caller;
    use padis_domain::portal::Portal;
    use padis_domain::problem::ValueFault;
    use padis_domain::view::{JournalRow, ListQuery, Page};
    use padis_domain::words::UnixMs;

    /// By what a row can be about the journal is filtered: the first part of its word.
    const THINGS: &[&str] = &[
        "app", "instance", "delivery", "package", "image", "stack", "bench", "recipe", "pool", "host", "quota",
        "address", "team", "person", "session", "work", "stream",
    ];

    /// The journal as the page's query asks for it.
    ///
    /// # Errors
    /// What keeps it from being read, unless it stands beside a field of the filter.
    pub async fn write(
        t: &'static Texts,
        c: &Caller,
        portal: &dyn Portal,
        q: &ListQuery,
        at: &str,
    ) -> api::Said<AnyView> {
        let (here, mut q) = (Here::of(at), q.clone());
        let (from, to) = (here.get("from"), here.get("to"));
        let said = match span(&mut q, &from, &to, clock::Zone::here()) {
            Ok(()) => call::tell(portal.journal(c, &q).await),
            Err(p) => Err(Fault::Portal(p)),
        };
        let mut url = address("/activity", &q);
        let span = [("from", from), ("to", to)].into_iter().filter(|(_, v)| !v.is_empty());
        url.query.extend(span.map(|(k, v)| (k.to_owned(), v)));
        match said {
            // What is wrong with the filter is said beside it, and the filter stays.
            Err(f) if f.problem().and_then(Problem::about_field).is_none() => Err(f),
            said => Ok(body(t, said, now(), &url, &q)),
        }
    }

    /// Gives the query its span of time, or says which end can't be read.
    fn span(q: &mut ListQuery, from: &str, to: &str, zone: clock::Zone) -> Result<(), Problem> {
        for (field, text, end) in [("from", from, false), ("to", to, true)] {
            let at = if text.is_empty() { None } else { clock::moment(text, zone, end) };
            if at.is_none() && !text.is_empty() {
                return Err(Problem::field(field, ValueFault::Malformed));
            }
            if end { q.to = at } else { q.from = at }
        }
        Ok(())
    }

    /// The two ends of the span as inputs, and usual spans as links.
    fn times(t: &'static Texts, url: &UrlState, now: UnixMs, f: Option<&Fault>) -> (AnyView, AnyView) {
        let a = &t.activity;
        let zone = clock::Zone::here().name();
        let one = |name: &'static str, label: String| {
            let wrong = f.and_then(|f| field_error(t, Some(f), name));
            let line = format!("{name}-line");
            view! {
                <label class="span" for=format!("journal-{name}")>
                    <span>{label}</span>
                    <input
                        class="in"
                        id=format!("journal-{name}")
                        type="datetime-local"
                        name=name
                        value=url.get(name).to_owned()
                        aria-invalid=wrong.is_some().then_some("true")
                        aria-describedby=wrong.is_some().then(|| line.clone())
                    />
                </label>
                {wrong.map(|w| view! { <p class="err" id=line><span>{w}</span></p> }.erase())}
            }
            .erase()
        };
        let inputs = view! { {one("from", (a.from)(&zone))} {one("to", (a.to)(&zone))} }.erase();
        let last = |hours: i64, word: &'static str| {
            let from = clock::input(now - hours * 3_600_000);
            let current = url.get("to").is_empty() && url.get("from") == from;
            (url.with(&[("from", &from), ("to", ""), ("page", "")]), word.to_owned(), current)
        };
        let all = url.get("from").is_empty() && url.get("to").is_empty();
        let links = seg_links(
            a.span,
            vec![
                (url.with(&[("from", ""), ("to", ""), ("page", "")]), a.span_all.to_owned(), all),
                last(1, a.span_hour),
                last(24, a.span_day),
                last(168, a.span_week),
            ],
        );
        (inputs.into_any(), links)
    }

    /// Where the rows that the filter shows can be had as JSON.
    fn export(q: &ListQuery) -> String {
        let time = |at: Option<UnixMs>| at.map_or_else(String::new, |at| at.to_string());
        let (from, to) = (time(q.from), time(q.to));
        let pairs = [("q", &q.q), ("state", &q.state), ("team", &q.team), ("from", &from), ("to", &to)];
        let mut out = "/api/journal?q%5Bper_page%5D=200".to_owned();
        for (k, v) in pairs.into_iter().filter(|(_, v)| !v.is_empty()) {
            out.push_str(&format!("&q%5B{k}%5D={}", api::query::escape(v)));
        }
        out
    }

    fn body(
        t: &'static Texts,
        said: api::Said<Page<JournalRow>>,
        now: UnixMs,
        url: &UrlState,
        q: &ListQuery,
    ) -> AnyView {
        let a = &t.activity;
        let wrong = said.as_ref().err().cloned();
        let (inputs, spans) = times(t, url, now, wrong.as_ref());
        let p = said.unwrap_or_else(|_| Page { rows: Vec::new(), total: 0, page: 1, per_page: 50 });
        let intact = p.rows.iter().all(|r| r.intact);
        let tag = match (p.rows.is_empty(), intact) {
            (true, _) => ().into_any(),
            (_, true) => state_tag(Shape::Ok, a.intact),
            (_, false) => state_tag(Shape::Bad, a.broken),
        };
        let alarm = (!intact).then(|| notice(Shape::Bad, a.broken_title, a.broken_text, ().into_any()));
        let save = view! {
            <LinkButton href=export(q) label=a.export glyph=Icon::Download external=true/>
            <small class="vh">{a.export_hint}</small>
        }
        .erase();
        let mut kinds = vec![(String::new(), a.any.to_owned())];
        kinds.extend(THINGS.iter().map(|k| ((*k).to_owned(), t.journal_thing(k).to_owned())));
        let kinds = filter_select(a.kind, "state", &q.state, kinds);
        let timed = q.from.is_some() || q.to.is_some();
        let filtered = timed || !(q.q.is_empty() && q.state.is_empty() && q.team.is_empty());
        let kinds = view! { {kinds} {inputs} }.erase();
        let list = match (p.rows.is_empty(), filtered) {
            _ if wrong.is_some() => ().into_any(),
            (true, false) => empty(a.none, a.none_text, ().into_any()),
            (true, true) => empty(a.no_hit, t.net.no_hit_text, ().into_any()),
            _ => table(t, &p.rows, now, url),
        };
        view! {
            {head(
                view! { <h1>{a.journal}</h1>{tag} }.erase(),
                view! { <p class="lead">{a.lead}</p> }.erase(),
                save.into_any(),
            )}
            {tabs_of(t, "/activity")}
            {alarm}
            {filter_box(t, url, a.filter, &q.q, kinds.into_any())}
            <div class="row gap-s">{spans}</div>
            {list}
            {pages_of(t, url, p.page, p.per_page, p.total)}
        }
        .erase()
    }

    fn table(t: &'static Texts, rows: &[JournalRow], now: UnixMs, url: &UrlState) -> AnyView {
        let a = &t.activity;
        let cols = view! {
            {col(t.shell.when, "")}
            {col(a.who, "")}
            {col(a.kind, "")}
            {col(a.subject, "")}
            {col(a.changes, "md")}
            {col_num("#", "lo")}
        }
        .erase();
        let rows = rows.iter().map(|r| row(t, r, now, url)).collect_view();
        view! { <Table label=a.journal head=cols.into_any()>{rows}</Table> }.erase()
    }

    fn row(t: &'static Texts, r: &JournalRow, now: UnixMs, url: &UrlState) -> AnyView {
        let a = &t.activity;
        let broken = (!r.intact).then(|| state(Shape::Bad, a.row_broken));
        let name = if r.who == "padis" { a.padis.to_owned() } else { r.who.clone() };
        let only = url.with(&[("q", &r.who), ("page", "")]);
        let who = view! { <a href=only title=(a.only_by)(&name)>{name.clone()}</a> }.erase();
        let word = t.journal_what(&r.what);
        view! {
            <tr id=format!("j-{}", r.seq) class=(!r.intact).then_some("broken")>
                <td>{t.when(r.at, now)}</td>
                <td>{who}</td>
                <td>{word}<span class="tech techonly">{r.what.clone()}</span>{broken}</td>
                <td>{subject(&r.subject)}</td>
                <td class="md wrap">{t.changes(&r.changes)}</td>
                <td class="num lo"><span title=format!("{} {}", a.hash, r.hash)>{r.seq}</span></td>
            </tr>
        }
        .erase()
    }
}
