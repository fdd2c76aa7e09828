//! A version as one file, streamed from the registry: at once an OCI image layout
//! (`oci-layout`, `index.json`, `blobs/…`) and what `docker load` takes (`manifest.json`).
//!
//! All sizes stand in the manifests, so the length is known before the first layer is read,
//! and the order and the headers are always the same. What one could get wrong: to end well
//! when a layer's digest differs. The bytes of a layer are believed at its end only, when
//! most of them have gone out already, so the whole breaks off there instead.

use super::words::{Configuration, Document, IMAGE_NAME, REF_NAME, Saved, blob_path};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use padis_domain::ports::{CopyBlob, ManifestBytes, PortError, PortResult, Registry};
use padis_domain::problem::System;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Bytes of a block, and of the two that end an archive.
const BLOCK: u64 = 512;
const END: u64 = 2 * BLOCK;
/// Pieces between the registry and whoever downloads.
const PIECES: usize = 4;
/// Bytes of a configuration that is looked into for its platform.
const MAX_CONFIG: u64 = 4 << 20;

enum Body {
    Folder,
    Bytes(Vec<u8>),
    Blob(CopyBlob),
}

/// What goes out, in its order.
pub struct Export {
    registry: Arc<dyn Registry>,
    repository: String,
    entries: Vec<(String, Body)>,
}

fn refused(why: String) -> PortError {
    PortError::refused(System::Registry, why)
}

impl Export {
    /// Reads what the version consists of. `name` is the image's with the registry's address
    /// before it, as engines call it: `registry.bank/tools/nginx`.
    pub async fn of(
        registry: Arc<dyn Registry>,
        (repository, name, tag): (&str, &str, &str),
        digest: &str,
    ) -> PortResult<Self> {
        let manifests = registry.manifests(repository, digest).await?;
        let Some(top) = manifests.last() else { return Err(refused(format!("{digest} is not there"))) };
        let whole = format!("{name}:{tag}");
        let index = json!({"schemaVersion": 2, "manifests": [{
            "mediaType": top.media_type, "digest": top.digest, "size": top.bytes.len(),
            "annotations": {(IMAGE_NAME): whole, (REF_NAME): tag},
        }]});
        let mut entries = vec![
            ("oci-layout".to_owned(), Body::Bytes(br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())),
            ("index.json".to_owned(), Body::Bytes(index.to_string().into_bytes())),
        ];
        if let Some(saved) = saved(&*registry, repository, &manifests, &whole).await? {
            let text = serde_json::to_vec(&[saved]).map_err(|e| refused(e.to_string()))?;
            entries.push(("manifest.json".to_owned(), Body::Bytes(text)));
        }
        entries.push(("blobs/".to_owned(), Body::Folder));
        let (mut blobs, mut held) = (Vec::new(), BTreeSet::new());
        for manifest in manifests.iter().rev() {
            let path = path(&manifest.digest)?;
            if held.insert(path.clone()) {
                blobs.push((path, Body::Bytes(manifest.bytes.clone())));
            }
        }
        for blob in manifests.iter().flat_map(|m| &m.blobs) {
            let path = path(&blob.digest)?;
            if held.insert(path.clone()) {
                blobs.push((path, Body::Blob(blob.clone())));
            }
        }
        let kinds: BTreeSet<&str> = held.iter().filter_map(|p| p.rsplit_once('/')).map(|(folder, _)| folder).collect();
        entries.extend(kinds.into_iter().map(|kind| (format!("{kind}/"), Body::Folder)));
        entries.extend(blobs);
        Ok(Self { registry, repository: repository.to_owned(), entries })
    }

    /// Bytes of all of it.
    pub fn bytes(&self) -> u64 {
        let one = |(_, body): &(String, Body)| BLOCK + size(body).next_multiple_of(BLOCK);
        self.entries.iter().map(one).sum::<u64>() + END
    }

