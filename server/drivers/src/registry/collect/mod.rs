//! Frees what no manifest names, on the files of distribution's `filesystem` driver, while
//! people read and write: the protocol has no call for it, and the registry's own
//! `garbage-collect` wants nobody to push meanwhile.
//!
//! 1. Read every manifest, and find the layers that none names. What is younger than a window
//!    stays, by the file's time and by that of every link to it: an upload puts layers first.
//! 2. Put them aside, where the registry does not look: from now on it says that it does not
//!    have them, and who pushes uploads them again.
//! 3. Wait until a request that was under way then has ended, and look once more: what a
//!    manifest of meanwhile names, and what was linked meanwhile, is put back. Ask the registry
//!    of each that is left: one with a cache in memory (`cache.blobdescriptor: inmemory`, as
//!    Debian's package has it) still says yes, and would take a manifest that names what is
//!    gone; those are put back, too. Whether it has one shows with a file of ours that it is
//!    asked for, there and gone: then manifests, of which it can't be asked, stay as well; and
//!    of one that has none only some layers are asked for.
//! 4. Delete what is left, with the links to it.
//!
//! What one could get wrong: to take the clock of this machine, where the files' times are
//! those of the server that keeps them; to believe that the folder is the registry's
//! because a setting says so (it is asked for that file of ours); to delete in one step. Whatever is aside when it is cut off is put back by the next call. Uploads that were
//! never finished are left to the registry, which clears them after a week
//! (`storage.maintenance.uploadpurging`).

mod aside;
mod layout;
mod mark;

use super::fetch::unexpected;
use super::{RegistryClient, account};
use aside::{Kept, Layers};
use async_trait::async_trait;
use futures::StreamExt;
use layout::{Hash, Layout, disk, hex};
use mark::Marks;
use padis_domain::ports::{CollectPhase, CollectProgress, Collected, Collector, PortError, PortResult, TellCollect};
use padis_domain::problem::System;
use reqwest::Method;
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Questions to the registry at the same time.
const AT_ONCE: usize = 8;
/// Layers of which a registry is asked that does not remember what it had.
const SOME: usize = 256;

/// A registry's files.
#[derive(Debug, Clone)]
pub struct StorageConfig {
    /// The folder of its `storage.filesystem.rootdirectory`, as this process sees it.
    pub root: PathBuf,
    /// What is younger stays.
    pub young: Duration,
    /// How long a request may take in the registry between looking for a layer and writing
    /// down that something names it.
    pub settle: Duration,
}

/// Collects in the files of a registry.
pub struct StorageCollector {
    client: Arc<RegistryClient>,
    config: StorageConfig,
}

/// One collection, on the threads that may block.
struct Run {
    layout: Layout,
    stop: Arc<AtomicBool>,
    tell: TellCollect,
    at: Mutex<CollectProgress>,
    /// What was made after this is young.
    young: SystemTime,
    /// Held for as long as it goes on, in whatever process.
    _lock: File,
}

/// What is known between the steps.
struct Found {
    marks: Marks,
    layers: Layers,
    repositories: Vec<String>,
    links: Vec<(usize, Hash)>,
    /// A repository that has layers.
    probe: Option<usize>,
    done: Collected,
}

impl Found {
    /// Of a registry that remembers, what has no link to it is kept: manifests are asked for by
    /// theirs, which went when they were deleted. Put again, the same manifest would be answered
    /// from memory and not be written (`blobStore.Put` in registry/storage/blobstore.go).
    fn keep_what_can_not_be_asked_for(&mut self) {
        let linked: HashSet<Hash> = self.links.iter().map(|(_, hash)| *hash).collect();
        let unlinked = self.layers.iter_mut().filter(|(hash, l)| l.kept.is_none() && !linked.contains(*hash));
        unlinked.for_each(|(_, layer)| layer.kept = Some(Kept::Remembered));
    }
}

/// Stops what goes on on other threads, however the call ends.
struct Stopper(Arc<AtomicBool>);

impl Drop for Stopper {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl StorageCollector {
    /// Nothing is looked at yet.
    pub fn new(client: Arc<RegistryClient>, config: StorageConfig) -> Self {
        Self { client, config }
    }

