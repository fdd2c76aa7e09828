//! One blob of an archive, made ready: its digest compared, packed if it is not.
//!
//! What is packed lies in a file beside the archive's until it is sent, because an upload that
//! broke goes on in its middle. One could get it wrong by sending first and comparing then, or
//! by unpacking a layer without a limit to see its digest.

use super::Stop;
use super::index::{Part, short};
use super::plan::{Blob, How};
use crate::packages::disk;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use padis_domain::ports::{BlobSource, PortError, PortResult};
use padis_domain::problem::System;
use padis_domain::view::ArchiveFault;
use sha2::{Digest, Sha256, Sha512};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;
/// Bytes that a layer holds at most.
const MAX_UNPACKED: u64 = 64 << 30;
/// The disk's room is looked at after so many bytes.
const LOOK_EVERY: u64 = 64 << 20;

/// How far it is, and whether it is to end.
#[derive(Debug, Default)]
pub struct Far {
    /// Bytes of the archive that are dealt with.
    pub at: AtomicU64,
    stop: AtomicBool,
}

impl Far {
    /// Ends what runs on a thread.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

enum Sum {
    Short(Sha256),
    Long(Sha512),
}

impl Sum {
    fn like(digest: &str) -> Self {
        if digest.starts_with("sha512:") { Self::Long(Sha512::new()) } else { Self::Short(Sha256::new()) }
    }
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Short(h) => h.update(bytes),
            Self::Long(h) => h.update(bytes),
        }
    }
    fn digest(self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        match self {
            Self::Short(h) => format!("sha256:{}", hex(&h.finalize())),
            Self::Long(h) => format!("sha512:{}", hex(&h.finalize())),
        }
    }
}

/// `sha256:…` of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut sum = Sum::like("");
    sum.update(bytes);
    sum.digest()
}

/// Whether some bytes are those of a digest.
pub(super) fn is(bytes: &[u8], digest: &str) -> bool {
    let mut sum = Sum::like(digest);
    sum.update(bytes);
    sum.digest() == digest
}

/// A blob that can be sent. The file that it needs goes with it.
pub(super) struct Ready {
    pub digest: String,
    pub bytes: u64,
    pub source: Arc<dyn BlobSource>,
    _scratch: Scratch,
}

struct Scratch(Option<PathBuf>);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is cleared at the next start.
        let _gone = self.0.take().map(std::fs::remove_file);
    }
}

/// The bytes of a part of the archive, from a thread.
struct Bytes<'a> {
    file: &'a File,
    part: Part,
    at: u64,
    far: &'a Far,
    base: u64,
}

impl Read for Bytes<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.far.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped"));
        }
        let most = usize::try_from(self.part.bytes - self.at).unwrap_or(usize::MAX).min(into.len());
        if most == 0 {
            return Ok(0);
        }
        let n = self.file.read_at(&mut into[..most], self.part.at + self.at)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += n as u64;
        // Half of the way; the other half is sending it.
        self.far.at.store(self.base + self.at / 2, Ordering::Relaxed);
        Ok(n)
    }
}

/// Counts and sums up what passes.
struct Summed<T> {
    inner: T,
    sum: Sum,
    bytes: u64,
}

impl<T> Summed<T> {
    fn new(inner: T) -> Self {
        Self { inner, sum: Sum::like(""), bytes: 0 }
    }
    fn pass(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.pass(&bytes[..n]);
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.pass(&into[..n]);
        Ok(n)
    }
}

