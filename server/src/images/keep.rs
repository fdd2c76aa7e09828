//! Keeps what is remembered of the registries fresh: a look at all of each from time to
//! time, and at once at what somebody says has changed.
//!
//! One could get it wrong by looking once: the Distribution tells of a manifest when it has
//! it, and names it by its tag afterwards (`PutManifest` in registry/handlers/manifests.go,
//! 2.8), and of the tag it does not tell. Who is fast sees nothing then; so there is a look
//! a little later, and a last one.

use super::{Place, Registries, look};
use crate::changes::Changes;
use crate::store::{Store, images, now_ms};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The first pause after a look that failed; doubles up to the usual pause.
const AGAIN: Duration = Duration::from_secs(5);
/// A repository of which something was told is looked at again so long after each look.
const LATER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// What no tag names any more is remembered so long, in ms: it may only be on its way
/// from one tag to another.
const KEPT_MS: i64 = 24 * 3_600_000;

/// Looks at every registry, each on its own, until it is stopped.
pub async fn keep(registries: Arc<Registries>, store: Store, changes: Changes, stop: CancellationToken) {
    let mut each = JoinSet::new();
    for place in registries.all() {
        each.spawn(one(registries.clone(), place.clone(), store.clone(), changes.clone(), stop.clone()));
    }
    while each.join_next().await.is_some() {}
}

async fn one(all: Arc<Registries>, place: Place, store: Store, changes: Changes, stop: CancellationToken) {
    let (mut due, mut failures) = (Instant::now(), 0_u32);
    // Repositories that are looked at again: when, and how often they were.
    let mut again: BTreeMap<String, (Instant, usize)> = BTreeMap::new();
    while !stop.is_cancelled() {
        let woken = all.woken.notified();
        let (whole, some) = all.take(&place.name);
        let mut changed = false;
        let now = Instant::now();
        let mut looks: BTreeMap<String, usize> =
            again.iter().filter(|(_, (at, _))| *at <= now).map(|(name, (_, n))| (name.clone(), *n)).collect();
        looks.extend(some.into_iter().map(|name| (name, 0)));
        for (repository, n) in &looks {
            match LATER.get(*n) {
                Some(later) => again.insert(repository.clone(), (now + *later, n + 1)),
                None => again.remove(repository),
            };
            if whole {
                continue;
            }
            match look::repository(&store, &place, repository).await {
                Ok(differs) => changed |= differs,
                Err(e) => {
                    tracing::warn!(registry = %place.name, repository, cause = %e.chain(), "a repository could not be read");
                    // What was told of it must not be lost until the next regular look.
                    due = due.min(Instant::now() + AGAIN);
                }
            }
        }
        if whole || Instant::now() >= due {
            match look::whole(&store, &place).await {
                Ok(differs) => {
                    tracing::debug!(registry = %place.name, differs, "a registry was looked at");
                    failures = 0;
                    due = Instant::now() + all.every;
                    tidy(&store).await;
                }
                Err(e) => {
                    let why = e.chain();
                    tracing::warn!(registry = %place.name, cause = %why, "not all of a registry could be read");
                    if let Err(e) = images::looked(&store, &place.name, 0, &why).await {
                        tracing::error!(cause = %e, "that could not be noted");
                    }
                    due = Instant::now() + all.every.min(AGAIN * 2_u32.saturating_pow(failures.min(10)));
                    failures += 1;
                }
            }
            // Also that nothing has changed is news: when it was looked at is shown.
            changed = true;
        }
        if changed {
            changes.publish("images", None);
        }
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep_until(again.values().map(|(at, _)| *at).min().map_or(due, |at| at.min(due))) => {}
            () = stop.cancelled() => {}
        }
    }
}

async fn tidy(store: &Store) {
    if let Err(e) = images::sweep(store, now_ms() - KEPT_MS).await {
        tracing::warn!(cause = %e, "images that nothing names could not be forgotten");
    }
}
