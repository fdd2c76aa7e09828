//! Where an upload's bytes end: at the end of its file, for large ones past the page cache.
//!
//! Through the cache a gigabyte costs a core a third of a second for pages that nobody
//! reads soon, pushes out of memory what the applications beside it are reading, and is
//! waited for at the end. So of an upload that is larger than [`CACHED`] bytes, which most
//! never are, whole blocks go to the disk directly (O_DIRECT, open(2)); of one whose
//! length nobody announced, from there on.
//!
//! One could get it wrong in what O_DIRECT asks for: address, offset and length have to
//! be multiples of the disk's block. What is not (an upload that goes on in the middle
//! of one, the tail) goes through the cache, and so does everything where the file
//! system does not know O_DIRECT. Nor does it mean durable: the file is synchronised in
//! the end as ever.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// A file of no more bytes goes through the cache.
const CACHED: u64 = 32 << 20;
/// What goes to the disk at once; a kill loses at most so much of what came.
const BLOCK: usize = 2 << 20;
/// More than any disk's logical block, and a page.
const ALIGN: usize = 4096;

/// The end of a file.
#[derive(Debug)]
pub struct Sink {
    file: File,
    /// The same file without the cache.
    direct: Option<File>,
    /// Where the next byte that is written goes.
    at: u64,
    /// Up to here it goes through the cache.
    cached: u64,
    /// One block, and as much more as it takes to find an aligned beginning in it.
    room: Vec<u8>,
    /// Bytes of the block that are here, not written yet.
    filled: usize,
}

