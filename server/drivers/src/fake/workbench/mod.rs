//! Workbenches in memory: files by path, on images that a [`FakeRegistry`] names.
//!
//! As in the world, a workbench that is stopped keeps what was changed in it, its terminals end
//! with it, a folder is there when something is in it, and what a commit leaves out is gone from
//! the workbench too. Faults: the port's verbs; of `commit` the beginning, and `push` for what
//! comes after [`CommitStep::Kept`], and of `build` when it has been built (before its effect nothing is in the registry, after it the
//! tag is).

mod build;
mod image;
mod terminal;

use super::faults::{Faults, lock};
use super::registry::FakeRegistry;
use crate::workbench::{commit, config, leave_out, name_of, recipe};
use async_trait::async_trait;
use padis_domain::ports::{
    BenchChange, BenchChanges, BenchCommit, BenchSeen, BenchSpec, BuildStep, ChangeKind, CommitStep, Image, ImageBuild,
    PortError, PortResult, Terminal, Workbench,
};
use padis_domain::problem::System;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use terminal::Open;

/// Contents by absolute path.
type Files = BTreeMap<String, Vec<u8>>;

struct Bench {
    spec: BenchSpec,
    image: Image,
    files: Files,
    running: bool,
    terminals: BTreeMap<u64, Open>,
}

#[derive(Default)]
struct Inner {
    benches: BTreeMap<String, Bench>,
    /// By digest: what an image holds, if it is more than nothing.
    images: BTreeMap<String, Files>,
    /// Digests of images without a shell.
    no_shell: BTreeSet<String>,
    next_terminal: u64,
    /// By task: what instances have written.
    written: BTreeMap<String, u64>,
}

/// Workbenches on these hosts.
pub struct FakeWorkbench {
    faults: Faults,
    registry: Arc<FakeRegistry>,
    hosts: BTreeSet<String>,
    inner: Arc<Mutex<Inner>>,
}

fn refused(reason: impl Into<String>) -> PortError {
    PortError::refused(System::Docker, reason)
}

/// Every folder that a path lies in.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter(|(at, _)| *at > 0).map(|(at, _)| &path[..at])
}

