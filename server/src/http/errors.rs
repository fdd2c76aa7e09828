//! Answers when something is wrong outside the pages: JSON for programs, a plain
//! page in both languages for people. Never a cause; the incident's id leads the
//! operator to it.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use padis_app::api::Fault;
use padis_app::wire;
use padis_domain::Problem;

/// `{"problem": …}` with the status that fits, and beside it what the browser half reads.
pub fn json(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(serde_json::json!({ "problem": problem }))).into_response();
    if let Ok(text) = HeaderValue::from_str(&wire::text(&Fault::Portal(problem.clone()))) {
        response.headers_mut().insert(wire::FAULT, text);
    }
    if let Problem::TooManyAttempts { retry_after_s } = problem {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*retry_after_s));
    }
    response
}

/// Which plain page.
#[derive(Debug, Clone, Copy)]
pub enum Plain {
    /// Our fault.
    Internal,
    /// The request came from another site.
    ForeignOrigin,
    /// It took too long.
    TooSlow,
}

impl Plain {
    fn status(self) -> StatusCode {
        match self {
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Internal => (
                "Something went wrong inside Padis. Nothing that you see as saved was lost. Try again; if it happens again, tell your operators the number below.",
                "Padis 内部出错。已显示为保存的内容没有丢失。请重试；若再次出现，请将下面的编号告知平台管理员。",
            ),
            Self::ForeignOrigin => (
                "This request did not come from a page of Padis, so it was refused. Open the page again and repeat it there.",
                "该请求并非来自 Padis 的页面，已被拒绝。请重新打开页面后再操作。",
            ),
            Self::TooSlow => (
                "Padis took too long to answer. Try again in a moment; if it happens again, tell your operators the number below.",
                "Padis 响应超时。请稍后重试；若再次出现，请将下面的编号告知平台管理员。",
            ),
        }
    }
}

/// The plain page; `incident` stands on it and in the log.
pub fn page(what: Plain, incident: &str) -> Response {
    let (en, zh) = what.words();
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Padis</title>\
         <meta name=\"viewport\" content=\"width=device-width\"></head><body><main><h1>Padis</h1>\
         <p>{en}</p><p lang=\"zh\">{zh}</p><p><code>{incident}</code></p>\
         <p><a href=\"/\">Overview · <span lang=\"zh\">总览</span></a></p></main></body></html>"
    );
    (what.status(), [(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], body).into_response()
}
