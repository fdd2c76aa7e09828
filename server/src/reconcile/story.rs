//! Telling: what happened, for the journal, the rail and the pages.
//!
//! Written from what was observed, each moment once (the database says which
//! caller was first). One could get it wrong by telling from events: they can be
//! repeated, and the timeline would too.

use super::observe::Seen;
use super::worker::RunError;
use super::{Reconciler, answer, live::LiveApp, now};
use crate::store::What;
use crate::store::apps::{self, AppIntent, Delivery, Moment, SeenTask};
use crate::store::hosts;
use crate::store::journal::{self, Entry};
use padis_domain::action::AppState;
use padis_domain::address::dotted;
use padis_domain::app::Wanted;
use padis_domain::delivery::{Finding, Note, Step, StepState};
use padis_domain::plan::{Facts, Health, Look, Plan, TaskLook, progress, state};
use padis_domain::ports::{AddressTaken, MemberState, PortError, TaskState};
use padis_domain::problem::FieldChange;
use padis_domain::view::{Event, InstanceRow, InstanceState};
use std::sync::Arc;

/// The database's word for the reconciler as an actor.
const WHO: &str = "padis";
/// Failures in a row after which a failing system is shown on the rail.
pub(super) const SAY_AFTER: u32 = 2;

async fn note(r: &Reconciler, s: &Seen, what: &str, event: Event) -> Result<(), RunError> {
    note_of(r, &s.intent, what, event).await
}

/// Notes an event of an application.
pub(super) async fn note_of(r: &Reconciler, intent: &AppIntent, what: &str, event: Event) -> Result<(), RunError> {
    let entry = Entry {
        who: WHO.into(),
        what: what.into(),
        subject: format!("app:{}", intent.app),
        team: Some(intent.app.team.clone()),
        app_id: Some(intent.id.clone()),
        event: Some(event),
        changes: vec![],
    };
    journal::note(&r.store, &entry).await?;
    r.changes.publish("journal", None);
    Ok(())
}

/// An instance takes requests for the first time.
pub(super) async fn well(r: &Reconciler, s: &Seen, release: u32, slot: u32, address: &str) -> Result<(), RunError> {
    note(r, s, "instance.well", Event::Well { slot, release, address: address.to_owned() }).await
}

/// A sick instance is being replaced.
pub(super) async fn replaced(
    r: &Reconciler,
    s: &Seen,
    release: u32,
    slot: u32,
    finding: &Finding,
    times: u32,
) -> Result<(), RunError> {
    note(r, s, "instance.replaced", Event::Replaced { slot, release, finding: finding.clone(), times }).await
}

/// A claim was given back.
pub(super) async fn released(r: &Reconciler, s: &Seen, kind: &str, what: &str) -> Result<(), RunError> {
    note(r, s, "claim.released", Event::Released { kind: kind.to_owned(), what: what.to_owned() }).await
}

/// An address was reserved, because something that is not ours has it.
pub(super) async fn set_aside(
    r: &Reconciler,
    pool: &str,
    address: String,
    taken: &AddressTaken,
) -> Result<(), RunError> {
    let change = |field: &str, after: String| FieldChange { field: field.to_owned(), before: String::new(), after };
    let entry = Entry {
        who: WHO.into(),
        what: "address.reserve".into(),
        subject: format!("pool:{pool}"),
        changes: vec![change("reserved", address), change("reason", taken.to_string())],
        ..Entry::default()
    };
    journal::note(&r.store, &entry).await?;
    r.changes.publish("journal", None);
    Ok(())
}

/// The application is gone.
pub(super) async fn gone(r: &Arc<Reconciler>, s: &Seen) -> Result<(), RunError> {
    r.prober.watch(&s.intent.app.work_key(), &[], &s.instances.keys().cloned().collect::<Vec<_>>());
    r.live.forget(&s.intent.id);
    let entry = Entry {
        who: WHO.into(),
        what: "app.gone".into(),
        subject: format!("app:{}", s.intent.app),
        team: Some(s.intent.app.team.clone()),
        app_id: Some(s.intent.id.clone()),
        ..Entry::default()
    };
    journal::note(&r.store, &entry).await?;
    publish(r, s);
    Ok(())
}

