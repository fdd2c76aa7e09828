//! Every command once, twice with one token, and beside somebody else's.

use crate::support::each_database;
use crate::world::{MARK, SHA, World, lead, member, new_app, operator, stranger};
use padis_domain::Problem;
use padis_domain::action::{Action, AppState, Reason};
use padis_domain::app::AppRef;
use padis_domain::delivery::{Note, Step, StepState};
use padis_domain::portal::Portal;
use padis_domain::problem::ValueFault;
use padis_domain::quantity::Size;
use padis_domain::view::{DeliveryState, Event, ListQuery, NewRelease};

fn sized(cpu_milli: u32) -> NewRelease {
    NewRelease { size: Some(Size { cpu_milli, mem_mib: 256 }), ..NewRelease::default() }
}

fn unknown_once() -> Problem {
    Problem::field("once", ValueFault::Unknown)
}

#[tokio::test(flavor = "multi_thread")]
async fn going_online_records_everything_in_one_transaction() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&member(), &new_app(MARK, "shop")).await;
        assert_eq!(app, AppRef { team: MARK.into(), app: "shop".into() });
        let v = w.portal.app(&member(), &app).await.expect("the application");
        assert_eq!((v.state, v.revision, v.release, v.wanted), (AppState::Delivering, 1, 1, 2));
        assert_eq!((v.host_name.as_str(), v.url.as_str()), ("shop.common.example", "http://shop.common.example:8000/"));
        assert_eq!((v.quota.held.cpu_milli, v.quota.held.instances, v.quota.used.instances), (500, 2, 0));
        let d = v.delivery.expect("a delivery");
        assert_eq!(d.state, DeliveryState::Running);
        let done: Vec<Step> =
            d.steps.iter().filter(|s| s.state == StepState::Done && s.began_at.is_some()).map(|s| s.step).collect();
        assert_eq!(done, [Step::Submitted, Step::QuotaHeld, Step::Recorded]);
        assert_eq!(d.steps.len(), Step::ALL.len());
        assert_eq!(d.steps[1].note, Some(Note::Held { cpu_milli: 500, mem_mib: 512, addresses: 2 }));
        assert_eq!(d.steps.last().map(|s| s.state), Some(StepState::Skipped), "nothing is replaced");
        assert_eq!(w.number("SELECT COUNT(*) FROM work WHERE key = 'app:zebra/shop' AND wanted > done").await, 1);
        let t = w.portal.timeline(&member(), &app, &ListQuery::default()).await.expect("the timeline");
        assert!(matches!(&t.rows[0].event, Event::Did { by, action, .. } if action == "create" && by.contains("Zoe")));
        // The reconciler was woken.
        tokio::time::timeout(std::time::Duration::from_secs(5), w.wake.notified()).await.expect("woken");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_form_sent_twice_has_one_effect() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let (c, new) = (member(), new_app(MARK, "shop"));
        let once = w.once(&c).await;
        // Side by side, so that the second really waits for the first.
        let (a, b) = tokio::join!(w.portal.create_app(&c, &new, &once), w.portal.create_app(&c, &new, &once));
        assert_eq!(a, b);
        let app = a.expect("created");
        assert_eq!(w.portal.create_app(&c, &new, &once).await, Ok(app.clone()));
        assert_eq!(w.number("SELECT COUNT(*) FROM app").await, 1);
        w.settled(&app).await;
        let once = w.once(&c).await;
        let n = w.portal.release(&c, &app, &sized(300), 1, &once).await;
        assert_eq!(n, Ok(2));
        // Again, although `seen` is old by now: the first answer, not "changed meanwhile".
        assert_eq!(w.portal.release(&c, &app, &sized(300), 1, &once).await, Ok(2));
        assert_eq!(w.number("SELECT COUNT(*) FROM release").await, 2);
        let journal = w.number("SELECT COUNT(*) FROM journal WHERE what = 'app.configure'").await;
        assert_eq!(journal, 1);
        // A token that is unknown, empty, somebody else's, or of another form.
        for bad in ["", "nonsense", &w.once(&lead()).await, &once] {
            assert_eq!(w.portal.stop(&c, &app, 2, bad).await, Err(unknown_once()), "{bad}");
        }
        // A refused command leaves the token unused.
        let once = w.once(&c).await;
        assert!(w.portal.scale(&c, &app, 0, 2, &once).await.is_err());
        assert_eq!(w.portal.scale(&c, &app, 3, 2, &once).await, Ok(()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_at_once_the_second_sees_what_changed() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&lead(), &new_app(MARK, "shop")).await;
        w.settled(&app).await;
        let seen = w.revision(&app).await;
        w.portal.scale(&lead(), &app, 4, seen, &w.once(&lead()).await).await.expect("scaled");
        w.portal.release(&lead(), &app, &sized(500), seen + 1, &w.once(&lead()).await).await.expect("resized");
        let late = w.portal.restart(&member(), &app, seen, &w.once(&member()).await).await;
        let Err(Problem::ChangedMeanwhile { by, changes, .. }) = late else { panic!("{late:?}") };
        assert_eq!(by, lead().name);
        let shown: Vec<_> = changes.iter().map(|c| (c.field.as_str(), c.before.as_str(), c.after.as_str())).collect();
        assert_eq!(
            shown,
            [("instances", "2", "4"), ("release", "r1", "r2"), ("size", "0.25 CPU, 256 MiB", "0.5 CPU, 256 MiB")]
        );
        // Side by side with one `seen`: one wins, the other is told.
        w.settled(&app).await;
        let seen = w.revision(&app).await;
        let (a, b) = (w.once(&lead()).await, w.once(&member()).await);
        let (ca, cb) = (lead(), member());
        let (a, b) = tokio::join!(w.portal.scale(&ca, &app, 5, seen, &a), w.portal.scale(&cb, &app, 6, seen, &b));
        let told = |r: &Result<(), Problem>| matches!(r, Err(Problem::ChangedMeanwhile { .. }));
        assert!((a.is_ok() && told(&b)) || (b.is_ok() && told(&a)), "{a:?} {b:?}");
        assert_eq!(w.revision(&app).await, seen + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_roll_out_is_a_new_release_also_the_way_back() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let sha = "c".repeat(64);
        w.package(&sha, MARK, "tar.gz").await;
        let app = w.create(&c, &new_app(MARK, "shop")).await;
        w.settled(&app).await;
        let new = NewRelease {
            package: Some(sha.clone()),
            size: Some(Size { cpu_milli: 500, mem_mib: 300 }),
            ..NewRelease::default()
        };
        assert_eq!(w.portal.release(&c, &app, &new, 1, &w.once(&c).await).await, Ok(2));
        // While it is under way it can be overtaken by going back, not by another change.
        let again = w.portal.restart(&c, &app, 2, &w.once(&c).await).await;
        assert_eq!(again, Err(Problem::NotNow { reason: Reason::DeliveryRunning }));
        w.portal.roll_back(&c, &app, 1, 2, &w.once(&c).await).await.expect("back");
        let rows = w.portal.releases(&c, &app).await.expect("releases");
        let shown: Vec<_> = rows.iter().map(|r| (r.release, r.sha256.as_str(), r.active, r.delivery)).collect();
        assert_eq!(
            shown,
            [
                (3, SHA, true, DeliveryState::Running),
                (2, sha.as_str(), false, DeliveryState::GivenUp),
                (1, SHA, false, DeliveryState::Online)
            ]
        );
        let fields: Vec<_> = rows[0].changes.iter().map(|c| (c.field.as_str(), c.after.as_str())).collect();
        assert_eq!(fields[0], ("release", "r1"));
        assert!(fields.contains(&("size", "0.25 CPU, 256 MiB")), "{fields:?}");
        assert_eq!(rows[0].size, Size { cpu_milli: 250, mem_mib: 256 });
        assert_eq!((rows[0].roll_back, rows[1].roll_back), (Err(Reason::NoEarlierRelease), Ok(())));
        // The one that is active, one that never was.
        let to = |n, seen| {
            let (p, c, app) = (w.portal.clone(), c.clone(), app.clone());
            async move {
                let once = p.once(&c).await.expect("a token");
                p.roll_back(&c, &app, n, seen, &once).await
            }
        };
        assert_eq!(to(3, 3).await, Err(Problem::NotNow { reason: Reason::NoEarlierRelease }));
        assert_eq!(to(9, 3).await, Err(Problem::field("to", ValueFault::Unknown)));
        // An image that is gone can't be put back.
        w.sql("UPDATE stack SET gone_at = 5").await;
        assert_eq!(to(2, 3).await, Err(Problem::StackGone { stack: "nginx:1.22.1".into() }));
        assert_eq!(w.portal.releases(&c, &app).await.expect("releases")[1].roll_back, Err(Reason::NoEarlierRelease));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_start_restart_configure_delete() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let app = w.create(&c, &new_app(MARK, "shop")).await;
        let state = || async { w.portal.app(&c, &app).await.expect("the application").state };
        // Stopping ends the delivery.
        w.portal.stop(&c, &app, 1, &w.once(&c).await).await.expect("stopped");
        assert_eq!(state().await, AppState::Stopping);
        assert_eq!(w.portal.delivery(&c, &app, 1).await.expect("the delivery").state, DeliveryState::GivenUp);
        assert_eq!(
            w.portal.scale(&c, &app, 3, 2, &w.once(&c).await).await,
            Err(Problem::NotNow { reason: Reason::IsStopping })
        );
        w.settled(&app).await;
        assert_eq!(state().await, AppState::Stopped);
        let stopped = w.portal.stop(&c, &app, 2, &w.once(&c).await).await;
        assert_eq!(stopped, Err(Problem::NotNow { reason: Reason::IsStopped }));
        // A configuration of a stopped application is recorded and not delivered.
        assert_eq!(w.portal.release(&c, &app, &sized(400), 2, &w.once(&c).await).await, Ok(2));
        assert_eq!(state().await, AppState::Stopped);
        assert_eq!(w.portal.delivery(&c, &app, 2).await.err(), Some(Problem::NotFound));
        w.portal.start(&c, &app, 3, &w.once(&c).await).await.expect("started");
        let v = w.portal.app(&c, &app).await.expect("the application");
        assert_eq!((v.state, v.release, v.spec.size.cpu_milli), (AppState::Delivering, 3, 400));
        w.settled(&app).await;
        w.portal.restart(&c, &app, 4, &w.once(&c).await).await.expect("restarted");
        let v = w.portal.app(&c, &app).await.expect("the application");
        let steps = v.delivery.expect("a delivery").steps;
        assert_eq!((v.release, steps.last().map(|s| s.state)), (4, Some(StepState::Pending)), "it replaces a release");
        w.settled(&app).await;
        // Only a lead or an operator deletes, and only with the name typed.
        let refused = w.portal.delete_app(&member(), &app, "shop", &w.once(&member()).await).await;
        assert_eq!(refused, Err(Problem::NotNow { reason: Reason::NeedsLead }));
        let v = w.portal.app(&member(), &app).await.expect("the application");
        let offer = v.offers.iter().find(|o| o.action == Action::Delete).and_then(|o| o.refused);
        assert_eq!(offer, Some(Reason::NeedsLead));
        let refused = w.portal.delete_app(&c, &app, "shopp", &w.once(&c).await).await;
        assert_eq!(refused, Err(Problem::field("confirm", ValueFault::NotConfirmed)));
        w.portal.delete_app(&operator(), &app, "shop", &w.once(&operator()).await).await.expect("deleted");
        assert_eq!(state().await, AppState::Deleting);
        let late = w.portal.stop(&c, &app, 6, &w.once(&c).await).await;
        assert_eq!(late, Err(Problem::NotNow { reason: Reason::IsDeleting }));
        // Its name is taken until everything is given back; then its history remains.
        let mut new = new_app(MARK, "shop");
        new.title = String::new();
        let taken = w.portal.create_app(&c, &new, &w.once(&c).await).await;
        assert_eq!(taken, Err(Problem::NameTaken { field: "name".into(), name: "shop".into() }));
        w.sql("DELETE FROM release").await;
        w.sql("DELETE FROM app").await;
        assert_eq!(w.portal.app(&c, &app).await.err(), Some(Problem::NotFound));
        assert!(w.portal.timeline(&c, &app, &ListQuery::default()).await.expect("history").total >= 6);
        assert_eq!(w.portal.timeline(&stranger(), &app, &ListQuery::default()).await.err(), Some(Problem::NotFound));
        w.portal.create_app(&c, &new, &w.once(&c).await).await.expect("created anew");
        assert_eq!(w.portal.timeline(&c, &app, &ListQuery::default()).await.expect("its own history").total, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_needs_parts_that_are_there_and_fit() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let app = w.create(&c, &new_app(MARK, "shop")).await;
        w.settled(&app).await;
        let war = "d".repeat(64);
        w.package(&war, MARK, "war").await;
        let with = |package: &str| NewRelease { package: Some(package.into()), ..NewRelease::default() };
        let cases = [
            (NewRelease::default(), Problem::missing("package")),
            (with("nothing"), Problem::field("package", ValueFault::Unknown)),
            // Another team's package does not exist.
            (with(crate::world::LION_SHA), Problem::field("package", ValueFault::Unknown)),
            (with(&war), Problem::PackageDoesNotFit { kind: "war".into(), stack: "nginx:1.22.1".into() }),
            (
                NewRelease { stack: Some("tomcat:10".into()), ..NewRelease::default() },
                Problem::field("stack", ValueFault::Unknown),
            ),
            (
                NewRelease { size: Some(Size { cpu_milli: 250, mem_mib: 63 }), ..NewRelease::default() },
                Problem::field("mem", ValueFault::OutOfRange { min: 64, max: i64::from(Size::MAX.mem_mib) }),
            ),
        ];
        for (new, expected) in cases {
            let said = w.portal.release(&c, &app, &new, 1, &w.once(&c).await).await;
            assert_eq!(said, Err(expected));
        }
        assert_eq!(w.revision(&app).await, 1);
    })
    .await;
}
