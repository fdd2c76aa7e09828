//! Images that are brought in as one file.

use super::images::{CopyState, RegistryRow};
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};

/// Where an image may be brought in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveOffer {
    /// Registries; none: nowhere.
    pub registries: Vec<RegistryRow>,
    /// What a repository's name has to begin with; none: it is free.
    pub below: Vec<String>,
    /// The largest file in bytes, unpacked if it is packed by gzip.
    pub most_bytes: u64,
}

/// What is asked for when a file is brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewArchive {
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag; empty: the one that the archive names. Of several images it says which.
    pub tag: String,
    /// What the file is called.
    pub file_name: String,
}

/// An image that was brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveRow {
    /// Id.
    pub id: String,
    /// Registry.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag; empty when there is none, because something is wrong with the file.
    pub tag: String,
    /// What the file was called.
    pub file_name: String,
    /// Its bytes.
    pub bytes: u64,
    /// The name of the image in it, as it stands there; may be empty.
    pub named: String,
    /// `linux/amd64`, as its configurations say.
    pub platforms: Vec<String>,
    /// Whether hosts here run it.
    pub runs_here: bool,
    /// Digest in the registry; empty until it is there.
    pub digest: String,
    /// How far.
    pub state: CopyState,
    /// Bytes of the file that are dealt with, and all that have to be.
    pub at: (u64, u64),
    /// What is wrong with it, for good.
    pub fault: Option<ArchiveFault>,
    /// Why it does not go on for now; empty when it does.
    pub why: String,
    /// Who brought it.
    pub by: String,
    /// When.
    pub asked_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
    /// Whether the caller may stop it.
    pub may: bool,
}

/// What is wrong with an archive. Names are those in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveFault {
    /// It is no tar, nor one packed by gzip.
    NotTar,
    /// It ends in the middle.
    Truncated,
    /// It is larger than may be, unpacked if it is packed.
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// It, or a list in it, has more entries than any image.
    TooMany {
        /// Limit.
        limit: u64,
    },
    /// A path leads out of it.
    Climbs {
        /// Path.
        path: String,
    },
    /// A link that leads to no file of it, or a device: nothing that images are saved with.
    Link {
        /// Path.
        path: String,
    },
    /// It has neither `manifest.json` nor `index.json`: no image was saved there.
    NoImage,
    /// A file of it is not what it has to be.
    Broken {
        /// Which.
        name: String,
    },
    /// What it names is not in it.
    Missing {
        /// What.
        name: String,
    },
    /// The bytes are not those of the digest.
    Differs {
        /// Which.
        name: String,
    },
    /// A layer that is packed holds more than may be.
    Bomb {
        /// Which.
        name: String,
    },
    /// Its base is kept elsewhere: Windows.
    Foreign,
    /// It holds several images, and the tag says not which.
    Several {
        /// Their names.
        names: Vec<String>,
    },
    /// It names no tag, and nobody said one.
    NoTag,
    /// The tag names something already.
    TagTaken {
        /// Which.
        tag: String,
    },
    /// The file is not here any more.
    Lost,
    /// The registry refused it.
    Registry {
        /// In its words.
        why: String,
    },
}
