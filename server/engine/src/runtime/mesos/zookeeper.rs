//! Who leads, from ZooKeeper: `zk://user:password@h1:2181,h2:2181/mesos`.
//!
//! Each Mesos master has a child `json.info_<sequence>` below the path, and the lowest
//! sequence leads (`src/zookeeper/group.cpp`, `src/master/constants.hpp` of Mesos). A
//! watch on the children tells of every change.
//!
//! The four calls that this takes are spoken by hand (`zookeeper.jute`): a session that
//! makes nothing may end at any time, so there is nothing to keep over a lost
//! connection, which is most of what a client library does. One could get it wrong by
//! believing that nobody leads because ZooKeeper is silent: what was known last stays
//! true until ZooKeeper says otherwise.

use crate::core::Core;
use crate::runtime::Runtime;
use serde_json::Value;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// Asked for; the server may say otherwise (Mesos' `--zk_session_timeout`).
const SESSION: Duration = Duration::from_secs(10);
/// Pause before the next server.
const PAUSE: Duration = Duration::from_secs(1);
/// ZooKeeper's own limit of one packet (`jute.maxbuffer`).
const PACKET: u32 = 1 << 20;

const EXISTS: i32 = 3;
const GET_DATA: i32 = 4;
const GET_CHILDREN: i32 = 8;
const PING: i32 = 11;
const AUTH: i32 = 100;
/// `KeeperException.Code.NONODE`
const NO_NODE: i32 = -101;

/// The servers and the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ensemble {
    servers: Vec<String>,
    path: String,
    /// `user:password`
    auth: Option<String>,
}

impl Ensemble {
    /// From `zk://[user:password@]host:port[,host:port…]/path`.
    pub fn parse(text: &str) -> Option<Self> {
        let (place, path) = text.strip_prefix("zk://")?.split_once('/')?;
        let (auth, hosts) = match place.rsplit_once('@') {
            Some((auth, hosts)) => (Some(auth.to_owned()), hosts),
            None => (None, place),
        };
        let path = path.trim_end_matches('/');
        let good = |h: &str| h.rsplit_once(':').is_some_and(|(h, p)| !h.is_empty() && p.parse::<u16>().is_ok());
        let servers: Vec<String> = hosts.split(',').map(str::to_owned).collect();
        (servers.iter().all(|h| good(h)) && !path.is_empty()).then(|| Self { servers, path: format!("/{path}"), auth })
    }
}

