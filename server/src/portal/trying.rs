//! "Try it on the running instance": what a health rule would find, before it is
//! in force.
//!
//! One of the few live reads; it has a deadline. One could get it wrong by taking
//! an address from the request: the address comes out of what this very
//! application holds, the port out of its release's contract, and of the request
//! only the path and the text are used.

use super::PadisPortal;
use super::check::{self, Problems};
use super::records;
use super::sql::{Cols, Sql};
use padis_domain::Problem;
use padis_domain::action::{Action, Reason, allowed};
use padis_domain::address::dotted;
use padis_domain::app::{AppRef, HealthRule};
use padis_domain::caller::{Permit, Run};
use padis_domain::portal::Answer;
use padis_domain::stack::Contract;
use padis_domain::view::Tried;

/// Asks the health page of one running instance: of the active release and well, if there is one.
pub async fn try_health(p: &PadisPortal, _may: Permit<'_, Run>, app: &AppRef, rule: &HealthRule) -> Answer<Tried> {
    let mut out = Problems::default();
    check::health(&mut out, rule);
    out.done()?;
    let rec = records::find(p, app).await?;
    let not_now = |reason| Problem::NotNow { reason };
    allowed(rec.state, Action::Try).map_err(not_now)?;
    let found = Sql::new(
        "SELECT c.address, c.slot, c.release, r.contract FROM claim c \
         JOIN instance i ON i.task_id = c.task_id AND i.app_id = c.app_id AND i.ended_at IS NULL \
         JOIN release r ON r.app_id = c.app_id AND r.number = c.release \
         WHERE c.kind = 'address' AND c.state = 'held' AND c.address IS NOT NULL AND c.app_id = ",
    )
    .bind(&rec.id)
    .text(" ORDER BY CASE WHEN i.leaving IS NULL THEN 0 ELSE 1 END, CASE WHEN c.release = ")
    .bind(rec.release)
    .text(" THEN 0 ELSE 1 END, CASE WHEN i.well_at IS NULL THEN 1 ELSE 0 END, c.slot LIMIT 1")
    .one(p.store.read(), "find a running instance")
    .await?
    .ok_or(not_now(Reason::NothingRuns))?;
    let ip = found.u("address")?;
    let port = found.json::<Contract>("contract")?.port;
    let seen = p.pages.ask(ip, port, &rec.host_name, rule).await;
    Ok(Tried {
        slot: found.u("slot")?,
        release: found.u("release")?,
        address: format!("{}:{port}", dotted(ip)),
        path: rule.path.clone(),
        expect: rule.expect.clone(),
        seen,
    })
}
