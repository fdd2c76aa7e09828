//! Who the engine and the portal are to a real Mesos 1.11 that asks for it, and whom
//! they take for its master behind TLS with an authority of the bank's own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "lab/certificates.rs"]
mod certificates;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/mesos.rs"]
mod mesos;
#[expect(dead_code, reason = "other suites use more of it")]
#[path = "lab/on_mesos.rs"]
mod on_mesos;
#[path = "lab/terminator.rs"]
mod terminator;

use mesos::{AgentSpec, Mesos, until};
use on_mesos::{Framework, sleeper};
use padis_domain::ports::{Cluster, PortError};
use padis_drivers::mesos::{MesosClient, MesosConfig as ClientConfig};
use padis_engine::{Engine, EngineError, MesosConfig};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const ONE: [AgentSpec; 1] =
    [AgentSpec { name: "one.lab.test", attributes: "pool:a", resources: "cpus:2;mem:512;disk:10;ports:[31000-31099]" }];

fn credentials(file: &Path, accounts: &[(&str, &str)]) {
    let all: Vec<Value> = accounts.iter().map(|(who, secret)| json!({"principal": who, "secret": secret})).collect();
    std::fs::write(file, json!({"credentials": all}).to_string()).unwrap();
}

fn known_as(masters: Vec<String>, account: Option<(&str, &str)>) -> MesosConfig {
    let mut config = MesosConfig::at(masters);
    config.principal = account.map(|(who, _)| who.to_owned());
    config.secret = account.map(|(_, secret)| secret.to_owned());
    config
}

async fn trouble(engine: &Framework) -> Option<String> {
    engine.get("/padis/runtime").await["trouble"].as_str().map(str::to_owned)
}

async fn until_told(engine: &Framework, wanted: &str) -> String {
    let mut last = None;
    until(&format!("the engine says: {wanted}"), async || {
        let told = trouble(engine).await;
        if told != last {
            println!("the engine says: {told:?}");
            last = told;
        }
        last.as_ref().is_some_and(|t| t.contains(wanted))
    })
    .await;
    last.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_and_the_engine_is_there_when_the_master_knows_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    credentials(&file, &[("operator", "0perator"), ("padis", "f0rmer")]);
    let (path, acls) = (
        file.display().to_string(),
        json!({"permissive": true, "register_frameworks": [
            {"principals": {"values": ["padis"]}, "roles": {"values": ["bank"]}},
            {"principals": {"values": ["padis"]}, "roles": {"type": "NONE"}}]}),
    );
    let acls = acls.to_string();
    let flags = [
        ("MESOS_AUTHENTICATE_HTTP_FRAMEWORKS", "true"),
        ("MESOS_HTTP_FRAMEWORK_AUTHENTICATORS", "basic"),
        ("MESOS_AUTHENTICATE_HTTP_READONLY", "true"),
        ("MESOS_AUTHENTICATE_HTTP_READWRITE", "true"),
        ("MESOS_CREDENTIALS", &path),
        ("MESOS_ACLS", &acls),
    ];
    let operator = ("operator", "0perator");
    let mut cluster = Mesos::start_with(&ONE, &flags, Some(operator)).await;
    let masters = || vec![cluster.url()];
    let mut config = known_as(masters(), Some(("padis", "s3cret")));
    config.role = String::from("bank");
    let engine = Framework::start(config).await;
    let nobody = Framework::start(known_as(masters(), None)).await;
    let not_permitted = Framework::start(known_as(masters(), Some(("padis", "f0rmer")))).await;
    let told = until_told(&engine, "does not accept the principal \"padis\" with the secret").await;
    assert!(told.contains("401") && !told.contains("s3cret") && !told.contains("cGFk"), "{told}");
    until_told(&nobody, "asks who we are: set a principal and its secret").await;
    // Known, and not for the role *: the master's own words.
    let told = until_told(&not_permitted, "Not authorized to register framework").await;
    assert!(!told.contains("f0rmer"), "{told}");
    engine.put(sleeper("/a", 0.1, json!({}))).await;
    assert_eq!(engine.get("/padis/runtime").await["master"], Value::Null);

    // The master learns the secret; nothing is done to the engine.
    cluster.kill_master();
    credentials(&file, &[operator, ("padis", "s3cret")]);
    cluster.start_master().await;
    cluster.all_registered().await;
    engine.running("/a", 1).await;
    assert_eq!(trouble(&engine).await, None);
    let url = format!("{}/frameworks", cluster.url());
    let request = engine.client.get(url).basic_auth(operator.0, Some(operator.1));
    let told: Value = request.send().await.unwrap().json().await.unwrap();
    let frameworks = told["frameworks"].as_array().unwrap();
    assert_eq!(frameworks.len(), 1, "nobody else came in: {told}");
    assert_eq!((&frameworks[0]["principal"], &frameworks[0]["roles"]), (&json!("padis"), &json!(["bank"])));
    assert!(
        trouble(&not_permitted).await.unwrap().contains("does not accept the principal"),
        "its secret is the old one"
    );

    // Taken away again: the task runs on, and why nothing new starts is told.
    cluster.kill_master();
    credentials(&file, &[operator]);
    cluster.start_master().await;
    until_told(&engine, "does not accept the principal").await;
    assert_eq!(engine.running("/a", 1).await.len(), 1);
}

