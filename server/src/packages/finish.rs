//! The last byte is in: check, put away, unpack, write the row.
//!
//! The order makes a kill at any point harmless: the file is made durable and
//! renamed to its content's name, a site's tree is renamed into place, and only
//! then the row is written. What is left over in between has no row and is
//! swept. One could get it wrong by sweeping at the same moment: putting away and
//! sweeping hold the same lock, and what is half-made is too young to be swept.

use super::inspect::{self, Notes, Refusal};
use super::pour::Sum;
use super::rows::{self, Upload};
use super::{Packages, disk, layout};
use crate::store::{StoreError, incident, journal};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::package::{PackageFacts, PackageKind};
use padis_domain::view::PackageRow;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Instant;

fn blocking_failed(e: tokio::task::JoinError) -> Problem {
    incident(&e)
}

impl Packages {
    /// Checks a complete upload and makes it a package; a refused one is deleted.
    pub(super) async fn finish(&self, c: &Caller, u: &Upload, sum: Sum) -> Result<PackageRow, Problem> {
        let (sha256, notes) = sum.finish();
        let path = self.upload_path(&u.id);
        let began = Instant::now();
        let checked = self.check(&path, &sha256, notes).await;
        let (facts, half) = match checked {
            Ok(found) => found,
            Err(problem) => {
                if matches!(problem, Problem::Package { .. }) {
                    self.discard(&u.id).await;
                }
                return Err(problem);
            }
        };
        let _no_sweep = self.putting_away.lock().await;
        self.tree(&path, &sha256, &facts, half).await?;
        let (data, sha, kind) = (self.data.clone(), sha256.clone(), facts.kind);
        let (from, put) = (path.clone(), layout::file(&self.data, &sha256, facts.kind));
        tokio::task::spawn_blocking(move || put_away(&data, &from, &sha, kind))
            .await
            .map_err(blocking_failed)?
            .map_err(|e| disk::problem(&path, &e))?;
        let row = match self.note(c, u, sha256.clone(), facts).await {
            Ok(row) => row,
            Err(e) => {
                self.put_back(&put, &path, &sha256).await;
                return Err(e.into());
            }
        };
        self.live.forget(&u.id);
        self.changes.publish("packages", Some(&u.team));
        let check_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(package.sha256 = %row.sha256, check_ms, package.kind = %row.facts.kind, package.bytes = row.bytes, team = %u.team, account = %c.account, "a package came in");
        Ok(row)
    }

    /// The row could not be written (the database's disk is full): the file is an upload
    /// again, complete, so that asking once more is enough. Held by others it stays.
    async fn put_back(&self, from: &Path, to: &Path, sha256: &str) {
        match rows::wanted(&self.store, sha256).await {
            Ok(false) => {}
            _ => return,
        }
        let back = || {
            fs::set_permissions(from, Permissions::from_mode(0o600))?;
            fs::rename(from, to)
        };
        if let Err(e) = back() {
            tracing::warn!(path = %from.display(), cause = %e, "a package without a row is left to the sweep");
        }
    }

    async fn note(
        &self,
        c: &Caller,
        u: &Upload,
        sha256: String,
        facts: PackageFacts,
    ) -> Result<PackageRow, StoreError> {
        let used_by = rows::used_by(&self.store, &u.team, &sha256).await?;
        let row = rows::fresh(u, c, sha256, facts, used_by);
        let mut tx = self.store.begin().await?;
        rows::put(&mut tx, &row, &c.account).await?;
        let entry = journal::Entry {
            who: c.account.clone(),
            what: "package.upload".into(),
            subject: format!("package:{}", row.sha256),
            team: Some(u.team.clone()),
            ..journal::Entry::default()
        };
        journal::append(&self.store, &mut tx, &entry).await?;
        sqlx::query("DELETE FROM upload WHERE id = $1")
            .bind(&u.id)
            .execute(&mut *tx)
            .await
            .map_err(|cause| StoreError::Sql { what: "forget an upload", cause })?;
        tx.commit().await.map_err(|cause| StoreError::Sql { what: "note a package", cause })?;
        Ok(row)
    }

