//! Cookies: reading and writing the few that there are.
//!
//! One could get it wrong by letting a cookie set over plain HTTP, or by a
//! neighbour below the same domain, stand in for ours: where cookies are secure
//! the session's carries the `__Host-` prefix, which browsers give to nobody else.

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

/// The session cookie's name.
pub fn session_name(secure: bool) -> &'static str {
    if secure { "__Host-padis_session" } else { "padis_session" }
}

/// The first cookie of this name.
pub fn get<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|c| c.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, v)| v)
}

/// The session cookie: no `Max-Age`, it goes with the browser, and the server ends it anyway.
pub fn session(token: &str, secure: bool) -> HeaderValue {
    value(format!("{}={token}; Path=/; HttpOnly; SameSite=Lax{}", session_name(secure), flag(secure)))
}

/// Takes the session cookie away.
pub fn no_session(secure: bool) -> HeaderValue {
    value(format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{}", session_name(secure), flag(secure)))
}

/// A preference, kept for a year.
pub fn preference(name: &str, word: &str, secure: bool) -> HeaderValue {
    value(format!("{name}={word}; Path=/; Max-Age=31536000; SameSite=Lax{}", flag(secure)))
}

fn flag(secure: bool) -> &'static str {
    if secure { "; Secure" } else { "" }
}

#[expect(clippy::expect_used, reason = "made of our own ASCII words and base64")]
fn value(s: String) -> HeaderValue {
    HeaderValue::from_str(&s).expect("visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_right_one() {
        let mut h = HeaderMap::new();
        h.append(COOKIE, HeaderValue::from_static("a=1; padis_session=xyz=; b=2"));
        assert_eq!(get(&h, "padis_session"), Some("xyz="));
        assert_eq!(get(&h, "session"), None);
        assert_eq!(session("t", true), "__Host-padis_session=t; Path=/; HttpOnly; SameSite=Lax; Secure");
    }
}
