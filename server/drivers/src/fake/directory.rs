//! A directory in memory.

use super::faults::{Faults, lock};
use async_trait::async_trait;
use padis_domain::ports::{Directory, DirectoryPerson, PortResult};
use padis_domain::problem::System;
use std::collections::BTreeMap;
use std::sync::Mutex;

/// People with their passwords, by account.
pub struct FakeDirectory {
    faults: Faults,
    people: Mutex<BTreeMap<String, (DirectoryPerson, String)>>,
}

impl Default for FakeDirectory {
    fn default() -> Self {
        Self { faults: Faults::new(System::Directory), people: Mutex::default() }
    }
}

impl FakeDirectory {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
    /// Its faults and calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
    /// Adds or replaces a person.
    pub fn add(&self, person: DirectoryPerson, password: &str) {
        lock(&self.people).insert(person.account.clone(), (person, password.to_owned()));
    }
    /// Removes a person.
    pub fn remove(&self, account: &str) {
        lock(&self.people).remove(account);
    }
}

#[async_trait]
impl Directory for FakeDirectory {
    async fn sign_in(&self, account: &str, password: &str) -> PortResult<Option<DirectoryPerson>> {
        let account = account.trim().to_lowercase();
        let look = || {
            let people = lock(&self.people);
            Ok(people.get(&account).filter(|(_, p)| !password.is_empty() && p == password).map(|(d, _)| d.clone()))
        };
        self.faults.run("sign_in", &account, look).await
    }
    async fn ping(&self) -> PortResult<()> {
        self.faults.run("ping", "", || Ok(())).await
    }
}
