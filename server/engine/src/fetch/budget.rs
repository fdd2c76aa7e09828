//! What one task may fetch: bytes, files, time. Counted where bytes come out, so that
//! neither a length that a server promised nor a header of an archive is believed.

use std::io::{Error, ErrorKind, Read, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Entries of all archives of one task.
const ENTRIES: u64 = 1_000_000;

/// The bounds and what was used of them.
pub(crate) struct Budget {
    limit: u64,
    used: AtomicU64,
    entries: AtomicU64,
    end: Option<Instant>,
}

impl Budget {
    pub fn new(bytes: u64, time: Duration) -> Self {
        let (used, entries) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { limit: bytes, used, entries, end: Instant::now().checked_add(time) }
    }

    /// So many bytes more.
    pub fn take(&self, bytes: u64) -> Result<()> {
        if self.end.is_some_and(|end| Instant::now() >= end) {
            return Err(Error::new(ErrorKind::TimedOut, "it took longer than a launch may take"));
        }
        let used = self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if used > self.limit {
            return Err(Error::new(
                ErrorKind::FileTooLarge,
                format!("a task may not fetch more than {} bytes", self.limit),
            ));
        }
        Ok(())
    }

    /// One entry of an archive more.
    pub fn entry(&self) -> Result<()> {
        if self.entries.fetch_add(1, Ordering::Relaxed) >= ENTRIES {
            return Err(Error::new(ErrorKind::FileTooLarge, format!("a task may not fetch more than {ENTRIES} files")));
        }
        Ok(())
    }

    /// A reader whose bytes are counted.
    pub fn count<R: Read>(&self, inner: R) -> Counted<'_, R> {
        Counted { inner, budget: self }
    }
}

/// A reader whose bytes are counted; beyond the bounds it fails.
pub(crate) struct Counted<'a, R> {
    inner: R,
    budget: &'a Budget,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.inner.read(buffer)?;
        self.budget.take(count as u64)?;
        Ok(count)
    }
}
