//! The Mesos client against answers as they came over the wire from a real Mesos
//! 1.11 (masters with accounts, and three masters of which one leads), and against
//! masters that can't be had for real: old, silent, without a leader.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use padis_domain::ports::{Amounts, Cluster, Duty, PortError, Quota};
use padis_drivers::mesos::{MesosClient, MesosConfig};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"mesos-master-readonly\"\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 17\r\n\r\n401 Unauthorized.";
const FORBIDDEN: &str =
    "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\n403 Forbidden.";
const NO_LEADER: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const STATE: &str = include_str!("recorded/mesos-master-state.json");
const ROLES: &str = include_str!("recorded/mesos-master-roles.json");
const SLAVES: &str = include_str!("recorded/mesos-leader-slaves.json");

/// One whole request: its first line, the path last; and its body.
async fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut text = String::new();
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.to_ascii_lowercase().lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some((head.lines().next()?.to_owned(), body.to_owned()));
            }
        }
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        text.push_str(std::str::from_utf8(&piece[..n]).unwrap());
    }
}

/// A server that answers by the request's first line and body; `None`: never.
async fn serve(answer: impl Fn(&str, &str) -> Option<String> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move {
                while let Some((line, body)) = request(&mut stream).await {
                    match answer(&line, &body) {
                        Some(text) => stream.write_all(text.as_bytes()).await.unwrap(),
                        None => std::future::pending().await,
                    }
                }
            });
        }
    });
    address
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn bad(why: &str) -> String {
    format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\r\n{why}",
        why.len()
    )
}

/// A standby: an address without a scheme, the path kept.
fn redirect(line: &str, leader: SocketAddr) -> String {
    let path = line.split(' ').nth(1).unwrap();
    format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: //{leader}{path}\r\nContent-Length: 0\r\n\r\n")
}

fn client(masters: &[SocketAddr]) -> MesosClient {
    let masters = masters.iter().map(|m| format!("http://{m}")).collect();
    MesosClient::new(&MesosConfig { masters, deadline: Duration::from_secs(20), ..MesosConfig::at("") }).unwrap()
}

#[tokio::test]
async fn standbys_and_masters_without_a_leader_are_passed() {
    let leader = serve(|line, _| Some(if line.starts_with("POST") { DONE.to_owned() } else { ok(SLAVES) })).await;
    let standby = serve(move |line, _| Some(redirect(line, leader))).await;
    let alone = serve(|_, _| Some(NO_LEADER.to_owned())).await;
    for masters in [vec![standby], vec![alone, standby], vec![alone, leader]] {
        let mesos = client(&masters);
        let duties = mesos.duties().await.unwrap();
        assert_eq!(duties.into_values().collect::<Vec<_>>(), [Duty::Working]);
        mesos.drain("S0", Duration::ZERO).await.unwrap();
    }
    let error = client(&[alone]).duties().await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
}

#[tokio::test]
async fn a_circle_of_standbys_ends() {
    let other: Arc<Mutex<Option<SocketAddr>>> = Arc::default();
    let known = Arc::clone(&other);
    let one = serve(move |line, _| Some(redirect(line, known.lock().unwrap().unwrap()))).await;
    *other.lock().unwrap() = Some(serve(move |line, _| Some(redirect(line, one))).await);
    let mesos = client(&[one]);
    for error in [mesos.duties().await.unwrap_err(), mesos.drain("S0", Duration::ZERO).await.unwrap_err()] {
        assert!(matches!(error, PortError::Transient { .. }), "nothing can have happened: {error:?}");
    }
}

