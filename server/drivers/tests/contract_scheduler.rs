//! The contract of the Scheduler port, run against the fake and against the
//! built-in engine on a Docker Engine (`end2end/lab/run`), over its HTTP API.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "lab/engine.rs"]
mod engine;
mod lab;

use async_trait::async_trait;
use engine::Engine;
use futures::StreamExt;
use padis_domain::address::parse_ip;
use padis_domain::ports::{
    Network, PoolNet, PortError, SchedApp, SchedEvent, SchedSeen, SchedTold, SchedVolume, SchedWaiting, Scheduler,
    TaskState,
};
use padis_drivers::docker_net::DockerNetwork;
use padis_drivers::fake::FakeScheduler;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(30);

/// A scheduler and the hands behind its back.
#[async_trait]
trait Place: Sync {
    fn scheduler(&self) -> &dyn Scheduler;
    fn image(&self) -> String;
    /// Ends the task's container behind the scheduler's back.
    async fn crash(&self, task: &str);
    /// Makes the app one for which there is no room.
    fn crowd_out(&self, app: &mut SchedApp);
    /// Waits for what comes next.
    async fn pass(&self);
}

#[async_trait]
impl Place for FakeScheduler {
    fn scheduler(&self) -> &dyn Scheduler {
        self
    }
    fn image(&self) -> String {
        "registry/image@sha256:00".to_owned()
    }
    async fn crash(&self, task: &str) {
        assert!(self.end_task(task, "TASK_FAILED", "exit code 137"));
    }
    fn crowd_out(&self, _app: &mut SchedApp) {
        self.set_room(Some(0));
    }
    async fn pass(&self) {
        self.advance();
    }
}

#[async_trait]
impl Place for Engine {
    fn scheduler(&self) -> &dyn Scheduler {
        &self.marathon
    }
    fn image(&self) -> String {
        lab::image().to_owned()
    }
    async fn crash(&self, task: &str) {
        let filter = format!("label=MESOS_TASK_ID={task}");
        lab::docker(&["kill", &lab::docker(&["ps", "-q", "--filter", &filter])]);
    }
    fn crowd_out(&self, app: &mut SchedApp) {
        app.cpu_milli = 900_000;
    }
    async fn pass(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod fake {
            $(#[tokio::test] async fn $name() {
                super::$name(&super::FakeScheduler::new(), &format!("/fake/{}", stringify!($name).replace('_', "-"))).await;
            })*
            $(mod $name {
                /// The same when every step of time has to be made.
                #[tokio::test] async fn by_hand() {
                    super::super::$name(&super::super::FakeScheduler::by_hand(), "/fake/by-hand").await;
                }
            })*
        }
        mod engine_on_docker {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                let engine = super::Engine::start().await;
                super::$name(&engine, &format!("/lab/{}", stringify!($name).replace('_', "-"))).await;
                engine.handle.stop().await;
            })*
        }
    };
}

contract!(
    an_app_gets_its_instances_and_is_shown_as_it_was_put,
    putting_the_same_again_disturbs_nobody,
    scaling_keeps_who_may_stay,
    a_killed_task_is_replaced,
    a_task_killed_with_scale_is_not_replaced,
    a_task_that_dies_is_replaced_and_the_reason_kept,
    a_deleted_app_is_gone_with_its_tasks,
    only_what_is_below_the_prefix_is_listed,
    who_finds_no_room_waits_with_a_reason_and_can_be_taken_back,
    what_is_not_there_can_be_killed_and_deleted_but_not_scaled,
    the_stream_tells_of_attaching_and_of_each_task,
);

fn app(place: &dyn Place, id: &str, instances: u32) -> SchedApp {
    SchedApp {
        id: id.to_owned(),
        image: place.image(),
        instances,
        cpu_milli: 50,
        mem_mib: 32,
        env: BTreeMap::from([("GREETING".to_owned(), "hello".to_owned())]),
        labels: BTreeMap::from([("io.padis.app".to_owned(), "one".to_owned())]),
        constraints: Vec::new(),
        volumes: Vec::new(),
        network: "none".to_owned(),
        kill_grace_s: 0,
    }
}

