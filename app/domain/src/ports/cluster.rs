use super::{PortError, PortResult, Survey};
use crate::problem::System;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// One Mesos agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Agent id.
    pub id: String,
    /// Host name.
    pub name: String,
    /// Attributes by name, values as text.
    pub attributes: BTreeMap<String, String>,
    /// Whether the master hears it.
    pub active: bool,
    /// Total thousandths of a core.
    pub cpu_milli: u64,
    /// Used thousandths of a core.
    pub cpu_used_milli: u64,
    /// Total MiB.
    pub mem_mib: u64,
    /// Used MiB.
    pub mem_used_mib: u64,
    /// Tasks running there.
    pub tasks: u32,
}

/// Whether a host works. Not a field of [`Host`], because a host that is emptied
/// on purpose and one that fell silent both are "not active" to Mesos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// It takes new tasks.
    Working,
    /// It takes no new tasks; those that it has go.
    Draining,
    /// It takes no new tasks and has none: it may be switched off.
    Drained,
    /// The master knows it and does not hear it.
    Silent,
}

/// What a task uses now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TaskUse {
    /// Seconds of CPU time since its start (user and system).
    pub cpu_time_s: f64,
    /// MiB of memory.
    pub mem_mib: f64,
    /// Thousandths of a core it may use.
    pub cpu_limit_milli: u64,
    /// MiB it may use.
    pub mem_limit_mib: u64,
}

/// A piece of a sandbox file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePiece {
    /// Offset of the first byte.
    pub offset: u64,
    /// Bytes, in whatever encoding the program wrote.
    pub data: Vec<u8>,
    /// The file's length now.
    pub length: u64,
}

/// The Mesos operator API.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// All agents.
    async fn hosts(&self) -> PortResult<Vec<Host>>;
    /// Everything that operators see, of one moment; `hosts` and `duties` are in it.
    async fn survey(&self) -> PortResult<Survey>;
    /// Resource use by task id, all agents.
    async fn usage(&self) -> PortResult<BTreeMap<String, TaskUse>>;
    /// Reads a file of a task's sandbox (`stdout`, `stderr`); `offset` `None` reads the last `length` bytes.
    /// Works for finished tasks as long as the sandbox is kept.
    async fn read_file(
        &self,
        agent_id: &str,
        task_id: &str,
        file: &str,
        offset: Option<u64>,
        length: u64,
    ) -> PortResult<FilePiece>;
    /// Whether each host works, by agent id. By default nothing is known.
    async fn duties(&self) -> PortResult<BTreeMap<String, Duty>> {
        Err(no_drain())
    }
    /// Closes a host: it gets no new tasks, and those that it has run on, until
    /// [`Cluster::drain`] or [`Cluster::undrain`]. Repeating it is harmless. `false`: this
    /// cluster can't do that by itself (Mesos before 1.9); drain it.
    async fn close(&self, _agent_id: &str) -> PortResult<bool> {
        Ok(false)
    }
    /// Takes a host out of service: it gets no new tasks, and those that it has are
    /// asked to end and are killed after `grace` at most (or after their own,
    /// shorter, time). Returns once that is recorded; [`Cluster::duties`] tells when
    /// the host is empty. It stays so until [`Cluster::undrain`], also when it or the
    /// master starts anew. Repeating it is harmless. A cluster that can only announce
    /// it (Mesos before 1.9) kills nothing: whoever drains moves the tasks.
    async fn drain(&self, _agent_id: &str, _grace: Duration) -> PortResult<()> {
        Err(no_drain())
    }
    /// Puts a host back into service; one that is in service stays so.
    async fn undrain(&self, _agent_id: &str) -> PortResult<()> {
        Err(no_drain())
    }
    /// Whether it answers.
    async fn ping(&self) -> PortResult<()>;
}

fn no_drain() -> PortError {
    PortError::refused(System::Cluster, "this cluster can't take a host out of service")
}
