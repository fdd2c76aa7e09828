//! Where to send a browser next. Only paths of this portal: one could get it
//! wrong by accepting `//evil.example`, `/\evil.example` or a line break.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderValue, LOCATION};

/// The text, if it is a path of this portal.
pub fn path(s: &str) -> Option<&str> {
    let fine = s.starts_with('/')
        && !s.starts_with("//")
        && s.len() <= 2048
        && s.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'\\');
    fine.then_some(s)
}

/// The path with names and values added to its query.
pub fn with(path: &str, pairs: &[(&str, &str)]) -> String {
    let (path, fragment) = path.split_once('#').map_or((path, None), |(p, f)| (p, Some(f)));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (k, v) in pairs {
        query.append_pair(k, v);
    }
    let sep = if path.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
    format!("{path}{sep}{}{fragment}", query.finish())
}

/// 303: see there, by GET.
pub fn see(to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(v) => (StatusCode::SEE_OTHER, [(LOCATION, v)]).into_response(),
        Err(_) => (StatusCode::SEE_OTHER, [(LOCATION, HeaderValue::from_static("/"))]).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_portal() {
        for good in ["/", "/applications?q=a&b=%20", "/a#b"] {
            assert_eq!(path(good), Some(good));
        }
        for bad in ["", "//evil", "/\\evil", "https://evil", "evil", "/a\r\nSet-Cookie: x", "/\u{e9}", "javascript:x"] {
            assert_eq!(path(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn adds_to_the_query() {
        assert_eq!(with("/a?b=1#c", &[("problem", "{\"x\":1}")]), "/a?b=1&problem=%7B%22x%22%3A1%7D#c");
    }
}
