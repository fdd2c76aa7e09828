//! Making a workbench be there: the image pulled, the container made and started.
//!
//! Everything that is overridden is overridden so that a commit does not take it over (read
//! from Docker 20.10's `merge` of the two configurations, held by tests):
//!
//! * The entry point holds the whole command and the command stays empty: a commit then has
//!   the base's entry point, written as an empty list where there is none, and its command.
//! * User, health check and stop signal are set only where the image sets them, because only
//!   then the commit has something of the base's to say.
//! * No `init` of Docker's, even where the engine is configured to: its program is mounted at
//!   `/sbin/docker-init`, and the empty file that it is mounted on would end in the image. A
//!   shell reaps as well.
//!
//! `no-new-privileges` is on, as it is for instances: what works here is to work there, and
//! root has no more to gain. Programs that give up rights (apt's `_apt`) do so with
//! `setuid(2)`, which it does not concern.

use super::exec::run;
use super::{CALL, DockerWorkbench, Place, name_of, refused, state, transient};
use crate::docker_engine::{message, status};
use bollard::models::{
    ContainerCreateBody, ContainerInspectResponse, ContainerStateStatusEnum as Status, HealthConfig, HostConfig,
    HostConfigLogConfig, ImageConfig, ImageInspect, RestartPolicy, RestartPolicyNameEnum,
};
use bollard::query_parameters::{CreateContainerOptionsBuilder, CreateImageOptionsBuilder, StartContainerOptions};
use futures::StreamExt;
use padis_domain::ports::{BenchSpec, PortError, PortResult};
use padis_domain::problem::System;
use std::collections::HashMap;
use std::time::Duration;

/// From nothing to a container, the pull of a large image included.
const PUT: Duration = Duration::from_secs(1800);
/// A pull that reports nothing for so long has failed.
const PULL_SILENCE: Duration = Duration::from_secs(120);
/// Processes in one workbench.
const PIDS: i64 = 512;
const MIB: u64 = 1024 * 1024;
/// The least memory that Docker accepts, in MiB.
const LEAST_MEM_MIB: u64 = 6;
/// The least share of a core that Docker accepts, in thousandths.
const LEAST_CPU_MILLI: u32 = 10;
/// The shell's work: it waits, reaps whoever is left to it, and ends at a SIGTERM at once. It
/// ends too when `sleep` can't be run, instead of turning round and round.
const WAIT: &str = "trap 'exit 0' TERM INT
while :; do
  sleep 86400 & wait $!
  case $? in 126|127) exit 1;; esac
done";
/// Between two looks for a container whose name is taken: Docker takes the name first, and shows the
/// container when it is made.
const LOOK: Duration = Duration::from_millis(50);

/// The host that a workbench was made for: nothing else of a container that is not in an image
/// takes free text.
pub(super) fn host_of(found: &ContainerInspectResponse) -> Option<String> {
    found.host_config.as_ref()?.log_config.as_ref()?.config.as_ref()?.get("tag").cloned()
}

fn body(spec: &BenchSpec, reference: &str, image: &ImageConfig) -> ContainerCreateBody {
    let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let memory = i64::try_from(spec.mem_mib.max(LEAST_MEM_MIB) * MIB).unwrap_or(i64::MAX);
    let log = [("max-size", "1m"), ("max-file", "1"), ("tag", &spec.host)];
    let host = HostConfig {
        nano_cpus: Some(i64::from(spec.cpu_milli.max(LEAST_CPU_MILLI)) * 1_000_000),
        memory: Some(memory),
        memory_swap: Some(memory),
        pids_limit: Some(PIDS),
        init: Some(false),
        security_opt: Some(words(&["no-new-privileges"])),
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), ..RestartPolicy::default() }),
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(log.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<HashMap<_, _>>()),
        }),
        ..HostConfig::default()
    };
    let set = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.is_empty());
    let checked = image.healthcheck.as_ref().is_some_and(|h| h.test.as_ref().is_some_and(|t| !t.is_empty()));
    ContainerCreateBody {
        image: Some(reference.to_owned()),
        hostname: Some(format!("bench-{}", spec.id)),
        entrypoint: Some(words(&["/bin/sh", "-c", WAIT])),
        user: set(&image.user).then(|| "0".to_owned()),
        stop_signal: set(&image.stop_signal).then(|| "SIGTERM".to_owned()),
        healthcheck: checked.then(|| HealthConfig { test: Some(words(&["NONE"])), ..HealthConfig::default() }),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}

/// What Docker says of an image that can't be had, whoever asks again.
fn for_good(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    let never = ["manifest unknown", "not found", "does not exist", "no matching manifest", "invalid reference"];
    never.iter().any(|n| words.contains(n)) || stranger(&words)
}

/// What it says where the registry does not know us.
pub(super) fn stranger(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    ["unauthorized", "denied", "authentication required", "basic auth credentials"].iter().any(|n| words.contains(n))
}

