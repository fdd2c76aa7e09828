//! The portal before a large, busy Marathon: 100,000 instances of 10,000 applications on
//! simulated agents, and 5,000 events a second for a minute.
//!
//! Everything is measured from outside: pages by a browser's requests, memory by the
//! kernel's word. The instances never leave staging (their agents take an hour), so that
//! the reconciler looks at all of them for real but has nothing to attach: there are no
//! containers. Between portal and engine stands a proxy of ours that adds to the engine's
//! own events such as a busy Marathon would say. One could get it wrong by measuring pages
//! while the looks of the start are still under way, or by a generator that does not keep
//! its pace; both are waited for and printed.

use super::Outcome;
use super::engine::Engine;
use super::portal::{Place, Portal};
use super::table::{Table, median_p99};
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use padis_domain::app::{HealthRule, ReleaseSpec};
use padis_domain::quantity::Size;
use padis_drivers::fake::FakeRegistry;
use padis_server::store::{Store, now_ms};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const APPS: u32 = 10_000;
const EACH: u32 = 10;
/// Events a second.
const RATE: u64 = 5_000;
const FLOOD: Duration = Duration::from_secs(60);
const ENGINE: &str = "http://127.0.0.1:18080";

fn name(n: u32) -> String {
    format!("s{n:05}")
}

/// What the proxy knows.
#[derive(Clone)]
struct Proxy {
    client: reqwest::Client,
    /// App and task of every instance.
    tasks: Arc<Vec<(String, String)>>,
    flooding: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
}

async fn pass(State(p): State<Proxy>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let at = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let events = at.starts_with("/v2/events");
    let mut call = p
        .client
        .request(parts.method, format!("{ENGINE}{at}"))
        .body(reqwest::Body::wrap_stream(body.into_data_stream()));
    for (key, value) in parts.headers.iter().filter(|(k, _)| k.as_str() != "host") {
        call = call.header(key, value);
    }
    match call.send().await {
        Ok(answer) => {
            let mut out = Response::builder().status(answer.status());
            if let Some(kind) = answer.headers().get("content-type") {
                out = out.header("content-type", kind);
            }
            let bytes = answer.bytes_stream();
            let body = if events {
                let own = bytes.filter_map(async |b| b.ok());
                Body::from_stream(futures::stream::select(own.boxed(), noise(p).boxed()).map(Ok::<_, std::io::Error>))
            } else {
                Body::from_stream(bytes)
            };
            out.body(body).unwrap_or_default()
        }
        Err(e) => (http::StatusCode::BAD_GATEWAY, e.to_string()).into_response(),
    }
}

/// 5,000 events a second while it floods: mostly of tasks that are as they are, some of
/// deployments that touch an application and change nothing, some of apps of others.
fn noise(p: Proxy) -> impl futures::Stream<Item = Bytes> {
    let tick = tokio::time::interval(Duration::from_millis(10));
    futures::stream::unfold((p, tick, 0u64), |(p, mut tick, mut n)| async move {
        loop {
            tick.tick().await;
            if !p.flooding.load(Ordering::Relaxed) {
                continue;
            }
            let mut out = String::new();
            let at = stamp(now_ms());
            for _ in 0..RATE / 100 {
                n += 1;
                let (app, task) = &p.tasks[(n.wrapping_mul(7_919) % p.tasks.len() as u64) as usize];
                let (kind, data) = match n % 50 {
                    0 => (
                        "deployment_step_success",
                        json!({"eventType": "deployment_step_success", "timestamp": at,
                        "plan": {"id": "d", "version": at, "steps": [{"actions": [{"action": "ScaleApplication", "app": app}]}]}}),
                    ),
                    1..=10 => (
                        "status_update_event",
                        status(&format!("/others/a{}/r1", n % 5_000), "others.1", "TASK_RUNNING", &at),
                    ),
                    _ => ("status_update_event", status(app, task, "TASK_STAGING", &at)),
                };
                out += &format!("event: {kind}\r\ndata: {data}\r\n\r\n");
            }
            p.sent.fetch_add(RATE / 100, Ordering::Relaxed);
            return Some((Bytes::from(out), (p, tick, n)));
        }
    })
}

fn status(app: &str, task: &str, state: &str, at: &str) -> Value {
    json!({"slaveId": "b7a3d2f0-0000-4000-8000-000000000000-S42", "taskId": task, "taskStatus": state, "message": "",
        "appId": app, "host": "agent-42.bank", "ports": [31_415], "version": at, "eventType": "status_update_event",
        "ipAddresses": [{"ipAddress": "10.20.30.40", "protocol": "IPv4"}], "timestamp": at})
}

fn stamp(ms: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000);
    at.ok().and_then(|t| t.format(&time::format_description::well_known::Rfc3339).ok()).unwrap_or_default()
}

