//! An app that a deployment holds: waited for, never failed.

use super::flood::Busy;
use super::support::each_database;
use super::world::{World, claims, until};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use padis_domain::delivery::{Note, StepView};
use padis_drivers::marathon::{MarathonClient, MarathonConfig};
use padis_server::store::from_json;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::{Receiver, Sender};

/// Marathon's answer for an app that a deployment holds.
const LOCKED: &str = r#"{"message":"App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.","deployments":[{"id":"5ed4c0c5-9ff8-4a6f-a0cd-f57f59a34b43"}]}"#;

fn freed(app: &str) -> String {
    let plan = serde_json::json!({"id": "5ed4c0c5-9ff8-4a6f-a0cd-f57f59a34b43", "version": "v",
        "steps": [{"actions": [{"action": "StopApplication", "app": app}]}]});
    let data = serde_json::json!({"eventType": "deployment_success", "id": "5ed4c0c5-9ff8-4a6f-a0cd-f57f59a34b43",
        "plan": plan, "timestamp": "2026-11-29T02:00:00.000Z"});
    format!("event: deployment_success\r\ndata: {data}\r\n\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_app_waits_for_the_deployment_and_goes_on_when_it_is_over() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        let (locked, puts) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
        let events = Sender::<String>::new(16);
        let (asked, said) = (Arc::clone(&puts), events.clone());
        let router = axum::Router::new().fallback(move |method: Method| {
            let answer = if method == Method::PUT {
                asked.fetch_add(1, Ordering::Relaxed);
                (StatusCode::CONFLICT, LOCKED).into_response()
            } else {
                Body::from_stream(sent(said.subscribe())).into_response()
            };
            async move { answer }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let wire = MarathonClient::new(&MarathonConfig::at(&url)).expect("a client");
        let busy = Busy { apps: Arc::clone(&w.sched), wire, puts: Arc::clone(&locked) };
        *w.before.lock().expect("lock") = Some(Arc::new(busy));
        // Nothing but back-off and the end of the deployment leads to another attempt.
        w.start_with(Duration::from_secs(3_600));
        until("it listens", async || events.receiver_count() == 1).await;
        w.release(&app, 1, 1).await;
        until("refused again and again", async || puts.load(Ordering::Relaxed) >= 5).await;
        let told = w.word("SELECT outcome FROM work WHERE key = 'app:motor/claims'").await;
        assert!(told.contains("locked") && told.contains("5ed4c0c5"), "the operator reads which deployment: {told:?}");
        assert_eq!(w.count("SELECT COUNT(*) FROM work WHERE parked = 1").await, 0, "it is not given up");
        let steps = w.word("SELECT steps FROM delivery").await;
        let steps: Vec<StepView> = from_json("steps", &steps).expect("steps");
        assert!(
            steps.iter().any(|s| matches!(s.note, Some(Note::Unavailable { .. }))),
            "it says what it waits for: {steps:?}"
        );
        assert_eq!(w.word("SELECT state FROM delivery").await, "waiting");

        // Between attempts lie seconds by now; the end of the deployment cuts that short.
        locked.store(false, Ordering::Relaxed);
        let due =
            w.count("SELECT due_at FROM work WHERE key = 'app:motor/claims'").await - padis_server::store::now_ms();
        let freed_at = Instant::now();
        events.send(freed(&app.marathon_id(1))).expect("somebody listens");
        until("it is put", async || !w.tasks(&app, 1).is_empty()).await;
        let took = freed_at.elapsed();
        println!("due in {due} ms, put after {took:?}");
        assert!(due < 1_000 || took < Duration::from_millis(900), "due in {due} ms, it took {took:?}");
        w.until_online(&app, 1, 1).await;
        w.stop().await;
    })
    .await;
}

/// What is sent from now on.
fn sent(from: Receiver<String>) -> impl futures::Stream<Item = Result<String, Infallible>> + Send {
    futures::stream::unfold(from, async |mut from| Some((Ok(from.recv().await.ok()?), from)))
}
