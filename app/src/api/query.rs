//! Query strings: escaping, and taking pairs out and in. One could get it wrong
//! by escaping twice: everything here takes and gives the escaped form except
//! [`escape`]'s argument.

/// Escapes a value for a query or a path segment (RFC 3986 section 2.3: only
/// unreserved characters stay).
pub fn escape(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for b in s.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(b));
        } else {
            out.push('%');
            for nibble in [b >> 4, b & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    out
}

/// The names that a form's way back uses; they never survive a second trip.
pub const BACK: [&str; 7] = ["failed", "problem", "done", "asked", "kept", "__path", "__err"];

/// A local path with its query, without the pairs named `drop`, with `add` behind.
pub fn with(path: &str, drop: &[&str], add: &[(&str, &str)]) -> String {
    let path = path.split('#').next().unwrap_or(path);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let name = |pair: &str| pair.split('=').next().map(str::to_owned).unwrap_or_default();
    let kept = query.split('&').filter(|p| !p.is_empty() && !drop.contains(&name(p).as_str())).map(str::to_owned);
    let added = add.iter().map(|(k, v)| format!("{k}={}", escape(v)));
    let query: Vec<String> = kept.chain(added).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// The local path of an absolute or local address; `None` if it is neither.
pub fn local(address: &str) -> Option<&str> {
    let rest = match address.split_once("://") {
        Some(("http" | "https", rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        Some(_) => return None,
        None => address,
    };
    (rest.starts_with('/') && !rest.starts_with("//") && !rest.contains('\\')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_its_filters_and_loses_old_messages() {
        let at = with("/names?q=a%20b&failed=x&problem=%7B&page=2", &BACK, &[("done", "put pool")]);
        assert_eq!(at, "/names?q=a%20b&page=2&done=put%20pool");
        assert_eq!(with("/names", &BACK, &[]), "/names");
    }

    #[test]
    fn only_local_paths_are_gone_back_to() {
        assert_eq!(local("http://h:3000/pools?a=1"), Some("/pools?a=1"));
        assert_eq!(local("http://h"), Some("/"));
        assert_eq!(local("/x"), Some("/x"));
        assert_eq!(local("//evil/x"), None);
        assert_eq!(local("http://h//evil"), None);
        assert_eq!(local("javascript:x"), None);
    }

    #[test]
    fn escaping_is_utf8() {
        assert_eq!(escape("a/ü"), "a%2F%C3%BC");
    }
}
