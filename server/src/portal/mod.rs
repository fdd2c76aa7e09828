//! The portal: what the pages can ask for, answered from the database and the
//! live view.
//!
//! This file checks the caller and hands on; the work stands in one module per
//! area. Commands record an intent, touch work and journal in one transaction,
//! wake the reconciler and return: nothing outside has changed when they do. One
//! could get it wrong by naming a driver here, by filtering rows after the query
//! (the scope belongs into the SQL), or by publishing a change before its commit.

mod accounts;
mod addresses;
mod admit;
mod apps;
mod archives;
mod attention;
mod benches;
mod charts;
mod check;
mod cluster;
mod commands;
mod copies;
mod create;
mod deliveries;
mod diff;
mod frame;
mod hosts;
mod images;
mod inside;
mod journal;
mod logs;
mod made;
mod names;
mod offers;
mod once;
mod options;
mod overview;
mod packages;
mod parts;
mod people;
mod pools;
mod pools_put;
mod promotions;
mod queue;
mod quotas;
mod recipes;
mod records;
mod releases;
mod retention;
mod retry;
mod rollout;
mod room;
mod search;
mod sessions;
mod sql;
mod stacks;
mod standards;
mod tail;
mod teams;
mod tidying;
mod timeline;
mod trying;
mod usage;

pub use accounts::Accounts;
pub use parts::{Outside, PortalSettings};

use crate::changes::Changes;
use crate::images::Registries;
use crate::osv::Known;
use crate::reconcile::live::Live;
use crate::reconcile::stream::Stream;
use crate::store::Store;
use async_trait::async_trait;
use padis_domain::Problem;
use padis_domain::app::{AppRef, HealthRule};
use padis_domain::caller::Caller;
use padis_domain::pool::PoolSpec;
use padis_domain::portal::{Answer, Portal};
use padis_domain::ports::{Cluster, Pages, Workbench};
use padis_domain::quantity::Amount;
use padis_domain::view::*;
use padis_domain::words::Stage;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// The portal.
pub struct PadisPortal {
    /// Database.
    pub store: Store,
    /// What the reconciler last saw.
    pub live: Arc<Live>,
    /// Tells the browsers.
    pub changes: Changes,
    /// Configuration.
    pub settings: PortalSettings,
    /// Wakes the reconciler after a commit that touched work.
    pub wake: Arc<Notify>,
    /// Passwords and sessions.
    pub accounts: Arc<dyn Accounts>,
    /// Asks a page of an instance, live.
    pub pages: Arc<dyn Pages>,
    /// What the hosts keep of a task, live.
    pub cluster: Arc<dyn Cluster>,
    /// The event stream's report.
    pub stream: Arc<Stream>,
    /// The registries, live.
    pub registries: Arc<Registries>,
    /// Known vulnerabilities.
    pub known: Arc<Known>,
    /// Workbenches, live.
    pub workbench: Arc<dyn Workbench>,
    once_count: AtomicU64,
    journal_walk: Mutex<journal::Walked>,
}

impl std::fmt::Debug for PadisPortal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PadisPortal").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl PadisPortal {
    /// A portal on this database.
    pub fn new(
        store: Store,
        live: Arc<Live>,
        changes: Changes,
        settings: PortalSettings,
        wake: Arc<Notify>,
        accounts: Arc<dyn Accounts>,
        outside: Outside,
    ) -> Self {
        let Outside { pages, cluster, stream, registries, known, workbench } = outside;
        Self {
            store,
            live,
            changes,
            settings,
            wake,
            accounts,
            pages,
            cluster,
            stream,
            registries,
            known,
            workbench,
            once_count: AtomicU64::new(0),
            journal_walk: Mutex::default(),
        }
    }

    /// The URL under which users reach a host name.
    fn url(&self, host_name: &str) -> String {
        match self.settings.balancer_port {
            80 => format!("http://{host_name}/"),
            port => format!("http://{host_name}:{port}/"),
        }
    }

    /// After the commit of a change to an application: wakes the reconciler and tells the browsers.
    fn app_changed(&self, app: &AppRef) {
        self.wake.notify_one();
        self.changes.publish(app.work_key(), Some(&app.team));
        self.changes.publish("apps", Some(&app.team));
        self.changes.publish("journal", None);
        self.changes.publish("work", None);
    }

    /// After the commit of a change to the platform.
    fn platform_changed(&self, topics: &[&str]) {
        self.wake.notify_one();
        for t in topics {
            self.changes.publish(*t, None);
        }
        self.changes.publish("journal", None);
    }
}

