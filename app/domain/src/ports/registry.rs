use super::PortResult;
use crate::stack::Contract;
use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One image of the registry that carries a stack's contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackImage {
    /// Repository, e.g. `stacks/nginx`.
    pub repository: String,
    /// Tag, e.g. `1.22`.
    pub tag: String,
    /// Manifest digest, `sha256:…`.
    pub digest: String,
    /// Reference by digest that an engine can pull, `127.0.0.1:5000/stacks/nginx@sha256:…`.
    pub image: String,
    /// Compressed bytes of all layers.
    pub bytes: u64,
    /// RFC 3339 creation time of the image's configuration, as written there.
    pub created: String,
    /// The contract.
    pub contract: Contract,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

/// What one digest names. Of an index it tells the image that hosts here run (Linux, this
/// processor), else its first one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Digest of the manifest or index that was asked for, `sha256:…`.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// `linux/amd64`, `linux/arm/v7`: one for a manifest, all of an index. Empty: no image
    /// (a chart, a signature).
    pub platforms: Vec<String>,
    /// Whether hosts here can run it.
    pub runs_here: bool,
    /// Compressed bytes of all layers.
    pub bytes: u64,
    /// RFC 3339 as written in the configuration; empty when it does not say.
    pub created: String,
    /// Who made it, as written there; empty when it does not say.
    pub author: String,
    /// User of its process, as written there; empty is root.
    pub user: String,
    /// Folder that it starts in.
    pub working_dir: String,
    /// Entry point.
    pub entry_point: Vec<String>,
    /// Command, or the entry point's arguments.
    pub command: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// `8080/tcp`.
    pub ports: Vec<String>,
    /// Folders that are volumes.
    pub volumes: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// How it was made, from the bottom up.
    pub steps: Vec<ImageStep>,
}

/// One line of an image's history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageStep {
    /// RFC 3339 as written there.
    pub created: String,
    /// The command that made it, as written there.
    pub made_by: String,
    /// The layer that it added, if it added one: digest and compressed bytes.
    pub layer: Option<(String, u64)>,
}

/// A registry that speaks the Distribution API v2.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Every image that carries a contract; broken contracts are left out and logged.
    async fn stacks(&self) -> PortResult<Vec<StackImage>>;
    /// Whether the manifest with this digest is still there.
    async fn has(&self, repository: &str, digest: &str) -> PortResult<bool>;
    /// Whether it answers (`/v2/`).
    async fn ping(&self) -> PortResult<()>;
    /// All repositories, sorted. A registry that does not tell (no catalogue) is `Refused`.
    async fn repositories(&self) -> PortResult<Vec<String>>;
    /// A repository's tags, sorted; none if there is no such repository.
    async fn tags(&self, repository: &str) -> PortResult<Vec<String>>;
    /// The digest that a tag names.
    async fn digest(&self, repository: &str, tag: &str) -> PortResult<Option<String>>;
    /// What a digest names. Bytes that are no manifest, and a manifest whose configuration
    /// is not there, are `Refused`.
    async fn image(&self, repository: &str, digest: &str) -> PortResult<Option<Image>>;
    /// A blob's bytes from the first to the last, in pieces that cost no memory together. They
    /// are believed only when the stream has ended without an error, which would be its last
    /// item: a blob that is not there, another number of bytes, and bytes that are not those of
    /// the digest are `Refused`.
    fn blob<'a>(&'a self, repository: &'a str, blob: &'a CopyBlob) -> BoxStream<'a, PortResult<Vec<u8>>>;
    /// All manifests of which a digest consists, each once: of an index those of its images,
    /// too. What others name comes before them; the one that was asked for is the last. A digest
    /// that is not there, bytes that are no manifest, and layers that registries do not keep are
    /// `Refused`.
    async fn manifests(&self, repository: &str, digest: &str) -> PortResult<Vec<ManifestBytes>>;
    /// Takes a manifest away, with every tag that names it; what is not there succeeds. A
    /// registry that does not delete is `Refused`.
    async fn delete(&self, repository: &str, digest: &str) -> PortResult<()>;
}

/// One manifest, or one index of several, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestBytes {
    /// Digest of the bytes.
    pub digest: String,
    /// Its media type.
    pub media_type: String,
    /// They.
    pub bytes: Vec<u8>,
    /// The configuration and the layers that it names, in this order; none of an index.
    pub blobs: Vec<CopyBlob>,
}

/// Whether hosts here run images of this platform: Linux on this machine's processor, in Go's
/// name for it.
pub fn runs_here(os: &str, architecture: &str) -> bool {
    let here = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    os == "linux" && architecture == here
}

/// What is to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFrom {
    /// The registry's name in the configuration.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// What exactly: a tag may be moved meanwhile.
    pub digest: String,
}

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyTo {
    /// The registry's name in the configuration.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// The tag that it gets at the very end.
    pub tag: String,
    /// What the tag may name until then: nothing, or this digest. Anything else (somebody
    /// moved it) is `Refused`; the digest that is copied is always allowed.
    pub instead_of: Option<String>,
}

/// One blob of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyBlob {
    /// Digest.
    pub digest: String,
    /// Bytes.
    pub bytes: u64,
}

/// What is told while an image is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyStep {
    /// Every blob that the target has to have, each once; told first.
    Blobs(Vec<CopyBlob>),
    /// So many bytes of a blob are at the target.
    Bytes {
        /// Its digest.
        digest: String,
        /// From its beginning.
        at: u64,
    },
    /// A blob is at the target, its digest compared.
    Blob {
        /// Its digest.
        digest: String,
        /// How it came there.
        how: CopiedHow,
    },
}

/// How a blob came to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopiedHow {
    /// It was there.
    There,
    /// The registry took it from another repository of its own (cross-repository mount).
    Mounted,
    /// Byte by byte.
    Streamed,
}

/// Copies images from registry to registry, without an engine between.
///
/// To stop it, drop the future: nothing is visible at the target then, because manifests
/// are put when all their blobs are there, and the tag last. Called again with the same
/// words it goes on: blobs that are there are not sent again.
#[async_trait]
pub trait Transfer: Send + Sync {
    /// Copies, whole: of an index all platforms. Both registries may be the same one. Names
    /// of registries that are not configured, a blob that the source does not have, bytes
    /// that are not those of their digest, and a full target are `Refused`.
    async fn copy(&self, from: &CopyFrom, to: &CopyTo, tell: &(dyn Fn(CopyStep) + Send + Sync)) -> PortResult<()>;
    /// Brings one blob to where `to` says, unless it is there; `tell` hears how many bytes
    /// have been sent. Bytes that are not those of its digest are `Refused`, and are not kept.
    async fn put_blob(
        &self,
        to: &CopyTo,
        blob: &CopyBlob,
        from: Arc<dyn BlobSource>,
        tell: &(dyn Fn(u64) + Send + Sync),
    ) -> PortResult<CopiedHow>;
    /// Puts a manifest, all of whose blobs and manifests are there: under the tag of `to` when
    /// it is `tagged`, by its rules for what that may name until then, else by its digest alone.
    async fn put_manifest(&self, to: &CopyTo, manifest: &ManifestBytes, tagged: bool) -> PortResult<()>;
}

/// The bytes of a blob that can be read more than once: an upload that broke goes on.
pub trait BlobSource: Send + Sync {
    /// From byte `at` to the last, in pieces that cost no memory together; an error is the
    /// last item.
    fn read(&self, at: u64) -> BoxStream<'static, PortResult<Vec<u8>>>;
}
