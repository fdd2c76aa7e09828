//! The Mesos client against a real Mesos 1.11 (`end2end/lab/mesos/build`): what
//! the contract does not ask, leaders and standbys, accounts, agents that die.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/framework.rs"]
mod framework;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;

use framework::{Command, Framework};
use futures::TryStreamExt;
use mesos::{AgentSpec, Mesos, until};
use padis_domain::ports::{Amounts, Cluster, Duty, PortError, Quota};
use padis_drivers::http::Auth;
use padis_drivers::mesos::{MesosClient, MesosConfig};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

const ONE: AgentSpec = AgentSpec {
    name: "one.lab.test",
    attributes: "pool:alpha;rack:7;load:0.5;vlans:[10-19,30-39]",
    resources: "cpus:2;cpus(lab):1;mem:1024;mem(lab):256;disk:500;ports:[31000-31099,31200-31299]",
};
const TWO: AgentSpec =
    AgentSpec { name: "two.lab.test", attributes: "pool:beta", resources: "cpus:2;mem:1024;disk:100" };

fn client(masters: &[String], auth: Auth) -> MesosClient {
    let deadline = Duration::from_secs(20);
    MesosClient::new(&MesosConfig { masters: masters.to_vec(), auth, deadline, ..MesosConfig::at("") }).unwrap()
}

fn plain(cluster: &Mesos) -> MesosClient {
    client(&[cluster.url()], Auth::None)
}

/// An operator's call.
async fn operate(cluster: &Mesos, call: &serde_json::Value) {
    let client = padis_drivers::http::builder().build().unwrap();
    let call = client
        .post(format!("{}/api/v1", cluster.url()))
        .header("Content-Type", "application/json")
        .body(call.to_string());
    let answer = call.send().await.unwrap();
    assert!(answer.status().is_success(), "{}: {}", answer.status(), answer.text().await.unwrap());
}

fn basic(user: &str, password: &str) -> Auth {
    Auth::Basic { user: user.to_owned(), password: password.to_owned() }
}

