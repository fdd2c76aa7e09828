//! A site's tree, unpacked beside the package, through the same readers as the check.
//!
//! The tree stands under its name only when it is complete: it is made in a
//! temporary folder and renamed. One could get it wrong with the modes: a
//! container's user is not ours, so files are 0644 and folders 0755 whatever our
//! umask and whatever the archive says.

use super::entries::{Limits, Refusal, Visitor, corrupt};
use padis_domain::package::PackageKind;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

struct Unpack<'r> {
    to: PathBuf,
    root: &'r [u8],
    made: HashSet<PathBuf>,
    file: Option<File>,
}

impl Unpack<'_> {
    fn folder(&mut self, path: &Path) -> Result<(), Refusal> {
        if self.made.contains(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        DirBuilder::new().mode(0o755).create(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o755))?;
        self.made.insert(path.to_owned());
        Ok(())
    }

    /// Where the entry goes, if it belongs to the site.
    fn place(&self, name: &[u8]) -> Option<PathBuf> {
        let below = match self.root {
            b"" => name,
            root => name.strip_prefix(root)?.strip_prefix(b"/")?,
        };
        // macOS' own notes about files are not part of the site.
        (!below.is_empty() && !below.starts_with(b"__MACOSX")).then(|| self.to.join(OsStr::from_bytes(below)))
    }
}

impl Visitor for Unpack<'_> {
    fn begin(&mut self, name: &[u8], folder: bool) -> Result<(), Refusal> {
        self.file = None;
        let Some(path) = self.place(name) else { return Ok(()) };
        if folder {
            return self.folder(&path);
        }
        let Some(parent) = path.parent() else { return corrupt(name) };
        self.folder(parent)?;
        // `create_new` follows no link and overwrites nothing.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path)?;
        file.set_permissions(Permissions::from_mode(0o644))?;
        self.file = Some(file);
        Ok(())
    }
    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        match &mut self.file {
            Some(f) => Ok(f.write_all(bytes)?),
            None => Ok(()),
        }
    }
    fn end(&mut self) -> Result<(), Refusal> {
        self.file = None;
        Ok(())
    }
}

/// Unpacks what lies below `root` of a checked package into `to`, which exists and is empty.
pub fn unpack(file: &File, len: u64, kind: PackageKind, limits: &Limits, root: &str, to: &Path) -> Result<(), Refusal> {
    fs::set_permissions(to, Permissions::from_mode(0o755))?;
    let made = HashSet::from([to.to_owned()]);
    let mut v = Unpack { to: to.to_owned(), root: root.as_bytes(), made, file: None };
    match kind {
        PackageKind::TarGz => super::targz::walk(file, len, limits, &mut v),
        _ => super::zip::walk(file, len, limits, &mut v),
    }
}
