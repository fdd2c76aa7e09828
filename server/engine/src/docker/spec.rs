//! From an app definition to Docker's container configuration. Pure.
//!
//! Limits are always set: a task without a memory limit would make a lie of the
//! accounting. `no-new-privileges` is on unless the app asks to be privileged or
//! says otherwise. Docker's restart policy stays `no`: the engine restarts, with
//! back-off and with a new task. An unknown parameter is refused, because
//! ignoring `--cap-drop` or `--read-only` in a new spelling would be a hole.

use super::{LABEL_AGENT, LABEL_APP, LABEL_ENGINE, LABEL_TASK};
use crate::config::EngineConfig;
use crate::fetch::SANDBOX;
use crate::record::TaskRecord;
use bollard::models::{
    ContainerCreateBody, EndpointSettings, HostConfig, HostConfigLogConfig, Mount, MountType, MountVolumeOptions,
    MountVolumeOptionsDriverConfig, NetworkingConfig, PortBinding, ResourcesUlimits, RestartPolicy,
    RestartPolicyNameEnum,
};
use padis_protocol::app::App;
use padis_protocol::container::{ExternalVolume, NetworkMode, Parameter};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Processes in one container unless `pids-limit` says otherwise.
const PIDS: i64 = 512;
const MIB: f64 = 1024.0 * 1024.0;

/// The configuration, or why there is none. `sandbox` is a folder that the container sees.
pub(crate) fn container(
    config: &EngineConfig,
    engine: &str,
    task: &TaskRecord,
    app: &App,
    sandbox: Option<&Path>,
) -> Result<ContainerCreateBody, String> {
    let docker = app.docker();
    let image = docker.map(|d| d.image.clone()).filter(|i| !i.is_empty()).or_else(|| config.default_image.clone());
    let image = image.ok_or("the app names no image")?;
    let privileged = docker.and_then(|d| d.privileged) == Some(true);
    let memory = (task.mem * MIB) as i64;
    let mut host = HostConfig {
        nano_cpus: Some((task.cpus * 1e9) as i64),
        cpu_shares: Some(((task.cpus * 1024.0) as i64).max(2)),
        memory: Some(memory),
        memory_swap: Some(memory),
        pids_limit: Some(PIDS),
        privileged: Some(privileged),
        restart_policy: Some(RestartPolicy { name: Some(RestartPolicyNameEnum::NO), ..RestartPolicy::default() }),
        log_config: Some(HostConfigLogConfig {
            typ: Some(String::from("json-file")),
            config: Some(HashMap::from([
                (String::from("max-size"), String::from("16m")),
                (String::from("max-file"), String::from("2")),
            ])),
        }),
        ..HostConfig::default()
    };
    let mut body = ContainerCreateBody {
        image: Some(image.clone()),
        user: app.user.clone(),
        tty: app.tty,
        stop_timeout: Some(i64::from(task.grace_s)),
        ..ContainerCreateBody::default()
    };
    command(app, &mut body);
    mounts(app, sandbox, &mut host)?;
    network(task, app, &mut body, &mut host);

    let mut env = crate::environment::of(task, app, &image);
    if sandbox.is_some() {
        env.insert(String::from("MESOS_SANDBOX"), SANDBOX.to_owned());
    }
    let mut labels = HashMap::new();
    for parameter in docker.and_then(|d| d.parameters.as_deref()).unwrap_or_default() {
        apply(parameter, &mut body, &mut host, &mut labels, &mut env)?;
    }
    let options = host.security_opt.get_or_insert_default();
    if !privileged && !options.iter().any(|o| o.starts_with("no-new-privileges")) {
        options.push(String::from("no-new-privileges"));
    }
    for (key, value) in
        [(LABEL_ENGINE, engine), (LABEL_APP, &task.app_id), (LABEL_AGENT, &task.agent), (LABEL_TASK, &task.id)]
    {
        labels.insert(key.to_owned(), value.to_owned());
    }
    body.labels = Some(labels);
    body.env = Some(env.into_iter().map(|(k, v)| format!("{k}={v}")).collect());
    body.host_config = Some(host);
    Ok(body)
}

