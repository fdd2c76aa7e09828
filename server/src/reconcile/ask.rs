//! One page of one instance, asked once because a person wants to see it.
//!
//! The probe asks again and again and keeps one word; this keeps what came back.
//! Both judge alike. One could get it wrong by following a redirect (it may lead
//! to another host), by reading a body without end, or by letting a page that
//! trickles hold the person up: one deadline stands over all of it.

use super::probe::{MAX_BODY, client, wrong_text};
use async_trait::async_trait;
use padis_domain::app::HealthRule;
use padis_domain::delivery::Finding;
use padis_domain::ports::{PageSeen, Pages};
use reqwest::header::{HOST, LOCATION};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Asks pages of instances by HTTP.
#[derive(Debug, Clone)]
pub struct Asker {
    client: reqwest::Client,
}

impl Asker {
    /// With connections of its own.
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { client: client()? })
    }
}

/// What has come so far; it is kept when the time is over.
#[derive(Default)]
struct Got {
    status: Option<u16>,
    location: Option<String>,
    body: Vec<u8>,
}

#[async_trait]
impl Pages for Asker {
    async fn ask(&self, ip: u32, port: u16, host: &str, rule: &HealthRule) -> PageSeen {
        let at = SocketAddr::from((Ipv4Addr::from(ip), port));
        let limit = rule.timeout_ms.min(PageSeen::DEADLINE_MS);
        let began = Instant::now();
        let mut got = Got::default();
        let over =
            tokio::time::timeout(Duration::from_millis(u64::from(limit)), read(&self.client, at, host, rule, &mut got));
        let outcome = over.await;
        let ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        let finding = match outcome {
            Err(_) => Finding::TimedOut { ms: limit },
            Ok(Err(e)) if e.is_connect() => Finding::Refused,
            Ok(Err(_)) => Finding::Broken,
            Ok(Ok(())) => judge(rule, &got, ms),
        };
        let (body, more) = shown(&got.body);
        PageSeen { finding, status: got.status, ms, location: got.location, body, more }
    }
}

async fn read(
    client: &reqwest::Client,
    at: SocketAddr,
    host: &str,
    rule: &HealthRule,
    got: &mut Got,
) -> Result<(), reqwest::Error> {
    // The path begins with a slash, so it can't become a part of the address.
    let mut answer = client.get(format!("http://{at}{}", rule.path)).header(HOST, host).send().await?;
    got.status = Some(answer.status().as_u16());
    let location = answer.headers().get(LOCATION).and_then(|v| v.to_str().ok());
    got.location = location.map(|l| l.chars().take(PageSeen::SHOWN).collect());
    while let Some(c) = answer.chunk().await? {
        got.body.extend_from_slice(&c[..c.len().min(MAX_BODY - got.body.len())]);
        if got.body.len() >= MAX_BODY {
            break;
        }
    }
    Ok(())
}

fn judge(rule: &HealthRule, got: &Got, ms: u32) -> Finding {
    let status = got.status.unwrap_or_default();
    if !(200..400).contains(&status) {
        Finding::WrongStatus { status }
    } else if rule.expect.is_empty() || String::from_utf8_lossy(&got.body).contains(&rule.expect) {
        Finding::Well { status, ms }
    } else {
        wrong_text(&rule.expect, &got.body)
    }
}

