//! The Registry port on the Distribution API v2, and the registry that Padis
//! brings with it ([`RegistryChild`]).
//!
//! Only images whose labels hold a stack's contract matter. What one could get
//! wrong: asking for a manifest without naming the forms one understands (an old
//! registry then converts it to schema 1, with another digest); reading only the
//! first page of a catalog; asking for the same image again and again. What a
//! digest names never changes, so it is kept; a tag's digest is asked every time.

mod child;
mod fetch;
mod manifest;

pub use child::{RegistryChild, RegistryChildConfig, RegistryChildError};

use crate::http::Auth;
use async_trait::async_trait;
use fetch::{Fetch, digest_of};
use futures::{StreamExt, TryStreamExt};
use manifest::{Catalog, ImageConfig, MANIFEST_TYPES, Manifest, Tags};
use padis_domain::ports::{PortError, PortResult, Registry, StackImage};
use padis_domain::problem::System;
use padis_domain::stack::{Contract, LABEL_PREFIX};
use std::collections::{BTreeMap, HashMap};
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
    /// Who we are.
    pub auth: Auth,
    /// For one request.
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
            deadline: Duration::from_secs(10),
            page: 200,
        }
    }
}

/// What a digest names, as far as it matters; it never changes.
struct Image {
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
    images: Mutex<HashMap<(String, String), Arc<Image>>>,
}

impl RegistryClient {
    /// Nothing is contacted yet; an address that can't be one is `Refused`.
    pub fn new(config: &RegistryConfig) -> PortResult<Self> {
        let fetch = Fetch::new(&config.url, config.auth.clone(), config.deadline)?;
        Ok(Self { fetch, name: config.name.clone(), page: config.page.max(1), images: Mutex::default() })
    }

    async fn repositories(&self) -> PortResult<Vec<String>> {
        self.fetch
            .pages("list the repositories", &format!("/v2/_catalog?n={}", self.page), |c: Catalog| {
                c.repositories.unwrap_or_default()
            })
            .await
    }

    async fn tags(&self, repository: &str) -> PortResult<Vec<String>> {
        let what = format!("list the tags of {repository}");
        let path = format!("/v2/{repository}/tags/list?n={}", self.page);
        self.fetch.pages(&what, &path, |t: Tags| t.tags.unwrap_or_default()).await
    }

    async fn tag(&self, repository: &str, tag: &str) -> PortResult<Option<StackImage>> {
        let what = format!("read the manifest of {repository}:{tag}");
        let path = format!("/v2/{repository}/manifests/{tag}");
        let Some(digest) = self.fetch.head_digest(&what, &path, MANIFEST_TYPES).await? else { return Ok(None) };
        let Some(image) = self.image(repository, &digest).await? else { return Ok(None) };
        let Some(contract) = image.contract.clone() else { return Ok(None) };
        Ok(Some(StackImage {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            image: format!("{}/{repository}@{digest}", self.name),
            digest,
            bytes: image.bytes,
            created: image.created.clone(),
            contract,
            labels: image.labels.clone(),
        }))
    }

    fn known(&self, key: &(String, String)) -> Option<Arc<Image>> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    async fn image(&self, repository: &str, digest: &str) -> PortResult<Option<Arc<Image>>> {
        let key = (repository.to_owned(), digest.to_owned());
        if let Some(image) = self.known(&key) {
            return Ok(Some(image));
        }
        let Some(image) = self.read_image(repository, digest).await?.map(Arc::new) else { return Ok(None) };
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if images.len() >= KEPT {
            images.clear();
        }
        images.insert(key, Arc::clone(&image));
        Ok(Some(image))
    }

    /// `None` if it is gone meanwhile or is nothing that a Linux host could run.
    async fn read_image(&self, repository: &str, digest: &str) -> PortResult<Option<Image>> {
        let what = format!("read the image {repository}@{digest}");
        let Some(mut manifest) = self.manifest(&what, repository, digest).await? else { return Ok(None) };
        if let Some(list) = &manifest.manifests {
            let Some(entry) = list.iter().find(|m| m.runs_here()) else { return Ok(None) };
            let Some(inner) = self.manifest(&what, repository, &entry.digest.clone()).await? else { return Ok(None) };
            manifest = inner;
        }
        // Neither an image nor a list of images: a chart, a signature, schema 1.
        let Some(config) = manifest.config else { return Ok(None) };
        let path = format!("/v2/{repository}/blobs/{}", config.digest);
        let Some(body) = self.fetch.get(&what, &path, &[]).await? else { return Ok(None) };
        check(&what, &body, &config.digest)?;
        let Ok(config) = serde_json::from_slice::<ImageConfig>(&body) else { return Ok(None) };
        let labels = config.config.unwrap_or_default().labels.unwrap_or_default();
        let contract = labels.contains_key(&format!("{LABEL_PREFIX}name")).then(|| Contract::from_labels(&labels));
        let contract = match contract {
            Some(Err(label)) => {
                tracing::warn!(
                    image.repository = repository,
                    image.digest = digest,
                    "an image's contract is broken: its label {LABEL_PREFIX}{label} is missing or wrong"
                );
                None
            }
            other => other.and_then(Result::ok),
        };
        Ok(Some(Image {
            bytes: manifest.layers.iter().map(|l| l.size).sum(),
            created: config.created.unwrap_or_default(),
            labels,
            contract,
        }))
    }

    async fn manifest(&self, what: &str, repository: &str, digest: &str) -> PortResult<Option<Manifest>> {
        let path = format!("/v2/{repository}/manifests/{digest}");
        let Some(body) = self.fetch.get(what, &path, MANIFEST_TYPES).await? else { return Ok(None) };
        check(what, &body, digest)?;
        let manifest = serde_json::from_slice(&body);
        manifest.map(Some).map_err(|e| PortError::transient(System::Registry, format!("{what}: not understood"), e))
    }
}

/// A registry (or what stands before it) that gives other bytes than asked for must not be believed.
fn check(what: &str, body: &[u8], digest: &str) -> PortResult<()> {
    if !digest.starts_with("sha256:") || digest_of(body) == digest {
        return Ok(());
    }
    Err(PortError::transient(System::Registry, what, format!("the bytes received are not those of {digest}")))
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
        // Distribution 2.8 lists tags in any order; screens and tests want one.
        let mut stacks: Vec<StackImage> = images.into_iter().flatten().collect();
        stacks.sort_by(|a, b| (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag)));
        Ok(stacks)
    }

    async fn has(&self, repository: &str, digest: &str) -> PortResult<bool> {
        let what = format!("look for {repository}@{digest}");
        let path = format!("/v2/{repository}/manifests/{digest}");
        Ok(self.fetch.head_digest(&what, &path, MANIFEST_TYPES).await?.is_some())
    }

    async fn ping(&self) -> PortResult<()> {
        match self.fetch.get("ping", "/v2/", &[]).await? {
            Some(_) => Ok(()),
            None => Err(PortError::refused(System::Registry, "this address is no registry (it has no /v2/)")),
        }
    }
}
