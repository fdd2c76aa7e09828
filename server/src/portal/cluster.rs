//! The cluster for operators and auditors: agents, roles, frameworks, and who leads.
//!
//! All of it is the collector's last look, so however many people have the page open,
//! Mesos is asked no more often. One could get it wrong by copying 10,000 agents for
//! each of them: the look is borrowed, and only the rows of one page are copied.

use super::PadisPortal;
use super::sql::Paging;
use padis_domain::caller::{Inspect, Permit};
use padis_domain::ports::{AgentSeen, Amounts, FrameworkSeen, Holdings, RoleSeen, Survey};
use padis_domain::problem::System;
use padis_domain::view::{AgentState, ClusterList, ClusterView, Hit, ListQuery, Page};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// One page of the list that the query names.
pub fn view(p: &PadisPortal, _may: Permit<'_, Inspect>, q: &ListQuery) -> ClusterView {
    let looked = p.live.survey();
    let survey = &looked.found;
    let mut states: BTreeMap<AgentState, u64> = BTreeMap::new();
    for agent in &survey.agents {
        *states.entry(AgentState::of(agent)).or_default() += 1;
    }
    let sum = |of: fn(&Holdings) -> Amounts| {
        survey.agents.iter().filter_map(|a| a.has.as_ref()).fold(Amounts::default(), |sum, h| sum.plus(of(h)))
    };
    let down = p.live.systems().into_iter().find(|s| s.system == System::Cluster && !s.up);
    let list = match q.state.as_str() {
        ClusterView::ROLES => ClusterList::Roles(roles(survey, q)),
        ClusterView::FRAMEWORKS => ClusterList::Frameworks(frameworks(survey, q, p.live.framework().as_deref())),
        _ => ClusterList::Agents(agents(survey, q)),
    };
    ClusterView {
        leader: survey.leader.clone(),
        at: looked.at,
        down: down.map(|s| (s.since, s.detail)),
        agents: states,
        roles: survey.roles.len() as u64,
        frameworks: survey.frameworks.len() as u64,
        total: sum(|h| h.total),
        used: sum(|h| h.used),
        roles_untold: survey.roles_untold.clone(),
        list,
    }
}

/// The agents whose name holds `q`, as hits of a search.
pub fn hits(p: &PadisPortal, q: &str, most: usize) -> Vec<Hit> {
    let (looked, q) = (p.live.survey(), q.to_lowercase());
    let found = looked.found.agents.iter().filter(|a| a.name.to_lowercase().contains(&q));
    let mut found: Vec<&AgentSeen> = found.collect();
    found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let hit = |a: &AgentSeen| Hit {
        kind: "host".to_owned(),
        title: a.name.clone(),
        detail: a.id.clone(),
        path: format!("/cluster?q={}", super::search::part(&a.id)),
    };
    found.into_iter().take(most).map(hit).collect()
}

/// Sorts, and copies the rows of the page that is asked for, or of the last one.
fn cut<T: Clone>(mut rows: Vec<&T>, q: &ListQuery, order: impl Fn(&T, &T) -> Ordering) -> Page<T> {
    rows.sort_by(|a, b| if q.desc { order(b, a) } else { order(a, b) });
    let (total, asked) = (rows.len(), Paging::of(q));
    let per_page = asked.per_page as usize;
    let page = (asked.page as usize).min(total.div_ceil(per_page).max(1));
    let rows = rows.into_iter().skip((page - 1) * per_page).take(per_page).cloned().collect();
    Page { rows, total: total as u64, page: page as u32, per_page: asked.per_page }
}

/// Whether every word of the query stands in one of the texts.
fn holds(q: &str, texts: &[&str]) -> bool {
    let texts: Vec<String> = texts.iter().map(|t| t.to_lowercase()).collect();
    q.to_lowercase().split_whitespace().all(|word| texts.iter().any(|t| t.contains(word)))
}

