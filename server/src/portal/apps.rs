//! Applications: the list and one application's page.
//!
//! The list is one query and one count, whatever the number of applications; the
//! page is a handful of lookups by key. One could get it wrong by trusting the
//! live view for what was asked a moment ago: an intent that is newer than the
//! last look wins.

use super::PadisPortal;
use super::deliveries;
use super::offers::offers;
use super::packages;
use super::records::{self, AppRec, effective, read_state};
use super::sql::{Cols, Paging, Sql};
use super::usage;
use crate::reconcile::live::LiveApp;
use crate::store::apps::read_pool;
use crate::store::{StoreError, What, now_ms};
use padis_domain::app::AppRef;
use padis_domain::caller::{Caller, Scope};
use padis_domain::delivery::{Finding, Note, StepState};
use padis_domain::portal::Answer;
use padis_domain::quantity::Size;
use padis_domain::view::{AppRow, AppView, DeliveryView, InstanceRow, InstanceState, ListQuery, Page};
use padis_domain::words::Stage;
use sqlx::any::AnyRow;

const FROM: &str = " FROM app a JOIN pool p ON p.name = a.pool JOIN team t ON t.slug = a.team \
    LEFT JOIN release r ON r.app_id = a.id AND r.number = a.release WHERE ";

fn filtered(sql: Sql, p: &PadisPortal, c: &Caller, q: &ListQuery) -> Sql {
    let mut sql = sql.scope("a.team", &c.scope());
    if let Some(stage) = q.stage {
        sql = sql.text(" AND p.stage = ").bind(stage.as_str());
    }
    if !q.team.is_empty() {
        sql = sql.text(" AND a.team = ").bind(&q.team);
    }
    if !q.state.is_empty() {
        sql = sql.text(" AND a.state = ").bind(&q.state);
    }
    sql.find(p.store.kind(), &["a.name", "a.title", "a.team", "a.host_name", "a.pool"], &q.q)
}

/// The column that a list may be sorted by, whitelisted.
fn column(sort: &str) -> Option<&'static str> {
    Some(match sort {
        "name" | "app" => "a.name",
        "title" => "a.title",
        "team" => "a.team",
        "state" => "a.state",
        "pool" => "a.pool",
        "stage" => "p.stage",
        "stack" => "r.stack_key",
        "size" => "a.cpu_milli",
        "instances" | "wanted" => "a.instances",
        "well" => "a.well",
        "release" => "a.release",
        "changed" | "changed_at" => "a.changed_at",
        _ => return None,
    })
}

