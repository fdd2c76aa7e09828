//! The map from addresses to pages, and the application itself.

use crate::live;
use crate::pages::{self, application};
use crate::shell::{Frame, NotFound, me};
use leptos::prelude::*;
use leptos_router::any_nested_route::IntoAnyNestedRoute;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

/// The application: rendered by the server, taken over by the browser.
#[component]
pub fn App() -> impl IntoView {
    #[cfg(feature = "ssr")]
    leptos_meta::provide_meta_context();
    me::provide();
    live::provide();
    view! {
        <Router>
            <Routes fallback=|| view! { <main id="main"><NotFound/></main> }>
                <Route path=path!("/sign-in") view=page(pages::SignIn) ssr=SsrMode::Async/>
                <ParentRoute path=path!("") view=page(Frame) ssr=SsrMode::Async>
                    <Platform/>
                    <Team/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// A page as a route wants it. All are of one type, so that routes of the same form
/// are too; what the router compiles for each further type weighs 0.7 kB.
fn page(view: fn() -> AnyView) -> fn() -> AnyView {
    view
}

/// Pages about applications.
#[component(transparent)]
fn Team() -> impl leptos_router::MatchNestedRoutes + Clone {
    view! {
        <ParentRoute path=path!("") view=leptos_router::components::Outlet>
            <Route path=path!("/") view=page(pages::Overview)/>
            <Route path=path!("/search") view=page(pages::Search)/>
            <Route path=path!("/account") view=page(pages::Account)/>
            <Route path=path!("/kit") view=page(pages::Kit)/>
            <Route path=path!("/applications") view=page(pages::Applications)/>
            <Route path=path!("/applications/new") view=page(pages::NewApplication)/>
            <Route path=path!("/applications/:team/:app/release") view=page(pages::Release)/>
            <ParentRoute path=path!("/applications/:team/:app") view=page(application::AppFrame)>
                <Route path=path!("") view=page(application::Now)/>
                <Route path=path!("/instances") view=page(application::Instances)/>
                <Route path=path!("/releases") view=page(application::Releases)/>
                <Route path=path!("/logs") view=page(application::Logs)/>
                <Route path=path!("/events") view=page(application::Events)/>
                <Route path=path!("/settings") view=page(application::Settings)/>
            </ParentRoute>
            <Route path=path!("/*any") view=page(NotFound)/>
        </ParentRoute>
    }
    .into_inner()
    .into_any_nested_route()
}

/// Pages about the platform: pools, network, activity, administration.
#[component(transparent)]
fn Platform() -> impl leptos_router::MatchNestedRoutes + Clone {
    view! {
        <ParentRoute path=path!("") view=leptos_router::components::Outlet>
            <Route path=path!("/pools") view=page(pages::Pools)/>
            <Route path=path!("/pools/new") view=page(pages::PoolNew)/>
            <Route path=path!("/pools/:pool") view=page(pages::Pool)/>
            <Route path=path!("/pools/:pool/edit") view=page(pages::PoolEdit)/>
            <Route path=path!("/cluster") view=page(pages::Cluster)/>
            <Route path=path!("/middleware/*any") view=page(pages::Middleware)/>
            <Route path=path!("/images/*any") view=page(pages::Images)/>
            <Route path=path!("/packages") view=page(pages::Packages)/>
            <Route path=path!("/packages/:sha256") view=page(pages::Package)/>
            <Route path=path!("/names") view=page(pages::Names)/>
            <Route path=path!("/balancers") view=page(pages::Balancers)/>
            <Route path=path!("/activity") view=page(pages::Journal)/>
            <Route path=path!("/activity/work") view=page(pages::Work)/>
            <Route path=path!("/activity/centre") view=page(pages::Centre)/>
            <Route path=path!("/admin") view=page(pages::Teams)/>
            <Route path=path!("/admin/teams") view=page(pages::Teams)/>
            <Route path=path!("/admin/people") view=page(pages::People)/>
            <Route path=path!("/admin/sessions") view=page(pages::Sessions)/>
            <Route path=path!("/admin/systems") view=page(pages::Systems)/>
            <Route path=path!("/addresses") view=page(pages::Addresses)/>
            <Route path=path!("/addresses/:pool") view=page(pages::AddressMap)/>
        </ParentRoute>
    }
    .into_inner()
    .into_any_nested_route()
}
