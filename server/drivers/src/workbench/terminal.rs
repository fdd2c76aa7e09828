//! A shell in a workbench, with a terminal.
//!
//! What one could get wrong:
//!
//! * Docker does not end a process when the connection to it ends, and closing what is typed
//!   into a terminal means nothing to a shell. So a second process without a terminal, the
//!   keeper, reads from a connection of ours: when that ends (the terminal is dropped, or the
//!   portal dies), it hangs the shell up. It knows the shell by number and time of birth.
//! * Docker detaches at a sequence of keys (Ctrl-P Ctrl-Q) and holds the first of them back. It
//!   can't be told to have none, so it has one that nobody types.
//! * Over TLS, Docker closes its own direction of the connection and no more: what is typed after
//!   the shell's end still goes out, and nobody reads it. So the end is known from what is read.
//! * A login shell reads `/etc/profile`, which sets PATH anew in most images: what the image is
//!   about (`/opt/java/bin`) would not be found. So it is none.
//! * A shell's history would be a change, and in the image later, with what was typed.

use super::exec::{make, run};
use super::{Place, refused, transient};
use crate::docker_engine::status;
use crate::http::excerpt;
use async_trait::async_trait;
use bollard::exec::{CreateExecOptions, ResizeExecOptions};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use padis_domain::ports::{PortError, PortResult, Terminal, TerminalInput};
use padis_domain::problem::System;
use reqwest::Upgraded;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

/// The shell's first line comes when it runs.
const BEGIN: Duration = Duration::from_secs(20);
/// Bytes that are read at a time.
const PIECE: usize = 16 * 1024;
/// Ctrl-^ five times.
const DETACH: &str = "ctrl-^,ctrl-^,ctrl-^,ctrl-^,ctrl-^";
/// Says its number, goes to the image's folder ($1), and becomes the best shell there is. In
/// POSIX a failed `exec` ends the shell: what is not there must not be tried.
const SHELL: &str = "echo $$
cd \"$1\" 2>/dev/null
command -v bash >/dev/null 2>&1 && exec bash
exec sh";
/// Waits for the end of what it reads, then ends the process $1, unless that is another by now.
/// `/proc/N/stat` after the name: the state, and as 20th the time of birth. Ends by force what
/// is there 3 s after it was hung up; the kernel hangs up what it left in the foreground.
const KEEPER: &str = "pid=$1
there() { read -r line </proc/$pid/stat && set -- ${line##*) } && [ \"$1\" != Z ] && now=${20}; }
there || exit 0
born=$now
same() { there && [ \"$now\" = \"$born\" ]; }
while read -r _; do :; done
same && kill -HUP $pid
for n in 1 2 3; do same || exit 0; sleep 1; done
same && kill -KILL $pid";

/// What the terminal's two halves share.
struct Shared {
    /// The connection whose end hangs the shell up. Nobody ever uses it: the lock only lets it be
    /// shared.
    _keeper: Mutex<Upgraded>,
    /// Nothing more will be read.
    ended: AtomicBool,
}

/// What is read, and what must live as long.
struct Output {
    read: ReadHalf<Upgraded>,
    first: Vec<u8>,
    shared: Arc<Shared>,
}

struct Typed {
    write: WriteHalf<Upgraded>,
    place: Arc<Place>,
    exec: String,
    shared: Arc<Shared>,
}

fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|w| (*w).to_owned()).collect())
}

pub(super) async fn open(place: &Arc<Place>, id: &str, columns: u16, rows: u16) -> PortResult<Terminal> {
    let (name, found) = place.bench(id).await?;
    let folder = found.config.and_then(|c| c.working_dir).filter(|d| !d.is_empty()).unwrap_or_else(|| "/".to_owned());
    let options = CreateExecOptions {
        attach_stdin: Some(true),
        attach_stderr: Some(true),
        tty: Some(true),
        detach_keys: Some(DETACH.to_owned()),
        env: words(&["TERM=xterm-256color", "LANG=C.UTF-8", "HISTFILE="]),
        cmd: words(&["/bin/sh", "-c", SHELL, "terminal", &folder]),
        ..CreateExecOptions::default()
    };
    let exec = make(place, &name, options).await?;
    let connection = place.wire.start(&place.engine, &exec, true).await?;
    resize(place, &exec, columns, rows).await?;
    let (mut read, write) = tokio::io::split(connection);
    let begin = tokio::time::timeout(BEGIN, begin(&mut read)).await;
    let (pid, first) = begin.map_err(|_| transient(format!("the shell in {name} does not begin")))??;
    let shared = match keep(place, &name, &pid).await {
        Ok(keeper) => Arc::new(Shared { _keeper: Mutex::new(keeper), ended: AtomicBool::new(false) }),
        Err(error) => {
            let end = ["/bin/sh", "-c", "kill -HUP $1", "terminal", &pid].map(str::to_owned).to_vec();
            let _best_effort = run(place, &name, end, BEGIN).await;
            return Err(error);
        }
    };
    let output = Output { read, first, shared: Arc::clone(&shared) };
    let input = Typed { write, place: Arc::clone(place), exec, shared };
    Ok(Terminal { output: bytes(output), input: Box::new(input) })
}

/// The shell's number, and what came after it.
async fn begin(read: &mut ReadHalf<Upgraded>) -> PortResult<(String, Vec<u8>)> {
    let mut came = Vec::new();
    let first = loop {
        if let Some(end) = came.iter().position(|b| *b == b'\n') {
            let rest = came.split_off(end + 1);
            let line = String::from_utf8_lossy(&came).trim().to_owned();
            if !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()) {
                return Ok((line, rest));
            }
            break line;
        }
        let more = read.read_buf(&mut came).await;
        let more = more.map_err(|e| PortError::transient(System::Docker, "read from a terminal", e))?;
        if more == 0 || came.len() > PIECE {
            break excerpt(&String::from_utf8_lossy(&came));
        }
    };
    Err(refused(format!("no shell begins in the workbench: {first}")))
}

