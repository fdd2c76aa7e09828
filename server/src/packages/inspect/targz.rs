//! A gzip-compressed tar, streamed: every header, every byte, to the last.
//!
//! The `tar` crate's own handling of long names reads as much into memory as a
//! header claims; here headers are taken raw and extensions are limited. One
//! could get it wrong by stopping at tar's end: what follows in the gzip stream
//! must be zeros, its checksum right, and nothing may follow behind it.

use super::entries::{Limits, Names, Refusal, Visitor, corrupt};
use super::names;
use flate2::bufread::GzDecoder;
use padis_domain::package::PackageFault;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use tar::{Archive, EntryType};

const PIECE: usize = 256 << 10;
/// The most bytes of a long name or of extended attributes.
const MAX_EXTENSION: u64 = 64 << 10;

/// Marks an I/O error as "more than it may".
#[derive(Debug, thiserror::Error)]
#[error("unpacks to more than {0} bytes")]
struct TooMuch(u64);

/// Counts what comes out of gzip and stops at the limit.
struct Counted<R> {
    inner: R,
    count: u64,
    limit: u64,
}
impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.count += n as u64;
        if self.count > self.limit { Err(io::Error::other(TooMuch(self.limit))) } else { Ok(n) }
    }
}

/// What an error of gzip or tar means.
fn meaning(e: io::Error, entry: &[u8]) -> Refusal {
    if let Some(TooMuch(limit)) = e.get_ref().and_then(|i| i.downcast_ref::<TooMuch>()) {
        return PackageFault::Bomb { unpacked_bytes: *limit, limit_bytes: *limit }.into();
    }
    match e.kind() {
        io::ErrorKind::UnexpectedEof => PackageFault::Truncated.into(),
        // flate2: "corrupt deflate stream", "invalid gzip header"; tar: checksums, "failed to read entire block".
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            if e.raw_os_error().is_some() {
                Refusal::Io(e)
            } else if e.to_string().contains("entire block") {
                PackageFault::Truncated.into()
            } else {
                PackageFault::Corrupt { entry: names::shown(entry) }.into()
            }
        }
        _ => Refusal::Io(e),
    }
}

/// Reads the whole archive of `len` bytes, telling `visitor` every entry.
pub fn walk(file: &File, len: u64, limits: &Limits, visitor: &mut dyn Visitor) -> Result<(), Refusal> {
    let mut own = file.try_clone()?;
    own.seek(SeekFrom::Start(0))?;
    // Tar's own headers and padding count, too: at most 1.5 KiB for each entry.
    let limit = limits.unpacked(len).saturating_add(limits.entries.saturating_mul(1536));
    let gzip = GzDecoder::new(BufReader::with_capacity(PIECE, own));
    let mut archive = Archive::new(Counted { inner: gzip, count: 0, limit });
    entries(&mut archive, limits, len, visitor)?;
    let mut rest = archive.into_inner();
    let mut buf = vec![0; PIECE];
    loop {
        match rest.read(&mut buf).map_err(|e| meaning(e, b""))? {
            0 => break,
            n if buf[..n].iter().any(|b| *b != 0) => return corrupt(b""),
            _ => {}
        }
    }
    let mut behind = rest.inner.into_inner();
    if behind.fill_buf()?.is_empty() { Ok(()) } else { corrupt(b"") }
}

