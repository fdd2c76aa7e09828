//! What the server writes for [`super::written::Part`].

pub use super::activity::write_centre as centre;
pub use super::admin::write_systems as systems;
pub use super::balancers::write as balancers;
pub use super::cluster::write as cluster;
pub use super::images::write as images;
pub use super::names::write as names;

use crate::ui::UrlState;
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