impl DockerWorkbench {
    async fn pull(&self, place: &Place, reference: &str) -> PortResult<()> {
        tracing::info!(image = reference, docker.at = place.engine.endpoint(), "pulling a workbench's image");
        let options = CreateImageOptionsBuilder::new().from_image(reference).build();
        let docker = place.engine.patient(PULL_SILENCE).await?;
        let mut progress = std::pin::pin!(docker.create_image(Some(options), None, self.credentials()));
        loop {
            match tokio::time::timeout(PULL_SILENCE, progress.next()).await {
                Ok(None) => return Ok(()),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => {
                    let what = format!("pull {reference}");
                    return Err(if for_good(&error.to_string()) {
                        let reason = format!("the image {reference} can't be pulled: {error}");
                        PortError::Refused { system: System::Docker, reason, cause: Some(error.into()) }
                    } else {
                        place.engine.failed(&what, false, error)
                    });
                }
                Err(_) => return Err(transient(format!("pulling {reference} made no progress"))),
            }
        }
    }

    /// The image on that engine, pulled if it is not there.
    pub(super) async fn image(&self, place: &Place, reference: &str) -> PortResult<ImageInspect> {
        let mut pulled = false;
        loop {
            match place.engine.docker().await?.inspect_image(reference).await {
                Ok(found) => return Ok(found),
                Err(error) if status(&error) == Some(404) && !pulled => self.pull(place, reference).await?,
                Err(error) => return Err(place.engine.failed(&format!("inspect image {reference}"), false, error)),
            }
            pulled = true;
        }
    }

    /// Whether it was made; false if its name is taken.
    async fn make(&self, place: &Place, spec: &BenchSpec, name: &str, reference: &str) -> PortResult<bool> {
        let image = self.image(place, reference).await?.config.unwrap_or_default();
        let options = CreateContainerOptionsBuilder::new().name(name).build();
        let made =
            place.engine.patient(CALL).await?.create_container(Some(options), body(spec, reference, &image)).await;
        match made {
            Ok(_) => Ok(true),
            // Somebody else was faster, or an earlier call was heard after all: what counts is what is there.
            Err(error) if status(&error) == Some(409) => Ok(false),
            Err(error) if status(&error) == Some(400) => {
                let reason = format!("Docker does not accept the workbench: {}", message(&error));
                Err(PortError::Refused { system: System::Docker, reason, cause: Some(error.into()) })
            }
            Err(error) => Err(place.engine.failed(&format!("create container {name}"), true, error)),
        }
    }

    pub(super) async fn put_bench(&self, spec: &BenchSpec) -> PortResult<()> {
        let place = self.place(&spec.host)?;
        let name = name_of(&spec.id)?;
        let reference = self.reference(&spec.repository, &spec.digest);
        let found = async {
            loop {
                match place.engine.container(&name).await? {
                    Some(found) => return Ok(found),
                    None if self.make(place, spec, &name, &reference).await? => {}
                    None => tokio::time::sleep(LOOK).await,
                }
            }
        };
        let found: ContainerInspectResponse = match tokio::time::timeout(PUT, found).await {
            Ok(found) => found?,
            Err(late) => {
                let what = format!("make container {name} on the Docker Engine at {}", place.engine.endpoint());
                return Err(PortError::unknown(System::Docker, what, late));
            }
        };
        let from = found.config.as_ref().and_then(|c| c.image.clone()).unwrap_or_default();
        if from != reference {
            return Err(refused(format!("workbench {} exists and was started from another image ({from})", spec.id)));
        }
        awake(place, &name, state(&found)).await
    }
}

/// Makes a container that is there run, whatever it is doing.
pub(super) async fn awake(place: &Place, name: &str, now: Status) -> PortResult<()> {
    let docker = place.engine.patient(CALL).await?;
    match now {
        Status::RUNNING => return Ok(()),
        // A commit that was cut off together with its engine.
        Status::PAUSED => {
            let woken = docker.unpause_container(name).await;
            return woken.map_err(|e| place.engine.failed(&format!("unpause container {name}"), true, e));
        }
        Status::REMOVING => return Err(transient(format!("container {name} is being removed"))),
        _ => {}
    }
    // What never ran has nothing in it that anybody would miss.
    let never_ran = now == Status::CREATED;
    if let Err(error) = docker.start_container(name, None::<StartContainerOptions>).await {
        return match status(&error) {
            Some(304) => Ok(()),
            Some(400 | 404 | 500) if no_shell(message(&error)) => gone(place, name, never_ran, message(&error)).await,
            _ => Err(place.engine.failed(&format!("start container {name}"), true, error)),
        };
    }
    if !never_ran {
        return Ok(());
    }
    // It was started, which is no proof that it goes on: without `sleep` it does not.
    let probe = ["/bin/sh", "-c", "command -v sleep >/dev/null"].map(str::to_owned).to_vec();
    match run(place, name, probe, CALL).await {
        Ok(ended) if ended.code == 0 => Ok(()),
        Ok(ended) => gone(place, name, true, &format!("it has no program sleep {}", ended.said)).await,
        Err(PortError::Refused { .. }) => gone(place, name, true, "it ended at once").await,
        Err(error) => Err(error),
    }
}

/// Whether Docker says that there is no such program, or none for this machine.
fn no_shell(words: &str) -> bool {
    let missing = ["no such file or directory", "executable file not found", "permission denied", "not a directory"];
    words.contains("exec format error") || words.contains("/bin/sh") && missing.iter().any(|m| words.contains(m))
}

async fn gone(place: &Place, name: &str, never_ran: bool, words: &str) -> PortResult<()> {
    if never_ran {
        place.remove(name).await?;
    }
    let what = if never_ran { "the image" } else { "the workbench" };
    Err(refused(format!("{what} has no shell (/bin/sh) that can be worked with: {}", words.trim())))
}
