//! The one HTTP client that the drivers share the making of.
//!
//! Why: every call needs a deadline, no call may follow the machine's proxy
//! settings to somewhere else, and an error must say whether the request can have
//! had an effect. One could get it wrong by calling a connect error "unknown" (it
//! never reached anybody) or a time-out after sending "failed" (it may have).

mod endpoints;

pub use endpoints::{Answer, Auth, Endpoints, Request};

use padis_domain::ports::PortError;
use padis_domain::problem::System;
use std::sync::Once;
use std::time::Duration;

static PROVIDER: Once = Once::new();

/// The longest wait for a TCP connection and its TLS handshake.
pub const CONNECT: Duration = Duration::from_secs(3);

/// A client builder: our user agent, a connect time-out, no proxies, no redirects.
pub fn builder() -> reqwest::ClientBuilder {
    PROVIDER.call_once(|| {
        // An error only says that the program has installed one already.
        let _already = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .user_agent("padis")
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
}

/// Sorts a failed exchange into "did not happen" and "may have happened".
/// `writes` says whether the request would have changed something.
pub fn failed(system: System, what: &str, writes: bool, error: reqwest::Error) -> PortError {
    // A URL may carry a name and password; the text of the error must not.
    let error = error.without_url();
    if writes && !error.is_connect() && !error.is_builder() {
        PortError::unknown(system, what, error)
    } else {
        PortError::transient(system, what, error)
    }
}

/// A short piece of an answer's body for a message: one line, at most 300 characters.
pub fn excerpt(body: &str) -> String {
    body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}