/// Applications, paged.
pub async fn list(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<Page<AppRow>> {
    const WHAT: &str = "list applications";
    let paging = Paging::of(q);
    let count = filtered(Sql::new("SELECT COUNT(*) FROM app a JOIN pool p ON p.name = a.pool WHERE "), p, c, q);
    let total = count.number(p.store.read(), WHAT).await?;
    let rows = filtered(
        Sql::new(
            "SELECT a.team, a.name, a.title, a.pool, a.host_name, a.wanted, a.state, a.well, a.instances, a.release, \
                    a.cpu_milli, a.mem_mib, a.changed_at, p.stage, t.title AS team_title, r.stack_key",
        )
        .text(FROM),
        p,
        c,
        q,
    )
    .order(column(&q.sort).unwrap_or("a.team"), q.desc, ", a.team, a.name")
    .page(paging);
    let rows = rows.all(p.store.read(), WHAT).await?;
    let rows = rows.iter().map(|r| row(p, r)).collect::<Result<_, _>>()?;
    Ok(paging.wrap(rows, total))
}

fn row(p: &PadisPortal, r: &AnyRow) -> Result<AppRow, StoreError> {
    Ok(AppRow {
        app: AppRef { team: r.s("team")?, app: r.s("name")? },
        title: r.s("title")?,
        team_title: r.s("team_title")?,
        state: read_state(r)?.1,
        well: r.u("well")?,
        wanted: r.u("instances")?,
        pool: r.s("pool")?,
        stage: r.word("stage", Stage::parse)?,
        stack: r.os("stack_key")?.map(|k| k.split(':').next().unwrap_or_default().to_owned()).unwrap_or_default(),
        size: Size { cpu_milli: r.u("cpu_milli")?, mem_mib: r.u("mem_mib")? },
        release: r.u("release")?,
        url: p.url(&r.s("host_name")?),
        changed_at: r.i("changed_at")?,
    })
}

/// One application.
pub async fn view(p: &PadisPortal, c: &Caller, app: &AppRef) -> Answer<AppView> {
    let mut rec = records::find(p, app).await?;
    let live = p.live.app(&rec.id);
    // Looked at since the last change? Then what was seen is newer than the row.
    if let Some(l) = live.as_ref().filter(|l| l.at >= rec.changed_at) {
        rec.state = effective(rec.wanted, l.state);
    }
    let row = sqlx::query("SELECT p.*, t.title AS team_title FROM pool p, team t WHERE p.name = $1 AND t.slug = $2")
        .bind(&rec.pool)
        .bind(&app.team)
        .fetch_one(p.store.read())
        .await
        .what("read an application's pool")?;
    let pool = read_pool(&row)?;
    let mut conn = p.store.read().acquire().await.what("read an application")?;
    let release = records::release(&mut conn, &rec.id, rec.release).await?;
    drop(conn);
    let release = release
        .ok_or_else(|| StoreError::Row { what: "release", detail: format!("{app} r{} is missing", rec.release) })?;
    let delivery = last_delivery(p, &rec).await?;
    let instances = instances(p, &rec, live.as_deref()).await?;
    let runs = instances.iter().any(|i| i.address.is_some());
    let scope = Scope::Teams(vec![app.team.clone()]);
    let key = (rec.pool.clone(), app.team.clone());
    let used = usage::by_team(p, &scope, Some(&rec.pool)).await?.remove(&key).unwrap_or_default();
    let quota = usage::quotas(p, &scope, Some(&rec.pool)).await?.remove(&key).unwrap_or_default();
    Ok(AppView {
        app: app.clone(),
        title: rec.title.clone(),
        team_title: row.s("team_title")?,
        state: rec.state,
        revision: rec.revision,
        pool: rec.pool.clone(),
        stage: pool.stage,
        zone: pool.zone,
        host_name: rec.host_name.clone(),
        url: p.url(&rec.host_name),
        wanted: rec.instances,
        release: rec.release,
        spec: release.shown(),
        package: packages::of_release(p, app, &release).await?,
        stack_title: (release.contract.title_en.clone(), release.contract.title_zh.clone()),
        instances,
        waiting: waiting(live.as_deref(), delivery.as_ref()),
        delivery,
        offers: offers(c, &rec, rec.release > 1, runs),
        quota: usage::view(quota, used),
        now: now_ms(),
    })
}

async fn last_delivery(p: &PadisPortal, rec: &AppRec) -> Result<Option<DeliveryView>, StoreError> {
    let last = Sql::new("SELECT COALESCE(MAX(release), 0) FROM delivery WHERE app_id = ")
        .bind(&rec.id)
        .number(p.store.read(), "find the last delivery")
        .await?;
    match u32::try_from(last) {
        Ok(n) if n > 0 => deliveries::view(p, &rec.id, n).await,
        _ => Ok(None),
    }
}

/// What it waits for: as last seen, else as the delivery's waiting step says.
fn waiting(live: Option<&LiveApp>, delivery: Option<&DeliveryView>) -> Option<Note> {
    if let Some(l) = live {
        return l.waiting.clone();
    }
    delivery?.steps.iter().find(|s| s.state == StepState::Waiting)?.note.clone()
}

async fn instances(p: &PadisPortal, rec: &AppRec, live: Option<&LiveApp>) -> Result<Vec<InstanceRow>, StoreError> {
    if let Some(l) = live {
        return Ok(l.instances.clone());
    }
    // Not looked at since the start: as noted.
    let noted = crate::store::apps::instances(&p.store, &rec.id).await?;
    let mut rows: Vec<InstanceRow> = noted
        .into_iter()
        .map(|i| InstanceRow {
            slot: i.slot.unwrap_or_default(),
            release: i.release,
            state: match (&i.leaving, i.well_at, &i.address) {
                (Some(_), _, _) => InstanceState::Leaving,
                (None, Some(_), _) => InstanceState::Well,
                (None, None, Some(_)) => InstanceState::Warming,
                (None, None, None) => InstanceState::Starting,
            },
            finding: Finding::Unknown,
            failures: 0,
            address: i.address,
            host: i.host,
            started_at: None,
            cpu_milli: None,
            mem_mib: None,
            sessions: None,
            task_id: i.task_id,
        })
        .collect();
    rows.sort_by_key(|i| (i.release != rec.release, i.release, i.slot));
    Ok(rows)
}
