//! The last byte is in: check, put away, unpack, write the row.
//!
//! The order makes a kill at any point harmless: the file is made durable and
//! renamed to its content's name, a site's tree is renamed into place, and only
//! then the row is written. What is left over in between has no row and is
//! swept. One could get it wrong by sweeping at the same moment: both hold the
//! same lock.

use super::inspect::{self, Refusal};
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

fn blocking_failed(e: tokio::task::JoinError) -> Problem {
    incident(&e)
}

impl Packages {
    /// Checks a complete upload and makes it a package; a refused one is deleted.
    pub(super) async fn finish(&self, c: &Caller, u: &Upload, sha256: String) -> Result<PackageRow, Problem> {
        let path = self.upload_path(&u.id);
        let checked = self.check(&path).await;
        let facts = match checked {
            Ok(f) => f,
            Err(problem) => {
                if matches!(problem, Problem::Package { .. }) {
                    self.discard(&u.id).await;
                }
                return Err(problem);
            }
        };
        let _no_sweep = self.putting_away.lock().await;
        if let Some(root) = facts.site_root.clone() {
            disk::room(&self.data, facts.unpacked_bytes, self.limits.keep_free_bytes)?;
            self.unpack(&path, &sha256, facts.kind, root).await?;
        }
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
        tracing::info!(package.sha256 = %row.sha256, package.kind = %row.facts.kind, package.bytes = row.bytes, team = %u.team, account = %c.account, "a package came in");
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

    /// Reads everything through, while the disk is told to keep it: both take their time.
    async fn check(&self, path: &Path) -> Result<PackageFacts, Problem> {
        let file = File::open(path).map_err(|e| disk::problem(path, &e))?;
        let copy = file.try_clone().map_err(|e| disk::problem(path, &e))?;
        let limits = self.inspect_limits();
        let _slot = self.checking.acquire().await.map_err(|e| incident(&e))?;
        let durable = tokio::task::spawn_blocking(move || copy.sync_data());
        let facts = tokio::task::spawn_blocking(move || inspect::inspect(&file, &limits));
        let facts = facts.await.map_err(blocking_failed)?.map_err(|r| refusal(path, r))?;
        durable.await.map_err(blocking_failed)?.map_err(|e| disk::problem(path, &e))?;
        Ok(facts)
    }

    async fn unpack(&self, path: &Path, sha256: &str, kind: PackageKind, root: String) -> Result<(), Problem> {
        let to = layout::tree(&self.data, sha256);
        if to.exists() {
            return Ok(());
        }
        let made = (path.to_owned(), to.clone(), self.inspect_limits());
        tokio::task::spawn_blocking(move || {
            let (path, to, limits) = made;
            unpack_now(&path, &to, kind, &limits, &root)
        })
        .await
        .map_err(blocking_failed)?
        .map_err(|r| refusal(&to, r))
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

fn unpack_now(path: &Path, to: &Path, kind: PackageKind, limits: &inspect::Limits, root: &str) -> Result<(), Refusal> {
    let parent = to.parent().unwrap_or(to);
    make_folder(parent)?;
    let work: PathBuf = to.with_extension(format!("tree.{}", crate::store::new_incident()));
    fs::create_dir(&work)?;
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let done = inspect::unpack(&file, len, kind, limits, root, &work).and_then(|()| match fs::rename(&work, to) {
        Ok(()) => Ok(()),
        // Another upload of the same content was first.
        Err(_) if to.exists() => Ok(fs::remove_dir_all(&work)?),
        Err(e) => Err(e.into()),
    });
    if done.is_err() {
        let _ = fs::remove_dir_all(&work);
    }
    done
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
