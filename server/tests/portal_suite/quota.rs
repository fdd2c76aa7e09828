//! The quota is a promise: whatever runs side by side, it is never promised twice.

use crate::support::each_database;
use crate::world::{MARK, World, lead, new_app, operator};
use padis_domain::Problem;
use padis_domain::portal::Portal;
use padis_domain::ports::Host;
use padis_domain::quantity::{Amount, Dimension, Shortage, Size};
use padis_domain::view::NewRelease;

fn over(dimension: Dimension, wanted: u64, left: u64) -> Problem {
    Problem::OverQuota { pool: "common".into(), team: MARK.into(), shortage: Shortage { dimension, wanted, left } }
}

async fn quota(w: &World, instances: u64, cpu_milli: u64) {
    let q = Amount { cpu_milli, mem_mib: 1 << 20, instances, addresses: 1000 };
    w.portal.put_quota(&operator(), "common", MARK, &q).await.expect("a quota");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_at_once_never_exceed_it() {
    each_database(|store| async move {
        let w = World::new(store).await;
        quota(&w, 20, 1 << 20).await;
        let c = lead();
        let mut tokens = Vec::new();
        for _ in 0..64 {
            tokens.push(w.once(&c).await);
        }
        let tasks = tokens.into_iter().enumerate().map(|(i, once)| {
            let (p, c, new) = (w.portal.clone(), c.clone(), new_app(MARK, &format!("app-{i}")));
            tokio::spawn(async move { p.create_app(&c, &new, &once).await })
        });
        let mut made = 0;
        for t in tasks.collect::<Vec<_>>() {
            match t.await.expect("no panic") {
                Ok(_) => made += 1,
                Err(Problem::OverQuota { shortage, .. }) => assert_eq!(shortage.dimension, Dimension::Instances),
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(made, 10, "two instances each, twenty in all");
        assert_eq!(w.number("SELECT CAST(SUM(instances) AS BIGINT) FROM app").await, 20);
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'app.create'").await, 10);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_counts_what_is_online_and_lets_one_shrink() {
    each_database(|store| async move {
        let w = World::new(store).await;
        quota(&w, 4, 1000).await;
        let c = lead();
        let once = || async { w.once(&c).await };
        let app = w.create(&c, &new_app(MARK, "shop")).await;
        w.settled(&app).await;
        assert_eq!(w.portal.scale(&c, &app, 5, 1, &once().await).await, Err(over(Dimension::Cpu, 750, 500)));
        assert_eq!(w.portal.scale(&c, &app, 4, 1, &once().await).await, Ok(()));
        let bigger = NewRelease { size: Some(Size { cpu_milli: 251, mem_mib: 256 }), ..NewRelease::default() };
        assert_eq!(w.portal.release(&c, &app, &bigger, 2, &once().await).await, Err(over(Dimension::Cpu, 4, 0)));
        let view = w.portal.pool(&c, "common").await.expect("the pool");
        assert_eq!((view.row.quotas[MARK].used.instances, view.row.quotas[MARK].held.instances), (2, 2));
        // Taken below what is used: nothing grows, but one may shrink, to a size that is still over it.
        quota(&w, 1, 100).await;
        assert_eq!(w.portal.scale(&c, &app, 3, 2, &once().await).await, Ok(()));
        assert_eq!(w.portal.scale(&c, &app, 4, 3, &once().await).await, Err(over(Dimension::Cpu, 250, 0)));
        // What is stopped is not counted, and is counted again when it starts.
        w.portal.stop(&c, &app, 3, &once().await).await.expect("stopped");
        w.settled(&app).await;
        let view = w.portal.app(&c, &app).await.expect("the application");
        assert_eq!((view.quota.used, view.quota.held), (Amount::default(), Amount::default()));
        assert_eq!(w.portal.start(&c, &app, 4, &once().await).await, Err(over(Dimension::Cpu, 750, 100)));
        // No quota at all: the pool does not exist for somebody without any.
        let mut new = new_app(MARK, "other");
        new.pool = "nowhere".into();
        assert!(
            w.portal.check_new_app(&c, &new).await.expect("a check").iter().any(|p| p.about_field() == Some("pool"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_too_small_and_a_subnet_that_is_full() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let host = |name: &str, rack: &str, cpu_milli| Host {
            id: name.into(),
            name: name.into(),
            attributes: [("rack".to_owned(), rack.to_owned())].into(),
            active: true,
            cpu_milli,
            cpu_used_milli: 100,
            mem_mib: 1000,
            mem_used_mib: 100,
            tasks: 0,
        };
        // The large one is another pool's.
        w.live.set_hosts(vec![host("a", "common", 200), host("b", "striped", 64_000)], Default::default(), 5);
        let found = w.portal.check_new_app(&c, &new_app(MARK, "shop")).await.expect("a check");
        assert_eq!(
            found,
            [Problem::NoHostLargeEnough { pool: "common".into(), best_cpu_milli: 100, best_mem_mib: 900 }]
        );
        w.live.set_hosts(vec![host("a", "common", 4000)], Default::default(), 6);
        assert_eq!(w.portal.check_new_app(&c, &new_app(MARK, "shop")).await, Ok(Vec::new()));
        let row = w.portal.pool(&c, "common").await.expect("the pool").row;
        assert_eq!((row.hosts, row.total.cpu_milli, row.used.mem_mib, row.total.addresses), (1, 4000, 100, 253));
        let n = w.portal.reserve(&operator(), "common", "10.210.16.1", "10.210.16.252", "printers").await;
        assert_eq!(n, Ok(251), "the gateway is not given out anyway");
        let found = w.portal.create_app(&c, &new_app(MARK, "shop"), &w.once(&c).await).await;
        assert!(found.is_ok(), "two are left: {found:?}");
        // Promised, though nothing is allocated yet.
        let mut new = new_app(MARK, "shop2");
        new.instances = 1;
        let found = w.portal.check_new_app(&c, &new).await.expect("a check");
        assert_eq!(found, [Problem::NoFreeAddress { pool: "common".into(), free: 0, soon: 0 }]);
        assert_eq!(w.portal.unreserve(&operator(), "common", "10.210.16.2", "10.210.16.2").await, Ok(1));
        assert_eq!(w.portal.check_new_app(&c, &new).await, Ok(Vec::new()));
    })
    .await;
}
