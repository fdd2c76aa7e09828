//! Sandboxes: a folder for each task with its `stdout` and `stderr`.
//!
//! Kept after the task for as long as the task is remembered. What the task itself can
//! write (`sandbox` in there, if it fetches) is apart from what the engine writes. One could get it
//! wrong in two ways: by following a path out of the folder (where it leads in the
//! end is what is checked), and by letting a talkative application fill the disk
//! (a file that has grown to [`ROTATE_BYTES`] becomes `stdout.1`, replacing the
//! one before).

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use std::collections::BTreeMap;
use std::ffi::OsStr;
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

    /// A path of the files API as a path on disk, if it lies in a sandbox. As with a real
    /// agent, links are followed as long as they stay in that very sandbox, and a sandbox
    /// has a second name, `/frameworks/F/executors/E/runs/latest`.
    pub fn resolve(&self, framework: &str, asked: &str) -> Result<PathBuf, Unresolved> {
        let (task, rest) = self.task_of(framework, Path::new(asked)).ok_or(Unresolved::Absent)?;
        let sandbox = std::fs::canonicalize(self.of(&task)).map_err(|_| Unresolved::Absent)?;
        let real = std::fs::canonicalize(sandbox.join(rest)).map_err(|_| Unresolved::Absent)?;
        if !real.starts_with(&sandbox) {
            return Err(Unresolved::Outside);
        }
        if real.file_name().is_some_and(is_own) { Err(Unresolved::Absent) } else { Ok(real) }
    }

    /// The task whose sandbox a path begins with, and the rest of the path.
    fn task_of(&self, framework: &str, path: &Path) -> Option<(String, PathBuf)> {
        let plain = |part: Component<'_>| match part {
            Component::Normal(name) => name.to_str().map(str::to_owned),
            _ => None,
        };
        if let Ok(inside) = path.strip_prefix(&self.root) {
            let mut parts = inside.components();
            return Some((plain(parts.next()?)?, parts.as_path().to_owned()));
        }
        let inside = path.strip_prefix("/frameworks").ok()?.strip_prefix(framework).ok()?;
        let mut parts = inside.strip_prefix("executors").ok()?.components();
        let task = plain(parts.next()?)?;
        Some((task, parts.as_path().strip_prefix("runs/latest").ok()?.to_owned()))
    }

    /// All names under which sandboxes can be reached, with their folders.
    pub fn names(&self, framework: &str, tasks: impl Iterator<Item = String>) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        for task in tasks.filter(|task| self.of(task).is_dir()) {
            let dir = self.of(&task).display().to_string();
            names.insert(format!("/frameworks/{framework}/executors/{task}/runs/latest"), dir.clone());
            names.insert(dir.clone(), dir);
        }
        names
    }
}

/// Why a path of the files API is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unresolved {
    Absent,
    /// It leads out of its sandbox.
    Outside,
}

/// Opens what [`Sandboxes::resolve`] gave, for reading. No link is followed any more: a
/// task may have put one there since. It does not wait for whoever writes to a pipe.
pub(crate) fn open(real: &Path) -> std::io::Result<File> {
    let how = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(openat2(CWD, real, how, Mode::empty(), ResolveFlags::NO_SYMLINKS)?))
}

/// Whether a file is the engine's own and not the task's.
pub(crate) fn is_own(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".std") && (name.ends_with(b".place") || name.ends_with(b".new"))
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

/// Hidden from the files API by [`is_own`].
fn place_file(path: &Path) -> PathBuf {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("file");
    path.with_file_name(format!(".{name}.place"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_appears_after_the_check_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let all = Sandboxes::new(root.path().to_owned());
        let dir = all.of("task");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("log"), "its own").unwrap();
        std::os::unix::fs::symlink("log", dir.join("link")).unwrap();
        let real = all.resolve("f", dir.join("link").to_str().unwrap()).unwrap();
        assert!(open(&real).is_ok());
        std::fs::remove_file(dir.join("log")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.join("log")).unwrap();
        assert_eq!(open(&real).unwrap_err().raw_os_error(), Some(40), "ELOOP");
        assert_eq!(all.resolve("f", dir.join("link").to_str().unwrap()), Err(Unresolved::Outside));
    }

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
        std::fs::create_dir_all(root.join("other")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("t/out")).unwrap();
        std::os::unix::fs::symlink("stdout", root.join("t/in")).unwrap();
        std::fs::write(root.join("t/.stdout.place"), "x").unwrap();
        std::fs::write(root.join("t/.hidden"), "x").unwrap();
        let root = std::fs::canonicalize(root).unwrap();
        let at = |p: &str| sandboxes.resolve("F", &format!("{}/{p}", dir.path().join("sandbox").display()));
        assert_eq!(at("t/stdout"), Ok(root.join("t/stdout")));
        assert_eq!(at("t"), Ok(root.join("t")));
        assert_eq!(at("t/in"), Ok(root.join("t/stdout")));
        assert_eq!(at("t/.hidden"), Ok(root.join("t/.hidden")));
        assert_eq!(at("t/.stdout.place"), Err(Unresolved::Absent));
        for out in ["t/../../x", "never/x", "t/never", ""] {
            assert_eq!(at(out), Err(Unresolved::Absent), "{out}");
        }
        for out in ["t/..", "t/../other", "t/out", "t/../../.."] {
            assert_eq!(at(out), Err(Unresolved::Outside), "{out}");
        }
        assert_eq!(sandboxes.resolve("F", "/etc/passwd"), Err(Unresolved::Absent));
        let latest = |f: &str| sandboxes.resolve("F", &format!("/frameworks/{f}/executors/t/runs/latest/stdout"));
        assert_eq!((latest("F"), latest("G")), (Ok(root.join("t/stdout")), Err(Unresolved::Absent)));
    }
}
