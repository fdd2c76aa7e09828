//! The decision: from what was seen of one application to what is to be done.
//!
//! [`plan`] is pure: it reads no clock, knows no outside system and remembers
//! nothing. The same look gives the same steps, and when everything is as wanted
//! it gives none. One could get it wrong by making a step depend on one before it
//! in the same plan: a step is applied, the next look decides what follows.
//!
//! The rules, in the order of their weight:
//! 1. What is dead serves nobody: its member goes at once, its address rests.
//! 2. What is sick is taken out first and replaced after.
//! 3. Nothing well is taken away before its replacement is well and balanced.
//! 4. Whoever leaves as planned drains first.

mod look;
mod progress;
mod state;
#[cfg(test)]
mod tests;

pub use look::*;
pub use progress::*;
pub use state::*;

use crate::app::Wanted;
use crate::delivery::Finding;
use crate::ports::{MemberState, TaskState};

/// Milliseconds for which a drained member is kept although no request is seen on
/// it: a request that the balancer had just dispatched when it was told to drain
/// is not counted yet.
pub const DRAIN_SETTLE_MS: i64 = 250;

/// Why an instance is asked to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Fewer are wanted.
    Scale,
    /// A newer release has taken over.
    Release,
    /// The application is stopped.
    Stop,
    /// The application is deleted.
    Delete,
}

impl Why {
    /// The word kept with the instance.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::Release => "release",
            Self::Stop => "stop",
            Self::Delete => "delete",
        }
    }
}

/// One idempotent step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Out of the balancer, at once.
    DropMember {
        /// Member key.
        key: String,
    },
    /// The address of a task that is gone goes to rest.
    GiveBack {
        /// Task.
        task_id: String,
    },
    /// Ask Marathon for the release with so many instances.
    Schedule {
        /// Release.
        release: u32,
        /// Instances.
        instances: u32,
    },
    /// Change only the number of instances.
    Scale {
        /// Release.
        release: u32,
        /// Instances.
        instances: u32,
    },
    /// Take the release out of Marathon; it has no task any more.
    Unschedule {
        /// Release.
        release: u32,
    },
    /// The release holds nothing any more.
    Retire {
        /// Release.
        release: u32,
    },
    /// Give the task an address and a slot.
    Allocate {
        /// Release.
        release: u32,
        /// Task.
        task_id: String,
        /// Slot.
        slot: u32,
    },
    /// Attach the task's container with its address.
    Attach {
        /// Task.
        task_id: String,
        /// Address.
        ip: u32,
    },
    /// Make the attached address resolve, there and back; it goes with [`Step::GiveBack`].
    NameInstance {
        /// Release.
        release: u32,
        /// Slot.
        slot: u32,
        /// Address.
        ip: u32,
    },
    /// Make or correct the balancer's service.
    PutService,
    /// Make or correct a member.
    PutMember {
        /// Release.
        release: u32,
        /// Task.
        task_id: String,
        /// Slot.
        slot: u32,
        /// Address.
        ip: u32,
        /// Ready or draining.
        state: MemberState,
    },
    /// Note that the instance is to go; it drains from the next look on.
    Leave {
        /// Task.
        task_id: String,
        /// Why.
        why: Why,
    },
    /// Kill an instance that has left; Marathon's count shrinks with it.
    Kill {
        /// Release.
        release: u32,
        /// Task.
        task_id: String,
    },
    /// Kill a sick instance; Marathon starts its replacement.
    Replace {
        /// Release.
        release: u32,
        /// Task.
        task_id: String,
        /// Slot.
        slot: u32,
        /// What its page was found to answer.
        finding: Finding,
        /// Failures in a row.
        times: u32,
    },
    /// Make the name resolve.
    PutName,
    /// Take the name away.
    DropName,
    /// Take the service away.
    DropService,
    /// Everything is released: the application's row goes.
    Forget,
}

/// What to do, and whether to look again by ourselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// Look again after so many ms even if nothing wakes us (something is being waited for).
    pub again_ms: Option<i64>,
}

impl Plan {
    fn push(&mut self, s: Step) {
        self.steps.push(s);
    }
    fn again(&mut self, ms: i64) {
        self.again_ms = Some(self.again_ms.map_or(ms, |m| m.min(ms)));
    }
}

/// Decides.
pub fn plan(l: &Look) -> Plan {
    let mut p = Plan::default();
    bury(l, &mut p);
    match l.wanted {
        Wanted::Online => online(l, &mut p),
        Wanted::Stopped => ebb(l, Why::Stop, &mut p),
        Wanted::Deleted => ebb(l, Why::Delete, &mut p),
    }
    p
}

