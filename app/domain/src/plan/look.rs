use crate::app::Wanted;
use crate::delivery::Finding;
use crate::ports::{MemberState, TaskState};

/// Everything seen of one application at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The moment, in ms on a clock of the observer's own that only goes forward: a wall
    /// clock that jumps would end every drain at once, or none for an hour.
    pub now: i64,
    /// Intent.
    pub wanted: Wanted,
    /// Intent: instances.
    pub instances: u32,
    /// Intent: the active release.
    pub active: u32,
    /// The longest drain in ms.
    pub drain_ms: i64,
    /// Releases that may hold something, newest first; the active one among them.
    pub releases: Vec<ReleaseLook>,
    /// The balancer's members of this application.
    pub members: Vec<MemberLook>,
    /// The balancer's service.
    pub service: Held,
    /// The name.
    pub name: Held,
    /// Tasks that hold an address and are gone.
    pub held_by_gone: Vec<String>,
    /// Marathon says that the active release waits for room, or no address is free for it.
    pub no_room: bool,
}

/// How an outside thing compares with what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is not there.
    Absent,
    /// It is there, but not as wanted.
    Otherwise,
    /// It is as wanted.
    AsWanted,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseLook {
    /// Number.
    pub number: u32,
    /// Its Marathon app, if there is one.
    pub sched: Option<SchedLook>,
    /// Its living tasks.
    pub tasks: Vec<TaskLook>,
}

/// A Marathon app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchedLook {
    /// Instances that Marathon keeps.
    pub instances: u32,
    /// Locked by a running deployment that is not only waiting for launches.
    pub locked: bool,
}

/// Slot and address of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Slot.
    pub slot: u32,
    /// Address.
    pub ip: u32,
}

/// One living task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLook {
    /// Task id.
    pub id: String,
    /// The key that its member has or would have.
    pub member_key: String,
    /// State.
    pub state: TaskState,
    /// Slot and address, if it holds them.
    pub place: Option<Place>,
    /// Whether its container has that address.
    pub attached: bool,
    /// Whether that address has its name, there and back.
    pub named: bool,
    /// What the probe says.
    pub health: Health,
    /// Whether it has ever been well (kept over restarts of the portal).
    pub was_well: bool,
    /// When it was seen to be asked to go, on the clock of [`Look::now`].
    pub leaving_since: Option<i64>,
}

/// What our own probe says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Not probed yet, or still in its grace time.
    Warming,
    /// The page answers as expected, or failed fewer times than the rule allows.
    Well,
    /// Failed as often as the rule says, or its grace time is over.
    Sick {
        /// The last finding.
        finding: Finding,
        /// Failures in a row.
        times: u32,
    },
}

/// One member as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberLook {
    /// Key.
    pub key: String,
    /// State.
    pub state: MemberState,
    /// Requests that it is serving.
    pub sessions: u64,
}

impl Look {
    /// A release by number.
    pub fn release(&self, number: u32) -> Option<&ReleaseLook> {
        self.releases.iter().find(|r| r.number == number)
    }
    /// All tasks with their release's number.
    pub fn tasks(&self) -> impl Iterator<Item = (u32, &TaskLook)> {
        self.releases.iter().flat_map(|r| r.tasks.iter().map(move |t| (r.number, t)))
    }
    /// A member by key.
    pub fn member(&self, key: &str) -> Option<&MemberLook> {
        self.members.iter().find(|m| m.key == key)
    }
    /// Whether an instance serves: runs, stays, is not sick and takes requests. A
    /// member is made ready only for a well instance, so one that the probe has not
    /// looked at since the portal's restart counts.
    pub fn is_ready(&self, t: &TaskLook) -> bool {
        t.state == TaskState::Running
            && t.leaving_since.is_none()
            && !matches!(t.health, Health::Sick { .. })
            && self.member(&t.member_key).is_some_and(|m| m.state == MemberState::Ready)
    }
    /// How many instances of a release serve.
    pub fn ready(&self, r: &ReleaseLook) -> u32 {
        u32::try_from(r.tasks.iter().filter(|t| self.is_ready(t)).count()).unwrap_or(u32::MAX)
    }
    /// How many instances of the other releases serve.
    pub fn ready_of_others(&self) -> u32 {
        self.releases.iter().filter(|r| r.number != self.active).map(|r| self.ready(r)).sum()
    }
}

/// The key of a task's member: its release and a short hash of the task id
/// (FNV-1a, 64 bit), of letters and digits only.
pub fn member_key(release: u32, task_id: &str) -> String {
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for b in task_id.bytes() {
        h = (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("r{release}-{h:016x}")
}
