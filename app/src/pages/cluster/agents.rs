//! The hosts' list, and one host with all that it has.

use crate::api::query::escape;
use crate::text::cluster::Cluster;
use crate::text::{Texts, units};
use crate::ui::{Erase, Shape, Table, UrlState, col, col_num, meter, section, sort_head, state};
use leptos::prelude::*;
use padis_domain::ports::{AgentSeen, Amounts, Holdings};
use padis_domain::view::AgentState;
use padis_domain::words::UnixMs;

/// A resource: its name, how much of it there is in amounts, and that as words.
struct Resource {
    name: &'static str,
    of: fn(&Amounts) -> u64,
    words: fn(u64) -> String,
    sort: &'static str,
    class: &'static str,
}

fn resources(c: &'static Cluster) -> [Resource; 5] {
    let r = |name, of, words, sort, class| Resource { name, of, words, sort, class };
    [
        r("CPU", |a| a.cpu_milli, units::cores, "cpu", ""),
        r(c.memory, |a| a.mem_mib, units::mib, "memory", "lo"),
        r(c.disk, |a| a.disk_mib, units::mib, "disk", "md"),
        r(c.gpu, |a| a.gpu_milli, units::cores, "gpu", "lo md"),
        r(c.ports, |a| a.ports, units::count, "ports", "md"),
    ]
}

/// The list. Graphics processors have a column where a host on this page has some.
pub fn table(t: &'static Texts, c: &'static Cluster, url: &UrlState, rows: &[AgentSeen], now: UnixMs) -> AnyView {
    let gpus = rows.iter().filter_map(|a| a.has.as_ref()).any(|h| h.total.gpu_milli > 0);
    let shown: Vec<Resource> = resources(c).into_iter().filter(|r| gpus || r.sort != "gpu").collect();
    let heads = shown.iter().map(|r| sort_head(url, r.sort, r.name, true, r.class)).collect_view();
    let cols = view! {
        {sort_head(url, "name", c.agent, false, "")}
        {sort_head(url, "state", t.shell.state, false, "")}
        {heads}
        {sort_head(url, "tasks", c.tasks, true, "lo")}
        {sort_head(url, "since", c.registered, true, "lo md")}
    }
    .erase();
    let rows = rows.iter().map(|a| row(t, c, url, a, &shown, now)).collect_view();
    view! { <Table label=c.agents head=cols.into_any()>{rows}</Table> }.erase()
}

fn how(t: &'static Texts, a: &AgentSeen) -> AnyView {
    let s = AgentState::of(a);
    let shape = match s {
        AgentState::Working | AgentState::Heard => Shape::Ok,
        AgentState::Closed => Shape::Held,
        AgentState::Draining => Shape::Leave,
        AgentState::Empty => Shape::Off,
        AgentState::Silent => Shape::Bad,
    };
    state(shape, t.agent_state(s))
}

/// Attributes, and what stands before them.
fn chips(a: &AgentSeen, before: Option<AnyView>) -> AnyView {
    let labels = a
        .attributes
        .iter()
        .map(|(k, v)| view! { <span class="chip">{k.clone()} ":" {v.clone()}</span> }.erase())
        .collect_view();
    view! { <span class="row tight">{before}{labels}</span> }.erase()
}

fn in_zone(a: &AgentSeen) -> Option<AnyView> {
    let (region, zone) = a.domain.as_ref()?;
    Some(view! { <span class="chip">{region.clone()} " / " {zone.clone()}</span> }.erase().into_any())
}

fn row(
    t: &'static Texts,
    c: &'static Cluster,
    url: &UrlState,
    a: &AgentSeen,
    shown: &[Resource],
    now: UnixMs,
) -> AnyView {
    let href = format!("{}?q={}", url.path, escape(&a.id));
    let measures = shown.iter().map(|r| measure(c, r, a.has.as_ref())).collect_view();
    let tasks = if a.has.is_some() { units::count(u64::from(a.tasks)) } else { "—".to_owned() };
    let since = a.registered.map_or_else(|| "—".into_any(), |at| t.when(at, now));
    view! {
        <tr>
            <th scope="row" class="wrap">
                <a href=href>{a.name.clone()}</a>
                <span class="tech">{a.address.clone()}</span>
                <span class="lo">{chips(a, in_zone(a))}</span>
            </th>
            <td class="wrap">{how(t, a)}</td>
            {measures}
            <td class="num lo">{tasks}</td>
            <td class="num lo md">{since}</td>
        </tr>
    }
    .erase()
}

