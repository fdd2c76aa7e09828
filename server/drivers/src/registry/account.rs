//! Who we are to a registry: nobody, an account, or the bearer of a token that a token
//! server gives for it (Distribution's token authentication).
//!
//! The registry names its token server in the answer to a request that lacks a token; from
//! then on tokens are fetched before they are needed, by scope, and kept until shortly
//! before they expire. One could get it wrong by sending the password where a registry
//! points to: it goes to the registry itself, and to the token server that it names only
//! over TLS if the registry itself is reached over TLS.

use crate::http::{Auth, excerpt, failed};
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a token is good for that does not say so, by the specification.
const LIFE: Duration = Duration::from_secs(60);
/// A token is not used in its last seconds: the registry's clock may be ahead, and the
/// request is on its way for a while.
const MARGIN: Duration = Duration::from_secs(10);
/// Tokens that are kept; beyond that, all are fetched anew.
const KEPT: usize = 10_000;
/// The largest answer of a token server that is read, in bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// The scope for reading a repository.
pub(super) fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

/// The scope for writing to a repository.
pub(super) fn push(repository: &str) -> String {
    format!("repository:{repository}:pull,push")
}

/// The scope for taking manifests away.
pub(super) fn delete(repository: &str) -> String {
    format!("repository:{repository}:pull,delete")
}

/// The scope of the list of repositories.
pub(super) const CATALOG: &str = "registry:catalog:*";

/// A token server, as the registry names it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bearer {
    realm: String,
    service: Option<String>,
}

#[derive(Default)]
struct State {
    bearer: Option<Bearer>,
    /// By scope: the token, and when it is used no longer.
    tokens: HashMap<String, (String, Instant)>,
}

#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// Our account at one registry.
pub(super) struct Account {
    auth: Auth,
    base: Url,
    client: reqwest::Client,
    deadline: Duration,
    state: Mutex<State>,
}

