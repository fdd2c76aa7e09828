//! `/flags`: the command line with the defaults filled in.
//!
//! Those whose value the engine decides say what it does; the others are Mesos 1.11's
//! defaults, because clients look some of them up (`max_completed_tasks_per_framework`,
//! `agent_ping_timeout`) and take absence for an old version.

use super::Shared;
use super::facts::AgentFacts;
use crate::core::Core;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::collections::BTreeMap;

const MASTER: &[(&str, &str)] = &[
    ("agent_ping_timeout", "15secs"),
    ("agent_reregister_timeout", "10mins"),
    ("allocation_interval", "1secs"),
    ("allocator", "hierarchical"),
    ("authenticate_agents", "false"),
    ("authenticate_frameworks", "false"),
    ("authenticate_http_frameworks", "false"),
    ("authentication_v0_timeout", "15secs"),
    ("authenticators", "crammd5"),
    ("authorizers", "local"),
    ("filter_gpu_resources", "true"),
    ("framework_sorter", "drf"),
    ("help", "false"),
    ("hostname_lookup", "true"),
    ("http_authenticators", "basic"),
    ("initialize_driver_logging", "true"),
    ("log_auto_initialize", "true"),
    ("logbufsecs", "0"),
    ("logging_level", "INFO"),
    ("max_agent_ping_timeouts", "5"),
    ("max_completed_frameworks", "50"),
    ("max_completed_tasks_per_framework", "1000"),
    ("max_operator_event_stream_subscribers", "1000"),
    ("max_unreachable_tasks_per_framework", "1000"),
    ("memory_profiling", "false"),
    ("min_allocatable_resources", "cpus:0.01|mem:32"),
    ("publish_per_framework_metrics", "true"),
    ("quiet", "false"),
    ("recovery_agent_removal_limit", "100%"),
    ("registry", "replicated_log"),
    ("registry_fetch_timeout", "1mins"),
    ("registry_gc_interval", "15mins"),
    ("registry_max_agent_age", "2weeks"),
    ("registry_max_agent_count", "102400"),
    ("registry_store_timeout", "20secs"),
    ("registry_strict", "false"),
    ("require_agent_domain", "false"),
    ("role_sorter", "drf"),
    ("root_submissions", "true"),
    ("version", "false"),
    ("webui_dir", "/usr/share/mesos/webui"),
    ("zk_session_timeout", "10secs"),
];

const AGENT: &[(&str, &str)] = &[
    ("authenticatee", "crammd5"),
    ("authorizer", "local"),
    ("cgroups_enable_cfs", "true"),
    ("cgroups_hierarchy", "/sys/fs/cgroup"),
    ("cgroups_limit_swap", "false"),
    ("cgroups_root", "mesos"),
    ("containerizers", "docker"),
    ("default_role", "*"),
    ("docker", "docker"),
    ("docker_kill_orphans", "true"),
    ("docker_registry", "https://registry-1.docker.io"),
    ("docker_remove_delay", "6hrs"),
    ("docker_stop_timeout", "0ns"),
    ("enforce_container_disk_quota", "false"),
    ("executor_registration_timeout", "1mins"),
    ("executor_shutdown_grace_period", "5secs"),
    ("gc_delay", "1weeks"),
    ("gc_disk_headroom", "0.1"),
    ("help", "false"),
    ("hostname_lookup", "true"),
    ("http_command_executor", "false"),
    ("image_provisioner_backend", "overlay"),
    ("initialize_driver_logging", "true"),
    ("logbufsecs", "0"),
    ("logging_level", "INFO"),
    ("max_completed_executors_per_framework", "150"),
    ("memory_profiling", "false"),
    ("quiet", "false"),
    ("recover", "reconnect"),
    ("recovery_timeout", "15mins"),
    ("registration_backoff_factor", "1secs"),
    ("strict", "true"),
    ("switch_user", "true"),
    ("version", "false"),
    ("zk_session_timeout", "10secs"),
];

fn defaults(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn put(flags: &mut BTreeMap<String, String>, name: &str, value: impl ToString) {
    flags.insert(name.to_owned(), value.to_string());
}

/// The master's.
pub(super) fn master(core: &Core) -> BTreeMap<String, String> {
    let mut flags = defaults(MASTER);
    let asks = core.config.credentials.is_some();
    put(&mut flags, "authenticate_http_readonly", asks);
    put(&mut flags, "authenticate_http_readwrite", asks);
    put(&mut flags, "cluster", super::CLUSTER);
    put(&mut flags, "hostname", &core.config.hostname);
    put(&mut flags, "ip", core.config.mesos_listen.ip());
    put(&mut flags, "port", core.config.mesos_listen.port());
    put(&mut flags, "work_dir", core.config.data.display());
    flags
}

/// An agent's.
pub(super) fn agent(core: &Core, agent: &AgentFacts) -> BTreeMap<String, String> {
    let mut flags = defaults(AGENT);
    let asks = core.config.credentials.is_some();
    let attributes: Vec<String> = agent.attributes.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    let ports = &core.config.ports;
    put(&mut flags, "attributes", attributes.join(";"));
    put(&mut flags, "authenticate_http_readonly", asks);
    put(&mut flags, "authenticate_http_readwrite", asks);
    put(&mut flags, "docker_socket", core.config.docker.trim_start_matches("unix://"));
    put(&mut flags, "hostname", &agent.name);
    put(&mut flags, "master", core.config.mesos_listen);
    put(&mut flags, "port", core.config.mesos_listen.port());
    let (cpus, mem) = (agent.total.cpus, agent.total.mem);
    put(&mut flags, "resources", format!("cpus:{cpus};mem:{mem};ports:[{}-{}]", ports.start(), ports.end()));
    put(&mut flags, "sandbox_directory", "/mnt/mesos/sandbox");
    put(&mut flags, "work_dir", core.config.data.display());
    flags
}

/// `/flags`
pub(super) async fn of_master(mesos: Shared) -> Response {
    Json(json!({"flags": master(&mesos.core)})).into_response()
}

/// `/slave(N)/flags`
pub(super) async fn of_agent(mesos: Shared, Path(process): Path<String>) -> Response {
    match AgentFacts::named(&mesos.core, &process) {
        Some(found) => Json(json!({"flags": agent(&mesos.core, &found)})).into_response(),
        None => super::answer::not_found(),
    }
}
