//! A reload: the master re-executes itself, a new worker takes the listening socket
//! over, the old one finishes what it has.
//!
//! What one could get wrong:
//! * *Returning too early.* The old worker may still accept a connection until it
//!   has seen its signal, and would not know the new service. So a reload is over
//!   when the new worker runs and every other one says that it is stopping.
//! * *One reload for each change.* A reload costs 40 ms and a process that may live
//!   for minutes. Changes that are in their files by the time a reload begins are
//!   covered by it: whoever waits for one looks first whether it has happened.
//! * *Taking a failed load for success.* The master then runs on without a current
//!   worker; the old ones serve, and that is an error here.

use super::Inner;
use super::State;
use super::config::replace;
use super::runtime::down_states;
use super::stat;
use std::collections::HashSet;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// Changes that come within this time share a reload.
const GATHER: Duration = Duration::from_millis(3);
/// A reload with thousands of services takes seconds.
const WITHIN: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// A master without a current worker for this long has failed to load.
const NO_WORKER: Duration = Duration::from_millis(500);

impl Inner {
    /// Number of the reload that must have begun for a change made now to be covered.
    pub(super) fn want_reload(&self) -> u64 {
        self.wanted.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Returns when a reload that began after `ticket` was drawn is over.
    pub(super) async fn reload_for(&self, ticket: u64) -> io::Result<()> {
        tokio::time::sleep(GATHER).await;
        let mut state = self.state.lock().await;
        if state.reloaded >= ticket {
            return Ok(());
        }
        let covers = self.wanted.load(Ordering::SeqCst);
        self.reload(&mut state).await?;
        state.reloaded = covers;
        for held in state.book.values_mut() {
            held.loaded = true;
        }
        Ok(())
    }

    async fn reload(&self, state: &mut State) -> io::Result<()> {
        let begun = Instant::now();
        let before = self.cli.processes().await?;
        if let Some(pid) = before.current {
            state.totals.saw(pid, &stat::parse(&self.cli.worker(pid, "show stat -1 6 -1").await?));
            let states = self.cli.worker(pid, "show servers state").await?;
            replace(&self.paths.states(), down_states(&states).as_bytes())?;
        }
        self.cli.begin_reload().await?;
        let mut without_worker = None;
        let after = loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let now = self.cli.processes().await?;
            let another = now.master != before.master || now.reloads != before.reloads;
            if another && now.current.is_some_and(|pid| !before.workers().any(|p| p == pid)) {
                break now;
            }
            if another && now.current.is_none() && without_worker.get_or_insert_with(Instant::now).elapsed() > NO_WORKER
            {
                return Err(io::Error::other(
                    "HAProxy did not load its configuration (see its log); the old one is in force",
                ));
            }
            if begun.elapsed() > WITHIN {
                return Err(io::ErrorKind::TimedOut.into());
            }
        };
        for pid in &after.old {
            self.is_stopping(*pid, begun + WITHIN).await?;
        }
        // A worker that starts by itself later must not begin with a state of today.
        replace(&self.paths.states(), down_states("").as_bytes())?;
        state.totals.alive(&after.workers().collect::<HashSet<u32>>());
        tracing::debug!(
            balancer.reload_ms = begun.elapsed().as_millis() as u64,
            balancer.old_workers = after.old.len(),
            "HAProxy has loaded a new structure"
        );
        Ok(())
    }

    async fn is_stopping(&self, pid: u32, end: Instant) -> io::Result<()> {
        loop {
            let info = self.cli.worker(pid, "show info").await?;
            // Without such a line it has ended already.
            if info.lines().find_map(|l| l.strip_prefix("Stopping: ")).is_none_or(|s| s.trim() != "0") {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(io::ErrorKind::TimedOut.into());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}
