//! A world for each test: its own engine, its own folder, its own ports, on the
//! lab's Docker Engine. Nothing waits for time, everything for a condition.
#![expect(dead_code, reason = "every test file uses its own part of this")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

use padis_engine::{AgentConfig, Engine, EngineConfig, EngineHandle, RuntimeConfig};
use padis_protocol::event::{Event, Frame, FrameReader};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

/// An image of busybox alone.
pub const IMAGE: &str = "padis-engine-test:1";
/// Patience of every wait.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The lab's Docker socket.
pub fn docker_socket() -> String {
    std::env::var("PADIS_TEST_DOCKER")
        .expect("this test needs the lab's Docker Engine: run it by `end2end/lab/run cargo test -p padis-engine`")
}

/// Runs the Docker command line in the lab; its output.
pub fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).env("DOCKER_HOST", docker_socket()).output().unwrap();
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Makes the image, once.
pub fn image() {
    static MADE: LazyLock<()> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let script = format!(
            "cd {dir} && mkdir -p bin tmp www && chmod 1777 tmp && cp /bin/busybox bin/ && \
             for a in $(/bin/busybox --list | grep -vx busybox); do ln -s busybox bin/$a; done && \
             echo hello > www/index.html && tar -c . | docker import -c 'ENV PATH=/bin' - {IMAGE}",
            dir = dir.path().display()
        );
        let output = Command::new("sh").args(["-c", &script]).env("DOCKER_HOST", docker_socket()).output().unwrap();
        assert!(output.status.success(), "image: {}", String::from_utf8_lossy(&output.stderr));
    });
    LazyLock::force(&MADE);
}

/// A client. Built by hand because no process-wide TLS provider is chosen.
pub fn client() -> Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

/// An engine and its world.
pub struct Rig {
    pub engine: Option<EngineHandle>,
    pub dir: tempfile::TempDir,
    pub config: EngineConfig,
    pub client: Client,
    pub base: String,
    pub mesos: String,
    pub id: String,
}

/// An agent with attributes.
pub fn agent(name: &str, cpus: f64, mem_mib: u64, attributes: &[(&str, &str)]) -> AgentConfig {
    AgentConfig {
        name: name.to_owned(),
        attributes: attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        cpus,
        mem_mib,
        disk_mib: None,
        docker: None,
    }
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(vec![agent("one", 4.0, 2048, &[])]).await
    }

    pub async fn with(agents: Vec<AgentConfig>) -> Self {
        image();
        let dir = tempfile::tempdir().unwrap();
        let config = EngineConfig {
            marathon_listen: "127.0.0.1:0".parse().unwrap(),
            mesos_listen: "127.0.0.1:0".parse().unwrap(),
            data: dir.path().join("engine"),
            docker: docker_socket(),
            agents,
            ..EngineConfig::default()
        };
        Self::start(dir, config).await
    }

    /// An engine whose settings differ.
    pub async fn tuned(agents: Vec<AgentConfig>, tune: impl FnOnce(&mut EngineConfig)) -> Self {
        let mut rig = Self::with(agents).await;
        tune(&mut rig.config);
        rig.restart().await;
        rig
    }

    /// An engine on so many agents on which nothing runs; needs no Docker.
    pub async fn simulated(agents: u32, latency: Duration, failure_rate: f64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = EngineConfig {
            marathon_listen: "127.0.0.1:0".parse().unwrap(),
            mesos_listen: "127.0.0.1:0".parse().unwrap(),
            data: dir.path().join("engine"),
            runtime: RuntimeConfig::Simulated { agents, latency, failure_rate },
            ..EngineConfig::default()
        };
        Self::start(dir, config).await
    }

    pub async fn start(dir: tempfile::TempDir, config: EngineConfig) -> Self {
        let engine = Engine::start(config.clone()).await.unwrap();
        let base = format!("http://{}", engine.marathon());
        let mesos = format!("http://{}", engine.mesos());
        let id = engine.id().to_owned();
        Self { engine: Some(engine), dir, config, client: client(), base, mesos, id }
    }

    /// Stops the engine and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.engine.take().unwrap().stop().await;
        let engine = Engine::start(self.config.clone()).await.unwrap();
        self.base = format!("http://{}", engine.marathon());
        self.mesos = format!("http://{}", engine.mesos());
        self.engine = Some(engine);
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request; status and JSON (null if there is none).
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    pub async fn mesos(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.mesos)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "GET {path}");
        answer.json().await.unwrap()
    }

    /// Creates or changes an app; the deployment's id.
    pub async fn put(&self, app: &Value) -> String {
        let path = format!("/v2/apps{}", app["id"].as_str().unwrap());
        let (status, body) = self.call(Method::PUT, &path, Some(app.clone())).await;
        assert!(status.is_success(), "PUT {path}: {status} {body}");
        body["deploymentId"].as_str().unwrap().to_owned()
    }

    pub async fn tasks(&self, app: &str) -> Vec<Value> {
        self.get(&format!("/v2/apps{app}/tasks")).await["tasks"].as_array().unwrap().clone()
    }

    /// Waits until the app has exactly so many tasks and all run; gives them.
    pub async fn running(&self, app: &str, count: usize) -> Vec<Value> {
        let what = format!("{count} running tasks of {app}");
        wait(&what, async || {
            let tasks = self.tasks(app).await;
            (tasks.len() == count && tasks.iter().all(|t| t["state"] == "TASK_RUNNING")).then_some(tasks)
        })
        .await
    }

    /// Waits until no deployment runs.
    pub async fn settled(&self) {
        wait("the end of all deployments", async || (self.get("/v2/deployments").await == json!([])).then_some(()))
            .await;
    }

    /// The engine's containers: `docker ps` with a format.
    pub fn ps(&self, all: bool, format: &str) -> Vec<String> {
        let filter = format!("label=io.padis.engine={}", self.id);
        let mut args = vec!["ps", "--no-trunc", "--filter", &filter, "--format", format];
        if all {
            args.push("-a");
        }
        docker(&args).lines().map(str::to_owned).collect()
    }

    /// The container of a task.
    pub fn container(&self, task: &str) -> String {
        let filter = format!("label=MESOS_TASK_ID={task}");
        docker(&["ps", "-a", "--no-trunc", "-q", "--filter", &filter])
    }

    /// Listens to the event stream from now on.
    pub async fn events(&self, query: &str) -> Events {
        let mut answer = client()
            .get(format!("{}/v2/events{query}", self.base))
            .header("Accept", "text/event-stream")
            .timeout(Duration::from_secs(600))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let seen: Arc<Mutex<Vec<(Instant, Event)>>> = Arc::default();
        let sink = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut reader = FrameReader::default();
            while let Ok(Some(piece)) = answer.chunk().await {
                let now = Instant::now();
                for frame in reader.push(&piece) {
                    if let Frame::Event(kind, event) = frame {
                        assert_eq!(kind, event.kind());
                        sink.lock().unwrap().push((now, *event));
                    }
                }
            }
        });
        Events { seen, task }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if self.config.runtime != RuntimeConfig::Docker {
            return;
        }
        let ids = self.ps(true, "{{.ID}}");
        if !ids.is_empty() {
            let mut args = vec!["rm", "-f"];
            args.extend(ids.iter().map(String::as_str));
            // The engine may replace or remove them at the same time.
            drop(Command::new("docker").args(&args).env("DOCKER_HOST", docker_socket()).output());
        }
    }
}

