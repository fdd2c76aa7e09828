//! What listeners are told when a running task's health changes and nothing else: by the
//! engine on a real Mesos 1.11 with that Mesos' own operator stream, and by the engine
//! on Docker with the operator stream that it speaks itself. Both must be the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/engine.rs"]
mod engine;
#[path = "lab/mod.rs"]
mod lab;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/on_mesos.rs"]
mod on_mesos;

use mesos::{AgentSpec, DEADLINE, Mesos, until};
use on_mesos::{Framework, sleeper};
use padis_engine::MesosConfig;
use padis_protocol::event::{Event, Frame, FrameReader};
use padis_protocol::recordio::RecordReader;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What came over a stream so far.
type Seen<T> = Arc<Mutex<Vec<T>>>;

/// One pair of a Marathon API and the operator API of what is below it.
struct Side {
    client: reqwest::Client,
    marathon: String,
    master: String,
    events: Seen<Event>,
    records: Seen<Value>,
}

impl Side {
    async fn listen(marathon: String, master: String) -> Self {
        let client = padis_drivers::http::builder().build().unwrap();
        let (events, records): (Seen<Event>, Seen<Value>) = Default::default();
        let request = client.get(format!("{marathon}/v2/events")).header("Accept", "text/event-stream");
        let (mut answer, sink) = (request.send().await.unwrap(), Arc::clone(&events));
        tokio::spawn(async move {
            let mut reader = FrameReader::default();
            while let Ok(Some(piece)) = answer.chunk().await {
                for frame in reader.push(&piece) {
                    if let Frame::Event(_, event) = frame {
                        sink.lock().unwrap().push(*event);
                    }
                }
            }
        });
        let request = client.post(format!("{master}/api/v1")).body(r#"{"type":"SUBSCRIBE"}"#);
        let request = request.header("Content-Type", "application/json").header("Accept", "application/json");
        let (mut answer, sink) = (request.send().await.unwrap(), Arc::clone(&records));
        assert_eq!(answer.status().as_u16(), 200);
        tokio::spawn(async move {
            let mut reader = RecordReader::with_limit(16 << 20);
            while let Ok(Some(piece)) = answer.chunk().await {
                let mut found = Vec::new();
                reader.push(&piece, &mut found).unwrap();
                sink.lock().unwrap().extend(found.iter().map(|r| serde_json::from_slice::<Value>(r).unwrap()));
            }
        });
        Self { client, marathon, master, events, records }
    }

    async fn put(&self, app: &Value) {
        let url = format!("{}/v2/apps{}", self.marathon, app["id"].as_str().unwrap());
        let answer = self.client.put(url).json(app).timeout(DEADLINE).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The task of `/flip`, changed in its health twice, and what was told: Marathon's
    /// events of it, the operator's updates, the states that the operator lists at the end.
    async fn flip(&self, app: &Value, mark: &Value, file: &Path) -> (Vec<bool>, Vec<Value>, Vec<Value>) {
        std::fs::write(file, "fine").unwrap();
        self.put(app).await;
        let turns = || -> Vec<bool> {
            let events = self.events.lock().unwrap();
            events
                .iter()
                .filter_map(|e| if let Event::HealthStatusChanged(h) = e { Some(h.alive) } else { None })
                .collect()
        };
        until("it is healthy", async || turns() == [true]).await;
        std::fs::remove_file(file).unwrap();
        until("it is not", async || turns() == [true, false]).await;
        std::fs::write(file, "fine again").unwrap();
        until("it is again", async || turns() == [true, false, true]).await;
        // What comes after all that: nothing of it can still be on its way.
        self.put(mark).await;
        let of = |record: &Value, kind: &str, app: &str| {
            let text = record.to_string();
            record["type"] == kind && text.contains(app)
        };
        until("the other one runs", async || {
            let records = self.records.lock().unwrap();
            records.iter().any(|r| of(r, "TASK_UPDATED", "mark.") && r["task_updated"]["state"] == "TASK_RUNNING")
        })
        .await;
        let told = |status: &Value| json!([status["state"], status["healthy"]]);
        let updates: Vec<Value> = {
            let records = self.records.lock().unwrap();
            records
                .iter()
                .filter(|r| of(r, "TASK_UPDATED", "flip."))
                .map(|r| told(&r["task_updated"]["status"]))
                .collect()
        };
        let request = self.client.post(format!("{}/api/v1", self.master)).body(r#"{"type":"GET_TASKS"}"#);
        let request = request.header("Content-Type", "application/json").header("Accept", "application/json");
        let tasks: Value = request.timeout(DEADLINE).send().await.unwrap().json().await.unwrap();
        let tasks = tasks["get_tasks"]["tasks"].as_array().unwrap();
        let flip = tasks.iter().find(|t| t["task_id"]["value"].as_str().unwrap().starts_with("flip.")).unwrap();
        let mut statuses: Vec<Value> = flip["statuses"].as_array().unwrap().iter().map(told).collect();
        // A container of the built-in engine's is not there before it runs.
        statuses.retain(|s| s[0] != "TASK_STARTING");
        (turns(), updates.into_iter().filter(|u| u[0] != "TASK_STARTING").collect(), statuses)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mere_change_of_health_is_told_as_mesos_and_marathon_tell_it() {
    let folder = tempfile::tempdir().unwrap();
    let check = |file: &str| {
        json!([{"protocol": "COMMAND", "command": {"value": format!("test -e {file}")}, "delaySeconds": 0,
            "gracePeriodSeconds": 0, "intervalSeconds": 1, "maxConsecutiveFailures": 0}])
    };
    let agent =
        AgentSpec { name: "one", attributes: "pool:a", resources: "cpus:2;mem:512;disk:10;ports:[31000-31099]" };
    let cluster = Mesos::start(&[agent]).await;
    let framework = Framework::start(MesosConfig::at(vec![cluster.url()])).await;
    let on_mesos = Side::listen(framework.base.clone(), cluster.url()).await;
    let file = folder.path().join("fine");
    let app = sleeper("/flip", 0.1, json!({"healthChecks": check(&file.display().to_string())}));
    let real = on_mesos.flip(&app, &sleeper("/mark", 0.1, json!({})), &file).await;
    framework.stop().await;

    lab::image();
    let engine = engine::Engine::start().await;
    let base = format!("http://{}", engine.handle.marathon());
    let ours = Side::listen(base, format!("http://{}", engine.handle.mesos())).await;
    let in_docker = |mut app: Value, more: Value| {
        app["networks"] = json!([{"mode": "container/bridge"}]);
        app["container"] = json!({"type": "DOCKER", "docker": {"image": lab::IMAGE},
            "volumes": [{"containerPath": "/seen", "hostPath": folder.path(), "mode": "RO"}]});
        app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app
    };
    let app = in_docker(sleeper("/flip", 0.1, json!({})), json!({"healthChecks": check("/seen/fine")}));
    let told = ours.flip(&app, &in_docker(sleeper("/mark", 0.1, json!({})), json!({})), &file).await;
    for app in ["/flip", "/mark"] {
        ours.client.delete(format!("{}/v2/apps{app}", ours.marathon)).send().await.unwrap();
    }
    until("Docker has nothing of it", async || {
        let filter = format!("label=io.padis.engine={}", engine.handle.id());
        lab::docker(&["ps", "-q", "--filter", &filter]).is_empty()
    })
    .await;
    engine.handle.stop().await;

    // Operators are told each change; of those with one state the last one is listed.
    let running = |healthy: Option<bool>| json!(["TASK_RUNNING", healthy]);
    assert_eq!(real.1, [None, Some(true), Some(false), Some(true)].map(running));
    assert_eq!(real.2, [json!(["TASK_RUNNING", true])]);
    assert_eq!(told, real, "the engine's against Mesos'");
}
