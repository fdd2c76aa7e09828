//! Work of kind `inside:DIGEST`: an image is read.
//!
//! A run that was cut off is made again from the first layer: nothing was written. What is
//! wrong with the image itself stays so and is said on its page; what the registry refuses
//! is parked, for an operator can mend that. One could get it wrong by trying the first again
//! and again, which would read ten gigabytes each time.

use super::Reconciler;
use super::worker::RunError;
use crate::inside::{self, Fault, ReadError};
use crate::store::inside as rows;
use crate::store::work::Outcome;
use padis_domain::ports::PortError;
use padis_domain::problem::System;
use padis_domain::view::InsideState;
use std::sync::Arc;

/// Reads an image.
pub(super) async fn reconcile(r: &Arc<Reconciler>, digest: &str) -> Result<Outcome, RunError> {
    let Some(asked) = rows::find(&r.store, digest).await? else { return Ok(Outcome::Forget) };
    if asked.state == InsideState::Read {
        return Ok(Outcome::Forget);
    }
    rows::note(&r.store, digest, InsideState::Reading, "").await?;
    r.changes.publish("images", None);
    let outcome = match read(r, &asked).await {
        Ok(inside) => {
            rows::put(&r.store, digest, &inside).await?;
            tracing::info!(
                image.digest = digest,
                image.packages = inside.packages.len(),
                image.files = inside.files.len(),
                "an image was read"
            );
            Ok(Outcome::Forget)
        }
        Err(ReadError::Image(Fault::Local(e))) => {
            let e = PortError::transient(System::Disk, "unpack an image", e);
            rows::note(&r.store, digest, InsideState::Waiting, &e.to_string()).await?;
            Err(e.into())
        }
        Err(ReadError::Image(fault)) => {
            tracing::info!(image.digest = digest, cause = %fault, "an image can't be read");
            rows::note(&r.store, digest, InsideState::Failed, &fault.to_string()).await?;
            Ok(Outcome::Forget)
        }
        Err(ReadError::Port(e)) => match &e {
            PortError::Refused { reason, .. } => {
                tracing::warn!(image.digest = digest, cause = %e.chain(), "the reading of an image was refused: parked");
                rows::note(&r.store, digest, InsideState::Failed, reason).await?;
                Ok(Outcome::Park { why: e.chain() })
            }
            _ => {
                rows::note(&r.store, digest, InsideState::Waiting, &e.to_string()).await?;
                Err(e.into())
            }
        },
    };
    r.changes.publish("images", None);
    outcome
}

async fn read(r: &Arc<Reconciler>, asked: &rows::Asked) -> Result<inside::Inside, ReadError> {
    let refused = |why: String| PortError::refused(System::Registry, why);
    let place = r.ports.registries.find(&asked.registry);
    let place = place.ok_or_else(|| refused(format!("{} is no registry any more", asked.registry)))?;
    let image = place.client.image(&asked.repository, &asked.digest).await?;
    let image = image.ok_or_else(|| refused("the registry does not have this image any more".to_owned()))?;
    if image.platforms.is_empty() {
        return Err(Fault::Damaged("this is no image: it has no layers with files".to_owned()).into());
    }
    std::fs::create_dir_all(&r.set.scratch).map_err(Fault::Local)?;
    inside::read(&*place.client, &asked.repository, &image, &r.set.scratch).await
}
