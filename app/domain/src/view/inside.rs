//! What is inside an image: packages, files, and what is known to be wrong with them.

use super::Page;
use crate::app::AppRef;
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};

/// Where a package is written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageOrigin {
    /// Debian's database.
    #[default]
    Dpkg,
    /// Alpine's.
    Apk,
    /// That of Red Hat and others.
    Rpm,
    /// A Java archive itself.
    Jar,
}

impl PackageOrigin {
    /// All.
    pub const ALL: [Self; 4] = [Self::Dpkg, Self::Apk, Self::Rpm, Self::Jar];

    /// The word that is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dpkg => "dpkg",
            Self::Apk => "apk",
            Self::Rpm => "rpm",
            Self::Jar => "jar",
        }
    }

    /// From the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.as_str() == word)
    }
}

/// A package in an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contained {
    /// Where it is written down.
    pub origin: PackageOrigin,
    /// Name; of a library for Java `GROUP:ARTIFACT`, where its group is known.
    pub name: String,
    /// Version, as its kind writes it; may be empty.
    pub version: String,
    /// Processor, or empty.
    pub arch: String,
    /// The source package it is built from; vulnerabilities are told of that.
    pub source: String,
    /// Its version.
    pub source_version: String,
    /// License as it is written there, or empty.
    pub license: String,
    /// Package URL (purl).
    pub purl: String,
    /// The file in the image that says so.
    pub path: String,
}

/// How far the reading of an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InsideState {
    /// Asked for.
    Waiting,
    /// On its way.
    Reading,
    /// All is known.
    Read,
    /// It can't be read.
    Failed,
}

impl InsideState {
    /// All.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Reading, Self::Read, Self::Failed];

    /// The word that is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }

    /// From the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// What was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InsideNote {
    /// So many files are not listed: there are too many.
    Unlisted(u64),
    /// So many paths lead out of the image.
    Climbing(u64),
    /// So many archives and databases could not be opened, or are too large or too deep.
    Unread(u64),
    /// A database of rpm in an older form.
    OldRpm,
    /// There are more packages than are kept.
    PackagesCut,
}

/// A file in an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInside {
    /// Path without a slash before it.
    pub path: String,
    /// Bytes.
    pub bytes: u64,
    /// Digest of the layer that has it.
    pub layer: String,
}

/// What of an image's inside is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsideQuery {
    /// Words in a package's name, version or license.
    pub package: String,
    /// Words in a file's path; nothing: no files.
    pub file: String,
}

/// What is inside a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsideView {
    /// `None`: nobody has asked.
    pub state: Option<InsideState>,
    /// What went wrong, for people.
    pub why: String,
    /// Whether the caller may ask for it to be read.
    pub may_ask: bool,
    /// When it was read.
    pub read_at: Option<UnixMs>,
    /// Distribution, for people; empty if it does not say.
    pub os: String,
    /// Packages of each kind, those kinds that are there.
    pub counts: Vec<(PackageOrigin, u64)>,
    /// The first of those that are asked for.
    pub packages: Vec<Contained>,
    /// How many are asked for.
    pub found: u64,
    /// All files.
    pub files_total: u64,
    /// The first of those that are asked for.
    pub files: Vec<FileInside>,
    /// How many are asked for.
    pub files_found: u64,
    /// What was left out.
    pub notes: Vec<InsideNote>,
    /// What vulnerabilities are known from; `None`: nothing is configured.
    pub feed: Option<FeedView>,
    /// Known vulnerabilities, worst first: the first of them.
    pub vulnerabilities: Vec<Match>,
    /// How many there are.
    pub vulnerabilities_total: u64,
}

/// What vulnerabilities are known from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedView {
    /// Entries that are known.
    pub entries: u64,
    /// When it was read last.
    pub read_at: Option<UnixMs>,
    /// Why the last reading failed; what was known before holds then.
    pub fault: String,
}

/// How bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The feed does not say.
    #[default]
    Unknown,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// A package that has a vulnerability.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// Id, `CVE-…` where it has one.
    pub id: String,
    /// What it is, in one line.
    pub summary: String,
    /// How bad.
    pub severity: Severity,
    /// CVSS base score in tenths, 0 to 100; `None`: the feed has none.
    pub score: Option<u32>,
    /// The package in the image.
    pub package: String,
    /// Its version there.
    pub version: String,
    /// The version that mends it; empty: none yet.
    pub fixed: String,
}

/// A vulnerability, and who runs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulnerabilityRow {
    /// It, with one of the packages.
    pub one: Match,
    /// Other packages that have it.
    pub more: u64,
    /// Running applications that have it.
    pub apps: Vec<AppRef>,
}

/// Vulnerabilities of what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulnerabilitiesView {
    /// What they are known from; `None`: nothing is configured.
    pub feed: Option<FeedView>,
    /// Applications whose image has not been read, or could not be.
    pub unread: Vec<AppRef>,
    /// Worst first.
    pub page: Page<VulnerabilityRow>,
}
