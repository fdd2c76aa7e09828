//! From files to a running child.

use super::cli::{self, Cli};
use super::config::{HaproxyConfig, Paths, replace};
use super::files::{self, Book};
use super::runtime::down_states;
use super::{HaproxyStartError, pages, render};
use crate::child::{Backoff, Child, Spec};
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::time::Duration;
use tokio::time::Instant;

/// A Unix socket's path has at most 107 bytes; HAProxy appends `.PID.tmp` while it binds.
const LONGEST_FOLDER: usize = 80;
const READY_WITHIN: Duration = Duration::from_secs(10);
const ORPHAN_ENDS_WITHIN: Duration = Duration::from_secs(5);

/// Writes the files, keeps the services of an earlier run, and starts the child.
pub(super) async fn start(config: &HaproxyConfig) -> Result<(Paths, Book, Child), HaproxyStartError> {
    let folder = std::path::absolute(&config.folder).map_err(|cause| file(&config.folder, cause))?;
    if let Some(why) = unusable(&folder) {
        return Err(HaproxyStartError::Folder { folder, why });
    }
    let paths = Paths { folder };
    let book = prepare(config, &paths).map_err(|cause| file(&paths.folder, cause))?;
    end_orphan(&paths).await?;
    let complaint = files::validate(&config.program, &[&paths.conf()])
        .await
        .map_err(|cause| HaproxyStartError::Program { program: config.program.clone(), cause })?;
    if let Err(complaint) = complaint {
        return Err(HaproxyStartError::Configuration { complaint });
    }
    // HAProxy would say so only in its log, and be started again and again.
    drop(
        std::net::TcpListener::bind(config.listen)
            .map_err(|cause| HaproxyStartError::Listen { listen: config.listen, cause })?,
    );
    let child = Child::spawn(spec(config, &paths)).await?;
    child.ready(READY_WITHIN).await?;
    Ok((paths, book, child))
}

/// Paths of ours stand in arguments of converters and of commands, which have no
/// common way to quote.
fn unusable(folder: &std::path::Path) -> Option<String> {
    let text = folder.to_string_lossy();
    if text.len() > LONGEST_FOLDER {
        return Some(format!("it has {} bytes, {LONGEST_FOLDER} at most are possible", text.len()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let found = text.chars().find(|c| !plain(*c))?;
    Some(format!("it holds the character “{found}”; letters, digits and /._- are possible"))
}

fn file(path: &std::path::Path, cause: io::Error) -> HaproxyStartError {
    HaproxyStartError::File { path: path.to_owned(), cause }
}

fn prepare(config: &HaproxyConfig, paths: &Paths) -> io::Result<Book> {
    // Its worker, as another user, goes through the folder to `gate.sock`, and nowhere else.
    std::fs::DirBuilder::new().recursive(true).mode(0o711).create(&paths.folder)?;
    std::fs::set_permissions(&paths.folder, std::fs::Permissions::from_mode(0o711))?;
    // What an earlier run was trying out when it was killed.
    if let Err(error) = std::fs::remove_dir_all(paths.folder.join("trial"))
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    for name in ["conf.d", "trial", "pages"] {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(paths.folder.join(name))?;
    }
    replace(&paths.page("404.html"), pages::unknown_host().as_bytes())?;
    for (name, _, content) in pages::error_files() {
        replace(&paths.page(name), content.as_bytes())?;
    }
    replace(&paths.states(), down_states("").as_bytes())?;
    let run_as = rustix::process::geteuid().is_root().then(haproxy_user).flatten();
    replace(&paths.global(), render::global(config, paths, run_as).as_bytes())?;
    let book = files::read(paths)?;
    files::write_map(paths, &book)?;
    Ok(book)
}

/// The user that Debian's package makes. As root, the worker drops to it.
fn haproxy_user() -> Option<&'static str> {
    let known =
        |file| std::fs::read_to_string(file).is_ok_and(|t: String| t.lines().any(|l| l.starts_with("haproxy:")));
    (known("/etc/passwd") && known("/etc/group")).then_some("haproxy")
}

fn spec(config: &HaproxyConfig, paths: &Paths) -> Spec {
    let cli = Cli { master: paths.master() };
    let text = |p: std::path::PathBuf| p.display().to_string();
    let mut spec = Spec::new("haproxy", &config.program, &paths.folder)
        .args(["-W".to_owned(), "-S".to_owned(), text(paths.master()), "-f".to_owned(), text(paths.conf())])
        .ready(move || {
            let cli = cli.clone();
            async move {
                let Ok(answer) = cli::once(&cli.master, "show proc").await else { return false };
                answer.contains("# workers") && cli.processes().await.is_ok_and(|p| p.current.is_some())
            }
        });
    spec.ready_within = READY_WITHIN;
    spec.stop_within = Duration::from_secs(3);
    // Every application is unreachable meanwhile.
    spec.backoff = Backoff {
        first: Duration::from_millis(20),
        most: Duration::from_secs(5),
        forgive_after: Duration::from_secs(10),
    };
    spec
}

/// Ends a HAProxy of an earlier run that still answers on our master socket. The
/// supervisor's pid file can't tell it: a reload changes its command line.
async fn end_orphan(paths: &Paths) -> Result<(), HaproxyStartError> {
    let Ok(answer) = cli::once(&paths.master(), "show proc").await else { return Ok(()) };
    let pids: Vec<Pid> = answer
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split_whitespace().next()?.parse().ok())
        .filter_map(Pid::from_raw)
        .collect();
    tracing::info!(balancer.folder = %paths.folder.display(), "a HAProxy of an earlier run is stopped");
    for (signal, within) in [(Signal::TERM, ORPHAN_ENDS_WITHIN), (Signal::KILL, ORPHAN_ENDS_WITHIN)] {
        for pid in if signal == Signal::TERM { &pids[..pids.len().min(1)] } else { &pids[..] } {
            // It may have ended by itself.
            let _ = kill_process(*pid, signal);
        }
        let end = Instant::now() + within;
        while Instant::now() < end {
            if cli::once(&paths.master(), "show proc").await.is_err() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Err(HaproxyStartError::Orphan { folder: paths.folder.clone() })
}
