//! The Cluster port on the Mesos operator API: version 0 for reading, version 1 for
//! taking hosts out of service.
//!
//! What one could get wrong: a standby master answers 307 to the leader (followed
//! by [`crate::http::Endpoints`]); an agent's process is not always `slave(1)` and
//! several agents may share one listener, so the address and the first part of
//! each path come from the `pid` that the master reports; a finished task's
//! sandbox hangs on a *completed* executor, perhaps of a *completed* framework;
//! `/files/read` gives at most 16 pages (64 KiB) at a time.

mod agents;
mod attribute;
mod download;
mod duty;
mod files;
mod survey;

pub use download::{Download, SandboxFile};

use crate::http::{Auth, Endpoints, Request};
use agents::{Agent, Agents};
use async_trait::async_trait;
use futures::StreamExt;
use padis_domain::ports::{Cluster, Duty, FilePiece, Host, PortError, PortResult, Survey, TaskUse};
use padis_domain::problem::System;
use padis_protocol::mesos::{ContainerInfo, Slave, StateSummary, Statistics, scalar};
use padis_protocol::task::TaskState;
use reqwest::Method;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Agents that are asked at the same time.
const AT_ONCE: usize = 16;
const MIB: f64 = 1024.0 * 1024.0;

/// How to reach Mesos.
#[derive(Debug, Clone)]
pub struct MesosConfig {
    /// The masters, `http://127.0.0.1:5050`.
    pub masters: Vec<String>,
    /// Who we are, for masters and agents.
    pub auth: Auth,
    /// For one request.
    pub deadline: Duration,
    /// PEM file of the authorities that may sign the certificates of masters and agents;
    /// absent: those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// Agents are asked without TLS though the masters speak it: it ends before the masters.
    pub plain_agents: bool,
}

impl MesosConfig {
    /// One master, nobody in particular, 10 s for a request.
    pub fn at(master: &str) -> Self {
        Self {
            masters: vec![master.to_owned()],
            auth: Auth::None,
            deadline: Duration::from_secs(10),
            ca: None,
            plain_agents: false,
        }
    }
}

/// A Mesos cluster.
pub struct MesosClient {
    http: Endpoints,
    agents: Agents,
    /// For one answer's head, and for each piece of a stream.
    deadline: Duration,
}

impl MesosClient {
    /// Nothing is contacted yet; an address that can't be one is `Refused`.
    pub fn new(config: &MesosConfig) -> PortResult<Self> {
        let (auth, ca) = (config.auth.clone(), config.ca.as_deref());
        let http = Endpoints::trusting(System::Cluster, &config.masters, auth, config.deadline, ca)?;
        // As Mesos' own pages do it: an agent is asked as its master is. Our account goes
        // along, so that plain text is for those who say so.
        let tls = config.masters.iter().any(|m| m.starts_with("https://")) && !config.plain_agents;
        Ok(Self { http, agents: Agents::asked_by(tls), deadline: config.deadline })
    }

    async fn master<T: serde::de::DeserializeOwned>(&self, what: &str, path: &str) -> PortResult<T> {
        let request = Request { what, method: Method::GET, path: path.to_owned(), body: None };
        let answer = self.http.send(&request).await?;
        self.http.json(what, &answer)
    }

    /// What one agent's containers use, by task.
    async fn usage_of(&self, agent: &Agent) -> PortResult<Vec<(String, TaskUse)>> {
        let what = format!("read the container statistics of agent {}", agent.id);
        let mut answer = self.http.get(&what, agent.process_url("containers")?).await?;
        if answer.status.as_u16() == 404 {
            // The name before Mesos 1.0.
            answer = self.http.get(&what, agent.url("monitor/statistics")?).await?;
        }
        let containers: Vec<ContainerInfo> = self.http.json(&what, &answer)?;
        Ok(containers.into_iter().filter_map(task_use).collect())
    }
}

