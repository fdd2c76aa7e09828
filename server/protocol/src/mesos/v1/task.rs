//! Tasks as a framework asks for them.

use super::{
    AgentId, CheckInfo, ContainerInfo, ExecutorId, FrameworkId, HealthCheck, Labels, Resources, Scalar, TaskId,
};
use std::collections::BTreeMap;

message! {
    /// A task to launch.
    TaskInfo {
        /// Name, for people.
        name: String,
        /// Id; never used twice.
        task_id: TaskId,
        /// Where.
        agent_id: AgentId,
        /// What it gets; none for tasks of a group that share the executor's.
        resources: Resources,
        /// What it may use beyond that, by resource; an infinite number means no limit.
        limits: Option<BTreeMap<String, Scalar>>,
        /// Its executor, instead of a command.
        executor: Option<ExecutorInfo>,
        /// Its command, instead of an executor.
        command: Option<CommandInfo>,
        /// Its container.
        container: Option<ContainerInfo>,
        /// Health check.
        health_check: Option<HealthCheck>,
        /// Check.
        check: Option<CheckInfo>,
        /// How it is killed.
        kill_policy: Option<KillPolicy>,
        /// Bytes for the executor, in Base64.
        data: Option<String>,
        /// Labels.
        labels: Option<Labels>,
        /// How others find it.
        discovery: Option<DiscoveryInfo>,
        /// When it has to be done.
        max_completion_time: Option<super::DurationInfo>,
    }

    /// Tasks that start and end together, in one executor.
    TaskGroupInfo {
        /// The tasks.
        tasks: Vec<TaskInfo>,
    }

    /// An executor.
    ExecutorInfo {
        /// `DEFAULT` (Mesos' own, for groups) or `CUSTOM`.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// Id.
        executor_id: ExecutorId,
        /// Framework.
        framework_id: Option<FrameworkId>,
        /// Command, if it is custom.
        command: Option<CommandInfo>,
        /// Its container.
        container: Option<ContainerInfo>,
        /// What it gets.
        resources: Resources,
        /// Name, for people.
        name: Option<String>,
        /// Deprecated: the task's id for a command executor.
        source: Option<String>,
        /// Bytes, in Base64.
        data: Option<String>,
        /// How others find it.
        discovery: Option<DiscoveryInfo>,
        /// Time between SIGTERM and SIGKILL.
        shutdown_grace_period: Option<super::DurationInfo>,
        /// Labels.
        labels: Option<Labels>,
    }

    /// A command. Absent `value` with an image means what the image says.
    CommandInfo {
        /// Files to fetch before the start.
        uris: Vec<Uri>,
        /// Environment.
        environment: Option<Environment>,
        /// True (default): `value` is run by the shell. False: `value` is the program.
        shell: Option<bool>,
        /// Command line or program.
        value: Option<String>,
        /// Arguments, the program's own name first.
        arguments: Vec<String>,
        /// User; absent means the framework's.
        user: Option<String>,
    }

    /// A file to fetch.
    Uri {
        /// Where from.
        value: String,
        /// Whether it is made executable.
        executable: Option<bool>,
        /// Whether an archive is unpacked; default true.
        extract: Option<bool>,
        /// Whether the agent keeps a copy.
        cache: Option<bool>,
        /// Path below the sandbox; absent means the last part of the address.
        output_file: Option<String>,
    }

    /// An environment.
    Environment {
        /// The variables; the last of a name counts.
        variables: Vec<Variable>,
    }

    /// A variable of the environment.
    Variable {
        /// Name.
        name: String,
        /// `VALUE` (default) or `SECRET`.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// Text.
        value: Option<String>,
        /// Secret.
        secret: Option<Secret>,
    }

    /// A secret.
    Secret {
        /// `REFERENCE` or `VALUE`.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// Where it is.
        reference: Option<SecretReference>,
        /// What it is.
        value: Option<SecretValue>,
    }

    /// Where a secret is.
    SecretReference {
        /// Name.
        name: String,
        /// Key, if the name holds several.
        key: Option<String>,
    }

    /// What a secret is.
    SecretValue {
        /// Bytes, in Base64.
        data: String,
    }

    /// How a task is killed.
    KillPolicy {
        /// Time between SIGTERM and SIGKILL; default 3 seconds (command executor: the agent's flag).
        grace_period: Option<super::DurationInfo>,
    }

    /// How others find a task.
    DiscoveryInfo {
        /// `FRAMEWORK`, `CLUSTER` or `EXTERNAL`.
        visibility: String,
        /// Name.
        name: Option<String>,
        /// Environment, `prod`.
        environment: Option<String>,
        /// Place.
        location: Option<String>,
        /// Version.
        version: Option<String>,
        /// Ports.
        ports: Option<Ports>,
        /// Labels.
        labels: Option<Labels>,
    }

    /// Ports for discovery.
    Ports {
        /// They.
        ports: Vec<Port>,
    }

    /// A port for discovery.
    Port {
        /// Number.
        number: u32,
        /// Name.
        name: Option<String>,
        /// `tcp`, `udp`.
        protocol: Option<String>,
        /// As in [`DiscoveryInfo`].
        visibility: Option<String>,
        /// Labels.
        labels: Option<Labels>,
    }
}

impl Environment {
    /// Plain texts.
    pub fn of<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let variable =
            |(name, value): (K, V)| Variable { name: name.into(), value: Some(value.into()), ..Variable::default() };
        Self { variables: variables.into_iter().map(variable).collect(), ..Self::default() }
    }
}
