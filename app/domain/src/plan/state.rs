use super::{Look, Step};
use crate::action::AppState;
use crate::app::Wanted;

/// The state that people see, from what was seen and whether a delivery is under
/// way or waits for something.
pub fn state(l: &Look, delivering: bool, waiting: bool) -> AppState {
    let any = l.tasks().next().is_some() || l.releases.iter().any(|r| r.sched.is_some());
    match l.wanted {
        Wanted::Deleted => AppState::Deleting,
        Wanted::Stopped if any => AppState::Stopping,
        Wanted::Stopped => AppState::Stopped,
        Wanted::Online => {
            let ready = l.release(l.active).map_or(0, |r| l.ready(r));
            if waiting && ready < l.instances {
                AppState::Waiting
            } else if delivering {
                AppState::Delivering
            } else if ready >= l.instances {
                AppState::Online
            } else if ready + l.ready_of_others() > 0 {
                AppState::Degraded
            } else {
                AppState::Failing
            }
        }
    }
}

/// Steps that may be applied side by side: those of different tasks.
pub fn side_by_side(a: &Step, b: &Step) -> bool {
    use Step::{Allocate, Attach, DropMember, GiveBack, Kill, NameInstance, PutMember, Replace};
    matches!(
        (a, b),
        (Attach { .. }, Attach { .. })
            | (Allocate { .. }, Allocate { .. })
            | (Kill { .. } | Replace { .. }, Kill { .. } | Replace { .. })
            | (DropMember { .. }, DropMember { .. })
            | (GiveBack { .. }, GiveBack { .. })
            | (NameInstance { .. }, NameInstance { .. })
            | (PutMember { .. }, PutMember { .. })
    )
}
