use super::*;
use crate::ports::{MemberState, TaskState};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn task(release: u32, id: &str, slot: u32, health: Health) -> TaskLook {
    TaskLook {
        id: id.into(),
        member_key: member_key(release, id),
        state: TaskState::Running,
        place: Some(Place { slot, ip: 0x0a00_0002 + slot }),
        attached: true,
        named: true,
        was_well: health == Health::Well,
        health,
        leaving_since: None,
    }
}

fn look(instances: u32, releases: Vec<ReleaseLook>) -> Look {
    let active = releases.first().map_or(1, |r| r.number);
    let members = releases
        .iter()
        .flat_map(|r| r.tasks.iter())
        .filter(|t| t.health == Health::Well)
        .map(|t| MemberLook { key: t.member_key.clone(), state: MemberState::Ready, sessions: 0 })
        .collect();
    Look {
        now: 1_000_000,
        wanted: Wanted::Online,
        instances,
        active,
        drain_ms: 30_000,
        releases,
        members,
        service: Held::AsWanted,
        name: Held::AsWanted,
        held_by_gone: vec![],
        no_room: false,
    }
}

fn rel(number: u32, instances: u32, tasks: Vec<TaskLook>) -> ReleaseLook {
    ReleaseLook { number, sched: Some(SchedLook { instances, locked: false }), tasks }
}

#[test]
fn what_is_as_wanted_needs_nothing() {
    let l = look(2, vec![rel(1, 2, vec![task(1, "a", 0, Health::Well), task(1, "b", 1, Health::Well)])]);
    assert_eq!(plan(&l), Plan::default());
}

#[test]
fn a_new_application_is_asked_of_marathon() {
    let mut l = look(3, vec![rel(1, 3, vec![])]);
    l.releases[0].sched = None;
    assert_eq!(plan(&l).steps, vec![Step::Schedule { release: 1, instances: 3 }]);
}

#[test]
fn a_dead_instance_leaves_the_balancer_and_its_address_rests() {
    let mut l = look(1, vec![rel(1, 1, vec![])]);
    l.members.push(MemberLook { key: "r1-dead".into(), state: MemberState::Ready, sessions: 4 });
    l.held_by_gone.push("t-dead".into());
    assert_eq!(
        plan(&l).steps,
        vec![Step::DropMember { key: "r1-dead".into() }, Step::GiveBack { task_id: "t-dead".into() }]
    );
}

#[test]
fn the_sick_is_taken_out_before_it_is_killed() {
    let mut l = look(1, vec![rel(1, 1, vec![task(1, "a", 0, Health::Well)])]);
    let finding = Finding::WrongText { expect: "OK".into(), got: "DOWN".into() };
    l.releases[0].tasks[0].health = Health::Sick { finding: finding.clone(), times: 3 };
    let s = plan(&l).steps;
    assert_eq!(s[0], Step::DropMember { key: member_key(1, "a") });
    assert_eq!(s[1], Step::Replace { release: 1, task_id: "a".into(), slot: 0, finding, times: 3 });
}

#[test]
fn the_old_release_stays_until_the_new_one_serves() {
    let old = rel(1, 2, vec![task(1, "a", 0, Health::Well), task(1, "b", 1, Health::Well)]);
    let half = rel(2, 2, vec![task(2, "c", 0, Health::Well), task(2, "d", 1, Health::Warming)]);
    assert!(
        !plan(&look(2, vec![half, old.clone()]))
            .steps
            .iter()
            .any(|s| matches!(s, Step::Leave { .. } | Step::Kill { .. }))
    );
    let full = rel(2, 2, vec![task(2, "c", 0, Health::Well), task(2, "d", 1, Health::Well)]);
    let s = plan(&look(2, vec![full, old])).steps;
    assert_eq!(s.iter().filter(|s| matches!(s, Step::Leave { why: Why::Release, .. })).count(), 2);
}

#[test]
fn what_is_being_killed_is_not_asked_for_again() {
    // Killing with `scale` lowered Marathon's count at once; the task takes its time.
    let mut dying = task(1, "a", 0, Health::Well);
    dying.state = TaskState::Killing;
    dying.leaving_since = Some(0);
    let asks = |l: &Look| plan(l).steps.iter().any(|s| matches!(s, Step::Scale { .. }));
    let scaled = rel(1, 1, vec![task(1, "b", 1, Health::Well), dying.clone()]);
    assert!(!asks(&look(1, vec![scaled])), "fewer instances");
    let replaced = rel(2, 1, vec![task(2, "c", 0, Health::Well)]);
    assert!(!asks(&look(1, vec![replaced, rel(1, 0, vec![dying])])), "an old release");
}

