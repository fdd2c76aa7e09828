//! What the form for a new application offers.

use super::PadisPortal;
use super::sql::{Cols, Sql};
use super::{once, packages, pools, stacks};
use crate::store::StoreError;
use padis_domain::caller::{Caller, Scope};
use padis_domain::portal::Answer;
use padis_domain::view::{NewAppOptions, StackState};

/// Recent packages offered.
const PACKAGES: i64 = 20;
/// Deliveries whose middle duration is "usual".
const DELIVERIES: i64 = 21;

/// The teams for which the caller may create.
fn creates_for(c: &Caller) -> Scope {
    if c.operator().is_ok() {
        Scope::Everything
    } else if c.read_only() {
        Scope::Teams(Vec::new())
    } else {
        Scope::Teams(c.teams.keys().cloned().collect())
    }
}

/// The options.
pub async fn options(p: &PadisPortal, c: &Caller) -> Answer<NewAppOptions> {
    let scope = creates_for(c);
    let rows = Sql::new("SELECT slug, title FROM team WHERE ")
        .scope("slug", &scope)
        .text(" ORDER BY title, slug")
        .all(p.store.read(), "list teams")
        .await?;
    let teams = rows.iter().map(|r| Ok((r.s("slug")?, r.s("title")?))).collect::<Result<_, StoreError>>()?;
    let durations = Sql::new("SELECT answered_at - began_at AS ms FROM delivery WHERE answered_at IS NOT NULL AND ")
        .scope("team", &c.scope())
        .text(" ORDER BY began_at DESC LIMIT ")
        .bind(DELIVERIES)
        .all(p.store.read(), "read deliveries")
        .await?;
    let mut ms = durations.iter().map(|r| r.n("ms")).collect::<Result<Vec<_>, _>>()?;
    ms.sort_unstable();
    Ok(NewAppOptions {
        once: once::fresh(p, c).await?,
        teams,
        // What nothing new begins with is not offered for it.
        stacks: stacks::list(p, c).await?.into_iter().filter(|s| s.mark.state == StackState::Standard).collect(),
        pools: pools::list(p, c, None).await?,
        packages: packages::recent(p, &scope, PACKAGES).await?,
        max_package_bytes: p.settings.max_package_bytes,
        balancer_port: p.settings.balancer_port,
        usual_ms: ms.get(ms.len() / 2).copied(),
    })
}
