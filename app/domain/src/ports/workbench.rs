//! Workbenches: containers in which a person changes a middleware, to keep the result as
//! a new version; and images that are built from a description instead.
//!
//! A workbench is no instance: nobody heals it, no application stands on it, and what is
//! changed in it is worth keeping until somebody says otherwise. One could get it wrong by
//! letting Marathon run it, which replaces what it does not like.

use super::PortResult;
use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchSpec {
    /// Which: letters, digits and hyphens.
    pub id: String,
    /// The agent's name on whose Docker Engine it runs.
    pub host: String,
    /// Repository in our own registry.
    pub repository: String,
    /// The manifest's digest.
    pub digest: String,
    /// Thousandths of a core that it may use.
    pub cpu_milli: u32,
    /// MiB of memory that it may use.
    pub mem_mib: u64,
}

/// A workbench as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchSeen {
    /// Which.
    pub id: String,
    /// Where.
    pub host: String,
    /// Whether it runs; what was changed in one that does not is still there.
    pub running: bool,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its content or what is known of it (owner, mode, time) is another.
    Modified,
    /// It is gone.
    Deleted,
}

/// One changed path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchChange {
    /// Absolute.
    pub path: String,
    /// What became of it.
    pub kind: ChangeKind,
    /// Whether it is a folder; of what is deleted nobody knows.
    pub folder: bool,
    /// A file's bytes; 0 of everything else.
    pub bytes: u64,
}

/// What was changed in a workbench.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchChanges {
    /// By path; a folder that is only listed because something in it changed is left out.
    pub rows: Vec<BenchChange>,
    /// How many more there are than are told.
    pub more: u64,
}

/// The image that a workbench becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchCommit {
    /// Which workbench.
    pub id: String,
    /// Where it runs.
    pub host: String,
    /// The image that it was started from: what it starts, as whom and where stays as there.
    pub base: (String, String),
    /// Repository in our own registry.
    pub repository: String,
    /// The tag, which must not name anything yet.
    pub tag: String,
    /// Absolute paths that are not to be in it: they are deleted in the workbench first.
    pub leave_out: Vec<String>,
    /// Labels that it gets beside those of the base; an empty value takes one away, or leaves it
    /// there with nothing in it where an engine can't do more: that counts as none.
    pub labels: BTreeMap<String, String>,
    /// TCP ports that it exposes beside those of the base.
    pub ports: Vec<u16>,
    /// Who.
    pub author: String,
    /// What for, one line in the image's history.
    pub comment: String,
}

/// What is told while a workbench becomes an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitStep {
    /// The engine keeps what was changed.
    Kept,
    /// So many bytes of so many are in the registry; both grow while layers are found.
    Pushed {
        /// Bytes that are there.
        at: u64,
        /// Bytes that will be.
        of: u64,
    },
}

/// The label that says which build made an image.
pub const BUILD_LABEL: &str = "io.padis.build";

/// A file that goes into an image; it belongs to root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildFile {
    /// Where it goes: absolute, no folder.
    pub path: String,
    /// Where it lies here.
    pub from: PathBuf,
    /// How long it is there.
    pub bytes: u64,
    /// Whether it may be run.
    pub executable: bool,
}

/// An image that is built: the base, and on it packages, files, variables, a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageBuild {
    /// Which build: letters, digits and hyphens. It ends in [`BUILD_LABEL`].
    pub id: String,
    /// The agent's name on whose Docker Engine it is built.
    pub host: String,
    /// Repository in our own registry, and digest.
    pub base: (String, String),
    /// Installed by whichever of apt, apk, dnf, microdnf and yum the base has.
    pub packages: Vec<String>,
    /// Put in afterwards, in this order.
    pub files: Vec<BuildFile>,
    /// Variables beside those of the base.
    pub env: Vec<(String, String)>,
    /// What it starts; empty: what the base starts. As whom and where stays as there.
    pub start: Vec<String>,
    /// Repository in our own registry.
    pub repository: String,
    /// The tag, which must not name anything yet.
    pub tag: String,
    /// Labels beside those of the base; an empty value counts as none.
    pub labels: BTreeMap<String, String>,
    /// TCP ports that it exposes beside those of the base.
    pub ports: Vec<u16>,
}

/// What is told while an image is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildStep {
    /// A piece of what the engine and the programs say, of any length.
    Said(String),
    /// The step that begins, from 1, of so many.
    At(u32, u32),
    /// As of a commit.
    Commit(CommitStep),
}

/// A terminal in a workbench; dropped, its shell is hung up.
pub struct Terminal {
    /// What it writes, as bytes of any length; ends when the shell has.
    pub output: BoxStream<'static, PortResult<Vec<u8>>>,
    /// What is typed.
    pub input: Box<dyn TerminalInput>,
}

/// The other end of a terminal.
#[async_trait]
pub trait TerminalInput: Send {
    /// Types.
    async fn write(&mut self, bytes: &[u8]) -> PortResult<()>;
    /// The window has so many columns and rows now.
    async fn resize(&mut self, columns: u16, rows: u16) -> PortResult<()>;
}

/// Docker Engines on which workbenches run.
///
/// A host without an engine that is configured is `Refused`, and so is a workbench that is
/// not there, where it has to be.
#[async_trait]
pub trait Workbench: Send + Sync {
    /// Whether the host has an engine that this reaches.
    fn serves(&self, host: &str) -> bool;
    /// Makes it be there and run: pulls the image, makes the container, starts it; one that is
    /// stopped is started again with what was changed in it. An image that can't be pulled or
    /// has no shell is `Refused`.
    async fn put(&self, spec: &BenchSpec) -> PortResult<()>;
    /// All of them, wherever they are.
    async fn list(&self) -> PortResult<Vec<BenchSeen>>;
    /// Takes it away with everything in it.
    async fn delete(&self, host: &str, id: &str) -> PortResult<()>;
    /// What was changed in it, at most `most` paths.
    async fn changes(&self, host: &str, id: &str, most: usize) -> PortResult<BenchChanges>;
    /// Bytes that each running instance has written into its own container, by Marathon's task
    /// id, on all engines together that say it; an error if none does. It may take minutes.
    async fn written(&self) -> PortResult<BTreeMap<String, u64>>;
    /// A shell with a terminal of that size.
    async fn terminal(&self, host: &str, id: &str, columns: u16, rows: u16) -> PortResult<Terminal>;
    /// Makes an image of it and puts that into our own registry; its digest there. The tag
    /// appears last. Called again after it was cut off it begins anew; a tag that names an image
    /// with all of the wanted labels is what such a call has made, any other is `Refused`.
    async fn commit(&self, wanted: &BenchCommit, tell: &(dyn Fn(CommitStep) + Send + Sync)) -> PortResult<String>;
    /// Builds an image and puts it into our own registry; its digest there. The tag appears last.
    /// What does not build is `Refused`, and what it said was told. Called again after it was cut
    /// off it begins anew; a tag that names an image with all of the wanted labels is what such a
    /// call has made, any other is `Refused`. Dropped, it ends.
    async fn build(&self, wanted: &ImageBuild, tell: &(dyn Fn(BuildStep) + Send + Sync)) -> PortResult<String>;
    /// Takes away what a build that was dropped, and will not be asked for again, has left on its
    /// host; what it has put into the registry stays.
    async fn clear_build(&self, host: &str, id: &str) -> PortResult<()>;
}
