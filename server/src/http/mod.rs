//! HTTP between browser and server.
//!
//! Layers from outside: id, timing, headers and panics · origin · session and
//! gate · compression · limits · routes. One could get it wrong by mounting a
//! route behind a layer that it needs: all routes are merged first and every
//! layer lies around all of them.

mod archives;
mod assets;
mod benches;
pub mod cookies;
mod errors;
mod events;
mod guard;
mod headers;
mod hooks;
pub mod local;
mod logs;
mod materials;
mod multipart;
mod pages;
mod prefs;
mod recipes;
mod serve;
mod signin;
mod uploads;

pub use serve::serve;

use crate::auth::Auth;
use crate::changes::Changes;
use crate::config::Config;
use crate::images::Registries;
use crate::packages::Packages;
use axum::routing::{get, post};
use axum::{Router, middleware};
use padis_app::context::Assets;
use padis_domain::portal::Portal;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

/// The largest form or server function call in bytes. The largest legal one is
/// 100 environment variables of 8 KiB, three times as large when escaped.
const MAX_FORM: usize = 4 << 20;
/// A body that brings nothing for this long is given up.
const BODY_SILENCE: Duration = Duration::from_secs(60);

/// What the routes need.
#[derive(Clone)]
pub struct Web(Arc<Parts>);

/// The parts of [`Web`].
pub struct Parts {
    /// Sign-in and sessions.
    pub auth: Arc<Auth>,
    /// The portal.
    pub portal: Arc<dyn Portal>,
    /// Uploads.
    pub packages: Arc<Packages>,
    /// Registries, which tell when something of theirs has changed.
    pub registries: Arc<Registries>,
    /// What changes.
    pub changes: Changes,
    /// Names of the browser half.
    pub assets: Assets,
    /// The browser half's folder.
    pub site: PathBuf,
    /// Whether cookies carry `Secure`.
    pub secure: bool,
    /// The address people type, behind a proxy.
    pub public_url: Option<url::Url>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Cancelled when the portal stops: streams end.
    pub stop: CancellationToken,
}

impl std::ops::Deref for Web {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Web {
    /// From the settings and the parts that stand already.
    pub fn new(
        config: &Config,
        auth: Arc<Auth>,
        portal: Arc<dyn Portal>,
        packages: Arc<Packages>,
        registries: Arc<Registries>,
        changes: Changes,
        stop: CancellationToken,
    ) -> Self {
        Self(Arc::new(Parts {
            auth,
            portal,
            packages,
            registries,
            changes,
            assets: assets::read(&config.site),
            site: config.site.clone(),
            secure: config.cookies_secure(),
            public_url: config.public_url.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
            stop,
        }))
    }

    /// Whether people reach the portal by HTTPS.
    fn https(&self) -> bool {
        self.public_url.as_ref().is_some_and(|u| u.scheme() == "https")
    }
}

/// All routes with all layers.
pub fn router(web: Web) -> Router {
    let forms = Router::new()
        .route("/auth/sign-in", post(signin::sign_in))
        .route("/auth/sign-out", post(signin::sign_out))
        .route("/prefs", post(prefs::set))
        .route("/health", get(|| async { "ok\n" }))
        .route("/logs/{team}/{app}/{task}/{file}", get(logs::download))
        .route("/benches/{id}/terminal", get(benches::page))
        .route("/benches/{id}/socket", get(benches::socket))
        .route("/benches/{id}/records/{number}", get(benches::record))
        .route("/images-sbom/{registry}/{*version}", get(materials::download))
        .route("/events/stream", get(events::stream));
    let pages = pages::mount(forms, &web).layer(RequestBodyLimitLayer::new(MAX_FORM));
    // Small answers are not worth it; wasm and friends are compressed beforehand.
    let worth_it = DefaultPredicate::new().and(NotForContentType::const_new("application/wasm"));
    let compressed = pages.layer(CompressionLayer::new().compress_when(worth_it));
    compressed
        .merge(uploads::routes())
        .merge(archives::routes())
        .merge(recipes::routes())
        .merge(assets::routes(&web.site))
        .layer(RequestBodyTimeoutLayer::new(BODY_SILENCE))
        .layer(middleware::from_fn_with_state(web.clone(), guard::session))
        .layer(middleware::from_fn_with_state(web.clone(), guard::origin))
        .merge(hooks::routes())
        .layer(middleware::from_fn_with_state(web.clone(), headers::layer))
        .with_state(web)
}

#[cfg(test)]
mod tests;
