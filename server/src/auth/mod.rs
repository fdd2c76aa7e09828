//! Who somebody is: sign-in, sessions, accounts.
//!
//! Every failed sign-in gives the same answer after the same work, whether the
//! account exists or not, is built in or disabled. One could get it wrong by
//! being helpful here; the reasons stand in the log for the operator. The portal
//! starts and built-in accounts work while the directory is down; as long as it
//! is, every failed sign-in says "the directory does not answer", for otherwise
//! the difference would tell which accounts are built in.

mod password;
mod people;
mod sessions;
mod throttle;

pub use password::{HashError, MAX_PASSWORD, Passwords, random_password};
pub use people::ADMIN;
pub use sessions::{Lifetimes, Peer, Session, Sessions};
pub use throttle::Limits;

use crate::changes::Changes;
use crate::config::{Config, Secret};
use crate::store::{Store, StoreError, incident, new_incident, now_ms};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::ports::{Directory, PortError};
use padis_domain::problem::System;
use padis_domain::words::PlatformRole;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use throttle::Admission;

/// The longest account name in bytes.
const MAX_ACCOUNT: usize = 128;
/// The directory has this long for all its servers together.
const DIRECTORY_DEADLINE: Duration = Duration::from_secs(15);

/// What sign-in is told by the settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often one may fail.
    pub limits: Limits,
    /// How long sessions live.
    pub lifetimes: Lifetimes,
    /// Platform roles by directory group.
    pub roles: Vec<(String, PlatformRole)>,
}

impl From<&Config> for Settings {
    fn from(c: &Config) -> Self {
        let s = &c.session;
        let roles = c.ldap.iter().flat_map(|l| l.roles.iter().map(|r| (r.group.clone(), r.role))).collect();
        Self {
            limits: Limits { per_account: s.failures, per_address: s.failures_address, window: s.window },
            lifetimes: Lifetimes { idle: s.idle, absolute: s.absolute },
            roles,
        }
    }
}

/// Sign-in, sessions and accounts.
pub struct Auth {
    store: Store,
    directory: Option<Arc<dyn Directory>>,
    directory_down: AtomicBool,
    settings: Settings,
    /// Hashing, also for those who set passwords.
    pub passwords: Passwords,
    /// Sessions, also for those who list and end them.
    pub sessions: Sessions,
    changes: Changes,
}

/// Who can administer after a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administrator {
    /// Somebody could already.
    Known,
    /// Made now, with the password of the settings.
    Given,
    /// Made now, with a password that is to be printed once and is known to nobody else.
    MadeUp(Secret),
}

/// What a look at the password said.
enum Verdict {
    Right,
    Wrong(&'static str),
    Undecided(PortError),
}

impl Auth {
    /// Over a store and, if there is one, a directory.
    pub async fn new(
        store: Store,
        directory: Option<Arc<dyn Directory>>,
        settings: Settings,
        changes: Changes,
    ) -> Result<Self, HashError> {
        Ok(Self {
            sessions: Sessions::new(store.clone(), settings.lifetimes),
            passwords: Passwords::new().await?,
            directory_down: AtomicBool::new(false),
            store,
            directory,
            settings,
            changes,
        })
    }

    /// Makes sure that somebody can administer.
    pub async fn first_administrator(&self, given: Option<&Secret>) -> Result<Administrator, Problem> {
        if people::has_administrator(&self.store).await? {
            return Ok(Administrator::Known);
        }
        let (password, made_up) = match given {
            Some(p) => (p.clone(), false),
            None => (Secret::new(random_password()), true),
        };
        let hash = self.passwords.hash(password.reveal()).await.map_err(|e| incident(&e))?;
        Ok(match people::put_administrator(&self.store, &hash).await? {
            false => Administrator::Known,
            true if made_up => Administrator::MadeUp(password),
            true => Administrator::Given,
        })
    }

    /// Signs in; gives the token for the cookie. `old` is the token that the browser had before.
    pub async fn sign_in(
        &self,
        account: &str,
        password: &str,
        peer: &Peer,
        old: Option<&str>,
    ) -> Result<String, Problem> {
        let account = account.trim().to_lowercase();
        let usable = !account.is_empty() && account.len() <= MAX_ACCOUNT && !account.chars().any(char::is_control);
        // What can't be an account is counted and compared like any other that does not exist.
        let account = if usable { account } else { "?".to_owned() };
        let limits = &self.settings.limits;
        let attempt = match throttle::admit(&self.store, limits, &account, &peer.address, now_ms()).await? {
            Admission::Admitted(a) => a,
            Admission::Wait { retry_after_s } => {
                tracing::warn!(account = %account, client.address = %peer.address, retry_after_s, "sign-in refused: too many attempts");
                return Err(Problem::TooManyAttempts { retry_after_s });
            }
        };
        match self.judge(&account, password, usable).await? {
            Verdict::Right => {
                throttle::succeeded(&self.store, attempt).await?;
                let token = self.sessions.begin(&account, peer, old).await?;
                tracing::info!(account = %account, client.address = %peer.address, "signed in");
                self.changes.publish("sessions", None);
                Ok(token)
            }
            Verdict::Undecided(e) => {
                throttle::undecided(&self.store, attempt).await?;
                tracing::warn!(account = %account, cause = %e.chain(), "sign-in undecided: the directory does not answer");
                Err(self.directory_problem())
            }
            Verdict::Wrong(why) => {
                tracing::info!(account = %account, client.address = %peer.address, why, "sign-in failed");
                if self.directory_down.load(Ordering::Relaxed) {
                    return Err(self.directory_problem());
                }
                Err(Problem::SignInFailed)
            }
        }
    }

