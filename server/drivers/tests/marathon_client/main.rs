//! What the Marathon client makes of answers that a well-behaved server does not
//! give: standbys, time-outs, locks, refusals, certificates, a stream that hangs, dies
//! or drowns us. Every server here is a real one, on a port of its own.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../lab/certificates.rs"]
mod certificates;
mod server;
mod stream;
mod tls;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures::StreamExt;
use padis_domain::ports::{PortError, Scheduler};
use padis_drivers::http::Auth;
use padis_drivers::marathon::{MarathonClient, MarathonConfig};
use server::{Server, app, client, ok};

#[tokio::test]
async fn the_requests_are_those_of_the_api() {
    let server = Server::start(|_, _| ok()).await;
    let marathon = client(&[&server.url]);
    marathon.put(&app("/team/app/r1")).await.unwrap();
    marathon.scale("/team/app/r1", 3).await.unwrap();
    marathon.kill("/team/app/r1", "team_app_r1.instance-1._app.1", true).await.unwrap();
    marathon.delete("/team/app/r1").await.unwrap();
    marathon.ping().await.unwrap();
    assert_eq!(
        server.lines(),
        [
            "PUT /v2/apps/team/app/r1?partialUpdate=false",
            "PATCH /v2/apps/team/app/r1?force=true",
            "DELETE /v2/apps/team/app/r1/tasks/team_app_r1.instance-1._app.1?scale=true&force=true",
            "DELETE /v2/apps/team/app/r1?force=true",
            "GET /ping",
        ]
    );
    assert_eq!(server.seen.lock().unwrap()[1].body, r#"{"instances":3}"#);
}

#[tokio::test]
async fn what_contains_the_prefix_elsewhere_is_left_out() {
    let apps = r#"{"apps":[{"id":"/team/a"},{"id":"/other/team/a"},{"id":"/team/b","extra":{"x":1}}]}"#;
    let server = Server::start(move |_, _| apps.into_response()).await;
    let found: Vec<_> = client(&[&server.url]).list("/team/").await.unwrap().into_iter().map(|a| a.id).collect();
    assert_eq!(found, ["/team/a", "/team/b"]);
    assert!(server.lines()[0].starts_with("GET /v2/apps?id=%2Fteam%2F&embed=apps.tasks&"), "{:?}", server.lines());
}

#[tokio::test]
async fn the_next_address_is_asked_when_one_is_down_or_a_standby() {
    let standby = Server::start(|_, _| (StatusCode::SERVICE_UNAVAILABLE, "no leader").into_response()).await;
    let leader = Server::start(|_, _| ok()).await;
    let marathon = client(&["http://127.0.0.1:1", &standby.url, &leader.url]);
    marathon.put(&app("/a")).await.unwrap();
    marathon.put(&app("/a")).await.unwrap();
    assert_eq!(standby.lines().len(), 1, "the one that answered is asked first from then on");
    assert_eq!(leader.lines().len(), 2);
    let none = client(&["http://127.0.0.1:1", &standby.url]).put(&app("/a")).await.unwrap_err();
    assert!(matches!(none, PortError::Transient { .. }), "{none:?}");
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_unknown_and_never_sent_twice() {
    let first = Server::start(|_, _| ok()).await;
    let second = Server::start(|_, _| ok()).await;
    let marathon = client(&[&first.url, &second.url]);
    let mut hanging = app("/a");
    hanging.image = "hang".to_owned();
    let error = marathon.put(&hanging).await.unwrap_err();
    assert!(matches!(error, PortError::Unknown { .. }), "{error:?}");
    assert_eq!((first.lines().len(), second.lines().len()), (1, 0));

    let broken = Server::start(|_, _| StatusCode::BAD_GATEWAY.into_response()).await;
    let error = client(&[&broken.url]).scale("/a", 2).await.unwrap_err();
    assert!(matches!(error, PortError::Unknown { .. }), "{error:?}");
    let error = client(&[&broken.url]).list("/").await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "a reading request changes nothing: {error:?}");
    let error = client(&["http://127.0.0.1:1"]).put(&app("/a")).await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "it was never sent: {error:?}");
}

