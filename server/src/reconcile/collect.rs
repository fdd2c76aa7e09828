//! The sweep, and the collectors that keep the live view fresh.
//!
//! The sweep makes the same code path run that an event does, so that nothing
//! depends on having seen one; what it compares with Marathon stands in `snapshot`, the
//! rest here. The collectors only read. One could get it wrong
//! by letting one slow system hold up the others: each is asked side by side.

use super::{Reconciler, Use, now};
use crate::store::{What, claims, to_json};
use padis_domain::app::AppRef;
use padis_domain::ports::{PortError, ServiceSeen, TaskUse};
use padis_domain::problem::System;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Samples older than this are deleted, in ms (two days).
const KEEP_SAMPLES_MS: i64 = 2 * 24 * 3_600_000;
/// Half an hour in ms: the width of a traffic bucket.
const HALF_HOUR_MS: i64 = 30 * 60_000;
/// Between two samples of an application, in ms.
const SAMPLE_MS: i64 = 15_000;

/// Looks at everything, again and again.
pub(super) async fn sweep(r: Arc<Reconciler>, stop: CancellationToken) {
    loop {
        match r.ports.dns.list().await {
            Ok(names) => {
                let known: HashMap<_, _> = names.into_iter().map(|n| (n.name, n.addresses)).collect();
                let before = r.names.write().unwrap_or_else(PoisonError::into_inner).replace(known.clone());
                if let Err(e) = renamed(&r, before.unwrap_or_default(), &known).await {
                    tracing::warn!(cause = %e, "whose names changed could not be found out");
                }
            }
            Err(e) => tracing::warn!(cause = %e.chain(), "the names could not be listed"),
        }
        for pool in crate::store::apps::pools(&r.store).await.unwrap_or_default() {
            r.nudge(format!("pool:{}", pool.name));
        }
        for agent in crate::store::hosts::all(&r.store).await.unwrap_or_default().keys() {
            r.nudge(crate::store::hosts::key(agent));
        }
        for bench in crate::store::benches::alive(&r.store).await.unwrap_or_default() {
            r.nudge(crate::store::benches::key(&bench));
        }
        if let Err(e) = strays(&r).await {
            tracing::warn!(cause = %e, "strays could not be cleared");
        }
        tokio::select! { () = tokio::time::sleep(r.set.sweep) => {}, () = stop.cancelled() => return }
    }
}

/// Asks for a look at the applications whose names are not what was last known.
async fn renamed(
    r: &Arc<Reconciler>,
    mut before: HashMap<String, Vec<String>>,
    now: &HashMap<String, Vec<String>>,
) -> Result<(), crate::store::StoreError> {
    let mut changed: Vec<&String> =
        now.iter().filter(|(n, a)| before.remove(*n).as_ref() != Some(*a)).map(|x| x.0).collect();
    changed.extend(before.keys());
    if changed.is_empty() {
        return Ok(());
    }
    let rows: Vec<(String, String, String)> = sqlx::query_as("SELECT host_name, team, name FROM app")
        .fetch_all(r.store.read())
        .await
        .what("list applications")?;
    let hosts: HashMap<String, AppRef> = rows.into_iter().map(|(h, team, app)| (h, AppRef { team, app })).collect();
    for name in changed {
        // r1-0.app.team.inst.domain
        let mut parts = name.split('.').skip(1);
        let of_instance = parts.next().zip(parts.next()).filter(|_| parts.next() == Some("inst"));
        let instance = of_instance.map(|(app, team)| AppRef { team: team.to_owned(), app: app.to_owned() });
        if let Some(app) = hosts.get(name).cloned().or(instance) {
            r.nudge(app.work_key());
        }
    }
    Ok(())
}

/// Services and names outside that belong to no application any more.
///
/// Outside first, then the database: whatever is found outside had its row before
/// it was made. The other order takes away what is made in between.
async fn strays(r: &Arc<Reconciler>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (found, names) = (r.ports.balancer.list().await?, r.ports.dns.list().await?);
    let rows: Vec<(String, String, String)> = sqlx::query_as("SELECT team, name, host_name FROM app")
        .fetch_all(r.store.read())
        .await
        .what("list applications")?;
    let services: BTreeSet<String> = rows.iter().map(|(t, n, _)| format!("{t}.{n}")).collect();
    let instances = instance_names(r).await?;
    let hosts: BTreeSet<&String> = rows.iter().map(|(_, _, h)| h).chain(&instances).collect();
    for s in found {
        if !services.contains(&s.service.key) {
            tracing::warn!(service = %s.service.key, "a balancer service of no application is removed");
            r.ports.balancer.delete_service(&s.service.key).await?;
        }
    }
    for n in names {
        if !hosts.contains(&n.name) {
            tracing::warn!(name = %n.name, "a name of no application is removed");
            r.ports.dns.delete(&n.name).await?;
            r.learn_name(&n.name, None);
        }
    }
    Ok(())
}

