//! From the file into the registry: blob by blob, then the manifests, the tag last.
//!
//! Made again after a restart it finds what is there and sends the rest; the same file gives
//! the same digests. One could get it wrong by leaving a thread at its work when somebody has
//! stopped it.

use super::pack::{Far, Ready, ready};
use super::{Plan, Spool, Stop};
use padis_domain::ports::{CopyBlob, CopyTo, ManifestBytes, PortError, Transfer};
use padis_domain::problem::System;
use padis_domain::view::ArchiveFault;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ends the thread when nobody waits for it any more.
struct Ended(Arc<Far>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Puts the image of a plan where `to` says; its digest there. `at` is how many bytes of
/// [`Plan::bytes`] are dealt with.
pub async fn bring(
    transfer: &dyn Transfer,
    to: &CopyTo,
    plan: &Arc<Plan>,
    (spool, id): (&Spool, &str),
    at: &AtomicU64,
) -> Result<String, Stop> {
    let far = Arc::new(Far::default());
    let _ended = Ended(Arc::clone(&far));
    let (mut become_of, mut base) = (BTreeMap::new(), 0);
    for n in 0..plan.blobs.len() {
        let blob = &plan.blobs[n];
        let made = made_ready(plan, n, (spool, id), (&far, base), at).await?;
        let half = base + blob.part.bytes / 2;
        let (whole, rest) = (made.bytes.max(1), u128::from(blob.part.bytes - blob.part.bytes / 2));
        let tell = |sent: u64| {
            let more = rest * u128::from(sent.min(whole)) / u128::from(whole);
            at.store(half + u64::try_from(more).unwrap_or_default(), Ordering::Relaxed);
        };
        let wanted = CopyBlob { digest: made.digest.clone(), bytes: made.bytes };
        transfer.put_blob(to, &wanted, Arc::clone(&made.source), &tell).await.map_err(refused)?;
        if made.digest != blob.digest {
            become_of.insert(blob.digest.clone(), (made.digest.clone(), made.bytes));
        }
        base += blob.part.bytes;
        at.store(base, Ordering::Relaxed);
    }
    let mut last = String::new();
    for (n, node) in plan.nodes.iter().enumerate() {
        let (digest, bytes) = node.with(&become_of)?;
        if digest != node.digest {
            become_of.insert(node.digest.clone(), (digest.clone(), bytes.len() as u64));
        }
        let tagged = n + 1 == plan.nodes.len();
        let manifest = ManifestBytes { digest, media_type: node.media_type.clone(), bytes, blobs: Vec::new() };
        transfer.put_manifest(to, &manifest, tagged).await.map_err(refused)?;
        last = manifest.digest;
    }
    Ok(last)
}

/// A refusal is the archive's end; whatever else fails is tried again.
fn refused(e: PortError) -> Stop {
    match e {
        PortError::Refused { reason, cause, system } => {
            let error = PortError::Refused { reason: reason.clone(), cause, system };
            tracing::warn!(cause = %error.chain(), "a registry refused an image that was brought");
            ArchiveFault::Registry { why: reason }.into()
        }
        e => Stop::Port(e),
    }
}

async fn made_ready(
    plan: &Arc<Plan>,
    n: usize,
    (spool, id): (&Spool, &str),
    (far, base): (&Arc<Far>, u64),
    at: &AtomicU64,
) -> Result<Ready, Stop> {
    let (plan, scratch, keep_free) = (Arc::clone(plan), spool.scratch(id), spool.keep_free);
    let on_thread = Arc::clone(far);
    let thread = tokio::task::spawn_blocking(move || {
        ready(&plan.index.file, &plan.blobs[n], &scratch, keep_free, (&on_thread, base))
    });
    let mut thread = std::pin::pin!(thread);
    loop {
        tokio::select! {
            made = &mut thread => {
                return made.map_err(|e| PortError::transient(System::Disk, "make a layer ready", e))?;
            }
            () = tokio::time::sleep(std::time::Duration::from_millis(200)) => {
                at.store(far.at.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }
}
