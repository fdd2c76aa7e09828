//! Copies between registries in memory.
//!
//! As in the world, blobs come one by one and stay when a copy is stopped, the image is
//! visible only at its end, and somebody may move the tag meanwhile. Faults: `copy` for the
//! whole, `blob` for one blob (its key is the digest), `tag` for the end; `put_blob` and
//! `put_manifest` for what is brought.

use super::faults::Faults;
use super::registry::FakeRegistry;
use super::registry_put as put;
use async_trait::async_trait;
use futures::StreamExt;
use padis_domain::ports::{
    BlobSource, CopiedHow, CopyBlob, CopyFrom, CopyStep, CopyTo, ManifestBytes, PortError, PortResult, Transfer,
};
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

pub(super) fn refused(reason: String) -> PortError {
    PortError::refused(System::Registry, reason)
}

/// The tag names nothing, what it may name, or what is copied.
fn tag_is_free(target: &FakeRegistry, digest: &str, to: &CopyTo) -> PortResult<()> {
    match target.with(|s| s.tag(&to.repository, &to.tag).cloned()) {
        Some(now) if now != digest && to.instead_of.as_ref() != Some(&now) => Err(refused(format!(
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
            tag_is_free(&target, &from.digest, to)?;
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
            tag_is_free(&target, &from.digest, to)?;
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

    async fn put_blob(
        &self,
        to: &CopyTo,
        blob: &CopyBlob,
        from: Arc<dyn BlobSource>,
        tell: &(dyn Fn(u64) + Send + Sync),
    ) -> PortResult<CopiedHow> {
        let target = self.known(&to.registry)?;
        let key = (to.repository.clone(), blob.digest.clone());
        let there = self.faults.run("put_blob", &blob.digest, || Ok(target.with(|s| s.blobs.contains(&key)))).await?;
        if there {
            return Ok(CopiedHow::There);
        }
        let (mut all, mut pieces) = (Vec::new(), from.read(0));
        while let Some(piece) = pieces.next().await {
            all.extend(piece?);
            tell(all.len() as u64);
        }
        if target.with(|s| s.full) {
            return Err(refused("the registry's storage is full".to_owned()));
        }
        put::blob(&target, key, blob.bytes, all)?;
        Ok(CopiedHow::Streamed)
    }

    async fn put_manifest(&self, to: &CopyTo, manifest: &ManifestBytes, tagged: bool) -> PortResult<()> {
        let target = self.known(&to.registry)?;
        let named = || {
            if tagged {
                tag_is_free(&target, &manifest.digest, to)?;
            }
            put::manifest(&target, to, manifest, tagged)
        };
        self.faults.run("put_manifest", &manifest.digest, named).await
    }
}
