//! How much room there is.

use padis_domain::Problem;
use padis_domain::problem::System;
use std::io;
use std::path::Path;

/// Bytes that may be written to the disk of `path`.
pub fn free(path: &Path) -> io::Result<u64> {
    let s = rustix::fs::statvfs(path)?;
    Ok(s.f_bavail.saturating_mul(s.f_frsize))
}

/// Refuses when `need` bytes would leave less than `keep` free.
pub fn room(path: &Path, need: u64, keep: u64) -> Result<(), Problem> {
    let free_bytes = free(path).map_err(|e| problem(path, &e))?;
    if free_bytes < need.saturating_add(keep) {
        return Err(Problem::DiskFull { free_bytes, need_bytes: need });
    }
    Ok(())
}

/// The disk's own error when less than `keep` bytes are free.
pub fn left(path: &Path, keep: u64) -> io::Result<()> {
    if free(path)? < keep { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

/// Whether this error means that the disk is full.
pub fn is_full(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The user's voice of a disk's error; the operator's goes to the log.
pub fn problem(path: &Path, e: &io::Error) -> Problem {
    if is_full(e) {
        let free_bytes = free(path).unwrap_or(0);
        return Problem::DiskFull { free_bytes, need_bytes: 0 };
    }
    let incident = crate::store::new_incident();
    tracing::error!(incident = %incident, path = %path.display(), cause = %e, "the data folder's disk failed");
    Problem::Unavailable { system: System::Disk, incident }
}
