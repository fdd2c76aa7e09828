//! The file system that an image's layers make together, as its container sees it.
//!
//! Layers come from the bottom up. A file `.wh.NAME` takes NAME of the layers below away,
//! `.wh..wh..opq` everything of them in its folder (OCI image specification, "Whiteouts").
//! What one could get wrong: a layer's own files, which a whiteout of the same layer never
//! takes, whichever comes first; a file that stands where a folder was; and what was found
//! inside a file that a later layer replaced.

use super::archive::{Entry, Kind};
use padis_domain::view::Contained;
use std::collections::BTreeMap;
use std::ops::Bound;
use tempfile::NamedTempFile;

/// Files of one image that are listed, and bytes of all their paths.
pub const MAX_FILES: usize = 150_000;
const MAX_PATHS: usize = 12 << 20;
/// Bytes of one path (Linux: `PATH_MAX`).
const MAX_PATH: usize = 4096;

/// One file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Bytes.
    pub bytes: u64,
    /// Which layer has it, from 0 at the bottom.
    pub layer: u32,
}

/// What was found in one file.
#[derive(Debug)]
pub enum Found {
    /// Packages.
    Packages(Vec<Contained>),
    /// What `os-release` says.
    Os(super::os::Os),
    /// A database of rpm, to be asked when all layers are read.
    Rpm(NamedTempFile),
    /// A database of rpm in a form that is not read.
    OldRpm,
}

/// The file system so far.
#[derive(Debug, Default)]
pub struct Tree {
    /// By path, without a slash before it.
    pub files: BTreeMap<Box<str>, File>,
    /// What was found, by path.
    pub found: BTreeMap<Box<str>, (u32, Found)>,
    /// Paths that lead out of the image; they are left out.
    pub climbing: u64,
    /// Files that are not listed, because there are too many.
    pub unlisted: u64,
    paths: usize,
    layer: u32,
}

impl Tree {
    /// Begins the next layer.
    pub fn layer(&mut self, n: u32) {
        self.layer = n;
    }

    /// Takes an entry in; its path, if it is a file whose bytes may be read.
    pub fn add(&mut self, entry: &Entry) -> Option<Box<str>> {
        let Some(path) = sound(&entry.path) else {
            self.climbing += 1;
            return None;
        };
        if path.is_empty() {
            return None;
        }
        let (folder, name) = path.rsplit_once('/').map_or(("", path.as_str()), |(f, n)| (f, n));
        if let Some(gone) = name.strip_prefix(".wh.") {
            match gone {
                ".wh..opq" => self.take_below(folder, true),
                _ if gone.starts_with(".wh.") => {}
                _ => {
                    let gone = if folder.is_empty() { gone.to_owned() } else { format!("{folder}/{gone}") };
                    self.take(&gone, true);
                    self.take_below(&gone, true);
                }
            }
            return None;
        }
        match entry.kind {
            Kind::Folder => {
                self.take(&path, false);
                None
            }
            Kind::Other => {
                self.take(&path, false);
                self.take_below(&path, false);
                None
            }
            Kind::File | Kind::Shown => {
                self.found.remove(path.as_str());
                self.take_below(&path, false);
                self.list(&path, entry.bytes);
                (entry.kind == Kind::File).then(|| path.into())
            }
        }
    }

    /// Notes what was found in a file.
    pub fn note(&mut self, path: &str, found: Found) {
        self.found.insert(path.into(), (self.layer, found));
    }

    fn list(&mut self, path: &str, bytes: u64) {
        let file = File { bytes, layer: self.layer };
        if let Some(held) = self.files.get_mut(path) {
            *held = file;
        } else if self.files.len() >= MAX_FILES || self.paths + path.len() > MAX_PATHS {
            self.unlisted += 1;
        } else {
            self.paths += path.len();
            self.files.insert(path.into(), file);
        }
    }

