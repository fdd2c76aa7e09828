//! An application's series, from the samples that the collectors keep.
//!
//! One could get it wrong with the units: a sample counts requests per minute,
//! the chart shows them per second; thousandths of a core become cores, MiB GiB.

use super::PadisPortal;
use super::records;
use super::sql::{Cols, Sql};
use crate::store::now_ms;
use padis_domain::app::AppRef;
use padis_domain::portal::Answer;
use padis_domain::view::{AppCharts, Series};

/// The longest look back: a week.
const MAX_MINUTES: u32 = 7 * 24 * 60;
/// The most points of a series; more would be finer than a screen.
const POINTS: usize = 720;

/// The series of the last `minutes`.
pub async fn charts(p: &PadisPortal, app: &AppRef, minutes: u32) -> Answer<AppCharts> {
    let rec = records::find(p, app).await?;
    let from = now_ms() - i64::from(minutes.clamp(1, MAX_MINUTES)) * 60_000;
    let rows = Sql::new("SELECT at, cpu_milli, mem_mib, requests, failed FROM sample WHERE app_id = ")
        .bind(&rec.id)
        .text(" AND at >= ")
        .bind(from)
        .text(" ORDER BY at")
        .all(p.store.read(), "read samples")
        .await?;
    let all = Series { points: Vec::new(), limit: None };
    let (mut cpu, mut mem, mut requests, mut failed) = (all.clone(), all.clone(), all.clone(), all);
    let every = rows.len().div_ceil(POINTS).max(1);
    // The newest point is always shown: count from the end.
    let skip = rows.len().saturating_sub(1) % every;
    for r in rows.iter().skip(skip).step_by(every) {
        let at = r.i("at")?;
        let f = |c| r.u(c).map(f64::from);
        cpu.points.push((at, f("cpu_milli")? / 1000.0));
        mem.points.push((at, f("mem_mib")? / 1024.0));
        requests.points.push((at, f("requests")? / 60.0));
        failed.points.push((at, f("failed")? / 60.0));
    }
    let n = f64::from(rec.instances);
    cpu.limit = Some(f64::from(rec.size.cpu_milli) * n / 1000.0);
    mem.limit = Some(f64::from(rec.size.mem_mib) * n / 1024.0);
    let online = Sql::new("SELECT release, answered_at FROM delivery WHERE app_id = ")
        .bind(&rec.id)
        .text(" AND answered_at >= ")
        .bind(from)
        .text(" ORDER BY answered_at")
        .all(p.store.read(), "read deliveries")
        .await?;
    let online = online
        .iter()
        .map(|r| Ok((r.i("answered_at")?, r.u("release")?)))
        .collect::<Result<_, crate::store::StoreError>>()?;
    Ok(AppCharts { cpu, mem, requests, failed, online })
}
