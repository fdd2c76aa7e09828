//! The event stream.

use super::server::{DEADLINE, Server, client};
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use futures::StreamExt;
use padis_domain::ports::{PortError, SchedEvent, SchedTold, Scheduler};
use padis_domain::view::StreamEnd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// A stream's body that the test feeds.
pub fn feed() -> (mpsc::Sender<&'static str>, Body) {
    let (sender, receiver) = mpsc::channel(16);
    (sender, Body::from_stream(ReceiverStream::new(receiver).map(Ok::<_, std::io::Error>)))
}

/// The next event.
pub async fn next(events: &mut (impl futures::Stream<Item = SchedEvent> + Unpin)) -> SchedEvent {
    tokio::time::timeout(DEADLINE, events.next()).await.expect("an event in time").expect("the stream never ends")
}

const KILLED: &str = "event: status_update_event\ndata: {\"eventType\":\"status_update_event\",\"timestamp\":\"t\",\
    \"slaveId\":\"S\",\"taskId\":\"t.1\",\"taskStatus\":\"TASK_KILLED\",\"appId\":\"/a\",\"host\":\"h\",\"ports\":[],\
    \"version\":\"v\",\"message\":\"because\"}\n\n";

#[tokio::test]
async fn a_stream_that_is_closed_or_silent_is_opened_again() {
    let bodies: Arc<Mutex<Vec<Body>>> = Arc::default();
    let (first, body1) = feed();
    let (second, body2) = feed();
    let (third, body3) = feed();
    bodies.lock().unwrap().extend([body3, body2, body1]);
    let stock = Arc::clone(&bodies);
    let server =
        Server::start(move |_, _| stock.lock().unwrap().pop().unwrap_or_else(Body::empty).into_response()).await;
    let mut events = client(&[&server.url]).events();
    assert!(matches!(next(&mut events).await, SchedEvent::Attached { .. }));
    // In pieces, as a network delivers it.
    let (a, b) = KILLED.split_at(57);
    first.send(a).await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive);
    first.send(b).await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive);
    let expected = SchedEvent::Told(SchedTold {
        kind: "status_update_event".into(),
        at: None,
        apps: vec!["/a".into()],
        task_id: Some("t.1".into()),
        state: Some("TASK_KILLED".into()),
        host: "h".into(),
        message: "because".into(),
    });
    assert_eq!(next(&mut events).await, expected);
    first.send("\n").await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive, "a heartbeat");
    drop(first);
    let SchedEvent::Detached { cause: StreamEnd::Closed, why } = next(&mut events).await else { panic!("closed") };
    assert!(why.contains("closed"), "{why}");

    // The second connection is open and stays silent.
    assert!(matches!(next(&mut events).await, SchedEvent::Attached { .. }));
    let begun = Instant::now();
    let SchedEvent::Detached { cause: StreamEnd::Silent, why } = next(&mut events).await else { panic!("silent") };
    assert!(why.contains("not a byte"), "{why}");
    assert!(begun.elapsed() >= Duration::from_millis(390), "not before its time: {:?}", begun.elapsed());
    tokio::time::timeout(DEADLINE, second.closed()).await.expect("the silent connection is dropped by us");

    assert!(matches!(next(&mut events).await, SchedEvent::Attached { .. }));
    third.send("event: unheard_of\ndata: not json\n\n").await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive, "garbage is a sign of life");
    let SchedEvent::Told(told) = next(&mut events).await else { panic!("counted") };
    assert_eq!((told.kind.as_str(), told.apps), ("garbled", vec![]), "… and wakes nobody");
    third.send(KILLED).await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive);
    assert_eq!(next(&mut events).await, expected);
}

#[tokio::test]
async fn the_stream_tries_the_other_address_and_says_what_is_wrong() {
    let down = Server::start(|_, _| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
    let (sender, body) = feed();
    let body = Mutex::new(Some(body));
    let up = Server::start(move |_, _| body.lock().unwrap().take().unwrap_or_else(Body::empty).into_response()).await;
    let mut events = client(&[&down.url, &up.url]).events();
    let SchedEvent::Detached { cause: StreamEnd::NoLeader, why } = next(&mut events).await else { panic!("503") };
    assert!(why.contains("503"), "{why}");
    assert!(matches!(next(&mut events).await, SchedEvent::Attached { .. }));
    sender.send("\r\n").await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive);
}

