//! Who we are to the masters, and which masters are believed.
//!
//! Mesos' HTTP API asks for HTTP basic, and the principal must be the one that the
//! framework names. One could get it wrong by following a redirect from TLS to plain
//! text, for the secret goes with every call; or by saying "did not answer" of a master
//! that answered and was not believed, or whose refusal is about a setting of ours.

use super::CallFailed;
use crate::config::{EngineError, MesosConfig};
use reqwest::{Certificate, RequestBuilder};
use rustls::CertificateError;
use std::path::Path;
use std::time::Duration;

/// A client for the masters: no deadline of the whole, because a subscription never ends.
pub(super) fn client(config: &MesosConfig) -> Result<reqwest::Client, EngineError> {
    // An error only says that the program has installed one already.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let mut client = reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none());
    if let Some(ca) = &config.ca {
        client = client.tls_certs_only(authorities(ca)?);
    }
    client.build().map_err(EngineError::Client)
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, EngineError> {
    let wrong = |why: String| {
        let file = file.display();
        EngineError::Config(format!("{file}, the authorities that may sign the Mesos masters' certificates, {why}"))
    };
    let pem = std::fs::read(file).map_err(|e| wrong(format!("can't be read: {e}")))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(wrong(String::from("holds no certificate in PEM form"))),
    }
}

/// Says who we are.
pub(super) fn authenticated(request: RequestBuilder, config: &MesosConfig) -> RequestBuilder {
    match (&config.principal, &config.secret) {
        (Some(principal), Some(secret)) => request.basic_auth(principal, Some(secret)),
        _ => request,
    }
}

/// What a status other than success means, in words that name what is to be corrected.
pub(super) fn refused(config: &MesosConfig, status: u16, text: &str) -> CallFailed {
    let said: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    let said = if said.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {said}") };
    CallFailed::Refused(match (status, &config.principal, &config.secret) {
        (401, Some(principal), Some(_)) => format!(
            "the master does not accept the principal {principal:?} with the secret that is configured: one of them is \
             wrong here, or missing in the master's credentials ({said})"
        ),
        (401, ..) => format!("the master asks who we are: set a principal and its secret ({said})"),
        (403, principal, _) => {
            let who = principal.as_deref().unwrap_or("nobody");
            format!("the master knows the principal {who:?} and does not permit this to it ({said})")
        }
        _ => format!("the master refused with {said}"),
    })
}

/// Why a call came to nothing. The address, which may hold a password, is left out.
pub(super) fn failed(error: reqwest::Error) -> CallFailed {
    match distrust(&error) {
        Some(why) => CallFailed::NotBelieved(why),
        None => CallFailed::Http(error.without_url()),
    }
}

/// Why the other side's certificate is not accepted; `None` if that is not what is wrong.
fn distrust(error: &reqwest::Error) -> Option<String> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(e) = next {
        if let Some(tls) = e.downcast_ref::<rustls::Error>() {
            let why = match tls {
                rustls::Error::InvalidCertificate(why) => why,
                rustls::Error::InvalidMessage(_) => return Some(format!("what answers there speaks no TLS ({tls})")),
                _ => return None,
            };
            let words = match why {
                CertificateError::UnknownIssuer => {
                    "is signed by an authority that is not trusted here: set the file of the right one"
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    "is for another name than the address that is asked"
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    "is not valid yet: one of the clocks is wrong"
                }
                _ => "is not accepted",
            };
            return Some(format!("its certificate {words} ({tls})"));
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

/// Where a standby sends us: `//10.0.0.2:5050/api/v1/scheduler` → `http://10.0.0.2:5050`,
/// by TLS if it was asked by TLS; from there to plain text: nowhere.
pub(super) fn leader(asked: &str, place: &str) -> Option<String> {
    let own = asked.split_once("://").map_or("http", |(scheme, _)| scheme);
    let (scheme, rest) = match place.split_once("//") {
        Some(("", rest)) => (own, rest),
        Some((scheme, rest)) => (scheme.trim_end_matches(':'), rest),
        None => return None,
    };
    let host = rest.split('/').next().filter(|h| !h.is_empty())?;
    (scheme == "https" || own == "http" && scheme == "http").then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_names_the_leader() {
        let plain = |place| leader("http://m0:5050", place);
        assert_eq!(plain("//10.0.0.2:5050/api/v1/scheduler").as_deref(), Some("http://10.0.0.2:5050"));
        assert_eq!(plain("https://m1:5050/api/v1/scheduler").as_deref(), Some("https://m1:5050"));
        assert_eq!(plain("/here"), None);
        let tls = |place| leader("https://m0:5050", place);
        assert_eq!(tls("//10.0.0.2:5050/api/v1/scheduler").as_deref(), Some("https://10.0.0.2:5050"));
        assert_eq!(tls("http://10.0.0.2:5050/api/v1/scheduler"), None, "the secret would go there in plain text");
    }

    #[test]
    fn a_refusal_says_what_is_to_be_corrected_and_never_the_secret() {
        let mut config = MesosConfig::at(Vec::new());
        let words = |config: &MesosConfig, status| refused(config, status, "<p>no\n entry</p>").to_string();
        assert!(words(&config, 401).contains("set a principal and its secret (HTTP 401: <p>no entry</p>)"));
        (config.principal, config.secret) = (Some("padis".into()), Some("s3cret".into()));
        assert!(words(&config, 401).contains("does not accept the principal \"padis\""));
        assert!(words(&config, 403).contains("does not permit this"));
        assert!(words(&config, 400).contains("refused with HTTP 400: <p>no entry</p>"));
        assert!(![400, 401, 403].iter().any(|s| words(&config, *s).contains("s3cret")));
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
