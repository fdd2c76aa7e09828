//! From the network to the disk, hashed on the way.
//!
//! Four things run side by side: the network on the async side; SHA-256, the look into
//! the archive and writing on a thread each, with a few pieces between them, so that
//! the slowest alone (SHA-256) sets the pace and memory does not grow. One could get it wrong at a
//! failure: the hash may then be ahead of the file, so it is thrown away and
//! made again from the file, whose length alone says how far we are.

use super::inspect::{Ahead, Limits, Notes};
use super::sink::Sink;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Pieces under way between network and disk; hyper's pieces are at most about 400 KiB.
const PIECES: usize = 12;
/// Small pieces are collected to this many bytes before they are hashed and written.
const PIECE: usize = 256 << 10;
/// Nothing came for this long: the connection counts as broken.
const SILENCE: Duration = Duration::from_secs(60);
/// After a refusal we listen on for so long, throwing away: a connection that is
/// closed while the browser still sends loses the answer.
const LISTEN_ON: Duration = Duration::from_secs(10);
/// The disk's room is looked at after so many bytes.
const LOOK_EVERY: u64 = 64 << 20;

/// The disk is told to begin after so many bytes.
const FLUSH_EVERY: u64 = 32 << 20;

/// How a pouring ended.
#[derive(Debug)]
pub enum End {
    /// The body ended.
    Complete,
    /// The connection broke, or somebody else takes over.
    Broken(String),
    /// More came than was announced.
    TooMuch,
    /// The disk refused.
    Disk(io::Error),
}

/// What there is after a pouring.
#[derive(Debug)]
pub struct Poured {
    /// Bytes hashed; as many were written, unless the disk failed or the mouth was lost between the two.
    pub bytes: u64,
    /// The sum of everything so far, unless the disk failed.
    pub sum: Option<Sum>,
    /// How it ended.
    pub end: End,
}

/// Where pieces go in: held by whoever reads the network. Dropped, nothing more comes.
pub struct Mouth {
    to_disk: mpsc::Sender<Bytes>,
    to_hash: mpsc::Sender<Bytes>,
    to_look: mpsc::Sender<Bytes>,
}

/// Where they arrive.
pub struct Bottom {
    disk: JoinHandle<io::Result<()>>,
    hashing: JoinHandle<(Sha256, u64)>,
    looking: JoinHandle<Ahead>,
}

/// Writes to the end of the file at `path` what goes into the mouth, going on with `sum`;
/// it will have `length` bytes, if that is known.
pub fn open(path: &Path, length: Option<u64>, sum: Sum) -> io::Result<(Mouth, Bottom)> {
    let sink = Sink::at_end(path, length)?;
    let (to_disk, disk_rx) = mpsc::channel::<Bytes>(PIECES);
    let (to_hash, hash_rx) = mpsc::channel::<Bytes>(PIECES);
    let (to_look, look_rx) = mpsc::channel::<Bytes>(PIECES);
    let Sum { hash, ahead } = sum;
    let disk = tokio::task::spawn_blocking(move || write(sink, disk_rx));
    let hashing = tokio::task::spawn_blocking(move || digest(hash, hash_rx));
    let looking = tokio::task::spawn_blocking(move || look_ahead(ahead, look_rx));
    Ok((Mouth { to_disk, to_hash, to_look }, Bottom { disk, hashing, looking }))
}

