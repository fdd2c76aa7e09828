//! One blob to the target: is it there, can it be mounted, else byte by byte.
//!
//! It is sent in one request (`PATCH`) and kept by another (`PUT` with the digest), so that
//! nothing is kept before its digest is compared here. When the first one breaks, the target
//! is asked how far it has come and gets the rest. One could get it wrong by trusting that
//! answer blindly: Distribution 2.8 drops an upload that broke within a request (its state
//! says another offset than its file), and the blob begins anew; so attempts that bring the
//! target no byte further than ever before are counted.

use super::super::digest::Hasher;
use super::super::fetch::{Ask, late, unexpected};
use super::flow::Flow;
use super::source::Origin;
use super::{FRUITLESS, Push, patiently, pause, refused};
use bytes::Bytes;
use futures::TryStreamExt;
use padis_domain::ports::{CopiedHow, CopyBlob, CopyStep, PortError, PortResult};
use padis_domain::problem::System;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE};
use reqwest::{Method, Response, Url};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A blob up to this size is had whole before it is sent, in bytes: one request less.
const SMALL: u64 = 256 * 1024;
/// Progress is told at most so often.
const TOLD: Duration = Duration::from_millis(100);
/// For a target to keep what it has got: a storage elsewhere copies it once more.
const KEEP: Duration = Duration::from_secs(300);
/// A flow that brings nothing for so many deadlines stands still; the source has time to
/// be asked again meanwhile.
const STILL: u32 = 2 * FRUITLESS;
const BYTES: &str = "application/octet-stream";

