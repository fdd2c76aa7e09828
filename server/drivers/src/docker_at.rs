//! Where a Docker Engine is, and by what it and Padis know each other.
//!
//! Whoever reaches an engine's port owns its host. So an engine elsewhere is reached over TLS,
//! and lets in who shows a certificate. What one could get wrong:
//!
//! * To fall back to plain HTTP. An address that is TLS stays TLS: both clients of an engine
//!   (`docker_engine`'s, and the workbenches' own) are made of the one `Way`.
//! * To say what a file holds that can't be read as PEM: it may be a key. A parser's error
//!   quotes lines, so it goes nowhere.

use padis_domain::ports::{Cause, PortError, PortResult};
use padis_domain::problem::System;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A Docker Engine's address, and the files by which it and Padis know each other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DockerAt {
    url: String,
    tls: Option<Files>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Files {
    ca: Option<PathBuf>,
    own: Option<(PathBuf, PathBuf)>,
}

/// An engine's address with what the files held.
pub(crate) struct Way {
    /// `unix:///…`, `http://host:port` or `https://host:port`.
    pub(crate) url: String,
    /// With `https://`, and only then.
    pub(crate) tls: Option<ClientConfig>,
    /// Whether Padis shows a certificate.
    pub(crate) shows: bool,
}

const CERTIFICATE: &str = "certificate in PEM form";

fn refused(reason: String, cause: Option<Cause>) -> PortError {
    PortError::Refused { system: System::Docker, reason, cause }
}

impl DockerAt {
    /// `unix:///var/run/docker.sock`, `tcp://10.0.0.5:2375`: without TLS, unless it is `https://…`.
    pub fn new(url: impl Into<String>) -> Self {
        Self::known_by(url, None, None)
    }

    /// With PEM files: `ca` of the authorities that may sign the engine's certificate (else those
    /// that the machine trusts), and `own`, the certificate and the key that Padis shows. With
    /// either, the connection is TLS, as it is with `https://…`. The files are read when
    /// something is made of this.
    pub fn known_by(url: impl Into<String>, ca: Option<PathBuf>, own: Option<(PathBuf, PathBuf)>) -> Self {
        let url = url.into();
        let tls = ca.is_some() || own.is_some() || url.starts_with("https://");
        Self { url, tls: tls.then_some(Files { ca, own }) }
    }

    /// Reads the files; what can't be an address or can't be read is `Refused`.
    pub(crate) fn way(&self) -> PortResult<Way> {
        let (scheme, rest) = self.url.split_once("://").unwrap_or_default();
        let rest = if scheme == "unix" { rest } else { rest.trim_end_matches('/') };
        let (scheme, tls) = match (scheme, &self.tls) {
            _ if rest.is_empty() => ("", None),
            ("unix", None) => ("unix", None),
            ("tcp" | "http", None) => ("http", None),
            ("tcp" | "https", Some(files)) => ("https", Some(files.read()?)),
            _ => ("", None),
        };
        if scheme.is_empty() {
            let why = "is no Docker endpoint: unix:///…, tcp://… or https://… is needed, and TLS has no socket";
            return Err(refused(format!("{:?} {why}", self.url), None));
        }
        let shows = self.tls.as_ref().is_some_and(|files| files.own.is_some());
        Ok(Way { url: format!("{scheme}://{rest}"), tls, shows })
    }
}

impl Files {
    fn read(&self) -> PortResult<ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let begun = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let failed = |e: rustls::Error| refused("TLS to a Docker Engine can't be set up".to_owned(), Some(e.into()));
        let begun = begun.map_err(failed)?;
        let begun = match &self.ca {
            Some(ca) => begun.with_root_certificates(authorities(ca)?),
            None => begun.with_platform_verifier().map_err(failed)?,
        };
        let Some((cert, key)) = &self.own else { return Ok(begun.with_no_client_auth()) };
        let (chain, secret) = (certificates(cert)?, private_key(key)?);
        begun.with_client_auth_cert(chain, secret).map_err(|e| {
            let (cert, key) = (cert.display(), key.display());
            refused(format!("the certificate in {cert} can't be used with the key in {key}"), Some(e.into()))
        })
    }
}

