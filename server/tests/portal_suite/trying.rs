//! "Try it on the running instance": only the application's own instances are
//! asked, and only by those who may change it.

use crate::support::each_database;
use crate::world::{MARK, World, auditor, lead, member, new_app, stranger};
use padis_domain::Problem;
use padis_domain::action::{Action, Reason};
use padis_domain::app::{AppRef, HealthRule};
use padis_domain::portal::Portal;
use padis_domain::problem::ValueFault;

async fn instance(w: &World, app: &AppRef, task: &str, release: u32, ip: u32, rest: &str) {
    let id = format!("(SELECT id FROM app WHERE team = '{}' AND name = '{}')", app.team, app.app);
    w.sql(&format!(
        "INSERT INTO claim (id, kind, app_id, team, app, release, slot, task_id, pool, address, what, state, reason, since) \
         VALUES ('c-{task}', 'address', {id}, '{}', '{}', {release}, 0, '{task}', 'common', {ip}, '', 'held', '', 1)",
        app.team, app.app
    ))
    .await;
    w.sql(&format!(
        "INSERT INTO instance (task_id, app_id, team, app, release, slot, host, agent_id, address, seen_at, well_at, ended_at) \
         VALUES ('{task}', {id}, '{}', '{}', {release}, 0, 'h', 'a', '', 1, {rest})",
        app.team, app.app
    ))
    .await;
}

const IP: u32 = 0x0ad2_1005;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_an_own_instance_is_asked_as_the_rule_says() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&lead(), &new_app(MARK, "shop")).await;
        let other = w.create(&stranger(), &new_app("lion", "shop-lion")).await;
        instance(&w, &other, "theirs", 1, IP - 1, "2, NULL").await;
        w.settled(&app).await;
        let rule = HealthRule { expect: "OK".into(), ..HealthRule::fresh("/up?x=1") };
        let try_it = || async { w.portal.try_health(&member(), &app, &rule).await };
        let offer = || async {
            let v = w.portal.app(&member(), &app).await.expect("the application");
            v.offers.iter().find(|o| o.action == Action::Try).and_then(|o| o.refused)
        };
        // Nothing runs, or what ran has ended: nobody is asked, and the button says the same.
        assert_eq!(try_it().await, Err(Problem::NotNow { reason: Reason::NothingRuns }));
        assert_eq!(offer().await, Some(Reason::NothingRuns));
        instance(&w, &app, "ended", 1, IP + 1, "2, 3").await;
        assert_eq!(try_it().await, Err(Problem::NotNow { reason: Reason::NothingRuns }));
        assert!(w.pages.asked().is_empty());
        w.sql("UPDATE claim SET state = 'released', released_at = 4 WHERE id = 'c-ended'").await;
        instance(&w, &app, "mine", 1, IP, "NULL, NULL").await;
        let tried = try_it().await.expect("an answer");
        assert_eq!((tried.slot, tried.release, tried.address.as_str()), (0, 1, "10.210.16.5:8080"));
        assert_eq!((tried.path.as_str(), tried.expect.as_str()), ("/up?x=1", "OK"));
        assert_eq!(w.pages.asked(), [(IP, 8080, "shop.common.example".to_owned(), "/up?x=1".to_owned())]);
        assert_eq!(tried.seen.body, "what came back");
        assert_eq!(offer().await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_an_auditor_and_a_path_that_is_none_ask_nobody() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&lead(), &new_app(MARK, "shop")).await;
        w.settled(&app).await;
        instance(&w, &app, "mine", 1, IP, "2, NULL").await;
        let good = HealthRule::fresh("/");
        assert_eq!(w.portal.try_health(&stranger(), &app, &good).await, Err(Problem::NotFound));
        let refused = w.portal.try_health(&auditor(), &app, &good).await;
        assert_eq!(refused, Err(Problem::NotAllowed { needs: "member".into() }));
        for path in ["http://10.0.0.1/", "@10.0.0.1/", ".evil.example/", "/a b", "/a\r\nHost: x", "x"] {
            let said = w.portal.try_health(&lead(), &app, &HealthRule::fresh(path)).await;
            assert_eq!(said, Err(Problem::field("health_path", ValueFault::Malformed)), "{path}");
        }
        assert_eq!(
            w.portal.try_health(&lead(), &app, &HealthRule::fresh("")).await,
            Err(Problem::missing("health_path"))
        );
        w.portal.stop(&lead(), &app, w.revision(&app).await, &w.once(&lead()).await).await.expect("stopped");
        let said = w.portal.try_health(&lead(), &app, &good).await;
        assert_eq!(said, Err(Problem::NotNow { reason: Reason::IsStopping }));
        assert!(w.pages.asked().is_empty());
    })
    .await;
}