#[tokio::test]
async fn marathons_own_words_reach_the_user_and_a_lock_is_a_matter_of_time() {
    let server = Server::start(|n, _| {
        match n {
            0 => (
                StatusCode::UNPROCESSABLE_ENTITY,
                r#"{"message":"Object is not valid","details":[{"path":"/cpus","errors":["must be positive"]}]}"#,
            ),
            1 => (
                StatusCode::CONFLICT,
                r#"{"message":"App is locked by one or more deployments.","deployments":[{"id":"d-7"}]}"#,
            ),
            2 => (StatusCode::FORBIDDEN, r#"{"message":"Max number (100) of running deployments reached"}"#),
            3 => (StatusCode::UNAUTHORIZED, "{}"),
            _ => (StatusCode::NOT_FOUND, r#"{"message":"App '/a' does not exist"}"#),
        }
        .into_response()
    })
    .await;
    let marathon = client(&[&server.url]);
    let PortError::Refused { reason, .. } = marathon.put(&app("/a")).await.unwrap_err() else { panic!("422") };
    assert_eq!(reason, "Object is not valid; /cpus: must be positive");
    let locked = marathon.put(&app("/a")).await.unwrap_err();
    assert!(matches!(locked, PortError::Transient { .. }) && locked.chain().contains("d-7"), "{}", locked.chain());
    assert!(matches!(marathon.put(&app("/a")).await, Err(PortError::Transient { .. })), "too many deployments");
    assert!(matches!(marathon.put(&app("/a")).await, Err(PortError::Refused { .. })), "credentials");
    marathon.delete("/a").await.unwrap();
    marathon.kill("/a", "t", false).await.unwrap();
    assert!(matches!(marathon.scale("/a", 1).await, Err(PortError::Transient { .. })));
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let server = Server::start(|_, _| StatusCode::UNAUTHORIZED.into_response()).await;
    let mut config = MarathonConfig::at(&server.url);
    config.auth = Auth::Basic { user: "padis".to_owned(), password: "s3cret".to_owned() };
    assert!(!format!("{config:?}").contains("s3cret"));
    let error = MarathonClient::new(&config).unwrap().ping().await.unwrap_err();
    // base64 of padis:s3cret
    assert_eq!(server.seen.lock().unwrap()[0].authorization.as_deref(), Some("Basic cGFkaXM6czNjcmV0"));
    assert!(!error.chain().contains("s3cret") && !error.chain().contains("cGFkaXM"), "{}", error.chain());
    let in_the_url = MarathonConfig::at("http://padis:s3cret@127.0.0.1:1");
    let Err(error) = MarathonClient::new(&in_the_url) else { panic!("accepted") };
    assert!(!error.chain().contains("s3cret"), "{}", error.chain());
}

#[tokio::test]
async fn everything_is_read_as_it_comes_and_half_an_answer_is_an_error() {
    let standby = Server::start(|_, _| (StatusCode::SERVICE_UNAVAILABLE, "no leader").into_response()).await;
    let leader = Server::start(|n, _| {
        let app =
            |i| format!(r#"{{"id":"/t/a{i}/r1","instances":2,"tasks":[{{"id":"t{i}","state":"TASK_RUNNING"}}]}}"#);
        let apps: Vec<String> = (0..1_000).map(app).collect();
        let mut whole = format!(r#"{{"apps":[{},{{"id":"/elsewhere/t/b"}}]}}"#, apps.join(","));
        match n {
            0 => {}
            // Cut in the middle, and ended in order, as a proxy does with a server that dies.
            1 => whole.truncate(whole.len() / 2),
            _ => return (StatusCode::UNAUTHORIZED, "{}").into_response(),
        }
        let pieces: Vec<_> = whole.into_bytes().chunks(1_000).map(<[u8]>::to_vec).collect();
        axum::body::Body::from_stream(futures::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)))
            .into_response()
    })
    .await;
    let marathon = client(&["http://127.0.0.1:1", &standby.url, &leader.url]);
    let all: Vec<_> = marathon.each("/t/").collect().await;
    let ids: Vec<_> = all.iter().map(|a| a.as_ref().unwrap()).map(|a| (a.id.clone(), a.tasks.len())).collect();
    assert_eq!((ids.len(), &ids[999]), (1_000, &("/t/a999/r1".to_owned(), 1)), "and not what is elsewhere");
    let half: Vec<_> = marathon.each("/t/").collect().await;
    assert!(half.len() > 100 && half.len() < 1_000, "{}", half.len());
    let (last, before) = half.split_last().unwrap();
    assert!(before.iter().all(Result::is_ok));
    assert!(last.as_ref().unwrap_err().chain().contains("broke off"), "{last:?}");
    let refused: Vec<_> = marathon.each("/t/").collect().await;
    assert!(matches!(refused.as_slice(), [Err(PortError::Refused { .. })]), "{refused:?}");
}
