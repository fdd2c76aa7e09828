//! What a child is: its program, where its log and pid file are, when it counts
//! as ready. Only the variables named here reach it: our own environment may hold
//! passwords that are none of its business.

use super::ChildError;
use futures::future::BoxFuture;
use rustix::process::Pid;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// An asynchronous condition: true when the child answers.
pub type Ready = Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// How long to wait between starts.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Before the first restart.
    pub first: Duration,
    /// Never more than this.
    pub most: Duration,
    /// A child that lived this long is restarted as if it had never failed.
    pub forgive_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(250),
            most: Duration::from_secs(10),
            forgive_after: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// The wait before restart number `attempt` (1, 2, …): doubling, capped.
    pub fn wait(&self, attempt: u32) -> Duration {
        self.first.saturating_mul(1 << attempt.saturating_sub(1).min(20)).min(self.most)
    }
}

/// How long a running child may fail to answer before it counts as dead.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    /// Between two questions.
    pub every: Duration,
    /// For one answer.
    pub within: Duration,
    /// Misses in a row until it is ended and started again.
    pub misses: u32,
}

/// A child to be supervised.
#[derive(Clone)]
pub struct Spec {
    /// Short name, for log messages.
    pub name: String,
    /// Program, a path or a name to look for in `PATH`, `/usr/sbin` and `/sbin`.
    pub program: PathBuf,
    /// Arguments.
    pub args: Vec<String>,
    /// Its whole environment, `PATH` aside.
    pub env: Vec<(String, String)>,
    /// Working folder; ours if absent.
    pub cwd: Option<PathBuf>,
    /// Standard output and standard error go here.
    pub log: PathBuf,
    /// The log is moved to `NAME.1` (replacing the former one) above this many bytes.
    pub log_bytes: u64,
    /// TCP addresses that it will listen on: one that somebody else has is found out
    /// before the start, instead of being taken for a child that is ready.
    pub listens: Vec<SocketAddr>,
    /// Tells the next run which process to look for.
    pub pid_file: PathBuf,
    /// When it counts as running.
    pub ready: Ready,
    /// A start that is not ready after this time has failed; the process is stopped.
    pub ready_within: Duration,
    /// Between SIGTERM and SIGKILL.
    pub stop_within: Duration,
    /// Waits between starts.
    pub backoff: Backoff,
    /// Asks the ready condition for as long as it runs: a process that exists and does
    /// not answer (stopped, in a deadlock) serves nobody. `None`: only its end counts.
    pub pulse: Option<Pulse>,
}

impl Spec {
    /// A child with log `NAME.log` and pid file `NAME.pid` in `folder`, ready as
    /// soon as it exists, 10 s to become ready and 5 s to stop, 8 MiB of log.
    pub fn new(name: &str, program: impl Into<PathBuf>, folder: &Path) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: None,
            log: folder.join(format!("{name}.log")),
            log_bytes: 8 * 1024 * 1024,
            listens: Vec::new(),
            pid_file: folder.join(format!("{name}.pid")),
            ready: Arc::new(|| Box::pin(async { true })),
            ready_within: Duration::from_secs(10),
            stop_within: Duration::from_secs(5),
            backoff: Backoff::default(),
            pulse: None,
        }
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds a variable.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Adds an address that it will listen on.
    pub fn listens(mut self, address: SocketAddr) -> Self {
        self.listens.push(address);
        self
    }

    /// Sets the ready condition; it is asked every 20 to 200 ms until it holds.
    pub fn ready<F, Fut>(mut self, condition: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.ready = Arc::new(move || Box::pin(condition()));
        self
    }

    /// Whether every address is free. Port 0 is.
    pub(super) fn addresses_free(&self) -> Result<(), ChildError> {
        self.listens.iter().try_for_each(|address| match std::net::TcpListener::bind(address) {
            Ok(_) => Ok(()),
            Err(cause) => Err(ChildError::Address { name: self.name.clone(), address: *address, cause }),
        })
    }

    pub(super) fn file_error(&self, path: &Path, cause: std::io::Error) -> ChildError {
        ChildError::File { name: self.name.clone(), path: path.to_owned(), cause }
    }
}

/// The program's absolute path. Daemons live in `sbin`, which an ordinary `PATH` lacks.
pub(super) fn resolve(program: &Path) -> Result<PathBuf, ChildError> {
    let missing = || ChildError::NotInstalled { program: program.display().to_string() };
    if program.components().count() > 1 {
        return program.canonicalize().map_err(|_| missing());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into(), "/usr/bin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .ok_or_else(missing)
}

/// A pid in the kernel's form; `None` for zero and for numbers that no process can have.
pub(super) fn pid_of(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit() {
        let b = Backoff::default();
        let waits: Vec<u128> = (1..=8).map(|n| b.wait(n).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        assert_eq!(b.wait(u32::MAX), b.most);
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = resolve(Path::new("padis-no-such-program")).unwrap_err();
        assert!(error.to_string().contains("padis-no-such-program is not installed"), "{error}");
        assert!(resolve(Path::new("sh")).unwrap().is_absolute());
    }
}