fn agents(survey: &Survey, q: &ListQuery) -> Page<AgentSeen> {
    let (state, text) = (AgentState::parse(&q.state), q.q.trim());
    // `…-S1` is the beginning of `…-S10`: who names one means that one.
    let named = survey.agents.iter().find(|a| a.id == text);
    let fits = |a: &&AgentSeen| {
        if let Some(one) = named {
            return a.id == one.id;
        }
        let labels: Vec<String> = a.attributes.iter().map(|(k, v)| format!("{k}:{v}")).collect();
        let mut texts = vec![a.id.as_str(), a.name.as_str(), a.address.as_str(), a.version.as_str()];
        texts.extend(labels.iter().map(String::as_str));
        texts.extend(a.domain.iter().flat_map(|(region, zone)| [region.as_str(), zone.as_str()]));
        texts.extend(a.has.iter().flat_map(|h| h.reserved.keys().map(String::as_str)));
        holds(text, &texts)
    };
    let fit = survey.agents.iter().filter(|a| state.is_none_or(|s| AgentState::of(a) == s)).filter(fits);
    let used = |a: &AgentSeen| a.has.as_ref().map(|h| h.used).unwrap_or_default();
    let name = |a: &AgentSeen, b: &AgentSeen| (&a.name, &a.id).cmp(&(&b.name, &b.id));
    cut(fit.collect(), q, |a, b| {
        let first = match q.sort.as_str() {
            "state" => AgentState::of(a).cmp(&AgentState::of(b)),
            "cpu" => used(a).cpu_milli.cmp(&used(b).cpu_milli),
            "memory" => used(a).mem_mib.cmp(&used(b).mem_mib),
            "disk" => used(a).disk_mib.cmp(&used(b).disk_mib),
            "gpu" => used(a).gpu_milli.cmp(&used(b).gpu_milli),
            "ports" => used(a).ports.cmp(&used(b).ports),
            "tasks" => a.tasks.cmp(&b.tasks),
            "since" => a.registered.cmp(&b.registered),
            _ => Ordering::Equal,
        };
        first.then_with(|| name(a, b))
    })
}

fn roles(survey: &Survey, q: &ListQuery) -> Page<RoleSeen> {
    let fit = survey.roles.iter().filter(|r| holds(&q.q, &[&r.name]));
    cut(fit.collect(), q, |a, b| {
        let first = match q.sort.as_str() {
            "weight" => a.weight.partial_cmp(&b.weight).unwrap_or(Ordering::Equal),
            "reserved" => a.reserved.cpu_milli.cmp(&b.reserved.cpu_milli),
            "used" => a.used.map(|u| u.cpu_milli).cmp(&b.used.map(|u| u.cpu_milli)),
            _ => Ordering::Equal,
        };
        first.then_with(|| a.name.cmp(&b.name))
    })
}

fn frameworks(survey: &Survey, q: &ListQuery, ours: Option<&str>) -> Page<(FrameworkSeen, bool)> {
    let fit = survey.frameworks.iter().filter(|f| {
        let roles = f.roles.iter().map(String::as_str);
        let texts: Vec<&str> = [f.id.as_str(), &f.name, &f.principal].into_iter().chain(roles).collect();
        holds(&q.q, &texts)
    });
    let page = cut(fit.collect(), q, |a, b| {
        let first = match q.sort.as_str() {
            "tasks" => a.tasks.cmp(&b.tasks),
            "used" => a.used.map(|u| u.cpu_milli).cmp(&b.used.map(|u| u.cpu_milli)),
            "since" => a.registered.cmp(&b.registered),
            _ => Ordering::Equal,
        };
        first.then_with(|| (&a.name, &a.id).cmp(&(&b.name, &b.id)))
    });
    let rows = page.rows.into_iter().map(|f| (ours == Some(f.id.as_str()), f)).map(|(ours, f)| (f, ours)).collect();
    Page { rows, total: page.total, page: page.page, per_page: page.per_page }
}