/// What came over the event stream.
pub struct Events {
    seen: Arc<Mutex<Vec<(Instant, Event)>>>,
    pub task: tokio::task::JoinHandle<()>,
}

impl Events {
    pub fn all(&self) -> Vec<Event> {
        self.seen.lock().unwrap().iter().map(|(_, e)| e.clone()).collect()
    }
    /// Waits for an event; gives it and when it arrived.
    pub async fn find(&self, what: &str, is: impl Fn(&Event) -> bool) -> (Instant, Event) {
        wait(what, async || self.seen.lock().unwrap().iter().find(|(_, e)| is(e)).cloned()).await
    }
    pub async fn status(&self, task: &str, state: &str) -> (Instant, Event) {
        let what = format!("{state} of {task}");
        self.find(&what, |e| matches!(e, Event::StatusUpdate(s) if s.task_id == task && s.task_status == state)).await
    }
}

/// Waits for a condition.
pub async fn wait<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A small app that runs until it is stopped.
pub fn sleeper(id: &str, instances: u32) -> Value {
    json!({
        "id": id, "cmd": "trap 'exit 0' TERM; echo up; while :; do sleep 0.1; done", "instances": instances,
        "cpus": 0.1, "mem": 16, "networks": [{"mode": "container", "name": "none"}],
        "container": {"type": "DOCKER", "docker": {"image": IMAGE}},
    })
}

/// A web server that serves `/www` at a mapped port.
pub fn web(id: &str, instances: u32) -> Value {
    json!({
        "id": id, "args": ["httpd", "-f", "-p", "80", "-h", "/www"], "instances": instances,
        "cpus": 0.1, "mem": 16, "networks": [{"mode": "container/bridge"}],
        "container": {"docker": {"image": IMAGE}, "portMappings": [{"containerPort": 80, "hostPort": 0}]},
    })
}

/// A folder below the rig's.
pub fn folder(rig: &Rig, name: &str) -> PathBuf {
    let path = rig.dir.path().join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}
