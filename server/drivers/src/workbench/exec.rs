//! A command in a workbench, run to its end.

use super::{Place, refused, transient};
use crate::docker_engine::{message, status};
use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use futures::StreamExt;
use padis_domain::ports::PortResult;
use std::time::Duration;

/// Bytes of what it says that are kept.
const KEPT: usize = 2048;
/// Between two looks for the exit code: Docker learns of the end a moment after the output has ended.
const LOOK: Duration = Duration::from_millis(20);

/// How a command ended.
pub(super) struct Ended {
    /// Its exit code.
    pub code: i64,
    /// The beginning of what it said, on both streams.
    pub said: String,
}

/// Makes a process, not yet started; its id. As root, in `/`: what the image's folder was may be gone.
pub(super) async fn make(place: &Place, name: &str, options: CreateExecOptions<String>) -> PortResult<String> {
    let options = CreateExecOptions {
        user: Some("0".to_owned()),
        working_dir: Some("/".to_owned()),
        attach_stdout: options.attach_stdout.or(Some(true)),
        ..options
    };
    match place.engine.docker().await?.create_exec(name, options).await {
        Ok(made) => Ok(made.id),
        Err(error) => Err(match status(&error) {
            Some(404) => refused(format!("there is no container {name}")),
            Some(409) => refused("the workbench does not run: it has to be started first"),
            _ => place.engine.failed(&format!("make a process in {name}"), false, error),
        }),
    }
}

/// Runs a command to its end, which has to come within `limit`.
pub(super) async fn run(place: &Place, name: &str, command: Vec<String>, limit: Duration) -> PortResult<Ended> {
    let run = async {
        let options =
            CreateExecOptions { cmd: Some(command), attach_stderr: Some(true), ..CreateExecOptions::default() };
        let id = make(place, name, options).await?;
        let docker = place.engine.docker().await?;
        let what = format!("run a command in {name}");
        let failed = |error| place.engine.failed(&what, true, error);
        let mut said = Vec::new();
        match docker.start_exec(&id, None::<StartExecOptions>).await {
            Ok(StartExecResults::Attached { mut output, .. }) => {
                while let Some(piece) = output.next().await {
                    let piece = piece.map_err(failed)?.into_bytes();
                    let room = KEPT.saturating_sub(said.len()).min(piece.len());
                    said.extend_from_slice(&piece[..room]);
                }
            }
            Ok(StartExecResults::Detached) => {}
            Err(error) if status(&error).is_some() => return Ok(Ended { code: 126, said: message(&error).to_owned() }),
            Err(error) => return Err(failed(error)),
        }
        loop {
            let found = docker.inspect_exec(&id).await.map_err(failed)?;
            match found.exit_code {
                Some(code) if found.running != Some(true) => {
                    return Ok(Ended { code, said: String::from_utf8_lossy(&said).trim().to_owned() });
                }
                _ => tokio::time::sleep(LOOK).await,
            }
        }
    };
    let late = |_| Err(transient(format!("a command in {name} did not end within {} s", limit.as_secs())));
    tokio::time::timeout(limit, run).await.unwrap_or_else(late)
}
