//! One blob of the source as a stream that goes on after a break.
//!
//! The rest is asked for by range; a source that does not know ranges sends all again, and
//! what was had is skipped. One could get it wrong by taking the end of a connection for the
//! end of the blob, or by trying for ever: attempts that bring no byte further are counted.

use super::super::fetch::{Ask, late, unexpected};
use super::super::{RegistryClient, account};
use super::{FRUITLESS, pause, refused};
use crate::http::failed;
use bytes::{Buf, Bytes};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use padis_domain::ports::{BlobSource, CopyBlob, PortError, PortResult};
use padis_domain::problem::System;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, Response};
use std::ops::Deref;
use std::sync::Arc;

/// Where a blob is. `R` points to its registry.
pub(in super::super) struct Source<R = Arc<RegistryClient>> {
    pub registry: R,
    pub repository: String,
    pub blob: CopyBlob,
}

/// Where the bytes of a blob that is brought come from.
#[derive(Clone)]
pub(super) enum Origin {
    /// A registry.
    Registry(Arc<Source>),
    /// Whoever brings it.
    Here(Arc<dyn BlobSource>),
}

impl Origin {
    /// Its bytes from `at` to its end. An error is the last item.
    pub(super) fn stream(&self, at: u64) -> BoxStream<'static, PortResult<Bytes>> {
        match self {
            Self::Registry(source) => source.stream(at).boxed(),
            Self::Here(source) => source.read(at).map(|piece| piece.map(Bytes::from)).boxed(),
        }
    }
}

struct Reader<R> {
    source: Arc<Source<R>>,
    what: String,
    at: u64,
    response: Option<Response>,
    /// Bytes of the response that were had before.
    skip: u64,
    fruitless: u32,
}

impl<R: Deref<Target = RegistryClient> + Send + Sync> Source<R> {
    /// Its bytes from `at` to its end. An error is the last item.
    pub(in super::super) fn stream(self: &Arc<Self>, at: u64) -> impl Stream<Item = PortResult<Bytes>> + Send + use<R> {
        let what = format!("read {} of {}", self.blob.digest, self.repository);
        let source = Arc::clone(self);
        let reader = Reader { source, what, at, response: None, skip: 0, fruitless: 0 };
        futures::stream::try_unfold(reader, |mut reader| async move {
            Ok(reader.next().await?.map(|piece| (piece, reader)))
        })
    }
}

impl<R: Deref<Target = RegistryClient> + Send + Sync> Reader<R> {
    async fn next(&mut self) -> PortResult<Option<Bytes>> {
        while self.at < self.source.blob.bytes {
            match self.piece().await {
                Ok(Some(piece)) => {
                    self.fruitless = 0;
                    self.at += piece.len() as u64;
                    return Ok(Some(piece));
                }
                Ok(None) => {}
                Err(error @ PortError::Refused { .. }) => return Err(error),
                Err(error) => {
                    self.response = None;
                    self.fruitless += 1;
                    if self.fruitless >= FRUITLESS {
                        return Err(error);
                    }
                    tracing::debug!(blob.digest = self.source.blob.digest, blob.at = self.at, "{}", error.chain());
                    pause(self.fruitless).await;
                }
            }
        }
        Ok(None)
    }

    /// The next bytes that were not had yet; `None`: none in this piece.
    async fn piece(&mut self) -> PortResult<Option<Bytes>> {
        let mut response = match self.response.take() {
            Some(response) => response,
            None => self.open().await?,
        };
        let deadline = self.source.registry.fetch.deadline();
        let piece = tokio::time::timeout(deadline, response.chunk()).await;
        let piece = piece.map_err(|_| late(&self.what, false, deadline))?;
        let piece = piece.map_err(|e| failed(System::Registry, &self.what, false, e))?;
        let Some(mut piece) = piece else {
            return Err(PortError::transient(System::Registry, self.what.clone(), "the source ended in the middle"));
        };
        let had = self.skip.min(piece.len() as u64);
        self.skip -= had;
        piece.advance(usize::try_from(had).unwrap_or(usize::MAX));
        if piece.len() as u64 > self.source.blob.bytes - self.at {
            return Err(self.other_bytes("there are more of them than its manifest says"));
        }
        self.response = Some(response);
        Ok((!piece.is_empty()).then_some(piece))
    }

    async fn open(&mut self) -> PortResult<Response> {
        let Source { registry, repository, blob } = &*self.source;
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        let scope = account::pull(repository);
        let mut ask: Ask<'_> = registry.fetch.ask(&self.what, Method::GET, &path, &scope)?;
        if self.at > 0 {
            ask.headers.push((RANGE, format!("bytes={}-", self.at)));
        }
        let answer = registry.fetch.send(&ask).await?;
        let status = answer.status();
        let whole = match status.as_u16() {
            200 => {
                self.skip = self.at;
                blob.bytes
            }
            206 => {
                let told = answer.headers().get(CONTENT_RANGE).and_then(|r| r.to_str().ok()).unwrap_or_default();
                if !told.starts_with(&format!("bytes {}-", self.at)) {
                    let cause = format!("asked for the bytes from {}, got {}", self.at, crate::http::excerpt(told));
                    return Err(PortError::transient(System::Registry, self.what.clone(), cause));
                }
                self.skip = 0;
                blob.bytes - self.at
            }
            404 => {
                let digest = &blob.digest;
                return Err(refused(format!("the image names {digest}, which is not in the source")));
            }
            416 => return Err(self.other_bytes("there are fewer of them than its manifest says")),
            _ => {
                let body = registry.fetch.read(&self.what, answer).await?;
                return Err(unexpected(&self.what, status, &body, false));
            }
        };
        match answer.content_length() {
            Some(length) if length != whole => Err(self.other_bytes("their number is not what its manifest says")),
            _ => Ok(answer),
        }
    }

    fn other_bytes(&self, why: &str) -> PortError {
        refused(format!("the source's bytes are not those of {}: {why}", self.source.blob.digest))
    }
}
