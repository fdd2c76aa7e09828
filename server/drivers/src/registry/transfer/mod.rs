//! Copies from registry to registry: the blobs that the target lacks, several at a time,
//! then the manifests, then the tag.
//!
//! Memory does not grow with size: a blob is a stream from one side to the other, its
//! digest computed on the way ([`flow`]) and compared before the target is told to keep it
//! ([`upload`]). A source that breaks is asked for the rest ([`source`]), a target how far
//! it has come. What one could get wrong: putting a manifest before all blobs of the whole
//! tree are there, so that a copy that is stopped leaves half an image; putting other bytes
//! of a manifest than those that were read, so that it has another digest; looking at the
//! tag only at the beginning of a copy that takes an hour.

mod flow;
mod source;
mod tree;
mod upload;

pub(super) use source::Source;

use super::fetch::{Ask, unexpected};
use super::manifest::MANIFEST_TYPES;
use super::{RegistryClient, account, by_digest, named};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use padis_domain::ports::{
    BlobSource, CopiedHow, CopyBlob, CopyFrom, CopyStep, CopyTo, ManifestBytes, PortError, PortResult, Transfer,
};
use padis_domain::problem::System;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use source::Origin;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Blobs that flow at the same time, as many as other tools take.
const AT_ONCE: usize = 6;
/// Attempts in a row that brought nothing further, before a copy gives up.
const FRUITLESS: u32 = 5;

/// What a copy tells while it goes on.
type Tell<'a> = &'a (dyn Fn(CopyStep) + Send + Sync);

/// The [`Transfer`] port between registries that are known by name.
pub struct Transfers {
    registries: BTreeMap<String, Arc<RegistryClient>>,
}

/// One target of blobs and manifests.
struct Push<'a> {
    target: &'a Arc<RegistryClient>,
    to: &'a CopyTo,
    /// What a token for it has to allow.
    scope: String,
    tell: Tell<'a>,
}

impl Transfers {
    /// Between these, by the names that they have in the configuration.
    pub fn new(registries: BTreeMap<String, Arc<RegistryClient>>) -> Self {
        Self { registries }
    }

    fn registry(&self, name: &str) -> PortResult<&Arc<RegistryClient>> {
        let unknown = || refused(format!("no registry with the name {:?} is configured", crate::http::excerpt(name)));
        self.registries.get(name).ok_or_else(unknown)
    }

    /// To where `to` says.
    fn push<'a>(&'a self, to: &'a CopyTo, tell: Tell<'a>) -> PortResult<Push<'a>> {
        let target = self.registry(&to.registry)?;
        named(&to.repository)?;
        named(&to.tag)?;
        Ok(Push { target, to, scope: account::push(&to.repository), tell })
    }
}

/// All manifests of a digest; the one that was asked for is the last.
pub(super) async fn manifests(
    source: &RegistryClient,
    repository: &str,
    digest: &str,
) -> PortResult<Vec<ManifestBytes>> {
    tree::read(source, repository, digest).await
}

#[async_trait]
impl Transfer for Transfers {
    async fn copy(&self, from: &CopyFrom, to: &CopyTo, tell: Tell<'_>) -> PortResult<()> {
        let source = self.registry(&from.registry)?;
        let mut push = self.push(to, tell)?;
        named(&from.repository)?;
        by_digest(&from.digest)?;
        let mount = (Arc::ptr_eq(source, push.target) && from.repository != to.repository).then_some(&*from.repository);
        if mount.is_some() {
            // A mount reads there.
            push.scope = format!("{} {}", push.scope, account::pull(&from.repository));
        }
        // Now, so that nothing is sent in vain, and again at the end.
        patiently(|| push.tag_is_free(&from.digest)).await?;
        let nodes = tree::read(source, &from.repository, &from.digest).await?;
        let blobs = tree::blobs(&nodes);
        tell(CopyStep::Blobs(blobs.clone()));
        let mut largest_first = blobs;
        largest_first.sort_by_key(|b| std::cmp::Reverse(b.bytes));
        let push = &push;
        let flows = futures::stream::iter(largest_first.into_iter().map(|blob| async move {
            let (registry, repository) = (Arc::clone(source), from.repository.clone());
            let origin = Origin::Registry(Arc::new(Source { registry, repository, blob: blob.clone() }));
            let how = push.blob(&blob, &origin, mount).await?;
            tell(CopyStep::Blob { digest: blob.digest, how });
            Ok::<_, PortError>(())
        }));
        flows.buffer_unordered(AT_ONCE).try_for_each(|()| async { Ok(()) }).await?;
        let Some((top, children)) = nodes.split_last() else { return Err(refused("nothing to copy")) };
        for child in children {
            patiently(|| push.put(child, &child.digest)).await?;
        }
        patiently(|| push.tag_is_free(&from.digest)).await?;
        push.put(top, &to.tag).await
    }

