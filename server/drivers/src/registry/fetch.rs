//! Asking a registry over HTTP.
//!
//! What one could get it wrong by: sending who we are to another origin (a blob may be
//! served from a storage elsewhere, an upload may be taken there), or following an answer
//! from TLS into plain text.

use super::account::Account;
use super::digest::digest_of;
use crate::http::{Auth, authorities, builder, excerpt, failed, next_hop};
use bytes::Bytes;
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use reqwest::header::{ACCEPT, HeaderName, LINK, LOCATION};
use reqwest::{Body, Method, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

/// The largest document that is read, in bytes. The Distribution specification
/// limits manifests to 4 MiB; a page of 200 names is far below it.
const MAX_DOCUMENT: usize = 8 * 1024 * 1024;
/// Pages of one list: 200,000 names.
const MAX_PAGES: usize = 1000;
/// A blob may be served from a storage elsewhere.
const MAX_HOPS: usize = 3;

/// One request.
pub(super) struct Ask<'a> {
    /// What it is for, in words, for messages.
    pub what: &'a str,
    pub method: Method,
    pub url: Url,
    /// What a token has to allow.
    pub scope: &'a str,
    pub accept: &'a [&'a str],
    pub headers: Vec<(HeaderName, String)>,
    pub body: Bytes,
    /// For the head of its answer.
    pub within: Duration,
}

pub(super) struct Fetch {
    client: reqwest::Client,
    base: Url,
    account: Account,
    deadline: Duration,
}

