//! Libraries in Java archives: what Maven wrote into them, else what their manifest says,
//! else what their file is called; and the archives inside them (war, ear, fat jars).
//!
//! One could get it wrong by opening archives within archives without an end: here it is
//! three levels, each in a file of its own that has no name, and so many, of so many bytes,
//! in one layer.

use super::dpkg::word;
use crate::packages::inspect::java::{Manifest, split};
use crate::packages::inspect::{Limits, Refusal, Visitor, pick};
use padis_domain::view::{Contained, PackageOrigin};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

/// Bytes of an archive that is opened.
pub const MAX_JAR: u64 = 1 << 30;
/// Archives of one layer, those inside others with them.
const MAX_JARS: u32 = 5_000;
/// Bytes that all archives of one layer may unpack to, those inside others with them.
const MAX_POURED: u64 = 16 << 30;
/// Levels of archives inside archives.
const MAX_DEPTH: u32 = 3;
/// Bytes of a manifest, of what Maven wrote.
const MAX_TEXT: u64 = 256 << 10;

/// Whether a path is that of an archive.
pub fn is_jar(path: &str) -> bool {
    let end = path.rsplit_once('.').map(|(_, end)| end).unwrap_or_default();
    ["jar", "war", "ear"].iter().any(|e| end.eq_ignore_ascii_case(e))
}

/// What is found in the archives of one layer.
pub struct Jars<'a> {
    /// Where files without a name are made.
    scratch: &'a Path,
    opened: u32,
    /// Bytes that may still be unpacked.
    left: u64,
    /// Archives that were not read: damaged, too large, too many, too deep.
    pub unread: u64,
}

impl<'a> Jars<'a> {
    /// None yet.
    pub fn new(scratch: &'a Path) -> Self {
        Self { scratch, opened: 0, left: MAX_POURED, unread: 0 }
    }

    /// The libraries in the archive at `path`, whose bytes come from `from`.
    pub fn read(&mut self, from: &mut dyn Read, path: &str) -> std::io::Result<Vec<Contained>> {
        if self.opened >= MAX_JARS || self.left == 0 {
            self.unread += 1;
            return Ok(Vec::new());
        }
        let mut file = tempfile::tempfile_in(self.scratch)?;
        std::io::copy(from, &mut file)?;
        self.open(&mut file, path, 1)
    }

    /// An error is of this machine's disk; an archive that can't be opened is counted.
    fn open(&mut self, file: &mut File, path: &str, depth: u32) -> std::io::Result<Vec<Contained>> {
        self.opened += 1;
        let len = file.seek(std::io::SeekFrom::End(0))?;
        let limits = Limits { unpacked_bytes: 4 * MAX_JAR, entries: 200_000 };
        let wanted = |name: &[u8], bytes: u64| match what(name) {
            Some(What::Jar) => bytes <= MAX_JAR,
            Some(_) => bytes <= MAX_TEXT,
            None => false,
        };
        let mut visit =
            Visit { jars: self, path, depth, now: None, own: Vec::new(), manifest: None, inner: Vec::new() };
        let read = pick(file, len, &limits, &wanted, &mut visit);
        let Visit { mut own, manifest, mut inner, .. } = visit;
        match read {
            Err(Refusal::Io(e)) if e.raw_os_error().is_some() => return Err(e),
            Err(_) => self.unread += 1,
            Ok(()) => {}
        }
        // An archive that only carries others is no library itself.
        if own.is_empty() && (inner.is_empty() || manifest.is_some()) {
            own.extend(by_manifest(path, manifest.unwrap_or_default()));
        }
        own.append(&mut inner);
        Ok(own)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Jar,
    Pom,
    Manifest,
}

fn what(name: &[u8]) -> Option<What> {
    let name = std::str::from_utf8(name).ok()?;
    match name.strip_prefix("META-INF/") {
        Some("MANIFEST.MF") => Some(What::Manifest),
        Some(rest) if rest.starts_with("maven/") && rest.ends_with("/pom.properties") => Some(What::Pom),
        _ => is_jar(name).then_some(What::Jar),
    }
}

/// The entry that is being read.
enum Now {
    Text(What, Vec<u8>),
    Jar(String, File),
}

struct Visit<'j, 'a> {
    jars: &'j mut Jars<'a>,
    path: &'j str,
    depth: u32,
    now: Option<Now>,
    own: Vec<Contained>,
    manifest: Option<Manifest>,
    inner: Vec<Contained>,
}

impl Visitor for Visit<'_, '_> {
    fn begin(&mut self, name: &[u8], _: bool) -> Result<(), Refusal> {
        self.now = match what(name) {
            Some(What::Jar) if self.depth < MAX_DEPTH && self.jars.opened < MAX_JARS => {
                let path = format!("{}!/{}", self.path, String::from_utf8_lossy(name));
                Some(Now::Jar(path, tempfile::tempfile_in(self.jars.scratch)?))
            }
            Some(What::Jar) | None => {
                self.jars.unread += 1;
                None
            }
            Some(text) => Some(Now::Text(text, Vec::new())),
        };
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.jars.left = self.jars.left.saturating_sub(bytes.len() as u64);
        if self.jars.left == 0 {
            return Err(std::io::Error::other("the archives of this layer unpack to too much").into());
        }
        match &mut self.now {
            Some(Now::Text(_, text)) if text.len() as u64 <= MAX_TEXT => text.extend_from_slice(bytes),
            Some(Now::Jar(_, file)) => file.write_all(bytes)?,
            _ => {}
        }
        Ok(())
    }

