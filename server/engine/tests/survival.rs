//! Bad luck: the engine killed at any moment, Docker gone, strangers about.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use support::{IMAGE, Rig, agent, client, docker, docker_socket, image, sleeper, wait};
use tokio::net::{UnixListener, UnixStream};

#[tokio::test]
async fn a_stopped_engine_leaves_the_tasks_alone_and_finds_them_again() {
    let mut rig = Rig::new().await;
    rig.put(&sleeper("/stay", 2)).await;
    let before: BTreeSet<String> = rig.running("/stay", 2).await.iter().map(|t| t["id"].to_string()).collect();
    let containers: BTreeSet<String> = rig.ps(false, "{{.ID}}").into_iter().collect();
    rig.settled().await;
    rig.restart().await;
    let after: BTreeSet<String> = rig.running("/stay", 2).await.iter().map(|t| t["id"].to_string()).collect();
    assert_eq!(before, after);
    assert_eq!(containers, rig.ps(false, "{{.ID}}").into_iter().collect());

    // What died meanwhile is replaced, and only that.
    rig.engine.take().unwrap().stop().await;
    let victim = containers.first().unwrap();
    docker(&["kill", victim]);
    let engine = padis_engine::Engine::start(rig.config.clone()).await.unwrap();
    rig.base = format!("http://{}", engine.marathon());
    rig.engine = Some(engine);
    wait("the replacement of what died", async || {
        let now: BTreeSet<String> = rig.ps(false, "{{.ID}}").into_iter().collect();
        (now.len() == 2 && !now.contains(victim) && now.intersection(&containers).count() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn containers_of_ours_that_nobody_wants_go_and_those_of_others_stay() {
    let rig = Rig::new().await;
    rig.put(&sleeper("/mine", 1)).await;
    rig.running("/mine", 1).await;
    let ours = format!("io.padis.engine={}", rig.id);
    let run = |label: &str, task: &str| {
        docker(&[
            "run",
            "-d",
            "--net",
            "none",
            "--label",
            label,
            "--label",
            &format!("MESOS_TASK_ID={task}"),
            IMAGE,
            "sleep",
            "600",
        ])
    };
    let orphan = run(&ours, "orphan.instance-1");
    let stranger = run("io.padis.engine=somebody-else", "stranger.instance-1");
    wait("the orphan's end", async || (!rig.ps(true, "{{.ID}}").contains(&orphan)).then_some(())).await;
    assert_eq!(docker(&["inspect", "-f", "{{.State.Running}}", &stranger]), "true");
    docker(&["rm", "-f", &stranger]);
    rig.running("/mine", 1).await;
}

/// The engine as a child process that can be killed.
struct Victim {
    child: Child,
    base: String,
}

impl Victim {
    fn start(config: &std::path::Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_padis-engine"))
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses: Value = serde_json::from_str(&line).unwrap();
        Self { child, base: format!("http://{}", addresses["marathon"].as_str().unwrap()) }
    }
    fn kill(mut self) {
        self.child.kill().unwrap(); // SIGKILL
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn killed_at_any_moment_it_converges_with_nothing_lost_and_nothing_doubled() {
    image();
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("engine");
    let config = dir.path().join("engine.json");
    let body = json!({
        "marathon_listen": "127.0.0.1:0", "mesos_listen": "127.0.0.1:0", "data": data, "docker": docker_socket(),
        "agents": [{"name": "one", "cpus": 8.0, "mem_mib": 4096}],
    });
    std::fs::write(&config, body.to_string()).unwrap();
    let http = client();
    let mut wanted: u32 = 0;
    // A different moment each time: from "nothing done yet" to "all done".
    for (round, delay_ms) in [0_u64, 3, 10, 20, 40, 80, 150, 250, 400, 700].into_iter().enumerate() {
        let victim = Victim::start(&config);
        let next = if round % 3 == 2 { 1 } else { 4 };
        let url = format!("{}/v2/apps/crash?force=true", victim.base);
        let mut app = sleeper("/crash", next);
        app["env"] = json!({"ROUND": (round / 2).to_string()});
        let answer = http.put(&url).json(&app).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        wanted = next;
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        victim.kill();
    }
    let id = std::fs::read_to_string(data.join("engine-id")).unwrap();
    let victim = Victim::start(&config);
    let get = async |path: &str| -> Value {
        http.get(format!("{}{path}", victim.base)).send().await.unwrap().json().await.unwrap()
    };
    let filter = format!("label=io.padis.engine={id}");
    wait("convergence", async || {
        let tasks = get("/v2/apps/crash/tasks").await["tasks"].as_array().unwrap().clone();
        let settled = get("/v2/deployments").await == json!([]);
        let known: BTreeSet<String> = tasks.iter().map(|t| t["id"].as_str().unwrap().to_owned()).collect();
        let format = "{{.Label \"MESOS_TASK_ID\"}} {{.State}}";
        let listed = docker(&["ps", "-a", "--filter", &filter, "--format", format]);
        let lines: Vec<&str> = listed.lines().collect();
        let there: BTreeSet<String> =
            lines.iter().filter_map(|l| l.strip_suffix(" running")).map(str::to_owned).collect();
        (settled && known.len() == wanted as usize && known == there && lines.len() == there.len()).then_some(())
    })
    .await;
    let ids = docker(&["ps", "-aq", "--filter", &filter]);
    let mut args = vec!["rm", "-f"];
    victim.kill();
    args.extend(ids.lines());
    docker(&args);
}

/// A Docker socket that can be taken away.
struct Proxy {
    path: std::path::PathBuf,
    tasks: tokio::task::JoinHandle<()>,
    open: Arc<std::sync::Mutex<Vec<tokio::task::JoinHandle<()>>>>,
}

impl Proxy {
    fn start(path: std::path::PathBuf) -> Self {
        let listener = UnixListener::bind(&path).unwrap();
        let open: Arc<std::sync::Mutex<Vec<tokio::task::JoinHandle<()>>>> = Arc::default();
        let held = Arc::clone(&open);
        let target = docker_socket().trim_start_matches("unix://").to_owned();
        let tasks = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let target = target.clone();
                let pump = tokio::spawn(async move {
                    let Ok(mut to) = UnixStream::connect(target).await else { return };
                    drop(tokio::io::copy_bidirectional(&mut from, &mut to).await);
                });
                held.lock().unwrap().push(pump);
            }
        });
        Self { path, tasks, open }
    }
    fn stop(self) {
        self.tasks.abort();
        for pump in self.open.lock().unwrap().drain(..) {
            pump.abort();
        }
        std::fs::remove_file(&self.path).unwrap();
    }
}

#[tokio::test]
async fn without_docker_it_answers_waits_and_takes_up_what_happened() {
    image();
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("docker.sock");
    let config = padis_engine::EngineConfig {
        marathon_listen: "127.0.0.1:0".parse().unwrap(),
        mesos_listen: "127.0.0.1:0".parse().unwrap(),
        data: dir.path().join("engine"),
        docker: format!("unix://{}", socket.display()),
        agents: vec![agent("one", 2.0, 512, &[])],
        ..padis_engine::EngineConfig::default()
    };
    // Started without Docker: answers, and says so.
    let rig = Rig::start(dir, config).await;
    assert_eq!(rig.get("/padis/runtime").await["docker"][0]["answers"], false);
    rig.put(&sleeper("/patient", 1)).await;
    let queue =
        wait("the waiting app", async || rig.get("/v2/queue").await["queue"].as_array().unwrap().first().cloned())
            .await;
    let steps = queue["processedOffersSummary"]["rejectSummaryLastOffers"].as_array().unwrap().clone();
    assert!(steps.iter().any(|s| s["reason"] == "AgentMaintenance" && s["declined"] == 1), "{queue}");
    let proxy = Proxy::start(socket.clone());
    let task = rig.running("/patient", 1).await.remove(0);
    rig.settled().await;

    // Docker goes: nothing is declared lost, whatever happens behind the curtain.
    let container = rig.container(task["id"].as_str().unwrap());
    proxy.stop();
    wait("the agent's silence noticed", async || {
        (rig.mesos("/master/slaves").await["slaves"][0]["active"] == false).then_some(())
    })
    .await;
    assert_eq!(rig.running("/patient", 1).await[0]["id"], task["id"]);
    docker(&["kill", &container]);
    assert_eq!(rig.running("/patient", 1).await[0]["id"], task["id"]);

    // Docker comes back: the death is taken up, the replacement made.
    let proxy = Proxy::start(socket);
    wait("the replacement", async || {
        let tasks = rig.tasks("/patient").await;
        (tasks.len() == 1 && tasks[0]["id"] != task["id"] && tasks[0]["state"] == "TASK_RUNNING").then_some(())
    })
    .await;
    proxy.stop();
}
