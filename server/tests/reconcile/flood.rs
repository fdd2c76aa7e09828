//! Marathon says 5,000 things a second: every change among them is noticed, told with its
//! cause and repaired, and neither memory nor queue grow with what is said.
//!
//! The stream is a real one: HTTP, frames, pieces as the network cuts them. What it says
//! of the applications is what happens to them; the rest is what a busy Marathon says.

use super::support::each_database;
use super::world::{World, until};
use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use futures::StreamExt;
use futures::stream::BoxStream;
use padis_domain::app::AppRef;
use padis_domain::ports::{PortResult, SchedApp, SchedEvent, SchedSeen, SchedTold, SchedWaiting, Scheduler};
use padis_drivers::fake::FakeScheduler;
use padis_drivers::marathon::{MarathonClient, MarathonConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Events a second.
const RATE: u64 = 5_000;
/// How long, in the test suite; the bench goes on for a minute.
const FLOOD: Duration = Duration::from_secs(6);
/// Applications that change meanwhile.
const APPS: u32 = 12;
/// MiB by which the process may grow.
const GROWTH_MIB: u64 = 96;

/// Marathon: apps in memory, events over a connection.
pub(super) struct Busy {
    pub apps: Arc<FakeScheduler>,
    /// The client of a server that says what the test wants.
    pub wire: MarathonClient,
    /// Whether apps are put over the connection as well.
    pub puts: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl Scheduler for Busy {
    async fn list(&self, prefix: &str) -> PortResult<Vec<SchedSeen>> {
        self.apps.list(prefix).await
    }
    async fn put(&self, app: &SchedApp) -> PortResult<()> {
        if self.puts.load(Ordering::Relaxed) { self.wire.put(app).await } else { self.apps.put(app).await }
    }
    async fn scale(&self, id: &str, instances: u32) -> PortResult<()> {
        self.apps.scale(id, instances).await
    }
    async fn delete(&self, id: &str) -> PortResult<()> {
        self.apps.delete(id).await
    }
    async fn kill(&self, app_id: &str, task_id: &str, scale: bool) -> PortResult<()> {
        self.apps.kill(app_id, task_id, scale).await
    }
    async fn waiting(&self) -> PortResult<Vec<SchedWaiting>> {
        self.apps.waiting().await
    }
    fn events(&self) -> BoxStream<'static, SchedEvent> {
        self.wire.events()
    }
    async fn framework(&self) -> PortResult<Option<String>> {
        self.apps.framework().await
    }
    async fn ping(&self) -> PortResult<()> {
        self.apps.ping().await
    }
}

fn frame(kind: &str, data: &serde_json::Value) -> String {
    format!("event: {kind}\r\ndata: {data}\r\n\r\n")
}

/// A status update as Marathon writes it.
fn status(app: &str, task: &str, state: &str, message: &str, at: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000).expect("a time");
    let at = at.format(&time::format_description::well_known::Rfc3339).expect("a time");
    let data = serde_json::json!({
        "slaveId": "7e1b1e34-5b5c-4a0c-9b0e-1d2f3a4b5c6d-S3", "taskId": task, "taskStatus": state, "message": message,
        "appId": app, "host": "agent-0042.bank", "ipAddresses": [{"ipAddress": "10.20.30.40", "protocol": "IPv4"}],
        "ports": [31_415], "version": "2026-11-29T02:00:00.000Z", "eventType": "status_update_event", "timestamp": at,
    });
    frame("status_update_event", &data)
}

/// What a busy Marathon says in a hundredth of a second: of others' apps, of ours what is
/// so already, and of deployments that touch ours without changing them.
fn noise(n: u64, ours: &[(String, String)]) -> String {
    let now = padis_server::store::now_ms();
    let mut out = String::new();
    for i in 0..RATE / 100 {
        let n = n * RATE / 100 + i;
        out += &match n % 10 {
            0 => {
                let id = format!("/others/app-{}/r1", n % 3_000);
                let plan = serde_json::json!({"id": "d", "version": "v", "steps": [{"actions": [{"action": "ScaleApplication", "app": id}]}]});
                frame(
                    "deployment_step_success",
                    &serde_json::json!({"eventType": "deployment_step_success", "plan": plan, "timestamp": "2026-11-29T02:00:00.000Z"}),
                )
            }
            1 => {
                let (app, _) = &ours[(n / 10) as usize % ours.len()];
                let plan = serde_json::json!({"id": "d", "version": "v", "steps": [{"actions": [{"action": "ScaleApplication", "app": app}]}]});
                frame(
                    "deployment_info",
                    &serde_json::json!({"eventType": "deployment_info", "plan": plan, "timestamp": "2026-11-29T02:00:00.000Z"}),
                )
            }
            2..=5 => {
                let (app, task) = &ours[(n / 10) as usize % ours.len()];
                status(app, task, "TASK_RUNNING", "", now)
            }
            _ => status(
                &format!("/others/app-{}/r1", n % 3_000),
                &format!("others_app.{n}"),
                "TASK_FAILED",
                "exit code 1",
                now,
            ),
        };
    }
    out
}