async fn duty(mesos: &MesosClient, agent: &str) -> Option<Duty> {
    mesos.duties().await.ok()?.get(agent).copied()
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_frameworks_and_roles_are_told_with_all_that_they_have() {
    let cluster = Mesos::start(&[ONE, TWO]).await;
    let mesos = plain(&cluster);
    let framework = Framework::subscribe(&cluster.url()).await;
    framework.launch(Command::new("web.1", ONE.name, "exec sleep 600"));
    framework.wait("web.1", "TASK_RUNNING").await;

    let quota = json!({"type": "UPDATE_QUOTA", "update_quota": {"force": true, "quota_configs": [
        {"role": "lab", "limits": {"cpus": {"value": 1.5}, "mem": {"value": 512.0}}}]}});
    operate(&cluster, &quota).await;
    let weight =
        json!({"type": "UPDATE_WEIGHTS", "update_weights": {"weight_infos": [{"role": "lab", "weight": 2.5}]}});
    operate(&cluster, &weight).await;

    let survey = mesos.survey().await.unwrap();
    let one = survey.agents.iter().find(|a| a.name == ONE.name).unwrap();
    assert_eq!((one.version.as_str(), one.duty, one.active, one.closed), ("1.11.0", Some(Duty::Working), true, false));
    assert_eq!((&one.domain, one.tasks, one.returned), (&None, 1, None));
    let attributes = [("pool", "alpha"), ("rack", "7"), ("load", "0.5"), ("vlans", "[10-19,30-39]")];
    assert_eq!(one.attributes, attributes.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    let amounts = |cpu_milli, mem_mib, disk_mib, ports| Amounts { cpu_milli, mem_mib, disk_mib, gpu_milli: 0, ports };
    let has = one.has.as_ref().unwrap();
    assert_eq!(has.ports, [(31000, 31099), (31200, 31299)]);
    assert_eq!(has.total, amounts(3000, 1280, 500, 200));
    assert_eq!(has.unreserved, Some(amounts(2000, 1024, 500, 200)));
    assert_eq!(has.reserved, BTreeMap::from([("lab".to_owned(), amounts(1000, 256, 0, 0))]));
    assert_eq!(has.used, amounts(50, 32, 0, 0));
    let two = survey.agents.iter().find(|a| a.name == TWO.name).unwrap();
    assert_ne!(two.address, one.address);
    assert_eq!(survey.hosts(), mesos.hosts().await.unwrap());

    assert_eq!(survey.frameworks.len(), 1);
    let told = &survey.frameworks[0];
    assert_eq!(
        (told.name.as_str(), told.principal.as_str(), told.active, told.connected),
        ("test", "test", true, true)
    );
    let mut roles = told.roles.clone();
    roles.sort();
    assert_eq!((roles, told.tasks, told.unreachable), (vec!["*".to_owned(), "lab".to_owned()], 1, 0));
    assert_eq!(told.used, Some(amounts(50, 32, 0, 0)));
    assert_eq!(survey.roles_untold, None);
    let lab = survey.roles.iter().find(|r| r.name == "lab").unwrap();
    assert_eq!((lab.weight, &lab.frameworks), (Some(2.5), &vec![told.id.clone()]));
    let limit = BTreeMap::from([("cpus".to_owned(), 1500), ("mem".to_owned(), 512_000)]);
    assert_eq!(lab.quota, Some(Quota { guarantee: BTreeMap::new(), limit }));
    assert_eq!((lab.reserved, lab.used), (amounts(1000, 256, 0, 0), Some(Amounts::default())));
    let everybody = survey.roles.iter().find(|r| r.name == "*").unwrap();
    assert_eq!((everybody.quota.as_ref(), everybody.used), (Some(&Quota::default()), Some(amounts(50, 32, 0, 0))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_is_found_behind_a_dead_master_and_a_standby_and_when_it_changes() {
    let mut cluster = Mesos::start(&[ONE]).await;
    let (first, second) = (cluster.url(), cluster.start_standby().await);
    let nobody = "http://127.0.0.1:1".to_owned();
    let mesos = client(&[nobody.clone(), second.clone(), first.clone()], Auth::None);
    mesos.ping().await.unwrap();
    // A standby answers the health page itself and sends everything else to the leader.
    let host = mesos.hosts().await.unwrap().remove(0);
    assert_eq!(host.name, ONE.name);
    // A writing call follows, too, with its body.
    mesos.drain(&host.id, Duration::ZERO).await.unwrap();
    until("it is drained", async || duty(&mesos, &host.id).await == Some(Duty::Drained)).await;
    until("it may come back", async || mesos.undrain(&host.id).await.is_ok()).await;

    let framework = Framework::subscribe(&first).await;
    framework.launch(Command::new("web.1", "", "echo it works; exec sleep 600"));
    framework.wait("web.1", "TASK_RUNNING").await;
    cluster.fail_over().await;
    assert_eq!(cluster.url(), second);
    for order in [[first.clone(), second.clone()], [second, first]] {
        let mesos = client(&order, Auth::None);
        assert_eq!(mesos.hosts().await.unwrap()[0].id, host.id, "the agent is the same one");
    }
    // The client that knew the old leader goes on.
    assert_eq!(duty(&mesos, &host.id).await, Some(Duty::Working));
    let read = async || mesos.read_file(&host.id, "web.1", "stdout", None, 100).await;
    until("the task is there", async || read().await.is_ok_and(|p| p.data == b"it works\n")).await;
    let error = client(&[nobody], Auth::None).hosts().await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_asked_for_and_one_that_may_not_drain_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("credentials");
    let accounts = ["padis", "reader"].map(|name| serde_json::json!({"principal": name, "secret": "s3cret"}));
    std::fs::write(&credentials, serde_json::json!({"credentials": accounts}).to_string()).unwrap();
    let rule =
        |who: &str, agents: &str| serde_json::json!({"principals": {"values": [who]}, "agents": {"type": agents}});
    let acls = serde_json::json!({"permissive": true, "drain_agents": [rule("padis", "ANY"), rule("reader", "NONE")]});
    let (file, acls) = (credentials.display().to_string(), acls.to_string());
    let flags = [
        ("MESOS_AUTHENTICATE_HTTP_READONLY", "true"),
        ("MESOS_AUTHENTICATE_HTTP_READWRITE", "true"),
        ("MESOS_CREDENTIALS", &file),
        ("MESOS_ACLS", &acls),
    ];
    let cluster = Mesos::start_with(&[ONE], &flags, Some(("padis", "s3cret"))).await;
    for stranger in [Auth::None, basic("padis", "wrong")] {
        let mesos = client(&[cluster.url()], stranger);
        mesos.ping().await.unwrap();
        let error = mesos.hosts().await.unwrap_err();
        assert!(matches!(error, PortError::Refused { .. }) && error.chain().contains("401"), "{}", error.chain());
        assert!(!error.chain().contains("wrong"), "{}", error.chain());
    }
    let padis = client(&[cluster.url()], basic("padis", "s3cret"));
    let host = padis.hosts().await.unwrap().remove(0).id;
    let reader = client(&[cluster.url()], basic("reader", "s3cret"));
    let error = reader.drain(&host, Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }) && error.chain().contains("403"), "{}", error.chain());
    assert_eq!(duty(&reader, &host).await, Some(Duty::Working));
    padis.drain(&host, Duration::ZERO).await.unwrap();
    until("it is drained", async || duty(&padis, &host).await == Some(Duty::Drained)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_outlives_its_agent_and_the_master_and_a_drained_host_stays_drained() {
    let mut cluster = Mesos::start(&[ONE, TWO]).await;
    let framework = Framework::subscribe(&cluster.url()).await;
    framework.launch(Command::new("web.1", ONE.name, "echo it works; exec sleep 600"));
    let running = framework.wait("web.1", "TASK_RUNNING").await;
    let one = running["agent_id"]["value"].as_str().unwrap().to_owned();
    let mesos = plain(&cluster);
    let two = mesos.hosts().await.unwrap().into_iter().find(|h| h.name == TWO.name).unwrap().id;
    mesos.drain(&two, Duration::ZERO).await.unwrap();
    until("two is empty", async || duty(&mesos, &two).await == Some(Duty::Drained)).await;

    cluster.kill_agent(0);
    until("one is not heard", async || duty(&mesos, &one).await == Some(Duty::Silent)).await;
    let error = mesos.read_file(&one, "web.1", "stdout", None, 100).await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
    cluster.start_agent(0);
    until("one works again", async || duty(&mesos, &one).await == Some(Duty::Working)).await;
    let read = async || mesos.read_file(&one, "web.1", "stdout", None, 100).await;
    until("the sandbox is told again", async || read().await.is_ok_and(|p| p.data == b"it works\n")).await;

    cluster.kill_master();
    let error = mesos.hosts().await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
    cluster.start_master().await;
    until("one is back", async || duty(&mesos, &one).await == Some(Duty::Working)).await;
    until("two is back, and still drained", async || duty(&mesos, &two).await == Some(Duty::Drained)).await;
    let tasks = async || mesos.hosts().await.is_ok_and(|hosts| hosts.iter().any(|h| h.id == one && h.tasks == 1));
    until("the task is told by its agent", tasks).await;
    let usage = mesos.usage().await.unwrap();
    assert!(usage.contains_key("web.1"), "{usage:?}");
    assert_eq!(framework.states("web.1"), ["TASK_STARTING", "TASK_RUNNING"]);

    // One that has not come back to a new master: its name is known, and no more is claimed.
    cluster.kill_agent(1);
    cluster.kill_master();
    cluster.start_master().await;
    let mut away = Vec::new();
    until("one is back, two is away", async || {
        let agents = mesos.survey().await.map(|s| s.agents).unwrap_or_default();
        let (here, gone): (Vec<_>, Vec<_>) = agents.into_iter().partition(|a| a.has.is_some());
        away = gone;
        here.iter().any(|a| a.id == one)
    })
    .await;
    let seen: Vec<_> = away.iter().map(|a| (a.id.as_str(), a.name.as_str(), a.duty, a.active)).collect();
    assert_eq!(seen, [(two.as_str(), TWO.name, Some(Duty::Silent), false)]);
    assert!(mesos.hosts().await.unwrap().iter().all(|h| h.id == one), "it has nothing that could be used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_is_browsed_and_its_files_come_whole() {
    let cluster = Mesos::start(&[ONE]).await;
    let framework = Framework::subscribe(&cluster.url()).await;
    let line = "mkdir -p logs/deep; seq 100000 | tee logs/all.txt; printf '\\377\\000' >logs/deep/binary; echo over";
    framework.launch(Command::new("batch.1", "", line));
    let update = framework.wait("batch.1", "TASK_FINISHED").await;
    let agent = update["agent_id"]["value"].as_str().unwrap();
    let mesos = plain(&cluster);
    let whole: String = (1..=100_000).map(|n| format!("{n}\n")).collect();

    let names = async |folder| {
        let mut files = mesos.browse(agent, "batch.1", folder).await.unwrap();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.into_iter().map(|f| (f.path, f.folder, f.size)).filter(|f| !f.1).map(|f| (f.0, f.2)).collect::<Vec<_>>()
    };
    let size = whole.len() as u64;
    assert_eq!(names("").await, [("stderr".to_owned(), 0), ("stdout".to_owned(), size + 5)]);
    assert_eq!(names("logs").await, [("logs/all.txt".to_owned(), size)]);
    let folders = mesos.browse(agent, "batch.1", "logs").await.unwrap();
    let deep = folders.iter().find(|f| f.folder).unwrap();
    assert!(deep.path == "logs/deep" && deep.changed_s > 1.6e9, "{deep:?}");

    let fetch = async |file| {
        let download = mesos.download(agent, "batch.1", file).await.unwrap();
        let length = download.length;
        let pieces: Vec<bytes::Bytes> = download.pieces.try_collect().await.unwrap();
        (length, pieces.concat())
    };
    assert!(fetch("logs/all.txt").await == (Some(size), whole.clone().into_bytes()), "a file of {size} bytes");
    assert_eq!(fetch("logs/deep/binary").await, (Some(2), vec![0xff, 0]));
    let read = mesos.read_file(agent, "batch.1", "logs/all.txt", Some(0), size).await.unwrap();
    assert!(read.data == whole.as_bytes() && read.length == size);

    for (file, task) in [("logs", "batch.1"), ("never", "batch.1"), ("../x", "batch.1"), ("stdout", "never.1")] {
        let Err(error) = mesos.download(agent, task, file).await else { panic!("{file} of {task} came") };
        assert!(matches!(error, PortError::Refused { .. }), "{file} of {task}: {error:?}");
    }
    for folder in ["never", "../.."] {
        let error = mesos.browse(agent, "batch.1", folder).await.unwrap_err();
        assert!(matches!(error, PortError::Refused { .. }), "{folder}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_in_any_encoding_and_no_character_is_lost_between_pieces() {
    let cluster = Mesos::start(&[ONE]).await;
    let framework = Framework::subscribe(&cluster.url()).await;
    // GBK for 中文; then characters of three bytes, of which 64 KiB are no multiple.
    let line = "printf '\\326\\320\\316\\304\\n' >gbk; for n in $(seq 15000); do printf '席位 %05d\\n' $n; done";
    framework.launch(Command::new("says.1", "", line));
    let update = framework.wait("says.1", "TASK_FINISHED").await;
    let agent = update["agent_id"]["value"].as_str().unwrap();
    let mesos = plain(&cluster);
    let gbk = mesos.read_file(agent, "says.1", "gbk", Some(0), 100).await.unwrap();
    assert_eq!((std::str::from_utf8(&gbk.data).is_err(), gbk.data.last(), gbk.length), (true, Some(&b'\n'), 5));
    let whole: String = (1..=15_000).map(|n| format!("席位 {n:05}\n")).collect();
    let read = mesos.read_file(agent, "says.1", "stdout", Some(0), 1 << 20).await.unwrap();
    assert!(
        read.data == whole.as_bytes() && read.length == whole.len() as u64,
        "{} of {} bytes",
        read.data.len(),
        whole.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_is_announced_beside_what_others_announced() {
    let cluster = Mesos::start(&[ONE, TWO]).await;
    let mesos = plain(&cluster);
    let hosts = mesos.hosts().await.unwrap();
    let id = |name: &str| hosts.iter().find(|h| h.name == name).unwrap().id.clone();
    let (one, two) = (id(ONE.name), id(TWO.name));
    let client = padis_drivers::http::builder().build().unwrap();
    let told = async || {
        let answer = client.get(format!("{}/master/maintenance/status", cluster.url())).send().await.unwrap();
        let status: serde_json::Value = answer.json().await.unwrap();
        let machines = status["draining_machines"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<_> = machines.iter().map(|m| m["id"]["hostname"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    mesos.announce(&one).await.unwrap();
    mesos.announce(&two).await.unwrap();
    mesos.announce(&two).await.unwrap();
    assert_eq!(told().await, [ONE.name, TWO.name]);
    mesos.withdraw(&one).await.unwrap();
    mesos.withdraw(&one).await.unwrap();
    assert_eq!(told().await, [TWO.name]);
    // An operator has switched it off meanwhile.
    let machine = serde_json::json!([{"hostname": TWO.name, "ip": "127.0.0.1"}]).to_string();
    let down = client.post(format!("{}/master/machine/down", cluster.url())).body(machine).send().await.unwrap();
    assert_eq!(down.status().as_u16(), 200);
    assert_eq!(told().await, Vec::<String>::new(), "it is down, not draining");
    mesos.withdraw(&two).await.unwrap();
    let schedule = client.get(format!("{}/master/maintenance/schedule", cluster.url())).send().await.unwrap();
    let schedule: serde_json::Value = schedule.json().await.unwrap();
    assert_eq!(schedule["windows"].as_array().map_or(0, Vec::len), 0, "{schedule}");
    let status = client.get(format!("{}/master/maintenance/status", cluster.url())).send().await.unwrap();
    assert_eq!(status.json::<serde_json::Value>().await.unwrap(), serde_json::json!({}), "it is up again");
}
