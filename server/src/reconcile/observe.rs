//! Observing: everything about one application, read anew.
//!
//! One could get it wrong by planning on half a look: if any system does not
//! answer, the whole look fails and is tried again; nothing is concluded from
//! silence.

use super::Reconciler;
use super::digest::Digest;
use super::probe::Target;
use super::worker::RunError;
use crate::store::apps::{self, AppIntent, Instance, LiveRelease};
use crate::store::claims::{self, Claim};
use padis_domain::app::{AppRef, Wanted};
use padis_domain::delivery::{Note, Step};
use padis_domain::plan::{Health, Held, Look, MemberLook, Place, ReleaseLook, SchedLook, TaskLook, member_key};
use padis_domain::pool::PoolSpec;
use padis_domain::ports::{Attachment, MemberState, SchedSeen, SchedTask, Service, ServiceSeen, TaskState};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

/// A look with what it was made from.
pub(super) struct Seen {
    /// Intent.
    pub intent: AppIntent,
    /// Its pool.
    pub pool: PoolSpec,
    /// Releases that may hold something.
    pub releases: Vec<LiveRelease>,
    /// Marathon's apps by release.
    pub sched: HashMap<u32, SchedSeen>,
    /// What is noted of living instances.
    pub instances: HashMap<String, Instance>,
    /// What is held.
    pub claims: Vec<Claim>,
    /// The balancer's service.
    pub service: Option<ServiceSeen>,
    /// For the plan.
    pub look: Look,
    /// What the delivery waits for or fails at.
    pub trouble: Option<(Step, bool, Note)>,
    /// What was found outside, as one number.
    pub digest: Digest,
    /// When the look began.
    pub began: Instant,
}

impl Seen {
    /// The active release.
    pub fn active(&self) -> Option<&LiveRelease> {
        self.releases.iter().find(|r| r.number == self.intent.release)
    }
    /// A release by number.
    pub fn release(&self, number: u32) -> Option<&LiveRelease> {
        self.releases.iter().find(|r| r.number == number)
    }
    /// A living task of Marathon's.
    pub fn task(&self, id: &str) -> Option<&SchedTask> {
        self.sched.values().flat_map(|s| s.tasks.iter()).find(|t| t.id == id)
    }
    /// The balancer's service as it should be.
    pub fn wanted_service(&self) -> Option<Service> {
        let r = self.active()?;
        Some(Service {
            key: service_key(&self.intent.app),
            host: self.intent.host_name.clone(),
            health_path: r.spec.health.path.clone(),
            expect: r.spec.health.expect.clone(),
            interval_ms: r.spec.health.interval_ms.min(2_000),
        })
    }
}

/// The balancer's key of an application's service.
pub(super) fn service_key(app: &AppRef) -> String {
    format!("{}.{}", app.team, app.app)
}

/// Looks. `None`: there is no such application (any more).
pub(super) async fn observe(r: &Arc<Reconciler>, app: &AppRef) -> Result<Option<Seen>, RunError> {
    let began = Instant::now();
    let Some(intent) = apps::intent(&r.store, app).await? else { return Ok(None) };
    let Some(pool) = apps::pool(&r.store, &intent.pool).await? else {
        return Err(
            crate::store::StoreError::Row { what: "app.pool", detail: format!("{} is gone", intent.pool) }.into()
        );
    };
    let (releases, noted, held) = futures::try_join!(
        apps::live_releases(&r.store, &intent.id),
        apps::instances(&r.store, &intent.id),
        claims::held(&r.store, &intent.id),
    )?;
    let key = service_key(app);
    let prefix = app.marathon_prefix();
    let (found, attached, service) = futures::try_join!(
        r.ports.scheduler.list(&prefix),
        r.ports.network.list(&pool.name),
        r.ports.balancer.get(&key),
    )?;
    let digest = digest(&found, &attached, service.as_ref());
    let sched: HashMap<u32, SchedSeen> =
        found.into_iter().filter_map(|s| Some((AppRef::from_marathon_id(&s.id)?.1, s))).collect();
    let instances: HashMap<String, Instance> = noted.into_iter().map(|i| (i.task_id.clone(), i)).collect();

    let mut looks = Vec::new();
    let mut alive = BTreeSet::new();
    let mut targets = Vec::new();
    for rel in &releases {
        let found = sched.get(&rel.number);
        let mut tasks = Vec::new();
        for t in found.into_iter().flat_map(|s| s.tasks.iter()).filter(|t| t.state != TaskState::Ended) {
            alive.insert(t.id.clone());
            let noted = instances.get(&t.id);
            let place = held
                .iter()
                .find(|c| c.kind == "address" && c.task_id.as_deref() == Some(&t.id))
                .and_then(|c| Some(Place { slot: c.slot?, ip: c.address? }));
            let is_attached = place.is_some_and(|p| attached.iter().any(|a| a.task_id == t.id && a.ip == p.ip));
            let leaving = noted.is_some_and(|i| i.leaving.as_deref().is_some_and(|why| why != "sick"));
            let leaving_since = leaving.then(|| r.leaving_since(&t.id));
            let was_well = noted.is_some_and(|i| i.well_at.is_some());
            if let (Some(p), true, TaskState::Running, None) = (place, is_attached, t.state, leaving_since) {
                targets.push(Target {
                    task_id: t.id.clone(),
                    ip: p.ip,
                    port: rel.contract.port,
                    rule: rel.spec.health.clone(),
                    host: intent.host_name.clone(),
                    was_well,
                });
            }
            let named = place.is_some_and(|p| {
                let name = pool.instance_name(app, rel.number, p.slot);
                r.known_name(&name).is_some_and(|a| a == [padis_domain::address::dotted(p.ip)])
            });
            tasks.push(TaskLook {
                id: t.id.clone(),
                member_key: member_key(rel.number, &t.id),
                state: t.state,
                place,
                attached: is_attached,
                named,
                was_well,
                health: r.prober.opinion(&t.id).map_or(Health::Warming, |o| o.health(&rel.spec.health)),
                leaving_since,
            });
        }
        looks.push(ReleaseLook {
            number: rel.number,
            sched: found.map(|s| SchedLook { instances: s.instances, locked: false }),
            tasks,
        });
    }
    let known: Vec<String> = instances.keys().cloned().collect();
    r.prober.watch(&app.work_key(), &targets, &known);

    let mut seen = Seen {
        look: Look {
            now: r.steady_ms(),
            wanted: intent.wanted,
            instances: intent.instances,
            active: intent.release,
            drain_ms: r.set.drain_ms,
            releases: looks,
            members: members(service.as_ref(), &held, &alive, &key),
            service: Held::Absent,
            name: Held::Absent,
            held_by_gone: held
                .iter()
                .filter(|c| c.kind == "address")
                .filter_map(|c| c.task_id.clone())
                .filter(|t| !alive.contains(t))
                .collect(),
            no_room: false,
        },
        intent,
        pool,
        releases,
        sched,
        instances,
        claims: held,
        service,
        trouble: None,
        digest,
        began,
    };
    seen.look.service = compare_service(&seen);
    seen.look.name = compare_name(r, &seen);
    seen.trouble = room(r, &seen).await?;
    seen.look.no_room = matches!(seen.trouble, Some((_, _, Note::NoHost { .. })));
    Ok(Some(seen))
}

