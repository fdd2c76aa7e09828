//! What is inside an image: its files, its packages, its distribution.
//!
//! The layers are streamed from the registry, one after the other, each through a thread
//! that unpacks it (`unpack`); nothing of an image is run, and no file of it is kept. What
//! one could get wrong: to believe bytes whose digest was not compared yet (so the result is
//! given only when the last layer has ended well), to let an archive decide how much memory
//! it takes (so everything here has a limit, and what went over one is told), and to read a
//! layer alone: what a later one takes away is not in the image.

mod archive;
pub mod bill;
mod dpkg;
mod files;
mod jars;
mod keep;
mod os;
pub(crate) mod pipe;
mod rpm;
mod tree;
mod unpack;

pub use files::{find, pack};
pub use keep::keep;
pub use os::Os;

use padis_domain::ports::{CopyBlob, Image, PortError, Registry};
use padis_domain::view::{Contained, InsideNote};
use std::path::Path;
use tree::{Found, Tree};

/// Packages of one image; what is more is told.
const MAX_PACKAGES: usize = 50_000;

/// What is wrong with an archive; all but `Local` stays so.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not what it says it is.
    #[error("{0}")]
    Damaged(String),
    /// It goes over a limit.
    #[error("{0}")]
    TooMuch(String),
    /// The disk here.
    #[error("the disk of the portal")]
    Local(#[source] std::io::Error),
}

impl Fault {
    fn damaged(why: String) -> Self {
        Self::Damaged(why)
    }
    fn too_much(why: String) -> Self {
        Self::TooMuch(why)
    }
    /// An error while an archive is read: of the disk if the system gave it a number.
    fn io(e: std::io::Error) -> Self {
        if e.raw_os_error().is_some() { Self::Local(e) } else { Self::Damaged(e.to_string()) }
    }
}

/// Why an image could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The registry.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The image.
    #[error(transparent)]
    Image(#[from] Fault),
}

/// What is inside.
#[derive(Debug, Default)]
pub struct Inside {
    /// Distribution.
    pub os: Os,
    /// Packages, by kind, name and version.
    pub packages: Vec<Contained>,
    /// Files by path: bytes and which layer has them, from 0 at the bottom.
    pub files: Vec<(Box<str>, u64, u32)>,
    /// What was left out.
    pub notes: Vec<InsideNote>,
}

/// Reads an image. `scratch` is a folder for files that are needed for a moment.
pub async fn read(
    registry: &dyn Registry,
    repository: &str,
    image: &Image,
    scratch: &Path,
) -> Result<Inside, ReadError> {
    let mut tree = Tree::default();
    let mut unread = 0;
    for (n, (digest, bytes)) in image.steps.iter().filter_map(|s| s.layer.as_ref()).enumerate() {
        let blob = CopyBlob { digest: digest.clone(), bytes: *bytes };
        tree.layer(u32::try_from(n).unwrap_or(u32::MAX));
        (tree, unread) = unpack::layer(registry, repository, &blob, tree, unread, scratch).await?;
    }
    Ok(finish(tree, unread).await)
}

async fn finish(tree: Tree, mut unread: u64) -> Inside {
    let Tree { files, found, climbing, unlisted, .. } = tree;
    let mut out = Inside::default();
    let mut old_rpm = false;
    // `etc` before `usr`: the first that says who it is.
    for (path, (_, found)) in found {
        match found {
            Found::Packages(some) => out.packages.extend(some),
            Found::Os(os) if out.os.id.is_empty() => out.os = os,
            Found::Os(_) => {}
            Found::OldRpm => old_rpm = true,
            Found::Rpm(file) => match rpm::read(file.path(), &path).await {
                Ok(some) => out.packages.extend(some),
                Err(e) => {
                    tracing::info!(file.path = &*path, cause = %e, "a database of rpm in an image could not be read");
                    unread += 1;
                }
            },
        }
    }
    let cut = out.packages.len() > MAX_PACKAGES;
    out.packages.truncate(MAX_PACKAGES);
    for p in &mut out.packages {
        p.purl = os::purl(p, &out.os);
    }
    out.packages
        .sort_by(|a, b| (a.origin, &a.name, &a.version, &a.path).cmp(&(b.origin, &b.name, &b.version, &b.path)));
    out.files = files.into_iter().map(|(path, f)| (path, f.bytes, f.layer)).collect();
    let some = |n: u64, note: fn(u64) -> InsideNote| (n > 0).then(|| note(n));
    out.notes.extend(some(unlisted, InsideNote::Unlisted));
    out.notes.extend(some(climbing, InsideNote::Climbing));
    out.notes.extend(some(unread, InsideNote::Unread));
    out.notes.extend(old_rpm.then_some(InsideNote::OldRpm));
    out.notes.extend(cut.then_some(InsideNote::PackagesCut));
    out
}

#[cfg(test)]
mod tests;