fn task_use(container: ContainerInfo) -> Option<(String, TaskUse)> {
    let Statistics {
        cpus_limit,
        cpus_soft_limit,
        cpus_system_time_secs,
        cpus_user_time_secs,
        mem_limit_bytes,
        mem_rss_bytes,
        ..
    } = container.statistics?;
    // A command executor is named after its only task; `source` says the same.
    let task = if container.source.is_empty() { container.executor_id } else { container.source };
    let cores = cpus_limit.or(cpus_soft_limit).unwrap_or_default();
    let usage = TaskUse {
        cpu_time_s: cpus_system_time_secs + cpus_user_time_secs,
        mem_mib: mem_rss_bytes as f64 / MIB,
        cpu_limit_milli: milli(cores),
        mem_limit_mib: mem_limit_bytes / (1024 * 1024),
    };
    Some((task, usage))
}

/// Thousandths of a non-negative number; `as` saturates.
fn milli(number: f64) -> u64 {
    (number * 1000.0).round() as u64
}

/// States of tasks that run.
const RUNNING: [TaskState; 2] = [TaskState::TaskRunning, TaskState::TaskKilling];

/// How many tasks run on an agent, if its entry says so.
fn running(slave: &Slave) -> Option<u32> {
    let counts = RUNNING.iter().map(|s| slave.count(s)).sum::<Option<u64>>()?;
    Some(u32::try_from(counts).unwrap_or(u32::MAX))
}

fn host(slave: Slave, tasks: u32) -> Host {
    Host {
        tasks,
        name: slave.hostname,
        attributes: slave.attributes.iter().map(|(k, v)| (k.clone(), attribute::text(v))).collect(),
        active: slave.active,
        cpu_milli: milli(scalar(&slave.resources, "cpus")),
        cpu_used_milli: milli(scalar(&slave.used_resources, "cpus")),
        mem_mib: scalar(&slave.resources, "mem") as u64,
        mem_used_mib: scalar(&slave.used_resources, "mem") as u64,
        id: slave.id,
    }
}

#[async_trait]
impl Cluster for MesosClient {
    async fn hosts(&self) -> PortResult<Vec<Host>> {
        // Tasks are counted there and not listed: of 100,000 the list is 200 MB, and this
        // is asked for every few seconds.
        let what = "read the cluster's summary";
        let path = "/master/state-summary".to_owned();
        let answer = self.http.send(&Request { what, method: Method::GET, path, body: None }).await?;
        if answer.status.as_u16() == 404 {
            return self.hosts_by_tasks().await;
        }
        let summary: StateSummary = self.http.json(what, &answer)?;
        self.agents.learn(&summary.slaves);
        let counted: Option<Vec<u32>> = summary.slaves.iter().map(running).collect();
        match counted {
            Some(tasks) => Ok(summary.slaves.into_iter().zip(tasks).map(|(s, n)| host(s, n)).collect()),
            // Masters that do not count every state.
            None => self.hosts_by_tasks().await,
        }
    }

    async fn survey(&self) -> PortResult<Survey> {
        self.look().await
    }

