//! The reconciler against fakes of every port: the whole job, and everything
//! that can go wrong on the way.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

mod archives;
mod benches;
mod collections;
mod copies;
mod flood;
mod inside;
mod locked;
mod recipes;
#[path = "../../drivers/tests/registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod registry;
mod sealed;
mod stream;
#[path = "../support/mod.rs"]
mod support;
mod tidy;
#[path = "../support/world.rs"]
mod world;

use padis_domain::ports::{Cluster, Duty, Host, TaskState};
use padis_drivers::fake::{Fault, When};
use std::net::Ipv4Addr;
use std::time::Duration;
use support::each_database;
use world::{World, claims, until};

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_online_and_back_to_nothing() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start();
        w.release(&app, 1, 3).await;
        w.until_online(&app, 1, 3).await;
        until("the delivery is over", async || w.word("SELECT state FROM delivery").await == "online").await;
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'delivery.online'").await, 1);
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.well'").await, 3);

        w.intend(&app, "instances = 1").await;
        w.until_online(&app, 1, 1).await;
        w.intend(&app, "instances = 4").await;
        w.until_online(&app, 1, 4).await;

        w.release(&app, 2, 4).await;
        w.until_online(&app, 2, 4).await;
        until("the first release is retired", async || {
            w.count("SELECT COUNT(*) FROM release WHERE state = 'live'").await == 1
        })
        .await;

        w.intend(&app, "wanted = 'stopped'").await;
        until("stopped", async || w.word("SELECT state FROM app").await == "stopped").await;
        assert_eq!(w.outside(&app).await.tasks, 0);
        w.release(&app, 3, 2).await;
        w.until_online(&app, 3, 2).await;

        w.intend(&app, "wanted = 'deleted'").await;
        w.until_gone(&app).await;
        assert_eq!(w.count("SELECT COUNT(*) FROM claim WHERE released_at IS NULL").await, 0);
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'claim.released'").await, 2);
        w.stop().await;
        assert_eq!(padis_server::store::journal::verify(&w.store).await.expect("verify"), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_dies_is_replaced_and_the_timeline_says_why() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start();
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        let victim = w.tasks(&app, 1).remove(0);
        assert!(w.sched.end_task(&victim, "TASK_FAILED", "exit code 137"));
        until("told", async || w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.died'").await == 1).await;
        w.until_online(&app, 1, 2).await;
        let event = w.word("SELECT event FROM journal WHERE what = 'instance.died'").await;
        assert!(event.contains("TASK_FAILED") && event.contains("exit code 137"), "{event}");
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_text_takes_an_instance_out_and_replaces_it() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start();
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        let sick = w.outside(&app).await.attached.into_iter().next().expect("an address");
        w.pages.lock().expect("pages").insert(Ipv4Addr::from(sick), (200, "the database is DOWN".into()));
        until("told", async || w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.replaced'").await > 0)
            .await;
        until("another address", async || {
            let o = w.outside(&app).await;
            o.ready == 2 && !o.attached.contains(&sick)
        })
        .await;
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.replaced'").await, 1);
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.died'").await, 0);
        let event = w.word("SELECT event FROM journal WHERE what = 'instance.replaced'").await;
        assert!(event.contains("database is DOWN") && event.contains("\"OK\""), "{event}");
        let drop = w.bal.faults().calls().iter().position(|c| c.verb == "delete_member").expect("taken out");
        assert!(drop > 0 && w.sched.faults().count("kill") >= 1);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_a_stranger_has_is_set_aside_and_another_taken() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        // The first that would be given, and two more; the pool's gateway is .1.
        let base = w.pool.subnet.base();
        for n in 2..5 {
            w.net.occupy(&w.pool.name, base + n, "container old-intranet, which Padis did not start");
        }
        w.start();
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        let got = w.outside(&app).await.attached;
        assert!(got.iter().all(|ip| *ip >= base + 5), "{got:?}");
        let reserved = "SELECT COUNT(*) FROM claim WHERE state = 'reserved' AND released_at IS NULL AND app_id IS NULL";
        assert!((2..=3).contains(&w.count(reserved).await), "each that was tried");
        let why = w.word("SELECT reason FROM claim WHERE state = 'reserved' ORDER BY address LIMIT 1").await;
        assert_eq!(why, "in use by container old-intranet, which Padis did not start");
        let told = w.count("SELECT COUNT(*) FROM journal WHERE what = 'address.reserve' AND who = 'padis'").await;
        assert_eq!(told, w.count(reserved).await);
        w.intend(&app, "wanted = 'deleted'").await;
        w.until_gone(&app).await;
        assert!(w.count(reserved).await >= 2, "they stay, until an operator has looked");
        w.stop().await;
    })
    .await;
}