/// The names of all instances that hold an address.
async fn instance_names(r: &Arc<Reconciler>) -> Result<Vec<String>, crate::store::StoreError> {
    let pools = crate::store::apps::pools(&r.store).await?;
    let held = claims::instances(&r.store).await?;
    let name = |(pool, app, release, slot): &(String, AppRef, u32, u32)| {
        pools.iter().find(|p| p.name == *pool).map(|p| p.instance_name(app, *release, *slot))
    };
    Ok(held.iter().filter_map(name).collect())
}

/// Keeps hosts, use, balancer figures, stacks and the state of every system fresh.
pub(super) async fn collect(r: Arc<Reconciler>, stop: CancellationToken) {
    let mut c = Collector::default();
    loop {
        tokio::join!(c.cpu.hosts(&r), c.traffic.balancer(&r), stacks(&r), pings(&r), quarantines(&r));
        c.sample(&r).await;
        tokio::select! { () = tokio::time::sleep(r.set.collect) => {}, () = stop.cancelled() => return }
    }
}

/// Asks what instances have written into their own containers, again and again: apart from the
/// others, because it may take minutes.
pub(super) async fn written(r: Arc<Reconciler>, stop: CancellationToken) {
    loop {
        let said = tokio::select! { said = r.ports.workbench.written() => said, () = stop.cancelled() => return };
        match said {
            Ok(written) => r.live.set_written(written),
            // What was known is not known any more: a figure of yesterday warns of nothing.
            Err(e) => {
                tracing::warn!(cause = %e.chain(), "what containers have written could not be asked");
                r.live.set_written(BTreeMap::new());
            }
        }
        r.changes.publish("apps", None);
        tokio::select! { () = tokio::time::sleep(r.set.written) => {}, () = stop.cancelled() => return }
    }
}

#[derive(Default)]
struct Collector {
    cpu: Cpu,
    traffic: Traffic,
    sampled_at: i64,
}

fn say<T>(r: &Reconciler, name: &'static str, system: System, result: Result<&T, &PortError>) {
    let place = r.set.places.get(name).cloned().unwrap_or_default();
    let detail = result.as_ref().err().map(|e| e.chain()).unwrap_or_default();
    if r.live.set_system(name, system, result.is_ok(), &place, &detail, now()) {
        match result {
            Ok(_) => tracing::info!(system = name, "answers"),
            Err(e) => tracing::warn!(system = name, cause = %e.chain(), "does not answer"),
        }
        r.changes.publish("systems", None);
    }
}

async fn pings(r: &Arc<Reconciler>) {
    let (a, b, c, d) =
        tokio::join!(r.ports.scheduler.ping(), r.ports.balancer.ping(), r.ports.dns.ping(), r.ports.registry.ping());
    say(r, "scheduler", System::Scheduler, a.as_ref());
    say(r, "balancer", System::Balancer, b.as_ref());
    say(r, "dns", System::Dns, c.as_ref());
    say(r, "registry", System::Registry, d.as_ref());
}

async fn quarantines(r: &Arc<Reconciler>) {
    match claims::end_quarantines(&r.store).await {
        Ok(pools) => pools.iter().for_each(|p| r.changes.publish(format!("addresses:{p}"), None)),
        Err(e) => tracing::error!(cause = %e, "quarantines could not be ended"),
    }
}

/// A look that took longer is made only for somebody who is reading.
const LIGHT: Duration = Duration::from_millis(250);
/// Somebody who asked no longer ago is reading.
const READING: Duration = Duration::from_secs(60);
/// The whole look is made at most for one part in so many of the time.
const SHARE: u32 = 20;

/// When the whole cluster is looked at, and when only what the pools need: of 100,000
/// tasks Mesos tells the former in 200 MB.
#[derive(Default)]
struct Surveys {
    last: Option<(Instant, Duration)>,
}

impl Surveys {
    fn due(&self, read: Option<Duration>) -> bool {
        self.last.is_none_or(|(at, took)| {
            at.elapsed() >= took * SHARE && (took <= LIGHT || read.is_some_and(|ago| ago <= READING))
        })
    }