impl Fetch {
    /// With `ca`, a PEM file, only certificates signed by its authorities are accepted.
    pub(super) fn new(url: &str, auth: Auth, deadline: Duration, ca: Option<&Path>) -> PortResult<Self> {
        let base = Url::parse(url).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.username().is_empty());
        let refusal =
            || PortError::refused(System::Registry, "the registry's address is not of the form http://host:port");
        let base = base.ok_or_else(refusal)?;
        let mut client = builder();
        if let Some(ca) = ca {
            client = client.tls_certs_only(authorities(System::Registry, ca)?);
        }
        let client = client.build().map_err(|e| PortError::transient(System::Registry, "make an HTTP client", e))?;
        let account = Account::new(auth, base.clone(), client.clone(), deadline);
        Ok(Self { client, base, account, deadline })
    }

    /// For one request, or for the next piece of a stream.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// An address at the registry.
    pub(super) fn url(&self, path: &str) -> PortResult<Url> {
        let odd = |e| PortError::transient(System::Registry, "put an address together", e);
        self.base.join(path).map_err(odd)
    }

    /// A question that is asked without a body.
    pub(super) fn ask<'a>(&self, what: &'a str, method: Method, path: &str, scope: &'a str) -> PortResult<Ask<'a>> {
        let (url, within) = (self.url(path)?, self.deadline);
        Ok(Ask { what, method, url, scope, accept: &[], headers: Vec::new(), body: Bytes::new(), within })
    }

    /// The answer's head: a token is fetched if one is wanted, and reading requests follow
    /// where they are sent.
    pub(super) async fn send(&self, ask: &Ask<'_>) -> PortResult<Response> {
        let answer = self.hops(ask).await?;
        if self.learned(&answer, ask.scope) { self.hops(ask).await } else { Ok(answer) }
    }

    /// Whether asking again with a new token may help. A storage elsewhere that wants to know
    /// who we are names no token server of ours.
    fn learned(&self, answer: &Response, scope: &str) -> bool {
        answer.status() == StatusCode::UNAUTHORIZED
            && answer.url().origin() == self.base.origin()
            && self.account.learn(answer.headers(), scope)
    }

    async fn hops(&self, ask: &Ask<'_>) -> PortResult<Response> {
        let reads = matches!(ask.method, Method::GET | Method::HEAD);
        let mut url = ask.url.clone();
        for _ in 0..MAX_HOPS {
            let mut call = self.client.request(ask.method.clone(), url.clone());
            if !ask.accept.is_empty() {
                call = call.header(ACCEPT, ask.accept.join(", "));
            }
            for (name, value) in &ask.headers {
                call = call.header(name, value);
            }
            if !reads {
                // An empty body is sent as one, with its length: some gateways insist.
                call = call.header(reqwest::header::CONTENT_LENGTH, ask.body.len()).body(ask.body.clone());
            }
            if url.origin() == self.base.origin() {
                // Elsewhere our password is nobody's business.
                call = self.account.apply(call, ask.scope).await?;
            }
            let answer = match tokio::time::timeout(ask.within, call.send()).await {
                Ok(answer) => answer.map_err(|e| failed(System::Registry, ask.what, !reads, e))?,
                Err(_) => return Err(late(ask.what, !reads, ask.within)),
            };
            if !reads || !answer.status().is_redirection() || !answer.headers().contains_key(LOCATION) {
                return Ok(answer);
            }
            let astray = || PortError::transient(System::Registry, ask.what, "redirected to nowhere, or out of TLS");
            url = next_hop(&url, &answer).ok_or_else(astray)?;
        }
        Err(PortError::transient(System::Registry, ask.what, "redirected in a circle"))
    }

    /// Sends a body as it comes, with its length; for its end no time is set.
    pub(super) async fn pour(&self, ask: &Ask<'_>, length: u64, body: Body) -> PortResult<Response> {
        let mut call = self.client.request(ask.method.clone(), ask.url.clone());
        for (name, value) in &ask.headers {
            call = call.header(name, value);
        }
        if ask.url.origin() == self.base.origin() {
            call = self.account.apply(call, ask.scope).await?;
        }
        let sent = call.header(reqwest::header::CONTENT_LENGTH, length).body(body).send().await;
        let answer = sent.map_err(|e| failed(System::Registry, ask.what, false, e))?;
        // What has flowed can't be sent again here; the next attempt gets a new token.
        let _for_the_next_attempt = self.learned(&answer, ask.scope);
        Ok(answer)
    }

    /// Where an upload goes on: the answer's `Location`. A registry behind a gateway that
    /// ends TLS often does not know that it is there, so its own address stays on TLS.
    pub(super) fn location(&self, what: &str, asked: &Url, answer: &Response) -> PortResult<Url> {
        let nowhere = || PortError::transient(System::Registry, what, "the answer does not say where to go on");
        let to = answer.headers().get(LOCATION).and_then(|l| l.to_str().ok()).ok_or_else(nowhere)?;
        let mut next = asked.join(to).map_err(|e| PortError::transient(System::Registry, what, e))?;
        if asked.scheme() == "https" && next.scheme() == "http" {
            let itself = next.host() == asked.host() && (next.port().is_none() || next.port() == asked.port());
            let port = asked.port();
            if !itself || next.set_scheme("https").is_err() || next.set_port(port).is_err() {
                return Err(PortError::refused(System::Registry, "the registry wants an upload to go on without TLS"));
            }
        }
        Ok(next)
    }

    /// The body; `None` on 404.
    pub(super) async fn get(&self, what: &str, path: &str, accept: &[&str], scope: &str) -> PortResult<Option<Bytes>> {
        Ok(self.document(what, path, accept, scope).await?.map(|(body, _)| body))
    }

    /// The body and its media type; `None` on 404.
    pub(super) async fn document(
        &self,
        what: &str,
        path: &str,
        accept: &[&str],
        scope: &str,
    ) -> PortResult<Option<(Bytes, String)>> {
        let answer = self.send(&Ask { accept, ..self.ask(what, Method::GET, path, scope)? }).await?;
        let kind = answer.headers().get(reqwest::header::CONTENT_TYPE).and_then(|k| k.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Ok(self.body(what, answer).await?.map(|(body, _)| (body, kind)))
    }

    /// The digest under which the registry keeps it; `None` on 404.
    pub(super) async fn head_digest(
        &self,
        what: &str,
        path: &str,
        accept: &[&str],
        scope: &str,
    ) -> PortResult<Option<String>> {
        let answer = self.send(&Ask { accept, ..self.ask(what, Method::HEAD, path, scope)? }).await?;
        if answer.status().is_success()
            && let Some(digest) = answer.headers().get("docker-content-digest").and_then(|d| d.to_str().ok())
        {
            return Ok(Some(digest.to_owned()));
        }
        // An answer without the header, or one whose body tells what is wrong.
        Ok(self.get(what, path, accept, scope).await?.map(|body| digest_of(&body)))
    }

    /// All pages of a list; `None`: there is no such list.
    pub(super) async fn pages<T: DeserializeOwned, U>(
        &self,
        what: &str,
        path: &str,
        scope: &str,
        items: impl Fn(T) -> Vec<U>,
    ) -> PortResult<Option<Vec<U>>> {
        let mut out = Vec::new();
        let mut path = path.to_owned();
        for page in 0..MAX_PAGES {
            let answer = self.send(&self.ask(what, Method::GET, &path, scope)?).await?;
            if matches!(answer.status().as_u16(), 405 | 501) {
                return Ok(None);
            }
            let Some((body, next)) = self.body(what, answer).await? else { return Ok((page > 0).then_some(out)) };
            let page = serde_json::from_slice(&body);
            let page =
                page.map_err(|e| PortError::transient(System::Registry, format!("{what}: not understood"), e))?;
            out.extend(items(page));
            match next {
                Some(next) => path = next,
                None => return Ok(Some(out)),
            }
        }
        Err(PortError::transient(System::Registry, what, format!("more than {MAX_PAGES} pages")))
    }

    async fn body(&self, what: &str, answer: Response) -> PortResult<Option<(Bytes, Option<String>)>> {
        let status = answer.status();
        let next = answer.headers().get(LINK).and_then(|l| l.to_str().ok()).and_then(next_page);
        let body = self.read(what, answer).await?;
        match status.as_u16() {
            200..=299 => Ok(Some((body, next))),
            404 => Ok(None),
            _ => Err(unexpected(what, status, &body, false)),
        }
    }

    /// The whole body, whatever the status.
    pub(super) async fn read(&self, what: &str, mut answer: Response) -> PortResult<Bytes> {
        let read = async {
            let mut body = Vec::new();
            while let Some(piece) = answer.chunk().await.map_err(|e| failed(System::Registry, what, false, e))? {
                if body.len() + piece.len() > MAX_DOCUMENT {
                    return Err(PortError::transient(System::Registry, what, format!("exceeds {MAX_DOCUMENT} bytes")));
                }
                body.extend_from_slice(&piece);
            }
            Ok(Bytes::from(body))
        };
        tokio::time::timeout(self.deadline, read).await.unwrap_or_else(|_| Err(late(what, false, self.deadline)))
    }
}

