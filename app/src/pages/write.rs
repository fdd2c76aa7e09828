//! What the server writes for [`super::written::Part`].

pub use super::activity::write_centre as centre;
pub use super::admin::write_systems as systems;
pub use super::balancers::write as balancers;
pub use super::cluster::write as cluster;
pub use super::images::write as images;
pub use super::middleware::{write as middleware, write_notice as stack_notice};
pub use super::names::write as names;

use super::fault_notice;
use crate::api::Fault;
use crate::ui::{Shape, UrlState, notice};
use leptos::prelude::*;
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

/// One part of an address.
pub fn unescape(s: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = s.bytes();
    while let Some(b) = bytes.next() {
        let hex = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match b {
            b'%' => {
                let rest = bytes.clone();
                if let (Some(high), Some(low)) = (hex(bytes.next()), hex(bytes.next())) {
                    out.push((high * 16 + low) as u8);
                } else {
                    out.push(b'%');
                    bytes = rest;
                }
            }
            b'+' => out.push(b' '),
            b => out.push(b),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The path and the query's pairs of an address, as they are after decoding.
pub fn parts_of(at: &str) -> (Vec<String>, Vec<(String, String)>) {
    let (path, query) = at.split_once('?').unwrap_or((at, ""));
    let pairs = query.trim_start_matches('?').split('&').filter_map(|p| p.split_once('='));
    let pairs = pairs.map(|(k, v)| (unescape(k), unescape(v))).collect();
    (path.split('/').filter(|p| !p.is_empty()).map(unescape).collect(), pairs)
}

/// What a form that brought us here said: one of these words for its endpoint, or its fault.
pub fn said(query: &[(String, String)], done: &[(&str, &'static str)]) -> Option<AnyView> {
    let get = |key: &str| query.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.as_str());
    let endpoint = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    if let Some((_, words)) = done.iter().find(|(path, _)| endpoint(path) == get("done")) {
        return Some(notice(Shape::Ok, *words, "", ().into_any()));
    }
    crate::wire::value::<Fault>(get("problem")).map(|fault| fault_notice(&fault))
}
