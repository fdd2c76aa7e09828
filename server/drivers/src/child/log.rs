//! The child's log: appended, moved to `NAME.1` at a size, so that two files of
//! that size are the most it ever takes. The last lines are also kept in memory,
//! because "exit status 1" alone helps nobody.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt};

const WORDS: usize = 600;

struct Inner {
    path: PathBuf,
    most: u64,
    file: File,
    length: u64,
    last: VecDeque<u8>,
}

/// A shared, rotating log.
#[derive(Clone)]
pub struct Log(Arc<Mutex<Inner>>);

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Log {
    /// Opens or continues the file.
    pub fn open(path: &Path, most: u64) -> io::Result<Self> {
        let file = open(path)?;
        let length = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(Inner { path: path.to_owned(), most, file, length, last: VecDeque::new() }))))
    }

    /// Forgets the last words, before a new start.
    pub fn new_start(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last.clear();
    }

    /// The last lines, in one line, at most 600 bytes.
    pub fn last_words(&self) -> String {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(inner.last.make_contiguous()).into_owned();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Copies everything from `pipe` until it ends. A full disk loses lines, never the child.
    pub async fn drain(self, mut pipe: impl AsyncRead + Unpin) {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = inner.write(&buffer[..n]) {
                tracing::warn!(log.path = %inner.path.display(), %error, "a child's output could not be written to its log");
            }
        }
    }
}

impl Inner {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.last.extend(&bytes[bytes.len().saturating_sub(WORDS)..]);
        let excess = self.last.len().saturating_sub(WORDS);
        self.last.drain(..excess);
        if self.length > 0 && self.length + bytes.len() as u64 > self.most {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            std::fs::rename(&self.path, old)?;
            self.file = open(&self.path)?;
            self.length = 0;
        }
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn never_takes_more_than_two_files_and_keeps_the_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let log = Log::open(&path, 1000).unwrap();
        for n in 0..100 {
            log.clone().drain(format!("line number {n:04}, forty characters long.\n").as_bytes()).await;
        }
        let sizes: Vec<u64> =
            std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).collect();
        assert_eq!(sizes.len(), 2);
        assert!(sizes.iter().all(|s| *s <= 1000), "{sizes:?}");
        assert!(std::fs::read_to_string(&path).unwrap().contains("line number 0099"));
        assert!(log.last_words().ends_with("line number 0099, forty characters long."));
        log.new_start();
        assert_eq!(log.last_words(), "");
    }
}