/// Makes a blob ready, on a thread of its own. `base`: bytes of the archive that were dealt
/// with before.
pub(super) fn ready(
    file: &Arc<File>,
    blob: &Blob,
    scratch: &Path,
    keep_free: u64,
    (far, base): (&Far, u64),
) -> Result<Ready, Stop> {
    let differs = || Stop::from(ArchiveFault::Differs { name: short(&blob.name) });
    let mut bytes = Bytes { file, part: blob.part, at: 0, far, base };
    let here = |digest: String| Ready {
        digest,
        bytes: blob.part.bytes,
        source: Arc::new(FilePart { file: Arc::clone(file), part: blob.part }),
        _scratch: Scratch(None),
    };
    let mut head = [0; 2];
    let packed = blob.part.bytes >= 2 && file.read_exact_at(&mut head, blob.part.at).is_ok() && head == [0x1f, 0x8b];
    let mut sum = Sum::like(&blob.digest);
    match blob.how {
        How::Kept => {
            each(&mut bytes, |piece| {
                sum.update(piece);
                Ok(())
            })?;
            if sum.digest() == blob.digest { Ok(here(blob.digest.clone())) } else { Err(differs()) }
        }
        How::Either if packed => {
            let mut outside = Summed::new(bytes);
            let mut unpacked = 0;
            {
                let mut inside = MultiGzDecoder::new(&mut outside);
                let mut piece = vec![0; PIECE];
                loop {
                    let n = match inside.read(&mut piece) {
                        Ok(n) => n,
                        Err(e) if e.raw_os_error().is_some() || far.stop.load(Ordering::Relaxed) => {
                            return Err(e.into());
                        }
                        Err(_) => return Err(ArchiveFault::Broken { name: short(&blob.name) }.into()),
                    };
                    if n == 0 {
                        break;
                    }
                    unpacked += n as u64;
                    if unpacked > MAX_UNPACKED {
                        return Err(ArchiveFault::Bomb { name: short(&blob.name) }.into());
                    }
                    sum.update(&piece[..n]);
                }
            }
            // What stands behind the packed bytes is part of the blob, too.
            io::copy(&mut outside, &mut io::sink())?;
            if sum.digest() == blob.digest { Ok(here(outside.sum.digest())) } else { Err(differs()) }
        }
        How::Packed | How::Either => {
            let made =
                OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(scratch)?;
            let guard = Scratch(Some(scratch.to_owned()));
            let mut packer = GzEncoder::new(Summed::new(&made), Compression::default());
            let mut looked = 0;
            each(&mut bytes, |piece| {
                sum.update(piece);
                packer.write_all(piece)?;
                if packer.get_ref().bytes - looked >= LOOK_EVERY {
                    looked = packer.get_ref().bytes;
                    disk::left(scratch.parent().unwrap_or(scratch), keep_free)?;
                }
                Ok(())
            })?;
            let Summed { sum: outside, bytes, .. } = packer.finish()?;
            if sum.digest() != blob.digest {
                return Err(differs());
            }
            let part = Part { at: 0, bytes };
            let source = Arc::new(FilePart { file: Arc::new(made), part });
            Ok(Ready { digest: outside.digest(), bytes, source, _scratch: guard })
        }
    }
}

fn each(from: &mut impl Read, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(()),
            n => take(&piece[..n])?,
        }
    }
}

/// A part of a file, to be sent.
struct FilePart {
    file: Arc<File>,
    part: Part,
}

impl BlobSource for FilePart {
    fn read(&self, at: u64) -> BoxStream<'static, PortResult<Vec<u8>>> {
        let (file, part) = (Arc::clone(&self.file), self.part);
        stream::try_unfold(at, move |at| {
            let file = Arc::clone(&file);
            async move {
                let most = usize::try_from(part.bytes.saturating_sub(at)).unwrap_or(usize::MAX).min(PIECE);
                if most == 0 {
                    return Ok(None);
                }
                let read = move || {
                    let mut piece = vec![0; most];
                    file.read_exact_at(&mut piece, part.at + at).map(|()| piece)
                };
                let read = tokio::task::spawn_blocking(read).await.map_err(io::Error::other).flatten();
                let piece = read.map_err(|e| PortError::transient(System::Disk, "read a file that was brought", e))?;
                let next = at + piece.len() as u64;
                Ok(Some((piece, next)))
            }
        })
        .boxed()
    }
}
