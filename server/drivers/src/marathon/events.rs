//! The event stream: connect, watch for silence, translate, connect again.
//!
//! An event says "look again", so losing one costs time, never truth, provided
//! that a loss is noticed: [`SchedEvent::Attached`] comes with every connection
//! because whatever happened before it is unknown. One could get it wrong by
//! trusting an open connection: a Marathon that hangs, or a firewall that forgot
//! us, keeps it open for hours. So no byte for three heartbeats means gone.
//!
//! Memory is bounded: nothing is buffered ahead of the consumer (its slowness
//! reaches Marathon as TCP back-pressure), and an event that never ends is cut.
//!
//! Back-off is forgotten only after a connection has lasted: one that is accepted,
//! says a word and is cut again would otherwise be asked for four times a second.

use super::told::translate;
use crate::http::{Endpoints, chain, distrust, next_hop};
use futures::StreamExt;
use futures::stream::{BoxStream, unfold};
use padis_domain::ports::SchedEvent;
use padis_domain::view::StreamEnd;
use padis_protocol::event::{FrameReader, RawFrame};
use rand::Rng;
use reqwest::{StatusCode, Url};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// First wait before a new connection; it doubles up to [`LAST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest wait before a new connection.
const LAST_WAIT: Duration = Duration::from_secs(10);
/// Bytes that one event may have. Deployment events of large groups reach some MiB.
const MAX_EVENT: usize = 32 * 1024 * 1024;
/// Redirects that are followed to the leader.
const MAX_HOPS: usize = 3;
/// The types that may say something new about an app; a shared Marathon then does not
/// send what health checks, pods and other subscribers do. One that knows no filter
/// sends everything, and that is all the same.
const KINDS: [&str; 12] = [
    "api_post_event",
    "app_terminated_event",
    "status_update_event",
    "instance_changed_event",
    "unknown_instance_terminated_event",
    "unhealthy_task_kill_event",
    "unhealthy_instance_kill_event",
    "deployment_info",
    "deployment_success",
    "deployment_failed",
    "deployment_step_success",
    "deployment_step_failure",
];

/// The light format leaves the whole group out of deployment events (Marathon 1.5 and later).
fn path() -> String {
    KINDS.iter().fold("/v2/events?plan-format=light".to_owned(), |path, kind| format!("{path}&event_type={kind}"))
}

struct Stream {
    http: Arc<Endpoints>,
    silence: Duration,
    ready: VecDeque<SchedEvent>,
    open: Option<Open>,
    failures: u32,
}

struct Open {
    answer: reqwest::Response,
    frames: FrameReader,
    /// Bytes since the last complete frame.
    unfinished: usize,
    since: Instant,
}

/// Why there is no stream, and the operator's words for it.
type Ended = (StreamEnd, String);

/// An endless stream of events; it connects when it is first polled.
pub(super) fn stream(http: Arc<Endpoints>, silence: Duration) -> BoxStream<'static, SchedEvent> {
    let state = Stream { http, silence, ready: VecDeque::new(), open: None, failures: 0 };
    unfold(state, |mut s| async move {
        let event = s.next().await;
        Some((event, s))
    })
    .boxed()
}

/// The wait before attempt `failures` + 1, with jitter of up to a half, so that
/// the portals of one cluster do not come back in step.
fn wait(failures: u32) -> Duration {
    let full = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LAST_WAIT);
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

