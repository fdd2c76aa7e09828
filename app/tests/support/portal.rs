//! A portal that answers from memory and remembers what it was asked to do.

use super::{NOW, apps, cluster, images, inside, ops, overview};
use async_trait::async_trait;
use padis_domain::Problem;
use padis_domain::app::{AppRef, HealthRule};
use padis_domain::caller::Caller;
use padis_domain::pool::PoolSpec;
use padis_domain::portal::{Answer, Portal};
use padis_domain::problem::{FieldChange, NameFault, ValueFault};
use padis_domain::quantity::{Amount, Dimension};
use padis_domain::view::*;
use padis_domain::words::Stage;
use std::sync::Mutex;

pub struct FakePortal {
    /// What it was asked to do, in order.
    pub done: Mutex<Vec<String>>,
}

impl FakePortal {
    pub fn new() -> Self {
        Self { done: Mutex::default() }
    }
    pub fn did(&self, what: String) -> Answer<()> {
        self.done.lock().unwrap().push(what);
        Ok(())
    }
}

fn page<T: Clone>(rows: Vec<T>, q: &ListQuery) -> Page<T> {
    let (page, per_page) = (q.page.max(1), if q.per_page == 0 { 50 } else { q.per_page });
    let total = rows.len() as u64;
    let rows = rows.into_iter().skip(((page - 1) * per_page) as usize).take(per_page as usize).collect();
    Page { rows, total, page, per_page }
}

fn seen(given: i64) -> Answer<()> {
    if given == 17 {
        return Ok(());
    }
    Err(Problem::ChangedMeanwhile {
        by: "Chen Hao".into(),
        at: NOW - 60_000,
        revision: 17,
        changes: vec![FieldChange { field: "instances".into(), before: "3".into(), after: "5".into() }],
    })
}

#[async_trait]
impl Portal for FakePortal {
    async fn nav(&self, _: &Caller, _: Option<Stage>) -> Answer<NavCounts> {
        Ok(NavCounts { attention: 4, apps: 42, stacks: 3, packages: 118, pools: 4, stuck: Some(1) })
    }
    async fn overview(&self, _: &Caller, stage: Option<Stage>) -> Answer<Overview> {
        Ok(overview::overview(stage))
    }
    async fn search(&self, _: &Caller, q: &str) -> Answer<Vec<Hit>> {
        let hit = |kind: &str, title: &str, detail: &str, path: &str| Hit {
            kind: kind.into(),
            title: title.into(),
            detail: detail.into(),
            path: path.into(),
        };
        Ok([
            hit("app", "Claims portal", "Motor claims · prod", "/applications/motor/claims-portal"),
            hit("name", "claims-portal.prod.padis.localhost", "198.18.20.15", "/names?q=claims-portal"),
            hit("address", "198.18.24.61", "claims-portal · 0", "/addresses/sf-prod?ip=198.18.24.61"),
        ]
        .into_iter()
        .filter(|h| h.title.to_lowercase().contains(&q.to_lowercase()))
        .collect())
    }
    async fn once(&self, _: &Caller) -> Answer<String> {
        Ok("once-1".into())
    }

    async fn apps(&self, _: &Caller, q: &ListQuery) -> Answer<Page<AppRow>> {
        let mut rows: Vec<_> = apps::rows()
            .into_iter()
            .filter(|r| q.q.is_empty() || r.title.to_lowercase().contains(&q.q.to_lowercase()))
            .filter(|r| q.state.is_empty() || r.state.as_str() == q.state)
            .filter(|r| q.team.is_empty() || r.app.team == q.team)
            .filter(|r| q.stage.is_none_or(|s| r.stage == s))
            .collect();
        if q.sort == "name" {
            rows.sort_by(|a, b| a.title.cmp(&b.title));
        }
        if q.desc {
            rows.reverse();
        }
        Ok(page(rows, q))
    }
    async fn app(&self, _: &Caller, app: &AppRef) -> Answer<AppView> {
        apps::view(app).ok_or(Problem::NotFound)
    }
    async fn releases(&self, _: &Caller, _: &AppRef) -> Answer<Vec<ReleaseRow>> {
        Ok(apps::releases())
    }
    async fn delivery(&self, _: &Caller, app: &AppRef, _: u32) -> Answer<DeliveryView> {
        Ok(apps::delivery(&app.app))
    }
    async fn timeline(&self, _: &Caller, _: &AppRef, q: &ListQuery) -> Answer<Page<TimelineItem>> {
        Ok(page(apps::timeline(), q))
    }
    async fn claims(&self, _: &Caller, app: &AppRef) -> Answer<Vec<ClaimRow>> {
        apps::view(app).map(|_| apps::claims()).ok_or(Problem::NotFound)
    }
    async fn log_sources(&self, _: &Caller, _: &AppRef) -> Answer<Vec<LogSource>> {
        Ok(apps::log_sources())
    }
    async fn log(&self, _: &Caller, _: &AppRef, q: &LogQuery) -> Answer<LogPiece> {
        Ok(apps::log(&q.find))
    }
    async fn charts(&self, _: &Caller, _: &AppRef, minutes: u32) -> Answer<AppCharts> {
        Ok(apps::charts(minutes))
    }

