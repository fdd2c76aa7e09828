//! "Try again now" for an application's own team: the reconciler looks at it at
//! once, whatever it was waiting for.
//!
//! Nothing of the intent changes, so the revision stays: a form that a colleague
//! has open is not out of date because of it. One could get it wrong by only
//! moving the due time: a row that was parked has to be taken up again, too.

use super::{PadisPortal, once, records};
use crate::store::journal::{self, Entry};
use crate::store::{What, work};
use padis_domain::Problem;
use padis_domain::action::{Action, allowed};
use padis_domain::app::AppRef;
use padis_domain::caller::{Permit, Run};
use padis_domain::portal::Answer;
use padis_domain::view::Event;

/// Looks at the application now: due at once, unparked, its back-off forgotten.
pub async fn retry(p: &PadisPortal, may: Permit<'_, Run>, app: &AppRef, token: &str) -> Answer<()> {
    let mut tx = p.store.begin().await?;
    let what = format!("app.{} {app}", Action::Retry);
    if let Some(first) = once::before(&mut tx, p.store.kind(), may.caller, token, &what).await? {
        return Ok(first);
    }
    let rec = records::lock(&mut tx, p.store.kind(), app).await?;
    allowed(rec.state, Action::Retry).map_err(|reason| Problem::NotNow { reason })?;
    work::touch(&mut tx, &app.work_key()).await?;
    let action = Action::Retry.to_string();
    let entry = Entry {
        who: may.caller.account.clone(),
        what: format!("app.{action}"),
        subject: app.work_key(),
        team: Some(app.team.clone()),
        app_id: Some(rec.id),
        event: Some(Event::Did { by: may.caller.name.clone(), action, changes: Vec::new() }),
        changes: Vec::new(),
    };
    once::keep(&mut tx, token, &what, &()).await?;
    journal::append(&p.store, &mut tx, &entry).await?;
    tx.commit().await.what("retry an application")?;
    p.app_changed(app);
    Ok(())
}
