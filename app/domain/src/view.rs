//! What the pages show and what their forms send. Plain data; every number has
//! its unit in its name, every time is [`UnixMs`], every secret is absent.

use crate::Problem;
use crate::action::{AppState, Offer};
use crate::address::AddressState;
use crate::app::{AppRef, Env, HealthRule};
use crate::delivery::{Finding, Note, StepView};
use crate::package::{PackageFacts, PackageKind};
use crate::pool::PoolSpec;
use crate::ports::{Host, ServiceSeen};
use crate::problem::{FieldChange, System};
use crate::quantity::{Amount, Size};
use crate::stack::Contract;
use crate::words::{PlatformRole, Stage, TeamRole, UnixMs, Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state of a list, as it stands in the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    /// Text to find.
    pub q: String,
    /// Stage, `None` for all.
    pub stage: Option<Stage>,
    /// Team slug, empty for all the caller may see.
    pub team: String,
    /// State word of the list's own vocabulary, empty for all.
    pub state: String,
    /// Name of the column to sort by, empty for the list's own order.
    pub sort: String,
    /// Descending.
    pub desc: bool,
    /// Page number from 1; 0 means 1.
    pub page: u32,
    /// Rows a page; 0 means 50; at most 200.
    pub per_page: u32,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Rows of all pages.
    pub total: u64,
    /// This page from 1.
    pub page: u32,
    /// Rows a page.
    pub per_page: u32,
}

/// Counts beside the navigation's entries; `None` is not shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NavCounts {
    /// Things that need attention.
    pub attention: u64,
    /// Applications.
    pub apps: u64,
    /// Standard middleware versions.
    pub stacks: u64,
    /// Packages.
    pub packages: u64,
    /// Pools.
    pub pools: u64,
    /// Stuck rows of the work queue (operators).
    pub stuck: Option<u64>,
}

/// Something that needs attention now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// Bad (an application suffers) or only a warning.
    pub bad: bool,
    /// What it is about.
    pub what: AttentionKind,
    /// Since when.
    pub since: UnixMs,
    /// The application, if it is about one.
    pub app: Option<AppRef>,
    /// The pool, if it is about one.
    pub pool: Option<String>,
}

/// What needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum AttentionKind {
    /// A delivery waits or fails, with the step's note.
    Delivery {
        /// The release.
        release: u32,
        /// The note.
        note: Note,
    },
    /// Fewer instances are well than wanted.
    Degraded {
        /// Well.
        well: u32,
        /// Wanted.
        wanted: u32,
        /// What the sick one's page was found to answer, if known.
        finding: Option<Finding>,
    },
    /// Instances were replaced again and again.
    Replaced {
        /// How often in the last 20 minutes.
        times: u32,
        /// The last reason.
        finding: Option<Finding>,
    },
    /// A pool has little left of something.
    PoolShort {
        /// Which.
        dimension: crate::quantity::Dimension,
        /// Free.
        free: u64,
        /// Total.
        total: u64,
    },
    /// A host is not heard.
    HostLost {
        /// Its name.
        host: String,
    },
    /// A system behind the portal does not answer.
    SystemDown {
        /// Which.
        system: System,
    },
    /// A row of the work queue is parked.
    WorkParked {
        /// Its key.
        key: String,
        /// Why.
        reason: String,
    },
}

/// The overview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// What needs attention, worst first.
    pub attention: Vec<Attention>,
    /// One entry per application, for the grid of squares: name and state.
    pub apps: Vec<(AppRef, AppState)>,
    /// Durations in ms of the successful deliveries of the last seven days, oldest first.
    pub delivery_ms: Vec<u64>,
    /// Deliveries of the last seven days that failed or were given up.
    pub deliveries_failed: u32,
    /// Instances replaced per day, 14 values, oldest first.
    pub replaced_per_day: Vec<u32>,
    /// Requests and failed requests through the balancer in the last 24 hours, 48 half-hours, oldest first.
    pub requests: Vec<(u64, u64)>,
    /// The last deliveries, newest first, at most 12.
    pub deliveries: Vec<DeliveryRow>,
    /// Pools, the tightest first.
    pub pools: Vec<PoolRow>,
    /// Now, by the server's clock.
    pub now: UnixMs,
}

/// A delivery in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// Application.
    pub app: AppRef,
    /// Its title.
    pub title: String,
    /// Release.
    pub release: u32,
    /// By whom.
    pub by: String,
    /// State.
    pub state: DeliveryState,
    /// The step that it is at, or failed at.
    pub step: crate::delivery::Step,
    /// Begun.
    pub began_at: UnixMs,
    /// First good answer, or given up.
    pub ended_at: Option<UnixMs>,
}

