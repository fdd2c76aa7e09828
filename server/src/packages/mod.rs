//! Packages: uploads that come in piece by piece, checked, and kept by content.
//!
//! One could get it wrong by trusting what is in memory: after a restart the
//! upload's row and its file's length say how far it is, and the hash is made
//! again from the file. A team sees its own packages only; that two teams hold
//! the same content under one file is nobody's to know.

pub(crate) mod disk;
mod finish;
pub(crate) mod inspect;
pub mod layout;
mod live;
mod pour;
mod rows;
mod sink;
mod sweep;

pub use inspect::{Limits, Refusal, inspect};
pub use sweep::Swept;

use crate::changes::Changes;
use crate::config;
use crate::store::{Store, incident};
use bytes::Bytes;
use futures::Stream;
use live::{Held, Live};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::package::PackageFault;
use padis_domain::problem::ValueFault;
use padis_domain::view::PackageRow;
use pour::{End, Poured, Sum};
use rows::Upload;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore, oneshot};

/// Uploads that one account may have under way.
const UPLOADS_EACH: i64 = 32;
/// Packages checked at the same time: each keeps a core busy.
const CHECKS: usize = 2;
/// The longest file name in characters.
const MAX_FILE_NAME: usize = 200;

/// Uploads and packages.
pub struct Packages {
    store: Store,
    data: PathBuf,
    limits: config::Upload,
    changes: Changes,
    live: Live,
    checking: Semaphore,
    putting_away: Mutex<()>,
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are here.
    pub offset: u64,
    /// Bytes announced.
    pub length: u64,
}

/// What became of a piece.
#[derive(Debug)]
pub enum Appended {
    /// More is to come.
    More(Progress),
    /// It is a package now.
    Package(Box<PackageRow>),
    /// The piece does not begin where the file ends.
    Elsewhere(Progress),
    /// Somebody else is writing and does not let go.
    Busy,
}

impl Packages {
    /// Over a store and the data folder; makes the folders.
    pub fn new(store: Store, data: &Path, limits: config::Upload, changes: Changes) -> io::Result<Self> {
        std::fs::create_dir_all(layout::uploads(data))?;
        std::fs::create_dir_all(data.join("packages"))?;
        Ok(Self {
            store,
            data: data.to_owned(),
            limits,
            changes,
            live: Live::default(),
            checking: Semaphore::new(CHECKS),
            putting_away: Mutex::new(()),
        })
    }

