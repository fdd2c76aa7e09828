//! Who may come in: the same-origin rule, the session, the gate.
//!
//! Every server function checks its caller again; this layer is the first of two
//! guards and answers before anything is rendered. One could get it wrong by
//! listing what is protected: here everything is, except what [`open`] names.

use super::errors::{self, Plain};
use super::{Web, cookies, local, prefs};
use crate::auth::Peer;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{ACCEPT, HOST, HeaderMap, HeaderName, ORIGIN, USER_AGENT};
use http::{Extensions, Method};
use padis_app::context::Who;
use padis_domain::Problem;
use std::net::{IpAddr, SocketAddr};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What strangers may ask for.
fn open(path: &str) -> bool {
    matches!(path, "/sign-in" | "/auth/sign-in" | "/auth/sign-out" | "/prefs" | "/health" | "/favicon.ico" | "/api/me")
        || path.starts_with("/pkg/")
}

/// What is asked for by programs rather than by a person's browser window.
fn for_programs(path: &str) -> bool {
    ["/api/", "/uploads", "/events/"].iter().any(|p| path.starts_with(p))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// Whether the request comes from a page of this portal. Browsers say it
/// themselves (`Sec-Fetch-Site`); older ones and tools name their origin.
pub(super) fn same_origin(headers: &HeaderMap, public: Option<&url::Url>) -> bool {
    if let Some(site) = text(headers, SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let Some(origin) = text(headers, ORIGIN) else { return false };
    if public.is_some_and(|u| u.origin().ascii_serialization() == origin) {
        return true;
    }
    let host = text(headers, HOST).unwrap_or_default();
    !host.is_empty() && origin.split_once("://").is_some_and(|(_, h)| h.eq_ignore_ascii_case(host))
}

/// Refuses every change that a foreign page could have sent.
pub async fn origin(State(web): State<Web>, request: Request, next: Next) -> Response {
    let harmless = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if harmless || same_origin(request.headers(), web.public_url.as_ref()) {
        return next.run(request).await;
    }
    tracing::warn!("refused: not sent by a page of this portal");
    if for_programs(request.uri().path()) && !wants_html(request.headers()) {
        return errors::json(&Problem::NotAllowed { needs: "same-origin".into() });
    }
    errors::page(Plain::ForeignOrigin, &crate::store::new_incident())
}

/// Finds out who asks and how he reads, and lets strangers no further than the door.
pub async fn session(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let preferences = prefs::read(request.headers());
    let token = cookies::get(request.headers(), cookies::session_name(web.secure));
    let who = match token {
        None => None,
        Some(t) => match web.auth.caller(t).await {
            Ok(who) => who,
            Err(e) => {
                let incident = crate::store::incident(&e);
                if for_programs(request.uri().path()) {
                    return errors::json(&incident);
                }
                let id = if let Problem::Internal { incident } = incident { incident } else { String::new() };
                return errors::page(Plain::Internal, &id);
            }
        },
    };
    let path = request.uri().path();
    if who.is_none() && !open(path) {
        // A form of a page whose session has ended leads to the door as well.
        if for_programs(path) && !(path.starts_with("/api/") && wants_html(request.headers())) {
            return errors::json(&Problem::NotSignedIn);
        }
        let is_page = *request.method() == Method::GET && !for_programs(path);
        let next = request.uri().path_and_query().map(|p| p.as_str()).filter(|p| is_page && *p != "/");
        let next = next.and_then(local::path);
        return local::see(&next.map_or("/sign-in".to_owned(), |n| local::with("/sign-in", &[("next", n)])));
    }
    let peer = peer(request.headers(), request.extensions(), &web.trusted_proxies);
    let extensions = request.extensions_mut();
    extensions.insert(Who(who));
    extensions.insert(preferences);
    extensions.insert(peer);
    next.run(request).await
}

/// A form that the browser itself sends.
fn wants_html(headers: &HeaderMap) -> bool {
    text(headers, ACCEPT).is_some_and(|a| a.contains("text/html"))
}

/// Where the request comes from. `X-Forwarded-For` is believed from the right as
/// long as its entries are trusted proxies themselves.
fn peer(headers: &HeaderMap, extensions: &Extensions, trusted: &[IpAddr]) -> Peer {
    let direct = extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip().to_canonical());
    let mut address = direct;
    if direct.is_some_and(|d| trusted.contains(&d)) {
        let forwarded: Vec<&str> =
            headers.get_all(FORWARDED_FOR).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).collect();
        for hop in forwarded.iter().rev() {
            let Ok(ip) = hop.trim().parse::<IpAddr>() else { break };
            address = Some(ip.to_canonical());
            if !trusted.contains(&ip) {
                break;
            }
        }
    }
    Peer {
        address: address.map_or_else(|| "unknown".to_owned(), |a| a.to_string()),
        agent: text(headers, USER_AGENT).unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), http::HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        let public: url::Url = "https://padis.bank".parse().expect("url");
        let ok = |h: &[(&'static str, &'static str)]| same_origin(&headers(h), Some(&public));
        assert!(ok(&[("sec-fetch-site", "same-origin")]));
        assert!(!ok(&[("sec-fetch-site", "same-site"), ("origin", "https://padis.bank")]));
        assert!(!ok(&[("sec-fetch-site", "cross-site"), ("host", "a"), ("origin", "http://a")]));
        assert!(ok(&[("origin", "https://padis.bank"), ("host", "10.0.0.1:3000")]));
        assert!(ok(&[("origin", "http://127.0.0.1:3000"), ("host", "127.0.0.1:3000")]));
        assert!(!ok(&[("origin", "http://evil"), ("host", "127.0.0.1:3000")]));
        assert!(!ok(&[("origin", "null"), ("host", "127.0.0.1:3000")]));
        assert!(!ok(&[("host", "127.0.0.1:3000")]));
    }

    #[test]
    fn a_forwarded_address_is_believed_from_proxies_only() {
        let h = headers(&[("x-forwarded-for", "6.6.6.6, 10.1.1.1, 10.0.0.2")]);
        let from = |ip: &str| {
            let mut e = Extensions::new();
            e.insert(ConnectInfo(SocketAddr::new(ip.parse().expect("ip"), 1)));
            e
        };
        let trusted = ["10.0.0.1".parse().expect("ip"), "10.0.0.2".parse().expect("ip")];
        assert_eq!(peer(&h, &from("10.0.0.1"), &trusted).address, "10.1.1.1");
        assert_eq!(peer(&h, &from("10.0.0.9"), &trusted).address, "10.0.0.9");
        assert_eq!(peer(&headers(&[]), &from("::ffff:10.0.0.1"), &trusted).address, "10.0.0.1");
    }
}
