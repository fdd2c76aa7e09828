//! What an application's page, its logs and its charts show.

use crate::support::each_database;
use crate::world::{MARK, World, lead, new_app, operator};
use padis_domain::Problem;
use padis_domain::action::AppState;
use padis_domain::app::AppRef;
use padis_domain::delivery::Finding;
use padis_domain::portal::Portal;
use padis_domain::quantity::Dimension;
use padis_domain::view::{AttentionKind, InstanceRow, InstanceState, ListQuery, LogQuery};
use padis_server::reconcile::live::LiveApp;
use padis_server::store::now_ms;

async fn id(w: &World, app: &AppRef) -> String {
    sqlx::query_scalar("SELECT id FROM app WHERE name = $1")
        .bind(&app.app)
        .fetch_one(w.store.read())
        .await
        .expect("the id")
}

async fn instance(w: &World, app: &AppRef, task: &str, rest: &str) {
    let id = id(w, app).await;
    w.sql(&format!(
        "INSERT INTO instance (task_id, app_id, team, app, release, slot, host, agent_id, address, seen_at, well_at, leaving, leaving_at, ended_at) \
         VALUES ('{task}', '{id}', '{}', '{}', 1, 0, 'h', 'a', '10.210.16.5', {rest})",
        app.team, app.app
    ))
    .await;
}

fn live(app: &AppRef, state: AppState, at: i64) -> LiveApp {
    let row = InstanceRow {
        slot: 0,
        release: 1,
        state: InstanceState::Sick,
        finding: Finding::WrongStatus { status: 503 },
        failures: 3,
        address: None,
        host: "h".into(),
        started_at: None,
        cpu_milli: None,
        mem_mib: None,
        sessions: None,
        task_id: "live-task".into(),
    };
    LiveApp { app: app.clone(), state, instances: vec![row], waiting: None, at }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_believes_the_newer_of_intent_and_observation() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let app = w.create(&c, &new_app(MARK, "shop")).await;
        w.settled(&app).await;
        instance(&w, &app, "noted", "1, 2, NULL, NULL, NULL").await;
        instance(&w, &app, "gone", "1, 2, NULL, NULL, 3").await;
        let view = || async { w.portal.app(&c, &app).await.expect("the application") };
        // Never looked at by this process: as noted.
        let v = view().await;
        assert_eq!(
            v.instances.iter().map(|i| (i.task_id.as_str(), i.state)).collect::<Vec<_>>(),
            [("noted", InstanceState::Well)]
        );
        assert_eq!(v.state, AppState::Online);
        w.live.set_app(&id(&w, &app).await, live(&app, AppState::Degraded, now_ms() + 1000));
        let v = view().await;
        assert_eq!((v.state, v.instances[0].task_id.as_str()), (AppState::Degraded, "live-task"));
        // Looked at before it was stopped: the intent is newer.
        w.live.set_app(&id(&w, &app).await, live(&app, AppState::Online, 5));
        w.portal.stop(&c, &app, 1, &w.once(&c).await).await.expect("stopped");
        assert_eq!(view().await.state, AppState::Stopping);
    })
    .await;
}