impl Push<'_> {
    /// Brings a blob to the target. `mount`: the repository of the target's own registry that
    /// has it.
    pub(super) async fn blob(&self, blob: &CopyBlob, source: &Origin, mount: Option<&str>) -> PortResult<CopiedHow> {
        if patiently(|| self.is_there(blob)).await? {
            return Ok(CopiedHow::There);
        }
        let mut place = None;
        if let Some(from) = mount {
            place = patiently(|| self.begin(Some((&blob.digest, from)))).await?;
            if place.is_none() {
                return Ok(CopiedHow::Mounted);
            }
        }
        let Some(hasher) = Hasher::of(&blob.digest) else { return Err(refused("no digest")) };
        let mut flow = Flow::new(hasher);
        let (mut furthest, mut fruitless) = (0, 0);
        loop {
            let error = match self.attempt(blob, source, &flow, &mut place).await {
                Ok(()) => return Ok(CopiedHow::Streamed),
                Err(error) => flow.failure().unwrap_or(error),
            };
            if matches!(error, PortError::Refused { .. }) {
                return Err(error);
            }
            // The last answer may have been lost on its way.
            let at = match (self.is_there(blob).await, &place) {
                (Ok(true), _) => return Ok(CopiedHow::Streamed),
                (Err(refusal @ PortError::Refused { .. }), _) => return Err(refusal),
                (_, Some(url)) => self.how_far(url.clone(), blob).await,
                (_, None) => None,
            };
            let at = at.map_or(0, |(url, at)| {
                place = Some(url);
                at
            });
            if at == 0 {
                place = None;
            }
            fruitless = if at > furthest { 0 } else { fruitless + 1 };
            furthest = furthest.max(at);
            if fruitless >= FRUITLESS {
                return Err(definite(error));
            }
            tracing::debug!(blob.digest, blob.at = at, "an upload goes on: {}", error.chain());
            pause(fruitless).await;
            flow = flow.again(at);
        }
    }

    /// Sends what the target lacks and has it kept. `place`: where, if it has begun.
    async fn attempt(
        &self,
        blob: &CopyBlob,
        source: &Origin,
        flow: &Arc<Flow>,
        place: &mut Option<Url>,
    ) -> PortResult<()> {
        let url = match place.clone() {
            Some(url) => url,
            None => self.begin(None).await?.ok_or_else(|| self.odd("an upload did not begin"))?,
        };
        if blob.bytes <= SMALL {
            // Whole or not at all: a part of it is not gone on with.
            *place = None;
            let whole: Vec<Bytes> = source.stream(0).try_collect().await?;
            let whole = Bytes::from(whole.concat());
            let flow = flow.again(0);
            flow.pass(whole.clone());
            self.compare(&flow, blob)?;
            return self.keep(url, blob, whole).await;
        }
        *place = Some(url.clone());
        let end = match flow.sent() < blob.bytes {
            true => self.pour(&url, blob, source, flow).await?,
            false => url,
        };
        *place = Some(end.clone());
        if flow.hashed() < blob.bytes {
            // The target has it all, but the end was hashed by an attempt that is over.
            let mut pieces = source.stream(flow.hashed());
            while let Some(piece) = pieces.try_next().await? {
                flow.pass(piece);
            }
        }
        if let Err(error) = self.compare(flow, blob) {
            self.cancel(end).await;
            return Err(error);
        }
        self.keep(end, blob, Bytes::new()).await
    }

    fn compare(&self, flow: &Flow, blob: &CopyBlob) -> PortResult<()> {
        if flow.hashed() == blob.bytes && flow.digest() == blob.digest {
            return Ok(());
        }
        Err(refused(format!("the source's bytes are not those of {}", blob.digest)))
    }

    /// Streams the rest; gives where it is to be kept.
    async fn pour(&self, url: &Url, blob: &CopyBlob, source: &Origin, flow: &Arc<Flow>) -> PortResult<Url> {
        let at = flow.sent();
        let what = self.what(blob);
        let fetch = &self.target.fetch;
        let mut headers = vec![(CONTENT_TYPE, BYTES.to_owned())];
        if at > 0 {
            headers.push((CONTENT_RANGE, format!("{at}-{}", blob.bytes - 1)));
        }
        let ask = Ask { url: url.clone(), headers, ..fetch.ask(&what, Method::PATCH, "/v2/", &self.scope)? };
        let mut sending = std::pin::pin!(fetch.pour(&ask, blob.bytes - at, flow.body(source)));
        let mut ticks = tokio::time::interval(TOLD);
        let (mut told, mut moved) = (at, Instant::now());
        let answer = loop {
            tokio::select! {
                answer = &mut sending => break answer?,
                _ = ticks.tick() => {}
            }
            let now = flow.sent();
            if now != told {
                (told, moved) = (now, Instant::now());
                (self.tell)(CopyStep::Bytes { digest: blob.digest.clone(), at: now });
            } else if moved.elapsed() > fetch.deadline() * STILL {
                return Err(late(&what, false, fetch.deadline() * STILL));
            }
        };
        let status = answer.status();
        if !status.is_success() {
            let body = fetch.read(&what, answer).await?;
            return Err(match status.as_u16() {
                // A token that expired on the way, an upload that is over: another attempt tells.
                401 | 404 | 416 => PortError::transient(System::Registry, &what, format!("HTTP {status}")),
                _ => unexpected(&what, status, &body, false),
            });
        }
        match had(&answer) {
            Some(had) if had != blob.bytes => {
                let cause = format!("it has {had} of {} bytes", blob.bytes);
                Err(PortError::transient(System::Registry, &what, cause))
            }
            _ => fetch.location(&what, url, &answer),
        }
    }

    /// Has it kept under its digest, with the bytes that are still to come.
    async fn keep(&self, mut url: Url, blob: &CopyBlob, rest: Bytes) -> PortResult<()> {
        let what = self.what(blob);
        let fetch = &self.target.fetch;
        url.query_pairs_mut().append_pair("digest", &blob.digest);
        let headers = vec![(CONTENT_TYPE, BYTES.to_owned())];
        let ask = fetch.ask(&what, Method::PUT, "/v2/", &self.scope)?;
        let answer = fetch.send(&Ask { url, headers, body: rest, within: KEEP, ..ask }).await?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let body = fetch.read(&what, answer).await?;
        Err(unexpected(&what, status, &body, false))
    }

    async fn is_there(&self, blob: &CopyBlob) -> PortResult<bool> {
        let what = format!("look for {} in {}", blob.digest, self.to.repository);
        let fetch = &self.target.fetch;
        let path = format!("/v2/{}/blobs/{}", self.to.repository, blob.digest);
        let answer = fetch.send(&fetch.ask(&what, Method::HEAD, &path, &self.scope)?).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(true),
            404 => Ok(false),
            _ => Err(unexpected(&what, answer.status(), &[], false)),
        }
    }

    /// Begins an upload and gives its place; `None`: mounted, there is nothing to upload.
    async fn begin(&self, mount: Option<(&str, &str)>) -> PortResult<Option<Url>> {
        let what = format!("begin an upload to {}", self.to.repository);
        let fetch = &self.target.fetch;
        let path = format!("/v2/{}/blobs/uploads/", self.to.repository);
        let mut ask = fetch.ask(&what, Method::POST, &path, &self.scope)?;
        if let Some((digest, from)) = mount {
            ask.url.query_pairs_mut().append_pair("mount", digest).append_pair("from", from);
        }
        let answer = fetch.send(&ask).await?;
        match answer.status().as_u16() {
            201 if mount.is_some() => Ok(None),
            200..=299 => fetch.location(&what, &ask.url, &answer).map(Some),
            404 | 405 => Err(refused(format!("the target takes no images for {}", self.to.repository))),
            _ => {
                let status = answer.status();
                let body = fetch.read(&what, answer).await?;
                Err(unexpected(&what, status, &body, false))
            }
        }
    }

    /// How many bytes of an upload the target has, and where it goes on; `None`: it does not know it (any more).
    async fn how_far(&self, url: Url, blob: &CopyBlob) -> Option<(Url, u64)> {
        let what = self.what(blob);
        let fetch = &self.target.fetch;
        let ask = fetch.ask(&what, Method::GET, "/v2/", &self.scope).ok()?;
        let answer = fetch.send(&Ask { url: url.clone(), ..ask }).await.ok()?;
        let at = had(&answer).filter(|at| answer.status().is_success() && *at <= blob.bytes)?;
        // Not every registry says the place again.
        Some((fetch.location(&what, &url, &answer).unwrap_or(url), at))
    }

    /// Gives up what an upload has brought so far; a registry forgets it by itself in time.
    async fn cancel(&self, url: Url) {
        let fetch = &self.target.fetch;
        if let Ok(ask) = fetch.ask("give an upload up", Method::DELETE, "/v2/", &self.scope) {
            let _forgotten = fetch.send(&Ask { url, ..ask }).await;
        }
    }

    fn what(&self, blob: &CopyBlob) -> String {
        format!("send {} to {}", blob.digest, self.to.repository)
    }

    fn odd(&self, what: &str) -> PortError {
        PortError::transient(System::Registry, what, "an answer that the specification does not know")
    }
}

/// Bytes that an upload's answer says the target has: `Range: 0-1023`. Distribution says
/// `0-0` of an upload that has none, as of one that has a single byte; none is assumed.
fn had(answer: &Response) -> Option<u64> {
    let range = answer.headers().get(RANGE)?.to_str().ok()?;
    let last: u64 = range.strip_prefix("bytes=").unwrap_or(range).strip_prefix("0-")?.parse().ok()?;
    Some(if last == 0 { 0 } else { last + 1 })
}

/// A blob that is not at the target is nothing that may have happened: nobody sees a part of one.
fn definite(error: PortError) -> PortError {
    match error {
        PortError::Unknown { system, what, cause } => PortError::Transient { system, what, cause },
        other => other,
    }
}
