//! A supervised child process, for the servers that Padis brings with it
//! (`docker-registry`, HAProxy).
//!
//! Why its own supervisor: the product runs in the foreground of one terminal,
//! so there is no init system to restart what dies, to rotate its log or to stop
//! it with us. What one could get wrong, and what is done about it:
//!
//! * *The parent is killed with SIGKILL and the child stays, holding its port.*
//!   The child asks the kernel for SIGTERM on our death (`setpriv --pdeathsig`, as
//!   `prctl` needs `unsafe`). The kernel means the death of the **thread** that
//!   forked, so forking is left to one thread that lives as long as the process.
//!   Whatever escapes that (a child that ignores SIGTERM) is found at the next
//!   start by its pid file and stopped, but only if start time, boot and command
//!   line are the recorded ones: pids are reused.
//! * *A child that dies at once is restarted in a tight loop.* Back-off doubles
//!   from [`Backoff::first`] to [`Backoff::most`] and starts anew only after the
//!   child stayed alive for [`Backoff::forgive_after`].
//! * *Running is taken for ready.* [`State::Running`] is entered when the ready
//!   condition has held once, not when the process exists.
//! * *A pipe nobody reads stops the child.* Output is always drained, into a log
//!   file that is rotated at a size.

mod log;
mod spawner;
mod spec;
mod stale;
mod supervise;

pub use spec::{Backoff, Pulse, Ready, Spec};

use rustix::process::Signal;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, watch};

/// Where the child is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The process exists (or is about to); the ready condition has not held yet.
    Starting,
    /// Ready, with this process id since this time.
    Running {
        /// Process id, which is also its process group's id.
        pid: u32,
        /// When the process was started.
        since: SystemTime,
    },
    /// It ended by itself (or was not ready in time) and waits for its next start.
    Restarting {
        /// How many starts in a row have failed.
        attempt: u32,
        /// How it ended, with its last words, for people.
        last_exit: String,
    },
    /// Stopped on request; it will not be started again.
    Stopped,
}

/// Why a child could not be started or did not become ready.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// The program is not installed.
    #[error("{program} is not installed (looked in PATH, /usr/sbin and /sbin)")]
    NotInstalled {
        /// Name or path that was looked for.
        program: String,
    },
    /// A folder or file of ours could not be made or read.
    #[error("{name}: cannot use {path}")]
    File {
        /// The child's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// An address that it needs is not to be had.
    #[error("{name} cannot listen on {address}")]
    Address {
        /// The child's name.
        name: String,
        /// The address.
        address: std::net::SocketAddr,
        /// Why: in use by another program, most likely.
        #[source]
        cause: std::io::Error,
    },
    /// A child of an earlier run holds on although it was killed.
    #[error("{name}: process {pid} of an earlier run cannot be stopped")]
    Stale {
        /// The child's name.
        name: String,
        /// Its process id.
        pid: u32,
    },
    /// The first ready condition did not hold in time.
    #[error("{name} is not ready after {waited_ms} ms: {why}")]
    NotReady {
        /// The child's name.
        name: String,
        /// How long was waited.
        waited_ms: u128,
        /// Its state in words.
        why: String,
    },
    /// No process to send a signal to.
    #[error("{name} is not running")]
    NotRunning {
        /// The child's name.
        name: String,
    },
}

enum Order {
    Stop,
    Restart,
}

/// A handle on a supervised child. Dropping it stops the child as [`Child::stop`]
/// does, but without anybody waiting for the end.
pub struct Child {
    name: String,
    orders: mpsc::Sender<Order>,
    state: watch::Receiver<State>,
    pid: watch::Receiver<Option<u32>>,
}

impl Child {
    /// Stops what an earlier run left behind, then starts the child and keeps it
    /// alive. Returns when the supervisor is at work, not when the child is ready:
    /// see [`Child::ready`].
    pub async fn spawn(spec: Spec) -> Result<Self, ChildError> {
        let program = spec::resolve(&spec.program)?;
        let setpriv = spec::resolve(std::path::Path::new("setpriv"))?;
        for folder in [spec.log.parent(), spec.pid_file.parent()].into_iter().flatten() {
            std::fs::create_dir_all(folder).map_err(|cause| spec.file_error(folder, cause))?;
        }
        stale::stop(&spec, &program).await?;
        spec.addresses_free()?;
        let log = log::Log::open(&spec.log, spec.log_bytes).map_err(|cause| spec.file_error(&spec.log, cause))?;
        let (orders, inbox) = mpsc::channel(4);
        let (state_in, state) = watch::channel(State::Starting);
        let (pid_in, pid) = watch::channel(None);
        let name = spec.name.clone();
        tokio::spawn(supervise::Supervisor { spec, program, setpriv, log, state: state_in, pid: pid_in }.run(inbox));
        Ok(Self { name, orders, state, pid })
    }

    /// The state now.
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// A receiver that sees every later state (the latest one, when it is slow).
    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// The process id, also while it is not ready yet.
    pub fn pid(&self) -> Option<u32> {
        *self.pid.borrow()
    }

    /// Waits until the child is running, at most for `within`.
    pub async fn ready(&self, within: Duration) -> Result<u32, ChildError> {
        let begun = Instant::now();
        let mut state = self.state.clone();
        let running = state.wait_for(|s| matches!(s, State::Running { .. } | State::Stopped));
        if let Ok(Ok(now)) = tokio::time::timeout(within, running).await
            && let State::Running { pid, .. } = &*now
        {
            return Ok(*pid);
        }
        let why = match self.state() {
            State::Restarting { last_exit, attempt } => format!("start {attempt} failed: {last_exit}"),
            State::Stopped => "it was stopped".to_owned(),
            State::Starting | State::Running { .. } => "it runs but does not answer".to_owned(),
        };
        Err(ChildError::NotReady { name: self.name.clone(), waited_ms: begun.elapsed().as_millis(), why })
    }

    /// Sends a signal to the child's leading process, for example SIGUSR2 for a reload.
    pub fn signal(&self, signal: Signal) -> Result<(), ChildError> {
        let gone = || ChildError::NotRunning { name: self.name.clone() };
        let pid = self.pid().and_then(spec::pid_of).ok_or_else(gone)?;
        rustix::process::kill_process(pid, signal).map_err(|_| gone())
    }

    /// Stops the process and starts it anew at once, without back-off: for a changed configuration
    /// that the program cannot reload.
    pub async fn restart(&self) {
        // A supervisor that is gone has stopped its child already.
        drop(self.orders.send(Order::Restart).await);
    }

    /// SIGTERM, a wait of at most [`Spec::stop_within`], SIGKILL to the whole group.
    /// Returns when the process is gone.
    pub async fn stop(&self) {
        drop(self.orders.send(Order::Stop).await);
        let mut state = self.state.clone();
        // An error means that the supervisor has ended, and its child with it.
        drop(state.wait_for(|s| *s == State::Stopped).await);
    }
}
