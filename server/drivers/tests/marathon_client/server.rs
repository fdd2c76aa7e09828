//! A server that answers what the test says, and the client that asks it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use padis_domain::ports::SchedApp;
use padis_drivers::marathon::{MarathonClient, MarathonConfig};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// For everything that must come about.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub line: String,
    pub authorization: Option<String>,
    pub body: String,
}

pub type Log = Arc<Mutex<Vec<Seen>>>;
pub type Answer = dyn Fn(usize, &Seen) -> Response + Send + Sync;

/// Where it listens and what it was asked.
pub struct Server {
    pub url: String,
    pub seen: Log,
}

impl Server {
    /// A server that answers request number n (from 0) with `answer(n, request)`.
    pub async fn start(answer: impl Fn(usize, &Seen) -> Response + Send + Sync + 'static) -> Self {
        let seen: Log = Arc::default();
        let state: (Log, Arc<Answer>) = (Arc::clone(&seen), Arc::new(answer));
        let router = Router::new().fallback(handle).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }
    /// The same over TLS, with `NAME.crt` and `NAME.key` of a folder.
    pub async fn start_tls(
        folder: &Path,
        name: &str,
        answer: impl Fn(usize, &Seen) -> Response + Send + Sync + 'static,
    ) -> Self {
        let seen: Log = Arc::default();
        let state: (Log, Arc<Answer>) = (Arc::clone(&seen), Arc::new(answer));
        let router = Router::new().fallback(handle).with_state(state);
        let certificate = CertificateDer::from_pem_file(folder.join(format!("{name}.crt"))).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", tcp.local_addr().unwrap().port());
        let listener = Tls { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) };
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }
    /// Method, path and query of each request.
    pub fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|s| s.line.clone()).collect()
    }
}

struct Tls {
    tcp: tokio::net::TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;
    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (tcp, from) = self.tcp.accept().await.unwrap();
            // Who does not trust us goes away in the middle of the handshake.
            if let Ok(tls) = self.acceptor.accept(tcp).await {
                return (tls, from);
            }
        }
    }
    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

async fn handle(
    State((seen, answer)): State<(Log, Arc<Answer>)>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = Seen {
        line: format!("{method} {uri}"),
        authorization: headers.get("authorization").map(|v| v.to_str().unwrap().to_owned()),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    if uri.path() == "/hang" || request.body.contains("\"hang\"") {
        std::future::pending::<()>().await;
    }
    answer(number, &request)
}

/// A client with short deadlines.
pub fn client(urls: &[&str]) -> MarathonClient {
    let mut config = MarathonConfig::at("http://127.0.0.1:1");
    config.endpoints = urls.iter().map(|u| (*u).to_owned()).collect();
    config.deadline = Duration::from_millis(400);
    config.silence = Duration::from_millis(400);
    MarathonClient::new(&config).unwrap()
}

/// A small app.
pub fn app(id: &str) -> SchedApp {
    SchedApp {
        id: id.to_owned(),
        image: "i".to_owned(),
        instances: 1,
        cpu_milli: 100,
        mem_mib: 32,
        env: BTreeMap::new(),
        labels: BTreeMap::new(),
        constraints: Vec::new(),
        volumes: Vec::new(),
        network: "none".to_owned(),
        kill_grace_s: 5,
    }
}

/// A change that was accepted.
pub fn ok() -> Response {
    (StatusCode::OK, r#"{"version":"v","deploymentId":"d"}"#).into_response()
}
