//! The cluster for operators and auditors: who leads, hosts with all that they have,
//! roles, frameworks.
//!
//! Three lists under one address; which one stands in its query (`?state=roles`), as
//! does the host that is shown in full: whoever names one (`?q=` with its id) sees all
//! that it has.

#[cfg(feature = "ssr")]
mod agents;
#[cfg(feature = "ssr")]
mod rest;

use crate::pages::written::{Part, written_every};
use crate::shell::PageTitle;
use crate::text::texts;
use crate::ui::Erase;
use leptos::prelude::*;
use std::time::Duration;

/// About how often the cluster is looked at.
const EVERY: Duration = Duration::from_secs(5);

/// The page.
#[component]
pub fn Cluster() -> AnyView {
    let t = texts();
    view! {
        <PageTitle text=t.pools.cluster/>
        {written_every(t.pools.cluster, Part::Cluster, &["systems"], EVERY)}
    }
    .erase()
}

#[cfg(feature = "ssr")]
pub use server::write;
#[cfg(feature = "ssr")]
mod server {
    use super::{agents, rest};
    use crate::pages::parts::{filter_box, filter_select, hidden, now, pages_of};
    use crate::pages::write::address;
    use crate::text::cluster::Cluster;
    use crate::text::{Texts, units};
    use crate::ui::{Erase, Shape, Tab, UrlState, empty, facts, head, notice, state_tag, tabs};
    use leptos::prelude::*;
    use padis_domain::view::{AgentState, ClusterList, ClusterView, ListQuery, Page};
    use padis_domain::words::UnixMs;

    /// The whole body.
    pub fn write(t: &'static Texts, v: ClusterView, q: &ListQuery) -> AnyView {
        let (c, now, url) = (t.cluster(), now(), address("/cluster", q));
        let Some(at) = v.at else {
            let title = view! { <h1>{t.pools.cluster}</h1> }.erase();
            return view! {
                {head(title, ().into_any(), ().into_any())}
                {down(t, c, &v, now)}
                {empty(c.never, c.never_text, ().into_any())}
            }
            .erase();
        };
        view! {
            {top(t, c, &v, at, now)}
            {down(t, c, &v, now)}
            {lists(t, c, &v)}
            {filter(t, c, &v, &url, q)}
            {body(t, c, &v, &url, q, now)}
        }
        .erase()
    }

    fn top(t: &'static Texts, c: &'static Cluster, v: &ClusterView, at: UnixMs, now: UnixMs) -> AnyView {
        let l = &v.leader;
        let tag = if v.down.is_some() { state_tag(Shape::Bad, c.down) } else { state_tag(Shape::Ok, c.up) };
        let name = (!l.cluster.is_empty()).then(|| l.cluster.clone().into_any());
        let leads = l.since.map(|since| view! { {c.leads} " " {t.since(since, now)} }.erase());
        let items = [
            name,
            Some(view! { <span title=l.host.clone()>{(c.leader)(&l.address)}</span> }.erase()),
            leads,
            Some((c.version)(&l.version).into_any()),
            Some(view! { {c.seen} " " {t.when(at, now)} }.erase()),
        ];
        let title = view! { <h1>{t.pools.cluster}</h1>{tag} }.erase();
        head(title, facts(items.into_iter().flatten().collect()), ().into_any())
    }

    fn down(t: &'static Texts, c: &'static Cluster, v: &ClusterView, now: UnixMs) -> Option<AnyView> {
        let (since, why) = v.down.as_ref()?;
        let text = (c.down_text)(&t.lasting(now - since), why);
        Some(notice(Shape::Bad, c.down_title, text, ().into_any()))
    }

    /// How many hosts there are in each state, and how much of them is used.
    fn sums(t: &'static Texts, c: &'static Cluster, v: &ClusterView) -> AnyView {
        let states = AgentState::ALL.iter().filter_map(|s| v.agents.get(s).map(|n| (s, n)));
        let states: Vec<String> = states.map(|(s, n)| format!("{} {}", t.agent_state(*s), units::count(*n))).collect();
        let (used, total) = (v.used, v.total);
        let sum = (c.sum)(
            &t.cpus(used.cpu_milli),
            &t.cpus(total.cpu_milli),
            &Texts::much(used.mem_mib),
            &Texts::much(total.mem_mib),
        );
        let given_up = (v.leader.unreachable > 0).then(|| (c.given_up)(&t.hosts(v.leader.unreachable)));
        let given_up = given_up.map(|words| view! { <p class="second">{words}</p> }.erase());
        view! { <p class="second">{states.join(" · ")}</p> <p class="second">{sum}</p> {given_up} }.erase()
    }

