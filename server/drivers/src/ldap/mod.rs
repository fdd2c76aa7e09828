//! The directory: LDAP or Active Directory.
//!
//! Search, then bind: the service account finds the one entry of the account that
//! was typed, and the password is judged by the directory itself.
//!
//! What one could get wrong:
//! * *An empty password.* A simple bind with one is anonymous and succeeds (RFC 4513
//!   section 5.1.2), so it never leaves this module.
//! * *A typed account as a piece of filter.* It is escaped; exactly one hit counts.
//! * *A directory that is down makes every sign-in wait.* Each server has one
//!   deadline for the whole conversation, and one that failed is tried last for a while.
//! * *Telling "unknown" from "wrong password".* Both are `Ok(None)`.

mod config;
mod groups;
mod session;

pub use config::{GroupSource, LdapConfig, LdapConfigError};

use async_trait::async_trait;
use ldap3::{Scope, SearchEntry, ldap_escape};
use padis_domain::ports::{Directory, DirectoryPerson, PortError, PortResult};
use padis_domain::problem::System;
use rustls::ClientConfig;
use session::{Failure, Session};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// Longer than any account.
const LONGEST_ACCOUNT: usize = 256;

struct Server {
    url: Url,
    /// Until when it is tried last.
    down_until: Mutex<Option<Instant>>,
}

/// A client of the directory. It holds no connection between two calls: sign-ins are
/// rare, and an idle connection is what firewalls forget.
pub struct LdapDirectory {
    config: LdapConfig,
    password: String,
    tls: Arc<ClientConfig>,
    servers: Vec<Server>,
}

/// What one server is asked to do.
type Job<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

impl LdapDirectory {
    /// Checks the settings and reads the files that they name. Contacts nobody: the
    /// portal starts while the directory is down.
    pub fn new(config: LdapConfig) -> Result<Self, LdapConfigError> {
        config.check_filters()?;
        let servers = config.urls()?.into_iter().map(|url| Server { url, down_until: Mutex::new(None) }).collect();
        Ok(Self { password: config.password()?, tls: session::tls(&config)?, servers, config })
    }

    /// The servers that are up, then the others: when all are down, all are tried.
    fn order(&self) -> Vec<&Server> {
        let now = Instant::now();
        let down = |s: &&Server| s.down_until.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|t| t > now);
        let (last, mut first): (Vec<_>, Vec<_>) = self.servers.iter().partition(down);
        first.extend(last);
        first
    }

    fn mark(&self, server: &Server, down: bool) {
        let until = down.then(|| Instant::now() + Duration::from_secs(self.config.retry_after_s));
        let before = std::mem::replace(&mut *server.down_until.lock().unwrap_or_else(PoisonError::into_inner), until);
        if down && before.is_none() {
            tracing::warn!(ldap.server = %server.url, "a directory server does not serve and is tried last for a while");
        }
    }

    /// Asks server after server until one gives an answer.
    async fn ask<'a, T>(&'a self, what: &str, job: impl Fn(&'a Url) -> Job<'a, T>) -> PortResult<T> {
        let mut last = None;
        for server in self.order() {
            let within = Duration::from_millis(self.config.timeout_ms);
            let error = match tokio::time::timeout(within, job(&server.url)).await {
                Ok(Ok(answer)) => {
                    self.mark(server, false);
                    return Ok(answer);
                }
                Ok(Err(Failure::Final(error))) => return Err(error),
                Ok(Err(Failure::Server(error))) => error,
                Err(elapsed) => PortError::transient(System::Directory, format!("{what} at {}", server.url), elapsed),
            };
            self.mark(server, true);
            tracing::debug!(ldap.server = %server.url, error = %error.chain(), "a directory server gave no answer");
            // A certificate that is not trusted is worth more than "does not answer".
            if last.is_none() || matches!(error, PortError::Refused { .. }) {
                last = Some(error);
            }
        }
        Err(last.unwrap_or_else(|| PortError::refused(System::Directory, "no directory server is configured")))
    }

    async fn sign_in_at(
        &self,
        server: &Url,
        account: &str,
        password: &str,
    ) -> Result<Option<DirectoryPerson>, Failure> {
        let mut session = Session::open(&self.config, self.tls.clone(), server).await?;
        let person = self.person(&mut session, account, password).await;
        session.close().await;
        person
    }

    async fn person(
        &self,
        session: &mut Session<'_>,
        account: &str,
        password: &str,
    ) -> Result<Option<DirectoryPerson>, Failure> {
        let c = &self.config;
        if !c.bind_dn.is_empty() {
            session.bind_service(&c.bind_dn, &self.password).await?;
        }
        let filter = c.user_filter.replace("{account}", &ldap_escape(account));
        let mut attributes = vec![c.account_attribute.as_str(), c.mail_attribute.as_str()];
        attributes.extend(c.name_attributes.iter().map(String::as_str));
        let mut found = session.search(&c.user_base, Scope::Subtree, &filter, attributes, 2).await?;
        if found.len() > 1 {
            tracing::warn!(ldap.filter = %filter, "an account fits more than one entry of the directory and cannot sign in");
        }
        let (Some(entry), true) = (found.pop(), found.is_empty()) else { return Ok(None) };
        if entry.dn.is_empty() || !session.bind_person(&entry.dn, password).await? {
            return Ok(None);
        }
        // Groups are read by the service account: people often may not read them.
        if !c.bind_dn.is_empty() {
            session.bind_service(&c.bind_dn, &self.password).await?;
        }
        let groups = groups::of(c, session, &entry.dn).await?;
        self.describe(&entry, groups).map(Some)
    }

    fn describe(&self, entry: &SearchEntry, groups: Vec<String>) -> Result<DirectoryPerson, Failure> {
        let c = &self.config;
        let first = |attribute: &str| groups::values(entry, attribute).first().map(|v| v.trim().to_owned());
        // Not what was typed: a filter may also find people by their mail address.
        let Some(account) = first(&c.account_attribute).filter(|a| !a.is_empty()) else {
            let reason = format!("the entry {} has no attribute {}", entry.dn, c.account_attribute);
            return Err(Failure::Final(PortError::refused(System::Directory, reason)));
        };
        let account = account.to_lowercase();
        let name = c.name_attributes.iter().find_map(|a| first(a)).unwrap_or_else(|| account.clone());
        Ok(DirectoryPerson { name, mail: first(&c.mail_attribute).unwrap_or_default(), account, groups })
    }

    /// Whether this server would serve a sign-in up to the search.
    async fn ping_at(&self, server: &Url) -> Result<(), Failure> {
        let mut session = Session::open(&self.config, self.tls.clone(), server).await?;
        let bound = match self.config.bind_dn.as_str() {
            "" => session.search("", Scope::Base, "(objectClass=*)", vec!["1.1"], 1).await.map(drop),
            dn => session.bind_service(dn, &self.password).await,
        };
        session.close().await;
        bound
    }
}

#[async_trait]
impl Directory for LdapDirectory {
    async fn sign_in(&self, account: &str, password: &str) -> PortResult<Option<DirectoryPerson>> {
        let account = account.trim();
        if account.is_empty() || password.is_empty() || account.len() > LONGEST_ACCOUNT {
            return Ok(None);
        }
        let account = account.to_lowercase();
        self.ask("sign a person in", |server| Box::pin(self.sign_in_at(server, &account, password))).await
    }

    async fn ping(&self) -> PortResult<()> {
        self.ask("say hello", |server| Box::pin(self.ping_at(server))).await
    }
}
