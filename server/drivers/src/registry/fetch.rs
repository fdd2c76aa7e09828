//! Reading from a registry over HTTP.

use crate::http::{Auth, builder, excerpt, failed};
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use reqwest::header::{ACCEPT, LINK, LOCATION};
use reqwest::{Method, Response, Url};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The largest document that is read, in bytes. The Distribution specification
/// limits manifests to 4 MiB; a page of 200 names is far below it.
const MAX_DOCUMENT: usize = 8 * 1024 * 1024;
/// Pages of one list: 200,000 names.
const MAX_PAGES: usize = 1000;
/// A blob may be served from a storage elsewhere.
const MAX_HOPS: usize = 3;

/// `sha256:…` of some bytes.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

pub(super) struct Fetch {
    client: reqwest::Client,
    base: Url,
    auth: Auth,
    deadline: Duration,
}

impl Fetch {
    pub(super) fn new(url: &str, auth: Auth, deadline: Duration) -> PortResult<Self> {
        let base = Url::parse(url).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.username().is_empty());
        let refusal =
            || PortError::refused(System::Registry, "the registry's address is not of the form http://host:port");
        let base = base.ok_or_else(refusal)?;
        let client = builder().build().map_err(|e| PortError::transient(System::Registry, "make an HTTP client", e))?;
        Ok(Self { client, base, auth, deadline })
    }

    async fn send(&self, what: &str, method: Method, path: &str, accept: &[&str]) -> PortResult<Response> {
        let join = |base: &Url, path: &str| {
            base.join(path)
                .map_err(|e| PortError::transient(System::Registry, format!("{what}: put an address together"), e))
        };
        let mut url = join(&self.base, path)?;
        for _ in 0..MAX_HOPS {
            let mut call = self.client.request(method.clone(), url.clone()).timeout(self.deadline);
            if !accept.is_empty() {
                call = call.header(ACCEPT, accept.join(", "));
            }
            if url.origin() == self.base.origin() {
                // Elsewhere our password is nobody's business.
                call = self.auth.apply(call);
            }
            let answer = call.send().await.map_err(|e| failed(System::Registry, what, false, e))?;
            let next = answer.headers().get(LOCATION).and_then(|l| l.to_str().ok());
            match next {
                Some(next) if answer.status().is_redirection() => url = join(&url, next)?,
                _ => return Ok(answer),
            }
        }
        Err(PortError::transient(System::Registry, what, "redirected in a circle"))
    }

    /// The body; `None` on 404.
    pub(super) async fn get(&self, what: &str, path: &str, accept: &[&str]) -> PortResult<Option<Vec<u8>>> {
        let answer = self.send(what, Method::GET, path, accept).await?;
        Ok(self.body(what, answer).await?.map(|(body, _)| body))
    }

    /// The digest under which the registry keeps it; `None` on 404.
    pub(super) async fn head_digest(&self, what: &str, path: &str, accept: &[&str]) -> PortResult<Option<String>> {
        let answer = self.send(what, Method::HEAD, path, accept).await?;
        if answer.status().is_success()
            && let Some(digest) = answer.headers().get("docker-content-digest").and_then(|d| d.to_str().ok())
        {
            return Ok(Some(digest.to_owned()));
        }
        // An answer without the header, or one whose body tells what is wrong.
        Ok(self.get(what, path, accept).await?.map(|body| digest_of(&body)))
    }

    /// All pages of a list; an unknown list is empty.
    pub(super) async fn pages<T: DeserializeOwned, U>(
        &self,
        what: &str,
        path: &str,
        items: impl Fn(T) -> Vec<U>,
    ) -> PortResult<Vec<U>> {
        let mut out = Vec::new();
        let mut path = path.to_owned();
        for _ in 0..MAX_PAGES {
            let answer = self.send(what, Method::GET, &path, &[]).await?;
            let Some((body, next)) = self.body(what, answer).await? else { return Ok(out) };
            let page = serde_json::from_slice(&body);
            let page =
                page.map_err(|e| PortError::transient(System::Registry, format!("{what}: not understood"), e))?;
            out.extend(items(page));
            match next {
                Some(next) => path = next,
                None => return Ok(out),
            }
        }
        Err(PortError::transient(System::Registry, what, format!("more than {MAX_PAGES} pages")))
    }

    async fn body(&self, what: &str, mut answer: Response) -> PortResult<Option<(Vec<u8>, Option<String>)>> {
        let status = answer.status();
        let next = answer.headers().get(LINK).and_then(|l| l.to_str().ok()).and_then(next_page);
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|e| failed(System::Registry, what, false, e))? {
            if body.len() + piece.len() > MAX_DOCUMENT {
                return Err(PortError::transient(System::Registry, what, format!("exceeds {MAX_DOCUMENT} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        let cause = || format!("HTTP {status}: {}", excerpt(&String::from_utf8_lossy(&body)));
        match status.as_u16() {
            200..=299 => Ok(Some((body, next))),
            404 => Ok(None),
            401 | 403 => Err(PortError::Refused {
                system: System::Registry,
                reason: "the registry does not accept the account that Padis is configured with".to_owned(),
                cause: Some(cause().into()),
            }),
            _ => Err(PortError::transient(System::Registry, what, cause())),
        }
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
    fn a_digest_is_the_one_that_the_specification_names() {
        // SHA-256 of nothing, FIPS 180-4.
        assert_eq!(digest_of(b""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
