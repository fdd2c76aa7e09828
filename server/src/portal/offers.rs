//! Which buttons an application's page offers, and why not the others.

use super::commands::may_delete;
use super::records::AppRec;
use padis_domain::action::{Action, Offer, Reason, allowed};
use padis_domain::caller::Caller;

/// All actions, each with the first reason that stands against it: who the
/// caller is comes before the state, since waiting would not help. `earlier`: there
/// is a release before the active one; `runs`: an instance has an address.
pub fn offers(c: &Caller, app: &AppRec, earlier: bool, runs: bool) -> Vec<Offer> {
    let one = |action: &Action| {
        let refused = if c.runs(&app.app.team).is_err() {
            Some(Reason::ReadOnly)
        } else if *action == Action::Delete && !may_delete(c, &app.app.team) {
            Some(Reason::NeedsLead)
        } else {
            match allowed(app.state, *action) {
                Err(r) => Some(r),
                Ok(()) if *action == Action::RollBack && !earlier => Some(Reason::NoEarlierRelease),
                Ok(()) if *action == Action::Try && !runs => Some(Reason::NothingRuns),
                Ok(()) => None,
            }
        };
        Offer { action: *action, refused }
    };
    Action::ALL.iter().map(one).collect()
}
