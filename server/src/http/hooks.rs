//! What registries tell us: that something of theirs has changed.
//!
//! The body is the Distribution's notification envelope; of it only the repositories'
//! names are read, and each is then looked at: a wake-up carries no data. Whoever knows a
//! registry's token may make us look at it, and no more. One could get it wrong by
//! believing what a notification says of an image.

use super::Web;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::post;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The largest envelope; docker-registry sends one event at a time.
const MOST: usize = 1 << 20;
/// Repositories of one envelope that are looked at one by one; of more, all of the registry is.
const ONE_BY_ONE: usize = 50;

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    action: String,
    #[serde(default)]
    target: Target,
}

#[derive(Default, Deserialize)]
struct Target {
    #[serde(default)]
    repository: String,
}

/// Their routes; they stand outside the gate, because no person is behind them.
pub fn routes() -> Router<Web> {
    Router::new().route("/hooks/registries/{name}", post(changed)).layer(DefaultBodyLimit::max(MOST))
}

/// Whether two texts are the same; how long it takes says nothing of where they differ.
fn same(a: &str, b: &str) -> bool {
    Sha256::digest(a.as_bytes()) == Sha256::digest(b.as_bytes())
}

async fn changed(
    State(web): State<Web>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let given = headers.get(AUTHORIZATION).and_then(|h| h.to_str().ok()).and_then(|h| h.strip_prefix("Bearer "));
    let place = web.registries.find(&name);
    // One answer for a registry that is not there and for a wrong token.
    let known = place.and_then(|p| p.token.as_deref()).zip(given).is_some_and(|(token, given)| same(token, given));
    if !known {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let envelope: Envelope = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    // A pull changes nothing.
    let told = envelope.events.into_iter().filter(|e| e.action != "pull").map(|e| e.target.repository);
    let repositories: BTreeSet<String> = told.filter(|r| !r.is_empty()).collect();
    if repositories.len() > ONE_BY_ONE {
        web.registries.look_at_whole(&name);
        return Ok(StatusCode::ACCEPTED);
    }
    for repository in repositories {
        web.registries.look_at(&name, &repository);
    }
    Ok(StatusCode::ACCEPTED)
}
