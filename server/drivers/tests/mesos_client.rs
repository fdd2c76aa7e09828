//! The Mesos client against a master pair and an agent whose answers have the
//! shape of a real Mesos 1.11.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::Router;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use padis_domain::ports::{Cluster, PortError};
use padis_drivers::mesos::{MesosClient, MesosConfig};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// An agent's `/files/read`: -1 asks for the length, at most 64 KiB are given.
fn read(content: &str, query: &HashMap<String, String>) -> Value {
    let offset: i64 = query["offset"].parse().unwrap();
    let Ok(from) = usize::try_from(offset) else { return json!({"data": "", "offset": content.len()}) };
    let length: usize = query.get("length").map_or(65536, |l| l.parse().unwrap()).min(65536);
    let end = (from + length).min(content.len());
    json!({"data": content[from.min(end)..end], "offset": from})
}

struct Cluster1 {
    standby: SocketAddr,
    reads: Arc<AtomicUsize>,
    content: String,
}

async fn cluster() -> Cluster1 {
    let content: String = (0..20_000).map(|n| format!("line {n:05}\n")).collect();
    let reads: Arc<AtomicUsize> = Arc::default();
    let (text, count) = (content.clone(), Arc::clone(&reads));
    let state = json!({"id": "S1", "pid": "slave(2)", "frameworks": [{"id": "F",
        "executors": [{"id": "web.1", "source": "web.1", "directory": "/w/web.1"}],
        "completed_executors": [{"id": "web.0", "source": "web.0", "directory": "/w/web.0"}]}]});
    let containers = json!([{"executor_id": "web.1", "source": "web.1", "framework_id": "F", "statistics": {
        "cpus_limit": 0.5, "cpus_system_time_secs": 0.25, "cpus_user_time_secs": 0.5,
        "mem_limit_bytes": 67108864, "mem_rss_bytes": 33554432, "timestamp": 1.0}}]);
    let agent = Router::new()
        .route("/slave(2)/state", get(move || async move { axum::Json(state) }))
        .route("/slave(2)/containers", get(move || async move { axum::Json(containers) }))
        .route(
            "/files/read",
            get(move |Query(query): Query<HashMap<String, String>>| async move {
                count.fetch_add(1, Ordering::Relaxed);
                match query["path"].as_str() {
                    "/w/web.1/stdout" => axum::Json(read(&text, &query)).into_response(),
                    "/w/web.0/stdout" => axum::Json(read("the end of web.0\n", &query)).into_response(),
                    _ => StatusCode::NOT_FOUND.into_response(),
                }
            }),
        );
    let agent = serve(agent).await;
    let slave = json!({"id": "S1", "hostname": "h1", "port": agent.port(), "pid": format!("slave(2)@{agent}"),
        "attributes": {"pool": "alpha"}, "active": true,
        "resources": {"cpus": 4.0, "mem": 1536.0}, "used_resources": {"cpus": 0.5, "mem": 64.0}});
    let silent = json!({"id": "S2", "hostname": "h2", "port": 1, "pid": "slave(1)@127.0.0.1:1", "active": true,
        "resources": {"cpus": 2.0, "mem": 512.0}, "used_resources": {}});
    let slaves = json!({"slaves": [slave, silent]});
    let state = json!({"slaves": slaves["slaves"], "frameworks": [{"id": "F", "tasks": [
        {"id": "web.1", "slave_id": "S1", "state": "TASK_RUNNING"},
        {"id": "web.2", "slave_id": "S1", "state": "TASK_STAGING"}]}]});
    let leader = Router::new()
        .route("/master/slaves", get(move || async move { axum::Json(slaves) }))
        .route("/master/state", get(move || async move { axum::Json(state) }))
        .route("/master/health", get(|| async {}));
    let leader = serve(leader).await;
    // A standby answers with an address without a scheme, as Mesos does.
    let standby = Router::new().fallback(move |uri: axum::http::Uri| async move {
        (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, format!("//{leader}{}", uri.path()))])
    });
    Cluster1 { standby: serve(standby).await, reads, content }
}

fn client(master: SocketAddr) -> MesosClient {
    MesosClient::new(&MesosConfig::at(&format!("http://{master}"))).unwrap()
}

#[tokio::test]
async fn hosts_are_told_by_the_leader_that_a_standby_names() {
    let mesos = client(cluster().await.standby);
    mesos.ping().await.unwrap();
    let hosts = mesos.hosts().await.unwrap();
    let facts: Vec<_> =
        hosts.iter().map(|h| (h.id.as_str(), h.cpu_milli, h.cpu_used_milli, h.mem_mib, h.tasks)).collect();
    assert_eq!(facts, [("S1", 4000, 500, 1536, 1), ("S2", 2000, 0, 512, 0)]);
    assert_eq!(hosts[0].attributes["pool"], "alpha");
}

#[tokio::test]
async fn one_silent_agent_does_not_hide_what_the_others_use() {
    let usage = client(cluster().await.standby).usage().await.unwrap();
    assert_eq!(usage.len(), 1);
    let web = usage["web.1"];
    assert_eq!((web.cpu_time_s, web.mem_mib, web.cpu_limit_milli, web.mem_limit_mib), (0.75, 32.0, 500, 64));
}

#[tokio::test]
async fn files_are_read_from_their_end_in_pieces_and_after_the_task() {
    let place = cluster().await;
    let mesos = client(place.standby);
    let all = place.content.len() as u64;
    let tail = mesos.read_file("S1", "web.1", "stdout", None, 22).await.unwrap();
    assert_eq!(
        (tail.data.as_slice(), tail.offset, tail.length),
        (b"line 19998\nline 19999\n".as_slice(), all - 22, all)
    );
    let before = place.reads.load(Ordering::Relaxed);
    let whole = mesos.read_file("S1", "web.1", "stdout", Some(0), all * 2).await.unwrap();
    assert!(whole.data == place.content.as_bytes() && whole.offset == 0);
    assert_eq!(place.reads.load(Ordering::Relaxed) - before, 1 + place.content.len().div_ceil(65536));
    let after = mesos.read_file("S1", "web.1", "stdout", Some(all + 5), 100).await.unwrap();
    assert_eq!((after.data.as_slice(), after.offset), (b"".as_slice(), all), "a file that was truncated");
    let ended = mesos.read_file("S1", "web.0", "stdout", None, 100).await.unwrap();
    assert_eq!(ended.data, b"the end of web.0\n");
}

#[tokio::test]
async fn what_is_not_kept_is_said_and_paths_do_not_climb() {
    let place = cluster().await;
    let mesos = client(place.standby);
    let reads = |task: &'static str, file: &'static str| mesos.read_file("S1", task, file, None, 100);
    for (task, file) in
        [("web.1", "stderr"), ("never", "stdout"), ("web.1", "../../etc/passwd"), ("web.1", "/etc/passwd")]
    {
        let error = reads(task, file).await.unwrap_err();
        assert!(matches!(error, PortError::Refused { .. }), "{task} {file}: {error:?}");
    }
    let gone = mesos.read_file("S9", "web.1", "stdout", None, 100).await.unwrap_err();
    assert!(matches!(gone, PortError::Refused { .. }), "{gone:?}");
    let silent = mesos.read_file("S2", "web.1", "stdout", None, 100).await.unwrap_err();
    assert!(matches!(silent, PortError::Transient { .. }), "{silent:?}");
}
