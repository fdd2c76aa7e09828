//! The contract of the Network port, run against the fake and against a Docker
//! Engine (`end2end/lab/run`). Every test has a pool, a subnet and containers of
//! its own, so that all of them run side by side on one engine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lab;

use async_trait::async_trait;
use padis_domain::address::{dotted, parse_ip};
use padis_domain::ports::{AddressTaken, Attachment, Network, PoolNet, PortError};
use padis_domain::problem::System;
use padis_drivers::docker_net::DockerNetwork;
use padis_drivers::fake::FakeNetwork;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// A place in which containers can be started and ended.
#[async_trait]
trait Place: Sync {
    fn network(&self) -> &dyn Network;
    /// Starts a container of this task, in no network.
    async fn start(&self, task: &str);
    /// Ends and removes it.
    async fn end(&self, task: &str);
    /// Ends it and keeps what is left.
    async fn stop(&self, task: &str);
}

struct Fake {
    network: FakeNetwork,
    tasks: Arc<Mutex<BTreeSet<String>>>,
}

impl Fake {
    fn new() -> Self {
        let tasks: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let seen = Arc::clone(&tasks);
        Self { network: FakeNetwork::new(move |task| seen.lock().unwrap().contains(task)), tasks }
    }
}

#[async_trait]
impl Place for Fake {
    fn network(&self) -> &dyn Network {
        &self.network
    }
    async fn start(&self, task: &str) {
        self.tasks.lock().unwrap().insert(task.to_owned());
    }
    async fn end(&self, task: &str) {
        self.tasks.lock().unwrap().remove(task);
    }
    async fn stop(&self, task: &str) {
        self.end(task).await;
    }
}

struct Dockerd(DockerNetwork);

impl Dockerd {
    fn new() -> Self {
        Self(DockerNetwork::new(&[lab::endpoint()]).unwrap())
    }
}

#[async_trait]
impl Place for Dockerd {
    fn network(&self) -> &dyn Network {
        &self.0
    }
    async fn start(&self, task: &str) {
        let label = format!("MESOS_TASK_ID={task}");
        lab::docker(&["run", "-d", "--network", "none", "--name", task, "--label", &label, lab::image()]);
    }
    async fn end(&self, task: &str) {
        lab::docker(&["rm", "-f", task]);
    }
    async fn stop(&self, task: &str) {
        lab::docker(&["kill", task]);
    }
}

/// A pool of its own for each test: `10.X.N.0/24` with gateway `.1`. X is drawn
/// once, so that several runs can follow one another in one lab.
fn pool(test: &str) -> PoolNet {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static SECOND: OnceLock<u32> = OnceLock::new();
    let second = *SECOND.get_or_init(|| rand::random_range(100..200));
    let base = (10 << 24) + (second << 16) + (NEXT.fetch_add(1, Ordering::Relaxed) << 8);
    PoolNet {
        pool: format!("{}-{}", test.replace('_', "-"), std::process::id()),
        subnet: format!("{}/24", dotted(base)).parse().unwrap(),
        gateway: base + 1,
        vlan: None,
    }
}

macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod fake {
            $(#[tokio::test] async fn $name() {
                let net = super::pool(stringify!($name));
                super::$name(&super::Fake::new(), &net, &format!("t-{}", net.pool)).await;
            })*
        }
        mod dockerd {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                let (place, net) = (super::Dockerd::new(), super::pool(stringify!($name)));
                super::$name(&place, &net, &format!("t-{}", net.pool)).await;
                super::Place::network(&place).remove(&net.pool).await.unwrap();
            })*
        }
    };
}

contract!(
    a_network_is_made_once,
    another_subnet_is_refused,
    an_attached_task_is_listed_with_its_very_address,
    a_task_is_moved_to_another_address,
    an_address_in_use_is_refused_and_its_holder_named,
    a_refused_move_keeps_the_old_address,
    who_is_not_there_cannot_be_attached,
    the_end_of_a_container_frees_its_address,
    detaching_twice_is_fine_and_frees_the_address,
    a_network_in_use_is_not_removed,
    an_address_outside_is_refused,
    without_a_network_nothing_is_attached,
);

fn attachment(net: &PoolNet, task: &str, ip: u32) -> Attachment {
    Attachment { task_id: task.to_owned(), pool: net.pool.clone(), ip }
}

async fn a_network_is_made_once(place: &dyn Place, net: &PoolNet, _task: &str) {
    place.network().ensure(net).await.unwrap();
    place.network().ensure(net).await.unwrap();
    assert_eq!(place.network().list(&net.pool).await.unwrap(), []);
    place.network().remove(&net.pool).await.unwrap();
    place.network().remove(&net.pool).await.unwrap();
}

