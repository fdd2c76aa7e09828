#![allow(clippy::unwrap_used, clippy::expect_used, clippy::allow_attributes)]
//! Serves the pages with made-up data: `cargo run -p padis-app --features ssr
//! --example preview -- [PORT] [SITE]`. `SITE` is a folder with the browser half
//! (`boot.js`, `padis.js`, `padis_bg.wasm`); without it the pages are plain HTML.

#[path = "../tests/support/mod.rs"]
mod support;

use axum::body::{Body, to_bytes};
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
use padis_app::context::Half;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::World;
use tokio_stream::StreamExt;

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let port = args.next().and_then(|p| p.parse().ok()).unwrap_or(3999_u16);
    let site = args.next();
    let mut world = World::new(Some(support::operator()));
    if site.is_some() {
        let half = Half { js: "/pkg/boot.js".into(), wasm: "/pkg/padis_bg.wasm".into() };
        (world.assets.zh, world.assets.en) = (half.clone(), half);
    }
    let style = concat!(env!("CARGO_MANIFEST_DIR"), "/../style").to_owned();
    let folders = Router::new()
        .route("/style/{*path}", get(file))
        .with_state(style)
        .merge(Router::new().route("/pkg/{*path}", get(file)).with_state(site.unwrap_or_default()));
    let uploads = Router::new()
        .route("/uploads", post(begin))
        .route("/uploads/{id}", axum::routing::patch(patch).head(offset).delete(cancel))
        .with_state(Uploads::default());
    let app = folders
        .merge(uploads)
        .route("/prefs", post(prefs))
        .route("/auth/sign-out", post(|| async { Redirect::to("/sign-in?signed_out=1") }))
        .route("/auth/sign-in", post(|| async { Redirect::to("/sign-in?problem=sign_in_failed") }))
        .route("/events/stream", get(stream))
        .merge(support::router(world));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    serve(listener, app).await.unwrap();
}

async fn file(State(root): State<String>, Path(path): Path<String>) -> Response {
    let kind = match path.rsplit('.').next() {
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    if path.contains("..") {
        return StatusCode::NOT_FOUND.into_response();
    }
    match tokio::fs::read(format!("{root}/{path}")).await {
        Ok(b) => ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], b).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn prefs(Form(f): Form<HashMap<String, String>>) -> Response {
    let mut r = Redirect::to(f.get("back").map_or("/", String::as_str)).into_response();
    for k in ["lang", "theme", "tech"] {
        if let Some(v) = f.get(k) {
            let c = format!("padis_{k}={v}; Path=/; SameSite=Lax");
            r.headers_mut().append(header::SET_COOKIE, c.parse().unwrap());
        }
    }
    r
}

async fn stream() -> Sse<impl tokio_stream::Stream<Item = Result<Event, Infallible>>> {
    let ticks = tokio_stream::wrappers::IntervalStream::new(tokio::time::interval(Duration::from_secs(5)));
    let events = ticks
        .map(|_| Ok(Event::default().event("change").data(r#"{"topic":"app:motor/claims-portal","revision":17}"#)));
    Sse::new(events).keep_alive(KeepAlive::default())
}

#[derive(Clone, Default)]
struct Uploads(Arc<Mutex<HashMap<String, (u64, u64)>>>);

async fn begin(State(u): State<Uploads>, headers: HeaderMap) -> Response {
    let length = headers.get("upload-length").and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(0);
    let mut all = u.0.lock().unwrap();
    let id = format!("u{}", all.len());
    all.insert(id.clone(), (0, length));
    (StatusCode::CREATED, [(header::LOCATION, format!("/uploads/{id}"))]).into_response()
}
async fn offset(State(u): State<Uploads>, Path(id): Path<String>) -> Response {
    let at = u.0.lock().unwrap().get(&id).copied();
    at.map_or(StatusCode::NOT_FOUND.into_response(), |(at, _)| {
        ([("upload-offset", at.to_string())], "").into_response()
    })
}
async fn patch(State(u): State<Uploads>, Path(id): Path<String>, req: Request<Body>) -> Response {
    let body = to_bytes(req.into_body(), usize::MAX).await.unwrap_or_default();
    let mut all = u.0.lock().unwrap();
    let Some(e) = all.get_mut(&id) else { return StatusCode::NOT_FOUND.into_response() };
    e.0 += body.len() as u64;
    if e.0 < e.1 {
        return (StatusCode::NO_CONTENT, [("upload-offset", e.0.to_string())]).into_response();
    }
    let p = format!(r#"{{"package":{}}}"#, serde_json::to_string(&support::apps::site()).unwrap());
    ([(header::CONTENT_TYPE, "application/json")], p).into_response()
}
async fn cancel() -> StatusCode {
    StatusCode::NO_CONTENT
}
