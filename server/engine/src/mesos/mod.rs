//! The Mesos operator API, version 0, on its own listener.
//!
//! Master and agents are one process here, so all of them answer on one address.
//! A client that follows the protocol does not notice: an agent's `pid`
//! (`slave(2)@host:port`) names the process, and the process' name is the first
//! part of its paths, `/slave(2)/state`, `/slave(2)/containers`. Without it,
//! `/state` is the master's and `/containers` and `/monitor/statistics` are those
//! of all agents together. Paths of the files API are the absolute `directory`
//! of an executor plus a file's name, as with a real agent.

mod files;
mod state;
mod statistics;

use crate::core::Core;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use statistics::Cache;
use std::sync::Arc;

/// The version of Mesos whose API this is.
pub(crate) const API_VERSION: &str = "1.11.0";

#[derive(Clone)]
pub(crate) struct Mesos {
    pub core: Arc<Core>,
    pub cache: Arc<Cache>,
}

pub(crate) type Shared = State<Mesos>;

/// The router.
pub(crate) fn router(core: Arc<Core>) -> Router {
    let credentials = core.config.credentials.clone().map(Arc::new);
    Router::new()
        .route("/health", get(healthy))
        .route("/master/health", get(healthy))
        .route("/{agent}/health", get(healthy))
        .route("/redirect", get(redirect))
        .route("/master/redirect", get(redirect))
        .route("/version", get(version))
        .route("/state", get(state::master))
        .route("/master/state", get(state::master))
        .route("/slaves", get(state::slaves))
        .route("/master/slaves", get(state::slaves))
        .route("/master/frameworks", get(state::frameworks))
        .route("/master/tasks", get(state::tasks))
        .route("/metrics/snapshot", get(state::metrics))
        .route("/{agent}/state", get(state::agent))
        .route("/containers", get(statistics::all))
        .route("/monitor/statistics", get(statistics::all))
        .route("/{agent}/containers", get(statistics::of_agent))
        .route("/{agent}/monitor/statistics", get(statistics::of_agent))
        .route("/files/browse", get(files::browse))
        .route("/files/read", get(files::read))
        .route("/files/download", get(files::download))
        .layer(axum::middleware::from_fn_with_state(credentials, crate::access::check))
        .with_state(Mesos { core, cache: Arc::default() })
}

async fn healthy() -> StatusCode {
    StatusCode::OK
}

async fn redirect(mesos: Shared) -> Response {
    let place = format!("//{}", mesos.core.config.mesos_listen);
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response()
}

async fn version() -> Response {
    Json(
        serde_json::json!({"version": API_VERSION, "build_user": "padis-engine", "git_tag": env!("CARGO_PKG_VERSION")}),
    )
    .into_response()
}
