//! The pages with made-up data behind them: the real router, the real server
//! functions, a portal that answers from memory. Used by the render tests and by
//! the preview; nothing of it is part of the product.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::allow_attributes, dead_code)]

pub mod apps;
pub mod archives;
pub mod benches;
pub mod cluster;
pub mod images;
pub mod inside;
pub mod ops;
pub mod overview;
pub mod portal;
pub mod recipes;
pub mod tidying;
pub mod visit;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, header};
use axum::response::IntoResponse;
use axum::routing::any;
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, generate_route_list};
use padis_app::context::{Assets, Lang, Prefs, Theme, Who};
use padis_app::{App, shell};
use padis_domain::caller::Caller;
use padis_domain::portal::Portal;
use padis_domain::words::{PlatformRole, TeamRole};
use portal::FakePortal;
use std::sync::Arc;

/// Now, for everything that is made up: Sunday 22 November 2026, 14:03:34 in Shanghai.
pub const NOW: i64 = 1_795_327_414_000;

/// Who asks in tests: an operator who also leads a team.
pub fn operator() -> Caller {
    Caller {
        account: "lin.wei".into(),
        name: "Lin Wei".into(),
        teams: [("motor".to_owned(), TeamRole::Lead), ("life".to_owned(), TeamRole::Member)].into(),
        platform: Some(PlatformRole::Operator),
        session: "s1".into(),
    }
}
/// A member without any role on the platform.
pub fn member() -> Caller {
    Caller { account: "chen.hao".into(), name: "Chen Hao".into(), platform: None, ..operator() }
}
/// Sees everything, changes nothing.
pub fn auditor() -> Caller {
    Caller { account: "audit".into(), name: "Zhou Yang".into(), platform: Some(PlatformRole::Auditor), ..operator() }
}

#[derive(Clone)]
pub struct World {
    pub options: LeptosOptions,
    pub portal: Arc<FakePortal>,
    pub assets: Assets,
    pub caller: Option<Caller>,
}

impl World {
    pub fn new(caller: Option<Caller>) -> Self {
        Self {
            options: LeptosOptions::builder().output_name("padis").build(),
            portal: Arc::new(FakePortal::new()),
            assets: Assets { css: "/style/main.css".into(), ..Assets::default() },
            caller,
        }
    }
}

impl axum::extract::FromRef<World> for LeptosOptions {
    fn from_ref(w: &World) -> Self {
        w.options.clone()
    }
}

fn cookie<'a>(req: &'a Request<Body>, name: &str) -> Option<&'a str> {
    let all = req.headers().get(header::COOKIE)?.to_str().ok()?;
    all.split(';').find_map(|c| c.trim().strip_prefix(name)?.strip_prefix('='))
}
fn query<'a>(req: &'a Request<Body>, name: &str) -> Option<&'a str> {
    req.uri().query()?.split('&').find_map(|p| p.strip_prefix(name)?.strip_prefix('='))
}

/// Preferences from `?lang=`, `?theme=`, `?tech=` (for pictures) or from the cookies.
fn prefs(req: &Request<Body>) -> Prefs {
    let get = |n: &str| query(req, n).or_else(|| cookie(req, &format!("padis_{n}"))).unwrap_or("");
    Prefs {
        lang: if get("lang") == "zh" { Lang::Zh } else { Lang::En },
        theme: match get("theme") {
            "dark" => Theme::Dark,
            "light" => Theme::Light,
            _ => Theme::Auto,
        },
        tech: get("tech") == "on",
    }
}

fn context(w: &World, req: &Request<Body>) -> impl Fn() + Clone + Send + Sync + 'static + use<> {
    let (prefs, w) = (prefs(req), w.clone());
    let caller = match query(req, "as") {
        Some("member") => Some(member()),
        Some("auditor") => Some(auditor()),
        Some("nobody") => None,
        _ => w.caller.clone(),
    };
    move || {
        provide_context(Who(caller.clone()));
        provide_context(prefs);
        provide_context(w.assets.clone());
        let portal: Arc<dyn Portal> = w.portal.clone();
        provide_context(portal);
    }
}

async fn render(State(w): State<World>, req: Request<Body>) -> impl IntoResponse {
    let provide = context(&w, &req);
    let options = w.options.clone();
    let handler = leptos_axum::render_app_async_with_context(provide, move || shell(options.clone()));
    handler(req).await
}

async fn call(State(w): State<World>, req: Request<Body>) -> impl IntoResponse {
    let provide = context(&w, &req);
    leptos_axum::handle_server_fns_with_context(provide, req).await
}

/// Runs a test on the one runtime of this test binary: the product has one, too.
pub fn run<F: Future>(test: F) -> F::Output {
    static RUNTIME: std::sync::LazyLock<tokio::runtime::Runtime> =
        std::sync::LazyLock::new(|| tokio::runtime::Runtime::new().expect("a runtime"));
    RUNTIME.block_on(test)
}

/// The pages and the server functions. The routes are listed once, as in the
/// product: listing them while another thread renders can leave that render
/// waiting for ever.
pub fn router(world: World) -> Router {
    static ROUTES: std::sync::LazyLock<Vec<leptos_axum::AxumRouteListing>> =
        std::sync::LazyLock::new(|| generate_route_list(App));
    let routes = ROUTES.clone();
    Router::new()
        .route("/api/{*name}", any(call))
        .leptos_routes_with_handler(routes, render)
        .fallback(render)
        .with_state(world)
}

/// Server functions register themselves where they are linked; a test binary links lazily.
pub fn world(caller: Option<Caller>) -> Router {
    router(World::new(caller))
}
