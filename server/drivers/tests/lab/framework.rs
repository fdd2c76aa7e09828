//! A small framework on the v1 scheduler API: launches command tasks where it is
//! told to, acknowledges updates, and remembers them.
//!
//! One could get it wrong by not acknowledging: the agent then sends the same
//! update again and again and never the next one; or by not being able to tell
//! reserved resources in an offer from others (RESERVATION_REFINEMENT). And which of
//! its roles is offered an agent's room is the allocator's choice, made anew each time:
//! a task on whichever offer comes first is now one role's and now the other's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::mesos::{DEADLINE, until};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A command task.
#[derive(Clone)]
pub struct Command {
    /// Task id.
    pub id: String,
    /// For `/bin/sh -c`.
    pub line: String,
    /// Host name of its agent; empty for any.
    pub host: String,
    /// Cores.
    pub cpus: f64,
    /// MiB.
    pub mem: u64,
    /// Merged into the TaskInfo: `health_check`, `kill_policy`; `ports` are host ports that it gets.
    pub extra: Value,
}

impl Command {
    /// A small one: 0.05 cores, 32 MiB.
    pub fn new(id: &str, host: &str, line: &str) -> Self {
        let (id, host, line) = (id.to_owned(), host.to_owned(), line.to_owned());
        Self { id, line, host, cpus: 0.05, mem: 32, extra: json!({}) }
    }
}

#[derive(Default)]
struct Inner {
    framework: Value,
    waiting: Vec<Command>,
    /// (agent id, status), oldest first.
    updates: Vec<Value>,
}

/// A subscribed framework.
#[derive(Clone)]
pub struct Framework {
    client: reqwest::Client,
    url: String,
    stream: String,
    inner: Arc<Mutex<Inner>>,
}

