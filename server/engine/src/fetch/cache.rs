//! Files that several tasks fetch: `cache: true`.
//!
//! As Mesos' fetcher cache: the key is the URI, what is there is not asked for again,
//! and when the cache is full what was not used for longest goes (Mesos'
//! `--fetcher_cache_size`, 2 GB). One could get it wrong by handing out names: a file
//! may be evicted between its being found and its being read. It is handed out open,
//! and an open file stays whole whatever becomes of its name.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

pub(super) struct Cache {
    dir: PathBuf,
    /// Bytes of all files together.
    limit: u64,
    gates: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Cache {
    pub fn new(dir: PathBuf, limit: u64) -> Self {
        Self { dir, limit, gates: Mutex::new(HashMap::new()) }
    }

    /// The file of a URI; `load` brings it to the path it is given, once for all who ask
    /// at the same time.
    pub async fn file<E: From<std::io::Error>>(
        &self,
        uri: &str,
        load: impl AsyncFnOnce(&Path) -> std::result::Result<(), E>,
    ) -> std::result::Result<File, E> {
        let key: String = Sha256::digest(uri).iter().map(|b| format!("{b:02x}")).collect();
        let gate = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(gates.entry(key.clone()).or_default())
        };
        let result = {
            let _only = gate.lock().await;
            match self.open(&key) {
                Ok(file) => Ok(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.fill(&key, load).await,
                Err(error) => Err(error.into()),
            }
        };
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.get(&key).is_some_and(|g| Arc::strong_count(g) <= 2) {
            gates.remove(&key);
        }
        result
    }

    fn open(&self, key: &str) -> Result<File> {
        let file = File::open(self.dir.join(key))?;
        file.set_modified(SystemTime::now())?;
        Ok(file)
    }

    async fn fill<E: From<std::io::Error>>(
        &self,
        key: &str,
        load: impl AsyncFnOnce(&Path) -> std::result::Result<(), E>,
    ) -> std::result::Result<File, E> {
        std::fs::create_dir_all(&self.dir)?;
        let fresh = self.dir.join(format!("{key}.new"));
        if let Err(error) = load(&fresh).await {
            // What came so far is of no use to anybody.
            let _gone = std::fs::remove_file(&fresh);
            return Err(error);
        }
        let file = File::open(&fresh)?;
        std::fs::rename(&fresh, self.dir.join(key))?;
        self.evict(key)?;
        Ok(file)
    }

    /// Makes room; the newest file goes last, even if it alone is too much.
    fn evict(&self, newest: &str) -> Result<()> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Somebody else's download, or gone since.
            if name.ends_with(".new") {
                continue;
            }
            let Ok(meta) = entry.metadata() else { continue };
            files.push((name == newest, meta.modified()?, meta.len(), entry.path()));
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(_, _, size, _)| size).sum();
        for (_, _, size, path) in files {
            if total <= self.limit {
                break;
            }
            super::place::clear(&path)?;
            total -= size;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::time::Duration;

    async fn get(cache: &Cache, uri: &str, contents: &str, loads: &mut u32) -> String {
        let load = async |path: &Path| {
            *loads += 1;
            std::fs::write(path, contents)
        };
        let mut text = String::new();
        cache.file::<std::io::Error>(uri, load).await.unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[tokio::test]
    async fn what_is_there_is_not_loaded_again_until_it_is_evicted() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().join("cache"), 10);
        let mut loads = 0;
        assert_eq!(get(&cache, "http://x/a", "aaaa", &mut loads).await, "aaaa");
        assert_eq!(get(&cache, "http://x/a", "other", &mut loads).await, "aaaa");
        assert_eq!(get(&cache, "http://x/b", "bbbb", &mut loads).await, "bbbb");
        assert_eq!(loads, 2);
        // `b` was used longer ago than `a`, whatever the clock's resolution.
        let old = SystemTime::now() - Duration::from_secs(60);
        for entry in std::fs::read_dir(dir.path().join("cache")).unwrap() {
            let path = entry.unwrap().path();
            if std::fs::read(&path).unwrap() == b"bbbb" {
                File::open(path).unwrap().set_modified(old).unwrap();
            }
        }
        assert_eq!(get(&cache, "http://x/c", "cccc", &mut loads).await, "cccc");
        assert_eq!(get(&cache, "http://x/a", "other", &mut loads).await, "aaaa");
        assert_eq!(loads, 3);
        assert_eq!(get(&cache, "http://x/b", "again", &mut loads).await, "again", "`b` had to go");
        assert_eq!(get(&cache, "http://x/d", "more than there is room", &mut loads).await, "more than there is room");
        let left = std::fs::read_dir(dir.path().join("cache")).unwrap().count();
        assert_eq!(left, 0, "a file larger than the cache is handed out and not kept");
    }

    #[tokio::test]
    async fn a_load_that_fails_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::new(dir.path().to_owned(), 10);
        let load = async |path: &Path| {
            std::fs::write(path, "half")?;
            Err(std::io::Error::other("broken off"))
        };
        assert!(cache.file::<std::io::Error>("http://x/a", load).await.is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
