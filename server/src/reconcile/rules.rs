//! Repositories that are kept tidy by a rule, day by day.
//!
//! A rule gives no more than a list: what goes is taken away by the same work as what somebody
//! has agreed to ([`super::tidy`]), which looks at the registry first and judges each version
//! once more. One could get it wrong by asking for the same every day while a registry refuses
//! to delete, or by two portals asking for it twice: who moves the rule's time on asks, and only
//! when nothing of it is under way.

use super::Reconciler;
use crate::images::judge;
use crate::store::retention::{self, DueRule, Run};
use crate::store::{StoreError, What, work};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Also without being told, because another portal's rules are not heard of.
const EVERY: Duration = Duration::from_secs(60);
/// Rules that are looked at in a row.
const AT_ONCE: i64 = 100;

/// Looks by what is due, again and again.
pub(super) async fn keep(r: Arc<Reconciler>, stop: CancellationToken) {
    loop {
        let told = r.ports.registries.asked.notified();
        let more = match round(&r).await {
            Ok(more) => more,
            Err(e) => {
                tracing::warn!(cause = %crate::compose::chain(&e), "it could not be looked what goes by the rules");
                false
            }
        };
        tokio::select! {
            () = told => {}
            () = std::future::ready(()), if more => {}
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

/// Looks by so many of what is due; whether there may be more.
async fn round(r: &Arc<Reconciler>) -> Result<bool, StoreError> {
    let due = retention::due_rules(&r.store, super::now(), AT_ONCE).await?;
    for rule in &due {
        look(r, rule).await?;
    }
    Ok(i64::try_from(due.len()).is_ok_and(|n| n == AT_ONCE))
}

async fn look(r: &Arc<Reconciler>, due: &DueRule) -> Result<(), StoreError> {
    let DueRule { registry, repository, rule, .. } = due;
    let takes = r.ports.registries.find(registry).is_some_and(|p| p.takes);
    let items: Vec<(String, u64)> = if takes && !retention::under_way(&r.store, registry, repository).await? {
        let all = judge(&r.store, registry, repository, *rule, super::now()).await?;
        all.into_iter().filter(|row| row.stays.is_empty()).map(|row| (row.digest, row.bytes)).collect()
    } else {
        Vec::new()
    };
    let id = uuid::Uuid::now_v7().simple().to_string();
    let run = Run {
        registry: registry.clone(),
        repository: repository.clone(),
        rule: *rule,
        account: "padis".to_owned(),
        left: Vec::new(),
        by_hand: Vec::new(),
    };
    let mut tx = r.store.begin().await?;
    if !retention::take_rule(&mut tx, due, super::now()).await? {
        return Ok(());
    }
    if !items.is_empty() {
        retention::ask(&mut tx, &id, &run, "", &items).await?;
        work::touch(&mut tx, &retention::key(&id)).await?;
    }
    tx.commit().await.what("look what goes by a rule")?;
    if !items.is_empty() {
        r.wake.notify_one();
    }
    r.changes.publish("images", None);
    Ok(())
}