    /// All of it, from the first byte to the last; an error is the last item. What fails is
    /// logged here, because whoever downloads only sees that it broke off.
    pub fn stream(self) -> BoxStream<'static, PortResult<Vec<u8>>> {
        let (to, from) = mpsc::channel(PIECES);
        tokio::spawn(async move {
            let repository = self.repository.clone();
            match self.send(&to).await {
                // Nobody listens any more: given up by whoever downloads.
                Ok(true) | Ok(false) => {}
                Err(e) => {
                    tracing::warn!(image.repository = repository, cause = %e.chain(), "a download broke off");
                    let _gone = to.send(Some(Err(e))).await;
                }
            }
        });
        // Ended is what has said so: a task that is gone has not.
        stream::unfold(Some(from), |from| async move {
            let mut from = from?;
            match from.recv().await {
                Some(Some(Ok(piece))) => Some((Ok(piece), Some(from))),
                Some(Some(Err(e))) => Some((Err(e), None)),
                Some(None) => None,
                None => Some((Err(refused("a download ended early".to_owned())), None)),
            }
        })
        .boxed()
    }

    /// `false`: nobody listens.
    async fn send(self, to: &mpsc::Sender<Option<PortResult<Vec<u8>>>>) -> PortResult<bool> {
        for (path, body) in &self.entries {
            let bytes = size(body);
            if to.send(Some(Ok(header(path, bytes)?))).await.is_err() {
                return Ok(false);
            }
            match body {
                Body::Folder => {}
                Body::Bytes(all) => {
                    if to.send(Some(Ok(all.clone()))).await.is_err() {
                        return Ok(false);
                    }
                }
                Body::Blob(blob) => {
                    let (mut pieces, mut sent) = (self.registry.blob(&self.repository, blob), 0);
                    while let Some(piece) = pieces.next().await {
                        let piece = piece?;
                        sent += piece.len() as u64;
                        if to.send(Some(Ok(piece))).await.is_err() {
                            return Ok(false);
                        }
                    }
                    if sent != bytes {
                        return Err(refused(format!("{} has {sent} bytes instead of {bytes}", blob.digest)));
                    }
                }
            }
            let fill = usize::try_from(bytes.next_multiple_of(BLOCK) - bytes).unwrap_or_default();
            if fill > 0 && to.send(Some(Ok(vec![0; fill]))).await.is_err() {
                return Ok(false);
            }
        }
        let end = vec![0; usize::try_from(END).unwrap_or_default()];
        Ok(to.send(Some(Ok(end))).await.is_ok() && to.send(None).await.is_ok())
    }
}

fn size(body: &Body) -> u64 {
    match body {
        Body::Folder => 0,
        Body::Bytes(all) => all.len() as u64,
        Body::Blob(blob) => blob.bytes,
    }
}

fn path(digest: &str) -> PortResult<String> {
    blob_path(digest).ok_or_else(|| refused(format!("{digest} is no digest")))
}

/// Nobody's, of no time.
fn header(path: &str, bytes: u64) -> PortResult<Vec<u8>> {
    let mut header = tar::Header::new_gnu();
    let folder = path.ends_with('/');
    header.set_entry_type(if folder { tar::EntryType::Directory } else { tar::EntryType::Regular });
    header.set_mode(if folder { 0o755 } else { 0o644 });
    header.set_size(bytes);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_path(path).map_err(|e| refused(format!("{path} can't be named in a tar: {e}")))?;
    header.set_cksum();
    Ok(header.as_bytes().to_vec())
}

/// What `docker load` reads: the image, of several the one that hosts here run. `None`: there
/// is none.
async fn saved(
    registry: &dyn Registry,
    repository: &str,
    manifests: &[ManifestBytes],
    whole: &str,
) -> PortResult<Option<Saved>> {
    let documents = manifests.iter().filter_map(|m| Some((m, serde_json::from_slice::<Document>(&m.bytes).ok()?)));
    let documents: Vec<_> = documents.collect();
    // An index says where its images run; a single one is taken whatever it says.
    let listed = documents.iter().rev().flat_map(|(_, d)| d.manifests());
    let here: Vec<&str> = listed
        .filter(|d| d.platform.as_ref().is_some_and(super::words::Platform::runs_here))
        .map(|d| d.digest.as_str())
        .collect();
    let several = documents.last().is_some_and(|(_, top)| top.manifests.is_some());
    let images = documents.iter().filter(|(_, d)| d.config.as_ref().is_some_and(super::words::Descriptor::is_config));
    for (manifest, document) in images {
        if several && !here.is_empty() && !here.contains(&manifest.digest.as_str()) {
            continue;
        }
        let Some(config) = manifest.blobs.first() else { continue };
        if several && here.is_empty() && !configured_here(registry, repository, config).await? {
            continue;
        }
        let layers = document.layers().iter().map(|l| path(&l.digest)).collect::<PortResult<_>>()?;
        return Ok(Some(Saved {
            config: path(&config.digest)?,
            repo_tags: Some(vec![whole.to_owned()]),
            layers: Some(layers),
        }));
    }
    Ok(None)
}

async fn configured_here(registry: &dyn Registry, repository: &str, config: &CopyBlob) -> PortResult<bool> {
    if config.bytes > MAX_CONFIG {
        return Ok(false);
    }
    let (mut all, mut pieces) = (Vec::new(), registry.blob(repository, config));
    while let Some(piece) = pieces.next().await {
        all.extend(piece?);
    }
    let read: Option<Configuration> = serde_json::from_slice(&all).ok();
    Ok(read.is_some_and(|c| c.platform.runs_here()))
}
