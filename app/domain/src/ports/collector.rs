use super::PortResult;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a collection is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectPhase {
    /// Reads what manifests name.
    #[default]
    Read,
    /// Looks for layers that none of them names.
    Find,
    /// Puts those aside, where the registry does not look.
    Aside,
    /// Looks once more what has come since, and asks the registry whether it still has them.
    Check,
    /// Deletes what is left.
    Delete,
}

impl CollectPhase {
    /// All, in their order.
    pub const ALL: [Self; 5] = [Self::Read, Self::Find, Self::Aside, Self::Check, Self::Delete];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Find => "find",
            Self::Aside => "aside",
            Self::Check => "check",
            Self::Delete => "delete",
        }
    }

    /// From its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == word)
    }
}

/// How far a collection is. Layers are those of the phase; configurations and manifests count
/// as such, too: they are kept alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectProgress {
    /// What it is at.
    pub phase: CollectPhase,
    /// Manifests that were read, and all.
    pub manifests: (u64, u64),
    /// Layers that the phase has dealt with, and all that it has to.
    pub layers: (u64, u64),
    /// Bytes that were freed.
    pub freed: u64,
}

/// What a collection freed, and what it kept and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    /// Manifests that were read.
    pub manifests: u64,
    /// Layers, configurations and manifests that were kept there.
    pub layers: u64,
    /// Of those, deleted.
    pub removed: u64,
    /// Their bytes.
    pub freed: u64,
    /// Nothing names them, and they are young: their manifest may be on its way.
    pub young: u64,
    /// Something began to name them while it went on.
    pub named: u64,
    /// The registry remembers them (its cache), and would take a manifest that names them.
    pub remembered: u64,
    /// A manifest that can't be read may name them.
    pub unclear: u64,
    /// The first such manifests, `repository@sha256:…`.
    pub unreadable: Vec<String>,
    /// Files that no registry has put there; they were left alone.
    pub foreign: u64,
    /// Uploads that were never finished; the registry clears them itself.
    pub uploads: u64,
}

/// Hears how far it is; called from any thread, as often as it comes.
pub type TellCollect = Arc<dyn Fn(CollectProgress) + Send + Sync>;

/// The files of a registry: what no manifest names is freed, while people read and write.
#[async_trait]
pub trait Collector: Send + Sync {
    /// Frees it. One that was cut off before is put back first, and all that is aside is put
    /// back on an error. Dropped, it stops within a moment and puts back what it can; the
    /// rest the next call does. While another is at it (in whatever process) it is
    /// `Transient`; files that can't be reached, or are not this registry's, are `Refused`.
    async fn collect(&self, tell: TellCollect) -> PortResult<Collected>;
    /// Puts back what one that was cut off has left aside; how many layers.
    async fn put_back(&self) -> PortResult<u64>;
}
