//! Recording a release with its delivery: what every way of going online shares.
//!
//! Every roll-out is a new release number, even "put r7 back" and "restart", so
//! that the history never goes backwards. One could get it wrong by leaving the
//! overtaken delivery running: its stopwatch would never stop.

use super::records::AppRec;
use crate::store::{StoreError, Tx, What, now_ms, to_json};
use padis_domain::app::ReleaseSpec;
use padis_domain::delivery::{Note, StepView};
use padis_domain::plan::fresh_steps;
use padis_domain::problem::FieldChange;
use padis_domain::stack::Contract;

/// What the new release fixes, and why it is made.
#[derive(Debug, Clone)]
pub struct NewRec {
    /// Specification, secrets inside.
    pub spec: ReleaseSpec,
    /// The contract as it is now.
    pub contract: Contract,
    /// `name:version`.
    pub stack_key: String,
    /// The package's kind.
    pub package_kind: String,
    /// The package's file name.
    pub package_name: String,
    /// `create`, `release`, `configure`, `roll-back`, `restart`, `start`.
    pub cause: &'static str,
    /// What differs from the release before.
    pub changes: Vec<FieldChange>,
}

/// Ends the delivery that is overtaken, stopped or deleted.
pub async fn give_up(tx: &mut Tx<'_>, app_id: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE delivery SET state = 'given-up', ended_at = $2 \
         WHERE app_id = $1 AND state IN ('running', 'waiting', 'failed')",
    )
    .bind(app_id)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("give a delivery up")
    .map(|_| ())
}

/// Records the release and, if it goes online, its delivery; gives its number.
/// `app` is as it will be, but for `release` and `size`, which are set here.
pub async fn record(
    tx: &mut Tx<'_>,
    app: &mut AppRec,
    by: &str,
    new: &NewRec,
    online: bool,
    replaces: bool,
) -> Result<u32, StoreError> {
    const WHAT: &str = "record a release";
    let now = now_ms();
    let last: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) FROM release WHERE app_id = $1")
        .bind(&app.id)
        .fetch_one(&mut **tx)
        .await
        .what(WHAT)?;
    let number = u32::try_from(last).unwrap_or_default() + 1;
    sqlx::query(
        "INSERT INTO release (app_id, number, spec, contract, stack_key, package, package_kind, package_name, cause, changes, state, at, by_name, digest) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'live', $11, $12, $13)",
    )
    .bind(&app.id)
    .bind(i64::from(number))
    .bind(to_json("release.spec", &new.spec)?)
    .bind(to_json("release.contract", &new.contract)?)
    .bind(&new.stack_key)
    .bind(&new.spec.package)
    .bind(&new.package_kind)
    .bind(&new.package_name)
    .bind(new.cause)
    .bind(to_json("release.changes", &new.changes)?)
    .bind(now)
    .bind(by)
    .bind(crate::store::images::digest_of(&new.spec.image))
    .execute(&mut **tx)
    .await
    .what(WHAT)?;
    app.release = number;
    app.size = new.spec.size;
    if online {
        give_up(tx, &app.id).await?;
        sqlx::query(
            "INSERT INTO delivery (app_id, release, team, app, title, by_name, state, step, steps, began_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 'running', 'submitted', $7, $8)",
        )
        .bind(&app.id)
        .bind(i64::from(number))
        .bind(&app.app.team)
        .bind(&app.app.app)
        .bind(&app.title)
        .bind(by)
        .bind(to_json("delivery.steps", &steps(app, by, new, replaces, now))?)
        .bind(now)
        .execute(&mut **tx)
        .await
        .what(WHAT)?;
    }
    Ok(number)
}

fn steps(app: &AppRec, by: &str, new: &NewRec, replaces: bool, now: i64) -> Vec<StepView> {
    let held = new.spec.size.times(app.instances);
    let notes = [
        Note::By { name: by.to_owned() },
        Note::Held { cpu_milli: held.cpu_milli, mem_mib: held.mem_mib, addresses: held.addresses },
        Note::Parts { release: app.release, stack: new.stack_key.clone(), package: new.package_name.clone() },
    ];
    fresh_steps(now, notes, replaces)
}
