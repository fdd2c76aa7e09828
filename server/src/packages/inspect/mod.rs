//! What an uploaded file is, found by reading all of it.
//!
//! The file's name is never asked. Every entry is unpacked once (into nothing),
//! so that what is accepted can be unpacked later; memory does not grow with
//! size. What is refused is refused with a word that the person can act on.
//! Archives inside archives are files here: nothing of ours ever opens them, and
//! a war's own libraries are opened by the container inside its memory limit.

mod entries;
mod facts;
mod java;
mod looks;
mod names;
mod targz;
mod unpack;
mod zip;
mod zip_dir;

pub use entries::{Limits, Refusal};
pub use unpack::unpack;

use padis_domain::package::{PackageFacts, PackageFault};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Bytes from the beginning that decide what it is.
const HEAD: usize = 512;

/// Reads the whole file and tells what is inside. Blocks: for a thread of its own.
pub fn inspect(file: &File, limits: &Limits) -> Result<PackageFacts, Refusal> {
    let len = file.metadata()?.len();
    if len == 0 {
        return Err(PackageFault::Empty.into());
    }
    let mut head = vec![0; usize::try_from(len).unwrap_or(HEAD).min(HEAD)];
    file.read_exact_at(&mut head, 0)?;
    if let Some(word) = looks::looks_like(&head) {
        return Err(PackageFault::NotAnArchive { looks_like: word.to_owned() }.into());
    }
    let mut facts = facts::Facts::new();
    let tar = looks::is_gzip(&head);
    if tar {
        targz::walk(file, len, limits, &mut facts)?;
    } else {
        zip::walk(file, len, limits, &mut facts)?;
    }
    Ok(facts.finish(tar)?)
}

#[cfg(test)]
mod tests;
