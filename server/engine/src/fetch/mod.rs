//! Fetching: the files that an app names are in its sandbox before it starts.
//!
//! What Mesos' fetcher does on an agent (`src/launcher/fetcher.cpp`), for the Docker
//! runtime; on a cluster the URIs go to that very fetcher. The folder is mounted into
//! the container where Mesos has it, [`SANDBOX`]. The rules are Mesos': one URI after
//! the other; a name is `destPath`, else what follows the last slash; an archive is
//! unpacked beside itself, a cached one without a copy of it; what is executable is
//! not unpacked. The first failure fails the task.
//!
//! One could get it wrong by writing into the folder that holds `stdout`: whoever runs
//! in the container may put a link in its place, and the engine would follow it. What
//! the container can write is a folder of its own.
//!
//! Neither Marathon nor Mesos has a place for a checksum. The fragment of the URI is
//! one: `…/app.tgz#sha256=<hex>`, as Python's package index writes it (PEP 503). No
//! server ever sees a fragment (RFC 3986, 3.5), so the same definition works anywhere.

mod archive;
mod budget;
mod cache;
mod place;

use budget::Budget;
use cache::Cache;
use futures::StreamExt;
use padis_protocol::app::{App, Artifact};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Where the folder is in the container, and what `MESOS_SANDBOX` says (Mesos' `--sandbox_directory`).
pub(crate) const SANDBOX: &str = "/mnt/mesos/sandbox";
/// A server may say nothing for so long (Mesos' `--fetcher_stall_timeout`).
const STALL: Duration = Duration::from_secs(60);

/// Why a task has not got what it wants.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the server answered {0}")]
    Status(u16),
    #[error("the server can't be asked")]
    Http(#[from] reqwest::Error),
    #[error("the server sent nothing for {} s", STALL.as_secs())]
    Stalled,
    #[error("it can't be read or written")]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Archive(#[from] archive::ArchiveError),
    #[error("its SHA-256 is {0}, another one is asked for")]
    Checksum(String),
    #[error("{0}")]
    Refused(String),
    #[error("the work was broken off")]
    Broken,
}

/// An error with its causes, in one line for the task's message.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}

/// Where a URI leads.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    Web(String),
    Local(PathBuf),
}

/// A URI in its parts.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    source: Source,
    /// What follows the last slash.
    name: String,
    sha256: Option<String>,
}

/// The parts of a URI, or why it is none that can be fetched here. Used by validation too.
fn parse(uri: &str) -> Result<Wanted, String> {
    let uri = uri.trim_start();
    // Mesos refuses these, because its fetcher once was a shell command.
    if uri.contains(['\\', '\'', '\0']) {
        return Err(String::from("must not contain a backslash, a quote or NUL"));
    }
    let (bare, sha256) = match uri.rsplit_once("#sha256=") {
        Some((bare, sum)) if sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit()) => {
            (bare, Some(sum.to_ascii_lowercase()))
        }
        Some(_) => return Err(String::from("'#sha256=' must be followed by 64 hexadecimal digits")),
        None => (uri, None),
    };
    let source = match bare.split_once("://") {
        Some(("http" | "https", _)) => Source::Web(bare.to_owned()),
        Some(("file", path)) => Source::Local(path.strip_prefix("localhost").unwrap_or(path).into()),
        Some((scheme, _)) => {
            return Err(format!("'{scheme}' is not fetched by the built-in engine: http, https and file are"));
        }
        None => Source::Local(bare.into()),
    };
    if matches!(&source, Source::Local(path) if !path.is_absolute()) {
        return Err(String::from("must be an absolute path or begin with http://, https:// or file://"));
    }
    let path = bare.split_once("://").map_or(bare, |(_, rest)| rest);
    let name = path.rsplit_once('/').map(|(_, name)| name).filter(|n| !matches!(*n, "" | "." | ".."));
    let name = name.ok_or("Malformed URI (missing path)")?.to_owned();
    Ok(Wanted { source, name, sha256 })
}

/// Whether a URI names a checksum, which Mesos' own fetcher would not check.
pub(crate) fn has_checksum(uri: &str) -> bool {
    uri.contains("#sha256=")
}

/// Whether an artifact can be fetched; the error is a sentence.
pub(crate) fn check(artifact: &Artifact) -> Result<(), String> {
    parse(&artifact.uri)?;
    match artifact.dest_path.as_deref() {
        Some(path) if path.starts_with('/') || path.split('/').any(|p| p == "..") || path.ends_with('/') => {
            Err(String::from("destPath must be a path below the sandbox"))
        }
        _ => Ok(()),
    }
}