    /// Whether the registry says that a repository has a layer.
    async fn has(&self, repository: &str, hash: &Hash) -> PortResult<bool> {
        let what = format!("look for sha256:{} in {repository}", hex(hash));
        let path = format!("/v2/{}/blobs/sha256:{}", super::named(repository)?, hex(hash));
        let scope = account::pull(repository);
        let fetch = &self.client.fetch;
        let answer = fetch.send(&fetch.ask(&what, Method::HEAD, &path, &scope)?).await?;
        match answer.status().as_u16() {
            200..=299 => Ok(true),
            404 => Ok(false),
            _ => Err(unexpected(&what, answer.status(), &[], false)),
        }
    }

    /// Whether the registry sees what is put into the files, as it has to, and whether it
    /// still says that it has what was taken out of them again.
    async fn remembers(&self, run: &Arc<Run>, repository: &str) -> PortResult<bool> {
        let name = repository.to_owned();
        let hash = on_disk(run, move |run| aside::put_probe(&run.layout, &name)).await?;
        let first = self.has(repository, &hash).await;
        on_disk(run, move |run| aside::take_probe(&run.layout, &hash)).await?;
        let second = self.has(repository, &hash).await;
        let name = repository.to_owned();
        on_disk(run, move |run| aside::delete(&run.layout, &hash, &[&name], aside::never())).await?;
        if !first? {
            let why = "the registry does not see what is put there: the files are another's";
            return Err(PortError::refused(System::Registry, format!("{}: {why}", self.config.root.display())));
        }
        second
    }

    /// Which of those that are aside the registry still says it has. One that does not
    /// remember is asked of some, because several may answer at one address, and of all if it
    /// says yes to any.
    async fn remembered(&self, run: &Run, found: &Found, remembers: bool) -> PortResult<Vec<Hash>> {
        let each = if remembers { 1 } else { found.links.len().div_ceil(SOME).max(1) };
        let some = self.asked(run, found, each).await?;
        if some.is_empty() || each == 1 { Ok(some) } else { self.asked(run, found, 1).await }
    }

    /// The same of each so-manieth link.
    async fn asked(&self, run: &Run, found: &Found, each: usize) -> PortResult<Vec<Hash>> {
        let all = found.links.len().div_ceil(each) as u64;
        let ask = |n: usize| async move {
            let (repository, hash) = found.links[n];
            Ok::<_, PortError>((hash, self.has(&found.repositories[repository], &hash).await?))
        };
        let mut asked = futures::stream::iter((0..found.links.len()).step_by(each)).map(ask).buffer_unordered(AT_ONCE);
        let (mut out, mut n) = (Vec::new(), 0);
        while let Some(answer) = asked.next().await {
            let (hash, has) = answer?;
            n += 1;
            run.step(CollectPhase::Check, n, all)?;
            if has {
                out.push(hash);
            }
        }
        Ok(out)
    }

    /// All of it. What is aside when it fails stays there.
    async fn steps(&self, run: &Arc<Run>) -> PortResult<Collected> {
        let mut found = on_disk(run, |run| run.find()).await?;
        if found.layers.values().all(|l| l.kept.is_some()) {
            return on_disk(run, move |run| run.delete(found, &[])).await;
        }
        let remembers = match found.probe {
            Some(n) => self.remembers(run, &found.repositories[n]).await?,
            // None that could be asked for.
            None => true,
        };
        if remembers {
            found.keep_what_can_not_be_asked_for();
        }
        let found = on_disk(run, move |run| run.put_aside(found)).await?;
        if found.layers.values().any(|l| l.kept.is_none()) {
            tokio::time::sleep(self.config.settle).await;
        }
        let found = on_disk(run, move |run| run.check(found)).await?;
        let remembered = self.remembered(run, &found, remembers).await?;
        on_disk(run, move |run| run.delete(found, &remembered)).await
    }

