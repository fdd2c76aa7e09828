//! The contract of the Cluster port, run against the fake, against a real Mesos
//! 1.11 (`end2end/lab/mesos/build`), and against the Mesos operator API of the
//! built-in engine on a Docker Engine (`end2end/lab/run`).

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "lab/engine.rs"]
mod engine;
#[path = "lab/framework.rs"]
mod framework;
#[expect(dead_code, reason = "other suites use more of it")]
mod lab;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;

use async_trait::async_trait;
use engine::Engine;
use framework::{Command, Framework};
use mesos::{AgentSpec, Mesos};
use padis_domain::ports::{
    Amounts, Cluster, Duty, Host, PortError, PortResult, Quota, SchedApp, Scheduler, Survey, TaskState, TaskUse,
};
use padis_domain::view::AgentState;
use padis_drivers::fake::FakeCluster;
use padis_drivers::mesos::{MesosClient, MesosConfig};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);
const APP: &str = "/lab/talker";

/// A cluster of two agents, `one` and `two`, each with an attribute `pool`, on
/// which one task runs that has written to both of its streams.
#[async_trait]
trait Place: Sync {
    fn cluster(&self) -> &dyn Cluster;
    /// MiB that a task of 32 MiB may use.
    fn limit_mib(&self) -> u64 {
        32
    }
    /// The running task: its agent and its id.
    async fn task(&self) -> (String, String);
    /// Ends it.
    async fn end(&self, task: &str);
}

#[async_trait]
impl Place for FakeCluster {
    fn cluster(&self) -> &dyn Cluster {
        self
    }
    async fn task(&self) -> (String, String) {
        self.write_file("t.1", "stdout", "it says hello\n");
        self.write_file("t.1", "stderr", "it complains\n");
        let usage = TaskUse { cpu_time_s: 0.5, mem_mib: 1.0, cpu_limit_milli: 50, mem_limit_mib: 32 };
        self.set_usage("t.1", Some(usage));
        let mut host = self.hosts().await.unwrap().remove(0);
        (host.cpu_used_milli, host.mem_used_mib, host.tasks) = (50, 32, 1);
        self.put_host(host.clone());
        (host.id, "t.1".to_owned())
    }
    async fn end(&self, task: &str) {
        self.set_usage(task, None);
    }
}

/// A real Mesos; the tasks are a small framework's.
struct Real {
    mesos: MesosClient,
    framework: Framework,
    tasks: AtomicUsize,
    _cluster: Mesos,
}

#[async_trait]
impl Place for Real {
    fn cluster(&self) -> &dyn Cluster {
        &self.mesos
    }
    fn limit_mib(&self) -> u64 {
        64 // a command task's executor has 32 MiB of its own, and its container both
    }
    async fn task(&self) -> (String, String) {
        let id = format!("talker.{}", self.tasks.fetch_add(1, Ordering::Relaxed));
        let line = "echo it says hello; echo it complains >&2; exec sleep 600";
        self.framework.launch(Command::new(&id, "one", line));
        let update = self.framework.wait(&id, "TASK_RUNNING").await;
        (update["agent_id"]["value"].as_str().unwrap().to_owned(), id)
    }
    async fn end(&self, task: &str) {
        self.framework.kill(task).await;
        self.framework.wait(task, "TASK_KILLED").await;
    }
}

struct BuiltIn {
    engine: Engine,
    mesos: MesosClient,
}

