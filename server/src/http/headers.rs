//! What every answer carries: a request id, its duration, the security headers,
//! a log line; and what becomes of a panic.
//!
//! One could get it wrong by logging the query: it may hold what somebody typed.
//! Only the path is logged.

use super::Web;
use super::errors::{self, Plain};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::FutureExt;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use tracing::Instrument;

/// A page or server function has this long; uploads, downloads and streams have deadlines of their own.
const DEADLINE: Duration = Duration::from_secs(30);

/// The policy; `nonce` for pages that carry inline hydration scripts.
pub fn policy(nonce: Option<&str>) -> String {
    let nonce = nonce.map(|n| format!(" 'nonce-{n}'")).unwrap_or_default();
    format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'{nonce}; style-src 'self'; img-src 'self' data:; \
         connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    )
}

/// The same where a script makes style elements, which carry the nonce.
pub fn policy_with_styles(nonce: &str) -> String {
    policy(Some(nonce)).replace("style-src 'self'", &format!("style-src 'self' 'nonce-{nonce}'"))
}

fn endless(path: &str) -> bool {
    path.starts_with("/uploads")
        || path.starts_with("/events/")
        || path.starts_with("/logs/")
        || path.starts_with("/benches/")
        || path.starts_with("/recipes/")
}

/// The outermost layer.
pub async fn layer(State(web): State<Web>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = crate::store::new_incident();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", request.id = %id, http.method = %method, http.path = %path);
    let limit = if endless(&path) { None } else { Some(DEADLINE) };
    let answered = AssertUnwindSafe(within(limit, next.run(request))).catch_unwind().instrument(span.clone()).await;
    let _in = span.enter();
    let mut response = match answered {
        Ok(Some(response)) => response,
        Ok(None) => {
            tracing::error!(incident = %id, "a request took longer than {} s and was given up", DEADLINE.as_secs());
            errors::page(Plain::TooSlow, &id)
        }
        Err(panic) => {
            let what = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            tracing::error!(incident = %id, panic = %what, "a request panicked");
            errors::page(Plain::Internal, &id)
        }
    };
    let took = began.elapsed();
    let ms = took.as_secs_f64() * 1000.0;
    let status = response.status();
    if status.is_server_error() {
        tracing::warn!(http.status = status.as_u16(), took_ms = ms, "answered with an error");
    } else {
        tracing::debug!(http.status = status.as_u16(), took_ms = ms, "answered");
    }
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &str| {
        if let (false, Ok(v)) = (headers.contains_key(&name), HeaderValue::from_str(value)) {
            headers.insert(name, v);
        }
    };
    default(CONTENT_SECURITY_POLICY, &policy(None));
    default(X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(X_FRAME_OPTIONS, "DENY");
    default(REFERRER_POLICY, "same-origin");
    default(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    default(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    default(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    if web.https() {
        default(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    default(CACHE_CONTROL, "no-store");
    default(HeaderName::from_static("x-request-id"), &id);
    default(HeaderName::from_static("server-timing"), &format!("app;dur={ms:.3}"));
    response
}

async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(d) => tokio::time::timeout(d, work).await.ok(),
        None => Some(work.await),
    }
}
