//! Work of kind `copy:ID`: an image goes from registry to registry.
//!
//! The transfer itself looks at what the target has before it sends anything, so a run
//! that was cut off (a restart, a registry that went away) is simply made again. What one
//! could get wrong: to go on after somebody has stopped it, or to take "the tag has been
//! moved meanwhile" for a failure that passes: it is said and left to people.

use super::Reconciler;
use super::worker::RunError;
use crate::store::What;
use crate::store::copies::{self, Asked};
use crate::store::journal::{self, Entry};
use crate::store::work::Outcome;
use padis_domain::ports::{CopiedHow, CopyStep, PortError};
use padis_domain::problem::FieldChange;
use padis_domain::view::{CopyBlobRow, CopyState};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between two notes of how far it is.
const NOTE: Duration = Duration::from_millis(500);

/// Takes a copy as far as it goes.
pub(super) async fn reconcile(r: &Arc<Reconciler>, id: &str) -> Result<Outcome, RunError> {
    let Some((asked, state)) = copies::find(&r.store, id).await? else { return Ok(Outcome::Forget) };
    if !state.open() {
        return Ok(Outcome::Forget);
    }
    let blobs: Mutex<Vec<CopyBlobRow>> = Mutex::default();
    let copied = {
        let tell = |step: CopyStep| note(&mut super::lock(&blobs), step);
        // Beside each other: bytes go on while it is noted how many there are.
        tokio::select! {
            done = r.ports.registries.transfer.copy(&asked.from, &asked.to, &tell) => done,
            stopped = noting(r, id, &blobs) => {
                stopped?;
                tracing::info!(copy.id = id, "a copy was stopped");
                return Ok(Outcome::Forget);
            }
        }
    };
    let now = super::lock(&blobs).clone();
    let outcome = match copied {
        Ok(()) => {
            copies::progress(&r.store, id, &now).await?;
            end(r, &asked, CopyState::Done, "").await?;
            r.ports.registries.look_at(&asked.to.registry, &asked.to.repository);
            Ok(Outcome::Forget)
        }
        Err(PortError::Refused { reason, cause, system }) => {
            let error = PortError::Refused { reason: reason.clone(), cause, system };
            tracing::warn!(copy.id = id, cause = %error.chain(), "a copy was refused");
            copies::progress(&r.store, id, &now).await?;
            end(r, &asked, CopyState::Failed, &reason).await?;
            Ok(Outcome::Forget)
        }
        Err(e) => {
            copies::progress(&r.store, id, &now).await?;
            copies::trouble(&r.store, id, &e.to_string()).await?;
            Err(e.into())
        }
    };
    r.changes.publish("copies", None);
    outcome
}

/// Notes again and again how far a copy is; ends when somebody has stopped it.
async fn noting(r: &Arc<Reconciler>, id: &str, blobs: &Mutex<Vec<CopyBlobRow>>) -> Result<(), RunError> {
    loop {
        tokio::time::sleep(NOTE).await;
        let now = super::lock(blobs).clone();
        if !copies::progress(&r.store, id, &now).await? {
            return Ok(());
        }
        r.changes.publish("copies", None);
    }
}

async fn end(r: &Arc<Reconciler>, asked: &Asked, state: CopyState, why: &str) -> Result<(), RunError> {
    const WHAT: &str = "end a copy";
    let mut tx = r.store.begin().await?;
    if copies::end(&mut tx, &asked.id, state, why).await? {
        let to = format!("{}/{}:{}", asked.to.registry, asked.to.repository, asked.to.tag);
        let change = |field: &str, before: &str, after: &str| FieldChange {
            field: field.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
        };
        let mut changes = Vec::new();
        if state == CopyState::Done {
            changes.push(change("digest", asked.to.instead_of.as_deref().unwrap_or_default(), &asked.from.digest));
        } else {
            changes.push(change("state", "", why));
        }
        let entry = Entry {
            who: "padis".to_owned(),
            what: if state == CopyState::Done { "image.copied" } else { "image.copy-failed" }.to_owned(),
            subject: format!("image:{to}"),
            changes,
            ..Entry::default()
        };
        journal::append(&r.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what(WHAT)?;
    r.changes.publish("journal", None);
    Ok(())
}

fn note(blobs: &mut Vec<CopyBlobRow>, step: CopyStep) {
    let row = |blobs: &mut Vec<CopyBlobRow>, digest: &str| blobs.iter().position(|b| b.digest == digest);
    match step {
        CopyStep::Blobs(all) => {
            *blobs = all
                .into_iter()
                .map(|b| CopyBlobRow { digest: b.digest, bytes: b.bytes, at: 0, how: String::new() })
                .collect();
        }
        CopyStep::Bytes { digest, at } => {
            if let Some(n) = row(blobs, &digest) {
                blobs[n].at = at;
            }
        }
        CopyStep::Blob { digest, how } => {
            if let Some(n) = row(blobs, &digest) {
                let word = match how {
                    CopiedHow::There => "there",
                    CopiedHow::Mounted => "mounted",
                    CopiedHow::Streamed => "streamed",
                };
                (blobs[n].at, blobs[n].how) = (blobs[n].bytes, word.to_owned());
            }
        }
    }
}
