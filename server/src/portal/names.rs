//! Names that are held, and the balancer's services as last observed.

use super::PadisPortal;
use super::sql::{Cols, Paging, Sql};
use crate::store::StoreError;
use padis_domain::app::AppRef;
use padis_domain::caller::{Caller, Scope};
use padis_domain::portal::Answer;
use padis_domain::problem::System;
use padis_domain::view::{BalancerView, ListQuery, NameRow, Page};

const FROM: &str = " FROM claim c JOIN app a ON a.id = c.app_id JOIN pool p ON p.name = a.pool \
    WHERE c.kind = 'name' AND c.released_at IS NULL AND ";

fn filtered(sql: Sql, p: &PadisPortal, scope: &Scope, q: &ListQuery) -> Sql {
    let mut sql = sql.text(FROM).scope("a.team", scope);
    if let Some(stage) = q.stage {
        sql = sql.text(" AND p.stage = ").bind(stage.as_str());
    }
    if !q.team.is_empty() {
        sql = sql.text(" AND a.team = ").bind(&q.team);
    }
    sql.find(p.store.kind(), &["c.what", "a.name", "a.team", "a.pool"], &q.q)
}

/// Names.
pub async fn list(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<Page<NameRow>> {
    const WHAT: &str = "list names";
    let (paging, scope) = (Paging::of(q), c.scope());
    let total = filtered(Sql::new("SELECT COUNT(*)"), p, &scope, q).number(p.store.read(), WHAT).await?;
    let column = match q.sort.as_str() {
        "app" => "a.name",
        "team" => "a.team",
        "pool" => "a.pool",
        "ttl" | "ttl_s" => "p.ttl_s",
        "since" => "c.since",
        _ => "c.what",
    };
    let rows = filtered(Sql::new("SELECT c.what, c.since, a.team, a.name, a.pool, p.ttl_s"), p, &scope, q)
        .order(column, q.desc, ", c.what")
        .page(paging)
        .all(p.store.read(), WHAT)
        .await?;
    let one = |r: &sqlx::any::AnyRow| -> Result<NameRow, StoreError> {
        Ok(NameRow {
            name: r.s("what")?,
            addresses: vec![p.settings.balancer_address.clone()],
            ttl_s: r.u("ttl_s")?,
            app: AppRef { team: r.s("team")?, app: r.s("name")? },
            pool: r.s("pool")?,
            since: r.i("since")?,
        })
    };
    Ok(paging.wrap(rows.iter().map(one).collect::<Result<_, _>>()?, total))
}

/// The balancer. What it serves is known from the live view, not from a table,
/// so here the scope is asked per service.
pub async fn balancer(p: &PadisPortal, c: &Caller) -> Answer<BalancerView> {
    let looked = p.live.services();
    let services = looked
        .found
        .iter()
        .filter_map(|s| {
            let (team, app) = s.service.key.split_once('.')?;
            c.sees(team).ok()?;
            Some((AppRef { team: team.to_owned(), app: app.to_owned() }, s.clone()))
        })
        .collect();
    let up = p.live.systems().iter().find(|s| s.system == System::Balancer).map(|s| s.up);
    Ok(BalancerView {
        // Before its first check, a look that succeeded is the answer.
        up: up.unwrap_or(looked.at.is_some()),
        listen: p.settings.balancer_listen.clone(),
        observed_at: looked.at,
        services,
    })
}