fn publish(r: &Reconciler, s: &Seen) {
    publish_of(r, &s.intent);
}

/// Tells the pages that an application looks different.
pub(super) fn publish_of(r: &Reconciler, intent: &AppIntent) {
    let team = Some(intent.app.team.as_str());
    r.changes.publish(intent.app.work_key(), team);
    r.changes.publish("apps", team);
}

/// Tells everything about this look; gives when to look again because the
/// delivery waits for something that wakes nobody.
pub(super) async fn tell(
    r: &Arc<Reconciler>,
    s: &mut Seen,
    plan: &Plan,
    failed: Option<&RunError>,
    attempts: u32,
) -> Result<Option<i64>, RunError> {
    births_and_deaths(r, s).await?;
    if let Some(RunError::Port(e)) = failed {
        s.trouble = trouble_of(e, attempts, plan).or(s.trouble.take());
    }
    let (delivering, again) = deliver(r, s).await?;
    let waiting = matches!(s.trouble, Some((_, false, Note::NoHost { .. } | Note::NoAddress { .. })));
    let word = state(&s.look, delivering, waiting);
    let well = s.look.releases.iter().map(|x| s.look.ready(x)).sum::<u32>().min(s.look.instances.max(1));
    apps::save_state(&r.store, &s.intent.id, word, if s.intent.wanted == Wanted::Online { well } else { 0 }).await?;
    show(r, s, word);
    Ok(again)
}

/// New tasks are noted, those that are gone are told with their cause.
async fn births_and_deaths(r: &Arc<Reconciler>, s: &Seen) -> Result<(), RunError> {
    for (release, t) in s.look.tasks() {
        let Some(task) = s.task(&t.id) else { continue };
        let noted = s.instances.get(&t.id);
        let address = t.place.filter(|_| t.attached).map(|p| dotted(p.ip));
        let same = noted.is_some_and(|n| {
            n.slot == t.place.map(|p| p.slot) && (n.address.is_some() || address.is_none()) && n.host == task.host
        });
        if same {
            continue;
        }
        let first_address = address.is_some() && noted.is_none_or(|n| n.address.is_none());
        let seen = SeenTask {
            task_id: &t.id,
            release,
            slot: t.place.map(|p| p.slot),
            host: &task.host,
            agent_id: &task.agent_id,
            address: address.clone(),
            started_at: task.started_at,
        };
        apps::note_task(&r.store, &s.intent, &seen).await?;
        if let (true, Some(p)) = (first_address, t.place) {
            note(r, s, "instance.started", Event::Started { slot: p.slot, release, host: task.host.clone(), address })
                .await?;
        }
    }
    for i in s.instances.values() {
        if s.look.tasks().any(|(_, t)| t.id == i.task_id) || !apps::mark(&r.store, &i.task_id, Moment::Ended).await? {
            continue;
        }
        r.prober.forget(&i.task_id);
        let cause = r.take_cause(&i.task_id);
        match i.leaving.as_deref() {
            Some("sick") => {}
            Some(why) => {
                let event = Event::Left {
                    slot: i.slot.unwrap_or_default(),
                    release: i.release,
                    drained: i.well_at.is_some(),
                    host: (why == hosts::LEAVING).then(|| i.host.clone()),
                };
                note(r, s, "instance.left", event).await?;
            }
            None => {
                let last =
                    s.sched.get(&i.release).and_then(|x| x.last_failure.as_ref()).filter(|f| f.task_id == i.task_id);
                let (state, message) = match (cause, last) {
                    (Some(c), _) => (c.state, c.message),
                    (None, Some(f)) => (f.state.clone(), f.message.clone()),
                    (None, None) => ("TASK_GONE".to_owned(), String::new()),
                };
                let event = Event::Died { slot: i.slot, release: i.release, state, message, host: i.host.clone() };
                note(r, s, "instance.died", event).await?;
            }
        }
    }
    Ok(())
}