/// Keeps `found` at the leading master's address until the engine stops.
pub(super) async fn follow(core: Arc<Core>, ensemble: Ensemble) {
    let Runtime::Mesos(mesos) = &core.runtime else { return };
    for server in ensemble.servers.iter().cycle() {
        let ended = tokio::select! {
            () = core.cancel.cancelled() => return,
            ended = session(server, &ensemble, mesos) => ended,
        };
        if let Err(error) = ended {
            tracing::warn!(server, %error, "engine: the session with ZooKeeper ended; the next server is asked");
        }
        tokio::select! {
            () = core.cancel.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn session(server: &str, ensemble: &Ensemble, mesos: &super::Mesos) -> Result<()> {
    // ZooKeeper does not say whether masters speak TLS; that they have an authority does.
    let scheme = if mesos.config.ca.is_some() { "https" } else { "http" };
    let mut keeper = timeout(SESSION, Keeper::connect(server, ensemble.auth.as_deref())).await??;
    loop {
        let (error, answer) = keeper.ask(GET_CHILDREN, &ensemble.path, true).await?;
        let leader = match error {
            0 => leading(&mut Reader(&answer))?,
            // Not even the path: its coming is watched instead.
            NO_NODE if keeper.ask(EXISTS, &ensemble.path, true).await?.0 == NO_NODE => None,
            NO_NODE => continue,
            error => return Err(Error::other(format!("ZooKeeper refused with {error}"))),
        };
        let address = match leader {
            None => None,
            Some(child) => {
                let (error, answer) = keeper.ask(GET_DATA, &format!("{}/{child}", ensemble.path), false).await?;
                if error == NO_NODE {
                    // It went in between; the list is watched, and is another one now.
                    continue;
                }
                address(scheme, Reader(&answer).buffer()?)
            }
        };
        mesos.found.send_if_modified(|known| {
            let new = *known != address;
            if new {
                tracing::info!(leader = address.as_deref(), "engine: ZooKeeper says who leads");
                *known = address;
            }
            new
        });
        keeper.changed().await?;
    }
}

/// The child with the lowest sequence, of those that are masters'.
fn leading(answer: &mut Reader<'_>) -> Result<Option<String>> {
    let mut children = Vec::new();
    for _ in 0..answer.int()? {
        let name = String::from_utf8_lossy(answer.buffer()?).into_owned();
        if let Some(sequence) = name.strip_prefix("json.info_").and_then(|s| s.parse::<u64>().ok()) {
            children.push((sequence, name));
        }
    }
    Ok(children.into_iter().min().map(|(_, name)| name))
}

/// A master's address from its `MasterInfo`.
fn address(scheme: &str, info: &[u8]) -> Option<String> {
    let info: Value = serde_json::from_slice(info).ok()?;
    let (ip, port) = (info["address"]["ip"].as_str()?, info["address"]["port"].as_u64()?);
    let ip: std::net::IpAddr = ip.parse().ok()?;
    Some(format!("{scheme}://{}", std::net::SocketAddr::from((ip, u16::try_from(port).ok()?))))
}

/// One connection.
struct Keeper {
    stream: TcpStream,
    beat: Duration,
    xid: i32,
    /// A watch has rung that nobody has asked about yet.
    rung: bool,
}

impl Keeper {
    async fn connect(server: &str, auth: Option<&str>) -> Result<Self> {
        let stream = TcpStream::connect(server).await?;
        let mut keeper = Self { stream, beat: SESSION / 3, xid: 0, rung: false };
        let asked = i32::try_from(SESSION.as_millis()).unwrap_or(i32::MAX);
        // Protocol version, last transaction seen, time-out, session, its password, read-only.
        let mut hello = Vec::new();
        hello.extend_from_slice(&0_i32.to_be_bytes());
        hello.extend_from_slice(&0_i64.to_be_bytes());
        hello.extend_from_slice(&asked.to_be_bytes());
        hello.extend_from_slice(&0_i64.to_be_bytes());
        put(&mut hello, &[0; 16]);
        hello.push(0);
        keeper.send(&hello).await?;
        let answer = keeper.receive().await?;
        let mut answer = Reader(&answer);
        answer.int()?;
        let given = u64::try_from(answer.int()?).unwrap_or(0);
        if given == 0 {
            return Err(Error::other("ZooKeeper did not open a session"));
        }
        keeper.beat = Duration::from_millis(given) / 3;
        if let Some(auth) = auth {
            let mut body = Vec::new();
            body.extend_from_slice(&0_i32.to_be_bytes());
            put(&mut body, b"digest");
            put(&mut body, auth.as_bytes());
            keeper.request(-4, AUTH, &body).await?;
            if keeper.answer(-4).await?.0 != 0 {
                return Err(Error::new(ErrorKind::PermissionDenied, "ZooKeeper does not accept the password"));
            }
        }
        Ok(keeper)
    }

    /// Asks about a path; the error code and what follows it.
    async fn ask(&mut self, kind: i32, path: &str, watch: bool) -> Result<(i32, Vec<u8>)> {
        self.xid += 1;
        let mut body = Vec::new();
        put(&mut body, path.as_bytes());
        body.push(u8::from(watch));
        self.request(self.xid, kind, &body).await?;
        let xid = self.xid;
        timeout(self.beat * 2, self.answer(xid)).await?
    }

    /// Waits until a watch rings.
    async fn changed(&mut self) -> Result<()> {
        let mut heard = Instant::now();
        while !std::mem::take(&mut self.rung) {
            // Not cut off in the middle of a packet: the first byte is waited for.
            match timeout_at(heard + self.beat, self.stream.readable()).await {
                Ok(ready) => {
                    ready?;
                    timeout(self.beat * 2, self.answer(-2)).await??;
                }
                Err(_) => {
                    self.request(-2, PING, &[]).await?;
                    timeout(self.beat * 2, self.answer(-2)).await??;
                }
            }
            heard = Instant::now();
        }
        Ok(())
    }

    /// The answer to a request; watches that ring before it are noted. While a ping's is
    /// waited for (-2), a watch will do.
    async fn answer(&mut self, xid: i32) -> Result<(i32, Vec<u8>)> {
        loop {
            let packet = self.receive().await?;
            let mut reader = Reader(&packet);
            let (of, _zxid, error) = (reader.int()?, reader.take(8)?, reader.int()?);
            self.rung |= of == -1;
            if of == xid || (of == -1 && xid == -2) {
                return Ok((error, reader.0.to_vec()));
            }
        }
    }

    async fn request(&mut self, xid: i32, kind: i32, body: &[u8]) -> Result<()> {
        let mut out = Vec::new();
        out.extend_from_slice(&xid.to_be_bytes());
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(body);
        self.send(&out).await
    }

    async fn send(&mut self, packet: &[u8]) -> Result<()> {
        let mut out = Vec::new();
        put(&mut out, packet);
        self.stream.write_all(&out).await
    }

    async fn receive(&mut self) -> Result<Vec<u8>> {
        let length = self.stream.read_u32().await?;
        if length > PACKET {
            return Err(Error::new(ErrorKind::InvalidData, "a packet of ZooKeeper is too long"));
        }
        let mut packet = vec![0; length as usize];
        self.stream.read_exact(&mut packet).await?;
        Ok(packet)
    }
}

/// Bytes with their length before them.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// What is left of a packet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(head)
    }
    fn int(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.take(4)?.try_into().map_err(Error::other)?))
    }
    /// A length of -1 is nothing.
    fn buffer(&mut self) -> Result<&'a [u8]> {
        let length = self.int()?;
        self.take(usize::try_from(length).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_servers_and_a_path() {
        let all = Ensemble::parse("zk://me:pa@ss@h1:2181,h2:2182/mesos/one/").unwrap();
        assert_eq!(all.servers, ["h1:2181", "h2:2182"]);
        assert_eq!((all.path.as_str(), all.auth.as_deref()), ("/mesos/one", Some("me:pa@ss")));
        for bad in ["zk://h1:2181", "zk://h1:2181/", "zk://h1/mesos", "http://h1:2181/mesos", "zk://h1:2181,/mesos"] {
            assert_eq!(Ensemble::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_lowest_sequence_leads_and_contenders_that_are_no_masters_do_not_count() {
        let mut answer = 4_i32.to_be_bytes().to_vec();
        for name in ["json.info_0000000012", "info_0000000001", "log_replicas", "json.info_0000000007"] {
            put(&mut answer, name.as_bytes());
        }
        assert_eq!(leading(&mut Reader(&answer)).unwrap().as_deref(), Some("json.info_0000000007"));
        assert!(leading(&mut Reader(&answer[..20])).is_err(), "cut off");
        let info = br#"{"address":{"hostname":"m1","ip":"10.0.0.1","port":5050},"id":"x"}"#;
        assert_eq!(address("http", info).as_deref(), Some("http://10.0.0.1:5050"));
        assert_eq!(address("https", info).as_deref(), Some("https://10.0.0.1:5050"));
    }
}
