//! The state of a pod and of its instances. Times are Marathon timestamps.

use super::{Pod, PodResources};
use crate::task::LocalVolume;

message! {
    /// `GET /v2/pods/{id}::status`.
    #[serde(rename_all = "camelCase")]
    PodStatus {
        /// Path.
        id: String,
        /// The newest definition.
        spec: Option<Pod>,
        /// `DEGRADED`, `STABLE` or `TERMINAL`.
        status: String,
        /// Since when.
        status_since: Option<String>,
        /// Why.
        message: Option<String>,
        /// Its instances.
        instances: Option<Vec<PodInstanceStatus>>,
        /// Instances that ended lately.
        termination_history: Option<Vec<TerminationHistory>>,
        /// When it was looked at.
        last_updated: Option<String>,
        /// When something changed.
        last_changed: Option<String>,
    }

    /// One instance of a pod.
    #[serde(rename_all = "camelCase")]
    PodInstanceStatus {
        /// Instance.
        id: String,
        /// `PENDING`, `STAGING`, `STABLE`, `DEGRADED` or `TERMINAL`.
        status: String,
        /// Since when.
        status_since: Option<String>,
        /// Why.
        message: Option<String>,
        /// Named conditions.
        conditions: Option<Vec<StatusCondition>>,
        /// Host name of the agent.
        agent_hostname: Option<String>,
        /// The agent's id.
        agent_id: Option<String>,
        /// Region of the agent.
        agent_region: Option<String>,
        /// Fault zone of the agent.
        agent_zone: Option<String>,
        /// What it has, the executor's share included.
        resources: Option<PodResources>,
        /// Its networks.
        networks: Option<Vec<NetworkStatus>>,
        /// Its containers.
        containers: Option<Vec<ContainerStatus>>,
        /// Path of the definition it runs.
        spec_reference: Option<String>,
        /// Its persistent volumes.
        local_volumes: Option<Vec<LocalVolume>>,
        /// When it was looked at.
        last_updated: Option<String>,
        /// When something changed.
        last_changed: Option<String>,
        /// Mesos role of its resources.
        role: Option<String>,
    }

    /// A named condition, `healthy`.
    #[serde(rename_all = "camelCase")]
    StatusCondition {
        /// Name.
        name: String,
        /// When its value changed.
        last_changed: Option<String>,
        /// When it was looked at.
        last_updated: Option<String>,
        /// Value.
        value: String,
        /// Why.
        reason: Option<String>,
    }

    /// A network of an instance.
    NetworkStatus {
        /// Name.
        name: Option<String>,
        /// Addresses.
        addresses: Option<Vec<String>>,
    }

    /// One container of an instance.
    #[serde(rename_all = "camelCase")]
    ContainerStatus {
        /// Name in the pod.
        name: String,
        /// Mesos state.
        status: String,
        /// Since when.
        status_since: Option<String>,
        /// Why.
        message: Option<String>,
        /// Named conditions.
        conditions: Option<Vec<StatusCondition>>,
        /// Mesos task.
        container_id: Option<String>,
        /// Its ports.
        endpoints: Option<Vec<EndpointStatus>>,
        /// What it has.
        resources: Option<PodResources>,
        /// How it ended.
        termination: Option<Termination>,
        /// When it was looked at.
        last_updated: Option<String>,
        /// When something changed.
        last_changed: Option<String>,
    }

    /// A port of a container.
    #[serde(rename_all = "camelCase")]
    EndpointStatus {
        /// Name.
        name: String,
        /// Port on the host.
        allocated_host_port: Option<u16>,
        /// Result of its health check, if there is one.
        healthy: Option<bool>,
    }

    /// How a container ended.
    #[serde(rename_all = "camelCase")]
    Termination {
        /// Exit code.
        exit_code: Option<i32>,
        /// Why.
        message: Option<String>,
    }

    /// An instance that ended.
    #[serde(rename_all = "camelCase")]
    TerminationHistory {
        /// Instance; with a capital `ID`, unlike everywhere else.
        #[serde(rename = "instanceID")]
        instance_id: String,
        /// When it started.
        started_at: Option<String>,
        /// When it ended.
        terminated_at: Option<String>,
        /// Why.
        message: Option<String>,
        /// Its containers.
        containers: Option<Vec<ContainerTermination>>,
    }

    /// A container that ended.
    #[serde(rename_all = "camelCase")]
    ContainerTermination {
        /// Mesos task.
        container_id: String,
        /// Mesos state.
        last_known_state: Option<String>,
        /// How it ended.
        termination: Option<Termination>,
    }
}
