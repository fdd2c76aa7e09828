//! When nothing can be seen: what the rail says while a system does not answer.
//!
//! A look that fails leads to no plan and no applying, so that nothing else would
//! tell the person who waits. One could get it wrong by changing the steps that
//! were reached: nothing is concluded from silence.

use super::worker::RunError;
use super::{Reconciler, now, story};
use crate::store::apps;
use padis_domain::app::{AppRef, Wanted};
use padis_domain::delivery::{Note, StepState};
use padis_domain::ports::PortError;
use padis_domain::view::Event;
use std::sync::Arc;

/// Says on the delivery of `app`, if one is under way, which system it waits for.
pub(super) async fn tell(r: &Arc<Reconciler>, app: &AppRef, e: &PortError) -> Result<(), RunError> {
    let Some(intent) = apps::intent(&r.store, app).await? else { return Ok(()) };
    let Some(mut d) = apps::delivery(&r.store, &intent.id, intent.release).await? else { return Ok(()) };
    if intent.wanted != Wanted::Online || d.state == "given-up" || d.answered_at.is_some() {
        return Ok(());
    }
    let open = d.steps.iter_mut().find(|v| !matches!(v.state, StepState::Done | StepState::Skipped));
    let Some(v) = open else { return Ok(()) };
    let said = matches!(&v.note, Some(Note::Unavailable { system, .. }) if *system == e.system());
    if said && v.state == StepState::Waiting {
        return Ok(());
    }
    let incident = crate::store::new_incident();
    tracing::warn!(incident = %incident, app.id = %app, cause = %e.chain(), "a delivery waits for a system");
    let note = Note::Unavailable { system: e.system(), incident, next_try: None };
    v.state = StepState::Waiting;
    v.began_at.get_or_insert_with(now);
    v.note = Some(note.clone());
    let step = v.step;
    let before = std::mem::replace(&mut d.state, "waiting".to_owned());
    apps::save_delivery(&r.store, &intent.id, &d, step.as_str()).await?;
    if before != d.state {
        story::note_of(r, &intent, "delivery.stuck", Event::Stuck { release: d.release, step, note }).await?;
    }
    story::publish_of(r, &intent);
    Ok(())
}