fn digest(found: &[SchedSeen], attached: &[Attachment], service: Option<&ServiceSeen>) -> Digest {
    let mut d = Digest::default();
    let ours = found.iter().filter(|s| AppRef::from_marathon_id(&s.id).is_some());
    for s in ours {
        d.sched(s);
        for t in s.tasks.iter().filter(|t| t.state != TaskState::Ended) {
            attached.iter().filter(|a| a.task_id == t.id).for_each(|a| d.attached(&t.id, a.ip));
        }
    }
    service.into_iter().for_each(|s| d.service(s));
    d
}

/// The balancer's members; and those that we hold for a task that is gone although
/// the balancer has them no more (the answer to their removal was lost): dropping
/// them once more closes the claim.
fn members(found: Option<&ServiceSeen>, held: &[Claim], alive: &BTreeSet<String>, service: &str) -> Vec<MemberLook> {
    let mut all: Vec<MemberLook> = found
        .iter()
        .flat_map(|s| s.members.iter())
        .map(|m| MemberLook { key: m.member.key.clone(), state: m.member.state, sessions: m.sessions })
        .collect();
    for c in held.iter().filter(|c| c.kind == "member") {
        let gone = c.task_id.as_ref().is_none_or(|t| !alive.contains(t));
        if let (true, Some(key)) = (gone, c.what.strip_prefix(service).and_then(|k| k.strip_prefix('/')))
            && all.iter().all(|m| m.key != key)
        {
            all.push(MemberLook { key: key.to_owned(), state: MemberState::Drain, sessions: 0 });
        }
    }
    all
}

/// A claim without the thing counts as there: deleting it again settles it.
fn compare_service(s: &Seen) -> Held {
    match (&s.service, s.wanted_service()) {
        (Some(found), Some(wanted)) if found.service == wanted => Held::AsWanted,
        (Some(_), _) => Held::Otherwise,
        (None, _) if s.claims.iter().any(|c| c.kind == "service") => Held::Otherwise,
        (None, _) => Held::Absent,
    }
}

fn compare_name(r: &Reconciler, s: &Seen) -> Held {
    match r.known_name(&s.intent.host_name) {
        Some(a) if a == [r.set.names_to.clone()] => Held::AsWanted,
        Some(_) => Held::Otherwise,
        None if s.claims.iter().any(|c| c.kind == "name") => Held::Otherwise,
        None => Held::Absent,
    }
}

/// Whether the active release waits for a host, in Marathon's own words. Asked
/// only while instances are missing.
async fn room(r: &Arc<Reconciler>, s: &Seen) -> Result<Option<(Step, bool, Note)>, RunError> {
    let Some(found) = s.sched.get(&s.intent.release) else { return Ok(None) };
    if s.intent.wanted != Wanted::Online || found.tasks.len() >= found.instances as usize {
        return Ok(None);
    }
    let waiting = r.ports.scheduler.waiting().await?;
    let Some(w) = waiting.iter().find(|w| w.id == found.id && w.count > 0) else { return Ok(None) };
    if w.refused.values().all(|n| *n == 0) {
        return Ok(None);
    }
    let hosts = r.live.hosts();
    let fit: Vec<_> = hosts
        .found
        .iter()
        .filter(|h| h.active && s.pool.hosts.iter().all(|(k, v)| h.attributes.get(k) == Some(v)))
        .collect();
    let size = s.active().map(|a| a.spec.size);
    Ok(Some((
        Step::Running,
        false,
        Note::NoHost {
            pool: s.pool.name.clone(),
            cpu_milli: size.map_or(0, |x| u64::from(x.cpu_milli)),
            mem_mib: size.map_or(0, |x| u64::from(x.mem_mib)),
            hosts: u32::try_from(fit.len()).unwrap_or(u32::MAX),
            best_cpu_milli: fit.iter().map(|h| h.cpu_milli.saturating_sub(h.cpu_used_milli)).max().unwrap_or(0),
            best_mem_mib: fit.iter().map(|h| h.mem_mib.saturating_sub(h.mem_used_mib)).max().unwrap_or(0),
        },
    )))
}