impl Sink {
    /// At the end of the file at `path`, which will have so many bytes, if that is known.
    pub fn at_end(path: &Path, length: Option<u64>) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(path)?;
        let flag = i32::try_from(rustix::fs::OFlags::DIRECT.bits()).map_err(io::Error::other)?;
        let direct = match OpenOptions::new().write(true).custom_flags(flag).open(path) {
            Ok(direct) => Some(direct),
            Err(e) if e.kind() == ErrorKind::InvalidInput => None,
            Err(e) => return Err(e),
        };
        let at = file.metadata()?.len();
        let cached = if length.is_some_and(|n| n > CACHED) { 0 } else { CACHED };
        Ok(Self { file, direct, at, cached, room: Vec::new(), filled: 0 })
    }

    /// The file, to be synchronised.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Writes, or keeps until a block is full; gives how many bytes went into the cache.
    pub fn write(&mut self, mut piece: &[u8]) -> io::Result<u64> {
        if self.direct.is_none() || self.at < self.cached {
            self.put(piece)?;
            return Ok(piece.len() as u64);
        }
        if self.room.is_empty() {
            self.room = vec![0; BLOCK + ALIGN];
        }
        let mut cached = 0;
        while !piece.is_empty() {
            // Blocks end where their multiples do, so that after an odd beginning all is aligned.
            let left = BLOCK - (self.at % BLOCK as u64) as usize - self.filled;
            let (now, rest) = piece.split_at(piece.len().min(left));
            let begin = self.begin() + self.filled;
            self.room[begin..begin + now.len()].copy_from_slice(now);
            self.filled += now.len();
            piece = rest;
            if now.len() == left {
                cached += self.block()?;
            }
        }
        Ok(cached)
    }

    /// Writes what is kept.
    pub fn finish(mut self) -> io::Result<()> {
        self.block().map(drop)
    }

    /// Where the aligned block begins in its room.
    fn begin(&self) -> usize {
        self.room.as_ptr().align_offset(ALIGN).min(ALIGN)
    }

    /// Writes the block as far as it is filled; gives how many bytes went into the cache.
    fn block(&mut self) -> io::Result<u64> {
        if self.filled == 0 {
            return Ok(0);
        }
        let (begin, len) = (self.begin(), std::mem::take(&mut self.filled));
        let room = std::mem::take(&mut self.room);
        let bytes = &room[begin..begin + len];
        let fits = self.at.is_multiple_of(ALIGN as u64) && len.is_multiple_of(ALIGN);
        let past = match self.direct.as_ref().filter(|_| fits) {
            None => 0,
            Some(direct) => match direct.write_at(bytes, self.at) {
                Ok(n) => n,
                // Opened, but not for this file's blocks.
                Err(e) if e.kind() == ErrorKind::InvalidInput => {
                    tracing::info!(cause = %e, "this disk takes no direct writes: uploads go through the cache");
                    self.direct = None;
                    0
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => 0,
                Err(e) => return Err(e),
            },
        };
        self.at += past as u64;
        self.put(&bytes[past..])?;
        self.room = room;
        Ok((len - past) as u64)
    }

    /// Writes through the cache.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.at)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut x = 0x9e37_79b9_u32;
        std::iter::repeat_with(|| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 24) as u8
        })
        .take(len)
        .collect()
    }

    /// On a disk: the folder for what is shorter-lived may lie in memory.
    fn file() -> tempfile::NamedTempFile {
        tempfile::NamedTempFile::new_in("/var/tmp").expect("a file")
    }

    #[test]
    fn every_byte_is_where_it_belongs_however_the_pieces_fall() {
        let all = noise(CACHED as usize + 2 * BLOCK + 4_321);
        let lengths = [None, Some(all.len() as u64)];
        for (pieces, length) in [1 << 20, 300_007, BLOCK, all.len()].into_iter().zip(lengths.into_iter().cycle()) {
            let f = file();
            // In two goes, the second from the middle of a block.
            let middle = CACHED as usize + BLOCK + 77;
            for part in [&all[..middle], &all[middle..]] {
                let mut sink = Sink::at_end(f.path(), length).expect("a sink");
                for piece in part.chunks(pieces) {
                    sink.write(piece).expect("written");
                }
                sink.finish().expect("the rest");
            }
            assert!(std::fs::read(f.path()).expect("read") == all, "pieces of {pieces}");
        }
    }

    #[test]
    fn nothing_is_written_of_nothing() {
        let f = file();
        Sink::at_end(f.path(), Some(CACHED + 1)).expect("a sink").finish().expect("nothing is left");
        assert_eq!(f.as_file().metadata().expect("a file").len(), 0);
    }

    #[test]
    fn whole_blocks_of_a_large_file_do_not_go_through_the_cache() {
        let f = file();
        let mut small = Sink::at_end(f.path(), Some(CACHED)).expect("a sink");
        assert!(small.direct.is_some(), "this disk takes direct writes");
        assert_eq!(small.write(&noise(BLOCK)).expect("written"), BLOCK as u64);
        let f = file();
        let mut sink = Sink::at_end(f.path(), Some(CACHED + 1)).expect("a sink");
        assert_eq!(sink.write(&noise(3 * BLOCK)).expect("written"), 0);
        sink.finish().expect("nothing is left");
        assert_eq!(f.as_file().metadata().expect("a file").len(), 3 * BLOCK as u64);
        // Unaligned: through the cache up to the next multiple.
        f.as_file().set_len(CACHED + 3 * BLOCK as u64 + 5).expect("longer");
        let mut sink = Sink::at_end(f.path(), None).expect("a sink");
        assert_eq!(sink.write(&noise(2 * BLOCK)).expect("written"), BLOCK as u64 - 5);
        sink.finish().expect("the rest");
        assert_eq!(f.as_file().metadata().expect("a file").len(), CACHED + 5 * BLOCK as u64 + 5);
    }

    #[test]
    fn what_takes_no_direct_writes_is_written_through_the_cache() {
        let f = file();
        let mut sink = Sink::at_end(f.path(), None).expect("a sink");
        sink.direct = None;
        let all = noise(CACHED as usize + BLOCK + 9);
        assert_eq!(sink.write(&all).expect("written"), all.len() as u64);
        sink.finish().expect("nothing is left");
        assert!(std::fs::read(f.path()).expect("read") == all);
        // Nothing of a device can be written past a cache.
        assert!(Sink::at_end(Path::new("/dev/full"), None).expect("a device").direct.is_none());
    }
}
