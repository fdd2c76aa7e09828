//! An application and what belongs to it.

use super::DeliveryState;
use super::DeliveryView;
use super::PackageRow;
use super::QuotaView;
use crate::action::AppState;
use crate::action::Offer;
use crate::app::AppRef;
use crate::app::Env;
use crate::app::HealthRule;
use crate::delivery::Finding;
use crate::delivery::Note;
use crate::ports::PageSeen;
use crate::problem::FieldChange;
use crate::quantity::Size;
use crate::words::Stage;
use crate::words::UnixMs;
use crate::words::Zone;
use serde::{Deserialize, Serialize};

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

impl InstanceRow {
    /// One of which nothing is known but that it exists.
    pub fn fresh(task_id: &str, release: u32) -> Self {
        Self {
            slot: 0,
            release,
            state: InstanceState::Starting,
            finding: Finding::Unknown,
            failures: 0,
            address: None,
            host: String::new(),
            started_at: None,
            cpu_milli: None,
            mem_mib: None,
            sessions: None,
            task_id: task_id.to_owned(),
        }
    }
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

/// What the health page of a running instance answered just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Slot of the instance that was asked.
    pub slot: u32,
    /// Its release.
    pub release: u32,
    /// Its address and port.
    pub address: String,
    /// The path that was asked.
    pub path: String,
    /// The text that was looked for; empty: none.
    pub expect: String,
    /// The answer.
    pub seen: PageSeen,
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
    /// Files: name and bytes; `None`: on another host, known once it is read.
    pub files: Vec<(String, Option<u64>)>,
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
