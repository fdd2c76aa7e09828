//! The Mesos operator API, versions 0 and 1, on its own listener.
//!
//! Master and agents are one process here, so all of them answer on one address.
//! A client that follows the protocol does not notice: an agent's `pid`
//! (`slave(2)@host:port`) names the process, and the process' name is the first
//! part of its paths, `/slave(2)/state`, `/slave(2)/containers`. Without it,
//! `/state` is the master's and `/containers` and `/monitor/statistics` are those
//! of all agents together. Paths of the files API are the absolute `directory`
//! of an executor plus a file's name, as with a real agent.
//!
//! Held against a real Mesos 1.11 member by member (`tests/mesos_shapes.rs` of the
//! drivers). As a framework of a real cluster the engine leaves orders to the cluster's
//! own master: its callers are sent there, as by a standby.

mod agent;
mod answer;
mod events;
mod facts;
mod files;
mod flags;
mod maintenance;
mod metrics;
mod operator;
mod proto;
mod state;
mod statistics;

pub(crate) use events::Operators;

use crate::core::Core;
use crate::runtime::Runtime;
use axum::Json;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use serde_json::{Value, json};
use statistics::Cache;
use std::sync::Arc;

/// The version of Mesos whose API this is.
pub(crate) const API_VERSION: &str = "1.11.0";
/// Name of the cluster.
const CLUSTER: &str = "padis";
/// The largest order: a schedule of thousands of machines.
const MAX_BODY: usize = 16 << 20;

#[derive(Clone)]
pub(crate) struct Mesos {
    pub core: Arc<Core>,
    pub cache: Arc<Cache>,
}

pub(crate) type Shared = State<Mesos>;
type Handler = fn() -> MethodRouter<Mesos>;

/// The master's paths, below `/master` and without.
const OF_MASTER: &[(&str, Handler)] = &[
    ("state", || any(state::master)),
    ("slaves", || any(state::slaves)),
    ("frameworks", || any(state::frameworks)),
    ("tasks", || any(state::tasks)),
    ("roles", || any(state::roles)),
    ("state-summary", || any(state::summary)),
    ("flags", || any(flags::of_master)),
    ("quota", || any(quota)),
    ("weights", || any(weights)),
    ("maintenance/schedule", || any(maintenance::schedule)),
    ("maintenance/status", || any(maintenance::status)),
    ("machine/down", || any(maintenance::down)),
    ("machine/up", || any(maintenance::up)),
    ("api/v1", || any(operator::of_master)),
    ("teardown", || any(refused)),
    ("reserve", || any(refused)),
    ("unreserve", || any(refused)),
    ("create-volumes", || any(refused)),
    ("destroy-volumes", || any(refused)),
];

/// Paths of the process, and of all agents together.
const OF_ALL: &[(&str, Handler)] = &[
    ("metrics/snapshot", || any(metrics::snapshot)),
    ("system/stats.json", || any(metrics::stats)),
    ("logging/toggle", || any(logging)),
    ("containers", || any(statistics::all_containers)),
    ("monitor/statistics", || any(statistics::all_statistics)),
    ("files/browse", || any(files::browse)),
    ("files/read", || any(files::read)),
    ("files/download", || any(files::download)),
    ("files/debug", || any(files::debug)),
];

/// An agent's paths, below its process' name.
const OF_AGENT: &[(&str, Handler)] = &[
    ("state", || any(agent::state)),
    ("flags", || any(flags::of_agent)),
    ("containers", || any(statistics::agent_containers)),
    ("monitor/statistics", || any(statistics::agent_statistics)),
    ("api/v1", || any(operator::of_agent)),
];

/// A path as libprocess has it: also with a slash behind it, or with more.
fn with_more(router: Router<Mesos>, path: &str, to: Handler) -> Router<Mesos> {
    router.route(path, to()).route(&format!("{path}/"), to()).route(&format!("{path}/{{*more}}"), to())
}

