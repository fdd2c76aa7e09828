//! A load balancer in memory. It forwards nothing; a test says how members fare.

use super::faults::{Faults, lock};
use async_trait::async_trait;
use padis_domain::ports::{Balancer, Member, MemberSeen, PortError, PortResult, Service, ServiceSeen};
use padis_domain::problem::System;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Services by key.
pub struct FakeBalancer {
    faults: Faults,
    services: Mutex<BTreeMap<String, ServiceSeen>>,
}

impl Default for FakeBalancer {
    fn default() -> Self {
        Self { faults: Faults::new(System::Balancer), services: Mutex::default() }
    }
}

impl FakeBalancer {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
    /// Its faults and calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
    /// Changes what is seen of a member: its check, its sessions, its counts. Tells whether it exists.
    pub fn with_member(&self, service: &str, member: &str, change: impl FnOnce(&mut MemberSeen)) -> bool {
        let mut services = lock(&self.services);
        let found = services.get_mut(service).and_then(|s| s.members.iter_mut().find(|m| m.member.key == member));
        found.map(change).is_some()
    }
    /// Forgets every member, as a balancer does that was killed and started anew from its file.
    pub fn lose_members(&self) {
        lock(&self.services).values_mut().for_each(|s| s.members.clear());
    }
}

#[async_trait]
impl Balancer for FakeBalancer {
    async fn list(&self) -> PortResult<Vec<ServiceSeen>> {
        self.faults.run("list", "", || Ok(lock(&self.services).values().cloned().collect())).await
    }
    async fn get(&self, service: &str) -> PortResult<Option<ServiceSeen>> {
        self.faults.run("get", service, || Ok(lock(&self.services).get(service).cloned())).await
    }
    async fn put_service(&self, service: &Service) -> PortResult<()> {
        let put = || {
            let fresh = ServiceSeen { service: service.clone(), members: Vec::new(), rate: 0, requests: 0, failed: 0 };
            lock(&self.services).entry(service.key.clone()).or_insert(fresh).service = service.clone();
            Ok(())
        };
        self.faults.run("put_service", &service.key, put).await
    }
    async fn delete_service(&self, key: &str) -> PortResult<()> {
        let delete = || {
            lock(&self.services).remove(key);
            Ok(())
        };
        self.faults.run("delete_service", key, delete).await
    }
    async fn put_member(&self, service: &str, member: &Member) -> PortResult<()> {
        let put = || {
            let mut services = lock(&self.services);
            let Some(found) = services.get_mut(service) else {
                let what = format!("put member {} of service {service}, which does not exist", member.key);
                return Err(PortError::Transient { system: System::Balancer, what, cause: None });
            };
            match found.members.iter_mut().find(|m| m.member.key == member.key) {
                Some(known) => known.member = member.clone(),
                None => found.members.push(MemberSeen {
                    member: member.clone(),
                    up: true,
                    sessions: 0,
                    requests: 0,
                    failed: 0,
                    check: "L7OK/200 in 1ms".to_owned(),
                }),
            }
            Ok(())
        };
        self.faults.run("put_member", &format!("{service}/{}", member.key), put).await
    }
    async fn delete_member(&self, service: &str, member: &str) -> PortResult<()> {
        let delete = || {
            if let Some(found) = lock(&self.services).get_mut(service) {
                found.members.retain(|m| m.member.key != member);
            }
            Ok(())
        };
        self.faults.run("delete_member", &format!("{service}/{member}"), delete).await
    }
    async fn ping(&self) -> PortResult<()> {
        self.faults.run("ping", "", || Ok(())).await
    }
}