impl Account {
    pub(super) fn new(auth: Auth, base: Url, client: reqwest::Client, deadline: Duration) -> Self {
        Self { auth, base, client, deadline, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says who we are in a request to the registry itself. `scope` may be several, with
    /// spaces between; none is for asking whether it is a registry at all.
    pub(super) async fn apply(&self, call: RequestBuilder, scope: &str) -> PortResult<RequestBuilder> {
        let bearer = self.state().bearer.clone();
        match bearer {
            Some(bearer) => Ok(call.bearer_auth(self.token(&bearer, scope).await?)),
            None => Ok(self.auth.apply(call)),
        }
    }

    /// After an answer 401: whether asking again may help, because now there is a token server
    /// or a new token.
    pub(super) fn learn(&self, headers: &HeaderMap, scope: &str) -> bool {
        if matches!(self.auth, Auth::Header(_)) {
            return false;
        }
        let challenges = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|h| h.to_str().ok());
        let Some(bearer) = challenges.filter_map(challenge).next() else { return false };
        let mut state = self.state();
        // A token that it does not accept (any more) is not kept either.
        state.tokens.remove(scope);
        state.bearer = Some(bearer);
        true
    }

    async fn token(&self, bearer: &Bearer, scope: &str) -> PortResult<String> {
        let known = self.state().tokens.get(scope).filter(|(_, until)| Instant::now() < *until).cloned();
        if let Some((token, _)) = known {
            return Ok(token);
        }
        let asked = Instant::now();
        let granted = self.fetch(bearer, scope).await?;
        let life = granted.expires_in.map_or(LIFE, Duration::from_secs);
        let Some(token) = granted.token.or(granted.access_token).filter(|t| !t.is_empty()) else {
            return Err(PortError::transient(System::Registry, "get a token", "the token server's answer holds none"));
        };
        let until = asked + life.saturating_sub(MARGIN).max(life / 2).min(Duration::from_secs(86_400));
        let mut state = self.state();
        if state.tokens.len() >= KEPT {
            state.tokens.clear();
        }
        state.tokens.insert(scope.to_owned(), (token.clone(), until));
        Ok(token)
    }

    async fn fetch(&self, bearer: &Bearer, scope: &str) -> PortResult<Granted> {
        let what = "get a token from the registry's token server";
        let mut url = self.realm(bearer)?;
        {
            let mut query = url.query_pairs_mut();
            if let Some(service) = &bearer.service {
                query.append_pair("service", service);
            }
            for one in scope.split(' ').filter(|s| !s.is_empty()) {
                query.append_pair("scope", one);
            }
        }
        let call = self.auth.apply(self.client.get(url)).timeout(self.deadline);
        let mut answer = call.send().await.map_err(|e| failed(System::Registry, what, false, e))?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|e| failed(System::Registry, what, false, e))? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(PortError::transient(System::Registry, what, format!("exceeds {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        match status.as_u16() {
            // Its text is not told when it holds a token.
            200..=299 => serde_json::from_slice(&body).map_err(|_| {
                PortError::transient(System::Registry, what, "the token server's answer is not understood")
            }),
            400 | 401 | 403 => Err(PortError::Refused {
                system: System::Registry,
                reason: "the registry does not accept the account that Padis is configured with".to_owned(),
                cause: Some(
                    format!("its token server: HTTP {status}: {}", excerpt(&String::from_utf8_lossy(&body))).into(),
                ),
            }),
            _ => Err(PortError::transient(System::Registry, what, format!("its token server: HTTP {status}"))),
        }
    }

    /// Its address, if our password may go there.
    fn realm(&self, bearer: &Bearer) -> PortResult<Url> {
        let refuse =
            |why: &str| PortError::refused(System::Registry, format!("the registry names a token server {why}"));
        let url = self.base.join(&bearer.realm).map_err(|_| refuse("whose address is none"))?;
        match (self.base.scheme(), url.scheme()) {
            (_, "https") | ("http", "http") => {}
            ("https", "http") => return Err(refuse("without TLS: the password would travel readable to everybody")),
            _ => return Err(refuse("that is not reached by HTTP")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("with an account in its address"));
        }
        Ok(url)
    }
}

/// `Bearer realm="…",service="…",scope="…"`; other schemes are none.
fn challenge(header: &str) -> Option<Bearer> {
    let (scheme, mut rest) = header.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut fields: HashMap<String, String> = HashMap::new();
    loop {
        rest = rest.trim_start_matches([' ', ',']);
        let Some((name, after)) = rest.split_once('=') else { break };
        let value;
        (value, rest) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        fields.insert(name.trim().to_ascii_lowercase(), value.to_owned());
    }
    Some(Bearer { realm: fields.remove("realm")?, service: fields.remove("service") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(base: &str) -> Account {
        let client = crate::http::builder().build().unwrap();
        Account::new(Auth::None, Url::parse(base).unwrap(), client, LIFE)
    }

    #[test]
    fn a_challenge_is_read_with_commas_in_its_scope() {
        let text = r#"Bearer realm="https://auth.bank/token",service="reg",scope="repository:a/b:pull,push""#;
        let bearer = challenge(text).unwrap();
        assert_eq!((bearer.realm.as_str(), bearer.service.as_deref()), ("https://auth.bank/token", Some("reg")));
        assert_eq!(challenge(r#"Basic realm="r""#), None);
        assert_eq!(challenge(r#"bearer service=reg, realm=https://a/t"#).unwrap().realm, "https://a/t");
    }

    #[test]
    fn the_password_goes_to_no_token_server_that_is_less_safe_than_the_registry() {
        let realm = |base: &str, realm: &str| {
            account(base).realm(&Bearer { realm: realm.to_owned(), service: None }).map(String::from)
        };
        assert_eq!(realm("https://r", "https://a/t").unwrap(), "https://a/t");
        assert_eq!(realm("http://r", "http://a/t").unwrap(), "http://a/t");
        for (base, bad) in [("https://r", "http://a/t"), ("http://r", "ftp://a/t"), ("http://r", "http://u:p@a/t")] {
            assert!(matches!(realm(base, bad), Err(PortError::Refused { .. })), "{base} {bad}");
        }
    }
}
