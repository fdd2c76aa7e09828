//! The Scheduler port on Marathon's v2 REST API and its event stream.
//!
//! Behind it may stand a Marathon, or the built-in engine: this is the only way
//! that Padis reaches either. What one could get wrong:
//!
//! * *Names.* `?id=` filters by "contains", not by prefix.
//! * *Locks.* An app is locked while a deployment runs, and a deployment that
//!   finds no room runs for ever. Creating and redefining respects the lock (409,
//!   Transient); scaling (a kill with scale included) and deleting carry
//!   `force=true`, for they are the way out.
//! * *Outcomes.* A time-out after the request was sent is Unknown, never a failure.
//! * *The stream.* It can stay open and bring nothing: silence is a way of
//!   breaking (see the module `events`).

mod elements;
mod events;
mod render;
mod told;

use crate::http::{Answer, Auth, Endpoints, Request, excerpt};
use async_trait::async_trait;
use elements::Elements;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use padis_domain::ports::{PortError, PortResult, SchedApp, SchedEvent, SchedSeen, SchedWaiting, Scheduler};
use padis_domain::problem::System;
use padis_protocol::error::ErrorBody;
use padis_protocol::info::Info;
use padis_protocol::queue::Queue;
use render::FoundList;
use reqwest::Method;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How to reach Marathon.
#[derive(Debug, Clone)]
pub struct MarathonConfig {
    /// Addresses, `http://127.0.0.1:8080`; several for a Marathon with standbys.
    pub endpoints: Vec<String>,
    /// Who we are.
    pub auth: Auth,
    /// PEM file of the authorities that may sign Marathon's certificate, and no others;
    /// `None`: those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// For one request at one address, and for the stream's first answer.
    pub deadline: Duration,
    /// The stream is given up after this time without a byte. Marathon's heartbeat
    /// comes every 15 s at most; three of them may be missing.
    pub silence: Duration,
}

impl MarathonConfig {
    /// One address, nobody in particular, 10 s for a request, 45 s of silence.
    pub fn at(endpoint: &str) -> Self {
        Self {
            endpoints: vec![endpoint.to_owned()],
            auth: Auth::None,
            ca: None,
            deadline: Duration::from_secs(10),
            silence: Duration::from_secs(45),
        }
    }
}

/// A Marathon.
pub struct MarathonClient {
    http: Arc<Endpoints>,
    silence: Duration,
}

impl MarathonClient {
    /// Nothing is contacted yet; an address that can't be one, or a file of authorities
    /// that can't be read, is `Refused`.
    pub fn new(config: &MarathonConfig) -> PortResult<Self> {
        let (auth, ca) = (config.auth.clone(), config.ca.as_deref());
        let http = Endpoints::trusting(System::Scheduler, &config.endpoints, auth, config.deadline, ca)?;
        Ok(Self { http: Arc::new(http), silence: config.silence })
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, what: &str, path: String) -> PortResult<T> {
        let answer = self.http.send(&Request { what, method: Method::GET, path, body: None }).await?;
        self.http.json(what, &answer)
    }

    async fn change(&self, what: &str, method: Method, path: String, body: Option<String>) -> PortResult<Answer> {
        self.http.send(&Request { what, method, path, body }).await
    }

    /// A change's answer in the port's terms.
    fn outcome(&self, what: &str, answer: &Answer) -> PortResult<()> {
        match answer.status.as_u16() {
            200..=299 => Ok(()),
            409 => Err(PortError::transient(System::Scheduler, what, format!("the app is locked: {}", words(answer)))),
            // Marathon's limit of concurrent deployments comes as 403.
            403 if answer.text().contains("deployment") => {
                Err(PortError::transient(System::Scheduler, what, words(answer)))
            }
            400 | 422 => Err(PortError::Refused {
                system: System::Scheduler,
                reason: words(answer),
                cause: Some(format!("{what}: HTTP {}", answer.status).into()),
            }),
            _ => Err(self.http.unexpected(what, answer, true)),
        }
    }
}

/// Marathon's own words: the message and each detail with its path.
fn words(answer: &Answer) -> String {
    let Ok(body) = serde_json::from_slice::<ErrorBody>(&answer.body) else { return excerpt(&answer.text()) };
    let mut out = body.message;
    for detail in body.details {
        out.push_str(&format!("; {}: {}", detail.path, detail.errors.join(", ")));
    }
    for deployment in body.deployments {
        out.push_str(&format!(" (deployment {})", deployment.id));
    }
    excerpt(&out)
}

/// The path of an app's resource. Ids consist of letters, digits, `-`, `.` and `/`
/// only (Marathon's own rule), whatever else is escaped.
fn app_path(id: &str, rest: &str) -> String {
    let escaped: String = id.split('/').map(escape).collect::<Vec<_>>().join("/");
    format!("/v2/apps/{}{rest}", escaped.trim_start_matches('/'))
}

fn escape(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// What reading apps is for, in words.
const LIST: &str = "list the apps";
/// For the first byte of an answer about everything, which Marathon puts together first.
const LARGE: Duration = Duration::from_secs(60);
/// Bytes that one app with its tasks may have.
const MAX_APP: usize = 64 * 1024 * 1024;

fn list_path(prefix: &str) -> String {
    let filter = if prefix.trim_matches('/').is_empty() { String::new() } else { format!("id={}&", escape(prefix)) };
    format!("/v2/apps?{filter}embed=apps.tasks&embed=apps.deployments&embed=apps.lastTaskFailure")
}

/// An answer that is read as it comes.
struct Pieces<'a> {
    answer: reqwest::Response,
    elements: Elements,
    http: &'a Endpoints,
}

