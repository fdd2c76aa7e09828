//! The smaller answers of the v0 operator API, one per path.
//!
//! Quota, weights and maintenance are written as in v1; their types are
//! [`v1::QuotaStatus`], [`v1::WeightInfo`] (a bare list), [`v1::Schedule`] and
//! [`v1::ClusterStatus`].
//!
//! [`v1::QuotaStatus`]: crate::mesos::v1::QuotaStatus
//! [`v1::WeightInfo`]: crate::mesos::v1::WeightInfo
//! [`v1::Schedule`]: crate::mesos::v1::Schedule
//! [`v1::ClusterStatus`]: crate::mesos::v1::ClusterStatus

use super::{Framework, MesosTask, Resources, Slave};
use crate::task::TaskState;
use serde_json::Value;
use std::collections::BTreeMap;

record! {
    /// Answer of `/master/state-summary`: no tasks, only their counts (in `extra` of
    /// each agent and framework, see [`Slave::count`]).
    StateSummary {
        /// Host name of the master.
        hostname: String,
        /// Name of the cluster.
        cluster: Option<String>,
        /// The agents.
        slaves: Vec<Slave>,
        /// The frameworks.
        frameworks: Vec<FrameworkSummary>,
    }

    /// One framework, in short.
    FrameworkSummary {
        /// Id.
        id: String,
        /// Name.
        name: String,
        /// What its tasks hold.
        used_resources: Resources,
        /// What is on offer to it.
        offered_resources: Resources,
        /// What it understands.
        capabilities: Vec<String>,
        /// Host name.
        hostname: String,
        /// Address of its pages.
        webui_url: Option<String>,
        /// Whether it is active.
        active: bool,
        /// Whether it is connected.
        connected: bool,
        /// Whether it has not come back since the master's fail-over.
        recovered: bool,
        /// Agents on which it has tasks.
        slave_ids: Vec<String>,
    }

    /// Answer of `/master/frameworks`.
    Frameworks {
        /// They.
        frameworks: Vec<Framework>,
        /// Frameworks that are gone.
        completed_frameworks: Vec<Framework>,
        /// Frameworks that never came back; empty since 1.2.
        unregistered_frameworks: Vec<Value>,
    }

    /// Answer of `/master/tasks`, newest first unless `order=asc`; 100 unless `limit=` says otherwise.
    Tasks {
        /// They.
        tasks: Vec<MesosTask>,
    }

    /// Answer of `/master/roles`.
    Roles {
        /// They.
        roles: Vec<Role>,
    }

    /// One role.
    Role {
        /// Name; `*` is the default one.
        name: String,
        /// Share, relative to the other roles'.
        weight: f64,
        /// Its quota.
        quota: Option<RoleQuota>,
        /// Allocated and offered; ports are a count here.
        resources: Resources,
        /// What its frameworks hold.
        allocated: Resources,
        /// What is on offer.
        offered: Resources,
        /// What is reserved for it.
        reserved: Resources,
        /// Ids of its frameworks.
        frameworks: Vec<String>,
    }

    /// Quota of a role.
    RoleQuota {
        /// Role.
        role: String,
        /// What it is sure to get.
        guarantee: Resources,
        /// What it gets at most.
        limit: Resources,
        /// What counts against it.
        consumed: Resources,
    }

    /// Answer of `/flags`: the command line with the defaults filled in.
    Flags {
        /// They.
        flags: BTreeMap<String, String>,
    }

    /// Answer of `/version`.
    Version {
        /// Version.
        version: String,
        /// Commit.
        git_sha: Option<String>,
        /// Tag.
        git_tag: Option<String>,
        /// `2020-11-24 15:38:37`.
        build_date: Option<String>,
        /// Seconds since the epoch.
        build_time: Option<f64>,
        /// Who built it.
        build_user: Option<String>,
    }

    /// Answer of `/system/stats.json`.
    SystemStats {
        /// Load over a minute.
        avg_load_1min: Option<f64>,
        /// Load over 5 minutes.
        avg_load_5min: Option<f64>,
        /// Load over 15 minutes.
        avg_load_15min: Option<f64>,
        /// Cores of the machine.
        cpus_total: Option<f64>,
        /// Bytes of memory.
        mem_total_bytes: Option<u64>,
        /// Bytes that are free.
        mem_free_bytes: Option<u64>,
    }
}

impl Slave {
    /// How many of its tasks are in a state (in `/master/state-summary` only).
    pub fn count(&self, state: &TaskState) -> Option<u64> {
        self.extra.get(state.name()).and_then(Value::as_u64)
    }
}

impl FrameworkSummary {
    /// How many of its tasks are in a state.
    pub fn count(&self, state: &TaskState) -> Option<u64> {
        self.extra.get(state.name()).and_then(Value::as_u64)
    }
}
