//! Archives for the tests, good ones and ones with a flaw put in by hand.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{Cursor, Write};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

pub fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(entries, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated))
}

pub fn zip_with(entries: &[(&str, &[u8])], o: SimpleFileOptions) -> Vec<u8> {
    let mut z = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in entries {
        match name.strip_suffix('/') {
            Some(folder) => z.add_directory(folder, o).expect("folder"),
            None => {
                z.start_file(*name, o).expect("file");
                z.write_all(data).expect("data");
            }
        }
    }
    z.finish().expect("zip").into_inner()
}

/// With sizes behind the data, as every program writes that can't seek.
pub fn streamed_zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut z = ZipWriter::new_stream(Vec::new());
    for (name, data) in entries {
        z.start_file(*name, SimpleFileOptions::default()).expect("file");
        z.write_all(data).expect("data");
    }
    z.finish().expect("zip").into_inner()
}

pub fn link_zip(name: &str, target: &str) -> Vec<u8> {
    let mut z = ZipWriter::new(Cursor::new(Vec::new()));
    z.add_symlink(name, target, SimpleFileOptions::default()).expect("link");
    z.finish().expect("zip").into_inner()
}

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut e = GzEncoder::new(Vec::new(), Compression::default());
    e.write_all(bytes).expect("gzip");
    e.finish().expect("gzip")
}

/// A tar of raw entries: name, type, link target, data. Names are put in as they are.
pub fn tar(entries: &[(&str, tar::EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut b = tar::Builder::new(Vec::new());
    for (name, kind, link, data) in entries {
        let mut h = tar::Header::new_ustar();
        h.as_mut_bytes()[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
        h.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        h.set_entry_type(*kind);
        h.set_size(data.len() as u64);
        h.set_mode(0o777);
        h.set_cksum();
        b.append(&h, *data).expect("tar");
    }
    b.into_inner().expect("tar")
}

pub fn site_tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let raw: Vec<_> = entries.iter().map(|(n, d)| (*n, tar::EntryType::Regular, "", *d)).collect();
    gz(&tar(&raw))
}

/// Where a signature stands, all of them.
pub fn at(zip: &[u8], signature: &[u8; 4]) -> Vec<usize> {
    (0..zip.len().saturating_sub(3)).filter(|i| &zip[*i..*i + 4] == signature).collect()
}
pub const LOCAL: &[u8; 4] = b"PK\x03\x04";
pub const CENTRAL: &[u8; 4] = b"PK\x01\x02";
pub const END: &[u8; 4] = b"PK\x05\x06";

/// A class file of this version that names a class.
pub fn class(major: u16, names: &str) -> Vec<u8> {
    let mut c = vec![0xca, 0xfe, 0xba, 0xbe, 0, 0];
    c.extend(major.to_be_bytes());
    c.extend(names.as_bytes());
    c
}
