//! What is in a file that was brought: every entry, and where its bytes are.
//!
//! Nothing is unpacked by the names that stand there; still a path that climbs out is refused,
//! because whoever made it meant harm. Links are followed to a file of the archive and nowhere
//! else: `docker save` before 25 wrote a layer that occurs twice as one. One could get it wrong
//! by reading a long name whole because its header says that it has ten gigabytes.

use super::Stop;
use padis_domain::view::ArchiveFault;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use tar::{EntryType, Header, PaxExtensions};

/// Bytes of a block (POSIX.1-2017, pax, "ustar Interchange Format").
const BLOCK: u64 = 512;
/// Bytes of a long name or an extended header; longer ones are nobody's.
const MAX_EXTRA: u64 = 256 << 10;
/// Entries of one archive: an image has a few for each layer.
const MAX_ENTRIES: u64 = 100_000;
/// Bytes of a document. The Distribution specification limits manifests to 4 MiB.
const MAX_DOCUMENT: u64 = 8 << 20;
/// Links that lead to a link.
const MAX_LINKS: usize = 8;

/// Where a file's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// From the beginning of the archive.
    pub at: u64,
    /// How many.
    pub bytes: u64,
}

/// All files of an archive, by their paths.
#[derive(Debug)]
pub struct Index {
    /// The archive.
    pub file: Arc<File>,
    files: BTreeMap<String, Part>,
}

/// What extended headers said of the entry that follows.
#[derive(Default)]
struct Extra {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    bytes: Option<u64>,
}

impl Index {
    /// Walks the archive, from header to header.
    pub fn of(path: &Path) -> Result<Self, Stop> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut walk = Walk { file: &file, length, at: 0 };
        let (mut files, mut links) = (BTreeMap::new(), BTreeMap::new());
        let (mut extra, mut entries) = (Extra::default(), 0);
        while let Some(header) = walk.header()? {
            entries += 1;
            if entries > MAX_ENTRIES {
                return Err(ArchiveFault::TooMany { limit: MAX_ENTRIES }.into());
            }
            let kind = header.entry_type();
            let bytes = extra.bytes.map_or_else(|| header.entry_size().map_err(|_| broken("tar")), Ok)?;
            match kind {
                EntryType::GNULongName => extra.path = Some(until_zero(walk.extra(bytes)?)),
                EntryType::GNULongLink => extra.link = Some(until_zero(walk.extra(bytes)?)),
                EntryType::XHeader => walk.pax(bytes, &mut extra)?,
                EntryType::XGlobalHeader => walk.pass(bytes)?,
                _ => {
                    let said = std::mem::take(&mut extra);
                    let raw = said.path.unwrap_or_else(|| header.path_bytes().into_owned());
                    let name = clean(&raw)?;
                    match kind {
                        EntryType::Directory => walk.pass(bytes)?,
                        EntryType::Regular | EntryType::Continuous if raw.ends_with(b"/") => walk.pass(bytes)?,
                        EntryType::Regular | EntryType::Continuous => {
                            files.insert(name, Part { at: walk.at, bytes });
                            walk.pass(bytes)?;
                        }
                        EntryType::Symlink | EntryType::Link => {
                            let to = said.link.or_else(|| header.link_name_bytes().map(|l| l.into_owned()));
                            let from =
                                if kind == EntryType::Link { "" } else { name.rsplit_once('/').map_or("", |n| n.0) };
                            let to = target(from, &to.unwrap_or_default())
                                .ok_or_else(|| ArchiveFault::Climbs { path: name.clone() })?;
                            links.insert(name, to);
                        }
                        _ => return Err(ArchiveFault::Link { path: name }.into()),
                    }
                }
            }
        }
        for (name, to) in &links {
            let mut at = to;
            let led = (0..MAX_LINKS).find_map(|_| match files.get(at) {
                Some(part) => Some(*part),
                None => {
                    at = links.get(at).unwrap_or(at);
                    None
                }
            });
            let part = led.ok_or_else(|| ArchiveFault::Link { path: name.clone() })?;
            files.insert(name.clone(), part);
        }
        Ok(Self { file: Arc::new(file), files })
    }

    /// A file of it.
    pub fn get(&self, name: &str) -> Option<Part> {
        self.files.get(&clean(name.as_bytes()).ok()?).copied()
    }

    /// The same; it has to be there.
    pub fn part(&self, name: &str) -> Result<Part, Stop> {
        self.get(name).ok_or_else(|| ArchiveFault::Missing { name: short(name) }.into())
    }

    /// A document, whole.
    pub fn document(&self, name: &str) -> Result<Vec<u8>, Stop> {
        let part = self.part(name)?;
        if part.bytes > MAX_DOCUMENT {
            return Err(broken(name));
        }
        let mut all = vec![0; usize::try_from(part.bytes).unwrap_or_default()];
        self.file.read_exact_at(&mut all, part.at)?;
        Ok(all)
    }
}