impl Mouth {
    /// Pours `body` in, at most `room` bytes. `look` says whether the disk still has room.
    ///
    /// To be awaited where the connection is served: a body that is read by another
    /// task is handed over piece by piece, and two cores then wake each other all the time.
    pub async fn pour<S, E>(
        self,
        room: u64,
        mut body: S,
        stop: &CancellationToken,
        look: impl Fn() -> io::Result<()>,
    ) -> End
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        let (mut bytes, mut since_look) = (0u64, 0u64);
        let mut small: Vec<u8> = Vec::new();
        let end = loop {
            let next = tokio::select! {
                () = stop.cancelled() => break End::Broken("taken over".to_owned()),
                n = tokio::time::timeout(SILENCE, body.next()) => n,
            };
            let piece = match next {
                Err(_) => break End::Broken("silence".to_owned()),
                Ok(Some(Err(e))) => break End::Broken(e.to_string()),
                Ok(None) => break End::Complete,
                Ok(Some(Ok(piece))) => piece,
            };
            if bytes + piece.len() as u64 > room {
                break End::TooMuch;
            }
            bytes += piece.len() as u64;
            since_look += piece.len() as u64;
            if since_look >= LOOK_EVERY {
                since_look = 0;
                if let Err(e) = look() {
                    break End::Disk(e);
                }
            }
            let piece = if piece.len() >= PIECE / 2 && small.is_empty() {
                piece
            } else {
                small.extend_from_slice(&piece);
                if small.len() < PIECE {
                    continue;
                }
                Bytes::from(std::mem::take(&mut small))
            };
            // The other side has ended, whose own words will replace this end.
            if self.send(piece).await.is_err() {
                break End::Disk(io::ErrorKind::BrokenPipe.into());
            }
        };
        if !small.is_empty() {
            let _ = self.send(Bytes::from(small)).await;
        }
        drop(self);
        if !matches!(end, End::Complete | End::Broken(_)) {
            let _ = tokio::time::timeout(LISTEN_ON, async { while let Some(Ok(_)) = body.next().await {} }).await;
        }
        end
    }

    async fn send(&self, piece: Bytes) -> Result<(), mpsc::error::SendError<Bytes>> {
        self.to_hash.send(piece.clone()).await?;
        self.to_look.send(piece.clone()).await?;
        self.to_disk.send(piece).await
    }
}

impl Bottom {
    /// What there is once nothing more comes; `end` is the mouth's.
    pub async fn settle(self, mut end: End) -> Poured {
        let written = self.disk.await.unwrap_or_else(|e| Err(io::Error::other(e)));
        let (hash, ahead) = (self.hashing.await.ok(), self.looking.await.ok());
        if let Err(e) = written {
            end = End::Disk(e);
        }
        let bytes = hash.as_ref().map_or(0, |(_, bytes)| *bytes);
        let sum = hash.zip(ahead).map(|((hash, _), ahead)| Sum { hash, ahead });
        let sum = sum.filter(|_| !matches!(end, End::Disk(_)));
        Poured { bytes, sum, end }
    }
}

/// Writes, and has the disk begin with what lies in the cache while more comes in: the
/// kernel by itself would wait for a tenth of the memory, and the whole file would
/// have to be waited for at its end. A failed flush is told once only, so its error
/// is this one's.
fn write(mut sink: Sink, mut pieces: mpsc::Receiver<Bytes>) -> io::Result<()> {
    let flushed = sink.file()?;
    let (flush, due) = std::sync::mpsc::sync_channel(1);
    std::thread::scope(|s| {
        let flushing = s.spawn(move || due.iter().try_for_each(|()| flushed.sync_data()));
        let written = (|| {
            let mut since = 0;
            while let Some(piece) = pieces.blocking_recv() {
                since += sink.write(&piece)?;
                // Full: it flushes already, and is told again with the next piece.
                if since >= FLUSH_EVERY && flush.try_send(()).is_ok() {
                    since = 0;
                }
            }
            sink.finish()
        })();
        drop(flush);
        let flushed = flushing.join().unwrap_or_else(|_| Err(io::Error::other("the flush ended in panic")));
        written.and(flushed)
    })
}

fn digest(mut hash: Sha256, mut pieces: mpsc::Receiver<Bytes>) -> (Sha256, u64) {
    let mut bytes = 0;
    while let Some(piece) = pieces.blocking_recv() {
        hash.update(&piece);
        bytes += piece.len() as u64;
    }
    (hash, bytes)
}

