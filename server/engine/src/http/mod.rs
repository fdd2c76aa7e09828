//! Marathon's v2 REST API.
//!
//! Paths hold app ids with slashes in them, so routing is done by hand below
//! `/v2/apps/`. Two things protect a machine whose owner browses the web: bodies
//! must be JSON by their type, and a request from a page of another origin is
//! refused, because the API itself knows no passwords.

mod apps;
mod error;
mod events;
mod groups;
mod misc;
mod queue;
mod tasks;
pub(crate) mod view;

use crate::core::Core;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use error::ApiError;
use serde_json::Value;
use std::sync::Arc;

/// Largest body; a definition with thousands of labels is far below it.
const MAX_BODY: usize = 8 * 1024 * 1024;

pub(crate) type Shared = axum::extract::State<Arc<Core>>;
/// Query parameters in their order, repeated ones included.
pub(crate) type Query = axum::extract::Query<Vec<(String, String)>>;
pub(crate) type Answer = Result<Response, ApiError>;

/// The router.
pub(crate) fn router(core: Arc<Core>) -> Router {
    let credentials = core.config.credentials.clone().map(Arc::new);
    Router::new()
        .route("/ping", get(misc::ping))
        .route("/v2/info", get(misc::info))
        .route("/v2/leader", get(misc::leader))
        .route("/v2/apps", get(apps::list).post(apps::create).put(apps::put_many).patch(apps::patch_many))
        .route("/v2/apps/", get(apps::list).post(apps::create).put(apps::put_many).patch(apps::patch_many))
        .route(
            "/v2/apps/{*rest}",
            get(apps::get).put(apps::put).patch(apps::patch).delete(apps::delete).post(apps::post),
        )
        .route("/v2/tasks", get(tasks::list))
        .route("/v2/tasks/", get(tasks::list))
        .route("/v2/tasks/delete", post(tasks::delete_many))
        .route("/v2/deployments", get(misc::deployments))
        .route("/v2/deployments/", get(misc::deployments))
        .route("/v2/deployments/{id}", delete(misc::cancel_deployment))
        .route("/v2/queue", get(queue::list))
        .route("/v2/queue/", get(queue::list))
        .route("/v2/queue/{*rest}", delete(queue::reset_delay))
        .route("/v2/groups", get(groups::get).post(groups::create).put(groups::put).delete(groups::delete))
        .route("/v2/groups/", get(groups::get).post(groups::create).put(groups::put).delete(groups::delete))
        .route("/v2/groups/{*rest}", get(groups::get).post(groups::create).put(groups::put).delete(groups::delete))
        .route("/v2/events", get(events::stream))
        .route("/metrics", get(misc::metrics))
        .route("/padis/runtime", get(misc::runtime))
        .fallback(error::unknown_path)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn(same_origin))
        .layer(from_fn_with_state(credentials, crate::access::check))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(core)
}

/// Refuses what a page of another origin sends with somebody's browser.
async fn same_origin(request: Request, next: Next) -> Response {
    if is_foreign(request.headers()) {
        return ApiError::new(403, "Requests from another origin are refused").into_response();
    }
    next.run(request).await
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    text(header::ORIGIN).is_some_and(|origin| {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        text(header::HOST) != Some(host)
    })
}

/// The body as JSON.
pub(crate) fn json(headers: &HeaderMap, body: &Bytes) -> Result<Value, ApiError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("application/json");
    let bare = kind.split(';').next().unwrap_or_default().trim();
    if !(bare.eq_ignore_ascii_case("application/json") || bare.ends_with("+json")) {
        return Err(ApiError::new(415, "Unsupported Media Type"));
    }
    serde_json::from_slice(body).map_err(|error| ApiError::new(400, format!("Invalid JSON: {error}")))
}

/// Whether a query parameter is given as true; `True` is, as in Java.
pub(crate) fn flag(query: &Query, name: &str, default: bool) -> bool {
    query
        .0
        .iter()
        .rev()
        .find(|(key, _)| key == name)
        .map_or(default, |(_, value)| value.eq_ignore_ascii_case("true") || value.is_empty())
}

/// The last value of a query parameter.
pub(crate) fn param<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    query.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// All values of a query parameter.
pub(crate) fn params<'a>(query: &'a Query, name: &str) -> Vec<&'a str> {
    query.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
}