    async fn try_health(&self, c: &Caller, app: &AppRef, rule: &HealthRule) -> Answer<Tried> {
        c.runs(&app.team)?;
        if !rule.path.starts_with('/') {
            return Err(Problem::field("health_path", ValueFault::Malformed));
        }
        Ok(apps::tried(rule))
    }

    async fn new_app_options(&self, c: &Caller) -> Answer<NewAppOptions> {
        Ok(NewAppOptions {
            once: "once-1".into(),
            teams: c.teams.keys().map(|t| (t.clone(), apps::team_title(t).to_owned())).collect(),
            stacks: ops::stacks(),
            pools: ops::pools(),
            packages: vec![apps::package(), apps::site()],
            max_package_bytes: 2 << 30,
            balancer_port: 8000,
            usual_ms: Some(44_000),
        })
    }
    async fn check_new_app(&self, _: &Caller, new: &NewApp) -> Answer<Vec<Problem>> {
        let mut out = Vec::new();
        if let Err(fault) = padis_domain::name::check_name(&new.name) {
            out.push(Problem::field("name", ValueFault::Name { fault }));
        }
        if new.name == "claims-portal" {
            out.push(Problem::NameTaken { field: "name".into(), name: new.name.clone() });
        }
        if new.instances > 12 {
            let shortage = padis_domain::quantity::Shortage { dimension: Dimension::Cpu, wanted: 13_000, left: 12_000 };
            out.push(Problem::OverQuota { pool: new.pool.clone(), team: new.team.clone(), shortage });
        }
        if new.package.is_empty() {
            out.push(Problem::missing("package"));
        }
        Ok(out)
    }
    async fn create_app(&self, c: &Caller, new: &NewApp, _: &str) -> Answer<AppRef> {
        let problems = self.check_new_app(c, new).await?;
        if !problems.is_empty() {
            return Err(Problem::Fields { problems });
        }
        self.did(format!("create {}/{}", new.team, new.name))?;
        Ok(AppRef { team: new.team.clone(), app: new.name.clone() })
    }
    async fn release(&self, _: &Caller, app: &AppRef, _: &NewRelease, s: i64, _: &str) -> Answer<u32> {
        seen(s)?;
        self.did(format!("release {app}"))?;
        Ok(14)
    }
    async fn roll_back(&self, _: &Caller, app: &AppRef, to: u32, s: i64, _: &str) -> Answer<()> {
        seen(s)?;
        self.did(format!("roll back {app} to {to}"))
    }
    async fn scale(&self, _: &Caller, app: &AppRef, n: u32, s: i64, _: &str) -> Answer<()> {
        seen(s)?;
        if n > 200 {
            return Err(Problem::field("instances", ValueFault::OutOfRange { min: 1, max: 200 }));
        }
        self.did(format!("scale {app} to {n}"))
    }
    async fn restart(&self, _: &Caller, app: &AppRef, s: i64, _: &str) -> Answer<()> {
        seen(s)?;
        self.did(format!("restart {app}"))
    }
    async fn retry(&self, c: &Caller, app: &AppRef, _: &str) -> Answer<()> {
        c.runs(&app.team)?;
        self.did(format!("retry app {app}"))
    }
    async fn stop(&self, _: &Caller, app: &AppRef, s: i64, _: &str) -> Answer<()> {
        seen(s)?;
        self.did(format!("stop {app}"))
    }
    async fn start(&self, _: &Caller, app: &AppRef, s: i64, _: &str) -> Answer<()> {
        seen(s)?;
        self.did(format!("start {app}"))
    }
    async fn delete_app(&self, _: &Caller, app: &AppRef, confirm: &str, _: &str) -> Answer<()> {
        if confirm != app.app {
            return Err(Problem::field("confirm", ValueFault::NotConfirmed));
        }
        self.did(format!("delete {app}"))
    }

