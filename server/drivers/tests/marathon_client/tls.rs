//! TLS with an authority of the bank's own, and who we are to it.

use super::certificates;
use super::server::{Server, app, ok};
use super::stream::{feed, next};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use padis_domain::ports::{PortError, SchedEvent, Scheduler};
use padis_domain::view::StreamEnd;
use padis_drivers::http::Auth;
use padis_drivers::marathon::{MarathonClient, MarathonConfig};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

fn config(url: &str, ca: Option<&Path>) -> MarathonConfig {
    let mut config = MarathonConfig::at(url);
    (config.ca, config.deadline) = (ca.map(Path::to_owned), Duration::from_secs(2));
    config
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    certificates::authority(folder.path(), "bank");
    certificates::authority(folder.path(), "stranger");
    certificates::server(folder.path(), "bank", "marathon", "DNS:localhost");
    certificates::server(folder.path(), "bank", "elsewhere", "DNS:other.bank");
    let (sender, body) = feed();
    let body = Mutex::new(Some(body));
    let server = Server::start_tls(folder.path(), "marathon", move |_, request| {
        match request.line.starts_with("GET /v2/events").then(|| body.lock().unwrap().take()).flatten() {
            Some(body) => body.into_response(),
            None => ok(),
        }
    })
    .await;

    let marathon = MarathonClient::new(&config(&server.url, Some(&at("bank.crt")))).unwrap();
    marathon.put(&app("/a")).await.unwrap();
    let mut events = marathon.events();
    assert_eq!(next(&mut events).await, SchedEvent::Attached { to: server.url.clone() });
    sender.send("\r\n").await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive);
    let asked = server.lines().len();

    // Another authority, or only those that the machine trusts.
    for ca in [Some(at("stranger.crt")), None] {
        let marathon = MarathonClient::new(&config(&server.url, ca.as_deref())).unwrap();
        let error = marathon.put(&app("/a")).await.unwrap_err();
        assert!(matches!(error, PortError::Transient { .. }), "nothing was sent, so nothing happened: {error:?}");
        let words = error.chain();
        assert!(words.contains("signed by an authority that Padis does not trust"), "{words}");
        let SchedEvent::Detached { cause, why } = next(&mut marathon.events()).await else { panic!("trusted") };
        assert_eq!(cause, StreamEnd::Untrusted);
        assert!(why.contains("signed by an authority that Padis does not trust"), "{why}");
    }
    assert_eq!(server.lines().len(), asked, "no request reached a server that is not trusted");

    let other = Server::start_tls(folder.path(), "elsewhere", |_, _| ok()).await;
    let marathon = MarathonClient::new(&config(&other.url, Some(&at("bank.crt")))).unwrap();
    let words = marathon.ping().await.unwrap_err().chain();
    assert!(words.contains("for another name than the address"), "{words}");
    assert_eq!(other.lines(), [""; 0]);
}

#[tokio::test]
async fn a_file_without_authorities_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    for (file, why) in [(&missing, "can't be read"), (&empty, "holds no certificate")] {
        let Err(PortError::Refused { reason, .. }) = MarathonClient::new(&config("https://m", Some(file))) else {
            panic!("accepted {}", file.display())
        };
        assert!(reason.contains(why) && reason.contains(&file.display().to_string()), "{reason}");
    }
}

#[tokio::test]
async fn who_we_are_goes_with_every_request_and_with_the_stream_but_never_into_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    certificates::authority(folder.path(), "bank");
    certificates::server(folder.path(), "bank", "marathon", "DNS:localhost");
    let plain = Server::start(|_, _| ok()).await;
    let to = plain.url.clone();
    let server = Server::start_tls(folder.path(), "marathon", move |_, request| {
        if request.line.contains("/moved/") {
            let location = format!("{to}/v2/apps/moved/r1");
            return (StatusCode::TEMPORARY_REDIRECT, [("location", location)]).into_response();
        }
        StatusCode::UNAUTHORIZED.into_response()
    })
    .await;
    let basic = Auth::Basic { user: "padis".to_owned(), password: "s3cret".to_owned() };
    for (auth, sent) in [(basic, "Basic cGFkaXM6czNjcmV0"), (Auth::Header("token=t0ken".into()), "token=t0ken")] {
        let config = MarathonConfig { auth, ..config(&server.url, Some(&folder.path().join("bank.crt"))) };
        assert!(!format!("{config:?}").contains("s3cret") && !format!("{config:?}").contains("t0ken"));
        let before = server.lines().len();
        let marathon = MarathonClient::new(&config).unwrap();
        let refused = marathon.list("/").await.unwrap_err();
        assert!(matches!(refused, PortError::Refused { .. }), "{refused:?}");
        let SchedEvent::Detached { cause, why } = next(&mut marathon.events()).await else { panic!("attached") };
        assert_eq!(cause, StreamEnd::Unauthorized, "{why}");
        let moved = marathon.put(&app("/moved/r1")).await.unwrap_err();
        for words in [refused.chain(), why, moved.chain()] {
            assert!(!words.contains("s3cret") && !words.contains("t0ken") && !words.contains("cGFk"), "{words}");
        }
        let seen = server.seen.lock().unwrap()[before..].to_vec();
        assert_eq!(seen.len(), 3);
        assert!(seen.iter().all(|s| s.authorization.as_deref() == Some(sent)), "{seen:?}");
    }
    assert_eq!(plain.lines(), [""; 0], "a redirect from TLS to plain text is not followed");
}
