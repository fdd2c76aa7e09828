//! Teams never see one another's things; an auditor changes nothing; a secret
//! never comes back.

use crate::support::each_database;
use crate::walk::{Said, changes, looks};
use crate::world::{MARK, World, auditor, lead, member, new_app, stranger};
use padis_domain::Problem;
use padis_domain::app::{AppRef, EnvVar};
use padis_domain::portal::Portal;
use padis_domain::view::NewRelease;

const SECRET: &str = "hunter2-never-shown";
const TASK: &str = "zebra-task-1";

/// An application of team zebra with everything that an application can have.
async fn full(w: &World) -> AppRef {
    let mut new = new_app(MARK, "zebra-portal");
    new.pool = "common".into();
    new.env.insert("TOKEN".into(), EnvVar { secret: true, value: SECRET.into() });
    let app = w.create(&lead(), &new).await;
    let id: String = sqlx::query_scalar("SELECT id FROM app WHERE name = 'zebra-portal'")
        .fetch_one(w.store.read())
        .await
        .expect("the id");
    w.sql(&format!(
        "INSERT INTO claim (id, kind, app_id, team, app, release, slot, task_id, pool, address, what, state, reason, since) \
         VALUES ('c1', 'address', '{id}', '{MARK}', 'zebra-portal', 1, 0, '{TASK}', 'common', 181538821, '', 'held', 'zebra reason', 1)"
    ))
    .await;
    w.sql(&format!(
        "INSERT INTO claim (id, kind, app_id, team, app, what, state, reason, since) \
         VALUES ('c2', 'name', '{id}', '{MARK}', 'zebra-portal', 'zebra-portal.common.example', 'held', '', 1)"
    ))
    .await;
    w.sql(&format!(
        "INSERT INTO instance (task_id, app_id, team, app, release, slot, host, agent_id, address, seen_at) \
         VALUES ('{TASK}', '{id}', '{MARK}', 'zebra-portal', 1, 0, 'zebra-host', 'agent', '10.210.16.5', 1)"
    ))
    .await;
    w.bench_of_member().await;
    w.recipe_of_member().await;
    w.archive_of_member().await;
    let folder = w.logs.path().join(MARK).join("zebra-portal/r1").join(TASK);
    std::fs::create_dir_all(&folder).expect("the log's folder");
    std::fs::write(folder.join("access.log"), "GET / zebra\n").expect("a log");
    let agents = vec![crate::cluster::agent(1, "zebra-host")];
    w.live.set_survey(padis_domain::ports::Survey { agents, ..Default::default() }, 1);
    w.live.set_services(
        vec![padis_domain::ports::ServiceSeen {
            service: padis_domain::ports::Service {
                key: "zebra.zebra-portal".into(),
                host: "zebra-portal.common.example".into(),
                health_path: "/".into(),
                expect: String::new(),
                interval_ms: 2000,
            },
            members: Vec::new(),
            rate: 0,
            requests: 0,
            failed: 0,
        }],
        1,
    );
    app
}

fn of<'a>(said: &'a [Said], name: &str) -> Vec<&'a Result<String, Problem>> {
    said.iter().filter(|s| s.0 == name).map(|s| &s.1).collect()
}

