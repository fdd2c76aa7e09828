//! The listener: accepts, limits, and ends in order.
//!
//! `axum::serve` has no limit for how slowly a client may send its headers, so a
//! thousand sleepers could hold a thousand connections; therefore hyper is driven
//! here, with a time for headers, a limit of connections and an orderly end.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::Service;

/// A client has this long for a request's headers; also how long an idle connection is kept.
const HEADERS: Duration = Duration::from_secs(30);
/// Connections at the same time.
const CONNECTIONS: usize = 4096;
/// Requests under way have this long when the portal stops.
const FAREWELL: Duration = Duration::from_secs(8);

/// Serves until `stop` is cancelled and what was under way has ended.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve_within(listener, router, stop, HEADERS).await;
}

async fn serve_within(listener: TcpListener, router: Router, stop: CancellationToken, headers: Duration) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(headers);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(Some(headers)).max_concurrent_streams(128);
    let builder = Arc::new(builder);
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let slot = tokio::select! {
            () = stop.cancelled() => break,
            slot = slots.clone().acquire_owned() => slot,
        };
        let Ok(slot) = slot else { break };
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(a) => a,
                Err(e) => {
                    // Out of file descriptors, most likely: give others time to close theirs.
                    tracing::error!(cause = %e, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        // Answers are written in one piece; waiting to fill a packet only delays them.
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().call(request)
        });
        let builder = builder.clone();
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
            if let Err(e) = watcher.watch(connection).await {
                tracing::debug!(client = %peer, cause = %e, "a connection broke");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(FAREWELL, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end within {} s and were cut", FAREWELL.as_secs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;
    use std::time::Instant;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn started(
        router: Router,
        headers: Duration,
    ) -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let at = listener.local_addr().expect("address");
        let stop = CancellationToken::new();
        (at, stop.clone(), tokio::spawn(serve_within(listener, router, stop, headers)))
    }

    #[tokio::test]
    async fn who_sends_headers_too_slowly_is_cut_off() {
        let (at, stop, serving) = started(Router::new(), Duration::from_millis(200)).await;
        let mut slow = TcpStream::connect(at).await.expect("connect");
        slow.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.expect("send");
        let began = Instant::now();
        let mut rest = Vec::new();
        let end = tokio::time::timeout(Duration::from_secs(10), slow.read_to_end(&mut rest)).await;
        assert!(end.is_ok() && began.elapsed() < Duration::from_secs(10), "still open");
        stop.cancel();
        serving.await.expect("end");
    }

    #[tokio::test]
    async fn what_is_under_way_is_finished_when_the_portal_stops() {
        let (begun, go) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
        let (b, g) = (begun.clone(), go.clone());
        let handler = move || {
            let (b, g) = (b.clone(), g.clone());
            async move {
                b.notify_one();
                g.notified().await;
                "finished"
            }
        };
        let (at, stop, serving) = started(Router::new().route("/", axum::routing::get(handler)), HEADERS).await;
        let mut client = TcpStream::connect(at).await.expect("connect");
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("send");
        begun.notified().await;
        stop.cancel();
        go.notify_one();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.expect("answer");
        assert!(answer.ends_with("finished"), "{answer}");
        serving.await.expect("end");
        assert!(TcpStream::connect(at).await.is_err(), "no longer listening");
    }
}
