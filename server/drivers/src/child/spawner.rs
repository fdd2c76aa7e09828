//! The thread that forks.
//!
//! `PR_SET_PDEATHSIG` fires when the *thread* that forked ends, not the process
//! (prctl(2)). Tokio's worker threads usually live as long as the runtime, but a
//! worker that entered `block_in_place` becomes a blocking thread and ends after
//! ten idle seconds, and a runtime may be dropped before the process: the child
//! would be killed for no reason that anybody could see. This thread never ends.

use std::io;
use std::path::Path;
use std::sync::{OnceLock, mpsc};
use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Job {
    command: Command,
    runtime: Handle,
    answer: oneshot::Sender<io::Result<tokio::process::Child>>,
}

static SPAWNER: OnceLock<Option<mpsc::Sender<Job>>> = OnceLock::new();

fn start() -> Option<mpsc::Sender<Job>> {
    let (sender, jobs) = mpsc::channel::<Job>();
    let work = move || {
        for Job { mut command, runtime, answer } in jobs {
            let _in_runtime = runtime.enter();
            // Nobody waits any more: dropping the child kills it (`kill_on_drop`).
            drop(answer.send(command.spawn()));
        }
    };
    std::thread::Builder::new().name("padis-spawner".to_owned()).spawn(work).ok().map(|_| sender)
}

/// Forks `command` from the thread that never ends.
pub async fn spawn(command: Command) -> io::Result<tokio::process::Child> {
    let gone = || io::Error::other("the spawner thread could not be started");
    let sender = SPAWNER.get_or_init(start).as_ref().ok_or_else(gone)?;
    let (answer, done) = oneshot::channel();
    sender.send(Job { command, runtime: Handle::current(), answer }).map_err(|_| gone())?;
    done.await.map_err(|_| gone())?
}

/// A command that gets SIGTERM when we die, in a process group of its own.
pub fn command(setpriv: &Path, program: &Path, args: &[String]) -> Command {
    let mut command = Command::new(setpriv);
    command.arg("--pdeathsig").arg("TERM").arg("--").arg(program).args(args);
    command.process_group(0).kill_on_drop(true).env_clear();
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command
}
