//! Entries of a zip that are read through while the archive still comes in.
//!
//! A person waits for what is done after the last byte, and checking a large archive
//! is most of that. So each piece is followed through the local headers as it passes,
//! and what came out of an entry's data is noted: where the data begins, how long it
//! is, and its CRC-32. [`super::zip::walk`] decides all the same, by the directory at
//! the archive's end, and takes a note only in place of reading the same bytes again.
//!
//! One could get it wrong by believing a local header: nothing here refuses or accepts
//! anything, and what is not exactly as expected only ends it. The rest is then read
//! when the archive is whole.

use super::entries::Limits;
use super::zip_dir::{Fields, large_numbers};
use crc32fast::Hasher as Crc;
use flate2::{Decompress, FlushDecompress, Status};
use std::collections::HashMap;
use std::fmt;

const LOCAL: u32 = 0x0403_4b50;
const DIRECTORY: u32 = 0x0201_4b50;
/// A local header's fixed part.
const HEAD: usize = 30;
/// Sizes and CRC follow the data (flag bit 3).
const FOLLOWS: u16 = 1 << 3;
/// Encrypted (flag bit 0).
const ENCRYPTED: u16 = 1;
/// Unpacked at a time.
const PIECE: usize = 64 << 10;

/// What an entry's data came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// 0 stored, 8 deflated.
    pub method: u16,
    /// Packed bytes.
    pub packed: u64,
    /// Unpacked bytes.
    pub unpacked: u64,
    /// CRC-32 of the unpacked bytes.
    pub crc: u32,
}

/// Notes by where the data begins.
pub type Notes = HashMap<u64, Note>;

enum State {
    /// A local header, as far as it is here.
    Head(Vec<u8>),
    /// Stored data.
    Stored { from: u64, len: u64, left: u64, crc: Crc },
    /// Deflated data.
    Deflated { from: u64, inflate: Box<Decompress>, crc: Crc, follows: bool },
    /// What follows the data and may be 12, 16, 20 or 24 bytes, with the next signature behind it.
    Follows(Vec<u8>),
    /// Nothing more is noted.
    Over,
}

/// Follows an archive from its first byte on.
pub struct Ahead {
    limits: Limits,
    /// Bytes that passed.
    at: u64,
    unpacked: u64,
    state: State,
    out: Vec<u8>,
    notes: Notes,
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").field("at", &self.at).field("notes", &self.notes.len()).finish_non_exhaustive()
    }
}

impl Ahead {
    /// Before the first byte.
    pub fn new(limits: Limits) -> Self {
        let state = State::Head(Vec::new());
        Self { limits, at: 0, unpacked: 0, state, out: Vec::new(), notes: Notes::new() }
    }

    /// What was noted.
    pub fn notes(self) -> Notes {
        self.notes
    }