/// Rule 1: members and addresses of what is gone, and members of hosts that are not heard.
fn bury(l: &Look, p: &mut Plan) {
    let serving = |key: &str| {
        l.tasks().any(|(_, t)| {
            t.member_key == key
                && (t.state == TaskState::Running || (t.state == TaskState::Killing && t.leaving_since.is_some()))
        })
    };
    for m in &l.members {
        if !serving(&m.key) {
            p.push(Step::DropMember { key: m.key.clone() });
        }
    }
    for task_id in &l.held_by_gone {
        p.push(Step::GiveBack { task_id: task_id.clone() });
    }
}

/// Rule 4, for one instance that was asked to go.
fn leave(l: &Look, release: u32, t: &TaskLook, since: i64, p: &mut Plan) {
    let kill = Step::Kill { release, task_id: t.id.clone() };
    if t.state == TaskState::Killing {
        return;
    }
    match (l.member(&t.member_key), t.place) {
        (None, _) => p.push(kill),
        (Some(m), Some(place)) if m.state == MemberState::Ready => {
            p.push(Step::PutMember {
                release,
                task_id: t.id.clone(),
                slot: place.slot,
                ip: place.ip,
                state: MemberState::Drain,
            });
            p.again(DRAIN_SETTLE_MS);
        }
        (Some(m), _) => {
            let waited = l.now - since;
            if waited >= l.drain_ms || (m.sessions == 0 && waited >= DRAIN_SETTLE_MS) {
                p.push(Step::DropMember { key: m.key.clone() });
                p.push(kill);
            } else {
                p.again(DRAIN_SETTLE_MS.min(l.drain_ms - waited).max(50));
            }
        }
    }
}

fn online(l: &Look, p: &mut Plan) {
    let Some(active) = l.release(l.active) else { return };
    let others_leave = l.ready(active) >= l.instances;

    for r in &l.releases {
        let is_active = r.number == l.active;
        up(l, r, p);
        // Who goes?
        let staying: Vec<&TaskLook> =
            r.tasks.iter().filter(|t| t.leaving_since.is_none() && t.state != TaskState::Killing).collect();
        let mut going = r.tasks.len() - staying.len();
        if is_active {
            for t in surplus(l, &staying, l.instances) {
                p.push(Step::Leave { task_id: t.id.clone(), why: Why::Scale });
                p.again(0);
                going += 1;
            }
        } else if others_leave || !r.tasks.iter().any(|t| t.was_well) {
            for t in &staying {
                p.push(Step::Leave { task_id: t.id.clone(), why: Why::Release });
                p.again(0);
            }
            going = r.tasks.len();
        } else if l.no_room && going == 0 && l.instances > 1 && l.ready(active) + l.ready_of_others() > l.instances - 1
        {
            // The surge has no room: the old one makes some, one instance at a time,
            // and never below all but one of what is wanted.
            if let Some(t) = staying.iter().max_by_key(|t| t.place.map(|p| p.slot)) {
                p.push(Step::Leave { task_id: t.id.clone(), why: Why::Release });
                p.again(0);
                going += 1;
            }
        }
        count(l, r, is_active, going, p);
    }
    if l.members.iter().any(|m| m.state == MemberState::Ready) && l.name != Held::AsWanted {
        p.push(Step::PutName);
    }
    // Last: nobody is served by it, so a name service that is down must not hold up what serves.
    for (release, t) in l.tasks() {
        if let (Some(place), true, false, None) = (t.place, t.attached, t.named, t.leaving_since) {
            p.push(Step::NameInstance { release, slot: place.slot, ip: place.ip });
        }
    }
}