/// What a failing system means for the rail. A first hiccup is not shown.
fn trouble_of(e: &PortError, attempts: u32, plan: &Plan) -> Option<(Step, bool, Note)> {
    use padis_domain::plan::Step as P;
    let at = plan
        .steps
        .iter()
        .find_map(|s| match s {
            P::Schedule { .. } | P::Scale { .. } => Some(Step::Asked),
            P::Allocate { .. } => Some(Step::Allocated),
            P::Attach { .. } => Some(Step::Attached),
            P::PutService | P::PutMember { .. } => Some(Step::Balanced),
            P::PutName | P::NameInstance { .. } => Some(Step::Named),
            _ => None,
        })
        .unwrap_or(Step::Asked);
    let incident = crate::store::new_incident();
    match e {
        PortError::Refused { system, reason, .. } => {
            tracing::warn!(incident = %incident, cause = %e.chain(), "a delivery was refused");
            Some((at, true, Note::Refused { system: *system, reason: reason.clone(), incident }))
        }
        _ if attempts >= SAY_AFTER => {
            tracing::warn!(incident = %incident, cause = %e.chain(), "a delivery waits for a system");
            Some((at, false, Note::Unavailable { system: e.system(), incident, next_try: None }))
        }
        _ => None,
    }
}

/// Brings the delivery of the active release up to date; whether it is under way, and when to look again.
async fn deliver(r: &Arc<Reconciler>, s: &mut Seen) -> Result<(bool, Option<i64>), RunError> {
    let Some(mut d) = apps::delivery(&r.store, &s.intent.id, s.intent.release).await? else { return Ok((false, None)) };
    if s.intent.wanted != Wanted::Online || d.state == "given-up" || d.ended_at.is_some() {
        return Ok((false, None));
    }
    let mut f = facts(s);
    if s.trouble.is_none() {
        s.trouble = sickness(r, s, &d).await?;
    }
    f.trouble = s.trouble.clone().filter(|_| d.answered_at.is_none());
    let mut again = None;
    if f.balanced >= f.wanted && r.known_name(&s.intent.host_name).is_some() {
        let ip = answer::resolves(r, s).await;
        f.name = ip.map(|ip| (s.intent.host_name.clone(), ip.to_string()));
        match (ip, d.answered_at) {
            (Some(ip), None) => f.answer = answer::ask(r, s, ip).await,
            (_, Some(_)) => f.answer = Some((200, 0, String::new())),
            _ => {}
        }
        if f.answer.is_none() {
            again = Some(50);
        }
    }
    let before = (d.state.clone(), d.steps.clone());
    let at = progress(&mut d.steps, &f, now());
    if f.answer.is_some() && d.answered_at.is_none() {
        d.answered_at = Some(now());
        let took_ms = u64::try_from(now() - d.began_at).unwrap_or_default();
        note(r, s, "delivery.online", Event::Online { release: d.release, took_ms }).await?;
    }
    d.state = match (&f.trouble, d.answered_at) {
        (_, Some(_)) => "online",
        (Some((_, true, _)), None) => "failed",
        (Some((_, false, _)), None) => "waiting",
        (None, None) => "running",
    }
    .to_owned();
    if d.answered_at.is_some() && d.steps.iter().all(|x| matches!(x.state, StepState::Done | StepState::Skipped)) {
        d.ended_at = Some(now());
    }
    if before != (d.state.clone(), d.steps.clone()) || d.ended_at.is_some() {
        save(r, s, &d, at, &before.0).await?;
    }
    Ok((d.answered_at.is_none(), again.or(f.trouble.is_some().then_some(1_000))))
}

async fn save(r: &Arc<Reconciler>, s: &Seen, d: &Delivery, at: Step, before: &str) -> Result<(), RunError> {
    apps::save_delivery(&r.store, &s.intent.id, d, at.as_str()).await?;
    if let (true, Some((step, _, n))) =
        (d.state != before && matches!(d.state.as_str(), "waiting" | "failed"), &s.trouble)
    {
        note(r, s, "delivery.stuck", Event::Stuck { release: d.release, step: *step, note: n.clone() }).await?;
    }
    publish(r, s);
    Ok(())
}