/// How a delivery ended, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// Under way.
    Running,
    /// Waits for something.
    Waiting,
    /// First good answer was had.
    Online,
    /// A step failed; it goes on by itself when the cause is gone.
    Failed,
    /// Overtaken by another change, stopped or deleted.
    GivenUp,
}

/// The rail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryView {
    /// Release.
    pub release: u32,
    /// State.
    pub state: DeliveryState,
    /// By whom (display name).
    pub by: String,
    /// Submitted at.
    pub began_at: UnixMs,
    /// First good answer.
    pub answered_at: Option<UnixMs>,
    /// Steps in order.
    pub steps: Vec<StepView>,
    /// Earlier deliveries of this application in ms, oldest first, at most 12; `None` failed.
    pub earlier_ms: Vec<Option<u64>>,
    /// Now, by the server's clock.
    pub now: UnixMs,
}

/// An application in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRow {
    /// Key.
    pub app: AppRef,
    /// Title.
    pub title: String,
    /// Team's title.
    pub team_title: String,
    /// State.
    pub state: AppState,
    /// Instances that are well.
    pub well: u32,
    /// Instances wanted.
    pub wanted: u32,
    /// Pool.
    pub pool: String,
    /// Stage.
    pub stage: Stage,
    /// Middleware's short name.
    pub stack: String,
    /// Size of one instance.
    pub size: Size,
    /// Release that is or becomes active.
    pub release: u32,
    /// URL.
    pub url: String,
    /// Last change.
    pub changed_at: UnixMs,
}

/// An application's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppView {
    /// Key.
    pub app: AppRef,
    /// Title.
    pub title: String,
    /// Team's title.
    pub team_title: String,
    /// State.
    pub state: AppState,
    /// Revision for `seen`.
    pub revision: i64,
    /// Pool.
    pub pool: String,
    /// Stage.
    pub stage: Stage,
    /// Zone.
    pub zone: Zone,
    /// Host name.
    pub host_name: String,
    /// URL through the balancer.
    pub url: String,
    /// Wanted instances.
    pub wanted: u32,
    /// Active release's number.
    pub release: u32,
    /// Its configuration.
    pub spec: SpecView,
    /// Its package.
    pub package: PackageRow,
    /// Its middleware.
    pub stack_title: (String, String),
    /// Instances, active release first, by slot.
    pub instances: Vec<InstanceRow>,
    /// The last delivery.
    pub delivery: Option<DeliveryView>,
    /// What can be done, with reasons where not.
    pub offers: Vec<Offer>,
    /// What it waits for, if it waits.
    pub waiting: Option<Note>,
    /// The team's quota and use in its pool.
    pub quota: QuotaView,
    /// Now, by the server's clock.
    pub now: UnixMs,
}

/// A release's configuration as shown: secrets without value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecView {
    /// Size.
    pub size: Size,
    /// Health rule.
    pub health: HealthRule,
    /// Environment; a secret's value is empty.
    pub env: Env,
    /// Middleware's short name.
    pub stack: String,
    /// Image reference by digest.
    pub image: String,
}

/// An instance in its slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceRow {
    /// Slot.
    pub slot: u32,
    /// Release.
    pub release: u32,
    /// State.
    pub state: InstanceState,
    /// The last probe.
    pub finding: Finding,
    /// Consecutive failures.
    pub failures: u32,
    /// Address, dotted.
    pub address: Option<String>,
    /// Host.
    pub host: String,
    /// Started at.
    pub started_at: Option<UnixMs>,
    /// Thousandths of a core used over the last interval.
    pub cpu_milli: Option<u32>,
    /// MiB used.
    pub mem_mib: Option<u32>,
    /// Requests that it is serving, while it leaves.
    pub sessions: Option<u64>,
    /// Marathon task id.
    pub task_id: String,
}

/// The state of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceState {
    /// Being started.
    Starting,
    /// Runs, gets its address.
    Attaching,
    /// Runs, first good answer awaited.
    Warming,
    /// Well and in the balancer.
    Well,
    /// Its page answers wrongly; out of the balancer.
    Sick,
    /// Finishing its requests.
    Leaving,
    /// The host is not heard.
    Lost,
}

