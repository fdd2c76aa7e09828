//! The engine as a framework of a real Mesos 1.11: agents that fall silent and come
//! back, and resources that are reserved for its role.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/on_mesos.rs"]
mod on_mesos;

use mesos::{AgentSpec, Mesos, until};
use on_mesos::{Framework, sleeper};
use padis_domain::ports::{Amounts, Cluster, Scheduler};
use padis_drivers::marathon::{MarathonClient, MarathonConfig};
use padis_drivers::mesos::MesosClient;
use padis_engine::MesosConfig;
use serde_json::{Value, json};
use std::collections::BTreeMap;

async fn framework(cluster: &Mesos, role: &str) -> Framework {
    let mut mesos = MesosConfig::at(vec![cluster.url()]);
    mesos.role = role.to_owned();
    Framework::start(mesos).await
}

/// The states of an app's tasks, by the name of their agent.
async fn states(engine: &Framework, app: &str) -> BTreeMap<String, String> {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    engine.tasks(app).await.iter().map(|t| (text(&t["host"]), text(&t["state"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_agents_instance_is_replaced_and_one_too_many_goes_when_it_comes_back() {
    const AGENTS: [AgentSpec; 2] = [
        AgentSpec {
            name: "one.lab.test",
            attributes: "pool:a",
            resources: "cpus:2;mem:1024;disk:100;ports:[31000-31099]",
        },
        AgentSpec {
            name: "two.lab.test",
            attributes: "pool:a",
            resources: "cpus:2;mem:1024;disk:100;ports:[31100-31199]",
        },
    ];
    let flags = [("MESOS_AGENT_PING_TIMEOUT", "1secs"), ("MESOS_MAX_AGENT_PING_TIMEOUTS", "2")];
    let mut cluster = Mesos::start_with(&AGENTS, &flags, None).await;
    let engine = framework(&cluster, "*").await;
    let patient = json!({"unreachableStrategy": {"inactiveAfterSeconds": 3, "expungeAfterSeconds": 3600}});
    engine.put(sleeper("/patient", 0.1, patient)).await;
    let first = engine.running("/patient", 1).await.remove(0);
    let host = first["host"].as_str().unwrap().to_owned();
    let at = AGENTS.iter().position(|a| a.name == host).unwrap();
    // One that is not waited for, and one that is waited for for ever, on the same agent.
    let there = |more: Value| {
        let mut all = json!({"constraints": [["hostname", "CLUSTER", host]]});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    engine.put(sleeper("/hasty", 0.1, there(json!({})))).await;
    engine.put(sleeper("/faithful", 0.1, there(json!({"unreachableStrategy": "disabled"})))).await;
    let hasty = engine.running("/hasty", 1).await.remove(0);
    let faithful = engine.running("/faithful", 1).await.remove(0);

    cluster.silence_agent(at, true);
    until("it is told as unreachable", async || {
        states(&engine, "/patient").await.get(&host).is_some_and(|s| s == "TASK_UNREACHABLE")
    })
    .await;
    assert_eq!(engine.tasks("/patient").await.len(), 1, "it may come back: nothing is started yet");
    until("another one runs in its place, and it is still known", async || {
        let states = states(&engine, "/patient").await;
        states.len() == 2
            && states.iter().all(|(at, state)| state == if *at == host { "TASK_UNREACHABLE" } else { "TASK_RUNNING" })
    })
    .await;
    until("the hasty one is given up", async || engine.tasks("/hasty").await.is_empty()).await;
    assert_eq!(engine.tasks("/faithful").await[0]["state"], "TASK_UNREACHABLE");

    cluster.silence_agent(at, false);
    let one = engine.running("/patient", 1).await.remove(0);
    assert_eq!(one["id"], first["id"], "the younger one is one too many");
    assert_eq!(engine.running("/faithful", 1).await[0]["id"], faithful["id"]);
    // What was given up is killed, and runs again where it must.
    assert_ne!(engine.running("/hasty", 1).await[0]["id"], hasty["id"]);
    until("Mesos runs three tasks and no more", async || {
        let url = format!("{}/tasks?limit=1000", cluster.url());
        let all: Value = engine.client.get(url).send().await.unwrap().json().await.unwrap_or_default();
        let running = all["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
        running.iter().filter(|t| t["state"] == "TASK_RUNNING").count() == 3
    })
    .await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reserved_resources_are_used_by_who_accepts_them() {
    const AGENTS: [AgentSpec; 1] = [AgentSpec {
        name: "one.lab.test",
        attributes: "pool:a",
        resources: "cpus(padis):2;cpus(*):2;mem(padis):256;mem(*):256;disk(*):100;ports(*):[31000-31009];ports(padis):[32000-32009]",
    }];
    let cluster = Mesos::start(&AGENTS).await;
    let engine = framework(&cluster, "padis").await;
    let used = async || -> BTreeMap<String, f64> {
        let state: Value =
            engine.client.get(format!("{}/slaves", cluster.url())).send().await.unwrap().json().await.unwrap();
        let agent = &state["slaves"][0];
        let full = agent["used_resources_full"].as_array().cloned().unwrap_or_default();
        let mut sums = BTreeMap::new();
        for resource in full.iter().filter(|r| r["name"] == "cpus") {
            let role = resource["role"].as_str().unwrap_or("*").to_owned();
            *sums.entry(role).or_default() += resource["scalar"]["value"].as_f64().unwrap();
        }
        sums
    };
    let of = |pairs: &[(&str, f64)]| pairs.iter().map(|(r, v)| ((*r).to_owned(), *v)).collect::<BTreeMap<_, _>>();

    // Three cores are in no share alone.
    engine.put(sleeper("/both", 3.0, json!({}))).await;
    assert_eq!(engine.running("/both", 1).await[0]["role"], "padis");
    until("reserved ones first", async || used().await == of(&[("*", 1.0), ("padis", 2.0)])).await;
    // Operators see whose it is, and which framework is ours.
    let mesos = MesosClient::new(&padis_drivers::mesos::MesosConfig::at(&cluster.url())).unwrap();
    let survey = mesos.survey().await.unwrap();
    let amounts = |cpu_milli, mem_mib, disk_mib, ports| Amounts { cpu_milli, mem_mib, disk_mib, gpu_milli: 0, ports };
    let has = survey.agents[0].has.as_ref().unwrap();
    assert_eq!(has.total, amounts(4000, 512, 100, 20));
    assert_eq!(has.reserved, BTreeMap::from([("padis".to_owned(), amounts(2000, 256, 0, 10))]));
    assert_eq!(has.unreserved, Some(amounts(2000, 256, 100, 10)));
    assert_eq!(has.used.cpu_milli, 3000);
    let marathon = MarathonClient::new(&MarathonConfig::at(&engine.base)).unwrap();
    let ours = marathon.framework().await.unwrap().unwrap();
    let framework = survey.frameworks.iter().find(|f| f.id == ours).unwrap();
    assert_eq!((framework.tasks, &framework.roles), (1, &vec!["padis".to_owned()]));
    let role = survey.roles.iter().find(|r| r.name == "padis").unwrap();
    assert_eq!((role.reserved, role.used.unwrap().cpu_milli), (amounts(2000, 256, 0, 10), 3000));
    assert_eq!(role.frameworks, [ours]);

    // One core is left, and it is everybody's.
    engine.put(sleeper("/ours", 0.5, json!({"acceptedResourceRoles": ["padis"]}))).await;
    let reason = async |app: &str| {
        let queue = engine.get("/v2/queue?embed=lastUnusedOffers").await;
        let item = queue["queue"].as_array().unwrap().iter().find(|q| q["app"]["id"] == app).cloned();
        item.map(|i| i["lastUnusedOffers"][0]["reason"][0].clone())
    };
    until("the reason", async || {
        reason("/ours").await == Some(json!("UnfulfilledRole"))
            || reason("/ours").await == Some(json!("InsufficientCpus"))
    })
    .await;
    engine
        .put(sleeper("/theirs", 0.5, json!({"acceptedResourceRoles": ["*"], "portDefinitions": [{"port": 0}]})))
        .await;
    let port = engine.running("/theirs", 1).await[0]["ports"][0].as_u64().unwrap();
    assert!((31_000..=31_009).contains(&port), "{port}");
    engine.put(json!({"id": "/both", "instances": 0})).await;
    engine.running("/ours", 1).await;
    until("each from its share", async || used().await == of(&[("*", 0.5), ("padis", 0.5)])).await;
    // A disk that is not there is a reason like the others.
    engine.put(sleeper("/large", 0.1, json!({"disk": 1000}))).await;
    until("the reason", async || reason("/large").await == Some(json!("InsufficientDisk"))).await;
    engine.stop().await;
}
