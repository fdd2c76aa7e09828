//! Known vulnerabilities: which of an image's packages have one.
//!
//! They come from a file or folder that somebody puts there and renews (there is no way to
//! the outside from here); it is read at start and when it has changed, and what was known
//! before holds until a new one was read whole. Matches are not kept in the database: they
//! are found anew, because the feed changes and images do not. What one could get wrong:
//! to compare Debian's binary packages, where its data names sources.

mod feed;
mod version;

use crate::changes::Changes;
use crate::inside::Os;
use crate::store::now_ms;
use feed::Feed;
use padis_domain::view::{Contained, FeedView, Match, PackageOrigin};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// Images whose matches are kept; beyond that, they are found anew.
const KEPT: usize = 2_000;

#[derive(Default)]
struct Held {
    feed: Arc<Feed>,
    view: FeedView,
    /// Matches by digest, as long as the feed stays.
    by_digest: HashMap<String, Arc<Vec<Match>>>,
}

/// What is known.
#[derive(Default)]
pub struct Known {
    path: Option<PathBuf>,
    held: Mutex<Held>,
}

/// What tells that a feed has changed: its files' names, sizes and times.
type Stamp = Vec<(PathBuf, u64, Option<SystemTime>)>;

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    let one = |file: PathBuf| {
        let facts = std::fs::metadata(&file)?;
        Ok((file, facts.len(), facts.modified().ok()))
    };
    feed::files(path)?.into_iter().map(one).collect()
}

impl Known {
    /// What this file or folder tells; nothing is read yet.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, held: Mutex::default() }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What vulnerabilities are known from; `None`: nothing is configured.
    pub fn view(&self) -> Option<FeedView> {
        self.path.as_ref().map(|_| self.held().view.clone())
    }

    /// Reads the feed now. Blocks: for a thread of its own.
    pub fn read(&self) {
        let Some(path) = &self.path else { return };
        match Feed::read(path) {
            Ok(feed) => {
                let entries = feed.records.len() as u64;
                if feed.odd > 0 {
                    tracing::warn!(feed.odd = feed.odd, "entries of the vulnerability feed are not understood");
                }
                tracing::info!(feed.entries = entries, "the vulnerability feed was read");
                let view = FeedView { entries, read_at: Some(now_ms()), fault: String::new() };
                *self.held() = Held { feed: Arc::new(feed), view, by_digest: HashMap::new() };
            }
            Err(e) => {
                tracing::warn!(cause = %e, "the vulnerability feed could not be read");
                self.held().view.fault = e.to_string();
            }
        }
    }

    /// Reads the feed at start and whenever it has changed, which is looked at after each
    /// `every`, until it is stopped.
    pub async fn keep(self: Arc<Self>, every: Duration, changes: Changes, stop: CancellationToken) {
        let Some(path) = self.path.clone() else { return };
        let mut last: Option<Result<Stamp, String>> = None;
        loop {
            let (known, path, before) = (Arc::clone(&self), path.clone(), last.take());
            let looked = tokio::task::spawn_blocking(move || {
                let now = stamp(&path).map_err(|e| e.to_string());
                let changed = before.as_ref() != Some(&now);
                if changed {
                    known.read();
                }
                (now, changed)
            });
            if let Ok((now, changed)) = looked.await {
                last = Some(now);
                if changed {
                    changes.publish("images", None);
                }
            }
            tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(every) => {} }
        }
    }

    /// What an image's packages have, worst first; kept until the feed changes.
    pub fn matches(&self, digest: &str, os: &Os, packages: &[Contained]) -> Arc<Vec<Match>> {
        let feed = {
            let held = self.held();
            if let Some(known) = held.by_digest.get(digest) {
                return Arc::clone(known);
            }
            Arc::clone(&held.feed)
        };
        let found = Arc::new(find(&feed, os, packages));
        let mut held = self.held();
        if Arc::ptr_eq(&held.feed, &feed) {
            if held.by_digest.len() >= KEPT {
                held.by_digest.clear();
            }
            held.by_digest.insert(digest.to_owned(), Arc::clone(&found));
        }
        found
    }

    /// Those that were found for a digest already.
    pub fn found(&self, digest: &str) -> Option<Arc<Vec<Match>>> {
        self.held().by_digest.get(digest).map(Arc::clone)
    }
}

fn find(feed: &Feed, os: &Os, packages: &[Contained]) -> Vec<Match> {
    let system = os.ecosystem();
    let mut out = Vec::new();
    for p in packages {
        let ecosystem = match p.origin {
            PackageOrigin::Jar => Some("Maven"),
            _ => system.as_deref(),
        };
        let Some(ecosystem) = ecosystem else { continue };
        for affected in feed.of(ecosystem, &p.source) {
            let Some(fixed) = affected.hits(p.origin, &p.source_version) else { continue };
            let record = &feed.records[affected.record];
            out.push(Match {
                id: record.id.clone(),
                summary: record.summary.clone(),
                severity: record.severity,
                score: record.score,
                package: p.name.clone(),
                version: p.version.clone(),
                fixed,
            });
        }
    }
    let rank =
        |m: &Match| (std::cmp::Reverse((m.severity, m.score)), m.id.clone(), m.package.clone(), m.version.clone());
    out.sort_by_cached_key(rank);
    // Two sources may tell the same: what stands first is the worse.
    let mut told = HashSet::new();
    out.retain(|m| told.insert((m.id.clone(), m.package.clone(), m.version.clone())));
    out
}

#[cfg(test)]
mod tests;