/// A release in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRow {
    /// Number.
    pub release: u32,
    /// Created at.
    pub at: UnixMs,
    /// By whom.
    pub by: String,
    /// Middleware's name and version.
    pub stack: String,
    /// Package's file name.
    pub package: String,
    /// Package's sha-256.
    pub sha256: String,
    /// Size.
    pub size: Size,
    /// What differs from the release before.
    pub changes: Vec<FieldChange>,
    /// How its delivery ended.
    pub delivery: DeliveryState,
    /// Its duration in ms if it came online.
    pub took_ms: Option<u64>,
    /// Whether it is the active one.
    pub active: bool,
    /// Whether it can be put back (its package and image are still there), else why not.
    pub roll_back: Result<(), crate::action::Reason>,
}

/// One thing that happened, with its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineItem {
    /// When.
    pub at: UnixMs,
    /// What.
    pub event: Event,
}

/// What happened to an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// Somebody did something.
    Did {
        /// Who (display name).
        by: String,
        /// What: the action's word, or `create`.
        action: String,
        /// What changed.
        changes: Vec<FieldChange>,
    },
    /// An instance came up in a slot.
    Started {
        /// Slot.
        slot: u32,
        /// Release.
        release: u32,
        /// Host.
        host: String,
        /// Address.
        address: Option<String>,
    },
    /// An instance became well and takes requests.
    Well {
        /// Slot.
        slot: u32,
        /// Release.
        release: u32,
        /// Address.
        address: String,
    },
    /// A sick instance was taken out and is replaced.
    Replaced {
        /// Slot.
        slot: u32,
        /// Release.
        release: u32,
        /// Why.
        finding: Finding,
        /// How many times in a row.
        times: u32,
    },
    /// An instance ended by itself or behind the portal's back.
    Died {
        /// Slot.
        slot: Option<u32>,
        /// Release.
        release: u32,
        /// Marathon's state, e.g. `TASK_FAILED`.
        state: String,
        /// Marathon's message, e.g. `exit code 137`.
        message: String,
        /// Host.
        host: String,
    },
    /// An instance left as planned.
    Left {
        /// Slot.
        slot: u32,
        /// Release.
        release: u32,
        /// Requests that were still finished.
        drained: bool,
    },
    /// A delivery came online.
    Online {
        /// Release.
        release: u32,
        /// Milliseconds.
        took_ms: u64,
    },
    /// A delivery step failed or waits.
    Stuck {
        /// Release.
        release: u32,
        /// Step.
        step: crate::delivery::Step,
        /// Why.
        note: Note,
    },
    /// A claim was given back.
    Released {
        /// `address`, `name`, `member`, `service`.
        kind: String,
        /// Its reference: address, name.
        what: String,
    },
    /// The event stream was silent.
    Gap {
        /// From.
        from: UnixMs,
        /// To.
        to: UnixMs,
    },
}

/// Something held in an outside system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// `address`, `attachment`, `name`, `service`, `member`.
    pub kind: String,
    /// What: the address, the name, the member.
    pub what: String,
    /// Release.
    pub release: Option<u32>,
    /// Slot.
    pub slot: Option<u32>,
    /// Since.
    pub since: UnixMs,
    /// Given back at.
    pub released_at: Option<UnixMs>,
}

/// A log that can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSource {
    /// Task id.
    pub task_id: String,
    /// Slot.
    pub slot: Option<u32>,
    /// Release.
    pub release: u32,
    /// Still running.
    pub alive: bool,
    /// Last written at.
    pub written_at: Option<UnixMs>,
    /// Files: name and bytes.
    pub files: Vec<(String, u64)>,
}

/// Which piece of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// Task id.
    pub task_id: String,
    /// File name.
    pub file: String,
    /// First byte; `None`: the last `length` bytes.
    pub offset: Option<u64>,
    /// Bytes, at most 262,144.
    pub length: u32,
    /// Only lines that hold this text (case-insensitive); empty: all.
    pub find: String,
}

/// A piece of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPiece {
    /// Lines with the byte offset of each.
    pub lines: Vec<(u64, String)>,
    /// Where to read on.
    pub next: u64,
    /// Bytes of the file.
    pub length: u64,
    /// Whether the instance still writes to it.
    pub alive: bool,
}

/// A series: points with a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// `(time, value)`, oldest first.
    pub points: Vec<(UnixMs, f64)>,
    /// The limit to draw, if there is one.
    pub limit: Option<f64>,
}

/// The charts of an application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppCharts {
    /// Cores, all instances together.
    pub cpu: Series,
    /// GiB.
    pub mem: Series,
    /// Requests per second.
    pub requests: Series,
    /// Failed requests per second.
    pub failed: Series,
    /// Times of first good answers.
    pub online: Vec<(UnixMs, u32)>,
}

