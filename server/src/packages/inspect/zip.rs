//! A zip's entries, each read through: local header against directory, data
//! against size and CRC-32, nothing between entries, nothing twice.
//!
//! Unpacking goes through the same reader as checking, so that nothing can be
//! unpacked that was not checked. One could get it wrong by trusting the sizes:
//! they are a limit here, and the stream must end exactly at them.

use super::ahead::{Note, Notes};
use super::entries::{Limits, Refusal, Visitor, corrupt};
use super::names;
use super::zip_dir::{Directory, Entry, Fields, directory, large_numbers};
use crc32fast::Hasher as Crc;
use flate2::{Decompress, FlushDecompress, Status};
use padis_domain::package::PackageFault;
use std::fs::File;
use std::os::unix::fs::FileExt;

const LOCAL: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
/// Bytes read and unpacked at a time.
const PIECE: usize = 256 << 10;
/// The longest link target that is looked at.
const MAX_LINK: u64 = 4096;
/// Sizes and CRC follow the data (flag bit 3).
const FOLLOWS: u16 = 1 << 3;

/// Reads the whole archive of `len` bytes, telling `visitor` every entry. An entry that
/// is noted exactly as the directory has it is not read again, unless the visitor wants it.
pub fn walk(file: &File, len: u64, limits: &Limits, notes: &Notes, visitor: &mut dyn Visitor) -> Result<(), Refusal> {
    let dir: Directory = directory(file, len, limits)?;
    let mut buffers = Buffers { packed: vec![0; PIECE], unpacked: vec![0; PIECE] };
    let mut expected = 0;
    for (i, e) in dir.entries.iter().enumerate() {
        let next = dir.entries.get(i + 1).map_or(dir.at, |n| n.at);
        if e.at != expected {
            return corrupt(&e.raw);
        }
        let data = local(file, e, dir.at)?;
        let end = data.checked_add(e.packed).filter(|end| *end <= next);
        let Some(end) = end else { return corrupt(&e.raw) };
        let name = names::check(&e.raw)?;
        if e.link {
            return Err(refuse_link(file, e, name, data));
        }
        visitor.begin(name, e.folder)?;
        let as_told = Note { method: e.method, packed: e.packed, unpacked: e.unpacked, crc: e.crc };
        if notes.get(&data) != Some(&as_told) || !visitor.skip(e.unpacked) {
            let got = if e.method == 0 {
                stored(file, data, e, &mut buffers, visitor)?
            } else {
                inflated(file, data, e, &mut buffers, visitor)?
            };
            if got.finalize() != e.crc {
                return corrupt(&e.raw);
            }
        }
        visitor.end()?;
        descriptor(file, e, end, next)?;
        expected = next;
    }
    // Nothing before, between or after the entries.
    if expected == dir.at { Ok(()) } else { corrupt(b"") }
}

/// Reads only the entries that are wanted, by name and unpacked bytes. What the others
/// hold, and what may lie between them, is not looked at.
pub fn pick(
    file: &File,
    len: u64,
    limits: &Limits,
    wanted: &dyn Fn(&[u8], u64) -> bool,
    visitor: &mut dyn Visitor,
) -> Result<(), Refusal> {
    let dir = directory(file, len, limits)?;
    let mut buffers = Buffers { packed: vec![0; PIECE], unpacked: vec![0; PIECE] };
    for e in dir.entries.iter().filter(|e| !e.link && !e.folder) {
        let name = names::check(&e.raw)?;
        if !wanted(name, e.unpacked) {
            continue;
        }
        let data = local(file, e, dir.at)?;
        if data.checked_add(e.packed).is_none_or(|end| end > dir.at) {
            return corrupt(&e.raw);
        }
        visitor.begin(name, false)?;
        let got = if e.method == 0 {
            stored(file, data, e, &mut buffers, visitor)?
        } else {
            inflated(file, data, e, &mut buffers, visitor)?
        };
        if got.finalize() != e.crc {
            return corrupt(&e.raw);
        }
        visitor.end()?;
    }
    Ok(())
}

/// Whether the names alone leave it open that this is a web site: no `WEB-INF`, no
/// manifest. A directory that can't be read is for [`walk`] to refuse.
pub fn may_be_site(file: &File, len: u64, limits: &Limits) -> bool {
    directory(file, len, limits).is_ok_and(|d| {
        !d.entries.iter().any(|e| e.raw.starts_with(b"WEB-INF") || e.raw.eq_ignore_ascii_case(b"META-INF/MANIFEST.MF"))
    })
}

struct Buffers {
    packed: Vec<u8>,
    unpacked: Vec<u8>,
}

