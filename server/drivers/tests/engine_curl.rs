//! Plain curl against the engine on a real Mesos, with the requests that Marathon's own
//! description gives as examples (`server/protocol/tests/fixtures`), to the letter.
//!
//! What a real Marathon would refuse of them is refused here, and by name: an app with
//! both a command and arguments, and secrets without the feature.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/on_mesos.rs"]
mod on_mesos;

use mesos::{AgentSpec, Mesos, until};
use on_mesos::Framework;
use padis_engine::MesosConfig;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

const AGENT: AgentSpec =
    AgentSpec { name: "srv1.lab.test", attributes: "", resources: "cpus:4;mem:2048;disk:100;ports:[31000-31099]" };

/// One example.
fn example(file: &str, name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/tests/fixtures");
    let text = std::fs::read_to_string(format!("{folder}/{file}.json")).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    assert!(all[name].is_object() || all[name].is_array(), "no {name} in {file}");
    all[name].take()
}

/// What curl gets: the status, and the body as JSON or as the text it is.
fn curl(method: &str, url: &str, body: Option<&Value>) -> (u16, Value) {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "30", "-X", method, "-w", "\n%{http_code}", url]);
    if body.is_some() {
        command.args(["-H", "Content-Type: application/json", "--data-binary", "@-"]);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    if let Some(body) = body {
        input.write_all(body.to_string().as_bytes()).unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "curl {method} {url}: {}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let (answer, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(answer).unwrap_or_else(|_| answer.into()))
}

fn paths(refusal: &Value) -> Vec<&str> {
    refusal["details"].as_array().unwrap().iter().map(|d| d["path"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn marathons_own_example_requests_by_curl() {
    let cluster = Mesos::start(&[AGENT]).await;
    let engine = Framework::start(MesosConfig::at(vec![cluster.url()])).await;
    let (base, v2) = (engine.base.clone(), format!("{}/v2", engine.base));
    let settled = async || {
        until("no deployment is left", async || engine.get("/v2/deployments").await == json!([])).await;
    };
    assert_eq!(curl("GET", &format!("{base}/ping"), None), (200, "pong".into()));

    // Two apps at once: the one that the other depends on runs first, what does not exist is not waited for.
    let two = example("app_arrays", "apps_create");
    let (status, answer) = curl("PUT", &format!("{v2}/apps"), Some(&two));
    assert_eq!(status, 200, "{answer}");
    assert!(answer["deploymentId"].is_string() && answer["version"].is_string(), "{answer}");
    let (status, plan) = curl("GET", &format!("{v2}/deployments"), None);
    assert_eq!((status, &plan[0]["id"]), (200, &answer["deploymentId"]));
    settled().await;
    let first = engine.running("/test/sleep120", 2).await;
    let then = engine.running("/test/sleep60", 2).await;
    let earliest = |tasks: &[Value]| tasks.iter().map(|t| t["stagedAt"].as_str().unwrap().to_owned()).min().unwrap();
    assert!(earliest(&first) < earliest(&then), "{first:?} {then:?}");
    // And it can be asked for by what the list can be filtered by.
    let (_, found) = curl("GET", &format!("{v2}/apps?cmd=sleep%20120&embed=apps.counts"), None);
    assert_eq!((&found["apps"][0]["id"], &found["apps"][0]["tasksRunning"]), (&json!("/test/sleep120"), &json!(2)));
    assert_eq!(found["apps"].as_array().unwrap().len(), 1);

    // The patch changes nothing that differs: no task is replaced.
    let (status, answer) = curl("PATCH", &format!("{v2}/apps"), Some(&example("app_arrays", "apps_patch")));
    assert_eq!(status, 200, "{answer}");
    settled().await;
    let ids = |tasks: &[Value]| tasks.iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(&engine.running("/test/sleep120", 2).await), ids(&first));

    // An app that is none is said to be so, by path.
    let mut app = example("apps", "app");
    let (status, answer) = curl("POST", &format!("{v2}/apps"), Some(&app));
    assert_eq!((status, &answer["message"]), (422, &json!("Object is not valid")));
    assert_eq!(paths(&answer), ["/", "/env(PASSWORD)", "/secrets"]);
    let members = app.as_object_mut().unwrap();
    members.remove("args");
    members.remove("secrets");
    members["env"].as_object_mut().unwrap().remove("PASSWORD");
    let (status, created) = curl("POST", &format!("{v2}/apps"), Some(&app));
    assert_eq!((status, &created["id"]), (201, &json!("/foo")), "{created}");
    let dropped: Vec<&String> = app.as_object().unwrap().keys().filter(|name| created[*name].is_null()).collect();
    // On a bridge the mappings say the ports.
    assert_eq!(dropped, ["portDefinitions"], "{created}");
    assert_eq!(created["networks"], json!([{"mode": "container/bridge"}]));
    let (status, answer) = curl("POST", &format!("{v2}/apps"), Some(&app));
    assert_eq!((status, answer), (409, json!({"message": "An app with id [/foo] already exists."})));
    // It waits, for a role and a host that are not there, and that is told.
    until("the queue tells why", async || {
        let (_, queue) = curl("GET", &format!("{v2}/queue?embed=lastUnusedOffers"), None);
        let item = queue["queue"].as_array().unwrap().iter().find(|i| i["app"]["id"] == "/foo").cloned();
        item.is_some_and(|i| i["processedOffersSummary"]["unusedOffersCount"].as_u64() > Some(0))
    })
    .await;
    let patch = example("apps", "app_patch");
    let (status, locked) = curl("PATCH", &format!("{v2}/apps/foo"), Some(&patch));
    assert_eq!(status, 409, "{locked}");
    assert!(locked["message"].as_str().unwrap().contains("locked by one or more deployments"), "{locked}");
    let (status, answer) = curl("PATCH", &format!("{v2}/apps/foo?force=true"), Some(&patch));
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = curl("DELETE", &format!("{v2}/apps/foo?force=true"), None);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(curl("GET", &format!("{v2}/apps/nobody"), None).0, 404);

    // A check, of which the result is told and decides nothing.
    let mut checked = example("apps", "app-check-http-example");
    checked["cmd"] = "exec python3 -m http.server --bind 127.0.0.1 $PORT0".into();
    checked["check"]["delaySeconds"] = 0.into();
    checked["check"]["intervalSeconds"] = 1.into();
    let (status, answer) = curl("POST", &format!("{v2}/apps"), Some(&checked));
    assert_eq!(status, 201, "{answer}");
    until("the check's result", async || {
        let (_, told) = curl("GET", &format!("{v2}/apps/http-index-test/tasks"), None);
        told["tasks"][0]["checkResult"] == json!({"http": {"statusCode": 200}})
    })
    .await;
    // Limits are told, and an agent without isolation drops what has some: with the app's
    // pauses, not again and again at once.
    let limited = json!({"id": "/limited", "cmd": "sleep 60", "cpus": 0.1, "mem": 16, "backoffSeconds": 1,
        "backoffFactor": 10, "resourceLimits": {"cpus": "unlimited", "mem": 256}});
    let (status, answer) = curl("POST", &format!("{v2}/apps"), Some(&limited));
    assert_eq!(status, 201, "{answer}");
    let mut failure = Value::Null;
    until("why it is dropped", async || {
        failure = engine.get("/v2/apps/limited").await["app"]["lastTaskFailure"].clone();
        !failure.is_null()
    })
    .await;
    assert_eq!(failure["state"], "TASK_DROPPED", "{failure}");
    assert!(failure["message"].as_str().unwrap().contains("limits"), "{failure}");
    let delay = engine.get("/v2/queue").await["queue"][0]["delay"].clone();
    assert_eq!(delay["overdue"], false, "{delay}");
    assert_eq!(curl("DELETE", &format!("{v2}/apps/limited"), None).0, 200);
    let mut wrong = checked.clone();
    wrong["check"] = json!({"http": {"portIndex": 1}, "tcp": {}});
    wrong["resourceLimits"] = json!({"mem": 1, "disk": 2});
    let (status, answer) = curl("PUT", &format!("{v2}/apps/http-index-test"), Some(&wrong));
    assert_eq!(status, 422);
    let expected = ["/check", "/check/http/portIndex", "/resourceLimits/disk", "/resourceLimits/mem"];
    assert_eq!(paths(&answer), expected);

    // Tasks: those that nobody knows, and those of the example's form.
    let (status, answer) = curl("POST", &format!("{v2}/tasks/delete"), Some(&json!({"ids": ["task1", "task2"]})));
    assert_eq!(status, 400, "{answer}");
    assert!(answer["message"].as_str().unwrap().starts_with("Invalid task id"), "{answer}");
    let ids = ids(&first);
    let (status, killed) = curl("POST", &format!("{v2}/tasks/delete"), Some(&json!({"ids": [ids[0]]})));
    assert_eq!((status, &killed["tasks"][0]["id"]), (200, &json!(ids[0])));
    until("another one runs", async || {
        let tasks = engine.running("/test/sleep120", 2).await;
        tasks.iter().all(|t| t["id"] != ids[0].as_str())
    })
    .await;

    // The groups' example is an answer; what a person sends to the root is one with its apps.
    let group = example("groups", "group");
    let (status, answer) = curl("POST", &format!("{v2}/groups"), Some(&group));
    let taken = json!({"message": "Group / is already created. Use PUT to change this group."});
    assert_eq!((status, answer), (409, taken));
    let (status, steps) = curl("PUT", &format!("{v2}/groups/tree?dryRun=true"), Some(&json!({"apps": two})));
    assert_eq!(status, 422, "{steps}");
    assert_eq!(paths(&steps)[0], "/apps(0)/id");
    let (status, _) = curl("DELETE", &format!("{v2}/groups/test"), None);
    assert_eq!(status, 200);
    let (status, _) = curl("DELETE", &format!("{v2}/apps/http-index-test"), None);
    assert_eq!(status, 200);
    settled().await;
    assert_eq!(curl("GET", &format!("{v2}/apps"), None), (200, json!({"apps": []})));
    engine.stop().await;
}
