//! "Try again now" by the application's own team, and whom its delivery says to ask.

use crate::support::each_database;
use crate::world::{MARK, World, auditor, lead, member, new_app, stranger};
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::portal::Portal;
use padis_domain::view::{Event, ListQuery};
use padis_server::store::now_ms;

#[tokio::test(flavor = "multi_thread")]
async fn a_member_takes_up_what_was_left_alone_once_per_form() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&lead(), &new_app(MARK, "shop")).await;
        // As the reconciler leaves a row that was refused five times.
        w.sql("UPDATE work SET done = 0, wanted = 1, parked = 1, attempts = 5, outcome = 'refused', due_at = 9999999999999").await;
        let (before, seen) = (now_ms(), w.revision(&app).await);
        let once = w.once(&member()).await;
        assert_eq!(w.portal.retry(&member(), &app, &once).await, Ok(()));
        let fresh = format!(
            "SELECT COUNT(*) FROM work WHERE key = 'app:zebra/shop' AND parked = 0 AND attempts = 0 AND wanted = 2 \
             AND due_at BETWEEN {before} AND {}",
            now_ms()
        );
        assert_eq!(w.number(&fresh).await, 1);
        tokio::time::timeout(std::time::Duration::from_secs(5), w.wake.notified()).await.expect("woken");
        // The same form again: the first answer, no second effect.
        assert_eq!(w.portal.retry(&member(), &app, &once).await, Ok(()));
        assert_eq!(w.number("SELECT wanted FROM work WHERE key = 'app:zebra/shop'").await, 2);
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'app.retry' AND who = 'zoe-zebra'").await, 1);
        let t = w.portal.timeline(&member(), &app, &ListQuery::default()).await.expect("the timeline");
        assert!(matches!(&t.rows[0].event, Event::Did { by, action, .. } if action == "retry" && by.contains("Zoe")));
        // Nothing of the intent changed: a colleague's open form is still good.
        assert_eq!(w.revision(&app).await, seen);
        assert_eq!(w.portal.scale(&lead(), &app, 3, seen, &w.once(&lead()).await).await, Ok(()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_and_what_can_not_be_tried_again() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&lead(), &new_app(MARK, "shop")).await;
        let wanted = w.number("SELECT wanted FROM work WHERE key = 'app:zebra/shop'").await;
        let c = stranger();
        assert_eq!(w.portal.retry(&c, &app, &w.once(&c).await).await, Err(Problem::NotFound));
        let c = auditor();
        let refused = w.portal.retry(&c, &app, &w.once(&c).await).await;
        assert_eq!(refused, Err(Problem::NotAllowed { needs: "member".into() }));
        assert_eq!(w.number("SELECT wanted FROM work WHERE key = 'app:zebra/shop'").await, wanted);
        let c = lead();
        w.portal.stop(&c, &app, w.revision(&app).await, &w.once(&c).await).await.expect("stopped");
        let said = w.portal.retry(&c, &app, &w.once(&c).await).await;
        assert_eq!(said, Err(Problem::NotNow { reason: Reason::IsStopping }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stuck_delivery_names_operators_and_a_good_one_nobody() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&lead(), &new_app(MARK, "shop")).await;
        let ask = || async { w.portal.delivery(&member(), &app, 1).await.expect("the delivery").ask };
        assert!(ask().await.is_empty());
        w.sql("UPDATE delivery SET steps = REPLACE(steps, '\"pending\"', '\"waiting\"')").await;
        assert_eq!(ask().await, ["Otto the tester"]);
        w.sql("UPDATE account SET mail = 'otto@example' WHERE name = 'otto'").await;
        assert_eq!(ask().await, ["Otto the tester (otto@example)"]);
        w.sql("UPDATE account SET enabled = 0 WHERE name = 'otto'").await;
        assert!(ask().await.is_empty(), "nobody who can't sign in any more");
    })
    .await;
}