/// Compares the local header with the directory; gives where the data begins.
fn local(file: &File, e: &Entry, directory_at: u64) -> Result<u64, Refusal> {
    let room = directory_at.saturating_sub(e.at);
    if room < 30 {
        return corrupt(&e.raw);
    }
    let mut head = [0; 30];
    file.read_exact_at(&mut head, e.at)?;
    let f = Fields(&head);
    let (name, extra) = (u64::from(f.u16(26).unwrap_or(0)), u64::from(f.u16(28).unwrap_or(0)));
    if f.u32(0) != Some(LOCAL) || name != e.raw.len() as u64 || room < 30 + name + extra {
        return corrupt(&e.raw);
    }
    let mut rest = vec![0; (name + extra) as usize];
    file.read_exact_at(&mut rest, e.at + 30)?;
    let (raw, extra) = rest.split_at(e.raw.len());
    let (mut packed, mut unpacked) = (u64::from(f.u32(18).unwrap_or(0)), u64::from(f.u32(22).unwrap_or(0)));
    let sure = large_numbers(extra, [&mut unpacked, &mut packed]);
    let sizes = (f.u32(14), packed, unpacked) == (Some(e.crc), e.packed, e.unpacked);
    let later = e.flags & FOLLOWS != 0 && (sizes || (f.u32(14), packed, unpacked) == (Some(0), 0, 0) || sure.is_err());
    let same = raw == &*e.raw && f.u16(6) == Some(e.flags) && f.u16(8) == Some(e.method);
    if !same || !(later || (sure.is_ok() && sizes)) {
        return corrupt(&e.raw);
    }
    Ok(e.at + 30 + name + extra.len() as u64)
}

/// What stands between the data's end and the next entry: nothing, or the
/// descriptor that the flag announces, with or without signature, 32 or 64 bits.
fn descriptor(file: &File, e: &Entry, end: u64, next: u64) -> Result<(), Refusal> {
    let gap = next - end;
    if e.flags & FOLLOWS == 0 {
        return if gap == 0 { Ok(()) } else { corrupt(&e.raw) };
    }
    if !matches!(gap, 12 | 16 | 20 | 24) {
        return corrupt(&e.raw);
    }
    let mut bytes = [0; 24];
    let bytes = &mut bytes[..gap as usize];
    file.read_exact_at(bytes, end)?;
    let signed = matches!(gap, 16 | 24);
    let f = Fields(bytes);
    let at = if signed { 4 } else { 0 };
    let (packed, unpacked) = if gap >= 20 {
        (f.u64(at + 4), f.u64(at + 12))
    } else {
        (f.u32(at + 4).map(u64::from), f.u32(at + 8).map(u64::from))
    };
    let good = (!signed || f.u32(0) == Some(DESCRIPTOR))
        && f.u32(at) == Some(e.crc)
        && packed == Some(e.packed)
        && unpacked == Some(e.unpacked);
    if good { Ok(()) } else { corrupt(&e.raw) }
}

fn refuse_link(file: &File, e: &Entry, name: &[u8], data: u64) -> Refusal {
    struct Target(Vec<u8>);
    impl Visitor for Target {
        fn begin(&mut self, _: &[u8], _: bool) -> Result<(), Refusal> {
            Ok(())
        }
        fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
        fn skip(&mut self, _: u64) -> bool {
            false
        }
        fn end(&mut self) -> Result<(), Refusal> {
            Ok(())
        }
    }
    let entry = names::shown(&e.raw);
    if e.unpacked > MAX_LINK {
        return PackageFault::Special { entry }.into();
    }
    let mut target = Target(Vec::new());
    let mut buffers = Buffers { packed: vec![0; PIECE], unpacked: vec![0; PIECE] };
    let read = match e.method {
        0 => stored(file, data, e, &mut buffers, &mut target),
        _ => inflated(file, data, e, &mut buffers, &mut target),
    };
    match read {
        Err(r) => r,
        Ok(_) if names::link_climbs(name, &target.0) => PackageFault::ClimbsOut { entry }.into(),
        Ok(_) => PackageFault::Special { entry }.into(),
    }
}

fn stored(file: &File, mut at: u64, e: &Entry, b: &mut Buffers, v: &mut dyn Visitor) -> Result<Crc, Refusal> {
    let mut crc = Crc::new();
    let mut left = e.packed;
    while left > 0 {
        let n = left.min(PIECE as u64) as usize;
        file.read_exact_at(&mut b.packed[..n], at)?;
        crc.update(&b.packed[..n]);
        v.data(&b.packed[..n])?;
        at += n as u64;
        left -= n as u64;
    }
    Ok(crc)
}

fn inflated(file: &File, mut at: u64, e: &Entry, b: &mut Buffers, v: &mut dyn Visitor) -> Result<Crc, Refusal> {
    let mut crc = Crc::new();
    let mut inflate = Decompress::new(false);
    let (mut left, mut have, mut from) = (e.packed, 0, 0);
    loop {
        if from == have && left > 0 {
            have = left.min(PIECE as u64) as usize;
            from = 0;
            file.read_exact_at(&mut b.packed[..have], at)?;
            at += have as u64;
            left -= have as u64;
        }
        let (in_before, out_before) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(&b.packed[from..have], &mut b.unpacked, FlushDecompress::None);
        let Ok(status) = status else { return corrupt(&e.raw) };
        let (used, made) = ((inflate.total_in() - in_before) as usize, (inflate.total_out() - out_before) as usize);
        from += used;
        if inflate.total_out() > e.unpacked {
            return corrupt(&e.raw);
        }
        crc.update(&b.unpacked[..made]);
        v.data(&b.unpacked[..made])?;
        match status {
            Status::StreamEnd => break,
            _ if used == 0 && made == 0 => return corrupt(&e.raw),
            _ => {}
        }
    }
    if inflate.total_in() != e.packed || inflate.total_out() != e.unpacked { corrupt(&e.raw) } else { Ok(crc) }
}
