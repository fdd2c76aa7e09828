//! `/files/*`: the sandboxes, read-only.
//!
//! Answers as a Mesos agent gives them: without an offset, or with -1, `read`
//! tells the file's length and no data; at most 64 KiB come at once. Text may be
//! cut in the middle of a character at the end of a piece: then the piece ends
//! before it, so that a reader who goes on at `offset + data.len()` loses nothing.

use super::Shared;
use axum::Json;
use axum::body::Body;
use axum::extract::Query;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use padis_protocol::mesos::{FileInfo, FileRead};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

/// Sixteen pages, Mesos' limit for one answer.
const PIECE: u64 = 64 * 1024;

#[derive(serde::Deserialize)]
pub(super) struct Ask {
    path: Option<String>,
    offset: Option<i64>,
    length: Option<i64>,
}

fn wrong(message: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{message}\n")).into_response()
}

fn absent() -> Response {
    (StatusCode::NOT_FOUND, "File not found.\n").into_response()
}

fn failed(path: &Path, error: &std::io::Error) -> Response {
    if error.kind() == std::io::ErrorKind::NotFound {
        return absent();
    }
    tracing::warn!(path = %path.display(), %error, "engine: a sandbox file can't be read");
    (StatusCode::INTERNAL_SERVER_ERROR, "The file can't be read.\n").into_response()
}

fn resolve(mesos: &Shared, ask: &Ask) -> Result<PathBuf, Box<Response>> {
    let Some(path) = ask.path.as_deref().filter(|p| !p.is_empty()) else {
        return Err(Box::new(wrong("Expecting 'path=value' in query.")));
    };
    mesos.core.sandboxes.resolve(path.trim_end_matches('/')).ok_or_else(|| Box::new(absent()))
}

/// `/files/browse?path=…`
pub(super) async fn browse(mesos: Shared, Query(ask): Query<Ask>) -> Response {
    let path = match resolve(&mesos, &ask) {
        Ok(path) => path,
        Err(answer) => return *answer,
    };
    if path.is_file() {
        return Json(Vec::<FileInfo>::new()).into_response();
    }
    match list(&path) {
        Ok(list) => Json(list).into_response(),
        Err(error) => failed(&path, &error),
    }
}

fn list(dir: &Path) -> std::io::Result<Vec<FileInfo>> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let meta = entry.metadata()?;
        out.push(FileInfo {
            gid: meta.gid().to_string(),
            uid: meta.uid().to_string(),
            mode: mode(meta.mode()),
            mtime: meta.mtime() as f64,
            nlink: meta.nlink(),
            path: entry.path().display().to_string(),
            size: meta.len(),
        });
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(out)
}

/// `-rw-r--r--`
fn mode(bits: u32) -> String {
    let kind = if bits & 0o170_000 == 0o040_000 { 'd' } else { '-' };
    let flags = (0..9).map(|i| if bits >> (8 - i) & 1 == 1 { ['r', 'w', 'x'][i % 3] } else { '-' });
    std::iter::once(kind).chain(flags).collect()
}

/// `/files/read?path=…&offset=…&length=…`
pub(super) async fn read(mesos: Shared, Query(ask): Query<Ask>) -> Response {
    let path = match resolve(&mesos, &ask) {
        Ok(path) => path,
        Err(answer) => return *answer,
    };
    let (Ok(offset), Ok(length)) = (at_least_minus_one(ask.offset), at_least_minus_one(ask.length)) else {
        return wrong("Negative offset or length provided.");
    };
    if path.is_dir() {
        return wrong("Cannot read a directory.");
    }
    match piece(&path, offset, length).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => failed(&path, &error),
    }
}

/// -1 and nothing are the same.
fn at_least_minus_one(value: Option<i64>) -> Result<Option<u64>, ()> {
    match value {
        None | Some(-1) => Ok(None),
        Some(value) => u64::try_from(value).map(Some).map_err(|_| ()),
    }
}

async fn piece(path: &Path, offset: Option<u64>, length: Option<u64>) -> std::io::Result<FileRead> {
    let mut file = tokio::fs::File::open(path).await?;
    let size = file.metadata().await?.len();
    let Some(offset) = offset.filter(|o| *o < size) else {
        return Ok(FileRead { data: String::new(), offset: size });
    };
    let length = length.unwrap_or(PIECE).min(PIECE).min(size - offset);
    file.seek(std::io::SeekFrom::Start(offset)).await?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).await?;
    if offset + length < size
        && let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
        && error.valid_up_to() > 0
    {
        bytes.truncate(error.valid_up_to());
    }
    Ok(FileRead { data: String::from_utf8_lossy(&bytes).into_owned(), offset })
}

/// `/files/download?path=…`
pub(super) async fn download(mesos: Shared, Query(ask): Query<Ask>) -> Response {
    let path = match resolve(&mesos, &ask) {
        Ok(path) => path,
        Err(answer) => return *answer,
    };
    let file = match tokio::fs::File::open(&path).await {
        Ok(file) => file,
        Err(error) => return failed(&path, &error),
    };
    // The file may grow while it is sent: its length now is what is promised.
    let size = match file.metadata().await {
        Ok(meta) if meta.is_file() => meta.len(),
        Ok(_) => return wrong("Cannot download a directory."),
        Err(error) => return failed(&path, &error),
    };
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("file").to_owned();
    let head = [
        (header::CONTENT_TYPE, String::from("application/octet-stream")),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (head, Body::from_stream(ReaderStream::new(file.take(size)))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_told_as_ls_does() {
        assert_eq!(mode(0o100_644), "-rw-r--r--");
        assert_eq!(mode(0o040_755), "drwxr-xr-x");
    }

    #[tokio::test]
    async fn pieces_never_split_a_character() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stdout");
        std::fs::write(&path, "席位 is a slot").unwrap();
        let (mut offset, mut text) = (0, String::new());
        while text.len() < 16 {
            let got = piece(&path, Some(offset), Some(4)).await.unwrap();
            assert_eq!(got.offset, offset);
            offset += got.data.len() as u64;
            text.push_str(&got.data);
        }
        assert_eq!(text, "席位 is a slot");
        assert_eq!(piece(&path, None, None).await.unwrap(), FileRead { data: String::new(), offset: 16 });
        assert_eq!(piece(&path, Some(99), Some(4)).await.unwrap().offset, 16);
    }
}
