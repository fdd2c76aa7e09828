//! Unpacking what was fetched.
//!
//! The name decides whether a file is unpacked, by Mesos' list
//! (`src/launcher/fetcher.cpp`); its first bytes decide what it is, as in the
//! libarchive behind Mesos' fetcher. An archive comes from a stranger: an entry that
//! leads out of the folder, a device, or more bytes than the task may fetch is the
//! end of the whole. One could get it wrong by trusting sizes in headers (every byte
//! that comes out is counted), by writing through a link that an earlier entry made
//! (nothing is opened whose folder, links resolved, lies outside), or by letting an
//! xz header ask for 4 GiB of memory.

use super::budget::{Budget, Counted};
use super::place;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Names of archives with a folder in them.
const ARCHIVES: [&str; 8] = [".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip"];
/// Memory of one xz decoder; `xz -9` needs 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;
/// The longest target of a link.
const LINK: u64 = 4096;

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("its entry {0:?} leads out of the sandbox")]
    Outside(String),
    #[error("its entry {0:?} is a device")]
    Device(String),
    #[error("it can't be unpacked")]
    Io(#[from] std::io::Error),
    #[error("it is no zip file that can be unpacked")]
    Zip(#[from] zip::result::ZipError),
}

/// Unpacks a file into a folder if its name says that it is an archive. False: it does not.
pub(crate) fn extract(name: &str, mut file: File, into: &Path, budget: &Budget) -> Result<bool, ArchiveError> {
    if ARCHIVES.iter().any(|end| name.ends_with(end)) {
        let mut magic = [0_u8; 6];
        let read = file.read(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        if magic.get(..read).is_some_and(|m| m.starts_with(b"PK")) {
            unzip(file, into, budget)?;
        } else {
            untar(plain(&magic, file)?, into, budget)?;
        }
        return Ok(true);
    }
    // A single compressed file; what it is called inside plays no part.
    let Some(bare) = name.rsplit('/').next().and_then(|n| n.strip_suffix(".gz")).filter(|n| !n.is_empty()) else {
        return Ok(false);
    };
    let target = place::below(into, bare).map_err(|_| ArchiveError::Outside(bare.to_owned()))?;
    let mut reader = budget.count(flate2::read::MultiGzDecoder::new(BufReader::new(file)));
    std::io::copy(&mut reader, &mut place::fresh(&target)?)?;
    Ok(true)
}

/// The bytes without their compression.
fn plain(magic: &[u8], file: File) -> std::io::Result<Box<dyn Read>> {
    let file = BufReader::new(file);
    Ok(match magic {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => {
            let decoder = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(file, decoder))
        }
        _ => Box::new(file),
    })
}

fn untar(reader: Box<dyn Read>, into: &Path, budget: &Budget) -> Result<(), ArchiveError> {
    let mut archive = tar::Archive::new(budget.count(reader));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path_bytes().into_owned();
        let name = String::from_utf8_lossy(&name).into_owned();
        let kind = entry.header().entry_type();
        if kind.is_character_special() || kind.is_block_special() || kind.is_fifo() {
            return Err(ArchiveError::Device(name));
        }
        // What a sparse file leaves out is not read, but written.
        if kind.is_gnu_sparse() {
            budget.take(entry.size())?;
        }
        budget.entry()?;
        if !entry.unpack_in(into)? {
            return Err(ArchiveError::Outside(name));
        }
    }
    Ok(())
}

