//! What of the stream's report outlives the process: gaps in the journal, and when the
//! stream was last heard.

use crate::reconcile::{Reconciler, now};
use crate::store::{What, journal};
use padis_domain::view::{Event, GapRow, StreamEnd, StreamReport};
use padis_domain::words::UnixMs;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often the queue is counted.
const COUNT: Duration = Duration::from_secs(2);
/// How often it is written down that the stream is heard.
const HEARD: Duration = Duration::from_secs(10);
/// The key in `meta` under which that stands.
const HEARD_KEY: &str = "stream.heard";
const SUBJECT: &str = "marathon";

/// Notes a gap that is over, with what was found.
pub(in crate::reconcile) async fn tell(r: &Reconciler, gap: &GapRow) {
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
pub(in crate::reconcile) async fn restore(r: &Reconciler) {
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
            let cause = cause.unwrap_or(StreamEnd::Broken);
            out.push(GapRow { from, to: Some(to), cause, detail: String::new(), found });
        }
    }
    Ok(out)
}

/// Keeps the report's figures fresh, until `stop`.
pub(in crate::reconcile) async fn figures(r: Arc<Reconciler>, stop: CancellationToken) {
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
