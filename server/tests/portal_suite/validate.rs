//! Everything that is wrong is said at once, by the same rules in the check and
//! in the command.

use crate::support::each_database;
use crate::world::{MARK, World, lead, new_app, operator, pool};
use padis_domain::Problem;
use padis_domain::address::Subnet;
use padis_domain::app::EnvVar;
use padis_domain::portal::Portal;
use padis_domain::problem::{NameFault, ValueFault};
use padis_domain::quantity::Size;
use padis_domain::view::NewApp;

fn fields(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|p| p.about_field().unwrap_or("?").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_full_of_faults_names_them_all() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let mut bad = new_app(MARK, "Shop");
        bad.title = "x".repeat(81);
        bad.stack = String::new();
        bad.package = String::new();
        bad.pool = String::new();
        bad.instances = 201;
        bad.size = Size { cpu_milli: 10, mem_mib: 10 };
        bad.health.path = "no-slash".into();
        bad.health.grace_s = 1;
        bad.env = [
            ("MESOS_X".to_owned(), EnvVar { secret: false, value: String::new() }),
            ("BIG".to_owned(), EnvVar { secret: true, value: "x".repeat(8193) }),
        ]
        .into();
        let found = w.portal.check_new_app(&c, &bad).await.expect("a check");
        assert_eq!(
            fields(&found),
            [
                "name",
                "title",
                "stack",
                "package",
                "instances",
                "cpu",
                "mem",
                "health_path",
                "grace_s",
                "secrets",
                "env",
                "pool"
            ]
        );
        let refused = w.portal.create_app(&c, &bad, &w.once(&c).await).await;
        assert_eq!(refused, Err(Problem::Fields { problems: found }));
        assert_eq!(w.number("SELECT COUNT(*) FROM app").await, 0);
        assert_eq!(
            w.number("SELECT COUNT(*) FROM once WHERE answer IS NOT NULL AND answer LIKE '%app.create%'").await,
            0
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_alone() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        w.create(&c, &new_app(MARK, "taken")).await;
        w.package(&"d".repeat(64), MARK, "war").await;
        w.sql("INSERT INTO stack SELECT 'gone:1', repository, tag, digest, image, bytes, created, contract, seen_at, 7 FROM stack").await;
        let base = || new_app(MARK, "shop");
        let field = |f: &str, fault| Problem::field(f, fault);
        let mut cases: Vec<(NewApp, Problem)> = vec![
            (NewApp { team: String::new(), ..base() }, Problem::missing("team")),
            (NewApp { name: String::new(), ..base() }, field("name", ValueFault::Name { fault: NameFault::Empty })),
            (
                NewApp { name: "shop-".into(), ..base() },
                field("name", ValueFault::Name { fault: NameFault::MustNotEndWithHyphen }),
            ),
            (NewApp { name: "taken".into(), ..base() }, Problem::NameTaken { field: "name".into(), name: "taken".into() }),
            (NewApp { title: "a\nb".into(), ..base() }, field("title", ValueFault::Malformed)),
            (NewApp { stack: "none:1".into(), ..base() }, field("stack", ValueFault::Unknown)),
            (NewApp { stack: "gone:1".into(), ..base() }, Problem::StackGone { stack: "gone:1".into() }),
            (NewApp { package: "e".repeat(64), ..base() }, field("package", ValueFault::Unknown)),
            (
                NewApp { package: "d".repeat(64), ..base() },
                Problem::PackageDoesNotFit { kind: "war".into(), stack: "nginx:1.22.1".into() },
            ),
            (NewApp { pool: "none".into(), ..base() }, field("pool", ValueFault::Unknown)),
            (NewApp { instances: 0, ..base() }, field("instances", ValueFault::OutOfRange { min: 1, max: 200 })),
        ];
        let health = |change: fn(&mut NewApp)| {
            let mut n = base();
            change(&mut n);
            n
        };
        cases.push((health(|n| n.health.path = "/a b".into()), field("health_path", ValueFault::Malformed)));
        cases.push((health(|n| n.health.path = format!("/{}", "a".repeat(512))), field("health_path", ValueFault::TooLong { max: 512 })));
        cases.push((health(|n| n.health.interval_ms = 499), field("interval_s", ValueFault::OutOfRange { min: 500, max: 60_000 })));
        cases.push((health(|n| n.health.timeout_ms = 30_001), field("timeout_s", ValueFault::OutOfRange { min: 100, max: 30_000 })));
        cases.push((health(|n| n.health.failures = 21), field("failures", ValueFault::OutOfRange { min: 1, max: 20 })));
        for (new, expected) in cases {
            assert_eq!(w.portal.check_new_app(&c, &new).await, Ok(vec![expected.clone()]));
            assert_eq!(w.portal.create_app(&c, &new, &w.once(&c).await).await, Err(expected));
        }
        // The operator may name a team that does not exist, and hears so.
        let found = w.portal.check_new_app(&operator(), &NewApp { team: "none".into(), ..base() }).await.expect("a check");
        assert!(fields(&found).contains(&"team".to_owned()));
        // Another team in another pool may have the name, not the host name.
        let twin = NewApp { pool: "striped".into(), ..new_app(MARK, "shop") };
        assert_eq!(w.portal.check_new_app(&c, &twin).await, Ok(Vec::new()));
        let lion = crate::world::stranger();
        let taken = w.portal.create_app(&lion, &new_app("lion", "taken"), &w.once(&lion).await).await;
        assert_eq!(taken, Err(Problem::NameTaken { field: "name".into(), name: "taken".into() }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pools_keep_out_of_each_others_way() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let op = operator();
        let put = |spec, seen| {
            let (p, op) = (w.portal.clone(), op.clone());
            async move {
                let once = p.once(&op).await.expect("a token");
                p.put_pool(&op, &spec, seen, &once).await
            }
        };
        let fresh = || pool("fresh", "10.99.0.0/24", "10.99.0.1");
        let field = |f: &str, fault| Err(Problem::field(f, fault));
        let mut bad = fresh();
        (bad.name, bad.gateway, bad.vlan, bad.domain) = ("Bad".into(), "10.98.0.1".into(), Some(4095), "a..b".into());
        bad.ttl_s = 86_401;
        bad.subnet = "10.210.16.128/25".parse::<Subnet>().expect("a subnet");
        bad.hosts.insert("key with space".into(), "v".into());
        let Err(Problem::Fields { problems }) = put(bad, 0).await else { panic!("not refused") };
        assert_eq!(fields(&problems), ["name", "hosts", "gateway", "vlan", "domain", "ttl_s", "subnet"]);
        let mut edge = fresh();
        edge.gateway = "10.99.0.255".into();
        assert_eq!(put(edge, 0).await, field("gateway", ValueFault::Malformed), "the broadcast address");
        let over = pool("fresh", "10.210.0.0/16", "10.210.0.1");
        let Err(Problem::Fields { problems }) = put(over, 0).await else { panic!("not refused") };
        assert_eq!(problems.len(), 2, "it overlaps with both pools");
        assert_eq!(put(fresh(), 0).await, Ok(()));
        assert_eq!(put(fresh(), 0).await, Err(Problem::NameTaken { field: "name".into(), name: "fresh".into() }));
        assert_eq!(put(pool("absent", "10.97.0.0/24", "10.97.0.1"), 3).await, Err(Problem::NotFound));
        let mut moved = fresh();
        moved.ttl_s = 9;
        assert_eq!(put(moved.clone(), 1).await, Ok(()));
        let Err(Problem::ChangedMeanwhile { changes, .. }) = put(fresh(), 1).await else { panic!("not told") };
        assert_eq!(changes.iter().map(|c| (c.field.as_str(), c.after.as_str())).collect::<Vec<_>>(), [("ttl_s", "9")]);
        assert!(w.number("SELECT COUNT(*) FROM work WHERE key = 'pool:fresh'").await == 1);
        // With an application in it, neither subnet nor domain can be moved away.
        w.create(&lead(), &new_app(MARK, "shop")).await;
        let in_use = Err(Problem::InUse { by: "zebra/shop".into() });
        assert_eq!(put(pool("common", "10.96.0.0/24", "10.96.0.1"), 1).await, in_use);
        let mut renamed = pool("common", "10.210.16.0/24", "10.210.16.1");
        renamed.domain = "elsewhere.example".into();
        assert_eq!(put(renamed, 1).await, in_use);
        assert_eq!(w.portal.delete_pool(&op, "common", "common").await, in_use);
        assert_eq!(w.portal.put_quota(&op, "common", MARK, &Default::default()).await, in_use);
        let unsure = w.portal.delete_pool(&op, "fresh", "frsh").await;
        assert_eq!(unsure, field("confirm", ValueFault::NotConfirmed));
        // A reservation does not keep a pool; it goes with it.
        assert_eq!(w.portal.reserve(&op, "fresh", "10.99.0.5", "10.99.0.9", "later").await, Ok(5));
        assert_eq!(w.portal.delete_pool(&op, "fresh", "fresh").await, Ok(()));
        assert_eq!(w.portal.pool(&op, "fresh").await.err(), Some(Problem::NotFound));
        assert_eq!(w.number("SELECT COUNT(*) FROM claim WHERE pool = 'fresh' AND released_at IS NULL").await, 0);
        // A team without a quota in a pool can't go there, and says why to an operator.
        w.portal.put_quota(&op, "striped", MARK, &Default::default()).await.expect("no quota");
        let mut new = new_app(MARK, "other");
        new.pool = "striped".into();
        let found = w.portal.check_new_app(&op, &new).await.expect("a check");
        assert_eq!(found, [Problem::NoQuota { pool: "striped".into(), team: MARK.into() }]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_addresses() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let op = operator();
        let reserve = |from: &'static str, to: &'static str, reason: &'static str| {
            w.portal.reserve(&op, "common", from, to, reason)
        };
        assert_eq!(reserve("10.210.16.5", "10.210.16.5", " ").await, Err(Problem::missing("reason")));
        assert_eq!(reserve("x", "10.210.16.5", "r").await, Err(Problem::field("from", ValueFault::Malformed)));
        assert_eq!(reserve("10.210.16.9", "10.210.16.5", "r").await, Err(Problem::field("to", ValueFault::Malformed)));
        assert_eq!(reserve("10.210.16.9", "10.210.17.5", "r").await, Err(Problem::field("to", ValueFault::Malformed)));
        assert_eq!(w.portal.reserve(&op, "absent", "10.0.0.1", "10.0.0.1", "r").await, Err(Problem::NotFound));
        assert_eq!(reserve("10.210.16.2", "10.210.16.11", "printers").await, Ok(10));
        assert_eq!(reserve("10.210.16.2", "10.210.16.12", "more").await, Ok(1), "those that are taken are left alone");
        let map = w.portal.addresses(&op, "common").await.expect("the map");
        assert_eq!((map.cells.len(), map.cells[0].reason.as_str(), map.may_change), (11, "printers", true));
        assert_eq!(w.portal.unreserve(&op, "common", "10.210.16.11", "10.210.16.200").await, Ok(2));
        assert_eq!(w.portal.addresses(&lead(), "common").await.expect("the map").cells.len(), 9);
    })
    .await;
}
