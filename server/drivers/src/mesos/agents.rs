//! Where each agent's own API is.

use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use padis_protocol::mesos::Slave;
use reqwest::Url;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// One agent with its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Agent {
    pub id: String,
    pub name: String,
    pub active: bool,
    /// Whether it knows how to be drained: since Mesos 1.9.
    pub drains: bool,
    /// `slave(1)`.
    process: String,
    /// `127.0.0.1:5051`.
    address: String,
    tls: bool,
}

impl Agent {
    pub(super) fn of(slave: &Slave, tls: bool) -> Self {
        // `slave(1)@127.0.0.1:5051`; without a pid, the host name and port of old masters.
        let (process, address) = match slave.pid.split_once('@') {
            Some((process, address)) => (process.to_owned(), address.to_owned()),
            None => {
                let port = if slave.port == 0 { 5051 } else { slave.port };
                ("slave(1)".to_owned(), format!("{}:{port}", slave.hostname))
            }
        };
        let drains = slave.capabilities.iter().any(|c| c == "AGENT_DRAINING");
        let (id, name) = (slave.id.clone(), slave.hostname.clone());
        Self { id, name, active: slave.active, drains, process, address, tls }
    }

    /// The address without its port.
    pub(super) fn ip(&self) -> &str {
        self.address.rsplit_once(':').map_or(self.address.as_str(), |(ip, _)| ip)
    }

    /// A path of the agent's server: files, metrics.
    pub(super) fn url(&self, path: &str) -> PortResult<Url> {
        let text = format!("{}://{}/{path}", if self.tls { "https" } else { "http" }, self.address);
        Url::parse(&text).map_err(|e| {
            PortError::transient(System::Cluster, format!("use the address {} of agent {}", self.address, self.id), e)
        })
    }

    /// A path of the agent's own process: state, containers.
    pub(super) fn process_url(&self, path: &str) -> PortResult<Url> {
        self.url(&format!("{}/{path}", self.process))
    }
}

/// The agents as the master last told them.
pub(super) struct Agents {
    known: RwLock<BTreeMap<String, Agent>>,
    tls: bool,
}

impl Agents {
    /// None yet; whether they speak TLS.
    pub(super) fn asked_by(tls: bool) -> Self {
        Self { known: RwLock::default(), tls }
    }
    pub(super) fn learn(&self, slaves: &[Slave]) {
        let fresh = slaves.iter().map(|s| (s.id.clone(), Agent::of(s, self.tls))).collect();
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
    pub(super) fn all(&self) -> Vec<Agent> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
    pub(super) fn get(&self, id: &str) -> Option<Agent> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
    /// Forgets one: it did not answer where it was.
    pub(super) fn forget(&self, id: &str) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_process_come_from_the_pid() {
        let slave = Slave { id: "S".into(), pid: "slave(2)@127.0.0.1:5050".into(), ..Slave::default() };
        let (agent, tls) = (Agent::of(&slave, false), Agent::of(&slave, true));
        assert_eq!(agent.process_url("state").unwrap().as_str(), "http://127.0.0.1:5050/slave(2)/state");
        assert_eq!(agent.url("files/read").unwrap().as_str(), "http://127.0.0.1:5050/files/read");
        assert_eq!(tls.url("files/read").unwrap().as_str(), "https://127.0.0.1:5050/files/read");
        let old = Agent::of(&Slave { id: "S".into(), hostname: "h".into(), port: 5061, ..Slave::default() }, false);
        assert_eq!(old.process_url("state").unwrap().as_str(), "http://h:5061/slave(1)/state");
    }
}