/// The router. Whoever adds a path has it behind the credentials; `/health` alone is in
/// front of them, as in Mesos.
pub(crate) fn router(core: Arc<Core>) -> Router {
    let credentials = core.config.credentials.clone().map(Arc::new);
    let mut router = Router::new();
    for (path, to) in OF_MASTER {
        router = with_more(with_more(router, &format!("/{path}"), *to), &format!("/master/{path}"), *to);
    }
    for (path, to) in OF_ALL {
        router = with_more(router, &format!("/{path}"), *to);
    }
    for (path, to) in OF_AGENT {
        router = router.route(&format!("/{{agent}}/{path}"), to()).route(&format!("/{{agent}}/{path}/"), to());
    }
    router
        .route("/redirect", any(redirect))
        .route("/master/redirect", any(redirect))
        .route("/version", any(version))
        .route("/version/", any(version))
        .fallback(nothing)
        .layer(axum::middleware::from_fn_with_state(credentials, crate::access::check))
        .route("/health", any(healthy))
        .route("/master/health", any(healthy))
        .route("/{agent}/health", any(agent_healthy))
        .layer(axum::middleware::from_fn(answer::finish))
        .with_state(Mesos { core, cache: Arc::default() })
}

async fn nothing() -> Response {
    answer::not_found()
}

async fn healthy() -> StatusCode {
    StatusCode::OK
}

async fn agent_healthy(mesos: Shared, Path(process): Path<String>) -> Response {
    let known = facts::index_of(&process).is_some_and(|i| mesos.core.look(|w| w.hosts.agents.get(i).is_some()));
    if known { StatusCode::OK.into_response() } else { answer::not_found() }
}

async fn redirect(mesos: Shared) -> Response {
    let place = format!("//{}", mesos.core.config.mesos_listen);
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response()
}

/// As a framework of a cluster: where its master is, for orders. `None`: here.
fn elsewhere(mesos: &Mesos, uri: &Uri) -> Option<Response> {
    let Runtime::Mesos(cluster) = &mesos.core.runtime else { return None };
    let Some(leader) = cluster.leader() else {
        return Some(answer::text(StatusCode::SERVICE_UNAVAILABLE, "No leader elected"));
    };
    let host = leader.split_once("://").map_or(leader.as_str(), |(_, host)| host);
    let place = format!("//{host}{}", uri.path_and_query().map_or("/", |p| p.as_str()));
    Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, place)]).into_response())
}

/// The text of a request.
async fn body(request: Request) -> Result<String, String> {
    let bytes = to_bytes(request.into_body(), MAX_BODY).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What was built, and when: the Mesos whose API this is; by whom says that it is ours.
fn built() -> impl Iterator<Item = (String, Value)> {
    let facts = [
        ("git_sha", json!("04bc7ee1984d86fbb0bd782ccc69ce44c13ae4b9")),
        ("git_tag", json!(API_VERSION)),
        ("build_date", json!("2020-11-24 15:38:37")),
        ("build_time", json!(1_606_232_317.0)),
        ("build_user", json!("padis-engine")),
    ];
    facts.into_iter().map(|(name, value)| (name.to_owned(), value))
}

async fn version() -> Response {
    let mut about: serde_json::Map<String, Value> = built().collect();
    about.insert(String::from("version"), json!(API_VERSION));
    Json(about).into_response()
}

/// The verbosity of glog: there is none here to be set.
async fn logging() -> Response {
    answer::text(StatusCode::OK, "0\n")
}

/// No role has quota; whoever wants to give one is refused.
async fn quota(request: Request) -> Response {
    match *request.method() {
        Method::GET => Json(json!({})).into_response(),
        Method::POST | Method::DELETE => answer::forbidden(),
        _ => answer::wrong_method(&["GET", "POST", "DELETE"], request.method()),
    }
}

/// No role has a weight; whoever wants to give one is refused.
async fn weights(request: Request) -> Response {
    match *request.method() {
        Method::GET => Json(json!([])).into_response(),
        Method::PUT => answer::forbidden(),
        _ => answer::wrong_method(&["GET", "PUT"], request.method()),
    }
}

/// Orders that the engine has no means to carry out, as a master whose access lists forbid them.
async fn refused(request: Request) -> Response {
    match *request.method() {
        Method::POST => answer::forbidden(),
        _ => answer::wrong_method(&["POST"], request.method()),
    }
}
