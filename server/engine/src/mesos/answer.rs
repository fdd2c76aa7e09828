//! The answers that libprocess gives, to the letter: clients compare texts.
//!
//! One could get it wrong with axum's own: its 404 and 405 have no body, and its 400
//! speaks of "Failed to deserialize query string".

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
/// The most of an answer that is wrapped for `jsonp`.
const WRAPPED: usize = 256 << 20;

/// A status with a text.
pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Response {
    (status, [(header::CONTENT_TYPE, TEXT)], text.into()).into_response()
}

pub(super) fn bad(why: impl Into<String>) -> Response {
    text(StatusCode::BAD_REQUEST, why)
}

pub(super) fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "404 Not Found.")
}

/// What a master says whose access lists forbid it.
pub(super) fn forbidden() -> Response {
    text(StatusCode::FORBIDDEN, "403 Forbidden.")
}

pub(super) fn not_implemented() -> Response {
    text(StatusCode::NOT_IMPLEMENTED, "501 Not Implemented.")
}

/// The state could not be written.
pub(super) fn unavailable(why: impl ToString) -> Response {
    text(StatusCode::SERVICE_UNAVAILABLE, why.to_string())
}

/// Another method than those that the path takes.
pub(super) fn wrong_method(takes: &[&str], got: &Method) -> Response {
    let quoted: Vec<String> = takes.iter().map(|m| format!("'{m}'")).collect();
    let why = format!("405 Method Not Allowed. Expecting one of {{ {} }}, but received '{got}'.", quoted.join(", "));
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, why);
    if let Ok(allow) = HeaderValue::try_from(takes.join(", ")) {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    answer
}

/// Ready-made JSON.
pub(super) fn json(body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// `?jsonp=name` makes a script of any JSON; and who is not known is told so as Mesos does.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let wrap = super::state::parameter(request.uri().query(), "jsonp").filter(|_| request.method() == Method::GET);
    let path = request.uri().path();
    let part = if path.starts_with("/slave(") { "agent" } else { "master" };
    let access = if path.ends_with("/api/v1") || request.method() != Method::GET { "readwrite" } else { "readonly" };
    let realm = format!("Basic realm=\"mesos-{part}-{access}\"");
    let answer = next.run(request).await;
    if answer.status() == StatusCode::UNAUTHORIZED {
        let mut answer = text(StatusCode::UNAUTHORIZED, "401 Unauthorized.");
        if let Ok(realm) = HeaderValue::try_from(realm) {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        }
        return answer;
    }
    let is_json = answer.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == "application/json");
    let Some(name) = wrap.filter(|_| is_json && answer.status() == StatusCode::OK) else { return answer };
    let (_, body) = answer.into_parts();
    match to_bytes(body, WRAPPED).await {
        Ok(bytes) => {
            let script = [name.as_bytes(), b"(", bytes.as_ref(), b")"].concat();
            ([(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript"))], Body::from(script)).into_response()
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}
