//! The part of the portal that archives are: an image leaves as one file, and comes in from
//! one.
//!
//! One could get it wrong by looking at the rights when the file is here: who may not bring an
//! image in is told before the first byte is kept.

use crate::caller::Caller;
use crate::portal::Answer;
use crate::ports::PortResult;
use crate::view::{ArchiveOffer, ArchiveRow, ListQuery, NewArchive, Page};
use async_trait::async_trait;
use futures::stream::BoxStream;

/// An image on its way out.
pub struct Download {
    /// A name for the file.
    pub name: String,
    /// How many bytes it has, exactly.
    pub bytes: u64,
    /// They. An error is the last item: what came before it is no whole archive.
    pub body: BoxStream<'static, PortResult<Vec<u8>>>,
}

/// What people do with archives. All of it checks the caller.
#[async_trait]
pub trait Archives: Send + Sync {
    /// A version as one file: at once an OCI image layout and what `docker load` takes. `live`:
    /// its manifests are read from the registry, then its layers while the body is.
    async fn archive(&self, c: &Caller, registry: &str, repository: &str, tag: &str) -> Answer<Download>;
    /// Where the caller may bring an image in; with a repository, whether into that.
    async fn archive_offer(&self, c: &Caller, into: Option<(&str, &str)>) -> Answer<ArchiveOffer>;
    /// Takes a file in, and asks for its image to be put into the registry; the id of that. What
    /// is wrong with the file itself is told in the list.
    async fn bring_archive(
        &self,
        c: &Caller,
        new: &NewArchive,
        file: BoxStream<'_, PortResult<Vec<u8>>>,
        once: &str,
    ) -> Answer<String>;
    /// Those that were brought in, newest first, of repositories that the caller may see.
    async fn archives(&self, c: &Caller, q: &ListQuery) -> Answer<Page<ArchiveRow>>;
    /// Stops one.
    async fn cancel_archive(&self, c: &Caller, id: &str) -> Answer<()>;
}
