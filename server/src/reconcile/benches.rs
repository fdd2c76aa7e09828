//! Work of kinds `bench:ID` and `commit:ID`: workbenches are made and taken away, and become
//! versions.
//!
//! A workbench that its host has stopped (it was restarted) is started again with what was
//! changed in it. What one could get wrong: to make a version of what is changed now and to
//! keep a list of what was changed a moment before; what is left out is found and noted
//! right before, by the same look.

use super::Reconciler;
use super::worker::RunError;
use crate::store::journal::{self, Entry};
use crate::store::work::Outcome;
use crate::store::{What, benches};
use padis_domain::ports::{BenchCommit, CommitStep, PortError};
use padis_domain::problem::{FieldChange, System};
use padis_domain::stack::LABEL_PREFIX;
use padis_domain::view::{BenchState, doubt};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between two notes of how far a version is.
const NOTE: Duration = Duration::from_millis(500);
/// Changed paths that are kept with a version.
const MOST_CHANGES: usize = 2000;
/// Changed paths among which those are found that are left out.
const MOST_LOOKED: usize = 200_000;

/// Makes a workbench be as it is wanted.
pub(super) async fn bench(r: &Arc<Reconciler>, id: &str) -> Result<Outcome, RunError> {
    let Some((spec, row)) = benches::find(&r.store, id).await? else { return Ok(Outcome::Forget) };
    let gone = match row.state {
        BenchState::Ended => return Ok(Outcome::Forget),
        BenchState::Ending => true,
        BenchState::Starting | BenchState::Open => false,
    };
    let done = if gone { r.ports.workbench.delete(&spec.host, id).await } else { r.ports.workbench.put(&spec).await };
    let outcome = match done {
        Ok(()) if gone => {
            benches::ended(&r.store, id).await?;
            Ok(Outcome::Forget)
        }
        Ok(()) => {
            benches::opened(&r.store, id, "").await?;
            Ok(Outcome::Done)
        }
        Err(PortError::Refused { reason, cause, system }) => {
            benches::opened(&r.store, id, &reason).await?;
            let error = PortError::Refused { reason: reason.clone(), cause, system };
            tracing::warn!(bench.id = id, cause = %error.chain(), "a workbench was refused");
            Ok(Outcome::Park { why: reason })
        }
        Err(e) => {
            benches::opened(&r.store, id, &e.to_string()).await?;
            Err(e.into())
        }
    };
    r.changes.publish("benches", None);
    outcome
}

/// Makes a version of a workbench.
pub(super) async fn commit(r: &Arc<Reconciler>, id: &str) -> Result<Outcome, RunError> {
    let Some(wanted) = benches::find_commit(&r.store, id).await? else { return Ok(Outcome::Forget) };
    let Some((spec, _)) = benches::find(&r.store, &wanted.bench).await? else { return Ok(Outcome::Forget) };
    let made = match r.ports.workbench.changes(&spec.host, &spec.id, MOST_LOOKED).await {
        Err(e) => Err(e),
        // What is not looked at can't be left out.
        Ok(changes) if wanted.leave_out && changes.more > 0 => {
            let reason = format!("more than {MOST_LOOKED} paths were changed: what is to be left out can't be found");
            Err(PortError::refused(System::Docker, reason))
        }
        Ok(mut changes) => {
            let logs = wanted.labels.get(&format!("{LABEL_PREFIX}logs")).map(String::as_str);
            // An earlier run that was cut off has deleted some already.
            let mut left_out = wanted.left_out.clone();
            if wanted.leave_out {
                let doubtful = changes.rows.iter().filter(|c| doubt(c, logs).is_some());
                left_out.extend(doubtful.map(|c| c.path.clone()));
                left_out.sort_unstable();
                left_out.dedup();
            }
            changes.rows.retain(|c| !left_out.contains(&c.path));
            changes.more += changes.rows.len().saturating_sub(MOST_CHANGES) as u64;
            changes.rows.truncate(MOST_CHANGES);
            benches::taken(&r.store, id, &changes, &left_out).await?;
            let wanted = BenchCommit {
                id: spec.id.clone(),
                host: spec.host.clone(),
                base: (spec.repository.clone(), spec.digest.clone()),
                repository: wanted.repository.clone(),
                tag: wanted.tag.clone(),
                leave_out: left_out,
                ports: wanted
                    .labels
                    .get(&format!("{LABEL_PREFIX}port"))
                    .and_then(|p| p.parse().ok())
                    .into_iter()
                    .collect(),
                labels: wanted.labels.clone(),
                author: wanted.name.clone(),
                comment: wanted.description.clone(),
            };
            pushed(r, id, &wanted).await?
        }
    };
    let outcome = match made {
        Ok(digest) => {
            end(r, &wanted, Ok(&digest)).await?;
            let own = r.ports.registries.all().first().map(|own| own.name.clone());
            r.ports.registries.look_at(&own.unwrap_or_default(), &wanted.repository);
            Ok(Outcome::Forget)
        }
        Err(PortError::Refused { reason, cause, system }) => {
            let error = PortError::Refused { reason: reason.clone(), cause, system };
            tracing::warn!(commit.id = id, cause = %error.chain(), "a version of a workbench was refused");
            end(r, &wanted, Err(&reason)).await?;
            Ok(Outcome::Forget)
        }
        Err(e) => {
            benches::progress(&r.store, id, (0, 0), &e.to_string()).await?;
            Err(e.into())
        }
    };
    r.changes.publish("benches", None);
    outcome
}

/// Commits, and notes meanwhile how far it is.
async fn pushed(r: &Arc<Reconciler>, id: &str, wanted: &BenchCommit) -> Result<Result<String, PortError>, RunError> {
    let far: Mutex<(u64, u64)> = Mutex::default();
    let tell = |step: CommitStep| {
        if let CommitStep::Pushed { at, of } = step {
            *super::lock(&far) = (at, of);
        }
    };
    let noting = async {
        loop {
            tokio::time::sleep(NOTE).await;
            let now = *super::lock(&far);
            benches::progress(&r.store, id, now, "").await?;
            r.changes.publish("benches", None);
        }
    };
    // Beside each other: bytes go on while it is noted how many there are.
    let made = tokio::select! {
        made = r.ports.workbench.commit(wanted, &tell) => made,
        failed = noting => return failed,
    };
    let now = *super::lock(&far);
    benches::progress(&r.store, id, now, "").await?;
    Ok(made)
}

async fn end(r: &Arc<Reconciler>, wanted: &benches::Wanted, made: Result<&str, &str>) -> Result<(), RunError> {
    let mut tx = r.store.begin().await?;
    if benches::end_commit(&mut tx, &wanted.id, made).await? {
        let (what, field, after) = match made {
            Ok(digest) => ("bench.committed", "digest", digest),
            Err(why) => ("bench.commit-failed", "state", why),
        };
        let entry = Entry {
            who: "padis".to_owned(),
            what: what.to_owned(),
            subject: format!("image:{}:{}", wanted.repository, wanted.tag),
            changes: vec![FieldChange { field: field.to_owned(), before: String::new(), after: after.to_owned() }],
            ..Entry::default()
        };
        journal::append(&r.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("end a version of a workbench")?;
    r.changes.publish("journal", None);
    Ok(())
}
