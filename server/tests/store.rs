//! The store on SQLite and on PostgreSQL: addresses, the work queue, the journal.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

mod support;

use padis_domain::address::Subnet;
use padis_domain::app::AppRef;
use padis_server::store::apps;
use padis_server::store::claims::{self, Given, Owner};
use padis_server::store::journal::{self, Entry};
use padis_server::store::work::{self, Outcome, Worker};
use padis_server::store::{Store, now_ms};
use std::collections::BTreeSet;
use std::sync::Arc;
use support::each_database;

fn app() -> AppRef {
    AppRef { team: "motor".into(), app: "claims".into() }
}
fn subnet(s: &str) -> Subnet {
    s.parse().expect("a subnet")
}

/// The one worker of a process of its own.
fn worker(process: &str) -> Worker {
    Worker::new(process, 0)
}

async fn allocate(store: &Store, app: &AppRef, slot: u32, task: &str, pool: &str, net: Subnet) -> Given {
    let owner = Owner { app_id: "a1", app };
    claims::allocate(store, &owner, 1, slot, task, pool, net, net.first()).await.expect("allocation")
}

#[tokio::test]
async fn an_address_is_given_once_to_whoever_asks() {
    each_database(async |store| {
        let (app, net) = (app(), subnet("10.9.0.0/29"));
        let mut got = BTreeSet::new();
        for n in 0..5 {
            match allocate(&store, &app, n, &format!("t{n}"), "p", net).await {
                Given::Address(ip) => assert!(got.insert(ip) && ip != net.first() && net.contains(ip)),
                Given::Full => panic!("five of six usable addresses are free beside the gateway"),
            }
        }
        assert_eq!(allocate(&store, &app, 9, "t9", "p", net).await, Given::Full);
        // Asking again gives the same; giving back makes it rest, then free.
        let again = allocate(&store, &app, 2, "t2", "p", net).await;
        assert!(matches!(again, Given::Address(ip) if got.contains(&ip)));
        assert!(claims::give_back(&store, "t2", 3600, "gone").await.expect("give back"));
        assert!(!claims::give_back(&store, "t2", 3600, "gone").await.expect("again"));
        assert_eq!(allocate(&store, &app, 2, "t2b", "p", net).await, Given::Full, "quarantined is not free");
        assert!(claims::give_back(&store, "t3", 0, "gone").await.expect("give back"));
        assert!(matches!(allocate(&store, &app, 3, "t3b", "p", net).await, Given::Address(_)));
    })
    .await;
}