fn below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl FakeWorkbench {
    /// On these hosts, with images from and for this registry.
    pub fn new<'a>(registry: Arc<FakeRegistry>, hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let hosts = hosts.into_iter().map(str::to_owned).collect();
        Self { faults: Faults::new(System::Docker), registry, hosts, inner: Arc::default() }
    }
    /// Its faults and calls.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }
    /// What an image holds; of others nothing is known but that they start.
    pub fn set_image<'a>(&self, digest: &str, files: impl IntoIterator<Item = (&'a str, &'a [u8])>) {
        let files = files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes.to_vec())).collect();
        lock(&self.inner).images.insert(digest.to_owned(), files);
    }
    /// An image has no shell from now on.
    pub fn set_no_shell(&self, digest: &str) {
        lock(&self.inner).no_shell.insert(digest.to_owned());
    }
    /// Writes a file in a workbench; false if there is no such workbench.
    pub fn write(&self, id: &str, path: &str, bytes: &[u8]) -> bool {
        let mut inner = lock(&self.inner);
        inner.benches.get_mut(id).map(|b| b.files.insert(path.to_owned(), bytes.to_vec())).is_some()
    }
    /// Removes a file, or all below a folder; false if there is nothing of it.
    pub fn remove(&self, id: &str, path: &str) -> bool {
        let mut inner = lock(&self.inner);
        let Some(bench) = inner.benches.get_mut(id) else { return false };
        let before = bench.files.len();
        bench.files.retain(|p, _| !below(p, path));
        bench.files.len() < before
    }
    /// An instance has written so many bytes into its own container.
    pub fn set_written(&self, task_id: &str, bytes: u64) {
        lock(&self.inner).written.insert(task_id.to_owned(), bytes);
    }
    /// What a file in a workbench holds.
    pub fn read(&self, id: &str, path: &str) -> Option<Vec<u8>> {
        lock(&self.inner).benches.get(id)?.files.get(path).cloned()
    }
    /// What a file in an image holds.
    pub fn read_image(&self, digest: &str, path: &str) -> Option<Vec<u8>> {
        lock(&self.inner).images.get(digest)?.get(path).cloned()
    }
    /// It stops, as when its host was started anew; its terminals end.
    pub fn stop(&self, id: &str) {
        if let Some(bench) = lock(&self.inner).benches.get_mut(id) {
            bench.running = false;
            bench.terminals.clear();
        }
    }
    /// Columns and rows of every terminal that is open in a workbench.
    pub fn terminals(&self, id: &str) -> Vec<(u16, u16)> {
        let inner = lock(&self.inner);
        inner.benches.get(id).map(|b| b.terminals.values().map(|t| t.size).collect()).unwrap_or_default()
    }

    fn known(&self, host: &str) -> PortResult<()> {
        if self.hosts.contains(host) {
            return Ok(());
        }
        Err(refused(format!("no Docker Engine is configured for host {host}")))
    }

    fn with<T>(&self, host: &str, id: &str, f: impl FnOnce(&mut Bench) -> PortResult<T>) -> PortResult<T> {
        self.known(host)?;
        let mut inner = lock(&self.inner);
        let found = inner.benches.get_mut(id).filter(|b| b.spec.host == host);
        f(found.ok_or_else(|| refused(format!("there is no workbench {id} on {host}")))?)
    }

    fn put_now(&self, spec: &BenchSpec) -> PortResult<()> {
        self.known(&spec.host)?;
        name_of(&spec.id)?;
        let held = self.registry.with(|s| s.manifest(&spec.repository, &spec.digest).cloned());
        let mut inner = lock(&self.inner);
        if let Some(bench) = inner.benches.get_mut(&spec.id) {
            if (&bench.spec.repository, &bench.spec.digest) != (&spec.repository, &spec.digest) {
                return Err(refused(format!("workbench {} exists and was started from another image", spec.id)));
            }
            bench.running = true;
            return Ok(());
        }
        let Some(held) = held else {
            return Err(refused(format!("the image {}@{} can't be pulled: not found", spec.repository, spec.digest)));
        };
        if inner.no_shell.contains(&spec.digest) {
            return Err(refused("the image has no shell (/bin/sh) that can be worked with"));
        }
        let files = inner.images.get(&spec.digest).cloned().unwrap_or_default();
        let bench = Bench { spec: spec.clone(), image: held.image, files, running: true, terminals: BTreeMap::new() };
        inner.benches.insert(spec.id.clone(), bench);
        Ok(())
    }

    fn compare(&self, host: &str, id: &str, most: usize) -> PortResult<BenchChanges> {
        let digest = self.with(host, id, |b| Ok(b.spec.digest.clone()))?;
        let base = lock(&self.inner).images.get(&digest).cloned().unwrap_or_default();
        let now = self.with(host, id, |b| Ok(b.files.clone()))?;
        let row = |path: &str, kind, bytes: usize| BenchChange {
            path: path.to_owned(),
            kind,
            folder: false,
            bytes: bytes as u64,
        };
        let mut rows = Vec::new();
        let mut folders = BTreeSet::new();
        for (path, bytes) in &now {
            match base.get(path) {
                Some(before) if before == bytes => {}
                Some(_) => rows.push(row(path, ChangeKind::Modified, bytes.len())),
                None => {
                    rows.push(row(path, ChangeKind::Added, bytes.len()));
                    folders.extend(parents(path).filter(|folder| !base.keys().any(|p| below(p, folder))));
                }
            }
        }
        rows.extend(folders.iter().map(|f| BenchChange { folder: true, ..row(f, ChangeKind::Added, 0) }));
        rows.extend(base.keys().filter(|p| !now.contains_key(*p)).map(|p| row(p, ChangeKind::Deleted, 0)));
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        let more = rows.len().saturating_sub(most) as u64;
        rows.truncate(most);
        Ok(BenchChanges { rows, more })
    }

    /// The digest, if the tag names what such a call has made.
    fn made(&self, (repository, tag): (&str, &str), labels: &BTreeMap<String, String>) -> PortResult<Option<String>> {
        let named = self.registry.with(|s| {
            let digest = s.tag(repository, tag)?;
            s.manifest(repository, digest).map(|held| held.image.clone())
        });
        match named {
            None => Ok(None),
            Some(image) if config::has_all(&image.labels, labels) => Ok(Some(image.digest)),
            Some(_) => {
                let reason = format!("{repository}:{tag} exists already and is another image");
                Err(PortError::refused(System::Registry, reason))
            }
        }
    }

    fn publish(
        &self,
        to: (&str, &str),
        labels: &BTreeMap<String, String>,
        held: super::registry::Held,
        files: Files,
    ) -> PortResult<String> {
        if let Some(digest) = self.made(to, labels)? {
            return Ok(digest);
        }
        if self.registry.with(|s| s.full) {
            let what = "push: the registry's storage is full".to_owned();
            return Err(PortError::Transient { system: System::Docker, what, cause: None });
        }
        let digest = held.image.digest.clone();
        lock(&self.inner).images.insert(digest.clone(), files);
        self.registry.with(|s| s.put(to.0, to.1, held));
        Ok(digest)
    }
}