impl Pieces<'_> {
    /// The apps that the next piece completes, and what is left to read.
    async fn next(it: Option<Self>) -> PortResult<Option<(Vec<SchedSeen>, Option<Self>)>> {
        let Some(mut it) = it else { return Ok(None) };
        let broken = |cause: String| PortError::transient(System::Scheduler, LIST, cause);
        match it.http.piece(LIST, &mut it.answer).await? {
            None if it.elements.whole() => Ok(None),
            None => Err(broken("the answer broke off".to_owned())),
            Some(piece) => {
                let cut = it.elements.push(&piece);
                let cut = cut.map_err(|elements::TooLarge| broken(format!("an app exceeds {MAX_APP} bytes")))?;
                let app = |bytes: &Vec<u8>| serde_json::from_slice(bytes).map(render::seen);
                let apps = cut.iter().map(app).collect::<Result<Vec<_>, _>>();
                let apps = apps.map_err(|e| broken(format!("the answer is not understood: {e}")))?;
                Ok(Some((apps, Some(it))))
            }
        }
    }
}

#[async_trait]
impl Scheduler for MarathonClient {
    async fn list(&self, prefix: &str) -> PortResult<Vec<SchedSeen>> {
        let list: FoundList = self.get(LIST, list_path(prefix)).await?;
        Ok(list.apps.into_iter().filter(|a| a.id.starts_with(prefix)).map(render::seen).collect())
    }

    fn each<'a>(&'a self, prefix: &'a str) -> BoxStream<'a, PortResult<SchedSeen>> {
        let opened = async move {
            let request = Request { what: LIST, method: Method::GET, path: list_path(prefix), body: None };
            let answer = self.http.open(&request, LARGE).await;
            answer.map(|answer| Pieces { answer, elements: Elements::with_limit(MAX_APP), http: &self.http })
        };
        let pieces = stream::once(opened).flat_map(|opened| match opened {
            Ok(pieces) => stream::try_unfold(Some(pieces), Pieces::next).boxed(),
            Err(e) => stream::iter([Err(e)]).boxed(),
        });
        let apps = pieces.flat_map(|piece| match piece {
            Ok(apps) => stream::iter(apps.into_iter().map(Ok).collect::<Vec<_>>()),
            Err(e) => stream::iter(vec![Err(e)]),
        });
        let ours = move |app: &PortResult<SchedSeen>| {
            futures::future::ready(app.as_ref().map_or(true, |a| a.id.starts_with(prefix)))
        };
        apps.filter(ours).boxed()
    }

    async fn put(&self, app: &SchedApp) -> PortResult<()> {
        let what = format!("put app {}", app.id);
        let body = serde_json::to_string(&render::app(app));
        let body = body.map_err(|e| PortError::transient(System::Scheduler, &*what, e))?;
        // Without `partialUpdate=false` a member that we left out would keep its old value.
        let path = app_path(&app.id, "?partialUpdate=false");
        let answer = self.change(&what, Method::PUT, path, Some(body)).await?;
        self.outcome(&what, &answer)
    }

    async fn scale(&self, id: &str, instances: u32) -> PortResult<()> {
        let what = format!("scale app {id} to {instances}");
        let body = serde_json::json!({ "instances": instances }).to_string();
        // PATCH, because PUT would try to create an app that is gone.
        let answer = self.change(&what, Method::PATCH, app_path(id, "?force=true"), Some(body)).await?;
        if answer.status.as_u16() == 404 {
            return Err(PortError::transient(System::Scheduler, what, "there is no such app"));
        }
        self.outcome(&what, &answer)
    }

    async fn delete(&self, id: &str) -> PortResult<()> {
        let what = format!("delete app {id}");
        let answer = self.change(&what, Method::DELETE, app_path(id, "?force=true"), None).await?;
        if answer.status.as_u16() == 404 { Ok(()) } else { self.outcome(&what, &answer) }
    }

    async fn kill(&self, app_id: &str, task_id: &str, scale: bool) -> PortResult<()> {
        let what = format!("kill task {task_id}");
        // With scale it is a deployment, and several in a row must not wait for one another.
        let query = if scale { "scale=true&force=true" } else { "scale=false" };
        let path = app_path(app_id, &format!("/tasks/{}?{query}", escape(task_id)));
        let answer = self.change(&what, Method::DELETE, path, None).await?;
        if answer.status.as_u16() == 404 { Ok(()) } else { self.outcome(&what, &answer) }
    }

    async fn waiting(&self) -> PortResult<Vec<SchedWaiting>> {
        let queue: Queue = self.get("read the launch queue", "/v2/queue?embed=lastUnusedOffers".to_owned()).await?;
        Ok(queue.queue.into_iter().filter_map(render::waiting).collect())
    }

    fn events(&self) -> BoxStream<'static, SchedEvent> {
        events::stream(Arc::clone(&self.http), self.silence)
    }

    async fn framework(&self) -> PortResult<Option<String>> {
        let info: Info = self.get("ask who it is to Mesos", "/v2/info".to_owned()).await?;
        Ok(info.framework_id)
    }

    async fn ping(&self) -> PortResult<()> {
        let what = "ping";
        let request = Request { what, method: Method::GET, path: "/ping".to_owned(), body: None };
        let answer = self.http.send(&request).await?;
        if answer.status.is_success() { Ok(()) } else { Err(self.http.unexpected(what, &answer, false)) }
    }
}
