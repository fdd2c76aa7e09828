//! An authoritative name service in memory.

use super::faults::{Faults, lock};
use async_trait::async_trait;
use padis_domain::ports::{Dns, NameRecord, PortResult};
use padis_domain::problem::System;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Names by name.
pub struct FakeDns {
    faults: Faults,
    names: Mutex<BTreeMap<String, NameRecord>>,
}

impl Default for FakeDns {
    fn default() -> Self {
        Self { faults: Faults::new(System::Dns), names: Mutex::default() }
    }
}

impl FakeDns {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
    /// Its faults and calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
    /// What a resolver would hear.
    pub fn resolve(&self, name: &str) -> Vec<String> {
        lock(&self.names).get(name).map(|r| r.addresses.clone()).unwrap_or_default()
    }
    /// The names that an address points back to.
    pub fn points_back(&self, address: &str) -> Vec<String> {
        let names = lock(&self.names);
        let here = names.values().filter(|r| r.ptr && r.addresses.iter().any(|a| a == address));
        here.map(|r| r.name.clone()).collect()
    }
}

#[async_trait]
impl Dns for FakeDns {
    async fn list(&self) -> PortResult<Vec<NameRecord>> {
        self.faults.run("list", "", || Ok(lock(&self.names).values().cloned().collect())).await
    }
    async fn put(&self, record: &NameRecord) -> PortResult<()> {
        let put = || {
            lock(&self.names).insert(record.name.clone(), record.clone());
            Ok(())
        };
        self.faults.run("put", &record.name, put).await
    }
    async fn delete(&self, name: &str) -> PortResult<()> {
        let delete = || {
            lock(&self.names).remove(name);
            Ok(())
        };
        self.faults.run("delete", name, delete).await
    }
    async fn ping(&self) -> PortResult<()> {
        self.faults.run("ping", "", || Ok(())).await
    }
}