async fn another_subnet_is_refused(place: &dyn Place, net: &PoolNet, _task: &str) {
    place.network().ensure(net).await.unwrap();
    let other =
        PoolNet { subnet: "10.78.9.0/24".parse().unwrap(), gateway: parse_ip("10.78.9.1").unwrap(), ..net.clone() };
    let error = place.network().ensure(&other).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains(&net.subnet.to_string()), "names what is there: {error}");
    place.network().remove(&net.pool).await.unwrap();
}

async fn an_attached_task_is_listed_with_its_very_address(place: &dyn Place, net: &PoolNet, task: &str) {
    place.network().ensure(net).await.unwrap();
    place.start(task).await;
    let ip = net.subnet.base() + 77;
    place.network().attach(net, task, ip).await.unwrap();
    place.network().attach(net, task, ip).await.unwrap();
    assert_eq!(place.network().list(&net.pool).await.unwrap(), [attachment(net, task, ip)]);
    assert_eq!(place.network().list("no-such-pool").await.unwrap(), []);
    place.end(task).await;
}

async fn a_task_is_moved_to_another_address(place: &dyn Place, net: &PoolNet, task: &str) {
    place.network().ensure(net).await.unwrap();
    place.start(task).await;
    for ip in [net.subnet.first() + 4, net.subnet.last()] {
        place.network().attach(net, task, ip).await.unwrap();
        assert_eq!(place.network().list(&net.pool).await.unwrap(), [attachment(net, task, ip)]);
    }
    place.end(task).await;
}

async fn an_address_in_use_is_refused_and_its_holder_named(place: &dyn Place, net: &PoolNet, task: &str) {
    place.network().ensure(net).await.unwrap();
    let (first, second) = (format!("{task}-first"), format!("{task}-second"));
    place.start(&first).await;
    place.start(&second).await;
    let ip = net.subnet.base() + 20;
    place.network().attach(net, &first, ip).await.unwrap();
    let error = place.network().attach(net, &second, ip).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains(&dotted(ip)) && error.to_string().contains(&first), "{error}");
    assert_eq!(AddressTaken::of(&error), None, "it is ours");
    assert_eq!(place.network().list(&net.pool).await.unwrap(), [attachment(net, &first, ip)]);
    place.end(&first).await;
    place.end(&second).await;
}

async fn a_refused_move_keeps_the_old_address(place: &dyn Place, net: &PoolNet, task: &str) {
    place.network().ensure(net).await.unwrap();
    let (first, second) = (format!("{task}-first"), format!("{task}-second"));
    let base = net.subnet.base();
    for (task, ip) in [(&first, base + 20), (&second, base + 21)] {
        place.start(task).await;
        place.network().attach(net, task, ip).await.unwrap();
    }
    place.network().attach(net, &second, base + 20).await.unwrap_err();
    let found = place.network().list(&net.pool).await.unwrap();
    assert!(found.contains(&attachment(net, &second, base + 21)), "{found:?}");
    place.end(&first).await;
    place.end(&second).await;
}

async fn who_is_not_there_cannot_be_attached(place: &dyn Place, net: &PoolNet, task: &str) {
    place.network().ensure(net).await.unwrap();
    let ip = net.subnet.base() + 20;
    let never = place.network().attach(net, task, ip).await.unwrap_err();
    assert!(matches!(never, PortError::Transient { .. }), "{never:?}");
    place.start(task).await;
    place.stop(task).await;
    let stopped = place.network().attach(net, task, ip).await.unwrap_err();
    assert!(matches!(stopped, PortError::Transient { .. }), "{stopped:?}");
    assert_eq!(place.network().list(&net.pool).await.unwrap(), []);
    place.end(task).await;
}

async fn the_end_of_a_container_frees_its_address(place: &dyn Place, net: &PoolNet, task: &str) {
    place.network().ensure(net).await.unwrap();
    let (first, second) = (format!("{task}-first"), format!("{task}-second"));
    let ip = net.subnet.base() + 20;
    place.start(&first).await;
    place.network().attach(net, &first, ip).await.unwrap();
    place.stop(&first).await;
    assert_eq!(place.network().list(&net.pool).await.unwrap(), []);
    place.start(&second).await;
    place.network().attach(net, &second, ip).await.unwrap();
    assert_eq!(place.network().list(&net.pool).await.unwrap(), [attachment(net, &second, ip)]);
    place.end(&first).await;
    place.end(&second).await;
}

async fn detaching_twice_is_fine_and_frees_the_address(place: &dyn Place, net: &PoolNet, task: &str) {
    place.network().ensure(net).await.unwrap();
    place.start(task).await;
    place.network().attach(net, task, net.subnet.first() + 8).await.unwrap();
    place.network().detach(&net.pool, task).await.unwrap();
    place.network().detach(&net.pool, task).await.unwrap();
    place.network().detach(&net.pool, "never-there").await.unwrap();
    assert_eq!(place.network().list(&net.pool).await.unwrap(), []);
    place.network().attach(net, task, net.subnet.first() + 9).await.unwrap();
    place.end(task).await;
}

