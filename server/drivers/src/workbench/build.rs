//! An image is built by the Docker Engine, told as it goes on, and pushed.
//!
//! In this order: look whether it is there already; take away what an earlier call has left
//! behind; have the base; build; push, which names the tag last; ask the registry for the digest;
//! take the engine's own image away.
//!
//! What one could get wrong:
//!
//! * The answer's status is 200 before anything was built: what failed is told in a line.
//! * Docker stops a build whose caller is gone, but an engine that was killed leaves the
//!   container of the step behind, and the images of those before. They bear the build's label
//!   ([`super::recipe`]), which an instance of the finished image bears, too: so nothing that runs
//!   is taken away.
//! * What is sent is not kept in memory: a thread packs it while the connection takes it.

use super::commit::{Named, check};
use super::{CALL, DockerWorkbench, Place, recipe, refused, transient};
use crate::docker_engine::status;
use bollard::errors::Error;
use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::{
    BuildImageOptions, BuildImageOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptions,
};
use bytes::Bytes;
use futures::StreamExt;
use padis_domain::ports::{BUILD_LABEL, BuildStep, ImageBuild, PortResult};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

/// The whole build; packages come over slow lines.
const BUILD: Duration = Duration::from_secs(3600);
/// Removing images on a busy disk.
const REMOVE: Duration = Duration::from_secs(120);
/// What a step may use: a core, and as much memory as a workbench.
const CPU_PERIOD_US: i32 = 100_000;
const MEMORY: i32 = 1 << 30;
/// Docker ends the step of a build whose caller is gone within this time, and is asked so often.
const ENDED: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(100);
/// Pieces of what is sent that wait for the connection.
const AHEAD: usize = 8;

/// Writes into a channel, from a thread.
struct Pieces(Sender<io::Result<Bytes>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes))).map_err(gone)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is sent: the Dockerfile, and the files as [`recipe::place_of`] names them.
fn pack(to: impl Write, dockerfile: &str, wanted: &ImageBuild) -> io::Result<()> {
    let mut tar = tar::Builder::new(io::BufWriter::with_capacity(64 << 10, to));
    let header = |bytes: u64, mode: u32| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes);
        header.set_mode(mode);
        header
    };
    tar.append_data(&mut header(dockerfile.len() as u64, 0o644), "Dockerfile", dockerfile.as_bytes())?;
    for (n, file) in wanted.files.iter().enumerate() {
        let from = File::open(&file.from)?;
        if from.metadata()?.len() != file.bytes {
            return Err(io::Error::other(format!("the file for {} is not as long as it was", file.path)));
        }
        let mode = if file.executable { 0o755 } else { 0o644 };
        tar.append_data(&mut header(file.bytes, mode), recipe::place_of(n), from)?;
    }
    tar.into_inner()?.flush()
}

/// `Step 3/9 : RUN …`, as Docker begins each step.
fn step(line: &str) -> Option<(u32, u32)> {
    let (at, of) = line.strip_prefix("Step ")?.split_once(" :")?.0.split_once('/')?;
    Some((at.parse().ok()?, of.parse().ok()?))
}

/// Why a build has failed, without the whole command, which stands in what was told.
fn why(error: &str, at: (u32, u32)) -> String {
    match error.rsplit_once("returned a non-zero code: ") {
        Some((_, code)) => format!("step {} of {} ended with code {}", at.0, at.1, code.trim()),
        None => error.to_owned(),
    }
}

/// What programs say without what is only meant for terminals: colours, and lines that are
/// written over.
#[derive(Default)]
struct Plain {
    escape: Escape,
    returned: bool,
}

#[derive(Default, PartialEq)]
enum Escape {
    #[default]
    No,
    /// After ESC.
    Begun,
    /// After ESC and `[`, until a letter (ECMA-48, 5.4).
    Control,
}

