//! Work of kind `collect:ID`: the bytes of a registry that nothing names are freed.
//!
//! A run that was cut off begins again, after what was aside is put back. What one could get
//! wrong: to forget one that was stopped while its process was killed, with layers aside; so
//! whoever stops it has it looked at once more, and that puts back.

use super::Reconciler;
use super::worker::RunError;
use crate::store::journal::{self, Entry};
use crate::store::work::Outcome;
use crate::store::{What, collections as rows};
use padis_domain::ports::{CollectPhase, CollectProgress, Collected, PortError};
use padis_domain::problem::FieldChange;
use padis_domain::view::{CollectionRow, CopyState};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between two notes of how far it is.
const NOTE: Duration = Duration::from_millis(500);
/// Notes of which the browsers hear one.
const TELL: u64 = 4;

/// How far it is, as it was told last.
type At = Arc<Mutex<CollectProgress>>;

/// Takes one as far as it goes.
pub(super) async fn reconcile(r: &Arc<Reconciler>, id: &str) -> Result<Outcome, RunError> {
    let Some(row) = rows::find(&r.store, id).await? else { return Ok(Outcome::Forget) };
    let Some(files) = r.ports.registries.files(&row.registry) else {
        let why = "Padis does not reach the files of this registry (its setting storage)";
        end(r, &row, Err(why)).await?;
        return Ok(Outcome::Forget);
    };
    if !row.state.open() {
        return match files.collector.put_back().await {
            Err(e @ (PortError::Transient { .. } | PortError::Unknown { .. })) => Err(e.into()),
            // Where nothing is reached, nothing is aside.
            Ok(_) | Err(PortError::Refused { .. }) => Ok(Outcome::Forget),
        };
    }
    // What a run that was cut off had freed stays freed.
    let before = (if row.at.phase == CollectPhase::Delete { row.at.layers.0 } else { 0 }, row.at.freed);
    let at: At = Arc::new(Mutex::new(CollectProgress { freed: before.1, ..CollectProgress::default() }));
    let told = Arc::clone(&at);
    let tell = Arc::new(move |now: CollectProgress| {
        *super::lock(&told) = CollectProgress { freed: before.1 + now.freed, ..now };
    });
    let done = tokio::select! {
        done = files.collector.collect(tell) => done,
        stopped = noting(r, id, &at) => {
            stopped?;
            tracing::info!(collection.id = id, registry = %row.registry, "a collection was stopped");
            return Ok(Outcome::Again(0));
        }
    };
    let last = *super::lock(&at);
    let outcome = match done {
        Ok(done) => {
            rows::progress(&r.store, id, &last, "").await?;
            let all = Collected { removed: done.removed + before.0, freed: done.freed + before.1, ..done };
            end(r, &row, Ok(&all)).await?;
            Ok(Outcome::Forget)
        }
        Err(PortError::Refused { reason, .. }) => {
            tracing::warn!(collection.id = id, registry = %row.registry, cause = %reason, "a collection was refused");
            end(r, &row, Err(&reason)).await?;
            Ok(Outcome::Forget)
        }
        Err(e) => {
            rows::progress(&r.store, id, &last, &e.to_string()).await?;
            Err(e.into())
        }
    };
    r.changes.publish("images", None);
    outcome
}

/// Notes again and again how far it is; ends when somebody has stopped it.
async fn noting(r: &Arc<Reconciler>, id: &str, at: &At) -> Result<(), RunError> {
    for n in 0_u64.. {
        let now = *super::lock(at);
        if !rows::progress(&r.store, id, &now, "").await? {
            break;
        }
        // Everybody who looks at images reads them anew for it.
        if n.is_multiple_of(TELL) {
            r.changes.publish("images", None);
        }
        tokio::time::sleep(NOTE).await;
    }
    Ok(())
}

async fn end(r: &Arc<Reconciler>, row: &CollectionRow, done: Result<&Collected, &str>) -> Result<(), RunError> {
    let mut tx = r.store.begin().await?;
    let (state, what, field, after) = match done {
        Ok(all) => (CopyState::Done, "registry.collected", "bytes", format!("{} ({})", all.freed, all.removed)),
        Err(why) => (CopyState::Failed, "registry.collect-failed", "state", why.to_owned()),
    };
    if rows::end(&mut tx, &row.id, state, done.ok(), done.err().unwrap_or_default()).await? {
        let entry = Entry {
            who: "padis".to_owned(),
            what: what.to_owned(),
            subject: format!("registry:{}", row.registry),
            changes: vec![FieldChange { field: field.to_owned(), before: String::new(), after }],
            ..Entry::default()
        };
        journal::append(&r.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("end a collection")?;
    r.changes.publish("journal", None);
    Ok(())
}
