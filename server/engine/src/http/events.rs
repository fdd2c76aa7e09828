//! `/v2/events`: the event stream.
//!
//! No replay, no ids. A blank line goes out every 15 seconds, so that a consumer
//! can tell a quiet stream from a dead one.

use super::error::ApiError;
use super::{Answer, Query, Shared, params};
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Response, header};
use futures::stream;
use padis_protocol::event::{EventStreamAttached, EventStreamDetached};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Time between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(15);

struct Detach(Arc<crate::core::Core>, String);

impl Drop for Detach {
    fn drop(&mut self) {
        let event = EventStreamDetached { remote_address: Some(self.1.clone()), ..EventStreamDetached::default() };
        self.0.publish(event.into());
    }
}

/// `GET /v2/events`
pub(super) async fn stream(core: Shared, peer: ConnectInfo<SocketAddr>, query: Query, headers: HeaderMap) -> Answer {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    if !accept.contains("text/event-stream") {
        return Err(ApiError::new(405, "HTTP method GET is not supported by this URL"));
    }
    let kinds = params(&query, "event_type").into_iter().filter(|k| !k.is_empty()).map(str::to_owned).collect();
    let remote = peer.0.ip().to_string();
    let inbox = core.hub.listen(kinds);
    let attached = EventStreamAttached { remote_address: Some(remote.clone()), ..EventStreamAttached::default() };
    core.publish(attached.into());
    let detach = Detach(Arc::clone(&core), remote);
    let mut beat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let frames = stream::unfold((inbox, beat, detach), |(mut inbox, mut beat, detach)| async move {
        let frame = tokio::select! {
            biased;
            frame = inbox.recv() => frame?,
            _ = beat.tick() => Bytes::from_static(b"\r\n"),
        };
        Some((Ok::<_, std::convert::Infallible>(frame), (inbox, beat, detach)))
    });
    Response::builder()
        .header(header::CONTENT_TYPE, "text/event-stream;charset=UTF-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(Body::from_stream(frames))
        .map_err(|error| ApiError::new(500, error.to_string()))
}
