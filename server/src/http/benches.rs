//! Terminals of workbenches in the browser, by WebSocket, and their records as downloads.
//!
//! Binary messages carry what is shown and what is typed. Text messages come from the
//! browser only: `{"size":[columns,rows]}`, and `{"shown":bytes}` after it has drawn so many.
//! A program that floods the terminal is held up by that: no more than [`AHEAD`] bytes are
//! under way. One could get it wrong by trusting the session of the handshake for as long as
//! the connection lasts, or by leaving out the origin: browsers let any page open a
//! WebSocket to anywhere, cookies included.

use super::{Web, errors, guard, headers};
use axum::Extension;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use futures::{SinkExt, StreamExt};
use http::HeaderMap;
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use padis_app::context::{Prefs, Who};
use padis_domain::Problem;
use padis_domain::ports::Terminal;
use serde::Deserialize;
use std::time::Duration;

/// Bytes that are sent before the browser has said that it has drawn some.
const AHEAD: u64 = 512 << 10;
/// Between two signs of life; a proxy that closes what is silent sees one.
const ALIVE: Duration = Duration::from_secs(25);
/// Bytes of one message of the browser's: a large paste comes in several.
const MOST: usize = 1 << 20;
/// Close codes (RFC 6455 section 7.4): the shell has ended; the session has; something failed.
const ENDED: u16 = 1000;
const SIGNED_OUT: u16 = 4401;
const FAILED: u16 = 4500;

/// The size of the window.
#[derive(Debug, Deserialize)]
pub struct Size {
    columns: u16,
    rows: u16,
}

/// What a text message of the browser says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Said {
    Size(u16, u16),
    Shown(u64),
}

/// `GET /benches/{id}/terminal`: the page.
pub async fn page(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Extension(prefs): Extension<Prefs>,
    Path(id): Path<String>,
) -> Response {
    let Some(caller) = who.0 else { return errors::json(&Problem::NotSignedIn) };
    match web.portal.bench(&caller, &id).await {
        Ok(view) => {
            let nonce = uuid::Uuid::new_v4().simple().to_string();
            let document = padis_app::pages::terminal_page(&view, prefs, &web.assets, &nonce);
            let mut response = axum::response::Html(document).into_response();
            if let Ok(policy) = HeaderValue::from_str(&headers::policy_with_styles(&nonce)) {
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            }
            response
        }
        Err(problem) => errors::json(&problem),
    }
}

/// `GET /benches/{id}/socket?columns=…&rows=…`: the connection.
pub async fn socket(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    Query(size): Query<Size>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(caller) = who.0 else { return errors::json(&Problem::NotSignedIn) };
    if !guard::same_origin(&headers, web.public_url.as_ref()) {
        tracing::warn!("refused: a terminal that no page of this portal has asked for");
        return errors::json(&Problem::NotAllowed { needs: "same-origin".into() });
    }
    let terminal = match web.portal.bench_terminal(&caller, &id, size.columns, size.rows).await {
        Ok(terminal) => terminal,
        Err(problem) => return errors::json(&problem),
    };
    let token = super::cookies::get(&headers, super::cookies::session_name(web.secure)).map(str::to_owned);
    upgrade.max_message_size(MOST).on_upgrade(move |socket| serve(web, socket, terminal, token))
}

/// Carries bytes both ways until one side has ended.
async fn serve(web: Web, socket: WebSocket, terminal: Terminal, token: Option<String>) {
    let Terminal { mut output, mut input } = terminal;
    let (mut to, mut from) = socket.split();
    let mut ahead: u64 = 0;
    let mut alive = tokio::time::interval(ALIVE);
    let close = |code: u16, reason: &'static str| Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let last = loop {
        tokio::select! {
            piece = output.next(), if ahead < AHEAD => match piece {
                Some(Ok(bytes)) => {
                    ahead += bytes.len() as u64;
                    if to.send(Message::Binary(bytes.into())).await.is_err() {
                        return;
                    }
                }
                Some(Err(e)) => {
                    tracing::warn!(cause = %e.chain(), "a terminal was cut off");
                    break close(FAILED, "cut-off");
                }
                None => break close(ENDED, "ended"),
            },
            message = from.next() => {
                let done = match message {
                    None | Some(Err(_) | Ok(Message::Close(_))) => return,
                    Some(Ok(Message::Binary(bytes))) => input.write(&bytes).await,
                    Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                        Ok(Said::Size(columns, rows)) => input.resize(columns, rows).await,
                        Ok(Said::Shown(bytes)) => {
                            ahead = ahead.saturating_sub(bytes);
                            Ok(())
                        }
                        Err(_) => break close(FAILED, "not-understood"),
                    },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                };
                if let Err(e) = done {
                    tracing::warn!(cause = %e.chain(), "what was typed did not arrive");
                    break close(FAILED, "cut-off");
                }
            }
            _ = alive.tick() => {
                if !signed_in(&web, token.as_deref()).await {
                    break close(SIGNED_OUT, "signed-out");
                }
                if to.send(Message::Ping(Vec::new().into())).await.is_err() {
                    return;
                }
            }
            () = web.stop.cancelled() => break close(1001, "stopping"),
        }
    };
    // Whoever has gone does not hear it.
    let _ = to.send(last).await;
}

/// Whether the session that opened it goes on; being asked keeps it alive, as a page that is
/// worked in would.
async fn signed_in(web: &Web, token: Option<&str>) -> bool {
    let Some(token) = token else { return false };
    match web.auth.caller(token).await {
        Ok(who) => who.is_some(),
        // Not to be told for a moment is no end of it.
        Err(e) => {
            tracing::warn!(cause = %e, "whether a session goes on could not be read");
            true
        }
    }
}

/// `GET /benches/{id}/records/{number}`: what a terminal showed.
pub async fn record(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Path((id, number)): Path<(String, u32)>,
) -> Response {
    let Some(caller) = who.0 else { return errors::json(&Problem::NotSignedIn) };
    let bytes = match web.portal.bench_record(&caller, &id, number).await {
        Ok(bytes) => bytes,
        Err(problem) => return errors::json(&problem),
    };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-asciicast"));
    if let Ok(v) = HeaderValue::from_str(&format!("attachment; filename=\"terminal-{number}.cast\"")) {
        headers.insert(CONTENT_DISPOSITION, v);
    }
    response
}
