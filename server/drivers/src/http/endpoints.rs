//! One service behind several addresses: Marathon's and Mesos's masters.
//!
//! The address that answered last is asked first. The next one is asked only when
//! that can't do anything twice: the request was never sent, or the answer says
//! that this one is not the leader. One could get it wrong by repeating a write
//! after a time-out.

use super::{builder, excerpt, failed};
use bytes::Bytes;
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use reqwest::{Method, StatusCode, Url};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The largest answer that is read, in bytes: a state of 100,000 tasks takes about 150 MiB.
const MAX_ANSWER: usize = 512 * 1024 * 1024;
/// Redirects that are followed: standby to leader, and once more when it changes.
const MAX_HOPS: usize = 3;

/// How we say who we are.
#[derive(Clone, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// HTTP basic authentication.
    Basic {
        /// Account.
        user: String,
        /// Password.
        password: String,
    },
    /// The whole value of the `Authorization` header: `Bearer …`, `token=…`.
    Header(String),
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(…)",
            Self::Header(_) => "Header(…)",
        })
    }
}

impl Auth {
    /// Adds the header.
    pub fn apply(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match self {
            Self::None => request,
            Self::Basic { user, password } => request.basic_auth(user, Some(password)),
            Self::Header(value) => request.header(reqwest::header::AUTHORIZATION, value),
        }
    }
}

/// One request, without the address.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// What it is for, in words, for messages.
    pub what: &'a str,
    /// Method.
    pub method: Method,
    /// Path and query, starting with `/`.
    pub path: String,
    /// JSON body.
    pub body: Option<String>,
}

/// An answer: its status and whole body.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text, invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A service with its addresses.
pub struct Endpoints {
    system: System,
    client: reqwest::Client,
    urls: Vec<Url>,
    auth: Auth,
    deadline: Duration,
    preferred: AtomicUsize,
}

/// One attempt at one address.
enum Attempt {
    Answered(Answer),
    /// Nothing happened there; another address may do better.
    Elsewhere(PortError),
}

impl Endpoints {
    /// Addresses such as `http://127.0.0.1:8080`, a path before the API's own
    /// included. `deadline` holds for one request at one address.
    pub fn new(system: System, urls: &[String], auth: Auth, deadline: Duration) -> PortResult<Self> {
        Self::trusting(system, urls, auth, deadline, None)
    }

    /// The same; with `ca`, a PEM file, only certificates signed by its authorities are
    /// accepted, else those that the machine trusts.
    pub fn trusting(
        system: System,
        urls: &[String],
        auth: Auth,
        deadline: Duration,
        ca: Option<&Path>,
    ) -> PortResult<Self> {
        let urls = urls.iter().map(|u| parse(system, u)).collect::<PortResult<Vec<_>>>()?;
        if urls.is_empty() {
            return Err(PortError::refused(system, "no address is configured for this service"));
        }
        let mut client = builder();
        if let Some(ca) = ca {
            client = client.tls_certs_only(authorities(system, ca)?);
        }
        let client = client.build();
        let client = client.map_err(|e| PortError::transient(system, "make an HTTP client", e))?;
        Ok(Self { system, client, urls, auth, deadline, preferred: AtomicUsize::new(0) })
    }

    /// The HTTP client, for streams.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// For one request at one address.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// How we say who we are, for streams.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The address at `offset` from the one that answered last, with a path.
    pub fn url(&self, offset: usize, path: &str) -> PortResult<Url> {
        let at = (self.preferred.load(Ordering::Relaxed) + offset) % self.urls.len();
        self.join(&self.urls[at], path)
    }

    /// Asks the next address first from now on.
    pub fn turn(&self) {
        self.preferred.fetch_add(1, Ordering::Relaxed);
    }

    fn join(&self, base: &Url, path: &str) -> PortResult<Url> {
        let whole = format!("{}{path}", base.as_str().trim_end_matches('/'));
        Url::parse(&whole).map_err(|e| PortError::transient(self.system, "put an address together", e))
    }

