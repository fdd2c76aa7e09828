//! Bytes on their way from source to target, and the digest of what has passed.
//!
//! When an upload goes on at some byte, the digest has to go on there too: every few MiB
//! its state is kept, the source is read again from the last mark before that byte, and
//! what lies between is hashed but not sent. One could get it wrong by letting an upload
//! that was given up go on hashing: each attempt has a flow of its own.

use super::super::digest::Hasher;
use super::source::Origin;
use bytes::{Buf, Bytes};
use futures::StreamExt;
use padis_domain::ports::PortError;
use reqwest::Body;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes between two marks: a 10 GiB layer has 2560 of them, half a MB.
const MARK: u64 = 4 * 1024 * 1024;

struct State {
    hasher: Hasher,
    /// Bytes hashed.
    at: u64,
    /// Where, and the digest's state there; the first is at byte 0.
    marks: Vec<(u64, Hasher)>,
    /// Why the source has ended early.
    failed: Option<PortError>,
}

/// One attempt to bring a blob over.
pub(super) struct Flow {
    state: Mutex<State>,
    /// Bytes given to the target, from the blob's beginning.
    sent: AtomicU64,
}

impl Flow {
    /// At a blob's beginning.
    pub(super) fn new(hasher: Hasher) -> Arc<Self> {
        let marks = vec![(0, hasher.clone())];
        Arc::new(Self { state: Mutex::new(State { hasher, at: 0, marks, failed: None }), sent: AtomicU64::new(0) })
    }

    /// The next attempt, whose sending begins at `at`; it hashes from the mark before that.
    pub(super) fn again(&self, at: u64) -> Arc<Self> {
        let marks = self.state().marks.iter().filter(|(m, _)| *m <= at).cloned().collect::<Vec<_>>();
        // The mark at byte 0 is never after `at`.
        let (from, hasher) = marks.last().cloned().unwrap_or_else(|| (0, self.state().hasher.clone()));
        let state = State { hasher, at: from, marks, failed: None };
        Arc::new(Self { state: Mutex::new(state), sent: AtomicU64::new(at) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Bytes hashed, from the blob's beginning.
    pub(super) fn hashed(&self) -> u64 {
        self.state().at
    }

    pub(super) fn digest(&self) -> String {
        self.state().hasher.clone().digest()
    }

    /// Why the source has ended early, if it has; told once.
    pub(super) fn failure(&self) -> Option<PortError> {
        self.state().failed.take()
    }

    /// Hashes a piece and gives what of it is to be sent.
    pub(super) fn pass(&self, mut piece: Bytes) -> Bytes {
        let mut state = self.state();
        state.hasher.update(&piece);
        let begins = state.at;
        state.at += piece.len() as u64;
        if state.marks.last().is_none_or(|(m, _)| state.at - m >= MARK) {
            let mark = (state.at, state.hasher.clone());
            state.marks.push(mark);
        }
        drop(state);
        let had = self.sent().saturating_sub(begins).min(piece.len() as u64);
        piece.advance(usize::try_from(had).unwrap_or(usize::MAX));
        self.sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        piece
    }

    /// What the target is sent.
    pub(super) fn body(self: &Arc<Self>, source: &Origin) -> Body {
        let flow = Arc::clone(self);
        let pieces = source.stream(self.hashed()).filter_map(move |piece| {
            let piece = match piece {
                Ok(piece) => Some(flow.pass(piece)).filter(|p| !p.is_empty()).map(Ok),
                Err(error) => {
                    flow.state().failed = Some(error);
                    Some(Err(std::io::Error::other("the source has ended early")))
                }
            };
            std::future::ready(piece)
        });
        Body::wrap_stream(pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::digest::digest_of;
    use super::*;

    #[test]
    fn an_attempt_that_goes_on_sends_the_rest_and_hashes_all() {
        let all: Vec<u8> = (0..12 * 1024 * 1024 + 5).map(|n: u32| (n % 251) as u8).collect();
        let digest = digest_of(&all);
        let first = Flow::new(Hasher::of(&digest).unwrap());
        for piece in all.chunks(1 << 20).take(10) {
            assert_eq!(first.pass(Bytes::copy_from_slice(piece)).len(), 1 << 20);
        }
        let at = 9 * (1 << 20) + 3;
        let second = first.again(at);
        assert_eq!((second.sent(), second.hashed()), (at, 8 << 20));
        let mut sent = Vec::new();
        for piece in all[8 << 20..].chunks(1 << 20) {
            sent.extend_from_slice(&second.pass(Bytes::copy_from_slice(piece)));
        }
        assert!(sent == all[usize::try_from(at).unwrap()..]);
        assert_eq!((second.digest(), second.sent()), (digest, all.len() as u64));
        assert_eq!(first.again(0).hashed(), 0);
    }
}
