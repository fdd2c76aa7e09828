//! What was changed in a workbench, as Docker's own comparison tells it, with what each path is.
//!
//! Docker names paths and nothing else. What is told of a path is asked of the archive's
//! header (`HEAD /containers/ID/archive`), which follows no link and reads no content; a few at
//! a time, because each of them locks the container.

use super::{Place, refused};
use crate::docker_engine::status;
use bollard::models::{ChangeType, ContainerInspectResponse, FilesystemChange};
use bollard::query_parameters::ContainerArchiveInfoOptions;
use futures::{StreamExt, TryStreamExt, stream};
use padis_domain::ports::{BenchChange, BenchChanges, ChangeKind, PortResult};
use std::collections::BTreeSet;
use std::time::Duration;

/// A comparison of a large file system on a busy disk.
const COMPARE: Duration = Duration::from_secs(120);
/// Paths that are asked for at the same time.
const AT_ONCE: usize = 4;
/// What Docker itself makes or mounts in a container.
const DOCKERS: [&str; 6] =
    ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/mtab", "/.dockerenv", "/sbin/docker-init"];
/// … and what lies below these.
const MOUNTED: [&str; 3] = ["/proc", "/sys", "/dev"];
/// Go's `os.FileMode`: a folder; and any kind that is no regular file (folder, link, device,
/// pipe, socket, character device, irregular).
const FOLDER: u32 = 1 << 31;
const NO_FILE: u32 = FOLDER | 1 << 27 | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19;

pub(super) async fn of(place: &Place, id: &str, most: usize) -> PortResult<BenchChanges> {
    let (name, found) = place.bench(id).await?;
    let compared = place.engine.patient(COMPARE).await?.container_changes(&name).await;
    let listed = compared.map_err(|error| match status(&error) {
        Some(404) => refused(format!("there is no workbench {id}")),
        _ => place.engine.failed(&format!("compare container {name} with its image"), false, error),
    })?;
    let mut rows = worth_telling(listed.unwrap_or_default(), &mounts(&found));
    let more = rows.len().saturating_sub(most) as u64;
    rows.truncate(most);
    let looked = stream::iter(rows.into_iter().map(|row| look(place, &name, row)));
    Ok(BenchChanges { rows: looked.buffered(AT_ONCE).try_collect().await?, more })
}

fn mounts(found: &ContainerInspectResponse) -> BTreeSet<String> {
    found.mounts.iter().flatten().filter_map(|m| m.destination.clone()).collect()
}

/// What a person has changed, by path.
fn worth_telling(listed: Vec<FilesystemChange>, mounts: &BTreeSet<String>) -> Vec<BenchChange> {
    // A folder sorts before what lies in it, but not always immediately: `/a`, `/a-b`, `/a/c`.
    let folders: BTreeSet<String> = listed.iter().flat_map(|c| parents(&c.path)).collect();
    let dockers = |path: &str| {
        let below = |at: &str| path.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        DOCKERS.contains(&path) || MOUNTED.iter().any(|at| below(at)) || mounts.contains(path)
    };
    let mut rows: Vec<BenchChange> = listed
        .into_iter()
        .filter(|c| !dockers(&c.path))
        .map(|c| {
            let kind = match c.kind {
                ChangeType::_0 => ChangeKind::Modified,
                ChangeType::_1 => ChangeKind::Added,
                ChangeType::_2 => ChangeKind::Deleted,
            };
            BenchChange { kind, folder: false, bytes: 0, path: c.path }
        })
        .filter(|row| row.kind != ChangeKind::Modified || !folders.contains(&row.path))
        .collect();
    rows.sort_by(|a, b| a.path.cmp(&b.path));
    rows
}

/// Every folder that a path lies in.
fn parents(path: &str) -> impl Iterator<Item = String> + '_ {
    path.match_indices('/').filter(|(at, _)| *at > 0).map(|(at, _)| path[..at].to_owned())
}

async fn look(place: &Place, name: &str, mut row: BenchChange) -> PortResult<BenchChange> {
    if row.kind == ChangeKind::Deleted {
        return Ok(row);
    }
    let options = ContainerArchiveInfoOptions { path: row.path.clone() };
    match place.engine.docker().await?.get_container_archive_info(name, Some(options)).await {
        Ok(found) => {
            row.folder = found.file_mode & FOLDER != 0;
            row.bytes = if found.file_mode & NO_FILE == 0 { u64::try_from(found.size).unwrap_or(0) } else { 0 };
        }
        // It is gone again, or its name is no text.
        Err(error) if matches!(status(&error), Some(400 | 404)) => {}
        Err(error) => return Err(place.engine.failed(&format!("look at {} in {name}", row.path), false, error)),
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_only_hold_a_change_and_what_docker_makes_are_left_out() {
        let listed = |path: &str, kind| FilesystemChange { path: path.to_owned(), kind };
        let rows = worth_telling(
            vec![
                listed("/etc", ChangeType::_0),
                listed("/etc/hosts", ChangeType::_0),
                listed("/etc/nginx", ChangeType::_0),
                listed("/etc/nginx/a.conf", ChangeType::_2),
                listed("/srv/data", ChangeType::_1),
                listed("/srv", ChangeType::_0),
                listed("/opt", ChangeType::_0),
                listed("/new/file", ChangeType::_1),
                listed("/new", ChangeType::_1),
                listed("/dev/x", ChangeType::_1),
                listed("/device", ChangeType::_1),
            ],
            &BTreeSet::from(["/srv/data".to_owned()]),
        );
        let told: Vec<_> = rows.iter().map(|r| (r.path.as_str(), r.kind)).collect();
        use ChangeKind::{Added, Deleted, Modified};
        let expected = [
            ("/device", Added),
            ("/etc/nginx/a.conf", Deleted),
            ("/new", Added),
            ("/new/file", Added),
            ("/opt", Modified),
        ];
        assert_eq!(told, expected);
    }
}
