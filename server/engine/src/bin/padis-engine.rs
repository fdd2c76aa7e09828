//! The engine alone, configured by a JSON file: for tests that kill it with
//! SIGKILL, and for trying it without the portal. `padis engine` is the same
//! with Padis' own configuration. Prints one JSON line with the addresses.

use padis_engine::{AgentConfig, Engine, EngineConfig};
use std::process::ExitCode;

#[derive(serde::Deserialize)]
struct AgentFile {
    name: String,
    #[serde(default)]
    attributes: std::collections::BTreeMap<String, String>,
    cpus: f64,
    mem_mib: u64,
}

#[derive(serde::Deserialize)]
struct File {
    marathon_listen: std::net::SocketAddr,
    mesos_listen: std::net::SocketAddr,
    data: std::path::PathBuf,
    docker: String,
    #[serde(default)]
    agents: Vec<AgentFile>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match work().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut line = format!("padis-engine: {error}");
            let mut cause = error.source();
            while let Some(next) = cause {
                line.push_str(&format!(": {next}"));
                cause = next.source();
            }
            eprintln!("{line}");
            ExitCode::FAILURE
        }
    }
}

async fn work() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: padis-engine CONFIG.json")?;
    let file: File = serde_json::from_slice(&std::fs::read(path)?)?;
    let agents = file.agents.into_iter().map(|a| AgentConfig {
        name: a.name,
        attributes: a.attributes,
        cpus: a.cpus,
        mem_mib: a.mem_mib,
        disk_mib: None,
        docker: None,
    });
    let config = EngineConfig {
        marathon_listen: file.marathon_listen,
        mesos_listen: file.mesos_listen,
        data: file.data,
        docker: file.docker,
        agents: agents.collect(),
        ..EngineConfig::default()
    };
    let handle = Engine::start(config).await?;
    let line = serde_json::json!({"marathon": handle.marathon(), "mesos": handle.mesos()});
    println!("{line}");
    tokio::signal::ctrl_c().await?;
    handle.stop().await;
    Ok(())
}