    /// Takes the files for this call.
    async fn open(&self) -> PortResult<(Layout, File, SystemTime)> {
        let root = self.config.root.clone();
        let opened = tokio::task::spawn_blocking(move || open(&root));
        opened.await.map_err(|e| PortError::transient(System::Registry, "open a registry's files", e))?
    }
}

/// A registry's files, the lock on them, and what time it is where they are kept.
fn open(root: &Path) -> PortResult<(Layout, File, SystemTime)> {
    let layout = Layout::open(root)?;
    let folder = layout.aside();
    std::fs::create_dir_all(&folder).map_err(|e| disk("make", &folder, e))?;
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|e| disk("write", &path, e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(PortError::transient(System::Registry, "collect", "another collection goes on there"));
        }
        Err(TryLockError::Error(e)) => return Err(disk("lock", &path, e)),
    }
    file.set_len(0).and_then(|()| (&file).write_all(b"padis\n")).map_err(|e| disk("write", &path, e))?;
    let now = file.metadata().and_then(|m| m.modified()).map_err(|e| disk("look at", &path, e))?;
    Ok((layout, file, now))
}

/// Something on a thread that may block. The run, and with it the lock, lives until it has ended.
async fn on_disk<T: Send + 'static>(
    run: &Arc<Run>,
    work: impl FnOnce(&Run) -> PortResult<T> + Send + 'static,
) -> PortResult<T> {
    let run = Arc::clone(run);
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&run);
        // Nobody waits for it any more, who could put things back.
        if run.stop.load(Ordering::Relaxed)
            && let Err(e) = aside::all_back(&run.layout)
        {
            tracing::warn!(cause = %e.chain(), "what was aside is put back later");
        }
        done
    });
    done.await.map_err(|e| PortError::transient(System::Registry, "collect", e))?
}

#[async_trait]
impl Collector for StorageCollector {
    async fn collect(&self, tell: TellCollect) -> PortResult<Collected> {
        let (layout, lock, now) = self.open().await?;
        let young = now.checked_sub(self.config.young).unwrap_or(SystemTime::UNIX_EPOCH);
        let stop = Arc::new(AtomicBool::new(false));
        let _stopper = Stopper(Arc::clone(&stop));
        let run = Arc::new(Run { layout, stop, tell, at: Mutex::default(), young, _lock: lock });
        on_disk(&run, |run| aside::all_back(&run.layout)).await?;
        let done = self.steps(&run).await;
        if done.is_err() {
            on_disk(&run, |run| aside::all_back(&run.layout)).await?;
        }
        done
    }

    async fn put_back(&self) -> PortResult<u64> {
        let (layout, lock, _) = self.open().await?;
        let back = tokio::task::spawn_blocking(move || {
            let _held = lock;
            aside::all_back(&layout)
        });
        back.await.map_err(|e| PortError::transient(System::Registry, "put layers back", e))?
    }
}

