//! Reading pieces of log files that a stranger's program writes.
//!
//! The folder is mounted into containers, so everything in it may be hostile: a
//! link that points out of it, a pipe that never answers, one line of a
//! gigabyte. Therefore every component is opened relative to the one before
//! without following links and without blocking, only regular files are read,
//! and every read is bounded. One could get it wrong by checking a path first
//! and opening it after.

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, open, openat, statat};
use rustix::io::{Errno, pread};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The most bytes of one answer.
pub const MAX_PIECE: u32 = 262_144;
/// The most bytes that one search looks through.
const MAX_SCAN: u64 = 8 * 1024 * 1024;
/// The most files listed of one instance.
const MAX_FILES: usize = 50;

/// Whether a text is one component of a path and nothing else.
pub fn is_component(s: &str) -> bool {
    !s.is_empty() && s.len() <= 255 && s != "." && s != ".." && !s.contains(['/', '\0'])
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The folder of one task below the folder of its release.
pub fn task_folder(release: &Path, task: &str) -> Result<OwnedFd, Errno> {
    let folder = open(release, FOLDER, Mode::empty())?;
    openat(folder, task, FOLDER | OFlags::NOFOLLOW, Mode::empty())
}

/// One regular file of the folder.
pub fn regular(folder: &OwnedFd, file: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(folder, file, flags, Mode::empty())?;
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::RegularFile => Ok(file),
        _ => Err(Errno::NOENT),
    }
}

/// A file as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Name.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// Last written at, ms since 1970.
    pub written_at: i64,
}

/// The regular files of the folder, by name.
pub fn list(folder: &OwnedFd) -> Result<Vec<Listed>, Errno> {
    let mut out = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else { continue };
        if !is_component(name) {
            continue;
        }
        // It may be gone by now.
        let Ok(stat) = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            continue;
        }
        let written_at = stat.st_mtime.saturating_mul(1000);
        out.push(Listed { name: name.to_owned(), bytes: u64::try_from(stat.st_size).unwrap_or_default(), written_at });
        if out.len() == MAX_FILES {
            break;
        }
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(out)
}

/// What to read.
#[derive(Debug, Clone, Copy)]
pub struct Want<'a> {
    /// First byte; `None`: near the end.
    pub offset: Option<u64>,
    /// Bytes, at most [`MAX_PIECE`].
    pub length: u32,
    /// Only lines that hold this text, whatever the case; empty: all.
    pub find: &'a str,
    /// Whether somebody still writes: an unfinished last line then waits for its end.
    pub alive: bool,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    /// Lines with their offsets.
    pub lines: Vec<(u64, String)>,
    /// Where to read on.
    pub next: u64,
    /// Bytes of the file.
    pub length: u64,
}

/// Where the bytes are.
pub trait Bytes {
    /// How many there are now.
    fn length(&self) -> Result<u64, Errno>;
    /// At most `length` of them from `offset` on; fewer at the end.
    fn at(&self, offset: u64, length: u64) -> Result<Vec<u8>, Errno>;
}

impl Bytes for OwnedFd {
    fn length(&self) -> Result<u64, Errno> {
        Ok(u64::try_from(fstat(self)?.st_size).unwrap_or_default())
    }

    fn at(&self, offset: u64, length: u64) -> Result<Vec<u8>, Errno> {
        let mut buf = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(MAX_PIECE as usize)];
        let mut have = 0;
        while have < buf.len() {
            match pread(self, &mut buf[have..], offset + have as u64) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(Errno::INTR) => {}
                Err(e) => return Err(e),
            }
        }
        buf.truncate(have);
        Ok(buf)
    }
}

/// The part of a file on another host that was fetched.
#[derive(Debug)]
pub struct Window {
    /// Where it begins in the file.
    pub offset: u64,
    /// Its bytes.
    pub data: Vec<u8>,
    /// The whole file's length.
    pub length: u64,
}

impl Bytes for Window {
    fn length(&self) -> Result<u64, Errno> {
        Ok(self.length)
    }