/// A URI without the password that may be in it.
fn shown(uri: &str) -> String {
    match uri.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or_default().len();
            let at = rest.get(..host).and_then(|h| h.rfind('@')).map_or(0, |at| at + 1);
            format!("{scheme}://{}", rest.get(at..).unwrap_or_default())
        }
        None => uri.to_owned(),
    }
}

/// What fetches.
pub(crate) struct Fetcher {
    client: reqwest::Client,
    cache: Cache,
    limit: u64,
    time: Duration,
}

impl Fetcher {
    /// With its cache in a folder; `limit` is bytes for each task, unpacked ones included,
    /// `time` the longest that one task may take.
    pub fn new(cache: PathBuf, cache_bytes: u64, limit: u64, time: Duration) -> Result<Self, reqwest::Error> {
        // An error only says that the program has installed one already.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).build()?;
        Ok(Self { client, cache: Cache::new(cache, cache_bytes), limit, time })
    }

    /// Fetches all that an app names into a new folder. The error names the URI.
    pub async fn fetch(&self, app: &App, folder: &Path, user: Option<&str>) -> Result<(), String> {
        let broken = |error: &std::io::Error| format!("the sandbox can't be made: {error}");
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(broken(&error)),
            _ => std::fs::create_dir_all(folder).map_err(|e| broken(&e))?,
        }
        let budget = Arc::new(Budget::new(self.limit, self.time));
        for artifact in app.artifacts() {
            let done = self.one(&artifact, folder, &budget).await;
            done.map_err(|error| format!("{}: {}", shown(&artifact.uri), chain(&error)))?;
        }
        // Mesos gives the files to the task's user. A name is one of the image's own,
        // which nobody knows here; a number is the same everywhere.
        let mut ids = user.unwrap_or_default().split(':').map(str::parse::<u32>);
        if let Some(Ok(user)) = ids.next() {
            let (folder, group) = (folder.to_owned(), ids.next().and_then(Result::ok));
            blocking(move || Ok(place::give(&folder, user, group)?)).await.map_err(|e| chain(&e))?;
        }
        Ok(())
    }

    async fn one(&self, artifact: &Artifact, folder: &Path, budget: &Arc<Budget>) -> Result<(), FetchError> {
        let wanted = parse(&artifact.uri).map_err(FetchError::Refused)?;
        let name = artifact.dest_path.clone().filter(|p| !p.is_empty()).unwrap_or_else(|| wanted.name.clone());
        let executable = artifact.executable == Some(true);
        let extract = artifact.extract != Some(false) && !executable;
        let (folder, counted) = (folder.to_owned(), Arc::clone(budget));
        if artifact.cache == Some(true) {
            let key = artifact.uri.trim_start();
            let file = self.cache.file(key, async |path: &Path| self.load(&wanted, path, budget).await).await?;
            return blocking(move || {
                if extract && archive::extract(&wanted.name, file.try_clone()?, &folder, &counted)? {
                    return Ok(());
                }
                let mut from = file;
                from.seek(SeekFrom::Start(0))?;
                let mut out = place::fresh(&place::below(&folder, &name)?)?;
                std::io::copy(&mut counted.count(from), &mut out)?;
                Ok(place::set_mode(&out, if executable { 0o755 } else { 0o644 })?)
            })
            .await;
        }
        let target = place::below(&folder, &name)?;
        self.load(&wanted, &target, budget).await?;
        blocking(move || {
            let file = File::open(&target)?;
            if executable {
                place::set_mode(&file, 0o755)?;
            }
            if extract {
                archive::extract(&name, file, &folder, &counted)?;
            }
            Ok(())
        })
        .await
    }

    /// Brings what a URI names to a path, and compares the checksum.
    async fn load(&self, wanted: &Wanted, path: &Path, budget: &Arc<Budget>) -> Result<(), FetchError> {
        let sum = match &wanted.source {
            Source::Web(url) => self.download(url, path, budget).await?,
            Source::Local(from) => {
                let (from, to, budget) = (from.clone(), path.to_owned(), Arc::clone(budget));
                blocking(move || {
                    let file = File::open(&from)?;
                    if !file.metadata()?.is_file() {
                        return Err(FetchError::Refused(String::from("it is no file")));
                    }
                    let mut sum = Summing(budget.count(file), Sha256::new());
                    std::io::copy(&mut sum, &mut place::fresh(&to)?)?;
                    Ok(hex(sum.1))
                })
                .await?
            }
        };
        match &wanted.sha256 {
            Some(asked) if *asked != sum => Err(FetchError::Checksum(sum)),
            _ => Ok(()),
        }
    }

    async fn download(&self, url: &str, path: &Path, budget: &Budget) -> Result<String, FetchError> {
        let quiet = |_| FetchError::Stalled;
        let answer = tokio::time::timeout(STALL, self.client.get(url).send()).await.map_err(quiet)?;
        // The address is told already, without its password.
        let answer = answer.map_err(reqwest::Error::without_url)?;
        if answer.status().as_u16() != 200 {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let mut file = tokio::fs::File::from_std(place::fresh(path)?);
        let mut pieces = answer.bytes_stream();
        let mut sum = Sha256::new();
        while let Some(piece) = tokio::time::timeout(STALL, pieces.next()).await.map_err(quiet)? {
            let piece = piece.map_err(reqwest::Error::without_url)?;
            budget.take(piece.len() as u64)?;
            sum.update(&piece);
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        Ok(hex(sum))
    }
}

/// A reader that sums up what it reads.
struct Summing<R>(R, Sha256);

impl<R: std::io::Read> std::io::Read for Summing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(buffer)?;
        self.1.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn hex(sum: Sha256) -> String {
    sum.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FetchError> + Send + 'static,
) -> Result<T, FetchError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(FetchError::Broken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_taken_apart_as_mesos_does() {
        let web = |url: &str| Source::Web(url.to_owned());
        let of = |uri: &str| parse(uri).map(|w| (w.source, w.name));
        assert_eq!(of("http://h/a/b.tgz"), Ok((web("http://h/a/b.tgz"), "b.tgz".to_owned())));
        assert_eq!(of(" https://h/b?c=d"), Ok((web("https://h/b?c=d"), "b?c=d".to_owned())));
        assert_eq!(of("file:///opt/x.jar"), Ok((Source::Local("/opt/x.jar".into()), "x.jar".to_owned())));
        assert_eq!(of("/opt/x.jar"), Ok((Source::Local("/opt/x.jar".into()), "x.jar".to_owned())));
        let sum = "A".repeat(64);
        let wanted = parse(&format!("http://h/b.tgz#sha256={sum}")).unwrap();
        assert_eq!((wanted.name.as_str(), wanted.sha256), ("b.tgz", Some(sum.to_ascii_lowercase())));
        for bad in [
            "",
            "x.jar",
            "http://h",
            "http://h/",
            "hdfs://h/x",
            "ftp://h/x",
            "file://x",
            "http://h/x#sha256=12",
            "/a'b",
        ] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(shown("http://me:secret@h/x@y"), "http://h/x@y");
        assert_eq!(shown("/x@y"), "/x@y");
    }

    #[tokio::test]
    async fn local_files_are_copied_checked_and_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("tool");
        std::fs::write(&from, "12345").unwrap();
        let fetcher = |limit| Fetcher::new(dir.path().join("cache"), 100, limit, Duration::from_secs(60)).unwrap();
        let app = |uri: String| App {
            fetch: Some(vec![Artifact {
                uri,
                executable: Some(true),
                dest_path: Some("bin/t".into()),
                ..Artifact::default()
            }]),
            ..App::default()
        };
        let sandbox = dir.path().join("sandbox");
        let sum = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"; // of "12345"
        let good = app(format!("file://{}#sha256={sum}", from.display()));
        fetcher(5).fetch(&good, &sandbox, None).await.unwrap();
        assert_eq!(std::fs::read_to_string(sandbox.join("bin/t")).unwrap(), "12345");
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(sandbox.join("bin/t")).unwrap());
        assert_eq!(mode & 0o777, 0o755);
        let error = fetcher(4).fetch(&good, &sandbox, None).await.unwrap_err();
        assert!(error.contains("may not fetch more than 4 bytes"), "{error}");
        let wrong = app(format!("{}#sha256={}", from.display(), "0".repeat(64)));
        let error = fetcher(5).fetch(&wrong, &sandbox, None).await.unwrap_err();
        assert!(error.contains(&format!("its SHA-256 is {sum}")), "{error}");
        let error = fetcher(5).fetch(&app("/no/such/file".into()), &sandbox, None).await.unwrap_err();
        assert!(error.starts_with("/no/such/file: ") && error.contains("No such file"), "{error}");
    }
}
