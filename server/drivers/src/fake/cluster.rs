//! A Mesos cluster in memory: hosts, usage and sandbox files that a test puts there.

use super::faults::{Faults, lock};
use async_trait::async_trait;
use padis_domain::ports::{
    AgentSeen, Amounts, Cluster, Duty, FilePiece, FrameworkSeen, Holdings, Host, LeaderSeen, PortError, PortResult,
    Quota, RoleSeen, Survey, TaskUse,
};
use padis_domain::problem::System;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

#[derive(Default)]
struct Inner {
    hosts: BTreeMap<String, Host>,
    usage: BTreeMap<String, TaskUse>,
    /// By (task, file).
    files: BTreeMap<(String, String), Vec<u8>>,
    /// Hosts that were taken out of service.
    out: BTreeSet<String>,
}

/// Hosts by agent id.
pub struct FakeCluster {
    faults: Faults,
    inner: Mutex<Inner>,
}

impl Default for FakeCluster {
    fn default() -> Self {
        Self { faults: Faults::new(System::Cluster), inner: Mutex::default() }
    }
}

impl FakeCluster {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
    /// Its faults and calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
    /// Adds or replaces a host.
    pub fn put_host(&self, host: Host) {
        lock(&self.inner).hosts.insert(host.id.clone(), host);
    }
    /// Adds an idle, active host `name` with id `name`, these attributes and this size.
    pub fn add_host(&self, name: &str, attributes: &[(&str, &str)], cpu_milli: u64, mem_mib: u64) {
        self.put_host(Host {
            id: name.to_owned(),
            name: name.to_owned(),
            attributes: attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            active: true,
            cpu_milli,
            cpu_used_milli: 0,
            mem_mib,
            mem_used_mib: 0,
            tasks: 0,
        });
    }
    /// Removes a host.
    pub fn remove_host(&self, id: &str) {
        lock(&self.inner).hosts.remove(id);
    }
    /// Sets or (with `None`) removes what a task uses.
    pub fn set_usage(&self, task_id: &str, usage: Option<TaskUse>) {
        let mut inner = lock(&self.inner);
        match usage {
            Some(u) => inner.usage.insert(task_id.to_owned(), u),
            None => inner.usage.remove(task_id),
        };
    }
    /// Appends to a sandbox file.
    pub fn write_file(&self, task_id: &str, file: &str, text: &str) {
        let key = (task_id.to_owned(), file.to_owned());
        lock(&self.inner).files.entry(key).or_default().extend_from_slice(text.as_bytes());
    }
}

impl Inner {
    fn duty(&self, host: &Host) -> Duty {
        match (self.out.contains(&host.id), host.tasks, host.active) {
            (true, 0, _) => Duty::Drained,
            (true, ..) => Duty::Draining,
            (false, _, true) => Duty::Working,
            (false, ..) => Duty::Silent,
        }
    }

    /// One framework in everybody's role holds all that is held.
    fn survey(&self) -> Survey {
        let agents: Vec<AgentSeen> = self.hosts.values().map(|h| agent(h, self.duty(h))).collect();
        let held = agents.iter().filter_map(|a| a.has.as_ref()).fold(Amounts::default(), |sum, h| sum.plus(h.used));
        let id = "fake-0000".to_owned();
        let role = RoleSeen {
            name: "*".to_owned(),
            weight: Some(1.0),
            quota: Some(Quota::default()),
            used: Some(held),
            reserved: Amounts::default(),
            frameworks: vec![id.clone()],
        };
        let framework = FrameworkSeen {
            id,
            name: "marathon".to_owned(),
            principal: "marathon".to_owned(),
            roles: vec![role.name.clone()],
            active: true,
            connected: true,
            registered: Some(1),
            tasks: self.hosts.values().map(|h| h.tasks).sum(),
            unreachable: 0,
            used: Some(held),
        };
        let leader = LeaderSeen {
            address: "127.0.0.1:5050".to_owned(),
            host: "127.0.0.1".to_owned(),
            version: "1.11.0".to_owned(),
            since: Some(1),
            ..LeaderSeen::default()
        };
        Survey { leader, agents, roles: vec![role], roles_untold: None, frameworks: vec![framework] }
    }
}

