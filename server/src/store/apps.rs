//! What the reconciler reads and writes of applications, releases, deliveries
//! and instances. (What the pages read stands in `portal`.)
//!
//! One could get it wrong by overwriting intent: the reconciler writes only what
//! it observed (`state`, `well`, deliveries' steps, instances), never `wanted`,
//! `instances`, `release` or `revision`.

use super::{Store, StoreError, What, from_json, now_ms, to_json};
use futures::StreamExt;
use futures::stream::BoxStream;
use padis_domain::action::AppState;
use padis_domain::app::{AppRef, ReleaseSpec, Wanted};
use padis_domain::delivery::StepView;
use padis_domain::pool::PoolSpec;
use padis_domain::stack::Contract;
use padis_domain::view::{InstanceRow, InstanceState};
use padis_domain::words::{Stage, UnixMs, Zone};
use sqlx::Row;
use sqlx::any::AnyRow;

const WHAT: &str = "read applications";

/// An application's intent.
#[derive(Debug, Clone)]
pub struct AppIntent {
    /// Id.
    pub id: String,
    /// Key.
    pub app: AppRef,
    /// Title.
    pub title: String,
    /// Pool.
    pub pool: String,
    /// Host name.
    pub host_name: String,
    /// Wanted.
    pub wanted: Wanted,
    /// Instances.
    pub instances: u32,
    /// Active release.
    pub release: u32,
    /// As last observed.
    pub state: String,
    /// Revision of the intent.
    pub revision: i64,
}

/// A release that is not retired yet.
#[derive(Debug, Clone)]
pub struct LiveRelease {
    /// Number.
    pub number: u32,
    /// What it fixes.
    pub spec: ReleaseSpec,
    /// The stack's contract as it was.
    pub contract: Contract,
    /// The package's kind.
    pub package_kind: String,
}

/// A delivery's row.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Release.
    pub release: u32,
    /// `running`, `waiting`, `online`, `failed`, `given-up`.
    pub state: String,
    /// Steps.
    pub steps: Vec<StepView>,
    /// Submitted.
    pub began_at: UnixMs,
    /// First good answer.
    pub answered_at: Option<UnixMs>,
    /// Everything over, the previous release gone too.
    pub ended_at: Option<UnixMs>,
}

/// An instance that has not ended, as noted.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Task.
    pub task_id: String,
    /// Release.
    pub release: u32,
    /// Slot.
    pub slot: Option<u32>,
    /// Host.
    pub host: String,
    /// Address.
    pub address: Option<String>,
    /// First good answer at.
    pub well_at: Option<UnixMs>,
    /// Why we asked it to go.
    pub leaving: Option<String>,
    /// When we did.
    pub leaving_at: Option<UnixMs>,
}

fn s(r: &AnyRow, c: &str) -> Result<String, StoreError> {
    r.try_get(c).what(WHAT)
}
fn i(r: &AnyRow, c: &str) -> Result<i64, StoreError> {
    r.try_get(c).what(WHAT)
}
fn u(r: &AnyRow, c: &str) -> Result<u32, StoreError> {
    Ok(u32::try_from(i(r, c)?).unwrap_or_default())
}

/// Reads an `app` row.
pub fn read_intent(r: &AnyRow) -> Result<AppIntent, StoreError> {
    Ok(AppIntent {
        id: s(r, "id")?,
        app: AppRef { team: s(r, "team")?, app: s(r, "name")? },
        title: s(r, "title")?,
        pool: s(r, "pool")?,
        host_name: s(r, "host_name")?,
        wanted: match s(r, "wanted")?.as_str() {
            "online" => Wanted::Online,
            "stopped" => Wanted::Stopped,
            "deleted" => Wanted::Deleted,
            other => return Err(StoreError::Row { what: "app.wanted", detail: other.to_owned() }),
        },
        instances: u(r, "instances")?,
        release: u(r, "release")?,
        state: s(r, "state")?,
        revision: i(r, "revision")?,
    })
}

/// One application's intent.
pub async fn intent(store: &Store, app: &AppRef) -> Result<Option<AppIntent>, StoreError> {
    sqlx::query("SELECT * FROM app WHERE team = $1 AND name = $2")
        .bind(&app.team)
        .bind(&app.app)
        .fetch_optional(store.read())
        .await
        .what(WHAT)?
        .as_ref()
        .map(read_intent)
        .transpose()
}