/// The applications as the portal recorded them, and nothing to do.
async fn fill(store: &Store) -> Outcome<()> {
    let contract = FakeRegistry::new().add_stack("nginx").contract;
    let spec = ReleaseSpec {
        stack: "nginx".into(),
        image: "127.0.0.1:5000/stacks/nginx@sha256:00".into(),
        package: "0".repeat(64),
        size: Size { cpu_milli: 100, mem_mib: 32 },
        health: HealthRule::fresh("/"),
        env: BTreeMap::new(),
    };
    let (spec, contract) = (serde_json::to_string(&spec)?, serde_json::to_string(&contract)?);
    let mut tx = store.begin().await?;
    sqlx::query("INSERT INTO pool (name, stage, zone, hosts, subnet, base, prefix, gateway, vlan, domain, ttl_s, quarantine_s, revision, changed_at, changed_by) VALUES ('sf-dev', 'dev', 'SF', '{}', '10.96.0.0/20', 174063616, 20, '10.96.0.1', NULL, 'scale.padis.localhost', 5, 60, 1, 0, '')")
        .execute(&mut *tx).await?;
    for n in 0..APPS {
        let (id, name) = (format!("scale-{n}"), name(n));
        sqlx::query("INSERT INTO app (id, team, name, title, pool, host_name, wanted, instances, release, cpu_milli, mem_mib, state, well, revision, created_at, changed_at, changed_by) VALUES ($1, 'default', $2, $2, 'sf-dev', $3, 'online', $4, 1, 100, 32, 'delivering', 0, 1, 0, 0, 'bench')")
            .bind(&id).bind(&name).bind(format!("{name}.scale.padis.localhost")).bind(i64::from(EACH)).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO release (app_id, number, spec, contract, stack_key, package, package_kind, package_name, cause, changes, state, at, by_name) VALUES ($1, 1, $2, $3, 'nginx:1.0', $4, 'zip', 'site.zip', 'create', '[]', 'live', 0, 'bench')")
            .bind(&id).bind(&spec).bind(&contract).bind("0".repeat(64)).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO work (key, wanted, done, due_at, attempts, lease, lease_until, parked, outcome, changed_at) VALUES ($1, 1, 1, 0, 0, NULL, 0, 0, '', 0)")
            .bind(format!("app:default/{name}")).execute(&mut *tx).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// App and task of every instance of the engine's.
async fn tasks(engine: &Engine) -> Outcome<Vec<(String, String)>> {
    let all: Value = engine.get("/v2/tasks").await?;
    let text = |t: &Value, key: &str| t[key].as_str().unwrap_or_default().to_owned();
    Ok(all["tasks"].as_array().into_iter().flatten().map(|t| (text(t, "appId"), text(t, "id"))).collect())
}

fn ids(app: &Value) -> BTreeSet<String> {
    let rows = app["instances"].as_array();
    rows.into_iter().flatten().filter_map(|i| i["task_id"].as_str().map(str::to_owned)).collect()
}

/// Measures.
pub async fn measure(place: &Place, t: &mut Table) -> Outcome<()> {
    let engine = Engine::start(&place.server, 1_000, "3600s").await?;
    let one = |n: u32| {
        json!({"id": name(n), "apps": [{"id": "r1", "cmd": "x", "instances": EACH, "cpus": 0.001, "mem": 6,
            "container": {"type": "DOCKER", "docker": {"image": "none"}}, "networks": [{"mode": "container", "name": "none"}]}]})
    };
    engine.put("/v2/groups/default", &json!({"groups": (0..APPS).map(one).collect::<Vec<_>>()})).await?;
    let began = Instant::now();
    let wanted = (APPS * EACH) as usize;
    let all = loop {
        let all = tasks(&engine).await?;
        if all.len() >= wanted {
            break all;
        }
        if began.elapsed() > Duration::from_secs(300) {
            return Err(format!("{} of {wanted} instances after 300 s", all.len()).into());
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    println!("  {wanted} instances are there after {:.1} s", began.elapsed().as_secs_f64());

    let client = reqwest::Client::builder().no_proxy().build()?;
    let (flooding, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let proxy = Proxy { client, tasks: Arc::new(all), flooding: Arc::clone(&flooding), sent: Arc::clone(&sent) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let at = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(pass).with_state(proxy)).await });

    let more = [
        ("PADIS_ENGINE_ENABLED", "false".to_owned()),
        ("PADIS_MARATHON_URLS", at),
        ("PADIS_MESOS_URLS", "http://127.0.0.1:15050".to_owned()),
        // A thousand simulated agents are a thousand requests each time.
        ("PADIS_RECONCILE_OBSERVE_MS", "60000".to_owned()),
    ];
    let empty = Portal::launch_with(place, &more).await?;
    let before = empty.rss_mib()?;
    empty.stop().await;
    let store = Store::open(&format!("sqlite:{}", place.data.join("padis.db").display())).await?;
    fill(&store).await?;

    let began = Instant::now();
    let mut p = Portal::launch_with(place, &more).await?;
    p.sign_in().await?;
    p.until("the last application shows its instances", 120, async |p| {
        Ok(ids(&p.app(&name(APPS - 1)).await?).len() == EACH as usize
            && ids(&p.app(&name(0)).await?).len() == EACH as usize)
    })
    .await?;
    let (took, grown) = (began.elapsed().as_secs_f64(), p.peak_mib()?.saturating_sub(before));
    t.row(
        "portal rebuilt from a snapshot of 100,000 instances, its start included",
        "≤ 5 s, ≤ 512 MiB more",
        format!("{took:.1} s, {grown} MiB more"),
        Some(took <= 5.0 && grown <= 512),
    );
    let looked = Instant::now();
    let open = async || -> Outcome<i64> {
        Ok(sqlx::query_scalar("SELECT COUNT(*) FROM work WHERE wanted > done").fetch_one(store.read()).await?)
    };
    p.until("the looks at every application have begun", 30, async |_| Ok(open().await? > i64::from(APPS) / 2)).await?;
    p.until("every application was looked at", 900, async |_| {
        tokio::time::sleep(Duration::from_millis(250)).await;
        Ok(open().await? == 0)
    })
    .await?;
    let rate = f64::from(APPS) / looked.elapsed().as_secs_f64();
    let grown = p.peak_mib()?.saturating_sub(before);
    t.row("  each application looked at after it", "beside it", format!("{rate:.0} a second, {grown} MiB more"), None);
    let quiet = pages(&p, Instant::now() + Duration::from_secs(10)).await?;
    let (m, p99) = median_p99(&quiet).ok_or("no rounds")?;
    let found = format!("median {m:.0} ms, p99 {p99:.0} ms of {}", quiet.len());
    t.row("  pages of 10,000 applications while nothing happens", "beside it", found, None);
    flood(&p, &engine, &flooding, &sent, t).await?;
    p.stop().await;
    store.close().await;
    engine.stop().await
}

/// Milliseconds of each page that a reader asks for, one after the other, until `end`.
async fn pages(p: &Portal, end: Instant) -> Outcome<Vec<f64>> {
    let mut ms = Vec::new();
    for n in 0.. {
        if Instant::now() > end {
            break;
        }
        let path = match n % 4 {
            0 => "/applications".to_owned(),
            1 => "/applications?q=s0012&sort=name&desc=true".to_owned(),
            _ => format!("/applications/default/{}", name(n * 37 % APPS)),
        };
        let began = Instant::now();
        let answer = p.get(&path).await?;
        let status = answer.status();
        answer.bytes().await?;
        if !status.is_success() {
            return Err(format!("{path}: {status}").into());
        }
        ms.push(began.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(ms)
}

async fn flood(p: &Portal, engine: &Engine, flooding: &AtomicBool, sent: &AtomicU64, t: &mut Table) -> Outcome<()> {
    let memory = p.rss_mib()?;
    flooding.store(true, Ordering::Relaxed);
    let (began, before) = (Instant::now(), sent.load(Ordering::Relaxed));
    let end = began + FLOOD;
    let pages = pages(p, end);
    let changes = async {
        let mut ms = Vec::new();
        for n in 0.. {
            if Instant::now() > end {
                break;
            }
            // Somebody starts one more behind the portal's back. In turns, for each is a
            // deployment that goes on, and Marathon has no more than 100 at a time.
            let app = name((n % 40) * 101 + 7);
            let known = ids(&p.app(&app).await?);
            let began = Instant::now();
            engine
                .patch(&format!("/v2/apps/default/{app}/r1?force=true"), &json!({"instances": EACH + 1 + n / 40}))
                .await?;
            p.until("it is shown", 60, async |p| Ok(ids(&p.app(&app).await?).difference(&known).count() > 0)).await?;
            ms.push(began.elapsed().as_secs_f64() * 1000.0);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Outcome::Ok(ms)
    };
    let (pages, changes) = tokio::join!(pages, changes);
    let seconds = began.elapsed().as_secs_f64();
    flooding.store(false, Ordering::Relaxed);
    let rate = (sent.load(Ordering::Relaxed) - before) as f64 / seconds;
    let grown = p.rss_mib()?.saturating_sub(memory);
    let (pages, changes) = (pages?, changes?);
    let (Some((m, p99)), Some((c, c99))) = (median_p99(&pages), median_p99(&changes)) else {
        return Err("no rounds".into());
    };
    let kept = rate >= RATE as f64 * 0.95;
    t.row(
        &format!("portal pages while {rate:.0} events/s arrive for 60 s"),
        "p99 ≤ 100 ms",
        format!("median {m:.0} ms, p99 {p99:.0} ms of {}", pages.len()),
        Some(kept && p99 <= 100.0),
    );
    t.row(
        "  events applied to what a page shows",
        "p99 ≤ 500 ms",
        format!("median {c:.0} ms, p99 {c99:.0} ms of {}", changes.len()),
        Some(kept && c99 <= 500.0),
    );
    t.row("  memory grows", "< 64 MiB", format!("{grown} MiB"), Some(grown < 64));
    Ok(())
}
