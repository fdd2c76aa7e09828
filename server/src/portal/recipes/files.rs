//! Files of a recipe: each lies under the SHA-256 of its content in the recipe's folder.
//!
//! One could get it wrong by taking a file away when nothing names it any more: a build that
//! was asked for before, or a form in another window, may be about to. So what nothing names
//! is taken away when it has been there for a while.

use super::{folder, own, recipes, told};
use crate::packages::disk;
use crate::portal::PadisPortal;
use crate::recipes::blob_path;
use crate::store::What;
use futures::StreamExt;
use futures::stream::BoxStream;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::package::PackageFault;
use padis_domain::portal::Answer;
use padis_domain::ports::PortResult;
use padis_domain::problem::ValueFault;
use padis_domain::recipes::NewRecipeFile;
use padis_domain::view::{MOST_FILES, RecipeFile, recipe_path};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Bytes that all files of a recipe may have together: every host that runs the image gets them,
/// and what is larger is an application's package.
pub(super) const MOST_BYTES: u64 = 500_000_000;
/// What nothing names is taken away after so long.
const LEFT: Duration = Duration::from_secs(3600);
/// The disk's room is looked at after so many bytes.
const LOOK_EVERY: u64 = 64 << 20;

fn too_large() -> Problem {
    Problem::Package { fault: PackageFault::TooLarge { limit_bytes: MOST_BYTES } }
}

/// A file on its way in; it goes with this, unless it was kept.
struct Coming(PathBuf);

impl Drop for Coming {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_file(&self.0)
            && e.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.0.display(), cause = %e, "a file that broke off could not be removed");
        }
    }
}

/// Keeps one.
pub(super) async fn add(
    p: &PadisPortal,
    c: &Caller,
    id: &str,
    new: &NewRecipeFile,
    file: BoxStream<'_, PortResult<Vec<u8>>>,
) -> Answer<()> {
    let (_, _, had) = own(p, c, id).await?;
    let malformed = || Problem::field("target", ValueFault::Malformed);
    let path = recipe_path(&new.target, &new.name).ok_or_else(malformed)?;
    let others = |had: &[RecipeFile]| had.iter().filter(|f| f.path != path).map(|f| f.bytes).sum::<u64>();
    let room = MOST_BYTES.saturating_sub(others(&had));
    let too_many = || {
        let max = i64::try_from(MOST_FILES).unwrap_or(i64::MAX);
        Problem::field("file", ValueFault::OutOfRange { min: 0, max })
    };
    if had.len() >= MOST_FILES && !had.iter().any(|f| f.path == path) {
        return Err(too_many());
    }
    let folder = folder(p, id);
    let (coming, bytes, sha256) = take(p, &folder, file, room).await?;
    let mut tx = p.store.begin().await?;
    let mut files = recipes::files(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    // Others may have come meanwhile.
    if others(&files) + bytes > MOST_BYTES {
        return Err(too_large());
    }
    files.retain(|f| f.path != path);
    files.push(RecipeFile { path, bytes, sha256: sha256.clone(), executable: new.executable });
    files.sort_by(|a, b| a.path.cmp(&b.path));
    if files.len() > MOST_FILES {
        return Err(too_many());
    }
    tokio::fs::rename(&coming.0, blob_path(&folder, &sha256)).await.map_err(|e| disk::problem(&folder, &e))?;
    recipes::set_files(&mut tx, id, &files).await?;
    tx.commit().await.what("keep a recipe's file")?;
    clear(p, id).await?;
    told(p);
    Ok(())
}

/// Writes what comes in, and says how long it is and its SHA-256.
async fn take(
    p: &PadisPortal,
    folder: &Path,
    mut file: BoxStream<'_, PortResult<Vec<u8>>>,
    room: u64,
) -> Answer<(Coming, u64, String)> {
    let keep = p.settings.archives.keep_free;
    let failed = |e: io::Error| disk::problem(folder, &e);
    let all = blob_path(folder, "");
    tokio::fs::create_dir_all(&all).await.map_err(failed)?;
    disk::room(folder, 0, keep)?;
    let coming = Coming(all.join(format!("{}.part", uuid::Uuid::new_v4().simple())));
    let mut out =
        tokio::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&coming.0).await.map_err(failed)?;
    let (mut bytes, mut looked, mut sum) = (0, 0, Sha256::new());
    while let Some(piece) = file.next().await {
        let piece = piece.map_err(|e| {
            tracing::info!(cause = %e.chain(), "a recipe's file broke off on its way in");
            Problem::field("file", ValueFault::Unknown)
        })?;
        bytes += piece.len() as u64;
        if bytes > room {
            return Err(too_large());
        }
        if bytes - looked >= LOOK_EVERY {
            disk::left(folder, keep).map_err(failed)?;
            looked = bytes;
        }
        sum.update(&piece);
        out.write_all(&piece).await.map_err(failed)?;
    }
    out.sync_all().await.map_err(failed)?;
    let mut hex = String::with_capacity(64);
    for byte in sum.finalize() {
        // It can't fail: this is a string.
        let _written = write!(hex, "{byte:02x}");
    }
    Ok((coming, bytes, hex))
}

/// Takes one out.
pub(super) async fn drop(p: &PadisPortal, c: &Caller, id: &str, path: &str) -> Answer<()> {
    own(p, c, id).await?;
    let mut tx = p.store.begin().await?;
    let mut files = recipes::files(&mut tx, id).await?.ok_or(Problem::NotFound)?;
    files.retain(|f| f.path != path);
    recipes::set_files(&mut tx, id, &files).await?;
    tx.commit().await.what("take a file out of a recipe")?;
    clear(p, id).await?;
    told(p);
    Ok(())
}

/// Takes away what nothing names any more.
async fn clear(p: &PadisPortal, id: &str) -> Answer<()> {
    let Some((_, _, files)) = recipes::find(&p.store, id).await? else { return Ok(()) };
    let mut named: BTreeSet<String> = files.into_iter().map(|f| f.sha256).collect();
    for build in recipes::builds(&p.store, id).await?.into_iter().filter(|b| super::open(b.state)) {
        named.extend(build.files.into_iter().map(|f| f.sha256));
    }
    let all = blob_path(&folder(p, id), "");
    let cleared = tokio::task::spawn_blocking(move || {
        for entry in std::fs::read_dir(&all)? {
            let entry = entry?;
            let old = entry.metadata()?.modified()?.elapsed().is_ok_and(|age| age > LEFT);
            if old && !named.contains(&*entry.file_name().to_string_lossy()) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok::<_, io::Error>(())
    });
    // It is tried again with the next file.
    match cleared.await {
        Ok(Ok(())) => {}
        Ok(Err(e)) => tracing::warn!(recipe.id = id, cause = %e, "a recipe's old files could not be removed"),
        Err(e) => tracing::warn!(recipe.id = id, cause = %e, "a recipe's old files could not be removed"),
    }
    Ok(())
}

/// Takes all files of a recipe away that is gone.
pub(super) async fn forget(folder: PathBuf) {
    let all = blob_path(&folder, "");
    if let Err(e) = tokio::fs::remove_dir_all(&all).await
        && e.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %all.display(), cause = %e, "a recipe's files could not be removed");
    }
}
