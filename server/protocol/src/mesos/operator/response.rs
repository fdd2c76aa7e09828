//! What a master answers an operator.

use crate::mesos::v1::{
    AgentId, AgentInfo, Capability, ClusterStatus, DrainInfo, ExecutorInfo, FrameworkId, FrameworkInfo, InverseOffer,
    MasterInfo, Offer, Operation, OperationStatus, QuotaStatus, Resources, Schedule, Task, TimeInfo, Uuid, WeightInfo,
};

message! {
    /// Whether it is healthy.
    Health {
        /// It is, as long as it answers.
        healthy: bool,
    }

    /// The command line.
    FlagList {
        /// They.
        flags: Vec<Flag>,
    }

    /// One flag.
    Flag {
        /// Name.
        name: String,
        /// Value.
        value: Option<String>,
    }

    /// Its version.
    VersionAnswer {
        /// It.
        version_info: VersionInfo,
    }

    /// Its version.
    VersionInfo {
        /// Version.
        version: String,
        /// `2020-11-24 15:38:37`.
        build_date: Option<String>,
        /// Seconds since the epoch.
        build_time: Option<f64>,
        /// Who built it.
        build_user: Option<String>,
        /// Commit.
        git_sha: Option<String>,
        /// Branch.
        git_branch: Option<String>,
        /// Tag.
        git_tag: Option<String>,
    }

    /// Its metrics.
    MetricList {
        /// They.
        metrics: Vec<Metric>,
    }

    /// One metric.
    Metric {
        /// Name, `master/cpus_total`.
        name: String,
        /// Value; absent if it could not be had in time.
        value: Option<f64>,
    }

    /// How talkative the log is.
    LoggingLevel {
        /// Verbosity of glog.
        level: u32,
    }

    /// What is in a folder.
    FileList {
        /// They.
        file_infos: Vec<FileInfo>,
    }

    /// A file or a folder.
    FileInfo {
        /// Path.
        path: String,
        /// Hard links.
        nlink: Option<i32>,
        /// Bytes.
        size: Option<u64>,
        /// When it was changed.
        mtime: Option<TimeInfo>,
        /// Mode bits.
        mode: Option<u32>,
        /// User.
        uid: Option<String>,
        /// Group.
        gid: Option<String>,
    }

    /// A part of a file.
    FileData {
        /// Bytes of the whole file.
        size: u64,
        /// Bytes, in Base64.
        data: String,
    }

    /// All there is.
    State {
        /// Tasks.
        get_tasks: Option<TaskLists>,
        /// Executors.
        get_executors: Option<ExecutorLists>,
        /// Frameworks.
        get_frameworks: Option<FrameworkLists>,
        /// Agents.
        get_agents: Option<AgentLists>,
    }

    /// Tasks.
    TaskLists {
        /// Waiting for authorization.
        pending_tasks: Vec<Task>,
        /// Live.
        tasks: Vec<Task>,
        /// On agents that are silent.
        unreachable_tasks: Vec<Task>,
        /// Ended.
        completed_tasks: Vec<Task>,
        /// Without a framework; empty since 1.2.
        orphan_tasks: Vec<Task>,
    }

    /// Executors (none for command executors).
    ExecutorLists {
        /// Live.
        executors: Vec<Executor>,
        /// Without a framework; empty since 1.2.
        orphan_executors: Vec<Executor>,
    }

    /// An executor.
    Executor {
        /// It.
        executor_info: ExecutorInfo,
        /// Its agent.
        agent_id: Option<AgentId>,
    }

    /// Frameworks.
    FrameworkLists {
        /// Live.
        frameworks: Vec<Framework>,
        /// Gone.
        completed_frameworks: Vec<Framework>,
        /// Not heard since a fail-over.
        recovered_frameworks: Vec<FrameworkInfo>,
    }

    /// A framework.
    Framework {
        /// It.
        framework_info: FrameworkInfo,
        /// Whether it gets offers.
        active: bool,
        /// Whether it is connected.
        connected: bool,
        /// Whether it has not come back since a fail-over.
        recovered: Option<bool>,
        /// When it came.
        registered_time: Option<TimeInfo>,
        /// When it came again.
        reregistered_time: Option<TimeInfo>,
        /// When it went; 0 while it is there.
        unregistered_time: Option<TimeInfo>,
        /// What is on offer to it.
        offers: Vec<Offer>,
        /// What it is asked to leave.
        inverse_offers: Vec<InverseOffer>,
        /// What its tasks hold.
        allocated_resources: Resources,
        /// What is on offer to it.
        offered_resources: Resources,
        /// Which agents' offers it wants.
        offer_constraints: Option<serde_json::Value>,
    }

    /// Agents.
    AgentLists {
        /// Live.
        agents: Vec<Agent>,
        /// Not heard since a fail-over.
        recovered_agents: Vec<AgentInfo>,
    }

    /// An agent.
    Agent {
        /// It.
        agent_info: AgentInfo,
        /// Whether its resources are offered.
        active: bool,
        /// Whether an operator took it out (drained or deactivated).
        deactivated: Option<bool>,
        /// Mesos version.
        version: String,
        /// `slave(1)@127.0.0.1:5051`.
        pid: Option<String>,
        /// When it came.
        registered_time: Option<TimeInfo>,
        /// When it came again.
        reregistered_time: Option<TimeInfo>,
        /// All it has.
        total_resources: Resources,
        /// What tasks hold.
        allocated_resources: Resources,
        /// What is on offer.
        offered_resources: Resources,
        /// What it understands.
        capabilities: Vec<Capability>,
        /// Its resource providers.
        resource_providers: Vec<serde_json::Value>,
        /// How far its draining is.
        drain_info: Option<DrainInfo>,
        /// When its draining began.
        estimated_drain_start_time: Option<TimeInfo>,
    }

    /// Operations.
    OperationList {
        /// They.
        operations: Vec<OperationRecord>,
    }

    /// An operation and how far it is.
    OperationRecord {
        /// Framework, if one asked for it.
        framework_id: Option<FrameworkId>,
        /// Agent.
        agent_id: Option<AgentId>,
        /// It.
        info: Operation,
        /// Its state.
        latest_status: OperationStatus,
        /// Its states so far.
        statuses: Vec<OperationStatus>,
        /// Mesos' own id of it.
        uuid: Option<Uuid>,
    }

    /// Roles.
    RoleList {
        /// They.
        roles: Vec<Role>,
    }

    /// A role.
    Role {
        /// Name.
        name: String,
        /// Share, relative to the other roles'.
        weight: f64,
        /// Its frameworks.
        frameworks: Vec<FrameworkId>,
        /// Allocated and offered.
        resources: Resources,
    }

    /// Weights.
    WeightList {
        /// Those that were set.
        weight_infos: Vec<WeightInfo>,
    }

    /// About the master itself.
    Master {
        /// It.
        master_info: Option<MasterInfo>,
        /// Seconds since the epoch.
        start_time: Option<f64>,
        /// Seconds since the epoch.
        elected_time: Option<f64>,
    }

    /// Maintenance, as far as it is.
    MaintenanceStatus {
        /// It.
        status: ClusterStatus,
    }

    /// Maintenance, as it is planned.
    MaintenanceSchedule {
        /// It.
        schedule: Schedule,
    }

    /// Quota.
    QuotaAnswer {
        /// It.
        status: QuotaStatus,
    }
}