/// No answer in time.
pub(super) fn late(what: &str, writes: bool, within: Duration) -> PortError {
    let cause = format!("no answer within {} s", within.as_secs_f64());
    if writes {
        PortError::unknown(System::Registry, what, cause)
    } else {
        PortError::transient(System::Registry, what, cause)
    }
}

/// An answer that its caller has no better word for.
pub(super) fn unexpected(what: &str, status: StatusCode, body: &[u8], writes: bool) -> PortError {
    let text = excerpt(&String::from_utf8_lossy(body));
    let refused = |reason: &str, cause: String| PortError::Refused {
        system: System::Registry,
        reason: reason.to_owned(),
        cause: Some(cause.into()),
    };
    // Distribution tells a failed write by the number of the system's error: 28 is ENOSPC, 122 EDQUOT.
    // Harbor tells a quota in words, with several statuses.
    let full = status == StatusCode::INSUFFICIENT_STORAGE
        || status.as_u16() >= 400 && text.contains("exceed the configured upper limit")
        || status.is_server_error()
            && ["no space left", "quota exceeded", "\"Err\":28}", "\"Err\":122}"].iter().any(|f| text.contains(f));
    let cause = format!("HTTP {status}: {text}");
    match status.as_u16() {
        401 | 403 => refused("the registry does not accept the account that Padis is configured with", cause),
        413 => refused("the registry, or what stands before it, takes nothing of this size", cause),
        _ if full => refused("the registry's storage is full", cause),
        500 | 502 | 504 if writes => PortError::unknown(System::Registry, what, cause),
        _ => PortError::transient(System::Registry, what, cause),
    }
}

/// The address in `<…>; rel="next"`.
fn next_page(link: &str) -> Option<String> {
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("rel=\"next\"").then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_read_from_the_link() {
        let link = "</v2/_catalog?last=b&n=2>; rel=\"next\"";
        assert_eq!(next_page(link).as_deref(), Some("/v2/_catalog?last=b&n=2"));
        assert_eq!(next_page("</v2/_catalog>; rel=\"prev\""), None);
    }

    #[test]
    fn a_full_storage_is_told_from_a_failure() {
        let full = br#"{"errors":[{"code":"UNKNOWN","detail":{"DriverName":"filesystem","Enclosed":{"Op":"write","Err":28}}}]}"#;
        let broken = StatusCode::INTERNAL_SERVER_ERROR;
        assert!(matches!(unexpected("x", broken, full, true), PortError::Refused { .. }));
        assert!(matches!(unexpected("x", broken, b"oops", true), PortError::Unknown { .. }));
        assert!(matches!(unexpected("x", broken, b"oops", false), PortError::Transient { .. }));
    }
}