impl Plain {
    fn take(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match (&self.escape, c) {
                (_, '\u{1b}') => self.escape = Escape::Begun,
                (Escape::Begun, '[') => self.escape = Escape::Control,
                (Escape::Begun, _) => self.escape = Escape::No,
                (Escape::Control, '@'..='~') => self.escape = Escape::No,
                (Escape::Control, _) => {}
                (Escape::No, '\r') => self.returned = true,
                (Escape::No, c) => {
                    if std::mem::take(&mut self.returned) && c != '\n' {
                        out.push('\n');
                    }
                    if !c.is_control() || matches!(c, '\n' | '\t') {
                        out.push(c);
                    }
                }
            }
        }
        out
    }
}

fn options(reference: &str) -> BuildImageOptions {
    // The cache would give packages of another day.
    BuildImageOptionsBuilder::new()
        .dockerfile("Dockerfile")
        .t(reference)
        .nocache(true)
        .rm(true)
        .forcerm(true)
        .memory(MEMORY)
        .memswap(MEMORY)
        .cpuperiod(CPU_PERIOD_US)
        .cpuquota(CPU_PERIOD_US)
        .build()
}

impl DockerWorkbench {
    pub(super) async fn build_image(
        &self,
        wanted: &ImageBuild,
        tell: &(dyn Fn(BuildStep) + Send + Sync),
    ) -> PortResult<String> {
        let place = self.place(&wanted.host)?;
        check(&wanted.tag)?;
        recipe::check(wanted)?;
        let mut labels: BTreeMap<String, String> = wanted.labels.clone();
        labels.insert(BUILD_LABEL.to_owned(), wanted.id.clone());
        let named = Named { repository: &wanted.repository, tag: &wanted.tag, labels: &labels };
        if let Some(digest) = self.made(named).await? {
            return Ok(digest);
        }
        let repository = format!("{}/{}", self.registry_name, wanted.repository);
        let reference = format!("{repository}:{}", wanted.tag);
        place.clear_containers(&wanted.id).await?;
        place.untag(&reference).await;
        place.clear_images(&wanted.id).await;
        let built = self.built(place, wanted, &reference, tell).await;
        let pushed = match built {
            Ok(()) => self.publish(place, named, &repository, &|step| tell(BuildStep::Commit(step))).await,
            Err(error) => Err(error),
        };
        // Also after a failure: who never comes back leaves nothing behind.
        place.untag(&reference).await;
        place.clear_images(&wanted.id).await;
        pushed
    }

    async fn built(
        &self,
        place: &Place,
        wanted: &ImageBuild,
        reference: &str,
        tell: &(dyn Fn(BuildStep) + Send + Sync),
    ) -> PortResult<()> {
        let base = self.reference(&wanted.base.0, &wanted.base.1);
        let found = self.image(place, &base).await?;
        let user = found.config.and_then(|c| c.user).unwrap_or_default();
        let dockerfile = recipe::dockerfile(wanted, &base, &user)?;
        let (sender, pieces) = channel(AHEAD);
        let (packed, what) = (wanted.clone(), format!("build {reference}"));
        tokio::task::spawn_blocking(move || {
            let broken = sender.clone();
            if let Err(error) = pack(Pieces(sender), &dockerfile, &packed) {
                // Nobody listens any more: then nobody has to hear of it.
                let _heard = broken.blocking_send(Err(error));
            }
        });
        let docker = place.engine.patient(BUILD).await?;
        let context = bollard::body_try_stream(ReceiverStream::new(pieces));
        let mut said = std::pin::pin!(docker.build_image(options(reference), None, Some(context)));
        let all = async {
            let (mut now, mut plain) = ((0, 0), Plain::default());
            while let Some(line) = said.next().await {
                let line = line.map_err(|error| match error {
                    Error::DockerStreamError { error } => {
                        let why = why(&error, now);
                        tell(BuildStep::Said(format!("{why}\n")));
                        refused(why)
                    }
                    error => place.engine.failed(&what, true, error),
                })?;
                if let Some(text) = line.stream {
                    if let Some(at) = step(&text) {
                        now = at;
                        tell(BuildStep::At(at.0, at.1));
                    }
                    tell(BuildStep::Said(plain.take(&text)));
                }
            }
            Ok(())
        };
        match tokio::time::timeout(BUILD, all).await {
            Ok(done) => done?,
            Err(_) => return Err(refused(format!("{what}: it has not ended within an hour"))),
        }
        // An answer that ends early has no error in it.
        match place.engine.docker().await?.inspect_image(reference).await {
            Ok(image) if image.config.as_ref().is_some_and(|c| bears(c.labels.as_ref(), &wanted.id)) => Ok(()),
            Ok(_) => Err(transient(format!("{what}: the engine has another image of that name"))),
            Err(error) => Err(place.engine.failed(&what, false, error)),
        }
    }
}

