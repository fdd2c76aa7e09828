//! Where what belongs to recipes lies: a folder for each, with the files that go into its
//! images and what its builds have said.
//!
//! One could get it wrong by giving a file the name that somebody typed: each is called by the
//! SHA-256 of its content.

use std::path::{Path, PathBuf};

/// Where a file of that content lies, below its recipe's folder.
pub fn blob_path(folder: &Path, sha256: &str) -> PathBuf {
    folder.join("files").join(sha256)
}

/// Where what a build says is kept, below its recipe's folder.
pub fn output_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("build-{number}.log"))
}