#[async_trait]
impl Place for BuiltIn {
    fn cluster(&self) -> &dyn Cluster {
        &self.mesos
    }
    async fn task(&self) -> (String, String) {
        let app = SchedApp {
            id: APP.to_owned(),
            image: lab::image().to_owned(),
            instances: 1,
            cpu_milli: 50,
            mem_mib: 32,
            env: BTreeMap::new(),
            labels: BTreeMap::new(),
            constraints: vec![["pool".to_owned(), "LIKE".to_owned(), "one".to_owned()]],
            volumes: Vec::new(),
            network: "none".to_owned(),
            kill_grace_s: 0,
        };
        self.engine.marathon.put(&app).await.unwrap();
        let end = Instant::now() + DEADLINE;
        loop {
            let apps = self.engine.marathon.list(APP).await.unwrap();
            let task = apps.iter().flat_map(|a| &a.tasks).find(|t| t.state == TaskState::Running);
            if let Some(task) = task {
                assert_eq!(task.host, "one", "the constraint was respected");
                return (task.agent_id.clone(), task.id.clone());
            }
            assert!(Instant::now() < end, "the task does not run: {apps:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    async fn end(&self, task: &str) {
        self.engine.marathon.kill(APP, task, true).await.unwrap();
    }
}

/// Asks again until the answer is as wanted.
async fn until<T: std::fmt::Debug>(what: &str, ask: impl AsyncFn() -> PortResult<T>, good: impl Fn(&T) -> bool) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        match ask().await {
            Ok(answer) if good(&answer) => return answer,
            other => assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}; last answer: {other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn contract(place: &dyn Place) {
    let cluster = place.cluster();
    cluster.ping().await.unwrap();
    let mut hosts = cluster.hosts().await.unwrap();
    hosts.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(hosts.iter().map(|h| h.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    for host in &hosts {
        assert!(host.active && host.attributes["pool"] == host.name, "{host:?}");
        assert_eq!((host.cpu_milli, host.mem_mib, host.cpu_used_milli, host.tasks), (2000, 1024, 0, 0));
    }

    let (agent, task) = place.task().await;
    assert_eq!(agent, hosts[0].id);
    let used = |hosts: &Vec<Host>| {
        hosts.iter().any(|h| h.id == agent && (h.cpu_used_milli, h.mem_used_mib, h.tasks) == (50, 32, 1))
    };
    until("the agent counts the task", async || cluster.hosts().await, used).await;
    let usage = until("the task's use is told", async || cluster.usage().await, |u| u.contains_key(&task)).await;
    let usage = usage[&task];
    assert!(usage.mem_mib > 0.0 && usage.mem_mib < place.limit_mib() as f64 && usage.cpu_time_s >= 0.0, "{usage:?}");
    assert_eq!(usage.mem_limit_mib, place.limit_mib(), "{usage:?}");

    let read = async |file: &str, offset, length| cluster.read_file(&agent, &task, file, offset, length).await;
    let whole = until("its words", async || read("stdout", None, 1000).await, |p| p.data == b"it says hello\n").await;
    assert_eq!((whole.offset, whole.length), (0, 14));
    let tail = read("stdout", None, 6).await.unwrap();
    assert_eq!((tail.data.as_slice(), tail.offset), (b"hello\n".as_slice(), 8));
    let middle = read("stdout", Some(3), 4).await.unwrap();
    assert_eq!((middle.data.as_slice(), middle.offset), (b"says".as_slice(), 3));
    let beyond = read("stdout", Some(14), 100).await.unwrap();
    assert_eq!((beyond.data.as_slice(), beyond.offset, beyond.length), (b"".as_slice(), 14, 14));
    until("its complaints", async || read("stderr", None, 1000).await, |p| p.data == b"it complains\n").await;
    let never = read("no-such-file", None, 10).await.unwrap_err();
    assert!(matches!(never, PortError::Refused { .. }), "{never:?}");

    place.end(&task).await;
    until("its use is gone", async || cluster.usage().await, |u| !u.contains_key(&task)).await;
    let kept = read("stdout", None, 1000).await.unwrap();
    assert_eq!(kept.data, b"it says hello\n", "kept after its end");
}

/// What operators see says the same as the hosts and duties, and names who holds what.
async fn surveying(place: &dyn Place) {
    let cluster = place.cluster();
    let (agent, _task) = place.task().await;
    let held = Amounts { cpu_milli: 50, mem_mib: 32, ..Amounts::default() };
    let holds = |s: &Survey| s.frameworks.iter().any(|f| f.tasks == 1 && f.used.is_some_and(|u| counted(u) == held));
    let survey = until("the framework holds it", async || cluster.survey().await, holds).await;
    assert_eq!(sorted(survey.hosts()), sorted(cluster.hosts().await.unwrap()));
    assert_eq!(survey.duties(), cluster.duties().await.unwrap());

    assert_eq!(survey.leader.version, "1.11.0");
    assert!(survey.leader.address.starts_with("127.0.0.1:") && survey.leader.since.is_some(), "{:?}", survey.leader);
    assert_eq!((survey.leader.unreachable, &survey.roles_untold), (0, &None));
    assert_eq!(survey.agents.len(), 2);
    for seen in &survey.agents {
        assert!(seen.address.starts_with("127.0.0.1:") && seen.version == "1.11.0", "{seen:?}");
        assert!(seen.registered.is_some() && !seen.closed && seen.attributes["pool"] == seen.name, "{seen:?}");
        let has = seen.has.as_ref().unwrap();
        assert_eq!((has.total.cpu_milli, has.total.mem_mib), (2000, 1024));
        assert_eq!((has.unreserved, has.reserved.len()), (Some(has.total), 0));
        assert_eq!(counted(has.used), if seen.id == agent { held } else { Amounts::default() });
        assert_eq!(has.total.ports, has.ports.iter().map(|(from, to)| to - from + 1).sum::<u64>());
    }
    let framework = survey.frameworks.iter().find(|f| f.tasks == 1).unwrap();
    assert!(framework.active && framework.connected && framework.registered.is_some(), "{framework:?}");
    assert!(!framework.name.is_empty() && !framework.principal.is_empty(), "{framework:?}");
    for name in &framework.roles {
        let role = survey.roles.iter().find(|r| r.name == *name).unwrap();
        assert_eq!((role.weight, &role.quota), (Some(1.0), &Some(Quota::default())), "told, and not set");
        assert_eq!((role.reserved, &role.frameworks), (Amounts::default(), &vec![framework.id.clone()]));
    }
    let used = survey.roles.iter().filter_map(|r| r.used).fold(Amounts::default(), Amounts::plus);
    assert_eq!(counted(used), held);

    // Closed is neither draining nor silent.
    assert!(cluster.close(&agent).await.unwrap());
    let closed = async || cluster.survey().await.unwrap().agents.into_iter().find(|a| a.id == agent).unwrap();
    let seen = closed().await;
    assert_eq!((AgentState::of(&seen), seen.tasks), (AgentState::Closed, 1), "{seen:?}");
    cluster.undrain(&agent).await.unwrap();
    assert_eq!(AgentState::of(&closed().await), AgentState::Working);
}

/// What contracts count: a task of the engine also holds a port.
fn counted(amounts: Amounts) -> Amounts {
    Amounts { ports: 0, ..amounts }
}

fn sorted(mut hosts: Vec<Host>) -> Vec<Host> {
    hosts.sort_by(|a, b| a.id.cmp(&b.id));
    hosts
}

/// Taking a host out of service with a task on it, and back.
async fn emptying(place: &dyn Place) {
    let cluster = place.cluster();
    let (agent, _task) = place.task().await;
    let hosts = cluster.hosts().await.unwrap();
    let other = hosts.iter().find(|h| h.id != agent).unwrap().id.clone();
    let duties = async || cluster.duties().await;
    let both = |this, that| BTreeMap::from([(agent.clone(), this), (other.clone(), that)]);
    assert_eq!(duties().await.unwrap(), both(Duty::Working, Duty::Working));
    cluster.undrain(&agent).await.unwrap();

    // Closed, it keeps what it has.
    let tasks = async || cluster.hosts().await.unwrap().into_iter().find(|h| h.id == agent).unwrap().tasks;
    let before = tasks().await;
    for _ in 0..2 {
        assert!(cluster.close(&agent).await.unwrap());
        assert_ne!(duties().await.unwrap()[&agent], Duty::Working);
        assert_eq!(tasks().await, before);
    }
    assert!(matches!(cluster.close("nobody").await, Err(PortError::Refused { .. })));
    cluster.undrain(&agent).await.unwrap();
    assert_eq!(duties().await.unwrap(), both(Duty::Working, Duty::Working));
    cluster.close(&agent).await.unwrap();

    for _ in 0..2 {
        cluster.drain(&agent, Duration::from_secs(1)).await.unwrap();
        assert_ne!(duties().await.unwrap()[&agent], Duty::Working);
        until("it is empty", duties, |d| d[&agent] == Duty::Drained).await;
    }
    assert_eq!(duties().await.unwrap(), both(Duty::Drained, Duty::Working));
    let host = cluster.hosts().await.unwrap().into_iter().find(|h| h.id == agent).unwrap();
    assert_eq!((host.active, host.tasks, host.cpu_used_milli), (false, 0, 0), "{host:?}");

    until("it may come back", async || cluster.undrain(&agent).await, |()| true).await;
    assert_eq!(duties().await.unwrap(), both(Duty::Working, Duty::Working));
    until("it has come back", async || cluster.hosts().await, |hosts| hosts.iter().all(|h| h.active)).await;
    for refused in [cluster.drain("nobody", Duration::ZERO).await, cluster.undrain("nobody").await] {
        assert!(matches!(refused, Err(PortError::Refused { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn fake_keeps_the_contract() {
    let fake = FakeCluster::new();
    for name in ["one", "two"] {
        fake.add_host(name, &[("pool", name)], 2000, 1024);
    }
    contract(&fake).await;
    surveying(&fake).await;
    emptying(&fake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn real_mesos_keeps_the_contract() {
    let agent =
        |name, attributes| AgentSpec { name, attributes, resources: "cpus:2;mem:1024;disk:100;ports:[31000-31099]" };
    let cluster = Mesos::start(&[agent("one", "pool:one"), agent("two", "pool:two")]).await;
    let mesos = MesosClient::new(&MesosConfig::at(&cluster.url())).unwrap();
    let framework = Framework::subscribe(&cluster.url()).await;
    let real = Real { mesos, framework, tasks: AtomicUsize::new(0), _cluster: cluster };
    contract(&real).await;
    surveying(&real).await;
    emptying(&real).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn engine_on_docker_keeps_the_contract() {
    let engine = Engine::start().await;
    let mesos = MesosConfig::at(&format!("http://{}", engine.handle.mesos()));
    let built_in = BuiltIn { mesos: MesosClient::new(&mesos).unwrap(), engine };
    contract(&built_in).await;
    surveying(&built_in).await;
    let ours = built_in.engine.marathon.framework().await.unwrap();
    let survey = built_in.mesos.survey().await.unwrap();
    assert!(ours.is_some() && ours == survey.frameworks.into_iter().map(|f| f.id).next(), "{ours:?}");
    emptying(&built_in).await;
    built_in.engine.handle.stop().await;
}
