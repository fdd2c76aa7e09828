//! What the API refuses, and why something waits.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use padis_engine::AgentConfig;
use padis_protocol::event::Event;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Rig, agent, docker, sleeper, wait};

fn with(mut app: Value, more: Value) -> Value {
    app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app
}

#[tokio::test]
async fn bad_requests_are_answered_as_marathon_does() {
    let rig = Rig::new().await;
    let expect = async |method: Method, path: &str, body: Value, status: u16, needle: &str| {
        let (got, answer) = rig.call(method, path, Some(body)).await;
        assert_eq!(got.as_u16(), status, "{path}: {answer}");
        assert!(answer.to_string().contains(needle), "{needle:?} in {answer}");
    };
    let app = sleeper("/a", 1);
    expect(Method::POST, "/v2/apps", json!({"id": 7}), 400, "error.expected.jsstring").await;
    expect(Method::POST, "/v2/apps", json!({"cmd": "x"}), 400, "error.path.missing").await;
    expect(Method::POST, "/v2/apps", with(app.clone(), json!({"instances": -1})), 422, "error.min").await;
    expect(Method::POST, "/v2/apps", with(app.clone(), json!({"id": "/A"})), 422, r#""path":"/id""#).await;
    let strategy = json!({"upgradeStrategy": {"minimumHealthCapacity": 2}});
    expect(Method::PUT, "/v2/apps/a", with(app.clone(), strategy), 422, "is greater than 1").await;
    expect(Method::PATCH, "/v2/apps/none", json!({"instances": 1}), 404, "App '/none' does not exist").await;
    expect(Method::PUT, "/v2/apps/a", json!({"id": "/b"}), 400, "does not match the path").await;
    expect(Method::POST, "/v2/tasks/delete", json!({"ids": ["nonsense"]}), 400, "Invalid task id").await;
    assert_eq!(rig.get("/v2/apps").await, json!({"apps": []}), "nothing of this left a trace");

    let broken = rig.request(Method::PUT, "/v2/apps/a").header("Content-Type", "application/json").body("{");
    let answer = broken.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains("Invalid JSON"));
    let plain = rig.request(Method::PUT, "/v2/apps/a").header("Content-Type", "text/plain").body("{}");
    assert_eq!(plain.send().await.unwrap().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let foreign = rig.request(Method::GET, "/v2/apps").header("Origin", "http://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(rig.call(Method::GET, "/v2/nothing", None).await.0, 404);
    assert_eq!(rig.call(Method::GET, "/v2/events", None).await.0, 405, "the event stream wants its Accept header");

    assert_eq!(rig.call(Method::POST, "/v2/apps", Some(app.clone())).await.0, 201);
    expect(Method::POST, "/v2/apps", app, 409, "An app with id [/a] already exists.").await;
}

#[tokio::test]
async fn what_does_not_fit_waits_with_reasons_and_locks_the_app() {
    let rig = Rig::with(vec![agent("small", 0.5, 512, &[]), agent("large", 1.0, 512, &[("disk", "ssd")])]).await;
    rig.put(&with(sleeper("/big", 3), json!({"cpus": 0.5, "constraints": [["hostname", "UNIQUE"]]}))).await;
    rig.running("/big", 2).await;
    let queue = rig.get("/v2/queue?embed=lastUnusedOffers").await;
    let item = &queue["queue"][0];
    assert_eq!((&item["app"]["id"], &item["count"]), (&json!("/big"), &json!(1)));
    assert_eq!(item["delay"], json!({"timeLeftSeconds": 0, "overdue": true}));
    let summary = &item["processedOffersSummary"];
    let declined = |summary: &Value, reason: &str| {
        let steps = summary["rejectSummaryLastOffers"].as_array().unwrap();
        steps.iter().find(|s| s["reason"] == reason).unwrap()["declined"].as_u64().unwrap()
    };
    assert_eq!(declined(summary, "UnfulfilledConstraint"), 2);
    assert_eq!(item["lastUnusedOffers"].as_array().unwrap().len(), 2);
    assert_eq!(item["lastUnusedOffers"][0]["reason"], json!(["UnfulfilledConstraint"]));

    rig.put(&with(sleeper("/heavy", 1), json!({"mem": 4096, "cpus": 0.1}))).await;
    let heavy = wait("the second waiting app", async || {
        let queue = rig.get("/v2/queue").await;
        queue["queue"].as_array().unwrap().iter().find(|q| q["app"]["id"] == "/heavy").cloned()
    })
    .await;
    assert_eq!(declined(&heavy["processedOffersSummary"], "InsufficientMemory"), 1, "{heavy}");
    assert_eq!(declined(&heavy["processedOffersSummary"], "InsufficientCpus"), 1, "{heavy}");

    // Under deployment: locked, unless forced; then the older deployment fails.
    let (status, locked) = rig.call(Method::PATCH, "/v2/apps/big", Some(json!({"instances": 2}))).await;
    assert_eq!(status, 409, "{locked}");
    assert!(locked["message"].as_str().unwrap().starts_with("App is locked by one or more deployments."));
    let holder = locked["deployments"][0]["id"].as_str().unwrap().to_owned();
    let events = rig.events("").await;
    let (status, _) = rig.call(Method::PATCH, "/v2/apps/big?force=true", Some(json!({"instances": 2}))).await;
    assert_eq!(status, 200);
    events.find("deployment_failed", |e| matches!(e, Event::DeploymentFailed(d) if d.id == holder)).await;
    wait("an empty place in the queue", async || {
        let queue = rig.get("/v2/queue").await;
        queue["queue"].as_array().unwrap().iter().all(|q| q["app"]["id"] != "/big").then_some(())
    })
    .await;

    // Room that becomes free is used: the heavy one shrinks.
    rig.call(Method::PUT, "/v2/apps/heavy?force=true", Some(json!({"mem": 32}))).await;
    rig.running("/heavy", 1).await;
}

#[tokio::test]
async fn constraints_choose_the_agents() {
    let rig = Rig::with(vec![
        agent("w1", 2.0, 512, &[("pool", "web"), ("rack", "r1")]),
        agent("w2", 2.0, 512, &[("pool", "web"), ("rack", "r2")]),
        agent("d1", 2.0, 512, &[("pool", "db"), ("rack", "r2")]),
    ])
    .await;
    rig.put(&with(sleeper("/web", 2), json!({"constraints": [["pool", "LIKE", "web"]]}))).await;
    let mut hosts: Vec<String> =
        rig.running("/web", 2).await.iter().map(|t| t["host"].as_str().unwrap().to_owned()).collect();
    hosts.sort();
    assert_eq!(hosts, ["w1", "w2"], "spread over the agents that fit");
    rig.put(&with(sleeper("/db", 2), json!({"constraints": [["hostname", "CLUSTER", "d1"]]}))).await;
    assert!(rig.running("/db", 2).await.iter().all(|t| t["host"] == "d1"));
    rig.put(&with(sleeper("/racks", 2), json!({"constraints": [["rack", "GROUP_BY"]]}))).await;
    let racks = rig.running("/racks", 2).await;
    assert_eq!(racks.iter().filter(|t| t["host"] == "w1").count(), 1, "one in each rack: {racks:?}");
}

#[tokio::test]
async fn a_crash_loop_slows_down_and_can_be_released() {
    let rig = Rig::new().await;
    let crash = with(sleeper("/crash", 1), json!({"cmd": "exit 3", "backoffSeconds": 30}));
    rig.put(&crash).await;
    let item = wait("the app in the queue with a delay", async || {
        let queue = rig.get("/v2/queue").await;
        queue["queue"].as_array().unwrap().iter().find(|q| q["delay"]["overdue"] == false).cloned()
    })
    .await;
    let left = item["delay"]["timeLeftSeconds"].as_u64().unwrap();
    assert!((1..=30).contains(&left), "{left}");
    let failure = rig.get("/v2/apps/crash").await["app"]["lastTaskFailure"].clone();
    assert_eq!(failure["state"], "TASK_FAILED");
    assert_eq!(failure["message"], "Container exited with status 3");
    assert_eq!(rig.call(Method::DELETE, "/v2/queue/crash/delay", None).await.0, 204);
    wait("another attempt", async || {
        let again = rig.get("/v2/apps/crash").await["app"]["lastTaskFailure"]["taskId"].clone();
        (again != failure["taskId"]).then_some(())
    })
    .await;
    assert_eq!(rig.call(Method::DELETE, "/v2/queue/nothing/delay", None).await.0, 404);

    // A launch that can't be is a failure with Docker's own words.
    let lost = with(sleeper("/lost", 1), json!({"container": {"docker": {"image": "127.0.0.1:1/none:1"}}}));
    rig.put(&lost).await;
    let message = wait("the failed launch", async || {
        rig.get("/v2/apps/lost").await["app"]["lastTaskFailure"]["message"].as_str().map(str::to_owned)
    })
    .await;
    assert!(message.starts_with("Failed to launch container:"), "{message}");
}

#[tokio::test]
async fn dependencies_start_first_and_circles_are_refused() {
    let rig = Rig::new().await;
    let slow = json!({"healthChecks": [{"protocol": "COMMAND", "command": {"value": "test -e /tmp/ready"},
        "delaySeconds": 0, "intervalSeconds": 0, "gracePeriodSeconds": 600, "timeoutSeconds": 5}]});
    let apps = json!([
        with(sleeper("/stack/front", 1), json!({"dependencies": ["/stack/base"]})),
        with(sleeper("/stack/base", 1), slow)
    ]);
    let (status, body) = rig.call(Method::PUT, "/v2/apps", Some(apps)).await;
    assert_eq!(status, 200, "{body}");
    let base = rig.running("/stack/base", 1).await.remove(0);
    assert!(rig.tasks("/stack/front").await.is_empty());
    // Its step has not come: it does not wait for offers, and the deployment says for what.
    assert_eq!(rig.get("/v2/queue").await["queue"], json!([]));
    let deployment = rig.get("/v2/deployments").await[0].clone();
    assert_eq!(deployment["currentActions"][0]["app"], "/stack/base", "{deployment}");
    assert_eq!((&deployment["currentStep"], &deployment["totalSteps"]), (&json!(2), &json!(3)));
    support::docker(&["exec", &rig.container(base["id"].as_str().unwrap()), "touch", "/tmp/ready"]);
    rig.running("/stack/front", 1).await;
    rig.settled().await;
    let circle = json!({"dependencies": ["/stack/front"]});
    let (status, body) = rig.call(Method::PUT, "/v2/apps/stack/base", Some(circle)).await;
    assert_eq!(status, 422, "{body}");
    let group = rig.get("/v2/groups/stack").await;
    assert_eq!(group["apps"].as_array().unwrap().len(), 2);
    assert_eq!(rig.get("/v2/apps/stack/*").await["*"].as_array().unwrap().len(), 2);
    let (status, _) = rig.call(Method::GET, "/v2/groups/none", None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn lists_are_filtered_and_deployments_can_be_taken_back() {
    let rig = Rig::new().await;
    rig.put(&with(sleeper("/l/one", 1), json!({"labels": {"team": "a"}}))).await;
    rig.put(&with(sleeper("/l/two", 1), json!({"labels": {"team": "b"}}))).await;
    rig.settled().await;
    let names = async |query: &str| -> Vec<String> {
        let list = rig.get(&format!("/v2/apps?{query}")).await;
        list["apps"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("id=one").await, ["/l/one"]);
    assert_eq!(names("label=team%20in%20(b,c)").await, ["/l/two"]);
    assert_eq!(names("cmd=TRAP").await.len(), 2);
    assert_eq!(rig.call(Method::GET, "/v2/apps?label=(", None).await.0, 422);
    let embedded = rig.get("/v2/apps?embed=apps.tasks&embed=apps.lastTaskFailure&id=one").await;
    assert_eq!(embedded["apps"][0]["tasks"].as_array().unwrap().len(), 1);
    assert!(rig.get("/v2/apps").await["apps"][0].get("tasks").is_none(), "tasks only if asked for");
    let running = rig.get("/v2/tasks?status=running").await;
    assert_eq!(running["tasks"].as_array().unwrap().len(), 2);

    // A change that can't be completed is reverted: the app is what it was.
    let stuck = rig.put(&json!({"id": "/l/one", "instances": 99})).await;
    let (status, body) = rig.call(Method::DELETE, &format!("/v2/deployments/{stuck}"), None).await;
    assert_eq!(status, 200, "{body}");
    rig.settled().await;
    assert_eq!(rig.get("/v2/apps/l/one").await["app"]["instances"], 1);
    rig.running("/l/one", 1).await;
    let stuck = rig.put(&json!({"id": "/l/one", "cpus": 99.0})).await;
    let (status, _) = rig.call(Method::DELETE, &format!("/v2/deployments/{stuck}?force=true"), None).await;
    assert_eq!(status, 202);
    assert_eq!(rig.call(Method::DELETE, "/v2/deployments/none", None).await.0, 404);
    assert_eq!(rig.get("/v2/leader").await["leader"].as_str().unwrap().split(':').next(), Some("localhost"));
}

#[tokio::test]
async fn disk_is_counted_like_the_rest() {
    let rig = Rig::with(vec![AgentConfig { disk_mib: Some(100), ..agent("one", 4.0, 2048, &[]) }]).await;
    rig.put(&with(sleeper("/disk", 2), json!({"disk": 60}))).await;
    let first = rig.running("/disk", 1).await.remove(0);
    let item = wait("the reason", async || {
        let queue = rig.get("/v2/queue?embed=lastUnusedOffers").await;
        let item = queue["queue"][0].clone();
        (item["lastUnusedOffers"][0]["reason"] == json!(["InsufficientDisk"])).then_some(item)
    })
    .await;
    let resources = item["lastUnusedOffers"][0]["offer"]["resources"].as_array().unwrap();
    let disk = resources.iter().find(|r| r["name"] == "disk").unwrap();
    assert_eq!(disk["scalar"], 40.0);
    // What one gives back the other one gets, over a restart too.
    let mut rig = rig;
    rig.restart().await;
    let id = first["id"].as_str().unwrap();
    rig.call(Method::DELETE, &format!("/v2/apps/disk/tasks/{id}?scale=true&force=true"), None).await;
    wait("the other one instead", async || {
        let tasks = rig.tasks("/disk").await;
        (tasks.len() == 1 && tasks[0]["id"] != id && tasks[0]["state"] == "TASK_RUNNING").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_named_volume_outlives_its_tasks() {
    let rig = Rig::new().await;
    let name = format!("volume-{}", rig.id);
    let mut app = with(
        sleeper("/keeps", 1),
        json!({"cmd": "date >> /data/starts; trap 'exit 0' TERM; while :; do sleep 0.1; done",
               "upgradeStrategy": {"minimumHealthCapacity": 0, "maximumOverCapacity": 0}}),
    );
    app["container"]["volumes"] = json!([{"containerPath": "/data", "mode": "RW",
        "external": {"name": name, "provider": "dvdi", "options": {"dvdi/driver": "local"}}}]);
    rig.put(&app).await;
    rig.running("/keeps", 1).await;
    rig.settled().await;
    let (status, _) = rig.call(Method::POST, "/v2/apps/keeps/restart", None).await;
    assert_eq!(status, 200);
    rig.settled().await;
    let container = rig.container(rig.running("/keeps", 1).await[0]["id"].as_str().unwrap());
    wait("the second start", async || {
        let starts = docker(&["exec", &container, "cat", "/data/starts"]);
        (starts.lines().count() == 2).then_some(())
    })
    .await;
    assert_eq!(docker(&["volume", "inspect", "-f", "{{.Driver}}", &name]), "local");
}