    async fn put_blob(
        &self,
        to: &CopyTo,
        blob: &CopyBlob,
        from: Arc<dyn BlobSource>,
        tell: &(dyn Fn(u64) + Send + Sync),
    ) -> PortResult<CopiedHow> {
        by_digest(&blob.digest)?;
        let told = |step: CopyStep| {
            if let CopyStep::Bytes { at, .. } = step {
                tell(at);
            }
        };
        self.push(to, &told)?.blob(blob, &Origin::Here(from), None).await
    }

    async fn put_manifest(&self, to: &CopyTo, manifest: &ManifestBytes, tagged: bool) -> PortResult<()> {
        by_digest(&manifest.digest)?;
        let push = self.push(to, &|_| ())?;
        if !tagged {
            return patiently(|| push.put(manifest, &manifest.digest)).await;
        }
        patiently(|| push.tag_is_free(&manifest.digest)).await?;
        push.put(manifest, &to.tag).await
    }
}

impl Push<'_> {
    /// The tag names nothing, what it may name, or what is to be put.
    async fn tag_is_free(&self, digest: &str) -> PortResult<()> {
        let (repository, tag) = (&self.to.repository, &self.to.tag);
        let what = format!("ask which image {repository}:{tag} is");
        let path = format!("/v2/{repository}/manifests/{tag}");
        match self.target.fetch.head_digest(&what, &path, MANIFEST_TYPES, &self.scope).await? {
            Some(now) if now != digest && self.to.instead_of.as_ref() != Some(&now) => {
                Err(refused(format!("{repository}:{tag} is another image meanwhile ({now}): somebody has moved it")))
            }
            _ => Ok(()),
        }
    }

    /// Puts a manifest by its digest or tag: its exact bytes.
    async fn put(&self, node: &ManifestBytes, reference: &str) -> PortResult<()> {
        let what = format!("put the manifest {}:{reference}", self.to.repository);
        let fetch = &self.target.fetch;
        let path = format!("/v2/{}/manifests/{reference}", self.to.repository);
        let ask = Ask {
            headers: vec![(CONTENT_TYPE, node.media_type.clone())],
            body: node.bytes.clone().into(),
            ..fetch.ask(&what, Method::PUT, &path, &self.scope)?
        };
        let answer = fetch.send(&ask).await?;
        let status = answer.status();
        if status.is_success() {
            let kept = answer.headers().get("docker-content-digest").and_then(|d| d.to_str().ok());
            return match kept {
                Some(kept) if kept != node.digest => {
                    Err(refused(format!("the target has made another manifest ({kept}) of {}", node.digest)))
                }
                _ => Ok(()),
            };
        }
        let body = fetch.read(&what, answer).await?;
        let text = crate::http::excerpt(&String::from_utf8_lossy(&body));
        match status.as_u16() {
            // Taken away in the moment between: the next copy sends it again.
            _ if text.contains("BLOB_UNKNOWN") => {
                Err(PortError::transient(System::Registry, what, format!("HTTP {status}: {text}")))
            }
            400 | 404 | 405 | 409 | 413 | 415 | 422 => Err(PortError::Refused {
                system: System::Registry,
                reason: "the target does not take this image's manifest".to_owned(),
                cause: Some(format!("{what}: HTTP {status}: {text}").into()),
            }),
            _ => Err(unexpected(&what, status, &body, true)),
        }
    }
}

fn refused(reason: impl Into<String>) -> PortError {
    PortError::refused(System::Registry, reason)
}

/// Asks once more, and again, what fails for now and does no harm when it is done twice.
async fn patiently<T, F: Future<Output = PortResult<T>>>(ask: impl Fn() -> F) -> PortResult<T> {
    let mut failed = 0;
    loop {
        match ask().await {
            Err(error) if failed < 2 && !matches!(error, PortError::Refused { .. }) => {
                failed += 1;
                tracing::debug!("asked again: {}", error.chain());
                pause(failed).await;
            }
            outcome => return outcome,
        }
    }
}

/// Before attempt `n` (1: the second one): a moment, longer each time.
async fn pause(n: u32) {
    tokio::time::sleep(Duration::from_millis(50 << n.min(5))).await;
}