/// Every application's key, for the sweep.
pub async fn all(store: &Store) -> Result<Vec<AppRef>, StoreError> {
    let rows =
        sqlx::query("SELECT team, name FROM app ORDER BY team, name").fetch_all(store.read()).await.what(WHAT)?;
    rows.iter().map(|r| Ok(AppRef { team: s(r, "team")?, app: s(r, "name")? })).collect()
}

/// Every application's id, key and state word.
pub async fn states(store: &Store) -> Result<Vec<(String, AppRef, String)>, StoreError> {
    let rows: Vec<(String, String, String, String)> =
        sqlx::query_as("SELECT id, team, name, state FROM app").fetch_all(store.read()).await.what(WHAT)?;
    Ok(rows.into_iter().map(|(id, team, app, state)| (id, AppRef { team, app }, state)).collect())
}

/// Every living instance as it was noted, with its application's id, as they come.
pub fn noted(store: &Store) -> BoxStream<'_, Result<(String, InstanceRow), StoreError>> {
    sqlx::query(
        "SELECT app_id, task_id, release, slot, host, address, well_at, leaving FROM instance WHERE ended_at IS NULL",
    )
    .fetch(store.read())
    .map(|row| {
        let r = row.what(WHAT)?;
        let has = |c: &str| Ok::<_, StoreError>(r.try_get::<Option<String>, _>(c).what(WHAT)?.is_some());
        let well = r.try_get::<Option<i64>, _>("well_at").what(WHAT)?.is_some();
        let state = match (has("leaving")?, well, has("address")?) {
            (true, _, _) => InstanceState::Leaving,
            (false, true, _) => InstanceState::Well,
            (false, false, true) => InstanceState::Warming,
            (false, false, false) => InstanceState::Starting,
        };
        let slot = r.try_get::<Option<i64>, _>("slot").what(WHAT)?;
        let row = InstanceRow {
            slot: slot.and_then(|s| u32::try_from(s).ok()).unwrap_or_default(),
            state,
            address: r.try_get("address").what(WHAT)?,
            host: s(&r, "host")?,
            ..InstanceRow::fresh(&s(&r, "task_id")?, u(&r, "release")?)
        };
        Ok((s(&r, "app_id")?, row))
    })
    .boxed()
}

/// The releases that may still hold something, newest first.
pub async fn live_releases(store: &Store, app_id: &str) -> Result<Vec<LiveRelease>, StoreError> {
    let rows = sqlx::query("SELECT number, spec, contract, package_kind FROM release WHERE app_id = $1 AND state = 'live' ORDER BY number DESC")
        .bind(app_id)
        .fetch_all(store.read())
        .await
        .what(WHAT)?;
    rows.iter()
        .map(|r| {
            Ok(LiveRelease {
                number: u(r, "number")?,
                spec: from_json("release.spec", &s(r, "spec")?)?,
                contract: from_json("release.contract", &s(r, "contract")?)?,
                package_kind: s(r, "package_kind")?,
            })
        })
        .collect()
}

/// A release holds nothing any more. The active one is never retired, whatever the
/// caller believes: a look reads the intent first and the releases after, so one made
/// while a release is recorded sees it and takes it for an old one, and a retired
/// release would be waited for in vain. `false`: it is the active one now.
pub async fn retire(store: &Store, app_id: &str, number: u32) -> Result<bool, StoreError> {
    sqlx::query(
        "UPDATE release SET state = 'retired' WHERE app_id = $1 AND number = $2 \
         AND number NOT IN (SELECT release FROM app WHERE id = $1)",
    )
    .bind(app_id)
    .bind(i64::from(number))
    .execute(store.write())
    .await
    .what("retire a release")
    .map(|done| done.rows_affected() > 0)
}

