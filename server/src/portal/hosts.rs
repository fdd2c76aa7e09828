//! Taking a host out of service and putting it back.
//!
//! One could get it wrong by asking the cluster here: it may be away, and an
//! operator's "out of service" must hold all the same once it is back.

use super::PadisPortal;
use super::check::Problems;
use super::diff::change;
use crate::store::journal::{self, Entry};
use crate::store::{What, hosts, now_ms, work};
use padis_domain::Problem;
use padis_domain::caller::{Operate, Permit};
use padis_domain::portal::Answer;
use padis_domain::view::HostOut;

/// Characters of a reason.
const MAX_REASON: usize = 200;

/// Out of service, with a reason that everybody reads.
pub async fn out(p: &PadisPortal, may: Permit<'_, Operate>, agent_id: &str, reason: &str) -> Answer<()> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Problem::missing("reason"));
    }
    let mut problems = Problems::default();
    problems.text("reason", reason, MAX_REASON);
    problems.done()?;
    want(p, may, agent_id, true, reason).await
}

/// Back into service.
pub async fn back(p: &PadisPortal, may: Permit<'_, Operate>, agent_id: &str) -> Answer<()> {
    want(p, may, agent_id, false, "").await
}

async fn want(p: &PadisPortal, may: Permit<'_, Operate>, agent_id: &str, out: bool, reason: &str) -> Answer<()> {
    let before = hosts::find(&p.store, agent_id).await?;
    let seen = p.live.hosts();
    // One that the cluster has forgotten can still be put back: its row goes then.
    let name = match seen.found.iter().find(|h| h.id == agent_id) {
        Some(h) => h.name.clone(),
        None if before.is_some() => agent_id.to_owned(),
        None => return Err(Problem::NotFound),
    };
    if before.as_ref().is_some_and(|b| b.out == out && b.reason == reason) {
        return Ok(());
    }
    let mut tx = p.store.begin().await?;
    let since = now_ms();
    let next = HostOut { out, reason: reason.to_owned(), since, by: may.caller.name.clone() };
    hosts::put(&mut tx, agent_id, &name, &next).await?;
    work::touch(&mut tx, &hosts::key(agent_id)).await?;
    let entry = Entry {
        who: may.caller.account.clone(),
        what: if out { "host.out" } else { "host.back" }.to_owned(),
        subject: format!("host:{name}"),
        changes: if out {
            vec![change("reason", before.filter(|b| b.out).map(|b| b.reason).unwrap_or_default(), reason)]
        } else {
            Vec::new()
        },
        ..Entry::default()
    };
    journal::append(&p.store, &mut tx, &entry).await?;
    tx.commit().await.what("record what is wanted of a host")?;
    p.platform_changed(&["pools", "work"]);
    Ok(())
}