#[async_trait]
impl Portal for PadisPortal {
    async fn nav(&self, c: &Caller, stage: Option<Stage>) -> Answer<NavCounts> {
        overview::nav(self, c, stage).await
    }
    async fn overview(&self, c: &Caller, stage: Option<Stage>) -> Answer<Overview> {
        overview::overview(self, c, stage).await
    }
    async fn search(&self, c: &Caller, q: &str) -> Answer<Vec<Hit>> {
        search::search(self, c, q).await
    }
    async fn once(&self, c: &Caller) -> Answer<String> {
        once::fresh(self, c).await
    }

    async fn apps(&self, c: &Caller, q: &ListQuery) -> Answer<Page<AppRow>> {
        apps::list(self, c, q).await
    }
    async fn app(&self, c: &Caller, app: &AppRef) -> Answer<AppView> {
        c.sees(&app.team)?;
        apps::view(self, c, app).await
    }
    async fn releases(&self, c: &Caller, app: &AppRef) -> Answer<Vec<ReleaseRow>> {
        c.sees(&app.team)?;
        releases::list(self, app).await
    }
    async fn delivery(&self, c: &Caller, app: &AppRef, release: u32) -> Answer<DeliveryView> {
        c.sees(&app.team)?;
        deliveries::of_app(self, app, release).await
    }
    async fn timeline(&self, c: &Caller, app: &AppRef, q: &ListQuery) -> Answer<Page<TimelineItem>> {
        c.sees(&app.team)?;
        timeline::list(self, app, q).await
    }
    async fn claims(&self, c: &Caller, app: &AppRef) -> Answer<Vec<ClaimRow>> {
        c.sees(&app.team)?;
        timeline::claims(self, app).await
    }
    async fn log_sources(&self, c: &Caller, app: &AppRef) -> Answer<Vec<LogSource>> {
        c.sees(&app.team)?;
        logs::sources(self, app).await
    }
    async fn log(&self, c: &Caller, app: &AppRef, q: &LogQuery) -> Answer<LogPiece> {
        c.sees(&app.team)?;
        logs::piece(self, app, q).await
    }
    async fn charts(&self, c: &Caller, app: &AppRef, minutes: u32) -> Answer<AppCharts> {
        c.sees(&app.team)?;
        charts::charts(self, app, minutes).await
    }
    async fn try_health(&self, c: &Caller, app: &AppRef, rule: &HealthRule) -> Answer<Tried> {
        let may = c.runs(&app.team)?;
        trying::try_health(self, may, app, rule).await
    }

    async fn new_app_options(&self, c: &Caller) -> Answer<NewAppOptions> {
        options::options(self, c).await
    }
    async fn check_new_app(&self, c: &Caller, new: &NewApp) -> Answer<Vec<Problem>> {
        create::check(self, c, new).await
    }
    async fn create_app(&self, c: &Caller, new: &NewApp, once: &str) -> Answer<AppRef> {
        create::create(self, c, new, once).await
    }
    async fn release(&self, c: &Caller, app: &AppRef, new: &NewRelease, seen: i64, once: &str) -> Answer<u32> {
        let may = c.runs(&app.team)?;
        commands::release(self, may, app, new, seen, once).await
    }
    async fn roll_back(&self, c: &Caller, app: &AppRef, to: u32, seen: i64, once: &str) -> Answer<()> {
        let may = c.runs(&app.team)?;
        commands::roll_back(self, may, app, to, seen, once).await
    }
    async fn scale(&self, c: &Caller, app: &AppRef, instances: u32, seen: i64, once: &str) -> Answer<()> {
        let may = c.runs(&app.team)?;
        commands::scale(self, may, app, instances, seen, once).await
    }
    async fn restart(&self, c: &Caller, app: &AppRef, seen: i64, once: &str) -> Answer<()> {
        let may = c.runs(&app.team)?;
        commands::again(self, may, app, commands::Again::Restart, seen, once).await
    }
    async fn retry(&self, c: &Caller, app: &AppRef, once: &str) -> Answer<()> {
        let may = c.runs(&app.team)?;
        retry::retry(self, may, app, once).await
    }
    async fn stop(&self, c: &Caller, app: &AppRef, seen: i64, once: &str) -> Answer<()> {
        let may = c.runs(&app.team)?;
        commands::stop(self, may, app, seen, once).await
    }
    async fn start(&self, c: &Caller, app: &AppRef, seen: i64, once: &str) -> Answer<()> {
        let may = c.runs(&app.team)?;
        commands::again(self, may, app, commands::Again::Start, seen, once).await
    }
    async fn delete_app(&self, c: &Caller, app: &AppRef, confirm: &str, once: &str) -> Answer<()> {
        let may = c.runs(&app.team)?;
        commands::delete(self, may, app, confirm, once).await
    }

