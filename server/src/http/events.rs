//! `GET /events/stream`: what changed, to the browsers that may know.
//!
//! One could get it wrong by checking the caller only once: a stream lives for
//! hours, so the session and the teams are looked at again before every event
//! and at every heartbeat. Or by telling only what changes while it stands: it begins
//! with the mark of what was told until then (event `at`), and a listener that was
//! too slow gets another one instead of what it missed.

use super::{Web, cookies, errors};
use crate::changes::Change;
use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use http::HeaderMap;
use padis_app::context::Who;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval};

/// Keeps proxies and the browser awake.
const HEARTBEAT: Duration = Duration::from_secs(15);

struct Listener {
    web: Web,
    token: String,
    changes: Receiver<Change>,
    heartbeat: Interval,
    greeted: bool,
}

enum Woken {
    Change(Change),
    Missed,
    Tick,
    End,
}

/// The route.
pub async fn stream(State(web): State<Web>, Extension(who): Extension<Who>, headers: HeaderMap) -> Response {
    let token = cookies::get(&headers, cookies::session_name(web.secure));
    let (Some(_), Some(token)) = (who.0, token) else { return errors::json(&Problem::NotSignedIn) };
    let listener = Listener {
        changes: web.changes.subscribe(),
        token: token.to_owned(),
        heartbeat: tokio::time::interval_at(Instant::now() + HEARTBEAT, HEARTBEAT),
        web,
        greeted: false,
    };
    let mut response = Sse::new(events(listener)).into_response();
    // Proxies must not collect it.
    response.headers_mut().insert("x-accel-buffering", http::HeaderValue::from_static("no"));
    response
}

fn events(listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    futures::stream::unfold(listener, |mut l| async move {
        if !l.greeted {
            // At once: the browser then knows that the stream stands, and whether anything
            // changed since its page was rendered.
            l.greeted = true;
            return Some((Ok(l.at()), l));
        }
        loop {
            let woken = l.next().await;
            if matches!(woken, Woken::End) {
                return None;
            }
            let caller: Caller = match l.web.auth.still(&l.token).await {
                Ok(Some(c)) => c,
                // The session has ended, or nobody knows: the browser comes again and is told.
                Ok(None) | Err(_) => return None,
            };
            let event = match woken {
                Woken::Change(c) if c.visible_to(&caller) => Event::default()
                    .event("change")
                    .data(serde_json::json!({ "topic": c.topic, "revision": c.revision }).to_string()),
                Woken::Change(_) | Woken::End => continue,
                Woken::Missed => l.at(),
                Woken::Tick => Event::default().comment(""),
            };
            return Some((Ok(event), l));
        }
    })
}

impl Listener {
    fn at(&self) -> Event {
        Event::default().event("at").data(self.web.changes.mark())
    }
    async fn next(&mut self) -> Woken {
        tokio::select! {
            () = self.web.stop.cancelled() => Woken::End,
            r = self.changes.recv() => match r {
                Ok(c) => Woken::Change(c),
                Err(RecvError::Lagged(_)) => Woken::Missed,
                Err(RecvError::Closed) => Woken::End,
            },
            _ = self.heartbeat.tick() => Woken::Tick,
        }
    }
}
