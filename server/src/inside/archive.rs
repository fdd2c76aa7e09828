//! A tar as a layer of an image has it, read entry after entry.
//!
//! The format is known by the crate `tar`; the walk is ours, because a long name that says
//! it has ten gigabytes must not be believed, and that crate reads it whole. What one could
//! get wrong: to take the size in a header for the truth where an extended header says
//! another, and to read what follows a sparse file's header as the next entry.

use super::Fault;
use std::io::Read;
use tar::{EntryType, Header, PaxExtensions};

/// Bytes of a block (POSIX.1-2017, pax, "ustar Interchange Format").
const BLOCK: usize = 512;
/// Bytes of a long name or an extended header; longer ones are nobody's.
const MAX_EXTRA: u64 = 256 << 10;
/// Entries that are read of one layer.
const MAX_ENTRIES: u64 = 2_000_000;
/// Unpacked bytes of one layer.
const MAX_UNPACKED: u64 = 64 << 30;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file with bytes.
    File,
    /// Another name of a file, or a file with holes, or a symbolic link: shown, not read.
    Shown,
    /// A folder.
    Folder,
    /// A device, a pipe.
    Other,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As it is written there: it may climb.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Bytes.
    pub bytes: u64,
}

/// The archive; after [`Archive::next`] its bytes are read from [`Archive::data`].
pub struct Archive<R> {
    reader: R,
    /// Of the entry's bytes, what was not read yet, and what fills its last block.
    left: u64,
    fill: u64,
    entries: u64,
    unpacked: u64,
}

impl<R: Read> Archive<R> {
    /// From its first byte.
    pub fn new(reader: R) -> Self {
        Self { reader, left: 0, fill: 0, entries: 0, unpacked: 0 }
    }