    /// Sends it to the first address that takes it.
    pub async fn send(&self, request: &Request<'_>) -> PortResult<Answer> {
        let start = self.preferred.load(Ordering::Relaxed);
        let mut last = None;
        for offset in 0..self.urls.len() {
            let at = (start + offset) % self.urls.len();
            match self.attempt(self.join(&self.urls[at], &request.path)?, request).await? {
                Attempt::Answered(answer) => {
                    self.preferred.store(at, Ordering::Relaxed);
                    return Ok(answer);
                }
                Attempt::Elsewhere(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| PortError::refused(self.system, "no address is configured for this service")))
    }

    /// Sends a reading request to an address outside the list, an agent's for example.
    pub async fn get(&self, what: &str, url: Url) -> PortResult<Answer> {
        let request = Request { what, method: Method::GET, path: String::new(), body: None };
        match self.attempt(url, &request).await? {
            Attempt::Answered(answer) => Ok(answer),
            Attempt::Elsewhere(error) => Err(error),
        }
    }

    /// Sends a reading request to the first address that takes it, and leaves its answer to
    /// be read by [`Endpoints::piece`]; `first` is for its head. Other statuses than
    /// success are errors.
    pub async fn open(&self, request: &Request<'_>, first: Duration) -> PortResult<reqwest::Response> {
        let start = self.preferred.load(Ordering::Relaxed);
        let mut last = None;
        for offset in 0..self.urls.len() {
            let at = (start + offset) % self.urls.len();
            let reached = self.reach(self.join(&self.urls[at], &request.path)?, request, None);
            match tokio::time::timeout(first, reached).await {
                Ok(reached) => match reached? {
                    Ok(answer) if answer.status().is_success() => {
                        self.preferred.store(at, Ordering::Relaxed);
                        return Ok(answer);
                    }
                    Ok(answer) => {
                        let status = answer.status();
                        let body = self.read(answer, request.what, false).await?;
                        return Err(self.unexpected(request.what, &Answer { status, body }, false));
                    }
                    Err(error) => last = Some(error),
                },
                Err(_) => {
                    let cause = format!("no answer within {} s", first.as_secs_f64());
                    last = Some(PortError::transient(self.system, request.what, cause));
                }
            }
        }
        Err(last.unwrap_or_else(|| PortError::refused(self.system, "no address is configured for this service")))
    }

    /// The next piece of an opened answer, within the deadline; `None`: that was all.
    pub async fn piece(&self, what: &str, answer: &mut reqwest::Response) -> PortResult<Option<Bytes>> {
        match tokio::time::timeout(self.deadline, answer.chunk()).await {
            Ok(piece) => piece.map_err(|e| failed(self.system, what, false, e)),
            Err(_) => {
                let cause = format!("not a byte within {} s", self.deadline.as_secs_f64());
                Err(PortError::transient(self.system, what, cause))
            }
        }
    }

    async fn attempt(&self, url: Url, request: &Request<'_>) -> PortResult<Attempt> {
        match self.reach(url, request, Some(self.deadline)).await? {
            Ok(answer) => {
                let status = answer.status();
                let body = self.read(answer, request.what, request.method != Method::GET).await?;
                Ok(Attempt::Answered(Answer { status, body }))
            }
            Err(error) => Ok(Attempt::Elsewhere(error)),
        }
    }

    /// An answer's head, at this address or where it sends us; inside, an error: nothing
    /// happened there, and another address may do better. `deadline` is for all of it.
    async fn reach(
        &self,
        mut url: Url,
        request: &Request<'_>,
        deadline: Option<Duration>,
    ) -> PortResult<Result<reqwest::Response, PortError>> {
        let writes = request.method != Method::GET;
        for _ in 0..MAX_HOPS {
            let mut call = self.client.request(request.method.clone(), url.clone());
            if let Some(deadline) = deadline {
                call = call.timeout(deadline);
            }
            if let Some(body) = &request.body {
                call = call.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.clone());
            }
            let answer = match self.auth.apply(call).send().await {
                Ok(answer) => answer,
                Err(error) if error.is_connect() || !writes => {
                    return Ok(Err(failed(self.system, request.what, writes, error)));
                }
                Err(error) => return Err(failed(self.system, request.what, writes, error)),
            };
            let status = answer.status();
            if matches!(status.as_u16(), 301 | 302 | 307 | 308) {
                let Some(next) = next_hop(&url, &answer) else {
                    return Ok(Err(self.no_leader(request.what, "a redirect to nowhere")));
                };
                url = next;
                continue;
            }
            if status == StatusCode::SERVICE_UNAVAILABLE {
                // A standby without a leader; nothing was done.
                let body = self.read(answer, request.what, writes).await?;
                return Ok(Err(self.no_leader(request.what, &excerpt(&String::from_utf8_lossy(&body)))));
            }
            return Ok(Ok(answer));
        }
        Ok(Err(self.no_leader(request.what, "redirected in a circle")))
    }

