//! The map from addresses to pages, and the application itself.

use crate::live;
use crate::pages::{self, application};
use crate::shell::{Frame, NotFound, me};
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::any_nested_route::IntoAnyNestedRoute;
use leptos_router::components::{ParentRoute, Route, Router, Routes};
use leptos_router::{SsrMode, path};

/// The application: rendered by the server, taken over by the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    me::provide();
    live::provide();
    view! {
        <Router>
            <Routes fallback=|| view! { <main id="main"><NotFound/></main> }>
                <Route path=path!("/sign-in") view=pages::SignIn ssr=SsrMode::Async/>
                <ParentRoute path=path!("") view=Frame ssr=SsrMode::Async>
                    <Platform/>
                    <Team/>
                </ParentRoute>
            </Routes>
        </Router>
    }
}

/// Pages about applications.
#[component(transparent)]
fn Team() -> impl leptos_router::MatchNestedRoutes + Clone {
    view! {
        <ParentRoute path=path!("") view=leptos_router::components::Outlet>
            <Route path=path!("/") view=pages::Overview/>
            <Route path=path!("/search") view=pages::Search/>
            <Route path=path!("/account") view=pages::Account/>
            <Route path=path!("/kit") view=pages::Kit/>
            <Route path=path!("/applications") view=pages::Applications/>
            <Route path=path!("/applications/new") view=pages::NewApplication/>
            <Route path=path!("/applications/:team/:app/release") view=pages::Release/>
            <ParentRoute path=path!("/applications/:team/:app") view=application::AppFrame>
                <Route path=path!("") view=application::Now/>
                <Route path=path!("/instances") view=application::Instances/>
                <Route path=path!("/releases") view=application::Releases/>
                <Route path=path!("/logs") view=application::Logs/>
                <Route path=path!("/events") view=application::Events/>
                <Route path=path!("/settings") view=application::Settings/>
            </ParentRoute>
            <Route path=path!("/*any") view=NotFound/>
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
            <Route path=path!("/pools") view=pages::Pools/>
            <Route path=path!("/pools/new") view=pages::PoolNew/>
            <Route path=path!("/pools/:pool") view=pages::Pool/>
            <Route path=path!("/pools/:pool/edit") view=pages::PoolEdit/>
            <Route path=path!("/middleware") view=pages::Middleware/>
            <Route path=path!("/packages") view=pages::Packages/>
            <Route path=path!("/packages/:sha256") view=pages::Package/>
            <Route path=path!("/names") view=pages::Names/>
            <Route path=path!("/balancers") view=pages::Balancers/>
            <Route path=path!("/activity") view=pages::Journal/>
            <Route path=path!("/activity/work") view=pages::Work/>
            <Route path=path!("/admin") view=pages::Teams/>
            <Route path=path!("/admin/teams") view=pages::Teams/>
            <Route path=path!("/admin/people") view=pages::People/>
            <Route path=path!("/admin/sessions") view=pages::Sessions/>
            <Route path=path!("/admin/systems") view=pages::Systems/>
            <Route path=path!("/addresses") view=pages::Addresses/>
            <Route path=path!("/addresses/:pool") view=pages::AddressMap/>
        </ParentRoute>
    }
    .into_inner()
    .into_any_nested_route()
}
