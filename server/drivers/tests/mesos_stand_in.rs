//! What stands in for mesos-executor in the laboratory (`end2end/lab/mesos`): other
//! suites rely on it as on the real one.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "lab/framework.rs"]
mod framework;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;

use framework::{Command, Framework};
use mesos::{AgentSpec, Mesos};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn lab() -> (Mesos, Framework) {
    let spec = AgentSpec { name: "one", attributes: "", resources: "cpus:16;mem:8192;disk:100;ports:[31000-31099]" };
    let cluster = Mesos::start(&[spec]).await;
    let framework = Framework::subscribe(&cluster.url()).await;
    (cluster, framework)
}

fn with(id: &str, line: &str, extra: Value) -> Command {
    Command { extra, ..Command::new(id, "", line) }
}

/// A health check without waiting.
fn check(kind: &str, what: &Value) -> Value {
    let mut check = json!({"type": kind, "delay_seconds": 0, "interval_seconds": 0.1, "timeout_seconds": 10,
        "consecutive_failures": 2, "grace_period_seconds": 0});
    check[kind.to_ascii_lowercase()] = what.clone();
    json!({"health_check": check})
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_are_told_in_mesos_words() {
    let (_cluster, framework) = lab().await;
    for (id, line, state, message) in [
        ("good", "exit 0", "TASK_FINISHED", "Command exited with status 0"),
        ("bad", "exit 42", "TASK_FAILED", "Command exited with status 42"),
        ("shot", "kill -9 $$", "TASK_FAILED", "Command terminated with signal Killed"),
    ] {
        framework.launch(Command::new(id, "", line));
        let update = framework.wait(id, state).await;
        assert_eq!((update["message"].as_str(), update["source"].as_str()), (Some(message), Some("SOURCE_EXECUTOR")));
        assert_eq!(framework.states(id), ["TASK_STARTING", "TASK_RUNNING", state]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_is_obeyed_or_enforced_after_its_grace() {
    let (_cluster, framework) = lab().await;
    let policy = json!({"kill_policy": {"grace_period": {"nanoseconds": 1_000_000_000}}});
    let deaf = "trap '' TERM; echo ready >ready; while :; do sleep 0.1; done";
    framework.launch(with("deaf", deaf, check_file("ready", policy)));
    framework.launch(with(
        "polite",
        "trap 'exit 0' TERM; echo ready >ready; while :; do sleep 0.1; done",
        check_file("ready", json!({})),
    ));
    for (id, state, message) in [
        ("deaf", "TASK_KILLED", "Command terminated with signal Killed"),
        ("polite", "TASK_FINISHED", "Command exited with status 0"),
    ] {
        framework.wait_for(id, "healthy", |u| u["healthy"] == true).await;
        let begin = Instant::now();
        framework.kill(id).await;
        framework.wait(id, "TASK_KILLING").await;
        let update = framework.wait(id, state).await;
        assert_eq!(update["message"], message);
        assert!(id != "deaf" || begin.elapsed() >= Duration::from_secs(1), "{:?}", begin.elapsed());
    }
}

/// Healthy once a file is in the sandbox: the trap stands before it is written.
fn check_file(file: &str, mut extra: Value) -> Value {
    let mut health = check("COMMAND", &json!({"value": format!("test -e {file}")}));
    health["health_check"]["consecutive_failures"] = json!(1000);
    extra.as_object_mut().unwrap().extend(health.as_object().unwrap().clone());
    extra
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_asked_by_http_tcp_and_command() {
    let (_cluster, framework) = lab().await;
    let page = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = page.local_addr().unwrap().port();
    let pages = axum::Router::new().route("/good", axum::routing::get(|| async { "fine" }));
    tokio::spawn(async move { axum::serve(page, pages).await });
    for (id, extra) in [
        ("http", check("HTTP", &json!({"port": port, "path": "/good"}))),
        ("tcp", check("TCP", &json!({"port": port}))),
        (
            "command",
            check(
                "COMMAND",
                &json!({"value": "test $WORD = yes", "environment": {"variables": [{"name": "WORD", "value": "yes"}]}}),
            ),
        ),
    ] {
        framework.launch(with(id, "exec sleep 600", extra));
        let update = framework.wait_for(id, "healthy", |u| u["healthy"] == true).await;
        assert_eq!(update["reason"], "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
    }
    for (id, extra) in [
        ("http-404", check("HTTP", &json!({"port": port, "path": "/bad"}))),
        ("tcp-closed", check("TCP", &json!({"port": 1}))),
        ("command-false", check("COMMAND", &json!({"value": "false"}))),
    ] {
        framework.launch(with(id, "exec sleep 600", extra));
        let update = framework.wait(id, "TASK_KILLED").await;
        assert_eq!(update["healthy"], false, "{update}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_tasks_run_at_once() {
    let (_cluster, framework) = lab().await;
    let begin = Instant::now();
    let ids: Vec<_> = (0..50).map(|n| format!("many.{n}")).collect();
    for id in &ids {
        framework.launch(Command::new(id, "", "exec sleep 600"));
    }
    for id in &ids {
        framework.wait(id, "TASK_RUNNING").await;
    }
    println!("50 tasks run after {:.1?}", begin.elapsed());
}