/// The beginning of a body as text, and whether it goes on.
fn shown(body: &[u8]) -> (String, bool) {
    let text = String::from_utf8_lossy(body);
    let mut chars = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    let start: String = chars.by_ref().take(PageSeen::SHOWN).collect();
    (start, chars.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Answers one connection with these bytes; gives the port, and later the request's head.
    async fn answers(bytes: Vec<u8>, hold_open: bool) -> (u16, tokio::task::JoinHandle<String>) {
        let l = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = l.local_addr().expect("an address").port();
        let task = tokio::spawn(async move {
            let (mut s, _) = l.accept().await.expect("a connection");
            let mut head = vec![0; 4096];
            let n = s.read(&mut head).await.expect("a request");
            // A reader that has enough closes before everything is written.
            let _ = s.write_all(&bytes).await;
            if hold_open {
                let mut rest = Vec::new();
                let _ = s.read_to_end(&mut rest).await;
            }
            String::from_utf8_lossy(&head[..n]).into_owned()
        });
        (port, task)
    }

    fn rule(path: &str, expect: &str, timeout_ms: u32) -> HealthRule {
        HealthRule { expect: expect.into(), timeout_ms, ..HealthRule::fresh(path) }
    }

    async fn ask(bytes: &[u8], rule: &HealthRule) -> (PageSeen, String) {
        let (port, task) = answers(bytes.to_vec(), false).await;
        let seen =
            Asker::new().expect("a client").ask(u32::from(Ipv4Addr::LOCALHOST), port, "shop.example", rule).await;
        (seen, task.await.expect("the request"))
    }

    #[tokio::test]
    async fn a_good_answer_is_told_with_what_came_back() {
        let page = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<b>fine</b>\n\x07all OK here";
        let (seen, request) = ask(page, &rule("/up?deep=1", "OK", 5_000)).await;
        assert!(request.starts_with("GET /up?deep=1 HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("host: shop.example\r\n"), "{request}");
        assert!(matches!(seen.finding, Finding::Well { status: 200, .. }), "{seen:?}");
        assert_eq!((seen.body.as_str(), seen.more), ("<b>fine</b>\nall OK here", false));
    }

    #[tokio::test]
    async fn a_missing_text_and_a_wrong_status_are_told_apart() {
        let (seen, _) = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nDOWN", &rule("/", "OK", 5_000)).await;
        assert_eq!(seen.finding, Finding::WrongText { expect: "OK".into(), got: "DOWN".into() });
        let (seen, _) = ask(b"HTTP/1.1 404 Gone\r\nContent-Length: 7\r\n\r\nnowhere", &rule("/", "", 5_000)).await;
        assert_eq!((seen.finding, seen.body.as_str()), (Finding::WrongStatus { status: 404 }, "nowhere"));
    }

    #[tokio::test]
    async fn a_redirect_is_told_and_not_followed() {
        // Where it leads somebody listens; nobody may come.
        let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let to = format!("http://{}/secret", elsewhere.local_addr().expect("an address"));
        let page = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        let (seen, _) = ask(page.as_bytes(), &rule("/", "", 5_000)).await;
        assert_eq!((seen.status, seen.location), (Some(302), Some(to)));
        assert!(matches!(seen.finding, Finding::Well { status: 302, .. }));
        let nobody = tokio::time::timeout(Duration::ZERO, elsewhere.accept()).await;
        assert!(nobody.is_err(), "somebody came");
    }

    #[tokio::test]
    async fn a_page_without_end_is_cut_and_one_that_hangs_is_left() {
        let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        endless.resize(MAX_BODY * 2, b'x');
        let (seen, _) = ask(&endless, &rule("/", "", 5_000)).await;
        assert_eq!((seen.body.len(), seen.more), (PageSeen::SHOWN, true));
        let (port, task) = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbut".to_vec(), true).await;
        let a = Asker::new().expect("a client");
        let seen = a.ask(u32::from(Ipv4Addr::LOCALHOST), port, "h", &rule("/", "", 300)).await;
        assert_eq!((seen.finding, seen.status, seen.body.as_str()), (Finding::TimedOut { ms: 300 }, Some(200), "but"));
        task.await.expect("the request");
    }

    #[tokio::test]
    async fn where_nobody_listens_it_is_refused() {
        let port = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address").port();
        let a = Asker::new().expect("a client");
        let seen = a.ask(u32::from(Ipv4Addr::LOCALHOST), port, "h", &rule("/", "", 1_000)).await;
        assert_eq!((seen.finding, seen.status), (Finding::Refused, None));
    }
}
