//! Where distribution's `filesystem` driver keeps what (its `registry/storage/paths.go`).
//!
//! ```text
//! docker/registry/v2/blobs/sha256/ab/abcd…/data
//! docker/registry/v2/repositories/NAME/_manifests/revisions/sha256/abcd…/link
//! docker/registry/v2/repositories/NAME/_layers/sha256/abcd…/link
//! docker/registry/v2/repositories/NAME/_uploads/UUID/…
//! ```
//!
//! One could get it wrong by following a symbolic link: it leads out of the folder, or in a
//! circle. In the place of a repository it is refused, since what lies behind it may name
//! any layer; elsewhere it is a file of somebody else's, which nobody touches.

use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use std::fs::{DirEntry, File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A SHA-256, as bytes: a million of them are 32 MB.
pub(super) type Hash = [u8; 32];

/// A name in a folder, and what it is.
pub(super) type Named = (String, FileType);

/// Folders between the root and a repository; its name has 255 characters at most.
const DEEP: usize = 130;
/// Where what is put aside lies, below the root: the registry looks below `docker` only.
const ASIDE: &str = "padis-collect";

/// 64 characters of lower-case hexadecimal as bytes.
pub(super) fn hash_of(hex: &str) -> Option<Hash> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let hex = hex.as_bytes();
    if hex.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(hex.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}

/// As it stands in paths and digests.
pub(super) fn hex(hash: &Hash) -> String {
    hash.iter().map(|b| format!("{b:02x}")).collect()
}

/// An error of the disk; what only people can mend is refused.
pub(super) fn disk(what: &str, path: &Path, e: io::Error) -> PortError {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, StorageFull};
    let what = format!("{what} {}", path.display());
    let reason = match e.kind() {
        PermissionDenied => "Padis may not (its account needs the right to read and write there)",
        ReadOnlyFilesystem => "it can only be read",
        CrossesDevices => "its folders are on different file systems",
        StorageFull => "the disk is full",
        _ => return PortError::transient(System::Registry, what, e),
    };
    PortError::Refused { system: System::Registry, reason: format!("{what}: {reason}"), cause: Some(e.into()) }
}

/// What is in a folder, in any order; nothing where there is none.
pub(super) fn entries(folder: &Path) -> PortResult<Vec<Named>> {
    let failed = |e| disk("read", folder, e);
    let found = match std::fs::read_dir(folder) {
        Ok(found) => found,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let one = |entry: io::Result<DirEntry>| {
        let entry = entry.map_err(failed)?;
        // Another name than UTF-8 is none of the registry's; it stays what it is: foreign.
        let name = entry.file_name().into_string().unwrap_or_else(|name| name.to_string_lossy().into_owned());
        Ok((name, entry.file_type().map_err(failed)?))
    };
    found.map(one).collect()
}

/// What stands at a path itself; `None`: nothing.
pub(super) fn at(path: &Path) -> PortResult<Option<Metadata>> {
    match std::fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(disk("look at", path, e)),
    }
}