fn agent(host: &Host, duty: Duty) -> AgentSeen {
    let amounts = |cpu_milli, mem_mib| Amounts { cpu_milli, mem_mib, ..Amounts::default() };
    let total = amounts(host.cpu_milli, host.mem_mib);
    let has = Holdings {
        total,
        used: amounts(host.cpu_used_milli, host.mem_used_mib),
        unreserved: Some(total),
        ..Holdings::default()
    };
    AgentSeen {
        id: host.id.clone(),
        name: host.name.clone(),
        address: "127.0.0.1:5051".to_owned(),
        version: "1.11.0".to_owned(),
        domain: None,
        attributes: host.attributes.clone(),
        duty: Some(duty),
        closed: duty == Duty::Draining,
        active: host.active,
        registered: Some(1),
        returned: None,
        tasks: host.tasks,
        has: Some(has),
    }
}

#[async_trait]
impl Cluster for FakeCluster {
    async fn hosts(&self) -> PortResult<Vec<Host>> {
        self.faults.run("hosts", "", || Ok(lock(&self.inner).hosts.values().cloned().collect())).await
    }
    async fn survey(&self) -> PortResult<Survey> {
        self.faults.run("survey", "", || Ok(lock(&self.inner).survey())).await
    }
    async fn usage(&self) -> PortResult<BTreeMap<String, TaskUse>> {
        self.faults.run("usage", "", || Ok(lock(&self.inner).usage.clone())).await
    }
    async fn read_file(
        &self,
        _agent_id: &str,
        task_id: &str,
        file: &str,
        offset: Option<u64>,
        length: u64,
    ) -> PortResult<FilePiece> {
        let read = || {
            let inner = lock(&self.inner);
            let Some(bytes) = inner.files.get(&(task_id.to_owned(), file.to_owned())) else {
                return Err(PortError::refused(System::Cluster, format!("{file} of {task_id} is not kept (any more)")));
            };
            let all = bytes.len() as u64;
            let from = offset.unwrap_or(all.saturating_sub(length)).min(all);
            let to = from.saturating_add(length).min(all);
            let piece = bytes.get(from as usize..to as usize).unwrap_or_default();
            Ok(FilePiece { offset: from, data: piece.to_vec(), length: all })
        };
        self.faults.run("read_file", &format!("{task_id}/{file}"), read).await
    }
    async fn duties(&self) -> PortResult<BTreeMap<String, Duty>> {
        let tell = || {
            let inner = lock(&self.inner);
            Ok(inner.hosts.values().map(|h| (h.id.clone(), inner.duty(h))).collect())
        };
        self.faults.run("duties", "", tell).await
    }
    async fn close(&self, agent_id: &str) -> PortResult<bool> {
        let close = || {
            let inner = &mut *lock(&self.inner);
            inner.hosts.get_mut(agent_id).ok_or_else(|| unknown(agent_id))?.active = false;
            inner.out.insert(agent_id.to_owned());
            Ok(true)
        };
        self.faults.run("close", agent_id, close).await
    }
    /// Its tasks end at once, as if each obeyed.
    async fn drain(&self, agent_id: &str, _grace: Duration) -> PortResult<()> {
        let drain = || {
            let inner = &mut *lock(&self.inner);
            let host = inner.hosts.get_mut(agent_id).ok_or_else(|| unknown(agent_id))?;
            (host.active, host.tasks, host.cpu_used_milli, host.mem_used_mib) = (false, 0, 0, 0);
            inner.out.insert(agent_id.to_owned());
            Ok(())
        };
        self.faults.run("drain", agent_id, drain).await
    }
    async fn undrain(&self, agent_id: &str) -> PortResult<()> {
        let undrain = || {
            let inner = &mut *lock(&self.inner);
            let host = inner.hosts.get_mut(agent_id).ok_or_else(|| unknown(agent_id))?;
            // One that fell silent by itself is not heard again because somebody asks.
            host.active |= inner.out.remove(agent_id);
            Ok(())
        };
        self.faults.run("undrain", agent_id, undrain).await
    }
    async fn ping(&self) -> PortResult<()> {
        self.faults.run("ping", "", || Ok(())).await
    }
}

fn unknown(agent_id: &str) -> PortError {
    PortError::refused(System::Cluster, format!("host {agent_id} is not part of the cluster (any more)"))
}
