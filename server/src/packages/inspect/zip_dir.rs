//! A zip's central directory, read strictly (APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16).
//!
//! A zip says everything twice, and readers believe different halves; an archive
//! in which the halves differ shows different files to different programs. So
//! there is exactly one end record, it ends where the file ends, and the
//! directory ends where the end record begins.

use super::entries::{Limits, Names, Refusal, corrupt};
use super::names;
use padis_domain::package::PackageFault;
use std::fs::File;
use std::os::unix::fs::FileExt;

const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
const ENTRY: u32 = 0x0201_4b50;
const END_LEN: u64 = 22;
const MAX_COMMENT: u64 = 65_535;
/// The most bytes of a central directory: 200,000 entries of 320 bytes.
const MAX_DIRECTORY: u64 = 64 << 20;

/// One entry as the directory tells it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Checked name; the raw one, as in the local header, is `name` with what `raw_*` says around it.
    pub raw: Box<[u8]>,
    /// Folder.
    pub folder: bool,
    /// Symbolic link.
    pub link: bool,
    /// Flags.
    pub flags: u16,
    /// 0 stored, 8 deflated.
    pub method: u16,
    /// CRC-32.
    pub crc: u32,
    /// Packed bytes.
    pub packed: u64,
    /// Unpacked bytes.
    pub unpacked: u64,
    /// Where its local header stands.
    pub at: u64,
}

/// The directory.
#[derive(Debug)]
pub struct Directory {
    /// Entries in the order in which they lie in the file.
    pub entries: Vec<Entry>,
    /// Where the directory begins, that is, where the last entry must end.
    pub at: u64,
}

/// Little-endian numbers out of a slice; out of range reads as `None`.
pub struct Fields<'b>(pub &'b [u8]);
impl Fields<'_> {
    /// Two bytes.
    pub fn u16(&self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(self.0.get(at..at + 2)?.try_into().ok()?))
    }
    /// Four bytes.
    pub fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.0.get(at..at + 4)?.try_into().ok()?))
    }
    /// Eight bytes.
    pub fn u64(&self, at: usize) -> Option<u64> {
        Some(u64::from_le_bytes(self.0.get(at..at + 8)?.try_into().ok()?))
    }
}

fn read(file: &File, at: u64, len: u64) -> Result<Vec<u8>, Refusal> {
    let mut buf = vec![0; usize::try_from(len).map_err(std::io::Error::other)?];
    file.read_exact_at(&mut buf, at)?;
    Ok(buf)
}

struct End {
    entries: u64,
    bytes: u64,
    at: u64,
    /// Where the end records begin.
    own: u64,
}

fn find_end(file: &File, len: u64) -> Result<End, Refusal> {
    let tail_at = len.saturating_sub(END_LEN + MAX_COMMENT);
    let tail = read(file, tail_at, len - tail_at)?;
    let f = Fields(&tail);
    let mut found = None;
    for i in 0..=tail.len().saturating_sub(END_LEN as usize) {
        let fits =
            f.u32(i) == Some(END) && f.u16(i + 20).is_some_and(|c| i + END_LEN as usize + usize::from(c) == tail.len());
        if fits && found.replace(i).is_some() {
            return corrupt(b"");
        }
    }
    let Some(i) = found else {
        // A record with something behind it, or none at all.
        let some = tail.windows(4).any(|w| w == END.to_le_bytes());
        let cut = some.then(|| tail.windows(4).rposition(|w| w == END.to_le_bytes())).flatten();
        return match cut {
            Some(at) if at + (END_LEN as usize) <= tail.len() && !comment_cut(&f, at, tail.len()) => corrupt(b""),
            _ => Err(PackageFault::Truncated.into()),
        };
    };
    let field = |v: Option<u64>| v.ok_or(Refusal::Fault(PackageFault::Truncated));
    let own = tail_at + i as u64;
    let disks = (f.u16(i + 4), f.u16(i + 6));
    let (here, all) = (f.u16(i + 8), f.u16(i + 10));
    let (bytes, at) = (field(f.u32(i + 12).map(u64::from))?, field(f.u32(i + 16).map(u64::from))?);
    let small = End { entries: field(all.map(u64::from))?, bytes, at, own };
    let large = all == Some(u16::MAX) || bytes == u64::from(u32::MAX) || at == u64::from(u32::MAX);
    if large && own >= 20 {
        let locator = read(file, own - 20, 20)?;
        let l = Fields(&locator);
        if l.u32(0) == Some(LOCATOR64) {
            return end64(file, own - 20, l.u64(8).unwrap_or(u64::MAX));
        }
    }
    if disks != (Some(0), Some(0)) || here != all {
        return corrupt(b"");
    }
    Ok(small)
}

/// Whether the comment that the record at `at` announces is longer than what is there.
fn comment_cut(f: &Fields<'_>, at: usize, len: usize) -> bool {
    f.u16(at + 20).is_some_and(|c| at + END_LEN as usize + usize::from(c) > len)
}

