//! The write-ahead log: intent is on the disk before anything is done about it.
//!
//! One file of JSON lines. Records are handed over in the order in which the
//! state changed (the caller holds the state's lock); a thread writes whatever has
//! gathered and calls `fdatasync` once. Who needs certainty waits for the sequence
//! number. Ways to get it wrong, and what is done about them: a torn last line
//! after a crash (ignored: nobody was told that it is safe), a torn line in the
//! middle after a full disk (the file is cut back before the next attempt), a log
//! that grows for ever (rewritten to a new file that replaces it by rename), two
//! engines on one folder (a lock that dies with its process).

use crate::config::EngineError;
use crate::record::Record;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use tokio::sync::watch;

/// The log is rewritten once it has grown beyond this many bytes since the last time,
/// and by no less than it had then: a picture of 100,000 tasks is 60 MB, and writing it
/// after each 8 MiB would be most of the work.
const COMPACT_BYTES: u64 = 8 * 1024 * 1024;
/// Pause before a failed write is tried again.
const RETRY: Duration = Duration::from_millis(250);

enum Order {
    Append { seq: u64, lines: Vec<u8> },
    Replace { seq: u64, lines: Vec<u8> },
}

/// The state could not be written in time; it is still tried.
#[derive(Debug, thiserror::Error)]
#[error("the engine's state could not be written to disk yet")]
pub(crate) struct NotDurable;

pub(crate) struct Store {
    orders: Sender<Order>,
    seq: AtomicU64,
    durable: watch::Receiver<u64>,
    grown: AtomicU64,
    /// Bytes of growth after which the log is rewritten.
    patience: AtomicU64,
    lock: File,
}

impl Store {
    /// Opens the folder, reads the records, starts the writer.
    pub fn open(dir: &Path) -> Result<(Self, Vec<Record>), EngineError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| EngineError::Data { path, source }
        };
        std::fs::create_dir_all(dir).map_err(failed(dir))?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(failed(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(EngineError::Locked(dir.to_owned())),
            Err(TryLockError::Error(source)) => return Err(EngineError::Data { path: lock_path, source }),
        }
        let path = dir.join("state.jsonl");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed(&path))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed(&path))?;
        let (records, good) = parse(&path, &text)?;
        if good < text.len() {
            tracing::warn!(file = %path.display(), bytes = text.len() - good, "engine: a torn last record was dropped");
            file.set_len(good as u64).map_err(failed(&path))?;
        }
        file.seek(SeekFrom::Start(good as u64)).map_err(failed(&path))?;
        sync_dir(dir).map_err(failed(dir))?;

        let (orders, inbox) = channel();
        let (done, durable) = watch::channel(0);
        let mut writer = Writer { dir: dir.to_owned(), path: path.clone(), file, length: good as u64, done };
        std::thread::Builder::new()
            .name(String::from("engine-store"))
            .spawn(move || writer.run(&inbox))
            .map_err(failed(&path))?;
        let store = Self {
            orders,
            seq: AtomicU64::new(0),
            durable,
            grown: AtomicU64::new(if good as u64 > COMPACT_BYTES { COMPACT_BYTES } else { 0 }),
            patience: AtomicU64::new(COMPACT_BYTES),
            lock,
        };
        Ok((store, records))
    }

    /// Lets another engine have the folder. Not left to the last owner's end: a connection
    /// that is being closed may be that, or a program that is being started meanwhile.
    pub fn release(&self) {
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "engine: the folder's lock could not be given back; it ends with the process");
        }
    }

    /// Hands records over; the answer is the sequence number to wait for.
    /// Must be called under the lock of the state that the records describe.
    pub fn append(&self, records: &[Record]) -> u64 {
        if records.is_empty() {
            return self.seq.load(Ordering::Acquire);
        }
        let lines = render(records);
        self.grown.fetch_add(lines.len() as u64, Ordering::Relaxed);
        let seq = self.seq.fetch_add(1, Ordering::AcqRel) + 1;
        self.send(Order::Append { seq, lines });
        seq
    }

    /// Whether the log has grown enough to be rewritten.
    pub fn wants_compaction(&self) -> bool {
        self.grown.load(Ordering::Relaxed) >= self.patience.load(Ordering::Relaxed)
    }

    /// Replaces the log by a complete picture. Same condition as for `append`.
    pub fn replace(&self, records: &[Record]) {
        let lines = render(records);
        self.grown.store(0, Ordering::Relaxed);
        self.patience.store(COMPACT_BYTES.max(lines.len() as u64), Ordering::Relaxed);
        let seq = self.seq.fetch_add(1, Ordering::AcqRel) + 1;
        self.send(Order::Replace { seq, lines });
    }

    fn send(&self, order: Order) {
        if self.orders.send(order).is_err() {
            tracing::error!("engine: the writer of the state is gone; nothing is kept any more");
        }
    }

    /// Waits until everything up to `seq` is on the disk.
    pub async fn durable(&self, seq: u64, deadline: Duration) -> Result<(), NotDurable> {
        let mut durable = self.durable.clone();
        match tokio::time::timeout(deadline, durable.wait_for(|done| *done >= seq)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NotDurable),
        }
    }

    /// Waits until everything handed over so far is on the disk.
    pub async fn flush(&self, deadline: Duration) -> Result<(), NotDurable> {
        self.durable(self.seq.load(Ordering::Acquire), deadline).await
    }
}

fn render(records: &[Record]) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        let start = out.len();
        if let Err(error) = serde_json::to_writer(&mut out, record) {
            out.truncate(start);
            tracing::error!(%error, "engine: a record can't be written as JSON");
            continue;
        }
        out.push(b'\n');
    }
    out
}

