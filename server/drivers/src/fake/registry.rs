//! A registry in memory.
//!
//! It holds manifests by digest and tags that name them, as a real one does: a tag that is
//! put again leaves the former image there without a tag, and deleting a digest takes every
//! tag that names it.

use super::faults::{Faults, lock};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use padis_domain::ports::{CopyBlob, Image, ManifestBytes, PortError, PortResult, Registry, StackImage};
use padis_domain::problem::System;
use padis_domain::stack::{Contract, LABEL_PREFIX};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// (repository, tag or digest)
type Key = (String, String);

/// One manifest.
#[derive(Clone)]
pub(super) struct Held {
    pub image: Image,
    /// If it carries a contract: what [`Registry::stacks`] tells of it.
    pub stack: Option<StackImage>,
    pub blobs: Vec<CopyBlob>,
    /// If somebody put it there with its bytes: they, and the digests of manifests that it names.
    pub bytes: Option<(Vec<u8>, Vec<String>)>,
}

#[derive(Default)]
pub(super) struct Shelf {
    pub manifests: BTreeMap<Key, Held>,
    pub tags: BTreeMap<Key, String>,
    pub blobs: BTreeSet<Key>,
    /// What those are made of that somebody put there with their bytes, by digest.
    pub bytes: BTreeMap<String, Vec<u8>>,
    /// Whether its storage takes nothing more.
    pub full: bool,
    deletes_nothing: bool,
}

impl Shelf {
    pub(super) fn manifest(&self, repository: &str, digest: &str) -> Option<&Held> {
        self.manifests.get(&(repository.to_owned(), digest.to_owned()))
    }
    pub(super) fn tag(&self, repository: &str, tag: &str) -> Option<&String> {
        self.tags.get(&(repository.to_owned(), tag.to_owned()))
    }
    pub(super) fn put(&mut self, repository: &str, tag: &str, held: Held) {
        let digest = held.image.digest.clone();
        self.blobs.extend(held.blobs.iter().map(|b| (repository.to_owned(), b.digest.clone())));
        self.tags.insert((repository.to_owned(), tag.to_owned()), digest.clone());
        self.manifests.insert((repository.to_owned(), digest), held);
    }
    fn take(&mut self, gone: impl Fn(&Key) -> bool) {
        self.manifests.retain(|key, _| !gone(key));
        self.tags.retain(|(repository, _), digest| !gone(&(repository.clone(), digest.clone())));
    }
}

/// Images, by repository, digest and tag.
pub struct FakeRegistry {
    faults: Faults,
    shelf: Mutex<Shelf>,
}

impl Default for FakeRegistry {
    fn default() -> Self {
        Self { faults: Faults::new(System::Registry), shelf: Mutex::default() }
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
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Shelf) -> T) -> T {
        f(&mut lock(&self.shelf))
    }
    /// Adds or replaces (same repository and tag) a stack.
    pub fn put(&self, stack: StackImage) {
        let image = Image {
            digest: stack.digest.clone(),
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            platforms: vec!["linux/amd64".to_owned()],
            runs_here: true,
            bytes: stack.bytes,
            created: stack.created.clone(),
            labels: stack.labels.clone(),
            ..Image::default()
        };
        let blobs = blobs(&image);
        let (repository, tag) = (stack.repository.clone(), stack.tag.clone());
        self.with(|s| s.put(&repository, &tag, Held { image, stack: Some(stack), blobs, bytes: None }));
    }
    /// Adds or replaces (same repository and tag) an image that is no stack. Its blobs are the
    /// layers that its steps name, and a configuration.
    pub fn put_image(&self, repository: &str, tag: &str, image: Image) {
        let blobs = blobs(&image);
        self.with(|s| s.put(repository, tag, Held { image, stack: None, blobs, bytes: None }));
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
    /// Gives a blob its bytes, whatever they are: an image that names the digest has it.
    pub fn put_bytes(&self, digest: &str, bytes: Vec<u8>) {
        self.with(|s| s.bytes.insert(digest.to_owned(), bytes));
    }
    /// Removes every image with this digest.
    pub fn remove(&self, digest: &str) {
        self.with(|s| s.take(|(_, d)| d == digest));
    }
    /// Loses a blob in every repository; manifests go on naming it.
    pub fn lose_blob(&self, digest: &str) {
        self.with(|s| s.blobs.retain(|(_, d)| d != digest));
    }
    /// From now on its storage takes nothing more, or does again.
    pub fn set_full(&self, full: bool) {
        self.with(|s| s.full = full);
    }
    /// From now on it does not let anybody delete, or does again.
    pub fn set_deletes(&self, deletes: bool) {
        self.with(|s| s.deletes_nothing = !deletes);
    }
    /// Blobs of a repository.
    pub fn blobs(&self, repository: &str) -> Vec<String> {
        self.with(|s| s.blobs.iter().filter(|(r, _)| r == repository).map(|(_, d)| d.clone()).collect())
    }
}

/// `sha256:…` of some bytes.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

/// Its layers, each once, and a configuration, whose digest here is made from the image's.
pub(super) fn blobs(image: &Image) -> Vec<CopyBlob> {
    let hex = image.digest.trim_start_matches("sha256:").chars().rev().collect::<String>();
    let mut out = vec![CopyBlob { digest: format!("sha256:{hex}"), bytes: 1024 }];
    for (digest, bytes) in image.steps.iter().filter_map(|s| s.layer.clone()) {
        if !out.iter().any(|b| b.digest == digest) {
            out.push(CopyBlob { digest, bytes });
        }
    }
    out
}