/// What the form for a new application offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAppOptions {
    /// Token for `once`.
    pub once: String,
    /// Teams that the caller may create for: slug and title.
    pub teams: Vec<(String, String)>,
    /// Middleware.
    pub stacks: Vec<StackView>,
    /// Pools with quota by team.
    pub pools: Vec<PoolRow>,
    /// Recent packages of these teams.
    pub packages: Vec<PackageRow>,
    /// The largest upload in bytes.
    pub max_package_bytes: u64,
    /// Port of the balancer to show in URLs, if not 80.
    pub balancer_port: u16,
    /// The middle duration of the last deliveries in ms, if there were any.
    pub usual_ms: Option<u64>,
}

/// The form for a new application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewApp {
    /// Team slug.
    pub team: String,
    /// Name.
    pub name: String,
    /// Title; empty: the name.
    pub title: String,
    /// Middleware: short name and version, `nginx:1.22.1`.
    pub stack: String,
    /// Package's sha-256.
    pub package: String,
    /// Pool.
    pub pool: String,
    /// Instances.
    pub instances: u32,
    /// Size.
    pub size: Size,
    /// Health rule.
    pub health: HealthRule,
    /// Environment.
    pub env: Env,
}

/// The form for a new release: what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRelease {
    /// Middleware.
    pub stack: Option<String>,
    /// Package's sha-256.
    pub package: Option<String>,
    /// Size.
    pub size: Option<Size>,
    /// Health rule.
    pub health: Option<HealthRule>,
    /// The whole environment; a secret with an empty value keeps its value.
    pub env: Option<Env>,
}

/// A package in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRow {
    /// sha-256, hex.
    pub sha256: String,
    /// Team slug.
    pub team: String,
    /// File name as uploaded.
    pub file_name: String,
    /// Bytes.
    pub bytes: u64,
    /// What is inside.
    pub facts: PackageFacts,
    /// Uploaded by (display name).
    pub by: String,
    /// Uploaded at.
    pub at: UnixMs,
    /// Releases that use it: application and number.
    pub used_by: Vec<(AppRef, u32)>,
}

/// A middleware version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackView {
    /// Key, `nginx:1.22.1`.
    pub key: String,
    /// The contract.
    pub contract: Contract,
    /// Image by digest.
    pub image: String,
    /// Compressed bytes.
    pub bytes: u64,
    /// Creation time as the image says it.
    pub created: String,
    /// Applications on it that the caller may see.
    pub used_by: Vec<AppRef>,
}

/// A quota with its use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaView {
    /// The quota.
    pub quota: Amount,
    /// Used by running instances.
    pub used: Amount,
    /// Promised to applications, not running yet.
    pub held: Amount,
}

/// A pool in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolRow {
    /// The pool.
    pub spec: PoolSpec,
    /// Capacity of its hosts; addresses: the subnet's usable ones.
    pub total: Amount,
    /// Used.
    pub used: Amount,
    /// Promised.
    pub held: Amount,
    /// Hosts heard.
    pub hosts: u32,
    /// Applications that the caller may see.
    pub apps: u32,
    /// The caller's teams' quotas here (an inspector: all teams).
    pub quotas: BTreeMap<String, QuotaView>,
}

/// A pool's page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolView {
    /// The row.
    pub row: PoolRow,
    /// Revision for `seen`.
    pub revision: i64,
    /// Hosts that carry its labels.
    pub hosts: Vec<Host>,
    /// Team titles for the quotas, and number of applications.
    pub teams: Vec<(String, String, u32)>,
    /// When the hosts were last observed.
    pub observed_at: Option<UnixMs>,
    /// May the caller change it?
    pub may_change: bool,
}

/// One cell of the map that is not free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressCell {
    /// Numeric address.
    pub ip: u32,
    /// State.
    pub state: AddressState,
    /// The owner, if the caller may see it.
    pub app: Option<AppRef>,
    /// Slot.
    pub slot: Option<u32>,
    /// Release.
    pub release: Option<u32>,
    /// Reason of a reservation.
    pub reason: String,
    /// Since.
    pub since: UnixMs,
    /// Free again at, for a quarantined one.
    pub until: Option<UnixMs>,
}

/// A subnet as a map; every usable address that is not in `cells` is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressMap {
    /// The pool.
    pub spec: PoolSpec,
    /// What is not free, by address.
    pub cells: Vec<AddressCell>,
    /// May the caller reserve?
    pub may_change: bool,
    /// Pools to switch to.
    pub pools: Vec<String>,
    /// Now.
    pub now: UnixMs,
}

