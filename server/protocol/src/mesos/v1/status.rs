//! Status updates of tasks and operations.
//!
//! An update with a `uuid` must be acknowledged, or it comes again (and later ones
//! of the task wait); one without (reconciliation, updates of the master itself)
//! must not be: that is the way to get it wrong in both directions.

use super::{
    AgentId, CheckStatusInfo, ContainerId, ExecutorId, FrameworkId, Labels, NetworkInfo, OperationId,
    ResourceProviderId, Resources, TaskId, TimeInfo, Uuid,
};
use crate::task::TaskState;

names! {
    /// Who made an update.
    TaskSource {
        Master = "SOURCE_MASTER",
        Agent = "SOURCE_AGENT",
        Executor = "SOURCE_EXECUTOR",
    }

    /// Why a task is in its state.
    TaskReason {
        CommandExecutorFailed = "REASON_COMMAND_EXECUTOR_FAILED",
        ContainerLaunchFailed = "REASON_CONTAINER_LAUNCH_FAILED",
        ContainerLimitation = "REASON_CONTAINER_LIMITATION",
        ContainerLimitationDisk = "REASON_CONTAINER_LIMITATION_DISK",
        ContainerLimitationMemory = "REASON_CONTAINER_LIMITATION_MEMORY",
        ContainerPreempted = "REASON_CONTAINER_PREEMPTED",
        ContainerUpdateFailed = "REASON_CONTAINER_UPDATE_FAILED",
        MaxCompletionTimeReached = "REASON_MAX_COMPLETION_TIME_REACHED",
        ExecutorRegistrationTimeout = "REASON_EXECUTOR_REGISTRATION_TIMEOUT",
        ExecutorReregistrationTimeout = "REASON_EXECUTOR_REREGISTRATION_TIMEOUT",
        ExecutorTerminated = "REASON_EXECUTOR_TERMINATED",
        ExecutorUnregistered = "REASON_EXECUTOR_UNREGISTERED",
        FrameworkRemoved = "REASON_FRAMEWORK_REMOVED",
        GcError = "REASON_GC_ERROR",
        InvalidFrameworkId = "REASON_INVALID_FRAMEWORKID",
        InvalidOffers = "REASON_INVALID_OFFERS",
        IoSwitchboardExited = "REASON_IO_SWITCHBOARD_EXITED",
        MasterDisconnected = "REASON_MASTER_DISCONNECTED",
        Reconciliation = "REASON_RECONCILIATION",
        ResourcesUnknown = "REASON_RESOURCES_UNKNOWN",
        AgentDisconnected = "REASON_AGENT_DISCONNECTED",
        AgentDraining = "REASON_AGENT_DRAINING",
        AgentRemoved = "REASON_AGENT_REMOVED",
        AgentRemovedByOperator = "REASON_AGENT_REMOVED_BY_OPERATOR",
        AgentReregistered = "REASON_AGENT_REREGISTERED",
        AgentRestarted = "REASON_AGENT_RESTARTED",
        AgentUnknown = "REASON_AGENT_UNKNOWN",
        TaskCheckStatusUpdated = "REASON_TASK_CHECK_STATUS_UPDATED",
        TaskHealthCheckStatusUpdated = "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED",
        TaskGroupInvalid = "REASON_TASK_GROUP_INVALID",
        TaskGroupUnauthorized = "REASON_TASK_GROUP_UNAUTHORIZED",
        TaskInvalid = "REASON_TASK_INVALID",
        TaskKilledDuringLaunch = "REASON_TASK_KILLED_DURING_LAUNCH",
        TaskUnauthorized = "REASON_TASK_UNAUTHORIZED",
        TaskUnknown = "REASON_TASK_UNKNOWN",
    }

    /// How far an operation is.
    OperationState {
        Pending = "OPERATION_PENDING",
        Finished = "OPERATION_FINISHED",
        Failed = "OPERATION_FAILED",
        Error = "OPERATION_ERROR",
        Dropped = "OPERATION_DROPPED",
        Unreachable = "OPERATION_UNREACHABLE",
        GoneByOperator = "OPERATION_GONE_BY_OPERATOR",
        Recovering = "OPERATION_RECOVERING",
        Unknown = "OPERATION_UNKNOWN",
    }
}

