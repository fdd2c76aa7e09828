use super::*;
use std::time::Duration;

/// Reads a stream until it holds `until` or ends.
async fn read(body: &mut Body, until: &str) -> String {
    let mut text = String::new();
    let all = async {
        while let Some(Ok(frame)) = body.frame().await {
            if let Some(data) = frame.data_ref() {
                text.push_str(&String::from_utf8_lossy(data));
            }
            if text.contains(until) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all).await.expect("in time");
    text
}

async fn open(w: &World, cookie: &str) -> Body {
    let r = request(Method::GET, "/events/stream", cookie, &[("accept-encoding", "gzip")], Body::empty());
    let r = w.router.clone().oneshot(r).await.expect("answer");
    assert_eq!(r.status(), StatusCode::OK);
    assert_eq!(r.headers()["content-type"], "text/event-stream");
    assert!(!r.headers().contains_key("content-encoding"), "a compressed stream would wait for more");
    let mut body = r.into_body();
    let first = read(&mut body, "\n\n").await;
    assert_eq!(first, format!("event: at\ndata: {}\n\n", w.changes.mark()));
    body
}

#[tokio::test]
async fn everybody_hears_what_he_may_know() {
    let w = world().await;
    let mut anna = open(&w, &w.session("anna").await).await;
    let mut admin = open(&w, &w.session("admin").await).await;
    w.changes.publish("app:life/secret", Some("life"));
    w.changes.publish("work", None);
    w.changes.publish("app:motor/shop", Some("motor"));
    let heard = read(&mut anna, "motor/shop").await;
    assert_eq!(heard, "event: change\ndata: {\"revision\":1,\"topic\":\"app:motor/shop\"}\n\n");
    let heard = read(&mut admin, "motor/shop").await;
    assert!(heard.contains("life/secret") && heard.contains("\"work\""), "{heard}");
}

#[tokio::test]
async fn what_changed_before_the_stream_stood_shows_in_its_mark() {
    let w = world().await;
    let page = w.get("/", &w.session("anna").await).await.text();
    let meta =
        page.split("name=\"padis-reader\" content=\"").nth(1).and_then(|m| m.split('"').next()).unwrap_or_default();
    let reader = padis_app::wire::value::<padis_app::shell::me::Reader>(meta).expect("the page's head");
    assert_eq!(reader.mark, w.changes.mark(), "nothing has changed since");
    w.changes.publish("app:motor/shop", Some("motor"));
    assert_ne!(reader.mark, w.changes.mark());
}

#[tokio::test]
async fn who_was_too_slow_is_told_once_to_fetch_again() {
    let w = world().await;
    let mut anna = open(&w, &w.session("anna").await).await;
    for _ in 0..5000 {
        w.changes.publish("app:motor/shop", Some("motor"));
    }
    let heard = read(&mut anna, "\"revision\":5000").await;
    let at = format!("event: at\ndata: {}\n\n", w.changes.mark());
    assert_eq!((heard.matches("event: at").count(), heard.contains(&at)), (1, true), "{heard}");
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_the_portal() {
    let w = world().await;
    let cookie = w.session("anna").await;
    let mut anna = open(&w, &cookie).await;
    let mut admin = open(&w, &w.session("admin").await).await;
    w.auth.sessions.revoke_account("anna", None).await.expect("revoke");
    w.changes.publish("app:motor/shop", Some("motor"));
    assert_eq!(read(&mut anna, "never").await, "", "nothing after the revocation, and an end");
    w.stop.cancel();
    let rest = read(&mut admin, "never").await;
    assert!(!rest.contains("never"));
}
