//! Everything at once: what Marathon has, beside what was last seen of it.
//!
//! Each connection of the event stream, each wish of an operator and the start lead
//! here. What differs from what was last seen had been missed; the count is for
//! people, and afterwards every application is looked at whatever the count is. One
//! could get it wrong by trusting the comparison: it shows tasks, and an application
//! is more than its tasks.

use super::worker::RunError;
use super::{Reconciler, events, now};
use crate::store::{What, journal};
use padis_domain::app::AppRef;
use padis_domain::ports::{SchedSeen, SchedTask, TaskState};
use padis_domain::view::{Event, GapFound, GapRow, InstanceState, StreamReport, SweepRow};
use padis_domain::words::UnixMs;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Between two attempts to read everything while Marathon does not let us.
const AGAIN: Duration = Duration::from_secs(2);
/// How often the queue is counted.
const COUNT: Duration = Duration::from_secs(2);
/// How often it is written down that the stream is heard.
const HEARD: Duration = Duration::from_secs(10);
/// The key in `meta` under which that stands.
const HEARD_KEY: &str = "stream.heard";
const SUBJECT: &str = "marathon";

/// Looks at everything whenever somebody asks, until `stop`.
pub(super) async fn keep(r: Arc<Reconciler>, stop: CancellationToken) {
    loop {
        tokio::select! { () = r.stream.look.notified() => {}, () = stop.cancelled() => return }
        loop {
            let seen = tokio::select! { s = look(&r) => s, () = stop.cancelled() => return };
            // Those that are looked at one by one find more than their tasks.
            events::nudge_all(&r).await;
            match seen {
                Ok(()) => break,
                Err(e) => tracing::warn!(cause = %e.chain(), "not everything could be read; trying again"),
            }
            tokio::select! { () = tokio::time::sleep(AGAIN) => {}, () = stop.cancelled() => return }
        }
    }
}

/// What was last seen of an application's instances; the state is unknown of those that
/// another process has seen.
type Known = HashMap<String, Option<InstanceState>>;

async fn look(r: &Arc<Reconciler>) -> Result<(), RunError> {
    let (at, began, number) = (now(), Instant::now(), r.stream.sweep_begins());
    let mut known = known(r).await?;
    let all = r.ports.scheduler.list("/").await?;
    let mut tasks: BTreeMap<AppRef, Vec<SchedTask>> = BTreeMap::new();
    let (mut apps, mut instances) = (0, 0);
    for SchedSeen { id, tasks: found, .. } in all {
        let Some((app, _)) = AppRef::from_marathon_id(&id) else { continue };
        (apps, instances) = (apps + 1, instances + found.len());
        tasks.entry(app).or_default().extend(found);
    }
    let mut found = GapFound::default();
    let names: HashSet<AppRef> = known.keys().chain(tasks.keys()).cloned().collect();
    for app in &names {
        let n = differing(known.remove(app).unwrap_or_default(), tasks.get(app).map_or(&[], Vec::as_slice));
        found.instances += n;
        found.apps += u32::from(n > 0);
    }
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    found.looked = count(names.len());
    found.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let row = SweepRow {
        at,
        took_ms: found.took_ms,
        apps: count(apps),
        instances: count(instances),
        changed: found.instances,
    };
    for gap in r.stream.swept(number, row, found) {
        tell(r, &gap).await;
    }
    r.changes.publish("stream", None);
    Ok(())
}

/// Instances that came, went or changed their state.
fn differing(mut known: Known, found: &[SchedTask]) -> u32 {
    let mut n = 0;
    for t in found.iter().filter(|t| t.state != TaskState::Ended) {
        match known.remove(&t.id) {
            None => n += 1,
            Some(Some(was)) => n += u32::from(!fits(was, t.state)),
            Some(None) => {}
        }
    }
    n + u32::try_from(known.len()).unwrap_or(u32::MAX)
}

fn fits(was: InstanceState, is: TaskState) -> bool {
    use InstanceState as I;
    match is {
        TaskState::Staging => was == I::Starting,
        TaskState::Running => !matches!(was, I::Starting | I::Lost),
        TaskState::Killing => was == I::Leaving,
        TaskState::Unreachable => was == I::Lost,
        TaskState::Ended => false,
    }
}

/// What was last seen: by this process, else what the database holds.
async fn known(r: &Reconciler) -> Result<HashMap<AppRef, Known>, RunError> {
    let mut out: HashMap<AppRef, Known> = HashMap::new();
    let rows: Vec<(String, String, String, String)> = sqlx::query_as(
        "SELECT a.id, a.team, a.name, i.task_id FROM instance i JOIN app a ON a.id = i.app_id WHERE i.ended_at IS NULL",
    )
    .fetch_all(r.store.read())
    .await
    .what("list instances")?;
    let live = r.live.apps();
    for (id, team, app, task) in rows {
        if !live.contains_key(&id) {
            out.entry(AppRef { team, app }).or_default().insert(task, None);
        }
    }
    for app in live.values() {
        let states = app.instances.iter().map(|i| (i.task_id.clone(), Some(i.state))).collect();
        out.insert(app.app.clone(), states);
    }
    Ok(out)
}

