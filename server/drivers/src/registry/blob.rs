//! One blob as a stream of bytes whose digest is compared at the end.
//!
//! One could get it wrong by believing the bytes before their end: whoever reads them acts
//! on what they said only after the stream has ended without an error.

use super::digest::Hasher;
use super::transfer::Source;
use super::{RegistryClient, by_digest, named};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use padis_domain::ports::{CopyBlob, PortError, PortResult};
use padis_domain::problem::System;
use std::sync::Arc;

impl RegistryClient {
    /// The blob's bytes from the first to the last; an error is the last item.
    pub(super) fn read_blob<'a>(
        &'a self,
        repository: &'a str,
        blob: &'a CopyBlob,
    ) -> BoxStream<'a, PortResult<Vec<u8>>> {
        let sound = named(repository).and_then(|_| by_digest(&blob.digest));
        let hasher = match sound.map(Hasher::of) {
            Ok(Some(hasher)) => hasher,
            Ok(None) => return refused(format!("{} can't be compared", blob.digest)),
            Err(e) => return stream::iter([Err(e)]).boxed(),
        };
        let source = Source { registry: self, repository: repository.to_owned(), blob: blob.clone() };
        let pieces = Arc::new(source).stream(0).boxed();
        stream::try_unfold((pieces, hasher), move |(mut pieces, mut hasher)| async move {
            match pieces.next().await.transpose()? {
                Some(piece) => {
                    hasher.update(&piece);
                    Ok(Some((Vec::from(piece), (pieces, hasher))))
                }
                None if hasher.digest() == blob.digest => Ok(None),
                None => Err(PortError::refused(
                    System::Registry,
                    format!("the registry's bytes are not those of {}", blob.digest),
                )),
            }
        })
        .boxed()
    }
}

fn refused(why: String) -> BoxStream<'static, PortResult<Vec<u8>>> {
    stream::iter([Err(PortError::refused(System::Registry, why))]).boxed()
}