#[async_trait]
impl Workbench for FakeWorkbench {
    fn serves(&self, host: &str) -> bool {
        self.hosts.contains(host)
    }
    async fn put(&self, spec: &BenchSpec) -> PortResult<()> {
        self.faults.run("put", &spec.id, || self.put_now(spec)).await
    }
    async fn list(&self) -> PortResult<Vec<BenchSeen>> {
        let seen =
            |(id, b): (&String, &Bench)| BenchSeen { id: id.clone(), host: b.spec.host.clone(), running: b.running };
        self.faults.run("list", "", || Ok(lock(&self.inner).benches.iter().map(seen).collect())).await
    }
    async fn delete(&self, host: &str, id: &str) -> PortResult<()> {
        let delete = || {
            self.known(host)?;
            name_of(id)?;
            lock(&self.inner).benches.retain(|i, b| i != id || b.spec.host != host);
            Ok(())
        };
        self.faults.run("delete", id, delete).await
    }
    async fn changes(&self, host: &str, id: &str, most: usize) -> PortResult<BenchChanges> {
        self.faults.run("changes", id, || self.compare(host, id, most)).await
    }
    async fn written(&self) -> PortResult<BTreeMap<String, u64>> {
        self.faults.run("written", "", || Ok(lock(&self.inner).written.clone())).await
    }
    async fn terminal(&self, host: &str, id: &str, columns: u16, rows: u16) -> PortResult<Terminal> {
        self.faults.run("terminal", id, || self.open(host, id, columns, rows)).await
    }
    async fn commit(&self, wanted: &BenchCommit, tell: &(dyn Fn(CommitStep) + Send + Sync)) -> PortResult<String> {
        let key = format!("{}:{}", wanted.repository, wanted.tag);
        let to = (wanted.repository.as_str(), wanted.tag.as_str());
        let begun = || {
            self.known(&wanted.host)?;
            leave_out::check(&wanted.leave_out)?;
            commit::check(&wanted.tag)?;
            if let Some(digest) = self.made(to, &wanted.labels)? {
                return Ok(Err(digest));
            }
            self.with(&wanted.host, &wanted.id, |bench| {
                bench.files.retain(|path, _| !wanted.leave_out.iter().any(|folder| below(path, folder)));
                Ok(Ok((image::of(&bench.image, wanted, &bench.files), bench.files.clone())))
            })
        };
        let (held, files) = match self.faults.run("commit", &key, begun).await? {
            Ok(made) => made,
            Err(digest) => return Ok(digest),
        };
        tell(CommitStep::Kept);
        let of = files.values().map(|f| f.len() as u64).sum();
        let push = || {
            tell(CommitStep::Pushed { at: 0, of });
            let digest = self.publish(to, &wanted.labels, held, files)?;
            tell(CommitStep::Pushed { at: of, of });
            Ok(digest)
        };
        self.faults.run("push", &key, push).await
    }
    async fn build(&self, wanted: &ImageBuild, tell: &(dyn Fn(BuildStep) + Send + Sync)) -> PortResult<String> {
        let key = format!("{}:{}", wanted.repository, wanted.tag);
        let to = (wanted.repository.as_str(), wanted.tag.as_str());
        let labels = build::labels(wanted);
        let begun = || {
            self.known(&wanted.host)?;
            commit::check(&wanted.tag)?;
            recipe::check(wanted)?;
            match self.made(to, &labels)? {
                Some(digest) => Ok(Err(digest)),
                None => self.build_now(wanted, &labels, tell).map(Ok),
            }
        };
        let (held, files) = match self.faults.run("build", &key, begun).await? {
            Ok(made) => made,
            Err(digest) => return Ok(digest),
        };
        let of = files.values().map(|f| f.len() as u64).sum();
        let push = || {
            tell(BuildStep::Commit(CommitStep::Pushed { at: 0, of }));
            let digest = self.publish(to, &labels, held, files)?;
            tell(BuildStep::Commit(CommitStep::Pushed { at: of, of }));
            Ok(digest)
        };
        self.faults.run("push", &key, push).await
    }
    async fn clear_build(&self, host: &str, id: &str) -> PortResult<()> {
        let clear = || {
            self.known(host)?;
            recipe::check_id(id)
        };
        self.faults.run("clear_build", id, clear).await
    }
}