/// The world's limit is 10,000 bytes.
#[tokio::test(flavor = "multi_thread")]
async fn who_fills_a_hosts_disk_is_told_before_it_is_full() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let app = w.create(&c, &new_app(MARK, "writer")).await;
        w.settled(&app).await;
        for task in ["t0", "t1"] {
            instance(&w, &app, task, "5, NULL, NULL, NULL, NULL").await;
        }
        let seen = async |c: &padis_domain::caller::Caller| {
            let all = w.portal.overview(c, None).await.expect("the overview").attention;
            let mine = all.into_iter().filter(|a| matches!(a.what, AttentionKind::Writes { .. }));
            mine.map(|a| (a.bad, a.app.expect("an application").app, a.what)).collect::<Vec<_>>()
        };
        let set = |pairs: &[(&str, u64)]| {
            w.live.set_written(pairs.iter().map(|(t, b)| ((*t).to_owned(), *b)).collect());
        };
        set(&[("t0", 7_999), ("t1", 0), ("not-ours", 99_000)]);
        assert_eq!(seen(&c).await, []);
        // Once for an application, with the one that has written most; a warning before it is full.
        set(&[("t0", 8_000), ("t1", 9_000)]);
        let what = AttentionKind::Writes { bytes: 9_000, most: 10_000 };
        assert_eq!(seen(&c).await, [(false, "writer".to_owned(), what)]);
        set(&[("t0", 10_000)]);
        assert!(seen(&c).await[0].0, "full is bad");
        assert_eq!(seen(&operator()).await.len(), 1);
        assert_eq!(seen(&crate::world::stranger()).await, []);
        // However many of others are fuller: they take nobody's warning away.
        let others: Vec<String> = (0..600).map(|n| format!("others-{n}")).collect();
        set(&others.iter().map(|t| (t.as_str(), 20_000)).chain([("t0", 8_000)]).collect::<Vec<_>>());
        assert_eq!(seen(&c).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_attention_is_said_once_and_the_worst_first() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let sick = w.create(&c, &new_app(MARK, "sick")).await;
        let stuck = w.create(&c, &new_app(MARK, "stuck")).await;
        w.settled(&sick).await;
        w.sql("UPDATE app SET state = 'failing', well = 0 WHERE name = 'sick'").await;
        w.live.set_app(&id(&w, &sick).await, live(&sick, AppState::Failing, now_ms()));
        let steps = w.portal.delivery(&c, &stuck, 1).await.expect("the delivery").steps;
        let text = serde_json::to_string(&steps).expect("JSON").replacen(
            r#"{"step":"asked","state":"pending","began_at":null,"ended_at":null,"note":null}"#,
            r#"{"step":"asked","state":"waiting","began_at":7,"ended_at":null,"note":{"no_address":{"pool":"common"}}}"#,
            1,
        );
        w.sql(&format!("UPDATE delivery SET state = 'waiting', steps = '{text}' WHERE app = 'stuck'")).await;
        let now = now_ms();
        for n in 0..2 {
            instance(&w, &sick, &format!("t{n}"), &format!("1, NULL, 'sick', {now}, {now}")).await;
        }
        w.portal.reserve(&operator(), "common", "10.210.16.2", "10.210.16.240", "why").await.expect("reserved");
        let o = w.portal.overview(&c, None).await.expect("the overview");
        let kinds: Vec<_> = o.attention.iter().map(|a| (a.bad, a.app.as_ref().map(|a| a.app.as_str()), &a.what)).collect();
        assert_eq!(kinds.len(), 4, "{kinds:?}");
        let degraded =
            AttentionKind::Degraded { well: 0, wanted: 2, finding: Some(Finding::WrongStatus { status: 503 }) };
        assert_eq!(kinds[0], (true, Some("sick"), &degraded));
        assert!(kinds.iter().any(|k| k.1 == Some("stuck") && matches!(k.2, AttentionKind::Delivery { release: 1, .. })));
        assert!(kinds.iter().any(|k| matches!(k.2, AttentionKind::Replaced { times: 2, finding: None })));
        assert!(kinds.iter().any(|k| matches!(k.2, AttentionKind::PoolShort { dimension: Dimension::Addresses, free: 14, total: 253 })));
        assert_eq!(w.portal.nav(&c, None).await.expect("counts").attention, 4);
        assert_eq!((o.replaced_per_day.len(), o.replaced_per_day[13], o.requests.len()), (14, 2, 48));
        assert_eq!((o.apps.len(), o.deliveries.len(), o.pools[0].spec.name.as_str()), (2, 2, "common"));
        assert_eq!(o.delivery_ms.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_the_living_and_of_the_gone() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let app = w.create(&c, &new_app(MARK, "shop")).await;
        let other = w.create(&c, &new_app(MARK, "other")).await;
        instance(&w, &app, "living", "5, 6, NULL, NULL, NULL").await;
        instance(&w, &app, "gone", "1, 2, NULL, NULL, 3").await;
        instance(&w, &other, "others", "1, 2, NULL, NULL, 3").await;
        for (a, t) in [("shop", "living"), ("shop", "gone"), ("other", "others")] {
            let folder = w.logs.path().join(MARK).join(a).join("r1").join(t);
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(folder.join("access.log"), format!("GET / by {t}\nPOST /\nunfinished")).expect("a log");
        }
        let all = w.portal.log_sources(&c, &app).await.expect("logs");
        let shown: Vec<_> =
            all.iter().map(|s| (s.task_id.as_str(), s.alive, s.files.len(), s.written_at.is_some())).collect();
        // One file in the log folder, and what the host keeps of what they printed.
        assert_eq!(shown, [("living", true, 3, true), ("gone", false, 3, true)]);
        let q = |task: &str, file: &str, find: &str| LogQuery {
            task_id: task.into(),
            file: file.into(),
            offset: None,
            length: 1000,
            find: find.into(),
        };
        let lines = |q: LogQuery| {
            let (p, c, app) = (w.portal.clone(), c.clone(), app.clone());
            async move { p.log(&c, &app, &q).await.map(|l| l.lines.into_iter().map(|l| l.1).collect::<Vec<_>>()) }
        };
        assert_eq!(lines(q("living", "access.log", "")).await, Ok(vec!["GET / by living".into(), "POST /".into()]));
        assert_eq!(lines(q("gone", "access.log", "post")).await, Ok(vec!["POST /".into()]));
        assert_eq!(
            lines(q("gone", "access.log", "")).await.expect("the log").len(),
            3,
            "nobody finishes its last line"
        );
        // Printed long before, in an encoding of its own; read from the host on which it ran.
        w.cluster.write_file("gone", "stdout", "starting\nno such table\n");
        assert_eq!(lines(q("gone", "stdout", "")).await, Ok(vec!["starting".into(), "no such table".into()]));
        assert_eq!(lines(q("gone", "stdout", "TABLE")).await, Ok(vec!["no such table".into()]));
        assert_eq!(lines(q("gone", "stderr", "")).await, Err(Problem::NotFound), "nothing is kept of it");
        let mut on = q("gone", "stdout", "");
        (on.offset, on.length) = (Some(9), 5);
        assert_eq!(lines(on.clone()).await, Ok(vec!["no su".into()]), "a line longer than the piece is shown in parts");
        on.offset = Some(9_000);
        assert_eq!(lines(on).await, Ok(vec!["start".into()]), "cut meanwhile, it begins anew");
        // The folder's own file of that name comes first: it is what the application's owner means.
        let own = w.logs.path().join(MARK).join("shop/r1/gone/stdout");
        std::fs::write(&own, "of the folder\n").expect("a log");
        assert_eq!(lines(q("gone", "stdout", "")).await, Ok(vec!["of the folder".into()]));
        w.cluster.write_file("others", "stdout", "secret\n");
        for bad in [
            q("others", "stdout", ""),
            q("others", "access.log", ""),
            q("../../other/r1/others", "access.log", ""),
            q("living", "../gone/access.log", ""),
            q("living", "/etc/passwd", ""),
            q("living", "..", ""),
            q("absent", "access.log", ""),
        ] {
            assert_eq!(lines(bad.clone()).await, Err(Problem::NotFound), "{bad:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_traffic_names_and_claims() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = lead();
        let app = w.create(&c, &new_app(MARK, "shop")).await;
        w.settled(&app).await;
        let (id, now) = (id(&w, &app).await, now_ms());
        for n in 0..2000i64 {
            let at = now - n * 1000;
            w.sql(&format!("INSERT INTO sample (app_id, at, cpu_milli, mem_mib, requests, failed) VALUES ('{id}', {at}, 500, 512, 120, 60)")).await;
        }
        let charts = w.portal.charts(&c, &app, 60).await.expect("charts");
        assert!((600..=720).contains(&charts.cpu.points.len()), "{}", charts.cpu.points.len());
        assert_eq!(charts.cpu.points.last(), Some(&(now, 0.5)), "the newest is always there");
        assert_eq!((charts.mem.points[0].1, charts.requests.points[0].1, charts.failed.points[0].1), (0.5, 2.0, 1.0));
        assert_eq!((charts.cpu.limit, charts.mem.limit), (Some(0.5), Some(0.5)));
        assert_eq!(charts.online.len(), 1);
        let bucket = now / 1_800_000 * 1_800_000;
        w.sql(&format!("INSERT INTO traffic (app_id, team, bucket, requests, failed) VALUES ('{id}', '{MARK}', {bucket}, 10, 1)")).await;
        w.sql(&format!("INSERT INTO traffic (app_id, team, bucket, requests, failed) VALUES ('{id}', '{MARK}', {}, 99, 9)", bucket - 48 * 1_800_000)).await;
        let o = w.portal.overview(&c, None).await.expect("the overview");
        assert_eq!((o.requests[47], o.requests[0]), ((10, 1), (0, 0)));
        for (n, kind, what, state, until, released) in [
            (1, "name", "shop.common.example", "held", "NULL", "NULL"),
            (2, "member", "old", "released", "NULL", "50"),
        ] {
            w.sql(&format!(
                "INSERT INTO claim (id, kind, app_id, team, app, what, state, reason, since, until, released_at) \
                 VALUES ('c{n}', '{kind}', '{id}', '{MARK}', 'shop', '{what}', '{state}', '', {n}, {until}, {released})"
            ))
            .await;
        }
        w.sql(&format!(
            "INSERT INTO claim (id, kind, app_id, team, app, pool, address, what, state, reason, since, until) \
             VALUES ('c3', 'address', '{id}', '{MARK}', 'shop', 'common', 181538821, '', 'quarantined', '', 3, 100000)"
        ))
        .await;
        let claims = w.portal.claims(&c, &app).await.expect("claims");
        let shown: Vec<_> = claims.iter().map(|c| (c.what.as_str(), c.released_at)).collect();
        assert_eq!(shown, [("shop.common.example", None), ("10.210.16.5", Some(40_000)), ("old", Some(50))]);
        let names = w.portal.names(&c, &ListQuery::default()).await.expect("names");
        assert_eq!((names.total, names.rows[0].addresses.as_slice()), (1, ["127.0.0.1".to_owned()].as_slice()));
    })
    .await;
}
