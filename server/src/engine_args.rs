//! What `padis engine` is told on its command line, over the settings.

use padis_engine::{EngineConfig, MesosConfig, RuntimeConfig};
use padis_server::{compose, config};
use std::net::SocketAddr;
use std::time::Duration;

/// How the flags are used.
pub const USAGE: &str =
    "padis engine [--runtime docker|mesos|simulated] [--listen ADDRESS] [--mesos-listen ADDRESS] [--data FOLDER]
             [--docker SOCKET]                                   with --runtime docker
             [--master ADDRESS[,ADDRESS…]|zk://HOST:PORT[,…]/PATH] [--role ROLE]
                                                                 with --runtime mesos; who it is there, and whose
                                                                 certificates it believes: the settings mesos.principal,
                                                                 mesos.secret, mesos.ca
             [--agents N] [--latency TIME] [--failure-rate SHARE] with --runtime simulated
                          run the Marathon-compatible engine alone: on Docker, as a framework of a
                          Mesos cluster, or on N agents on which nothing runs (TIME like 50ms or 2s)";

/// The engine's configuration after the flags.
pub fn read(c: &mut config::Config, args: Vec<String>) -> Result<EngineConfig, String> {
    let (mut runtime, mut agents) = (String::from("docker"), 10);
    let (mut latency, mut failure_rate) = (Duration::from_millis(100), 0.0);
    let (mut masters, mut role) = (Vec::new(), None);
    let mut only_for: Option<(&str, String)> = None;
    let mut args = args.into_iter();
    while let Some(flag) = args.next() {
        let value = args.next().ok_or_else(|| format!("{flag} needs a value\n{USAGE}"))?;
        let wrong = |what: &str| format!("{flag}: {value} is not {what}");
        let address = || value.parse::<SocketAddr>().map_err(|_| wrong("an address with a port"));
        match flag.as_str() {
            "--agents" | "--latency" | "--failure-rate" => only_for = Some(("simulated", flag.clone())),
            "--master" | "--role" => only_for = Some(("mesos", flag.clone())),
            _ => {}
        }
        match flag.as_str() {
            "--runtime" if matches!(value.as_str(), "docker" | "mesos" | "simulated") => runtime = value,
            "--runtime" => return Err(wrong("a runtime: docker, mesos or simulated")),
            "--master" if value.starts_with("zk://") => masters = vec![value],
            "--master" => {
                masters =
                    value.split(',').map(|m| master(m).ok_or_else(|| wrong("HOST:PORT"))).collect::<Result<_, _>>()?
            }
            "--role" => role = Some(value),
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
    if let Some((wanted, flag)) = only_for.filter(|(wanted, _)| *wanted != runtime) {
        return Err(format!("{flag} is for --runtime {wanted} only\n{USAGE}"));
    }
    match runtime.as_str() {
        "simulated" => {
            config.runtime = RuntimeConfig::Simulated { agents, latency, failure_rate };
            config.agents.clear();
        }
        "mesos" if masters.is_empty() => return Err(format!("--runtime mesos needs --master\n{USAGE}")),
        "mesos" => {
            let mut mesos = MesosConfig::at(masters);
            mesos.role = role.unwrap_or(mesos.role);
            // Secrets come from the settings, never from a command line that everybody can read.
            mesos.principal.clone_from(&c.marathon.principal);
            mesos.secret = c.marathon.secret.as_ref().map(|p| p.reveal().to_owned());
            mesos.ca = c.marathon.mesos_ca.as_ref().map(Into::into);
            config.runtime = RuntimeConfig::Mesos(mesos);
        }
        _ => {}
    }
    Ok(config)
}

/// `HOST:PORT` or `http://HOST:PORT` → `http://HOST:PORT`
fn master(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/');
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let (host, port) = rest.rsplit_once(':')?;
    let good = matches!(scheme, "http" | "https") && !host.is_empty() && port.parse::<u16>().is_ok();
    good.then(|| format!("{scheme}://{rest}"))
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
    use super::{master, read, time};
    use padis_engine::RuntimeConfig;
    use std::time::Duration;

    #[test]
    fn who_the_engine_is_on_mesos_comes_from_the_settings() {
        let settings = [("MESOS_PRINCIPAL", "padis"), ("MESOS_SECRET", "s3cret"), ("MESOS_CA", "/etc/ca.pem")];
        let env = settings.map(|(name, value)| (format!("PADIS_{name}"), value.to_owned()));
        let mut settings = padis_server::config::from(None, env, None).expect("settings");
        let args = ["--runtime", "mesos", "--master", "https://m1:5050", "--role", "bank"].map(str::to_owned);
        let RuntimeConfig::Mesos(mesos) = read(&mut settings, args.to_vec()).expect("flags").runtime else {
            panic!("not on Mesos")
        };
        assert_eq!((mesos.principal.as_deref(), mesos.secret.as_deref()), (Some("padis"), Some("s3cret")));
        assert_eq!(mesos.ca.as_deref(), Some(std::path::Path::new("/etc/ca.pem")));
        assert_eq!((mesos.masters, mesos.role.as_str()), (vec!["https://m1:5050".to_owned()], "bank"));
    }

    #[test]
    fn masters_have_a_port() {
        assert_eq!(master("10.0.0.1:5050").as_deref(), Some("http://10.0.0.1:5050"));
        assert_eq!(master(" https://m1.lab.test:5050/ ").as_deref(), Some("https://m1.lab.test:5050"));
        assert_eq!(master("m1"), None);
        assert_eq!(master("zk://z1:2181/mesos"), None);
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(time("50ms"), Some(Duration::from_millis(50)));
        assert_eq!(time("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(time("0"), Some(Duration::ZERO));
        assert_eq!(time("-1s"), None);
        assert_eq!(time("soon"), None);
    }
}
