//! What nothing names: found, put aside, put back, deleted. Each layer is one file that is
//! moved within its file system; what is cut off anywhere leaves it in one of two places.
//!
//! One could get it wrong by deleting a link that was made again meanwhile: each is taken
//! aside before its time is looked at, and put back when it is young. And one could leave a
//! folder for each of a million layers: they are taken away when they are empty. Somebody who
//! uploads the same layer in the very moment between the two system calls of the registry
//! gets an error, and uploads it again.

use super::layout::{Hash, Layout, at, disk, entries, hash_of, hex};
use super::mark::Marks;
use padis_domain::ports::{CollectPhase, PortError, PortResult};
use padis_domain::problem::System;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Layers are on 256 shelves by their first byte; where there is one shelf, so many tries miss
/// it once in 10^17 times.
const MOST_TRIES: usize = 10_000;

/// Why a layer that nothing named was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Young,
    Named,
    Remembered,
    Unclear,
}

/// A layer that nothing names.
pub(super) struct Layer {
    pub bytes: u64,
    pub kept: Option<Kept>,
}

/// All of them.
pub(super) type Layers = HashMap<Hash, Layer>;

/// What hears how far it is, and says whether to go on.
pub(super) type Step<'a> = &'a dyn Fn(CollectPhase, u64, u64) -> PortResult<()>;

/// Layers that nothing names, and how many there are of all and of files that are none.
pub(super) fn find(layout: &Layout, marks: &Marks, young: SystemTime, step: Step) -> PortResult<(Layers, u64, u64)> {
    let (mut all, mut foreign, mut count) = (Vec::new(), 0, 0_u64);
    for (shelf, kind) in entries(&layout.blobs())? {
        if !kind.is_dir() || shelf.len() != 2 {
            foreign += 1;
            continue;
        }
        for (name, kind) in entries(&layout.blobs().join(&shelf))? {
            match hash_of(&name).filter(|_| kind.is_dir() && name.starts_with(&shelf)) {
                Some(hash) if marks.named.contains(&hash) => count += 1,
                Some(hash) => all.push(hash),
                None => foreign += 1,
            }
        }
        step(CollectPhase::Find, count, count + all.len() as u64)?;
    }
    let (named, total) = (count, count + all.len() as u64);
    let mut found = Layers::new();
    for (n, hash) in all.into_iter().enumerate() {
        step(CollectPhase::Find, named + n as u64, total)?;
        match at(&layout.blob(&hash))? {
            Some(data) if data.is_file() => {
                count += 1;
                let made = data.modified().map_err(|e| disk("look at", &layout.blob(&hash), e))?;
                let kept = (made > young).then_some(Kept::Young);
                found.insert(hash, Layer { bytes: data.len(), kept });
            }
            Some(_) => foreign += 1,
            // An empty folder: it is on its way, or was deleted.
            None => {}
        }
    }
    Ok((found, count, foreign))
}

/// Keeps those whose links are young or in a repository that keeps all; gives the links of
/// the others, by repository.
pub(super) fn links(
    layout: &Layout,
    repositories: &[String],
    marks: &Marks,
    young: SystemTime,
    layers: &mut Layers,
    stop: &dyn Fn() -> PortResult<()>,
) -> PortResult<Vec<(usize, Hash)>> {
    let mut out = Vec::new();
    for (n, repository) in repositories.iter().enumerate() {
        for (kind, links) in layout.links(repository, "_layers")? {
            if kind != "sha256" {
                continue;
            }
            for (name, _) in links {
                stop()?;
                let Some(hash) = hash_of(&name) else { continue };
                let Some(layer) = layers.get_mut(&hash).filter(|layer| layer.kept.is_none()) else { continue };
                let path = layout.link(repository, &hash);
                let Some(link) = at(&path)? else { continue };
                let made = link.modified().map_err(|e| disk("look at", &path, e))?;
                if marks.unclear.contains(repository) {
                    layer.kept = Some(Kept::Unclear);
                } else if made > young || !link.is_file() {
                    layer.kept = Some(Kept::Young);
                } else {
                    out.push((n, hash));
                }
            }
        }
    }
    out.retain(|(_, hash)| layers.get(hash).is_some_and(|layer| layer.kept.is_none()));
    Ok(out)
}

/// Puts all aside that are not kept.
pub(super) fn put_aside(layout: &Layout, layers: &mut Layers, step: Step) -> PortResult<()> {
    let all: Vec<Hash> = layers.iter().filter(|(_, l)| l.kept.is_none()).map(|(hash, _)| *hash).collect();
    for (n, hash) in all.iter().enumerate() {
        step(CollectPhase::Aside, n as u64, all.len() as u64)?;
        let (from, to) = (layout.blob(hash), layout.aside_of(hash));
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|e| disk("make", folder, e))?;
        }
        match std::fs::rename(&from, &to) {
            Ok(()) => {}
            // Somebody else has deleted it.
            Err(e) if e.kind() == ErrorKind::NotFound => {
                layers.remove(hash);
            }
            Err(e) => return Err(disk("move", &from, e)),
        }
    }
    Ok(())
}