fn read(file: &Path) -> PortResult<Vec<u8>> {
    std::fs::read(file).map_err(|e| refused(format!("the file {} can't be read", file.display()), Some(e.into())))
}

/// The error says what of the file can't be read; here is said only that it can't.
fn no_pem(file: &Path, what: &str, error: &PemError) -> PortError {
    let why = match error {
        PemError::NoItemsFound => format!("holds no {what}"),
        _ => "is not in PEM form".to_owned(),
    };
    refused(format!("the file {} {why}", file.display()), None)
}

fn certificates(file: &Path) -> PortResult<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(&read(file)?).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(no_pem(file, CERTIFICATE, &PemError::NoItemsFound)),
        Err(error) => Err(no_pem(file, CERTIFICATE, &error)),
    }
}

fn authorities(file: &Path) -> PortResult<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|e| {
            refused(format!("the file {} holds a certificate that is none", file.display()), Some(e.into()))
        })?;
    }
    Ok(roots)
}

fn private_key(file: &Path) -> PortResult<PrivateKeyDer<'static>> {
    let found = PrivateKeyDer::from_pem_slice(&read(file)?);
    found.map_err(|error| no_pem(file, "private key in PEM form (an encrypted one can't be used)", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(at: &DockerAt) -> String {
        match at.way() {
            Ok(way) => format!("{} {}", way.url, way.tls.is_some()),
            Err(error) => error.chain(),
        }
    }

    #[test]
    fn what_is_tls_stays_tls_and_what_is_no_endpoint_is_refused() {
        assert_eq!(said(&DockerAt::new("unix:///run/docker.sock")), "unix:///run/docker.sock false");
        assert_eq!(said(&DockerAt::new("tcp://10.0.0.5:2375/")), "http://10.0.0.5:2375 false");
        assert_eq!(said(&DockerAt::new("https://a:2376")), "https://a:2376 true");
        for wrong in ["ftp://a", "unix://", "tcp:///", "docker.sock", ""] {
            assert!(said(&DockerAt::new(wrong)).contains("is no Docker endpoint"), "{wrong}");
        }
        let none = PathBuf::from("/never/ca.pem");
        for wrong in ["unix:///run/docker.sock", "http://a:2376"] {
            let said = said(&DockerAt::known_by(wrong, Some(none.clone()), None));
            assert!(said.contains("is no Docker endpoint"), "{said}");
        }
    }

    #[test]
    fn a_file_is_named_and_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let word = "hunter2";
        let told = |ca: PathBuf| {
            let said = said(&DockerAt::known_by("tcp://a:2376", Some(ca.clone()), None));
            assert!(said.contains(&ca.display().to_string()) && !said.contains(word), "{said}");
            said
        };
        let missing = told(folder.path().join("missing.pem"));
        assert!(missing.contains("can't be read: No such file"), "{missing}");
        assert!(told(file("text", word)).contains("holds no certificate in PEM form"));
        assert!(told(file("begun", &format!("-----BEGIN {word}\n"))).contains("is not in PEM form"));
        let pem = |what: &str, body: &str| format!("-----BEGIN {what}-----\n{body}\n-----END {what}-----\n");
        assert!(told(file("odd", &pem("CERTIFICATE", &format!("{word}!")))).contains("is not in PEM form"));
        assert!(told(file("short", &pem("CERTIFICATE", "aHVudGVyMg=="))).contains("a certificate that is none"));
        assert!(told(file("key", &pem("PRIVATE KEY", "aHVudGVyMg=="))).contains("holds no certificate"));
        let (cert, key) =
            (file("c", &pem("CERTIFICATE", "aHVudGVyMg==")), file("k", &pem("PRIVATE KEY", "aHVudGVyMg==")));
        let pair = said(&DockerAt::known_by("https://a:2376", None, Some((cert.clone(), key))));
        assert!(pair.contains("can't be used with the key in") && !pair.contains(word), "{pair}");
        let sealed = file("sealed", &pem("ENCRYPTED PRIVATE KEY", "aHVudGVyMg=="));
        let sealed = said(&DockerAt::known_by("https://a:2376", None, Some((cert, sealed))));
        assert!(sealed.contains("an encrypted one can't be used"), "{sealed}");
    }
}
