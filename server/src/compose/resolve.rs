//! Asks the name server as any stranger would: one question over UDP.
//!
//! It is the proof of the step "the name resolves", so it must not look into our
//! own map. The packet is RFC 1035's simplest question; an answer is believed if
//! it carries the question's id.

use crate::reconcile::Resolve;
use async_trait::async_trait;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

const WITHIN: Duration = Duration::from_millis(500);
const TYPE_A: u16 = 1;
const CLASS_IN: u16 = 1;

/// A resolver that asks one server.
#[derive(Debug, Clone)]
pub struct Stranger {
    /// The server.
    pub server: SocketAddr,
}

#[async_trait]
impl Resolve for Stranger {
    async fn resolve(&self, name: &str) -> Option<Ipv4Addr> {
        tokio::time::timeout(WITHIN, self.ask(name)).await.ok().flatten()
    }
}

impl Stranger {
    async fn ask(&self, name: &str) -> Option<Ipv4Addr> {
        let from: SocketAddr = if self.server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        let socket = UdpSocket::bind(from).await.ok()?;
        socket.connect(self.server).await.ok()?;
        let id: u16 = rand::random();
        socket.send(&question(id, name)?).await.ok()?;
        let mut buf = [0; 1500];
        loop {
            let n = socket.recv(&mut buf).await.ok()?;
            if buf.get(..2) == Some(&id.to_be_bytes()) {
                return first_address(buf.get(..n)?);
            }
        }
    }
}

/// RFC 1035 section 4.1: header with one question, recursion not desired.
fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut out = Vec::from(id.to_be_bytes());
    out.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let len = u8::try_from(label.len()).ok().filter(|l| (1..=63).contains(l))?;
        out.push(len);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out.extend(TYPE_A.to_be_bytes());
    out.extend(CLASS_IN.to_be_bytes());
    Some(out)
}

fn u16_at(b: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(b.get(at..at + 2)?.try_into().ok()?))
}

/// Where a name ends: at its zero or behind its pointer.
fn skip_name(b: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *b.get(at)? {
            0 => return Some(at + 1),
            n if n & 0xc0 == 0xc0 => return Some(at + 2),
            n => at += 1 + usize::from(n),
        }
    }
}

fn first_address(b: &[u8]) -> Option<Ipv4Addr> {
    let (flags, questions, answers) = (u16_at(b, 2)?, u16_at(b, 4)?, u16_at(b, 6)?);
    // An answer, without an error.
    if flags & 0x8000 == 0 || flags & 0x000f != 0 {
        return None;
    }
    let mut at = 12;
    for _ in 0..questions {
        at = skip_name(b, at)? + 4;
    }
    for _ in 0..answers {
        at = skip_name(b, at)?;
        let (kind, len) = (u16_at(b, at)?, usize::from(u16_at(b, at + 8)?));
        let data = b.get(at + 10..at + 10 + len)?;
        if kind == TYPE_A {
            return Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?));
        }
        at += 10 + len;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_answer_with_a_compressed_name() {
        let mut b = question(7, "a.padis.localhost").expect("name");
        b[2] = 0x84;
        b[7] = 1;
        b.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 127, 0, 0, 1]);
        assert_eq!(first_address(&b), Some(Ipv4Addr::LOCALHOST));
        for cut in 0..b.len() {
            assert_eq!(first_address(&b[..cut]), None, "cut at {cut}");
        }
        b[3] = 3;
        assert_eq!(first_address(&b), None, "no such name");
        assert!(question(1, "a..b").is_none() && question(1, &"x".repeat(64)).is_none());
    }

    #[tokio::test]
    async fn asks_the_real_server() {
        use padis_domain::ports::{Dns, NameRecord};
        let config = padis_drivers::dns::DnsConfig { listen: ([127, 0, 0, 1], 0).into(), ..Default::default() };
        let server = padis_drivers::dns::DnsServer::start(config).await.expect("name server");
        let record = NameRecord {
            name: "shop.padis.localhost".into(),
            addresses: vec!["127.0.0.1".into()],
            ttl_s: 5,
            ptr: false,
        };
        server.put(&record).await.expect("put");
        let stranger = Stranger { server: server.address() };
        assert_eq!(stranger.resolve("shop.padis.localhost").await, Some(Ipv4Addr::LOCALHOST));
        assert_eq!(stranger.resolve("other.padis.localhost").await, None);
        server.stop().await;
    }
}
