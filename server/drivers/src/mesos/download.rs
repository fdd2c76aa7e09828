//! A sandbox as a folder: what is in it, and a whole file as a stream.
//!
//! One could get it wrong by reading a log of gigabytes into memory, or by putting
//! the deadline on the whole download: it holds for the answer's head and then for
//! each piece, so that a slow reader finishes and a dead agent is noticed.

use super::MesosClient;
use super::files::{gone, sound};
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use padis_protocol::mesos::FileInfo;
use reqwest::Url;

/// One entry of a sandbox.
#[derive(Debug, Clone, PartialEq)]
pub struct SandboxFile {
    /// Its path inside the sandbox.
    pub path: String,
    /// Whether it is a folder.
    pub folder: bool,
    /// Bytes.
    pub size: u64,
    /// Last change, seconds since the epoch.
    pub changed_s: f64,
}

/// A whole file on its way.
pub struct Download {
    /// Its length, if the agent tells.
    pub length: Option<u64>,
    /// Its bytes.
    pub pieces: BoxStream<'static, PortResult<Bytes>>,
}

fn with_path(mut url: Url, path: &str) -> Url {
    url.query_pairs_mut().append_pair("path", path);
    url
}

impl MesosClient {
    /// What a folder of a task's sandbox holds; an empty `folder` is the sandbox
    /// itself. For tasks that have ended, too, as long as the agent keeps it.
    pub async fn browse(&self, agent_id: &str, task_id: &str, folder: &str) -> PortResult<Vec<SandboxFile>> {
        if !sound(folder) {
            return Err(PortError::refused(System::Cluster, format!("{folder:?} is no folder of a sandbox")));
        }
        let agent = self.agent(agent_id).await?;
        let sandbox = self.sandbox(&agent, task_id).await?.ok_or_else(|| gone(task_id, "the sandbox"))?;
        let whole = format!("{sandbox}/{folder}");
        let url = with_path(agent.url("files/browse")?, whole.trim_end_matches('/'));
        let what = format!("list the files of task {task_id}");
        let answer = self.http.get(&what, url).await?;
        if answer.status.as_u16() == 404 {
            return Err(gone(task_id, if folder.is_empty() { "the sandbox" } else { folder }));
        }
        let files: Vec<FileInfo> = self.http.json(&what, &answer)?;
        let inside = |file: FileInfo| SandboxFile {
            path: file.path.strip_prefix(&sandbox).map_or(file.path.as_str(), |p| p.trim_start_matches('/')).to_owned(),
            folder: file.mode.starts_with('d'),
            size: file.size,
            changed_s: file.mtime,
        };
        Ok(files.into_iter().map(inside).collect())
    }

    /// A whole file of a task's sandbox.
    pub async fn download(&self, agent_id: &str, task_id: &str, file: &str) -> PortResult<Download> {
        if file.is_empty() || !sound(file) {
            return Err(PortError::refused(System::Cluster, format!("{file:?} is no file of a sandbox")));
        }
        let agent = self.agent(agent_id).await?;
        let sandbox = self.sandbox(&agent, task_id).await?.ok_or_else(|| gone(task_id, file))?;
        let url = with_path(agent.url("files/download")?, &format!("{sandbox}/{file}"));
        let what = format!("download {file} of task {task_id}");
        let (deadline, named) = (self.deadline, what.clone());
        let late = move || PortError::transient(System::Cluster, named.clone(), "the agent does not go on");
        let call = self.http.auth().apply(self.http.client().get(url)).send();
        let answer = tokio::time::timeout(deadline, call).await.map_err(|_elapsed| late())?;
        let answer = answer.map_err(|e| crate::http::failed(System::Cluster, &what, false, e))?;
        match answer.status().as_u16() {
            200 => {}
            404 => return Err(gone(task_id, file)),
            400 => return Err(PortError::refused(System::Cluster, format!("{file} of {task_id} is no file"))),
            status => return Err(PortError::transient(System::Cluster, what, format!("HTTP {status}"))),
        }
        let length = answer.content_length();
        let pieces = futures::stream::try_unfold(answer, move |mut answer| {
            let (late, what) = (late.clone(), what.clone());
            async move {
                let piece = tokio::time::timeout(deadline, answer.chunk()).await.map_err(|_elapsed| late())?;
                let piece = piece.map_err(|e| crate::http::failed(System::Cluster, &what, false, e))?;
                Ok(piece.map(|bytes| (bytes, answer)))
            }
        });
        Ok(Download { length, pieces: pieces.boxed() })
    }
}
