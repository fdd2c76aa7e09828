//! What stands between us and a registry and misbehaves: cuts connections, holds bytes
//! back, alters them. It counts what passes. It ends with the test's runtime.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What it does when so many bytes of one connection have passed in one direction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Cuts the connection.
    Cut,
    /// Passes nothing on any more.
    Hold,
    /// Alters one byte.
    Alter,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From us to the registry.
    Up,
    /// From the registry to us.
    Down,
}

pub struct Plan {
    pub does: Does,
    pub way: Way,
    /// Bytes of one connection.
    pub after: u64,
    /// How often, over all connections.
    pub times: u64,
    /// Whether the registry never hears of ranges.
    pub no_ranges: bool,
}

pub struct Proxy {
    pub address: SocketAddr,
    pub up: AtomicU64,
    pub down: AtomicU64,
    /// How often it still does something.
    pub left: AtomicU64,
    pub done: Notify,
    plan: Plan,
}

pub async fn before(to: SocketAddr, plan: Plan) -> Arc<Proxy> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let left = AtomicU64::new(plan.times);
    let proxy =
        Arc::new(Proxy { address, up: AtomicU64::new(0), down: AtomicU64::new(0), left, done: Notify::new(), plan });
    let shared = Arc::clone(&proxy);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let proxy = Arc::clone(&shared);
            tokio::spawn(async move {
                let Ok(far) = TcpStream::connect(to).await else { return };
                let (mut near_read, mut near_write) = near.into_split();
                let (mut far_read, mut far_write) = far.into_split();
                // The first that ends takes the connection with it, in the middle of everything.
                tokio::select! {
                    () = proxy.pass(Way::Up, &mut near_read, &mut far_write) => {}
                    () = proxy.pass(Way::Down, &mut far_read, &mut near_write) => {}
                }
            });
        }
    });
    proxy
}

impl Proxy {
    async fn pass(&self, way: Way, from: &mut (impl AsyncReadExt + Unpin), to: &mut (impl AsyncWriteExt + Unpin)) {
        let mut piece = vec![0; 64 * 1024];
        let mut passed = 0;
        while let Ok(n @ 1..) = from.read(&mut piece).await {
            let total = if way == Way::Up { &self.up } else { &self.down };
            total.fetch_add(n as u64, Ordering::Relaxed);
            passed += n as u64;
            let bytes = &mut piece[..n];
            if way == Way::Up && self.plan.no_ranges {
                let name = b"range: bytes=";
                if let Some(at) = bytes.windows(name.len()).position(|w| w.eq_ignore_ascii_case(name)) {
                    bytes[at] = b'x';
                }
            }
            if way == self.plan.way && passed > self.plan.after && self.take() {
                self.done.notify_one();
                match self.plan.does {
                    Does::Cut => return,
                    Does::Hold => std::future::pending().await,
                    Does::Alter => bytes[n / 2] ^= 1,
                }
            }
            if to.write_all(bytes).await.is_err() {
                return;
            }
        }
    }

    fn take(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}
