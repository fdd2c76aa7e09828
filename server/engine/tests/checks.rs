//! Checks: over TLS, by Mesos' protocols, and those that deployments wait for.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use padis_protocol::event::Event;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::{Rig, folder, sleeper, wait, web};

fn with(mut app: Value, more: Value) -> Value {
    app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app
}

/// OpenSSL's own web server, with a certificate that nobody trusts, for another name.
struct Tls(Child, u16);

impl Tls {
    async fn start(dir: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (key, cert) = (dir.join("key.pem"), dir.join("cert.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"])
            .args(["-subj", "/CN=somebody.else", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&cert)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let child = Command::new("openssl")
            .args(["s_server", "-www", "-quiet", "-accept", &port.to_string(), "-key"])
            .arg(&key)
            .arg("-cert")
            .arg(&cert)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let tls = Self(child, port);
        wait("the TLS server", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
        tls
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

async fn healthy(rig: &Rig, app: &str) {
    wait(&format!("{app} is healthy"), async || {
        (rig.get(&format!("/v2/apps{app}")).await["app"]["tasksHealthy"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn https_is_asked_whosever_certificate_it_is() {
    let rig = Rig::new().await;
    let tls = Tls::start(rig.dir.path()).await;
    let check = |protocol: &str| {
        json!({"protocol": protocol, "port": tls.1, "path": "/", "gracePeriodSeconds": 300, "intervalSeconds": 0, "delaySeconds": 0,
               "timeoutSeconds": 5, "maxConsecutiveFailures": 2})
    };
    let app = json!({"networks": [{"mode": "host"}], "healthChecks": [check("HTTPS"), check("MESOS_HTTPS")]});
    let events = rig.events("").await;
    rig.put(&with(sleeper("/tls", 1), app)).await;
    healthy(&rig, "/tls").await;
    let task = rig.tasks("/tls").await.remove(0);
    assert_eq!(task["healthCheckResults"].as_array().unwrap().len(), 2, "{task}");
    // What is no TLS is no success.
    let port = tls.1;
    drop(tls);
    let listener = wait("the port", async || tokio::net::TcpListener::bind(("127.0.0.1", port)).await.ok()).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let said = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await;
            drop(said);
        }
    });
    let id = task["id"].as_str().unwrap().to_owned();
    events.find("its kill", |e| matches!(e, Event::UnhealthyTaskKill(k) if k.task_id == id)).await;
}

#[tokio::test]
async fn mesos_checks_are_made_as_the_others() {
    let rig = Rig::new().await;
    let www = folder(&rig, "www");
    std::fs::write(www.join("health"), "fine").unwrap();
    let mut app = web("/inside", 1);
    app["container"]["volumes"] =
        json!([{"containerPath": "/www", "hostPath": www.display().to_string(), "mode": "RO"}]);
    let check = |more: Value| {
        with(
            json!({"gracePeriodSeconds": 300, "intervalSeconds": 0, "timeoutSeconds": 5, "maxConsecutiveFailures": 0,
                "delaySeconds": 0}),
            more,
        )
    };
    app["healthChecks"] = json!([
        check(json!({"protocol": "MESOS_HTTP", "path": "/health", "portIndex": 0})),
        // The port inside, at the container's own address.
        check(json!({"protocol": "MESOS_TCP", "port": 80})),
        check(json!({"protocol": "COMMAND", "command": {"value": "wget -q -O /dev/null http://127.0.0.1/health"}})),
    ]);
    rig.put(&app).await;
    healthy(&rig, "/inside").await;
    let task = rig.tasks("/inside").await.remove(0);
    let alive = task["healthCheckResults"].as_array().unwrap().iter().filter(|h| h["alive"] == true).count();
    assert_eq!(alive, 3, "{task}");
    std::fs::remove_file(www.join("health")).unwrap();
    wait("the failures of those that ask for the page, and of no other", async || {
        let task = rig.tasks("/inside").await.remove(0);
        let alive: Vec<Value> =
            task["healthCheckResults"].as_array().unwrap().iter().map(|h| h["alive"].clone()).collect();
        (alive == [false, true, false]).then_some(())
    })
    .await;
    assert_eq!(rig.tasks("/inside").await[0]["id"], task["id"], "0 failures never kill");
}

#[tokio::test]
async fn a_deployment_waits_until_its_instances_are_ready() {
    let rig = Rig::new().await;
    let www = folder(&rig, "www");
    let mut app = web("/ready", 1);
    app["container"]["volumes"] =
        json!([{"containerPath": "/www", "hostPath": www.display().to_string(), "mode": "RO"}]);
    app["container"]["portMappings"][0]["name"] = json!("http-api");
    app["readinessChecks"] =
        json!([{"path": "/warm", "intervalSeconds": 2, "timeoutSeconds": 1, "preserveLastResponse": true}]);
    rig.put(&app).await;
    let first = rig.running("/ready", 1).await.remove(0);
    let results = async |path: &str| rig.get(path).await;
    let told = wait("the first result", async || {
        let told = results("/v2/apps/ready?embed=app.readiness").await["app"]["readinessCheckResults"][0].clone();
        // It may not serve yet when it is asked for the first time.
        (told["lastResponse"]["status"] == 404).then_some(told)
    })
    .await;
    assert_eq!((&told["name"], &told["ready"]), (&json!("readinessCheck"), &json!(false)));
    assert_eq!(told["taskId"], first["id"]);
    let listed = results("/v2/apps?embed=apps.readiness").await["apps"][0]["readinessCheckResults"][0].clone();
    assert_eq!(listed["taskId"], first["id"]);
    assert!(results("/v2/apps/ready").await["app"].get("readinessCheckResults").is_none(), "only if it is asked for");
    let deployment = rig.get("/v2/deployments").await[0].clone();
    let action = &deployment["currentActions"][0];
    assert_eq!(action["readinessCheckResults"][0]["lastResponse"]["status"], 404, "{deployment}");
    std::fs::write(www.join("warm"), "yes").unwrap();
    rig.settled().await;
    assert_eq!(results("/v2/apps/ready?embed=app.readiness").await["app"]["readinessCheckResults"], json!([]));

    // The next version is not ready: the one before stays, over a restart too.
    std::fs::remove_file(www.join("warm")).unwrap();
    let mut rig = rig;
    rig.put(&json!({"id": "/ready", "env": {"RELEASE": "2"}})).await;
    rig.running("/ready", 2).await;
    rig.restart().await;
    let not_ready = async || {
        let app = rig.get("/v2/apps/ready?embed=app.readiness").await;
        (app["app"]["readinessCheckResults"][0]["lastResponse"]["status"] == 404).then_some(())
    };
    wait("a result after the restart", not_ready).await;
    assert!(rig.running("/ready", 2).await.iter().any(|t| t["id"] == first["id"]));
    std::fs::write(www.join("warm"), "yes").unwrap();
    rig.settled().await;
    assert!(rig.running("/ready", 1).await.iter().all(|t| t["id"] != first["id"]));
}

#[tokio::test]
async fn a_check_that_mesos_would_make_waits_for_its_delay_and_marathons_own_does_not() {
    let rig = Rig::new().await;
    let mut app = web("/late", 1);
    let check = |protocol: &str| {
        json!({"protocol": protocol, "path": "/", "portIndex": 0, "delaySeconds": 3, "intervalSeconds": 1,
               "gracePeriodSeconds": 300, "command": {"value": "true"}})
    };
    app["healthChecks"] = json!([check("HTTP"), check("COMMAND"), check("MESOS_TCP")]);
    rig.put(&app).await;
    healthy(&rig, "/late").await;
    let task = rig.tasks("/late").await.remove(0);
    let ms = |text: &Value| padis_protocol::timestamp::parse(text.as_str().unwrap()).unwrap();
    let began = ms(&task["startedAt"]);
    let results = task["healthCheckResults"].as_array().unwrap();
    let after: Vec<i64> = results.iter().map(|r| ms(&r["firstSuccess"]) - began).collect();
    assert!(after[0] < 3000 && after[1] >= 2990 && after[2] >= 2990, "{after:?}");
}
