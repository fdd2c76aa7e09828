//! The Mesos operator API, version 0, on its own listener.
use crate::core::Core;
use axum::Router;
use axum::routing::get;
use std::sync::Arc;

pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new().route("/health", get(async || ())).route("/master/health", get(async || ())).with_state(core)
}
