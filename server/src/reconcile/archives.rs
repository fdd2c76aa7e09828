//! Work of kind `archive:ID`: an image goes from a file into a registry.
//!
//! A run that was cut off is made again from the file: what the registry has is not sent
//! twice. What one could get wrong: to take the file away before the row says that it has
//! ended, or to call it lost where another process on this database holds it.

use super::Reconciler;
use super::worker::RunError;
use crate::archives::{self, Stop};
use crate::images::team;
use crate::store::journal::{self, Entry};
use crate::store::work::Outcome;
use crate::store::{What, archives as rows};
use padis_domain::ports::{CopyTo, PortError};
use padis_domain::problem::{FieldChange, System};
use padis_domain::view::{ArchiveFault, ArchiveRow, CopyState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Between two notes of how far it is.
const NOTE: Duration = Duration::from_millis(500);
/// Notes of which the browsers hear one.
const TELL: u64 = 4;
/// Until another process is asked for again that holds the file, in ms.
const ELSEWHERE_MS: i64 = 2_000;

/// Takes one as far as it goes.
pub(super) async fn reconcile(r: &Arc<Reconciler>, id: &str) -> Result<Outcome, RunError> {
    let Some((row, holder)) = rows::find(&r.store, id).await? else { return Ok(Outcome::Forget) };
    let spool = &r.set.archives;
    if holder != spool.holder {
        return Ok(if row.state.open() { Outcome::Again(ELSEWHERE_MS) } else { Outcome::Forget });
    }
    if !row.state.open() {
        spool.forget(id);
        return Ok(Outcome::Forget);
    }
    let at = AtomicU64::new(0);
    let brought = tokio::select! {
        brought = bring(r, &row, &at) => brought,
        stopped = noting(r, &row, &at) => {
            stopped?;
            tracing::info!(archive.id = id, "an archive was stopped");
            spool.forget(id);
            return Ok(Outcome::Forget);
        }
    };
    let outcome = match brought {
        Ok(digest) => {
            end(r, &row, Ok(&digest)).await?;
            r.ports.registries.look_at(&row.registry, &row.repository);
            Ok(Outcome::Forget)
        }
        Err(Stop::Fault(fault)) => {
            tracing::warn!(archive.id = id, archive.fault = ?fault, "an archive was refused");
            end(r, &row, Err(&fault)).await?;
            Ok(Outcome::Forget)
        }
        Err(stop) => {
            let e = transient(stop);
            rows::progress(&r.store, id, at.load(Ordering::Relaxed), &e.to_string()).await?;
            Err(e.into())
        }
    };
    if outcome.is_ok() {
        spool.forget(id);
    }
    told(r, &row);
    outcome
}

/// What passes, perhaps.
fn transient(stop: Stop) -> PortError {
    match stop {
        Stop::Port(e) | Stop::Broken(e) => e,
        Stop::Disk(e) => PortError::transient(System::Disk, "read or write a file that was brought", e),
        other => PortError::transient(System::Disk, "bring an image in", other),
    }
}

async fn bring(r: &Arc<Reconciler>, row: &ArchiveRow, at: &AtomicU64) -> Result<String, Stop> {
    let spool = &r.set.archives;
    if r.ports.registries.find(&row.registry).is_none_or(|p| !p.takes) {
        return Err(ArchiveFault::Registry { why: format!("{} takes no images", row.registry) }.into());
    }
    let (path, repository, tag) = (spool.path(&row.id), row.repository.clone(), row.tag.clone());
    if !path.exists() {
        return Err(ArchiveFault::Lost.into());
    }
    let opened = tokio::task::spawn_blocking(move || archives::open(&path, &repository, &tag)).await;
    let chosen = opened.map_err(|e| PortError::transient(System::Disk, "open an archive", e))??;
    let to = CopyTo {
        registry: row.registry.clone(),
        repository: row.repository.clone(),
        tag: row.tag.clone(),
        instead_of: None,
    };
    archives::bring(&*r.ports.registries.transfer, &to, &Arc::new(chosen.plan), (spool, &row.id), at).await
}

/// Tells the browsers of those who see the repository.
fn told(r: &Arc<Reconciler>, row: &ArchiveRow) {
    r.changes.publish("archives", Some(team(&row.repository)).filter(|t| !t.is_empty()));
}

/// Notes again and again how far it is; ends when somebody has stopped it.
async fn noting(r: &Arc<Reconciler>, row: &ArchiveRow, at: &AtomicU64) -> Result<(), RunError> {
    for n in 0_u64.. {
        tokio::time::sleep(NOTE).await;
        if !rows::progress(&r.store, &row.id, at.load(Ordering::Relaxed), "").await? {
            break;
        }
        // Everybody who looks at images reads them anew for it.
        if n.is_multiple_of(TELL) {
            told(r, row);
        }
    }
    Ok(())
}

async fn end(r: &Arc<Reconciler>, row: &ArchiveRow, brought: Result<&str, &ArchiveFault>) -> Result<(), RunError> {
    let mut tx = r.store.begin().await?;
    let (state, what, field, after) = match brought {
        Ok(digest) => (CopyState::Done, "image.brought", "digest", digest.to_owned()),
        Err(fault) => (CopyState::Failed, "image.bring-failed", "state", format!("{fault:?}")),
    };
    if rows::end(&mut tx, &row.id, state, brought.unwrap_or_default(), brought.err()).await? {
        let entry = Entry {
            who: "padis".to_owned(),
            what: what.to_owned(),
            subject: format!("image:{}/{}:{}", row.registry, row.repository, row.tag),
            changes: vec![FieldChange { field: field.to_owned(), before: String::new(), after }],
            ..Entry::default()
        };
        journal::append(&r.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("end an archive")?;
    r.changes.publish("journal", None);
    Ok(())
}