async fn find(place: &dyn Place, id: &str) -> Option<SchedSeen> {
    place.scheduler().list(id).await.unwrap().into_iter().find(|a| a.id == id)
}

/// Waits until the app is as `condition` wants it.
async fn until(place: &dyn Place, id: &str, what: &str, condition: impl Fn(&SchedSeen) -> bool) -> SchedSeen {
    let end = Instant::now() + DEADLINE;
    loop {
        let seen = find(place, id).await;
        if let Some(seen) = seen.as_ref().filter(|s| condition(s)) {
            return seen.clone();
        }
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}; last seen: {seen:#?}");
        place.pass().await;
    }
}

fn running(seen: &SchedSeen) -> BTreeSet<String> {
    seen.tasks.iter().filter(|t| t.state == TaskState::Running).map(|t| t.id.clone()).collect()
}

/// As many tasks as wanted, all of them running, and no deployment left.
fn settled(instances: usize) -> impl Fn(&SchedSeen) -> bool {
    move |s| s.tasks.len() == instances && running(s).len() == instances && s.deployments.is_empty()
}

async fn up(place: &dyn Place, id: &str, instances: u32) -> SchedSeen {
    let end = Instant::now() + DEADLINE;
    // A former app of that name may still be on its way out.
    while let Err(error) = place.scheduler().put(&app(place, id, instances)).await {
        assert!(matches!(error, PortError::Transient { .. }) && Instant::now() < end, "{error:?}");
        place.pass().await;
    }
    until(place, id, "all instances run", settled(instances as usize)).await
}

async fn an_app_gets_its_instances_and_is_shown_as_it_was_put(place: &dyn Place, id: &str) {
    let seen = up(place, id, 2).await;
    let asked = app(place, id, 2);
    assert_eq!((seen.instances, &seen.image, &seen.labels), (2, &asked.image, &asked.labels));
    assert_eq!(seen.last_failure, None);
    assert_eq!(running(&seen).len(), 2, "task ids are unique");
    for task in &seen.tasks {
        assert_eq!(task.app_id, id);
        assert!(!task.host.is_empty() && !task.agent_id.is_empty(), "{task:?}");
        assert!(task.staged_at.unwrap() <= task.started_at.unwrap(), "{task:?}");
    }
    assert_eq!(place.scheduler().waiting().await.unwrap(), []);
}

async fn putting_the_same_again_disturbs_nobody(place: &dyn Place, id: &str) {
    let before = up(place, id, 2).await;
    place.scheduler().put(&app(place, id, 2)).await.unwrap();
    let after = until(place, id, "it is settled again", settled(2)).await;
    assert_eq!(running(&before), running(&after));
}

async fn scaling_keeps_who_may_stay(place: &dyn Place, id: &str) {
    let one = running(&up(place, id, 1).await);
    place.scheduler().scale(id, 3).await.unwrap();
    let three = running(&until(place, id, "three run", settled(3)).await);
    assert!(three.is_superset(&one), "{one:?} {three:?}");
    place.scheduler().scale(id, 2).await.unwrap();
    let two = running(&until(place, id, "two run", settled(2)).await);
    assert!(two.is_subset(&three), "{two:?} {three:?}");
    place.scheduler().scale(id, 0).await.unwrap();
    let none = until(place, id, "nobody runs", |s| s.tasks.is_empty() && s.deployments.is_empty()).await;
    assert_eq!(none.instances, 0);
}

async fn a_killed_task_is_replaced(place: &dyn Place, id: &str) {
    let before = running(&up(place, id, 2).await);
    let victim = before.first().unwrap().clone();
    place.scheduler().kill(id, &victim, false).await.unwrap();
    let gone = |s: &SchedSeen| settled(2)(s) && !running(s).contains(&victim);
    let after = until(place, id, "another one in its place", gone).await;
    assert_eq!((after.instances, running(&after).intersection(&before).count()), (2, 1));
}

