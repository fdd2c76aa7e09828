//! Lists: paged, filtered, sorted, and fast with two thousand applications.

use crate::support::each_database;
use crate::world::{MARK, SHA, World, lead, new_app, operator, stranger};
use padis_domain::portal::Portal;
use padis_domain::view::ListQuery;
use padis_domain::words::Stage;
use std::time::{Duration, Instant};

const APPS: i64 = 2000;

/// Two thousand applications, half of them team lion's, and a /20 full of addresses.
async fn many(w: &World) {
    let app = w.create(&lead(), &new_app(MARK, "origin")).await;
    w.settled(&app).await;
    let both = "SELECT n.n, CASE WHEN n.n / 2 * 2 = n.n THEN 'zebra' ELSE 'lion' END AS team FROM number n";
    w.sql(&format!(
        "INSERT INTO app (id, team, name, title, pool, host_name, wanted, instances, release, cpu_milli, mem_mib, state, well, revision, created_at, \
                          changed_at, changed_by) \
         SELECT 'id-' || CAST(x.n AS TEXT), x.team, 'app-' || CAST(x.n AS TEXT), 'Title ' || CAST(x.n AS TEXT), 'common', \
                'app-' || CAST(x.n AS TEXT) || '.common.example', 'online', 2, 1, 250, 256, \
                CASE WHEN x.n < 5 THEN 'failing' ELSE 'online' END, 2, 1, 1, x.n, 'A' \
         FROM ({both}) x WHERE x.n < {}",
        APPS - 1
    ))
    .await;
    w.sql(
        "INSERT INTO release (app_id, number, spec, contract, stack_key, package, package_kind, package_name, cause, changes, state, at, by_name) \
         SELECT a.id, 1, r.spec, r.contract, r.stack_key, r.package, r.package_kind, r.package_name, 'create', '[]', 'live', 1, 'A' \
         FROM app a, release r WHERE a.id LIKE 'id-%'",
    )
    .await;
    w.sql(
        "INSERT INTO claim (id, kind, app_id, team, app, release, slot, task_id, pool, address, what, state, reason, since) \
         SELECT 'c-' || CAST(n.n AS TEXT), 'address', 'id-' || CAST(n.n / 4 AS TEXT), CASE WHEN n.n / 8 * 8 = n.n THEN 'lion' ELSE 'zebra' END, 'a', \
                1, n.n, 't-' || CAST(n.n AS TEXT), 'striped', 181542912 + n.n, '', 'held', '', 1 \
         FROM number n WHERE n.n > 1 AND n.n < 4095",
    )
    .await;
}

