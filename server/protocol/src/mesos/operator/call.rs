//! What an operator asks of a master.

use crate::mesos::v1::{
    AgentId, DurationInfo, FrameworkId, MachineId, OfAgent, QuotaConfig, Resource, Resources, Scalar, Schedule,
    WeightInfo,
};

message! {
    /// How long metrics may be collected.
    GetMetrics {
        /// Absent means until all have answered.
        timeout: Option<DurationInfo>,
    }

    /// Makes the log more talkative for a while.
    SetLoggingLevel {
        /// Verbosity of glog, 0 to 9.
        level: u32,
        /// For how long.
        duration: DurationInfo,
    }

    /// Which folder.
    ListFiles {
        /// Path.
        path: String,
    }

    /// Which part of a file.
    ReadFile {
        /// Path.
        path: String,
        /// First byte.
        offset: u64,
        /// Bytes; absent means to the end (or a page).
        length: Option<u64>,
    }

    /// Reserves or unreserves on an agent.
    AgentResources {
        /// Agent.
        agent_id: AgentId,
        /// What they were before (refinement, `RESERVE_RESOURCES` only).
        source: Resources,
        /// Resources with their reservations.
        resources: Resources,
    }

    /// Creates or destroys volumes on an agent.
    AgentVolumes {
        /// Agent.
        agent_id: AgentId,
        /// Volumes.
        volumes: Resources,
    }

    /// Makes a volume larger or smaller.
    ResizeVolume {
        /// Agent.
        agent_id: Option<AgentId>,
        /// The volume.
        volume: Resource,
        /// What is added (`GROW_VOLUME`).
        addition: Option<Resource>,
        /// How much is taken off (`SHRINK_VOLUME`).
        subtract: Option<Scalar>,
    }

    /// Replaces the schedule.
    UpdateMaintenanceSchedule {
        /// The schedule.
        schedule: Schedule,
    }

    /// Which machines.
    Machines {
        /// They.
        machines: Vec<MachineId>,
    }

    /// Kills what runs on an agent and takes it out.
    DrainAgent {
        /// Agent.
        agent_id: AgentId,
        /// Longest time between SIGTERM and SIGKILL, in Google's `Duration`.
        max_grace_period: Option<DurationInfo>,
        /// Whether it is marked gone when it is drained.
        mark_gone: Option<bool>,
    }

    /// Sets quota.
    UpdateQuota {
        /// Whether it may be more than the cluster has.
        force: Option<bool>,
        /// By role.
        quota_configs: Vec<QuotaConfig>,
    }

    /// Sets weights.
    UpdateWeights {
        /// By role.
        weight_infos: Vec<WeightInfo>,
    }

    /// Ends a framework and its tasks.
    Teardown {
        /// Framework.
        framework_id: FrameworkId,
    }

    /// Which role.
    OfRole {
        /// Role.
        role: String,
    }
}

union! {
    /// A call to a master.
    Call {}
    /// What is asked.
    CallBody {
        GetHealth = "GET_HEALTH",
        GetFlags = "GET_FLAGS",
        GetVersion = "GET_VERSION",
        GetMetrics(Option<GetMetrics>) = "GET_METRICS",
        GetLoggingLevel = "GET_LOGGING_LEVEL",
        SetLoggingLevel(SetLoggingLevel) = "SET_LOGGING_LEVEL",
        ListFiles(ListFiles) = "LIST_FILES",
        ReadFile(ReadFile) = "READ_FILE",
        GetState = "GET_STATE",
        GetAgents = "GET_AGENTS",
        GetFrameworks = "GET_FRAMEWORKS",
        GetExecutors = "GET_EXECUTORS",
        GetOperations = "GET_OPERATIONS",
        GetTasks = "GET_TASKS",
        GetRoles = "GET_ROLES",
        GetWeights = "GET_WEIGHTS",
        UpdateWeights(UpdateWeights) = "UPDATE_WEIGHTS",
        GetMaster = "GET_MASTER",
        Subscribe = "SUBSCRIBE",
        ReserveResources(AgentResources) = "RESERVE_RESOURCES",
        UnreserveResources(AgentResources) = "UNRESERVE_RESOURCES",
        CreateVolumes(AgentVolumes) = "CREATE_VOLUMES",
        DestroyVolumes(AgentVolumes) = "DESTROY_VOLUMES",
        GrowVolume(ResizeVolume) = "GROW_VOLUME",
        ShrinkVolume(ResizeVolume) = "SHRINK_VOLUME",
        GetMaintenanceStatus = "GET_MAINTENANCE_STATUS",
        GetMaintenanceSchedule = "GET_MAINTENANCE_SCHEDULE",
        UpdateMaintenanceSchedule(UpdateMaintenanceSchedule) = "UPDATE_MAINTENANCE_SCHEDULE",
        /// Sets machines down: their agents are sent away.
        StartMaintenance(Machines) = "START_MAINTENANCE",
        /// Sets machines up again.
        StopMaintenance(Machines) = "STOP_MAINTENANCE",
        DrainAgent(DrainAgent) = "DRAIN_AGENT",
        /// No more offers of it.
        DeactivateAgent(OfAgent) = "DEACTIVATE_AGENT",
        /// Offers again, after a drain too.
        ReactivateAgent(OfAgent) = "REACTIVATE_AGENT",
        /// It never comes back: its tasks are gone, for good.
        MarkAgentGone(OfAgent) = "MARK_AGENT_GONE",
        GetQuota = "GET_QUOTA",
        UpdateQuota(UpdateQuota) = "UPDATE_QUOTA",
        RemoveQuota(OfRole) = "REMOVE_QUOTA",
        Teardown(Teardown) = "TEARDOWN",
    }
}
