//! Takes away what nobody will ask for again: uploads that were given up, files
//! without an owner, half-made trees.

use super::{Packages, layout, rows};
use crate::store::{StoreError, now_ms};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// A file without a row is left alone for so long: another replica may be about to write the row.
const GRACE: Duration = Duration::from_secs(3600);

/// What a sweep took away.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Uploads.
    pub uploads: u32,
    /// Package files and trees.
    pub packages: u32,
}

/// Files of a folder with the time since they were made or renamed.
fn aged(folder: &Path) -> io::Result<Vec<(PathBuf, Duration)>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let mut out = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(out),
        other => other?,
    };
    for e in entries {
        let e = e?;
        let changed = Duration::from_secs(u64::try_from(e.metadata()?.ctime()).unwrap_or(0));
        out.push((e.path(), now.saturating_sub(changed)));
    }
    Ok(out)
}

fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

impl Packages {
    /// One sweep; to be called every hour or so. What can't be removed is logged and tried again.
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        self.sweep_older(GRACE).await
    }

    pub(super) async fn sweep_older(&self, grace: Duration) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        let forget = i64::try_from(self.limits.forget.as_millis()).unwrap_or(i64::MAX);
        for id in rows::ids(&self.store, now_ms() - forget).await? {
            self.discard(&id).await;
            swept.uploads += 1;
        }
        for (path, age) in self.list(layout::uploads(&self.data)).await {
            let id = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
            if age >= grace && rows::find(&self.store, &id).await?.is_none() {
                swept.uploads += u32::from(self.take_away(path).await);
            }
        }
        let _nobody_puts_away = self.putting_away.lock().await;
        for (folder, _) in self.list(self.data.join("packages")).await {
            for (path, age) in self.list(folder).await {
                let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                let Some((sha, rest)) = name.split_once('.') else { continue };
                // `tree.<id>` is a tree that was never finished.
                let half = rest.starts_with("tree.");
                if age < grace || !layout::is_sha256(sha) {
                    continue;
                }
                if half || !rows::wanted(&self.store, sha).await? {
                    swept.packages += u32::from(self.take_away(path).await);
                }
            }
        }
        Ok(swept)
    }

    async fn list(&self, folder: PathBuf) -> Vec<(PathBuf, Duration)> {
        let shown = folder.display().to_string();
        match tokio::task::spawn_blocking(move || aged(&folder)).await {
            Ok(Ok(files)) => files,
            Ok(Err(e)) => {
                tracing::warn!(path = %shown, cause = %e, "a folder could not be swept");
                Vec::new()
            }
            Err(e) => {
                tracing::error!(path = %shown, cause = %e, "a sweep ended early");
                Vec::new()
            }
        }
    }

    async fn take_away(&self, path: PathBuf) -> bool {
        let shown = path.display().to_string();
        match tokio::task::spawn_blocking(move || remove(&path)).await {
            Ok(Ok(())) => true,
            other => {
                tracing::warn!(path = %shown, outcome = ?other, "what nobody needs could not be removed");
                false
            }
        }
    }
}
