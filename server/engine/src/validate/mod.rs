//! Validation, in Marathon's words.
//!
//! Two kinds of wrong: JSON of the wrong type (400 `Invalid JSON`, with Play's
//! `error.expected.…`), and a well-typed object that makes no sense (422 `Object
//! is not valid`). Both name the place by path. One could get it wrong by
//! checking only complete definitions: a patch is laid over the definition first
//! and the result is what must be valid.

mod parts;
mod schema;

use crate::docker::spec;
use crate::ids;
use crate::placement;
use crate::runtime::check;
use padis_protocol::app::{App, EnvVar};
use padis_protocol::container::NetworkMode;
use padis_protocol::error::ErrorDetail;
use padis_protocol::health::HealthProtocol;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Invalid {
    /// 400.
    Json(Vec<ErrorDetail>),
    /// 422.
    Object(Vec<ErrorDetail>),
}

/// What the runtime can do that not every one can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Can {
    /// Run a command without an image.
    pub bare: bool,
    /// Whatever Mesos itself can: roles, URIs that only its fetcher knows.
    pub mesos: bool,
}

#[derive(Default)]
struct Errors(BTreeMap<String, Vec<String>>);

impl Errors {
    fn add(&mut self, path: impl Into<String>, error: impl Into<String>) {
        self.0.entry(path.into()).or_default().push(error.into());
    }
    fn details(self) -> Vec<ErrorDetail> {
        self.0.into_iter().map(|(path, errors)| ErrorDetail { path, errors }).collect()
    }
}

/// Checks the types of an app or a part of one.
pub(crate) fn types(app: &Map<String, Value>) -> Result<(), Invalid> {
    let (mut json, mut range) = (Errors::default(), Errors::default());
    schema::check(app, &mut json, &mut range);
    let given = |name: &str| app.get(name).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    if given("uris") && given("fetch") {
        range.add("/uris", "may not be set in conjunction with fetch");
    }
    if !json.0.is_empty() {
        return Err(Invalid::Json(json.details()));
    }
    if !range.0.is_empty() {
        return Err(Invalid::Object(range.details()));
    }
    Ok(())
}

/// Checks a complete definition.
pub(crate) fn definition(app: &App, can: Can) -> Result<(), Invalid> {
    let mut errors = Errors::default();
    if !ids::is_valid(&app.id) {
        errors.add("/id", format!("must fully match regular expression '{}'", ids::PATTERN));
    } else if app.id.rsplit('/').next().is_some_and(|last| matches!(last, "restart" | "tasks" | "versions")) {
        errors.add("/id", "must not end with restart, tasks or versions, which the API uses itself");
    }
    command(app, can, &mut errors);
    resources(app, &mut errors);
    for (index, constraint) in app.constraints.iter().flatten().enumerate() {
        if let Err(error) = placement::check(constraint) {
            errors.add(format!("/constraints({index})"), error);
        }
    }
    for (key, value) in app.env.iter().flatten() {
        if key.is_empty() || key.contains(['=', '\0']) {
            errors.add(format!("/env({key})"), "is not a name of an environment variable");
        }
        match value {
            EnvVar::Text(text) if text.contains('\0') => errors.add(format!("/env({key})"), "must not contain NUL"),
            EnvVar::Text(_) => {}
            _ => errors
                .add(format!("/env({key})"), "Feature secrets is not enabled. Enable with --enable_features secrets)"),
        }
    }
    unsupported(app, can, &mut errors);
    parts::fetch(app, can, &mut errors);
    parts::readiness(app, &mut errors);
    parts::unreachable(app, &mut errors);
    container(app, can, &mut errors);
    networks(app, &mut errors);
    health(app, &mut errors);
    if errors.0.is_empty() { Ok(()) } else { Err(Invalid::Object(errors.details())) }
}

fn command(app: &App, can: Can, errors: &mut Errors) {
    let some = |text: &Option<String>| text.as_ref().is_some_and(|t| !t.is_empty());
    let image = app.docker().is_some_and(|d| !d.image.is_empty());
    let args = app.args.as_ref().is_some_and(|a| !a.is_empty());
    if some(&app.cmd) && args {
        errors.add("/", "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.");
    }
    if !some(&app.cmd) && !args && !image {
        errors.add("/", "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.");
    } else if !image && !can.bare {
        errors.add("/container/docker/image", "is required: the built-in engine runs Docker containers only");
    }
}

