//! What the Marathon client makes of answers that a well-behaved server does not
//! give: standbys, time-outs, locks, refusals, a stream that hangs or dies.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use padis_domain::ports::{PortError, SchedApp, SchedEvent, Scheduler};
use padis_drivers::http::Auth;
use padis_drivers::marathon::{MarathonClient, MarathonConfig};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

const DEADLINE: Duration = Duration::from_secs(10);

/// One request as the server saw it.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    authorization: Option<String>,
    body: String,
}

type Log = Arc<Mutex<Vec<Seen>>>;
type Answer = dyn Fn(usize, &Seen) -> Response + Send + Sync;

struct Server {
    url: String,
    seen: Log,
}

impl Server {
    /// A server that answers request number n (from 0) with `answer(n, request)`.
    async fn start(answer: impl Fn(usize, &Seen) -> Response + Send + Sync + 'static) -> Self {
        let seen: Log = Arc::default();
        let state: (Log, Arc<Answer>) = (Arc::clone(&seen), Arc::new(answer));
        let router = Router::new().fallback(handle).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }
    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|s| s.line.clone()).collect()
    }
}

async fn handle(
    State((seen, answer)): State<(Log, Arc<Answer>)>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Seen {
        line: format!("{method} {uri}"),
        authorization: headers.get("authorization").map(|v| v.to_str().unwrap().to_owned()),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    if uri.path() == "/hang" || request.body.contains("\"hang\"") {
        std::future::pending::<()>().await;
    }
    answer(number, &request)
}

fn client(urls: &[&str]) -> MarathonClient {
    let mut config = MarathonConfig::at("http://127.0.0.1:1");
    config.endpoints = urls.iter().map(|u| (*u).to_owned()).collect();
    config.deadline = Duration::from_millis(400);
    config.silence = Duration::from_millis(400);
    MarathonClient::new(&config).unwrap()
}

fn app(id: &str) -> SchedApp {
    SchedApp {
        id: id.to_owned(),
        image: "i".to_owned(),
        instances: 1,
        cpu_milli: 100,
        mem_mib: 32,
        env: BTreeMap::new(),
        labels: BTreeMap::new(),
        constraints: Vec::new(),
        volumes: Vec::new(),
        network: "none".to_owned(),
        kill_grace_s: 5,
    }
}

fn ok() -> Response {
    (StatusCode::OK, r#"{"version":"v","deploymentId":"d"}"#).into_response()
}

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

/// A stream's body that the test feeds.
fn feed() -> (mpsc::Sender<&'static str>, Body) {
    let (sender, receiver) = mpsc::channel(16);
    (sender, Body::from_stream(ReceiverStream::new(receiver).map(Ok::<_, std::io::Error>)))
}

async fn next(events: &mut (impl futures::Stream<Item = SchedEvent> + Unpin)) -> SchedEvent {
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
    assert_eq!(next(&mut events).await, SchedEvent::Attached);
    // In pieces, as a network delivers it.
    let (a, b) = KILLED.split_at(57);
    first.send(a).await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive);
    first.send(b).await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive);
    let expected = SchedEvent::App {
        id: "/a".into(),
        task_id: Some("t.1".into()),
        state: Some("TASK_KILLED".into()),
        message: "because".into(),
        kind: "status_update_event".into(),
    };
    assert_eq!(next(&mut events).await, expected);
    first.send("\n").await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive, "a heartbeat");
    drop(first);
    let SchedEvent::Detached { why } = next(&mut events).await else { panic!("closed") };
    assert!(why.contains("closed"), "{why}");

    // The second connection is open and stays silent.
    assert_eq!(next(&mut events).await, SchedEvent::Attached);
    let begun = Instant::now();
    let SchedEvent::Detached { why } = next(&mut events).await else { panic!("silent") };
    assert!(why.contains("not a byte"), "{why}");
    assert!(begun.elapsed() >= Duration::from_millis(390), "not before its time: {:?}", begun.elapsed());
    tokio::time::timeout(DEADLINE, second.closed()).await.expect("the silent connection is dropped by us");

    assert_eq!(next(&mut events).await, SchedEvent::Attached);
    third.send("event: unheard_of\ndata: not json\n\n").await.unwrap();
    assert_eq!(next(&mut events).await, SchedEvent::Alive, "garbage is a sign of life and nothing more");
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
    let SchedEvent::Detached { why } = next(&mut events).await else { panic!("503") };
    assert!(why.contains("503"), "{why}");
    assert_eq!(next(&mut events).await, SchedEvent::Attached);
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
    assert_eq!(next(&mut events).await, SchedEvent::Attached);
    let why = loop {
        match next(&mut events).await {
            SchedEvent::Alive => {}
            SchedEvent::Detached { why } => break why,
            other => panic!("{other:?}"),
        }
    };
    assert!(why.contains("exceeds"), "{why}");
}