async fn a_task_killed_with_scale_is_not_replaced(place: &dyn Place, id: &str) {
    let before = running(&up(place, id, 3).await);
    let victim = before.iter().nth(1).unwrap().clone();
    place.scheduler().kill(id, &victim, true).await.unwrap();
    let after = until(place, id, "two are left", |s| settled(2)(s) && s.instances == 2).await;
    let expected: BTreeSet<_> = before.into_iter().filter(|t| *t != victim).collect();
    assert_eq!(running(&after), expected, "the very task and no other");
}

async fn a_task_that_dies_is_replaced_and_the_reason_kept(place: &dyn Place, id: &str) {
    let before = running(&up(place, id, 1).await);
    let victim = before.first().unwrap().clone();
    place.crash(&victim).await;
    let after = until(place, id, "another one runs", |s| settled(1)(s) && running(s) != before).await;
    let failure = after.last_failure.unwrap();
    assert_eq!((failure.task_id.as_str(), failure.state.as_str()), (victim.as_str(), "TASK_FAILED"));
    assert!(failure.message.contains("137"), "{failure:?}");
    assert!(failure.at > 1_700_000_000_000, "{failure:?}");
}

async fn a_deleted_app_is_gone_with_its_tasks(place: &dyn Place, id: &str) {
    up(place, id, 2).await;
    place.scheduler().delete(id).await.unwrap();
    let end = Instant::now() + DEADLINE;
    while find(place, id).await.is_some() {
        assert!(Instant::now() < end, "it is still there");
        place.pass().await;
    }
    place.scheduler().delete(id).await.unwrap();
    // The name is free again.
    up(place, id, 1).await;
}

async fn only_what_is_below_the_prefix_is_listed(place: &dyn Place, id: &str) {
    let (inside, outside) = (format!("{id}/in/r1"), format!("{id}-other{id}/in/r1"));
    for id in [&inside, &outside] {
        place.scheduler().put(&app(place, id, 0)).await.unwrap();
    }
    let ids = |seen: Vec<SchedSeen>| seen.into_iter().map(|a| a.id).collect::<Vec<_>>();
    assert_eq!(ids(place.scheduler().list(&format!("{id}/")).await.unwrap()), std::slice::from_ref(&inside));
    let all = ids(place.scheduler().list("/").await.unwrap());
    assert!(all.contains(&inside) && all.contains(&outside), "{all:?}");
    assert!(place.scheduler().list("/nobody/here/").await.unwrap().is_empty());
}

async fn who_finds_no_room_waits_with_a_reason_and_can_be_taken_back(place: &dyn Place, id: &str) {
    let mut large = app(place, id, 2);
    place.crowd_out(&mut large);
    place.scheduler().put(&large).await.unwrap();
    let end = Instant::now() + DEADLINE;
    // An engine that has just started refuses with "AgentMaintenance" until its Docker has
    // answered: a reason, too, but one that passes.
    let known = ["InsufficientCpus", "InsufficientMemory"];
    let waiting = loop {
        let waiting = place.scheduler().waiting().await.unwrap().into_iter().find(|w| w.id == id);
        let because = |w: &SchedWaiting| w.refused.keys().any(|r| known.contains(&r.as_str()));
        match waiting {
            Some(waiting) if because(&waiting) => break waiting,
            other => assert!(Instant::now() < end, "it is not in the queue with that reason: {other:?}"),
        }
        place.pass().await;
    };
    assert_eq!(waiting.count, 2);
    assert!(!find(place, id).await.unwrap().deployments.is_empty(), "the deployment goes on");
    // Another definition has to wait for it; fewer instances need not.
    let changed = SchedApp { mem_mib: 48, ..large };
    let error = place.scheduler().put(&changed).await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
    place.scheduler().scale(id, 0).await.unwrap();
    until(place, id, "it waits no more", |s| s.instances == 0 && s.deployments.is_empty()).await;
    assert!(place.scheduler().waiting().await.unwrap().iter().all(|w| w.id != id));
}

async fn what_is_not_there_can_be_killed_and_deleted_but_not_scaled(place: &dyn Place, id: &str) {
    place.scheduler().ping().await.unwrap();
    place.scheduler().delete(id).await.unwrap();
    place.scheduler().kill(id, "nobody.instance-1._app.1", true).await.unwrap();
    let error = place.scheduler().scale(id, 2).await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
    assert!(find(place, id).await.is_none(), "scaling made nothing");
    up(place, id, 1).await;
    place.scheduler().kill(id, "nobody.instance-1._app.1", true).await.unwrap();
    assert_eq!(find(place, id).await.unwrap().instances, 1);
}

