//! What `padis engine` is told on its command line, over the settings.

use padis_engine::{EngineConfig, RuntimeConfig};
use padis_server::{compose, config};
use std::net::SocketAddr;
use std::time::Duration;

/// How the flags are used.
pub const USAGE: &str =
    "padis engine [--runtime docker|simulated] [--listen ADDRESS] [--mesos-listen ADDRESS] [--data FOLDER]
             [--docker SOCKET] [--agents N] [--latency TIME] [--failure-rate SHARE]
                          run the Marathon-compatible engine alone; with --runtime simulated
                          on N agents on which nothing runs (latency like 50ms or 2s)";

/// The engine's configuration after the flags.
pub fn read(c: &mut config::Config, args: Vec<String>) -> Result<EngineConfig, String> {
    let (mut runtime, mut agents) = (String::from("docker"), 10);
    let (mut latency, mut failure_rate) = (Duration::from_millis(100), 0.0);
    let mut only_simulated = None;
    let mut args = args.into_iter();
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        let wrong = |what: &str| format!("{flag}: {value} is not {what}");
        let address = || value.parse::<SocketAddr>().map_err(|_| wrong("an address with a port"));
        if matches!(flag.as_str(), "--agents" | "--latency" | "--failure-rate") {
            only_simulated = Some(flag.clone());
        }
        match flag.as_str() {
            "--runtime" if matches!(value.as_str(), "docker" | "simulated") => runtime = value,
            "--runtime" => return Err(wrong("a runtime: docker or simulated")),
            "--listen" => c.engine.marathon_listen = address()?,
            "--mesos-listen" => c.engine.mesos_listen = address()?,
            "--data" => c.data = std::path::absolute(&value).map_err(|e| format!("{flag}: {e}"))?,
            "--docker" => c.docker = value,
            "--agents" => agents = value.parse().map_err(|_| wrong("a number of agents"))?,
            "--latency" => latency = time(&value).ok_or_else(|| wrong("a time like 50ms or 2s"))?,
            "--failure-rate" => {
                failure_rate = value
                    .parse()
                    .ok()
                    .filter(|r| (0.0..=1.0).contains(r))
                    .ok_or_else(|| wrong("a share from 0 to 1"))?;
            }
            _ => return Err(format!("unknown flag {flag}\n{USAGE}")),
        }
    }
    let mut config = compose::engine_config(c);
    match (runtime.as_str(), only_simulated) {
        ("simulated", _) => {
            config.runtime = RuntimeConfig::Simulated { agents, latency, failure_rate };
            config.agents.clear();
        }
        (_, Some(flag)) => return Err(format!("{flag} is for --runtime simulated only\n{USAGE}")),
        _ => {}
    }
    Ok(config)
}

fn time(text: &str) -> Option<Duration> {
    let (number, factor) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()
}

#[cfg(test)]
mod tests {
    use super::time;
    use std::time::Duration;

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("50ms"), Some(Duration::from_millis(50)));
        assert_eq!(time("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(time("0"), Some(Duration::ZERO));
        assert_eq!(time("-1s"), None);
        assert_eq!(time("soon"), None);
    }
}