    fn skip(&mut self, _: u64) -> bool {
        false
    }

    fn end(&mut self) -> Result<(), Refusal> {
        match self.now.take() {
            Some(Now::Jar(path, mut file)) => {
                let found = self.jars.open(&mut file, &path, self.depth + 1)?;
                self.inner.extend(found);
            }
            Some(Now::Text(What::Pom, text)) => self.own.extend(by_pom(self.path, &String::from_utf8_lossy(&text))),
            Some(Now::Text(_, text)) => self.manifest = Some(Manifest::parse(&String::from_utf8_lossy(&text))),
            None => {}
        }
        Ok(())
    }
}

fn jar(path: &str, name: String, version: String, license: String) -> Contained {
    Contained {
        origin: PackageOrigin::Jar,
        source: name.clone(),
        source_version: version.clone(),
        name,
        version,
        license,
        path: path.to_owned(),
        ..Contained::default()
    }
}

/// `META-INF/maven/GROUP/ARTIFACT/pom.properties`.
fn by_pom(path: &str, text: &str) -> Option<Contained> {
    let field = |name: &str| {
        let mut lines = text.lines().filter_map(|l| l.split_once('='));
        lines.find(|(k, _)| k.trim() == name).map(|(_, v)| word(v)).filter(|v| !v.is_empty() && !v.contains("${"))
    };
    let name = format!("{}:{}", field("groupId")?, field("artifactId")?);
    Some(jar(path, name, field("version")?, String::new()))
}

fn by_manifest(path: &str, manifest: Manifest) -> Option<Contained> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let (artifact, in_name) = split(stem);
    let version = manifest.version().unwrap_or_else(|| in_name.to_owned());
    let group = manifest.get("implementation-vendor-id").filter(|g| g.contains('.') && !g.contains(' '));
    let name = group.map_or_else(|| artifact.to_owned(), |g| format!("{g}:{artifact}"));
    (!name.is_empty())
        .then(|| jar(path, word(&name), word(&version), word(&manifest.get("bundle-license").unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;
    use zip::write::SimpleFileOptions;

    fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            out.start_file(*name, SimpleFileOptions::default()).expect("an entry");
            out.write_all(bytes).expect("its bytes");
        }
        out.finish().expect("a zip").into_inner()
    }

    fn read(bytes: &[u8], path: &str) -> (Vec<(String, String, String)>, u64) {
        let scratch = tempfile::tempdir().expect("a folder");
        let mut jars = Jars::new(scratch.path());
        let found = jars.read(&mut &bytes[..], path).expect("read");
        (found.into_iter().map(|p| (p.name, p.version, p.path)).collect(), jars.unread)
    }

    const POM: &[u8] = b"#Generated\ngroupId=org.apache.logging.log4j\nartifactId=log4j-core\nversion=2.14.1\n";

    #[test]
    fn libraries_are_found_in_archives_inside_archives() {
        let log4j = zip(&[("META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties", POM)]);
        let manifest = b"Manifest-Version: 1.0\nImplementation-Version: 5.3\nImplementation-Vendor-Id: com.example\n\n";
        let plain = zip(&[("META-INF/MANIFEST.MF", manifest), ("a.class", b"x")]);
        let war = zip(&[("WEB-INF/lib/log4j-core-2.14.1.jar", &log4j), ("WEB-INF/lib/own-1.0.jar", &plain)]);
        let ear = zip(&[("web.war", &war), ("lib/old-tool-0.9-b2.jar", &zip(&[("x", b"")]))]);
        let (found, unread) = read(&ear, "srv/app.ear");
        let told: Vec<_> = found.iter().map(|(n, v, p)| (&**n, &**v, &**p)).collect();
        assert_eq!(unread, 0);
        assert_eq!(
            told,
            [
                (
                    "org.apache.logging.log4j:log4j-core",
                    "2.14.1",
                    "srv/app.ear!/web.war!/WEB-INF/lib/log4j-core-2.14.1.jar"
                ),
                ("com.example:own", "5.3", "srv/app.ear!/web.war!/WEB-INF/lib/own-1.0.jar"),
                ("old-tool", "0.9-b2", "srv/app.ear!/lib/old-tool-0.9-b2.jar"),
            ]
        );
    }

    #[test]
    fn what_is_no_archive_or_too_deep_is_counted() {
        let (found, unread) = read(b"not a zip at all", "lib/broken-1.jar");
        assert_eq!((found.len(), unread), (1, 1), "its name is all that is known");
        let mut deep = zip(&[("META-INF/maven/a/b/pom.properties", POM)]);
        for _ in 0..5 {
            deep = zip(&[("inner.jar", &deep)]);
        }
        let (found, unread) = read(&deep, "deep.jar");
        assert_eq!(unread, 1);
        assert!(found.iter().all(|(name, ..)| !name.contains("log4j")));
    }
}
