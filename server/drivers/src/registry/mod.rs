//! The Registry port on the Distribution API v2, copies from registry to registry
//! ([`Transfers`]), what frees the bytes that nothing names any more
//! ([`StorageCollector`]), and the registry that Padis brings with it ([`RegistryChild`]).
//!
//! What one could get wrong: asking for a manifest without naming the forms one
//! understands (an old registry then converts it to schema 1, with another digest);
//! reading only the first page of a catalog; asking for the same stack again and again.
//! What a digest names never changes, so what makes it a stack is kept; a tag's digest is
//! asked every time.

mod account;
mod blob;
mod child;
mod collect;
mod digest;
mod fetch;
mod image;
mod manifest;
mod transfer;

pub use child::{Notify, RegistryChild, RegistryChildConfig, RegistryChildError};
pub use collect::{StorageCollector, StorageConfig};
pub use transfer::Transfers;

use crate::http::Auth;
use async_trait::async_trait;
use digest::Hasher;
use fetch::{Fetch, unexpected};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use image::Found;
use manifest::{Catalog, MANIFEST_TYPES, Tags};
use padis_domain::ports::{CopyBlob, Image, ManifestBytes, PortError, PortResult, Registry, StackImage};
use padis_domain::problem::System;
use padis_domain::stack::{Contract, LABEL_PREFIX};
use reqwest::Method;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Questions that are asked at the same time.
const AT_ONCE: usize = 8;
/// Images that are remembered; beyond that, everything is asked anew.
const KEPT: usize = 10_000;

/// How to reach a registry.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Its address, `http://127.0.0.1:5000`.
    pub url: String,
    /// How engines call it in image references, `127.0.0.1:5000`.
    pub name: String,
    /// Who we are; with a registry that has a token server, also to that.
    pub auth: Auth,
    /// PEM file of the authorities that sign its certificate; else those of the machine.
    pub ca: Option<PathBuf>,
    /// For one request, and for the next piece of a stream.
    pub deadline: Duration,
    /// Names that are asked for at a time.
    pub page: u32,
}

impl RegistryConfig {
    /// A registry without TLS and without accounts at `name`, 10 s for a request, 200 names at a time.
    pub fn at(name: &str) -> Self {
        Self {
            url: format!("http://{name}"),
            name: name.to_owned(),
            auth: Auth::None,
            ca: None,
            deadline: Duration::from_secs(10),
            page: 200,
        }
    }
}

/// What makes a digest a stack, or not; it never changes.
struct Known {
    bytes: u64,
    created: String,
    labels: BTreeMap<String, String>,
    /// `None`: no stack, or a broken contract (which was logged).
    contract: Option<Contract>,
}

/// A registry.
pub struct RegistryClient {
    fetch: Fetch,
    name: String,
    page: u32,
    /// By repository and digest: whether we may see one says nothing about another repository.
    known: Mutex<HashMap<(String, String), Arc<Known>>>,
}

impl RegistryClient {
    /// Nothing is contacted yet; an address that can't be one, and a file of authorities that
    /// holds none, are `Refused`.
    pub fn new(config: &RegistryConfig) -> PortResult<Self> {
        let fetch = Fetch::new(&config.url, config.auth.clone(), config.deadline, config.ca.as_deref())?;
        Ok(Self { fetch, name: config.name.clone(), page: config.page.max(1), known: Mutex::default() })
    }

    async fn tag(&self, repository: &str, tag: &str) -> PortResult<Option<StackImage>> {
        let Some(digest) = self.digest(repository, tag).await? else { return Ok(None) };
        let Some(known) = self.known(repository, &digest).await? else { return Ok(None) };
        let Some(contract) = known.contract.clone() else { return Ok(None) };
        Ok(Some(StackImage {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            image: format!("{}/{repository}@{digest}", self.name),
            digest,
            bytes: known.bytes,
            created: known.created.clone(),
            contract,
            labels: known.labels.clone(),
        }))
    }

    async fn known(&self, repository: &str, digest: &str) -> PortResult<Option<Arc<Known>>> {
        let key = (repository.to_owned(), digest.to_owned());
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Some(Arc::clone(known)));
        }
        let known = match self.read_image(repository, digest).await? {
            Found::Nothing => return Ok(None),
            Found::Broken(why) => {
                tracing::warn!(image.repository = repository, image.digest = digest, "an image is left out: {why}");
                Known { bytes: 0, created: String::new(), labels: BTreeMap::new(), contract: None }
            }
            Found::Image(image) => stack(repository, *image),
        };
        let known = Arc::new(known);
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(key, Arc::clone(&known));
        Ok(Some(known))
    }
}

fn stack(repository: &str, image: Image) -> Known {
    // An index without an image for hosts here is no stack; what a single one says of its platform is
    // its maker's word alone, and engines run it.
    let list = image.media_type.contains(".index.") || image.media_type.contains(".list.");
    let here = image.runs_here || !list;
    let named = here && image.labels.get(&format!("{LABEL_PREFIX}name")).is_some_and(|n| !n.is_empty());
    let contract = named.then(|| Contract::from_labels(&image.labels));
    let contract = match contract {
        Some(Err(label)) => {
            tracing::warn!(
                image.repository = repository,
                image.digest = image.digest,
                "an image's contract is broken: its label {LABEL_PREFIX}{label} is missing or wrong"
            );
            None
        }
        other => other.and_then(Result::ok),
    };
    Known { bytes: image.bytes, created: image.created, labels: image.labels, contract }
}

