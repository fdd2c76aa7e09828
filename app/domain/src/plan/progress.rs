//! The rail: from what was seen to how far each step of the delivery is.

use crate::delivery::{Note, Step, StepState, StepView};
use crate::words::UnixMs;

/// What was seen of the release that is being delivered. Counts are of instances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Wanted.
    pub wanted: u32,
    /// Whether Marathon has the app, with its id.
    pub marathon_id: Option<String>,
    /// Running, with their hosts.
    pub running: u32,
    /// Hosts.
    pub hosts: Vec<String>,
    /// Addresses held, dotted.
    pub addresses: Vec<String>,
    /// Attached.
    pub attached: u32,
    /// The pool's network: subnet, gateway, VLAN.
    pub network: (String, String, Option<u16>),
    /// Well.
    pub well: u32,
    /// Health page and expected text.
    pub health: (String, String),
    /// Ready in the balancer.
    pub balanced: u32,
    /// Balancer service key.
    pub service: String,
    /// The name and the address it resolves to, once it does.
    pub name: Option<(String, String)>,
    /// The first good answer through the name: status, ms, URL.
    pub answer: Option<(u16, u32, String)>,
    /// The previous release that still has instances, and how many.
    pub previous: Option<(u32, u32)>,
    /// What is wrong, by step: waiting (`false`) or failed (`true`).
    pub trouble: Option<(Step, bool, Note)>,
}

/// The steps of a fresh delivery, the first three done in the request itself.
/// Nobody is told: there is no CMDB and no monitor behind the portal yet, and a
/// step that does nothing must not be shown as done.
pub fn fresh_steps(now: UnixMs, [submitted, held, parts]: [Note; 3], replaces: bool) -> Vec<StepView> {
    let mut notes = [submitted, held, parts].into_iter();
    let one = |step: &Step| {
        let note = notes.next();
        let state = match (&note, step) {
            (Some(_), _) => StepState::Done,
            (None, Step::Told) => StepState::Skipped,
            (None, Step::PreviousLeft) if !replaces => StepState::Skipped,
            (None, _) => StepState::Pending,
        };
        let at = note.is_some().then_some(now);
        StepView { step: *step, state, began_at: at, ended_at: at, note }
    };
    Step::ALL.iter().map(one).collect()
}

/// Brings the steps up to date. A step that was done stays done with its times;
/// what is reached ends now. Gives the step that it is at.
pub fn progress(steps: &mut [StepView], f: &Facts, now: UnixMs) -> Step {
    let n = f.wanted;
    let count = |done: u32| Note::Count { done, of: n };
    // (step, done, under way, evidence)
    let judged: [(Step, bool, bool, Option<Note>); 9] = [
        (
            Step::Asked,
            f.marathon_id.is_some(),
            true,
            f.marathon_id.clone().map(|id| Note::MarathonApp { id, instances: n }),
        ),
        (
            Step::Running,
            f.running >= n,
            f.marathon_id.is_some(),
            Some(if f.running >= n { Note::Hosts { hosts: f.hosts.clone() } } else { count(f.running) }),
        ),
        (
            Step::Allocated,
            f.addresses.len() >= n as usize,
            f.running > 0,
            Some(Note::Addresses { addresses: f.addresses.clone() }),
        ),
        (
            Step::Attached,
            f.attached >= n,
            !f.addresses.is_empty(),
            Some(Note::Network { subnet: f.network.0.clone(), gateway: f.network.1.clone(), vlan: f.network.2 }),
        ),
        (
            Step::Healthy,
            f.well >= n,
            f.attached > 0,
            Some(if f.well >= n {
                Note::Answer { path: f.health.0.clone(), expect: f.health.1.clone() }
            } else {
                count(f.well)
            }),
        ),
        (
            Step::Balanced,
            f.balanced >= n,
            f.well > 0,
            Some(if f.balanced >= n {
                Note::Members { members: f.balanced, backend: f.service.clone() }
            } else {
                count(f.balanced)
            }),
        ),
        (
            Step::Named,
            f.name.is_some(),
            f.balanced > 0,
            f.name.clone().map(|(name, address)| Note::Resolves { name, address }),
        ),
        (
            Step::Answered,
            f.answer.is_some(),
            f.name.is_some() && f.balanced >= n,
            f.answer.clone().map(|(status, ms, url)| Note::FirstAnswer { status, ms, url }),
        ),
        (
            Step::PreviousLeft,
            f.answer.is_some() && f.previous.is_none(),
            f.answer.is_some(),
            f.previous.map(|(release, leaving)| Note::Previous { release, leaving }),
        ),
    ];
    let mut at = None;
    let mut open = true; // all steps before are done: only then may this one be
    for (step, done, under_way, note) in judged {
        let Some(v) = steps.iter_mut().find(|v| v.step == step) else { continue };
        if matches!(v.state, StepState::Done | StepState::Skipped) {
            continue;
        }
        if (under_way || done) && v.began_at.is_none() {
            v.began_at = Some(now);
        }
        if done && open {
            v.state = StepState::Done;
            v.ended_at = Some(now);
            v.note = note;
            continue;
        }
        let trouble = f.trouble.as_ref().filter(|(s, ..)| *s == step);
        v.state = match trouble {
            Some((_, true, _)) => StepState::Failed,
            Some((_, false, _)) => StepState::Waiting,
            None if v.began_at.is_some() => StepState::Running,
            None => StepState::Pending,
        };
        v.note = trouble.map(|(_, _, n)| n.clone()).or(note);
        if open {
            at = Some(step);
        }
        open = false;
    }
    at.unwrap_or(Step::PreviousLeft)
}
