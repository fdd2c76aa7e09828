//! Deliveries as shown: the rail of one, rows of many.

use super::PadisPortal;
use super::records;
use super::sql::{Cols, Sql};
use crate::store::{StoreError, now_ms};
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::delivery::{Step, StepState, StepView};
use padis_domain::portal::Answer;
use padis_domain::view::{DeliveryRow, DeliveryState, DeliveryView};
use sqlx::any::AnyRow;

/// How many earlier deliveries the rail compares itself with.
const EARLIER: i64 = 12;
/// How many operators are named to be asked.
const ASKED: i64 = 3;

/// The state's word in the table.
pub fn parse(s: &str) -> Option<DeliveryState> {
    Some(match s {
        "running" => DeliveryState::Running,
        "waiting" => DeliveryState::Waiting,
        "online" => DeliveryState::Online,
        "failed" => DeliveryState::Failed,
        "given-up" => DeliveryState::GivenUp,
        _ => return None,
    })
}

/// Reads a `delivery` row for a list.
pub fn read_row(r: &AnyRow) -> Result<DeliveryRow, StoreError> {
    Ok(DeliveryRow {
        app: AppRef { team: r.s("team")?, app: r.s("app")? },
        title: r.s("title")?,
        release: r.u("release")?,
        by: r.s("by_name")?,
        state: r.word("state", parse)?,
        step: r.word("step", Step::parse)?,
        began_at: r.i("began_at")?,
        ended_at: r.oi("answered_at")?.or(r.oi("ended_at")?),
    })
}

/// Operators who can be asked: those who signed in last first.
async fn operators(p: &PadisPortal) -> Result<Vec<String>, StoreError> {
    let rows = Sql::new("SELECT display, mail FROM account WHERE platform = 'operator' AND enabled = 1 ")
        .text("ORDER BY COALESCE(last_seen, 0) DESC, name LIMIT ")
        .bind(ASKED)
        .all(p.store.read(), "find whom to ask")
        .await?;
    let one = |r: &AnyRow| {
        let (name, mail) = (r.s("display")?, r.s("mail")?);
        Ok(if mail.is_empty() { name } else { format!("{name} ({mail})") })
    };
    rows.iter().map(one).collect()
}

/// One delivery of an application by its id.
pub async fn view(p: &PadisPortal, app_id: &str, release: u32) -> Result<Option<DeliveryView>, StoreError> {
    const WHAT: &str = "read a delivery";
    // The one asked for and those before it, in one look.
    let rows = Sql::new("SELECT * FROM delivery WHERE app_id = ")
        .bind(app_id)
        .text(" AND release <= ")
        .bind(release)
        .text(" ORDER BY release DESC LIMIT ")
        .bind(EARLIER + 1)
        .all(p.store.read(), WHAT)
        .await?;
    let Some((r, earlier)) = rows.split_first() else { return Ok(None) };
    if r.u("release")? != release {
        return Ok(None);
    }
    let took = |r: &AnyRow| -> Result<Option<u64>, StoreError> {
        let began = r.i("began_at")?;
        Ok(r.oi("answered_at")?.and_then(|a| u64::try_from(a - began).ok()))
    };
    let steps: Vec<StepView> = r.json("steps")?;
    let stuck = steps.iter().any(|s| matches!(s.state, StepState::Waiting | StepState::Failed));
    Ok(Some(DeliveryView {
        release,
        state: r.word("state", parse)?,
        by: r.s("by_name")?,
        began_at: r.i("began_at")?,
        answered_at: r.oi("answered_at")?,
        steps,
        earlier_ms: earlier.iter().rev().map(took).collect::<Result<_, _>>()?,
        ask: if stuck { operators(p).await? } else { Vec::new() },
        now: now_ms(),
    }))
}

/// One delivery of an application.
pub async fn of_app(p: &PadisPortal, app: &AppRef, release: u32) -> Answer<DeliveryView> {
    let rec = records::find(p, app).await?;
    view(p, &rec.id, release).await?.ok_or(Problem::NotFound)
}
