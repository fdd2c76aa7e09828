//! Maintenance of machines: schedule and state. v0 and v1 write them the same way.
//!
//! A schedule is replaced as a whole, and a machine that is down can't be left out
//! of it; draining is what a machine in the schedule is until it is set down.

use super::{AgentId, DurationInfo, FrameworkId, TimeInfo, Unavailability};

message! {
    /// A machine: host name and address as its agents give them.
    MachineId {
        /// Host name.
        hostname: Option<String>,
        /// IP address.
        ip: Option<String>,
    }

    /// When which machines are not there.
    Schedule {
        /// The windows.
        windows: Vec<Window>,
    }

    /// When some machines are not there.
    Window {
        /// The machines.
        machine_ids: Vec<MachineId>,
        /// When.
        unavailability: Unavailability,
    }

    /// How far maintenance is.
    ClusterStatus {
        /// In the schedule, still up.
        draining_machines: Vec<DrainingMachine>,
        /// Set down.
        down_machines: Vec<MachineId>,
    }

    /// A machine that is in the schedule.
    DrainingMachine {
        /// The machine.
        id: MachineId,
        /// What frameworks said to their inverse offers.
        statuses: Vec<InverseOfferStatus>,
    }

    /// What a framework said to an inverse offer.
    InverseOfferStatus {
        /// `ACCEPT`, `DECLINE` or `UNKNOWN`.
        status: String,
        /// Framework.
        framework_id: FrameworkId,
        /// When.
        timestamp: TimeInfo,
    }

    /// How far the draining of an agent is.
    DrainInfo {
        /// State.
        state: DrainState,
        /// How it was asked for.
        config: Option<DrainConfig>,
    }

    /// How an agent is drained.
    DrainConfig {
        /// Longest time between SIGTERM and SIGKILL, over the tasks' own.
        max_grace_period: Option<DurationInfo>,
        /// Whether it is marked gone when it is drained.
        mark_gone: Option<bool>,
    }

    /// An agent that is meant.
    OfAgent {
        /// Agent.
        agent_id: AgentId,
    }
}

names! {
    /// How far the draining of an agent is.
    DrainState {
        Draining = "DRAINING",
        Drained = "DRAINED",
    }
}