/// Used and all of one resource, and below what of it is kept for roles.
fn measure(c: &'static Cluster, r: &Resource, has: Option<&Holdings>) -> AnyView {
    let class = format!("num {}", r.class);
    let Some(h) = has else {
        return view! { <td class=format!("{class} quiet")>{c.not_told}</td> }.erase();
    };
    let (used, total) = ((r.of)(&h.used), (r.of)(&h.total));
    if total == 0 {
        return view! { <td class=format!("{class} quiet")>{c.none}</td> }.erase();
    }
    let reserved = h.reserved.values().fold(0, |sum: u64, a| sum.saturating_add((r.of)(a)));
    let kept = (reserved > 0)
        .then(|| view! { <span class="tech lo">{(c.reserved_short)(&(r.words)(reserved))}</span> }.erase());
    let total_words = (r.words)(total);
    // `1 / 500 GiB`: the unit stands once.
    let used_words = if total_words.ends_with("GiB") { units::fixed(used as f64 / 1024.0, 1) } else { (r.words)(used) };
    let label = (c.used_of)(r.name, &used_words, &total_words);
    let bar = matches!(r.sort, "cpu" | "memory").then(|| meter(used as f64, total as f64, label, false));
    view! {
        <td class=class>
            <div class="mv">{bar}<span>{used_words} <span class="unit">" / " {total_words}</span></span></div>
            {kept}
        </td>
    }
    .erase()
}

/// Everything that is known of one host.
pub fn whole(t: &'static Texts, c: &'static Cluster, a: &AgentSeen, now: UnixMs) -> AnyView {
    let told = |text: &str| if text.is_empty() { c.not_told.to_owned() } else { text.to_owned() };
    let when = |at: Option<UnixMs>| at.map_or_else(|| c.not_told.into_any(), |at| t.when(at, now));
    let domain =
        a.domain.as_ref().map_or_else(|| c.domain_none.to_owned(), |(region, zone)| format!("{region} / {zone}"));
    let ranges = |h: &Holdings| {
        let all: Vec<String> = h.ports.iter().map(|(from, to)| format!("{from}–{to}")).collect();
        if all.is_empty() { c.none.to_owned() } else { t.list(&all) }
    };
    let ports = a.has.as_ref().map(ranges);
    let labels = if a.attributes.is_empty() { c.none.into_any() } else { chips(a, None) };
    let returned = a.returned.map(|at| view! { <dt>{c.returned}</dt><dd>{t.when(at, now)}</dd> }.erase());
    let facts = view! {
        <dl class="facts-list gap">
            <dt>{c.id}</dt><dd><code>{a.id.clone()}</code></dd>
            <dt>{c.address}</dt><dd><code>{told(&a.address)}</code></dd>
            <dt>{c.mesos}</dt><dd>{told(&a.version)}</dd>
            <dt>{c.domain}</dt><dd>{domain}</dd>
            <dt>{c.labels}</dt><dd>{labels}</dd>
            <dt>{c.registered}</dt><dd>{when(a.registered)}</dd>
            {returned}
            <dt>{c.tasks}</dt><dd>{units::count(u64::from(a.tasks))}</dd>
            <dt>{c.port_ranges}</dt><dd>{ports.unwrap_or_else(|| c.not_told.to_owned())}</dd>
        </dl>
    }
    .erase();
    let amounts = match &a.has {
        Some(h) => holdings(c, h),
        None => view! { <p class="second">{c.away_text}</p> }.erase(),
    };
    let body = view! { {amounts} {facts} }.erase();
    view! { <div>{section("whole", c.whole, a.name.clone(), body.into_any())}</div> }.erase()
}

/// In all, used, reserved for each role, reserved for nobody: a row each.
fn holdings(c: &'static Cluster, h: &Holdings) -> AnyView {
    let all = resources(c);
    let heads = all.iter().map(|r| col_num(r.name, "")).collect_view();
    let cols = view! { {col(c.what, "")} {heads} }.erase();
    let line = |title: String, amounts: Option<&Amounts>| {
        let cells = all
            .iter()
            .map(|r| {
                let words = amounts.map_or_else(|| c.not_told.to_owned(), |a| (r.words)((r.of)(a)));
                view! { <td class="num">{words}</td> }.erase()
            })
            .collect_view();
        view! { <tr><th scope="row" class="wrap">{title}</th>{cells}</tr> }.erase()
    };
    let reserved = h.reserved.iter().map(|(role, a)| line((c.reserved_for)(role), Some(a))).collect_view();
    let (total, used) = (line(c.total.to_owned(), Some(&h.total)), line(c.used.to_owned(), Some(&h.used)));
    let unreserved = line(c.free_for_all.to_owned(), h.unreserved.as_ref());
    view! { <Table label=c.whole head=cols.into_any()>{total}{used}{reserved}{unreserved}</Table> }.erase()
}
