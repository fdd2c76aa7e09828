//! The conversation with HAProxy over its master socket.
//!
//! Why the master and not the worker's own socket: after a reload the old worker
//! still finishes requests. They count when a member is drained, and they are cut
//! when it is deleted. Only the master reaches all workers (`@!PID command`).
//!
//! One could get it wrong by taking silence for success: HAProxy says nothing when
//! a command worked and one sentence when it did not, so any unexpected text is an
//! error, and an answer that ends before it began (the master re-executes itself
//! during a reload) is asked for again.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::Instant;

/// How long one command may take, a reload's pause included.
const WITHIN: Duration = Duration::from_secs(3);
/// Between two attempts to reach a master that re-executes itself.
const AGAIN: Duration = Duration::from_millis(2);

/// HAProxy's processes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Processes {
    pub master: u32,
    /// How often the master has been reloaded.
    pub reloads: u32,
    /// Takes new connections; none if the last configuration could not be loaded.
    pub current: Option<u32>,
    /// Finish what they have.
    pub old: Vec<u32>,
}

impl Processes {
    pub fn workers(&self) -> impl Iterator<Item = u32> {
        self.current.into_iter().chain(self.old.iter().copied())
    }
}

/// A client of the master socket. Each command has a connection of its own (0.1 ms).
#[derive(Debug, Clone)]
pub(super) struct Cli {
    pub master: PathBuf,
}

async fn exchange(socket: &Path, command: &str) -> io::Result<String> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(command.as_bytes()).await?;
    stream.write_all(b"\n").await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// One attempt on any of HAProxy's sockets.
pub(super) async fn once(socket: &Path, command: &str) -> io::Result<String> {
    tokio::time::timeout(WITHIN, exchange(socket, command)).await.map_err(io::Error::from)?
}

impl Cli {
    /// Asks the master until it answers or the time is over.
    async fn ask(&self, command: &str) -> io::Result<String> {
        let end = Instant::now() + WITHIN;
        loop {
            let error = match tokio::time::timeout_at(end, exchange(&self.master, command)).await {
                // Even an empty answer ends with a line break.
                Ok(Ok(answer)) if !answer.is_empty() => return Ok(answer),
                Ok(Ok(_)) => io::Error::from(io::ErrorKind::UnexpectedEof),
                Ok(Err(error)) => error,
                Err(elapsed) => return Err(elapsed.into()),
            };
            if Instant::now() + AGAIN >= end {
                return Err(error);
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Asks one worker.
    pub async fn worker(&self, pid: u32, command: &str) -> io::Result<String> {
        self.ask(&format!("@!{pid} {command}")).await
    }

    /// Sends commands to one worker, in order; the text of their answers.
    pub async fn worker_all(&self, pid: u32, commands: &[String]) -> io::Result<String> {
        let line: Vec<String> = commands.iter().map(|c| format!("@!{pid} {c}")).collect();
        let answer = self.ask(&line.join(";")).await?;
        Ok(answer.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; "))
    }

    /// All processes now.
    pub async fn processes(&self) -> io::Result<Processes> {
        Ok(parse_processes(&self.ask("show proc").await?))
    }

    /// Starts a reload and returns: the master closes the connection without an answer.
    pub async fn begin_reload(&self) -> io::Result<()> {
        once(&self.master, "reload").await.map(drop)
    }
}

fn parse_processes(text: &str) -> Processes {
    let mut found = Processes::default();
    let mut section = "";
    for line in text.lines() {
        if line.starts_with("# ") {
            section = line;
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(pid) = words.next().and_then(|w| w.parse().ok()) else { continue };
        match (words.next(), section) {
            (Some("master"), _) => {
                found.master = pid;
                found.reloads = words.next().and_then(|w| w.parse().ok()).unwrap_or(0);
            }
            (Some("worker"), "# workers") => found.current = Some(pid),
            (Some("worker"), "# old workers") => found.old.push(pid),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_list_of_processes() {
        let text = "#<PID>          <type>          <reloads>       <uptime>        <version>      \n\
1162            master          5 [failed: 0]   0d00h02m07s     2.6.12\n# workers\n\
1271            worker          1               0d00h00m00s     2.6.12\n# old workers\n\
1233            worker          3               0d00h00m43s     2.6.12\n# programs\n\n";
        assert_eq!(parse_processes(text), Processes { master: 1162, reloads: 5, current: Some(1271), old: vec![1233] });
        assert_eq!(parse_processes(""), Processes::default());
    }
}
