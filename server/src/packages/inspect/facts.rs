//! What is inside, found while every entry is read through.
//!
//! One could get it wrong by collecting: an archive may hold 200,000 files of any
//! size, so only a few small texts are kept, and of classes their first bytes and
//! whether two words occur.

use super::entries::{Refusal, Visitor};
use super::java::{self, Manifest};
use padis_domain::package::{PackageFacts, PackageFault, PackageKind};
use std::collections::BTreeSet;

/// The most bytes that are kept of a manifest or the like.
const MAX_TEXT: usize = 256 << 10;
/// The bytes of a class that are searched for servlet names: the constant pool comes first.
const MAX_CLASS: usize = 512 << 10;

/// What is kept of the present entry.
enum Keep {
    Nothing,
    Text(What, Vec<u8>),
    Class(Vec<u8>),
}
#[derive(Clone, Copy, PartialEq)]
enum What {
    Manifest,
    PomProperties,
    PackageJson,
}

/// Collects the facts.
pub struct Facts {
    files: u64,
    bytes: u64,
    web_inf: bool,
    classes: bool,
    manifest: Option<Manifest>,
    pom_versions: BTreeSet<String>,
    /// Depth, folder and version of each `package.json` near the root.
    package_json: Vec<(usize, Vec<u8>, String)>,
    /// Folders that hold an index page.
    index: Vec<Vec<u8>>,
    class_major: Option<u16>,
    libraries: java::Libraries,
    javax: bool,
    jakarta: bool,
    name: Vec<u8>,
    keep: Keep,
}

impl Facts {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self {
            files: 0,
            bytes: 0,
            web_inf: false,
            classes: false,
            manifest: None,
            pom_versions: BTreeSet::new(),
            package_json: Vec::new(),
            index: Vec::new(),
            class_major: None,
            libraries: java::Libraries::default(),
            javax: false,
            jakarta: false,
            name: Vec::new(),
            keep: Keep::Nothing,
        }
    }

    /// The verdict. `tar`: it came as a gzip-compressed tar, which can only be a site.
    pub fn finish(self, tar: bool) -> Result<PackageFacts, PackageFault> {
        let main = self.manifest.as_ref().and_then(Manifest::main_class);
        let kind = match () {
            () if tar => PackageKind::TarGz,
            () if self.web_inf => PackageKind::War,
            () if main.is_some() => PackageKind::Jar,
            () if !self.index.is_empty() => PackageKind::Zip,
            () if self.classes && self.manifest.is_some() => return Err(PackageFault::NoMainClass),
            () => return Err(PackageFault::NoIndexPage),
        };
        let site = matches!(kind, PackageKind::Zip | PackageKind::TarGz);
        let site_root = if site { Some(self.site_root().ok_or(PackageFault::NoIndexPage)?) } else { None };
        let version = match &site_root {
            Some(root) => self.site_version(root),
            None => self.manifest.as_ref().and_then(Manifest::version).or_else(|| self.only_pom_version()),
        };
        let libraries = self.libraries.found();
        let javax = self.javax || libraries.javax;
        Ok(PackageFacts {
            kind,
            files: self.files,
            unpacked_bytes: self.bytes,
            version,
            class_major: self.class_major.filter(|_| !site),
            built_with: if site { Vec::new() } else { libraries.names },
            health_path: libraries.actuator.then(|| "/actuator/health".to_owned()).filter(|_| !site),
            site_root: site_root.map(|r| String::from_utf8_lossy(&r).into_owned()),
            main_class: main.filter(|_| kind == PackageKind::Jar),
            javax: kind == PackageKind::War && javax && !(self.jakarta || libraries.jakarta),
        })
    }

    /// The folder with an index page that is nearest to the root; of several the
    /// one that build tools fill, then the first by name.
    fn site_root(&self) -> Option<Vec<u8>> {
        let rank = |p: &Vec<u8>| {
            let depth = if p.is_empty() { 0 } else { 1 + p.iter().filter(|b| **b == b'/').count() };
            let last = p.rsplit(|b| *b == b'/').next().unwrap_or_default();
            let built = [&b"dist"[..], b"build", b"public", b"out", b"www", b"site", b"html"].contains(&last);
            (depth, !built, p.clone())
        };
        // A folder whose name is no text can't be named in the facts.
        self.index.iter().filter(|p| std::str::from_utf8(p).is_ok()).min_by_key(|p| rank(p)).cloned()
    }

    /// The version of the `package.json` nearest above the site.
    fn site_version(&self, root: &[u8]) -> Option<String> {
        let above = |folder: &[u8]| folder.is_empty() || root == folder || root.starts_with(&[folder, b"/"].concat());
        let fits = self.package_json.iter().filter(|(_, folder, _)| above(folder));
        fits.max_by_key(|(depth, ..)| *depth).map(|(.., v)| v.clone())
    }

    fn only_pom_version(&self) -> Option<String> {
        if self.pom_versions.len() == 1 { self.pom_versions.first().cloned() } else { None }
    }

    fn keep_of(&mut self, name: &[u8]) -> Keep {
        let lower = name.to_ascii_lowercase();
        let (folder, file) = match name.iter().rposition(|b| *b == b'/') {
            Some(i) => (&name[..i], &lower[i + 1..]),
            None => (&b""[..], &lower[..]),
        };
        let depth = if folder.is_empty() { 0 } else { 1 + folder.iter().filter(|b| **b == b'/').count() };
        if lower == b"meta-inf/manifest.mf" {
            return Keep::Text(What::Manifest, Vec::new());
        }
        if file == b"pom.properties" && lower.starts_with(b"meta-inf/maven/") {
            return Keep::Text(What::PomProperties, Vec::new());
        }
        if file == b"package.json" && depth <= 2 && !lower.starts_with(b"node_modules/") {
            return Keep::Text(What::PackageJson, Vec::new());
        }
        // Junk that macOS adds is no site.
        if matches!(file, b"index.html" | b"index.htm") && !name.starts_with(b"__MACOSX/") {
            self.index.push(folder.to_vec());
        }
        if file.ends_with(b".class") {
            self.classes = true;
            self.libraries.class(name);
            // Classes for newer Javas only, and module descriptors, don't decide what is needed.
            if !lower.starts_with(b"meta-inf/versions/") && file != b"module-info.class" {
                return Keep::Class(Vec::new());
            }
        }
        if file.ends_with(b".jar") {
            self.libraries.jar(&String::from_utf8_lossy(file));
        }
        Keep::Nothing
    }
}

