//! Where files that come in lie until their image is in the registry.
//!
//! What is packed by gzip is unpacked on the way, so that the rest reads any entry wherever it
//! is. A file whose sender goes away is gone at once; what a killed process leaves is cleared at
//! the next start. One could get it wrong by measuring what comes in: a gzip of a few kilobytes
//! unpacks to gigabytes, so what goes out is measured, too.

use super::Stop;
use crate::inside::pipe::{Piece, Pipe, pipe};
use crate::packages::disk;
use flate2::read::MultiGzDecoder;
use futures::StreamExt;
use futures::stream::BoxStream;
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use padis_domain::view::ArchiveFault;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes that are written at a time.
const PIECE: usize = 256 << 10;
/// The disk's room is looked at after so many bytes.
const LOOK_EVERY: u64 = 64 << 20;

/// The folder and its limits.
#[derive(Debug, Clone)]
pub struct Spool {
    /// Folder.
    pub folder: PathBuf,
    /// The largest file in bytes, unpacked.
    pub most_bytes: u64,
    /// Bytes of the disk that are left free.
    pub keep_free: u64,
    /// Whose folder it is: other processes on the same database have their own.
    pub holder: String,
}

/// A file that is here; it goes with this, unless it is kept.
#[derive(Debug)]
pub struct Spooled {
    path: PathBuf,
    /// Bytes, unpacked.
    pub bytes: u64,
}

impl Spooled {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// From now on a row says that it is here.
    pub fn keep(mut self) {
        self.path = PathBuf::new();
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            remove(&self.path);
        }
    }
}

fn remove(path: &Path) {
    if let Err(e) = fs::remove_file(path)
        && e.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), cause = %e, "a file that was brought could not be removed");
    }
}

impl Spool {
    /// Where the file of an id is.
    pub fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// Where what is packed of it lies while it is sent.
    pub fn scratch(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.layer"))
    }

    /// Takes the files of an id away.
    pub fn forget(&self, id: &str) {
        remove(&self.path(id));
        remove(&self.scratch(id));
    }

    /// Takes everything away that is not of these ids: what a killed process has left.
    pub fn clear(&self, known: &BTreeSet<String>) -> io::Result<u32> {
        let mut gone = 0;
        let entries = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
            other => other?,
        };
        for entry in entries {
            let path = entry?.path();
            if !path.file_name().is_some_and(|n| known.contains(&*n.to_string_lossy())) {
                fs::remove_file(&path)?;
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Takes a file in.
    pub async fn take(&self, id: &str, mut body: BoxStream<'_, PortResult<Vec<u8>>>) -> Result<Spooled, Stop> {
        fs::create_dir_all(&self.folder)?;
        disk::room(&self.folder, 0, self.keep_free)?;
        let (to, from) = pipe();
        let (this, path) = (self.clone(), self.path(id));
        let thread = tokio::task::spawn_blocking(move || this.write(from, path));
        let (mut broken, mut came) = (None, 0);
        while let Some(piece) = body.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(e) => {
                    broken = Some(e);
                    break;
                }
            };
            came += piece.len() as u64;
            // It has had enough, and says why.
            if came > self.most_bytes || to.send(Piece::Bytes(piece)).await.is_err() {
                break;
            }
        }
        if broken.is_none() && came <= self.most_bytes {
            let _had_enough = to.send(Piece::End).await;
        }
        drop(to);
        let written = thread.await.map_err(|e| PortError::transient(System::Disk, "keep a file", e))?;
        match broken {
            Some(e) => Err(Stop::Broken(e)),
            None if came > self.most_bytes => Err(ArchiveFault::TooLarge { limit: self.most_bytes }.into()),
            None => written,
        }
    }

    /// On a thread of its own; what it does not end well is not there.
    fn write(&self, from: Pipe, path: PathBuf) -> Result<Spooled, Stop> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let mut spooled = Spooled { path, bytes: 0 };
        spooled.bytes = self.pour(from, &mut file)?;
        file.sync_all()?;
        Ok(spooled)
    }

    fn pour(&self, mut from: Pipe, file: &mut File) -> Result<u64, Stop> {
        let mut head = Vec::new();
        (&mut from).take(2).read_to_end(&mut head).map_err(|_| ArchiveFault::Truncated)?;
        let packed = head == [0x1f, 0x8b];
        let all = io::Cursor::new(head).chain(from);
        let mut plain: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(all)) } else { Box::new(all) };
        let (mut piece, mut bytes, mut looked) = (vec![0; PIECE], 0, 0);
        loop {
            let n = match plain.read(&mut piece) {
                Ok(0) => return Ok(bytes),
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Err(ArchiveFault::Truncated.into()),
                Err(_) => return Err(ArchiveFault::NotTar.into()),
            };
            bytes += n as u64;
            if bytes > self.most_bytes {
                return Err(ArchiveFault::TooLarge { limit: self.most_bytes }.into());
            }
            if bytes - looked >= LOOK_EVERY {
                disk::left(&self.folder, self.keep_free)?;
                looked = bytes;
            }
            file.write_all(&piece[..n])?;
        }
    }
}