/// A name in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRow {
    /// Name.
    pub name: String,
    /// What it resolves to.
    pub addresses: Vec<String>,
    /// Seconds.
    pub ttl_s: u32,
    /// Application.
    pub app: AppRef,
    /// Pool.
    pub pool: String,
    /// Since.
    pub since: UnixMs,
}

/// The balancer's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancerView {
    /// Whether it answers.
    pub up: bool,
    /// Where it listens.
    pub listen: String,
    /// Last observed at.
    pub observed_at: Option<UnixMs>,
    /// Services that the caller may see.
    pub services: Vec<(AppRef, ServiceSeen)>,
}

/// A row of the work queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkRow {
    /// Key.
    pub key: String,
    /// `due`, `running`, `backing-off`, `parked`, `idle`.
    pub state: String,
    /// Times wanted.
    pub wanted: i64,
    /// Times done.
    pub done: i64,
    /// Failed attempts in a row.
    pub attempts: u32,
    /// Next due at.
    pub due_at: UnixMs,
    /// The worker that has it.
    pub lease: Option<String>,
    /// The last outcome for the operator, secrets excluded.
    pub outcome: String,
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRow {
    /// Sequence number.
    pub seq: i64,
    /// When.
    pub at: UnixMs,
    /// Account, or `padis` for the reconciler.
    pub who: String,
    /// What, a stable word such as `app.create`.
    pub what: String,
    /// On what, e.g. `app:motor/claims`.
    pub subject: String,
    /// Team whose thing it is, if one.
    pub team: Option<String>,
    /// What changed.
    pub changes: Vec<FieldChange>,
    /// This row's hash, hex.
    pub hash: String,
    /// Whether the chain up to here is unbroken.
    pub intact: bool,
}

/// A system behind the portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemRow {
    /// Which.
    pub system: System,
    /// Whether it answers.
    pub up: bool,
    /// Since when it has been so.
    pub since: UnixMs,
    /// Where it is, without credentials.
    pub at: String,
    /// For the operator: the last error, or what it is.
    pub detail: String,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamView {
    /// Slug.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Members: account, display name, role, and whether by a directory group.
    pub people: Vec<(String, String, TeamRole, bool)>,
    /// Directory groups that give membership, with the role.
    pub groups: Vec<(String, TeamRole)>,
    /// Applications.
    pub apps: u32,
}

/// The form for a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamEdit {
    /// Slug.
    pub slug: String,
    /// Title.
    pub title: String,
    /// Directory groups (distinguished names) with the role each gives.
    pub groups: Vec<(String, TeamRole)>,
    /// Whether it must not exist yet.
    pub new: bool,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Account.
    pub account: String,
    /// Display name.
    pub name: String,
    /// Built in, else from the directory.
    pub built_in: bool,
    /// May sign in.
    pub enabled: bool,
    /// Platform role.
    pub platform: Option<PlatformRole>,
    /// Teams.
    pub teams: BTreeMap<String, TeamRole>,
    /// Last sign-in.
    pub last_seen: Option<UnixMs>,
}

/// The form for a built-in account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonEdit {
    /// Account.
    pub account: String,
    /// Display name.
    pub name: String,
    /// New password; empty keeps it. At least 10 characters.
    pub password: String,
    /// May sign in.
    pub enabled: bool,
    /// Platform role.
    pub platform: Option<PlatformRole>,
    /// Teams.
    pub teams: BTreeMap<String, TeamRole>,
    /// Whether it must not exist yet.
    pub new: bool,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// Public id.
    pub id: String,
    /// Account.
    pub account: String,
    /// From which address.
    pub address: String,
    /// Browser, shortened.
    pub agent: String,
    /// Signed in at.
    pub began_at: UnixMs,
    /// Last used at.
    pub seen_at: UnixMs,
    /// The caller's own present one.
    pub current: bool,
}

/// A search hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// `app`, `address`, `name`, `stack`, `package`, `pool`, `person`, `team`.
    pub kind: String,
    /// Its name.
    pub title: String,
    /// A second line.
    pub detail: String,
    /// Path to go to, below the portal.
    pub path: String,
}

/// A form's recognised kind of a package and the stacks that take it.
pub fn fits(kind: PackageKind, contract: &Contract) -> bool {
    contract.kinds.contains(&kind)
}

/// A problem together with the state of the form, when the form comes back without JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormBack {
    /// What is wrong.
    pub problem: Problem,
}