impl Framework {
    /// Subscribes and works in the background.
    pub async fn subscribe(master: &str) -> Self {
        let client = padis_drivers::http::builder().build().unwrap();
        let url = format!("{master}/api/v1/scheduler");
        let info = json!({"user": "root", "name": "test", "principal": "test", "roles": ["*", "lab"],
            "checkpoint": true, "failover_timeout": 3600.0, "hostname": "127.0.0.1", "webui_url": "http://127.0.0.1:8080",
            "capabilities": [{"type": "MULTI_ROLE"}, {"type": "TASK_KILLING_STATE"}, {"type": "PARTITION_AWARE"},
                {"type": "RESERVATION_REFINEMENT"}]});
        let body = json!({"type": "SUBSCRIBE", "subscribe": {"framework_info": info}}).to_string();
        let answer = client.post(&url).header("Content-Type", "application/json").header("Accept", "application/json");
        let answer = answer.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "subscribe: {}", answer.status());
        let stream = answer.headers()["mesos-stream-id"].to_str().unwrap().to_owned();
        let this = Self { client, url, stream, inner: Arc::default() };
        let worker = this.clone();
        tokio::spawn(async move { worker.work(answer).await });
        let subscribed = async || !this.inner.lock().unwrap().framework.is_null();
        until("the framework is subscribed", subscribed).await;
        this
    }

    /// Launches it as soon as an offer has room.
    pub fn launch(&self, command: Command) {
        self.inner.lock().unwrap().waiting.push(command);
    }

    /// Waits for a state; its update.
    pub async fn wait(&self, task: &str, state: &str) -> Value {
        self.wait_for(task, state, |u| u["state"] == state).await
    }

    /// Waits for an update about a task.
    pub async fn wait_for(&self, task: &str, what: &str, good: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            let all = self.inner.lock().unwrap().updates.clone();
            if let Some(update) = all.into_iter().find(|u| u["task_id"]["value"] == task && good(u)) {
                return update;
            }
            assert!(Instant::now() < end, "{task}: {what} does not come; so far {:?}", self.states(task));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The states that it went through.
    pub fn states(&self, task: &str) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        let own = inner.updates.iter().filter(|u| u["task_id"]["value"] == task);
        own.map(|u| u["state"].as_str().unwrap().to_owned()).collect()
    }

    /// Asks for the end of a task.
    pub async fn kill(&self, task: &str) {
        self.call("KILL", json!({"kill": {"task_id": {"value": task}}})).await;
    }

    async fn call(&self, kind: &str, mut body: Value) {
        body["type"] = kind.into();
        body["framework_id"] = self.inner.lock().unwrap().framework.clone();
        let call = self.client.post(&self.url).header("Content-Type", "application/json");
        let call = call.header("Mesos-Stream-Id", &self.stream).body(body.to_string());
        // While the master is away there is nobody to say it to.
        if let Ok(answer) = call.send().await {
            let status = answer.status();
            assert_eq!(status.as_u16(), 202, "{kind}: {}", answer.text().await.unwrap_or_default());
        }
    }

    async fn work(&self, answer: reqwest::Response) {
        let mut pieces = answer.bytes_stream();
        let mut buffer = Vec::new();
        while let Some(Ok(piece)) = pieces.next().await {
            buffer.extend_from_slice(&piece);
            while let Some(newline) = buffer.iter().position(|b| *b == b'\n') {
                let length: usize = std::str::from_utf8(&buffer[..newline]).unwrap().parse().unwrap();
                let end = newline + 1 + length;
                if buffer.len() < end {
                    break;
                }
                let event: Value = serde_json::from_slice(&buffer[newline + 1..end]).unwrap();
                buffer.drain(..end);
                self.handle(event).await;
            }
        }
    }

    async fn handle(&self, event: Value) {
        match event["type"].as_str().unwrap_or_default() {
            "SUBSCRIBED" => {
                self.inner.lock().unwrap().framework = event["subscribed"]["framework_id"].clone();
            }
            "OFFERS" => {
                for offer in event["offers"]["offers"].as_array().unwrap() {
                    self.answer(offer).await;
                }
            }
            "UPDATE" => {
                let status = event["update"]["status"].clone();
                self.inner.lock().unwrap().updates.push(status.clone());
                if status["uuid"].is_string() {
                    let body =
                        json!({"agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": status["uuid"]});
                    self.call("ACKNOWLEDGE", json!({"acknowledge": body})).await;
                }
            }
            _ => {}
        }
    }

    /// Launches what fits, always for the role `*`, and gives the rest back.
    async fn answer(&self, offer: &Value) {
        let general = offer["allocation_info"]["role"] == "*";
        // Reserved resources would have to be asked for as such.
        let resource = |name: &str| {
            let all = offer["resources"].as_array().unwrap().iter().filter(|r| r["reservations"].is_null());
            all.filter(|r| r["name"] == name).filter_map(|r| r["scalar"]["value"].as_f64()).sum::<f64>()
        };
        let (mut cpus, mut mem) = (resource("cpus"), resource("mem"));
        let mut tasks = Vec::new();
        self.inner.lock().unwrap().waiting.retain(|command| {
            let here = command.host.is_empty() || offer["hostname"] == command.host.as_str();
            let fits = general && here && command.cpus <= cpus && command.mem as f64 <= mem;
            if fits {
                cpus -= command.cpus;
                mem -= command.mem as f64;
                tasks.push(task(command, offer));
            }
            !fits
        });
        let operations =
            if tasks.is_empty() { json!([]) } else { json!([{"type": "LAUNCH", "launch": {"task_infos": tasks}}]) };
        let accept = json!({"offer_ids": [offer["id"]], "operations": operations, "filters": {"refuse_seconds": 0.1}});
        self.call("ACCEPT", json!({"accept": accept})).await;
    }
}

fn task(command: &Command, offer: &Value) -> Value {
    let scalar = |name: &str, value: f64| {
        json!({"name": name, "type": "SCALAR", "scalar": {"value": value},
        "allocation_info": offer["allocation_info"]})
    };
    let mut task = json!({"name": command.id, "task_id": {"value": command.id}, "agent_id": offer["agent_id"],
        "command": {"value": command.line, "shell": true},
        "resources": [scalar("cpus", command.cpus), scalar("mem", command.mem as f64)]});
    let mut extra = command.extra.as_object().unwrap().clone();
    for port in extra.remove("ports").iter().flat_map(|p| p.as_array().unwrap()) {
        let range = json!([{"begin": port, "end": port}]);
        task["resources"].as_array_mut().unwrap().push(json!({"name": "ports", "type": "RANGES",
            "ranges": {"range": range}, "allocation_info": offer["allocation_info"]}));
    }
    task.as_object_mut().unwrap().extend(extra);
    task
}