/// Reads a `pool` row.
pub fn read_pool(r: &AnyRow) -> Result<PoolSpec, StoreError> {
    let bad = |what, detail: String| StoreError::Row { what, detail };
    let (stage, zone, subnet) = (s(r, "stage")?, s(r, "zone")?, s(r, "subnet")?);
    Ok(PoolSpec {
        name: s(r, "name")?,
        stage: Stage::parse(&stage).ok_or_else(|| bad("pool.stage", stage))?,
        zone: Zone::parse(&zone).ok_or_else(|| bad("pool.zone", zone))?,
        hosts: from_json("pool.hosts", &s(r, "hosts")?)?,
        subnet: subnet.parse().map_err(|e| bad("pool.subnet", format!("{subnet}: {e}")))?,
        gateway: s(r, "gateway")?,
        vlan: r.try_get::<Option<i64>, _>("vlan").what(WHAT)?.and_then(|v| u16::try_from(v).ok()),
        domain: s(r, "domain")?,
        ttl_s: u(r, "ttl_s")?,
        quarantine_s: u(r, "quarantine_s")?,
    })
}

/// One pool.
pub async fn pool(store: &Store, name: &str) -> Result<Option<PoolSpec>, StoreError> {
    sqlx::query("SELECT * FROM pool WHERE name = $1")
        .bind(name)
        .fetch_optional(store.read())
        .await
        .what("read pools")?
        .as_ref()
        .map(read_pool)
        .transpose()
}

/// All pools.
pub async fn pools(store: &Store) -> Result<Vec<PoolSpec>, StoreError> {
    sqlx::query("SELECT * FROM pool ORDER BY name")
        .fetch_all(store.read())
        .await
        .what("read pools")?
        .iter()
        .map(read_pool)
        .collect()
}

/// One delivery.
pub async fn delivery(store: &Store, app_id: &str, release: u32) -> Result<Option<Delivery>, StoreError> {
    let row = sqlx::query("SELECT * FROM delivery WHERE app_id = $1 AND release = $2")
        .bind(app_id)
        .bind(i64::from(release))
        .fetch_optional(store.read())
        .await
        .what("read deliveries")?;
    row.map(|r| {
        Ok(Delivery {
            release,
            state: s(&r, "state")?,
            steps: from_json("delivery.steps", &s(&r, "steps")?)?,
            began_at: i(&r, "began_at")?,
            answered_at: r.try_get("answered_at").what(WHAT)?,
            ended_at: r.try_get("ended_at").what(WHAT)?,
        })
    })
    .transpose()
}

/// Writes a delivery's progress. A delivery that was given up meanwhile stays given up.
pub async fn save_delivery(store: &Store, app_id: &str, d: &Delivery, step: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE delivery SET state = $3, step = $4, steps = $5, answered_at = $6, ended_at = $7 \
         WHERE app_id = $1 AND release = $2 AND state <> 'given-up'",
    )
    .bind(app_id)
    .bind(i64::from(d.release))
    .bind(&d.state)
    .bind(step)
    .bind(to_json("delivery.steps", &d.steps)?)
    .bind(d.answered_at)
    .bind(d.ended_at)
    .execute(store.write())
    .await
    .what("save a delivery")
    .map(|_| ())
}

/// Writes what was observed of the application as a whole.
pub async fn save_state(store: &Store, app_id: &str, state: AppState, well: u32) -> Result<(), StoreError> {
    sqlx::query("UPDATE app SET state = $2, well = $3 WHERE id = $1 AND (state <> $2 OR well <> $3)")
        .bind(app_id)
        .bind(state.as_str())
        .bind(i64::from(well))
        .execute(store.write())
        .await
        .what("save an application's state")
        .map(|_| ())
}

/// The instances that have not ended.
pub async fn instances(store: &Store, app_id: &str) -> Result<Vec<Instance>, StoreError> {
    let rows = sqlx::query("SELECT * FROM instance WHERE app_id = $1 AND ended_at IS NULL")
        .bind(app_id)
        .fetch_all(store.read())
        .await
        .what("read instances")?;
    rows.iter()
        .map(|r| {
            Ok(Instance {
                task_id: s(r, "task_id")?,
                release: u(r, "release")?,
                slot: r.try_get::<Option<i64>, _>("slot").what(WHAT)?.and_then(|v| u32::try_from(v).ok()),
                host: s(r, "host")?,
                address: r.try_get("address").what(WHAT)?,
                well_at: r.try_get("well_at").what(WHAT)?,
                leaving: r.try_get("leaving").what(WHAT)?,
                leaving_at: r.try_get("leaving_at").what(WHAT)?,
            })
        })
        .collect()
}

