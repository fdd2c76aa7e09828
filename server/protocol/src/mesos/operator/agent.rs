//! Calls and responses of an agent, where they differ from a master's.

use super::{FileData, FileList, FlagList, GetMetrics, Health, ListFiles, LoggingLevel, MetricList, OperationList};
use super::{ReadFile, SetLoggingLevel, VersionAnswer};
use crate::mesos::Statistics;
use crate::mesos::v1::{
    AgentInfo, CommandInfo, ContainerId, ContainerInfo, ContainerStatus, ExecutorId, ExecutorInfo, FrameworkId,
    FrameworkInfo, Resources, Task,
};

message! {
    /// Which containers.
    GetContainers {
        /// Whether containers inside of others are meant too; default false.
        show_nested: Option<bool>,
        /// Whether containers without a task are meant too; default false.
        show_standalone: Option<bool>,
    }

    /// Starts a container, inside of another if its id has a parent.
    LaunchContainer {
        /// The container.
        container_id: ContainerId,
        /// Its command.
        command: Option<CommandInfo>,
        /// What it is.
        container: Option<ContainerInfo>,
        /// What it gets.
        resources: Resources,
    }

    /// Which container.
    OfContainer {
        /// The container.
        container_id: ContainerId,
        /// Signal, for `KILL_CONTAINER`; default 9.
        signal: Option<i32>,
        /// Whether it must exist, for some calls.
        force: Option<bool>,
    }

    /// Containers.
    ContainerList {
        /// They.
        containers: Vec<Container>,
    }

    /// A container.
    Container {
        /// Framework; absent for a container without a task.
        framework_id: Option<FrameworkId>,
        /// Executor; absent for a container without a task.
        executor_id: Option<ExecutorId>,
        /// Executor's name.
        executor_name: Option<String>,
        /// It.
        container_id: Option<ContainerId>,
        /// Its networks and process.
        container_status: Option<ContainerStatus>,
        /// What it uses.
        resource_statistics: Option<Statistics>,
    }

    /// About the agent itself.
    AgentAnswer {
        /// It.
        agent_info: Option<AgentInfo>,
    }

    /// All there is.
    State {
        /// Tasks.
        get_tasks: Option<TaskLists>,
        /// Executors.
        get_executors: Option<ExecutorLists>,
        /// Frameworks.
        get_frameworks: Option<FrameworkLists>,
    }

    /// Tasks; the lists are finer than the master's.
    TaskLists {
        /// Waiting for the executor's start to be prepared.
        pending_tasks: Vec<Task>,
        /// Waiting for the executor.
        queued_tasks: Vec<Task>,
        /// With the executor.
        launched_tasks: Vec<Task>,
        /// Ended, not all updates acknowledged.
        terminated_tasks: Vec<Task>,
        /// Ended.
        completed_tasks: Vec<Task>,
    }

    /// Executors, command executors too.
    ExecutorLists {
        /// Live.
        executors: Vec<Executor>,
        /// Ended.
        completed_executors: Vec<Executor>,
    }

    /// An executor.
    Executor {
        /// It.
        executor_info: ExecutorInfo,
    }

    /// Frameworks.
    FrameworkLists {
        /// Live.
        frameworks: Vec<Framework>,
        /// Gone.
        completed_frameworks: Vec<Framework>,
    }

    /// A framework.
    Framework {
        /// It.
        framework_info: FrameworkInfo,
    }

    /// Resource providers.
    ResourceProviderList {
        /// They.
        resource_providers: Vec<serde_json::Value>,
    }

    /// How a container ended.
    WaitContainer {
        /// Exit status, as `wait` gives it.
        exit_status: Option<i32>,
        /// State of its task.
        state: Option<crate::task::TaskState>,
        /// Why.
        reason: Option<crate::mesos::v1::TaskReason>,
        /// Why, in words.
        message: Option<String>,
    }
}

union! {
    /// A call to an agent.
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
        GetContainers(Option<GetContainers>) = "GET_CONTAINERS",
        GetFrameworks = "GET_FRAMEWORKS",
        GetExecutors = "GET_EXECUTORS",
        GetOperations = "GET_OPERATIONS",
        GetTasks = "GET_TASKS",
        GetAgent = "GET_AGENT",
        GetResourceProviders = "GET_RESOURCE_PROVIDERS",
        LaunchContainer(LaunchContainer) = "LAUNCH_CONTAINER",
        /// The answer is the container's output, as a stream.
        LaunchNestedContainerSession(LaunchContainer) = "LAUNCH_NESTED_CONTAINER_SESSION",
        WaitContainer(OfContainer) = "WAIT_CONTAINER",
        KillContainer(OfContainer) = "KILL_CONTAINER",
        RemoveContainer(OfContainer) = "REMOVE_CONTAINER",
        /// The answer is the container's output, as a stream.
        AttachContainerOutput(OfContainer) = "ATTACH_CONTAINER_OUTPUT",
    }
}

union! {
    /// A response of an agent.
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
        GetContainers(Option<ContainerList>) = "GET_CONTAINERS",
        GetFrameworks(Option<FrameworkLists>) = "GET_FRAMEWORKS",
        GetExecutors(Option<ExecutorLists>) = "GET_EXECUTORS",
        GetOperations(Option<OperationList>) = "GET_OPERATIONS",
        GetTasks(Option<TaskLists>) = "GET_TASKS",
        GetAgent(Option<AgentAnswer>) = "GET_AGENT",
        GetResourceProviders(Option<ResourceProviderList>) = "GET_RESOURCE_PROVIDERS",
        WaitContainer(Option<WaitContainer>) = "WAIT_CONTAINER",
    }
}
