//! Registries, what they hold, and copies between them.

use crate::app::AppRef;
use crate::ports::Image;
use crate::view::Page;
use crate::words::{Stage, UnixMs};
use serde::{Deserialize, Serialize};

/// A registry that is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRow {
    /// Its name in the configuration.
    pub name: String,
    /// Its address as image references have it.
    pub place: String,
    /// Its stage; `None` serves all.
    pub stage: Option<Stage>,
    /// Whether images may be put into it.
    pub takes: bool,
    /// Repositories that it has.
    pub repositories: u64,
    /// When all of it was last read.
    pub seen_at: Option<UnixMs>,
    /// Whether it could not be read last.
    pub silent: bool,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryRow {
    /// Registry.
    pub registry: String,
    /// Its stage.
    pub stage: Option<Stage>,
    /// Name.
    pub name: String,
    /// What it is, as its newest version's labels say; may be empty.
    pub title: String,
    /// The same in Chinese, where it says so; else empty.
    pub title_zh: String,
    /// Versions.
    pub versions: u64,
    /// Tag of the newest.
    pub newest: String,
    /// When that was made.
    pub newest_at: Option<UnixMs>,
    /// Its compressed bytes.
    pub bytes: u64,
}

/// The list of repositories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImagesView {
    /// All registries.
    pub registries: Vec<RegistryRow>,
    /// Those repositories that were asked for.
    pub page: Page<RepositoryRow>,
}

/// One version of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRow {
    /// Tag.
    pub tag: String,
    /// What it names.
    pub digest: String,
    /// Compressed bytes.
    pub bytes: u64,
    /// When it was made.
    pub made_at: Option<UnixMs>,
    /// When the portal first saw the tag name this.
    pub since: Option<UnixMs>,
    /// Why it could not be read; empty when it could.
    pub fault: String,
    /// Applications that run exactly this, of those that the caller may see.
    pub used_by: Vec<AppRef>,
    /// Stages whose registries hold exactly this.
    pub stages: Vec<Stage>,
}

/// One repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryView {
    /// What is known of it.
    pub row: RepositoryRow,
    /// Its versions, newest first.
    pub versions: Vec<VersionRow>,
    /// Whether the registry itself was asked now; else what the last look found is shown.
    pub live: bool,
    /// How much its team's images take there, where there is a limit.
    pub room: Option<TeamRoom>,
    /// Registries that a version can be copied to.
    pub targets: Vec<RegistryRow>,
}

/// How much of a registry a team's images take, and may take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamRoom {
    /// The team.
    pub team: String,
    /// Versions in its repositories.
    pub versions: u64,
    /// At most so many; 0: any number.
    pub most_versions: u64,
    /// Compressed bytes; layers that images share are counted for each.
    pub bytes: u64,
    /// At most so many; 0: any number.
    pub most_bytes: u64,
}

impl TeamRoom {
    /// Whether so many more fit.
    pub fn has(&self, versions: u64, bytes: u64) -> bool {
        let fits = |used: u64, more: u64, most: u64| most == 0 || used.saturating_add(more) <= most;
        fits(self.versions, versions, self.most_versions) && fits(self.bytes, bytes, self.most_bytes)
    }
}

/// One image, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageView {
    /// Its repository.
    pub row: RepositoryRow,
    /// The version that was asked for.
    pub version: VersionRow,
    /// What it is; `None` when it could not be read.
    pub image: Option<Image>,
    /// Where exactly this is: registry, repository, tag.
    pub places: Vec<(String, String, String)>,
    /// Registries that it can be copied to.
    pub targets: Vec<RegistryRow>,
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CopyState {
    /// Nobody has begun.
    Waiting,
    /// On its way.
    Running,
    /// The target has it, tag included.
    Done,
    /// It will not be tried again by itself.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl CopyState {
    /// All.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// The word in the database and in URLs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// From its word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Whether it still goes on.
    pub fn open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// One blob of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyBlobRow {
    /// Digest.
    pub digest: String,
    /// All bytes.
    pub bytes: u64,
    /// Bytes at the target.
    pub at: u64,
    /// `there`, `mounted`, `streamed`, or empty while it is on its way.
    pub how: String,
}

/// A copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyRow {
    /// Its id.
    pub id: String,
    /// From which registry, repository and tag.
    pub from: (String, String, String),
    /// To which.
    pub to: (String, String, String),
    /// What.
    pub digest: String,
    /// How far.
    pub state: CopyState,
    /// Blobs.
    pub blobs: Vec<CopyBlobRow>,
    /// What went wrong last; empty when nothing did.
    pub why: String,
    /// Who asked for it.
    pub by: String,
    /// When.
    pub asked_at: UnixMs,
    /// When the first byte was asked for.
    pub began_at: Option<UnixMs>,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
}

impl CopyRow {
    /// Bytes at the target, and all.
    pub fn bytes(&self) -> (u64, u64) {
        self.blobs.iter().fold((0, 0), |(at, all), b| (at + b.at.min(b.bytes), all + b.bytes))
    }
}

/// What is asked for when an image is to be copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCopy {
    /// Source registry.
    pub from_registry: String,
    /// Source repository.
    pub from_repository: String,
    /// Source tag.
    pub from_tag: String,
    /// Target registry.
    pub to_registry: String,
    /// Target repository.
    pub to_repository: String,
    /// Target tag.
    pub to_tag: String,
}
