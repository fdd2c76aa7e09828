//! Hosts that are taken out of service and put back: who may, what is recorded, what is shown.

use super::support::each_database;
use super::world::{World, auditor, lead, operator};
use padis_domain::Problem;
use padis_domain::portal::Portal;
use padis_domain::ports::{Duty, Host};
use padis_domain::problem::ValueFault;
use std::collections::BTreeMap;

fn host(name: &str) -> Host {
    Host {
        id: format!("agent-{name}"),
        name: name.into(),
        attributes: [("rack".to_owned(), "common".to_owned())].into(),
        active: true,
        cpu_milli: 4000,
        cpu_used_milli: 0,
        mem_mib: 4096,
        mem_used_mib: 0,
        tasks: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_service_is_an_intent_with_a_reason() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let duties = |a, b| BTreeMap::from([("agent-a".to_owned(), a), ("agent-b".to_owned(), b)]);
        w.live.set_hosts(vec![host("a"), host("b")], duties(Duty::Working, Duty::Working), 1);
        for c in [lead(), auditor()] {
            let said = w.portal.host_out(&c, "agent-a", "why").await;
            assert!(matches!(said, Err(Problem::NotAllowed { .. })), "{said:?}");
            let said = w.portal.host_back(&c, "agent-a").await;
            assert!(matches!(said, Err(Problem::NotAllowed { .. })), "{said:?}");
        }
        assert_eq!(w.portal.host_out(&operator(), "agent-a", " ").await, Err(Problem::missing("reason")));
        let long = "x".repeat(201);
        let said = w.portal.host_out(&operator(), "agent-a", &long).await;
        assert_eq!(said, Err(Problem::field("reason", ValueFault::TooLong { max: 200 })));
        assert_eq!(w.portal.host_out(&operator(), "agent-z", "why").await, Err(Problem::NotFound));
        assert_eq!(w.portal.host_back(&operator(), "agent-z").await, Err(Problem::NotFound));
        assert_eq!(w.number("SELECT COUNT(*) FROM host_out").await, 0);

        w.portal.host_out(&operator(), "agent-a", "new memory").await.expect("recorded");
        w.portal.host_out(&operator(), "agent-a", "new memory").await.expect("the same once more");
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'host.out' AND subject = 'host:a'").await, 1);
        assert_eq!(w.number("SELECT wanted FROM work WHERE key = 'host:agent-a'").await, 1);
        let seen = w.portal.pool(&lead(), "common").await.expect("the pool").hosts;
        let of = |n: usize| {
            (seen[n].host.name.as_str(), seen[n].duty, seen[n].out.as_ref().map(|o| (o.out, o.reason.as_str())))
        };
        assert_eq!(of(0), ("a", Some(Duty::Working), Some((true, "new memory"))));
        assert_eq!(of(1), ("b", Some(Duty::Working), None));

        // Out on purpose: its room is not counted, and nobody is alarmed by it.
        let mut empty = host("a");
        empty.active = false;
        w.live.set_hosts(vec![empty.clone(), host("b")], duties(Duty::Drained, Duty::Working), 2);
        let row = w.portal.pool(&operator(), "common").await.expect("the pool").row;
        assert_eq!((row.hosts, row.total.cpu_milli), (1, 4000));
        let alarms = w.portal.overview(&operator(), None).await.expect("the overview").attention.len();
        w.live.set_hosts(vec![empty, host("b")], duties(Duty::Silent, Duty::Working), 3);
        let more = w.portal.overview(&operator(), None).await.expect("the overview").attention.len();
        assert_eq!(more, alarms + 1, "one that fell silent is alarming");

        w.portal.host_back(&operator(), "agent-a").await.expect("recorded");
        assert_eq!(w.number("SELECT out_wanted FROM host_out WHERE agent_id = 'agent-a'").await, 0);
        assert_eq!(w.number("SELECT wanted FROM work WHERE key = 'host:agent-a'").await, 2);
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'host.back'").await, 1);
    })
    .await;
}
