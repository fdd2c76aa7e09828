//! Typed access to members of v0 answers that have no field.
//!
//! The structs of `state.rs` are written out in full by the engine, so they do not
//! grow; what Mesos says beyond them stays in `extra` and is read here. Nested
//! messages (`container_status`, `*_resources_full`) are those of v1, word for word.

use super::{
    AgentFramework, AgentState, ContainerInfo, Executor, Framework, MasterState, MesosLabel, MesosStatus, MesosTask,
    Resources, Slave, Statistics,
};
use crate::mesos::v1;
use std::collections::BTreeMap;

members! {
    MasterState {
        /// Name of the cluster.
        cluster / set_cluster: String = "cluster",
        /// Who leads.
        leader_info / set_leader_info: LeaderInfo = "leader_info",
        /// The command line.
        flags / set_flags: BTreeMap<String, String> = "flags",
        /// What it understands.
        capabilities / set_capabilities: Vec<String> = "capabilities",
        /// Tasks of frameworks that are not registered; empty since 1.2.
        orphan_tasks / set_orphan_tasks: Vec<MesosTask> = "orphan_tasks",
        /// Agents that have not come back since a fail-over.
        recovered_slaves / set_recovered_slaves: Vec<Slave> = "recovered_slaves",
    }
}

members! {
    Slave {
        /// Whether an operator took it out (drained or deactivated).
        deactivated / set_deactivated: bool = "deactivated",
        /// When it came back, in seconds since the epoch.
        reregistered_time / set_reregistered_time: f64 = "reregistered_time",
        /// Region and zone.
        domain / set_domain: v1::DomainInfo = "domain",
        /// How far its draining is.
        drain_info / set_drain_info: v1::DrainInfo = "drain_info",
        /// When its draining began, in seconds since the epoch.
        estimated_drain_start_time_s / set_estimated_drain_start_time_s: f64 = "estimated_drain_start_time_seconds",
        /// Reserved, by role (`/master/slaves` only).
        reserved_resources_full / set_reserved_resources_full: BTreeMap<String, v1::Resources> = "reserved_resources_full",
        /// Not reserved (`/master/slaves` only).
        unreserved_resources_full / set_unreserved_resources_full: v1::Resources = "unreserved_resources_full",
        /// Used (`/master/slaves` only).
        used_resources_full / set_used_resources_full: v1::Resources = "used_resources_full",
        /// On offer (`/master/slaves` only).
        offered_resources_full / set_offered_resources_full: v1::Resources = "offered_resources_full",
    }
}

members! {
    Framework {
        /// What its tasks hold.
        used_resources / set_used_resources: Resources = "used_resources",
        /// What is on offer to it.
        offered_resources / set_offered_resources: Resources = "offered_resources",
        /// Both.
        resources / set_resources: Resources = "resources",
        /// What it understands.
        capabilities / set_capabilities: Vec<String> = "capabilities",
        /// Host name.
        hostname / set_hostname: String = "hostname",
        /// Address of its pages.
        webui_url / set_webui_url: String = "webui_url",
        /// Whether it is connected.
        connected / set_connected: bool = "connected",
        /// Whether it has not come back since the master's fail-over.
        recovered / set_recovered: bool = "recovered",
        /// User of tasks that name none.
        user / set_user: String = "user",
        /// Principal.
        principal / set_principal: String = "principal",
        /// Seconds that Mesos waits for it.
        failover_timeout_s / set_failover_timeout_s: f64 = "failover_timeout",
        /// Whether tasks survive a restart of their agent's daemon.
        checkpoint / set_checkpoint: bool = "checkpoint",
        /// Seconds since the epoch.
        registered_time / set_registered_time: f64 = "registered_time",
        /// Seconds since the epoch; 0 while it is there.
        unregistered_time / set_unregistered_time: f64 = "unregistered_time",
        /// Its roles.
        roles / set_roles: Vec<String> = "roles",
        /// What is on offer to it.
        offers / set_offers: Vec<FrameworkOffer> = "offers",
        /// Its executors.
        executors / set_executors: Vec<FrameworkExecutor> = "executors",
        /// Labels.
        labels / set_labels: Vec<MesosLabel> = "labels",
    }
}

members! {
    MesosTask {
        /// Its container.
        container / set_container: v1::ContainerInfo = "container",
        /// How others find it.
        discovery / set_discovery: v1::DiscoveryInfo = "discovery",
        /// Health check.
        health_check / set_health_check: v1::HealthCheck = "health_check",
        /// User.
        user / set_user: String = "user",
    }
}

