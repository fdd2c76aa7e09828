//! The delivery: the steps from "submitted" to "first good answer".

use crate::words::{UnixMs, words};
use serde::{Deserialize, Serialize};

words! {
    /// One step of a delivery, in order.
    Step {
        /// The request was taken.
        Submitted = "submitted",
        /// The quota is held.
        QuotaHeld = "quota",
        /// The release is recorded.
        Recorded = "recorded",
        /// Marathon was asked for the instances.
        Asked = "asked",
        /// All instances run.
        Running = "running",
        /// Each has an address.
        Allocated = "allocated",
        /// Each is attached to the pool's network.
        Attached = "attached",
        /// Each health page answered with the expected text.
        Healthy = "healthy",
        /// Each is in the balancer.
        Balanced = "balanced",
        /// The name resolves.
        Named = "named",
        /// CMDB and monitor know.
        Told = "told",
        /// The first good answer through the name.
        Answered = "answered",
        /// The release before it has left.
        PreviousLeft = "previous-left",
    }
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Under way.
    Running,
    /// Waits for something outside, said in the step's note.
    Waiting,
    /// Done.
    Done,
    /// Failed, said in the step's note.
    Failed,
    /// Not needed in this delivery.
    Skipped,
}

/// What a step's evidence line or failure says. Rendered by the texts in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// By whom.
    By {
        /// Display name.
        name: String,
    },
    /// What is held, for a release of `instances`.
    Held {
        /// Thousandths of a core.
        cpu_milli: u64,
        /// MiB.
        mem_mib: u64,
        /// Addresses.
        addresses: u64,
    },
    /// The release's parts.
    Parts {
        /// Release number.
        release: u32,
        /// Middleware title or name.
        stack: String,
        /// Package file name.
        package: String,
    },
    /// The Marathon app and the number of instances.
    MarathonApp {
        /// Its id.
        id: String,
        /// Instances.
        instances: u32,
    },
    /// On which hosts.
    Hosts {
        /// Their names.
        hosts: Vec<String>,
    },
    /// Which addresses.
    Addresses {
        /// Dotted.
        addresses: Vec<String>,
    },
    /// How many of how many so far.
    Count {
        /// Done.
        done: u32,
        /// Of.
        of: u32,
    },
    /// Network facts.
    Network {
        /// Subnet.
        subnet: String,
        /// Gateway.
        gateway: String,
        /// VLAN.
        vlan: Option<u16>,
    },
    /// The health page answered.
    Answer {
        /// Path.
        path: String,
        /// Expected text.
        expect: String,
    },
    /// Members of the balancer.
    Members {
        /// Count.
        members: u32,
        /// Backend name.
        backend: String,
    },
    /// The DNS answer.
    Resolves {
        /// Name.
        name: String,
        /// Address.
        address: String,
    },
    /// The first good answer.
    FirstAnswer {
        /// HTTP status.
        status: u16,
        /// Milliseconds.
        ms: u32,
        /// URL.
        url: String,
    },
    /// Who was told.
    Told {
        /// Record id.
        record: String,
    },
    /// The previous release.
    Previous {
        /// Its number.
        release: u32,
        /// Instances of it that are still leaving.
        leaving: u32,
    },
    /// No host has room.
    NoHost {
        /// Pool.
        pool: String,
        /// Wanted size.
        cpu_milli: u64,
        /// Wanted size.
        mem_mib: u64,
        /// Hosts of the pool.
        hosts: u32,
        /// Most free CPU on one of them.
        best_cpu_milli: u64,
        /// Most free memory on one of them.
        best_mem_mib: u64,
    },
    /// No address is free.
    NoAddress {
        /// Pool.
        pool: String,
    },
    /// A health page answers wrongly or not.
    Sick {
        /// What was found.
        finding: Finding,
        /// Address asked.
        address: String,
        /// Path asked.
        path: String,
    },
    /// Instances end soon after their start.
    Crashes {
        /// How often so far.
        times: u32,
        /// Marathon's message, e.g. `exit code 1`.
        message: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// The image is not to be had.
    ImageGone {
        /// Image reference.
        image: String,
    },
    /// An outside system does not answer; we try again.
    Unavailable {
        /// Which.
        system: crate::problem::System,
        /// Incident in the log.
        incident: String,
        /// When the next try is due.
        next_try: Option<UnixMs>,
    },
    /// An outside system refused.
    Refused {
        /// Which.
        system: crate::problem::System,
        /// Its reason in plain words, safe to show.
        reason: String,
        /// Incident in the log.
        incident: String,
    },
}

/// What a probe of the health page found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// As expected.
    Well {
        /// HTTP status.
        status: u16,
        /// Milliseconds.
        ms: u32,
    },
    /// The body does not contain the expected text.
    WrongText {
        /// Expected.
        expect: String,
        /// The beginning of what was answered, at most 80 characters.
        got: String,
    },
    /// A status outside 200 to 399.
    WrongStatus {
        /// HTTP status.
        status: u16,
    },
    /// Nothing listens.
    Refused,
    /// No answer in time.
    TimedOut {
        /// The limit.
        ms: u32,
    },
    /// Connection broke, or not HTTP.
    Broken,
    /// Not probed yet.
    Unknown,
}

impl Finding {
    /// Whether the instance is well.
    pub fn is_well(&self) -> bool {
        matches!(self, Self::Well { .. })
    }
}

/// One step as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepView {
    /// Which.
    pub step: Step,
    /// How far.
    pub state: StepState,
    /// Begun at.
    pub began_at: Option<UnixMs>,
    /// Ended at.
    pub ended_at: Option<UnixMs>,
    /// Evidence or failure.
    pub note: Option<Note>,
}
