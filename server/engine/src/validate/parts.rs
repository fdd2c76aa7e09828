//! The parts of a definition with rules of their own: files to fetch, volumes,
//! readiness checks, what becomes of unreachable instances.

use super::{Can, Errors};
use crate::runtime::{DRIVER, by_mesos};
use padis_protocol::app::{App, UnreachableStrategy};
use padis_protocol::container::{Container, NetworkMode, Volume, VolumeKind};

/// URIs that can be fetched, and places for them below the sandbox.
pub(super) fn fetch(app: &App, can: Can, errors: &mut Errors) {
    for (index, artifact) in app.fetch.iter().flatten().enumerate() {
        let path = format!("/fetch({index})/uri");
        // What its fetcher can fetch, Mesos knows itself.
        if can.mesos {
            if crate::fetch::has_checksum(&artifact.uri) {
                errors.add(path, "checksums are not verified by Mesos");
            }
        } else if let Err(error) = crate::fetch::check(artifact) {
            errors.add(path, error);
        }
    }
}

/// As Marathon has it: one at most, at a port that has this name, and its deadline
/// before its repetition.
pub(super) fn readiness(app: &App, errors: &mut Errors) {
    let checks = app.readiness_checks.as_deref().unwrap_or_default();
    if checks.len() > 1 {
        errors.add("/readinessChecks", format!("has size {}, expected 1 or less", checks.len()));
    }
    let host = app.network_list().iter().all(|n| n.mode.unwrap_or_default() == NetworkMode::Host);
    let named = |wanted: &str| match host {
        true => app.port_definitions.iter().flatten().any(|d| d.name.as_deref() == Some(wanted)),
        false => app.mappings().iter().any(|m| m.name.as_deref() == Some(wanted)),
    };
    for (index, check) in checks.iter().enumerate() {
        let at = |member: &str| format!("/readinessChecks({index})/{member}");
        let port = check.port_name.as_deref().unwrap_or("http-api");
        if !named(port) {
            errors.add(at("portName"), format!("No port definition reference for portName {port}"));
        }
        let (timeout, interval) = (check.timeout_seconds.unwrap_or(10), check.interval_seconds.unwrap_or(30));
        if timeout >= interval {
            errors.add(at("timeoutSeconds"), format!("got {timeout}, expected less than {interval}"));
        }
        if !matches!(check.protocol.as_deref(), None | Some("HTTP" | "HTTPS")) {
            errors.add(at("protocol"), "error.unknown.enum.literal");
        }
        if check.path.as_deref().is_some_and(|p| p.chars().any(|c| c.is_control() || c == ' ')) {
            errors.add(at("path"), "must not contain blanks or control characters");
        }
    }
}

/// `"disabled"`, or two times of which the first comes first.
pub(super) fn unreachable(app: &App, errors: &mut Errors) {
    match app.unreachable() {
        UnreachableStrategy::Other(_) => errors.add("/unreachableStrategy", "error.expected.jsobject"),
        strategy => {
            if let Some((inactive, expunge)) = strategy.times().filter(|(inactive, expunge)| inactive > expunge) {
                let text = format!("got {inactive}, expected {expunge} or less");
                errors.add("/unreachableStrategy/inactiveAfterSeconds", text);
            }
        }
    }
}

/// A volume of a kind that there is.
pub(super) fn volume(index: usize, volume: &Volume, can: Can, errors: &mut Errors) {
    let at = |member: &str| format!("/container/volumes({index})/{member}");
    let mut say = |member: &str, text: &str| errors.add(at(member), text);
    if !matches!(volume.mode.as_deref(), None | Some("RO" | "RW")) {
        say("mode", "error.unknown.enum.literal");
    }
    match volume.kind() {
        // Its path is one word below the sandbox, so it is judged by nothing else.
        Some(VolumeKind::Persistent) => {
            return say(
                "persistent",
                "persistent volumes are not made by the built-in engine; use a host path or an external volume",
            );
        }
        Some(VolumeKind::Secret) => {
            return say("secret", "Feature secrets is not enabled. Enable with --enable_features secrets)");
        }
        Some(VolumeKind::External) => {
            let external = volume.external.clone().unwrap_or_default();
            if external.name.as_deref().is_none_or(|n| n.is_empty() || n.contains(['/', ':'])) {
                say("external/name", "must be the name of a Docker volume");
            }
            if external.provider.as_deref() != Some("dvdi") {
                say("external/provider", "must be 'dvdi' (a volume of a Docker driver)");
            }
        }
        Some(VolumeKind::Host)
            if volume.host_path.as_deref().is_some_and(|p| p.starts_with('/') && !p.contains(':')) => {}
        Some(VolumeKind::Host) => say("hostPath", "must be an absolute path without a colon"),
        None => say("hostPath", "is required, or 'external'"),
    }
    // Mesos puts it below the sandbox.
    let relative = can.mesos && volume.kind() == Some(VolumeKind::External) && !volume.container_path.is_empty();
    if !(volume.container_path.starts_with('/') || relative) || volume.container_path.contains(':') {
        say("containerPath", "must be an absolute path without a colon");
    }
}

/// Marathon's rules for volumes of Docker's drivers on Mesos (`DVDIProviderValidations`), and
/// one more: what only Mesos' own containerizer hands on is not dropped without a word.
pub(super) fn external(app: &App, container: &Container, errors: &mut Errors) {
    let by_docker = !by_mesos(container);
    let mut first: Option<&str> = None;
    for (index, volume) in container.volumes.iter().flatten().enumerate() {
        let Some(external) = &volume.external else { continue };
        let at = |member: &str| format!("/container/volumes({index})/external/{member}");
        let options = external.options.iter().flatten();
        let driver = external.options.as_ref().and_then(|o| o.get(DRIVER)).and_then(|d| d.as_str());
        match driver.filter(|d| !d.is_empty()) {
            None => errors.add(at("options"), format!("must contain {DRIVER}")),
            Some(driver) if by_docker && first.is_some_and(|f| f != driver) => {
                errors.add(at("options"), "Docker takes one volume driver for a container");
            }
            Some(driver) => first = Some(driver),
        }
        if by_docker && external.size.is_some() {
            errors.add(at("size"), "must be undefined for Docker containers");
        }
        for (key, _) in options.filter(|(key, _)| by_docker && key.as_str() != DRIVER) {
            errors.add(at("options"), format!("{key} reaches the driver with container type MESOS only"));
        }
        if external.shared != Some(true) && app.instances_or_default() > 1 {
            let text = format!("Number of instances is limited to 1 when declaring DVDI volumes in app [{}]", app.id);
            errors.add("/instances", text);
        }
    }
}