/// `cmd` goes through a shell, as Mesos does; `args` to the image's own entry point.
fn command(app: &App, body: &mut ContainerCreateBody) {
    if let Some(cmd) = app.cmd.as_ref().filter(|c| !c.is_empty()) {
        body.entrypoint = Some(vec![String::from("/bin/sh")]);
        body.cmd = Some(vec![String::from("-c"), cmd.clone()]);
    } else if let Some(args) = app.args.as_ref().filter(|a| !a.is_empty()) {
        body.cmd = Some(args.clone());
    }
}

fn mounts(app: &App, sandbox: Option<&Path>, host: &mut HostConfig) -> Result<(), String> {
    let volumes = app.container.as_ref().and_then(|c| c.volumes.as_deref()).unwrap_or_default();
    let (mut binds, mut mounts) = (Vec::new(), Vec::new());
    let mut bind = |source: &str, target: &str, read_only: bool| {
        if source.contains(':') || target.contains(':') {
            return Err(format!("volume {target} has a colon in its path"));
        }
        // A bind, not a mount: it makes the host's folder if there is none, as Mesos' Docker does.
        binds.push(format!("{source}:{target}:{}", if read_only { "ro" } else { "rw" }));
        Ok(())
    };
    for volume in volumes {
        let read_only = volume.mode.as_deref() == Some("RO");
        if let Some(external) = &volume.external {
            mounts.push(named(external, &volume.container_path, read_only)?);
            continue;
        }
        let source = volume.host_path.as_deref().filter(|p| p.starts_with('/'));
        let source = source.ok_or_else(|| format!("volume {} has no absolute host path", volume.container_path))?;
        bind(source, &volume.container_path, read_only)?;
    }
    if let Some(folder) = sandbox {
        let folder = folder.to_str().ok_or("the sandbox has a path that is no text")?;
        bind(folder, SANDBOX, false)?;
    }
    host.binds = Some(binds);
    host.mounts = Some(mounts).filter(|m| !m.is_empty());
    Ok(())
}

/// A volume of Docker's own or of one of its plugins, by name: what Marathon calls an
/// external volume of the provider `dvdi`. It is made if there is none, and stays when
/// the container goes.
fn named(external: &ExternalVolume, target: &str, read_only: bool) -> Result<Mount, String> {
    let name = external.name.clone().filter(|n| !n.is_empty());
    let name = name.ok_or_else(|| format!("the external volume at {target} has no name"))?;
    let mut options = HashMap::new();
    let mut driver = String::from("local");
    for (key, value) in external.options.iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match key.strip_prefix("dvdi/").unwrap_or(key) {
            "driver" => driver = value,
            key => drop(options.insert(key.to_owned(), value)),
        }
    }
    let driver = MountVolumeOptionsDriverConfig { name: Some(driver), options: Some(options) };
    Ok(Mount {
        target: Some(target.to_owned()),
        source: Some(name),
        typ: Some(MountType::VOLUME),
        read_only: Some(read_only),
        volume_options: Some(MountVolumeOptions { driver_config: Some(driver), ..MountVolumeOptions::default() }),
        ..Mount::default()
    })
}

fn network(task: &TaskRecord, app: &App, body: &mut ContainerCreateBody, host: &mut HostConfig) {
    let networks = app.network_list();
    let first = networks.first();
    let mode = first.and_then(|n| n.mode).unwrap_or_default();
    let name = match mode {
        NetworkMode::Host => String::from("host"),
        NetworkMode::Bridge => String::from("bridge"),
        NetworkMode::Container => first.and_then(|n| n.name.clone()).unwrap_or_else(|| String::from("bridge")),
    };
    if mode != NetworkMode::Host {
        let mut ports = task.ports.iter();
        let mut bindings = HashMap::new();
        let mut exposed = Vec::new();
        for mapping in app.mappings() {
            let on_host = match (mapping.host_port, mode) {
                (None, NetworkMode::Container) => None,
                _ => ports.next().copied(),
            };
            let inside = mapping.container_port.filter(|p| *p != 0).or(on_host);
            let Some(inside) = inside else { continue };
            for protocol in mapping.protocol.as_deref().unwrap_or("tcp").split(',') {
                let key = format!("{inside}/{protocol}");
                exposed.push(key.clone());
                if let Some(port) = on_host {
                    let binding = PortBinding { host_ip: None, host_port: Some(port.to_string()) };
                    bindings.insert(key, Some(vec![binding]));
                }
            }
        }
        body.exposed_ports = Some(exposed);
        host.port_bindings = Some(bindings);
    }
    host.network_mode = Some(name);
}

