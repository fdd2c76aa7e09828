//! A world of its own for each test: a HAProxy in a temporary folder, tiny HTTP
//! servers as members, and a client that keeps connections open and excuses nothing.

use padis_domain::ports::{Balancer, Member, MemberSeen, MemberState, Service, ServiceSeen};
use padis_drivers::haproxy::{HaproxyChild, HaproxyConfig, HaproxyStartError};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

pub const DEADLINE: Duration = Duration::from_secs(15);

pub struct World {
    pub folder: tempfile::TempDir,
    pub listen: SocketAddr,
    pub balancer: HaproxyChild,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        loop {
            // HAProxy can't be given a bound socket, so somebody else may take the port meanwhile.
            let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            match HaproxyChild::start(HaproxyConfig::new(listen, folder.path())).await {
                Ok(balancer) => return Self { folder, listen, balancer },
                Err(HaproxyStartError::Listen { .. }) => {}
                Err(other) => panic!("HAProxy does not start: {other:?}"),
            }
        }
    }

    pub async fn seen(&self, service: &str) -> ServiceSeen {
        self.balancer.get(service).await.unwrap().expect("the service exists")
    }

    pub async fn member(&self, service: &str, member: &str) -> Option<MemberSeen> {
        self.seen(service).await.members.into_iter().find(|m| m.member.key == member)
    }

    pub async fn until_member(&self, service: &str, member: &str, what: &str, good: impl Fn(&MemberSeen) -> bool) {
        let end = Instant::now() + DEADLINE;
        loop {
            let seen = self.member(service, member).await;
            if seen.as_ref().is_some_and(&good) {
                return;
            }
            assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}; last seen {seen:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub fn service(key: &str) -> Service {
    Service {
        key: key.to_owned(),
        host: format!("{key}.padis.localhost"),
        health_path: "/health".to_owned(),
        expect: String::new(),
        interval_ms: 200,
    }
}

/// An HTTP/1.1 server with connections that stay open.
///
/// `/health` answers 200 with `health` in it, or 500 when sick; `/slow` answers when
/// [`Origin::release`] is called; `/ws` switches protocols and echoes; anything else
/// answers with the origin's name.
pub struct Origin {
    pub name: String,
    pub at: SocketAddr,
    pub hits: Arc<AtomicU64>,
    pub sick: Arc<AtomicBool>,
    gate: Arc<tokio::sync::Semaphore>,
    task: AbortHandle,
}

impl Origin {
    pub async fn new(name: &str, ip: &str, health: &str) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let at = listener.local_addr().unwrap();
        let hits = Arc::new(AtomicU64::new(0));
        let sick = Arc::new(AtomicBool::new(false));
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let one = Connection {
            name: name.to_owned(),
            health: health.to_owned(),
            hits: hits.clone(),
            sick: sick.clone(),
            gate: gate.clone(),
        };
        let task = tokio::spawn(async move {
            // Dropped with the task: killing the origin cuts every connection.
            let mut connections = JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                connections.spawn(one.clone().serve(stream));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { name: name.to_owned(), at, hits, sick, gate, task: task.abort_handle() }
    }

    pub fn member(&self, state: MemberState) -> Member {
        Member { key: self.name.clone(), ip: self.at.ip().to_string(), port: self.at.port(), state }
    }

    pub fn release(&self) {
        self.gate.add_permits(1);
    }

    pub fn kill(&self) {
        self.task.abort();
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Connection {
    name: String,
    health: String,
    hits: Arc<AtomicU64>,
    sick: Arc<AtomicBool>,
    gate: Arc<tokio::sync::Semaphore>,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        while let Some(head) = head(&mut read).await {
            let path = head[0].split(' ').nth(1).unwrap_or("/").to_owned();
            let (status, body) = match path.as_str() {
                "/health" if self.sick.load(Ordering::SeqCst) => ("500 Internal Server Error", "sick".to_owned()),
                "/health" => ("200 OK", self.health.clone()),
                "/slow" => {
                    self.hits.fetch_add(1, Ordering::SeqCst);
                    self.gate.acquire().await.unwrap().forget();
                    ("200 OK", self.name.clone())
                }
                "/ws" => {
                    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
                    write.write_all(switch.as_bytes()).await.unwrap();
                    drop(tokio::io::copy(&mut read, &mut write).await);
                    return;
                }
                "/headers" => ("200 OK", head.join("\n")),
                _ => {
                    self.hits.fetch_add(1, Ordering::SeqCst);
                    ("200 OK", self.name.clone())
                }
            };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            if write.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

async fn head(read: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            return (!lines.is_empty()).then_some(lines);
        }
        lines.push(line);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub head: Vec<String>,
}

/// A client with one connection, which it keeps as long as the server lets it. Any
/// connection that ends without having been announced is an error.
pub struct Client {
    to: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    pub fn new(to: SocketAddr) -> Self {
        Self { to, stream: None }
    }

    pub async fn get(&mut self, host: &str, path: &str) -> Result<Answer, String> {
        tokio::time::timeout(DEADLINE, self.request("GET", host, path)).await.map_err(|e| e.to_string())?
    }

    pub async fn request(&mut self, method: &str, host: &str, path: &str) -> Result<Answer, String> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(self.to).await.map_err(|e| format!("connect: {e}"))?),
        };
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes()).await.map_err(|e| format!("send: {e}"))?;
        let head = head(&mut stream).await.ok_or("the connection ended without an answer")?;
        let status = head[0].split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or("no status")?;
        let field = |name: &str| {
            let fits = |l: &&String| l.to_lowercase().starts_with(&format!("{name}:"));
            head.iter().find(fits).map(|l| l[name.len() + 1..].trim().to_lowercase())
        };
        let length = field("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.map_err(|e| format!("body: {e}"))?;
        if field("connection").as_deref() != Some("close") {
            self.stream = Some(stream);
        }
        Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned(), head })
    }
}
