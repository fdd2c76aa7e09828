//! Where a file may be put: below a folder, never through a link.
//!
//! The container does not run yet, so nobody changes the folder meanwhile; but an
//! archive that was unpacked before may have left links in it. One could get it wrong
//! by checking the text of a path only: `link/passwd` has no `..` in it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{PermissionsExt, lchown};
use std::path::{Component, Path, PathBuf};

fn refused(relative: &str) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("{relative:?} leads out of the sandbox"))
}

/// Makes a folder, and those above it.
pub(super) fn folder(root: &Path, relative: &str) -> Result<PathBuf> {
    let mut path = root.to_owned();
    for part in Path::new(relative).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => continue,
            _ => return Err(refused(relative)),
        }
        match std::fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if !std::fs::symlink_metadata(&path)?.is_dir() {
                    return Err(refused(relative));
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(path)
}

/// The path of a file, its folders made.
pub(super) fn below(root: &Path, relative: &str) -> Result<PathBuf> {
    let path = Path::new(relative);
    let name = path.file_name().filter(|_| !relative.ends_with('/')).ok_or_else(|| refused(relative))?;
    let above = path.parent().and_then(Path::to_str).unwrap_or_default();
    Ok(folder(root, above)?.join(name))
}

/// Takes away what is there, if it is no folder; a link goes, not what it leads to.
pub(super) fn clear(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A new file in the place of whatever was there.
pub(super) fn fresh(path: &Path) -> Result<File> {
    clear(path)?;
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Permissions without set-user-id and the like.
pub(super) fn set_mode(file: &File, mode: u32) -> Result<()> {
    file.set_permissions(Permissions::from_mode(mode & 0o777))
}

/// Gives everything to a user; links themselves, not what they lead to.
pub(super) fn give(path: &Path, user: u32, group: Option<u32>) -> Result<()> {
    lchown(path, Some(user), group)?;
    if std::fs::symlink_metadata(path)?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            give(&entry?.path(), user, group)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_below_and_links_are_replaced_not_followed() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("sandbox");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(outer.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(outer.path(), root.join("way")).unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret"), root.join("link")).unwrap();
        assert_eq!(below(&root, "a/./b/c.txt").unwrap(), root.join("a/b/c.txt"));
        for bad in ["", "/etc/x", "../x", "a/../../x", "way/x", "a/", "..", "link/x"] {
            assert!(below(&root, bad).is_err(), "{bad:?}");
        }
        drop(fresh(&below(&root, "link").unwrap()).unwrap());
        assert_eq!(std::fs::read_to_string(outer.path().join("secret")).unwrap(), "s");
        assert!(std::fs::symlink_metadata(root.join("link")).unwrap().is_file());
    }
}
