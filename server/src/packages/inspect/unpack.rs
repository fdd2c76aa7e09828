//! A site's tree, unpacked beside the package, through the same readers as the check:
//! on the way of the check itself, or after it.
//!
//! The tree stands under its name only when it is complete: it is made in a
//! temporary folder and renamed. One could get it wrong with the modes: a
//! container's user is not ours, so files are 0644 and folders 0755 whatever our
//! umask and whatever the archive says.

use super::entries::{Limits, Refusal, Visitor, corrupt};
use padis_domain::package::{PackageFault, PackageKind};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Whether the disk still has room; asked now and then.
pub type Room = dyn Fn() -> io::Result<()> + Send + Sync;

/// The disk's room is looked at after so many bytes.
const LOOK_EVERY: u64 = 64 << 20;

/// Writes what a reader tells.
pub(super) struct Unpack<'r> {
    to: PathBuf,
    root: &'r [u8],
    made: HashSet<PathBuf>,
    file: Option<File>,
    room: &'r Room,
    since_look: u64,
}

/// Two entries for one place, which the check finds at an archive's end only.
fn taken(e: io::Error, name: &[u8]) -> Refusal {
    match e.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            PackageFault::Corrupt { entry: super::names::shown(name) }.into()
        }
        _ => e.into(),
    }
}

impl<'r> Unpack<'r> {
    /// Into `to`, which exists and is empty, what lies below `root`.
    pub fn new(to: &Path, root: &'r [u8], room: &'r Room) -> io::Result<Self> {
        fs::set_permissions(to, Permissions::from_mode(0o755))?;
        let made = HashSet::from([to.to_owned()]);
        Ok(Self { to: to.to_owned(), root, made, file: None, room, since_look: 0 })
    }

    fn ready(&mut self, name: &[u8], path: &Path, folder: bool) -> Result<(), Refusal> {
        if folder {
            return self.folder(path).map_err(|e| taken(e, name));
        }
        let Some(parent) = path.parent() else { return corrupt(name) };
        self.folder(parent).map_err(|e| taken(e, name))?;
        // `create_new` follows no link and overwrites nothing.
        let made = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
        let file = made.map_err(|e| taken(e, name))?;
        file.set_permissions(Permissions::from_mode(0o644))?;
        self.file = Some(file);
        Ok(())
    }

    fn folder(&mut self, path: &Path) -> io::Result<()> {
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
        let notes = below.split(|b| *b == b'/').any(|part| part == b"__MACOSX");
        (!below.is_empty() && !notes).then(|| self.to.join(OsStr::from_bytes(below)))
    }
}

impl Visitor for Unpack<'_> {
    fn begin(&mut self, name: &[u8], folder: bool) -> Result<(), Refusal> {
        self.file = None;
        match self.place(name) {
            Some(path) => self.ready(name, &path, folder),
            None => Ok(()),
        }
    }
    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let Some(f) = &mut self.file else { return Ok(()) };
        f.write_all(bytes)?;
        self.since_look += bytes.len() as u64;
        if self.since_look >= LOOK_EVERY {
            self.since_look = 0;
            (self.room)()?;
        }
        Ok(())
    }
    fn skip(&mut self, _: u64) -> bool {
        self.file.is_none()
    }
    fn end(&mut self) -> Result<(), Refusal> {
        self.file = None;
        Ok(())
    }
}

/// Unpacks what lies below `root` of a checked package into `to`, which exists and is empty.
pub fn unpack(
    file: &File,
    len: u64,
    kind: PackageKind,
    limits: &Limits,
    root: &str,
    to: &Path,
    room: &Room,
) -> Result<(), Refusal> {
    let mut v = Unpack::new(to, root.as_bytes(), room)?;
    match kind {
        PackageKind::TarGz => super::targz::walk(file, len, limits, &mut v),
        _ => super::zip::walk(file, len, limits, &super::Notes::new(), &mut v),
    }
}