union! {
    /// A response of a master.
    Response {}
    /// What it answers. Absent contents mean that there is nothing to tell.
    ResponseBody {
        GetHealth(Health) = "GET_HEALTH",
        GetFlags(Option<FlagList>) = "GET_FLAGS",
        GetVersion(VersionAnswer) = "GET_VERSION",
        GetMetrics(Option<MetricList>) = "GET_METRICS",
        GetLoggingLevel(LoggingLevel) = "GET_LOGGING_LEVEL",
        ListFiles(Option<FileList>) = "LIST_FILES",
        ReadFile(FileData) = "READ_FILE",
        GetState(Option<State>) = "GET_STATE",
        GetAgents(Option<AgentLists>) = "GET_AGENTS",
        GetFrameworks(Option<FrameworkLists>) = "GET_FRAMEWORKS",
        GetExecutors(Option<ExecutorLists>) = "GET_EXECUTORS",
        GetOperations(Option<OperationList>) = "GET_OPERATIONS",
        GetTasks(Option<TaskLists>) = "GET_TASKS",
        GetRoles(Option<RoleList>) = "GET_ROLES",
        GetWeights(Option<WeightList>) = "GET_WEIGHTS",
        GetMaster(Option<Master>) = "GET_MASTER",
        GetMaintenanceStatus(MaintenanceStatus) = "GET_MAINTENANCE_STATUS",
        GetMaintenanceSchedule(MaintenanceSchedule) = "GET_MAINTENANCE_SCHEDULE",
        GetQuota(QuotaAnswer) = "GET_QUOTA",
    }
}
