//! What a container uses now, in Mesos' terms.
//!
//! Resident memory is what the application holds, not what the kernel caches for
//! it: cgroup v1 says `rss`, version 2 says `anon`. Reporting `usage` would make
//! every application that reads files look as if it leaked.

use super::{CallError, Node};
use bollard::query_parameters::StatsOptionsBuilder;
use futures::StreamExt;
use padis_protocol::mesos::Statistics;
use padis_protocol::timestamp;
use std::time::Duration;
use tokio::time::timeout;

/// Deadline of one reading.
const READING: Duration = Duration::from_secs(5);
const NANOS: f64 = 1e9;

impl Node {
    /// One reading; `None` if the container does not run.
    pub async fn statistics(&self, container: &str, cpus: f64, mem_mib: f64) -> Result<Option<Statistics>, CallError> {
        let docker = self.client()?;
        let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
        let mut stream = docker.stats(container, Some(options));
        let stats = match timeout(READING, stream.next()).await {
            Err(_) => return Err(CallError::Timeout(READING)),
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => return Err(error.into()),
            Ok(Some(Ok(stats))) => stats,
        };
        let cpu = stats.cpu_stats.and_then(|c| c.cpu_usage).unwrap_or_default();
        let memory = stats.memory_stats.unwrap_or_default();
        let Some(total) = cpu.total_usage.filter(|t| *t > 0) else { return Ok(None) };
        let system = cpu.usage_in_kernelmode.unwrap_or(0).min(total);
        let detail = |name: &str| memory.stats.as_ref().and_then(|s| s.get(name)).copied();
        let rss = detail("total_rss").or_else(|| detail("rss")).or_else(|| detail("anon")).or(memory.usage);
        Ok(Some(Statistics {
            cpus_limit: Some(cpus),
            cpus_soft_limit: Some(cpus),
            cpus_system_time_secs: system as f64 / NANOS,
            cpus_user_time_secs: (total - system) as f64 / NANOS,
            mem_limit_bytes: (mem_mib * 1024.0 * 1024.0) as u64,
            mem_rss_bytes: rss.unwrap_or(0),
            timestamp: timestamp::now_ms() as f64 / 1000.0,
            ..Statistics::default()
        }))
    }
}
