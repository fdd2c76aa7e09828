use super::PortResult;
use crate::stack::Contract;
use async_trait::async_trait;
use std::collections::BTreeMap;

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

/// A registry that speaks the Distribution API v2.
#[async_trait]
pub trait Registry: Send + Sync {
    /// Every image that carries a contract; broken contracts are left out and logged.
    async fn stacks(&self) -> PortResult<Vec<StackImage>>;
    /// Whether the manifest with this digest is still there.
    async fn has(&self, repository: &str, digest: &str) -> PortResult<bool>;
    /// Whether it answers (`/v2/`).
    async fn ping(&self) -> PortResult<()>;
}
