//! A registry in memory.

use super::faults::{Faults, lock};
use async_trait::async_trait;
use padis_domain::ports::{PortResult, Registry, StackImage};
use padis_domain::problem::System;
use padis_domain::stack::{Contract, LABEL_PREFIX};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Images, sorted by repository and tag.
pub struct FakeRegistry {
    faults: Faults,
    images: Mutex<Vec<StackImage>>,
}

impl Default for FakeRegistry {
    fn default() -> Self {
        Self { faults: Faults::new(System::Registry), images: Mutex::default() }
    }
}

impl FakeRegistry {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
    /// Its faults and calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
    /// Adds or replaces (same repository and tag) an image.
    pub fn put(&self, image: StackImage) {
        let mut images = lock(&self.images);
        images.retain(|i| (&i.repository, &i.tag) != (&image.repository, &image.tag));
        images.push(image);
        images.sort_by(|a, b| (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag)));
    }
    /// A stack `name` for zip packages on port 8080, in `stacks/NAME:1.0`; gives what was added.
    pub fn add_stack(&self, name: &str) -> StackImage {
        let digest = format!("sha256:{:0>64}", name.bytes().map(|b| format!("{b:02x}")).collect::<String>());
        let contract = Contract {
            name: name.to_owned(),
            title_en: format!("{name} 1.0"),
            title_zh: format!("{name} 1.0"),
            version: "1.0".to_owned(),
            kinds: padis_domain::package::PackageKind::ALL.to_vec(),
            form: padis_domain::stack::PackageForm::Tree,
            package_path: "/srv/site".to_owned(),
            port: 8080,
            log_path: "/var/log/app".to_owned(),
            health_path: "/".to_owned(),
            uid: 10001,
            min_mem_mib: 32,
            start_s: 2,
        };
        let repository = format!("stacks/{name}");
        let image = StackImage {
            image: format!("127.0.0.1:5000/{repository}@{digest}"),
            repository,
            tag: "1.0".to_owned(),
            digest,
            bytes: 12_000_000,
            created: "2026-01-01T00:00:00Z".to_owned(),
            contract,
            labels: BTreeMap::from([(format!("{LABEL_PREFIX}name"), name.to_owned())]),
        };
        self.put(image.clone());
        image
    }
    /// Removes every image with this digest.
    pub fn remove(&self, digest: &str) {
        lock(&self.images).retain(|i| i.digest != digest);
    }
}

#[async_trait]
impl Registry for FakeRegistry {
    async fn stacks(&self) -> PortResult<Vec<StackImage>> {
        self.faults.run("stacks", "", || Ok(lock(&self.images).clone())).await
    }
    async fn has(&self, repository: &str, digest: &str) -> PortResult<bool> {
        let look = || Ok(lock(&self.images).iter().any(|i| i.repository == repository && i.digest == digest));
        self.faults.run("has", &format!("{repository}@{digest}"), look).await
    }
    async fn ping(&self) -> PortResult<()> {
        self.faults.run("ping", "", || Ok(())).await
    }
}