/// What a Marathon on Mesos can do and the engine can't: said at once, never dropped silently.
fn unsupported(app: &App, can: Can, errors: &mut Errors) {
    let never = ["secrets", "residency"].into_iter();
    let only_mesos = ["check", "resourceLimits"].into_iter().filter(|_| !can.mesos);
    for name in never.chain(only_mesos) {
        let empty = |v: &Value| match v {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        if app.member(name).is_some_and(|v| !empty(&v)) {
            errors.add(format!("/{name}"), "is not supported by the built-in engine");
        }
    }
    if app.accepted_resource_roles.as_ref().is_some_and(Vec::is_empty) {
        errors.add("/acceptedResourceRoles", "must not be empty");
    }
    if can.mesos {
        for (path, error) in check::wrong(app).into_iter().chain(check::wrong_limits(app)) {
            errors.add(path, error);
        }
        return;
    }
    let roles = app.accepted_resource_roles.as_deref().unwrap_or_default();
    if !roles.is_empty() && !roles.iter().any(|r| r == "*") {
        errors.add("/acceptedResourceRoles", "the built-in engine has the role * only");
    }
}

fn resources(app: &App, errors: &mut Errors) {
    let cpus = app.cpus_or_default();
    if !(0.001..=100_000.0).contains(&cpus) {
        errors.add("/cpus", "got ".to_owned() + &cpus.to_string() + ", expected 0.001 or more");
    }
    // Docker refuses less than 6 MiB (4 MiB before version 20.10).
    if app.mem_or_default() < 6.0 {
        errors.add(
            "/mem",
            "got ".to_owned() + &app.mem_or_default().to_string() + ", expected 6.0 or more (Docker's minimum)",
        );
    }
    if app.disk_or_default() < 0.0 {
        errors.add("/disk", "got ".to_owned() + &app.disk_or_default().to_string() + ", expected 0.0 or more");
    }
    if app.backoff_factor.is_some_and(|f| f < 1.0) {
        errors.add("/backoffFactor", "error.min");
    }
    let strategy = app.upgrade_strategy.unwrap_or_default();
    for (name, value) in [
        ("minimumHealthCapacity", strategy.minimum_health_capacity),
        ("maximumOverCapacity", strategy.maximum_over_capacity),
    ] {
        match value {
            Some(v) if v > 1.0 => errors.add(format!("/upgradeStrategy/{name}"), "is greater than 1"),
            Some(v) if v < 0.0 => errors.add(format!("/upgradeStrategy/{name}"), "is less than 0"),
            _ => {}
        }
    }
    if app.kill_selection.as_deref().is_some_and(|k| k != "YOUNGEST_FIRST" && k != "OLDEST_FIRST") {
        errors.add("/killSelection", "error.unknown.enum.literal");
    }
}

fn container(app: &App, can: Can, errors: &mut Errors) {
    let Some(container) = &app.container else { return };
    if !matches!(container.kind.as_deref(), None | Some("DOCKER" | "MESOS")) {
        errors.add("/container/type", "error.unknown.enum.literal");
    }
    if let Some(docker) = &container.docker {
        if docker.image.is_empty() || docker.image.chars().any(|c| c.is_whitespace() || c.is_control()) {
            errors.add("/container/docker/image", "must not be empty");
        }
        for (index, parameter) in docker.parameters.iter().flatten().enumerate() {
            // On Mesos they are words for `docker run`, whatever Docker there is.
            let known = if can.mesos { Ok(()) } else { spec::check(parameter) };
            if let Err(error) = known {
                errors.add(format!("/container/docker/parameters({index})"), error);
            }
        }
    }
    for (index, volume) in container.volumes.iter().flatten().enumerate() {
        parts::volume(index, volume, can, errors);
    }
    if can.mesos {
        parts::external(app, container, errors);
    }
    let mut names = Vec::new();
    for (index, mapping) in app.mappings().iter().enumerate() {
        let at = |member: &str| format!("/container/portMappings({index})/{member}");
        protocol(mapping.protocol.as_deref(), at("protocol"), errors);
        if let Some(name) = mapping.name.as_deref() {
            if names.contains(&name) {
                errors.add("/container/portMappings", "Port names must be unique.");
            }
            names.push(name);
        }
    }
}

fn protocol(protocol: Option<&str>, path: String, errors: &mut Errors) {
    if !matches!(protocol, None | Some("tcp" | "udp" | "udp,tcp" | "tcp,udp")) {
        errors.add(path, "error.unknown.enum.literal");
    }
}

fn networks(app: &App, errors: &mut Errors) {
    let list = app.network_list();
    for (index, network) in list.iter().enumerate() {
        let mode = network.mode.unwrap_or_default();
        if mode == NetworkMode::Container && network.name.as_deref().is_none_or(str::is_empty) {
            errors.add(format!("/networks({index})/name"), "must not be empty");
        }
        if mode != NetworkMode::Container && network.name.is_some() {
            errors.add(format!("/networks({index})/name"), "Host and bridge networks may not have a name");
        }
    }
    if list.len() > 1 {
        errors.add("/networks", "The built-in engine starts a container on one network");
    }
    for (index, definition) in app.port_definitions.iter().flatten().enumerate() {
        protocol(definition.protocol.as_deref(), format!("/portDefinitions({index})/protocol"), errors);
    }
}

fn health(app: &App, errors: &mut Errors) {
    let ports = app.mappings().len().max(app.port_definitions.as_ref().map_or(0, Vec::len));
    for (index, check) in app.health_checks.iter().flatten().enumerate() {
        let at = |member: &str| format!("/healthChecks({index})/{member}");
        match check.protocol.unwrap_or_default() {
            HealthProtocol::Command if check.command.as_ref().is_none_or(|c| c.value.is_empty()) => {
                errors.add(at("command"), "must not be empty");
            }
            HealthProtocol::Command => {}
            _ if check.port.is_none() && check.port_index.unwrap_or(0) as usize >= ports => {
                let index = check.port_index.unwrap_or(0);
                errors.add(at("portIndex"), format!("port index {index} is out of range (0 until {ports})"));
            }
            _ => {}
        }
        if check.path.as_deref().is_some_and(|p| p.chars().any(|c| c.is_control() || c == ' ')) {
            errors.add(at("path"), "must not contain blanks or control characters");
        }
    }
}

#[cfg(test)]
mod tests;