impl Visitor for Facts {
    fn begin(&mut self, name: &[u8], folder: bool) -> Result<(), Refusal> {
        self.web_inf |= name == b"WEB-INF" && folder || name.starts_with(b"WEB-INF/");
        self.keep = Keep::Nothing;
        if !folder {
            self.files += 1;
            self.keep = self.keep_of(name);
            self.name = name.to_vec();
        }
        Ok(())
    }

    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.bytes += bytes.len() as u64;
        let (kept, most) = match &mut self.keep {
            Keep::Nothing => return Ok(()),
            Keep::Text(_, kept) => (kept, MAX_TEXT),
            Keep::Class(kept) => (kept, MAX_CLASS),
        };
        let room = most.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }

    fn skip(&mut self, unpacked: u64) -> bool {
        let skip = matches!(self.keep, Keep::Nothing);
        self.bytes += if skip { unpacked } else { 0 };
        skip
    }

    fn end(&mut self) -> Result<(), Refusal> {
        match std::mem::replace(&mut self.keep, Keep::Nothing) {
            Keep::Nothing => {}
            Keep::Text(What::Manifest, t) => self.manifest = Some(Manifest::parse(&String::from_utf8_lossy(&t))),
            Keep::Text(What::PomProperties, t) => {
                let text = String::from_utf8_lossy(&t).into_owned();
                let version = text.lines().find_map(|l| l.trim().strip_prefix("version="));
                self.pom_versions.extend(version.map(java::tidy));
            }
            Keep::Text(What::PackageJson, t) => {
                let version = serde_json::from_slice::<serde_json::Value>(&t).ok();
                let version = version.as_ref().and_then(|v| v.get("version")).and_then(|v| v.as_str()).map(java::tidy);
                if let Some(v) = version {
                    let folder = self.name.iter().rposition(|b| *b == b'/').map_or(&b""[..], |i| &self.name[..i]);
                    let depth = folder.split(|b| *b == b'/').filter(|p| !p.is_empty()).count();
                    self.package_json.push((depth, folder.to_vec(), v));
                }
            }
            Keep::Class(c) => {
                if let Some(major) = java::class_major(&c) {
                    self.class_major = self.class_major.max(Some(major));
                }
                self.javax |= contains(&c, b"javax/servlet/");
                self.jakarta |= contains(&c, b"jakarta/servlet/");
            }
        }
        Ok(())
    }
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|w| w == needle)
}
