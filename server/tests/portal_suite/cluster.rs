//! The cluster: who may see it, how it is found in, sorted and cut.

use super::support::each_database;
use super::world::{World, auditor, lead, operator};
use padis_domain::Problem;
use padis_domain::portal::Portal;
use padis_domain::ports::{AgentSeen, Amounts, Duty, FrameworkSeen, Holdings, RoleSeen, Survey};
use padis_domain::problem::System;
use padis_domain::view::{AgentState, ClusterList, ClusterView, ListQuery};

fn amounts(cpu_milli: u64, mem_mib: u64) -> Amounts {
    Amounts { cpu_milli, mem_mib, ..Amounts::default() }
}

/// The `n`th of many; each tenth is closed, and one has something for a role.
pub fn agent(n: u32, name: &str) -> AgentSeen {
    let reserved = if n == 7 { [("payments".to_owned(), amounts(1000, 64))].into() } else { [].into() };
    AgentSeen {
        id: format!("c-S{n}"),
        name: name.into(),
        address: format!("10.0.{}.{}:5051", n / 250, n % 250),
        version: if n == 3 { "1.9.0".into() } else { "1.11.0".into() },
        domain: (n == 4).then(|| ("north".into(), "n1".into())),
        attributes: [("rack".to_owned(), format!("r{}", n % 40))].into(),
        duty: Some(if n.is_multiple_of(10) { Duty::Draining } else { Duty::Working }),
        closed: n.is_multiple_of(10),
        active: !n.is_multiple_of(10),
        registered: Some(i64::from(n) + 1),
        returned: None,
        tasks: n % 7,
        has: Some(Holdings {
            total: amounts(4000, 1024),
            used: amounts(u64::from(n % 4000), 0),
            reserved,
            ..Holdings::default()
        }),
    }
}

fn framework(id: &str) -> FrameworkSeen {
    FrameworkSeen {
        id: id.into(),
        name: "marathon".into(),
        principal: String::new(),
        roles: vec!["*".into()],
        active: true,
        connected: true,
        registered: None,
        tasks: 0,
        unreachable: 0,
        used: None,
    }
}

fn asked(q: &str, state: &str, sort: &str, desc: bool, page: u32) -> ListQuery {
    ListQuery { q: q.into(), state: state.into(), sort: sort.into(), desc, page, ..ListQuery::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_hosts_are_found_in_sorted_and_cut() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let seen = async |q: ListQuery| w.portal.cluster(&auditor(), &q).await.expect("the cluster");
        let first = seen(ListQuery::default()).await;
        assert_eq!((first.at, first.agents.len()), (None, 0), "not looked at yet, and that is said");

        let mut agents: Vec<AgentSeen> = (0..10_000).map(|n| agent(n, &format!("h{n:05}"))).collect();
        // One that has not come back: nothing of it is counted.
        agents[9] = AgentSeen { has: None, duty: Some(Duty::Silent), active: false, ..agents[9].clone() };
        let role = |name: &str, weight| RoleSeen {
            name: name.into(),
            weight,
            quota: None,
            used: None,
            reserved: amounts(1000, 64),
            frameworks: Vec::new(),
        };
        let survey = Survey {
            agents,
            roles: vec![role("payments", None), role("*", Some(1.0))],
            frameworks: vec![framework("c-0001"), framework("c-0000")],
            ..Survey::default()
        };
        w.live.set_survey(survey, 77);

        let rows = |v: &ClusterView| match &v.list {
            ClusterList::Agents(p) => (p.rows.iter().map(|a| a.name.clone()).collect::<Vec<_>>(), p.total, p.page),
            other => panic!("{other:?}"),
        };
        let all = seen(ListQuery::default()).await;
        assert_eq!(all.at, Some(77));
        let states = [(AgentState::Silent, 1), (AgentState::Closed, 1000), (AgentState::Working, 8999)];
        assert_eq!(all.agents, states.into());
        assert_eq!(all.total, amounts(4000 * 9999, 1024 * 9999));
        let (names, total, page) = rows(&all);
        assert_eq!((names.len(), names[0].as_str(), total, page), (50, "h00000", 10_000, 1));
        // A page beyond the end is the last one.
        let (names, _, page) = rows(&seen(asked("", "", "", false, 9999)).await);
        assert_eq!((names[49].as_str(), page), ("h09999", 200));

        for (q, found) in [
            // `c-S1` is the beginning of `c-S10` and of a thousand more.
            ("c-S1", "h00001"),
            ("1.9.0", "h00003"),
            ("NORTH n1", "h00004"),
            ("payments", "h00007"),
            ("h09999", "h09999"),
            ("10.0.0.8:5051", "h00008"),
        ] {
            assert_eq!(rows(&seen(asked(q, "", "", false, 1)).await), (vec![found.to_owned()], 1, 1), "{q}");
        }
        assert_eq!(rows(&seen(asked("rack:r39", "", "", false, 1)).await).1, 250);
        assert_eq!(rows(&seen(asked("rack:r39", "closed", "", false, 1)).await).1, 0);
        assert_eq!(rows(&seen(asked("rack:r0", "closed", "", false, 1)).await).1, 250);
        assert_eq!(rows(&seen(asked("", "silent", "", false, 1)).await).0, ["h00009"]);
        assert_eq!(rows(&seen(asked("", "", "cpu", true, 1)).await).0[0], "h07999");
        assert_eq!(rows(&seen(asked("", "", "since", true, 1)).await).0[0], "h09999");
        assert_eq!(rows(&seen(asked("", "", "state", false, 1)).await).0[..2], ["h00009", "h00000"]);

        let ClusterList::Roles(roles) = seen(asked("", "roles", "weight", true, 1)).await.list else { panic!() };
        assert_eq!(roles.rows.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["*", "payments"]);
        let ours = async || match seen(asked("", "frameworks", "", false, 1)).await.list {
            ClusterList::Frameworks(p) => p.rows.into_iter().map(|(f, ours)| (f.id, ours)).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let ids = |ours| vec![("c-0000".to_owned(), ours), ("c-0001".to_owned(), false)];
        assert_eq!(ours().await, ids(false), "until Marathon has told who it is");
        w.live.set_framework("c-0000".into());
        assert_eq!(ours().await, ids(true));

        // It does not answer any more: what was seen stays, with its age, and why is said.
        assert_eq!(all.down, None);
        w.live.set_system("cluster", System::Cluster, false, "", "connection refused", 99);
        let down = seen(ListQuery::default()).await;
        assert_eq!((down.at, down.down), (Some(77), Some((99, "connection refused".to_owned()))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_runs_the_platform_sees_the_cluster_and_finds_its_hosts() {
    each_database(|store| async move {
        let w = World::new(store).await;
        w.live.set_survey(Survey { agents: vec![agent(7, "north-h7")], ..Survey::default() }, 1);
        for state in ["", "roles", "frameworks"] {
            let q = asked("", state, "", false, 1);
            let said = w.portal.cluster(&lead(), &q).await;
            assert!(matches!(said, Err(Problem::NotAllowed { .. })), "{said:?}");
            for c in [operator(), auditor()] {
                assert!(w.portal.cluster(&c, &q).await.is_ok());
            }
        }
        let hits = async |c| w.portal.search(&c, "North-h").await.expect("hits");
        assert!(hits(lead()).await.is_empty());
        let found: Vec<_> = hits(auditor()).await.into_iter().map(|h| (h.kind, h.title, h.path)).collect();
        assert_eq!(found, [("host".to_owned(), "north-h7".to_owned(), "/cluster?q=c-S7".to_owned())]);
    })
    .await;
}
