//! From a staged task and its app's definition to what Mesos is told. Pure.
//!
//! After Marathon's `TaskBuilder`. Resources are taken out of the very offers that
//! are accepted: reserved ones first, each with the reservation and the allocation
//! that it came with, because the master compares them to the letter. That is the
//! way to get it wrong: a task that names `cpus:1` of an offer whose cores are
//! reserved is refused whole.

use super::container::container;
use crate::config::MesosConfig;
use crate::record::TaskRecord;
use padis_protocol::app::{App, Artifact};
use padis_protocol::container::NetworkMode;
use padis_protocol::health::{HealthCheck as AppCheck, HealthProtocol};
use padis_protocol::mesos::v1::{
    CheckType, CommandInfo, DiscoveryInfo, DurationInfo, Environment, HealthCheck, HttpCheckInfo, KillPolicy, Label,
    Labels, Offer, Port, Ports, Range, Ranges, Resource, Resources, Scalar, Task, TaskInfo, TcpCheckInfo, Uri,
};

/// Sums of shares are not exact; Mesos counts in thousandths.
const SLACK: f64 = 0.0005;

/// What is left of the offers while tasks are made of them.
pub(super) struct Shares(Vec<Resource>);

impl Shares {
    pub fn of(offers: &[Offer]) -> Self {
        let mut all: Vec<Resource> = offers.iter().flat_map(|o| o.resources.plain().0).collect();
        // Reserved first: what everybody may use is left for everybody.
        all.sort_by_key(|r| r.reserved_for() == "*");
        Self(all)
    }

    fn scalar(&mut self, name: &str, amount: f64, roles: &[String], out: &mut Vec<Resource>) -> Result<(), String> {
        let mut missing = amount;
        for resource in self.0.iter_mut().filter(|r| r.name == name && accepts(roles, r)) {
            let Some(scalar) = resource.scalar.as_mut() else { continue };
            let part = missing.min(scalar.value);
            if part <= SLACK {
                continue;
            }
            scalar.value -= part;
            missing -= part;
            let value = (part * 1000.0).round() / 1000.0;
            out.push(Resource { scalar: Some(Scalar { value, ..Scalar::default() }), ..resource.clone() });
        }
        if missing > SLACK { Err(format!("the offer has {missing} too little {name}")) } else { Ok(()) }
    }

    fn ports(&mut self, ports: &[u16], roles: &[String], out: &mut Vec<Resource>) -> Result<(), String> {
        for port in ports.iter().map(|p| u64::from(*p)) {
            let resource = self.0.iter().find(|r| {
                r.name == "ports"
                    && accepts(roles, r)
                    && r.ranges.iter().flat_map(|x| &x.range).any(|x| (x.begin..=x.end).contains(&port))
            });
            let resource = resource.ok_or_else(|| format!("the offer does not have port {port}"))?;
            let range = vec![Range { begin: port, end: port, ..Range::default() }];
            out.push(Resource { ranges: Some(Ranges { range, ..Ranges::default() }), ..resource.clone() });
        }
        Ok(())
    }
}

fn accepts(roles: &[String], resource: &Resource) -> bool {
    roles.is_empty() || roles.iter().any(|r| r == resource.reserved_for())
}

/// What the master is told of a task.
pub(super) fn info(
    config: &MesosConfig,
    task: &TaskRecord,
    app: &App,
    shares: &mut Shares,
) -> Result<TaskInfo, String> {
    let roles = app.accepted_resource_roles.clone().unwrap_or_default();
    let mut resources = Vec::new();
    shares.scalar("cpus", task.cpus, &roles, &mut resources)?;
    shares.scalar("mem", task.mem, &roles, &mut resources)?;
    if app.disk_or_default() > 0.0 {
        shares.scalar("disk", app.disk_or_default(), &roles, &mut resources)?;
    }
    if app.gpus.unwrap_or(0) > 0 {
        shares.scalar("gpus", f64::from(app.gpus.unwrap_or(0)), &roles, &mut resources)?;
    }
    shares.ports(&task.ports, &roles, &mut resources)?;
    let labels = app.labels.iter().flatten().map(|(k, v)| Label::new(k, v)).collect();
    let agent_id = task.agent_id.clone().ok_or("the agent has no id")?;
    Ok(TaskInfo {
        name: app.id.trim_matches('/').split('/').rev().collect::<Vec<_>>().join("."),
        task_id: task.id.as_str().into(),
        agent_id: agent_id.as_str().into(),
        resources: Resources(resources),
        command: Some(command(config, task, app)),
        container: container(task, app)?,
        limits: super::check::limits(app),
        health_check: app.health_checks.iter().flatten().find_map(|c| check(task, app, c)),
        check: super::check::info(config, task, app),
        kill_policy: Some(KillPolicy {
            grace_period: Some(DurationInfo::from_ms(i64::from(task.grace_s) * 1000)),
            ..KillPolicy::default()
        }),
        labels: Some(Labels { labels, ..Labels::default() }),
        discovery: Some(discovery(task, app)),
        ..TaskInfo::default()
    })
}

/// What a master shows of a task beyond its states and resources. What can't be told
/// to Mesos (a container without an image) is left out.
pub(crate) fn shown(task: &TaskRecord, app: &App) -> Task {
    let labels: Vec<Label> = app.labels.iter().flatten().map(|(k, v)| Label::new(k, v)).collect();
    Task {
        container: container(task, app).ok().flatten(),
        health_check: app.health_checks.iter().flatten().find_map(|c| check(task, app, c)),
        kill_policy: Some(KillPolicy {
            grace_period: Some(DurationInfo::from_ms(i64::from(task.grace_s) * 1000)),
            ..KillPolicy::default()
        }),
        labels: (!labels.is_empty()).then(|| Labels { labels, ..Labels::default() }),
        discovery: Some(discovery(task, app)),
        ..Task::default()
    }
}

