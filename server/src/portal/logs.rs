//! Logs of an application's instances, living and gone: from the log folder, and what
//! the program printed from the sandbox that its host keeps (`stdout`, `stderr`), also
//! where the log folder is on hosts that the portal does not share a disk with.
//!
//! This is one of the few live reads; it has a deadline. One could get it wrong
//! by taking the task from the URL at its word: it must be noted as an instance
//! of this very application, which also says in which release's folder it is.

use super::PadisPortal;
use super::sql::{Cols, Sql};
use super::tail::{self, Want, Window};
use super::timeline::history_id;
use crate::store::{StoreError, incident, new_incident};
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::portal::Answer;
use padis_domain::ports::PortError;
use padis_domain::problem::{System, ValueFault};
use padis_domain::view::{LogPiece, LogQuery, LogSource};
use rustix::io::Errno;
use sqlx::any::AnyRow;
use std::path::PathBuf;
use std::time::Duration;

/// The most instances offered.
const SOURCES: i64 = 60;
/// The log folder may stand on a file server that hangs.
const DEADLINE: Duration = Duration::from_secs(5);
/// An agent may be slow, and a search in a sandbox is many requests.
const FETCH: Duration = Duration::from_secs(8);
/// What Mesos keeps of every task in its sandbox.
const PRINTED: [&str; 2] = ["stdout", "stderr"];

/// The folder of a release's logs. Team and name are those of an application
/// that exists or existed, so they are legal names.
fn folder(p: &PadisPortal, app: &AppRef, release: u32) -> PathBuf {
    p.settings.logs.join(&app.team).join(&app.app).join(format!("r{release}"))
}

async fn blocking<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
    match tokio::time::timeout(DEADLINE, tokio::task::spawn_blocking(f)).await {
        Ok(Ok(v)) => Ok(v),
        Ok(Err(e)) => Err(incident(&e)),
        Err(_) => {
            let incident = new_incident();
            tracing::error!(incident = %incident, "the log folder did not answer within {} s", DEADLINE.as_secs());
            Err(Problem::Unavailable { system: System::Disk, incident })
        }
    }
}

fn source(r: &AnyRow) -> Result<LogSource, StoreError> {
    Ok(LogSource {
        task_id: r.s("task_id")?,
        slot: r.ou("slot")?,
        release: r.u("release")?,
        alive: r.oi("ended_at")?.is_none(),
        written_at: None,
        files: Vec::new(),
    })
}

/// Instances whose log can be read, living ones first.
pub async fn sources(p: &PadisPortal, app: &AppRef) -> Answer<Vec<LogSource>> {
    let id = history_id(p, app).await?;
    let rows = Sql::new("SELECT task_id, slot, release, ended_at FROM instance WHERE app_id = ")
        .bind(&id)
        .text(" ORDER BY CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END, seen_at DESC, task_id LIMIT ")
        .bind(SOURCES)
        .all(p.store.read(), "read instances")
        .await?;
    let mut all = rows.iter().map(source).collect::<Result<Vec<_>, _>>()?;
    let folders: Vec<PathBuf> = all.iter().map(|s| folder(p, app, s.release)).collect();
    blocking(move || {
        for (s, folder) in all.iter_mut().zip(folders) {
            if !tail::is_component(&s.task_id) {
                continue;
            }
            // No folder yet, or none any more: nothing to read, and that is no fault.
            let Ok(files) = tail::task_folder(&folder, &s.task_id).and_then(|f| tail::list(&f)) else { continue };
            s.written_at = files.iter().map(|f| f.written_at).max();
            s.files = files.into_iter().map(|f| (f.name, Some(f.bytes))).collect();
        }
        for s in &mut all {
            let printed =
                PRINTED.iter().filter(|f| !s.files.iter().any(|(name, _)| name == *f)).map(|f| ((*f).to_owned(), None));
            s.files.extend(printed.collect::<Vec<_>>());
        }
        all
    })
    .await
}

/// A part of what a task printed, from its host.
async fn printed(p: &PadisPortal, agent_id: &str, q: &LogQuery, alive: bool) -> Answer<tail::Piece> {
    let want = Want { offset: q.offset, length: q.length, find: &q.find, alive };
    let read = |offset, n| p.cluster.read_file(agent_id, &q.task_id, &q.file, offset, n);
    let fetch = async {
        let mut piece = read(q.offset, tail::reach(want)).await?;
        if q.offset.is_some_and(|at| at > piece.length) {
            // Cut meanwhile: it begins anew, and so does the reading.
            piece = read(Some(0), tail::reach(want)).await?;
        }
        Ok(piece)
    };
    let piece = match tokio::time::timeout(FETCH, fetch).await {
        Ok(Ok(piece)) => piece,
        // Not kept any more, or never there.
        Ok(Err(PortError::Refused { .. })) => return Err(Problem::NotFound),
        Ok(Err(e)) => return Err(unavailable(&e.chain())),
        Err(_) => return Err(unavailable(&format!("no answer within {} s", FETCH.as_secs()))),
    };
    let window = Window { offset: piece.offset, data: piece.data, length: piece.length };
    tail::read(&window, want).map_err(|e| incident(&std::io::Error::from(e)))
}

fn unavailable(cause: &str) -> Problem {
    let incident = new_incident();
    tracing::error!(incident = %incident, cause, "a sandbox could not be read");
    Problem::Unavailable { system: System::Cluster, incident }
}

/// A piece of a log.
pub async fn piece(p: &PadisPortal, app: &AppRef, q: &LogQuery) -> Answer<LogPiece> {
    let id = history_id(p, app).await?;
    if !tail::is_component(&q.task_id) || !tail::is_component(&q.file) {
        return Err(Problem::NotFound);
    }
    if q.find.chars().count() > 200 {
        return Err(Problem::field("find", ValueFault::TooLong { max: 200 }));
    }
    let row = Sql::new("SELECT task_id, slot, release, agent_id, ended_at FROM instance WHERE task_id = ")
        .bind(&q.task_id)
        .text(" AND app_id = ")
        .bind(&id)
        .one(p.store.read(), "read an instance")
        .await?;
    let row = row.ok_or(Problem::NotFound)?;
    let (from, agent_id) = (source(&row)?, row.s("agent_id")?);
    let (folder, alive, asked) = (folder(p, app, from.release), from.alive, q.clone());
    let read = blocking(move || {
        let file = tail::task_folder(&folder, &asked.task_id).and_then(|f| tail::regular(&f, &asked.file))?;
        tail::read(&file, Want { offset: asked.offset, length: asked.length, find: &asked.find, alive })
    })
    .await?;
    let answer = |piece: tail::Piece| LogPiece { lines: piece.lines, next: piece.next, length: piece.length, alive };
    match read {
        Ok(piece) => Ok(answer(piece)),
        Err(Errno::NOENT | Errno::NOTDIR) if PRINTED.contains(&q.file.as_str()) => {
            printed(p, &agent_id, q, alive).await.map(answer)
        }
        // Absent, or something that is not a log: a link, a folder, a pipe.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ISDIR | Errno::NXIO) => Err(Problem::NotFound),
        Err(e) => Err(incident(&std::io::Error::from(e))),
    }
}