#[tokio::test]
async fn the_active_release_is_never_retired() {
    each_database(async |store| {
        for sql in [
            "INSERT INTO team VALUES ('motor', 'Motor', 0)",
            "INSERT INTO pool (name, stage, zone, hosts, subnet, base, prefix, gateway, vlan, domain, ttl_s, quarantine_s, revision, changed_at, changed_by) \
             VALUES ('p', 'dev', 'SF', '{}', '10.64.0.0/20', 171966464, 20, '10.64.0.1', NULL, 'example', 5, 60, 1, 0, '')",
            "INSERT INTO app (id, team, name, title, pool, host_name, wanted, instances, release, cpu_milli, mem_mib, state, well, revision, created_at, changed_at, changed_by) \
             VALUES ('a1', 'motor', 'claims', '', 'p', 'h', 'online', 1, 2, 100, 64, 'online', 0, 1, 0, 0, '')",
            "INSERT INTO release (app_id, number, spec, contract, stack_key, package, package_kind, package_name, cause, changes, state, at, by_name) \
             SELECT 'a1', n, '', '', '', '', '', '', 'create', '[]', 'live', 0, '' FROM number WHERE n IN (1, 2)",
        ] {
            sqlx::query(sql).execute(store.write()).await.expect("rows");
        }
        assert!(!apps::retire(&store, "a1", 2).await.expect("the active one"));
        assert!(apps::retire(&store, "a1", 1).await.expect("the one before"));
        let live: Vec<i64> = sqlx::query_scalar("SELECT number FROM release WHERE state = 'live'")
            .fetch_all(store.read())
            .await
            .expect("releases");
        assert_eq!(live, [2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_never_share_an_address() {
    each_database(async |store| {
        let net = subnet("10.8.0.0/24");
        let mut clients = tokio::task::JoinSet::new();
        let taken = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
        for c in 0..64u32 {
            let (store, taken) = (store.clone(), Arc::clone(&taken));
            clients.spawn(async move {
                let app = app();
                for round in 0..12 {
                    let task = format!("c{c}r{round}");
                    let Given::Address(ip) = allocate(&store, &app, c, &task, "p", net).await else { panic!("full") };
                    assert!(taken.lock().expect("lock").insert(ip), "address {ip} was given twice");
                    tokio::task::yield_now().await;
                    assert!(taken.lock().expect("lock").remove(&ip));
                    assert!(claims::give_back(&store, &task, 0, "").await.expect("give back"));
                }
            });
        }
        clients.join_all().await;
    })
    .await;
}

#[tokio::test]
async fn reserved_addresses_are_kept_back() {
    each_database(async |store| {
        let (app, net) = (app(), subnet("10.7.0.0/29"));
        let mut tx = store.begin().await.expect("begin");
        let n = claims::reserve(&mut tx, "p", net, net.first(), net.base(), net.last() + 1, "printers").await.expect("reserve");
        tx.commit().await.expect("commit");
        assert_eq!(n, 5, "all but network, broadcast and gateway");
        assert_eq!(allocate(&store, &app, 0, "t", "p", net).await, Given::Full);
        let mut tx = store.begin().await.expect("begin");
        assert_eq!(claims::unreserve(&mut tx, "p", net.base() + 3, net.base() + 4).await.expect("free"), 2);
        tx.commit().await.expect("commit");
        assert!(matches!(allocate(&store, &app, 0, "t", "p", net).await, Given::Address(ip) if ip == net.base() + 3 || ip == net.base() + 4));
    })
    .await;
}

#[tokio::test]
async fn a_quarantine_ends() {
    each_database(async |store| {
        let (app, net) = (app(), subnet("10.6.0.0/29"));
        assert!(matches!(allocate(&store, &app, 0, "t", "p", net).await, Given::Address(_)));
        claims::give_back(&store, "t", 1, "gone").await.expect("give back");
        sqlx::query("UPDATE claim SET until = $1")
            .bind(now_ms() - 1)
            .execute(store.write())
            .await
            .expect("time passes");
        assert_eq!(claims::end_quarantines(&store).await.expect("end"), ["p"]);
        assert!(claims::end_quarantines(&store).await.expect("end").is_empty());
    })
    .await;
}

async fn touch(store: &Store, key: &str) {
    let mut tx = store.begin().await.expect("begin");
    work::touch(&mut tx, key).await.expect("touch");
    tx.commit().await.expect("commit");
}

#[tokio::test]
async fn a_touch_during_the_run_is_not_lost() {
    each_database(async |store| {
        touch(&store, "app:a/b").await;
        let taken = work::take(&store, &worker("w1"), 60_000).await.expect("take").expect("one row");
        assert!(work::take(&store, &worker("w2"), 60_000).await.expect("take").is_none(), "leased");
        touch(&store, "app:a/b").await;
        assert!(work::settle(&store, &worker("w1"), &taken, &Outcome::Done).await.expect("settle"));
        let again = work::take(&store, &worker("w2"), 60_000).await.expect("take").expect("due again");
        assert_eq!(again.wanted, taken.wanted + 1);
        assert!(work::settle(&store, &worker("w2"), &again, &Outcome::Done).await.expect("settle"));
        assert!(work::take(&store, &worker("w1"), 60_000).await.expect("take").is_none());
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_over_and_the_late_one_writes_nothing() {
    each_database(async |store| {
        touch(&store, "app:a/b").await;
        let dead = work::take(&store, &worker("w1"), -1).await.expect("take").expect("one row");
        let alive = work::take(&store, &worker("w2"), 60_000).await.expect("take").expect("taken over");
        assert!(
            !work::settle(&store, &worker("w1"), &dead, &Outcome::Park { why: "late".into() }).await.expect("settle")
        );
        assert!(work::settle(&store, &worker("w2"), &alive, &Outcome::Done).await.expect("settle"));
    })
    .await;
}

#[tokio::test]
async fn a_parked_row_sleeps_through_events_and_wakes_for_people() {
    each_database(async |store| {
        touch(&store, "app:a/b").await;
        let t = work::take(&store, &worker("w"), 60_000).await.expect("take").expect("row");
        work::settle(&store, &worker("w"), &t, &Outcome::Park { why: "refused".into() }).await.expect("settle");
        work::nudge(&store, &["app:a/b".into()], true).await.expect("nudge");
        assert!(work::take(&store, &worker("w"), 60_000).await.expect("take").is_none());
        let mut tx = store.begin().await.expect("begin");
        assert!(work::retry(&mut tx, "app:a/b").await.expect("retry"));
        tx.commit().await.expect("commit");
        let t = work::take(&store, &worker("w"), 60_000).await.expect("take").expect("row");
        assert_eq!(t.attempts, 0);
        // Forgetting while somebody wants it again keeps the row.
        touch(&store, "app:a/b").await;
        assert!(!work::settle(&store, &worker("w"), &t, &Outcome::Forget).await.expect("settle"));
        let t = work::take(&store, &worker("w"), 60_000).await.expect("take").expect("still there");
        assert!(work::settle(&store, &worker("w"), &t, &Outcome::Forget).await.expect("settle"));
        assert!(work::next_due(&store, &worker("w")).await.expect("next").is_none());
    })
    .await;
}

#[tokio::test]
async fn what_somebody_waits_for_comes_before_a_round_however_long() {
    each_database(async |store| {
        // A round over quiet applications, one of which something is then heard of.
        for n in 0..20 {
            let key = format!("app:a/quiet-{n:02}");
            touch(&store, &key).await;
            let t = work::take(&store, &worker("w"), 60_000).await.expect("take").expect("row");
            assert!(work::settle(&store, &worker("w"), &t, &Outcome::Done).await.expect("settle"));
        }
        let all: Vec<String> = (0..20).map(|n| format!("app:a/quiet-{n:02}")).collect();
        let before = padis_server::store::now_ms();
        work::nudge(&store, &all, false).await.expect("nudge");
        let load = work::load(&store, padis_server::store::now_ms()).await.expect("load");
        assert_eq!(load.due, 20);
        assert!(
            load.oldest_due.is_some_and(|at| at >= before),
            "due since the round began, not since it was last done"
        );
        work::nudge(&store, &all[13..14], true).await.expect("nudge");
        touch(&store, "app:a/new").await;
        let take = async |w: &str| work::take(&store, &worker(w), 60_000).await.expect("take").expect("row");
        let heard = take("w").await;
        assert_eq!(heard.key, "app:a/quiet-13");
        // It stays so until it is done, also if it takes several runs.
        assert!(work::settle(&store, &worker("w"), &heard, &Outcome::Again(0)).await.expect("settle"));
        let next = [("v", take("v").await), ("w", take("w").await)];
        let mut keys = next.each_ref().map(|(_, t)| t.key.as_str());
        keys.sort_unstable();
        assert_eq!(keys, ["app:a/new", "app:a/quiet-13"]);
        for (w, t) in &next {
            assert!(work::settle(&store, &worker(w), t, &Outcome::Done).await.expect("settle"));
        }
        work::nudge(&store, &all[13..14], false).await.expect("nudge");
        assert_ne!(take("w").await.key, "app:a/quiet-13", "done is done: it waits for its turn");
    })
    .await;
}

/// The clock was an hour ahead and is set right: what lies an hour ahead is not waited for.
#[tokio::test]
async fn a_clock_that_is_set_back_freezes_nothing() {
    const HOUR: i64 = 3_600_000;
    each_database(async |store| {
        touch(&store, "app:a/b").await;
        let (one, two) = (Worker::new("p", 0), Worker::new("p", 1));
        let back = async |column: &str| {
            let text = format!("UPDATE work SET {column} = {column} + {HOUR}");
            sqlx::query(&text).execute(store.write()).await.expect("the clock goes back");
        };
        back("due_at").await;
        let t = work::take(&store, &one, 60_000).await.expect("take").expect("due, whatever the clock said");
        back("lease_until").await;
        assert!(work::take(&store, &two, 60_000).await.expect("take").is_none(), "a worker of ours is at it");
        let dead = worker("other");
        let t2 = work::take(&store, &dead, 60_000).await.expect("take").expect("a lease that nobody could have taken");
        assert!(!work::settle(&store, &one, &t, &Outcome::Done).await.expect("settle"), "fenced off");
        assert!(work::settle(&store, &dead, &t2, &Outcome::Again(2 * HOUR)).await.expect("settle"));
        let due = work::next_due(&store, &one).await.expect("next").expect("a row");
        assert!(due <= now_ms() + work::MAX_DELAY_MS, "no delay is longer than the longest");

        // Addresses rest as long as they should, and no hour more.
        let (app, net) = (app(), subnet("10.5.0.0/29"));
        let pool = "INSERT INTO pool (name, stage, zone, hosts, subnet, base, prefix, gateway, vlan, domain, ttl_s, quarantine_s, revision, changed_at, changed_by) \
                    VALUES ('p', 'dev', 'SF', '{}', '10.5.0.0/29', 0, 29, '10.5.0.1', NULL, 'dev.test', 5, 60, 1, 0, '')";
        sqlx::query(pool).execute(store.write()).await.expect("a pool");
        allocate(&store, &app, 0, "t", "p", net).await;
        claims::give_back(&store, "t", 60, "gone").await.expect("give back");
        sqlx::query("UPDATE claim SET until = until + $1").bind(HOUR).execute(store.write()).await.expect("clock");
        claims::end_quarantines(&store).await.expect("end");
        let left = sqlx::query_scalar::<_, i64>("SELECT until FROM claim WHERE state = 'quarantined'");
        let left = left.fetch_one(store.read()).await.expect("still resting") - now_ms();
        assert!((0..=60_000).contains(&left), "{left} ms");
    })
    .await;
}

/// The clock jumps ahead: every lease looks expired, and the workers of one process still don't meet.
#[tokio::test]
async fn a_clock_that_jumps_ahead_doubles_nothing() {
    each_database(async |store| {
        touch(&store, "app:a/b").await;
        let (one, two) = (Worker::new("p", 0), Worker::new("p", 1));
        let t = work::take(&store, &one, 60_000).await.expect("take").expect("row");
        sqlx::query("UPDATE work SET lease_until = lease_until - 3600000, due_at = due_at - 3600000")
            .execute(store.write())
            .await
            .expect("the clock jumps");
        assert!(work::take(&store, &two, 60_000).await.expect("take").is_none(), "a worker of ours is at it");
        assert!(work::next_due(&store, &two).await.expect("next").is_none(), "and it is not waited for");
        assert!(work::settle(&store, &one, &t, &Outcome::Done).await.expect("settle"));
    })
    .await;
}

/// An operator says "leave it alone" while somebody is at it: that holds, whatever comes of
/// the run, until it is touched or retried.
#[tokio::test]
async fn what_is_parked_during_a_run_stays_parked() {
    each_database(async |store| {
        let me = worker("p");
        for outcome in [Outcome::Again(0), Outcome::Retry { after_ms: 0, why: "x".into() }, Outcome::Done] {
            touch(&store, "app:a/b").await;
            let taken = work::take(&store, &me, 60_000).await.expect("take").expect("row");
            let mut tx = store.begin().await.expect("begin");
            assert!(work::park(&mut tx, "app:a/b", "not now").await.expect("park"));
            tx.commit().await.expect("commit");
            assert!(!work::renew(&store, &me, &taken, 60_000).await.expect("renew"), "nobody goes on with it");
            assert!(work::settle(&store, &me, &taken, &outcome).await.expect("settle"));
            let row: (i64, String) = sqlx::query_as("SELECT parked, outcome FROM work WHERE key = 'app:a/b'")
                .fetch_one(store.read())
                .await
                .expect("the row");
            assert_eq!(row, (1, "not now".to_owned()), "{outcome:?}");
            assert!(work::take(&store, &me, 60_000).await.expect("take").is_none());
        }
        // Touched after it was parked, still during the run: somebody wants it after all.
        touch(&store, "app:a/b").await;
        let taken = work::take(&store, &me, 60_000).await.expect("take").expect("row");
        let mut tx = store.begin().await.expect("begin");
        work::park(&mut tx, "app:a/b", "not now").await.expect("park");
        work::touch(&mut tx, "app:a/b").await.expect("touch");
        tx.commit().await.expect("commit");
        assert!(work::settle(&store, &me, &taken, &Outcome::Done).await.expect("settle"));
        assert!(work::take(&store, &me, 60_000).await.expect("take").is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_never_hold_the_same_row() {
    each_database(async |store| {
        for n in 0..40 {
            touch(&store, &format!("app:t/{n}")).await;
        }
        let held = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
        let mut workers = tokio::task::JoinSet::new();
        for w in 0..6 {
            let (store, held) = (store.clone(), Arc::clone(&held));
            workers.spawn(async move {
                let (me, mut n) = (worker(&format!("w{w}")), 0);
                while let Some(t) = work::take(&store, &me, 60_000).await.expect("take") {
                    assert!(held.lock().expect("lock").insert(t.key.clone()), "{} was taken twice", t.key);
                    tokio::task::yield_now().await;
                    held.lock().expect("lock").remove(&t.key);
                    assert!(work::settle(&store, &me, &t, &Outcome::Done).await.expect("settle"));
                    n += 1;
                }
                n
            });
        }
        let done: i32 = workers.join_all().await.iter().sum();
        // A worker may leave early when it lost every race; what is left is taken here.
        let mut rest = 0;
        while let Some(t) = work::take(&store, &worker("last"), 60_000).await.expect("take") {
            work::settle(&store, &worker("last"), &t, &Outcome::Done).await.expect("settle");
            rest += 1;
        }
        assert_eq!(done + rest, 40);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_is_a_chain_and_shows_where_it_was_cut() {
    each_database(async |store| {
        let mut writers = tokio::task::JoinSet::new();
        for w in 0..8 {
            let store = store.clone();
            writers.spawn(async move {
                for n in 0..5 {
                    let e = Entry {
                        who: format!("w{w}"),
                        what: "test".into(),
                        subject: format!("s{n}"),
                        ..Entry::default()
                    };
                    journal::note(&store, &e).await.expect("note");
                }
            });
        }
        writers.join_all().await;
        assert_eq!(journal::verify(&store).await.expect("verify"), None);
        sqlx::query("UPDATE journal SET who = 'mallory' WHERE seq = 17").execute(store.write()).await.expect("tamper");
        assert_eq!(journal::verify(&store).await.expect("verify"), Some(17));
        sqlx::query("DELETE FROM journal WHERE seq = 17").execute(store.write()).await.expect("tamper");
        assert_eq!(journal::verify(&store).await.expect("verify"), Some(18));
    })
    .await;
}