/// What is noted of a task that was seen.
#[derive(Debug, Clone)]
pub struct SeenTask<'a> {
    /// Task.
    pub task_id: &'a str,
    /// Release.
    pub release: u32,
    /// Slot.
    pub slot: Option<u32>,
    /// Host.
    pub host: &'a str,
    /// Agent.
    pub agent_id: &'a str,
    /// Address.
    pub address: Option<String>,
    /// Started.
    pub started_at: Option<UnixMs>,
}

/// Notes a task that was seen; `true` if it is new.
pub async fn note_task(store: &Store, app: &AppIntent, t: &SeenTask<'_>) -> Result<bool, StoreError> {
    let n = sqlx::query(
        "INSERT INTO instance (task_id, app_id, team, app, release, slot, host, agent_id, address, seen_at, started_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
    )
    .bind(t.task_id)
    .bind(&app.id)
    .bind(&app.app.team)
    .bind(&app.app.app)
    .bind(i64::from(t.release))
    .bind(t.slot.map(i64::from))
    .bind(t.host)
    .bind(t.agent_id)
    .bind(&t.address)
    .bind(now_ms())
    .bind(t.started_at)
    .execute(store.write())
    .await
    .what("note an instance")?;
    if n.rows_affected() == 1 {
        return Ok(true);
    }
    sqlx::query("UPDATE instance SET slot = COALESCE($2, slot), address = COALESCE($3, address), started_at = COALESCE($4, started_at), host = $5, agent_id = $6 WHERE task_id = $1")
        .bind(t.task_id)
        .bind(t.slot.map(i64::from))
        .bind(&t.address)
        .bind(t.started_at)
        .bind(t.host)
        .bind(t.agent_id)
        .execute(store.write())
        .await
        .what("note an instance")?;
    Ok(false)
}

/// Sets one moment of an instance's life, once. `false`: it was set already.
pub async fn mark(store: &Store, task_id: &str, moment: Moment<'_>) -> Result<bool, StoreError> {
    let w = store.write();
    let n = match moment {
        Moment::Well => {
            sqlx::query("UPDATE instance SET well_at = $2 WHERE task_id = $1 AND well_at IS NULL")
                .bind(task_id)
                .bind(now_ms())
                .execute(w)
                .await
        }
        Moment::Leaving(why) => {
            sqlx::query("UPDATE instance SET leaving = $3, leaving_at = $2 WHERE task_id = $1 AND leaving IS NULL")
                .bind(task_id)
                .bind(now_ms())
                .bind(why)
                .execute(w)
                .await
        }
        Moment::Ended => {
            sqlx::query("UPDATE instance SET ended_at = $2 WHERE task_id = $1 AND ended_at IS NULL")
                .bind(task_id)
                .bind(now_ms())
                .execute(w)
                .await
        }
    };
    Ok(n.what("mark an instance")?.rows_affected() == 1)
}

/// A moment of an instance's life.
#[derive(Debug, Clone, Copy)]
pub enum Moment<'a> {
    /// The first good answer.
    Well,
    /// We asked it to go, with the reason's word.
    Leaving(&'a str),
    /// It is gone.
    Ended,
}

/// Forgets an application whose every claim is released. Its releases and
/// deliveries go with it; journal, claims and instances stay as history.
pub async fn forget(store: &Store, app_id: &str) -> Result<(), StoreError> {
    const WHAT: &str = "forget an application";
    let mut tx = store.begin().await?;
    for sql in [
        "DELETE FROM release WHERE app_id = $1",
        "UPDATE delivery SET state = 'given-up' WHERE app_id = $1 AND state IN ('running', 'waiting', 'failed')",
        "DELETE FROM sample WHERE app_id = $1",
        "DELETE FROM app WHERE id = $1 AND wanted = 'deleted'",
    ] {
        sqlx::query(sql).bind(app_id).execute(&mut *tx).await.what(WHAT)?;
    }
    tx.commit().await.what(WHAT)
}
