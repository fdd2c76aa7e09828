//! Files that are there before the start, from a web server and from disk.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use support::{Rig, agent, docker, folder, sleeper, wait};

/// A web server of the test's own that counts how often each file is asked for.
struct Web {
    base: String,
    archives: Arc<AtomicU32>,
    tools: Arc<AtomicU32>,
}

async fn web(archive: Vec<u8>) -> Web {
    let (archives, tools) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let counted = |count: &Arc<AtomicU32>, bytes: Vec<u8>| {
        let count = Arc::clone(count);
        get(async move || {
            count.fetch_add(1, Ordering::Relaxed);
            bytes
        })
    };
    let moved = async || (StatusCode::FOUND, [("Location", "/tool")]);
    let router = Router::new()
        .route("/app.tar.gz", counted(&archives, archive))
        .route("/tool", counted(&tools, b"#!/bin/sh\necho the tool says $1\n".to_vec()))
        .route("/moved", get(moved))
        .route("/never", get(std::future::pending::<()>));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Web { base, archives, tools }
}

/// An archive as people make them.
fn archive(dir: &Path) -> Vec<u8> {
    std::fs::create_dir_all(dir.join("app/lib")).unwrap();
    std::fs::write(dir.join("app/lib/greeting"), "hello from the archive\n").unwrap();
    let output = Command::new("tar").arg("-C").arg(dir).args(["-cz", "app"]).output().unwrap();
    assert!(output.status.success());
    output.stdout
}

fn with(mut app: Value, more: Value) -> Value {
    app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app
}

async fn failure(rig: &Rig, app: &str) -> String {
    wait("the failure", async || {
        let app = rig.get(&format!("/v2/apps{app}")).await;
        app["app"]["lastTaskFailure"]["message"].as_str().map(str::to_owned)
    })
    .await
}

#[tokio::test]
async fn what_an_app_names_is_in_its_sandbox_when_it_starts() {
    let rig = Rig::new().await;
    let web = web(archive(&folder(&rig, "packed"))).await;
    let local = folder(&rig, "local").join("settings");
    std::fs::write(&local, "colour=green\n").unwrap();
    let app = json!({
        // What is not there at the start ends it.
        "cmd": "cd $MESOS_SANDBOX && cat app/lib/greeting conf/settings > seen && ./tool hello >> seen || exit 9; \
                trap 'exit 0' TERM; while :; do sleep 0.1; done",
        "user": "65534:65534",
        "fetch": [
            {"uri": format!("{}/app.tar.gz", web.base), "cache": true},
            {"uri": format!("{}/tool", web.base), "executable": true},
            {"uri": format!("{}/moved", web.base), "destPath": "conf/moved"},
            {"uri": format!("file://{}", local.display()), "destPath": "conf/settings"},
        ],
    });
    rig.put(&with(sleeper("/fetching", 2), app)).await;
    let tasks = rig.running("/fetching", 2).await;
    for task in &tasks {
        let container = rig.container(task["id"].as_str().unwrap());
        let seen = wait("the app's own file", async || {
            let seen = docker(&["exec", &container, "sh", "-c", "cat $MESOS_SANDBOX/seen || true"]);
            seen.contains("tool").then_some(seen)
        })
        .await;
        assert_eq!(seen, "hello from the archive\ncolour=green\nthe tool says hello");
        let list = docker(&["exec", &container, "sh", "-c", "ls /mnt/mesos/sandbox /mnt/mesos/sandbox/conf"]);
        assert!(list.contains("moved") && !list.contains("app.tar.gz"), "no copy of a cached archive: {list}");
    }
    assert_eq!(web.archives.load(Ordering::Relaxed), 1, "cached for both");
    assert_eq!(web.tools.load(Ordering::Relaxed), 4, "not cached, and behind a redirection once more");

    // The sandbox is seen through the files API, and goes with the task's trace.
    let id = tasks[0]["id"].as_str().unwrap();
    let dir = rig.dir.path().join("engine/sandbox").join(id);
    let browse = rig.mesos(&format!("/files/browse?path={}/sandbox", dir.display())).await;
    let names: Vec<String> = browse
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["app", "conf", "seen", "tool"]);
    let shown = rig.get("/v2/apps/fetching").await["app"]["fetch"][0].clone();
    assert_eq!((&shown["extract"], &shown["cache"], &shown["executable"]), (&json!(true), &json!(true), &json!(false)));
}

