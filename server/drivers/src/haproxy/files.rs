//! What HAProxy reads when it starts, and what we read when we do.
//!
//! One file for each service, so that a change writes a kilobyte and is checked
//! alone, however many services there are. Every member change is written too:
//! HAProxy may be killed at any moment, and the next one starts with these files.

use super::config::{Paths, replace};
use super::render;
use padis_domain::ports::{Member, Service};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::time::Duration;

/// `haproxy -c` takes some 40 ms; on a machine that swaps, longer.
const CHECK_WITHIN: Duration = Duration::from_secs(10);

/// A service with its members, as the files have them.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub service: Service,
    pub members: BTreeMap<String, Member>,
    /// Whether HAProxy has loaded this structure.
    pub loaded: bool,
}

/// Services by key.
pub(super) type Book = BTreeMap<String, Held>;

pub(super) fn write_service(paths: &Paths, held: &Held) -> io::Result<()> {
    let text = render::service(&held.service, held.members.values())?;
    replace(&paths.service(&held.service.key), text.as_bytes())
}

pub(super) fn delete_service(paths: &Paths, key: &str) -> io::Result<()> {
    match std::fs::remove_file(paths.service(key)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

pub(super) fn write_map(paths: &Paths, book: &Book) -> io::Result<()> {
    let mut map = String::new();
    for held in book.values() {
        let _ = writeln!(map, "{} {}", held.service.host, render::backend(&held.service.key));
    }
    replace(&paths.map(), map.as_bytes())
}

/// Reads what an earlier run left. A file that is not ours or is damaged is set
/// aside (`.bad`): HAProxy would refuse to start because of it.
pub(super) fn read(paths: &Paths) -> io::Result<Book> {
    let mut book = Book::new();
    for entry in std::fs::read_dir(paths.conf())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.ends_with(".cfg") || path == paths.global() {
            continue;
        }
        let found = std::fs::read_to_string(&path).ok().and_then(|text| render::read_service(&text));
        match found.filter(|(s, _)| render::check_service(s).is_ok() && paths.service(&s.key) == path) {
            Some((service, members)) => {
                let members = members.into_iter().map(|m| (m.key.clone(), m)).collect();
                let held = Held { service, members, loaded: true };
                // Rewritten, so that what this version would write is what is loaded.
                write_service(paths, &held)?;
                book.insert(held.service.key.clone(), held);
            }
            None => {
                tracing::warn!(balancer.file = %path.display(), "a damaged service file is set aside");
                std::fs::rename(&path, path.with_extension("bad"))?;
            }
        }
    }
    Ok(book)
}

/// Asks HAProxy whether it would load these files; its complaint if not.
pub(super) async fn validate(program: &Path, files: &[&Path]) -> io::Result<Result<(), String>> {
    let mut command = tokio::process::Command::new(program);
    command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.arg("-c").arg("-q").kill_on_drop(true);
    for file in files {
        command.arg("-f").arg(file);
    }
    let out = tokio::time::timeout(CHECK_WITHIN, command.output()).await.map_err(io::Error::from)??;
    if out.status.success() {
        return Ok(Ok(()));
    }
    Ok(Err(String::from_utf8_lossy(&out.stderr).into_owned()))
}