fn facts(s: &Seen) -> Facts {
    let l: &Look = &s.look;
    let count = |f: &dyn Fn(&TaskLook) -> bool| {
        let n = l.release(l.active).map_or(0, |x| x.tasks.iter().filter(|t| t.leaving_since.is_none() && f(t)).count());
        u32::try_from(n).unwrap_or(u32::MAX)
    };
    let tasks = || l.release(l.active).into_iter().flat_map(|x| x.tasks.iter()).filter(|t| t.leaving_since.is_none());
    let mut hosts: Vec<String> = tasks().filter_map(|t| s.task(&t.id)).map(|t| t.host.clone()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let old: Vec<_> = l.releases.iter().filter(|x| x.number != l.active).collect();
    let health = s.active().map(|a| (a.spec.health.path.clone(), a.spec.health.expect.clone())).unwrap_or_default();
    Facts {
        wanted: l.instances,
        marathon_id: s.sched.get(&l.active).map(|x| x.id.clone()),
        running: count(&|t| t.state == TaskState::Running),
        hosts,
        addresses: tasks().filter_map(|t| t.place).map(|p| dotted(p.ip)).collect(),
        attached: count(&|t| t.attached),
        network: (s.pool.subnet.to_string(), s.pool.gateway.clone(), s.pool.vlan),
        well: count(&|t| t.health == Health::Well || l.is_ready(t)),
        health,
        balanced: count(&|t| l.is_ready(t)),
        service: super::observe::service_key(&s.intent.app),
        name: None,
        answer: None,
        previous: old
            .iter()
            .max_by_key(|x| x.tasks.len())
            .map(|x| (x.number, u32::try_from(x.tasks.len()).unwrap_or(u32::MAX))),
        trouble: None,
    }
}

/// What keeps the active release from becoming well, if something does.
async fn sickness(r: &Arc<Reconciler>, s: &Seen, d: &Delivery) -> Result<Option<(Step, bool, Note)>, RunError> {
    let Some(a) = s.active() else { return Ok(None) };
    let died: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM instance WHERE app_id = $1 AND release = $2 AND ended_at IS NOT NULL AND leaving IS NULL",
    )
    .bind(&s.intent.id)
    .bind(i64::from(s.intent.release))
    .fetch_one(r.store.read())
    .await
    .what("count instances that ended")?;
    let last = s.sched.get(&s.intent.release).and_then(|x| x.last_failure.clone());
    if died >= 1
        && facts(s).well < s.look.instances
        && let Some(note) = last.as_ref().and_then(|f| super::image::trouble(r, &a.spec.image, &f.message, d))
    {
        let failed = matches!(note, Note::ImageGone { .. });
        return Ok(Some((Step::Running, failed, note)));
    }
    if died >= 2 && facts(s).well < s.look.instances {
        let message = last.as_ref().map(|f| f.message.clone()).unwrap_or_default();
        let log = match &last {
            Some(f) => last_words(r, s, &f.task_id).await,
            None => vec![],
        };
        let times = u32::try_from(died).unwrap_or(u32::MAX);
        return Ok(Some((Step::Running, true, Note::Crashes { times, message, log })));
    }
    for t in s.look.release(s.intent.release).into_iter().flat_map(|x| x.tasks.iter()) {
        let Some(o) = r.prober.opinion(&t.id) else { continue };
        let patience_s = u64::from(a.contract.start_s) * 3 + 5;
        let late = o.since.elapsed().as_secs() >= patience_s;
        let wrong = matches!(o.finding, Finding::WrongText { .. } | Finding::WrongStatus { .. }) && o.failures >= 20;
        if !o.finding.is_well() && o.failures > 0 && (late || wrong || matches!(t.health, Health::Sick { .. })) {
            let address = t.place.map(|p| dotted(p.ip)).unwrap_or_default();
            let note = Note::Sick { finding: o.finding, address, path: a.spec.health.path.clone() };
            return Ok(Some((Step::Healthy, late, note)));
        }
    }
    Ok(None)
}