fn end64(file: &File, locator: u64, at: u64) -> Result<End, Refusal> {
    if at.checked_add(56) != Some(locator) {
        return corrupt(b"");
    }
    let record = read(file, at, 56)?;
    let f = Fields(&record);
    let good = f.u32(0) == Some(END64) && f.u64(4) == Some(44) && f.u64(24) == f.u64(32);
    let disks = f.u32(16) == Some(0) && f.u32(20) == Some(0);
    match (good && disks, f.u64(32), f.u64(40), f.u64(48)) {
        (true, Some(entries), Some(bytes), Some(start)) => Ok(End { entries, bytes, at: start, own: at }),
        _ => corrupt(b""),
    }
}

/// Reads the directory of a file of `len` bytes.
pub fn directory(file: &File, len: u64, limits: &Limits) -> Result<Directory, Refusal> {
    if len < END_LEN {
        return Err(PackageFault::Truncated.into());
    }
    let end = find_end(file, len)?;
    if end.entries > limits.entries {
        return Err(PackageFault::TooManyEntries { limit: limits.entries }.into());
    }
    if end.at.checked_add(end.bytes) != Some(end.own) || end.bytes > MAX_DIRECTORY {
        return corrupt(b"");
    }
    let bytes = read(file, end.at, end.bytes)?;
    let mut entries = Vec::new();
    let mut seen = Names::default();
    let (mut rest, mut total) = (&bytes[..], 0u64);
    while !rest.is_empty() {
        let (entry, used) = one(rest)?;
        total = total.saturating_add(entry.unpacked);
        if entries.len() as u64 >= end.entries {
            return corrupt(&entry.raw);
        }
        let name = names::check(&entry.raw)?;
        seen.add(name, entry.folder)?;
        entries.push(entry);
        rest = &rest[used..];
    }
    if entries.len() as u64 != end.entries {
        return corrupt(b"");
    }
    let limit = limits.unpacked(len);
    if total > limit {
        return Err(PackageFault::Bomb { unpacked_bytes: total, limit_bytes: limit }.into());
    }
    seen.judge()?;
    entries.sort_by_key(|e| e.at);
    Ok(Directory { entries, at: end.at })
}

/// One record; gives the bytes it takes.
fn one(b: &[u8]) -> Result<(Entry, usize), Refusal> {
    let f = Fields(b);
    let n = |v: Option<u16>| v.map(usize::from);
    let (Some(ENTRY), Some(name), Some(extra), Some(comment)) = (f.u32(0), n(f.u16(28)), n(f.u16(30)), n(f.u16(32)))
    else {
        return corrupt(b"");
    };
    let used = 46 + name + extra + comment;
    let Some(raw) = b.get(46..46 + name).filter(|_| used <= b.len()) else { return corrupt(b"") };
    let all = || {
        Some((f.u16(4)?, f.u16(8)?, f.u16(10)?, f.u32(16)?, f.u32(20)?, f.u32(24)?, f.u16(34)?, f.u32(38)?, f.u32(42)?))
    };
    let Some((made_by, flags, method, crc, packed, unpacked, disk, attributes, at)) = all() else {
        return corrupt(raw);
    };
    let (mut packed, mut unpacked, mut at) = (u64::from(packed), u64::from(unpacked), u64::from(at));
    large_numbers(&b[46 + name..46 + name + extra], [&mut unpacked, &mut packed, &mut at])
        .or_else(|()| corrupt(raw))?;
    // Bits 0 and 6: encrypted; 13: the directory is.
    if flags & 0x2041 != 0 || method == 99 {
        return Err(PackageFault::Encrypted.into());
    }
    if disk != 0 || !matches!(method, 0 | 8) || (method == 0 && packed != unpacked) {
        return corrupt(raw);
    }
    let folder = raw.ends_with(b"/");
    if folder && unpacked != 0 {
        return corrupt(raw);
    }
    // Made on Unix (3) or macOS (19): the upper half of the attributes is the mode.
    let mode = if matches!(made_by >> 8, 3 | 19) { (attributes >> 16) & 0xf000 } else { 0 };
    let link = match mode {
        0 | 0x8000 | 0x4000 => false,
        0xa000 => true,
        _ => return Err(PackageFault::Special { entry: names::shown(raw) }.into()),
    };
    Ok((Entry { raw: raw.into(), folder, link, flags, method, crc, packed, unpacked, at }, used))
}

/// Fills in the numbers that stand as all ones and are told in the Zip64 field (id 1) in order.
pub fn large_numbers<const N: usize>(extra: &[u8], numbers: [&mut u64; N]) -> Result<(), ()> {
    let mut field = None;
    let mut rest = extra;
    while rest.len() >= 4 {
        let f = Fields(rest);
        let (id, len) = (f.u16(0).ok_or(())?, usize::from(f.u16(2).ok_or(())?));
        let Some(body) = rest.get(4..4 + len) else { break };
        if id == 1 {
            field = Some(body);
        }
        rest = &rest[4 + len..];
    }
    let mut at = 0;
    for n in numbers {
        if *n == u64::from(u32::MAX) {
            *n = Fields(field.ok_or(())?).u64(at).ok_or(())?;
            at += 8;
        }
    }
    Ok(())
}
