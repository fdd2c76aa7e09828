//! One connection to one server.
//!
//! Errors are of two kinds here: this server is of no use now (another one may be),
//! or no server would answer differently (the service account is not accepted).

use super::config::{LdapConfig, LdapConfigError, wrong};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry, SearchOptions};
use padis_domain::ports::PortError;
use padis_domain::problem::System;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use url::Url;

/// Result codes of RFC 4511 appendix A that are told apart.
mod code {
    pub const SUCCESS: u32 = 0;
    pub const SIZE_LIMIT_EXCEEDED: u32 = 4;
    pub const REFERRAL: u32 = 10;
    pub const NO_SUCH_OBJECT: u32 = 32;
    pub const BUSY: u32 = 51;
    pub const UNAVAILABLE: u32 = 52;
    /// A bind that the server understood and does not grant: locked, expired, no
    /// password in the entry, wrong password, not permitted.
    pub const NOT_GRANTED: [u32; 6] = [19, 32, 48, 49, 50, 53];
}

/// How an attempt on one server failed.
pub(super) enum Failure {
    /// Try the next one.
    Server(PortError),
    /// The others would say the same.
    Final(PortError),
}

pub(super) fn tls(config: &LdapConfig) -> Result<Arc<ClientConfig>, LdapConfigError> {
    let unreadable = |e: rustls::pki_types::pem::Error| match e {
        rustls::pki_types::pem::Error::Io(cause) => {
            LdapConfigError::File { setting: "ca_file", path: config.ca_file.clone(), cause }
        }
        other => wrong("ca_file", format!("{}: {other:?}", config.ca_file.display())),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&config.ca_file).map_err(unreadable)? {
        // One odd certificate among the system's hundred must not stop everything.
        if let Err(error) = roots.add(certificate.map_err(unreadable)?) {
            tracing::debug!(ldap.ca_file = %config.ca_file.display(), %error, "a certificate authority is left out");
        }
    }
    if roots.is_empty() {
        return Err(wrong("ca_file", format!("{} holds no certificate", config.ca_file.display())));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong("ca_file", e.to_string()))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// What failed, with the reason that an operator can act on for certificates.
fn judge(server: &Url, what: &str, error: LdapError) -> Failure {
    if let LdapError::Io { source } = &error
        && let Some(rustls::Error::InvalidCertificate(why)) = source.get_ref().and_then(|e| e.downcast_ref())
    {
        return Failure::Server(PortError::Refused {
            system: System::Directory,
            reason: format!("the certificate of {server} is not trusted ({why:?}); see the setting ca_file"),
            cause: Some(error.into()),
        });
    }
    let what = format!("{what} at {server}");
    match &error {
        LdapError::LdapResult { result } if ![code::BUSY, code::UNAVAILABLE].contains(&result.rc) => {
            Failure::Final(PortError::Refused {
                system: System::Directory,
                reason: format!("the directory does not allow to {what}"),
                cause: Some(error.into()),
            })
        }
        _ => Failure::Server(PortError::transient(System::Directory, what, error)),
    }
}

/// A live connection.
pub(super) struct Session<'a> {
    ldap: Ldap,
    server: &'a Url,
}

impl<'a> Session<'a> {
    /// Connects, encrypted unless the settings permit otherwise.
    pub async fn open(config: &LdapConfig, tls: Arc<ClientConfig>, server: &'a Url) -> Result<Self, Failure> {
        let settings = LdapConnSettings::new().set_config(tls).set_starttls(config.start_tls);
        let (connection, ldap) = LdapConnAsync::from_url_with_settings(settings, server)
            .await
            .map_err(|e| judge(server, "open a connection", e))?;
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(%error, "a connection to the directory ended");
            }
        });
        Ok(Self { ldap, server })
    }

    fn failed(&self, what: &str, error: LdapError) -> Failure {
        judge(self.server, what, error)
    }

    /// Becomes the service account, or nobody.
    pub async fn bind_service(&mut self, dn: &str, password: &str) -> Result<(), Failure> {
        let what = "sign in with the service account";
        let answer = self.ldap.simple_bind(dn, password).await.and_then(LdapResult::success);
        answer.map(drop).map_err(|e| self.failed(what, e))
    }

    /// Becomes the person; false if the server does not grant it. The caller has made
    /// sure that neither is empty (RFC 4513 section 5.1).
    pub async fn bind_person(&mut self, dn: &str, password: &str) -> Result<bool, Failure> {
        let what = "sign a person in";
        let answer = self.ldap.simple_bind(dn, password).await.map_err(|e| self.failed(what, e))?;
        match answer.rc {
            code::SUCCESS => Ok(true),
            rc if code::NOT_GRANTED.contains(&rc) => {
                tracing::debug!(ldap.dn = %dn, ldap.result = rc, "the directory does not grant a sign-in");
                Ok(false)
            }
            _ => Err(self.failed(what, answer.into())),
        }
    }

    /// Entries below `base`; a missing base is none. At most `most` are asked for
    /// (0: no limit), and running into the limit is not an error.
    pub async fn search(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: Vec<&str>,
        most: i32,
    ) -> Result<Vec<SearchEntry>, Failure> {
        let options = SearchOptions::new().sizelimit(most);
        let found = self.ldap.with_search_options(options).search(base, scope, filter, attributes).await;
        let ldap3::SearchResult(entries, answer) = found.map_err(|e| self.failed("search", e))?;
        match answer.rc {
            code::SUCCESS | code::SIZE_LIMIT_EXCEEDED | code::REFERRAL | code::NO_SUCH_OBJECT => {}
            _ => return Err(self.failed("search", answer.into())),
        }
        // Active Directory adds references to other domains; they are not followed.
        let own = entries.into_iter().filter(|e| !e.is_ref() && !e.is_intermediate());
        Ok(own.map(SearchEntry::construct).collect())
    }

    /// Says goodbye; the connection closes without it as well.
    pub async fn close(mut self) {
        drop(self.ldap.unbind().await);
    }
}