members! {
    MesosStatus {
        /// The container.
        container_status / set_container_status: v1::ContainerStatus = "container_status",
        /// Whether the health check succeeds.
        healthy / set_healthy: bool = "healthy",
    }
}

members! {
    AgentState {
        /// Host name of the master.
        master_hostname / set_master_hostname: String = "master_hostname",
        /// Seconds since the epoch.
        start_time / set_start_time: f64 = "start_time",
        /// The command line.
        flags / set_flags: BTreeMap<String, String> = "flags",
        /// What it understands.
        capabilities / set_capabilities: Vec<String> = "capabilities",
        /// Reserved, by role.
        reserved_resources / set_reserved_resources: BTreeMap<String, Resources> = "reserved_resources",
        /// Not reserved.
        unreserved_resources / set_unreserved_resources: Resources = "unreserved_resources",
        /// Region and zone.
        domain / set_domain: v1::DomainInfo = "domain",
        /// How it is drained.
        drain_config / set_drain_config: v1::DrainConfig = "drain_config",
        /// How far its draining is.
        drain_info / set_drain_info: v1::DrainInfo = "drain_info",
    }
}

members! {
    AgentFramework {
        /// User of tasks that name none.
        user / set_user: String = "user",
        /// Host name.
        hostname / set_hostname: String = "hostname",
        /// Principal.
        principal / set_principal: String = "principal",
        /// Its roles.
        roles / set_roles: Vec<String> = "roles",
        /// Seconds that Mesos waits for it.
        failover_timeout_s / set_failover_timeout_s: f64 = "failover_timeout",
        /// Whether tasks survive a restart of the agent's daemon.
        checkpoint / set_checkpoint: bool = "checkpoint",
    }
}

members! {
    Executor {
        /// `DEFAULT` for groups, absent for command executors.
        kind / set_kind: String = "type",
        /// Role.
        role / set_role: String = "role",
        /// Labels.
        labels / set_labels: Vec<MesosLabel> = "labels",
    }
}

members! {
    ContainerInfo {
        /// The container (`/containers` only).
        status / set_status: v1::ContainerStatus = "status",
    }
}

members! {
    Statistics {
        /// Bytes it asked for.
        mem_soft_limit_bytes / set_mem_soft_limit_bytes: u64 = "mem_soft_limit_bytes",
        /// Bytes it uses, caches included (control groups).
        mem_total_bytes / set_mem_total_bytes: u64 = "mem_total_bytes",
        /// Bytes of disk it may use.
        disk_limit_bytes / set_disk_limit_bytes: u64 = "disk_limit_bytes",
        /// Bytes of disk it uses.
        disk_used_bytes / set_disk_used_bytes: u64 = "disk_used_bytes",
        /// Scheduling periods so far.
        cpus_nr_periods / set_cpus_nr_periods: u64 = "cpus_nr_periods",
        /// Periods in which it was held back.
        cpus_nr_throttled / set_cpus_nr_throttled: u64 = "cpus_nr_throttled",
        /// Seconds that it was held back.
        cpus_throttled_time_s / set_cpus_throttled_time_s: f64 = "cpus_throttled_time_secs",
        /// Processes.
        processes / set_processes: u64 = "processes",
        /// Threads.
        threads / set_threads: u64 = "threads",
        /// Bytes received.
        net_rx_bytes / set_net_rx_bytes: u64 = "net_rx_bytes",
        /// Bytes sent.
        net_tx_bytes / set_net_tx_bytes: u64 = "net_tx_bytes",
    }
}

record! {
    /// Who leads.
    LeaderInfo {
        /// Id.
        id: String,
        /// `master@127.0.0.1:5050`.
        pid: String,
        /// Port.
        port: u16,
        /// Host name.
        hostname: String,
    }

    /// What is on offer to a framework.
    FrameworkOffer {
        /// Id.
        id: String,
        /// Framework.
        framework_id: String,
        /// Role that it is offered to.
        allocation_info: Option<v1::AllocationInfo>,
        /// Agent.
        slave_id: String,
        /// Resources.
        resources: Resources,
    }

    /// An executor, as the master sees it.
    FrameworkExecutor {
        /// Id.
        executor_id: String,
        /// Name.
        name: String,
        /// Framework.
        framework_id: String,
        /// Command: `argv`, `uris`, …
        command: Option<serde_json::Value>,
        /// What it holds.
        resources: Resources,
        /// Role.
        role: Option<String>,
        /// `DEFAULT` or `CUSTOM`.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// Agent.
        slave_id: String,
    }
}
