//! Images that are read without anybody asking: standard middleware, and what runs.
//!
//! One at a time, so that a registry full of them does not keep copies that people wait for
//! from the workers. One could get it wrong by asking again for what could not be read:
//! that is left to people.

use crate::changes::Changes;
use crate::config::OWN_REGISTRY;
use crate::images::Registries;
use crate::store::{Store, StoreError, What, inside};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Between two looks for what is to be read: applications may change many times a second.
const PACE: Duration = Duration::from_secs(2);
/// Also without a change, because another replica's are not heard.
const EVERY: Duration = Duration::from_secs(60);

/// Asks for one after the other until it is stopped.
pub async fn keep(registries: Arc<Registries>, store: Store, changes: Changes, stop: CancellationToken) {
    let mut heard = changes.subscribe();
    loop {
        match next(&store).await {
            Ok(true) => registries.asked.notify_waiters(),
            Ok(false) => {}
            Err(e) => tracing::warn!(cause = %crate::compose::chain(&e), "no image could be asked for"),
        }
        let swept = Instant::now() + EVERY;
        let changed = async {
            tokio::time::sleep(PACE).await;
            loop {
                match heard.recv().await {
                    Ok(change) if matches!(change.topic.as_str(), "images" | "apps") => return,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return std::future::pending().await,
                }
            }
        };
        tokio::select! {
            () = changed => {}
            () = tokio::time::sleep_until(swept) => {
                if let Err(e) = inside::sweep(&store).await {
                    tracing::warn!(cause = %crate::compose::chain(&e), "what is inside images could not be swept");
                }
            }
            () = stop.cancelled() => return,
        }
    }
}

/// Asks for the next; whether there is one.
async fn next(store: &Store) -> Result<bool, StoreError> {
    let Some((digest, registry, repository)) = inside::wanted(store, OWN_REGISTRY).await? else { return Ok(false) };
    let mut tx = store.begin().await?;
    let asked = inside::ask(&mut tx, &digest, &registry, &repository).await?;
    tx.commit().await.what("ask for an image to be read")?;
    Ok(asked)
}
