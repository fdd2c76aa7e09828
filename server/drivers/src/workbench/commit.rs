//! A workbench becomes an image in our own registry.
//!
//! In this order: look whether it is there already; take away what an earlier call has left
//! behind; delete what is not to be in it; commit; push, which names the tag last; ask the
//! registry for the digest; take the engine's own tag away. Cut off anywhere, the registry shows
//! nothing but blobs that no manifest names, and the engine has an image under the very tag that
//! the next call begins by removing.

use super::{DockerWorkbench, Place, config, leave_out, put, refused, state, transient};
use crate::docker_engine::status;
use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, ImageConfig};
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions, RemoveImageOptionsBuilder,
};
use padis_domain::ports::{BenchCommit, CommitStep, PortError, PortResult};
use padis_domain::problem::System;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Docker answers when everything that was changed is packed: gigabytes on a slow disk.
const COMMIT: Duration = Duration::from_secs(1800);
/// Removing an image's layers on a busy disk.
const REMOVE: Duration = Duration::from_secs(120);

/// Refuses what no registry accepts as a tag: it is put into an address as it is.
pub(crate) fn check(tag: &str) -> PortResult<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !tag.is_empty() && tag.len() <= 128 && tag.chars().all(fits) && !tag.starts_with(['.', '-']) {
        return Ok(());
    }
    Err(refused(format!("{tag:?} is no tag that a registry can hold")))
}

/// What is to be named, and the labels by which it is known again.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub repository: &'a str,
    pub tag: &'a str,
    pub labels: &'a BTreeMap<String, String>,
}

impl DockerWorkbench {
    /// The digest, if the tag names what such a call has made.
    pub(super) async fn made(&self, Named { repository, tag, labels }: Named<'_>) -> PortResult<Option<String>> {
        let Some(digest) = self.registry.digest(repository, tag).await? else { return Ok(None) };
        let Some(image) = self.registry.image(repository, &digest).await? else {
            return Err(transient(format!("{repository}:{tag} is being changed by somebody else")));
        };
        if config::has_all(&image.labels, labels) {
            return Ok(Some(digest));
        }
        Err(PortError::refused(System::Registry, format!("{repository}:{tag} exists already and is another image")))
    }

    /// What the base says of itself, from the engine that runs the workbench.
    async fn base(
        &self,
        place: &Place,
        wanted: &BenchCommit,
        bench: &ContainerInspectResponse,
    ) -> PortResult<ImageConfig> {
        let docker = place.engine.docker().await?;
        let reference = self.reference(&wanted.base.0, &wanted.base.1);
        let found = match docker.inspect_image(&reference).await {
            // The reference can be removed while the container holds the image itself.
            Err(error) if status(&error) == Some(404) => {
                docker.inspect_image(bench.image.as_deref().unwrap_or_default()).await
            }
            other => other,
        };
        let found = found.map_err(|e| place.engine.failed(&format!("inspect image {reference}"), false, e))?;
        Ok(found.config.unwrap_or_default())
    }

    pub(super) async fn commit_bench(
        &self,
        wanted: &BenchCommit,
        tell: &(dyn Fn(CommitStep) + Send + Sync),
    ) -> PortResult<String> {
        let place = self.place(&wanted.host)?;
        leave_out::check(&wanted.leave_out)?;
        check(&wanted.tag)?;
        let named = Named { repository: &wanted.repository, tag: &wanted.tag, labels: &wanted.labels };
        if let Some(digest) = self.made(named).await? {
            return Ok(digest);
        }
        let (name, bench) = place.bench(&wanted.id).await?;
        let repository = format!("{}/{}", self.registry_name, wanted.repository);
        let reference = format!("{repository}:{}", wanted.tag);
        place.untag(&reference).await;
        place.sweep(wanted, &bench).await;
        if !wanted.leave_out.is_empty() {
            put::awake(place, &name, state(&bench)).await?;
            leave_out::delete(place, &name, &wanted.leave_out).await?;
        } else if state(&bench) == ContainerStateStatusEnum::PAUSED {
            put::awake(place, &name, ContainerStateStatusEnum::PAUSED).await?;
        }
        let config = config::wanted(self.base(place, wanted, &bench).await?, wanted);
        let options = CommitContainerOptionsBuilder::new()
            .container(&name)
            .repo(&repository)
            .tag(&wanted.tag)
            .author(&wanted.author)
            .comment(&wanted.comment)
            .pause(true)
            .build();
        let kept = place.engine.patient(COMMIT).await?.commit_container(options, config).await;
        kept.map_err(|e| place.engine.failed(&format!("commit container {name}"), true, e))?;
        tell(CommitStep::Kept);
        let pushed = self.publish(place, named, &repository, tell).await;
        // Also after a failure: who never comes back leaves nothing behind. And what a call that was
        // given up had begun may have been finished meanwhile: Docker does not hear of it.
        place.untag(&reference).await;
        place.sweep(wanted, &bench).await;
        pushed
    }

    /// Pushes what the engine calls `repository` and the tag, and asks the registry for the digest.
    pub(super) async fn publish(
        &self,
        place: &Place,
        wanted: Named<'_>,
        repository: &str,
        tell: &(dyn Fn(CommitStep) + Send + Sync),
    ) -> PortResult<String> {
        // It took a while: somebody else may have used the tag meanwhile.
        if let Some(digest) = self.made(wanted).await? {
            return Ok(digest);
        }
        let told = self.push(place, repository, wanted.tag, tell).await?;
        let named = self.registry.digest(wanted.repository, wanted.tag).await?;
        let words = format!("{}:{}", wanted.repository, wanted.tag);
        match (named, told) {
            (None, _) => Err(transient(format!("{words} was pushed and is not in the registry"))),
            (Some(named), Some(told)) if named != told => {
                Err(refused(format!("{words} is another image meanwhile ({named}, not {told}): somebody has moved it")))
            }
            (Some(named), _) => Ok(named),
        }
    }
}

impl Place {
    /// Takes a tag away, and with it the image if nothing else uses it. Best effort: an image that
    /// a container uses stays.
    pub(super) async fn untag(&self, reference: &str) {
        let Ok(docker) = self.engine.patient(REMOVE).await else { return };
        match docker.remove_image(reference, None::<RemoveImageOptions>, None).await {
            Ok(_) => {}
            Err(error) if status(&error) == Some(404) => {}
            Err(error) => {
                tracing::debug!(image = reference, docker.at = self.engine.endpoint(), %error, "an image stays on the engine");
            }
        }
    }

    /// Takes away what calls for the same commit have left without a tag: an engine that died
    /// between the image and its name, a name that was given to the next one's image. Such an image is known by what it was made from, and by
    /// author and comment. Best effort.
    async fn sweep(&self, wanted: &BenchCommit, bench: &ContainerInspectResponse) {
        let Ok(docker) = self.engine.patient(REMOVE).await else { return };
        let filters = HashMap::from([("dangling", vec!["true"])]);
        let options = ListImagesOptionsBuilder::new().filters(&filters).build();
        let Ok(found) = docker.list_images(Some(options)).await else { return };
        for image in found.iter().filter(|i| Some(&i.parent_id) == bench.image.as_ref()) {
            let Ok(told) = docker.inspect_image(&image.id).await else { continue };
            if told.author.as_deref() == Some(&wanted.author) && told.comment.as_deref() == Some(&wanted.comment) {
                let options = RemoveImageOptionsBuilder::new().build();
                let _stays = docker.remove_image(&image.id, Some(options), None).await;
            }
        }
    }
}