async fn a_network_in_use_is_not_removed(place: &dyn Place, net: &PoolNet, task: &str) {
    place.network().ensure(net).await.unwrap();
    place.start(task).await;
    place.network().attach(net, task, net.subnet.first() + 8).await.unwrap();
    let error = place.network().remove(&net.pool).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    place.end(task).await;
    place.network().remove(&net.pool).await.unwrap();
}

async fn an_address_outside_is_refused(place: &dyn Place, net: &PoolNet, task: &str) {
    place.network().ensure(net).await.unwrap();
    place.start(task).await;
    let error = place.network().attach(net, task, parse_ip("10.99.0.5").unwrap()).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    place.end(task).await;
}

async fn without_a_network_nothing_is_attached(place: &dyn Place, net: &PoolNet, task: &str) {
    place.start(task).await;
    let error = place.network().attach(net, task, net.subnet.first() + 8).await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
    // Once it is there, the same container can be attached: nothing was lost by trying.
    place.network().ensure(net).await.unwrap();
    place.network().attach(net, task, net.subnet.first() + 8).await.unwrap();
    place.end(task).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attached_container_answers_at_its_address_from_the_host() {
    let (place, net) = (Dockerd::new(), pool("answers"));
    let task = format!("t-{}", net.pool);
    place.network().ensure(&net).await.unwrap();
    place.start(&task).await;
    let ip = net.subnet.base() + 42;
    let begun = Instant::now();
    place.network().attach(&net, &task, ip).await.unwrap();
    println!("attach took {:?}", begun.elapsed());
    let end = Instant::now() + Duration::from_secs(10);
    let page = loop {
        let address = format!("{}:8080", dotted(ip)).parse().unwrap();
        let mut page = String::new();
        if let Ok(mut stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
            stream.read_to_string(&mut page).unwrap();
        }
        if !page.is_empty() {
            break page;
        }
        assert!(Instant::now() < end, "no answer at {}", dotted(ip));
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(page.ends_with("it works\n"), "{page}");
    place.end(&task).await;
    place.network().remove(&net.pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_want_one_address_exactly_one_gets_it() {
    let (place, net) = (Dockerd::new(), pool("race"));
    place.network().ensure(&net).await.unwrap();
    let tasks: Vec<String> = (0..4).map(|n| format!("t-{}-{n}", net.pool)).collect();
    for task in &tasks {
        place.start(task).await;
    }
    let ip = net.subnet.base() + 50;
    let outcomes = futures::future::join_all(tasks.iter().map(|task| place.network().attach(&net, task, ip))).await;
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1, "{outcomes:?}");
    let found = place.network().list(&net.pool).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].ip, ip);
    for task in &tasks {
        place.end(task).await;
    }
    place.network().remove(&net.pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_and_a_container_of_somebody_else_are_named() {
    let (place, net) = (Dockerd::new(), pool("strangers"));
    place.network().ensure(&net).await.unwrap();
    let name = format!("padis-{}", net.pool);
    let (task, stranger) = (format!("t-{}", net.pool), format!("stranger-{}", net.pool));
    let ip = net.subnet.base() + 50;
    lab::docker(&["run", "-d", "--network", &name, "--ip", &dotted(ip), "--name", &stranger, lab::image()]);
    place.start(&task).await;
    let error = place.network().attach(&net, &task, ip).await.unwrap_err();
    let taken = AddressTaken::of(&error).expect("another address has to be taken");
    assert!(taken.by.contains(&stranger) && error.to_string().contains(&dotted(ip)), "{error}");
    let gateway = place.network().attach(&net, &task, net.gateway).await.unwrap_err();
    assert!(gateway.to_string().contains("gateway"), "{gateway}");
    place.end(&task).await;
    place.end(&stranger).await;
    place.network().remove(&net.pool).await.unwrap();

    let foreign = pool("foreign");
    let its_name = format!("padis-{}", foreign.pool);
    lab::docker(&["network", "create", &its_name]);
    let error = place.network().ensure(&foreign).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }) && error.to_string().contains("did not make"), "{error}");
    lab::docker(&["network", "rm", &its_name]);
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_a_matter_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("unix://{}/docker.sock", folder.path().display());
    let network = DockerNetwork::new(&[endpoint]).unwrap();
    let error = network.list("p").await.unwrap_err();
    assert!(matches!(error, PortError::Transient { system: System::Docker, .. }), "{error:?}");
    assert!(DockerNetwork::new(&["/var/run/docker.sock".to_owned()]).is_err());
}
