//! Application packages: what kinds there are, how one is recognised, and why
//! one is refused. Recognition is by content; a file's name is only shown.

use crate::words::words;
use serde::{Deserialize, Serialize};

words! {
    /// The kind of an uploaded package, found from its content.
    PackageKind {
        /// A zip with `WEB-INF/`.
        War = "war",
        /// A zip whose `META-INF/MANIFEST.MF` names a `Main-Class`.
        Jar = "jar",
        /// Any other zip: a web site.
        Zip = "zip",
        /// A gzip-compressed tar: a web site.
        TarGz = "tar.gz",
    }
}

/// The largest upload in bytes (2 GiB), unless configured otherwise.
pub const MAX_PACKAGE_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The largest unpacked size in bytes, unless configured otherwise (8 GiB).
pub const MAX_UNPACKED_BYTES: u64 = 8 * 1024 * 1024 * 1024;
/// The largest ratio of unpacked to packed size; deflate's own limit is about 1032.
pub const MAX_RATIO: u64 = 200;
/// The largest number of entries.
pub const MAX_ENTRIES: u64 = 200_000;

/// Why a package is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageFault {
    /// No bytes.
    Empty,
    /// Neither a zip nor a gzip-compressed tar.
    NotAnArchive {
        /// What it looks like: `elf`, `pdf`, `html`, `text`, `rar`, `7z`, `unknown` …
        looks_like: String,
    },
    /// Ends before its end: the upload or the build was cut off.
    Truncated,
    /// Its checksum or structure is wrong.
    Corrupt {
        /// The entry in which it was found, if known.
        entry: String,
    },
    /// An entry's path leaves the archive (`..`, absolute, drive letter) or goes through a link.
    ClimbsOut {
        /// The entry.
        entry: String,
    },
    /// Unpacks to far more than it holds.
    Bomb {
        /// Bytes it would unpack to, as far as counted.
        unpacked_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Too many entries.
    TooManyEntries {
        /// The limit.
        limit: u64,
    },
    /// Larger than the limit.
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// An encrypted archive.
    Encrypted,
    /// A link or device inside, which can't be served.
    Special {
        /// The entry.
        entry: String,
    },
    /// A site without an index page.
    NoIndexPage,
    /// A jar that does not say what to start.
    NoMainClass,
    /// The checksum that came with it is not its own.
    ChecksumDiffers,
}

/// What is inside, as shown to the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageFacts {
    /// Recognised kind.
    pub kind: PackageKind,
    /// Number of files.
    pub files: u64,
    /// Unpacked bytes.
    pub unpacked_bytes: u64,
    /// A version found inside (manifest, pom.properties, package.json), if any.
    pub version: Option<String>,
    /// The Java class-file major version found, e.g. 61 for Java 17.
    pub class_major: Option<u16>,
    /// Frameworks or notable libraries found, by name.
    pub built_with: Vec<String>,
    /// A health page that the package is known to serve.
    pub health_path: Option<String>,
    /// For a site: the folder inside the archive that holds `index.html` (`""` is the root).
    pub site_root: Option<String>,
    /// The jar's main class.
    pub main_class: Option<String>,
    /// Whether a war uses `javax.` servlets (Tomcat 9 and older) instead of `jakarta.`.
    pub javax: bool,
}
