//! Who may call: HTTP basic authentication, if credentials are set.
//!
//! The answer to a stranger is Marathon's. One could get it wrong by comparing byte
//! by byte until the first difference: how long that takes tells how much was right,
//! so both sides are hashed first and all bytes compared.

use crate::config::Credentials;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

/// Keys that nobody outside knows, new in each process.
static KEYS: LazyLock<(RandomState, RandomState)> = LazyLock::new(Default::default);

fn same(a: &[u8], b: &[u8]) -> bool {
    // The comparison of two keyed hashes tells nothing about the bytes.
    KEYS.0.hash_one(a) == KEYS.0.hash_one(b) && KEYS.1.hash_one(a) == KEYS.1.hash_one(b)
}

/// Lets through who knows the credentials, or everybody if there are none.
pub(crate) async fn check(State(wanted): State<Option<Arc<Credentials>>>, request: Request, next: Next) -> Response {
    let Some(wanted) = wanted else { return next.run(request).await };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let given = given.and_then(|v| v.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let given = given.and_then(|(_, text)| STANDARD.decode(text.trim()).ok()).unwrap_or_default();
    if same(&given, format!("{}:{}", wanted.user, wanted.password).as_bytes()) {
        return next.run(request).await;
    }
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"Mesosphere\"")]).into_response()
}