/// The 99th percentile of many runs.
async fn p99<T, F: Future<Output = T>>(runs: usize, mut f: impl FnMut() -> F) -> Duration {
    let mut all = Vec::with_capacity(runs);
    for _ in 0..runs {
        let began = Instant::now();
        f().await;
        all.push(began.elapsed());
    }
    all.sort_unstable();
    all[runs * 99 / 100]
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_are_paged_filtered_and_sorted() {
    each_database(|store| async move {
        let w = World::new(store).await;
        many(&w).await;
        let list = |q: ListQuery| {
            let p = w.portal.clone();
            async move { p.apps(&operator(), &q).await.expect("a list") }
        };
        let q = ListQuery::default();
        let all = list(q.clone()).await;
        assert_eq!((all.total, all.rows.len(), all.page, all.per_page), (2000, 50, 1, 50));
        assert_eq!(all.rows[0].app.team, "lion");
        let last = list(ListQuery { page: 20, per_page: 100, ..q.clone() }).await;
        assert_eq!((last.rows.len(), last.page), (100, 20));
        assert!(list(ListQuery { page: 21, per_page: 100, ..q.clone() }).await.rows.is_empty());
        let newest = list(ListQuery { sort: "changed_at".into(), desc: true, per_page: 3, ..q.clone() }).await;
        assert_eq!(
            newest.rows.iter().map(|r| r.app.app.as_str()).collect::<Vec<_>>(),
            ["origin", "app-1998", "app-1997"]
        );
        let failing = list(ListQuery { state: "failing".into(), sort: "name".into(), ..q.clone() }).await;
        assert_eq!(failing.total, 5);
        assert_eq!(list(ListQuery { team: MARK.into(), ..q.clone() }).await.total, 1001);
        assert_eq!(list(ListQuery { stage: Some(Stage::Prod), ..q.clone() }).await.total, 0);
        assert_eq!(list(ListQuery { stage: Some(Stage::Dev), ..q.clone() }).await.total, 2000);
        assert_eq!(list(ListQuery { q: "APP-123".into(), ..q.clone() }).await.total, 11);
        // `LIKE`'s own signs are plain letters, and a sort by nonsense is the list's own.
        for text in ["%", "_", "app_1", "'; DROP TABLE app; --"] {
            assert_eq!(
                list(ListQuery { q: text.into(), sort: "1; DROP TABLE app".into(), ..q.clone() }).await.total,
                0,
                "{text}"
            );
        }
        // A stranger's page and count are his own.
        let own = w.portal.apps(&stranger(), &ListQuery { per_page: 200, ..q.clone() }).await.expect("a list");
        assert_eq!(own.total, 999);
        assert!(own.rows.iter().all(|r| r.app.team == "lion"));
        assert_eq!(w.portal.apps(&stranger(), &ListQuery { team: MARK.into(), ..q }).await.expect("a list").total, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_applications_and_a_full_subnet_are_fast() {
    each_database(|store| async move {
        let w = World::new(store).await;
        many(&w).await;
        if w.store.kind() == padis_server::store::Kind::Postgres {
            w.sql("ANALYZE").await;
        }
        let op = operator();
        let origin = padis_domain::app::AppRef { team: MARK.into(), app: "origin".into() };
        let q = |q: &str, sort: &str| ListQuery { q: q.into(), sort: sort.into(), ..ListQuery::default() };
        let (plain, found, sorted) = (q("", ""), q("claims", ""), q("", "changed_at"));
        let times = [
            ("applications", p99(100, || w.portal.apps(&op, &plain)).await),
            ("applications, text", p99(100, || w.portal.apps(&op, &found)).await),
            ("applications, sorted", p99(100, || w.portal.apps(&op, &sorted)).await),
            ("application", p99(100, || w.portal.app(&op, &origin)).await),
            ("addresses of a /20", p99(40, || w.portal.addresses(&op, "striped")).await),
            ("search", p99(40, || w.portal.search(&op, "app-19")).await),
            ("navigation", p99(40, || w.portal.nav(&op, None)).await),
            ("overview", p99(40, || w.portal.overview(&op, None)).await),
            ("packages", p99(40, || w.portal.packages(&op, &plain)).await),
        ];
        for (name, time) in times {
            println!("p99 {:?} {name}: {:.1} ms", w.store.kind(), time.as_secs_f64() * 1000.0);
            // 50 ms is what `make bench` demands of a release build on a quiet machine; a debug
            // build beside other tests gets ten times as long, which a query per row would exceed.
            assert!(time < Duration::from_millis(500), "{name}: {time:?}");
        }
        let map = w.portal.addresses(&op, "striped").await.expect("the map");
        assert_eq!(map.cells.len(), 4093);
        // To somebody of one team, the others' addresses are taken, by nobody.
        let map = w.portal.addresses(&lead(), "striped").await.expect("the map");
        assert!(map.cells.iter().all(|c| c.app.as_ref().is_none_or(|a| a.team == MARK)));
        assert_eq!(map.cells.iter().filter(|c| c.app.is_none() && c.slot.is_none()).count(), 511);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_is_found_by_its_name() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&lead(), &new_app(MARK, "claims-portal")).await;
        w.portal.reserve(&operator(), "common", "10.210.16.77", "10.210.16.77", "printer").await.expect("reserved");
        let find = |c, q: &'static str| {
            let p = w.portal.clone();
            async move {
                let hits = p.search(&c, q).await.expect("hits");
                hits.into_iter().map(|h| (h.kind, h.path)).collect::<Vec<_>>()
            }
        };
        let has = |hits: &[(String, String)], kind: &str, path: &str| hits.iter().any(|(k, p)| k == kind && p == path);
        let hits = find(lead(), "Claims").await;
        assert!(has(&hits, "app", "/applications/zebra/claims-portal"), "{hits:?}");
        let hits = find(lead(), "claims-portal.common").await;
        assert!(has(&hits, "name", "/applications/zebra/claims-portal"), "{hits:?}");
        for q in ["10.210.16.77", "10.210.16."] {
            assert!(has(&find(operator(), q).await, "address", "/addresses/common?at=10.210.16.77"), "{q}");
            assert!(!find(lead(), q).await.iter().any(|h| h.0 == "address"), "a reservation is the operators' thing");
        }
        assert!(has(&find(lead(), "comm").await, "pool", "/pools/common"));
        assert!(has(&find(lead(), "zebra-zip").await, "package", &format!("/packages?q={SHA}")));
        assert!(has(&find(operator(), "zelda").await, "person", "/admin/people?q=zelda-zebra"));
        assert!(has(&find(operator(), "lion insurance").await, "team", "/applications?team=lion"));
        assert!(!find(lead(), "zelda").await.iter().any(|h| h.0 == "person"));
        assert!(find(lead(), "nginx").await.iter().any(|h| h.0 == "stack"));
        assert!(find(lead(), " ").await.is_empty());
        assert!(find(stranger(), "claims").await.is_empty());
        assert_eq!(app.app, "claims-portal");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_tells_what_it_shares_with_those_that_the_reader_may_know_of() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let host = |name: &str, racks: &[(&str, &str)]| padis_domain::ports::Host {
            id: name.into(),
            name: name.into(),
            attributes: racks.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            active: true,
            cpu_milli: 1,
            cpu_used_milli: 0,
            mem_mib: 1,
            mem_used_mib: 0,
            tasks: 0,
        };
        // A third pool takes every host; "common" and "striped" want a rack each.
        let mut every = crate::world::pool("every", "10.98.0.0/24", "10.98.0.1");
        (every.hosts, every.vlan) = ([].into(), Some(77));
        w.portal.put_pool(&operator(), &every, 0, &w.once(&operator()).await).await.expect("a pool");
        w.live.set_hosts(
            vec![host("a", &[("rack", "common")]), host("b", &[("rack", "striped")])],
            Default::default(),
            1,
        );
        let beside = |c: padis_domain::caller::Caller| {
            let p = w.portal.clone();
            async move { p.pool(&c, "common").await.expect("the pool").neighbours }
        };
        let all = beside(operator()).await;
        let shown: Vec<_> = all.iter().map(|n| (n.pool.as_str(), n.hosts.join(","), n.overlaps, n.vlan)).collect();
        assert_eq!(shown, [("every", "a".to_owned(), false, Some(77)), ("striped", String::new(), false, None)]);
        let names = |n: Vec<padis_domain::view::Neighbour>| n.into_iter().map(|n| n.pool).collect::<Vec<_>>();
        assert_eq!(names(beside(lead()).await), ["striped"], "those in which one of his teams has a quota");
        assert!(beside(stranger()).await.is_empty());
        // However it came about: an overlap is told.
        w.sql("UPDATE pool SET subnet = '10.210.16.128/25' WHERE name = 'striped'").await;
        assert!(beside(lead()).await[0].overlaps);
    })
    .await;
}
