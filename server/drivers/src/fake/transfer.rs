//! Copies between registries in memory.
//!
//! As in the world, blobs come one by one and stay when a copy is stopped, the image is
//! visible only at its end, and somebody may move the tag meanwhile. Faults: `copy` for the
//! whole, `blob` for one blob (its key is the digest), `tag` for the end.

use super::faults::Faults;
use super::registry::FakeRegistry;
use async_trait::async_trait;
use padis_domain::ports::{CopiedHow, CopyFrom, CopyStep, CopyTo, PortError, PortResult, Transfer};
use padis_domain::problem::System;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Copies between these.
pub struct FakeTransfer {
    faults: Faults,
    registries: BTreeMap<String, Arc<FakeRegistry>>,
}

impl FakeTransfer {
    /// Between these, by the names that they have in the configuration.
    pub fn new(registries: BTreeMap<String, Arc<FakeRegistry>>) -> Self {
        Self { faults: Faults::new(System::Registry), registries }
    }
    /// Its faults and calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
    /// One of its registries.
    pub fn registry(&self, name: &str) -> Option<Arc<FakeRegistry>> {
        self.registries.get(name).cloned()
    }
    fn known(&self, name: &str) -> PortResult<Arc<FakeRegistry>> {
        self.registry(name).ok_or_else(|| refused(format!("no registry with the name {name:?} is configured")))
    }
}

fn refused(reason: String) -> PortError {
    PortError::refused(System::Registry, reason)
}

/// The tag names nothing, what it may name, or what is copied.
fn tag_is_free(target: &FakeRegistry, from: &CopyFrom, to: &CopyTo) -> PortResult<()> {
    match target.with(|s| s.tag(&to.repository, &to.tag).cloned()) {
        Some(now) if now != from.digest && to.instead_of.as_ref() != Some(&now) => Err(refused(format!(
            "{}:{} is another image meanwhile ({now}): somebody has moved it",
            to.repository, to.tag
        ))),
        _ => Ok(()),
    }
}

#[async_trait]
impl Transfer for FakeTransfer {
    async fn copy(&self, from: &CopyFrom, to: &CopyTo, tell: &(dyn Fn(CopyStep) + Send + Sync)) -> PortResult<()> {
        let key = format!("{}/{} {}/{}", from.registry, from.repository, to.registry, to.repository);
        let begun = || {
            let (source, target) = (self.known(&from.registry)?, self.known(&to.registry)?);
            tag_is_free(&target, from, to)?;
            let held = source.with(|s| s.manifest(&from.repository, &from.digest).cloned());
            let gone = || refused(format!("{}@{} is not in the source", from.repository, from.digest));
            let held = held.ok_or_else(gone)?;
            tell(CopyStep::Blobs(held.blobs.clone()));
            Ok((source, target, held))
        };
        let (source, target, held) = self.faults.run("copy", &key, begun).await?;
        for blob in &held.blobs {
            let digest = blob.digest.clone();
            let bring = || {
                let at = |repository: &str| (repository.to_owned(), digest.clone());
                let how = if target.with(|s| s.blobs.contains(&at(&to.repository))) {
                    CopiedHow::There
                } else if !source.with(|s| s.blobs.contains(&at(&from.repository))) {
                    return Err(refused(format!("the image names {digest}, which is not in the source")));
                } else if Arc::ptr_eq(&source, &target) {
                    CopiedHow::Mounted
                } else if target.with(|s| s.full) {
                    return Err(refused("the registry's storage is full".to_owned()));
                } else {
                    tell(CopyStep::Bytes { digest: digest.clone(), at: blob.bytes });
                    CopiedHow::Streamed
                };
                target.with(|s| s.blobs.insert(at(&to.repository)));
                Ok(how)
            };
            let how = self.faults.run("blob", &blob.digest, bring).await?;
            tell(CopyStep::Blob { digest: blob.digest.clone(), how });
        }
        let named = || {
            tag_is_free(&target, from, to)?;
            target.with(|s| {
                let mut held = held.clone();
                if let Some(stack) = &mut held.stack {
                    let host = stack.image.split('/').next().unwrap_or_default().to_owned();
                    stack.image = format!("{host}/{}@{}", to.repository, from.digest);
                    stack.repository.clone_from(&to.repository);
                    stack.tag.clone_from(&to.tag);
                }
                s.put(&to.repository, &to.tag, held);
            });
            Ok(())
        };
        self.faults.run("tag", &format!("{}:{}", to.repository, to.tag), named).await
    }
}
