//! The state of a list lives in the URL: filters, sorting and page are links and
//! GET forms, so a list can be sent to a colleague and works without scripts.

use super::Erase;
use super::{Icon, icon};
use leptos::prelude::*;
use std::fmt::Write as _;

/// Path and query of the present page, to make links that change a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UrlState {
    /// Path.
    pub path: String,
    /// Query in the order in which it stands.
    pub query: Vec<(String, String)>,
}

impl UrlState {
    /// From path and query pairs; empty values are dropped.
    pub fn new(path: impl Into<String>, query: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { path: path.into(), query: query.into_iter().filter(|(_, v)| !v.is_empty()).collect() }
    }
    /// The value of a parameter, empty if absent.
    pub fn get(&self, key: &str) -> &str {
        self.query.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v.as_str())
    }
    /// The URL with some parameters changed; an empty value takes one away.
    pub fn with(&self, changes: &[(&str, &str)]) -> String {
        let mut out = self.path.clone();
        let kept = self.query.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let kept = kept.filter(|(k, _)| !changes.iter().any(|(c, _)| c == k));
        let mut sep = '?';
        for (k, v) in kept.chain(changes.iter().copied()).filter(|(_, v)| !v.is_empty()) {
            out.push(sep);
            encode(k, &mut out);
            out.push('=');
            encode(v, &mut out);
            sep = '&';
        }
        out
    }
    /// Hidden inputs that keep what a GET form does not itself hold.
    pub fn hidden(&self, except: &[&str]) -> AnyView {
        self.query
            .iter()
            .filter(|(k, _)| !except.contains(&k.as_str()))
            .map(|(k, v)| view! { <input type="hidden" name=k.clone() value=v.clone()/> }.erase())
            .collect_view()
            .into_any()
    }
}

/// Percent-encodes for a query (RFC 3986 section 2.3: the unreserved stay).
pub(crate) fn encode(s: &str, out: &mut String) {
    for b in s.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(b as char),
            _ => {
                let _ = write!(out, "%{b:02X}");
            }
        }
    }
}

/// A table head that sorts: a link that turns the order around when it is the
/// present one. `numeric` columns stand right and begin with the largest.
pub fn sort_head(
    url: &UrlState,
    key: &'static str,
    label: impl Into<String>,
    numeric: bool,
    class: &'static str,
) -> AnyView {
    let label: String = label.into();
    let (present, desc) = (url.get("sort") == key, url.get("desc") == "true");
    let to_desc = if present { !desc } else { numeric };
    let href = url.with(&[("sort", key), ("desc", if to_desc { "true" } else { "" }), ("page", "")]);
    let (order, glyph) = match (present, desc) {
        (true, false) => (Some("ascending"), Icon::Asc),
        (true, true) => (Some("descending"), Icon::Desc),
        _ => (None, Icon::Sort),
    };
    let class = if numeric { format!("num {class}") } else { class.to_owned() };
    view! {
        <th scope="col" class=class aria-sort=order>
            <a href=href>
                <span>{label}</span>
                {icon(glyph)}
            </a>
        </th>
    }
    .erase()
}

/// The words of a pager.
#[derive(Debug, Clone)]
pub struct PagerWords {
    /// "11–13 of 42".
    pub range: String,
    /// Label of the group.
    pub pages: String,
    /// "Previous page".
    pub previous: String,
    /// "Next page".
    pub next: String,
    /// "Page {n}".
    pub page: fn(u32) -> String,
}

/// Links to the pages of a list; only the range if there is one page.
pub fn pager(url: &UrlState, page: u32, per_page: u32, total: u64, words: PagerWords) -> AnyView {
    let last = total.div_ceil(u64::from(per_page.max(1))).max(1) as u32;
    let page = page.clamp(1, last);
    let to = |n: u32| url.with(&[("page", if n <= 1 { String::new() } else { n.to_string() }.as_str())]);
    let mut shown: Vec<u32> = [1, page.saturating_sub(1), page, page + 1, last].into();
    shown.retain(|n| (1..=last).contains(n));
    shown.dedup();
    shown.sort_unstable();
    shown.dedup();
    let step = |n: Option<u32>, label: String, glyph: Icon| {
        n.map(|n| view! { <a class="btn s icon" href=to(n) aria-label=label>{icon(glyph)}</a> }.erase())
    };
    let numbers = shown
        .into_iter()
        .map(|n| {
            view! {
                <a class="btn s" href=to(n) aria-label=(words.page)(n) aria-current=(n == page).then_some("page")>
                    {n}
                </a>
            }
            .erase()
        })
        .collect_view();
    let links = (last > 1).then(|| {
        view! {
            <nav class="row tight" aria-label=words.pages>
                {step((page > 1).then(|| page - 1), words.previous, Icon::Left)}
                {numbers}
                {step((page < last).then(|| page + 1), words.next, Icon::Right)}
            </nav>
        }
        .erase()
    });
    view! {
        <div class="pager">
            <span>{words.range}</span>
            {links}
        </div>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_parameter_replaces_and_an_empty_one_goes() {
        let u = UrlState::new("/a", [("q".to_owned(), "x y".to_owned()), ("page".to_owned(), "3".to_owned())]);
        assert_eq!(u.with(&[("page", "")]), "/a?q=x%20y");
        assert_eq!(u.with(&[("q", "车"), ("sort", "name")]), "/a?page=3&q=%E8%BD%A6&sort=name");
        assert_eq!(UrlState::new("/a", []).with(&[]), "/a");
    }
}