/// Puts one back, if it is aside. `true`: another of the same bytes had come meanwhile.
pub(super) fn back(layout: &Layout, hash: &Hash) -> PortResult<bool> {
    let (to, from) = (layout.blob(hash), layout.aside_of(hash));
    if at(&from)?.is_none() {
        return Ok(false);
    }
    if at(&to)?.is_some() {
        std::fs::remove_file(&from).map_err(|e| disk("delete", &from, e))?;
        return Ok(true);
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|e| disk("make", folder, e))?;
    }
    std::fs::rename(&from, &to).map_err(|e| disk("move", &from, e))?;
    Ok(false)
}

/// Puts everything back that is aside; how many.
pub(super) fn all_back(layout: &Layout) -> PortResult<u64> {
    let mut n = 0;
    for (shelf, kind) in entries(&layout.aside())? {
        let folder = layout.aside().join(&shelf);
        if !kind.is_dir() {
            continue;
        }
        for (name, kind) in entries(&folder)? {
            // Another name is nothing that was put there by us.
            if let Some(hash) = hash_of(&name).filter(|_| kind.is_file() && name.starts_with(&shelf)) {
                back(layout, &hash)?;
                n += 1;
            }
        }
        take_empty(&folder);
    }
    Ok(n)
}

/// Puts a layer of our own into a repository as the registry does, the link last; its hash.
/// Only folders are made that go with it again: another that is ours would be closed to a
/// registry that runs under an account of its own.
pub(super) fn put_probe(layout: &Layout, repository: &str) -> PortResult<Hash> {
    for _ in 0..MOST_TRIES {
        let bytes = format!("put here by Padis for a moment: {:032x}", rand::random::<u128>()).into_bytes();
        let hash: Hash = Sha256::digest(&bytes).into();
        let (blob, link) = (layout.blob(&hash), layout.link(repository, &hash));
        if !blob.ancestors().nth(2).is_some_and(Path::is_dir) {
            continue;
        }
        let named = format!("sha256:{}", hex(&hash));
        for (path, bytes) in [(blob, bytes.as_slice()), (link, named.as_bytes())] {
            let folder = path.parent().unwrap_or(&path);
            let open = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode));
            let made = std::fs::create_dir(folder).and_then(|()| open(folder, 0o755));
            made.map_err(|e| disk("make", folder, e))?;
            let written = std::fs::write(&path, bytes).and_then(|()| open(&path, 0o644));
            written.map_err(|e| disk("write", &path, e))?;
        }
        return Ok(hash);
    }
    let why = format!("{}: it has no folder of layers", layout.blobs().display());
    Err(PortError::transient(System::Registry, "put a layer there", why))
}

/// A time that no file has.
pub(super) fn never() -> SystemTime {
    SystemTime::now() + Duration::from_secs(100 * 365 * 86_400)
}

/// Takes its bytes away again.
pub(super) fn take_probe(layout: &Layout, hash: &Hash) -> PortResult<()> {
    let path = layout.blob(hash);
    std::fs::remove_file(&path).map_err(|e| disk("delete", &path, e))
}

/// Deletes one that is aside with the links to it. A link that is young stays.
pub(super) fn delete(layout: &Layout, hash: &Hash, repositories: &[&str], young: SystemTime) -> PortResult<()> {
    for repository in repositories {
        let link = layout.link(repository, hash);
        let held = layout.aside().join("link");
        match std::fs::rename(&link, &held) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(disk("move", &link, e)),
        }
        let made = at(&held)?.and_then(|m| m.modified().ok());
        if made.is_none_or(|made| made > young) || at(&layout.blob(hash))?.is_some() {
            std::fs::rename(&held, &link).map_err(|e| disk("move", &held, e))?;
        } else {
            std::fs::remove_file(&held).map_err(|e| disk("delete", &held, e))?;
            link.parent().into_iter().for_each(take_empty);
        }
    }
    let aside = layout.aside_of(hash);
    match std::fs::remove_file(&aside) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(disk("delete", &aside, e)),
        _ => {}
    }
    layout.blob(hash).parent().into_iter().for_each(take_empty);
    Ok(())
}

/// A folder that is not empty stays, and one that can't be deleted costs nothing but its name.
pub(super) fn take_empty(folder: &Path) {
    if let Err(e) = std::fs::remove_dir(folder)
        && !matches!(e.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::NotFound)
    {
        tracing::debug!(folder = %folder.display(), cause = %e, "an empty folder stays");
    }
}