async fn keep(place: &Place, name: &str, pid: &str) -> PortResult<Upgraded> {
    let options = CreateExecOptions {
        attach_stdin: Some(true),
        cmd: words(&["/bin/sh", "-c", KEEPER, "keeper", pid]),
        ..CreateExecOptions::default()
    };
    let exec = make(place, name, options).await?;
    place.wire.start(&place.engine, &exec, false).await
}

/// Everything that comes, until the shell has ended.
fn bytes(output: Output) -> BoxStream<'static, PortResult<Vec<u8>>> {
    let next = async |output: Option<Output>| {
        let mut output = output?;
        if !output.first.is_empty() {
            let first = std::mem::take(&mut output.first);
            return Some((Ok(first), Some(output)));
        }
        let mut piece = Vec::with_capacity(PIECE);
        match output.read.read_buf(&mut piece).await {
            Ok(0) => {
                output.shared.ended.store(true, Ordering::Relaxed);
                None
            }
            Ok(_) => Some((Ok(piece), Some(output))),
            Err(error) => {
                output.shared.ended.store(true, Ordering::Relaxed);
                Some((Err(PortError::transient(System::Docker, "read from a terminal", error)), None))
            }
        }
    };
    stream::unfold(Some(output), next).boxed()
}

async fn resize(place: &Place, exec: &str, columns: u16, rows: u16) -> PortResult<()> {
    let size = ResizeExecOptions { height: rows.max(1), width: columns.max(1) };
    match place.engine.docker().await?.resize_exec(exec, size).await {
        Ok(()) => Ok(()),
        // The shell has ended: nobody looks at the window any more.
        Err(error) if status(&error).is_some() => Ok(()),
        Err(error) => Err(place.engine.failed("resize a terminal", false, error)),
    }
}

#[async_trait]
impl TerminalInput for Typed {
    async fn write(&mut self, bytes: &[u8]) -> PortResult<()> {
        let write = async {
            if self.shared.ended.load(Ordering::Relaxed) {
                return Err(io::Error::from(io::ErrorKind::BrokenPipe));
            }
            self.write.write_all(bytes).await?;
            self.write.flush().await
        };
        write.await.map_err(|error| PortError::Refused {
            system: System::Docker,
            reason: "the terminal has ended".to_owned(),
            cause: Some(error.into()),
        })
    }
    async fn resize(&mut self, columns: u16, rows: u16) -> PortResult<()> {
        resize(&self.place, &self.exec, columns, rows).await
    }
}