#[test]
fn a_release_that_never_served_makes_way_at_once() {
    let serving = rel(1, 1, vec![task(1, "a", 0, Health::Well)]);
    let broken = rel(2, 1, vec![task(2, "b", 0, Health::Warming)]);
    let newest = rel(3, 1, vec![]);
    let s = plan(&look(1, vec![newest, broken, serving])).steps;
    assert!(s.contains(&Step::Leave { task_id: "b".into(), why: Why::Release }));
    assert!(!s.contains(&Step::Leave { task_id: "a".into(), why: Why::Release }));
}

#[test]
fn leaving_drains_settles_and_only_then_kills() {
    let mut l = look(1, vec![rel(1, 2, vec![task(1, "a", 0, Health::Well), task(1, "b", 1, Health::Well)])]);
    assert_eq!(plan(&l).steps, vec![Step::Leave { task_id: "b".into(), why: Why::Scale }]);
    l.releases[0].tasks[1].leaving_since = Some(l.now);
    assert!(matches!(plan(&l).steps[..], [Step::PutMember { state: MemberState::Drain, .. }]));
    l.members[1].state = MemberState::Drain;
    l.members[1].sessions = 2;
    assert!(plan(&l).steps.is_empty() && plan(&l).again_ms.is_some());
    l.members[1].sessions = 0;
    assert!(plan(&l).steps.is_empty(), "a request may have been dispatched this very moment");
    l.now += DRAIN_SETTLE_MS;
    assert_eq!(
        plan(&l).steps,
        vec![Step::DropMember { key: member_key(1, "b") }, Step::Kill { release: 1, task_id: "b".into() }]
    );
    l.members[1].sessions = 2;
    l.now += 30_000;
    assert!(plan(&l).steps.contains(&Step::Kill { release: 1, task_id: "b".into() }), "a drain has an end");
}

#[test]
fn deletion_forgets_only_when_nothing_is_held() {
    let mut l = look(1, vec![rel(1, 1, vec![])]);
    l.wanted = Wanted::Deleted;
    assert_eq!(plan(&l).steps, vec![Step::Unschedule { release: 1 }]);
    l.releases[0].sched = None;
    assert_eq!(plan(&l).steps, vec![Step::DropName, Step::DropService]);
    (l.name, l.service) = (Held::Absent, Held::Absent);
    l.held_by_gone.push("t".into());
    assert!(!plan(&l).steps.contains(&Step::Forget));
    l.held_by_gone.clear();
    assert_eq!(plan(&l).steps, vec![Step::Forget]);
}

#[test]
fn without_room_for_both_the_old_makes_way_one_by_one() {
    let old =
        rel(1, 3, vec![task(1, "a", 0, Health::Well), task(1, "b", 1, Health::Well), task(1, "c", 2, Health::Well)]);
    let mut l = look(3, vec![rel(2, 3, vec![]), old]);
    l.no_room = true;
    let s = plan(&l).steps;
    assert_eq!(s, vec![Step::Leave { task_id: "c".into(), why: Why::Release }]);
    l.releases[1].tasks[2].leaving_since = Some(l.now);
    assert!(!plan(&l).steps.iter().any(|s| matches!(s, Step::Leave { .. })), "one at a time");
}

// A small world that obeys the steps, to see that every intent is reached from
// every state, and that what serves never falls below what the rules promise.
#[derive(Debug, Clone)]
struct World {
    l: Look,
    next: u32,
    forgotten: bool,
}

