//! Applications: what their pages read and what their forms do.

use super::ask::Ask;
use super::fault::Said;
use super::form::{AppForm, NewAppForm, ReleaseForm};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, PostUrl};
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::view::*;
#[cfg(feature = "ssr")]
use {super::call, leptos::server_fn::ServerFn};

/// Applications, paged.
#[server(name = GetApps, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "apps")]
pub async fn apps(q: ListQuery) -> Said<Page<AppRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.apps(&c, &q).await)
}

/// One application.
#[server(name = GetApp, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "app")]
pub async fn app(app: AppRef) -> Said<AppView> {
    let (c, portal) = call::begin()?;
    call::tell(portal.app(&c, &app).await)
}

/// Its releases, newest first.
#[server(name = GetReleases, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "releases")]
pub async fn releases(app: AppRef) -> Said<Vec<ReleaseRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.releases(&c, &app).await)
}

/// One delivery by release number.
#[server(name = GetDelivery, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "delivery")]
pub async fn delivery(app: AppRef, release: u32) -> Said<DeliveryView> {
    let (c, portal) = call::begin()?;
    call::tell(portal.delivery(&c, &app, release).await)
}

/// Its events, newest first.
#[server(name = GetTimeline, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "timeline")]
pub async fn timeline(app: AppRef, q: ListQuery) -> Said<Page<TimelineItem>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.timeline(&c, &app, &q).await)
}

/// What it held and holds.
#[server(name = GetClaims, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "claims")]
pub async fn claims(app: AppRef) -> Said<Vec<ClaimRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.claims(&c, &app).await)
}

/// Instances whose log can be read, living ones first.
#[server(name = GetLogSources, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "log_sources")]
pub async fn log_sources(app: AppRef) -> Said<Vec<LogSource>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.log_sources(&c, &app).await)
}

/// A piece of a log.
#[server(name = GetLog, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "log")]
pub async fn log(app: AppRef, q: LogQuery) -> Said<LogPiece> {
    let (c, portal) = call::begin()?;
    call::tell(portal.log(&c, &app, &q).await)
}

/// Series of the last `minutes`.
#[server(name = GetCharts, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "charts")]
pub async fn charts(app: AppRef, minutes: u32) -> Said<AppCharts> {
    let (c, portal) = call::begin()?;
    call::tell(portal.charts(&c, &app, minutes).await)
}

/// What the form for a new application offers.
#[server(name = GetNewAppOptions, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "new_app_options")]
pub async fn new_app_options() -> Said<NewAppOptions> {
    let (c, portal) = call::begin()?;
    call::tell(portal.new_app_options(&c).await)
}

/// Everything that is wrong with a new application; POST, because it carries secrets.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "check_new_app")]
pub async fn check_new_app(#[server(flatten)] form: NewAppForm) -> Said<Vec<Problem>> {
    let (c, portal) = call::begin()?;
    match form.read() {
        Ok(new) => call::tell(portal.check_new_app(&c, &new).await),
        Err(Problem::Fields { problems }) => Ok(problems),
        Err(p) => Ok(vec![p]),
    }
}

/// Go online.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "create_app")]
pub async fn create_app(#[server(flatten)] form: NewAppForm) -> Said<AppRef> {
    let (c, portal) = call::begin()?;
    let said = async { portal.create_app(&c, &form.read()?, &form.once).await }.await;
    call::settle(
        CreateApp::PATH,
        &c,
        &form,
        said,
        Some(format!("/applications/{}/{}", form.team.trim(), form.name.trim())),
    )
}

/// Go online with another package, middleware or configuration.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "release_app")]
pub async fn release_app(#[server(flatten)] form: ReleaseForm) -> Said<u32> {
    let (c, portal) = call::begin()?;
    let said = async { portal.release(&c, &form.app_ref(), &form.read()?, form.seen()?, &form.once).await }.await;
    call::settle(ReleaseApp::PATH, &c, &form, said, Some(super::app_path(&form.app_ref())))
}

/// Ask the health page of a running instance by the rule that is being typed;
/// POST, because the form around it carries secrets. A browser without scripts is
/// sent back to its page, which then asks by itself: `None`.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "try_health")]
pub async fn try_health(#[server(flatten)] form: ReleaseForm) -> Said<Option<Tried>> {
    let (c, portal) = call::begin()?;
    if call::back_to_ask(TryHealth::PATH, &c, &form) {
        return Ok(None);
    }
    call::tell(async { portal.try_health(&c, &form.app_ref(), &form.rule()?).await }.await.map(Some))
}

/// Put an earlier release back.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "roll_back")]
pub async fn roll_back(#[server(flatten)] form: AppForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.roll_back(&c, &form.app_ref(), form.to()?, form.seen()?, &form.once).await }.await;
    call::settle(RollBack::PATH, &c, &form, said, Some(super::app_path(&form.app_ref())))
}

/// Change the number of instances.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "scale")]
pub async fn scale(#[server(flatten)] form: AppForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.scale(&c, &form.app_ref(), form.instances()?, form.seen()?, &form.once).await }.await;
    call::settle(Scale::PATH, &c, &form, said, None)
}

/// Replace all instances.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "restart")]
pub async fn restart(#[server(flatten)] form: AppForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.restart(&c, &form.app_ref(), form.seen()?, &form.once).await }.await;
    call::settle(Restart::PATH, &c, &form, said, None)
}

/// Look at it now: what waits or has failed is taken up at once.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "retry")]
pub async fn retry(#[server(flatten)] form: AppForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = portal.retry(&c, &form.app_ref(), &form.once).await;
    call::settle(Retry::PATH, &c, &form, said, None)
}

/// Stop.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "stop")]
pub async fn stop(#[server(flatten)] form: AppForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.stop(&c, &form.app_ref(), form.seen()?, &form.once).await }.await;
    call::settle(Stop::PATH, &c, &form, said, None)
}

/// Start.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "start")]
pub async fn start(#[server(flatten)] form: AppForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.start(&c, &form.app_ref(), form.seen()?, &form.once).await }.await;
    call::settle(Start::PATH, &c, &form, said, None)
}

/// Delete.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "delete_app")]
pub async fn delete_app(#[server(flatten)] form: AppForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.delete_app(&c, &form.app_ref(), form.confirm.trim(), &form.once).await }.await;
    call::settle(DeleteApp::PATH, &c, &form, said, None)
}