fn unzip(file: File, into: &Path, budget: &Budget) -> Result<(), ArchiveError> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file))?;
    for index in 0..archive.len() {
        budget.entry()?;
        let entry = archive.by_index(index)?;
        let outside = || ArchiveError::Outside(entry.name().to_owned());
        let relative = entry.enclosed_name().ok_or_else(outside)?;
        let relative = relative.to_str().ok_or_else(outside)?.to_owned();
        if entry.is_dir() {
            place::folder(into, &relative).map_err(|_| outside())?;
            continue;
        }
        let target = place::below(into, &relative).map_err(|_| outside())?;
        let (link, mode) = (entry.is_symlink(), entry.unix_mode());
        let mut reader: Counted<_> = budget.count(entry);
        if link {
            let mut to = String::new();
            reader.by_ref().take(LINK).read_to_string(&mut to)?;
            place::clear(&target)?;
            std::os::unix::fs::symlink(to, &target)?;
            continue;
        }
        let mut out = place::fresh(&target)?;
        std::io::copy(&mut reader, &mut out)?;
        if let Some(mode) = mode {
            place::set_mode(&out, mode)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::Duration;

    fn budget(bytes: u64) -> Budget {
        Budget::new(bytes, Duration::from_secs(60))
    }

    /// A tar of `(name, contents)`; a name is written as it is, however wicked.
    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = tar::Builder::new(Vec::new());
        for (name, contents) in files {
            let mut header = tar::Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(contents.len() as u64);
            header.set_mode(0o4755);
            header.set_cksum();
            out.append(&header, *contents).unwrap();
        }
        out.into_inner().unwrap()
    }

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        for (name, contents) in files {
            out.start_file(*name, options).unwrap();
            out.write_all(contents).unwrap();
        }
        out.finish().unwrap().into_inner()
    }

    fn packed(how: &str, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut reader: Box<dyn Read + '_> = match how {
            "gz" => Box::new(flate2::read::GzEncoder::new(bytes, flate2::Compression::fast())),
            "bz2" => Box::new(bzip2::read::BzEncoder::new(bytes, bzip2::Compression::fast())),
            _ => Box::new(liblzma::read::XzEncoder::new(bytes, 1)),
        };
        reader.read_to_end(&mut out).unwrap();
        out
    }

    fn unpack(name: &str, bytes: &[u8], into: &Path, budget: &Budget) -> Result<bool, ArchiveError> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        extract(name, file, into, budget)
    }

    #[test]
    fn every_kind_on_mesos_list_is_unpacked_and_nothing_else() {
        let files: &[(&str, &[u8])] = &[("app/run.sh", b"#!/bin/sh\n"), ("app/data", b"x")];
        let tar = tar_of(files);
        for (name, bytes) in [
            ("a.tar", tar.clone()),
            ("a.tar.gz", packed("gz", &tar)),
            ("a.tgz", packed("gz", &tar)),
            ("a.tar.bz2", packed("bz2", &tar)),
            ("a.tbz2", packed("bz2", &tar)),
            ("a.tar.xz", packed("xz", &tar)),
            ("a.txz", packed("xz", &tar)),
            ("a.zip", zip_of(files)),
            ("misnamed.tar", packed("xz", &tar)),
        ] {
            let dir = tempfile::tempdir().unwrap();
            assert!(unpack(name, &bytes, dir.path(), &budget(1 << 20)).unwrap(), "{name}");
            let script = dir.path().join("app/run.sh");
            assert_eq!(std::fs::read(&script).unwrap(), b"#!/bin/sh\n", "{name}");
            let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&script).unwrap());
            assert_eq!(mode & 0o7777, 0o755, "{name}: executable, and not set-user-id");
        }
        let dir = tempfile::tempdir().unwrap();
        assert!(unpack("list.txt.gz", &packed("gz", b"one"), dir.path(), &budget(9)).unwrap());
        assert_eq!(std::fs::read(dir.path().join("list.txt")).unwrap(), b"one");
        for name in ["a.war", "a.jar", "tar", "a.7z"] {
            assert!(!unpack(name, &tar, dir.path(), &budget(1 << 20)).unwrap(), "{name}");
        }
    }

    #[test]
    fn nothing_climbs_out_of_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        let dir = outer.path().join("sandbox");
        std::fs::create_dir(&dir).unwrap();
        let climbing: &[(&str, &[u8])] = &[("../escaped", b"x")];
        let mut through_link = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        through_link.append_link(&mut header, "way", outer.path()).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        through_link.append_data(&mut header, "way/escaped", &b"x"[..]).unwrap();
        let mut linked_zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        linked_zip.add_symlink("way", outer.path().to_str().unwrap(), options).unwrap();
        linked_zip.start_file("way/escaped", options).unwrap();
        for (name, bytes) in [
            ("a.tar", tar_of(climbing)),
            ("b.tar", through_link.into_inner().unwrap()),
            ("c.zip", zip_of(climbing)),
            ("d.zip", linked_zip.finish().unwrap().into_inner()),
        ] {
            let refused = unpack(name, &bytes, &dir, &budget(1 << 20));
            assert!(refused.is_err(), "{name}: {refused:?}");
            assert!(!outer.path().join("escaped").exists(), "{name}");
        }
        // An absolute path begins at the folder, as with every tar.
        unpack("e.tar", &tar_of(&[("/etc/inside", b"x")]), &dir, &budget(1 << 20)).unwrap();
        assert!(dir.join("etc/inside").exists());
    }

    #[test]
    fn a_bomb_ends_at_the_bound_and_devices_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let large = vec![0_u8; 8 << 20];
        for (name, bytes) in
            [("a.tgz", packed("gz", &tar_of(&[("zeros", &large)]))), ("b.zip", zip_of(&[("zeros", &large)]))]
        {
            assert!(bytes.len() < 100_000, "{name}: {}", bytes.len());
            let error = unpack(name, &bytes, dir.path(), &budget(1 << 20)).unwrap_err();
            let told = crate::fetch::chain(&error);
            assert!(told.contains("may not fetch more than"), "{name}: {told}");
        }
        let mut device = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Block);
        header.set_size(0);
        device.append_data(&mut header, "sda", &b""[..]).unwrap();
        let refused = unpack("c.tar", &device.into_inner().unwrap(), dir.path(), &budget(1 << 20));
        assert!(matches!(refused, Err(ArchiveError::Device(_))), "{refused:?}");
        assert!(unpack("d.zip", b"PK, but no zip", dir.path(), &budget(1 << 20)).is_err());
    }
}