/// Every verb of every port fails once, on each side of its effect, in each way.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_before_and_after_every_step_changes_nothing_in_the_end() {
    // The third name that comes and goes is the application's own; the first two are its instances'.
    let verbs: [(&str, u32, &[&str]); 5] = [
        ("scheduler", 1, &["list", "put", "scale", "delete", "kill"]),
        ("network", 1, &["ensure", "list", "attach", "detach"]),
        ("dns", 1, &["put", "delete"]),
        ("dns", 3, &["put", "delete"]),
        ("balancer", 1, &["get", "put_service", "put_member", "delete_member", "delete_service"]),
    ];
    each_database(async |store| {
        let w = World::new(store).await;
        w.start();
        let mut n = 0;
        for (port, nth, list) in verbs {
            for verb in list {
                for (when, fault) in
                    [(When::Before, Fault::Transient), (When::Before, Fault::Unknown), (When::After, Fault::Unknown)]
                {
                    n += 1;
                    let app = padis_domain::app::AppRef { team: "motor".into(), app: format!("a{n}") };
                    let faults = match port {
                        "scheduler" => w.sched.faults(),
                        "network" => w.net.faults(),
                        "dns" => w.dns.faults(),
                        _ => w.bal.faults(),
                    };
                    faults.fail_nth(verb, nth, when, fault);
                    w.release(&app, 1, 2).await;
                    w.until_online(&app, 1, 2).await;
                    w.intend(&app, "instances = 1").await;
                    w.until_online(&app, 1, 1).await;
                    w.intend(&app, "wanted = 'deleted'").await;
                    w.until_gone(&app).await;
                    faults.clear();
                }
            }
        }
        assert_eq!(w.count("SELECT COUNT(*) FROM claim WHERE released_at IS NULL").await, 0, "something leaked");
        w.stop().await;
    })
    .await;
}

/// SIGKILL in the middle of a step: the call hangs, the process is gone, another one starts.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_any_step_leaves_nothing_behind_and_doubles_nothing() {
    let steps = [
        ("scheduler", "put", 1),
        ("network", "attach", 1),
        ("balancer", "put_service", 1),
        ("balancer", "put_member", 1),
        ("dns", "put", 1),
        ("dns", "put", 3),
    ];
    each_database(async |store| {
        let w = World::new(store).await;
        for (n, (port, verb, nth)) in steps.into_iter().enumerate() {
            for (m, when) in [When::Before, When::After].into_iter().enumerate() {
                let app = padis_domain::app::AppRef { team: "motor".into(), app: format!("k{n}{m}") };
                let faults = match port {
                    "scheduler" => w.sched.faults(),
                    "network" => w.net.faults(),
                    "dns" => w.dns.faults(),
                    _ => w.bal.faults(),
                };
                let before = faults.count(verb);
                faults.fail_nth(verb, nth, when, Fault::Hang);
                w.start();
                w.release(&app, 1, 2).await;
                until("the step is reached", async || faults.count(verb) >= before + nth as usize).await;
                w.kill().await;
                faults.clear();
                w.start();
                w.until_online(&app, 1, 2).await;
                w.intend(&app, "wanted = 'deleted'").await;
                w.until_gone(&app).await;
                w.stop().await;
            }
        }
        assert_eq!(w.count("SELECT COUNT(*) FROM claim WHERE released_at IS NULL").await, 0, "something leaked");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_stays_silent_changes_nothing_but_the_pace() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.sched.set_silent(true);
        w.start();
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        let victim = w.tasks(&app, 1).remove(0);
        w.sched.end_task(&victim, "TASK_FAILED", "unheard");
        until("replaced by the sweep", async || !w.tasks(&app, 1).contains(&victim)).await;
        w.until_online(&app, 1, 2).await;
        w.intend(&app, "wanted = 'deleted'").await;
        w.until_gone(&app).await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_is_down_delays_and_says_so() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start();
        w.bal.faults().down(Some(Fault::Transient));
        w.release(&app, 1, 1).await;
        until("the operator is told", async || {
            w.word("SELECT outcome FROM work WHERE key = 'app:motor/claims'").await.contains("alancer")
        })
        .await;
        w.bal.faults().down(None);
        w.until_online(&app, 1, 1).await;
        w.stop().await;
    })
    .await;
}