async fn the_stream_tells_of_attaching_and_of_each_task(place: &dyn Place, id: &str) {
    let mut events = place.scheduler().events();
    let first = tokio::time::timeout(DEADLINE, events.next()).await.expect("attached in time");
    assert!(matches!(&first, Some(SchedEvent::Attached { to }) if !to.is_empty()), "{first:?}");
    let seen = up(place, id, 1).await;
    let task = seen.tasks[0].id.clone();
    let told = |wanted: &'static str| {
        let (id, task) = (id.to_owned(), task.clone());
        move |event: &SchedEvent| {
            matches!(event, SchedEvent::Told(SchedTold { apps, at: Some(_), task_id: Some(t), state: Some(s), .. })
                if *apps == [id.clone()] && *t == task && s == wanted)
        }
    };
    let mut wait_for = async |matches: &dyn Fn(&SchedEvent) -> bool| {
        let wait = async { while !matches(&events.next().await.expect("the stream never ends")) {} };
        tokio::time::timeout(DEADLINE, wait).await.expect("an event in time");
    };
    wait_for(&told("TASK_RUNNING")).await;
    place.crash(&task).await;
    wait_for(&told("TASK_FAILED")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_reaches_the_container_and_it_answers_at_its_own_address() {
    let engine = Engine::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "from outside the image\n").unwrap();
    let id = "/lab/reaches/r1";
    let mut asked = app(&engine, id, 1);
    asked.volumes = vec![SchedVolume {
        host_path: folder.path().display().to_string(),
        container_path: "/www".to_owned(),
        read_only: true,
    }];
    let network = DockerNetwork::new(&[lab::endpoint()]).unwrap();
    let net = PoolNet {
        pool: format!("reaches-{}", std::process::id()),
        subnet: "10.79.1.0/24".parse().unwrap(),
        gateway: parse_ip("10.79.1.1").unwrap(), // no other suite uses 10.79
        vlan: None,
    };
    network.ensure(&net).await.unwrap();

    let begun = Instant::now();
    engine.marathon.put(&asked).await.unwrap();
    let seen = until(&engine, id, "it runs", |s| running(s).len() == 1).await;
    let task = seen.tasks[0].id.clone();
    println!("put to running: {:?}", begun.elapsed());
    network.attach(&net, &task, net.subnet.base() + 7).await.unwrap();
    println!("put to attached: {:?}", begun.elapsed());
    let end = Instant::now() + DEADLINE;
    let page = loop {
        let answer = page("10.79.1.7:8080").await;
        if let Ok(page) = answer {
            break page;
        }
        assert!(Instant::now() < end, "no answer: {answer:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    println!("put to first good answer: {:?}", begun.elapsed());
    assert!(page.ends_with("from outside the image\n"), "{page}");

    let container = lab::docker(&["ps", "-q", "--filter", &format!("label=MESOS_TASK_ID={task}")]);
    let facts = "{{range .Config.Env}}{{.}};{{end}} {{range .Mounts}}{{.Destination}}={{.RW}}{{end}} {{.HostConfig.Memory}} {{.HostConfig.NetworkMode}}";
    let facts = lab::docker(&["inspect", "--format", facts, &container]);
    assert!(facts.contains("GREETING=hello;"), "{facts}");
    assert!(facts.ends_with("/www=false 33554432 none"), "{facts}");

    let mut bad = app(&engine, "/lab/Bad_Name", 1);
    bad.mem_mib = 0;
    let error = engine.marathon.put(&bad).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    engine.marathon.delete(id).await.unwrap();
    let end = Instant::now() + DEADLINE;
    while let Err(error) = network.remove(&net.pool).await {
        assert!(Instant::now() < end, "the pool's network stays in use: {error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    engine.handle.stop().await;
}

/// One page over plain HTTP.
async fn page(address: &str) -> std::io::Result<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    Ok(page)
}