    async fn read(&self, mut answer: reqwest::Response, what: &str, writes: bool) -> PortResult<Bytes> {
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(piece)) if body.len() + piece.len() <= MAX_ANSWER => body.extend_from_slice(&piece),
                Ok(Some(_)) => {
                    return Err(PortError::transient(
                        self.system,
                        what,
                        format!("the answer exceeds {MAX_ANSWER} bytes"),
                    ));
                }
                Ok(None) => return Ok(body.into()),
                Err(error) => return Err(failed(self.system, what, writes, error)),
            }
        }
    }

    fn no_leader(&self, what: &str, why: &str) -> PortError {
        PortError::transient(self.system, what, format!("no leader there: {why}"))
    }

    /// The JSON in a successful answer; other statuses as [`Endpoints::unexpected`].
    pub fn json<T: serde::de::DeserializeOwned>(&self, what: &str, answer: &Answer) -> PortResult<T> {
        if !answer.status.is_success() {
            return Err(self.unexpected(what, answer, false));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|e| PortError::transient(self.system, format!("{what}: the answer is not understood"), e))
    }

    /// An answer that its caller has no better word for.
    pub fn unexpected(&self, what: &str, answer: &Answer, writes: bool) -> PortError {
        let status = answer.status;
        let cause = format!("HTTP {status}: {}", excerpt(&answer.text()));
        match status.as_u16() {
            401 | 403 => PortError::Refused {
                system: self.system,
                reason: "the service does not accept the account that Padis is configured with".to_owned(),
                cause: Some(cause.into()),
            },
            // A gateway or a crash in the middle: it may have happened.
            500 | 502 | 504 if writes => PortError::unknown(self.system, what, cause),
            _ => PortError::transient(self.system, what, cause),
        }
    }
}

/// Where a redirect leads, if it is one that may be followed: never from TLS to plain
/// text, for what is sent along says who we are.
pub(crate) fn next_hop(from: &Url, answer: &reqwest::Response) -> Option<Url> {
    let to = answer.headers().get(reqwest::header::LOCATION)?.to_str().ok()?;
    let next = from.join(to).ok()?;
    (next.scheme() == "https" || from.scheme() == "http" && next.scheme() == "http").then_some(next)
}

/// The authorities in a PEM file; one that can't be read or holds none is `Refused`.
pub(crate) fn authorities(system: System, file: &Path) -> PortResult<Vec<reqwest::Certificate>> {
    let refuse = |why: &str| {
        let at = file.display();
        PortError::refused(
            system,
            format!("the file {at} of the authorities that sign this service's certificate {why}"),
        )
    };
    let pem = std::fs::read(file).map_err(|e| refuse(&format!("can't be read: {e}")))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(refuse("holds no certificate in PEM form")),
    }
}

fn parse(system: System, text: &str) -> PortResult<Url> {
    let refuse = |why: &str| PortError::refused(system, format!("an address of this service {why}"));
    let url = Url::parse(text).map_err(|_| refuse("is not of the form http://host:port"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(refuse("is not of the form http://host:port"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("carries a name or password: use the settings made for them"));
    }
    Ok(url)
}