    /// The next entry; what was not read of the one before is passed over.
    pub fn next(&mut self) -> Result<Option<Entry>, Fault> {
        let (mut long, mut pax_path, mut pax_bytes) = (None, None, None);
        loop {
            self.pass()?;
            let Some(header) = self.header()? else { return Ok(None) };
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(Fault::too_much(format!("a layer has more than {MAX_ENTRIES} entries")));
            }
            let written = header.entry_size().map_err(|_| damaged("a size is none"))?;
            match header.entry_type() {
                EntryType::GNULongName => {
                    self.takes(written)?;
                    let mut name = self.extra()?;
                    name.truncate(name.iter().position(|b| *b == 0).unwrap_or(name.len()));
                    long = Some(name);
                }
                EntryType::GNULongLink | EntryType::XGlobalHeader => self.takes(written)?,
                EntryType::XHeader => {
                    self.takes(written)?;
                    let extra = self.extra()?;
                    for pair in PaxExtensions::new(&extra) {
                        let pair = pair.map_err(|_| damaged("an extended header is not understood"))?;
                        match pair.key_bytes() {
                            b"path" => pax_path = Some(pair.value_bytes().to_vec()),
                            b"size" => pax_bytes = pair.value().ok().and_then(|v| v.parse().ok()),
                            _ => {}
                        }
                    }
                }
                kind => {
                    let bytes = pax_bytes.unwrap_or(written);
                    let path = pax_path.or(long).unwrap_or_else(|| header.path_bytes().into_owned());
                    return self.entry(&header, kind, path, bytes).map(Some);
                }
            }
        }
    }

    fn entry(&mut self, header: &Header, kind: EntryType, path: Vec<u8>, bytes: u64) -> Result<Entry, Fault> {
        let folder = path.ends_with(b"/");
        let shown = |bytes| Entry { path: path.clone(), kind: Kind::Shown, bytes };
        let entry = match kind {
            EntryType::Regular | EntryType::Continuous if !folder => {
                self.takes(bytes)?;
                Entry { path, kind: Kind::File, bytes }
            }
            EntryType::GNUSparse => {
                // What follows the header belongs to it: lists of more holes, block after block.
                let old = header.as_gnu().ok_or_else(|| damaged("a file with holes has another header"))?;
                let (mut more, real) = (old.is_extended(), old.real_size().unwrap_or(bytes));
                while more {
                    let block = self.block()?.ok_or_else(cut)?;
                    self.entries += 1;
                    more = block[504] != 0 && self.entries <= MAX_ENTRIES;
                }
                self.takes(bytes)?;
                shown(real)
            }
            // A hard link may say its target's size; it has no bytes of its own.
            EntryType::Link | EntryType::Symlink => shown(0),
            EntryType::Directory | EntryType::Regular => {
                self.takes(bytes)?;
                Entry { path, kind: Kind::Folder, bytes: 0 }
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => Entry { path, kind: Kind::Other, bytes: 0 },
            _ => {
                self.takes(bytes)?;
                Entry { path, kind: Kind::Other, bytes: 0 }
            }
        };
        Ok(entry)
    }

    /// The bytes of the entry.
    pub fn data(&mut self) -> Data<'_, R> {
        Data(self)
    }

    /// Notes that so many bytes follow.
    fn takes(&mut self, bytes: u64) -> Result<(), Fault> {
        self.unpacked = self.unpacked.saturating_add(bytes);
        if self.unpacked > MAX_UNPACKED {
            return Err(Fault::too_much(format!("a layer has more than {} GiB when unpacked", MAX_UNPACKED >> 30)));
        }
        self.left = bytes;
        self.fill = bytes.next_multiple_of(BLOCK as u64) - bytes;
        Ok(())
    }

    /// The bytes of a header that goes before the entry it speaks of.
    fn extra(&mut self) -> Result<Vec<u8>, Fault> {
        if self.left > MAX_EXTRA {
            return Err(Fault::too_much(format!("a name or its header has more than {} KiB", MAX_EXTRA >> 10)));
        }
        let (mut out, wanted) = (Vec::new(), self.left);
        self.data().read_to_end(&mut out).map_err(|e| damaged(&e.to_string()))?;
        if out.len() as u64 == wanted { Ok(out) } else { Err(cut()) }
    }

    fn pass(&mut self) -> Result<(), Fault> {
        let wanted = self.left + self.fill;
        let passed = std::io::copy(&mut (&mut self.reader).take(wanted), &mut std::io::sink());
        (self.left, self.fill) = (0, 0);
        match passed.map_err(|e| damaged(&e.to_string()))? {
            n if n == wanted => Ok(()),
            _ => Err(cut()),
        }
    }

    fn header(&mut self) -> Result<Option<Header>, Fault> {
        // The end is a block of zeros, or simply the end.
        let Some(block) = self.block()?.filter(|b| b.iter().any(|byte| *byte != 0)) else { return Ok(None) };
        let header = Header::from_byte_slice(&block).clone();
        let sum: u32 =
            block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
        match header.cksum() {
            Ok(told) if told == sum => Ok(Some(header)),
            _ => Err(damaged("a layer is no tar, or a header of it is not sound")),
        }
    }

    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Fault> {
        let (mut block, mut have) = ([0; BLOCK], 0);
        while have < BLOCK {
            match self.reader.read(&mut block[have..]) {
                Ok(0) if have == 0 => return Ok(None),
                Ok(0) => return Err(cut()),
                Ok(n) => have += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(damaged(&e.to_string())),
            }
        }
        Ok(Some(block))
    }
}

/// See [`Archive::data`].
pub struct Data<'a, R>(&'a mut Archive<R>);

impl<R: Read> Read for Data<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.0.left).unwrap_or(usize::MAX).min(into.len());
        let n = self.0.reader.read(&mut into[..most])?;
        if n == 0 && most > 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.0.left -= n as u64;
        Ok(n)
    }
}

fn damaged(why: &str) -> Fault {
    Fault::damaged(why.to_owned())
}

fn cut() -> Fault {
    damaged("a layer ends in the middle of an entry")
}
