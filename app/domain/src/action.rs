//! One table that says which action each state allows. The screen reads it to
//! show a button disabled with the reason, the server reads it to refuse.

use crate::words::words;
use serde::{Deserialize, Serialize};

words! {
    /// The state of an application as people see it.
    AppState {
        /// All wanted instances are well and in the balancer.
        Online = "online",
        /// A delivery is under way.
        Delivering = "delivering",
        /// Some, not all, wanted instances are well.
        Degraded = "degraded",
        /// None is well.
        Failing = "failing",
        /// Waits for a host, an address or a quota.
        Waiting = "waiting",
        /// Stopped by its team.
        Stopped = "stopped",
        /// On the way to stopped.
        Stopping = "stopping",
        /// Being deleted: gives back what it holds.
        Deleting = "deleting",
    }
}
words! {
    /// What a person can do with an application.
    Action {
        /// Change the number of instances.
        Scale = "scale",
        /// Go online with a new release.
        Release = "release",
        /// Put an earlier release back.
        RollBack = "roll-back",
        /// Replace all instances without an interruption.
        Restart = "restart",
        /// Stop.
        Stop = "stop",
        /// Start.
        Start = "start",
        /// Change size, health rule, environment.
        Configure = "configure",
        /// Delete.
        Delete = "delete",
        /// Take up now what waits or has failed.
        Retry = "retry",
        /// Ask the health page of a running instance.
        Try = "try",
    }
}
words! {
    /// Why an action is not possible now; each has a sentence in the texts.
    Reason {
        /// A delivery is under way: one at a time.
        DeliveryRunning = "delivery-running",
        /// It is stopped.
        IsStopped = "is-stopped",
        /// It is not stopped.
        IsNotStopped = "is-not-stopped",
        /// It is being stopped.
        IsStopping = "is-stopping",
        /// It is being deleted.
        IsDeleting = "is-deleting",
        /// The caller may look but not change.
        ReadOnly = "read-only",
        /// There is no earlier release.
        NoEarlierRelease = "no-earlier-release",
        /// No instance has an address yet.
        NothingRuns = "nothing-runs",
        /// The password is the staff directory's.
        FromDirectory = "from-directory",
        /// Only a team lead or an operator may.
        NeedsLead = "needs-lead",
        /// The workbench is not open (yet, or any more).
        BenchNotOpen = "bench-not-open",
        /// A version of the workbench is being kept: one at a time.
        BenchKeeping = "bench-keeping",
        /// It is being built.
        Building = "building",
        /// One person has no more builds under way than these.
        EnoughBuilds = "enough-builds",
        /// One person has no more workbenches than these.
        EnoughBenches = "enough-benches",
    }
}

/// Whether `action` is possible in `state`. Trying again and trying the health page
/// change nothing of what is wanted and go beside a delivery. A delivery that is under way can be
/// overtaken by stopping, deleting, scaling or rolling back (the way out of a
/// delivery that fails), not by another change.
pub fn allowed(state: AppState, action: Action) -> Result<(), Reason> {
    use Action as A;
    use AppState as S;
    match (state, action) {
        (S::Deleting, _) => Err(Reason::IsDeleting),
        (S::Stopped, A::Start | A::Delete | A::Configure | A::Release | A::RollBack | A::Scale) => Ok(()),
        (S::Stopped, A::Restart | A::Stop | A::Retry | A::Try) => Err(Reason::IsStopped),
        (S::Stopping, A::Start | A::Delete) => Ok(()),
        (S::Stopping, _) => Err(Reason::IsStopping),
        (_, A::Start) => Err(Reason::IsNotStopped),
        (S::Delivering, A::Release | A::Restart | A::Configure) => Err(Reason::DeliveryRunning),
        _ => Ok(()),
    }
}

/// An action with the reason why it is not possible, if so: what a button needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The action.
    pub action: Action,
    /// `None`: possible.
    pub refused: Option<Reason>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_way_out() {
        for s in AppState::ALL {
            let any = Action::ALL.iter().any(|a| allowed(*s, *a).is_ok());
            assert_eq!(any, *s != AppState::Deleting, "{s}");
        }
    }

    #[test]
    fn a_failing_delivery_can_be_left() {
        for a in [Action::RollBack, Action::Stop, Action::Delete, Action::Scale] {
            assert_eq!(allowed(AppState::Delivering, a), Ok(()));
        }
    }

    #[test]
    fn what_waits_can_be_tried_again_and_what_is_gone_can_not() {
        for s in [AppState::Delivering, AppState::Waiting, AppState::Failing, AppState::Degraded] {
            assert_eq!(allowed(s, Action::Retry), Ok(()));
        }
        assert_eq!(allowed(AppState::Stopped, Action::Retry), Err(Reason::IsStopped));
        assert_eq!(allowed(AppState::Stopping, Action::Retry), Err(Reason::IsStopping));
        assert_eq!(allowed(AppState::Deleting, Action::Retry), Err(Reason::IsDeleting));
    }
}
