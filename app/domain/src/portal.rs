//! What the pages can ask for. `server` implements it, `app` calls it.
//!
//! Every method takes the caller and checks it: the pages decide nothing about
//! permission. Reads come from Padis's own state, never from an outside system,
//! except where the method says `live` (those have a deadline). Commands record
//! an intent and return; nothing outside has changed when they do.
//!
//! `once` is a token that the form got when it was rendered: the same token
//! again gives the first answer again and has no second effect.

use crate::Problem;
use crate::app::{AppRef, HealthRule};
use crate::archives::Archives;
use crate::benches::Benches;
use crate::caller::Caller;
use crate::pool::PoolSpec;
use crate::quantity::Amount;
use crate::recipes::Recipes;
use crate::tidying::Tidying;
use crate::view::*;
use crate::words::Stage;
use async_trait::async_trait;

/// The answer of the portal.
pub type Answer<T> = Result<T, Problem>;

/// The portal as the pages see it.
#[async_trait]
pub trait Portal: Archives + Benches + Recipes + Tidying + Send + Sync {
    /// Counts beside the navigation's entries.
    async fn nav(&self, c: &Caller, stage: Option<Stage>) -> Answer<NavCounts>;
    /// The overview page.
    async fn overview(&self, c: &Caller, stage: Option<Stage>) -> Answer<Overview>;
    /// Finds anything by name: applications, addresses, names, images, people, pages.
    async fn search(&self, c: &Caller, q: &str) -> Answer<Vec<Hit>>;
    /// A fresh `once` token.
    async fn once(&self, c: &Caller) -> Answer<String>;

    /// Applications, paged.
    async fn apps(&self, c: &Caller, q: &ListQuery) -> Answer<Page<AppRow>>;
    /// One application.
    async fn app(&self, c: &Caller, app: &AppRef) -> Answer<AppView>;
    /// Its releases, newest first.
    async fn releases(&self, c: &Caller, app: &AppRef) -> Answer<Vec<ReleaseRow>>;
    /// One delivery by release number.
    async fn delivery(&self, c: &Caller, app: &AppRef, release: u32) -> Answer<DeliveryView>;
    /// Its events, newest first.
    async fn timeline(&self, c: &Caller, app: &AppRef, q: &ListQuery) -> Answer<Page<TimelineItem>>;
    /// What the application held and holds: addresses, names, members.
    async fn claims(&self, c: &Caller, app: &AppRef) -> Answer<Vec<ClaimRow>>;
    /// Instances whose log can be read, living ones first.
    async fn log_sources(&self, c: &Caller, app: &AppRef) -> Answer<Vec<LogSource>>;
    /// A piece of a log. `live`: read from the log folder.
    async fn log(&self, c: &Caller, app: &AppRef, q: &LogQuery) -> Answer<LogPiece>;
    /// CPU, memory and request series of the last `minutes`.
    async fn charts(&self, c: &Caller, app: &AppRef, minutes: u32) -> Answer<AppCharts>;
    /// Asks the health page of a running instance by a rule that is not in force
    /// yet. `live`: one request to one of the application's own instances, at most
    /// ten seconds. For those who may change it: a path can do something there.
    async fn try_health(&self, c: &Caller, app: &AppRef, rule: &HealthRule) -> Answer<Tried>;

    /// What the form for a new application offers.
    async fn new_app_options(&self, c: &Caller) -> Answer<NewAppOptions>;
    /// Everything that is wrong with it, empty if nothing is. The same rules as `create_app`.
    async fn check_new_app(&self, c: &Caller, new: &NewApp) -> Answer<Vec<Problem>>;
    /// Go online.
    async fn create_app(&self, c: &Caller, new: &NewApp, once: &str) -> Answer<AppRef>;
    /// Go online with another package, middleware or configuration.
    async fn release(&self, c: &Caller, app: &AppRef, new: &NewRelease, seen: i64, once: &str) -> Answer<u32>;
    /// Put an earlier release back.
    async fn roll_back(&self, c: &Caller, app: &AppRef, to: u32, seen: i64, once: &str) -> Answer<()>;
    /// Change the number of instances.
    async fn scale(&self, c: &Caller, app: &AppRef, instances: u32, seen: i64, once: &str) -> Answer<()>;
    /// Replace all instances.
    async fn restart(&self, c: &Caller, app: &AppRef, seen: i64, once: &str) -> Answer<()>;
    /// Look at it now: what waits, has failed or was left alone is taken up at once.
    async fn retry(&self, c: &Caller, app: &AppRef, once: &str) -> Answer<()>;
    /// Stop.
    async fn stop(&self, c: &Caller, app: &AppRef, seen: i64, once: &str) -> Answer<()>;
    /// Start.
    async fn start(&self, c: &Caller, app: &AppRef, seen: i64, once: &str) -> Answer<()>;
    /// Delete. `confirm` is the typed name.
    async fn delete_app(&self, c: &Caller, app: &AppRef, confirm: &str, once: &str) -> Answer<()>;