/// A repository, tag or digest that can stand in an address as it is. One with other
/// characters is none that a registry holds, and could lead elsewhere (`..`).
fn named(name: &str) -> PortResult<&str> {
    let part = |p: &str| {
        !p.is_empty()
            && p != "."
            && p != ".."
            && p.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':'))
    };
    if name.len() <= 255 && name.split('/').all(part) {
        return Ok(name);
    }
    let shown = crate::http::excerpt(name);
    Err(PortError::refused(System::Registry, format!("{shown:?} is no name that a registry can hold")))
}

/// A digest that can be compared: a tag in its place may be another image tomorrow.
fn by_digest(digest: &str) -> PortResult<&str> {
    let shown = crate::http::excerpt(digest);
    let refusal = || PortError::refused(System::Registry, format!("{shown:?} is no digest that can be compared"));
    Hasher::of(digest).map(|_| digest).ok_or_else(refusal)
}

#[async_trait]
impl Registry for RegistryClient {
    async fn stacks(&self) -> PortResult<Vec<StackImage>> {
        let repositories = self.repositories().await?;
        let tags: Vec<Vec<(String, String)>> =
            futures::stream::iter(repositories)
                .map(|r| async move {
                    Ok::<_, PortError>(self.tags(&r).await?.into_iter().map(|t| (r.clone(), t)).collect())
                })
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
        let images: Vec<Option<StackImage>> = futures::stream::iter(tags.into_iter().flatten())
            .map(|(repository, tag)| async move { self.tag(&repository, &tag).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let mut stacks: Vec<StackImage> = images.into_iter().flatten().collect();
        stacks.sort_by(|a, b| (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag)));
        Ok(stacks)
    }

    async fn has(&self, repository: &str, digest: &str) -> PortResult<bool> {
        Ok(self.digest(repository, digest).await?.is_some())
    }

    async fn ping(&self) -> PortResult<()> {
        match self.fetch.get("ping", "/v2/", &[], "").await? {
            Some(_) => Ok(()),
            None => Err(PortError::refused(System::Registry, "this address is no registry (it has no /v2/)")),
        }
    }

    async fn repositories(&self) -> PortResult<Vec<String>> {
        let what = "list the repositories";
        let path = format!("/v2/_catalog?n={}", self.page);
        let pages = self.fetch.pages(what, &path, account::CATALOG, |c: Catalog| c.repositories.unwrap_or_default());
        let Some(mut found) = pages.await? else {
            return Err(PortError::refused(System::Registry, "this registry does not tell which repositories it has"));
        };
        found.sort();
        Ok(found)
    }

    async fn tags(&self, repository: &str) -> PortResult<Vec<String>> {
        let what = format!("list the tags of {repository}");
        let path = format!("/v2/{}/tags/list?n={}", named(repository)?, self.page);
        let scope = account::pull(repository);
        let pages = self.fetch.pages(&what, &path, &scope, |t: Tags| t.tags.unwrap_or_default());
        // Distribution 2.8 lists tags in any order; screens and tests want one.
        let mut found = pages.await?.unwrap_or_default();
        found.sort();
        Ok(found)
    }

    async fn digest(&self, repository: &str, tag: &str) -> PortResult<Option<String>> {
        let what = format!("ask which image {repository}:{tag} is");
        let path = format!("/v2/{}/manifests/{}", named(repository)?, named(tag)?);
        self.fetch.head_digest(&what, &path, MANIFEST_TYPES, &account::pull(repository)).await
    }

    async fn image(&self, repository: &str, digest: &str) -> PortResult<Option<Image>> {
        match self.read_image(named(repository)?, by_digest(digest)?).await? {
            Found::Nothing => Ok(None),
            Found::Image(image) => Ok(Some(*image)),
            Found::Broken(why) => {
                Err(PortError::refused(System::Registry, format!("{repository}@{digest} can't be shown: {why}")))
            }
        }
    }

    fn blob<'a>(&'a self, repository: &'a str, blob: &'a CopyBlob) -> BoxStream<'a, PortResult<Vec<u8>>> {
        self.read_blob(repository, blob)
    }

    async fn manifests(&self, repository: &str, digest: &str) -> PortResult<Vec<ManifestBytes>> {
        transfer::manifests(self, named(repository)?, by_digest(digest)?).await
    }

    async fn delete(&self, repository: &str, digest: &str) -> PortResult<()> {
        let what = format!("take {repository}@{digest} away");
        let path = format!("/v2/{}/manifests/{}", named(repository)?, by_digest(digest)?);
        let scope = account::delete(repository);
        let answer = self.fetch.send(&self.fetch.ask(&what, Method::DELETE, &path, &scope)?).await?;
        let status = answer.status();
        let body = self.fetch.read(&what, answer).await?;
        match status.as_u16() {
            200..=299 | 404 => Ok(()),
            405 | 501 => Err(PortError::Refused {
                system: System::Registry,
                reason: "this registry does not let images be deleted (its setting storage.delete.enabled)".to_owned(),
                cause: Some(format!("HTTP {status}").into()),
            }),
            _ => Err(unexpected(&what, status, &body, true)),
        }
    }
}