    fn directory_problem(&self) -> Problem {
        Problem::Unavailable { system: System::Directory, incident: new_incident() }
    }

    async fn judge(&self, account: &str, password: &str, usable: bool) -> Result<Verdict, Problem> {
        let known = if usable { people::find(&self.store, account).await? } else { None };
        let hash = known.as_ref().filter(|k| k.built_in).and_then(|k| k.password_hash.as_deref());
        // The same work for everybody, whatever is known.
        let fits = self.passwords.fits(password, hash).await.map_err(|e| incident(&e))?;
        let built_in = known.as_ref().is_some_and(|k| k.built_in);
        if known.as_ref().is_some_and(|k| !k.enabled) {
            return Ok(Verdict::Wrong("the account is disabled"));
        }
        if built_in {
            return Ok(if fits { Verdict::Right } else { Verdict::Wrong("wrong password") });
        }
        let Some(directory) = self.directory.as_ref().filter(|_| usable && !password.is_empty()) else {
            return Ok(Verdict::Wrong("unknown account"));
        };
        let asked = tokio::time::timeout(DIRECTORY_DEADLINE, directory.sign_in(account, password)).await;
        let asked = asked.unwrap_or_else(|e| Err(PortError::transient(System::Directory, "sign in", Box::new(e))));
        self.directory_down.store(asked.is_err(), Ordering::Relaxed);
        match asked {
            Err(e) => Ok(Verdict::Undecided(e)),
            Ok(None) => Ok(Verdict::Wrong("the directory says no")),
            // The directory may find `ANNA` for `anna`, and must not find somebody else.
            Ok(Some(p)) if p.account != account => Ok(Verdict::Wrong("the directory names another account")),
            Ok(Some(p)) => {
                people::take_over(&self.store, &p, &self.settings.roles).await?;
                self.sessions.forget_all();
                Ok(Verdict::Right)
            }
        }
    }

    /// The person behind a cookie's token.
    pub async fn caller(&self, token: &str) -> Result<Option<Caller>, StoreError> {
        self.sessions.caller(token, true).await
    }

    /// The same for something that merely stays open, such as an event stream:
    /// it does not postpone the end of the session.
    pub async fn still(&self, token: &str) -> Result<Option<Caller>, StoreError> {
        self.sessions.caller(token, false).await
    }

    /// Ends the caller's session.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), StoreError> {
        self.sessions.revoke(&caller.session, Some(&caller.account)).await?;
        self.changes.publish("sessions", None);
        Ok(())
    }

    /// Whether this is the built-in account's password (for changing it). Counted like a sign-in.
    pub async fn is_password(&self, account: &str, password: &str) -> Result<bool, Problem> {
        let known = people::find(&self.store, account).await?;
        let hash = known.filter(|k| k.built_in && k.enabled).and_then(|k| k.password_hash);
        let address = format!("change of {account}");
        match throttle::admit(&self.store, &self.settings.limits, account, &address, now_ms()).await? {
            Admission::Wait { retry_after_s } => Err(Problem::TooManyAttempts { retry_after_s }),
            Admission::Admitted(attempt) => {
                let fits = self.passwords.fits(password, hash.as_deref()).await.map_err(|e| incident(&e))?;
                if fits {
                    throttle::succeeded(&self.store, attempt).await?;
                }
                Ok(fits)
            }
        }
    }

    /// Looks whether the directory answers; `None` if there is none. To be called every few seconds.
    pub async fn look_at_directory(&self) -> Option<Result<(), PortError>> {
        let asked = tokio::time::timeout(DIRECTORY_DEADLINE, self.directory.as_ref()?.ping()).await;
        let said = asked.unwrap_or_else(|e| Err(PortError::transient(System::Directory, "ping", Box::new(e))));
        self.directory_down.store(said.is_err(), Ordering::Relaxed);
        Some(said)
    }

    /// Forgets old sessions and failures.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        throttle::sweep(&self.store, &self.settings.limits, now_ms()).await?;
        self.sessions.sweep().await
    }
}

#[cfg(test)]
mod tests;