    /// The next bytes.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let before = piece.len();
            let state = std::mem::replace(&mut self.state, State::Over);
            self.state = match state {
                State::Head(have) => self.head(have, &mut piece),
                State::Stored { from, len, left, crc } => self.stored(from, len, left, crc, &mut piece),
                State::Deflated { from, inflate, crc, follows } => {
                    self.deflated(from, inflate, crc, follows, &mut piece)
                }
                State::Follows(have) => self.follows(have, &mut piece),
                State::Over => return,
            };
            self.at += (before - piece.len()) as u64;
        }
    }

    /// Takes bytes until there are `wanted`; whether there are.
    fn fill(have: &mut Vec<u8>, wanted: usize, piece: &mut &[u8]) -> bool {
        let n = wanted.saturating_sub(have.len()).min(piece.len());
        let (taken, rest) = piece.split_at(n);
        have.extend_from_slice(taken);
        *piece = rest;
        have.len() >= wanted
    }

    fn head(&mut self, mut have: Vec<u8>, piece: &mut &[u8]) -> State {
        let before = piece.len();
        if !Self::fill(&mut have, HEAD, piece) {
            return State::Head(have);
        }
        let f = Fields(&have);
        let n = |at| usize::from(f.u16(at).unwrap_or(0));
        let (name, extra) = (n(26), n(28));
        if f.u32(0) != Some(LOCAL) {
            return State::Over;
        }
        if !Self::fill(&mut have, HEAD + name + extra, piece) {
            return State::Head(have);
        }
        let f = Fields(&have);
        let (Some(flags), Some(method)) = (f.u16(6), f.u16(8)) else { return State::Over };
        let (mut packed, mut unpacked) = (u64::from(f.u32(18).unwrap_or(0)), u64::from(f.u32(22).unwrap_or(0)));
        let sure = large_numbers(&have[HEAD + name..], [&mut unpacked, &mut packed]).is_ok();
        let follows = flags & FOLLOWS != 0;
        if flags & ENCRYPTED != 0 || self.notes.len() as u64 >= self.limits.entries {
            return State::Over;
        }
        let from = self.at + (before - piece.len()) as u64;
        match method {
            0 if !follows && sure && packed == unpacked => self.stored(from, packed, packed, Crc::new(), piece),
            8 => State::Deflated { from, inflate: Box::new(Decompress::new(false)), crc: Crc::new(), follows },
            _ => State::Over,
        }
    }

    fn note(&mut self, from: u64, note: Note) -> State {
        self.notes.insert(from, note);
        State::Head(Vec::new())
    }

    fn stored(&mut self, from: u64, len: u64, left: u64, mut crc: Crc, piece: &mut &[u8]) -> State {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        let (data, rest) = piece.split_at(n);
        crc.update(data);
        *piece = rest;
        match left - n as u64 {
            0 => self.note(from, Note { method: 0, packed: len, unpacked: len, crc: crc.finalize() }),
            left => State::Stored { from, len, left, crc },
        }
    }

    fn deflated(
        &mut self,
        from: u64,
        mut inflate: Box<Decompress>,
        mut crc: Crc,
        follows: bool,
        piece: &mut &[u8],
    ) -> State {
        self.out.resize(PIECE, 0);
        loop {
            let (in_before, out_before) = (inflate.total_in(), inflate.total_out());
            let Ok(status) = inflate.decompress(piece, &mut self.out, FlushDecompress::None) else {
                return State::Over;
            };
            let (used, made) = ((inflate.total_in() - in_before) as usize, (inflate.total_out() - out_before) as usize);
            crc.update(&self.out[..made]);
            *piece = &piece[used..];
            self.unpacked += made as u64;
            // What it came to by now may not be more than the whole might.
            if self.unpacked > self.limits.unpacked(self.at + inflate.total_in()) {
                return State::Over;
            }
            if let Status::StreamEnd = status {
                let (packed, unpacked) = (inflate.total_in(), inflate.total_out());
                let next = self.note(from, Note { method: 8, packed, unpacked, crc: crc.finalize() });
                return if follows { State::Follows(Vec::new()) } else { next };
            }
            match (used, made) {
                (0, 0) if piece.is_empty() => return State::Deflated { from, inflate, crc, follows },
                (0, 0) => return State::Over,
                _ => {}
            }
        }
    }

    fn follows(&mut self, mut have: Vec<u8>, piece: &mut &[u8]) -> State {
        for len in [12, 16, 20, 24] {
            // With the four bytes behind it.
            if have.len() >= len + 4 {
                continue;
            }
            if !Self::fill(&mut have, len + 4, piece) {
                return State::Follows(have);
            }
            if matches!(Fields(&have).u32(len), Some(LOCAL | DIRECTORY)) {
                return State::Head(have.split_off(len));
            }
        }
        State::Over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use zip::CompressionMethod::{Deflated, Stored};
    use zip::write::SimpleFileOptions;

    const LIMITS: Limits = Limits { unpacked_bytes: 1 << 30, entries: 100 };

    fn archive(streamed: bool) -> Vec<u8> {
        fn fill<W: std::io::Write + std::io::Seek>(z: &mut zip::ZipWriter<W>) {
            for (name, method, text) in [("a", Stored, "stored"), ("b", Deflated, "deflated"), ("empty", Stored, "")] {
                z.start_file(name, SimpleFileOptions::default().compression_method(method)).expect("an entry");
                z.write_all(text.repeat(if name == "b" { 50_000 } else { 1 }).as_bytes()).expect("written");
            }
        }
        if streamed {
            let mut z = zip::ZipWriter::new_stream(Vec::new());
            for n in 0..3 {
                let options = SimpleFileOptions::default().compression_method(Deflated);
                z.start_file(format!("{n}"), options).expect("an entry");
                z.write_all("streamed ".repeat(n * 30_000).as_bytes()).expect("written");
            }
            return z.finish().expect("an archive").into_inner();
        }
        let mut z = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        fill(&mut z);
        z.finish().expect("an archive").into_inner()
    }

    fn notes(bytes: &[u8], piece: usize) -> Notes {
        let mut ahead = Ahead::new(LIMITS);
        bytes.chunks(piece).for_each(|p| ahead.feed(p));
        ahead.notes()
    }

    /// What the archive's own directory says of each entry.
    fn told(bytes: &[u8]) -> Notes {
        let mut z = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("an archive");
        (0..z.len())
            .map(|i| {
                let f = z.by_index_raw(i).expect("an entry");
                let method = if f.compression() == Stored { 0 } else { 8 };
                let note = Note { method, packed: f.compressed_size(), unpacked: f.size(), crc: f.crc32() };
                (f.data_start(), note)
            })
            .collect()
    }

    #[test]
    fn every_entry_is_noted_however_the_pieces_fall() {
        for streamed in [false, true] {
            let bytes = archive(streamed);
            let told = told(&bytes);
            assert_eq!(told.len(), 3);
            for piece in [1, 7, 29, 64, 4096, bytes.len()] {
                assert_eq!(notes(&bytes, piece), told, "streamed: {streamed}, pieces of {piece}");
            }
        }
    }

    #[test]
    fn what_is_no_archive_or_too_much_ends_it() {
        assert!(notes(&b"not an archive at all, but long enough for a header".repeat(9), 10).is_empty());
        let bytes = archive(false);
        let mut few = Ahead::new(Limits { entries: 1, ..LIMITS });
        few.feed(&bytes);
        assert_eq!(few.notes().len(), 1);
        let mut bomb = Ahead::new(Limits { unpacked_bytes: 1000, ..LIMITS });
        bomb.feed(&bytes);
        assert_eq!(bomb.notes().len(), 1, "only what came before it");
        // Cut anywhere it neither panics nor invents.
        let told = told(&bytes);
        for end in 0..bytes.len() {
            assert!(notes(&bytes[..end], 100).iter().all(|(at, n)| told.get(at) == Some(n)));
        }
    }
}
