//! An application's releases, newest first.
//!
//! One could get it wrong by offering a release to be put back whose package or
//! image is gone: both are looked up in the same statement.

use super::PadisPortal;
use super::deliveries::parse;
use super::records::{find, read_release};
use super::sql::{Cols, Sql};
use padis_domain::action::{Action, Reason, allowed};
use padis_domain::app::AppRef;
use padis_domain::portal::Answer;
use padis_domain::view::{DeliveryState, ReleaseRow};

/// The releases.
pub async fn list(p: &PadisPortal, app: &AppRef) -> Answer<Vec<ReleaseRow>> {
    let rec = find(p, app).await?;
    let rows = Sql::new(
        "SELECT r.*, d.state AS d_state, d.began_at AS d_began, d.answered_at AS d_answered, \
                (SELECT COUNT(*) FROM stack s WHERE s.key = r.stack_key AND s.gone_at IS NULL) AS has_stack, \
                (SELECT COUNT(*) FROM package g WHERE g.team = ",
    )
    .bind(&app.team)
    .text(" AND g.sha256 = r.package) AS has_package FROM release r LEFT JOIN delivery d ON d.app_id = r.app_id AND d.release = r.number WHERE r.app_id = ")
    .bind(&rec.id)
    .text(" ORDER BY r.number DESC")
    .all(p.store.read(), "read releases")
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in &rows {
        let one = read_release(r)?;
        let active = one.number == rec.release;
        let there = r.i("has_stack")? > 0 && r.i("has_package")? > 0;
        let delivery = match r.os("d_state")? {
            // A stopped application's configuration: recorded, never delivered.
            None => DeliveryState::GivenUp,
            Some(_) => r.word("d_state", parse)?,
        };
        let took = r.oi("d_answered")?.zip(r.oi("d_began")?).and_then(|(a, b)| u64::try_from(a - b).ok());
        out.push(ReleaseRow {
            release: one.number,
            at: one.at,
            by: one.by_name,
            stack: one.stack_key.replacen(':', " ", 1),
            package: one.package_name,
            sha256: one.spec.package,
            size: one.spec.size,
            changes: one.changes,
            delivery,
            took_ms: took,
            active,
            roll_back: match allowed(rec.state, Action::RollBack) {
                Ok(()) if active || !there => Err(Reason::NoEarlierRelease),
                other => other,
            },
        });
    }
    Ok(out)
}
