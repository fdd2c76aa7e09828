//! Marks both halves with a hash of the sources that they share, so that a page
//! and a server of different versions never misread each other: see `wire`. One
//! could get it wrong by hashing dates or absolute paths: the halves are compiled
//! apart, and the mark must be the same.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in ["src", "domain/src"] {
        println!("cargo::rerun-if-changed={part}");
        let mut files = Vec::new();
        gather(&root.join(part), &mut files)?;
        files.sort();
        for file in files {
            let name = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned();
            for byte in name.bytes().chain([0]).chain(fs::read(&file)?) {
                // FNV-1a: nobody is to be kept from making two versions collide.
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    println!("cargo::rustc-env=PADIS_SHAPE={hash:016x}");
    Ok(())
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