impl Run {
    /// Whether to go on.
    fn stopped(&self) -> PortResult<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(PortError::transient(System::Registry, "collect", "it was stopped"));
        }
        Ok(())
    }

    fn told(&self, change: impl FnOnce(&mut CollectProgress)) -> PortResult<()> {
        let now = {
            let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut at);
            *at
        };
        (self.tell)(now);
        self.stopped()
    }

    fn step(&self, phase: CollectPhase, n: u64, all: u64) -> PortResult<()> {
        self.told(|at| (at.phase, at.layers) = (phase, (n, all)))
    }

    /// Every manifest of a repository: kind of its digest, and that.
    fn revisions(&self, repository: &str) -> PortResult<Vec<(String, String)>> {
        let mut out = Vec::new();
        for (kind, all) in self.layout.links(repository, "_manifests/revisions")? {
            for (name, _) in all {
                self.stopped()?;
                // A manifest that was deleted leaves its folder without the link.
                let link = self.layout.repository(repository).join("_manifests/revisions").join(&kind).join(&name);
                let folder = layout::at(&link)?;
                if folder.is_some_and(|f| f.is_symlink()) || layout::at(&link.join("link"))?.is_some() {
                    out.push((kind.clone(), name));
                }
            }
        }
        Ok(out)
    }

    /// What nothing names.
    fn find(&self) -> PortResult<Found> {
        let (repositories, uploads) = self.layout.repositories(&|| self.stopped())?;
        let (mut marks, mut all) = (Marks::default(), 0_u64);
        for repository in &repositories {
            all += self.revisions(repository)?.len() as u64;
            self.told(|at| at.manifests = (0, all))?;
        }
        let mut n = 0_u64;
        for repository in &repositories {
            for (kind, hex) in self.revisions(repository)? {
                marks.read(&self.layout, repository, &kind, &hex);
                n += 1;
                self.told(|at| at.manifests = (n, all.max(n)))?;
            }
        }
        let step = |phase, n, all| self.step(phase, n, all);
        let (mut layers, count, foreign) = aside::find(&self.layout, &marks, self.young, &step)?;
        let stop = || self.stopped();
        let links = aside::links(&self.layout, &repositories, &marks, self.young, &mut layers, &stop)?;
        let done = Collected { manifests: n, layers: count, foreign, uploads, ..Collected::default() };
        let has_layers = |name: &String| layout::at(&self.layout.repository(name).join("_layers/sha256"));
        let mut probe = links.first().map(|(n, _)| *n);
        for (n, name) in repositories.iter().enumerate() {
            if probe.is_none() && has_layers(name)?.is_some_and(|found| found.is_dir()) {
                probe = Some(n);
            }
        }
        Ok(Found { marks, layers, repositories, links, probe, done })
    }

    fn put_aside(&self, mut found: Found) -> PortResult<Found> {
        aside::put_aside(&self.layout, &mut found.layers, &|phase, n, all| self.step(phase, n, all))?;
        Ok(found)
    }

    /// Looks once more, and puts back what something needs by now.
    fn check(&self, mut found: Found) -> PortResult<Found> {
        self.step(CollectPhase::Check, 0, 0)?;
        // Of all repositories, also those that are new.
        let (repositories, _) = self.layout.repositories(&|| self.stopped())?;
        let before = found.marks.named.len();
        for repository in &repositories {
            for (kind, hex) in self.revisions(repository)? {
                if !found.marks.knows(&kind, &hex) {
                    found.marks.read(&self.layout, repository, &kind, &hex);
                }
            }
        }
        if found.marks.named.len() > before {
            for (hash, layer) in &mut found.layers {
                if layer.kept.is_none() && found.marks.named.contains(hash) {
                    layer.kept = Some(Kept::Named);
                    aside::back(&self.layout, hash)?;
                }
            }
        }
        let stop = || self.stopped();
        let free =
            |layers: &Layers| layers.iter().filter(|(_, l)| l.kept.is_none()).map(|(h, _)| *h).collect::<Vec<_>>();
        let were = free(&found.layers);
        found.links = aside::links(&self.layout, &repositories, &found.marks, self.young, &mut found.layers, &stop)?;
        found.repositories = repositories;
        for hash in were.iter().filter(|hash| found.layers.get(*hash).is_some_and(|l| l.kept.is_some())) {
            aside::back(&self.layout, hash)?;
        }
        Ok(found)
    }

    fn delete(&self, mut found: Found, remembered: &[Hash]) -> PortResult<Collected> {
        for hash in remembered {
            if let Some(layer) = found.layers.get_mut(hash).filter(|l| l.kept.is_none()) {
                // Where the same bytes have come again it rightly says yes.
                let again = aside::back(&self.layout, hash)?;
                layer.kept = Some(if again { Kept::Named } else { Kept::Remembered });
            }
        }
        let mut linked: HashMap<Hash, Vec<&str>> = HashMap::new();
        for (n, hash) in &found.links {
            linked.entry(*hash).or_default().push(&found.repositories[*n]);
        }
        let mut done = found.done;
        let all = found.layers.values().filter(|l| l.kept.is_none()).count() as u64;
        for (hash, layer) in &found.layers {
            match layer.kept {
                Some(Kept::Young) => done.young += 1,
                Some(Kept::Named) => done.named += 1,
                Some(Kept::Remembered) => done.remembered += 1,
                Some(Kept::Unclear) => done.unclear += 1,
                None => {
                    aside::delete(&self.layout, hash, linked.get(hash).map_or(&[], Vec::as_slice), self.young)?;
                    done.removed += 1;
                    done.freed += layer.bytes;
                    let (n, freed) = (done.removed, done.freed);
                    self.told(|at| (at.phase, at.layers, at.freed) = (CollectPhase::Delete, (n, all), freed))?;
                }
            }
        }
        done.unreadable = found.marks.unreadable;
        for (shelf, kind) in layout::entries(&self.layout.aside())? {
            if kind.is_dir() {
                aside::take_empty(&self.layout.aside().join(shelf));
            }
        }
        Ok(done)
    }
}
