//! Everything at once: what Marathon has, beside what was last seen of it.
//!
//! Each connection of the event stream, each wish of an operator and the start lead to a
//! whole look: afterwards every application is looked at, whatever was found. The sweep
//! in between compares: of what is as the last finished look had left it only the
//! longest not looked at are looked at again, so that ten thousand quiet applications
//! cost a sweep one answer of Marathon's and not ten thousand looks. What differs had
//! been missed; after a gap people are told how much that was.
//!
//! The answer is read as it comes: one app of it is in memory at a time. One could get it
//! wrong by taking half an answer for all (what is missing would count as gone), or by
//! letting what was read here overrule a look, which is newer.

mod kept;

pub(super) use kept::{figures, restore};

use super::digest::Digest;
use super::live::{LiveApp, shown_as};
use super::worker::RunError;
use super::{Reconciler, events, lock, now};
use crate::store::apps;
use futures::StreamExt;
use padis_domain::app::AppRef;
use padis_domain::ports::{SchedSeen, SchedTask, TaskState};
use padis_domain::view::{GapFound, InstanceRow, SweepRow};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two attempts to read everything while Marathon does not let us.
const AGAIN: Duration = Duration::from_secs(2);
/// How long the start waits for the stream.
const ATTACH: Duration = Duration::from_secs(1);

/// How much is looked at afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Everything,
    WhatDiffers,
}

/// Looks at everything at once, at the sweep's pace and whenever somebody asks, until `stop`.
pub(super) async fn keep(r: Arc<Reconciler>, stop: CancellationToken) {
    // When the stream stands, so that once is enough; and without it, for it may never.
    tokio::select! {
        () = r.stream.look.notified() => {}
        () = tokio::time::sleep(ATTACH) => {}
        () = stop.cancelled() => return,
    }
    let mut then = Then::Everything;
    loop {
        let found = tokio::select! { f = look(&r, then) => f, () = stop.cancelled() => return };
        let pause = match found {
            Ok(Wanted { missed, round }) => {
                missed.into_iter().for_each(|key| r.nudge(key));
                round.into_iter().for_each(|key| r.nudge_later(key));
                r.set.sweep
            }
            Err(e) => {
                tracing::warn!(cause = %e.chain(), "not everything could be read; trying again");
                if then == Then::Everything {
                    events::nudge_all(&r).await;
                }
                r.set.sweep.min(AGAIN)
            }
        };
        then = tokio::select! {
            () = r.stream.look.notified() => Then::Everything,
            () = tokio::time::sleep(pause) => Then::WhatDiffers,
            () = stop.cancelled() => return,
        };
    }
}

/// An application, as last seen and as read now.
struct Side {
    id: String,
    /// As the pages show it.
    live: Option<Arc<LiveApp>>,
    /// … else as the database holds it, with the row that the pages would show.
    noted: HashMap<String, InstanceRow>,
    state: String,
    /// Tasks that were seen before and are still there.
    still: usize,
    differing: u32,
    digest: Digest,
    /// What is to be shown, if nobody has looked yet.
    rows: Vec<InstanceRow>,
}

impl Side {
    /// Compares a task and puts it down.
    fn take(&mut self, release: u32, t: &SchedTask) {
        let shown = match &self.live {
            Some(live) => live.instances.iter().find(|i| i.task_id == t.id),
            None => self.noted.get(&t.id),
        };
        self.still += usize::from(shown.is_some());
        let other = match (shown, &self.live) {
            (None, _) => true,
            (Some(row), Some(_)) => shown_as(Some(row.state), t.state).is_some(),
            // What another process wrote down says who there was, not how they are.
            (Some(_), None) => false,
        };
        self.differing += u32::from(other);
        if self.live.is_none() {
            let mut row = shown.cloned().unwrap_or_else(|| InstanceRow::fresh(&t.id, release));
            row.host.clone_from(&t.host);
            row.started_at = t.started_at;
            if let Some(state) = shown_as(shown.map(|r| r.state), t.state) {
                row.state = state;
            }
            self.rows.push(row);
        }
    }

    /// Those that were seen before and are not there.
    fn gone(&self) -> u32 {
        let before = self.live.as_ref().map_or(self.noted.len(), |l| l.instances.len());
        u32::try_from(before.saturating_sub(self.still)).unwrap_or(u32::MAX)
    }
}

