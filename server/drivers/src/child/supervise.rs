//! The loop that keeps one child alive: start, wait until ready, wait for its end
//! or an order, back off, again.

use super::log::Log;
use super::spec::{Spec, pid_of};
use super::{Order, State, spawner, stale};
use rustix::process::{Signal, kill_process, kill_process_group};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tokio::process::Child as Process;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How long a dead child's last words are waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The copying of a child's output into its log; to be detached, not dropped.
type Output = JoinSet<()>;

pub(super) struct Supervisor {
    pub spec: Spec,
    pub program: PathBuf,
    pub setpriv: PathBuf,
    pub log: Log,
    pub state: watch::Sender<State>,
    pub pid: watch::Sender<Option<u32>>,
}

/// How one life of the process ended.
enum End {
    /// By itself, or it was not ready in time; in words.
    Died(String),
    /// We were told to.
    Ordered(Order),
}

impl Supervisor {
    pub(super) async fn run(self, mut inbox: mpsc::Receiver<Order>) {
        let name = self.spec.name.clone();
        let mut attempt = 0;
        loop {
            let begun = Instant::now();
            let end = match self.start().await {
                Ok((process, mut output)) => {
                    let end = self.life(process, &mut output, &mut inbox).await;
                    // What a descendant still says goes on into the log.
                    output.detach_all();
                    end
                }
                Err(error) => End::Died(format!("it could not be started: {error}")),
            };
            self.pid.send_replace(None);
            stale::forget(&self.spec);
            let last_exit = match end {
                End::Ordered(Order::Stop) => break,
                End::Ordered(Order::Restart) => {
                    attempt = 0;
                    self.state.send_replace(State::Starting);
                    continue;
                }
                End::Died(why) => why,
            };
            attempt = if begun.elapsed() >= self.spec.backoff.forgive_after { 1 } else { attempt + 1 };
            let wait = self.spec.backoff.wait(attempt);
            tracing::warn!(child.name = %name, child.attempt = attempt, child.wait_ms = wait.as_millis() as u64,
                "a supervised child ended and will be restarted: {last_exit}");
            self.state.send_replace(State::Restarting { attempt, last_exit });
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                order = inbox.recv() => if !matches!(order, Some(Order::Restart)) { break },
            }
        }
        tracing::info!(child.name = %name, "a supervised child is stopped");
        self.state.send_replace(State::Stopped);
    }

    async fn start(&self) -> std::io::Result<(Process, Output)> {
        self.log.new_start();
        let mut command = spawner::command(&self.setpriv, &self.program, &self.spec.args);
        command.envs(self.spec.env.iter().map(|(k, v)| (k, v)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(cwd) = &self.spec.cwd {
            command.current_dir(cwd);
        }
        let mut process = spawner::spawn(command).await?;
        let mut output = JoinSet::new();
        if let Some(pipe) = process.stdout.take() {
            output.spawn(self.log.clone().drain(pipe));
        }
        if let Some(pipe) = process.stderr.take() {
            output.spawn(self.log.clone().drain(pipe));
        }
        if let Some(pid) = process.id() {
            self.pid.send_replace(Some(pid));
            stale::record(&self.spec, &self.program, pid)?;
        }
        Ok((process, output))
    }

    async fn life(&self, mut process: Process, output: &mut Output, inbox: &mut mpsc::Receiver<Order>) -> End {
        let since = SystemTime::now();
        let pid = process.id();
        let ready = async {
            let mut pause = Duration::from_millis(20);
            while !(self.spec.ready)().await {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(200));
            }
        };
        tokio::select! {
            biased;
            status = process.wait() => return End::Died(self.words(status, output).await),
            order = inbox.recv() => return self.obey(order, &mut process).await,
            became = tokio::time::timeout(self.spec.ready_within, ready) => if became.is_err() {
                let why = format!("it was not ready within {} ms; {}", self.spec.ready_within.as_millis(), self.log.last_words());
                self.end(&mut process).await;
                return End::Died(why);
            }
        }
        if let Some(pid) = pid {
            tracing::info!(child.name = %self.spec.name, child.pid = pid, "a supervised child is running");
            self.state.send_replace(State::Running { pid, since });
        }
        tokio::select! {
            why = self.silent() => {
                self.end(&mut process).await;
                End::Died(why)
            }
            status = process.wait() => {
                self.sweep(pid);
                End::Died(self.words(status, output).await)
            }
            order = inbox.recv() => self.obey(order, &mut process).await,
        }
    }

    /// Ends when the running child has not answered as often as its pulse says; in words.
    async fn silent(&self) -> String {
        let Some(pulse) = self.spec.pulse else { return std::future::pending().await };
        let mut misses = 0;
        while misses < pulse.misses {
            tokio::time::sleep(pulse.every).await;
            let answered = tokio::time::timeout(pulse.within, (self.spec.ready)()).await.unwrap_or(false);
            misses = if answered { 0 } else { misses + 1 };
        }
        format!("it ran and did not answer {misses} times in a row, {} ms apart", pulse.every.as_millis())
    }

    async fn obey(&self, order: Option<Order>, process: &mut Process) -> End {
        self.end(process).await;
        // A closed channel means that the handle was dropped: stop.
        End::Ordered(order.unwrap_or(Order::Stop))
    }

    /// SIGTERM to the leader, which knows its workers; SIGKILL to the group at the deadline.
    async fn end(&self, process: &mut Process) {
        let pid = process.id();
        if let Some(id) = pid.and_then(pid_of) {
            let _gone = kill_process(id, Signal::TERM);
        }
        if tokio::time::timeout(self.spec.stop_within, process.wait()).await.is_err() {
            tracing::warn!(child.name = %self.spec.name, "a supervised child ignored SIGTERM and is killed");
            self.sweep(pid);
            drop(process.wait().await);
        }
        self.sweep(pid);
    }

    /// What is left of the group: workers that outlived their leader.
    fn sweep(&self, pid: Option<u32>) {
        if let Some(id) = pid.and_then(pid_of) {
            // "No such process" is the usual and wanted answer.
            let _gone = kill_process_group(id, Signal::KILL);
        }
    }

    /// How it ended, with its last words. They may still be in the pipe; a descendant
    /// that lives on holds the pipe open, so the wait has an end.
    async fn words(&self, status: std::io::Result<ExitStatus>, output: &mut Output) -> String {
        let heard = async { while output.join_next().await.is_some() {} };
        let _still_open = tokio::time::timeout(LAST_WORDS, heard).await;
        let how = match status {
            Ok(status) => status.to_string(),
            Err(error) => format!("its end could not be observed: {error}"),
        };
        let last = self.log.last_words();
        if last.is_empty() { how } else { format!("{how}; its last words: {last}") }
    }
}