    async fn look(&mut self, r: &Arc<Reconciler>) {
        if !self.due(r.live.survey_read()) {
            let (hosts, duties) = tokio::join!(r.ports.cluster.hosts(), r.ports.cluster.duties());
            say(r, "cluster", System::Cluster, hosts.as_ref());
            if let Ok(found) = hosts {
                // Without them the hosts are shown as heard or not heard, and no more is claimed.
                r.note_hosts(found, duties.unwrap_or_default());
            }
            return;
        }
        let began = Instant::now();
        let survey = r.ports.cluster.survey().await;
        say(r, "cluster", System::Cluster, survey.as_ref());
        if let Ok(survey) = survey {
            self.last = Some((Instant::now(), began.elapsed()));
            r.note_survey(survey);
        }
    }
}

/// CPU use needs two looks.
#[derive(Default)]
struct Cpu {
    survey: Surveys,
    last: HashMap<String, (Instant, f64)>,
}

impl Cpu {
    async fn hosts(&mut self, r: &Arc<Reconciler>) {
        let (_, usage, framework) =
            tokio::join!(self.survey.look(r), r.ports.cluster.usage(), r.ports.scheduler.framework());
        // Until it tells another one, the one that it had is ours.
        if let Ok(Some(framework)) = framework {
            r.live.set_framework(framework);
        }
        if let Ok(u) = usage {
            let uses = self.rates(&u);
            *r.uses.write().unwrap_or_else(PoisonError::into_inner) = uses;
        }
    }

    fn rates(&mut self, usage: &BTreeMap<String, TaskUse>) -> HashMap<String, Use> {
        let at = Instant::now();
        let mut out = HashMap::new();
        for (task, u) in usage {
            let before = self.last.insert(task.clone(), (at, u.cpu_time_s));
            let Some((then, cpu)) = before else { continue };
            let s = at.duration_since(then).as_secs_f64();
            if s > 0.0 {
                let milli = ((u.cpu_time_s - cpu).max(0.0) / s * 1000.0).round();
                out.insert(task.clone(), Use { cpu_milli: milli as u32, mem_mib: u.mem_mib.round() as u32 });
            }
        }
        self.last.retain(|k, _| usage.contains_key(k));
        out
    }
}

/// Requests and failed ones per service, since the look before.
#[derive(Default)]
struct Traffic {
    last: HashMap<String, (u64, u64)>,
    fresh: HashMap<String, (u64, u64)>,
}

impl Traffic {
    async fn balancer(&mut self, r: &Arc<Reconciler>) {
        let Ok(services) = r.ports.balancer.list().await else { return };
        for s in &services {
            self.add(s);
        }
        r.live.set_services(services, now());
    }

    fn add(&mut self, s: &ServiceSeen) {
        let now = (s.requests, s.failed);
        let before = self.last.insert(s.service.key.clone(), now);
        // A restarted balancer counts from zero; the first look counts nothing.
        let Some(before) = before else { return };
        let more = |a: u64, b: u64| if a >= b { a - b } else { a };
        let sum = self.fresh.entry(s.service.key.clone()).or_default();
        sum.0 += more(now.0, before.0);
        sum.1 += more(now.1, before.1);
    }
}

impl Collector {
    /// Writes one sample an application.
    async fn sample(&mut self, r: &Arc<Reconciler>) {
        let at = now();
        let since = at - self.sampled_at;
        if (0..SAMPLE_MS).contains(&since) {
            return;
        }
        let first = self.sampled_at == 0;
        self.sampled_at = at;
        let fresh = std::mem::take(&mut self.traffic.fresh);
        if first {
            return;
        }
        if let Err(e) = write_samples(r, at, since.max(1), &fresh).await {
            tracing::warn!(cause = %e, "samples could not be written");
        }
    }
}

