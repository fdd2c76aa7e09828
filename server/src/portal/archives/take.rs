//! A file comes in.
//!
//! Before the first byte is kept it is asked who may, and whether the tag is free; what is
//! wrong with the file itself is found when all of it is here, and told in the list, because
//! whoever has sent ten gigabytes wants to read it there and not in an answer that is gone.

use super::super::check::Problems;
use super::super::diff::change;
use super::super::{once, room};
use super::{PadisPortal, copies, entry, lets_in, promotions, told};
use crate::archives::{self as files, Chosen, Stop};
use crate::images::team;
use crate::packages::disk;
use crate::store::archives::{self, Asked};
use crate::store::{What, incident, journal, work};
use futures::stream::BoxStream;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::PortResult;
use padis_domain::problem::ValueFault;
use padis_domain::view::{ArchiveFault, NewArchive};

/// The form's name among tokens.
const BRING: &str = "bring_archive";
/// Archives that one account may have under way.
const MOST_OF_ONE: u64 = 8;
/// Characters of a file's name.
const MAX_FILE_NAME: usize = 200;

/// Takes it in; the id.
pub async fn take(
    p: &PadisPortal,
    c: &Caller,
    new: &NewArchive,
    file: BoxStream<'_, PortResult<Vec<u8>>>,
    token: &str,
) -> Answer<String> {
    if c.read_only() || (c.publisher().is_err() && c.teams.is_empty()) {
        return Err(Problem::NotAllowed { needs: "member".to_owned() });
    }
    let mut problems = Problems::default();
    let place = p.registries.find(&new.registry).filter(|place| lets_in(c, place));
    if place.is_none() {
        problems.add("registry", if new.registry.is_empty() { ValueFault::Missing } else { ValueFault::Unknown });
    }
    copies::check_name(&mut problems, "repository", &new.repository, copies::is_repository);
    if !new.tag.is_empty() {
        copies::check_name(&mut problems, "tag", &new.tag, copies::is_tag);
    }
    problems.done()?;
    // Whose it is not does not hear more.
    let unknown = |field| Problem::field(field, ValueFault::Unknown);
    promotions::may_change(c, &new.repository).map_err(|_| unknown("repository"))?;
    let place = place.ok_or_else(|| unknown("registry"))?;
    let taken = |tag: &str| Problem::NameTaken { field: "tag".to_owned(), name: tag.to_owned() };
    if !new.tag.is_empty() && copies::names(place, &new.repository, &new.tag).await?.is_some() {
        return Err(taken(&new.tag));
    }
    room::for_one_more(p, place, &new.repository, 0).await?;
    let spool = &p.settings.archives;
    let id = uuid::Uuid::now_v7().simple().to_string();
    let mut asked = Asked {
        id: id.clone(),
        registry: place.name.clone(),
        repository: new.repository.clone(),
        tag: new.tag.clone(),
        team: team(&new.repository).to_owned(),
        holder: spool.holder.clone(),
        file_name: tidy(&new.file_name),
        bytes: 0,
        named: String::new(),
        platforms: Vec::new(),
        runs_here: false,
        deal_with: 0,
        fault: None,
        account: c.account.clone(),
        name: c.name.clone(),
    };
    // Ends with this function: the file goes, whatever happens, unless it is kept.
    let spooled = match spool.take(&id, file).await {
        Ok(spooled) => Some(spooled),
        Err(Stop::Fault(fault)) => {
            asked.fault = Some(fault);
            None
        }
        Err(Stop::Broken(e)) => {
            tracing::info!(cause = %e.chain(), "an archive broke off on its way in");
            return Err(unknown("file"));
        }
        Err(stop) => return Err(problem(p, stop)),
    };
    if let Some(spooled) = &spooled {
        asked.bytes = spooled.bytes;
        room::for_one_more(p, place, &new.repository, spooled.bytes).await?;
        let (path, repository, tag) = (spooled.path().to_owned(), new.repository.clone(), new.tag.clone());
        let opened = tokio::task::spawn_blocking(move || files::open(&path, &repository, &tag)).await;
        match opened.map_err(|e| incident(&e))? {
            Ok(Chosen { tag, named, plan }) => {
                (asked.named, asked.platforms, asked.runs_here) = (named, plan.platforms.clone(), plan.runs_here);
                asked.deal_with = plan.bytes();
                asked.fault = if !copies::is_tag(&tag) {
                    Some(ArchiveFault::NoTag)
                } else if new.tag.is_empty() && copies::names(place, &new.repository, &tag).await?.is_some() {
                    Some(ArchiveFault::TagTaken { tag: tag.clone() })
                } else {
                    None
                };
                asked.tag = if copies::is_tag(&tag) { tag } else { String::new() };
            }
            Err(Stop::Fault(fault)) => asked.fault = Some(fault),
            Err(stop) => return Err(problem(p, stop)),
        }
    }
    let mut tx = p.store.begin().await?;
    if let Some(id) = once::before::<String>(&mut tx, p.store.kind(), c, token, BRING).await? {
        return Ok(id);
    }
    // The token's row has been locked: two at once of the same person wait for each other.
    if archives::open_of(&mut tx, &c.account).await? >= MOST_OF_ONE {
        return Err(Problem::InUse { by: MOST_OF_ONE.to_string() });
    }
    if !archives::ask(&mut tx, &asked).await? {
        return Err(taken(&asked.tag));
    }
    let failed = asked.fault.is_some();
    if !failed {
        work::touch(&mut tx, &archives::key(&id)).await?;
    }
    let changes = vec![change("file", "", &asked.file_name), change("from", "", &asked.named)];
    let what = if failed { "image.bring-failed" } else { "image.bring" };
    let to = (asked.registry.as_str(), asked.repository.as_str(), asked.tag.as_str());
    journal::append(&p.store, &mut tx, &entry(c, what, to, changes)).await?;
    once::keep(&mut tx, token, BRING, &id).await?;
    tx.commit().await.what("record an archive")?;
    if let Some(spooled) = spooled.filter(|_| !failed) {
        spooled.keep();
    }
    told(p, &asked.repository);
    Ok(id)
}

fn problem(p: &PadisPortal, stop: Stop) -> Problem {
    match stop {
        Stop::Problem(problem) => problem,
        Stop::Disk(e) => disk::problem(&p.settings.archives.folder, &e),
        other => incident(&other),
    }
}

/// A file's name for people: the last part, short, without control characters.
fn tidy(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(MAX_FILE_NAME).collect()
}