message! {
    /// The state of a task.
    TaskStatus {
        /// Task.
        task_id: TaskId,
        /// State.
        state: TaskState,
        /// What happened, in words.
        message: Option<String>,
        /// Who says so.
        source: Option<TaskSource>,
        /// Why.
        reason: Option<TaskReason>,
        /// Bytes of the executor, in Base64.
        data: Option<String>,
        /// Agent; absent if the task is unknown.
        agent_id: Option<AgentId>,
        /// Executor.
        executor_id: Option<ExecutorId>,
        /// Seconds since the epoch.
        timestamp: Option<f64>,
        /// 16 bytes in Base64; there: it must be acknowledged.
        uuid: Option<String>,
        /// Whether the health check succeeds; absent: there is none, or it has not told yet.
        healthy: Option<bool>,
        /// What the check told last.
        check_status: Option<CheckStatusInfo>,
        /// Labels of the executor.
        labels: Option<Labels>,
        /// The container.
        container_status: Option<ContainerStatus>,
        /// Since when the agent is silent.
        unreachable_time: Option<TimeInfo>,
        /// What was exceeded, for REASON_CONTAINER_LIMITATION.
        limitation: Option<TaskResourceLimitation>,
    }

    /// What was exceeded.
    TaskResourceLimitation {
        /// Resources.
        resources: Resources,
    }

    /// A container as it is.
    ContainerStatus {
        /// Container.
        container_id: Option<ContainerId>,
        /// Its networks.
        network_infos: Vec<NetworkInfo>,
        /// Control group specials.
        cgroup_info: Option<serde_json::Value>,
        /// Process id of the executor, on the agent.
        executor_pid: Option<u32>,
    }

    /// The state of an operation.
    OperationStatus {
        /// Operation; absent if the framework gave it no id.
        operation_id: Option<OperationId>,
        /// State.
        state: OperationState,
        /// What happened, in words.
        message: Option<String>,
        /// What it made.
        converted_resources: Resources,
        /// There: it must be acknowledged.
        uuid: Option<Uuid>,
        /// Agent.
        agent_id: Option<AgentId>,
        /// Resource provider.
        resource_provider_id: Option<ResourceProviderId>,
    }

    /// A task as the operator API shows it.
    Task {
        /// Name.
        name: String,
        /// Task.
        task_id: TaskId,
        /// Framework.
        framework_id: FrameworkId,
        /// Executor; absent for a command executor.
        executor_id: Option<ExecutorId>,
        /// Agent.
        agent_id: AgentId,
        /// State.
        state: TaskState,
        /// What it holds.
        resources: Resources,
        /// What it may use beyond that, by resource.
        limits: Option<std::collections::BTreeMap<String, super::Scalar>>,
        /// Its history; only the last of each state is kept.
        statuses: Vec<TaskStatus>,
        /// State of the last update that was forwarded.
        status_update_state: Option<TaskState>,
        /// Its uuid, in Base64.
        status_update_uuid: Option<String>,
        /// Labels.
        labels: Option<Labels>,
        /// How others find it.
        discovery: Option<super::DiscoveryInfo>,
        /// Its container.
        container: Option<super::ContainerInfo>,
        /// Health check.
        health_check: Option<super::HealthCheck>,
        /// How it is killed.
        kill_policy: Option<super::KillPolicy>,
        /// User.
        user: Option<String>,
    }
}

impl TaskStatus {
    /// The addresses of its container.
    pub fn ip_addresses(&self) -> impl Iterator<Item = &str> {
        let networks = self.container_status.iter().flat_map(|c| &c.network_infos);
        networks.flat_map(|n| &n.ip_addresses).filter_map(|a| a.ip_address.as_deref())
    }
}
