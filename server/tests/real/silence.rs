//! Marathon's event stream stays silent from the first to the last moment: between
//! the portal and the engine stands a proxy that passes requests and swallows
//! events. Sweep and watchdog alone bring everything about.

use super::Outcome;
use crate::portal::Portal;
use crate::world::{allocated, containers, docker, docker_socket, engine, exactly, make_pool, scale, small_site, test};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the proxy has swallowed.
#[derive(Default)]
struct Swallowed {
    streams: AtomicU64,
    bytes: AtomicU64,
}

fn position(of: &[u8], within: &[u8]) -> Option<usize> {
    within.windows(of.len()).position(|w| w == of)
}

/// One connection: bytes pass, but of an event stream only the answer's head does.
async fn pass(client: TcpStream, server: TcpStream, seen: Arc<Swallowed>) -> Outcome<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let stream = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (asks, counted) = (stream.clone(), seen.clone());
    let up = async move {
        let mut buf = vec![0; 64 << 10];
        loop {
            let n = from_client.read(&mut buf).await?;
            if n == 0 {
                return Outcome::Ok(());
            }
            // A request's line comes in one piece: the client writes a head at once.
            if position(b"GET /v2/events", &buf[..n]).is_some() {
                asks.store(true, Ordering::SeqCst);
                counted.streams.fetch_add(1, Ordering::SeqCst);
            }
            to_server.write_all(&buf[..n]).await?;
        }
    };
    let down = async move {
        let (mut buf, mut headed) = (vec![0; 64 << 10], false);
        loop {
            let n = from_server.read(&mut buf).await?;
            if n == 0 {
                return Outcome::Ok(());
            }
            let mut good = &buf[..n];
            if stream.load(Ordering::SeqCst) {
                let end = if headed { 0 } else { position(b"\r\n\r\n", good).map_or(n, |at| at + 4) };
                headed |= end < n || good.ends_with(b"\r\n\r\n");
                seen.bytes.fetch_add((n - end) as u64, Ordering::SeqCst);
                good = &good[..end];
            }
            to_client.write_all(good).await?;
        }
    };
    tokio::select! { r = up => r, r = down => r }
}

/// The proxy: its address and what it has swallowed.
async fn proxy(to: SocketAddr) -> Outcome<(SocketAddr, Arc<Swallowed>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?;
    let seen = Arc::new(Swallowed::default());
    let counted = seen.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let seen = counted.clone();
            tokio::spawn(async move {
                if let Ok(server) = TcpStream::connect(to).await {
                    // A connection that breaks is the client's to notice.
                    let _ = pass(client, server, seen).await;
                }
            });
        }
    });
    Ok((at, seen))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_stream_changes_nothing_but_the_pace() {
    test("silence", async |place| {
        let mut engine = engine(place)?;
        let (at, swallowed) = proxy(SocketAddr::from(([127, 0, 0, 1], place.ports[1]))).await?;
        let more = [
            ("PADIS_ENGINE_ENABLED", "false".to_owned()),
            ("PADIS_MARATHON_URLS", format!("http://{at}")),
            ("PADIS_MESOS_URLS", format!("http://127.0.0.1:{}", place.ports[2])),
            ("PADIS_RECONCILE_SWEEP_S", "2".to_owned()),
            ("PADIS_RECONCILE_SILENCE_S", "3".to_owned()),
        ];
        let mut p = Portal::launch_with(place, &more).await?;
        p.furnish(place).await?;
        make_pool(&p, "stage=dev", "10.210.16").await?;
        let package = small_site(&p).await?;
        let socket = docker_socket();
        p.go_online("quiet", &package, 2).await?;
        exactly(&p, &socket, "quiet", 2, 60).await?;
        // Killed behind the portal's back: nobody tells it.
        let victim = containers("quiet").await?.into_iter().next().ok_or("a container")?;
        docker(&socket, &["kill", &victim]).await?;
        p.until("it is replaced", 60, async |_| {
            let now = containers("quiet").await?;
            Ok(now.len() == 2 && !now.contains(&victim))
        })
        .await?;
        exactly(&p, &socket, "quiet", 2, 60).await?;
        scale(&p, "quiet", 3).await?;
        exactly(&p, &socket, "quiet", 3, 60).await?;
        scale(&p, "quiet", 1).await?;
        exactly(&p, &socket, "quiet", 1, 60).await?;
        p.delete("quiet").await?;
        p.until("nothing is left", 60, async |p| Ok(containers("quiet").await?.is_empty() && allocated(p).await? == 0))
            .await?;
        let streams = swallowed.streams.load(Ordering::SeqCst);
        assert!(streams >= 2, "the watchdog took the silent stream for broken and asked anew: {streams}");
        assert!(swallowed.bytes.load(Ordering::SeqCst) > 0, "there were events, and they were swallowed");
        p.stop().await;
        engine.kill().await?;
        Ok(())
    })
    .await;
}
