//! The pages: Leptos' routes and server functions with what they find in context.

use super::Web;
use super::headers::policy;
use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use http::request::Parts;
use http::{Request, StatusCode};
use leptos::config::LeptosOptions;
use leptos::context::{provide_context, use_context};
use leptos::nonce::use_nonce;
use leptos_axum::{AxumRouteListing, LeptosRoutes, ResponseOptions};
use padis_app::context::{Mark, Prefs, Who};
use std::sync::OnceLock;

impl FromRef<Web> for LeptosOptions {
    fn from_ref(_: &Web) -> Self {
        options()
    }
}

/// The pages' routes, which are every portal's. While Leptos looks for them it loads nothing for
/// any page of the process (`IS_SUPPRESSING_RESOURCE_LOAD` in leptos_server): a second portal
/// that looked for them anew would let a page of the first one wait for ever.
static ROUTES: OnceLock<Vec<AxumRouteListing>> = OnceLock::new();

fn options() -> LeptosOptions {
    LeptosOptions::builder().output_name("padis").build()
}

/// What every render and every server function finds in context.
fn context(web: Web) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        let parts = use_context::<Parts>();
        let of = parts.as_ref().map(|p| &p.extensions);
        provide_context(of.and_then(|e| e.get::<Who>()).cloned().unwrap_or_default());
        provide_context(of.and_then(|e| e.get::<Prefs>()).copied().unwrap_or_default());
        provide_context(web.assets.clone());
        // Before anything is read: what changes from now on, the page has to be told.
        provide_context(Mark(web.changes.mark()));
        provide_context(web.portal.clone());
        if let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>())
            && let Ok(policy) = HeaderValue::from_str(&policy(Some(&nonce.to_string())))
        {
            response.insert_header(CONTENT_SECURITY_POLICY, policy);
        }
    }
}

/// Adds the pages and server functions, and the page for everything that is not there.
pub fn mount(router: Router<Web>, web: &Web) -> Router<Web> {
    let context = context(web.clone());
    let routes = ROUTES.get_or_init(|| {
        leptos_axum::generate_route_list_with_exclusions_and_ssg_and_context(padis_app::App, None, context.clone()).0
    });
    router.leptos_routes_with_context(web, routes.clone(), context, || padis_app::shell(options())).fallback(absent)
}

/// Not found, as a page with navigation.
async fn absent(State(web): State<Web>, request: Request<Body>) -> Response {
    if request.method() != http::Method::GET || request.uri().path().starts_with("/api/") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let render = leptos_axum::render_app_async_with_context(context(web), || padis_app::shell(options()));
    let mut response = render(request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
