//! Making a version of a workbench: what is asked for, and whether it may be.
//!
//! One could get it wrong by making two at the same time of one workbench: what is left out is
//! deleted in it first.

use super::super::check::Problems;
use super::super::made::Made;
use super::super::{PadisPortal, once};
use super::{change, entry, own, told};
use crate::store::benches::{self, Wanted};
use crate::store::{What, journal, work};
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::view::{BenchState, NewCommit};

/// The form's name among tokens.
const COMMIT: &str = "commit_bench";

/// The label that says which commit made an image; see `Workbench::commit`.
pub const COMMIT_LABEL: &str = "io.padis.commit";

/// Asks for it; its id.
pub async fn ask(p: &PadisPortal, c: &Caller, new: &NewCommit, token: &str) -> Answer<String> {
    let (spec, row) = own(p, c, &new.bench).await?;
    let place = p.registries.all().first().ok_or(Problem::NotFound)?;
    let mut problems = Problems::default();
    let made =
        Made { repository: &new.repository, tag: &new.tag, description: &new.description, contract: &new.contract };
    let mut labels = made.check(&mut problems);
    problems.done()?;
    if row.state != BenchState::Open {
        return Err(Problem::NotNow { reason: Reason::BenchNotOpen });
    }
    made.may(p, c, place, &spec.digest).await?;
    let id = uuid::Uuid::now_v7().simple().to_string();
    let base = format!("{}/{}:{}", place.place, row.repository, row.tag);
    made.annotate(&mut labels, c, (&base, &spec.digest));
    labels.insert(COMMIT_LABEL.to_owned(), id.clone());
    let wanted = Wanted {
        id,
        bench: new.bench.clone(),
        repository: new.repository.clone(),
        tag: new.tag.clone(),
        description: new.description.trim().to_owned(),
        leave_out: new.leave_out,
        labels,
        left_out: Vec::new(),
        account: c.account.clone(),
        name: c.name.clone(),
    };
    let mut tx = p.store.begin().await?;
    if let Some(id) = once::before::<String>(&mut tx, p.store.kind(), c, token, COMMIT).await? {
        return Ok(id);
    }
    if benches::busy(&mut tx, &new.bench).await? {
        return Err(Problem::NotNow { reason: Reason::BenchKeeping });
    }
    // Somebody else makes the same one.
    if !benches::ask_commit(&mut tx, &wanted).await? {
        return Err(made.taken());
    }
    work::touch(&mut tx, &benches::commit_key(&wanted.id)).await?;
    let changes = vec![
        change("image", &format!("{}:{}", wanted.repository, wanted.tag)),
        change("from", &base),
        change("description", &wanted.description),
    ];
    journal::append(&p.store, &mut tx, &entry(c, "bench.commit", &new.bench, changes)).await?;
    once::keep(&mut tx, token, COMMIT, &wanted.id).await?;
    tx.commit().await.what("record a version of a workbench")?;
    told(p);
    Ok(wanted.id)
}