    async fn usage(&self) -> PortResult<BTreeMap<String, TaskUse>> {
        let agents = self.agents(true).await?;
        let total = agents.len();
        let results: Vec<_> = futures::stream::iter(agents.into_iter().filter(|a| a.active))
            .map(|agent| async move { (self.usage_of(&agent).await, agent.id) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let (mut usage, mut last, mut failed) = (BTreeMap::new(), None, 0);
        for (result, agent) in results {
            match result {
                Ok(tasks) => usage.extend(tasks),
                Err(error) => {
                    // One silent agent must not hide what the others use.
                    tracing::warn!(agent.id = %agent, error = %error.chain(), "an agent does not tell what its tasks use");
                    failed += 1;
                    last = Some(error);
                }
            }
        }
        match last {
            Some(error) if failed == total => Err(error),
            _ => Ok(usage),
        }
    }

    async fn read_file(
        &self,
        agent_id: &str,
        task_id: &str,
        file: &str,
        offset: Option<u64>,
        length: u64,
    ) -> PortResult<FilePiece> {
        self.read_sandbox(agent_id, task_id, file, offset, length).await
    }

    async fn duties(&self) -> PortResult<BTreeMap<String, Duty>> {
        self.read_duties().await
    }

    async fn close(&self, agent_id: &str) -> PortResult<bool> {
        self.deactivate_agent(agent_id).await
    }

    async fn drain(&self, agent_id: &str, grace: Duration) -> PortResult<()> {
        self.drain_agent(agent_id, grace).await
    }

    async fn undrain(&self, agent_id: &str) -> PortResult<()> {
        self.reactivate_agent(agent_id).await
    }

    async fn ping(&self) -> PortResult<()> {
        let what = "ping";
        let request = Request { what, method: Method::GET, path: "/master/health".to_owned(), body: None };
        let mut answer = self.http.send(&request).await?;
        if answer.status.as_u16() == 404 {
            answer = self.http.send(&Request { path: "/health".to_owned(), ..request }).await?;
        }
        if answer.status.is_success() { Ok(()) } else { Err(self.http.unexpected(what, &answer, false)) }
    }
}

impl MesosClient {
    /// The hosts of a master that does not count their tasks.
    async fn hosts_by_tasks(&self) -> PortResult<Vec<Host>> {
        let agents = self.state().await?.agents(&BTreeMap::new());
        Ok(Survey { agents, ..Survey::default() }.hosts())
    }

    /// The agents; with `fresh`, asked of the master, else as last learnt.
    async fn agents(&self, fresh: bool) -> PortResult<Vec<Agent>> {
        if fresh {
            let slaves: padis_protocol::mesos::Slaves = self.master("list the agents", "/master/slaves").await?;
            self.agents.learn(&slaves.slaves);
        }
        Ok(self.agents.all())
    }

    /// One agent, asked of the master if we have not heard of it.
    async fn agent(&self, id: &str) -> PortResult<Agent> {
        if let Some(agent) = self.agents.get(id) {
            return Ok(agent);
        }
        let found = self.agents(true).await?.into_iter().find(|a| a.id == id);
        found.ok_or_else(|| {
            PortError::refused(System::Cluster, format!("host {id} is not part of the cluster (any more)"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_as_a_summary_has_it() {
        let slave: Slave = serde_json::from_value(serde_json::json!({
            "id": "S1", "hostname": "h1", "active": true, "pid": "slave(1)@127.0.0.1:5051",
            "attributes": {"pool": "alpha", "rack": 7.0},
            "resources": {"cpus": 4.0, "mem": 1536.0, "ports": "[33000-33999]"},
            "used_resources": {"cpus": 0.35, "mem": 96.0}
        }))
        .unwrap();
        let host = host(slave, 3);
        assert_eq!((host.cpu_milli, host.cpu_used_milli, host.mem_mib, host.mem_used_mib), (4000, 350, 1536, 96));
        assert_eq!((host.tasks, host.active), (3, true));
        assert_eq!(host.attributes, BTreeMap::from([("pool".into(), "alpha".into()), ("rack".into(), "7".into())]));
    }

    #[test]
    fn tasks_are_counted_only_where_all_that_run_are() {
        let slave = |extra| serde_json::from_value::<Slave>(extra).unwrap();
        let all = slave(serde_json::json!({"id": "S1", "TASK_RUNNING": 3, "TASK_KILLING": 1, "TASK_STAGING": 9}));
        assert_eq!(running(&all), Some(4));
        assert_eq!(running(&slave(serde_json::json!({"id": "S1", "TASK_RUNNING": 3}))), None);
    }

    #[test]
    fn a_container_that_does_not_run_uses_nothing() {
        let gone: ContainerInfo = serde_json::from_value(serde_json::json!({"executor_id": "t"})).unwrap();
        assert_eq!(task_use(gone), None);
        let live: ContainerInfo = serde_json::from_value(serde_json::json!({
            "executor_id": "t", "source": "", "statistics": {
                "cpus_soft_limit": 0.2, "cpus_system_time_secs": 0.5, "cpus_user_time_secs": 1.0,
                "mem_limit_bytes": 67108864, "mem_rss_bytes": 1572864, "timestamp": 1.0}
        }))
        .unwrap();
        let expected = TaskUse { cpu_time_s: 1.5, mem_mib: 1.5, cpu_limit_milli: 200, mem_limit_mib: 64 };
        assert_eq!(task_use(live), Some(("t".to_owned(), expected)));
    }
}