/// Work keys of what is to be looked at.
#[derive(Default)]
struct Wanted {
    /// Something is not as it was last seen.
    missed: Vec<String>,
    /// All is as it was, as far as was compared.
    round: Vec<String>,
}

/// Reads everything and compares.
async fn look(r: &Arc<Reconciler>, then: Then) -> Result<Wanted, RunError> {
    let (at, began, number) = (now(), Instant::now(), r.stream.sweep_begins());
    let mut sides = sides(r).await?;
    let mut digests = if then == Then::WhatDiffers { others(r, &sides).await } else { None };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (mut apps, mut instances) = (0, 0);
    let mut all = r.ports.scheduler.each("/");
    while let Some(app) = all.next().await {
        let seen: SchedSeen = app?;
        let Some((app, release)) = AppRef::from_marathon_id(&seen.id) else { continue };
        let Some(side) = sides.get_mut(&app) else { continue };
        (apps, instances) = (apps + 1, instances + seen.tasks.len());
        side.digest.sched(&seen);
        for t in seen.tasks.iter().filter(|t| t.state != TaskState::Ended) {
            side.take(release, t);
            for ip in digests.as_mut().and_then(|d| d.attached.remove(&t.id)).unwrap_or_default() {
                side.digest.attached(&t.id, ip);
            }
        }
    }
    drop(all);
    let mut found = GapFound { looked: count(sides.len()), ..GapFound::default() };
    let mut wanted = Wanted { missed: Vec::new(), round: round(r) };
    for (app, side) in &mut sides {
        let n = side.differing + side.gone();
        found.instances += n;
        found.apps += u32::from(n > 0);
        let settled = lock(&r.settled).get(app).map(|s| s.0);
        match digests.as_mut() {
            Some(d) => {
                d.services.remove(&super::observe::service_key(app)).iter().for_each(|s| side.digest.service(s));
                match settled {
                    Some(d) if d == side.digest => {}
                    Some(_) => wanted.missed.push(app.work_key()),
                    // No look has left it finished: nobody knows.
                    None => wanted.round.push(app.work_key()),
                }
            }
            None if n > 0 && side.live.is_some() => wanted.missed.push(app.work_key()),
            None => wanted.round.push(app.work_key()),
        }
        if side.live.is_none() {
            fill(r, app, side, began, at);
        }
    }
    found.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let row = SweepRow { at, took_ms: found.took_ms, apps, instances: count(instances), changed: found.instances };
    if then == Then::Everything {
        tracing::info!(
            apps,
            instances,
            changed = found.instances,
            took_ms = found.took_ms,
            "everything was read from Marathon"
        );
    }
    for gap in r.stream.swept(number, row, found) {
        kept::tell(r, &gap).await;
    }
    r.changes.publish("stream", None);
    Ok(wanted)
}

/// Every application as last seen.
async fn sides(r: &Reconciler) -> Result<HashMap<AppRef, Side>, RunError> {
    let mut out: HashMap<AppRef, Side> = HashMap::new();
    let mut unseen: HashMap<String, AppRef> = HashMap::new();
    for (id, app, state) in apps::states(&r.store).await? {
        let live = r.live.app(&id);
        if live.is_none() {
            unseen.insert(id.clone(), app.clone());
        }
        let (noted, rows) = (HashMap::new(), Vec::new());
        out.insert(app, Side { id, live, noted, state, still: 0, differing: 0, digest: Digest::default(), rows });
    }
    if unseen.is_empty() {
        return Ok(out);
    }
    let mut rows = apps::noted(&r.store);
    while let Some(row) = rows.next().await {
        let (id, row) = row?;
        if let Some(side) = unseen.get(&id).and_then(|app| out.get_mut(app)) {
            side.noted.insert(row.task_id.clone(), row);
        }
    }
    Ok(out)
}

/// What is found outside beside Marathon.
struct Others {
    attached: HashMap<String, Vec<u32>>,
    services: HashMap<String, padis_domain::ports::ServiceSeen>,
}

