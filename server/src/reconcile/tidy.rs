//! Work of kind `tidy:ID`: versions that nothing needs are taken out of a repository.
//!
//! Between the list that somebody has seen and now an application may have begun to run one
//! of them, so each is judged once more right before it is taken away. What one could get
//! wrong: to believe the catalogue alone, since a tag may have been moved to one of these
//! digests a second ago; the registry is looked at first, and without that nothing goes.

use super::Reconciler;
use super::worker::RunError;
use crate::images::{judge, judge_one, repository};
use crate::store::journal::{self, Entry};
use crate::store::work::Outcome;
use crate::store::{What, retention};
use padis_domain::ports::PortError;
use padis_domain::problem::{FieldChange, System};
use padis_domain::view::RetentionRow;
use std::sync::Arc;

/// Digests that are taken away in one run; the rest waits for the next.
const AT_ONCE: usize = 20;

/// Takes away what is left of it.
pub(super) async fn reconcile(r: &Arc<Reconciler>, id: &str) -> Result<Outcome, RunError> {
    let Some(run) = retention::find(&r.store, id).await? else { return Ok(Outcome::Forget) };
    let place = r.ports.registries.find(&run.registry).filter(|p| p.takes);
    let done = match place {
        None => Err(PortError::refused(System::Registry, format!("{} takes nothing away", run.registry))),
        Some(place) => {
            let looked = repository(&r.store, place, &run.repository).await;
            match looked {
                Err(e) => Err(PortError::transient(System::Registry, format!("look at {}", run.registry), e.chain())),
                Ok(_) => take_away(r, id, &run, place).await?,
            }
        }
    };
    let left = retention::find(&r.store, id).await?.map_or(0, |now| now.left.len());
    let (why, outcome) = match done {
        Ok(()) if left > 0 => (None, Ok(Outcome::Again(0))),
        Ok(()) => (Some(String::new()), Ok(Outcome::Forget)),
        Err(PortError::Refused { reason, .. }) => (Some(reason.clone()), Ok(Outcome::Park { why: reason })),
        Err(e) => (Some(e.to_string()), Err(e.into())),
    };
    if let Some(why) = why {
        // Who is told that it has ended sees a catalogue without what is gone.
        if let Some(place) = place
            && let Err(e) = repository(&r.store, place, &run.repository).await
        {
            tracing::warn!(registry = %run.registry, repository = %run.repository, cause = %e.chain(), "a repository could not be read");
            r.ports.registries.look_at(&run.registry, &run.repository);
        }
        let mut tx = r.store.begin().await?;
        retention::note(&mut tx, id, &why).await?;
        tx.commit().await.what("note how far it is taken away")?;
    }
    r.changes.publish("images", None);
    outcome
}

/// Up to so many of them; the first that fails ends it.
async fn take_away(
    r: &Arc<Reconciler>,
    id: &str,
    run: &retention::Run,
    place: &crate::images::Place,
) -> Result<Result<(), PortError>, RunError> {
    for digest in run.left.iter().take(AT_ONCE) {
        let now = if run.by_hand.is_empty() {
            let all = judge(&r.store, &run.registry, &run.repository, run.rule, super::now()).await?;
            all.into_iter().find(|row| row.digest == *digest)
        } else {
            judge_one(&r.store, place, &run.repository, digest).await?
        };
        // A tag that came meanwhile was not agreed to, of what is deleted by hand.
        let agreed = |row: &RetentionRow| run.by_hand.is_empty() || row.tags.iter().all(|t| run.by_hand.contains(t));
        // What is not there any more is gone, by whomever.
        let goes = now.as_ref().is_none_or(|row| row.stays.is_empty() && agreed(row));
        if goes && let Err(e) = place.client.delete(&run.repository, digest).await {
            return Ok(Err(e));
        }
        let tags = now.map(|row| row.tags.join(", ")).unwrap_or_default();
        retention::item(&r.store, id, digest, goes).await?;
        if goes {
            let mut tx = r.store.begin().await?;
            let entry = Entry {
                who: run.account.clone(),
                what: "image.delete".to_owned(),
                subject: format!("image:{}/{}", run.registry, run.repository),
                changes: vec![FieldChange {
                    field: "digest".to_owned(),
                    before: format!("{digest} ({tags})"),
                    after: String::new(),
                }],
                ..Entry::default()
            };
            journal::append(&r.store, &mut tx, &entry).await?;
            tx.commit().await.what("record what was taken away")?;
        }
    }
    Ok(Ok(()))
}
