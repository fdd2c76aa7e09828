//! The event stream as operators see it: gaps with what was found after them, what
//! was heard, how much there is to do.

use super::support::each_database;
use super::world::{World, claims, until};
use padis_domain::action::AppState;
use padis_domain::ports::{Balancer, Dns, Network};
use padis_domain::view::{Event, InstanceRow, InstanceState, StreamEnd, StreamReport, StreamState};
use padis_server::reconcile::stream::Stream;
use padis_server::store::{Store, from_json, journal};
use std::sync::Arc;
use std::time::Duration;

fn stream(w: &World) -> Arc<Stream> {
    w.stream.lock().expect("lock").clone()
}

fn report(w: &World) -> StreamReport {
    stream(w).report()
}

async fn told_gaps(store: &Store) -> Vec<Event> {
    let rows: Vec<String> = sqlx::query_scalar("SELECT event FROM journal WHERE what = 'stream.gap' ORDER BY seq")
        .fetch_all(store.read())
        .await
        .expect("the journal");
    rows.iter().map(|r| from_json("event", r).expect("an event")).collect()
}

/// Sweeps so rare that only what this test does leads to a look.
const NEVER: Duration = Duration::from_secs(3_600);

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_tells_when_why_and_what_was_found_after_it() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start_with(NEVER);
        w.release(&app, 1, 3).await;
        w.until_online(&app, 1, 3).await;
        until("connected", async || matches!(report(&w).state, StreamState::Connected { .. })).await;
        assert_eq!(report(&w).gaps, [], "the first connection is no gap");

        // Two die unheard and are replaced; the stream then breaks and is there again.
        w.sched.set_silent(true);
        let before = w.tasks(&app, 1);
        for victim in &before[..2] {
            assert!(w.sched.end_task(victim, "TASK_FAILED", "unheard"));
        }
        w.sched.set_silent(false);
        w.sched.break_stream("the cable was pulled");
        until("the gap is answered for", async || report(&w).gaps.iter().any(|g| g.found.is_some())).await;
        let r = report(&w);
        let [gap] = r.gaps.as_slice() else { panic!("{:?}", r.gaps) };
        assert_eq!((gap.cause, gap.detail.as_str()), (StreamEnd::Broken, "the cable was pulled"));
        assert!(gap.to.is_some_and(|to| to >= gap.from), "{gap:?}");
        let found = gap.found.expect("found");
        assert_eq!((found.instances, found.apps, found.looked), (4, 1, 1), "two went, two came");
        let sweep = r.sweep.expect("a sweep");
        assert_eq!((sweep.apps, sweep.instances, sweep.changed), (1, 3, 4));
        // The looks that follow repair what the gap hid.
        w.until_online(&app, 1, 3).await;
        let told = Event::Gap { from: gap.from, to: gap.to.expect("over"), cause: Some(gap.cause), found: gap.found };
        until("it is in the journal", async || told_gaps(&w.store).await == [told.clone()]).await;
        assert_eq!(journal::verify(&w.store).await.expect("verify"), None);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_survive_a_restart_and_the_time_between_is_one() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start_with(NEVER);
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        until("connected", async || matches!(report(&w).state, StreamState::Connected { .. })).await;
        w.sched.break_stream("once");
        until("answered", async || report(&w).gaps.iter().any(|g| g.found.is_some())).await;
        let heard = report(&w).heard_at.expect("heard");
        w.stop().await;

        // While nobody looks, one dies and is replaced.
        assert!(w.sched.end_task(&w.tasks(&app, 1)[0], "TASK_FAILED", "unheard"));
        w.start_with(NEVER);
        until("answered again", async || report(&w).gaps.first().is_some_and(|g| g.found.is_some())).await;
        let gaps = report(&w).gaps;
        let [off, once] = gaps.as_slice() else { panic!("{gaps:?}") };
        assert_eq!((off.cause, once.cause), (StreamEnd::Off, StreamEnd::Broken));
        assert!(off.from >= heard && off.to.is_some_and(|to| to >= off.from), "{off:?}, heard {heard}");
        assert_eq!(off.found.map(|f| (f.instances, f.apps)), Some((2, 1)), "compared with what the database knows");
        w.until_online(&app, 1, 2).await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_lag_queue_and_the_slowest_are_counted() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start();
        until("connected", async || matches!(report(&w).state, StreamState::Connected { .. })).await;
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        let r = report(&w);
        let updates = r.kinds.iter().find(|k| k.kind == "status_update_event").expect("status updates");
        assert!(updates.count >= 2 && updates.minute == updates.count, "{:?}", r.kinds);
        assert_eq!(r.events, r.kinds.iter().map(|k| k.count).sum::<u64>());
        let lag = r.lag.expect("a lag");
        assert!((0..10_000).contains(&lag.last_ms) && lag.p99_minute_ms.is_some(), "{lag:?}");
        until("the look is settled", async || report(&w).slowest.first().is_some_and(|s| s.app == app)).await;

        // A row that nobody takes: parked; one whose time has not come; one that is due.
        w.sql("INSERT INTO work (key, wanted, done, due_at, attempts, lease, lease_until, parked, outcome, changed_at) VALUES ('x:1', 1, 0, 0, 0, NULL, 0, 1, '', 0)").await;
        until("counted", async || report(&w).work.parked == 1).await;
        w.stop().await;
        let now = padis_server::store::now_ms();
        for (key, due, until) in [("y:1", now + 30_000, 0), ("y:2", now - 5_000, 0), ("y:3", now - 9_000, now + 60_000)] {
            w.sql(&format!("INSERT INTO work (key, wanted, done, due_at, attempts, lease, lease_until, parked, outcome, changed_at) VALUES ('{key}', 1, 0, {due}, 0, 'somebody', {until}, 0, '', 0)")).await;
        }
        w.sql("DELETE FROM work WHERE key LIKE 'app:%' OR key LIKE 'pool:%'").await;
        let load = padis_server::store::work::load(&w.store, now).await.expect("load");
        assert_eq!((load.due, load.waiting, load.in_work, load.parked), (1, 1, 1, 1), "{load:?}");
        assert_eq!(load.oldest_due, Some(now - 5_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_can_have_everything_looked_at_now() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start_with(NEVER);
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        w.sched.set_silent(true);
        let victim = w.tasks(&app, 1).remove(0);
        assert!(w.sched.end_task(&victim, "TASK_FAILED", "unheard"));
        stream(&w).look_at_all();
        w.until_online(&app, 1, 2).await;
        until("told", async || w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.died'").await == 1).await;
        assert_eq!(report(&w).sweep.map(|s| s.changed), Some(2));

        // One alone, in the caller's transaction, though its row is parked.
        w.sql("UPDATE work SET parked = 1").await;
        let victim = w.tasks(&app, 1).remove(0);
        assert!(w.sched.end_task(&victim, "TASK_FAILED", "unheard"));
        let mut tx = w.store.begin().await.expect("begin");
        assert!(Stream::look_at(&mut tx, &app).await.expect("touched"));
        tx.commit().await.expect("commit");
        w.until_online(&app, 1, 2).await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_of_many_looks_at_what_differs_and_leaves_the_quiet_alone() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        // As if there were more applications than a sweep looks at: it compares.
        *w.round.lock().expect("lock") = 0;
        w.sched.set_silent(true);
        w.start_with(Duration::from_millis(100));
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        let wanted = "SELECT wanted FROM work WHERE key = 'app:motor/claims'";
        let idle = "SELECT COUNT(*) FROM work WHERE wanted > done OR lease IS NOT NULL";
        let swept = || report(&w).sweep.map(|s| s.at);
        until("five sweeps in which nobody looks", async || {
            let before = w.count(wanted).await;
            for _ in 0..5 {
                let last = swept();
                until("a sweep", async || swept() > last).await;
            }
            w.count(wanted).await == before && w.count(idle).await == 0
        })
        .await;

        // Marathon, balancer, names, network: each drifts alone, and nobody is told.
        let service = format!("{}.{}", app.team, app.app);
        assert!(w.sched.end_task(&w.tasks(&app, 1)[0], "TASK_FAILED", "unheard"));
        until("replaced", async || w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.died'").await == 1)
            .await;
        w.until_online(&app, 1, 2).await;
        let member = w.bal.get(&service).await.expect("get").expect("a service").members[0].member.key.clone();
        w.bal.delete_member(&service, &member).await.expect("deleted");
        w.until_online(&app, 1, 2).await;
        w.dns.delete(&w.pool.host_name(&app.app)).await.expect("deleted");
        w.until_online(&app, 1, 2).await;
        let pointer = w.dns.list().await.expect("names").into_iter().find(|n| n.ptr).expect("a pointer");
        w.dns.delete(&pointer.name).await.expect("deleted");
        w.until_online(&app, 1, 2).await;
        w.net.detach(&w.pool.name, &w.tasks(&app, 1)[0]).await.expect("detached");
        w.until_online(&app, 1, 2).await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_process_shows_what_marathon_has_before_it_has_looked_at_each() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.start_with(NEVER);
        w.release(&app, 1, 2).await;
        w.until_online(&app, 1, 2).await;
        until("both are shown well", async || {
            let live = w.live.named(&app);
            live.is_some_and(|a| a.instances.iter().filter(|i| i.state == InstanceState::Well).count() == 2)
        })
        .await;
        let shown = w.live.named(&app).expect("shown").instances.clone();
        w.stop().await;
        // Nobody may look: the row is somebody else's.
        w.sql("UPDATE work SET lease = 'another:0', lease_until = 99999999999999").await;
        w.live.forget(&app.to_string());
        w.start_with(NEVER);
        until("it is shown", async || w.live.named(&app).is_some()).await;
        let again = w.live.named(&app).expect("shown");
        let key = |i: &InstanceRow| (i.task_id.clone(), i.slot, i.state, i.address.clone(), i.host.clone());
        assert_eq!(again.instances.iter().map(key).collect::<Vec<_>>(), shown.iter().map(key).collect::<Vec<_>>());
        assert_eq!(again.state, AppState::Online);
        w.stop().await;
    })
    .await;
}