/// A registry's files.
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Opens them: no link leads to its folders but the one that the setting itself may be.
    pub(super) fn open(root: &Path) -> PortResult<Self> {
        let refused = |why: &str| PortError::refused(System::Registry, format!("{}: {why}", root.display()));
        let root = match root.canonicalize() {
            Ok(root) => root,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(refused("there is no such folder")),
            Err(e) => return Err(disk("look at", root, e)),
        };
        let mut path = root.clone();
        for part in ["docker", "registry", "v2", "repositories"] {
            path.push(part);
            match at(&path)? {
                Some(found) if found.is_dir() => {}
                Some(_) => return Err(refused("a link or a file stands where the registry has a folder")),
                None => {
                    return Err(refused(
                        "no registry keeps images there (it is the folder of its storage.filesystem.rootdirectory)",
                    ));
                }
            }
        }
        if at(&root.join("docker/registry/v2/blobs/sha256"))?.is_some_and(|found| !found.is_dir()) {
            return Err(refused("a link or a file stands where the registry has a folder"));
        }
        if at(&root.join(ASIDE))?.is_some_and(|found| !found.is_dir()) {
            return Err(refused("a link or a file stands where Padis would put things aside (padis-collect)"));
        }
        Ok(Self { root })
    }

    fn v2(&self) -> PathBuf {
        self.root.join("docker/registry/v2")
    }

    /// A repository's folder.
    pub(super) fn repository(&self, name: &str) -> PathBuf {
        self.v2().join("repositories").join(name)
    }

    /// The folder of layers, configurations and manifests.
    pub(super) fn blobs(&self) -> PathBuf {
        self.v2().join("blobs/sha256")
    }

    /// A blob's bytes.
    pub(super) fn blob(&self, hash: &Hash) -> PathBuf {
        let hex = hex(hash);
        self.blobs().join(&hex[..2]).join(hex).join("data")
    }

    /// A blob of another kind of digest, whose parts are letters and digits.
    pub(super) fn other_blob(&self, kind: &str, hex: &str) -> Option<PathBuf> {
        let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        (plain(kind) && plain(hex) && hex.len() > 2)
            .then(|| self.v2().join("blobs").join(kind).join(&hex[..2]).join(hex).join("data"))
    }

    /// Where things are put aside.
    pub(super) fn aside(&self) -> PathBuf {
        self.root.join(ASIDE)
    }

    /// Where one is put aside.
    pub(super) fn aside_of(&self, hash: &Hash) -> PathBuf {
        let hex = hex(hash);
        self.aside().join(&hex[..2]).join(hex)
    }

    /// Where the link to a layer stands.
    pub(super) fn link(&self, repository: &str, hash: &Hash) -> PathBuf {
        self.repository(repository).join("_layers/sha256").join(hex(hash)).join("link")
    }

    /// All repositories, and how many uploads in them were never finished.
    pub(super) fn repositories(&self, stop: &dyn Fn() -> PortResult<()>) -> PortResult<(Vec<String>, u64)> {
        let (mut found, mut uploads, mut open) = (Vec::new(), 0, vec![(String::new(), 0)]);
        while let Some((name, depth)) = open.pop() {
            stop()?;
            let mut is_one = false;
            for (part, kind) in entries(&self.repository(&name))? {
                let path = if name.is_empty() { part.clone() } else { format!("{name}/{part}") };
                if kind.is_symlink() {
                    let why = "a link among the registry's repositories; what lies behind it may name any layer";
                    let path = self.repository(&path);
                    return Err(PortError::refused(System::Registry, format!("{}: {why}", path.display())));
                }
                match part.as_str() {
                    "_manifests" | "_layers" => is_one |= kind.is_dir(),
                    "_uploads" => uploads += entries(&self.repository(&path))?.len() as u64,
                    _ if kind.is_dir() && depth < DEEP => open.push((path, depth + 1)),
                    _ if kind.is_dir() => {
                        let path = self.repository(&path);
                        return Err(PortError::refused(System::Registry, format!("{}: too deep", path.display())));
                    }
                    _ => {}
                }
            }
            if is_one {
                found.push(name);
            }
        }
        found.sort();
        Ok((found, uploads))
    }

    /// The kinds of a repository's folder of links (`sha256`), and what is in each.
    pub(super) fn links(&self, repository: &str, folder: &str) -> PortResult<Vec<(String, Vec<Named>)>> {
        let mut path = self.repository(repository);
        for part in folder.split('/') {
            path.push(part);
            self.no_link(&path)?;
        }
        let mut out = Vec::new();
        for (kind, _) in entries(&path)? {
            let path = path.join(&kind);
            self.no_link(&path)?;
            if at(&path)?.is_some_and(|found| found.is_dir()) {
                out.push((kind, entries(&path)?));
            }
        }
        Ok(out)
    }

    fn no_link(&self, path: &Path) -> PortResult<()> {
        if at(path)?.is_some_and(|found| found.is_symlink()) {
            let why = "a link among the registry's repositories; what lies behind it may name any layer";
            return Err(PortError::refused(System::Registry, format!("{}: {why}", path.display())));
        }
        Ok(())
    }

    /// Opens a file of the registry's for reading, if none of its last three parts is a link.
    pub(super) fn open_file(&self, path: &Path) -> io::Result<File> {
        for folder in path.ancestors().skip(1).take(2) {
            if !std::fs::symlink_metadata(folder)?.is_dir() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "a link in the place of a folder"));
            }
        }
        OpenOptions::new().read(true).custom_flags(NOFOLLOW).open(path)
    }
}

/// `O_NOFOLLOW` and `O_NONBLOCK`: neither a link nor a pipe that somebody put there holds us.
const NOFOLLOW: i32 = (rustix::fs::OFlags::NOFOLLOW.bits() | rustix::fs::OFlags::NONBLOCK.bits()) as i32;
