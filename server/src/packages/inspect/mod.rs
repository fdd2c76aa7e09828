//! What an uploaded file is, found by reading all of it.
//!
//! The file's name is never asked. Every entry is unpacked once (into nothing),
//! so that what is accepted can be unpacked later; memory does not grow with
//! size. What is refused is refused with a word that the person can act on.
//! Archives inside archives are files here: nothing of ours ever opens them, and
//! a war's own libraries are opened by the container inside its memory limit.

mod ahead;
mod entries;
mod facts;
pub(crate) mod java;
mod looks;
mod names;
mod targz;
mod unpack;
mod zip;
mod zip_dir;

pub use ahead::{Ahead, Notes};
pub use entries::{Limits, Refusal, Visitor};
pub use unpack::{Room, unpack};
pub(crate) use zip::pick;

use padis_domain::package::{PackageFacts, PackageFault};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use unpack::Unpack;

/// Bytes from the beginning that decide what it is.
const HEAD: usize = 512;

/// Reads the whole file and tells what is inside. Blocks: for a thread of its own.
pub fn inspect(file: &File, limits: &Limits) -> Result<PackageFacts, Refusal> {
    inspect_rest(file, limits, &Notes::new())
}

/// The same without reading once more what is noted already.
pub fn inspect_rest(file: &File, limits: &Limits, notes: &Notes) -> Result<PackageFacts, Refusal> {
    look(file, limits, notes, None).map(|(facts, _)| facts)
}

/// The same, and unpacks all of it into the empty folder `into` on the way, if it
/// looks like a site: one reading serves both. Gives whether it was unpacked; what
/// then lies in `into` is to be believed only if the facts say that it is a site.
pub fn inspect_into(
    file: &File,
    limits: &Limits,
    notes: &Notes,
    into: &Path,
    room: &Room,
) -> Result<(PackageFacts, bool), Refusal> {
    look(file, limits, notes, Some((into, room)))
}

/// Tells two visitors.
struct Both<'r>(facts::Facts, Option<Unpack<'r>>);

impl Visitor for Both<'_> {
    fn begin(&mut self, name: &[u8], folder: bool) -> Result<(), Refusal> {
        self.0.begin(name, folder)?;
        self.1.as_mut().map_or(Ok(()), |u| u.begin(name, folder))
    }
    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.0.data(bytes)?;
        self.1.as_mut().map_or(Ok(()), |u| u.data(bytes))
    }
    fn skip(&mut self, unpacked: u64) -> bool {
        self.1.is_none() && self.0.skip(unpacked)
    }
    fn end(&mut self) -> Result<(), Refusal> {
        self.0.end()?;
        self.1.as_mut().map_or(Ok(()), Unpack::end)
    }
}

fn look(
    file: &File,
    limits: &Limits,
    notes: &Notes,
    into: Option<(&Path, &Room)>,
) -> Result<(PackageFacts, bool), Refusal> {
    let len = file.metadata()?.len();
    if len == 0 {
        return Err(PackageFault::Empty.into());
    }
    let mut head = vec![0; usize::try_from(len).unwrap_or(HEAD).min(HEAD)];
    file.read_exact_at(&mut head, 0)?;
    if let Some(word) = looks::looks_like(&head) {
        return Err(PackageFault::NotAnArchive { looks_like: word.to_owned() }.into());
    }
    let tar = looks::is_gzip(&head);
    let into = into.filter(|_| tar || zip::may_be_site(file, len, limits));
    let mut both = Both(facts::Facts::new(), into.map(|(to, room)| Unpack::new(to, b"", room)).transpose()?);
    if tar {
        targz::walk(file, len, limits, &mut both)?;
    } else {
        zip::walk(file, len, limits, notes, &mut both)?;
    }
    Ok((both.0.finish(tar)?, into.is_some()))
}

#[cfg(test)]
mod tests;