    async fn packages(&self, _: &Caller, q: &ListQuery) -> Answer<Page<PackageRow>> {
        Ok(page(vec![apps::package(), apps::site()], q))
    }
    async fn package(&self, _: &Caller, sha256: &str) -> Answer<PackageRow> {
        [apps::package(), apps::site()].into_iter().find(|p| p.sha256 == sha256).ok_or(Problem::NotFound)
    }
    async fn delete_package(&self, _: &Caller, team: &str, sha256: &str) -> Answer<()> {
        self.did(format!("delete package {team} {sha256}"))
    }
    async fn stacks(&self, _: &Caller) -> Answer<Vec<StackView>> {
        Ok(ops::stacks())
    }

    async fn mark_stack(&self, c: &Caller, edit: &MarkEdit, _: &str) -> Answer<()> {
        c.operator()?;
        self.did(format!("mark {} {}", edit.key, edit.state))
    }
    async fn stack_notice(&self, _: &Caller, app: &AppRef) -> Answer<Option<StackNotice>> {
        Ok((app.app == "claims-portal").then(|| StackNotice {
            app: app.clone(),
            revision: 3,
            key: "tomcat:10.1".into(),
            mark: StackMark {
                state: StackState::Deprecated,
                successor: "java:17".into(),
                note: "Support <ends>.".into(),
                ..StackMark::default()
            },
            successor_there: true,
            may: true,
        }))
    }
    async fn images(&self, _: &Caller, q: &ListQuery) -> Answer<ImagesView> {
        let rows: Vec<RepositoryRow> = images::repositories().into_iter().filter(|r| r.name.contains(&q.q)).collect();
        let page = Page { total: rows.len() as u64, rows, page: 1, per_page: 50 };
        Ok(ImagesView { registries: images::registries(), page })
    }
    async fn repository(&self, _: &Caller, registry: &str, name: &str) -> Answer<RepositoryView> {
        images::repository(registry, name).ok_or(Problem::NotFound)
    }
    async fn image(&self, _: &Caller, registry: &str, name: &str, tag: &str) -> Answer<ImageView> {
        images::image(registry, name, tag).ok_or(Problem::NotFound)
    }
    async fn copies(&self, c: &Caller, q: &ListQuery) -> Answer<Page<CopyRow>> {
        c.inspector()?;
        let rows: Vec<CopyRow> =
            images::copies().into_iter().filter(|r| q.state.is_empty() || r.state.as_str() == q.state).collect();
        Ok(Page { total: rows.len() as u64, rows, page: 1, per_page: 50 })
    }
    async fn copy_image(&self, c: &Caller, new: &NewCopy, _: &str) -> Answer<String> {
        c.operator()?;
        self.did(format!("copy {}:{} to {}", new.from_repository, new.from_tag, new.to_registry))
            .map(|()| "1".to_owned())
    }
    async fn cancel_copy(&self, c: &Caller, id: &str) -> Answer<()> {
        c.operator()?;
        self.did(format!("cancel copy {id}"))
    }
    async fn promotion_offers(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<Vec<PromotionOffer>> {
        images::image(registry, name, tag).ok_or(Problem::NotFound)?;
        Ok(images::offers(c.publisher().is_ok()))
    }
    async fn promotions(&self, c: &Caller, q: &ListQuery) -> Answer<Page<PromotionRow>> {
        let mut rows: Vec<PromotionRow> =
            images::promotions().into_iter().filter(|r| q.state.is_empty() || r.state.as_str() == q.state).collect();
        if c.publisher().is_err() {
            rows.iter_mut().for_each(|r| r.may = PromotionMay::default());
        }
        Ok(Page { total: rows.len() as u64, rows, page: 1, per_page: 50 })
    }
    async fn promote(&self, c: &Caller, new: &NewPromotion, _: &str) -> Answer<String> {
        c.publisher()?;
        self.did(format!("promote {}:{} to {}", new.repository, new.tag, new.to)).map(|()| "1".to_owned())
    }
    async fn judge_promotion(&self, c: &Caller, id: &str, yes: bool, note: &str) -> Answer<()> {
        c.publisher()?;
        self.did(format!("judge {id} {yes} {note}"))
    }
    async fn withdraw_promotion(&self, _: &Caller, id: &str) -> Answer<()> {
        self.did(format!("withdraw {id}"))
    }
    async fn roll_back_promotion(&self, c: &Caller, id: &str) -> Answer<()> {
        c.publisher()?;
        self.did(format!("roll back {id}"))
    }
    async fn retention(&self, c: &Caller, registry: &str, name: &str, _: Option<Retention>) -> Answer<RetentionView> {
        images::repository(registry, name).ok_or(Problem::NotFound)?;
        Ok(images::retention(c.publisher().is_ok()))
    }
    async fn apply_retention(
        &self,
        c: &Caller,
        _: &str,
        name: &str,
        _: Retention,
        seen: &[String],
        _: &str,
    ) -> Answer<()> {
        c.publisher()?;
        self.did(format!("tidy {name} {}", seen.join(" ")))
    }
    async fn inside(&self, c: &Caller, registry: &str, _: &str, tag: &str, q: &InsideQuery) -> Answer<InsideView> {
        Ok(inside::view(c.operator().is_ok(), registry, tag, q))
    }
    async fn look_inside(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<()> {
        c.operator()?;
        self.did(format!("look inside {registry}/{name}:{tag}"))
    }
    async fn bill_of_materials(&self, _: &Caller, _: &str, _: &str, _: &str) -> Answer<String> {
        Err(Problem::NotFound)
    }
    async fn vulnerabilities(&self, _: &Caller, q: &ListQuery) -> Answer<VulnerabilitiesView> {
        Ok(inside::vulnerabilities(q))
    }
    async fn look_at_registries(&self, c: &Caller) -> Answer<()> {
        c.operator()?;
        self.did("look at registries".to_owned())
    }

    async fn pools(&self, _: &Caller, stage: Option<Stage>) -> Answer<Vec<PoolRow>> {
        Ok(ops::pools().into_iter().filter(|p| stage.is_none_or(|s| p.spec.stage == s)).collect())
    }
    async fn pool(&self, c: &Caller, name: &str) -> Answer<PoolView> {
        let pool = ops::pool(name).ok_or(Problem::NotFound)?;
        Ok(PoolView { may_change: c.operator().is_ok(), ..pool })
    }
    async fn put_pool(&self, c: &Caller, spec: &PoolSpec, _: i64, _: &str) -> Answer<()> {
        c.operator()?;
        if spec.name.is_empty() {
            return Err(Problem::field("name", ValueFault::Name { fault: NameFault::Empty }));
        }
        if spec.name == "taken" {
            return Err(Problem::NameTaken { field: "name".into(), name: spec.name.clone() });
        }
        self.did(format!("put pool {}", spec.name))
    }
    async fn delete_pool(&self, _: &Caller, name: &str, _: &str) -> Answer<()> {
        self.did(format!("delete pool {name}"))
    }
    async fn host_out(&self, _: &Caller, agent_id: &str, reason: &str) -> Answer<()> {
        if reason.is_empty() {
            return Err(Problem::missing("reason"));
        }
        self.did(format!("host out {agent_id} {reason}"))
    }
    async fn host_back(&self, _: &Caller, agent_id: &str) -> Answer<()> {
        self.did(format!("host back {agent_id}"))
    }
    async fn cluster(&self, c: &Caller, q: &ListQuery) -> Answer<ClusterView> {
        c.inspector()?;
        Ok(cluster::cluster(q))
    }
    async fn put_quota(&self, _: &Caller, pool: &str, team: &str, _: &Amount) -> Answer<()> {
        self.did(format!("quota {pool} {team}"))
    }
    async fn addresses(&self, c: &Caller, pool: &str) -> Answer<AddressMap> {
        let map = ops::addresses(pool).ok_or(Problem::NotFound)?;
        Ok(AddressMap { may_change: c.operator().is_ok(), ..map })
    }
    async fn reserve(&self, _: &Caller, pool: &str, from: &str, to: &str, _: &str) -> Answer<u32> {
        self.did(format!("reserve {pool} {from} {to}")).map(|()| 4)
    }
    async fn unreserve(&self, _: &Caller, pool: &str, from: &str, to: &str) -> Answer<u32> {
        self.did(format!("unreserve {pool} {from} {to}")).map(|()| 4)
    }
    async fn names(&self, _: &Caller, q: &ListQuery) -> Answer<Page<NameRow>> {
        Ok(page(ops::names(), q))
    }
    async fn balancer(&self, _: &Caller) -> Answer<BalancerView> {
        Ok(BalancerView {
            up: true,
            listen: "127.0.0.1:8000".into(),
            observed_at: Some(NOW - 1000),
            services: ops::services(),
        })
    }

    async fn stream(&self, c: &Caller) -> Answer<StreamReport> {
        c.inspector()?;
        Ok(ops::stream())
    }
    async fn look_again(&self, _: &Caller, app: Option<&AppRef>) -> Answer<()> {
        self.did(format!("look again {}", app.map_or_else(|| "at all".to_owned(), ToString::to_string)))
    }
    async fn work(&self, c: &Caller, q: &ListQuery) -> Answer<Page<WorkRow>> {
        c.inspector()?;
        Ok(page(ops::work(), q))
    }
    async fn work_retry(&self, c: &Caller, key: &str) -> Answer<()> {
        c.operator()?;
        self.did(format!("retry {key}"))
    }
    async fn work_park(&self, _: &Caller, key: &str, _: &str) -> Answer<()> {
        self.did(format!("park {key}"))
    }
    async fn journal(&self, _: &Caller, q: &ListQuery) -> Answer<Page<JournalRow>> {
        if q.from.zip(q.to).is_some_and(|(from, to)| to < from) {
            return Err(Problem::field("to", ValueFault::EndsBeforeItBegins));
        }
        let mut rows = ops::journal();
        rows.retain(|r| q.from.is_none_or(|f| r.at >= f) && q.to.is_none_or(|t| r.at <= t));
        Ok(page(rows, q))
    }
    async fn systems(&self, c: &Caller) -> Answer<Vec<SystemRow>> {
        c.inspector()?;
        Ok(ops::systems())
    }

    async fn teams(&self, _: &Caller) -> Answer<Vec<TeamView>> {
        Ok(ops::teams())
    }
    async fn put_team(&self, _: &Caller, team: &TeamEdit, _: &str) -> Answer<()> {
        self.did(format!("put team {}", team.slug))
    }
    async fn delete_team(&self, _: &Caller, slug: &str, _: &str) -> Answer<()> {
        self.did(format!("delete team {slug}"))
    }
    async fn people(&self, c: &Caller, q: &ListQuery) -> Answer<Page<PersonRow>> {
        c.inspector()?;
        Ok(page(ops::people(), q))
    }
    async fn put_person(&self, _: &Caller, person: &PersonEdit, _: &str) -> Answer<()> {
        if person.account == "chen.hao" {
            return Err(Problem::NameTaken { field: "account".into(), name: person.account.clone() });
        }
        self.did(format!("put person {}", person.account))
    }
    async fn change_password(&self, _: &Caller, old: &str, new: &str) -> Answer<()> {
        if old == new {
            return Err(Problem::field("new_password", ValueFault::Repeated));
        }
        self.did("change password".into())
    }
    async fn sessions(&self, _: &Caller, _: bool) -> Answer<Vec<SessionRow>> {
        Ok(ops::sessions())
    }
    async fn revoke_session(&self, _: &Caller, id: &str) -> Answer<()> {
        self.did(format!("revoke {id}"))
    }
}