/// Notes a gap that is over, with what was found.
async fn tell(r: &Reconciler, gap: &GapRow) {
    let Some(to) = gap.to else { return };
    let entry = journal::Entry {
        who: "padis".into(),
        what: "stream.gap".into(),
        subject: SUBJECT.into(),
        event: Some(Event::Gap { from: gap.from, to, cause: Some(gap.cause), found: gap.found }),
        ..journal::Entry::default()
    };
    if let Err(e) = journal::note(&r.store, &entry).await {
        tracing::error!(cause = %e, "a gap of the event stream could not be noted");
    }
    r.changes.publish("journal", None);
}

/// Takes up what the former process left: its gaps, and when it last heard the stream.
pub(super) async fn restore(r: &Reconciler) {
    let heard = match r.store.meta(HEARD_KEY).await {
        Ok(v) => v.and_then(|v| v.parse::<UnixMs>().ok()),
        Err(e) => {
            tracing::warn!(cause = %e, "when the stream was last heard could not be read");
            None
        }
    };
    let gaps = match former(r).await {
        Ok(gaps) => gaps,
        Err(e) => {
            tracing::warn!(cause = %e, "former gaps of the stream could not be read");
            vec![]
        }
    };
    r.stream.restore(gaps, heard);
}

async fn former(r: &Reconciler) -> Result<Vec<GapRow>, crate::store::StoreError> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT event FROM journal WHERE subject = $1 AND what = 'stream.gap' AND event IS NOT NULL ORDER BY seq DESC LIMIT $2",
    )
    .bind(SUBJECT)
    .bind(i64::try_from(StreamReport::GAPS).unwrap_or(i64::MAX))
    .fetch_all(r.store.read())
    .await
    .what("list gaps")?;
    let mut out = Vec::new();
    for text in rows {
        if let Event::Gap { from, to, cause, found } = crate::store::from_json("journal.event", &text)? {
            let cause = cause.unwrap_or(padis_domain::view::StreamEnd::Broken);
            out.push(GapRow { from, to: Some(to), cause, detail: String::new(), found });
        }
    }
    Ok(out)
}

/// Keeps the report's figures fresh, until `stop`.
pub(super) async fn figures(r: Arc<Reconciler>, stop: CancellationToken) {
    let mut written: Option<Instant> = None;
    loop {
        match crate::store::work::load(&r.store, now()).await {
            Ok(load) => r.stream.set_work(load),
            Err(e) => tracing::warn!(cause = %e, "the work queue could not be counted"),
        }
        let heard = r.stream.heard_at().filter(|_| written.is_none_or(|at| at.elapsed() >= HEARD));
        if let Some(at) = heard {
            written = Some(Instant::now());
            if let Err(e) = r.store.set_meta(HEARD_KEY, &at.to_string()).await {
                tracing::warn!(cause = %e, "that the stream is heard could not be written");
            }
        }
        tokio::select! { () = tokio::time::sleep(COUNT) => {}, () = stop.cancelled() => break }
    }
    // In order, or the time since the last writing would be shown as a gap.
    if let Some(at) = r.stream.heard_at()
        && let Err(e) = r.store.set_meta(HEARD_KEY, &at.to_string()).await
    {
        tracing::warn!(cause = %e, "that the stream is heard could not be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: &str, state: TaskState) -> SchedTask {
        SchedTask {
            id: id.into(),
            app_id: "/t/a/r1".into(),
            state,
            host: String::new(),
            agent_id: String::new(),
            staged_at: None,
            started_at: None,
        }
    }

    #[test]
    fn what_came_went_or_changed_is_counted_and_what_is_merely_unknown_is_not() {
        let known = || -> Known {
            [("a", Some(InstanceState::Well)), ("b", Some(InstanceState::Starting)), ("c", None), ("d", None)]
                .into_iter()
                .map(|(id, s)| (id.to_owned(), s))
                .collect()
        };
        let run = TaskState::Running;
        let same = [task("a", run), task("b", TaskState::Staging), task("c", run), task("d", TaskState::Killing)];
        assert_eq!(differing(known(), &same), 0);
        let other = [task("a", TaskState::Unreachable), task("b", run), task("c", TaskState::Ended), task("e", run)];
        assert_eq!(differing(known(), &other), 5, "a and b changed, c and d are gone, e is new");
    }
}
