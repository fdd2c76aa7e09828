//! Copying a container's output into its sandbox.
//!
//! Docker keeps the output only as long as the container; people ask for it
//! afterwards. Lines are asked for with Docker's timestamps, and the timestamp of
//! the last line is saved beside the file together with the file's length: after
//! a crash the file is cut to that length and the copy goes on after that line,
//! so that no line is lost and none is written twice. The container is removed
//! once its output is copied, and only then.

use super::{CallError, Node};
use crate::core::Core;
use crate::sandbox::Growing;
use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt;
use padis_protocol::timestamp;
use std::sync::Arc;
use std::time::Duration;

/// How often the place is saved while lines come in.
const SAVE: Duration = Duration::from_secs(1);

/// Follows a task's container to its end, then removes it.
pub(crate) async fn follow(core: &Arc<Core>, id: &str) {
    let mut pause = Duration::from_millis(50);
    loop {
        let known = core.look(|w| {
            let live = w.tasks.get(id);
            live.or_else(|| w.finished.get(id)).cloned().map(|t| (t, live.is_some()))
        });
        let Some((task, _)) = known else { return };
        let Some(node) = core.node_of(&task) else { return };
        let copied = tokio::select! {
            () = core.cancel.cancelled() => return,
            copied = copy(core, &node, &task.container, id) => copied,
        };
        if let Err(error) = &copied {
            tracing::debug!(task.id = %id, %error, "engine: the copy of a container's output broke off");
        }
        match node.inspect(&task.container).await {
            Ok(None) => {
                core.verify(id).await;
                return;
            }
            Ok(Some(seen)) if !seen.running && copied.is_ok() => {
                core.verify(id).await;
                if core.look(|w| !w.tasks.contains_key(id)) && node.remove(&task.container).await {
                    core.change(|w| {
                        if let Some(task) = w.finished.get_mut(id) {
                            task.removed = true;
                        }
                    });
                    return;
                }
            }
            _ => {}
        }
        tokio::select! {
            () = core.cancel.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error("Docker's log ended early")]
    Docker(#[from] CallError),
    #[error("the sandbox can't be written")]
    Disk(#[from] std::io::Error),
}

async fn copy(core: &Core, node: &Node, container: &str, id: &str) -> Result<(), CopyError> {
    let dir = core.sandboxes.of(id);
    let mut out = Growing::open(&dir, "stdout")?;
    let mut err = Growing::open(&dir, "stderr")?;
    // Whole seconds are all that the API takes: the lines of that second that are
    // known already are recognised by their timestamps.
    let seconds = |last: &str| timestamp::parse(last).map_or(0, |ms| i32::try_from(ms / 1000).unwrap_or(0));
    let since = seconds(&out.last).min(seconds(&err.last));
    let options = LogsOptionsBuilder::new().follow(true).stdout(true).stderr(true).timestamps(true).since(since);
    let docker = node.client().map_err(CallError::from)?;
    let mut lines = docker.logs(container, Some(options.build()));
    let mut save = tokio::time::interval(SAVE);
    save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let known = (out.last.clone(), err.last.clone());
    loop {
        tokio::select! {
            line = lines.next() => match line {
                None => break,
                Some(Ok(LogOutput::StdErr { message })) => put(&mut err, &known.1, &message)?,
                Some(Ok(LogOutput::StdOut { message } | LogOutput::Console { message })) => put(&mut out, &known.0, &message)?,
                Some(Ok(LogOutput::StdIn { .. })) => {}
                Some(Err(error)) => {
                    out.save()?;
                    err.save()?;
                    return Err(CopyError::Docker(error.into()));
                }
            },
            _ = save.tick() => {
                out.save()?;
                err.save()?;
            }
        }
    }
    out.save()?;
    err.save()?;
    Ok(())
}

/// One message is one line, or a piece of 16 KiB of a long one: a timestamp, a
/// blank, the bytes. Pieces of one line share their timestamp with the next lines
/// of the same instant only if the clock stood still, which nanoseconds rule out.
fn put(file: &mut Growing, known: &str, message: &[u8]) -> std::io::Result<()> {
    let (stamp, data) = match message.iter().position(|&b| b == b' ') {
        Some(at) if looks_like_stamp(&message[..at]) => {
            (std::str::from_utf8(&message[..at]).unwrap_or(""), &message[at + 1..])
        }
        _ => ("", message),
    };
    if !stamp.is_empty() && !known.is_empty() && stamp <= known {
        return Ok(());
    }
    file.write(stamp, data)
}

fn looks_like_stamp(text: &[u8]) -> bool {
    text.len() >= 20 && text[4] == b'-' && text[10] == b'T' && text.ends_with(b"Z")
}