/// The instances of one release on their way up, and rule 2.
fn up(l: &Look, r: &ReleaseLook, p: &mut Plan) {
    let mut used: Vec<u32> = r.tasks.iter().filter_map(|t| t.place.map(|p| p.slot)).collect();
    let mut service_put = false;
    for t in &r.tasks {
        if let Some(since) = t.leaving_since {
            leave(l, r.number, t, since, p);
            continue;
        }
        if t.state != TaskState::Running {
            continue;
        }
        let Some(place) = t.place else {
            let slot = (0..).find(|s| !used.contains(s)).unwrap_or_default();
            used.push(slot);
            p.push(Step::Allocate { release: r.number, task_id: t.id.clone(), slot });
            p.again(0);
            continue;
        };
        if !t.attached {
            p.push(Step::Attach { task_id: t.id.clone(), ip: place.ip });
            p.again(0);
            continue;
        }
        let member = l.member(&t.member_key);
        match &t.health {
            Health::Sick { finding, times } => {
                if let Some(m) = member {
                    p.push(Step::DropMember { key: m.key.clone() });
                }
                p.push(Step::Replace {
                    release: r.number,
                    task_id: t.id.clone(),
                    slot: place.slot,
                    finding: finding.clone(),
                    times: *times,
                });
            }
            Health::Well if member.is_none_or(|m| m.state != MemberState::Ready) => {
                if l.service != Held::AsWanted && !service_put {
                    p.push(Step::PutService);
                    service_put = true;
                }
                p.push(Step::PutMember {
                    release: r.number,
                    task_id: t.id.clone(),
                    slot: place.slot,
                    ip: place.ip,
                    state: MemberState::Ready,
                });
                p.again(0);
            }
            Health::Well if l.service == Held::Otherwise && r.number == l.active && !service_put => {
                p.push(Step::PutService);
                service_put = true;
            }
            _ => {}
        }
    }
}

/// Those of `staying` that are more than `wanted`: the ones that are not well first, then the highest slots.
fn surplus<'a>(l: &Look, staying: &[&'a TaskLook], wanted: u32) -> Vec<&'a TaskLook> {
    let more = staying.len().saturating_sub(wanted as usize);
    let mut order = staying.to_vec();
    order.sort_by_key(|t| {
        (l.is_ready(t), std::cmp::Reverse(t.place.map_or(u32::MAX, |p| p.slot)), std::cmp::Reverse(t.id.clone()))
    });
    order.truncate(more);
    order
}

/// How many instances Marathon is to keep, and whether the release is over.
fn count(l: &Look, r: &ReleaseLook, is_active: bool, going: usize, p: &mut Plan) {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (going, present) = (number(going), number(r.tasks.len()));
    let over = !is_active && going == present;
    // What is being killed was taken off Marathon's count by the kill itself.
    // Counting it once more would start an instance for each that is killed, for ever.
    let dying = number(r.tasks.iter().filter(|t| t.state == TaskState::Killing).count());
    let wanted = if is_active {
        l.instances + going.saturating_sub(dying)
    } else if over {
        present - dying
    } else {
        // Heals as before; what was asked to go is not replaced.
        r.sched.map_or(present, |s| s.instances)
    };
    match r.sched {
        None if is_active => p.push(Step::Schedule { release: r.number, instances: wanted }),
        None if present == 0 && over => p.push(Step::Retire { release: r.number }),
        None => {}
        Some(_) if over && present == 0 => p.push(Step::Unschedule { release: r.number }),
        Some(s) if s.locked => p.again(500),
        // A release that is over is never made larger.
        Some(s) if (is_active && s.instances < wanted) || (s.instances > wanted && present <= wanted) => {
            p.push(Step::Scale { release: r.number, instances: wanted });
        }
        Some(_) => {}
    }
}

/// Stop and delete: everything drains, is killed and given back.
fn ebb(l: &Look, why: Why, p: &mut Plan) {
    let mut left = false;
    for r in &l.releases {
        for t in &r.tasks {
            left = true;
            match t.leaving_since {
                Some(since) => leave(l, r.number, t, since, p),
                None => {
                    p.push(Step::Leave { task_id: t.id.clone(), why });
                    p.again(0);
                }
            }
        }
        let present = u32::try_from(r.tasks.len()).unwrap_or(u32::MAX);
        match r.sched {
            Some(_) if present == 0 => {
                left = true;
                p.push(Step::Unschedule { release: r.number });
            }
            Some(s) => {
                left = true;
                if s.instances > present && !s.locked {
                    p.push(Step::Scale { release: r.number, instances: present });
                }
            }
            None if present == 0 && r.number != l.active => p.push(Step::Retire { release: r.number }),
            None => {}
        }
    }
    if left {
        p.again(500);
        return;
    }
    if why != Why::Delete {
        return;
    }
    if l.name != Held::Absent {
        p.push(Step::DropName);
    }
    if l.service != Held::Absent {
        p.push(Step::DropService);
    }
    if p.steps.iter().all(|s| matches!(s, Step::Retire { .. })) && l.held_by_gone.is_empty() {
        p.push(Step::Forget);
    } else {
        p.again(0);
    }
}