/// One option of `docker run`.
fn apply(
    parameter: &Parameter,
    body: &mut ContainerCreateBody,
    host: &mut HostConfig,
    labels: &mut HashMap<String, String>,
    env: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let value = parameter.value.clone();
    let pair = |sep: char| value.split_once(sep).map_or((value.clone(), String::new()), |(k, v)| (k.into(), v.into()));
    let yes = || matches!(value.as_str(), "" | "true" | "1");
    match parameter.key.as_str() {
        "label" => drop({
            let (key, value) = pair('=');
            labels.insert(key, value)
        }),
        "env" => drop({
            let (key, value) = pair('=');
            env.insert(key, value)
        }),
        "net" | "network" => host.network_mode = Some(value),
        "user" => body.user = Some(value),
        "hostname" => body.hostname = Some(value),
        "workdir" => body.working_dir = Some(value),
        "entrypoint" => body.entrypoint = Some(vec![value]),
        "init" => host.init = Some(yes()),
        "read-only" => host.readonly_rootfs = Some(yes()),
        "tmpfs" => drop({
            let (path, options) = pair(':');
            host.tmpfs.get_or_insert_default().insert(path, options)
        }),
        "cap-drop" => host.cap_drop.get_or_insert_default().push(value),
        "cap-add" => host.cap_add.get_or_insert_default().push(value),
        "security-opt" => host.security_opt.get_or_insert_default().push(value),
        "group-add" => host.group_add.get_or_insert_default().push(value),
        "add-host" => host.extra_hosts.get_or_insert_default().push(value),
        "dns" => host.dns.get_or_insert_default().push(value),
        "volume" => host.binds.get_or_insert_default().push(value),
        "ulimit" => host.ulimits.get_or_insert_default().push(ulimit(&value)?),
        "ip" => {
            let name = host.network_mode.clone().unwrap_or_default();
            let endpoint = EndpointSettings {
                ipam_config: Some(bollard::models::EndpointIpamConfig {
                    ipv4_address: Some(value),
                    ..Default::default()
                }),
                ..EndpointSettings::default()
            };
            body.networking_config =
                Some(NetworkingConfig { endpoints_config: Some(HashMap::from([(name, endpoint)])) });
        }
        "sysctl" => drop({
            let (key, value) = pair('=');
            host.sysctls.get_or_insert_default().insert(key, value)
        }),
        "pids-limit" => host.pids_limit = Some(number(parameter)?),
        "shm-size" => host.shm_size = Some(number(parameter)?),
        key => return Err(format!("Docker parameter '{key}' is not supported")),
    }
    Ok(())
}

/// Whether a parameter will be accepted at launch; used by validation.
pub(crate) fn check(parameter: &Parameter) -> Result<(), String> {
    let (mut body, mut host) = (ContainerCreateBody::default(), HostConfig::default());
    apply(parameter, &mut body, &mut host, &mut HashMap::new(), &mut BTreeMap::new())
}

fn number(parameter: &Parameter) -> Result<i64, String> {
    parameter.value.parse().map_err(|_| format!("Docker parameter '{}' is not a number", parameter.key))
}

/// `nofile=1024:2048`, `nofile=1024`.
fn ulimit(text: &str) -> Result<ResourcesUlimits, String> {
    let wrong = || format!("ulimit '{text}' is not NAME=SOFT[:HARD]");
    let (name, limits) = text.split_once('=').ok_or_else(wrong)?;
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    Ok(ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(soft.parse().map_err(|_| wrong())?),
        hard: Some(hard.parse().map_err(|_| wrong())?),
    })
}
