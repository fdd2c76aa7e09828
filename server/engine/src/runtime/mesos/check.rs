//! Marathon's `check` of an app: what Mesos asks a task again and again only to tell the
//! answer (`checkResult` of a task), which decides nothing. And its `resourceLimits`.
//!
//! Not the same as health checks, and this is how to get it wrong: a status of 500 is a
//! result here, not a failure. What a check has not told yet is an empty object.

use crate::config::MesosConfig;
use crate::record::TaskRecord;
use padis_protocol::app::App;
use padis_protocol::mesos::v1::{
    CheckCommand, CheckInfo, CheckStatusInfo, CheckType, CommandInfo, HttpCheckInfo, Scalar, TcpCheckInfo,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// As the description has it (`AppCheck`); exactly one of `http`, `tcp` and `exec`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Check {
    http: Option<Probe>,
    tcp: Option<Probe>,
    exec: Option<Exec>,
    interval_seconds: Option<u32>,
    timeout_seconds: Option<u32>,
    delay_seconds: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Probe {
    port_index: Option<usize>,
    port: Option<u16>,
    path: Option<String>,
    scheme: Option<String>,
}

#[derive(Deserialize)]
struct Exec {
    command: Command,
}

#[derive(Deserialize)]
struct Command {
    shell: Option<String>,
    #[serde(default)]
    argv: Vec<String>,
}

fn of(app: &App) -> Option<Result<Check, String>> {
    let told = app.member("check").filter(|v| !v.is_null())?;
    Some(serde_json::from_value(told).map_err(|e| e.to_string()))
}

/// What is wrong with an app's check: (path, why).
pub(crate) fn wrong(app: &App) -> Vec<(String, String)> {
    let check = match of(app) {
        None => return Vec::new(),
        Some(Err(error)) => return vec![(String::from("/check"), error)],
        Some(Ok(check)) => check,
    };
    let mut errors = Vec::new();
    let kinds = [check.http.is_some(), check.tcp.is_some(), check.exec.is_some()];
    if kinds.iter().filter(|k| **k).count() != 1 {
        errors.push((String::from("/check"), String::from("must have exactly one of http, tcp and exec")));
    }
    let ports = crate::normalize::ports_of(app).len();
    for (name, probe) in [("http", &check.http), ("tcp", &check.tcp)] {
        let Some(probe) = probe else { continue };
        let index = probe.port_index.unwrap_or(0);
        if probe.port.is_none() && index >= ports {
            let why = format!("port index {index} is out of range (0 until {ports})");
            errors.push((format!("/check/{name}/portIndex"), why));
        }
        if probe.scheme.as_deref().is_some_and(|s| !["HTTP", "HTTPS"].contains(&s)) {
            errors.push((format!("/check/{name}/scheme"), String::from("error.unknown.enum.literal")));
        }
    }
    if let Some(exec) = &check.exec
        && exec.command.shell.is_some() != exec.command.argv.is_empty()
    {
        errors.push((String::from("/check/exec/command"), String::from("must have one of shell and argv")));
    }
    errors
}

/// What Mesos is told.
pub(super) fn info(config: &MesosConfig, task: &TaskRecord, app: &App) -> Option<CheckInfo> {
    let check = of(app)?.ok()?;
    let seconds = |told: Option<u32>, default: u32| Some(f64::from(told.unwrap_or(default)));
    let port = |probe: &Probe| super::task::port(task, app, probe.port, probe.port_index.unwrap_or(0));
    let base = CheckInfo {
        delay_seconds: seconds(check.delay_seconds, 15),
        interval_seconds: seconds(check.interval_seconds, 60),
        timeout_seconds: seconds(check.timeout_seconds, 20),
        ..CheckInfo::default()
    };
    Some(match (check.http, check.tcp, check.exec) {
        (Some(http), ..) => {
            let scheme = Some(http.scheme.as_deref().unwrap_or("HTTP").to_ascii_lowercase());
            let (port, path) = (port(&http), http.path);
            let http = HttpCheckInfo { scheme, port, path, ..HttpCheckInfo::default() };
            CheckInfo { kind: CheckType::Http, http: Some(http), ..base }
        }
        (_, Some(tcp), _) => {
            let tcp = TcpCheckInfo { port: port(&tcp), ..TcpCheckInfo::default() };
            CheckInfo { kind: CheckType::Tcp, tcp: Some(tcp), ..base }
        }
        (.., exec) => {
            let Command { shell, argv } = exec?.command;
            let user = app.user.clone().or_else(|| Some(config.user.clone())).filter(|u| !u.is_empty());
            let command = CommandInfo {
                shell: Some(shell.is_some()),
                value: shell.or_else(|| argv.first().cloned()),
                arguments: argv,
                user,
                ..CommandInfo::default()
            };
            let command = Some(CheckCommand { command, ..CheckCommand::default() });
            CheckInfo { kind: CheckType::Command, command, ..base }
        }
    })
}

/// As Marathon tells it with a task.
pub(crate) fn result(status: &CheckStatusInfo) -> Value {
    let some = |name: &str, value: Option<Value>| value.map_or_else(|| json!({}), |v| json!({ name: v }));
    if let Some(http) = &status.http {
        return json!({"http": some("statusCode", http.status_code.map(Value::from))});
    }
    if let Some(tcp) = &status.tcp {
        return json!({"tcp": some("succeeded", tcp.succeeded.map(Value::from))});
    }
    let exit = status.command.as_ref().and_then(|c| c.exit_code);
    json!({"command": some("exitCode", exit.map(Value::from))})
}

/// Of `cpus` and `mem`, what a task may use at most: a number, or infinity for `unlimited`.
fn limit(told: &Value) -> Option<f64> {
    told.as_f64().or_else(|| (told == "unlimited").then_some(f64::INFINITY))
}

/// What is wrong with an app's limits: (path, why). A limit is at least what is asked for.
pub(crate) fn wrong_limits(app: &App) -> Vec<(String, String)> {
    let Some(told) = app.member("resourceLimits").filter(|v| !v.is_null()) else { return Vec::new() };
    let Some(told) = told.as_object() else {
        return vec![(String::from("/resourceLimits"), String::from("error.expected.jsobject"))];
    };
    let mut errors = Vec::new();
    for (name, value) in told {
        let least = match name.as_str() {
            "cpus" => app.cpus_or_default(),
            "mem" => app.mem_or_default(),
            _ => {
                errors.push((format!("/resourceLimits/{name}"), String::from("Mesos limits cpus and mem")));
                continue;
            }
        };
        let why = match limit(value) {
            None => "must be a number or \"unlimited\"".to_owned(),
            Some(limit) if limit < least => format!("got {limit}, expected {least} or more"),
            Some(_) => continue,
        };
        errors.push((format!("/resourceLimits/{name}"), why));
    }
    errors
}

/// What Mesos is told (since 1.9).
pub(super) fn limits(app: &App) -> Option<BTreeMap<String, Scalar>> {
    let told = app.member("resourceLimits")?;
    let scalar = |v: &Value| Some(Scalar { value: limit(v)?, ..Scalar::default() });
    let limits: BTreeMap<_, _> = told.as_object()?.iter().filter_map(|(k, v)| Some((k.clone(), scalar(v)?))).collect();
    (!limits.is_empty()).then_some(limits)
}
