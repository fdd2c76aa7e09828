//! Finding the child of an earlier run.
//!
//! A pid alone proves nothing: it may belong to a stranger by now. The file keeps
//! the boot's id, the process's start time in ticks (`/proc/PID/stat`, field 22,
//! unique per pid within a boot) and the command line; only a process that has
//! all three is ours and may be signalled.

use super::ChildError;
use super::spec::{Spec, pid_of};
use rustix::process::{Signal, kill_process, kill_process_group};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

fn boot_id() -> io::Result<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|s| s.trim().to_owned())
}

/// Start time in clock ticks since boot; `None` when there is no such process or it is a zombie.
pub fn start_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let mut rest = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let state = rest.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    rest.nth(18)?.parse().ok()
}

fn command_line(pid: u32) -> Option<Vec<String>> {
    let raw = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&raw).into_owned();
    Some(text.trim_end_matches('\0').split('\0').map(str::to_owned).collect())
}

fn wanted_line(program: &Path, args: &[String]) -> Vec<String> {
    std::iter::once(program.display().to_string()).chain(args.iter().cloned()).collect()
}

/// Records the process that was just started.
pub fn record(spec: &Spec, program: &Path, pid: u32) -> io::Result<()> {
    let Some(ticks) = start_ticks(pid) else { return Ok(()) };
    let line = serde_json::to_string(&wanted_line(program, &spec.args))?;
    let fresh = spec.pid_file.with_extension("pid.new");
    std::fs::write(&fresh, format!("{pid}\n{ticks}\n{}\n{line}\n", boot_id()?))?;
    std::fs::rename(fresh, &spec.pid_file)
}

/// Forgets the process: it is gone.
pub fn forget(spec: &Spec) {
    let _absent = std::fs::remove_file(&spec.pid_file);
}

/// The recorded process, if it is still that process: its pid and when it started.
fn survivor(spec: &Spec, program: &Path) -> Option<(u32, u64)> {
    let text = std::fs::read_to_string(&spec.pid_file).ok()?;
    let mut lines = text.lines();
    let pid: u32 = lines.next()?.parse().ok()?;
    let ticks: u64 = lines.next()?.parse().ok()?;
    let boot = lines.next()?;
    let recorded: Vec<String> = serde_json::from_str(lines.next()?).ok()?;
    if boot != boot_id().ok()? || start_ticks(pid) != Some(ticks) {
        return None;
    }
    // Before `setpriv` has become the program, its own words stand in front.
    let now = command_line(pid)?;
    let ours = now.ends_with(&recorded) || now.ends_with(&wanted_line(program, &spec.args));
    ours.then_some((pid, ticks))
}

/// Stops the child of an earlier run, if there is one: SIGTERM, [`Spec::stop_within`],
/// SIGKILL to its group, two seconds more.
pub async fn stop(spec: &Spec, program: &Path) -> Result<(), ChildError> {
    let Some((pid, ticks)) = survivor(spec, program) else { return Ok(()) };
    let Some(id) = pid_of(pid) else { return Ok(()) };
    tracing::info!(child.name = %spec.name, child.pid = pid, "a child of an earlier run is still alive and is stopped");
    for (signal, wait) in [(Signal::TERM, spec.stop_within), (Signal::KILL, Duration::from_secs(2))] {
        // "No such process" is what is wanted.
        let _gone = if signal == Signal::KILL { kill_process_group(id, signal) } else { kill_process(id, signal) };
        let end = Instant::now() + wait;
        while Instant::now() < end {
            // Not `survivor`: a process that is ending has lost its command line
            // already while it still holds its port.
            if start_ticks(pid) != Some(ticks) {
                forget(spec);
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Err(ChildError::Stale { name: spec.name.clone(), pid })
}