    /// Packages of the caller's teams, newest first.
    async fn packages(&self, c: &Caller, q: &ListQuery) -> Answer<Page<PackageRow>>;
    /// One package.
    async fn package(&self, c: &Caller, sha256: &str) -> Answer<PackageRow>;
    /// Delete a package that nothing uses.
    async fn delete_package(&self, c: &Caller, team: &str, sha256: &str) -> Answer<()>;
    /// Standard middleware.
    async fn stacks(&self, c: &Caller) -> Answer<Vec<StackView>>;
    /// Takes a decision about a version of it.
    async fn mark_stack(&self, c: &Caller, edit: &MarkEdit, once: &str) -> Answer<()>;
    /// What those who run an application should know of its middleware; `None`: nothing.
    async fn stack_notice(&self, c: &Caller, app: &AppRef) -> Answer<Option<StackNotice>>;

    /// Repositories of all registries, searched by name, version and label; the state names one registry.
    async fn images(&self, c: &Caller, q: &ListQuery) -> Answer<ImagesView>;
    /// One repository. `live`: its tags are asked of the registry, with a deadline.
    async fn repository(&self, c: &Caller, registry: &str, name: &str) -> Answer<RepositoryView>;
    /// One version, by its tag.
    async fn image(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<ImageView>;
    /// Copies, newest first (operators and auditors).
    async fn copies(&self, c: &Caller, q: &ListQuery) -> Answer<Page<CopyRow>>;
    /// Asks for a copy of what the tag names now; gives its id. `live`: one question to the
    /// source and one to the target.
    async fn copy_image(&self, c: &Caller, new: &NewCopy, once: &str) -> Answer<String>;
    /// Stops a copy; what is at the target already stays there, without a name.
    async fn cancel_copy(&self, c: &Caller, id: &str) -> Answer<()>;
    /// Where a version can be promoted to, and whether what is checked for that holds; none
    /// where there is no later stage.
    async fn promotion_offers(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<Vec<PromotionOffer>>;
    /// Promotions of what the caller may see, newest first; the state names one decision.
    async fn promotions(&self, c: &Caller, q: &ListQuery) -> Answer<Page<PromotionRow>>;
    /// Asks for a promotion of exactly what was seen; where nobody has to agree it begins.
    /// Gives its id. `live`: one question to the source and one to the target.
    async fn promote(&self, c: &Caller, new: &NewPromotion, once: &str) -> Answer<String>;
    /// Says yes or no to what somebody else has asked for; no needs a reason.
    async fn judge_promotion(&self, c: &Caller, id: &str, yes: bool, note: &str) -> Answer<()>;
    /// Takes back what was asked for, before anybody has said yes.
    async fn withdraw_promotion(&self, c: &Caller, id: &str) -> Answer<()>;
    /// Puts back what the target's version named before; where it named nothing, takes it
    /// away. `live`: the target is asked what the version names now.
    async fn roll_back_promotion(&self, c: &Caller, id: &str) -> Answer<()>;
    /// What of a repository would go by this rule, what stays and why, as the last look at it
    /// found it; without a rule only what was done before.
    async fn retention(&self, c: &Caller, registry: &str, name: &str, rule: Option<Retention>)
    -> Answer<RetentionView>;
    /// Lets it be done for those digests of it that were seen and still go.
    async fn apply_retention(
        &self,
        c: &Caller,
        registry: &str,
        name: &str,
        rule: Retention,
        seen: &[String],
        once: &str,
    ) -> Answer<()>;
    /// Looks at all registries now.
    async fn look_at_registries(&self, c: &Caller) -> Answer<()>;

    /// What is inside a version: packages, files, known vulnerabilities.
    async fn inside(&self, c: &Caller, registry: &str, name: &str, tag: &str, q: &InsideQuery) -> Answer<InsideView>;
    /// Asks for it to be read; one that was read stays as it is. Of a team's repository for its
    /// members, else for operators.
    async fn look_inside(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<()>;
    /// Its software bill of materials, CycloneDX in JSON; `NotFound` before it was read.
    async fn bill_of_materials(&self, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<String>;
    /// Known vulnerabilities of what runs, worst first, with the applications that have them.
    async fn vulnerabilities(&self, c: &Caller, q: &ListQuery) -> Answer<VulnerabilitiesView>;

    /// Pools with what is left; a member sees those in which one of his teams has a quota.
    async fn pools(&self, c: &Caller, stage: Option<Stage>) -> Answer<Vec<PoolRow>>;
    /// One pool.
    async fn pool(&self, c: &Caller, name: &str) -> Answer<PoolView>;
    /// Creates or changes a pool; `seen` is 0 for a new one.
    async fn put_pool(&self, c: &Caller, spec: &PoolSpec, seen: i64, once: &str) -> Answer<()>;
    /// Deletes an empty pool.
    async fn delete_pool(&self, c: &Caller, name: &str, confirm: &str) -> Answer<()>;
    /// Takes a host (by agent id) out of service, with a reason: it gets nothing new and is emptied.
    async fn host_out(&self, c: &Caller, agent_id: &str, reason: &str) -> Answer<()>;
    /// Puts a host back into service.
    async fn host_back(&self, c: &Caller, agent_id: &str) -> Answer<()>;
    /// Who leads the cluster, its agents, roles and frameworks as last seen: the list that the query's state names.
    async fn cluster(&self, c: &Caller, q: &ListQuery) -> Answer<ClusterView>;
    /// Sets a team's quota in a pool; all zero takes it away.
    async fn put_quota(&self, c: &Caller, pool: &str, team: &str, quota: &Amount) -> Answer<()>;
    /// The pool's subnet as a map.
    async fn addresses(&self, c: &Caller, pool: &str) -> Answer<AddressMap>;
    /// Reserves a range (dotted, inclusive) with a reason.
    async fn reserve(&self, c: &Caller, pool: &str, from: &str, to: &str, reason: &str) -> Answer<u32>;
    /// Frees reserved addresses in a range; others in it are left alone.
    async fn unreserve(&self, c: &Caller, pool: &str, from: &str, to: &str) -> Answer<u32>;
    /// Names.
    async fn names(&self, c: &Caller, q: &ListQuery) -> Answer<Page<NameRow>>;
    /// The balancer's services as last observed.
    async fn balancer(&self, c: &Caller) -> Answer<BalancerView>;

    /// The event stream, what was missed, and what hangs on it.
    async fn stream(&self, c: &Caller) -> Answer<StreamReport>;
    /// Looks at an application now, or with `None` at everything; what is parked is taken up again.
    async fn look_again(&self, c: &Caller, app: Option<&AppRef>) -> Answer<()>;
    /// The work queue, with what is stuck and why.
    async fn work(&self, c: &Caller, q: &ListQuery) -> Answer<Page<WorkRow>>;
    /// Try again now.
    async fn work_retry(&self, c: &Caller, key: &str) -> Answer<()>;
    /// Leave it alone until somebody retries it.
    async fn work_park(&self, c: &Caller, key: &str, reason: &str) -> Answer<()>;
    /// The journal, newest first.
    async fn journal(&self, c: &Caller, q: &ListQuery) -> Answer<Page<JournalRow>>;
    /// The state of what stands behind the portal.
    async fn systems(&self, c: &Caller) -> Answer<Vec<SystemRow>>;

    /// Teams with people and group mappings.
    async fn teams(&self, c: &Caller) -> Answer<Vec<TeamView>>;
    /// Creates or changes a team.
    async fn put_team(&self, c: &Caller, team: &TeamEdit, once: &str) -> Answer<()>;
    /// Deletes a team that owns nothing.
    async fn delete_team(&self, c: &Caller, slug: &str, confirm: &str) -> Answer<()>;
    /// Built-in accounts and people seen from the directory.
    async fn people(&self, c: &Caller, q: &ListQuery) -> Answer<Page<PersonRow>>;
    /// Creates or changes a built-in account, its roles and teams.
    async fn put_person(&self, c: &Caller, person: &PersonEdit, once: &str) -> Answer<()>;
    /// Changes the caller's own password (built-in accounts); ends the account's other sessions.
    async fn change_password(&self, c: &Caller, old: &str, new: &str) -> Answer<()>;
    /// The caller's sessions, or everybody's for an operator.
    async fn sessions(&self, c: &Caller, everybody: bool) -> Answer<Vec<SessionRow>>;
    /// Ends a session.
    async fn revoke_session(&self, c: &Caller, id: &str) -> Answer<()>;
}