/// A manifest of an image that was put there without one.
fn made_up(held: &Held) -> Vec<u8> {
    let line = |b: &CopyBlob| format!("{{\"digest\":\"{}\",\"size\":{}}}", b.digest, b.bytes);
    let layers = held.blobs.iter().skip(1).map(line).collect::<Vec<_>>().join(",");
    let config = held.blobs.first().map(line).unwrap_or_default();
    format!("{{\"schemaVersion\":2,\"config\":{config},\"layers\":[{layers}]}}").into_bytes()
}

#[async_trait]
impl Registry for FakeRegistry {
    async fn stacks(&self) -> PortResult<Vec<StackImage>> {
        let look = |s: &mut Shelf| {
            let named = s.tags.iter().filter_map(|((repository, tag), digest)| {
                let stack = s.manifest(repository, digest)?.stack.clone()?;
                Some(StackImage { tag: tag.clone(), ..stack })
            });
            named.collect()
        };
        self.faults.run("stacks", "", || Ok(self.with(look))).await
    }
    async fn has(&self, repository: &str, digest: &str) -> PortResult<bool> {
        let look = || Ok(self.with(|s| s.manifest(repository, digest).is_some()));
        self.faults.run("has", &format!("{repository}@{digest}"), look).await
    }
    async fn ping(&self) -> PortResult<()> {
        self.faults.run("ping", "", || Ok(())).await
    }
    async fn repositories(&self) -> PortResult<Vec<String>> {
        // A real one goes on naming a repository whose last image is gone; nobody may count on either.
        let look = |s: &mut Shelf| s.manifests.keys().map(|(r, _)| r.clone()).collect::<BTreeSet<_>>();
        self.faults.run("repositories", "", || Ok(self.with(look).into_iter().collect())).await
    }
    async fn tags(&self, repository: &str) -> PortResult<Vec<String>> {
        let look = |s: &mut Shelf| s.tags.keys().filter(|(r, _)| r == repository).map(|(_, t)| t.clone()).collect();
        self.faults.run("tags", repository, || Ok(self.with(look))).await
    }
    async fn digest(&self, repository: &str, tag: &str) -> PortResult<Option<String>> {
        let look = || Ok(self.with(|s| s.tag(repository, tag).cloned()));
        self.faults.run("digest", &format!("{repository}:{tag}"), look).await
    }
    async fn image(&self, repository: &str, digest: &str) -> PortResult<Option<Image>> {
        let look = || {
            let Some(held) = self.with(|s| s.manifest(repository, digest).cloned()) else { return Ok(None) };
            let configuration = held.blobs.first().map(|b| (repository.to_owned(), b.digest.clone()));
            if configuration.is_some_and(|c| !self.with(|s| s.blobs.contains(&c))) {
                let reason = format!("{repository}@{digest} can't be shown: its configuration is not there");
                return Err(PortError::refused(System::Registry, reason));
            }
            Ok(Some(held.image))
        };
        self.faults.run("image", &format!("{repository}@{digest}"), look).await
    }
    fn blob<'a>(&'a self, repository: &'a str, blob: &'a CopyBlob) -> BoxStream<'a, PortResult<Vec<u8>>> {
        let refused = |why: String| Err(PortError::refused(System::Registry, why));
        let look = move || {
            let key = (repository.to_owned(), blob.digest.clone());
            let bytes = self.with(|s| s.bytes.get(&blob.digest).filter(|_| s.blobs.contains(&key)).cloned());
            let Some(bytes) = bytes else { return refused(format!("{} is not there", blob.digest)) };
            if bytes.len() as u64 != blob.bytes || digest_of(&bytes) != blob.digest {
                return refused(format!("the bytes are not those of {}", blob.digest));
            }
            Ok(bytes)
        };
        let called = format!("{repository}@{}", blob.digest);
        stream::once(async move { self.faults.run("blob", &called, look).await }).boxed()
    }
    async fn manifests(&self, repository: &str, digest: &str) -> PortResult<Vec<ManifestBytes>> {
        let look = || {
            self.with(|s| {
                let mut out: Vec<ManifestBytes> = Vec::new();
                let mut waiting = vec![digest.to_owned()];
                while let Some(digest) = waiting.pop() {
                    let gone = || PortError::refused(System::Registry, format!("{digest} is not there"));
                    let held = s.manifest(repository, &digest).ok_or_else(gone)?;
                    let (bytes, named) = held.bytes.clone().unwrap_or_else(|| (made_up(held), Vec::new()));
                    out.retain(|m| m.digest != digest);
                    let media_type = held.image.media_type.clone();
                    out.push(ManifestBytes { digest, media_type, bytes, blobs: held.blobs.clone() });
                    waiting.extend(named);
                }
                out.reverse();
                Ok(out)
            })
        };
        self.faults.run("manifests", &format!("{repository}@{digest}"), look).await
    }
    async fn delete(&self, repository: &str, digest: &str) -> PortResult<()> {
        let take = || {
            self.with(|s| {
                if s.deletes_nothing {
                    let reason = "this registry does not let images be deleted";
                    return Err(PortError::refused(System::Registry, reason));
                }
                s.take(|(r, d)| r == repository && d == digest);
                Ok(())
            })
        };
        self.faults.run("delete", &format!("{repository}@{digest}"), take).await
    }
}