fn entries<R: Read>(a: &mut Archive<R>, limits: &Limits, len: u64, v: &mut dyn Visitor) -> Result<(), Refusal> {
    let mut seen = Names::default();
    let (mut count, mut total) = (0u64, 0u64);
    let mut long: Option<Vec<u8>> = None;
    let mut buf = vec![0; PIECE];
    for entry in a.entries().map_err(|e| meaning(e, b""))?.raw(true) {
        let mut entry = match entry {
            Ok(e) => e,
            // Not even the first header is one: gzip, but no tar.
            Err(e) if count == 0 && matches!(meaning_kind(&e), Kind::Corrupt) => {
                return Err(PackageFault::NotAnArchive { looks_like: "gzip".into() }.into());
            }
            Err(e) => return Err(meaning(e, b"")),
        };
        count += 1;
        if count > limits.entries {
            return Err(PackageFault::TooManyEntries { limit: limits.entries }.into());
        }
        let kind = entry.header().entry_type();
        let size = entry.header().entry_size().map_err(|e| meaning(e, b""))?;
        if kind.is_pax_global_extensions()
            || kind.is_pax_local_extensions()
            || kind.is_gnu_longname()
            || kind.is_gnu_longlink()
        {
            if size > MAX_EXTENSION {
                return corrupt(b"");
            }
            let mut body = Vec::new();
            entry.read_to_end(&mut body).map_err(|e| meaning(e, b""))?;
            match kind {
                EntryType::GNULongName => long = Some(body.split(|b| *b == 0).next().unwrap_or_default().to_vec()),
                EntryType::XHeader => long = pax_path(&body).or_else(|()| corrupt(b""))?.or(long),
                _ => {}
            }
            continue;
        }
        let raw = long.take().unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let name = names::check(&raw)?.to_vec();
        let folder = match kind {
            EntryType::Regular | EntryType::Continuous => raw.ends_with(b"/") && size == 0,
            EntryType::Directory => true,
            EntryType::Symlink | EntryType::Link => {
                let target = entry.header().link_name_bytes().unwrap_or_default();
                // A hard link's target is seen from the root.
                let from: &[u8] = if kind == EntryType::Link { b"x" } else { &name };
                let entry = names::shown(&raw);
                return Err(if names::link_climbs(from, &target) {
                    PackageFault::ClimbsOut { entry }.into()
                } else {
                    PackageFault::Special { entry }.into()
                });
            }
            _ => return Err(PackageFault::Special { entry: names::shown(&raw) }.into()),
        };
        total = total.saturating_add(size);
        let limit = limits.unpacked(len);
        if total > limit {
            return Err(PackageFault::Bomb { unpacked_bytes: total, limit_bytes: limit }.into());
        }
        if name.is_empty() {
            continue;
        }
        seen.add(&name, folder)?;
        v.begin(&name, folder)?;
        let mut got = 0;
        loop {
            match entry.read(&mut buf).map_err(|e| meaning(e, &raw))? {
                0 => break,
                n => {
                    got += n as u64;
                    v.data(&buf[..n])?;
                }
            }
        }
        if got != size {
            return Err(PackageFault::Truncated.into());
        }
        v.end()?;
    }
    seen.judge()
}

enum Kind {
    Corrupt,
    Other,
}
fn meaning_kind(e: &io::Error) -> Kind {
    // Header checksum or number fields: tar's own words, without an operating system's code.
    let words = e.to_string();
    if words.contains("cksum") || words.contains("numeric field") { Kind::Corrupt } else { Kind::Other }
}

/// The `path` of extended attributes ("%d path=%s\n"). A `size` of its own or a
/// sparse map would let two readers see two files: refused.
fn pax_path(body: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let (mut rest, mut path) = (body, None);
    while !rest.is_empty() && rest[0] != 0 {
        let blank = rest.iter().position(|b| *b == b' ').ok_or(())?;
        let len: usize = std::str::from_utf8(&rest[..blank]).map_err(|_| ())?.parse().map_err(|_| ())?;
        let record = rest.get(blank + 1..len).ok_or(())?;
        let record = record.strip_suffix(b"\n").ok_or(())?;
        let eq = record.iter().position(|b| *b == b'=').ok_or(())?;
        match &record[..eq] {
            b"path" => path = Some(record[eq + 1..].to_vec()),
            b"size" => return Err(()),
            k if k.starts_with(b"GNU.sparse") => return Err(()),
            _ => {}
        }
        rest = &rest[len..];
    }
    Ok(path)
}
