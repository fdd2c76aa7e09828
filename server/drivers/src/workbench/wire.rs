//! The two requests to Docker that the client library does not carry: a terminal's bytes as
//! they are, and a push with the layers that its progress is about.
//!
//! Why not by the library: it reads the bytes of a terminal as frames when they begin with
//! 0, 1 or 2, which any program may write, and then waits for up to 4 GiB; and of a push it
//! leaves out which layer a line tells of, and the digest at the end.

use super::transient;
use crate::docker_at::Way;
use crate::docker_engine::Engine;
use crate::http::{builder, failed};
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use reqwest::header::{CONNECTION, UPGRADE};
use reqwest::{Client, Response, StatusCode, Upgraded};
use serde_json::Value;
use std::time::Duration;

/// Docker begins to answer at once, or does not answer.
const ANSWER: Duration = Duration::from_secs(15);

/// HTTP to one engine.
pub(super) struct Wire {
    client: Client,
    base: String,
}

impl Wire {
    pub(super) fn new(way: &Way) -> PortResult<Self> {
        // Nothing is kept open: an engine that was restarted would be met by a dead connection.
        let client = builder().pool_max_idle_per_host(0);
        let (client, base) = match (way.url.strip_prefix("unix://"), &way.tls) {
            (Some(path), _) => (client.unix_socket(path), "http://docker".to_owned()),
            (None, Some(tls)) => (client.https_only(true).tls_backend_preconfigured(tls.clone()), way.url.clone()),
            (None, None) => (client, way.url.clone()),
        };
        match client.build() {
            Ok(client) => Ok(Self { client, base }),
            Err(error) => Err(failed(System::Docker, "make a client of Docker", false, error)),
        }
    }

    fn post(&self, version: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/v{version}{path}", self.base))
    }

    async fn send(&self, what: &str, request: reqwest::RequestBuilder) -> PortResult<Response> {
        match tokio::time::timeout(ANSWER, request.send()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(failed(System::Docker, what, true, error)),
            Err(late) => Err(PortError::unknown(System::Docker, format!("{what}: Docker does not answer"), late)),
        }
    }

    /// Starts what [`bollard::Docker::create_exec`] has made, and becomes its bytes.
    pub(super) async fn start(&self, engine: &Engine, exec: &str, tty: bool) -> PortResult<Upgraded> {
        let what = "start a process in a workbench";
        let request = self.post(&version(engine).await?, &format!("/exec/{exec}/start"));
        let request = request.header(CONNECTION, "Upgrade").header(UPGRADE, "tcp");
        let answer = self.send(what, request.json(&serde_json::json!({"Detach": false, "Tty": tty}))).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(transient(format!("{what}: {}", said(answer).await)));
        }
        answer.upgrade().await.map_err(|e| failed(System::Docker, what, true, e))
    }

    /// Pushes a tag, of characters that need no escape; the answer's body are lines of JSON. `account` is what goes into
    /// `X-Registry-Auth`.
    pub(super) async fn push(
        &self,
        engine: &Engine,
        repository: &str,
        tag: &str,
        account: &str,
    ) -> PortResult<Response> {
        let what = format!("push {repository}:{tag}");
        let request = self.post(&version(engine).await?, &format!("/images/{repository}/push?tag={tag}"));
        let answer = self.send(&what, request.header("X-Registry-Auth", account)).await?;
        if answer.status().is_success() {
            Ok(answer)
        } else {
            Err(transient(format!("{what}: {}", said(answer).await)))
        }
    }
}

async fn version(engine: &Engine) -> PortResult<String> {
    let agreed = engine.docker().await?.client_version();
    Ok(format!("{}.{}", agreed.major_version, agreed.minor_version))
}

/// Docker's own words in an answer that is no success.
async fn said(answer: Response) -> String {
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    let words = serde_json::from_str::<Value>(&text).ok().and_then(|v| Some(v["message"].as_str()?.to_owned()));
    words.unwrap_or_else(|| status.to_string())
}
