//! Groups and the order of deployments, on agents on which nothing runs.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use padis_protocol::event::Event;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use support::{Events, IMAGE, Rig};

const LATENCY: Duration = Duration::from_millis(5);

fn app(id: &str, instances: u32) -> Value {
    json!({"id": id, "cmd": "sleep 1", "instances": instances, "cpus": 0.1, "mem": 16,
           "container": {"type": "DOCKER", "docker": {"image": IMAGE}}})
}

fn with(mut app: Value, more: Value) -> Value {
    app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app
}

/// When each app had its first running task, in the order of the stream.
fn first_running(events: &Events) -> Vec<String> {
    let mut seen = Vec::new();
    for event in events.all() {
        if let Event::StatusUpdate(s) = event
            && s.task_status == "TASK_RUNNING"
            && !seen.contains(&s.app_id)
        {
            seen.push(s.app_id);
        }
    }
    seen
}

#[tokio::test]
async fn a_group_starts_in_the_order_of_its_dependencies_and_stops_as_one() {
    let rig = Rig::simulated(5, LATENCY, 0.0).await;
    let events = rig.events("").await;
    let group = json!({"id": "/product", "groups": [
        {"id": "db", "apps": [app("mongo", 1)]},
        {"id": "service", "dependencies": ["/product/db"], "apps": [app("rails", 2)]},
        {"id": "web", "apps": [with(app("front", 1), json!({"dependencies": ["../service/rails"]}))]},
    ]});
    let (status, answer) = rig.call(Method::POST, "/v2/groups", Some(group.clone())).await;
    assert_eq!(status, 201, "{answer}");
    let id = answer["deploymentId"].as_str().unwrap().to_owned();
    events.find("the end", |e| matches!(e, Event::DeploymentSuccess(d) if d.id == id)).await;
    assert_eq!(first_running(&events), ["/product/db/mongo", "/product/service/rails", "/product/web/front"]);
    let steps = events.all().into_iter().filter_map(|e| match e {
        Event::DeploymentInfo(info) => Some(info.current_step.actions.unwrap_or_default().len()),
        _ => None,
    });
    assert_eq!(steps.collect::<Vec<_>>(), [3, 1, 1, 1], "all are made known, then each level");

    let seen = rig.get("/v2/groups/product").await;
    assert_eq!(seen["groups"].as_array().unwrap().len(), 3);
    assert_eq!(seen["groups"][1]["dependencies"], json!(["/product/db"]));
    assert_eq!(seen["groups"][1]["apps"][0]["id"], "/product/service/rails");
    let all = rig.get("/v2/groups?embed=group.groups&embed=group.apps&embed=group.apps.counts").await;
    assert_eq!(all["groups"][0]["groups"][1]["apps"][0]["tasksRunning"], 2);

    let (status, answer) = rig.call(Method::POST, "/v2/groups", Some(group)).await;
    assert_eq!(status, 409, "{answer}");
    let (status, _) = rig.call(Method::DELETE, "/v2/groups/product", None).await;
    assert_eq!(status, 200);
    rig.settled().await;
    assert_eq!(rig.call(Method::GET, "/v2/groups/product", None).await.0, 404);
    assert_eq!(rig.get("/v2/tasks").await["tasks"], json!([]));
}

#[tokio::test]
async fn an_update_moves_only_what_differs_and_takes_away_what_it_leaves_out() {
    let rig = Rig::simulated(5, LATENCY, 0.0).await;
    let group = |apps: Value| json!({"apps": apps});
    let (status, first) =
        rig.call(Method::PUT, "/v2/groups/shop", Some(group(json!([app("a", 1), app("b", 1), app("c", 1)])))).await;
    assert_eq!(status, 201, "{first}");
    rig.settled().await;
    let before = rig.tasks("/shop/a").await[0]["id"].clone();
    let changed = json!([app("a", 1), with(app("b", 1), json!({"cpus": 0.2}))]);
    let (_, steps) = rig.call(Method::PUT, "/v2/groups/shop?dryRun=true", Some(group(changed.clone()))).await;
    assert_eq!(
        steps["steps"],
        json!([{"actions": [{"action": "StopApplication", "app": "/shop/c"}]},
               {"actions": [{"action": "RestartApplication", "app": "/shop/b"}]}])
    );
    let (status, answer) = rig.call(Method::PUT, "/v2/groups/shop", Some(group(changed))).await;
    assert_eq!(status, 200, "{answer}");
    rig.settled().await;
    assert_eq!(rig.tasks("/shop/a").await[0]["id"], before, "what is the same runs on");
    assert_eq!(rig.call(Method::GET, "/v2/apps/shop/c", None).await.0, 404);

    let (_, answer) = rig.call(Method::PUT, "/v2/groups/shop", Some(json!({"scaleBy": 3}))).await;
    assert!(answer["deploymentId"].is_string(), "{answer}");
    rig.running("/shop/a", 3).await;
    rig.settled().await;

    let versions = rig.get("/v2/groups/shop/versions").await;
    assert_eq!(versions.as_array().unwrap().len(), 3);
    assert_eq!(versions[2], first["version"], "newest first");
    let back = json!({"version": answer_of_second(&versions)});
    let (status, answer) = rig.call(Method::PUT, "/v2/groups/shop", Some(back)).await;
    assert_eq!(status, 200, "{answer}");
    rig.running("/shop/a", 1).await;
    assert_eq!(rig.get("/v2/apps/shop/b").await["app"]["cpus"], 0.2);
}

fn answer_of_second(versions: &Value) -> Value {
    versions[1].clone()
}

