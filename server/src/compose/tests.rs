//! The whole portal, started and stopped as `padis serve` does, on ports of its own.

use super::*;
use std::time::Instant;

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port()
}

fn settings(data: &std::path::Path, dns: u16) -> Config {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let at = |port: u16| format!("127.0.0.1:{port}");
    let env = [
        ("PADIS_DATA", data.display().to_string()),
        ("PADIS_LISTEN", at(0)),
        ("PADIS_ADMIN_PASSWORD", "correct horse".to_owned()),
        ("PADIS_ENGINE_MARATHON_LISTEN", at(free_port())),
        ("PADIS_ENGINE_MESOS_LISTEN", at(free_port())),
        ("PADIS_REGISTRY_LISTEN", at(free_port())),
        ("PADIS_DNS_LISTEN", at(dns)),
        ("PADIS_BALANCER_LISTEN", at(free_port())),
        ("PADIS_RECONCILE_OBSERVE_MS", "200".to_owned()),
        // Nothing listens there: Docker is "stopped".
        ("PADIS_DOCKER_SOCKET", format!("unix://{}/none.sock", data.display())),
    ];
    crate::config::from(None, env.map(|(k, v)| (k.to_owned(), v)), None).expect("settings")
}

struct Browser {
    http: reqwest::Client,
    base: String,
    cookie: String,
}

impl Browser {
    async fn sign_in(address: SocketAddr) -> Self {
        let http = padis_drivers::http::builder().build().expect("client");
        let base = format!("http://{address}");
        let form = "account=admin&password=correct+horse&next=%2F";
        let said = http
            .post(format!("{base}/auth/sign-in"))
            .header("origin", &base)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .expect("answer");
        let cookie =
            said.headers()["set-cookie"].to_str().expect("text").split(';').next().unwrap_or_default().to_owned();
        Self { http, base, cookie }
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let r =
            self.http.get(format!("{}{path}", self.base)).header("cookie", &self.cookie).send().await.expect("answer");
        (r.status().as_u16(), r.text().await.expect("text"))
    }

    /// Waits until the systems are as wanted: name of the system as in JSON, up or down.
    async fn until(&self, wanted: &[(&str, bool)]) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let (_, text) = self.get("/api/systems").await;
            let rows: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            let is = |system: &str, up: bool| {
                rows.as_array().is_some_and(|a| a.iter().any(|r| r["system"] == system && r["up"] == up))
            };
            if wanted.iter().all(|(s, up)| is(s, *up)) {
                return;
            }
            assert!(Instant::now() < deadline, "wanted {wanted:?}, there is {text}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_starts_without_docker_and_with_a_port_in_use_and_says_so() {
    let dir = tempfile::tempdir().expect("folder");
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port in use");
    let config = settings(dir.path(), taken.local_addr().expect("address").port());
    let balancer = config.balancer.listen;
    let running = start(config.clone()).await.expect("start");
    assert_eq!(running.administrator, Administrator::Given);
    assert!(matches!(start(config.clone()).await, Err(StartError::Locked(_))), "one portal for one data folder");
    let b = Browser::sign_in(running.address).await;
    assert_eq!(b.get("/pools").await.0, 200);
    b.until(&[("dns", false), ("docker", false), ("scheduler", true), ("balancer", true), ("registry", true)]).await;
    drop(taken);
    b.until(&[("dns", true), ("database", true), ("disk", true)]).await;
    running.stop().await;
    assert!(tokio::net::TcpStream::connect(balancer).await.is_err(), "HAProxy has ended");
    // Again: the same accounts, the same sessions.
    let again = start(config).await.expect("start again");
    assert_eq!(again.administrator, Administrator::Known);
    let b = Browser { base: format!("http://{}", again.address), ..b };
    assert_eq!(b.get("/pools").await.0, 200, "the session has survived");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(dir.path().join("padis.db")).expect("db").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    again.stop().await;
}

#[tokio::test]
async fn a_port_of_its_own_in_use_is_an_error_at_once() {
    let dir = tempfile::tempdir().expect("folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let mut config = settings(dir.path(), free_port());
    config.listen = taken.local_addr().expect("address");
    let Err(e) = start(config).await else { panic!("it started") };
    let said = chain(&e);
    assert!(said.contains("PADIS_LISTEN") && said.contains("in use"), "{said}");
}