fn look_ahead(mut ahead: Ahead, mut pieces: mpsc::Receiver<Bytes>) -> Ahead {
    while let Some(piece) = pieces.blocking_recv() {
        ahead.feed(&piece);
    }
    ahead
}

/// What is known of an upload's bytes so far: their hash, and which entries of the
/// archive were read through.
#[derive(Debug)]
pub struct Sum {
    hash: Sha256,
    ahead: Ahead,
}

impl Sum {
    /// Of nothing.
    pub fn new(limits: Limits) -> Self {
        Self { hash: Sha256::new(), ahead: Ahead::new(limits) }
    }

    /// With more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.ahead.feed(bytes);
    }

    /// The hash in lower-case hex, and the notes.
    pub fn finish(self) -> (String, Notes) {
        (self.hash.finalize().iter().map(|b| format!("{b:02x}")).collect(), self.ahead.notes())
    }
}

/// The sum of a file's first `len` bytes. Blocks.
pub fn digest_file(file: &File, len: u64, limits: Limits) -> io::Result<Sum> {
    use std::os::unix::fs::FileExt;
    let mut sum = Sum::new(limits);
    let mut buf = vec![0; 1 << 20];
    let mut at = 0;
    while at < len {
        let n = buf.len().min(usize::try_from(len - at).unwrap_or(usize::MAX));
        file.read_exact_at(&mut buf[..n], at)?;
        sum.update(&buf[..n]);
        at += n as u64;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { unpacked_bytes: 1 << 20, entries: 9 };

    async fn pour(path: &Path, room: u64, pieces: &[&'static [u8]]) -> Poured {
        let (mouth, bottom) = open(path, None, Sum::new(LIMITS)).expect("a file");
        let end = mouth.pour(room, body(pieces), &CancellationToken::new(), || Ok(())).await;
        bottom.settle(end).await
    }

    fn body(pieces: &[&'static [u8]]) -> impl Stream<Item = Result<Bytes, io::Error>> + Unpin + use<> {
        futures::stream::iter(pieces.iter().map(|p| Ok(Bytes::from_static(p))).collect::<Vec<_>>())
    }

    #[tokio::test]
    async fn everything_arrives_and_the_hash_is_right() {
        let f = tempfile::NamedTempFile::new().expect("file");
        let p = pour(f.path(), 100, &[b"ab", b"c"]).await;
        assert!(matches!(p.end, End::Complete) && p.bytes == 3);
        assert_eq!(std::fs::read(f.path()).expect("read"), b"abc");
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(p.sum.expect("sum").finish().0, abc);
        assert_eq!(digest_file(f.as_file(), 3, LIMITS).expect("sum").finish().0, abc);
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_the_hash_is_not_believed() {
        let p = pour(Path::new("/dev/full"), 100, &[b"abc"]).await;
        assert!(p.sum.is_none());
        assert!(matches!(p.end, End::Disk(e) if super::super::disk::is_full(&e)));
    }

    #[tokio::test]
    async fn more_than_announced_is_not_written() {
        let f = tempfile::NamedTempFile::new().expect("file");
        let p = pour(f.path(), 4, &[b"abc", b"de"]).await;
        assert!(matches!(p.end, End::TooMuch));
        assert_eq!(std::fs::read(f.path()).expect("read"), b"abc");
    }

    #[tokio::test]
    async fn a_mouth_that_is_lost_keeps_what_came() {
        let f = tempfile::NamedTempFile::new().expect("file");
        let (mouth, bottom) = open(f.path(), None, Sum::new(LIMITS)).expect("a file");
        mouth.send(Bytes::from_static(b"abc")).await.expect("sent");
        drop(mouth);
        let p = bottom.settle(End::Broken("the caller went away".to_owned())).await;
        assert_eq!((std::fs::read(f.path()).expect("read").as_slice(), p.bytes), (&b"abc"[..], 3));
    }
}