#[tokio::test]
async fn a_secret_without_a_principal_and_a_file_without_authorities_are_refused_at_the_start() {
    let data = tempfile::tempdir().unwrap();
    let empty = data.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    let with = |ca: Option<&Path>, secret: Option<&str>| {
        let mut config = MesosConfig::at(vec![String::from("https://m1:5050")]);
        (config.ca, config.secret) = (ca.map(Path::to_owned), secret.map(str::to_owned));
        config
    };
    let missing = data.path().join("missing.pem");
    for (config, words) in [
        (with(None, Some("s3cret")), "no principal"),
        (
            with(Some(&empty), None),
            "empty.pem, the authorities that may sign the Mesos masters' certificates, holds no",
        ),
        (
            with(Some(&missing), None),
            "missing.pem, the authorities that may sign the Mesos masters' certificates, can't be",
        ),
    ] {
        let error = Engine::start(on_mesos::config(config, data.path())).await.unwrap_err();
        assert!(matches!(&error, EngineError::Config(text) if text.contains(words)), "{error}");
        assert!(!error.to_string().contains("s3cret"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn masters_behind_tls_are_believed_if_the_named_authority_has_signed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    for authority in ["bank", "stranger"] {
        certificates::authority(folder.path(), authority);
    }
    certificates::server(folder.path(), "bank", "master", "DNS:localhost");
    certificates::server(folder.path(), "bank", "elsewhere", "DNS:other.bank");
    let cluster = Mesos::start(&ONE).await;
    let to = cluster.url().trim_start_matches("http://").parse().unwrap();
    let (url, elsewhere) = (
        terminator::before(to, folder.path(), "master").await,
        terminator::before(to, folder.path(), "elsewhere").await,
    );
    let engine = async |url: &str, ca: Option<PathBuf>| {
        Framework::start(MesosConfig { ca, ..MesosConfig::at(vec![url.to_owned()]) }).await
    };
    let not_trusted = "its certificate is signed by an authority that is not trusted here";
    let hangs_up = cluster.url().replace("http:", "https:");
    let answers_plainly = engine(&hangs_up, Some(at("bank.crt"))).await;
    let strangers = [
        (engine(&answers_plainly.base.replace("http:", "https:"), None).await, "what answers there speaks no TLS"),
        (answers_plainly, "the master did not answer"),
        (engine(&url, Some(at("stranger.crt"))).await, not_trusted),
        (engine(&url, None).await, not_trusted),
        (engine(&elsewhere, Some(at("bank.crt"))).await, "its certificate is for another name than the address"),
    ];
    for (stranger, why) in &strangers {
        until_told(stranger, why).await;
    }
    let ours = engine(&url, Some(at("bank.crt"))).await;
    ours.put(sleeper("/a", 0.1, json!({}))).await;
    let task = ours.running("/a", 1).await.remove(0);
    assert_eq!(ours.get("/padis/runtime").await["master"], url);
    let told: Value =
        ours.client.get(format!("{}/frameworks", cluster.url())).send().await.unwrap().json().await.unwrap();
    assert_eq!(told["frameworks"].as_array().unwrap().len(), 1, "nobody else was here: {told}");

    // The portal's eyes on the same cluster.
    let client = |url: &str, ca: Option<PathBuf>, plain_agents| {
        MesosClient::new(&ClientConfig { ca, plain_agents, ..ClientConfig::at(url) }).unwrap()
    };
    let portal = client(&url, Some(at("bank.crt")), true);
    let hosts = portal.hosts().await.unwrap();
    assert_eq!((hosts.len(), hosts[0].tasks), (1, 1));
    let id = task["id"].as_str().unwrap();
    until("what its agent tells", async || portal.usage().await.unwrap().contains_key(id)).await;
    // Unless it is said that they speak none, agents are asked by TLS too, never in plain text.
    let strict = client(&url, Some(at("bank.crt")), false);
    let error = strict.usage().await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }) && error.chain().contains("tls"), "{}", error.chain());
    let stranger = client(&url, Some(at("stranger.crt")), true).hosts().await.unwrap_err().chain();
    assert!(stranger.contains("signed by an authority that Padis does not trust"), "{stranger}");
    let missing = MesosClient::new(&ClientConfig { ca: Some(at("missing.pem")), ..ClientConfig::at(&url) });
    let Err(PortError::Refused { reason, .. }) = missing else { panic!("accepted") };
    assert!(reason.contains("missing.pem") && reason.contains("can't be read"), "{reason}");
}