/// The stream's body: what happens, at once; and, while `flooding`, noise beside it.
fn body(apps: &Arc<FakeScheduler>, flooding: Arc<AtomicU64>, sent: Arc<AtomicU64>) -> Body {
    let apps = Arc::clone(apps);
    let heard = apps.events().filter_map(async |e| match e {
        SchedEvent::Told(SchedTold { kind, at, apps, task_id: Some(task), state: Some(state), message, .. })
            if kind == "status_update_event" =>
        {
            Some(Bytes::from(status(&apps[0], &task, &state, &message, at.unwrap_or_default())))
        }
        _ => None,
    });
    let ticks =
        futures::stream::unfold((tokio::time::interval(Duration::from_millis(10)), 0), |(mut t, n)| async move {
            t.tick().await;
            Some((n, (t, n + 1)))
        });
    let noise = ticks.filter_map(move |n| {
        let on = flooding.load(Ordering::Relaxed) == 1;
        let ours: Vec<(String, String)> = if on { running(&apps) } else { vec![] };
        let sent = Arc::clone(&sent);
        async move {
            (!ours.is_empty()).then(|| {
                sent.fetch_add(RATE / 100, Ordering::Relaxed);
                Bytes::from(noise(n, &ours))
            })
        }
    });
    let all = futures::stream::select(heard.boxed(), noise.boxed());
    Body::from_stream(all.map(Ok::<_, std::convert::Infallible>))
}

fn app(n: u32) -> AppRef {
    AppRef { team: "motor".into(), app: format!("flood-{n}") }
}

/// App and task of each running instance of ours.
fn running(apps: &FakeScheduler) -> Vec<(String, String)> {
    let of = |n| app(n).marathon_id(1);
    (0..APPS).flat_map(|n| apps.tasks(&of(n)).into_iter().map(move |t| (of(n), t.id))).collect()
}

fn rss_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number") / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_events_loses_no_change_and_costs_no_memory() {
    each_database(async |store| {
        let w = World::new(store).await;
        let (flooding, sent) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let parts = (Arc::clone(&w.sched), Arc::clone(&flooding), Arc::clone(&sent));
        let router = axum::Router::new().fallback(move || {
            let answer = body(&parts.0, Arc::clone(&parts.1), Arc::clone(&parts.2)).into_response();
            async move { answer }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let wire = MarathonClient::new(&MarathonConfig::at(&url)).expect("a client");
        let busy = Busy { apps: Arc::clone(&w.sched), wire, puts: Arc::default() };
        *w.before.lock().expect("lock") = Some(Arc::new(busy));
        // Sweeps so rare that events alone lead to looks.
        w.start_with(Duration::from_secs(3_600));
        for n in 0..APPS {
            w.release(&app(n), 1, 2).await;
        }
        for n in 0..APPS {
            w.until_online(&app(n), 1, 2).await;
        }
        let report = || w.stream.lock().expect("lock").report();
        let (before, heard_before) = (rss_mib(), report().events);
        flooding.store(1, Ordering::Relaxed);
        until("it floods", async || report().events > heard_before + RATE / 2).await;

        let (begun, mut n, mut shown_ms, mut most_work) = (Instant::now(), 0u32, Vec::new(), 0);
        while begun.elapsed() < FLOOD {
            let id = app(n % APPS);
            let victim = w.tasks(&id, 1).remove(0);
            let at = Instant::now();
            assert!(w.sched.end_task(&victim, "TASK_FAILED", &format!("exit code {n}")));
            let shows = || w.live.named(&id).is_some_and(|a| a.instances.iter().all(|i| i.task_id != victim));
            until("the page shows that it is gone", async || shows()).await;
            shown_ms.push(at.elapsed().as_millis());
            most_work = most_work.max(w.count("SELECT COUNT(*) FROM work").await);
            n += 1;
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        let (flooded, grown) = (begun.elapsed(), rss_mib().saturating_sub(before));
        flooding.store(0, Ordering::Relaxed);
        for n in 0..APPS {
            w.until_online(&app(n), 1, 2).await;
        }
        // Each of them, with the cause that only its event told.
        until("every one is told", async || {
            w.count("SELECT COUNT(*) FROM journal WHERE what = 'instance.died'").await >= i64::from(n)
        })
        .await;
        for n in 0..n {
            let told = format!(
                "SELECT COUNT(*) FROM journal WHERE what = 'instance.died' AND event LIKE '%\"exit code {n}\"%'"
            );
            assert_eq!(w.count(&told).await, 1, "exit code {n}");
        }
        let (sent, heard) = (sent.load(Ordering::Relaxed), report().events - heard_before);
        shown_ms.sort_unstable();
        let slowest = shown_ms[shown_ms.len() - 1];
        println!(
            "{sent} events in {flooded:?}, {heard} heard, {n} changes, shown within {slowest} ms, {grown} MiB more"
        );
        assert!(heard >= sent, "nothing was left out: {heard} of {sent}");
        let rate = sent as f64 / flooded.as_secs_f64();
        assert!(rate > RATE as f64 * 0.9, "{rate} events a second are no flood");
        assert!(slowest < 2_000, "shown after {shown_ms:?} ms");
        assert!(most_work <= i64::from(APPS) + 1, "{most_work} rows: the queue grows with what is said");
        assert!(grown < GROWTH_MIB, "{grown} MiB more");
        assert_eq!(report().gaps, [], "the stream held");
        w.stop().await;
    })
    .await;
}