/// Everything that a command could have changed.
async fn state(w: &World) -> Vec<i64> {
    let mut out = Vec::new();
    for sql in [
        "SELECT COUNT(*) FROM journal",
        "SELECT COUNT(*) FROM app",
        "SELECT CAST(COALESCE(SUM(revision), 0) AS BIGINT) FROM app",
        "SELECT COUNT(*) FROM release",
        "SELECT COUNT(*) FROM package",
        "SELECT COUNT(*) FROM pool",
        "SELECT COUNT(*) FROM quota",
        "SELECT COUNT(*) FROM claim WHERE released_at IS NULL",
        "SELECT COUNT(*) FROM session WHERE revoked_at IS NULL",
        "SELECT COUNT(*) FROM account WHERE platform = 'operator'",
        "SELECT CAST(COALESCE(SUM(wanted + parked), 0) AS BIGINT) FROM work",
        "SELECT COUNT(*) FROM once WHERE answer IS NOT NULL",
    ] {
        out.push(w.number(sql).await);
    }
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_finds_nothing_of_another_team() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = full(&w).await;
        let c = stranger();
        let before = state(&w).await;
        let mut said = looks(&w, &c, &app, TASK).await;
        said.extend(changes(&w, &c, &app).await);
        assert_eq!(state(&w).await, before, "a stranger changed something");
        assert!(w.pages.asked().is_empty(), "a stranger had a page asked");
        for (name, answer) in &said {
            let text = match answer {
                Ok(json) => json.to_lowercase(),
                Err(p) => serde_json::to_string(p).expect("JSON").to_lowercase(),
            };
            assert!(!text.contains(MARK), "{name}: {text}");
            assert!(!text.contains(SECRET), "{name}: {text}");
        }
        for name in [
            "app",
            "releases",
            "delivery",
            "timeline",
            "claims",
            "log_sources",
            "log",
            "charts",
            "inside",
            "bill_of_materials",
            "bench_offer",
            "bench",
            "bench_record",
            "start_bench",
            "end_bench",
            "commit_bench",
            "bench_terminal",
            "recipe",
            "build",
            "build_output",
            "start_recipe",
            "save_recipe",
            "add_recipe_file",
            "drop_recipe_file",
            "build_recipe",
            "cancel_build",
            "end_recipe",
            "archive",
            "cancel_archive",
            "look_inside",
            "check_new_app",
            "create_app",
            "release",
            "roll_back",
            "scale",
            "restart",
            "try_health",
            "retry",
            "stop",
            "start",
            "delete_app",
            "package",
            "delete_package",
            "revoke_session",
            "repository",
            "image",
            "stack_notice",
            "promotion_offers",
            "promote",
            "retention",
            "apply_retention",
            "version_fate",
            "delete_version",
            "keep_rule",
            "end_rule",
            "withdraw_promotion",
        ] {
            assert_eq!(of(&said, name), [&Err(Problem::NotFound)], "{name}");
        }
        // A pool in which none of his teams has a quota does not exist; another does.
        for name in ["pool", "addresses"] {
            assert_eq!(of(&said, name)[0], &Err(Problem::NotFound), "{name}");
            assert!(of(&said, name)[1].is_ok(), "{name}");
        }
        let refused = |r: &Result<String, Problem>| matches!(r, Err(Problem::NotAllowed { .. }));
        for name in [
            "collections",
            "collect",
            "cancel_collection",
            "work",
            "journal",
            "systems",
            "stream",
            "cluster",
            "people",
            "put_pool",
            "delete_pool",
            "put_quota",
            "reserve",
            "unreserve",
            "work_retry",
            "work_park",
            "look_again",
            "host_out",
            "host_back",
            "put_team",
            "delete_team",
            "put_person",
            "copies",
            "copy_image",
            "cancel_copy",
            "look_at_registries",
            "mark_stack",
            "judge_promotion",
            "roll_back_promotion",
        ] {
            assert!(of(&said, name).into_iter().all(refused), "{name}");
        }
        assert!(refused(of(&said, "sessions")[1]));
        // Counts say nothing either.
        let nav = w.portal.nav(&c, None).await.expect("counts");
        assert_eq!((nav.apps, nav.packages, nav.pools, nav.stuck), (0, 1, 1, None));
        let overview = w.portal.overview(&c, None).await.expect("the overview");
        assert!(overview.apps.is_empty() && overview.deliveries.is_empty());
        // And what exists is told exactly like what does not.
        let absent = AppRef { team: MARK.into(), app: "absent".into() };
        assert_eq!(w.portal.app(&c, &absent).await.err(), Some(Problem::NotFound));
        let absent = AppRef { team: "absent".into(), app: "absent".into() };
        assert_eq!(w.portal.app(&c, &absent).await.err(), Some(Problem::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_sees_everything_and_changes_nothing() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = full(&w).await;
        let c = auditor();
        let before = state(&w).await;
        for (name, answer) in looks(&w, &c, &app, TASK).await {
            if name == "check_new_app" {
                assert!(matches!(answer, Err(Problem::NotAllowed { .. })), "{name}: {answer:?}");
            } else {
                assert!(answer.is_ok(), "{name}: {answer:?}");
            }
        }
        for (name, answer) in changes(&w, &c, &app).await {
            match name {
                "revoke_session" => assert_eq!(answer, Err(Problem::NotFound)),
                "change_password" => assert!(answer.is_err()),
                _ => assert!(matches!(answer, Err(Problem::NotAllowed { .. })), "{name}: {answer:?}"),
            }
        }
        assert_eq!(state(&w).await, before);
        let view = w.portal.app(&c, &app).await.expect("the application");
        assert!(view.offers.iter().all(|o| o.refused == Some(padis_domain::action::Reason::ReadOnly)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_in_no_answer_and_in_no_journal() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = full(&w).await;
        w.settled(&app).await;
        // Change it, keep it, take it away: each leaves a trace of its own.
        let var = |v: &str| EnvVar { secret: true, value: v.into() };
        for env in [
            [("TOKEN".to_owned(), var("")), ("OTHER".to_owned(), var(&format!("{SECRET}-2")))].into(),
            [("OTHER".to_owned(), EnvVar { secret: false, value: "open now".into() })].into(),
            [("TOKEN".to_owned(), var(SECRET))].into(),
        ] {
            let (once, seen) = (w.once(&lead()).await, w.revision(&app).await);
            let new = NewRelease { env: Some(env), ..NewRelease::default() };
            w.portal.release(&lead(), &app, &new, seen, &once).await.expect("a configuration");
            w.settled(&app).await;
        }
        let seen = w.revision(&app).await;
        let once = w.once(&member()).await;
        // A problem tells what others changed.
        let late = w.portal.scale(&member(), &app, 3, seen - 2, &once).await.expect_err("changed meanwhile");
        assert!(!format!("{late:?}").contains(SECRET), "{late:?}");
        w.portal.roll_back(&lead(), &app, 1, seen, &w.once(&lead()).await).await.expect("roll back");
        for c in [lead(), crate::world::operator()] {
            let mut said = looks(&w, &c, &app, TASK).await;
            said.extend(changes(&w, &c, &app).await);
            for (name, answer) in said {
                assert!(!format!("{answer:?}").contains(SECRET), "{name}: {answer:?}");
            }
        }
        assert_eq!(
            w.number(&format!(
                "SELECT COUNT(*) FROM journal WHERE changes LIKE '%{SECRET}%' OR event LIKE '%{SECRET}%'"
            ))
            .await,
            0
        );
        assert_eq!(w.number(&format!("SELECT COUNT(*) FROM release WHERE changes LIKE '%{SECRET}%'")).await, 0);
        // Nor does it stand in the database as anybody could read it.
        assert_eq!(w.number(&format!("SELECT COUNT(*) FROM release WHERE spec LIKE '%{SECRET}%'")).await, 0);
        // It is kept where it is needed: by the release put back, and by one that left it as it was.
        for number in [5_i64, 2] {
            let row: (String, String) =
                sqlx::query_as("SELECT app_id, spec FROM release WHERE number = $1 AND app_id = (SELECT id FROM app WHERE name = 'zebra-portal')")
                    .bind(number)
                    .fetch_one(w.store.read())
                    .await
                    .expect("the release");
            let spec: padis_domain::app::ReleaseSpec = serde_json::from_str(&row.1).expect("JSON");
            let token = w.portal.settings.sealer.open(&row.0, "TOKEN", &spec.env["TOKEN"].value);
            assert_eq!(token.as_deref(), Ok(SECRET), "release {number}");
        }
    })
    .await;
}