impl Stream {
    async fn next(&mut self) -> SchedEvent {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            match self.open.take() {
                None => match self.connect().await {
                    Ok((open, to)) => {
                        self.open = Some(open);
                        tracing::info!(stream.to = to, "attached to the scheduler's event stream");
                        return SchedEvent::Attached { to };
                    }
                    Err(ended) => return self.detached(ended),
                },
                Some(open) => match self.read(open).await {
                    Ok(open) => self.open = Some(open),
                    Err(ended) => return self.detached(ended),
                },
            }
        }
    }

    fn detached(&mut self, (cause, why): Ended) -> SchedEvent {
        self.failures = self.failures.saturating_add(1);
        self.http.turn();
        tracing::warn!(stream.failures = self.failures, "the scheduler's event stream is gone: {why}");
        SchedEvent::Detached { cause, why }
    }

    async fn connect(&self) -> Result<(Open, String), Ended> {
        if self.failures > 0 {
            tokio::time::sleep(wait(self.failures)).await;
        }
        let mut url = self.http.url(0, &path()).map_err(|e| (StreamEnd::Unreachable, e.chain()))?;
        for _ in 0..MAX_HOPS {
            let to = url.origin().ascii_serialization();
            let answer = self.ask(&url, &to).await?;
            let status = answer.status();
            if status.is_success() {
                let open =
                    Open { answer, frames: FrameReader::with_limit(MAX_EVENT), unfinished: 0, since: Instant::now() };
                return Ok((open, to));
            }
            match next_hop(&url, &answer) {
                Some(next) if status.is_redirection() => url = next,
                _ => return Err((refusal(status), format!("{to}: it answers HTTP {status}"))),
            }
        }
        Err((StreamEnd::NoLeader, "redirected in a circle".to_owned()))
    }

    async fn ask(&self, url: &Url, to: &str) -> Result<reqwest::Response, Ended> {
        let deadline = self.http.deadline();
        let call = self.http.client().get(url.clone()).header(reqwest::header::ACCEPT, "text/event-stream");
        let answer = tokio::time::timeout(deadline, self.http.auth().apply(call).send()).await;
        let late = |_| (StreamEnd::Unreachable, format!("{to}: no answer within {} s", deadline.as_secs_f64()));
        answer.map_err(late)?.map_err(|e| match distrust(&e) {
            Some(why) => (StreamEnd::Untrusted, format!("{to}: {why}")),
            None => (StreamEnd::Unreachable, format!("{to}: no connection: {}", chain(&e.without_url()))),
        })
    }

    async fn read(&mut self, mut open: Open) -> Result<Open, Ended> {
        let piece = tokio::time::timeout(self.silence, open.answer.chunk()).await;
        let silent = |_| (StreamEnd::Silent, format!("not a byte within {} s", self.silence.as_secs_f64()));
        let broke = |e: reqwest::Error| (StreamEnd::Broken, format!("it broke: {}", chain(&e.without_url())));
        let closed = || (StreamEnd::Closed, "it was closed by the other side".to_owned());
        let piece = piece.map_err(silent)?.map_err(broke)?.ok_or_else(closed)?;
        if open.since.elapsed() > LAST_WAIT {
            self.failures = 0;
        }
        self.ready.push_back(SchedEvent::Alive);
        let frames = open.frames.push_raw(&piece);
        open.unfinished = if frames.is_empty() { open.unfinished + piece.len() } else { 0 };
        if open.unfinished > MAX_EVENT {
            return Err((StreamEnd::Endless, format!("an event exceeds {MAX_EVENT} bytes")));
        }
        for frame in frames {
            if let RawFrame::Data { kind, data, cut } = frame {
                self.ready.push_back(SchedEvent::Told(translate(kind, &data, cut)));
            }
        }
        Ok(open)
    }
}

/// What another status than 200 means.
fn refusal(status: StatusCode) -> StreamEnd {
    match status.as_u16() {
        401 | 403 => StreamEnd::Unauthorized,
        // A standby that knows no leader, or a gateway that finds no Marathon. One that
        // knows its leader passes the stream on, or redirects.
        300..=399 | 502..=504 => StreamEnd::NoLeader,
        _ => StreamEnd::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_jitter_and_stay_below_the_limit() {
        for failures in 1..40 {
            let full = FIRST_WAIT.saturating_mul(1 << (failures - 1).min(10)).min(LAST_WAIT);
            let wait = wait(failures);
            assert!(wait >= full / 2 && wait <= full, "{failures}: {wait:?}");
        }
    }
}
