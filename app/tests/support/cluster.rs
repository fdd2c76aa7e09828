//! A made-up cluster: one host with a reservation and a region, one that is closed, one
//! of which nothing is told; a role of an old master; two frameworks.

use super::NOW;
use padis_domain::ports::{AgentSeen, Amounts, Duty, FrameworkSeen, Holdings, LeaderSeen, Quota, RoleSeen};
use padis_domain::view::{AgentState, ClusterList, ClusterView, ListQuery, Page};
use std::collections::BTreeMap;

const fn amounts(cpu_milli: u64, mem_mib: u64, disk_mib: u64, gpu_milli: u64, ports: u64) -> Amounts {
    Amounts { cpu_milli, mem_mib, disk_mib, gpu_milli, ports }
}

fn agents() -> Vec<AgentSeen> {
    let whole = AgentSeen {
        id: "c-S1".into(),
        name: "sf-h01".into(),
        address: "10.0.0.11:5051".into(),
        version: "1.11.0".into(),
        domain: Some(("north".into(), "n1".into())),
        attributes: [("zone".to_owned(), "SF".to_owned())].into(),
        duty: Some(Duty::Working),
        closed: false,
        active: true,
        registered: Some(NOW - 86_400_000 * 3),
        returned: Some(NOW - 7_200_000),
        tasks: 4,
        has: Some(Holdings {
            total: amounts(16_000, 65_536, 204_800, 2000, 1000),
            used: amounts(4500, 10_240, 0, 1000, 4),
            unreserved: Some(amounts(12_000, 57_344, 204_800, 0, 1000)),
            reserved: [("payments".to_owned(), amounts(4000, 8192, 0, 2000, 0))].into(),
            ports: vec![(31_000, 31_999)],
        }),
    };
    let closed = AgentSeen {
        id: "c-S2".into(),
        name: "sf-h02".into(),
        duty: Some(Duty::Draining),
        closed: true,
        ..whole.clone()
    };
    let away = AgentSeen {
        id: "c-S3".into(),
        name: "sf-h03".into(),
        address: String::new(),
        version: String::new(),
        domain: None,
        attributes: BTreeMap::new(),
        duty: Some(Duty::Silent),
        active: false,
        registered: None,
        returned: None,
        tasks: 0,
        has: None,
        ..whole.clone()
    };
    vec![whole, closed, away]
}

fn roles() -> Vec<RoleSeen> {
    let role = |name: &str, quota, used| RoleSeen {
        name: name.into(),
        weight: Some(2.5),
        quota,
        used,
        reserved: amounts(4000, 8192, 0, 2000, 0),
        frameworks: vec!["c-0000".into()],
    };
    let limit = [("cpus".to_owned(), 8000), ("mem".to_owned(), 16_384_000)].into();
    vec![
        role("payments", Some(Quota { limit, ..Quota::default() }), Some(amounts(2500, 4096, 0, 0, 2))),
        role("plain", Some(Quota::default()), Some(Amounts::default())),
        role("untold", None, None),
    ]
}

fn frameworks() -> Vec<(FrameworkSeen, bool)> {
    let framework = |id: &str, name: &str, principal: &str, connected| FrameworkSeen {
        id: id.into(),
        name: name.into(),
        principal: principal.into(),
        roles: vec!["*".into()],
        active: connected,
        connected,
        registered: Some(NOW - 60_000),
        tasks: 12,
        unreachable: 1,
        used: Some(amounts(4500, 10_240, 0, 0, 4)),
    };
    vec![(framework("c-0000", "marathon", "marathon", true), true), (framework("c-0001", "chronos", "", false), false)]
}

pub fn cluster(q: &ListQuery) -> ClusterView {
    fn page<T>(rows: Vec<T>) -> Page<T> {
        Page { total: rows.len() as u64, rows, page: 1, per_page: 50 }
    }
    let list = match q.state.as_str() {
        ClusterView::ROLES => ClusterList::Roles(page(roles())),
        ClusterView::FRAMEWORKS => ClusterList::Frameworks(page(frameworks())),
        _ => ClusterList::Agents(page(agents().into_iter().filter(|a| q.q.is_empty() || a.id == q.q).collect())),
    };
    ClusterView {
        leader: LeaderSeen {
            address: "10.0.0.5:5050".into(),
            host: "mesos1".into(),
            version: "1.11.0".into(),
            cluster: "north".into(),
            since: Some(NOW - 3_600_000),
            unreachable: 2,
        },
        at: Some(NOW - 3000),
        down: (q.sort == "down").then(|| (NOW - 120_000, "connection refused".to_owned())),
        agents: [(AgentState::Working, 1), (AgentState::Closed, 1), (AgentState::Silent, 1)].into(),
        roles: 3,
        frameworks: 2,
        total: amounts(32_000, 131_072, 409_600, 4000, 2000),
        used: amounts(9000, 20_480, 0, 2000, 8),
        roles_untold: (q.sort == "untold").then(|| "HTTP 403".to_owned()),
        list,
    }
}