    /// The largest upload in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.limits.max_bytes
    }

    fn inspect_limits(&self) -> Limits {
        Limits { unpacked_bytes: self.limits.max_unpacked_bytes, entries: self.limits.max_entries }
    }

    fn upload_path(&self, id: &str) -> PathBuf {
        layout::uploads(&self.data).join(id)
    }

    /// Begins an upload of `length` bytes for a team; gives its id.
    pub async fn begin(&self, c: &Caller, team: &str, file_name: &str, length: u64) -> Result<String, Problem> {
        c.runs(team)?;
        if length == 0 {
            return Err(Problem::Package { fault: PackageFault::Empty });
        }
        if length > self.limits.max_bytes {
            return Err(Problem::Package { fault: PackageFault::TooLarge { limit_bytes: self.limits.max_bytes } });
        }
        self.open(c, team, file_name, length).await
    }

    async fn open(&self, c: &Caller, team: &str, file_name: &str, length: u64) -> Result<String, Problem> {
        let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM team WHERE slug = $1")
            .bind(team)
            .fetch_one(self.store.read())
            .await
            .map_err(|e| incident(&e))?;
        if known == 0 {
            return Err(Problem::field("team", ValueFault::Unknown));
        }
        if rows::count(&self.store, &c.account).await? >= UPLOADS_EACH {
            return Err(Problem::InUse { by: format!("{UPLOADS_EACH}") });
        }
        disk::room(&self.data, length, self.limits.keep_free_bytes)?;
        let id = uuid::Uuid::new_v4().simple().to_string();
        let upload = Upload {
            id: id.clone(),
            team: team.to_owned(),
            account: c.account.clone(),
            file_name: tidy_name(file_name),
            length,
        };
        let path = self.upload_path(&id);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.map_err(|e| disk::problem(&path, &e))?;
        rows::begin(&self.store, &upload, &c.name).await?;
        Ok(id)
    }

    /// The upload, if it is this caller's.
    async fn own(&self, c: &Caller, id: &str) -> Result<Upload, Problem> {
        let fine = id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let found = if fine { rows::find(&self.store, id).await? } else { None };
        let upload = found.filter(|u| u.account == c.account).ok_or(Problem::NotFound)?;
        c.runs(&upload.team)?;
        Ok(upload)
    }

    /// How far it is.
    pub async fn progress(&self, c: &Caller, id: &str) -> Result<Progress, Problem> {
        let upload = self.own(c, id).await?;
        self.progress_of(&upload)
    }

    fn progress_of(&self, u: &Upload) -> Result<Progress, Problem> {
        let path = self.upload_path(&u.id);
        match std::fs::metadata(&path) {
            Ok(m) => Ok(Progress { offset: m.len(), length: u.length }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Problem::NotFound),
            Err(e) => Err(disk::problem(&path, &e)),
        }
    }

    /// Adds a piece that begins at `offset`. With the last byte it becomes a
    /// package. A broken connection keeps what came. When the caller goes away only
    /// the reading ends: what was received is accounted for all the same.
    pub async fn append<S, E>(self: &Arc<Self>, c: &Caller, id: &str, offset: u64, body: S) -> Result<Appended, Problem>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        let u = self.own(c, id).await?;
        let Some(mut held) = self.live.take(&u.id).await else { return Ok(Appended::Busy) };
        let now = self.progress_of(&u)?;
        if now.offset != offset {
            return Ok(Appended::Elsewhere(now));
        }
        let path = self.upload_path(&u.id);
        let sum = self.sum_so_far(&path, held.kept.sum.take(), now.offset).await?;
        let (mouth, bottom) = pour::open(&path, Some(u.length), sum).map_err(|e| disk::problem(&path, &e))?;
        let (stop, room) = (held.stop.clone(), u.length - offset);
        let (say, said) = oneshot::channel();
        let (this, c) = (self.clone(), c.clone());
        let rest = tokio::spawn(async move {
            let end = said.await.unwrap_or_else(|_| End::Broken("the caller went away".to_owned()));
            this.appended(&c, &u, offset, held, bottom.settle(end).await).await
        });
        // Nobody hears it only if that task has panicked, which it says itself.
        let _ = say.send(mouth.pour(room, body, &stop, || self.look()).await);
        rest.await.map_err(|e| incident(&e))?
    }

    async fn appended(
        &self,
        c: &Caller,
        u: &Upload,
        offset: u64,
        mut held: Held,
        poured: Poured,
    ) -> Result<Appended, Problem> {
        let path = self.upload_path(&u.id);
        let after = self.progress_of(u)?;
        // The sum is believed only if it is as far as the file.
        let sum = poured.sum.filter(|_| after.offset == offset + poured.bytes);
        match poured.end {
            End::Disk(e) => {
                // The file's length alone says how far we are, and the database may lie on the same disk.
                if let Err(e) = rows::touch(&self.store, &u.id, after.offset).await {
                    tracing::warn!(upload.id = %u.id, cause = %e, "how far an upload is could not be noted");
                }
                return Err(self.disk_problem(&path, &e, u.length - after.offset));
            }
            End::TooMuch => {
                self.discard(&u.id).await;
                return Err(Problem::Package { fault: PackageFault::TooLarge { limit_bytes: u.length } });
            }
            End::Broken(why) => tracing::debug!(upload.id = %u.id, why, "an upload was interrupted"),
            End::Complete => {}
        }
        if after.offset < u.length {
            held.kept.sum = sum.map(|s| (after.offset, s));
            rows::touch(&self.store, &u.id, after.offset).await?;
            return Ok(Appended::More(after));
        }
        let sum = match sum {
            Some(s) => s,
            None => self.sum_so_far(&path, None, after.offset).await?,
        };
        self.finish(c, u, sum).await.map(|row| Appended::Package(Box::new(row)))
    }

    async fn sum_so_far(&self, path: &Path, kept: Option<(u64, Sum)>, len: u64) -> Result<Sum, Problem> {
        if let Some((_, sum)) = kept.filter(|(at, _)| *at == len) {
            return Ok(sum);
        }
        let limits = self.inspect_limits();
        let file = File::open(path).map_err(|e| disk::problem(path, &e))?;
        tokio::task::spawn_blocking(move || pour::digest_file(&file, len, limits))
            .await
            .map_err(|e| incident(&e))?
            .map_err(|e| disk::problem(path, &e))
    }

    /// Whether the disk has more free than is to be kept free; else what is free and what is to be.
    pub fn room(&self) -> Result<(), (u64, u64)> {
        let keep = self.limits.keep_free_bytes;
        match disk::free(&self.data) {
            Ok(free) if free >= keep => Ok(()),
            Ok(free) => Err((free, keep)),
            Err(_) => Err((0, keep)),
        }
    }

    fn look(&self) -> io::Result<()> {
        disk::left(&self.data, self.limits.keep_free_bytes)
    }

    fn disk_problem(&self, path: &Path, e: &io::Error, need_bytes: u64) -> Problem {
        match disk::problem(path, e) {
            Problem::DiskFull { free_bytes, .. } => Problem::DiskFull { free_bytes, need_bytes },
            other => other,
        }
    }

    /// A whole file in one request, its length unknown until it ends.
    pub async fn whole<S, E>(&self, c: &Caller, team: &str, file_name: &str, body: S) -> Result<PackageRow, Problem>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        c.runs(team)?;
        let id = self.open(c, team, file_name, 0).await?;
        let row = self.whole_now(c, &id, body).await;
        if row.is_err() {
            self.discard(&id).await;
        }
        row
    }

    async fn whole_now<S, E>(&self, c: &Caller, id: &str, body: S) -> Result<PackageRow, Problem>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        let mut upload = self.own(c, id).await?;
        let path = self.upload_path(id);
        let stop = tokio_util::sync::CancellationToken::new();
        let (mouth, bottom) =
            pour::open(&path, None, Sum::new(self.inspect_limits())).map_err(|e| disk::problem(&path, &e))?;
        let end = mouth.pour(self.limits.max_bytes, body, &stop, || self.look()).await;
        let poured = bottom.settle(end).await;
        match (poured.end, poured.sum) {
            (End::Complete, Some(sum)) => {
                upload.length = poured.bytes;
                self.finish(c, &upload, sum).await
            }
            (End::Disk(e), _) => Err(disk::problem(&path, &e)),
            (End::TooMuch, _) => {
                Err(Problem::Package { fault: PackageFault::TooLarge { limit_bytes: self.limits.max_bytes } })
            }
            _ => Err(Problem::Package { fault: PackageFault::Truncated }),
        }
    }

    /// Gives an upload up.
    pub async fn cancel(&self, c: &Caller, id: &str) -> Result<(), Problem> {
        let upload = self.own(c, id).await?;
        // Ends a writer, if there is one; what it still writes goes into a file that has no name.
        let _held = self.live.take(&upload.id).await;
        self.discard(&upload.id).await;
        Ok(())
    }

    /// Takes an upload's row and file away; what can't be is left to the sweep.
    async fn discard(&self, id: &str) {
        if let Err(e) = rows::forget(&self.store, id).await {
            incident(&e);
        }
        self.live.forget(id);
        match std::fs::remove_file(self.upload_path(id)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(upload.id = id, cause = %e, "an upload's file could not be removed");
            }
            _ => {}
        }
    }
}

/// A file name for people: the last part, short, without control characters.
fn tidy_name(s: &str) -> String {
    let last = s.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(MAX_FILE_NAME).collect();
    if name.trim().is_empty() { "package".to_owned() } else { name }
}

#[cfg(test)]
mod tests;