#[tokio::test]
async fn accounts_that_are_not_accepted_are_a_refusal() {
    for answer in [UNAUTHORIZED, FORBIDDEN] {
        let mesos = client(&[serve(move |_, _| Some(answer.to_owned())).await]);
        let reads = mesos.hosts().await.map(drop);
        for outcome in [reads, mesos.drain("S0", Duration::ZERO).await, mesos.undrain("S0").await] {
            assert!(matches!(outcome, Err(PortError::Refused { .. })), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn silence_is_a_failed_read_and_an_unknown_write() {
    let silent = serve(|_, _| None).await;
    let deadline = Duration::from_millis(200);
    let config = MesosConfig { deadline, ..MesosConfig::at(&format!("http://{silent}")) };
    let mesos = MesosClient::new(&config).unwrap();
    let read = mesos.duties().await.unwrap_err();
    assert!(matches!(read, PortError::Transient { .. }), "{read:?}");
    let write = mesos.drain("S0", Duration::ZERO).await.unwrap_err();
    assert!(matches!(write, PortError::Unknown { .. }), "{write:?}");
}

#[tokio::test]
async fn the_grace_goes_out_in_the_form_that_is_read() {
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let calls = Arc::clone(&seen);
    let master = serve(move |_, body| {
        calls.lock().unwrap().push(serde_json::from_str(body).unwrap());
        Some(if body.contains("REACTIVATE") { bad("Agent is still in the DRAINING state") } else { DONE.to_owned() })
    });
    let mesos = client(&[master.await]);
    mesos.drain("S0", Duration::from_millis(1500)).await.unwrap();
    let back = mesos.undrain("S0").await.unwrap_err();
    assert!(matches!(back, PortError::Transient { .. }), "later it can: {back:?}");
    let calls = seen.lock().unwrap().clone();
    // `nanoseconds` would be taken, without a word, as no grace at all.
    let config = json!({"agent_id": {"value": "S0"}, "max_grace_period": {"seconds": 1, "nanos": 500_000_000}, "mark_gone": false});
    assert_eq!(calls[0], json!({"type": "DRAIN_AGENT", "drain_agent": config}));
    assert_eq!(calls[1], json!({"type": "REACTIVATE_AGENT", "reactivate_agent": {"agent_id": {"value": "S0"}}}));
}

/// A master that answers `/master/state` as recorded, and for `/master/roles` what is given.
async fn with_roles(roles: String) -> MesosClient {
    let answer = move |line: &str, _: &str| match line.split(' ').nth(1).unwrap() {
        "/master/state" => Some(ok(STATE)),
        "/master/roles" => Some(roles.clone()),
        other => panic!("{other} is not needed, however many agents there are"),
    };
    client(&[serve(answer).await])
}

#[tokio::test]
async fn a_recorded_cluster_is_told_with_all_that_it_has() {
    let survey = with_roles(ok(ROLES)).await.survey().await.unwrap();
    let leader = &survey.leader;
    assert_eq!((leader.address.as_str(), leader.version.as_str()), ("127.0.0.1:5050", "1.11.0"));
    assert_eq!((leader.cluster.as_str(), leader.since), ("lab", Some(1_795_352_205_403)));
    let names: Vec<_> = survey.agents.iter().map(|a| (a.name.as_str(), a.tasks, a.duty)).collect();
    let working = Some(Duty::Working);
    assert_eq!(
        names,
        [("agent3.lab.test", 0, working), ("agent2.lab.test", 1, working), ("agent1.lab.test", 5, working)]
    );
    let second = &survey.agents[1];
    assert_eq!((second.address.as_str(), second.registered), ("127.0.0.1:5052", Some(1_795_352_206_102)));
    assert_eq!((second.attributes["cores"].as_str(), second.attributes["range"].as_str()), ("8", "[1-5]"));
    let has = second.has.as_ref().unwrap();
    let amounts = |cpu_milli, mem_mib, disk_mib, ports| Amounts { cpu_milli, mem_mib, disk_mib, gpu_milli: 0, ports };
    assert_eq!((has.total, has.used), (amounts(8000, 4096, 8192, 1000), amounts(500, 128, 64, 0)));
    assert_eq!(has.unreserved, Some(amounts(7500, 3968, 8128, 1000)));
    assert_eq!(has.reserved, [("prod".to_owned(), amounts(500, 128, 64, 0))].into());
    assert_eq!(has.ports, [(32000, 32999)]);
    let framework = &survey.frameworks[0];
    assert_eq!((framework.name.as_str(), framework.principal.as_str()), ("marathon-like", "marathon"));
    assert_eq!((framework.tasks, framework.used), (6, Some(amounts(1200, 352, 74, 2))));
    let roles: Vec<_> = survey.roles.iter().map(|r| (r.name.as_str(), r.weight, r.reserved, r.used)).collect();
    let all = |reserved, used| (Some(1.0), reserved, Some(used));
    let (star, infra, prod) = (
        all(Amounts::default(), amounts(400, 128, 0, 2)),
        all(amounts(2000, 512, 0, 0), Amounts::default()),
        all(amounts(500, 128, 64, 0), amounts(800, 224, 74, 0)),
    );
    let named = |name, (weight, reserved, used)| (name, weight, reserved, used);
    assert_eq!(roles, [named("*", star), named("infra", infra), named("prod", prod)]);
    assert!(survey.roles.iter().all(|r| r.quota == Some(Quota::default())), "told, and not set");
}

#[tokio::test]
async fn what_a_master_does_not_tell_of_roles_is_not_told_as_zero() {
    // Before 1.9 a role had a name, a weight, frameworks, and what is allocated and offered together.
    let mut old: Value = serde_json::from_str(ROLES).unwrap();
    for role in old["roles"].as_array_mut().unwrap() {
        role.as_object_mut()
            .unwrap()
            .retain(|k, _| matches!(k.as_str(), "name" | "weight" | "resources" | "frameworks"));
    }
    let survey = with_roles(ok(&old.to_string())).await.survey().await.unwrap();
    assert!(survey.roles.iter().all(|r| r.quota.is_none() && r.used.is_none() && r.weight == Some(1.0)));
    assert_eq!(survey.roles.iter().map(|r| r.reserved.cpu_milli).collect::<Vec<_>>(), [0, 2000, 500]);

    // An account that may not see roles still sees what agents keep for them, and why no more.
    let survey = with_roles(FORBIDDEN.to_owned()).await.survey().await.unwrap();
    assert!(survey.roles_untold.as_ref().unwrap().contains("403"), "{:?}", survey.roles_untold);
    let seen: Vec<_> = survey.roles.iter().map(|r| (r.name.as_str(), r.weight, r.reserved.cpu_milli)).collect();
    assert_eq!(seen, [("infra", None, 2000), ("prod", None, 500)]);
    assert_eq!(survey.agents.len(), 3);
}

/// A master before 1.9: it knows no call to drain, and has a maintenance schedule.
#[derive(Default)]
struct Old {
    schedule: Value,
    used_mem: u32,
}

impl Old {
    fn answer(&mut self, line: &str, body: &str) -> String {
        let windows = self.schedule["windows"].as_array().cloned().unwrap_or_default();
        match line.trim_end_matches(" HTTP/1.1") {
            "POST /master/api/v1" => bad("Failed to validate master::Call: Expecting 'type' to be present"),
            "GET /master/maintenance/schedule" => ok(&self.schedule.to_string()),
            "POST /master/maintenance/schedule" => {
                self.schedule = serde_json::from_str(body).unwrap();
                DONE.to_owned()
            }
            "GET /master/maintenance/status" => {
                let machines = windows.iter().flat_map(|w| w["machine_ids"].as_array().unwrap());
                let draining: Vec<_> = machines.map(|m| json!({"id": m})).collect();
                ok(&json!({"draining_machines": draining}).to_string())
            }
            "GET /master/roles" => ok(r#"{"roles": []}"#),
            "GET /master/slaves" | "GET /master/state" => {
                let slave = |id: &str, ip: &str, mem: u32| {
                    json!({"id": id, "hostname": format!("{id}.test"), "pid": format!("slave(1)@{ip}:5051"),
                        "active": true, "used_resources": {"cpus": 0.0, "mem": mem}})
                };
                let slaves = [slave("S0", "10.0.0.1", self.used_mem), slave("S1", "10.0.0.2", 0)];
                ok(&json!({"slaves": slaves}).to_string())
            }
            other => panic!("{other} is not asked of an old master"),
        }
    }
}

#[tokio::test]
async fn an_old_mesos_is_told_by_its_maintenance_schedule() {
    let theirs = json!({"machine_ids": [{"hostname": "S9.test", "ip": "10.0.0.9"}], "unavailability": {"start": {"nanoseconds": 1}}});
    let old = Arc::new(Mutex::new(Old { schedule: json!({"windows": [theirs]}), used_mem: 32 }));
    let master = Arc::clone(&old);
    let mesos = client(&[serve(move |line, body| Some(master.lock().unwrap().answer(line, body))).await]);
    let duties = async || mesos.duties().await.unwrap().into_values().collect::<Vec<_>>();
    assert_eq!(duties().await, [Duty::Working, Duty::Working]);
    for _ in 0..2 {
        mesos.drain("S0", Duration::from_secs(1)).await.unwrap();
        assert_eq!(duties().await, [Duty::Draining, Duty::Working]);
    }
    let windows = old.lock().unwrap().schedule["windows"].clone();
    assert_eq!((windows.as_array().unwrap().len(), &windows[0]), (2, &theirs));
    assert_eq!(windows[1]["machine_ids"], json!([{"hostname": "S0.test", "ip": "10.0.0.1"}]));
    let survey = mesos.survey().await.unwrap();
    assert_eq!(survey.duties(), mesos.duties().await.unwrap(), "who is announced to leave is told here, too");
    assert!(survey.agents.iter().all(|a| !a.closed && a.has.as_ref().is_some_and(|h| h.unreserved.is_none())));
    old.lock().unwrap().used_mem = 0;
    assert_eq!(duties().await, [Duty::Drained, Duty::Working]);
    for _ in 0..2 {
        mesos.undrain("S0").await.unwrap();
        assert_eq!(duties().await, [Duty::Working, Duty::Working]);
    }
    assert_eq!(old.lock().unwrap().schedule, json!({"windows": [theirs]}));
    let nobody = mesos.drain("S7", Duration::ZERO).await.unwrap_err();
    assert!(matches!(nobody, PortError::Refused { .. }), "{nobody:?}");
}