async fn write_samples(
    r: &Arc<Reconciler>,
    at: i64,
    since_ms: i64,
    traffic: &HashMap<String, (u64, u64)>,
) -> Result<(), crate::store::StoreError> {
    const WHAT: &str = "write samples";
    let apps: Vec<(String, String, String)> =
        sqlx::query_as("SELECT id, team, name FROM app").fetch_all(r.store.read()).await.what(WHAT)?;
    let mut tx = r.store.begin().await?;
    for (id, team, name) in apps {
        let live = r.live.app(&id);
        let sum = |f: &dyn Fn(Use) -> u32| -> i64 {
            live.iter()
                .flat_map(|l| l.instances.iter())
                .filter_map(|i| r.use_of(&i.task_id))
                .map(|u| i64::from(f(u)))
                .sum()
        };
        let (requests, failed) = traffic.get(&format!("{team}.{name}")).copied().unwrap_or_default();
        let (requests, failed) =
            (i64::try_from(requests).unwrap_or(i64::MAX), i64::try_from(failed).unwrap_or(i64::MAX));
        if live.as_ref().is_none_or(|l| l.instances.is_empty()) && requests == 0 {
            continue;
        }
        sqlx::query(
            "INSERT INTO sample (app_id, at, cpu_milli, mem_mib, requests, failed) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(&id)
        .bind(at)
        .bind(sum(&|u| u.cpu_milli))
        .bind(sum(&|u| u.mem_mib))
        .bind(requests.saturating_mul(60_000) / since_ms)
        .bind(failed.saturating_mul(60_000) / since_ms)
        .execute(&mut *tx)
        .await
        .what(WHAT)?;
        if requests > 0 {
            sqlx::query(
                "INSERT INTO traffic (app_id, team, bucket, requests, failed) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (app_id, bucket) DO UPDATE SET requests = traffic.requests + excluded.requests, failed = traffic.failed + excluded.failed",
            )
            .bind(&id)
            .bind(&team)
            .bind(at - at.rem_euclid(HALF_HOUR_MS))
            .bind(requests)
            .bind(failed)
            .execute(&mut *tx)
            .await
            .what(WHAT)?;
        }
    }
    sqlx::query("DELETE FROM sample WHERE at < $1").bind(at - KEEP_SAMPLES_MS).execute(&mut *tx).await.what(WHAT)?;
    tx.commit().await.what(WHAT)
}

/// What the registry offers, into the table that the pages read.
async fn stacks(r: &Arc<Reconciler>) {
    let found = match r.ports.registry.stacks().await {
        Ok(f) => f,
        Err(e) => {
            tracing::debug!(cause = %e.chain(), "the registry could not be read");
            return;
        }
    };
    let write = async {
        const WHAT: &str = "write stacks";
        let at = now();
        let mut changed = false;
        let mut tx = r.store.begin().await?;
        let mut keys = BTreeSet::new();
        for s in &found {
            let key = format!("{}:{}", s.contract.name, s.contract.version);
            if !keys.insert(key.clone()) {
                continue;
            }
            let n = sqlx::query(
                "INSERT INTO stack (key, repository, tag, digest, image, bytes, created, contract, seen_at, gone_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL) \
                 ON CONFLICT (key) DO UPDATE SET repository = excluded.repository, tag = excluded.tag, digest = excluded.digest, \
                 image = excluded.image, bytes = excluded.bytes, created = excluded.created, contract = excluded.contract, \
                 seen_at = excluded.seen_at, gone_at = NULL \
                 WHERE stack.digest <> excluded.digest OR stack.image <> excluded.image OR stack.contract <> excluded.contract OR stack.gone_at IS NOT NULL",
            )
            .bind(&key)
            .bind(&s.repository)
            .bind(&s.tag)
            .bind(&s.digest)
            .bind(&s.image)
            .bind(i64::try_from(s.bytes).unwrap_or(i64::MAX))
            .bind(&s.created)
            .bind(to_json("stack.contract", &s.contract)?)
            .bind(at)
            .execute(&mut *tx)
            .await
            .what(WHAT)?;
            changed |= n.rows_affected() > 0;
        }
        let had: Vec<String> =
            sqlx::query_scalar("SELECT key FROM stack WHERE gone_at IS NULL").fetch_all(&mut *tx).await.what(WHAT)?;
        for key in had.iter().filter(|k| !keys.contains(*k)) {
            sqlx::query("UPDATE stack SET gone_at = $2 WHERE key = $1")
                .bind(key)
                .bind(at)
                .execute(&mut *tx)
                .await
                .what(WHAT)?;
            changed = true;
        }
        tx.commit().await.what(WHAT)?;
        Ok::<bool, crate::store::StoreError>(changed)
    };
    match write.await {
        Ok(true) => r.changes.publish("stacks", None),
        Ok(false) => {}
        Err(e) => tracing::warn!(cause = %e, "the stacks could not be written"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_cluster_is_looked_at_as_often_as_it_is_cheap_or_read() {
        let now = Instant::now();
        let after = |since_s: u64, took_ms: u64| Surveys {
            last: now.checked_sub(Duration::from_secs(since_s)).map(|at| (at, Duration::from_millis(took_ms))),
        };
        let ago = |s: u64| Some(Duration::from_secs(s));
        assert!(Surveys::default().due(None), "once in any case");
        assert!(after(1, 40).due(None), "a small one each time");
        assert!(!after(1, 60).due(ago(0)), "no more than a twentieth of the time");
        assert!(!after(600, 1_500).due(None) && !after(600, 1_500).due(ago(61)), "a large one not for nobody");
        assert!(after(31, 1_500).due(ago(5)) && !after(29, 1_500).due(ago(5)), "but for who is reading");
    }
}
