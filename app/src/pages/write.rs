//! What the server writes for [`super::written::Part`].

pub use super::activity::{write_centre as centre, write_journal as journal};
pub use super::admin::write_systems as systems;
pub use super::balancers::write as balancers;
pub use super::cluster::write as cluster;
pub use super::images::write as images;
pub use super::middleware::{write as middleware, write_notice as stack_notice};
pub use super::names::write as names;

use super::{fault_notice, field_error};
use crate::api::form::Form;
use crate::api::{Outcome, Said, outcome, read_kept};
use crate::text::Texts;
use crate::ui::{Erase, Shape, UrlState, notice};
use leptos::prelude::*;
use leptos_router::location::{RequestUrl, Url};
use leptos_router::params::ParamsMap;
use padis_domain::view::ListQuery;

/// The address of a list's page, for the links in it.
pub fn address(path: &str, q: &ListQuery) -> UrlState {
    let page = if q.page > 1 { q.page.to_string() } else { String::new() };
    let desc = if q.desc { "true" } else { "" };
    let stage = q.stage.map(|s| s.as_str()).unwrap_or_default();
    let pairs = [
        ("q", q.q.as_str()),
        ("stage", stage),
        ("team", &q.team),
        ("state", &q.state),
        ("sort", &q.sort),
        ("desc", desc),
        ("page", &page),
    ];
    UrlState::new(path, pairs.map(|(k, v)| (k.to_owned(), v.to_owned())))
}

/// Where a written page is, and what the form that led there said.
pub struct Here {
    /// The parts of the path, decoded.
    pub parts: Vec<String>,
    path: String,
    query: ParamsMap,
}

impl Here {
    /// From a path with its query, as the browser has it.
    pub fn of(at: &str) -> Self {
        // What is no address names nothing.
        let Ok(url) = RequestUrl::new(at).parse() else {
            return Self { parts: Vec::new(), path: String::new(), query: ParamsMap::new() };
        };
        let parts = url.path().split('/').filter(|p| !p.is_empty()).map(Url::unescape).collect();
        Self { parts, path: url.path().to_owned(), query: url.search_params().clone() }
    }

    /// The page's own address without a query, for a form that comes back here.
    pub fn back(&self) -> String {
        self.path.clone()
    }

    /// A parameter of the query; empty if it is not there.
    pub fn get(&self, name: &str) -> String {
        self.query.get(name).unwrap_or_default()
    }

    /// What became of the form that is posted to `path`.
    pub fn outcome(&self, path: &str) -> Outcome {
        outcome(endpoint(path), |name| self.query.get(name))
    }

    /// The form that came back from `path`, as it was sent.
    pub async fn kept<F: Form>(&self, path: &'static str) -> Said<Option<F>> {
        match self.outcome(path) {
            Outcome::Failed(_) => read_kept(endpoint(path)).await,
            _ => Ok(None),
        }
    }

    /// What is wrong with a field of the form that is posted to `path`.
    pub fn error(&self, t: &'static Texts, path: &str, field: &str) -> Signal<Option<String>> {
        let said = match self.outcome(path) {
            Outcome::Failed(fault) => field_error(t, Some(&fault), field),
            _ => None,
        };
        Signal::stored(said)
    }

    /// What is said above the page of forms that are posted to these paths: that it is done,
    /// in these words, or what belongs to none of `fields`.
    pub fn notice(&self, done: &[(&str, &'static str)], fields: &[&str]) -> AnyView {
        let said = done.iter().find_map(|(path, words)| match self.outcome(path) {
            Outcome::None => None,
            Outcome::Done => Some(notice(Shape::Ok, *words, "", ().into_any())),
            Outcome::Failed(fault) => match fault.beside(fields) {
                Some(rest) => Some(fault_notice(&rest)),
                // All of it stands beside the fields, and is announced here.
                None => Some(fault_notice(&fault)),
            },
        });
        view! { <div class="said" aria-live="polite">{said}</div> }.erase()
    }
}

fn endpoint(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
