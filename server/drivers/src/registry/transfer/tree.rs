//! What a digest consists of: its manifests, children before those that name them, and the
//! blobs that they name.
//!
//! One could get it wrong by copying an index without the images that it names, or by
//! asking for something by a name that a manifest made up: digests are looked at before
//! they stand in an address.

use super::super::digest::{Hasher, differs};
use super::super::image::{media_type, understood};
use super::super::manifest::{Blob, MANIFEST_TYPES, Manifest};
use super::super::{RegistryClient, account};
use super::{AT_ONCE, patiently, refused};
use futures::{StreamExt, TryStreamExt};
use padis_domain::ports::{CopyBlob, ManifestBytes, PortResult};

/// Manifests of one copy.
const MAX_NODES: usize = 500;
/// Bytes of all manifests of one copy; they are kept until they are put.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// All manifests; the one that was asked for is the last.
pub(super) async fn read(source: &RegistryClient, repository: &str, top: &str) -> PortResult<Vec<ManifestBytes>> {
    let from = (repository, top);
    let top = patiently(|| node(source, from, top)).await?;
    // Found from the top down, each once; turned round, children come first.
    let (mut found, mut waiting, mut bytes) = (Vec::<ManifestBytes>::new(), vec![top], 0);
    while let Some((node, manifest)) = waiting.pop() {
        bytes += node.bytes.len();
        if found.len() >= MAX_NODES || bytes > MAX_BYTES {
            return Err(refused(format!("{} holds more than {MAX_NODES} images", from.1)));
        }
        // Named twice, at different depths: it has to come before both.
        found.retain(|f| f.digest != node.digest);
        found.push(node);
        let mut named: Vec<String> = manifest.manifests.unwrap_or_default().into_iter().map(|e| e.digest).collect();
        named.sort();
        named.dedup();
        let read =
            futures::stream::iter(named).map(|d| async move { patiently(|| self::node(source, from, &d)).await });
        waiting.extend(read.buffered(AT_ONCE).try_collect::<Vec<_>>().await?);
    }
    found.reverse();
    Ok(found)
}

/// The blobs of them all, each once.
pub(super) fn blobs(nodes: &[ManifestBytes]) -> Vec<CopyBlob> {
    let mut out: Vec<CopyBlob> = Vec::new();
    for blob in nodes.iter().flat_map(|n| &n.blobs) {
        if !out.iter().any(|o| o.digest == blob.digest) {
            out.push(blob.clone());
        }
    }
    out
}

async fn node(
    source: &RegistryClient,
    (repository, top): (&str, &str),
    digest: &str,
) -> PortResult<(ManifestBytes, Manifest)> {
    let what = format!("read the manifest {repository}@{digest}");
    sound(digest)?;
    let path = format!("/v2/{repository}/manifests/{digest}");
    let scope = account::pull(repository);
    let Some((bytes, kind)) = source.fetch.document(&what, &path, MANIFEST_TYPES, &scope).await? else {
        return Err(refused(match digest == top {
            true => format!("{repository}@{digest} is not in the source"),
            false => format!("{top} names the image {digest}, which is not in the source"),
        }));
    };
    if let Some(why) = differs(&bytes, digest) {
        return Err(refused(format!("the source is damaged: {why}")));
    }
    let manifest = understood(&bytes).map_err(|why| refused(format!("{digest} can't be copied: {why}")))?;
    let mut blobs = Vec::new();
    for blob in manifest.config.iter().chain(manifest.layers()) {
        blobs.push(named(digest, blob)?);
    }
    let media_type = media_type(&kind, &manifest);
    Ok((ManifestBytes { digest: digest.to_owned(), media_type, bytes: bytes.into(), blobs }, manifest))
}

fn named(digest: &str, blob: &Blob) -> PortResult<CopyBlob> {
    if blob.is_foreign() {
        let why = "its maker does not let registries keep it (base layers of Windows)";
        return Err(refused(format!(
            "{digest} can't be copied: the layer {} is not in the registry, {why}",
            blob.digest
        )));
    }
    sound(&blob.digest)?;
    let Some(bytes) = blob.size else {
        return Err(refused(format!("{digest} can't be copied: it does not tell the size of {}", blob.digest)));
    };
    Ok(CopyBlob { digest: blob.digest.clone(), bytes })
}

fn sound(digest: &str) -> PortResult<()> {
    match Hasher::of(digest) {
        Some(_) => Ok(()),
        None => Err(refused(format!("the image names {:?}, which is no digest", crate::http::excerpt(digest)))),
    }
}
