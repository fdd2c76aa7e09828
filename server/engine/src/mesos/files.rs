//! The sandboxes, read-only: `/files/*`, and LIST_FILES and READ_FILE of version 1.
//!
//! A piece is bytes, not text: Mesos writes them into its JSON as they are, so that
//! what is no UTF-8 makes the answer no UTF-8 either, and a piece has exactly the length
//! that was asked for. One could get it wrong by repairing either: who goes on at
//! `offset + length` would then read what was never written. Without an offset, or with
//! -1, the answer is the file's length and no data; an offset beyond the end is told
//! back as it came; at most 64 KiB come at once.

use super::facts::Us;
use super::{Shared, answer};
use crate::core::Core;
use crate::sandbox::{self, Unresolved, is_own};
use axum::Json;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use padis_protocol::mesos::FileInfo;
use padis_protocol::mesos::{operator, v1};
use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use tokio_util::io::ReaderStream;

/// Sixteen pages, Mesos' limit for one answer.
const PIECE: u64 = 64 * 1024;

/// Why there is no answer.
pub(super) enum NoFile {
    Absent,
    Bad(String),
    Failed(String),
}

impl NoFile {
    /// Most calls answer absence without a word.
    pub fn response(self) -> Response {
        match self {
            Self::Absent => answer::text(StatusCode::NOT_FOUND, ""),
            Self::Bad(why) => answer::bad(format!("{why}\n")),
            Self::Failed(why) => answer::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{why}\n")),
        }
    }
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> NoFile {
    if error.kind() == std::io::ErrorKind::NotFound {
        return NoFile::Absent;
    }
    tracing::warn!(path = %path.display(), %error, "engine: a sandbox file can't be read");
    NoFile::Failed(format!("Failed to {what} file at '{}': {error}", path.display()))
}

fn resolve(core: &Core, path: &str) -> Result<PathBuf, NoFile> {
    core.sandboxes.resolve(&Us::of(core).framework, path).map_err(|why| match why {
        Unresolved::Absent => NoFile::Absent,
        Unresolved::Outside => NoFile::Bad(format!("'{path}' is inaccessible.")),
    })
}

/// Names of users or groups, as the machine's own files have them.
struct Names(HashMap<u32, String>);

impl Names {
    fn read(file: &str) -> Self {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let one = |line: &str| {
            let mut parts = line.split(':');
            let name = parts.next()?.to_owned();
            Some((parts.nth(1)?.parse().ok()?, name))
        };
        Self(text.lines().filter_map(one).collect())
    }