impl World {
    fn apply(&mut self, s: &Step) {
        let l = &mut self.l;
        let find = |l: &mut Look, id: &str, f: &mut dyn FnMut(&mut TaskLook)| {
            for t in l.releases.iter_mut().flat_map(|r| r.tasks.iter_mut()).filter(|t| t.id == id) {
                f(t);
            }
        };
        match s {
            Step::DropMember { key } => l.members.retain(|m| m.key != *key),
            Step::GiveBack { task_id } => l.held_by_gone.retain(|t| t != task_id),
            Step::Schedule { release, instances } | Step::Scale { release, instances } => {
                for r in l.releases.iter_mut().filter(|r| r.number == *release) {
                    r.sched = Some(SchedLook { instances: *instances, locked: false });
                }
            }
            Step::Unschedule { release } => {
                for r in l.releases.iter_mut().filter(|r| r.number == *release) {
                    assert!(r.tasks.is_empty(), "a release with instances was taken out of Marathon");
                    r.sched = None;
                }
            }
            Step::Retire { release } => {
                assert_ne!(*release, l.active);
                l.releases.retain(|r| r.number != *release);
            }
            Step::Allocate { task_id, slot, .. } => {
                find(l, task_id, &mut |t| t.place = Some(Place { slot: *slot, ip: 100 + slot }));
            }
            Step::Attach { task_id, .. } => find(l, task_id, &mut |t| t.attached = true),
            Step::NameInstance { release, slot, ip } => {
                for t in l.releases.iter_mut().filter(|r| r.number == *release).flat_map(|r| r.tasks.iter_mut()) {
                    if t.place == Some(Place { slot: *slot, ip: *ip }) {
                        assert!(t.attached, "an address is named before it answers");
                        t.named = true;
                    }
                }
            }
            Step::PutService => l.service = Held::AsWanted,
            Step::PutMember { task_id, release, state, .. } => {
                assert_eq!(l.service, Held::AsWanted, "a member without its service");
                let key = member_key(*release, task_id);
                l.members.retain(|m| m.key != key);
                l.members.push(MemberLook { key, state: *state, sessions: 0 });
            }
            Step::Leave { task_id, .. } => {
                let now = l.now;
                find(l, task_id, &mut |t| t.leaving_since = Some(now));
            }
            Step::Kill { release, task_id } | Step::Replace { release, task_id, .. } => {
                let scale = matches!(s, Step::Kill { .. });
                assert!(
                    !l.members.iter().any(|m| m.key == member_key(*release, task_id)),
                    "killed while in the balancer"
                );
                for r in l.releases.iter_mut().filter(|r| r.number == *release) {
                    r.tasks.retain(|t| t.id != *task_id);
                    if let (true, Some(s)) = (scale, r.sched.as_mut()) {
                        s.instances = s.instances.saturating_sub(1);
                    }
                }
                l.held_by_gone.push(task_id.clone());
            }
            Step::PutName => l.name = Held::AsWanted,
            Step::DropName => l.name = Held::Absent,
            Step::DropService => l.service = Held::Absent,
            Step::Forget => {
                assert!(l.releases.iter().all(|r| r.tasks.is_empty() && r.sched.is_none()) && l.members.is_empty());
                assert!(l.held_by_gone.is_empty() && l.name == Held::Absent && l.service == Held::Absent);
                self.forgotten = true;
            }
        }
    }

    /// Marathon starts what is missing, probes find everything well.
    fn live(&mut self) {
        self.l.now += 100;
        for r in &mut self.l.releases {
            for t in &mut r.tasks {
                if t.attached && t.health == Health::Warming {
                    t.health = Health::Well;
                    t.was_well = true;
                }
            }
            let missing = r.sched.map_or(0, |s| s.instances).saturating_sub(u32::try_from(r.tasks.len()).unwrap());
            for _ in 0..missing {
                let id = format!("n{}", self.next);
                self.next += 1;
                let mut t = task(r.number, &id, 0, Health::Warming);
                (t.place, t.attached, t.named) = (None, false, false);
                r.tasks.push(t);
            }
        }
    }

    fn serving(&self) -> u32 {
        self.l.releases.iter().map(|r| self.l.ready(r)).sum()
    }
}

fn any_task(release: u32, i: u32) -> impl Strategy<Value = TaskLook> {
    (0..4u8, prop::bool::ANY).prop_map(move |(kind, leaving)| {
        let mut t =
            task(release, &format!("r{release}t{i}"), i, if kind == 3 { Health::Well } else { Health::Warming });
        t.named = kind == 3;
        if kind == 0 {
            (t.place, t.attached) = (None, false);
        } else if kind == 1 {
            t.attached = false;
        }
        if leaving {
            t.leaving_since = Some(999_000);
        }
        t
    })
}

