//! Building what a recipe says: all of it is judged together, then it goes to the reconciler.
//!
//! One could get it wrong by handing over the recipe's id: somebody may go on typing while it
//! is built.

use super::super::check::Problems;
use super::super::made::Made;
use super::super::{PadisPortal, once};
use super::{entry, folder, open, own, own_registry, recipes, told};
use crate::portal::benches::host_in;
use crate::portal::diff::change;
use crate::portal::images;
use crate::recipes::{blob_path, output_path};
use crate::store::recipes::Asked;
use crate::store::{What, incident, journal, work};
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use padis_domain::view::{BuildRow, BuildView, CopyState};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// The form's name among tokens.
const BUILD: &str = "build_recipe";
/// How many a person has under way: each takes a core of some host. The sentence of
/// [`Reason::EnoughBuilds`] names it.
const MOST_OF_ONE: i64 = 3;
/// Bytes of the output that a page shows.
const SHOWN: u64 = 48 << 10;

/// Asks for a build of what was typed; its number.
pub(super) async fn ask(p: &PadisPortal, c: &Caller, id: &str, token: &str) -> Answer<u32> {
    let (_, text, files) = own(p, c, id).await?;
    let place = p.registries.all().first().ok_or(Problem::NotFound)?;
    let mut problems = Problems::default();
    let made =
        Made { repository: &text.repository, tag: &text.tag, description: &text.description, contract: &text.contract };
    let mut labels = made.check(&mut problems);
    for (field, value) in
        [("base_repository", &text.base_repository), ("base_tag", &text.base_tag), ("pool", &text.pool)]
    {
        if value.is_empty() {
            problems.add(field, ValueFault::Missing);
        }
    }
    if text.packages().is_err() {
        problems.add("packages", ValueFault::Malformed);
    }
    if text.env().is_err() {
        problems.add("env", ValueFault::Malformed);
    }
    if text.start().is_none() {
        problems.add("start", ValueFault::Malformed);
    }
    problems.done()?;
    let unknown = |field: &str| Problem::field(field, ValueFault::Unknown);
    let version = match images::version(p, c, &place.name, &text.base_repository, &text.base_tag).await {
        Err(Problem::NotFound) => return Err(unknown("base_tag")),
        other => other?,
    };
    let host = host_in(p, c, &text.pool).await?.ok_or_else(|| unknown("pool"))?;
    made.may(p, c, place, &version.digest).await?;
    let at = folder(p, id);
    if let Some(lost) = files.iter().find(|f| !blob_path(&at, &f.sha256).exists()) {
        tracing::warn!(recipe.id = id, path = lost.path, "a recipe's file is not on this disk");
        return Err(unknown("file"));
    }
    let base = format!("{}/{}:{}", place.place, text.base_repository, text.base_tag);
    made.annotate(&mut labels, c, (&base, &version.digest));
    let asked = Asked {
        recipe: id.to_owned(),
        text: text.clone(),
        files,
        base_digest: version.digest,
        host,
        holder: p.settings.archives.holder.clone(),
        labels,
        account: c.account.clone(),
        name: c.name.clone(),
    };
    let mut tx = p.store.begin().await?;
    if let Some(number) = once::before::<u32>(&mut tx, p.store.kind(), c, token, BUILD).await? {
        return Ok(number);
    }
    if recipes::under_way(&mut tx, &c.account).await? >= MOST_OF_ONE {
        return Err(Problem::NotNow { reason: Reason::EnoughBuilds });
    }
    let number = recipes::ask(&mut tx, &asked).await?.ok_or_else(|| made.taken())?;
    work::touch(&mut tx, &recipes::key(id, number)).await?;
    let changes = vec![
        change("image", "", format!("{}:{}", text.repository, text.tag)),
        change("from", "", &base),
        change("description", "", text.description.trim()),
    ];
    journal::append(&p.store, &mut tx, &entry(c, "recipe.build", id, changes)).await?;
    once::keep(&mut tx, token, BUILD, &number).await?;
    tx.commit().await.what("record a build")?;
    told(p);
    Ok(number)
}

/// A build that the caller may know of; also one whose recipe is gone.
async fn known(p: &PadisPortal, c: &Caller, id: &str, number: u32) -> Answer<(BuildRow, bool)> {
    let whose = recipes::whose(&p.store, id).await?.ok_or(Problem::NotFound)?;
    let own = whose == c.account;
    if !own && c.inspector().is_err() {
        return Err(Problem::NotFound);
    }
    let found = recipes::find_build(&p.store, &recipes::id_of(id, number)).await?;
    let (row, ..) = found.ok_or(Problem::NotFound)?;
    Ok((row, own && !c.read_only()))
}

pub(super) async fn view(p: &PadisPortal, c: &Caller, id: &str, number: u32) -> Answer<BuildView> {
    let (row, own) = known(p, c, id, number).await?;
    let path = output_path(&folder(p, id), number);
    let (output, cut) = read(path, Some(SHOWN)).await?;
    let may = open(row.state) && (own || c.operator().is_ok());
    Ok(BuildView { row, output: String::from_utf8_lossy(&output).into_owned(), cut, registry: own_registry(p), may })
}

pub(super) async fn output(p: &PadisPortal, c: &Caller, id: &str, number: u32) -> Answer<Vec<u8>> {
    known(p, c, id, number).await?;
    Ok(read(output_path(&folder(p, id), number), None).await?.0)
}

/// A file, or the whole lines of its last `most` bytes; whether there is more before them.
/// What was not begun has said nothing.
async fn read(path: PathBuf, most: Option<u64>) -> Answer<(Vec<u8>, bool)> {
    let read = move || {
        let mut file = match std::fs::File::open(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), false)),
            other => other?,
        };
        let from = most.map_or(0, |most| file.metadata().map_or(0, |m| m.len().saturating_sub(most)));
        let _at = file.seek(SeekFrom::Start(from))?;
        let mut out = Vec::new();
        let _all = file.read_to_end(&mut out)?;
        if from > 0 {
            let first = out.iter().position(|b| *b == b'\n').map_or(0, |n| n + 1);
            out.drain(..first);
        }
        Ok::<_, io::Error>((out, from > 0))
    };
    let done = tokio::task::spawn_blocking(read).await.map_err(|e| incident(&e))?;
    done.map_err(|e| incident(&e))
}

pub(super) async fn cancel(p: &PadisPortal, c: &Caller, id: &str, number: u32) -> Answer<()> {
    let (row, own) = known(p, c, id, number).await?;
    if !own {
        c.operator()?;
    }
    let mut tx = p.store.begin().await?;
    if recipes::end_build(&mut tx, &recipes::id_of(id, number), CopyState::Cancelled, "", "").await? {
        work::touch(&mut tx, &recipes::key(id, number)).await?;
        let changes = vec![change("image", format!("{}:{}", row.text.repository, row.text.tag), "")];
        journal::append(&p.store, &mut tx, &entry(c, "recipe.build-stop", id, changes)).await?;
    }
    tx.commit().await.what("stop a build")?;
    told(p);
    Ok(())
}