    /// `lower`: only what layers below have.
    fn take(&mut self, path: &str, lower: bool) {
        let layer = self.layer;
        if self.files.get(path).is_some_and(|f| !lower || f.layer < layer) {
            self.files.remove(path);
            self.paths -= path.len();
        }
        if self.found.get(path).is_some_and(|f| !lower || f.0 < layer) {
            self.found.remove(path);
        }
    }

    fn take_below(&mut self, folder: &str, lower: bool) {
        // Paths below it stand together: '0' is what follows '/'.
        let (from, to) = match folder {
            "" => (String::new(), String::from(char::MAX)),
            _ => (format!("{folder}/"), format!("{folder}0")),
        };
        let range = (Bound::Included(from.as_str()), Bound::Excluded(to.as_str()));
        let files: Vec<Box<str>> = self.files.range::<str, _>(range).map(|(p, _)| p.clone()).collect();
        let found: Vec<Box<str>> = self.found.range::<str, _>(range).map(|(p, _)| p.clone()).collect();
        for path in files.iter().chain(&found) {
            self.take(path, lower);
        }
    }
}

/// The path without `./`, doubled slashes and a slash at an end; `None`: it climbs, or is none.
fn sound(path: &[u8]) -> Option<String> {
    if path.len() > MAX_PATH || path.contains(&0) {
        return None;
    }
    let text = String::from_utf8_lossy(path);
    let mut out = String::with_capacity(text.len());
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => {
                if !out.is_empty() {
                    out.push('/');
                }
                out.push_str(part);
            }
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(tree: &mut Tree, path: &str, kind: Kind) {
        tree.add(&Entry { path: path.as_bytes().to_vec(), kind, bytes: 1 });
    }

    fn paths(tree: &Tree) -> Vec<&str> {
        tree.files.keys().map(AsRef::as_ref).collect()
    }

    #[test]
    fn whiteouts_take_what_is_below_and_nothing_of_their_own_layer() {
        let mut tree = Tree::default();
        for path in ["./etc/a", "etc/b", "etc/b-more", "opt/x/1", "opt/x/2", "opt/xy"] {
            put(&mut tree, path, Kind::File);
        }
        tree.note("etc/b", Found::OldRpm);
        tree.layer(1);
        put(&mut tree, "opt/x/3", Kind::File);
        put(&mut tree, "opt/x/.wh..wh..opq", Kind::File);
        put(&mut tree, "opt/x/4", Kind::File);
        put(&mut tree, "etc/.wh.b", Kind::File);
        put(&mut tree, "etc/.wh..wh.plnk", Kind::File);
        assert_eq!(paths(&tree), ["etc/a", "etc/b-more", "opt/x/3", "opt/x/4", "opt/xy"]);
        assert!(tree.found.is_empty());
        // It is there again, and a whiteout of a whole folder takes all in it.
        put(&mut tree, "etc/b", Kind::File);
        tree.layer(2);
        put(&mut tree, ".wh.opt", Kind::File);
        assert_eq!(paths(&tree), ["etc/a", "etc/b", "etc/b-more"]);
        assert_eq!(tree.files["etc/b"].layer, 1);
        put(&mut tree, ".wh..wh..opq", Kind::File);
        assert_eq!(paths(&tree), [""; 0]);
        assert_eq!(tree.paths, 0);
    }

    #[test]
    fn a_file_where_a_folder_was_and_the_other_way_round() {
        let mut tree = Tree::default();
        put(&mut tree, "a/b/c", Kind::File);
        put(&mut tree, "d", Kind::File);
        tree.layer(1);
        put(&mut tree, "a/b", Kind::Shown);
        put(&mut tree, "d/", Kind::Folder);
        put(&mut tree, "d/e", Kind::File);
        assert_eq!(paths(&tree), ["a/b", "d/e"]);
    }

    #[test]
    fn paths_that_climb_are_left_out_and_counted() {
        let mut tree = Tree::default();
        for path in ["../etc/passwd", "a/../../b", "/../x"] {
            put(&mut tree, path, Kind::File);
        }
        put(&mut tree, "//a//./b/", Kind::File);
        assert_eq!((tree.climbing, paths(&tree)), (3, vec!["a/b"]));
    }
}