#[tokio::test]
async fn an_event_without_an_end_is_cut() {
    let piece: &'static [u8] = Box::leak(vec![b'x'; 1024 * 1024].into_boxed_slice());
    let server = Server::start(move |_, _| {
        let endless = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(Bytes::from_static(piece)));
        Body::from_stream(endless).into_response()
    })
    .await;
    let mut events = client(&[&server.url]).events();
    assert!(matches!(next(&mut events).await, SchedEvent::Attached { .. }));
    let why = loop {
        match next(&mut events).await {
            SchedEvent::Alive => {}
            SchedEvent::Detached { cause: StreamEnd::Endless, why } => break why,
            other => panic!("{other:?}"),
        }
    };
    assert!(why.contains("exceeds"), "{why}");
}

#[tokio::test]
async fn the_stream_follows_the_leader_and_asks_only_for_what_says_something_new() {
    let (old, old_body) = feed();
    let (new, new_body) = feed();
    let new_body = Mutex::new(Some(new_body));
    let leader =
        Server::start(move |_, _| new_body.lock().unwrap().take().unwrap_or_else(Body::empty).into_response()).await;
    let (to, old_body) = (leader.url.clone(), Mutex::new(Some(old_body)));
    // It leads until its stream is over; then it knows who does.
    let former = Server::start(move |_, request| match old_body.lock().unwrap().take() {
        Some(body) => body.into_response(),
        None => {
            let path = request.line.split(' ').nth(1).unwrap();
            (StatusCode::TEMPORARY_REDIRECT, [("location", format!("{to}{path}"))]).into_response()
        }
    })
    .await;
    let marathon = client(&[&former.url]);
    let mut events = marathon.events();
    assert_eq!(next(&mut events).await, SchedEvent::Attached { to: former.url.clone() });
    drop(old);
    let SchedEvent::Detached { cause: StreamEnd::Closed, .. } = next(&mut events).await else { panic!("closed") };
    assert_eq!(next(&mut events).await, SchedEvent::Attached { to: leader.url.clone() });
    new.send("\r\n").await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive);
    let line = leader.lines().remove(0);
    assert!(line.starts_with("GET /v2/events?plan-format=light&event_type="), "{line}");
    for kind in ["status_update_event", "deployment_success", "api_post_event", "app_terminated_event"] {
        assert!(line.contains(&format!("&event_type={kind}")), "{line}");
    }
    assert!(!line.contains("failed_health_check_event"), "{line}");
}

#[tokio::test]
async fn a_server_that_never_answers_costs_the_deadline_and_no_more() {
    // Accepts connections and says nothing; another sends its answer drop by drop.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let trickle = Server::start(|_, _| {
        let drops = futures::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        });
        Body::from_stream(drops).into_response()
    })
    .await;
    for url in [&url, &trickle.url] {
        let marathon = client(&[url]);
        let begun = Instant::now();
        let error = marathon.list("/").await.unwrap_err();
        assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
        let error = marathon.scale("/a", 1).await.unwrap_err();
        assert!(matches!(error, PortError::Unknown { .. }), "it may have arrived: {error:?}");
        assert!(begun.elapsed() < Duration::from_secs(4), "two deadlines of 0.4 s took {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    let SchedEvent::Detached { cause: StreamEnd::Unreachable, why } = next(&mut client(&[&url]).events()).await else {
        panic!("attached")
    };
    assert!(why.contains("no answer within 0.4 s") && begun.elapsed() < Duration::from_secs(2), "{why}");
}

#[tokio::test]
async fn nothing_is_buffered_for_a_consumer_that_does_not_come() {
    let sent = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = Arc::clone(&sent);
    let server = Server::start(move |_, _| {
        let counted = Arc::clone(&counted);
        let flood = futures::stream::repeat_with(move || {
            counted.fetch_add(KILLED.len() as u64, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from_static(KILLED.as_bytes()))
        });
        Body::from_stream(flood).into_response()
    })
    .await;
    let mut events = client(&[&server.url]).events();
    assert!(matches!(next(&mut events).await, SchedEvent::Attached { .. }));
    // Nobody reads until the sender can't send any more, because all buffers between are full.
    let at = || sent.load(std::sync::atomic::Ordering::Relaxed);
    let begun = Instant::now();
    let mut before = 0;
    while at() != before || before == 0 {
        assert!(begun.elapsed() < DEADLINE, "it goes on: {before} bytes");
        before = at();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(before < 32 * 1024 * 1024, "{before} bytes lie somewhere");
    // What was sent is still there, nothing was dropped on the way.
    for _ in 0..10_000 {
        assert!(matches!(next(&mut events).await, SchedEvent::Told(_) | SchedEvent::Alive));
    }
}
