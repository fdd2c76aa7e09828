//! One layer: from the registry through a pipe of a few pieces into a thread that unpacks
//! it, and what is looked into on the way.
//!
//! One could get it wrong by stopping where the tar ends: the registry's bytes are believed
//! when the last of them has come, and gzip may have some behind it.

use super::archive::{Archive, Entry};
use super::jars::{Jars, MAX_JAR, is_jar};
use super::os::Os;
use super::pipe::{Piece, Pipe, pipe};
use super::tree::{Found, Tree};
use super::{Fault, MAX_PACKAGES, ReadError, dpkg};
use flate2::read::MultiGzDecoder;
use futures::StreamExt;
use padis_domain::ports::{CopyBlob, PortError, Registry};
use padis_domain::problem::System;
use std::io::{self, Read};
use std::path::Path;

/// Bytes of a package database that is a text, or of rpm's.
const MAX_TEXT: u64 = 16 << 20;
const MAX_RPM: u64 = 512 << 20;
/// zstd's window, as a power of two: 8 MiB, which every reader has to take (RFC 8878, 3.1.1.1.2).
const WINDOW: u32 = 23;

/// Takes a layer into the tree; gives it back with the archives that were not read so far.
pub async fn layer(
    registry: &dyn Registry,
    repository: &str,
    blob: &CopyBlob,
    mut tree: Tree,
    unread: u64,
    scratch: &Path,
) -> Result<(Tree, u64), ReadError> {
    let (to, mut pipe) = pipe();
    let scratch = scratch.to_owned();
    let thread = tokio::task::spawn_blocking(move || {
        let mut jars = Jars::new(&scratch);
        walk(&mut pipe, &mut tree, &mut jars, &scratch)?;
        io::copy(&mut pipe, &mut io::sink()).map_err(Fault::io)?;
        Ok::<_, Fault>((tree, unread + jars.unread))
    });
    let mut pieces = registry.blob(repository, blob);
    let mut failed = None;
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(bytes) => {
                // Nobody listens: it has had enough, and says why.
                if to.send(Piece::Bytes(bytes)).await.is_err() {
                    break;
                }
            }
            Err(e) => {
                failed = Some(e);
                break;
            }
        }
    }
    if failed.is_none() {
        // Nobody listens any more where it has had enough.
        let _ = to.send(Piece::End).await;
    }
    drop(to);
    let read = thread.await;
    match failed {
        Some(e) => Err(e.into()),
        None => Ok(read.map_err(|e| PortError::transient(System::Registry, "unpack a layer", e))??),
    }
}

fn walk(pipe: &mut Pipe, tree: &mut Tree, jars: &mut Jars<'_>, scratch: &Path) -> Result<(), Fault> {
    let mut head = Vec::new();
    (&mut *pipe).take(4).read_to_end(&mut head).map_err(Fault::io)?;
    let all = io::Cursor::new(head.clone()).chain(pipe);
    let plain: Box<dyn Read + '_> = match head[..] {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(all)),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let mut reader = zstd::stream::read::Decoder::new(all).map_err(Fault::io)?;
            reader.window_log_max(WINDOW).map_err(Fault::io)?;
            Box::new(reader)
        }
        _ => Box::new(io::BufReader::with_capacity(64 << 10, all)),
    };
    let mut archive = Archive::new(plain);
    while let Some(entry) = archive.next()? {
        let Some(path) = tree.add(&entry) else { continue };
        let Some(look) = Look::at(&path) else { continue };
        if let Some(found) = look.read(&mut archive, &entry, &path, jars, scratch)? {
            let held: usize =
                tree.found.values().map(|(_, f)| if let Found::Packages(p) = f { p.len() } else { 0 }).sum();
            match found {
                Found::Packages(p) if p.is_empty() => {}
                // One more than is shown stays, so that it is told that there are more.
                Found::Packages(mut p) => {
                    p.truncate((MAX_PACKAGES + 1).saturating_sub(held));
                    tree.note(&path, Found::Packages(p));
                }
                found => tree.note(&path, found),
            }
        }
    }
    Ok(())
}

/// What is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Dpkg,
    Apk,
    Os,
    Rpm,
    OldRpm,
    Jar,
}

impl Look {
    fn at(path: &str) -> Option<Self> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Some(match (folder, name) {
            ("var/lib/dpkg", "status") => Self::Dpkg,
            ("var/lib/dpkg/status.d", _) if !name.ends_with(".md5sums") => Self::Dpkg,
            ("lib/apk/db" | "usr/lib/apk/db", "installed") => Self::Apk,
            ("etc" | "usr/lib", "os-release") => Self::Os,
            ("var/lib/rpm" | "usr/lib/sysimage/rpm" | "usr/share/rpm", "rpmdb.sqlite") => Self::Rpm,
            ("var/lib/rpm" | "usr/lib/sysimage/rpm" | "usr/share/rpm", "Packages" | "Packages.db") => Self::OldRpm,
            _ if is_jar(name) => Self::Jar,
            _ => return None,
        })
    }

    fn read<R: Read>(
        self,
        archive: &mut Archive<R>,
        entry: &Entry,
        path: &str,
        jars: &mut Jars<'_>,
        scratch: &Path,
    ) -> Result<Option<Found>, Fault> {
        let most = match self {
            Self::Dpkg | Self::Apk | Self::Os => MAX_TEXT,
            Self::Rpm => MAX_RPM,
            Self::Jar => MAX_JAR,
            Self::OldRpm => return Ok(Some(Found::OldRpm)),
        };
        if entry.bytes > most {
            jars.unread += 1;
            return Ok(None);
        }
        let mut data = archive.data();
        Ok(Some(match self {
            Self::Jar => Found::Packages(jars.read(&mut data, path).map_err(Fault::io)?),
            Self::Rpm => {
                let mut file = tempfile::NamedTempFile::new_in(scratch).map_err(Fault::io)?;
                io::copy(&mut data, &mut file).map_err(Fault::io)?;
                Found::Rpm(file)
            }
            _ => {
                let mut bytes = Vec::new();
                data.read_to_end(&mut bytes).map_err(Fault::io)?;
                let text = String::from_utf8_lossy(&bytes);
                match self {
                    Self::Dpkg => Found::Packages(dpkg::dpkg(&text, path)),
                    Self::Apk => Found::Packages(dpkg::apk(&text, path)),
                    _ => Found::Os(Os::parse(&text)),
                }
            }
        }))
    }
}
