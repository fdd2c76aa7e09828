//! The browser half: hashed names from `manifest.json`, files from `pkg/`,
//! compressed beforehand, cached for ever.
//!
//! One could get it wrong by caching an answer of 404 for ever; only what was
//! found is immutable. Without a manifest the pages work as plain HTML.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use padis_app::context::{Assets, Half, TerminalHalf};
use serde::Deserialize;
use std::path::Path;
use tower_http::services::ServeDir;

/// The mark, for the browser's tab.
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><rect width=\"16\" height=\"16\" rx=\"3\" fill=\"#0b5cad\"/><path d=\"M5 12.5v-9h3.4a2.8 2.8 0 0 1 0 5.6H5\" fill=\"none\" stroke=\"#fff\" stroke-width=\"1.8\"/></svg>";

/// Reads `manifest.json` of the site's folder.
pub fn read(site: &Path) -> Assets {
    let file = site.join("manifest.json");
    let text = match std::fs::read_to_string(&file) {
        Ok(t) => t,
        Err(e) => {
            tracing::warn!(path = %file.display(), cause = %e, "the browser half is missing: pages work as plain HTML (`make web` builds it)");
            return Assets::default();
        }
    };
    match serde_json::from_str::<Manifest>(&text) {
        Ok(m) => Assets { css: path(&m.css), zh: m.zh.half(), en: m.en.half(), terminal: m.terminal.half() },
        Err(e) => {
            tracing::error!(path = %file.display(), cause = %e, "the browser half's manifest is not readable");
            Assets::default()
        }
    }
}

/// What `.ci/pack.mjs` writes: names of files in `pkg/`, the browser half's by language.
#[derive(Deserialize)]
struct Manifest {
    css: String,
    zh: Names,
    en: Names,
    terminal: TerminalNames,
}

#[derive(Deserialize)]
struct TerminalNames {
    js: String,
    css: String,
}

impl TerminalNames {
    fn half(&self) -> TerminalHalf {
        TerminalHalf { js: path(&self.js), css: path(&self.css) }
    }
}

#[derive(Deserialize)]
struct Names {
    js: String,
    wasm: String,
}

impl Names {
    fn half(&self) -> Half {
        Half { js: path(&self.js), wasm: path(&self.wasm) }
    }
}

fn path(name: &str) -> String {
    format!("/pkg/{name}")
}

/// `/pkg/*` and the icon.
pub fn routes<S: Clone + Send + Sync + 'static>(site: &Path) -> Router<S> {
    let files = ServeDir::new(site.join("pkg")).precompressed_br().precompressed_gzip();
    Router::new()
        .nest_service("/pkg", files)
        .layer(middleware::from_fn(forever))
        .route("/favicon.ico", axum::routing::get(|| async { ([(CONTENT_TYPE, "image/svg+xml")], ICON) }))
}

async fn forever(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_success() || response.status() == http::StatusCode::NOT_MODIFIED {
        let immutable = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(CACHE_CONTROL, immutable);
    }
    response.into_response()
}
