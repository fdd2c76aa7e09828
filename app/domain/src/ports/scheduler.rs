use super::PortResult;
use crate::view::StreamEnd;
use crate::words::UnixMs;
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use std::collections::BTreeMap;

/// A Marathon app as Padis asks for it: one release of one application.
///
/// The driver renders it as a Marathon v2 app definition: Docker container with
/// `networks: [{mode: "container", name: "none"}]` (the Network port attaches
/// the address afterwards), volumes with host paths, `labels`, `constraints`,
/// `backoffSeconds: 1`, `upgradeStrategy` that kills nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedApp {
    /// Path, `/team/app/r12`.
    pub id: String,
    /// Image by digest.
    pub image: String,
    /// Wanted instances.
    pub instances: u32,
    /// Thousandths of a core.
    pub cpu_milli: u32,
    /// MiB.
    pub mem_mib: u32,
    /// Environment, secrets included.
    pub env: BTreeMap<String, String>,
    /// Labels (everything Padis-specific lives here).
    pub labels: BTreeMap<String, String>,
    /// Constraints as Marathon writes them.
    pub constraints: Vec<[String; 3]>,
    /// Host folders or files mounted into the container.
    pub volumes: Vec<SchedVolume>,
    /// The container's network name; `none` when the Network port attaches the address.
    pub network: String,
    /// Seconds between SIGTERM and SIGKILL.
    pub kill_grace_s: u32,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedVolume {
    /// Absolute path on the host.
    pub host_path: String,
    /// Absolute path in the container.
    pub container_path: String,
    /// Read-only.
    pub read_only: bool,
}

/// The state of a Marathon task (Mesos names, shortened to what matters here).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// `TASK_STAGING`, `TASK_STARTING`.
    Staging,
    /// `TASK_RUNNING`.
    Running,
    /// `TASK_KILLING`.
    Killing,
    /// `TASK_UNREACHABLE`, `TASK_LOST`.
    Unreachable,
    /// Any terminal state.
    Ended,
}

/// One task as Marathon reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedTask {
    /// Task id.
    pub id: String,
    /// The app's path.
    pub app_id: String,
    /// State.
    pub state: TaskState,
    /// Host name of the agent.
    pub host: String,
    /// The agent's id.
    pub agent_id: String,
    /// When it was staged.
    pub staged_at: Option<UnixMs>,
    /// When it started.
    pub started_at: Option<UnixMs>,
}

/// One app as Marathon reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedSeen {
    /// Path.
    pub id: String,
    /// Instances asked for.
    pub instances: u32,
    /// Image.
    pub image: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Live tasks.
    pub tasks: Vec<SchedTask>,
    /// Ids of running deployments that lock the app.
    pub deployments: Vec<String>,
    /// The last task failure, if any.
    pub last_failure: Option<SchedFailure>,
}

/// Marathon's `lastTaskFailure`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedFailure {
    /// Task.
    pub task_id: String,
    /// State's Mesos name, e.g. `TASK_FAILED`.
    pub state: String,
    /// Message, e.g. `exit code 1`.
    pub message: String,
    /// When.
    pub at: UnixMs,
    /// Where.
    pub host: String,
}

/// An app that waits in Marathon's launch queue, with the reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedWaiting {
    /// Path.
    pub id: String,
    /// Instances still to be launched.
    pub count: u32,
    /// Seconds of back-off left.
    pub delay_s: u32,
    /// Refused offers by Marathon's reason (`InsufficientCpus`, `InsufficientMemory`, `UnfulfilledConstraint` …).
    pub refused: BTreeMap<String, u32>,
}

/// What the event stream brings, reduced to what may wake somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchedEvent {
    /// The stream is connected (again): whatever happened before is unknown.
    Attached {
        /// The endpoint, without credentials.
        to: String,
    },
    /// Anything arrived, heartbeats included: the stream is alive.
    Alive,
    /// Something was said.
    Told(SchedTold),
    /// The stream broke; the driver reconnects by itself with back-off.
    Detached {
        /// Why.
        cause: StreamEnd,
        /// The same for the operator, in the driver's words.
        why: String,
    },
}

/// One event. Carries the task's end, because the journal wants to tell why;
/// nothing is decided by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchedTold {
    /// Event type as Marathon names it; [`StreamReport::GARBLED`] for one that can't be read.
    ///
    /// [`StreamReport::GARBLED`]: crate::view::StreamReport::GARBLED
    pub kind: String,
    /// When it happened, by Marathon's clock, if it says so.
    pub at: Option<UnixMs>,
    /// Paths of the apps that may have changed; several for a deployment, none for
    /// what concerns no app.
    pub apps: Vec<String>,
    /// Task, if it is about one.
    pub task_id: Option<String>,
    /// The Mesos state for a status update.
    pub state: Option<String>,
    /// Host name of the agent, empty if it is not said.
    pub host: String,
    /// The message.
    pub message: String,
}

/// Marathon v2.
#[async_trait]
pub trait Scheduler: Send + Sync {
    /// All apps whose path starts with `prefix`, with their tasks.
    async fn list(&self, prefix: &str) -> PortResult<Vec<SchedSeen>>;
    /// The same one after the other, as they come: of a large cluster the whole is never in
    /// memory. If it breaks off the last item is an error, and what came before is not all.
    fn each<'a>(&'a self, prefix: &'a str) -> BoxStream<'a, PortResult<SchedSeen>> {
        let listed = futures::stream::once(self.list(prefix));
        let one = |l: PortResult<Vec<SchedSeen>>| match l {
            Ok(all) => futures::stream::iter(all.into_iter().map(Ok).collect::<Vec<_>>()),
            Err(e) => futures::stream::iter(vec![Err(e)]),
        };
        listed.flat_map(one).boxed()
    }
    /// Creates or updates the app. A locked app (409) is `Transient`.
    async fn put(&self, app: &SchedApp) -> PortResult<()>;
    /// Sets the number of instances only.
    async fn scale(&self, id: &str, instances: u32) -> PortResult<()>;
    /// Deletes the app and kills its tasks.
    async fn delete(&self, id: &str) -> PortResult<()>;
    /// Kills one task; with `scale` the app shrinks by one, without it is replaced.
    async fn kill(&self, app_id: &str, task_id: &str, scale: bool) -> PortResult<()>;
    /// What waits for launch, and why.
    async fn waiting(&self) -> PortResult<Vec<SchedWaiting>>;
    /// The event stream; never ends by itself, reconnects with back-off.
    fn events(&self) -> BoxStream<'static, SchedEvent>;
    /// The id under which it is known to Mesos; `None`: it is not registered there.
    async fn framework(&self) -> PortResult<Option<String>>;
    /// Whether it answers (`/ping`).
    async fn ping(&self) -> PortResult<()>;
}