    fn of(&self, id: u32) -> String {
        self.0.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }
}

/// One entry of a folder.
pub(super) struct Entry {
    path: String,
    meta: std::fs::Metadata,
    user: String,
    group: String,
}

/// What is in a folder, by name; nothing is in a file. Links are told as what they lead
/// to, and not at all if that is nothing.
pub(super) fn list(core: &Core, asked: &str) -> Result<Vec<Entry>, NoFile> {
    let asked = asked.trim_end_matches('/');
    let dir = resolve(core, asked)?;
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let (users, groups) = (Names::read("/etc/passwd"), Names::read("/etc/group"));
    let mut out = Vec::new();
    for entry in std::fs::read_dir(&dir).map_err(|e| failed("browse", &dir, &e))? {
        let entry = entry.map_err(|e| failed("browse", &dir, &e))?;
        let name = entry.file_name();
        let Some(text) = name.to_str().filter(|_| !is_own(&name)) else { continue };
        // A link out of the sandbox is not told, not even how large what it leads to is.
        let link = entry.file_type().is_ok_and(|t| t.is_symlink());
        if link && resolve(core, &format!("{asked}/{text}")).is_err() {
            continue;
        }
        let Ok(meta) = std::fs::metadata(entry.path()) else { continue };
        let (user, group) = (users.of(meta.uid()), groups.of(meta.gid()));
        out.push(Entry { path: format!("{asked}/{text}"), meta, user, group });
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

/// `-rw-r--r--`
fn mode(meta: &std::fs::Metadata) -> String {
    let kind = meta.file_type();
    let first = match kind {
        k if k.is_dir() => 'd',
        k if k.is_fifo() => 'p',
        k if k.is_socket() => 's',
        k if k.is_char_device() => 'c',
        k if k.is_block_device() => 'b',
        k if k.is_symlink() => 'l',
        _ => '-',
    };
    let bits = meta.mode();
    let flags = (0..9).map(|i| if bits >> (8 - i) & 1 == 1 { ['r', 'w', 'x'][i % 3] } else { '-' });
    std::iter::once(first).chain(flags).collect()
}

impl Entry {
    fn v0(self) -> FileInfo {
        FileInfo {
            gid: self.group,
            uid: self.user,
            mode: mode(&self.meta),
            mtime: self.meta.mtime() as f64,
            nlink: self.meta.nlink(),
            path: self.path,
            size: self.meta.len(),
        }
    }

    /// As version 1 has it.
    pub fn v1(self) -> operator::FileInfo {
        operator::FileInfo {
            path: self.path,
            nlink: i32::try_from(self.meta.nlink()).ok(),
            size: Some(self.meta.len()),
            mtime: Some(v1::TimeInfo::from_ms(self.meta.mtime() * 1000)),
            mode: Some(self.meta.mode()),
            uid: Some(self.user),
            gid: Some(self.group),
            ..operator::FileInfo::default()
        }
    }
}

/// A piece of a file: its bytes, and the length of the whole.
pub(super) fn piece(
    core: &Core,
    asked: &str,
    offset: Option<u64>,
    length: Option<u64>,
) -> Result<(Vec<u8>, u64), NoFile> {
    let path = resolve(core, asked.trim_end_matches('/'))?;
    let mut file = sandbox::open(&path).map_err(|e| failed("open", &path, &e))?;
    let meta = file.metadata().map_err(|e| failed("open", &path, &e))?;
    if meta.is_dir() {
        return Err(NoFile::Bad(String::from("Cannot read a directory.")));
    }
    let size = meta.len();
    let Some(offset) = offset.filter(|o| *o < size) else { return Ok((Vec::new(), size)) };
    let length = length.unwrap_or(PIECE).min(PIECE).min(size - offset);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset)).map_err(|e| failed("seek", &path, &e))?;
    file.take(length).read_to_end(&mut bytes).map_err(|e| failed("read", &path, &e))?;
    Ok((bytes, size))
}

/// A JSON string of bytes: what must be escaped is, all else stays as it is.
fn quoted(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend([b'\\', byte]),
            0x08 => out.extend(b"\\b"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            0x0c => out.extend(b"\\f"),
            b'\r' => out.extend(b"\\r"),
            0..0x20 => out.extend(format!("\\u{byte:04X}").into_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

/// The `path` of a query.
fn asked(query: Option<&str>) -> Result<String, NoFile> {
    let missing = || NoFile::Bad(String::from("Expecting 'path=value' in query."));
    super::state::parameter(query, "path").ok_or_else(missing)
}

/// A number of a query; -1 and nothing are the same.
fn number(query: Option<&str>, name: &str) -> Result<Option<u64>, NoFile> {
    let Some(text) = super::state::given(query, name) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(-1) => Ok(None),
        Ok(value) => {
            let negative = |_| NoFile::Bad(format!("Negative {name} provided: {value}."));
            u64::try_from(value).map(Some).map_err(negative)
        }
        Err(_) => Err(NoFile::Bad(format!("Failed to parse {name}: Failed to convert '{text}' to number."))),
    }
}

/// Runs what waits for a disk where it may.
pub(super) async fn on_disk<T: Send + 'static>(
    mesos: &super::Mesos,
    work: impl FnOnce(&Core) -> Result<T, NoFile> + Send + 'static,
) -> Result<T, NoFile> {
    let core = std::sync::Arc::clone(&mesos.core);
    let done = tokio::task::spawn_blocking(move || work(&core)).await;
    done.unwrap_or_else(|error| Err(NoFile::Failed(error.to_string())))
}

/// `/files/browse?path=…`
pub(super) async fn browse(mesos: Shared, RawQuery(query): RawQuery) -> Response {
    let found = on_disk(&mesos, move |core| list(core, &asked(query.as_deref())?)).await;
    match found {
        Ok(list) => Json(list.into_iter().map(Entry::v0).collect::<Vec<_>>()).into_response(),
        Err(no) => no.response(),
    }
}

/// `/files/read?path=…&offset=…&length=…`
pub(super) async fn read(mesos: Shared, RawQuery(query): RawQuery) -> Response {
    let found = on_disk(&mesos, move |core| {
        let query = query.as_deref();
        let (path, offset, length) = (asked(query)?, number(query, "offset")?, number(query, "length")?);
        let (bytes, size) = piece(core, &path, offset, length)?;
        Ok((bytes, offset.unwrap_or(size)))
    });
    match found.await {
        Ok((bytes, offset)) => answer::json(
            [b"{\"data\":", quoted(&bytes).as_slice(), format!(",\"offset\":{offset}}}").as_bytes()].concat(),
        ),
        Err(no) => no.response(),
    }
}

/// What a file is by its name, as far as libprocess knows.
fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()).unwrap_or_default() {
        "txt" => "text/plain",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "xml" => "text/xml",
        "js" => "application/x-javascript",
        "png" => "image/png",
        "gif" => "image/gif",
        "jpg" | "jpeg" => "image/jpeg",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "tar" => "application/x-tar",
        "sh" => "application/x-sh",
        _ => "application/octet-stream",
    }
}