    /// Reads through what was not while it came in, and the disk is told to keep it: both
    /// take their time. What looks like a site is unpacked on the way.
    async fn check(&self, path: &Path, sha256: &str, notes: Notes) -> Result<(PackageFacts, Option<Half>), Problem> {
        let file = File::open(path).map_err(|e| disk::problem(path, &e))?;
        let copy = file.try_clone().map_err(|e| disk::problem(path, &e))?;
        let (limits, room, to) = (self.inspect_limits(), self.room_left(), layout::tree(&self.data, sha256));
        let _slot = self.checking.acquire().await.map_err(|e| incident(&e))?;
        let durable = tokio::task::spawn_blocking(move || copy.sync_data());
        let found = tokio::task::spawn_blocking(move || {
            if to.exists() {
                return inspect::inspect_rest(&file, &limits, &notes).map(|facts| (facts, None));
            }
            let half = Half::new(&to)?;
            let (facts, unpacked) = inspect::inspect_into(&file, &limits, &notes, &half.0, &room)?;
            Ok((facts, unpacked.then_some(half)))
        });
        let found = found.await.map_err(blocking_failed)?.map_err(|r| refusal(path, r))?;
        durable.await.map_err(blocking_failed)?.map_err(|e| disk::problem(path, &e))?;
        Ok(found)
    }

    /// A site's tree under its name, from what the check unpacked or unpacked now.
    async fn tree(&self, path: &Path, sha256: &str, facts: &PackageFacts, half: Option<Half>) -> Result<(), Problem> {
        let to = layout::tree(&self.data, sha256);
        let Some(root) = facts.site_root.clone().filter(|_| !to.exists()) else { return Ok(()) };
        disk::room(&self.data, if half.is_some() { 0 } else { facts.unpacked_bytes }, self.limits.keep_free_bytes)?;
        let made = (path.to_owned(), to.clone(), facts.kind, self.inspect_limits(), self.room_left());
        tokio::task::spawn_blocking(move || {
            let (path, to, kind, limits, room) = made;
            match half {
                Some(half) => half.adopt(&root, &to),
                None => {
                    let half = Half::new(&to)?;
                    let file = File::open(path)?;
                    inspect::unpack(&file, file.metadata()?.len(), kind, &limits, &root, &half.0, &room)?;
                    half.adopt("", &to)
                }
            }
        })
        .await
        .map_err(blocking_failed)?
        .map_err(|r| refusal(&to, r))
    }

    /// Whether the disk still has what is to be kept free.
    fn room_left(&self) -> Box<inspect::Room> {
        let (data, keep) = (self.data.clone(), self.limits.keep_free_bytes);
        Box::new(move || disk::left(&data, keep))
    }
}

/// A tree that is not complete yet, beside the one that it will be; gone when dropped.
/// Until then its age keeps the sweep away.
struct Half(PathBuf);

impl Half {
    fn new(tree: &Path) -> Result<Self, Refusal> {
        make_folder(tree.parent().unwrap_or(tree))?;
        let path = tree.with_extension(format!("tree.{}", crate::store::new_incident()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// What lies below `root` becomes the tree.
    fn adopt(self, root: &str, tree: &Path) -> Result<(), Refusal> {
        match fs::rename(self.0.join(root), tree) {
            // Another upload of the same content was first.
            Err(_) if tree.exists() => Ok(()),
            other => Ok(other?),
        }
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        match fs::remove_dir_all(&self.0) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.0.display(), cause = %e, "a half-made tree is left to the sweep");
            }
            _ => {}
        }
    }
}

fn refusal(path: &Path, r: Refusal) -> Problem {
    match r {
        Refusal::Fault(fault) => Problem::Package { fault },
        Refusal::Io(e) => disk::problem(path, &e),
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path)?;
    // A container's user must be able to go through, whatever our umask.
    fs::set_permissions(path, Permissions::from_mode(0o755))
}

fn put_away(data: &Path, from: &Path, sha256: &str, kind: PackageKind) -> io::Result<()> {
    let to = layout::file(data, sha256, kind);
    let folder = layout::folder(data, sha256);
    make_folder(&folder)?;
    if to.exists() {
        return fs::remove_file(from);
    }
    fs::set_permissions(from, Permissions::from_mode(0o444))?;
    fs::rename(from, &to)?;
    File::open(&folder)?.sync_all()
}
