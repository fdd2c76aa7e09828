//! `/metrics/snapshot` and `/system/stats.json`.
//!
//! The master's and the machine's. What counts the messages between master, agents and
//! frameworks is left out: here they are one process and send none.

use super::Shared;
use super::facts::{AgentFacts, Amounts, Us};
use axum::Json;
use axum::response::{IntoResponse, Response};
use padis_protocol::mesos::Metrics;
use padis_protocol::task::TaskState;
use serde_json::json;

/// What the machine has and does; what can't be read is not told.
fn system() -> Vec<(&'static str, f64)> {
    let mut out = Vec::new();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let names = ["load_1min", "load_5min", "load_15min"];
    let loads = load.split_whitespace().filter_map(|n| n.parse().ok());
    out.extend(names.into_iter().zip(loads));
    if let Ok(cores) = std::thread::available_parallelism() {
        out.push(("cpus_total", cores.get() as f64));
    }
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    for (line, name) in [("MemTotal:", "mem_total_bytes"), ("MemFree:", "mem_free_bytes")] {
        let found = memory.lines().find_map(|l| l.strip_prefix(line)?.split_whitespace().next()?.parse::<f64>().ok());
        out.extend(found.map(|kib| (name, kib * 1024.0)));
    }
    out
}

pub(super) fn collect(mesos: &super::Mesos) -> Metrics {
    let us = Us::of(&mesos.core);
    let uptime = (padis_protocol::timestamp::now_ms() - us.started_ms).max(0);
    let mut metrics: Metrics = system().into_iter().map(|(name, value)| (format!("system/{name}"), value)).collect();
    let (agents, counts) = mesos.core.look(|w| {
        let mut counts = w.ended_count.clone();
        for task in w.tasks.values() {
            *counts.entry(task.state.name().to_owned()).or_default() += 1;
        }
        (AgentFacts::all(&mesos.core, w), counts)
    });
    let mut put = |name: &str, value: f64| {
        metrics.insert(format!("master/{name}"), value);
    };
    put("elected", 1.0);
    put("uptime_secs", super::facts::seconds(uptime));
    put("outstanding_offers", 0.0);
    put("operator_event_stream_subscribers", mesos.core.operators.count() as f64);
    for (name, value) in [("active", 1.0), ("connected", 1.0), ("disconnected", 0.0), ("inactive", 0.0)] {
        put(&format!("frameworks_{name}"), value);
    }
    let connected = agents.iter().filter(|a| a.up).count();
    let active = agents.iter().filter(|a| a.active()).count();
    put("slaves_active", active as f64);
    put("slaves_connected", connected as f64);
    put("slaves_disconnected", (agents.len() - connected) as f64);
    put("slaves_inactive", (agents.len() - active) as f64);
    put("slaves_unreachable", 0.0);
    let (mut total, mut used) = (Amounts::default(), Amounts::default());
    for agent in &agents {
        total.join(&agent.total);
        used.join(&agent.used);
    }
    let kinds = [("cpus", total.cpus, used.cpus), ("mem", total.mem, used.mem), ("disk", 0.0, 0.0), ("gpus", 0.0, 0.0)];
    for (kind, total, used) in kinds {
        put(&format!("{kind}_total"), total);
        put(&format!("{kind}_used"), used);
        put(&format!("{kind}_percent"), if total > 0.0 { used / total } else { 0.0 });
        for part in ["total", "used", "percent"] {
            put(&format!("{kind}_revocable_{part}"), 0.0);
        }
    }
    // Of tasks that live, how many there are; of ended ones, how many there were since the start.
    let count = |wanted: &str| counts.get(wanted).copied().unwrap_or(0) as f64;
    let told = [
        TaskState::TaskStaging,
        TaskState::TaskStarting,
        TaskState::TaskRunning,
        TaskState::TaskKilling,
        TaskState::TaskFinished,
        TaskState::TaskFailed,
        TaskState::TaskKilled,
        TaskState::TaskLost,
        TaskState::TaskError,
        TaskState::TaskUnreachable,
        TaskState::TaskDropped,
        TaskState::TaskGone,
        TaskState::TaskGoneByOperator,
    ];
    for state in told {
        let name = state.name().trim_start_matches("TASK_").to_ascii_lowercase();
        put(&format!("tasks_{name}"), count(state.name()));
    }
    metrics
}

/// `/metrics/snapshot`
pub(super) async fn snapshot(mesos: Shared) -> Response {
    Json(collect(&mesos)).into_response()
}

/// `/system/stats.json`
pub(super) async fn stats() -> Response {
    let named = |(name, value): (&str, f64)| {
        let whole = name.ends_with("_bytes") || name == "cpus_total";
        let name = if name.starts_with("load_") { format!("avg_{name}") } else { name.to_owned() };
        (name, if whole { json!(value as u64) } else { json!(value) })
    };
    Json(system().into_iter().map(named).collect::<serde_json::Map<_, _>>()).into_response()
}