/// `/files/download?path=…`
pub(super) async fn download(mesos: Shared, RawQuery(query): RawQuery) -> Response {
    let found = on_disk(&mesos, move |core| {
        let asked = asked(query.as_deref())?;
        let path = resolve(core, &asked)?;
        let file = sandbox::open(&path).map_err(|e| failed("open", &path, &e))?;
        let meta = file.metadata().map_err(|e| failed("open", &path, &e))?;
        if meta.is_dir() {
            return Err(NoFile::Bad(String::from("Cannot download a directory.")));
        }
        // The file may grow while it is sent: its length now is what is promised.
        Ok((PathBuf::from(asked), file, meta.len()))
    });
    let (asked, file, size) = match found.await {
        Ok(found) => found,
        Err(NoFile::Absent) => return answer::not_found(),
        Err(no) => return no.response(),
    };
    let name = asked.file_name().and_then(|n| n.to_str()).unwrap_or("file");
    let place = HeaderValue::try_from(format!("attachment; filename={name}"));
    let place = place.unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind(&asked))),
        (header::CONTENT_LENGTH, HeaderValue::from(size)),
        (header::CONTENT_DISPOSITION, place),
    ];
    let file = tokio::io::AsyncReadExt::take(tokio::fs::File::from_std(file), size);
    (head, Body::from_stream(ReaderStream::new(file))).into_response()
}

/// `/files/debug`: what can be reached, by its names.
pub(super) async fn debug(mesos: Shared) -> Response {
    let found = on_disk(&mesos, move |core| {
        let tasks: Vec<String> = core.look(|w| w.tasks.keys().chain(w.finished.keys()).cloned().collect());
        Ok(core.sandboxes.names(&Us::of(core).framework, tasks.into_iter()))
    });
    match found.await {
        Ok(names) => Json(names).into_response(),
        Err(no) => no.response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stay_what_they_are() {
        let all: Vec<u8> = (0..=255).collect();
        let text = quoted(&all);
        assert!(text.starts_with(br#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000B\f\r\u000E"#));
        assert_eq!(text.last_chunk::<3>(), Some(b"\xfe\xff\""));
        let ascii: String = serde_json::from_slice(&quoted(&all[..128])).unwrap();
        assert_eq!(ascii.as_bytes(), &all[..128]);
    }

    #[test]
    fn modes_are_told_as_ls_does() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        std::fs::write(&file, "").unwrap();
        let of = |path: &Path, bits: u32| {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
            mode(&std::fs::metadata(path).unwrap())
        };
        assert_eq!(of(&file, 0o644), "-rw-r--r--");
        assert_eq!(of(dir.path(), 0o755), "drwxr-xr-x");
    }

    #[test]
    fn users_have_names() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("passwd");
        std::fs::write(&file, "root:x:0:0:root:/root:/bin/sh\nbroken\n").unwrap();
        let names = Names::read(&file.display().to_string());
        assert_eq!((names.of(0).as_str(), names.of(7).as_str()), ("root", "7"));
    }
}