    async fn packages(&self, c: &Caller, q: &ListQuery) -> Answer<Page<PackageRow>> {
        packages::list(self, c, q).await
    }
    async fn package(&self, c: &Caller, sha256: &str) -> Answer<PackageRow> {
        packages::one(self, c, sha256).await
    }
    async fn delete_package(&self, c: &Caller, team: &str, sha256: &str) -> Answer<()> {
        let may = c.runs(team)?;
        packages::delete(self, may, team, sha256).await
    }
    async fn stacks(&self, c: &Caller) -> Answer<Vec<StackView>> {
        stacks::list(self, c).await
    }

    async fn mark_stack(&self, c: &Caller, edit: &MarkEdit, once: &str) -> Answer<()> {
        standards::put(self, c.publisher()?, edit, once).await
    }
    async fn stack_notice(&self, c: &Caller, app: &AppRef) -> Answer<Option<StackNotice>> {
        standards::notice(self, c, app).await
    }
    async fn images(&self, c: &Caller, q: &ListQuery) -> Answer<ImagesView> {
        images::list(self, c, q).await
    }
    async fn repository(&self, c: &Caller, registry: &str, name: &str) -> Answer<RepositoryView> {
        images::repository(self, c, registry, name).await
    }
    async fn image(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<ImageView> {
        images::image(self, c, registry, name, tag).await
    }
    async fn copies(&self, c: &Caller, q: &ListQuery) -> Answer<Page<CopyRow>> {
        copies::list(self, c, q).await
    }
    async fn copy_image(&self, c: &Caller, new: &NewCopy, once: &str) -> Answer<String> {
        copies::ask(self, c.publisher()?, new, once).await
    }
    async fn cancel_copy(&self, c: &Caller, id: &str) -> Answer<()> {
        copies::cancel(self, c.publisher()?, id).await
    }
    async fn promotion_offers(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<Vec<PromotionOffer>> {
        promotions::offers(self, c, registry, name, tag).await
    }
    async fn promotions(&self, c: &Caller, q: &ListQuery) -> Answer<Page<PromotionRow>> {
        promotions::list(self, c, q).await
    }
    async fn promote(&self, c: &Caller, new: &NewPromotion, once: &str) -> Answer<String> {
        promotions::ask(self, c, new, once).await
    }
    async fn judge_promotion(&self, c: &Caller, id: &str, yes: bool, note: &str) -> Answer<()> {
        promotions::judge(self, c, id, yes, note).await
    }
    async fn withdraw_promotion(&self, c: &Caller, id: &str) -> Answer<()> {
        promotions::withdraw(self, c, id).await
    }
    async fn roll_back_promotion(&self, c: &Caller, id: &str) -> Answer<()> {
        promotions::roll_back(self, c, id).await
    }
    async fn retention(
        &self,
        c: &Caller,
        registry: &str,
        name: &str,
        rule: Option<Retention>,
    ) -> Answer<RetentionView> {
        retention::view(self, c, registry, name, rule).await
    }
    async fn apply_retention(
        &self,
        c: &Caller,
        registry: &str,
        name: &str,
        rule: Retention,
        seen: &[String],
        once: &str,
    ) -> Answer<()> {
        retention::apply(self, c, registry, name, rule, seen, once).await
    }
    async fn inside(&self, c: &Caller, registry: &str, name: &str, tag: &str, q: &InsideQuery) -> Answer<InsideView> {
        inside::view(self, c, registry, name, tag, q).await
    }
    async fn look_inside(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<()> {
        inside::ask(self, c, registry, name, tag).await
    }
    async fn bill_of_materials(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<String> {
        inside::materials(self, c, registry, name, tag).await
    }
    async fn vulnerabilities(&self, c: &Caller, q: &ListQuery) -> Answer<VulnerabilitiesView> {
        inside::vulnerabilities(self, c, q).await
    }
    async fn look_at_registries(&self, c: &Caller) -> Answer<()> {
        images::look(self, c.publisher()?);
        Ok(())
    }

    async fn pools(&self, c: &Caller, stage: Option<Stage>) -> Answer<Vec<PoolRow>> {
        pools::list(self, c, stage).await
    }
    async fn pool(&self, c: &Caller, name: &str) -> Answer<PoolView> {
        pools::view(self, c, name).await
    }
    async fn put_pool(&self, c: &Caller, spec: &PoolSpec, seen: i64, once: &str) -> Answer<()> {
        let may = c.operator()?;
        pools_put::put(self, may, spec, seen, once).await
    }
    async fn delete_pool(&self, c: &Caller, name: &str, confirm: &str) -> Answer<()> {
        let may = c.operator()?;
        pools_put::delete(self, may, name, confirm).await
    }
    async fn host_out(&self, c: &Caller, agent_id: &str, reason: &str) -> Answer<()> {
        hosts::out(self, c.operator()?, agent_id, reason).await
    }
    async fn host_back(&self, c: &Caller, agent_id: &str) -> Answer<()> {
        hosts::back(self, c.operator()?, agent_id).await
    }
    async fn cluster(&self, c: &Caller, q: &ListQuery) -> Answer<ClusterView> {
        Ok(cluster::view(self, c.inspector()?, q))
    }
    async fn put_quota(&self, c: &Caller, pool: &str, team: &str, quota: &Amount) -> Answer<()> {
        let may = c.operator()?;
        quotas::put(self, may, pool, team, quota).await
    }
    async fn addresses(&self, c: &Caller, pool: &str) -> Answer<AddressMap> {
        addresses::map(self, c, pool).await
    }
    async fn reserve(&self, c: &Caller, pool: &str, from: &str, to: &str, reason: &str) -> Answer<u32> {
        let may = c.operator()?;
        addresses::reserve(self, may, pool, from, to, reason).await
    }
    async fn unreserve(&self, c: &Caller, pool: &str, from: &str, to: &str) -> Answer<u32> {
        let may = c.operator()?;
        addresses::unreserve(self, may, pool, from, to).await
    }
    async fn names(&self, c: &Caller, q: &ListQuery) -> Answer<Page<NameRow>> {
        names::list(self, c, q).await
    }
    async fn balancer(&self, c: &Caller) -> Answer<BalancerView> {
        names::balancer(self, c).await
    }

    async fn stream(&self, c: &Caller) -> Answer<StreamReport> {
        c.inspector()?;
        Ok(self.stream.report())
    }
    async fn look_again(&self, c: &Caller, app: Option<&AppRef>) -> Answer<()> {
        queue::look_again(self, c.operator()?, app).await
    }
    async fn work(&self, c: &Caller, q: &ListQuery) -> Answer<Page<WorkRow>> {
        queue::list(self, c.inspector()?, q).await
    }
    async fn work_retry(&self, c: &Caller, key: &str) -> Answer<()> {
        queue::retry(self, c.operator()?, key).await
    }
    async fn work_park(&self, c: &Caller, key: &str, reason: &str) -> Answer<()> {
        queue::park(self, c.operator()?, key, reason).await
    }
    async fn journal(&self, c: &Caller, q: &ListQuery) -> Answer<Page<JournalRow>> {
        journal::list(self, c.inspector()?, q).await
    }
    async fn systems(&self, c: &Caller) -> Answer<Vec<SystemRow>> {
        c.inspector()?;
        Ok(self.live.systems())
    }

    async fn teams(&self, c: &Caller) -> Answer<Vec<TeamView>> {
        teams::list(self, c).await
    }
    async fn put_team(&self, c: &Caller, team: &TeamEdit, once: &str) -> Answer<()> {
        teams::put(self, c.operator()?, team, once).await
    }
    async fn delete_team(&self, c: &Caller, slug: &str, confirm: &str) -> Answer<()> {
        teams::delete(self, c.operator()?, slug, confirm).await
    }
    async fn people(&self, c: &Caller, q: &ListQuery) -> Answer<Page<PersonRow>> {
        people::list(self, c.inspector()?, q).await
    }
    async fn put_person(&self, c: &Caller, person: &PersonEdit, once: &str) -> Answer<()> {
        people::put(self, c.operator()?, person, once).await
    }
    async fn change_password(&self, c: &Caller, old: &str, new: &str) -> Answer<()> {
        people::change_password(self, c, old, new).await
    }
    async fn sessions(&self, c: &Caller, everybody: bool) -> Answer<Vec<SessionRow>> {
        sessions::list(self, c, everybody).await
    }
    async fn revoke_session(&self, c: &Caller, id: &str) -> Answer<()> {
        sessions::revoke(self, c, id).await
    }
}
