//! A push, as Docker tells of it: lines of JSON, each about one layer, an error, or the end.
//!
//! What one could get wrong: the answer's status is 200 before anything was sent, so a push that
//! failed says so in a line; and a connection that ended without such a line says nothing.

use super::put::stranger;
use super::{DockerWorkbench, Place, refused, transient};
use crate::http::{Auth, failed};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use futures::StreamExt;
use padis_domain::ports::{CommitStep, PortResult};
use padis_domain::problem::System;
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;

/// Docker tells of a push several times a second while bytes flow, and nothing while a registry
/// puts a large layer where it belongs.
const SILENCE: Duration = Duration::from_secs(300);
/// One line; Docker's are a few hundred bytes.
const LONGEST_LINE: usize = 1024 * 1024;

#[derive(Deserialize)]
struct Line {
    id: Option<String>,
    status: Option<String>,
    #[serde(rename = "progressDetail")]
    progress: Option<Progress>,
    error: Option<String>,
    aux: Option<Aux>,
}

#[derive(Deserialize)]
struct Progress {
    current: Option<i64>,
    total: Option<i64>,
}

#[derive(Deserialize)]
struct Aux {
    #[serde(rename = "Digest")]
    digest: Option<String>,
}

/// Layers by what Docker calls them: bytes that are there, of how many.
#[derive(Default)]
struct Layers(HashMap<String, (u64, u64)>);

impl Layers {
    /// Takes up a line; the sums, if they are others than before.
    fn take(&mut self, line: &Line) -> Option<CommitStep> {
        let id = line.id.clone()?;
        let before = self.sums();
        let entry = self.0.entry(id).or_default();
        if let Some(Progress { current: Some(at), total }) = &line.progress {
            // Docker estimates the whole, and sends more than that at times.
            let at = u64::try_from(*at).unwrap_or(0);
            let of = u64::try_from(total.unwrap_or(0)).unwrap_or(0).max(entry.1).max(at);
            *entry = (at.max(entry.0), of);
        } else if line.status.as_deref() == Some("Pushed") {
            entry.0 = entry.1;
        }
        let (at, of) = self.sums();
        (before != (at, of)).then_some(CommitStep::Pushed { at, of })
    }

    fn sums(&self) -> (u64, u64) {
        self.0.values().fold((0, 0), |(at, of), layer| (at + layer.0, of + layer.1))
    }
}

impl DockerWorkbench {
    /// What goes into `X-Registry-Auth`.
    fn account(&self) -> String {
        let account = match &self.auth {
            Auth::Basic { user, password } => {
                serde_json::json!({"username": user, "password": password, "serveraddress": self.registry_name})
            }
            _ => serde_json::json!({}),
        };
        URL_SAFE.encode(account.to_string())
    }

    /// Pushes what the engine calls `repository:tag` (with the registry's name); the digest, if
    /// Docker tells it.
    pub(super) async fn push(
        &self,
        place: &Place,
        repository: &str,
        tag: &str,
        tell: &(dyn Fn(CommitStep) + Send + Sync),
    ) -> PortResult<Option<String>> {
        let what = format!("push {repository}:{tag}");
        let answer = place.wire.push(&place.engine, repository, tag, &self.account()).await?;
        let mut pieces = answer.bytes_stream();
        let (mut rest, mut layers, mut digest) = (Vec::new(), Layers::default(), None);
        loop {
            let piece = match tokio::time::timeout(SILENCE, pieces.next()).await {
                Ok(None) => return Ok(digest),
                Ok(Some(piece)) => piece.map_err(|e| failed(System::Docker, &what, true, e))?,
                Err(_) => return Err(transient(format!("{what}: nothing is told of it any more"))),
            };
            rest.extend_from_slice(&piece);
            while let Some(end) = rest.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let Ok(line) = serde_json::from_slice::<Line>(&line) else { continue };
                if let Some(error) = line.error {
                    let told = format!("{what}: {error}");
                    return Err(if stranger(&error) { refused(told) } else { transient(told) });
                }
                if let Some(step) = layers.take(&line) {
                    tell(step);
                }
                digest = line.aux.and_then(|a| a.digest).or(digest);
            }
            if rest.len() > LONGEST_LINE {
                return Err(transient(format!("{what}: what Docker tells of it can't be read")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_only_grow_and_end_alike() {
        let mut layers = Layers::default();
        let mut told = Vec::new();
        for line in [
            r#"{"status":"The push refers to repository [r/x]"}"#,
            r#"{"status":"Preparing","progressDetail":{},"id":"a"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":10,"total":100},"progress":"[>]","id":"a"}"#,
            r#"{"status":"Layer already exists","progressDetail":{},"id":"b"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":120,"total":100},"progress":"[>]","id":"a"}"#,
            r#"{"status":"Pushing","progressDetail":{"current":5,"total":7},"progress":"[>]","id":"c"}"#,
            r#"{"status":"Pushed","progressDetail":{},"id":"a"}"#,
            r#"{"status":"Pushed","progressDetail":{},"id":"c"}"#,
        ] {
            if let Some(CommitStep::Pushed { at, of }) = layers.take(&serde_json::from_str(line).unwrap()) {
                told.push((at, of));
            }
        }
        assert_eq!(told, [(10, 100), (120, 120), (125, 127), (127, 127)]);
    }
}