/// A file of it is not what it has to be.
pub fn broken(name: &str) -> Stop {
    ArchiveFault::Broken { name: short(name) }.into()
}

/// A name as it is shown and kept.
pub fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}

struct Walk<'a> {
    file: &'a File,
    length: u64,
    at: u64,
}

impl Walk<'_> {
    /// The next header; the end is a block of zeros.
    fn header(&mut self) -> Result<Option<Header>, Stop> {
        let mut block = [0; BLOCK as usize];
        if self.length < self.at + BLOCK {
            let empty = self.at == 0 && self.length < BLOCK;
            return Err(if empty { ArchiveFault::NotTar } else { ArchiveFault::Truncated }.into());
        }
        self.file.read_exact_at(&mut block, self.at)?;
        if block.iter().all(|b| *b == 0) {
            // Zeros alone are no archive.
            return if self.at == 0 { Err(ArchiveFault::NotTar.into()) } else { Ok(None) };
        }
        let header = Header::from_byte_slice(&block).clone();
        let sum: u32 =
            block.iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
        if header.cksum().ok() != Some(sum) {
            return Err(if self.at == 0 { ArchiveFault::NotTar.into() } else { broken("tar") });
        }
        self.at += BLOCK;
        Ok(Some(header))
    }

    /// Goes on behind so many bytes.
    fn pass(&mut self, bytes: u64) -> Result<(), Stop> {
        let end = bytes.checked_next_multiple_of(BLOCK).and_then(|b| self.at.checked_add(b));
        let end = end.filter(|end| *end <= self.length).ok_or(ArchiveFault::Truncated)?;
        self.at = end;
        Ok(())
    }

    fn extra(&mut self, bytes: u64) -> Result<Vec<u8>, Stop> {
        if bytes > MAX_EXTRA {
            return Err(broken("tar"));
        }
        let from = self.at;
        self.pass(bytes)?;
        let mut all = vec![0; usize::try_from(bytes).unwrap_or_default()];
        self.file.read_exact_at(&mut all, from).map_err(|e: io::Error| Stop::Disk(e))?;
        Ok(all)
    }

    fn pax(&mut self, bytes: u64, into: &mut Extra) -> Result<(), Stop> {
        let all = self.extra(bytes)?;
        for pair in PaxExtensions::new(&all) {
            let pair = pair.map_err(|_| broken("tar"))?;
            match pair.key_bytes() {
                b"path" => into.path = Some(pair.value_bytes().to_vec()),
                b"linkpath" => into.link = Some(pair.value_bytes().to_vec()),
                b"size" => {
                    let said = pair.value().ok().and_then(|v| v.parse().ok());
                    into.bytes = Some(said.ok_or_else(|| broken("tar"))?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn until_zero(mut name: Vec<u8>) -> Vec<u8> {
    name.truncate(name.iter().position(|b| *b == 0).unwrap_or(name.len()));
    name
}

/// A path of the archive without what means nothing.
fn clean(raw: &[u8]) -> Result<String, Stop> {
    let text = std::str::from_utf8(raw).map_err(|_| broken(&String::from_utf8_lossy(raw)))?;
    match target("", raw) {
        Some(path) if !text.split('/').any(|p| p == "..") => Ok(path),
        _ => Err(ArchiveFault::Climbs { path: short(text) }.into()),
    }
}

/// Where a link in the folder `from` leads, if that is within the archive.
fn target(from: &str, to: &[u8]) -> Option<String> {
    let to = std::str::from_utf8(to).ok().filter(|to| !to.starts_with('/'))?;
    let mut parts: Vec<&str> = from.split('/').filter(|p| !p.is_empty()).collect();
    for part in to.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
