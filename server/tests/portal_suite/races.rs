//! Commands that meet: whoever comes second is told so, and nothing is left half done.

use crate::support::each_database;
use crate::world::{MARK, World, lead, new_app, operator, plenty, pool, stranger};
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::portal::Portal;

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_goes_or_moves_while_somebody_goes_online() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let (c, op) = (lead(), operator());
        for round in 0..12u8 {
            let spec = pool(&format!("round-{round}"), &format!("10.50.{round}.0/24"), &format!("10.50.{round}.1"));
            let name = spec.name.clone();
            w.portal.put_pool(&op, &spec, 0, &w.once(&op).await).await.expect("a pool");
            w.portal.put_quota(&op, &name, MARK, &plenty()).await.expect("a quota");
            let mut new = new_app(MARK, &format!("app-{round}"));
            new.pool.clone_from(&name);
            let (a, b) = (w.once(&c).await, w.once(&op).await);
            let mut moved = spec.clone();
            moved.domain = format!("moved-{round}.example");
            let going = w.portal.create_app(&c, &new, &a);
            let (made, gone) = if round % 2 == 0 {
                tokio::join!(going, w.portal.delete_pool(&op, &name, &name))
            } else {
                tokio::join!(going, w.portal.put_pool(&op, &moved, 1, &b))
            };
            match (&made, &gone) {
                (Ok(_), Err(Problem::InUse { by })) => assert_eq!(*by, format!("zebra/app-{round}")),
                // The pool moved first, and the application stands at its new name.
                (Ok(app), Ok(())) => {
                    let v = w.portal.app(&c, app).await.expect("the application");
                    assert_eq!(v.host_name, moved.host_name(&app.app));
                }
                (Err(p), Ok(())) => assert_eq!(p.about_field(), Some("pool"), "{p:?}"),
                other => panic!("round {round}: {other:?}"),
            }
        }
        let stray =
            "SELECT COUNT(*) FROM app a JOIN pool p ON p.name = a.pool WHERE a.host_name <> a.name || '.' || p.domain";
        assert_eq!(w.number(stray).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_teams_want_one_name_at_the_same_moment() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let (a, b) = (lead(), stranger());
        for round in 0..8 {
            let name = format!("shop-{round}");
            let (x, y) = (new_app(MARK, &name), new_app("lion", &name));
            let (tx, ty) = (w.once(&a).await, w.once(&b).await);
            let (x, y) = tokio::join!(w.portal.create_app(&a, &x, &tx), w.portal.create_app(&b, &y, &ty));
            let taken = Err::<AppRef, _>(Problem::NameTaken { field: "name".into(), name: name.clone() });
            assert!((x.is_ok() && y == taken) || (y.is_ok() && x == taken), "{x:?} {y:?}");
        }
        assert_eq!(w.number("SELECT COUNT(*) FROM app").await, 8);
        assert_eq!(w.number("SELECT COUNT(*) FROM release").await, 8);
        assert_eq!(w.number("SELECT COUNT(*) FROM delivery").await, 8);
    })
    .await;
}