fn runs(container: &ContainerSummary) -> bool {
    container.state == Some(ContainerSummaryStateEnum::RUNNING)
}

fn bears(labels: Option<&HashMap<String, String>>, id: &str) -> bool {
    labels.and_then(|l| l.get(BUILD_LABEL)).is_some_and(|had| had == id)
}

impl Place {
    /// Takes away containers of steps: those that an engine which was killed has left, and those
    /// of a build whose caller is gone when Docker has ended them, which takes it a moment. One
    /// that runs is left alone: it may be an instance of the finished image.
    pub(super) async fn clear_containers(&self, id: &str) -> PortResult<()> {
        let wanted = format!("{BUILD_LABEL}={id}");
        let filters = HashMap::from([("label", vec![wanted.as_str()])]);
        let docker = self.engine.patient(CALL).await?;
        let failed = |e: Error| self.engine.failed("clear up after a build", true, e);
        let until = Instant::now() + ENDED;
        let found = loop {
            let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
            let found = docker.list_containers(Some(options)).await.map_err(failed)?;
            if Instant::now() >= until || !found.iter().any(runs) {
                break found;
            }
            tokio::time::sleep(LOOK).await;
        };
        for container in found.iter().filter(|c| !runs(c)) {
            let options = RemoveContainerOptionsBuilder::new().v(true).build();
            match docker.remove_container(container.id.as_deref().unwrap_or_default(), Some(options)).await {
                // Docker has done so itself meanwhile, or is at it.
                Err(error) if matches!(status(&error), Some(404 | 409)) => {}
                other => other.map_err(failed)?,
            }
        }
        Ok(())
    }

    /// Takes away images of steps that no name leads to. Best effort: what is used stays.
    pub(super) async fn clear_images(&self, id: &str) {
        let Ok(docker) = self.engine.patient(REMOVE).await else { return };
        let wanted = format!("{BUILD_LABEL}={id}");
        let filters = HashMap::from([("label", vec![wanted.as_str()]), ("dangling", vec!["true"])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let Ok(found) = docker.list_images(Some(options)).await else { return };
        for image in found {
            if let Err(error) = docker.remove_image(&image.id, None::<RemoveImageOptions>, None).await {
                tracing::debug!(image = image.id, docker.at = self.engine.endpoint(), %error, "an image stays on the engine");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_as_docker_counts_them() {
        assert_eq!(step("Step 3/12 : RUN [\"x\"]"), Some((3, 12)));
        for other in ["Step", "Step x/1 : y", " ---> 1234", "Step 1 : x"] {
            assert_eq!(step(other), None);
        }
    }

    #[test]
    fn what_is_meant_for_terminals_is_left_out() {
        let mut plain = Plain::default();
        let pieces = ["\u{1b}[9", "1mE: no\u{1b}[0m\r", "\n10%\r20%\r", "\u{7}done\t.\n"];
        let said: String = pieces.iter().map(|p| plain.take(p)).collect();
        assert_eq!(said, "E: no\n10%\n20%\ndone\t.\n");
    }

    #[test]
    fn a_step_that_failed_is_said_without_the_command() {
        let error = "The command '/bin/sh -c x' returned a non-zero code: 100";
        assert_eq!(why(error, (3, 9)), "step 3 of 9 ended with code 100");
        assert_eq!(why("COPY failed: no space left on device", (1, 2)), "COPY failed: no space left on device");
    }
}