/// `None`: one of them does not answer, so that nothing can be compared.
async fn others(r: &Reconciler, sides: &HashMap<AppRef, Side>) -> Option<Others> {
    // For so few a comparison saves nothing.
    if sides.len() <= r.set.round {
        return None;
    }
    let pools = apps::pools(&r.store).await.ok()?;
    let services = r.ports.balancer.list().await.ok()?;
    let mut attached: HashMap<String, Vec<u32>> = HashMap::new();
    for pool in pools {
        for a in r.ports.network.list(&pool.name).await.ok()? {
            attached.entry(a.task_id).or_default().push(a.ip);
        }
    }
    let services = services.into_iter().map(|s| (s.service.key.clone(), s)).collect();
    Some(Others { attached, services })
}

/// Those that were not looked at for longest.
fn round(r: &Reconciler) -> Vec<String> {
    let settled = lock(&r.settled);
    let mut all: Vec<(Instant, &AppRef)> = settled.iter().map(|(app, (_, at))| (*at, app)).collect();
    if all.len() > r.set.round {
        all.select_nth_unstable(r.set.round);
        all.truncate(r.set.round);
    }
    all.into_iter().map(|(_, app)| app.work_key()).collect()
}

/// Shows what was read of an application that nobody has looked at yet.
fn fill(r: &Reconciler, app: &AppRef, side: &mut Side, began: Instant, at: i64) {
    let Some(state) = padis_domain::action::AppState::parse(&side.state) else { return };
    let mut instances = std::mem::take(&mut side.rows);
    instances.sort_by_key(|i| (std::cmp::Reverse(i.release), i.slot));
    r.live.fill(&side.id, LiveApp { app: app.clone(), state, instances, waiting: None, at }, began);
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::action::AppState;
    use padis_domain::view::InstanceState;

    fn task(id: &str, state: TaskState) -> SchedTask {
        SchedTask {
            id: id.into(),
            app_id: "/t/a/r1".into(),
            state,
            host: "h".into(),
            agent_id: String::new(),
            staged_at: None,
            started_at: None,
        }
    }

    fn row(id: &str, state: InstanceState) -> InstanceRow {
        InstanceRow { state, ..InstanceRow::fresh(id, 1) }
    }

    fn side(live: Option<Vec<InstanceRow>>, noted: Vec<InstanceRow>) -> Side {
        let app = AppRef { team: "t".into(), app: "a".into() };
        let live = live.map(|instances| LiveApp { app, state: AppState::Online, instances, waiting: None, at: 0 });
        Side {
            id: "id".into(),
            live: live.map(Arc::new),
            noted: noted.into_iter().map(|r| (r.task_id.clone(), r)).collect(),
            state: "online".into(),
            still: 0,
            differing: 0,
            digest: Digest::default(),
            rows: vec![],
        }
    }

    fn counted(mut side: Side, tasks: &[SchedTask]) -> (u32, Side) {
        tasks.iter().for_each(|t| side.take(1, t));
        (side.differing + side.gone(), side)
    }

    #[test]
    fn what_came_went_or_changed_since_the_last_look_is_counted() {
        let live = || Some(vec![row("a", InstanceState::Well), row("b", InstanceState::Starting)]);
        let run = TaskState::Running;
        let same = [task("a", run), task("b", TaskState::Staging)];
        assert_eq!(counted(side(live(), vec![]), &same).0, 0);
        let other = [task("a", TaskState::Unreachable), task("c", run)];
        assert_eq!(counted(side(live(), vec![]), &other).0, 3, "a changed, b is gone, c is new");
    }

    #[test]
    fn after_a_restart_who_there_was_is_known_and_what_is_there_is_shown() {
        let noted = vec![
            InstanceRow { slot: 2, address: Some("10.0.0.7".into()), ..row("a", InstanceState::Well) },
            row("b", InstanceState::Starting),
        ];
        let tasks = [task("a", TaskState::Running), task("c", TaskState::Staging)];
        let (n, side) = counted(side(None, noted), &tasks);
        assert_eq!(n, 2, "b is gone, c is new");
        let shown: Vec<_> = side.rows.iter().map(|r| (r.task_id.as_str(), r.state, r.slot, r.host.as_str())).collect();
        assert_eq!(shown, [("a", InstanceState::Well, 2, "h"), ("c", InstanceState::Starting, 0, "h")]);
    }
}
