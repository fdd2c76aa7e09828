//! Sandbox files: find the executor's folder, then read a piece of a file in it.
//!
//! What one could get wrong: an agent writes the file's bytes into its JSON as they
//! are. A log in GBK, or a piece that ends within a character, is then no valid
//! JSON, and a client that insists shows nothing at all. So the pieces stay bytes
//! until they are put together.

use super::MesosClient;
use super::agents::Agent;
use padis_domain::ports::{FilePiece, PortError, PortResult};
use padis_domain::problem::System;
use padis_protocol::mesos::{AgentState, Executor};
use reqwest::Url;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Sixteen pages: the most that an agent gives in one answer.
const PIECE: u64 = 64 * 1024;
/// The most that one call reads, in bytes.
const MOST: u64 = 4 * 1024 * 1024;

/// Answer of `/files/read`: [`padis_protocol::mesos::FileRead`] without faith in its encoding.
#[derive(serde::Deserialize)]
struct Read {
    data: Raw,
    offset: u64,
}

/// The bytes of a JSON string, valid or not.
struct Raw(Vec<u8>);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Raw;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Raw, E> {
                Ok(Raw(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

fn runs(executor: &Executor, task_id: &str) -> bool {
    let tasks = executor.tasks.iter().chain(&executor.queued_tasks).chain(&executor.completed_tasks);
    executor.id == task_id || executor.source == task_id || tasks.into_iter().any(|t| t.id == task_id)
}

/// The sandbox of a task, the live executor's before an ended one's.
fn sandbox(state: &AgentState, task_id: &str) -> Option<String> {
    let frameworks = || state.frameworks.iter().chain(&state.completed_frameworks);
    let live = frameworks().flat_map(|f| &f.executors);
    // Of several runs of one executor the last is listed last.
    let ended = frameworks().flat_map(|f| f.completed_executors.iter().rev());
    live.chain(ended).find(|e| runs(e, task_id)).map(|e| e.directory.clone()).filter(|d| !d.is_empty())
}

fn read_url(agent: &Agent, path: &str, offset: i64, length: u64) -> PortResult<Url> {
    let mut url = agent.url("files/read")?;
    let mut query = url.query_pairs_mut();
    query.append_pair("path", path).append_pair("offset", &offset.to_string());
    if length > 0 {
        query.append_pair("length", &length.to_string());
    }
    drop(query);
    Ok(url)
}

/// Whether it names something inside of a sandbox.
pub(super) fn sound(file: &str) -> bool {
    !file.starts_with('/') && file.split('/').all(|part| part != "..")
}

/// The agent has forgotten the task, or the file was never there.
pub(super) fn gone(task_id: &str, file: &str) -> PortError {
    PortError::refused(System::Cluster, format!("{file} of {task_id} is not kept (any more)"))
}

impl MesosClient {
    /// Where the agent keeps a task's files.
    pub(super) async fn sandbox(&self, agent: &Agent, task_id: &str) -> PortResult<Option<String>> {
        let what = format!("read the state of agent {}", agent.id);
        let answer = self.http.get(&what, agent.process_url("state")?).await?;
        let state: AgentState = self.http.json(&what, &answer)?;
        Ok(sandbox(&state, task_id))
    }

    pub(super) async fn read_sandbox(
        &self,
        agent_id: &str,
        task_id: &str,
        file: &str,
        offset: Option<u64>,
        length: u64,
    ) -> PortResult<FilePiece> {
        if file.is_empty() || !sound(file) {
            return Err(PortError::refused(System::Cluster, format!("{file:?} is no file of a sandbox")));
        }
        let agent = self.agent(agent_id).await?;
        let read = self.read_on(&agent, task_id, file, offset, length.min(MOST)).await;
        if matches!(read, Err(PortError::Transient { .. })) {
            // It may have moved; the next call asks the master for its address.
            self.agents.forget(agent_id);
        }
        read
    }

    async fn read_on(
        &self,
        agent: &Agent,
        task_id: &str,
        file: &str,
        offset: Option<u64>,
        length: u64,
    ) -> PortResult<FilePiece> {
        let gone = || gone(task_id, file);
        let path = format!("{}/{file}", self.sandbox(agent, task_id).await?.ok_or_else(gone)?);
        let what = format!("read {file} of task {task_id}");
        let ask = async |from: i64, n: u64| -> PortResult<Read> {
            let answer = self.http.get(&what, read_url(agent, &path, from, n)?).await?;
            if answer.status.as_u16() == 404 { Err(gone()) } else { self.http.json(&what, &answer) }
        };
        // An offset of -1 asks for the length alone.
        let whole = ask(-1, 0).await?.offset;
        let from = offset.unwrap_or(whole.saturating_sub(length)).min(whole);
        let end = from.saturating_add(length).min(whole);
        let mut data = Vec::new();
        let mut at = from;
        while at < end {
            let n = PIECE.min(end - at);
            let read = ask(i64::try_from(at).unwrap_or(i64::MAX), n).await?;
            if read.data.0.is_empty() {
                break; // it was cut short meanwhile
            }
            at += n.min(read.data.0.len() as u64);
            data.extend(read.data.0);
        }
        Ok(FilePiece { offset: from, data, length: whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_bytes_whatever_they_mean() {
        let read: Read = serde_json::from_slice(b"{\"data\":\"a\xff\xfeb\\u0000c\\n\xe9\",\"offset\":7}").unwrap();
        assert_eq!((read.data.0.as_slice(), read.offset), (&b"a\xff\xfeb\0c\n\xe9"[..], 7));
    }

    #[test]
    fn the_sandbox_of_an_ended_task_of_an_ended_framework_is_found() {
        let state: AgentState = serde_json::from_value(serde_json::json!({
            "id": "S",
            "frameworks": [{"id": "F", "executors": [{"id": "live", "directory": "/w/live"}],
                "completed_executors": [{"id": "twice", "directory": "/w/1"}, {"id": "twice", "directory": "/w/2"}]}],
            "completed_frameworks": [{"id": "G", "completed_executors": [
                {"id": "pod", "directory": "/w/pod", "completed_tasks": [{"id": "old.1"}]}]}]
        }))
        .unwrap();
        assert_eq!(sandbox(&state, "live").as_deref(), Some("/w/live"));
        assert_eq!(sandbox(&state, "twice").as_deref(), Some("/w/2"));
        assert_eq!(sandbox(&state, "old.1").as_deref(), Some("/w/pod"));
        assert_eq!(sandbox(&state, "never"), None);
    }
}