#[tokio::test]
async fn a_version_knows_what_was_deleted_since_and_brings_it_back() {
    let mut rig = Rig::simulated(5, LATENCY, 0.0).await;
    let put = async |rig: &Rig, body: Value| {
        let (status, answer) = rig.call(Method::PUT, "/v2/groups/shop", Some(body)).await;
        assert!(status.is_success(), "{answer}");
        rig.settled().await;
        answer["version"].as_str().unwrap().to_owned()
    };
    let with_b = json!([app("a", 1), with(app("b", 2), json!({"labels": {"life": "first"}}))]);
    let first = put(&rig, json!({"apps": with_b})).await;
    let second = put(&rig, json!({"apps": [app("a", 1)]})).await;
    // It lives again, and is something else; and one that no version has seen comes and goes.
    rig.put(&with(app("/shop/b", 1), json!({"labels": {"life": "second"}}))).await;
    rig.put(&app("/shop/brief", 1)).await;
    rig.settled().await;
    for id in ["b", "brief"] {
        let (status, _) = rig.call(Method::DELETE, &format!("/v2/apps/shop/{id}"), None).await;
        assert_eq!(status, 200);
    }
    rig.settled().await;
    rig.restart().await;
    let ids = async |version: &str| -> Vec<String> {
        let group = rig.get(&format!("/v2/groups/shop/versions/{version}")).await;
        group["apps"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&first).await, ["/shop/a", "/shop/b"]);
    assert_eq!(ids(&second).await, ["/shop/a"]);
    put(&rig, json!({"version": first})).await;
    rig.running("/shop/b", 2).await;
    let back = rig.get("/v2/apps/shop/b").await["app"].clone();
    assert_eq!((&back["labels"]["life"], &back["instances"]), (&json!("first"), &json!(2)));
    put(&rig, json!({"version": second})).await;
    assert_eq!(rig.call(Method::GET, "/v2/apps/shop/b", None).await.0, 404);
    let log = std::fs::read_to_string(rig.dir.path().join("engine/state.jsonl")).unwrap();
    assert!(!log.lines().any(|l| l.starts_with("{\"Grave\"") && l.contains("brief")), "nobody can ask for that one");
}

#[tokio::test]
async fn bad_groups_are_refused_and_change_nothing() {
    let rig = Rig::simulated(2, LATENCY, 0.0).await;
    let expect = async |method: Method, path: &str, body: Value, status: u16, needle: &str| {
        let (got, answer) = rig.call(method, path, Some(body)).await;
        assert_eq!(got.as_u16(), status, "{path}: {answer}");
        assert!(answer.to_string().contains(needle), "{needle:?} in {answer}");
    };
    expect(Method::POST, "/v2/groups", json!({"id": "/Bad", "apps": []}), 422, "/id").await;
    expect(Method::POST, "/v2/groups", json!({"id": "/g", "apps": [app("/other/x", 1)]}), 422, "not child").await;
    expect(Method::POST, "/v2/groups", json!({"id": "/g", "apps": {}}), 400, "error.expected.jsarray").await;
    expect(Method::POST, "/v2/groups", json!({"id": "/g", "pods": [{"id": "p"}]}), 422, "pods").await;
    let circle = json!({"id": "/g", "apps": [
        with(app("a", 1), json!({"dependencies": ["b"]})), with(app("b", 1), json!({"dependencies": ["a"]}))]});
    expect(Method::POST, "/v2/groups", circle, 422, "cyclic").await;
    expect(Method::PUT, "/v2/groups/g", json!({"version": "2020-01-01T00:00:00.000Z"}), 404, "not available").await;
    assert_eq!(rig.get("/v2/apps").await, json!({"apps": []}));
    assert_eq!(rig.call(Method::GET, "/v2/groups/g", None).await.0, 404, "nothing of this left a trace");
    assert_eq!(rig.call(Method::DELETE, "/v2/groups/g", None).await.0, 404);
}

#[tokio::test]
async fn a_cancelled_deployment_leads_back() {
    let rig = Rig::simulated(2, LATENCY, 0.0).await;
    rig.put(&app("/a", 1)).await;
    rig.settled().await;
    let version = rig.get("/v2/apps/a").await["app"]["version"].clone();
    let events = rig.events("").await;
    // More than there is: it can't end by itself.
    let id = rig.put(&with(app("/a", 1), json!({"cpus": 1000.0}))).await;
    let (status, answer) = rig.call(Method::DELETE, &format!("/v2/deployments/{id}"), None).await;
    assert_eq!(status, 200, "{answer}");
    events.find("its failure", |e| matches!(e, Event::DeploymentFailed(d) if d.id == id)).await;
    rig.settled().await;
    let app = rig.get("/v2/apps/a").await["app"].clone();
    assert_eq!(app["cpus"], 0.1);
    assert_ne!(app["version"], version, "the way back is a version of its own");
}

#[tokio::test]
async fn who_does_not_know_the_password_is_kept_out() {
    let mut rig = Rig::simulated(1, LATENCY, 0.0).await;
    let known = padis_engine::Credentials { user: "padis".to_owned(), password: "s3cret:x".to_owned() };
    rig.config.credentials = Some(known);
    rig.restart().await;
    let ask = async |url: String, password: Option<&str>| {
        let request = rig.client.get(url);
        let request = if password.is_some() { request.basic_auth("padis", password) } else { request };
        request.send().await.unwrap().status().as_u16()
    };
    for url in [format!("{}/v2/apps", rig.base), format!("{}/ping", rig.base), format!("{}/state", rig.mesos)] {
        assert_eq!(ask(url.clone(), None).await, 401, "{url}");
        assert_eq!(ask(url.clone(), Some("s3cret")).await, 401, "{url}");
        assert_eq!(ask(url.clone(), Some("s3cret:x")).await, 200, "{url}");
    }
}
