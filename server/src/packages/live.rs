//! Uploads that this process is busy with: one writer for each, and the sum kept
//! between two requests.
//!
//! A connection that broke is often still open on our side when the browser
//! comes again; the newcomer then ends the old one instead of being told to wait.

use super::pour::Sum;
use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

/// How long the old writer has to end.
const TAKE_OVER: Duration = Duration::from_secs(10);

/// What is kept of an upload between two requests.
#[derive(Default)]
pub struct Kept {
    /// How many bytes, and the sum of them.
    pub sum: Option<(u64, Sum)>,
}

struct One {
    kept: Arc<Mutex<Kept>>,
    stop: CancellationToken,
}

/// All uploads in hand.
#[derive(Default)]
pub struct Live(StdMutex<HashMap<String, One>>);

/// The right to write one upload.
pub struct Held {
    /// What is kept.
    pub kept: OwnedMutexGuard<Kept>,
    /// Cancelled when somebody else wants it.
    pub stop: CancellationToken,
}

impl Live {
    /// Takes an upload, ending whoever has it. `None`: he does not let go.
    pub async fn take(&self, id: &str) -> Option<Held> {
        let stop = CancellationToken::new();
        let kept = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let one = all
                .entry(id.to_owned())
                .or_insert_with(|| One { kept: Arc::default(), stop: CancellationToken::new() });
            // The one before, not the newcomer's own.
            std::mem::replace(&mut one.stop, stop.clone()).cancel();
            one.kept.clone()
        };
        let kept = tokio::time::timeout(TAKE_OVER, kept.lock_owned()).await.ok()?;
        Some(Held { kept, stop })
    }

    /// Forgets an upload that has ended.
    pub fn forget(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}
