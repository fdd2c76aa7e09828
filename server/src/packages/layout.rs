//! Where packages lie below the data folder.
//!
//! `packages/ab/abcd….war` is the file (0444), `packages/ab/abcd….tree/` a site's
//! unpacked tree, `uploads/<id>` what is still coming in. A name is the content's
//! SHA-256, so what exists under it is complete and right: everything is made
//! under another name and renamed.

use padis_domain::package::PackageKind;
use std::path::{Path, PathBuf};

/// The folder of a package: the first two digits, so that no folder holds everything.
pub fn folder(data: &Path, sha256: &str) -> PathBuf {
    data.join("packages").join(sha256.get(..2).unwrap_or("xx"))
}

/// The package's file.
pub fn file(data: &Path, sha256: &str, kind: PackageKind) -> PathBuf {
    folder(data, sha256).join(format!("{sha256}.{}", kind.as_str()))
}

/// A site's unpacked tree.
pub fn tree(data: &Path, sha256: &str) -> PathBuf {
    folder(data, sha256).join(format!("{sha256}.tree"))
}

/// Whether a text is a SHA-256 in lower-case hex: nothing else may become part of a path.
pub fn is_sha256(s: &str) -> bool {
    s.len() == 64 && s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What still comes in.
pub fn uploads(data: &Path) -> PathBuf {
    data.join("uploads")
}