fn command(config: &MesosConfig, task: &TaskRecord, app: &App) -> CommandInfo {
    let image = app.docker().map(|d| d.image.clone()).unwrap_or_default();
    let environment = Environment::of(crate::environment::of(task, app, &image));
    let user = app.user.clone().or_else(|| Some(config.user.clone())).filter(|u| !u.is_empty());
    let base = CommandInfo { uris: uris(app), environment: Some(environment), user, ..CommandInfo::default() };
    if let Some(cmd) = app.cmd.as_ref().filter(|c| !c.is_empty()) {
        return CommandInfo { shell: Some(true), value: Some(cmd.clone()), ..base };
    }
    let args = app.args.clone().unwrap_or_default();
    // With an image the arguments are its entry point's; without, the first is the program.
    let value = if image.is_empty() { args.first().cloned() } else { None };
    CommandInfo { shell: Some(false), value, arguments: args, ..base }
}

fn uris(app: &App) -> Vec<Uri> {
    let one = |artifact: Artifact| Uri {
        value: artifact.uri,
        executable: artifact.executable,
        extract: artifact.extract,
        cache: artifact.cache,
        output_file: artifact.dest_path,
        ..Uri::default()
    };
    app.artifacts().into_iter().map(one).collect()
}

/// Whether a check is made on the agent and told with updates, not made from here.
pub(crate) fn on_agent(check: &AppCheck) -> bool {
    !matches!(check.protocol.unwrap_or_default(), HealthProtocol::Http | HealthProtocol::Https | HealthProtocol::Tcp)
}

/// Where the agent asks: the port that is told, else the one with this index, in the
/// container's own network if it has one.
pub(super) fn port(task: &TaskRecord, app: &App, told: Option<u16>, index: usize) -> u32 {
    let host = app.network_list().iter().all(|n| n.mode.unwrap_or_default() == NetworkMode::Host);
    let inside = app.mappings().get(index).and_then(|m| m.container_port).filter(|p| *p != 0 && !host);
    u32::from(told.or(inside).or_else(|| task.ports.get(index).copied()).unwrap_or(0))
}

fn check(task: &TaskRecord, app: &App, check: &AppCheck) -> Option<HealthCheck> {
    if !on_agent(check) {
        return None;
    }
    let port = port(task, app, check.port, check.port_index.unwrap_or(0) as usize);
    let protocol = check.ip_protocol.clone();
    let base = HealthCheck {
        delay_seconds: Some(f64::from(check.delay_s())),
        interval_seconds: Some(f64::from(check.interval_s())),
        timeout_seconds: Some(f64::from(check.timeout_s())),
        consecutive_failures: Some(check.max_failures()),
        grace_period_seconds: Some(f64::from(check.grace_s())),
        ..HealthCheck::default()
    };
    Some(match check.protocol.unwrap_or_default() {
        HealthProtocol::Command => {
            let value = check.command.as_ref().map(|c| c.value.clone());
            let command = CommandInfo { shell: Some(true), value, ..CommandInfo::default() };
            HealthCheck { kind: CheckType::Command, command: Some(command), ..base }
        }
        HealthProtocol::MesosTcp => HealthCheck {
            kind: CheckType::Tcp,
            tcp: Some(TcpCheckInfo { protocol, port, ..TcpCheckInfo::default() }),
            ..base
        },
        kind => {
            let scheme = Some(if kind == HealthProtocol::MesosHttps { "https" } else { "http" }.to_owned());
            let path = Some(check.path.clone().unwrap_or_else(|| String::from("/")));
            let http = HttpCheckInfo { protocol, scheme, port, path, ..HttpCheckInfo::default() };
            HealthCheck { kind: CheckType::Http, http: Some(http), ..base }
        }
    })
}

fn discovery(task: &TaskRecord, app: &App) -> DiscoveryInfo {
    let definitions = app.port_definitions.as_deref().unwrap_or_default();
    let ports = task.ports.iter().enumerate().map(|(i, port)| Port {
        number: u32::from(*port),
        name: definitions
            .get(i)
            .and_then(|d| d.name.clone())
            .or_else(|| app.mappings().get(i).and_then(|m| m.name.clone())),
        protocol: Some(String::from("tcp")),
        ..Port::default()
    });
    DiscoveryInfo {
        visibility: String::from("FRAMEWORK"),
        name: Some(app.id.trim_matches('/').split('/').rev().collect::<Vec<_>>().join(".")),
        ports: Some(Ports { ports: ports.collect(), ..Ports::default() }),
        ..DiscoveryInfo::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_go_to_mesos_own_fetcher() {
        let app: App = serde_json::from_value(serde_json::json!({
            "fetch": [{"uri": "http://h/a.tgz", "extract": true, "executable": false, "cache": true, "destPath": "b/a.tgz"}],
            "uris": ["file:///x"],
        }))
        .unwrap();
        let told = serde_json::to_value(uris(&app)).unwrap();
        let first = serde_json::json!({"value": "http://h/a.tgz", "extract": true, "executable": false, "cache": true,
            "output_file": "b/a.tgz"});
        assert_eq!(told, serde_json::json!([first, {"value": "file:///x"}]));
    }
}