    fn at(&self, offset: u64, length: u64) -> Result<Vec<u8>, Errno> {
        let from = usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let rest = self.data.get(from..).unwrap_or_default();
        let n = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        Ok(rest[..n].to_vec())
    }
}

/// How many bytes a look needs at most: from its offset on, or before the end.
pub fn reach(want: Want<'_>) -> u64 {
    if want.find.is_empty() { most(want) + 1 } else { MAX_SCAN }
}

fn most(want: Want<'_>) -> u64 {
    u64::from(match want.length {
        0 => MAX_PIECE / 4,
        n => n.min(MAX_PIECE),
    })
}

/// Lines with their offsets.
type Lines = Vec<(u64, String)>;

/// The lines of `buf`, which begins at `start`; gives where to read on. `last`:
/// the buffer ends where the file ends. `full`: as much was read as may be.
fn lines_of(buf: &[u8], start: u64, last: bool, full: bool, alive: bool) -> (Lines, u64) {
    let mut lines = Vec::new();
    let (mut at, mut rest) = (start, buf);
    let text = |b: &[u8]| String::from_utf8_lossy(b.strip_suffix(b"\r").unwrap_or(b)).into_owned();
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        lines.push((at, text(&rest[..end])));
        at += end as u64 + 1;
        rest = &rest[end + 1..];
    }
    // What is left has no end yet. It is shown if none will come, or if it alone
    // fills the whole piece: otherwise nobody would ever get past it.
    if !rest.is_empty() && ((last && !alive) || (lines.is_empty() && full)) {
        lines.push((at, text(rest)));
        at += rest.len() as u64;
    }
    (lines, at)
}

/// Reads a piece.
pub fn read(file: &impl Bytes, want: Want<'_>) -> Result<Piece, Errno> {
    let (length, most) = (file.length()?, most(want));
    let back = if want.find.is_empty() { most } else { MAX_SCAN };
    let start = match want.offset {
        // Shorter than what was read already: it was cut and begins anew.
        Some(at) if at > length => 0,
        Some(at) => at,
        None => line_start(file, length.saturating_sub(back), most)?,
    };
    if want.find.is_empty() {
        let (lines, next, _) = chunk(file, start, most, length, want.alive)?;
        return Ok(Piece { lines, next, length });
    }
    let find = want.find.to_lowercase();
    let mut piece = Piece { lines: Vec::new(), next: start, length };
    let mut bytes = 0;
    while piece.next - start < MAX_SCAN {
        let (lines, next, end) = chunk(file, piece.next, u64::from(MAX_PIECE), length, want.alive)?;
        for (at, line) in lines {
            if !line.to_lowercase().contains(&find) {
                continue;
            }
            if bytes > 0 && bytes + line.len() as u64 > most {
                piece.next = at;
                return Ok(piece);
            }
            bytes += line.len() as u64;
            piece.lines.push((at, line));
        }
        let stuck = next == piece.next;
        piece.next = next;
        if end || stuck {
            break;
        }
    }
    Ok(piece)
}

/// The lines from `start`, where to read on, and whether that is all there is.
fn chunk(file: &impl Bytes, start: u64, most: u64, length: u64, alive: bool) -> Result<(Lines, u64, bool), Errno> {
    let buf = file.at(start, most)?;
    // Nothing more came, or everything that there was when the look began.
    let last = buf.is_empty() || start + buf.len() as u64 >= length;
    let full = buf.len() as u64 == most;
    let (lines, next) = lines_of(&buf, start, last, full, alive);
    Ok((lines, next, last))
}

/// The start of the first line that begins at `at` or after it.
fn line_start(file: &impl Bytes, at: u64, most: u64) -> Result<u64, Errno> {
    if at == 0 {
        return Ok(0);
    }
    let buf = file.at(at - 1, most)?;
    Ok(buf.iter().position(|b| *b == b'\n').map_or(at, |i| at + i as u64))
}

#[cfg(test)]
mod tests;
