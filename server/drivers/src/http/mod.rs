//! The one HTTP client that the drivers share the making of.
//!
//! Why: every call needs a deadline, no call may follow the machine's proxy
//! settings to somewhere else, and an error must say whether the request can have
//! had an effect. One could get it wrong by calling a connect error "unknown" (it
//! never reached anybody) or a time-out after sending "failed" (it may have).

mod endpoints;

pub use endpoints::{Answer, Auth, Endpoints, Request};
pub(crate) use endpoints::{authorities, next_hop};

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
    if let Some(why) = distrust(&error) {
        // The handshake comes first: nothing was sent, or nobody has read it.
        return PortError::transient(system, format!("{what}: {why}"), error.without_url());
    }
    // A URL may carry a name and password; the text of the error must not.
    let error = error.without_url();
    if writes && !error.is_connect() && !error.is_builder() {
        PortError::unknown(system, what, error)
    } else {
        PortError::transient(system, what, error)
    }
}

/// An error with everything behind it, in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut next = error.source();
    while let Some(e) = next {
        out.push_str(": ");
        out.push_str(&e.to_string());
        next = e.source();
    }
    out
}

/// Why the other side's certificate is not accepted, or ours is not by it, in plain words; `None`
/// if that is not what is wrong.
pub fn distrust(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    use rustls::{AlertDescription as Alert, CertificateError, Error};
    let tls = tls_error(error)?;
    let why = match tls {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is signed by an authority that Padis does not trust (set the file of the right one)"
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another name than the address that is configured",
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired"
        }
        Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            "its certificate is not valid yet: one of the clocks is wrong"
        }
        Error::InvalidCertificate(_) => "its certificate is not accepted",
        Error::AlertReceived(Alert::CertificateRequired) => "it wants a certificate, and Padis shows it none",
        // Older servers (Go before 1.21) and TLS 1.2 say the first of these of none, too.
        Error::AlertReceived(
            Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::CertificateUnknown
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::AccessDenied,
        ) => "it does not accept the certificate that Padis shows, or wants one",
        Error::InvalidMessage(_) => "what answers there does not speak TLS",
        _ => return None,
    };
    Some(format!("{why} ({tls})"))
}

/// What TLS itself says, if that is what is wrong.
pub(crate) fn tls_error<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(e) = next {
        if let Some(tls) = e.downcast_ref() {
            return Some(tls);
        }
        // What an I/O error wraps is not its source: that is already the source of what it wraps.
        let wrapped = e.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        next = match wrapped {
            Some(inner) => Some(inner),
            None => e.source(),
        };
    }
    None
}

/// A short piece of an answer's body for a message: one line, at most 300 characters.
pub fn excerpt(body: &str) -> String {
    body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{AlertDescription as Alert, Error};
    use std::io;

    #[test]
    fn who_is_not_let_in_reads_why_however_deep_it_is_wrapped() {
        let wrapped = |error: Error| io::Error::other(io::Error::new(io::ErrorKind::InvalidData, error));
        let said = |alert| distrust(&wrapped(Error::AlertReceived(alert))).unwrap_or_default();
        assert!(said(Alert::CertificateRequired).starts_with("it wants a certificate, and Padis shows it none ("));
        assert!(said(Alert::UnknownCA).starts_with("it does not accept the certificate that Padis shows"));
        assert_eq!(said(Alert::InternalError), "", "that says nothing of certificates");
        assert_eq!(distrust(&io::Error::from(io::ErrorKind::ConnectionReset)), None);
    }
}
