//! Pool networks in memory. Which containers exist is asked of the test's
//! scheduler, so that a container's end takes its attachment with it, as it does
//! in Docker.

use super::FakeScheduler;
use super::faults::{Faults, lock};
use async_trait::async_trait;
use padis_domain::address::dotted;
use padis_domain::ports::{AddressTaken, Attachment, Network, PoolNet, PortError, PortResult};
use padis_domain::problem::System;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Inner {
    nets: BTreeMap<String, PoolNet>,
    attached: Vec<Attachment>,
    /// Pool, address and who it is.
    strangers: Vec<(String, u32, String)>,
}

type Exists = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// Networks by pool.
pub struct FakeNetwork {
    faults: Faults,
    exists: Exists,
    inner: Mutex<Inner>,
}

impl FakeNetwork {
    /// One in which the containers exist for which `exists` answers true (by task id).
    pub fn new(exists: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self { faults: Faults::new(System::Network), exists: Box::new(exists), inner: Mutex::default() }
    }
    /// One whose containers are the running tasks of `scheduler`.
    pub fn on(scheduler: &Arc<FakeScheduler>) -> Self {
        let scheduler = Arc::clone(scheduler);
        Self::new(move |task| scheduler.has_container(task))
    }
    /// Its faults and calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
    /// Attaches something behind the portal's back.
    pub fn intrude(&self, attachment: Attachment) {
        lock(&self.inner).attached.push(attachment);
    }

    /// Something that is not ours takes an address.
    pub fn occupy(&self, pool: &str, ip: u32, by: &str) {
        lock(&self.inner).strangers.push((pool.to_owned(), ip, by.to_owned()));
    }

    fn attach_now(&self, net: &PoolNet, task_id: &str, ip: u32) -> PortResult<()> {
        let mut inner = lock(&self.inner);
        inner.attached.retain(|a| (self.exists)(&a.task_id));
        let transient = |what: String| PortError::Transient { system: System::Network, what, cause: None };
        if !inner.nets.contains_key(&net.pool) {
            return Err(transient(format!("the network of pool {} does not exist", net.pool)));
        }
        if !(self.exists)(task_id) {
            return Err(transient(format!("no running container of task {task_id}")));
        }
        if !net.subnet.contains(ip) {
            return Err(PortError::refused(System::Network, format!("{} does not lie in {}", dotted(ip), net.subnet)));
        }
        let holder = inner.attached.iter().find(|a| a.pool == net.pool && a.ip == ip && a.task_id != task_id);
        if let Some(holder) = holder {
            let reason = format!("{} is in use by {}", dotted(ip), holder.task_id);
            return Err(PortError::refused(System::Network, reason));
        }
        if let Some((_, _, by)) = inner.strangers.iter().find(|(pool, at, _)| *pool == net.pool && *at == ip) {
            return Err(AddressTaken { by: by.clone() }.refuse(&dotted(ip)));
        }
        inner.attached.retain(|a| !(a.pool == net.pool && a.task_id == task_id));
        inner.attached.push(Attachment { task_id: task_id.to_owned(), pool: net.pool.clone(), ip });
        Ok(())
    }
}

#[async_trait]
impl Network for FakeNetwork {
    async fn ensure(&self, net: &PoolNet) -> PortResult<()> {
        let ensure = || {
            let mut inner = lock(&self.inner);
            let found = inner.nets.entry(net.pool.clone()).or_insert_with(|| net.clone());
            if (found.subnet, found.gateway) == (net.subnet, net.gateway) {
                return Ok(());
            }
            let reason = format!("pool {} exists with subnet {}, not {}", net.pool, found.subnet, net.subnet);
            Err(PortError::refused(System::Network, reason))
        };
        self.faults.run("ensure", &net.pool, ensure).await
    }
    async fn remove(&self, pool: &str) -> PortResult<()> {
        let remove = || {
            let mut inner = lock(&self.inner);
            inner.attached.retain(|a| (self.exists)(&a.task_id));
            if let Some(a) = inner.attached.iter().find(|a| a.pool == pool) {
                let reason = format!("the network of pool {pool} is in use by {}", a.task_id);
                return Err(PortError::refused(System::Network, reason));
            }
            inner.nets.remove(pool);
            Ok(())
        };
        self.faults.run("remove", pool, remove).await
    }
    async fn list(&self, pool: &str) -> PortResult<Vec<Attachment>> {
        let list = || {
            let mut inner = lock(&self.inner);
            inner.attached.retain(|a| (self.exists)(&a.task_id));
            Ok(inner.attached.iter().filter(|a| a.pool == pool).cloned().collect())
        };
        self.faults.run("list", pool, list).await
    }
    async fn attach(&self, net: &PoolNet, task_id: &str, ip: u32) -> PortResult<()> {
        self.faults.run("attach", task_id, || self.attach_now(net, task_id, ip)).await
    }
    async fn detach(&self, pool: &str, task_id: &str) -> PortResult<()> {
        let detach = || {
            lock(&self.inner).attached.retain(|a| !(a.pool == pool && a.task_id == task_id));
            Ok(())
        };
        self.faults.run("detach", task_id, detach).await
    }
}