    fn lists(t: &'static Texts, c: &'static Cluster, v: &ClusterView) -> AnyView {
        let tab = |state: &str, label: &str, count: u64, current: bool| Tab {
            href: if state.is_empty() { "/cluster".to_owned() } else { format!("/cluster?state={state}") },
            label: label.to_owned(),
            count: Some(units::count(count)),
            current,
        };
        let agents = v.agents.values().sum();
        let all = vec![
            tab("", c.agents, agents, matches!(v.list, ClusterList::Agents(_))),
            tab(ClusterView::ROLES, c.roles, v.roles, matches!(v.list, ClusterList::Roles(_))),
            tab(ClusterView::FRAMEWORKS, c.frameworks, v.frameworks, matches!(v.list, ClusterList::Frameworks(_))),
        ];
        tabs(t.pools.cluster, all)
    }

    fn filter(t: &'static Texts, c: &'static Cluster, v: &ClusterView, url: &UrlState, q: &ListQuery) -> AnyView {
        let (title, label, beside) = match &v.list {
            ClusterList::Agents(_) => {
                let mut states = vec![(String::new(), c.every_state.to_owned())];
                let there = AgentState::ALL.into_iter().filter(|s| v.agents.contains_key(s) || s.as_str() == q.state);
                states.extend(there.map(|s| (s.as_str().to_owned(), t.agent_state(s).to_owned())));
                (c.agents, c.agents_filter, filter_select(t.shell.state, "state", &q.state, states))
            }
            ClusterList::Roles(_) => (c.roles, c.roles_filter, hidden("state", ClusterView::ROLES)),
            ClusterList::Frameworks(_) => (c.frameworks, c.frameworks_filter, hidden("state", ClusterView::FRAMEWORKS)),
        };
        let sums = matches!(v.list, ClusterList::Agents(_)).then(|| sums(t, c, v));
        view! { <h2 class="vh">{title}</h2> {sums} {filter_box(t, url, label, &q.q, beside)} }.erase()
    }

    fn body(
        t: &'static Texts,
        c: &'static Cluster,
        v: &ClusterView,
        url: &UrlState,
        q: &ListQuery,
        now: UnixMs,
    ) -> AnyView {
        match &v.list {
            ClusterList::Agents(p) => {
                let filtered = !q.q.is_empty() || !q.state.is_empty();
                let none = (c.none_agents, c.none_agents_text);
                listed(t, c, p, url, filtered, none, |rows| {
                    let whole = match rows {
                        [one] => Some(agents::whole(t, c, one, now)),
                        _ => None,
                    };
                    view! { {agents::table(t, c, url, rows, now)} {whole} }.erase()
                })
            }
            ClusterList::Roles(p) => {
                let why = v.roles_untold.as_ref();
                let untold = why.map(|w| notice(Shape::Warn, c.untold_title, (c.untold_text)(w), ().into_any()));
                let none = (c.none_roles, c.none_roles_text);
                let list = listed(t, c, p, url, !q.q.is_empty(), none, |rows| rest::roles(t, c, url, rows));
                view! { {untold} {list} }.erase()
            }
            ClusterList::Frameworks(p) => {
                let none = (c.none_frameworks, c.none_frameworks_text);
                listed(t, c, p, url, !q.q.is_empty(), none, |rows| rest::frameworks(t, c, url, rows, now))
            }
        }
    }

    /// The rows with their pager, or why there is none.
    fn listed<T>(
        t: &'static Texts,
        c: &'static Cluster,
        p: &Page<T>,
        url: &UrlState,
        filtered: bool,
        none: (&'static str, &'static str),
        show: impl FnOnce(&[T]) -> AnyView,
    ) -> AnyView {
        match (p.rows.is_empty(), filtered) {
            (true, true) => empty(c.no_hit, c.no_hit_text, ().into_any()),
            (true, false) => empty(none.0, none.1, ().into_any()),
            (false, _) => view! { {show(&p.rows)} {pages_of(t, url, p.page, p.per_page, p.total)} }.erase(),
        }
    }
}