/// A name service that is down: instances are replaced all the same, and names follow when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn names_hold_up_nothing_that_serves() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start();
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        w.dns.faults().down(Some(Fault::Transient));
        let before = w.outside(&app).await.attached;
        for victim in w.tasks(&app, 1) {
            assert!(w.sched.end_task(&victim, "TASK_FAILED", "exit code 1"));
        }
        w.until_outside(&app, "both are replaced and serve", |o| {
            o.ready == 2 && o.attached.len() == 2 && o.attached.is_disjoint(&before)
        })
        .await;
        assert_eq!(w.count("SELECT COUNT(*) FROM claim WHERE kind = 'address' AND state = 'held'").await, 2);
        w.dns.faults().down(None);
        w.until_online(&app, 1, 2).await;
        w.intend(&app, "wanted = 'deleted'").await;
        w.until_gone(&app).await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_never_answers_leaves_the_old_one_serving() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start();
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        let old = w.outside(&app).await.attached;
        // Every other address answers wrongly from now on.
        for ip in 2..250u32 {
            let ip = (old.first().expect("one") & 0xffff_ff00) + ip;
            if !old.contains(&ip) {
                w.pages.lock().expect("pages").insert(Ipv4Addr::from(ip), (500, "no".into()));
            }
        }
        w.release(&app, 2, 2).await;
        until("the new ones are attached", async || w.outside(&app).await.attached.len() == 4).await;
        let serving = w.outside(&app).await;
        assert_eq!((serving.ready, serving.members), (2, 2), "only the old release takes requests");
        // Roll back: a new release of the old kind, on pages that answer.
        w.pages.lock().expect("pages").clear();
        w.release(&app, 3, 2).await;
        w.until_online(&app, 3, 2).await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unheard_host_takes_its_instances_out_of_the_balancer() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start();
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        let task = w.tasks(&app, 1).remove(0);
        w.sched.set_task_state(&task, TaskState::Unreachable);
        until("out", async || w.outside(&app).await.ready == 1).await;
        w.sched.set_task_state(&task, TaskState::Running);
        until("in again", async || w.outside(&app).await.ready == 2).await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_work() {
    each_database(async |store| {
        let w = World::new(store).await;
        w.start_with(Duration::from_millis(200));
        // The second one's handle replaces the first one's: the first runs until the runtime ends.
        w.start_with(Duration::from_millis(170));
        let apps: Vec<_> =
            (0..8).map(|n| padis_domain::app::AppRef { team: "motor".into(), app: format!("s{n}") }).collect();
        for a in &apps {
            w.release(a, 1, 2).await;
        }
        for a in &apps {
            w.until_online(a, 1, 2).await;
            assert_eq!(
                w.count(&format!("SELECT COUNT(*) FROM journal WHERE what = 'delivery.online' AND app_id = '{a}'"))
                    .await,
                1
            );
        }
        for a in &apps {
            w.intend(a, "wanted = 'deleted'").await;
        }
        for a in &apps {
            w.until_gone(a).await;
        }
        assert_eq!(w.count("SELECT COUNT(*) FROM claim WHERE released_at IS NULL").await, 0);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_taken_out_kept_out_and_put_back() {
    each_database(async |store| {
        let w = World::new(store).await;
        w.cluster.add_host("h1", &[], 4000, 4096);
        w.cluster.add_host("h2", &[], 4000, 4096);
        // The cluster does not answer at first: the intent waits.
        w.cluster.faults().fail_next("close", When::Before, Fault::Transient);
        w.start();
        w.host("h1", true).await;
        let out = async || w.cluster.duties().await.expect("duties")["h1"];
        until("h1 is out", async || out().await == Duty::Drained).await;
        until("the pages see it", async || w.live.is_out("h1") && !w.live.is_out("h2")).await;
        // Somebody else puts it back: what was asked here still holds.
        w.cluster.undrain("h1").await.expect("put back elsewhere");
        until("h1 is out again", async || out().await == Duty::Drained).await;
        w.host("h1", false).await;
        until("h1 works", async || out().await == Duty::Working).await;
        until("nothing is left of it", async || w.count("SELECT COUNT(*) FROM host_out").await == 0).await;
        until("nor is the work", async || w.count("SELECT COUNT(*) FROM work WHERE key = 'host:h1'").await == 0).await;
        until("the pages see that too", async || !w.live.is_out("h1")).await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_on_a_host_that_is_taken_out_leaves_in_order() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start();
        w.release(&app, 1, 3).await;
        w.until_online(&app, 1, 3).await;
        let agent = w.word("SELECT agent_id FROM instance").await;
        w.cluster.add_host(&agent, &[], 4000, 4096);
        // Ours, and one of somebody else's.
        let host = w.cluster.hosts().await.expect("hosts").remove(0);
        w.cluster.put_host(Host { tasks: 4, ..host });
        let before = w.tasks(&app, 1);
        w.host(&agent, true).await;
        // The fake starts the new ones on the same host, as a framework would that does not
        // care: they are left alone, or it would never end.
        until("others run", async || w.tasks(&app, 1).iter().all(|t| !before.contains(t))).await;
        w.until_online(&app, 1, 3).await;
        until("all is told", async || w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.left'").await == 3)
            .await;
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.died'").await, 0);
        let event = w.word("SELECT event FROM journal WHERE what = 'instance.left'").await;
        assert!(event.contains("\"host\""), "{event}");
        // Only then the cluster ends what else is there.
        until("it is empty", async || w.cluster.duties().await.expect("duties")[&agent] == Duty::Drained).await;
        let (closed, drained) = (w.cluster.faults().count("close"), w.cluster.faults().count("drain"));
        assert!(closed >= 1 && drained >= 1, "{closed} {drained}");
        let calls = w.bal.faults().calls();
        let out = calls.iter().position(|c| c.verb == "delete_member").expect("taken out");
        assert!(out > 0 && w.sched.faults().count("kill") == 3, "each was asked once, by us");
        w.stop().await;
    })
    .await;
}