/// The last lines that an instance wrote, for the rail; nothing if they can't be had.
async fn last_words(r: &Arc<Reconciler>, s: &Seen, task_id: &str) -> Vec<String> {
    let agent: Option<String> = sqlx::query_scalar("SELECT agent_id FROM instance WHERE task_id = $1")
        .bind(task_id)
        .fetch_optional(r.store.read())
        .await
        .ok()
        .flatten();
    let Some(agent) = agent else { return vec![] };
    for file in ["stderr", "stdout"] {
        match r.ports.cluster.read_file(&agent, task_id, file, None, 2_048).await {
            Ok(piece) if !piece.data.trim_ascii().is_empty() => {
                let text = String::from_utf8_lossy(&piece.data);
                let lines: Vec<String> = text.lines().map(|l| l.chars().take(240).collect()).collect();
                return lines.iter().rev().take(8).rev().cloned().collect();
            }
            Ok(_) => {}
            Err(e) => tracing::debug!(app.id = %s.intent.app, cause = %e.chain(), "the last words could not be read"),
        }
    }
    vec![]
}

/// Puts the look into the live view and tells the pages.
fn show(r: &Arc<Reconciler>, s: &Seen, word: AppState) {
    let mut rows: Vec<InstanceRow> = s.look.tasks().map(|(release, t)| row(r, s, release, t)).collect();
    rows.sort_by_key(|x| (std::cmp::Reverse(x.release == s.intent.release), x.slot, std::cmp::Reverse(x.release)));
    let fresh = LiveApp {
        app: s.intent.app.clone(),
        state: word,
        instances: rows,
        waiting: s.trouble.as_ref().filter(|(_, failed, _)| !failed).map(|(_, _, n)| n.clone()),
        at: now(),
    };
    let same = r
        .live
        .app(&s.intent.id)
        .is_some_and(|b| b.state == fresh.state && b.waiting == fresh.waiting && alike(&b.instances, &fresh.instances));
    r.live.set_looked(&s.intent.id, fresh, s.began);
    if !same {
        publish(r, s);
    }
}

/// Whether a page would look the same but for figures that move all the time.
fn alike(a: &[InstanceRow], b: &[InstanceRow]) -> bool {
    let key = |x: &InstanceRow| (x.task_id.clone(), x.state as u8, x.failures, x.address.clone(), x.slot);
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| key(x) == key(y))
}

fn row(r: &Reconciler, s: &Seen, release: u32, t: &TaskLook) -> InstanceRow {
    let opinion = r.prober.opinion(&t.id);
    let used = r.use_of(&t.id);
    let task = s.task(&t.id);
    let member = s.look.member(&t.member_key);
    let state = match t.state {
        _ if t.leaving_since.is_some() => InstanceState::Leaving,
        TaskState::Killing => InstanceState::Leaving,
        TaskState::Unreachable => InstanceState::Lost,
        TaskState::Staging | TaskState::Ended => InstanceState::Starting,
        TaskState::Running if !t.attached => InstanceState::Attaching,
        TaskState::Running if matches!(t.health, Health::Sick { .. }) => InstanceState::Sick,
        TaskState::Running if s.look.is_ready(t) => InstanceState::Well,
        TaskState::Running => InstanceState::Warming,
    };
    InstanceRow {
        slot: t.place.map_or(0, |p| p.slot),
        release,
        state,
        finding: opinion.as_ref().map_or(Finding::Unknown, |o| o.finding.clone()),
        failures: opinion.map_or(0, |o| o.failures),
        address: t.place.map(|p| dotted(p.ip)),
        host: task.map(|x| x.host.clone()).unwrap_or_default(),
        started_at: task.and_then(|x| x.started_at),
        cpu_milli: used.map(|u| u.cpu_milli),
        mem_mib: used.map(|u| u.mem_mib),
        sessions: member.filter(|m| m.state == MemberState::Drain).map(|m| m.sessions),
        task_id: t.id.clone(),
    }
}
