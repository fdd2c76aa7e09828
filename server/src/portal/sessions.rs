//! Sessions: one's own, everybody's for an operator.
//!
//! One could get it wrong by telling whether somebody else's session exists: for
//! a stranger the answer is "not found", whatever it is.

use super::PadisPortal;
use crate::store::journal::{self, Entry};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::view::SessionRow;

/// The caller's sessions, or everybody's for those who may see the platform's inside.
pub async fn list(p: &PadisPortal, c: &Caller, everybody: bool) -> Answer<Vec<SessionRow>> {
    let account = if everybody {
        c.inspector()?;
        None
    } else {
        Some(c.account.as_str())
    };
    let all = p.accounts.sessions(account).await?;
    let row = |s: crate::auth::Session| SessionRow {
        current: s.id == c.session,
        id: s.id,
        account: s.account,
        address: s.address,
        agent: s.agent,
        began_at: s.began_at,
        seen_at: s.seen_at,
    };
    Ok(all.into_iter().map(row).collect())
}

/// Ends a session: one's own, anybody's for an operator.
pub async fn revoke(p: &PadisPortal, c: &Caller, id: &str) -> Answer<()> {
    let mut ended = p.accounts.revoke(id, Some(&c.account)).await?;
    if !ended && c.operator().is_ok() {
        ended = p.accounts.revoke(id, None).await?;
    }
    if !ended {
        return Err(Problem::NotFound);
    }
    let entry = Entry {
        who: c.account.clone(),
        what: "session.revoke".into(),
        subject: format!("session:{id}"),
        ..Entry::default()
    };
    journal::note(&p.store, &entry).await?;
    p.platform_changed(&["sessions"]);
    Ok(())
}
