//! Sandboxes: a folder for each task with its `stdout` and `stderr`.
//!
//! Kept after the task for as long as the task is remembered. What the task itself can
//! write (`sandbox` in there, if it fetches) is apart from what the engine writes. One could get it
//! wrong in two ways: by following a path out of the folder (names are checked,
//! links are not followed), and by letting a talkative application fill the disk
//! (a file that has grown to [`ROTATE_BYTES`] becomes `stdout.1`, replacing the
//! one before).

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

/// A file of a sandbox is rotated at this size; two generations are kept.
pub(crate) const ROTATE_BYTES: u64 = 16 * 1024 * 1024;

pub(crate) struct Sandboxes {
    root: PathBuf,
}

impl Sandboxes {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder of a task. Task ids hold neither slashes nor leading dots.
    pub fn of(&self, task_id: &str) -> PathBuf {
        self.root.join(task_id.replace('/', "_"))
    }

    /// The folder of a task that its container sees and may write to.
    pub fn inside(&self, task_id: &str) -> PathBuf {
        self.of(task_id).join("sandbox")
    }

    pub fn remove(&self, task_id: &str) {
        let dir = self.of(task_id);
        if let Err(error) = std::fs::remove_dir_all(&dir)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %dir.display(), %error, "engine: a sandbox can't be removed");
        }
    }

    /// A path of the files API as a path on disk, if it lies in a sandbox.
    pub fn resolve(&self, virtual_path: &str) -> Option<PathBuf> {
        let path = Path::new(virtual_path);
        if path.components().any(|c| matches!(c, Component::ParentDir)) {
            return None;
        }
        let inside = path.strip_prefix(&self.root).ok()?;
        let mut real = self.root.clone();
        for part in inside.components() {
            real.push(part);
            if std::fs::symlink_metadata(&real).ok()?.file_type().is_symlink() {
                return None;
            }
        }
        (real != self.root).then_some(real)
    }
}

/// One growing file of a sandbox, with the place up to which Docker's log was copied.
pub(crate) struct Growing {
    path: PathBuf,
    file: File,
    length: u64,
    /// Docker's timestamp of the last line that was written.
    pub last: String,
    saved: (String, u64),
}

impl Growing {
    /// Opens the file. What was written after the place was last saved is cut off,
    /// because Docker will tell it again.
    pub fn open(dir: &Path, name: &str) -> std::io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let path = dir.join(name);
        let mut file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)?;
        let mut length = file.metadata()?.len();
        let place = std::fs::read_to_string(place_file(&path)).unwrap_or_default();
        let (last, at) = place.split_once(' ').unwrap_or(("", "0"));
        let at = at.trim().parse::<u64>().unwrap_or(0).min(length);
        if at < length {
            file.set_len(at)?;
            length = at;
        }
        file.seek(SeekFrom::Start(length))?;
        Ok(Self { path, file, length, last: last.to_owned(), saved: (last.to_owned(), length) })
    }

    /// Appends one line (or piece of a line) that carries this timestamp.
    pub fn write(&mut self, stamp: &str, data: &[u8]) -> std::io::Result<()> {
        if self.length >= ROTATE_BYTES {
            std::fs::rename(&self.path, self.path.with_extension("1"))?;
            self.file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&self.path)?;
            self.length = 0;
            self.save()?;
        }
        self.file.write_all(data)?;
        self.length += data.len() as u64;
        if !stamp.is_empty() {
            stamp.clone_into(&mut self.last);
        }
        Ok(())
    }

    /// Saves the place, atomically.
    pub fn save(&mut self) -> std::io::Result<()> {
        if self.saved == (self.last.clone(), self.length) {
            return Ok(());
        }
        let target = place_file(&self.path);
        let fresh = target.with_extension("new");
        std::fs::write(&fresh, format!("{} {}", self.last, self.length))?;
        std::fs::rename(&fresh, &target)?;
        self.saved = (self.last.clone(), self.length);
        Ok(())
    }
}

/// Hidden from the files API by its dot.
fn place_file(path: &Path) -> PathBuf {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("file");
    path.with_file_name(format!(".{name}.place"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_saved_is_told_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut out = Growing::open(dir.path(), "stdout").unwrap();
        out.write("t1", b"one\n").unwrap();
        out.save().unwrap();
        out.write("t2", b"two\n").unwrap();
        drop(out);
        let mut out = Growing::open(dir.path(), "stdout").unwrap();
        assert_eq!(out.last, "t1");
        out.write("t2", b"two\n").unwrap();
        assert_eq!(std::fs::read_to_string(dir.path().join("stdout")).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_file_is_rotated_once_it_is_large() {
        let dir = tempfile::tempdir().unwrap();
        let mut out = Growing::open(dir.path(), "stdout").unwrap();
        let chunk = vec![b'x'; 1024 * 1024];
        for n in 0..40 {
            out.write(&format!("t{n}"), &chunk).unwrap();
        }
        let size = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().len();
        assert_eq!(size("stdout.1"), ROTATE_BYTES);
        assert_eq!(size("stdout"), 40 * 1024 * 1024 - 2 * ROTATE_BYTES);
    }

    #[test]
    fn no_path_leads_out() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("sandbox");
        let sandboxes = Sandboxes::new(root.clone());
        std::fs::create_dir_all(root.join("t")).unwrap();
        std::fs::write(root.join("t/stdout"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("t/link")).unwrap();
        let at = |p: &str| sandboxes.resolve(&format!("{}/{p}", root.display()));
        assert_eq!(at("t/stdout"), Some(root.join("t/stdout")));
        assert_eq!(at("t/../../x"), None);
        assert_eq!(at("t/link"), None);
        assert_eq!(at(""), None);
        assert_eq!(sandboxes.resolve("/etc/passwd"), None);
    }
}