/// The records, and the length of the part that is whole.
fn parse(path: &Path, text: &[u8]) -> Result<(Vec<Record>, usize), EngineError> {
    let whole = text.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    let mut records = Vec::new();
    for (index, line) in text[..whole].split(|&b| b == b'\n').enumerate().filter(|(_, l)| !l.is_empty()) {
        let record = serde_json::from_slice(line).map_err(|source| EngineError::Corrupt {
            path: path.to_owned(),
            line: index + 1,
            source,
        })?;
        records.push(record);
    }
    Ok((records, whole))
}

fn sync_dir(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

struct Writer {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    length: u64,
    done: watch::Sender<u64>,
}

impl Writer {
    fn run(&mut self, inbox: &Receiver<Order>) {
        while let Ok(first) = inbox.recv() {
            let mut batch = vec![first];
            batch.extend(inbox.try_iter());
            let mut rest = batch.as_slice();
            while let Some((last, next)) = self.group(rest) {
                let mut told = false;
                while let Err(error) = self.write(&rest[..next]) {
                    if !std::mem::replace(&mut told, true) {
                        tracing::error!(file = %self.path.display(), %error, "engine: the state can't be written; trying on");
                    }
                    std::thread::sleep(RETRY);
                }
                self.done.send_replace(last);
                rest = &rest[next..];
            }
        }
    }

    /// The next orders that can be written together, and their last number.
    fn group(&self, orders: &[Order]) -> Option<(u64, usize)> {
        let first = orders.first()?;
        if let Order::Replace { seq, .. } = first {
            return Some((*seq, 1));
        }
        let mut last = 0;
        let mut count = 0;
        for order in orders {
            let Order::Append { seq, .. } = order else { break };
            last = *seq;
            count += 1;
        }
        Some((last, count))
    }

    fn write(&mut self, orders: &[Order]) -> std::io::Result<()> {
        if let [Order::Replace { lines, .. }] = orders {
            return self.replace(lines);
        }
        let mut bytes = Vec::new();
        for order in orders {
            if let Order::Append { lines, .. } = order {
                bytes.extend_from_slice(lines);
            }
        }
        let result = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        if result.is_err() {
            self.file.set_len(self.length)?;
            self.file.seek(SeekFrom::Start(self.length))?;
            return result;
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn replace(&mut self, lines: &[u8]) -> std::io::Result<()> {
        let fresh = self.dir.join("state.jsonl.new");
        let mut file = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(&fresh)?;
        file.write_all(lines)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &self.path)?;
        sync_dir(&self.dir)?;
        self.file = file;
        self.length = lines.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn a_torn_tail_is_dropped_and_the_rest_survives() {
        let dir = tempfile::tempdir().unwrap();
        let (store, none) = Store::open(dir.path()).unwrap();
        assert!(none.is_empty());
        let seq = store.append(&[Record::AppGone(String::from("/a")), Record::TaskGone(String::from("t"))]);
        store.durable(seq, DEADLINE).await.unwrap();
        drop(store);
        let path = dir.path().join("state.jsonl");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"AppGone\":\"/to").unwrap();
        let (store, records) = Store::open(dir.path()).unwrap();
        assert_eq!(records, vec![Record::AppGone(String::from("/a")), Record::TaskGone(String::from("t"))]);
        let seq = store.append(&[Record::AppGone(String::from("/b"))]);
        store.durable(seq, DEADLINE).await.unwrap();
        drop(store);
        assert_eq!(Store::open(dir.path()).unwrap().1.len(), 3);
    }

    #[tokio::test]
    async fn a_replaced_log_keeps_what_comes_after() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(dir.path()).unwrap();
        store.append(&[Record::AppGone(String::from("/old"))]);
        store.replace(&[Record::AppGone(String::from("/whole"))]);
        store.append(&[Record::AppGone(String::from("/after"))]);
        store.flush(DEADLINE).await.unwrap();
        drop(store);
        let (_, records) = Store::open(dir.path()).unwrap();
        assert_eq!(records, vec![Record::AppGone(String::from("/whole")), Record::AppGone(String::from("/after"))]);
    }

    #[tokio::test]
    async fn the_larger_the_log_the_rarer_it_is_rewritten() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(dir.path()).unwrap();
        let large = Record::AppGone("x".repeat(1 << 20));
        let until_it_wants = || {
            (1..100).find(|_| {
                store.append(std::slice::from_ref(&large));
                store.wants_compaction()
            })
        };
        assert_eq!(until_it_wants(), Some(8), "8 MiB at first");
        store.replace(&vec![large.clone(); 20]);
        assert_eq!(until_it_wants(), Some(20), "then by as much as there was");
        store.replace(std::slice::from_ref(&large));
        assert_eq!(until_it_wants(), Some(8), "and when it has become small, as at first");
        store.flush(DEADLINE).await.unwrap();
    }

    #[test]
    fn garbage_in_the_middle_is_an_error_that_names_the_line() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("state.jsonl"), "{\"AppGone\":\"/a\"}\nnonsense\n").unwrap();
        assert!(matches!(Store::open(dir.path()), Err(EngineError::Corrupt { line: 2, .. })));
    }

    #[test]
    fn two_engines_do_not_share_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let first = Store::open(dir.path()).unwrap();
        assert!(matches!(Store::open(dir.path()), Err(EngineError::Locked(_))));
        drop(first);
        assert!(Store::open(dir.path()).is_ok());
    }
}