fn any_release(number: u32) -> impl Strategy<Value = ReleaseLook> {
    (prop::option::of(0..5u32), 0..4usize).prop_flat_map(move |(sched, n)| {
        (0..n as u32).map(|i| any_task(number, i)).collect::<Vec<_>>().prop_map(move |tasks| ReleaseLook {
            number,
            sched: if tasks.is_empty() {
                sched.map(|instances| SchedLook { instances, locked: false })
            } else {
                Some(SchedLook {
                    instances: sched.unwrap_or(1).max(u32::try_from(tasks.len()).unwrap()),
                    locked: false,
                })
            },
            tasks,
        })
    })
}

fn any_world() -> impl Strategy<Value = World> {
    (1..4u32, any_release(3), any_release(2), any_release(1), 0..3u8, 0..3u8, prop::bool::ANY).prop_map(
        |(instances, a, b, c, wanted, held, no_room)| {
            let mut l = look(instances, vec![a, b, c]);
            l.wanted = [Wanted::Online, Wanted::Stopped, Wanted::Deleted][wanted as usize];
            l.no_room = no_room;
            if held > 0 || l.members.is_empty() {
                l.name = [Held::Absent, Held::Otherwise, Held::AsWanted][held as usize];
            }
            World { l, next: 0, forgotten: false }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn every_intent_is_reached_from_every_state(mut w in any_world()) {
        let floor = w.serving().min(w.l.instances.saturating_sub(u32::from(w.l.no_room)));
        for round in 0..120 {
            let p = plan(&w.l);
            prop_assert_eq!(&p, &plan(&w.l), "the same look, the same plan");
            for s in &p.steps {
                w.apply(s);
            }
            if w.l.wanted == Wanted::Online {
                prop_assert!(w.serving() >= floor, "round {round}: {} serve, {floor} did: {:?}", w.serving(), p.steps);
            }
            if w.forgotten { break; }
            let before = w.l.clone();
            w.live();
            let mut at_rest = before;
            at_rest.now = w.l.now;
            if p.steps.is_empty() && p.again_ms.is_none() && at_rest == w.l { break; }
            prop_assert!(round < 119, "no rest: {:?}", p);
        }
        match w.l.wanted {
            Wanted::Online => {
                let by_release: BTreeMap<u32, usize> = w.l.releases.iter().map(|r| (r.number, r.tasks.len())).collect();
                prop_assert_eq!(by_release, BTreeMap::from([(3, w.l.instances as usize)]));
                prop_assert_eq!(w.serving(), w.l.instances);
                let slots: BTreeSet<u32> = w.l.tasks().filter_map(|(_, t)| t.place.map(|p| p.slot)).collect();
                prop_assert_eq!(slots.len(), w.l.instances as usize, "a slot is held once");
                prop_assert_eq!(w.l.name, Held::AsWanted);
                prop_assert!(w.l.tasks().all(|(_, t)| t.named), "an address has no name");
            }
            Wanted::Stopped => prop_assert!(w.l.tasks().next().is_none() && w.l.members.is_empty()),
            Wanted::Deleted => prop_assert!(w.forgotten),
        }
        prop_assert!(w.l.held_by_gone.is_empty());
    }
}

#[test]
fn the_rail_fills_in_order_and_keeps_its_times() {
    use crate::delivery::{Note, Step as S, StepState};
    let by = || Note::By { name: "x".into() };
    let mut steps = fresh_steps(10, [by(), by(), by()], false);
    let mut f = Facts { wanted: 1, marathon_id: Some("/a/b/r1".into()), ..Facts::default() };
    assert_eq!(progress(&mut steps, &f, 20), S::Running);
    f.running = 1;
    f.addresses = vec!["10.0.0.2".into()];
    f.attached = 1;
    f.trouble = Some((S::Healthy, true, Note::NoAddress { pool: "p".into() }));
    assert_eq!(progress(&mut steps, &f, 30), S::Healthy);
    let healthy = steps.iter().find(|s| s.step == S::Healthy).unwrap();
    assert_eq!((healthy.state, healthy.began_at), (StepState::Failed, Some(30)));
    f.trouble = None;
    (f.well, f.balanced) = (1, 1);
    f.name = Some(("n".into(), "127.0.0.1".into()));
    f.answer = Some((200, 5, "http://n".into()));
    assert_eq!(progress(&mut steps, &f, 40), S::PreviousLeft);
    assert!(steps.iter().all(|s| matches!(s.state, StepState::Done | StepState::Skipped)));
    assert_eq!(steps.iter().find(|s| s.step == S::Asked).unwrap().ended_at, Some(20));
}