#[tokio::test]
async fn what_can_not_be_fetched_fails_the_task_and_it_backs_off() {
    let rig = Rig::new().await;
    let web = web(vec![0x1f, 0x8b, 1, 2, 3]).await;
    let packed = folder(&rig, "packed");
    std::fs::write(packed.join("secret"), "x").unwrap();
    let climbing = rig.dir.path().join("climbing.tar");
    let args = ["-P", "--transform", "s,^,../../,", "-cf"];
    assert!(
        Command::new("tar").args(args).arg(&climbing).arg("-C").arg(&packed).arg("secret").status().unwrap().success()
    );
    let sum = format!("{}/tool#sha256={}", web.base, "0".repeat(64));
    for (name, uri, why) in [
        ("absent", format!("{}/absent.tgz", web.base), "/absent.tgz: the server answered 404"),
        ("closed", String::from("http://127.0.0.1:1/x"), "http://127.0.0.1:1/x: the server can't be asked"),
        ("climbing", climbing.display().to_string(), "leads out of the sandbox"),
        ("garbled", format!("{}/app.tar.gz", web.base), "it can't be unpacked"),
        ("other", sum, "another one is asked for"),
    ] {
        let id = format!("/{name}");
        let fetch = json!({"fetch": [{"uri": uri}], "backoffSeconds": 60});
        rig.put(&with(sleeper(&id, 1), fetch)).await;
        let message = failure(&rig, &id).await;
        assert!(
            message.starts_with("Failed to launch container: Failed to fetch all URIs for container 'mesos-"),
            "{message}"
        );
        assert!(message.contains(why), "{why:?} in {message}");
    }
    let queue = rig.get("/v2/queue").await;
    for item in queue["queue"].as_array().unwrap() {
        assert_eq!(item["delay"]["overdue"], false, "{item}");
    }
    assert_eq!(queue["queue"].as_array().unwrap().len(), 5);
    assert!(rig.ps(true, "{{.Names}}").is_empty(), "no container was made");
    let state = rig.get("/v2/apps/absent").await["app"]["lastTaskFailure"]["state"].clone();
    assert_eq!(state, "TASK_FAILED");
    let (status, answer) = rig
        .call(
            reqwest::Method::PUT,
            "/v2/apps/hdfs",
            Some(with(sleeper("/hdfs", 1), json!({"fetch": [{"uri": "hdfs://h/x"}]}))),
        )
        .await;
    assert_eq!(status, 422, "{answer}");
}

#[tokio::test]
async fn a_launch_that_hangs_is_given_up() {
    let rig =
        Rig::tuned(vec![agent("one", 4.0, 2048, &[])], |config| config.launch_timeout = Duration::from_millis(500))
            .await;
    let web = web(Vec::new()).await;
    let fetch = json!({"fetch": [{"uri": format!("{}/never", web.base)}], "backoffSeconds": 60});
    rig.put(&with(sleeper("/hanging", 1), fetch)).await;
    let message = failure(&rig, "/hanging").await;
    assert_eq!(message, "Task did not run within 0.5 s of being launched");
    wait("the end of it", async || rig.tasks("/hanging").await.is_empty().then_some(())).await;
    assert!(rig.ps(true, "{{.Names}}").is_empty());
    // Deleting does not wait for a launch either.
    assert_eq!(rig.call(reqwest::Method::DELETE, "/v2/queue/hanging/delay", None).await.0, 204);
    wait("another attempt", async || (rig.tasks("/hanging").await.len() == 1).then_some(())).await;
    let (status, _) = rig.call(reqwest::Method::DELETE, "/v2/apps/hanging", None).await;
    assert_eq!(status, 200);
    rig.settled().await;
    assert_eq!(rig.get("/v2/tasks").await["tasks"], json!([]));
}
